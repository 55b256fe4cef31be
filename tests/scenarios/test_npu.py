"""Runs on simulated NPUs, as a user starts them: the same text as on the CPU, and recovery from device failures."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import soundfile

from funasr_cli.files import sha256_of
from funasr_cli.models.model_yaml import record_om
from tests.conftest import NANO
from tests.simulator.fixtures import Npu, bare_npu
from tests.simulator.fixtures import npu as npu
from tests.simulator.nano_oms import NanoOms, make_nano_oms
from tests.support.command import Run
from tests.support.meetings import samples_of

ON_NPU = "npu (Ascend310P3)"
LOST = 507011
OTHER_ERROR = 207001
FILES = 6


@pytest.fixture(scope="module")
def oms(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> NanoOms:
    return make_nano_oms(frozen, tmp_path_factory.mktemp("oms"))


@pytest.fixture
def leaky(monkeypatch: pytest.MonkeyPatch, tmp_path_factory: pytest.TempPathFactory) -> Npu:
    """A machine with a device that cannot be released: its process must end to free its resources."""
    return bare_npu(monkeypatch, tmp_path_factory.mktemp("npu"))


@pytest.fixture
def model(frozen: Path, oms: NanoOms, tmp_path: Path) -> Path:
    """A model's folder with a graph for windows of six seconds, and its OM from `convert`."""
    return folder_with(oms.static, frozen, tmp_path / "nano", "model.onnx")


def folder_with(om: Path, frozen: Path, folder: Path, without: str) -> Path:
    shutil.copytree(frozen, folder, ignore=shutil.ignore_patterns(without))
    target = folder / "nano_6s_Ascend310P3.om"
    shutil.copyfile(om, target)
    record_om(folder, target.name, {"made_from": {"file": "model_6s_top5.onnx"}, "sha256": sha256_of(target)})
    return folder


@pytest.fixture(scope="module")
def meetings(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Six recordings of eight seconds, two windows each."""
    folder = tmp_path_factory.mktemp("meetings")
    speech = samples_of(NANO / "words-without-pauses.flac")
    for number in range(FILES):
        soundfile.write(folder / f"{number}.wav", np.roll(speech, -50_000 * number)[:128_000], 16_000)
    return folder


@pytest.fixture
def transcribe(run: Run, model: Path, meetings: Path, tmp_path: Path) -> Transcribe:
    """Runs over the recordings, and also returns their manifest lines."""

    def transcribe(*options: str, output: str = "out") -> Night:
        done = run("transcribe", meetings, "--model", model, "-o", output, *options)
        manifest = tmp_path / output / "manifest.jsonl"
        lines = manifest.read_text(encoding="utf-8").splitlines() if manifest.exists() else []
        entries = {Path(entry["path"]).name: entry for entry in map(json.loads, lines)}
        texts = {path.name: path.read_bytes() for path in (tmp_path / output).glob("*.srt")}
        return Night(done.returncode, done.stderr, entries, texts)

    return transcribe


@dataclass(frozen=True)
class Night:
    code: int
    said: str
    entries: dict[str, dict[str, Any]]
    texts: dict[str, bytes]

    def of(self, key: str) -> list[str]:
        """Return the distinct values of `key` in the manifest."""
        return sorted({str(entry[key]) for entry in self.entries.values()})


Transcribe = Callable[..., Night]


@pytest.fixture(scope="module")
def on_cpu(meetings: Path, frozen: Path, oms: NanoOms, tmp_path_factory: pytest.TempPathFactory) -> dict[str, bytes]:
    """The outputs of the CPU for the recordings."""
    folder = tmp_path_factory.mktemp("cpu")
    model = folder_with(oms.static, frozen, folder / "nano", "model.onnx")
    command = ["transcribe", str(meetings), "--model", str(model), "--device", "cpu", "-o", str(folder / "out")]
    subprocess.run([sys.executable, "-m", "funasr_cli", *command], check=True, capture_output=True, timeout=120)
    texts = {path.name: path.read_bytes() for path in (folder / "out").glob("*.srt")}
    assert len(texts) == FILES
    return texts


@pytest.mark.parametrize("layout", ["static", "half", "gears", "sherpa"])
def test_the_text_is_that_of_the_cpu_whatever_the_om_is_like(
    npu: Npu, frozen: Path, oms: NanoOms, run: Run, tmp_path: Path, layout: str
) -> None:
    # sherpa-onnx's takes windows of any length, like the graph with free dimensions.
    without = "model_6s_*.onnx" if layout == "sherpa" else "model.onnx"
    model = folder_with(getattr(oms, layout), frozen, tmp_path / "nano", without)
    recordings = [NANO / "words-with-pauses.flac", NANO / "words-without-pauses.flac"]
    for device in ("cpu", "npu"):
        done = run("transcribe", *recordings, "--model", model, "--device", device, "-o", device, "-f", "txt,srt")
        assert done.returncode == 0, done.stderr
    assert f"device {ON_NPU}: asked for with --device npu" in done.stderr
    assert "NPU 0" in done.stderr
    cpu, npu_ = ({path.name: path.read_bytes() for path in (tmp_path / name).glob("*.*t")} for name in ("cpu", "npu"))
    assert len(cpu) == 4
    assert npu_ == cpu


def test_a_folder_with_nothing_but_an_om_is_a_model(npu: Npu, model: Path, run: Run) -> None:
    for path in [*model.glob("*.onnx"), model / "model.yaml"]:
        path.unlink()
    done = run("transcribe", NANO / "words-with-pauses.flac", "--model", model, "--device", "npu", "-o", "-")
    assert (done.returncode, done.stdout) == (0, "收缩 大体 专心 报告 大于 结算\n"), done.stderr
    without = run("transcribe", NANO / "words-with-pauses.flac", "--model", model, "-o", "-")
    assert without.returncode == 4
    assert "is compiled for NPUs and has no weights for a CPU" in without.stderr


def test_several_npus_share_the_windows(npu: Npu, transcribe: Transcribe, on_cpu: dict[str, bytes]) -> None:
    npu.set(socs=["Ascend310P3"] * 3)
    night = transcribe("--device", "npu:0,2")
    assert (night.code, night.texts) == (0, on_cpu)
    assert "2 workers, NPUs 0, 2" in night.said
    assert night.of("device") == [ON_NPU]
    assert sorted(report["runs"] for report in npu.reports() if report["runs"])[0] > 0


def test_what_is_recorded_is_what_ran(npu: Npu, transcribe: Transcribe, model: Path) -> None:
    night = transcribe("--device", "npu")
    assert night.of("device") == [ON_NPU]
    assert night.of("model_sha256") == [sha256_of(model / "nano_6s_Ascend310P3.om")]
    assert "nothing to do" in transcribe("--device", "npu").said


@pytest.mark.parametrize("fault", [LOST, "hang"])
def test_a_device_that_fails_is_reset_and_the_window_run_again(
    npu: Npu, transcribe: Transcribe, on_cpu: dict[str, bytes], fault: int | str
) -> None:
    npu.set(faults={"4": fault})
    night = transcribe("--device", "npu", "--window-timeout", "3")
    assert (night.code, night.texts) == (0, on_cpu)
    assert "resetting the device and running the window again" in night.said
    assert ("did not end a run in time" in night.said) == (fault == "hang")
    assert night.of("device") == [ON_NPU]


def test_a_window_on_which_it_fails_twice_costs_its_recording_alone(
    npu: Npu, transcribe: Transcribe, on_cpu: dict[str, bytes]
) -> None:
    npu.set(faults={"4": LOST, "5": LOST})
    night = transcribe("--device", "npu")
    assert night.code == 1
    statuses = [entry["status"] for entry in night.entries.values()]
    assert sorted(statuses) == ["done"] * (FILES - 1) + ["failed"]
    assert all(on_cpu[name] == text for name, text in night.texts.items())
    again = transcribe("--device", "npu")
    assert (again.code, again.texts) == (0, on_cpu)


def test_a_device_that_cannot_be_reset_is_tried_in_another_process(
    leaky: Npu, transcribe: Transcribe, on_cpu: dict[str, bytes]
) -> None:
    leaky.set(faults={"4": LOST}, failing_resets=1)
    night = transcribe("--device", "npu")
    assert (night.code, night.texts) == (0, on_cpu)
    assert "NPU 0 cannot be reset" in night.said
    assert "the process of NPU 0 was lost" in night.said


def test_a_reset_that_never_ends_is_ended_with_its_process(
    leaky: Npu, transcribe: Transcribe, on_cpu: dict[str, bytes]
) -> None:
    leaky.set(faults={"4": LOST}, hanging_resets=1)
    night = transcribe("--device", "npu", "--window-timeout", "2")
    assert (night.code, night.texts) == (0, on_cpu)
    assert "the process of NPU 0 was lost (no answer within --window-timeout, 2 s)" in night.said


@pytest.mark.parametrize(
    ("machine", "settings"),
    [
        pytest.param("npu", {"faults": {"4": LOST, "5": LOST}}, id="fails twice"),
        pytest.param("leaky", {"faults": {"4": LOST}, "failing_resets": 100}, id="cannot be reset"),
        pytest.param("npu", {"busy": [0]}, id="cannot be had"),
    ],
)
def test_the_cpu_goes_on_where_that_is_allowed_and_everything_says_so(
    request: pytest.FixtureRequest,
    transcribe: Transcribe,
    on_cpu: dict[str, bytes],
    tmp_path: Path,
    machine: str,
    settings: dict[str, Any],
) -> None:
    request.getfixturevalue(machine).set(**settings)
    night = transcribe("--device", "npu", "--on-device-failure", "cpu", "-f", "srt,json")
    assert (night.code, night.texts) == (0, on_cpu)
    assert "the CPU takes over from here (--on-device-failure cpu)" in night.said
    for name, entry in night.entries.items():
        document = json.loads((tmp_path / "out" / name).with_suffix(".json").read_text(encoding="utf-8"))
        assert document["device"] == entry["device"]
        assert bool(entry["warnings"]) == bool(document["warnings"]) == ("cpu (float32)" in entry["device"])
        assert [text for text in entry["warnings"] if "with model_6s_top5.onnx, not on an NPU" not in text] == []
    assert "cpu (float32)" in night.of("device")


def test_a_graph_that_cannot_stand_in_is_told_at_the_start(npu: Npu, transcribe: Transcribe, model: Path) -> None:
    om = model / "nano_6s_Ascend310P3.om"
    record_om(model, om.name, {"made_from": {"file": "model.onnx"}, "sha256": sha256_of(om)})
    (model / "model_6s_top5.onnx").rename(model / "model.onnx")
    shutil.copyfile(NANO / "model_quant.onnx", model / "model.onnx")  # this graph ends in logits
    night = transcribe("--device", "npu", "--on-device-failure", "cpu")
    assert (night.code, night.entries) == (4, {})
    assert "the graph for --on-device-failure cpu has other inputs or outputs than the one on the NPU" in night.said


def test_a_folder_that_is_incomplete_leaves_nothing_on_the_device(
    npu: Npu, transcribe: Transcribe, model: Path
) -> None:
    (model / "tokens.json").write_text("rubbish", encoding="utf-8")
    (model / "model.yaml").unlink()
    night = transcribe("--device", "npu")
    assert (night.code, night.entries) == (4, {})
    assert "tokens.json" in night.said


@pytest.mark.parametrize("fault", [LOST, "crash", OTHER_ERROR])
def test_a_device_on_which_nothing_runs_any_more_does_not_cost_all_recordings(
    leaky: Npu, transcribe: Transcribe, on_cpu: dict[str, bytes], fault: int | str
) -> None:
    leaky.set(faults={str(run): fault for run in range(1, 100)})
    night = transcribe("--device", "npu")
    assert night.code == 4
    assert "error: NPU 0 keeps failing" in night.said
    assert 0 < len(night.entries) <= FILES // 2
    leaky.set(faults={str(run): fault for run in range(1, 100)})
    other = transcribe("--device", "npu", "--on-device-failure", "cpu", output="other")
    assert "the CPU takes over from here (--on-device-failure cpu)" in other.said
    done = [entry for entry in other.entries.values() if entry["status"] == "done"]
    assert (len(other.entries), other.code) == (FILES, 1 if len(done) < FILES else 0)
    assert len(done) >= FILES // 2
    assert {entry["device"] for entry in done} == {"cpu (float32)"}
    assert all(on_cpu[name] == text for name, text in other.texts.items())


def test_one_of_two_whose_processes_crash_is_told_and_the_other_works(
    leaky: Npu, transcribe: Transcribe, on_cpu: dict[str, bytes]
) -> None:
    leaky.set(socs=["Ascend310P3"] * 2, run_ms=1000, deadly=[1])
    night = transcribe("--device", "npu")
    assert (night.code, night.texts) == (0, on_cpu)
    assert "NPU 1 is not used: NPU 1 keeps failing: killed by SIGABRT" in night.said


def test_a_spare_graph_that_is_not_there_is_told_at_the_start(npu: Npu, transcribe: Transcribe, model: Path) -> None:
    (model / "model_6s_top5.onnx").unlink()
    night = transcribe("--device", "npu", "--on-device-failure", "cpu")
    assert night.code == 4
    assert "the graph that nano_6s_Ascend310P3.om was compiled from is missing" in night.said


@pytest.mark.parametrize(
    ("machine", "message"),
    [
        ({"socs": []}, "the runtime finds no NPU"),
        ({"busy": [0]}, "device 0 is held by another process"),
        ({"memory_mb": 1}, "The device's memory is full"),
        ({"load_error": 145000}, "Compile it here: funasr-cli convert MODEL_DIR --soc Ascend310P3"),
        ({"socs": ["Ascend910B4"]}, "It has nano_6s_Ascend310P3.om. Compile one: funasr-cli convert"),
    ],
)
def test_a_device_that_cannot_be_used_ends_the_run_and_says_why(
    npu: Npu, transcribe: Transcribe, machine: dict[str, Any], message: str
) -> None:
    npu.set(**machine)
    night = transcribe("--device", "npu")
    assert (night.code, night.entries) == (4, {})
    assert message in night.said


def test_one_of_two_that_cannot_be_used_is_told_and_the_other_works(
    npu: Npu, transcribe: Transcribe, on_cpu: dict[str, bytes]
) -> None:
    npu.set(socs=["Ascend310P3"] * 2, busy=[1])
    night = transcribe("--device", "npu")
    assert (night.code, night.texts) == (0, on_cpu)
    assert "NPU 1 is not used" in night.said


def test_a_model_of_another_family_does_not_run_there(npu: Npu, embedded: None, run: Run) -> None:
    done = run("transcribe", NANO, "--model", "whisper-base", "--device", "npu")
    assert done.returncode == 4
    assert "whisper models do not run on an NPU in this version" in done.stderr


def test_a_device_that_is_none_is_wrong_usage(run: Run) -> None:
    done = run("transcribe", NANO, "--device", "npu0")
    assert done.returncode == 2
    assert "'npu0' is not one of auto, cpu, npu, npu:0 and npu:0,2" in done.stderr
