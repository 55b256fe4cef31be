"""`funasr-cli doctor --speed`: which layouts are compared, the verdict on given figures, and real runs."""

from __future__ import annotations

import json
import re
import shutil
from dataclasses import replace
from pathlib import Path

import pytest

from funasr_cli.doctor.speed import candidates, measure, sound
from funasr_cli.doctor.speed.candidates import Candidate, groups, layouts, models_by_precision, runs_to_compare
from funasr_cli.doctor.speed.measure import Measured, Speed
from funasr_cli.doctor.speed.report import speed_as_json, speed_as_text
from funasr_cli.doctor.speed.verdict import judge
from funasr_cli.errors import ModelError
from funasr_cli.executors.placement import Placement
from funasr_cli.models.store import Model
from funasr_cli.pool import sizing
from funasr_cli.system import processor
from funasr_cli.system.resources import Memory
from tests.conftest import NANO
from tests.support.command import Run
from tests.support.doctors import Doctor, line
from tests.support.doctors import doctor as doctor
from tests.support.doctors import model as model
from tests.support.doctors import store as store
from tests.support.documents import rows

SLOW = Measured("float32", 2, 1, 1, "cpu (float32)", 10.0, 700.0, 1_500_000_000)
"""The default layout of a run."""

SPEED = Speed(
    Model("small", "sensevoice", NANO, NANO / "model_quant.onnx", "float32", "", ""),
    recording=None,
    window=15.0,
    cores=2,
    nodes=1,
    workers=2,
    front_end=0.004,
    load=0.0,
    candidates=(SLOW, replace(SLOW, runs=1, threads=2, times_real_time=9.0)),
)


@pytest.fixture
def quick(monkeypatch: pytest.MonkeyPatch) -> None:
    """Measure one round of one window per parallel run."""
    monkeypatch.setattr(measure, "BUDGET_S", 0.0)


@pytest.mark.parametrize(
    ("cores", "default", "compared"),
    [
        (1, 1, [1]),
        (2, 2, [1, 2]),
        (7, 7, [1, 7]),
        (8, 8, [1, 2, 4, 8]),
        (64, 32, [1, 8, 32, 64]),
        (128, 32, [1, 8, 32, 128]),
    ],
)
def test_layouts_from_one_run_to_one_for_each_core_are_compared(cores: int, default: int, compared: list[int]) -> None:
    assert sizing.cpu_placement(cores).runs == default
    assert runs_to_compare(cores, default) == compared


def test_each_memory_node_has_a_process_as_in_a_run(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(candidates, "choose_nodes", lambda *_: [0, 1])
    for module in (candidates, sizing):
        monkeypatch.setattr(module, "usable_cores", lambda: 64)
    monkeypatch.setattr(sizing, "usable_memory", lambda: Memory(10**12, limited=False))
    compared = layouts(SPEED.model)
    assert [(it.runs, it.threads) for it in compared] == [(64, 1), (2, 32), (8, 8), (16, 4)]
    assert [placement.node for placement in compared[0].placements] == [0, 1]


def test_those_that_fit_into_memory_together_take_turns() -> None:
    each = Candidate(SPEED.model, (Placement(1),))
    assert [len(group) for group in groups([each] * 3, 2 * each.needed_memory)] == [2, 1]
    assert [len(group) for group in groups([each] * 2, 0)] == [1, 1]


def test_a_model_is_measured_in_each_precision_that_it_has(published: Path, tmp_path: Path) -> None:
    shutil.copytree(published.parent, tmp_path / "both")
    shutil.copy(NANO / "model_quant.onnx", tmp_path / "both")
    assert [it.precision for it in models_by_precision(str(tmp_path / "both"))] == ["float32", "int8"]
    assert [it.precision for it in models_by_precision(str(NANO))] == ["int8"]


def test_a_model_for_npus_alone_cannot_be_measured(tmp_path: Path) -> None:
    for name in ("tokens.txt", "nano_6s_Ascend310P3.om"):
        (tmp_path / name).touch()
    with pytest.raises(ModelError, match="no weights for a CPU, but --speed measures the CPU"):
        models_by_precision(str(tmp_path))


def test_sound_like_speech_is_the_same_at_every_call() -> None:
    assert (sound.like_speech(2) == sound.like_speech(2)).all()
    assert 0.1 < abs(sound.like_speech(2)).max() < 1


def test_the_fastest_layout_is_the_best_and_the_front_end_takes_its_share() -> None:
    verdict = judge(SPEED)
    assert verdict.best is SLOW
    assert verdict.times_real_time == pytest.approx(1 / (1 / 10 + 0.004 / 2))
    assert verdict.limit == "model"
    assert verdict.model_share == pytest.approx(0.98, abs=0.001)
    assert verdict.config == {}
    assert verdict.advice == ()
    assert "nothing to set: the defaults are best" in speed_as_text(SPEED)


def test_of_layouts_that_are_as_fast_the_one_with_the_fewest_runs_is_the_best() -> None:
    other = replace(SLOW, runs=1, threads=2, times_real_time=9.8)
    speed = replace(SPEED, candidates=(SLOW, other))
    assert judge(speed).best is other
    assert judge(speed).config == {"cpu_runs": 1}
    assert "cpu_runs: 1   (or --cpu-runs 1)" in speed_as_text(speed)


@pytest.mark.parametrize(("times", "said"), [(21.0, "int8 is 2.1 × as fast"), (9.0, "int8 is not faster")])
def test_precision_is_advised_and_never_chosen(times: float, said: str) -> None:
    small = replace(SLOW, precision="int8", device="cpu (int8)", times_real_time=times)
    verdict = judge(replace(SPEED, candidates=(*SPEED.candidates, small)))
    assert verdict.best is SLOW
    assert verdict.config == {}
    assert verdict.advice[0].startswith(said)


def test_without_fast_8_bit_products_int8_gains_little(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "cpuinfo").write_text("Features\t: fp asimd asimddp\n")
    monkeypatch.setattr(processor, "CPUINFO", tmp_path / "cpuinfo")
    monkeypatch.setattr("platform.machine", lambda: "aarch64")
    small = replace(SLOW, precision="int8", times_real_time=12.0)
    verdict = judge(replace(SPEED, candidates=(*SPEED.candidates, small)))
    assert "for fast 8-bit products: has asimddp; no i8mm" in verdict.advice[1]


@pytest.mark.parametrize(
    ("changed", "limit", "said"),
    [
        ({"front_end": 0.5}, "front end", "limit          the front end"),
        ({"workers": 1, "front_end": 0.15, "cores": 64}, "front end", "limit          the front end"),
        ({"nodes": 2}, "memory", "not enough memory for one process on each"),
        ({"load": 1e6}, "model", "by CPU time, a run with all cores to itself reaches at most 10.1 × real time"),
        ({"cores": 4}, "model", "keep only 1.9 of 4 cores busy"),
    ],
)
def test_what_limits_a_run_is_said(changed: dict[str, float], limit: str, said: str) -> None:
    speed = replace(SPEED, **changed)  # type: ignore[arg-type]
    assert judge(speed).limit == limit
    assert said in speed_as_text(speed)


def test_json_holds_what_the_text_says_and_null_for_what_was_not_measured() -> None:
    lost = Measured("float32", 1, 2, 1, error="the process was lost (killed by SIGKILL)")
    report = json.loads(speed_as_json(replace(SPEED, candidates=(SLOW, lost))))
    assert report["hours_per_day"] == 235.3
    assert report["front_end"] == {"times_real_time": 250.0, "cpu_seconds_per_hour": 14.4}
    assert report["best"]["times_real_time"] == 10.0
    assert [it["default"] for it in report["candidates"]] == [True, False]
    assert report["candidates"][1]["times_real_time"] is None
    assert report["candidates"][1]["error"] == lost.error
    assert "not measured: the process was lost" in speed_as_text(replace(SPEED, candidates=(SLOW, lost)))


def test_every_field_of_the_json_is_described() -> None:
    report = json.loads(speed_as_json(SPEED))
    assert described("field of `--json`") == set(report)
    assert described("field of a candidate") == set(report["candidates"][0])
    assert set(report["candidates"][0]) == {*report["best"], "default"}


def described(head: str) -> set[str]:
    return {name for row in rows("processes.md", head) for name in re.findall("`(.+?)`", row[0])}


def test_each_precision_and_layout_is_run(quick: None, doctor: Doctor, published: Path, tmp_path: Path) -> None:
    shutil.copytree(published.parent, tmp_path / "both")
    shutil.copy(NANO / "model_quant.onnx", tmp_path / "both")
    report = json.loads(doctor("--speed", "--json", "--model", str(tmp_path / "both")).stdout)
    runs = runs_to_compare(report["cores"], sizing.cpu_placement(report["cores"]).runs)
    found = [(it["precision"], it["runs"]) for it in report["candidates"]]
    assert sorted(found) == [(precision, count) for precision in ("float32", "int8") for count in runs]
    assert all(it["device"].startswith(f"cpu ({it['precision']}") for it in report["candidates"])
    assert all(it["times_real_time"] > 0 and it["peak_memory_bytes"] > 10_000_000 for it in report["candidates"])
    assert report["best"]["precision"] == "float32"
    assert report["front_end"]["cpu_seconds_per_hour"] > 0


def test_a_recording_of_ones_own_is_what_is_run(quick: None, doctor: Doctor, sample: Path) -> None:
    result = doctor("--speed", "--model", str(NANO), str(sample))
    assert f"{sample}, windows of up to 8 s" in result.stdout
    assert "hours of speech per day" in result.stdout


def test_a_recording_without_speed_is_refused(run: Run, sample: Path) -> None:
    done = run("doctor", sample)
    assert done.returncode == 2
    assert "a recording is only used with --speed" in done.stderr


@pytest.mark.parametrize("options", [["--speed"], []])
def test_a_model_that_is_not_here_is_named_with_the_command_that_brings_it(run: Run, options: list[str]) -> None:
    done = run("doctor", *options, "--model", "sensevoice-small")
    assert done.returncode == 4
    assert "models pull sensevoice-small" in done.stderr


def test_a_model_in_the_store_is_known_by_its_name(doctor: Doctor, model: Path) -> None:
    result = doctor("--model", model.name)
    assert f"sensevoice in {model}" in line(result, "chosen")


def test_a_folder_that_is_not_there_is_an_error_as_ever(run: Run) -> None:
    done = run("doctor", "--model", "nowhere")
    assert done.returncode == 2
    assert "Invalid value for '--model': Path 'nowhere' does not exist." in done.stderr
