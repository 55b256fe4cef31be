"""`funasr-cli convert` on the command line."""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from funasr_cli.export.make import from_graph
from tests.conftest import NANO
from tests.simulator.cann_tree import write_atc
from tests.simulator.fixtures import Npu
from tests.simulator.fixtures import npu as npu
from tests.simulator.npu_smi import TWO_310P3, write_npu_smi
from tests.support.command import Run
from tests.support.graphs import write_sensevoice


@pytest.fixture
def environment(frozen: Path, tmp_path: Path) -> dict[str, str]:
    """A machine with npu-smi and atc on the PATH; the model is in the current folder."""
    shutil.copytree(frozen, tmp_path / "nano")
    write_npu_smi(tmp_path / "bin", TWO_310P3)
    write_atc(tmp_path / "bin")
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def test_a_dry_run_prints_the_line_and_makes_nothing(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    before = sorted((tmp_path / "nano").iterdir())
    done = run("convert", "nano", "--gears", "2,4.5,6", "--dry-run", env=environment)
    assert done.returncode == 0, done.stderr
    made, only_then, line = done.stdout.splitlines()
    assert made == "# nano_6s_gears_Ascend310P3.onnx: model.onnx with TopK 5"
    assert only_then.startswith("# That file exists only while funasr-cli convert runs")
    assert line.startswith(
        f"atc --model={tmp_path.resolve()}/nano/nano_6s_gears_Ascend310P3.onnx --framework=5 --output="
    )
    assert "'--dynamic_dims=34;75;100' --soc_version=Ascend310P3" in line
    assert sorted((tmp_path / "nano").iterdir()) == before


@pytest.fixture(scope="module")
def models(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """`nano-6s`, and `sensevoice-15s` with the tensors of the published model in their full sizes."""
    folder = tmp_path_factory.mktemp("models")
    shutil.copytree(frozen, folder / "nano-6s")
    graph = write_sensevoice(folder / "published")
    from_graph(graph, folder / "sensevoice-15s", window=15.0, topk=32, int8=False, tell=lambda _: None)
    return folder


@pytest.mark.parametrize(
    ("model", "graph", "frames"),
    [("nano-6s", "model_6s_top5.onnx", 100), ("sensevoice-15s", "model_15s_top32.onnx", 250)],
)
@pytest.mark.parametrize(
    ("options", "soc", "more"),
    [
        ((), "Ascend310P3", ""),
        (("--soc", "910B2", "--host-cpu", "aarch64"), "Ascend910B2", "--host_env_os=linux --host_env_cpu=aarch64 "),
    ],
)
def test_the_line_of_a_dry_run_can_be_typed(
    run: Run,
    environment: dict[str, str],
    models: Path,
    tmp_path: Path,
    model: str,
    graph: str,
    frames: int,
    options: tuple[str, ...],
    soc: str,
    more: str,
) -> None:
    shutil.copytree(models / model, tmp_path / model)
    dry = run("convert", model, "--dry-run", *options, env=environment)
    folder = tmp_path.resolve() / model
    om = folder / f"{model}_{model.split('-')[1]}_{soc}"
    assert dry.stdout == (
        f"atc --model={folder}/{graph} --framework=5 --output={om} --input_format=ND "
        f"'--input_shape=speech:1,{frames},560;speech_lengths:1;language:1;textnorm:1' --soc_version={soc} "
        f"{more}--precision_mode=allow_mix_precision --log=error\n"
    ), dry.stderr
    typed = subprocess.run(["sh", "-c", dry.stdout], env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert typed.returncode == 0, typed.stdout + typed.stderr
    assert [path.name for path in folder.glob("*.om")] == [f"{om.name}{'_linux_aarch64' if more else ''}.om"]


def test_gears_are_named_as_they_were_asked_for(run: Run, environment: dict[str, str]) -> None:
    for gears, window, frames in (("2,5", "5s", "34;84"), ("10,5", "10s", "84;167"), ("0.5,2.25", "2.25s", "9;38")):
        line = run("convert", "nano", "--gears", gears, "--dry-run", env=environment).stdout.splitlines()[-1]
        assert f"/nano_{window}_gears_Ascend310P3 " in line
        assert f"'--dynamic_dims={frames}'" in line


def test_the_om_lies_in_the_folder(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    done = run("convert", "nano", "--logits", env=environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "compiling for Ascend310P3; this takes minutes" in done.stderr
    assert (tmp_path / "nano" / "nano_6s_logits_Ascend310P3.om").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--soc", "Ascend1"), 4, "E10001"),
        (("--soc", "310 P3"), 2, "'Ascend310 P3' is not the name of a SoC"),
        (("--gears", "x"), 2, "'x' is not a comma-separated list of seconds"),
        (("--gears", "5,0"), 2, "longer than 0 and at most 60 seconds"),
        (("--gears", "5"), 2, "--gears needs two or more lengths"),
        (("--precision", "best"), 2, "'best' is not one of"),
    ],
)
def test_what_is_wrong_is_said(
    run: Run, environment: dict[str, str], arguments: tuple[str, ...], code: int, message: str
) -> None:
    done = run("convert", "nano", *arguments, env=environment)
    assert done.returncode == code
    assert message in done.stderr


def test_a_check_prints_what_it_finds(run: Run, environment: dict[str, str], npu: Npu) -> None:
    environment["PYTHONPATH"] = os.environ["PYTHONPATH"]
    environment["ACL_SIMULATOR"] = os.environ["ACL_SIMULATOR"]
    assert run("convert", "nano", env=environment).returncode == 0
    done = run("convert", "nano", "--check", NANO / "words-without-pauses.flac", env=environment)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("nano_6s_Ascend310P3.om: best label the same in 100.00% of ")
    assert "running up to 20 windows" in done.stderr


def test_a_check_takes_no_options_of_the_compiler(run: Run, environment: dict[str, str]) -> None:
    done = run("convert", "nano", "--check", ".", "--gears", "2,4", "--logits", env=environment)
    assert done.returncode == 2
    assert "--check compiles nothing and cannot be combined with --gears, --topk" in done.stderr
