"""scripts/convert_atc.sh does with a shell what `funasr-cli convert` does, and accounts for it in the same place."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from funasr_cli.export import atc
from funasr_cli.files import sha256_of
from funasr_cli.models.account import OMS, read_account, verify_account
from tests.ascend_simulator.cann_tree import write_cann
from tests.ascend_simulator.npu_smi import ONE_910B4_1, TWO_310P3, write_npu_smi
from tests.conftest import ROOT

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(frozen: Path, tmp_path: Path) -> Path:
    """A copy of the model."""
    return Path(shutil.copytree(frozen, tmp_path / "nano"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the script on a machine that has CANN in the home folder, and none of it on the PATH."""
    write_cann(tmp_path / "Ascend", "ascend-toolkit", "8.0.0")

    def run(*arguments: str | Path, path: str = "/usr/bin:/bin") -> subprocess.CompletedProcess[str]:
        command = ["bash", str(ROOT / "scripts" / "convert_atc.sh"), *map(str, arguments)]
        environment = {"HOME": str(tmp_path), "ASCEND_SEARCH_ROOT": str(tmp_path / "nothing"), "PATH": path}
        return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)

    return run


def planned(folder: Path, soc: str) -> atc.Conversion:
    return atc.plan(folder, soc=soc, precision="allow_mix_precision")


def test_the_om_is_made_and_accounted_for(folder: Path, run: Run) -> None:
    expected = planned(folder, "Ascend310P3")
    done = run(folder, "--soc", "Ascend310P3")
    assert done.returncode == 0, done.stderr
    assert done.stdout.splitlines()[0] == expected.text
    om = folder / "nano_6s_Ascend310P3.om"
    assert om == expected.target
    account = read_account(folder)
    assert account is not None
    assert account[OMS][om.name] == {
        "soc": "Ascend310P3",
        "precision": "allow_mix_precision",
        "made_from": {"file": "model_6s_top5.onnx", "sha256": account["sha256"]["model_6s_top5.onnx"]},
        "atc": "7.6.0.1.220",
        "cann": "8.0.0",
        "sha256": sha256_of(om),
    }
    verify_account(folder, {om.name: sha256_of(om)})


def test_both_ways_agree_in_what_they_write(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    atc.convert(planned(folder, "Ascend310P3"), lambda _: None)
    first = read_account(folder)
    for soc in ("Ascend910B2", "Ascend310P3"):  # the second in place of the first, as YAML has it: the last one counts
        assert run(folder, "--soc", soc).returncode == 0
    assert first is not None
    account = read_account(folder)
    assert account is not None
    assert set(account[OMS]) == {"nano_6s_Ascend310P3.om", "nano_6s_Ascend910B2.om"}
    assert account[OMS]["nano_6s_Ascend310P3.om"] == first[OMS]["nano_6s_Ascend310P3.om"]


def test_npu_smi_is_asked_for_the_soc(folder: Path, run: Run, tmp_path: Path) -> None:
    path = f"{tmp_path / 'smi'}{os.pathsep}/usr/bin:/bin"
    for table, soc in ((TWO_310P3, "Ascend310P3"), (ONE_910B4_1, "Ascend910B4-1")):
        write_npu_smi(tmp_path / "smi", table)
        done = run(folder, "--dry-run", path=path)
        assert done.stdout == planned(folder, soc).text + "\n"


def test_another_processor_may_run_it(folder: Path, run: Run) -> None:
    options = ("--soc", "Ascend310P3", "--host-cpu", "aarch64", "--precision", "force_fp16")
    done = run(folder, *options)
    assert done.returncode == 0, done.stderr
    expected = atc.plan(folder, soc="Ascend310P3", precision="force_fp16", host_cpu="aarch64")
    assert done.stdout.splitlines()[0] == expected.text
    assert [path.name for path in folder.glob("*.om")] == ["nano_6s_Ascend310P3.om"]


def test_what_is_wrong_is_said(folder: Path, run: Run, tmp_path: Path) -> None:
    assert "npu-smi is not here to name the SoC" in run(folder).stderr
    assert "unknown option --sock" in run(folder, "--sock").stderr
    assert "--soc needs a value" in run(folder, "--soc").stderr
    assert "has no model.yaml" in run(tmp_path, "--soc", "Ascend310P3").stderr
    failed = run(folder, "--soc", "Ascend1")
    assert failed.returncode == 4
    assert "E10001: Value [Ascend1] for parameter [--soc_version] is invalid" in failed.stdout
    assert not list(folder.glob("*.om"))
    (folder / "model_6s_top5.onnx").unlink()
    assert "model_6s_top5.onnx is not there" in run(folder, "--soc", "Ascend310P3").stderr
    shutil.rmtree(tmp_path / "Ascend")
    (folder / "model_6s_top5.onnx").touch()
    assert "no CANN in" in run(folder, "--soc", "Ascend310P3").stderr


def test_its_help_is_its_first_lines(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "scripts/convert_atc.sh MODEL_DIR [--soc Ascend310P3]" in done.stdout
    assert "set -e" not in done.stdout
