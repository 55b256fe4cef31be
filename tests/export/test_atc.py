"""Compiling a folder to an OM: the exact command line, temporary graphs, the record of it, and ATC's errors."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import onnx
import pytest
import yaml
from onnx import helper

from funasr_cli.errors import DeviceError, MachineError, ModelError, OutputError, UsageError
from funasr_cli.executors.ascend.executor import AscendExecutor
from funasr_cli.executors.ascend.toolkit import ask_soc, cann_version
from funasr_cli.executors.onnx import OnnxExecutor
from funasr_cli.export import atc
from funasr_cli.export.atc import ONLY_THEN
from funasr_cli.export.variants import write_variant
from funasr_cli.files import sha256_of
from funasr_cli.models.model_yaml import graph_metadata, read_model_yaml, verify_model_yaml
from funasr_cli.models.store import find_model
from tests.simulator.fixtures import Npu
from tests.simulator.npu_smi import NONE, ONE_910B4_1, TWO_310P3, write_npu_smi
from tests.support.boards import write_machine

SHAPE = "speech:1,{frames},560;speech_lengths:1;language:1;textnorm:1"


def plan(folder: Path, soc: str = "Ascend310P3", **options: Any) -> atc.Conversion:
    return atc.plan(folder, soc=soc, **{"precision": "allow_mix_precision", **options})


def command(folder: Path, graph: str, om: str, frames: object, *gears: str) -> list[str]:
    return [
        "atc",
        f"--model={folder}/{graph}",
        "--framework=5",
        f"--output={folder}/{om}",
        "--input_format=ND",
        f"--input_shape={SHAPE.format(frames=frames)}",
        *gears,
        "--soc_version=Ascend310P3",
        "--precision_mode=allow_mix_precision",
        "--log=error",
    ]


def test_the_command_is_what_the_account_says_of_the_graph(folder: Path) -> None:
    conversion = plan(folder)
    assert conversion.command == command(folder, "model_6s_top5.onnx", "nano_6s_Ascend310P3", 100)
    assert shlex.split(conversion.text) == conversion.command


def test_sensevoice_at_its_full_size(tmp_path: Path) -> None:
    folder = tmp_path / "sensevoice-15s"
    folder.mkdir()
    tensors = {
        "speech": "float [1, 250, 560]",
        **dict.fromkeys(("speech_lengths", "language", "textnorm"), "int32 [1]"),
    }
    free = {"speech": "float [batch_size, feats_length, 560]", "speech_lengths": "int32 [batch_size]"}
    graphs = {
        "model.onnx": {"inputs": free},
        "model_15s_top32.onnx": {"inputs": tensors},
        "model_quant.onnx": {"inputs": free},
    }
    (folder / "model.yaml").write_text(yaml.safe_dump({"window": 15.0, "topk": 32, "graphs": graphs}, sort_keys=False))
    conversion = plan(folder)
    assert conversion.command == command(folder, "model_15s_top32.onnx", "sensevoice-15s_15s_Ascend310P3", 250)
    gears = plan(folder, gears=(5, 10, 15))
    assert (gears.shape, gears.gears) == ("speech:1,-1,560;speech_lengths:1", (84, 167, 250))


def test_gears_are_compiled_from_the_graph_with_free_dimensions(folder: Path) -> None:
    conversion = plan(folder, gears=(6, 2, 4))
    stem = "nano_6s_gears_Ascend310P3"
    assert conversion.command == command(folder, f"{stem}.onnx", stem, -1, "--dynamic_dims=34;67;100")
    assert conversion.text.startswith(f"# {stem}.onnx: model.onnx with TopK 5\n# {ONLY_THEN}\natc ")


def test_options_are_passed_on(folder: Path) -> None:
    conversion = plan(folder, "Ascend910B2", precision="force_fp16", host_cpu="aarch64", logits=True)
    assert conversion.target.name == "nano_6s_logits_Ascend910B2.om"
    for option in ("--host_env_os=linux", "--host_env_cpu=aarch64", "--precision_mode=force_fp16"):
        assert option in conversion.command
    assert "model_6s_top5.onnx without its TopK" in conversion.text


def test_the_om_is_made_accounted_for_and_the_model_still_whole(folder: Path, cann: Path) -> None:
    before = read_model_yaml(folder)
    said: list[str] = []
    om = atc.convert(plan(folder), said.append)
    assert before is not None
    account = read_model_yaml(folder)
    assert account == {
        **before,
        "oms": {
            "nano_6s_Ascend310P3.om": {
                "soc": "Ascend310P3",
                "precision": "allow_mix_precision",
                "made_from": {"file": "model_6s_top5.onnx", "sha256": before["sha256"]["model_6s_top5.onnx"]},
                "atc": "7.6.0.1.220",
                "cann": "8.5.0",
                "sha256": sha256_of(om),
            }
        },
    }
    assert {path.name for path in folder.iterdir()} == {*before["sha256"], "model.yaml", om.name}
    assert said[-1] == f"{om} is ready"
    assert find_model(str(folder)).weights.name == "model.onnx"
    verify_model_yaml(folder, {om.name: sha256_of(om)})
    with pytest.raises(ModelError, match=r"nano_6s_Ascend310P3\.om: does not match its sha256"):
        verify_model_yaml(folder, {om.name: "0" * 64})


@pytest.mark.parametrize(
    ("options", "outputs"),
    [
        ({}, {"log_probs": (1, 104, 5), "token_ids": (1, 104, 5)}),
        ({"logits": True}, {"ctc_logits": (1, 104, 1044)}),
        ({"gears": (2, 6)}, {"log_probs": (1, 104, 5), "token_ids": (1, 104, 5)}),
        ({"gears": (2, 6), "logits": True, "host_cpu": "aarch64"}, {"ctc_logits": (1, 104, 1044)}),
    ],
)
def test_every_variant_computes_the_same(
    folder: Path, cann: Path, npu: Npu, options: dict[str, Any], outputs: dict[str, tuple[int, ...]]
) -> None:
    om = atc.convert(plan(folder, **options), lambda _: None)
    rng = np.random.default_rng(0)
    inputs = {"speech": rng.standard_normal((1, 99, 560), np.float32)}
    inputs |= {
        name: np.array([value], np.int32)
        for name, value in {"speech_lengths": 99, "language": 3, "textnorm": 14}.items()
    }
    reference = OnnxExecutor(folder / "model.onnx", precision="float32", threads=1).run(inputs)["ctc_logits"][0]
    executor = AscendExecutor(lambda _: om, longest=0)
    made = executor.run(inputs)
    executor.close()
    assert {name: array.shape for name, array in made.items() if name != "encoder_out_lens"} == outputs
    best = made["token_ids"][0, :, 0] if "token_ids" in made else made["ctc_logits"][0].argmax(axis=-1)
    assert made["encoder_out_lens"].tolist() == [103]
    assert best[:103].tolist() == reference.argmax(axis=-1).tolist()
    assert not list(folder.glob("nano*.onnx"))


def test_a_folder_made_for_logits_stays_with_them(published: Path, tmp_path: Path) -> None:
    from funasr_cli.export.make import from_graph

    from_graph(published, tmp_path / "nano", window=6.0, topk=0, int8=True, tell=lambda _: None)
    for logits in (False, True):
        conversion = plan(tmp_path / "nano", logits=logits)
        assert conversion.command[1] == f"--model={tmp_path}/nano/model_6s_logits.onnx"
        assert conversion.target.name == "nano_6s_Ascend310P3.om"


def test_the_account_keeps_what_oms_cannot_carry(folder: Path, tmp_path: Path) -> None:
    metadata = graph_metadata(folder)
    assert (metadata["vocab_size"], metadata["lang_zh"], metadata["with_itn"]) == ("1044", "3", "14")
    assert not {"neg_mean", "inv_stddev"} & set(metadata)
    assert graph_metadata(tmp_path) == {}
    (folder / "model.yaml").write_text("metadata: 3")
    with pytest.raises(ModelError, match="metadata must be names with values"):
        graph_metadata(folder)


def account_of(folder: Path, **changes: Any) -> None:
    account = read_model_yaml(folder) or {}
    (folder / "model.yaml").write_text(yaml.safe_dump({**account, **changes}))


def test_what_cannot_be_compiled_is_said(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match=r"(?s)no model\.yaml .*`freeze`"):
        plan(tmp_path)
    with pytest.raises(UsageError, match="two or more lengths"):
        plan(folder, gears=(5,))
    odd = Path(shutil.copytree(folder, tmp_path / "my model"))
    with pytest.raises(UsageError, match=r"ATC does not accept the path .*/my model"):
        plan(odd)
    account_of(folder, graphs={})
    with pytest.raises(ModelError, match=r"model\.yaml: lists no graph with fixed dimensions"):
        plan(folder)
    account_of(folder, graphs={"x": 3})
    with pytest.raises(ModelError, match=r"model\.yaml: the description of the graphs is invalid"):
        plan(folder)


def fails(conversion: atc.Conversion) -> str:
    with pytest.raises(MachineError) as caught:
        atc.convert(conversion, lambda _: None)
    assert not list(conversion.folder.glob("*.om"))
    assert not list(conversion.folder.glob(".atc*"))
    return str(caught.value)


def test_atc_is_heard_and_interpreted(folder: Path, cann: Path) -> None:
    error = fails(plan(folder, "Ascend1"))
    assert "atc failed (255): E10001: Value [Ascend1] for parameter [--soc_version] is invalid" in error
    assert "`npu-smi info` shows the SoC" in error
    model = onnx.load(folder / "model_6s_top5.onnx")
    model.graph.node[0].CopyFrom(helper.make_node("LayerNormalization", ["a", "b"], ["c"], name="norm"))
    onnx.save(model, folder / "model_6s_top5.onnx")
    error = fails(plan(folder))
    assert "E19010: No parser is registered for Op [norm, optype [ai.onnx::14::LayerNormalization]]" in error
    assert "use opset 16 at most" in error
    assert "TraceBack" not in error


@pytest.mark.parametrize(
    ("output", "words"),
    [
        (
            "atc.bin: error while loading shared libraries: libascend_hal.so: cannot open shared object file",
            ["libascend_hal.so: cannot open", "ascend_env.sh"],
        ),
        (
            "EZ3003: No supported Ops kernel and engine are found for [x], optype [X].",
            ["EZ3003", "Ascend-cann-310p-ops", "Ascend-cann-kernels-310p"],
        ),
        ("EC0010: Failed to import Python module [No module named 'decorator'.].", ["EC0010", "pip3 install attrs"]),
        ("E10001: Value [aarch64] for parameter [--host_env_cpu] is invalid.", ["E10001", "for that host CPU"]),
        ("Killed", ["atc failed (3): starting\n  Killed", "~/ascend/log"]),
    ],
)
def test_what_else_atc_says_has_a_meaning(folder: Path, cann: Path, output: str, words: Sequence[str]) -> None:
    (cann / "bin" / "atc").write_text(f"#!/bin/sh\necho starting\ncat >&2 << 'END'\n{output}\nEND\nexit 3\n")
    error = fails(plan(folder))
    for word in words:
        assert word in error


def test_an_om_that_atc_did_not_write_is_missed(folder: Path, cann: Path) -> None:
    (cann / "bin" / "atc").write_text("#!/bin/sh\n")
    with pytest.raises(OutputError, match=r"nano_6s_Ascend310P3\.om: cannot be written: No such file"):
        atc.convert(plan(folder), lambda _: None)
    assert "oms" not in (read_model_yaml(folder) or {})


def test_without_cann_it_says_where_it_looked(folder: Path, cann: Path) -> None:
    shutil.rmtree(cann)
    error = fails(plan(folder))
    assert "CANN's compiler atc was not found: ascend_env: no CANN in" in error
    assert "compile on a machine that has them" in error


def test_a_variant_needs_onnx(folder: Path, cann: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(MachineError, match=r"(?s)the extra \[freeze\]; not installed: onnx.*\[freeze\]"):
        atc.convert(plan(folder, logits=True), lambda _: None)


def test_only_a_topk_of_ours_can_be_taken_off(folder: Path, tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="does not end in a TopK that funasr-cli added"):
        write_variant(folder / "model.onnx", tmp_path / "x.onnx", cut=True, topk=0)
    with pytest.raises(ModelError, match=r"gone\.onnx: cannot be read"):
        write_variant(folder / "gone.onnx", tmp_path / "x.onnx", cut=True, topk=0)


def test_npu_smi_is_asked_for_the_soc(cann: Path, tmp_path: Path) -> None:
    with pytest.raises(DeviceError, match=r"(?s)npu-smi does not report the SoC: .*--soc"):
        ask_soc()
    for table, message in ((NONE, "lists no NPU"), (TWO_310P3 + ONE_910B4_1, "SoCs: Ascend310P3, Ascend910B4-1")):
        write_npu_smi(tmp_path / "smi", table)
        with pytest.raises(DeviceError, match=message):
            ask_soc()
    write_npu_smi(tmp_path / "smi", TWO_310P3)
    assert ask_soc() == "Ascend310P3"
    write_machine(tmp_path / "smi", "910_93")
    assert ask_soc() == "Ascend910_9391"
    write_machine(tmp_path / "smi", "910_93", board="")
    with pytest.raises(DeviceError, match=r"(?s)npu-smi does not report the SoC: Ascend910 is a series of SoCs.*--soc"):
        ask_soc()


@pytest.mark.parametrize(
    "note",
    ["x86_64-linux/ascend_toolkit_install.info", "aarch64-linux/ascend_nnrt_install.info", "ascend_nnae_install.info"],
)
def test_toolkit_nnrt_and_nnae_have_a_version(tmp_path: Path, note: str) -> None:
    environment = {"ASCEND_TOOLKIT_HOME": str(tmp_path), "PATH": ""}
    assert cann_version(environment) is None
    (tmp_path / note).parent.mkdir(exist_ok=True)
    (tmp_path / note).write_text("package_name=Ascend-cann\nversion=8.2.RC1\n")
    assert cann_version(environment) == "8.2.RC1"
