"""`funasr-cli convert` as a user types it."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from tests.ascend_simulator.cann_tree import write_atc
from tests.ascend_simulator.fixtures import Npu
from tests.ascend_simulator.fixtures import npu as npu
from tests.ascend_simulator.npu_smi import TWO_310P3, write_npu_smi
from tests.cli.conftest import Run
from tests.conftest import NANO


@pytest.fixture
def environment(frozen: Path, tmp_path: Path) -> dict[str, str]:
    """A machine with npu-smi and atc on the PATH; the model is in its working folder."""
    shutil.copytree(frozen, tmp_path / "nano")
    write_npu_smi(tmp_path / "bin", TWO_310P3)
    write_atc(tmp_path / "bin")
    return {**os.environ, "PATH": f"{tmp_path / 'bin'}{os.pathsep}{os.environ['PATH']}"}


def test_a_dry_run_prints_the_line_and_makes_nothing(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    before = sorted((tmp_path / "nano").iterdir())
    done = run("convert", "nano", "--gears", "2,4.5,6", "--dry-run", env=environment)
    assert done.returncode == 0, done.stderr
    comment, line = done.stdout.splitlines()
    assert comment == "# nano_6s_gears_Ascend310P3.onnx: model.onnx with TopK 5"
    assert line.startswith(
        f"atc --model={tmp_path.resolve()}/nano/nano_6s_gears_Ascend310P3.onnx --framework=5 --output="
    )
    assert "'--dynamic_dims=34;75;100' --soc_version=Ascend310P3" in line
    assert sorted((tmp_path / "nano").iterdir()) == before


def test_the_om_lies_in_the_folder(run: Run, environment: dict[str, str], tmp_path: Path) -> None:
    done = run("convert", "nano", "--logits", env=environment)
    assert (done.returncode, done.stdout) == (0, ""), done.stderr
    assert "compiling for Ascend310P3, which takes minutes" in done.stderr
    assert (tmp_path / "nano" / "nano_6s_logits_Ascend310P3.om").is_file()


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--soc", "Ascend1"), 4, "E10001"),
        (("--gears", "x"), 2, "'x' are no seconds with commas between"),
        (("--gears", "5,0"), 2, "longer than 0 and at most 60 seconds"),
        (("--gears", "5"), 2, "one gear is none"),
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
    assert "--check compiles nothing, and takes no --gears, --topk" in done.stderr
