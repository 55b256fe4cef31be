"""`funasr-cli convert --check` compares an OM with its graph on speech, and records the result."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
from onnx import ModelProto, numpy_helper

from funasr_cli.arrays import Arrays
from funasr_cli.errors import DeviceError, FunasrError, InputError, ModelError, NoAudioError, OutputError
from funasr_cli.export import atc
from funasr_cli.export.check import check_oms
from funasr_cli.export.compare import Agreement, agreement
from funasr_cli.files import sha256_of
from funasr_cli.models.model_yaml import read_model_yaml, record_om, verify_model_yaml
from funasr_cli.models.store import find_model
from tests.conftest import NANO
from tests.simulator.fixtures import Npu, compile_om

SPEECH = NANO / "words-without-pauses.flac"
SHAPE = "speech:1,100,560;speech_lengths:1;language:1;textnorm:1"
OM = "nano_6s_Ascend310P3.om"


def compiled(folder: Path, soc: str = "Ascend310P3", **options: Any) -> Path:
    conversion = atc.plan(folder, soc=soc, precision="allow_mix_precision", **options)
    return atc.convert(conversion, lambda _: None)


def compiled_otherwise(folder: Path, change: Callable[[ModelProto], None], *options: str) -> None:
    """Compile a changed graph, but keep the original graph in model.yaml."""
    model = onnx.load(folder / "model_6s_top5.onnx")
    change(model)
    onnx.save(model, folder.parent / "other.onnx")
    om = compile_om(folder.parent / "other.onnx", folder / OM, SHAPE, *options)
    made_from = {"file": "model_6s_top5.onnx", "sha256": sha256_of(folder / "model_6s_top5.onnx")}
    record_om(folder, OM, {"soc": "Ascend310P3", "made_from": made_from, "sha256": sha256_of(om)})


def scaled(factor: float) -> Callable[[ModelProto], None]:
    """Multiply the weights that give the labels their scores."""

    def change(model: ModelProto) -> None:
        vocabulary = 1044
        last = next(tensor for tensor in model.graph.initializer if vocabulary in tensor.dims and len(tensor.dims) == 2)
        last.CopyFrom(numpy_helper.from_array(numpy_helper.to_array(last) * np.float32(factor), last.name))

    return change


def check(folder: Path, audio: Path = SPEECH, told: list[str] | None = None) -> list[str]:
    said: list[str] = []
    check_oms(folder, audio, lambda message: said.append(str(message)), ([] if told is None else told).append)
    return said


def oms_of(folder: Path) -> dict[str, Any]:
    account = read_model_yaml(folder)
    assert account is not None
    oms: dict[str, Any] = account["oms"]
    return oms


def test_all_that_fit_are_compared_and_written_down(folder: Path, cann: Path, npu: Npu) -> None:
    oms = [compiled(folder, **options) for options in ({}, {"logits": True}, {"gears": (2, 4, 6)})]
    compiled(folder, "Ascend910B2")
    before = oms_of(folder)
    npu.set(run_ms=15)
    said = check(folder)
    assert [line.split(":")[0] for line in said] == [om.name for om in (oms[0], *reversed(oms[1:]))]
    after = oms_of(folder)
    for om in oms:
        result = after[om.name].pop("check")
        times = (result.pop("milliseconds"), result.pop("seconds"))
        assert 15 <= times[0] < 1000
        assert 20 < times[1] <= 25.1
        difference = result.pop("largest_difference")
        assert 0 <= difference < 1e-4
        assert result == {
            "speech": SPEECH.name,
            "windows": 4,
            "frames": result["frames"],
            "argmax_agreement": 1.0,
            "clear_agreement": 1.0,
        }
        assert result["frames"] > 400
        verify_model_yaml(folder, {om.name: sha256_of(om)})
    assert after == before
    assert find_model(str(folder)).weights.name == "model.onnx"
    assert sum(report["runs"] for report in npu.reports()) == 3 * (4 + 1)


def test_half_floats_differ_and_are_good_enough(folder: Path, npu: Npu) -> None:
    compiled_otherwise(folder, lambda _: None, "--input_fp16_nodes=speech", "--output_type=FP16")
    check(folder)
    result = oms_of(folder)[OM]["check"]
    assert 1e-5 < result["largest_difference"] < 0.1
    assert result["clear_agreement"] >= 0.99


@pytest.mark.parametrize(("factor", "difference"), [(-1.0, None), (math.nan, math.inf)])
def test_an_om_of_another_model_is_caught(folder: Path, npu: Npu, factor: float, difference: float | None) -> None:
    compiled_otherwise(folder, scaled(factor))
    with pytest.raises(FunasrError, match=rf"results differ from the graph: {OM}\n.*99%") as caught:
        check(folder)
    assert caught.value.exit_code == 1
    result = oms_of(folder)[OM]["check"]
    assert result["clear_agreement"] < 0.5
    assert difference in (None, result["largest_difference"])


def test_what_is_not_what_the_account_says_is_not_compared(folder: Path, cann: Path, npu: Npu) -> None:
    om = compiled(folder)
    facts = oms_of(folder)[OM]
    record_om(folder, OM, {**facts, "made_from": {"file": "model.onnx", "sha256": "0" * 64}})
    with pytest.raises(ModelError, match=rf"{OM}: made from a different model\.onnx"):
        check(folder)
    record_om(folder, OM, {**facts, "made_from": "a graph"})
    with pytest.raises(ModelError, match=rf"model\.yaml: does not record what {OM} was made from"):
        check(folder)
    record_om(folder, OM, facts)
    with om.open("ab") as file:
        file.write(b"x")
    with pytest.raises(ModelError, match=rf"{OM}: does not match its sha256 in model\.yaml"):
        check(folder)
    om.unlink()
    with pytest.raises(ModelError, match=r"has no OM for Ascend310P3"):
        check(folder)


def test_an_om_that_nothing_is_known_of_is_left_out_aloud(folder: Path, cann: Path, npu: Npu) -> None:
    compile_om(folder / "model_6s_top5.onnx", folder / "x_6s_Ascend310P3.om", SHAPE)
    with pytest.raises(ModelError, match=r"x_6s_Ascend310P3\.om: model\.yaml does not record what it was made from"):
        check(folder)
    oms = [compiled(folder), compiled(folder, logits=True)]
    told: list[str] = []
    assert [line.split(":")[0] for line in check(folder, told=told)] == [om.name for om in oms]
    assert told.count("x_6s_Ascend310P3.om: skipped: model.yaml does not record what it was made from") == 1
    assert set(oms_of(folder)) == {om.name for om in oms}


def test_a_runtime_that_hangs_is_not_waited_for_for_ever(
    folder: Path, cann: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(folder)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "acl.py").write_text("import time; time.sleep(60)")
    monkeypatch.syspath_prepend(str(tmp_path / "broken"))
    monkeypatch.setattr("funasr_cli.export.check.COMPARE_TIMEOUT_S", 3.0)
    with pytest.raises(DeviceError, match=r"the process on the NPU did not finish within 3 s"):
        check(folder)


def test_a_folder_of_recordings_may_hold_other_things(folder: Path, cann: Path, npu: Npu, tmp_path: Path) -> None:
    compiled(folder)
    meetings = tmp_path / "meetings"
    (meetings / "may").mkdir(parents=True)
    (meetings / "agenda.txt").write_text("no audio")
    with pytest.raises(NoAudioError, match="no readable recording with speech"):
        check(folder, meetings)
    with pytest.raises(InputError, match=r"agenda\.txt"):
        check(folder, meetings / "agenda.txt")
    shutil.copy(NANO / "words-with-pauses.flac", meetings / "may" / "1.flac")
    check(folder, meetings)
    assert oms_of(folder)[OM]["check"]["speech"] == "meetings"


def test_without_an_npu_it_says_what_is_missing(folder: Path, cann: Path, npu: Npu) -> None:
    compiled(folder)
    npu.set(socs=[])
    with pytest.raises(DeviceError, match=r"NPU 0 cannot be used; the runtime finds 0: .*107001"):
        check(folder)


def test_without_cann_it_says_what_to_source(folder: Path, cann: Path) -> None:
    compiled(folder)
    with pytest.raises(DeviceError, match=r"(?s)CANN's Python module cannot be imported: .*ascend_env\.sh"):
        check(folder)


def test_a_runtime_that_takes_its_process_along_is_an_error(
    folder: Path, cann: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(folder)
    (tmp_path / "broken").mkdir()
    (tmp_path / "broken" / "acl.py").write_text("import os; os._exit(7)")
    monkeypatch.syspath_prepend(str(tmp_path / "broken"))
    with pytest.raises(DeviceError, match=r"the process on the NPU was lost \(exited with code 7\)"):
        check(folder)


def test_a_device_that_fails_is_an_error_and_given_back(folder: Path, cann: Path, npu: Npu) -> None:
    compiled(folder)
    npu.set(faults={"3": 507011})
    with pytest.raises(DeviceError, match=r"NPU 0 failed in a run: .*507011"):
        check(folder)
    assert "check" not in oms_of(folder)[OM]
    npu.set(faults={}, memory_mb=1)
    with pytest.raises(DeviceError, match="207001"):  # the error comes from the other process
        check(folder)


def test_a_folder_that_cannot_be_written_is_said(
    folder: Path, cann: Path, npu: Npu, monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled(folder)

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("funasr_cli.export.check.record_om", full)
    with pytest.raises(OutputError, match=r"model\.yaml: cannot be written: No space left"):
        check(folder)


def topk(log_probs: list[list[float]], ids: list[list[int]]) -> Arrays:
    valid = np.array([len(ids)], np.int32)
    return {
        "log_probs": np.array([log_probs], np.float32),
        "token_ids": np.array([ids], np.int32),
        "encoder_out_lens": valid,
    }


def test_a_frame_in_doubt_may_differ() -> None:
    expected = topk([[-0.5, -1.0], [-0.7, -0.701]], [[7, 8], [7, 8]])
    found = topk([[-0.52, -1.01], [-0.7, -0.71]], [[7, 9], [8, 7]])
    assert agreement(expected, expected) == Agreement(2, 2, 1, 1, 0.0)
    assert agreement(found, expected) == Agreement(2, 1, 1, 1, pytest.approx(0.02))


def test_no_numbers_and_other_lengths_do_not_agree() -> None:
    expected = topk([[-0.5, -1.0], [-0.5, -1.0]], [[7, 8], [7, 8]])
    silent = topk([[math.nan, -1.0], [-0.5, -1.0]], [[7, 8], [7, 8]])
    assert agreement(silent, expected) == Agreement(2, 1, 2, 1, math.inf)
    assert agreement(topk([[-0.5, -1.0]], [[7, 8]]), expected) == Agreement(2, 0, 2, 0, math.inf)
    logits = {"ctc_logits": np.full((1, 2, 50), np.nan, np.float32), "encoder_out_lens": np.array([2], np.int32)}
    assert agreement(logits, expected) == Agreement(2, 0, 2, 0, math.inf)
