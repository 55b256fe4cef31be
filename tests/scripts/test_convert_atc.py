"""scripts/convert_atc.sh does in a shell what `funasr-cli convert` does, and records it in the same place."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from funasr_cli.errors import DeviceError, UsageError
from funasr_cli.executors.ascend.toolkit import ask_soc
from funasr_cli.export import atc
from funasr_cli.files import sha256_of
from funasr_cli.models.model_yaml import OMS, read_model_yaml, verify_model_yaml
from tests.conftest import ROOT
from tests.simulator.cann_tree import write_cann
from tests.simulator.npu_smi import ONE_910B4_1, TWO_310P3, recorded, write_npu_smi
from tests.support.boards import NO_SOC, SOCS, write_machine

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def folder(frozen: Path, tmp_path: Path) -> Path:
    """A copy of the model."""
    return Path(shutil.copytree(frozen, tmp_path / "nano"))


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the script on a machine that has CANN in the home folder, but not on the PATH."""
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
    account = read_model_yaml(folder)
    assert account is not None
    assert account[OMS][om.name] == {
        "soc": "Ascend310P3",
        "precision": "allow_mix_precision",
        "made_from": {"file": "model_6s_top5.onnx", "sha256": account["sha256"]["model_6s_top5.onnx"]},
        "atc": "7.6.0.1.220",
        "cann": "8.0.0",
        "sha256": sha256_of(om),
    }
    verify_model_yaml(folder, {om.name: sha256_of(om)})


def test_both_ways_agree_in_what_they_write(
    folder: Path, run: Run, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    atc.convert(planned(folder, "Ascend310P3"), lambda _: None)
    first = read_model_yaml(folder)
    for soc in ("Ascend910B2", "Ascend310P3"):  # the second replaces the first: in YAML the last one counts
        assert run(folder, "--soc", soc).returncode == 0
    assert first is not None
    account = read_model_yaml(folder)
    assert account is not None
    assert set(account[OMS]) == {"nano_6s_Ascend310P3.om", "nano_6s_Ascend910B2.om"}
    assert account[OMS]["nano_6s_Ascend310P3.om"] == first[OMS]["nano_6s_Ascend310P3.om"]


def test_npu_smi_is_asked_for_the_soc(folder: Path, run: Run, tmp_path: Path) -> None:
    path = f"{tmp_path / 'smi'}{os.pathsep}/usr/bin:/bin"
    for table, soc in ((TWO_310P3, "Ascend310P3"), (ONE_910B4_1, "Ascend910B4-1")):
        write_npu_smi(tmp_path / "smi", table)
        done = run(folder, "--dry-run", path=path)
        assert done.stdout == planned(folder, soc).text + "\n"


def asked(folder: Path, run: Run, smi: Path, monkeypatch: pytest.MonkeyPatch) -> list[str | None]:
    """The SoC of this machine according to the script and to the program; None if not found."""
    monkeypatch.setenv("PATH", f"{smi}{os.pathsep}/usr/bin:/bin")
    done = run(folder, "--dry-run", path=f"{smi}{os.pathsep}/usr/bin:/bin")
    found = re.search(r"--soc_version=(\S+)", done.stdout)
    assert bool(found) == (done.returncode == 0)
    assert found or "npu-smi does not report a single SoC" in done.stderr
    try:
        return [found and found[1], ask_soc()]
    except DeviceError:
        return [found and found[1], None]


@pytest.mark.parametrize("name", SOCS)
def test_both_ways_read_the_soc_from_the_same_tables(
    folder: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_machine(tmp_path / "smi", name)
    assert asked(folder, run, tmp_path / "smi", monkeypatch) == [SOCS[name]] * 2


@pytest.mark.parametrize("board", [*NO_SOC, recorded("910b3-board")])
def test_both_ways_read_the_same_boards(
    folder: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: str
) -> None:
    write_machine(tmp_path / "smi", "910_93", board=board)
    soc = None if board in NO_SOC else "Ascend910B3"
    assert asked(folder, run, tmp_path / "smi", monkeypatch) == [soc] * 2


@pytest.mark.parametrize("health", ["OK", "Warning", "Alarm", "Critical", "Offline", "UNKNOWN", "Minor", "NA", "-"])
@pytest.mark.parametrize("row", ["| 1     910B4   | {} | 150.0 |", "| 1 | 910B4 | {} | 150.0  30  0 / 0 |"])
def test_both_ways_know_an_npu_by_a_word_of_health(
    folder: Path, run: Run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, row: str, health: str
) -> None:
    write_npu_smi(tmp_path / "smi", row.format(health) + "\n| 0     | 0000:C1:00.0 | 0  0 / 0 |\n")
    soc = None if health in ("NA", "-") else "Ascend910B4"
    assert asked(folder, run, tmp_path / "smi", monkeypatch) == [soc] * 2


def test_two_kinds_of_npus_are_no_single_soc(folder: Path, run: Run, tmp_path: Path) -> None:
    write_npu_smi(tmp_path / "smi", TWO_310P3 + ONE_910B4_1)
    done = run(folder, "--dry-run", path=f"{tmp_path / 'smi'}{os.pathsep}/usr/bin:/bin")
    assert (done.returncode, done.stdout) == (4, "")
    assert "does not report a single SoC (Ascend310P3 Ascend910B4-1)" in done.stderr


@pytest.mark.parametrize("named", ["310P3", "Ascend310P3", "ascend310P3", "ASCEND310P3"])
def test_a_soc_may_be_named_as_npu_smi_does(folder: Path, run: Run, named: str) -> None:
    text = planned(folder, "Ascend310P3").text
    assert planned(folder, named).text == text
    assert run(folder, "--soc", named, "--dry-run").stdout == text + "\n"


@pytest.mark.parametrize("named", ["", "ascend", "Ascend 310P3", "310P3;x", "../310P3", "-1"])
def test_what_is_no_name_of_a_soc_is_refused(folder: Path, run: Run, named: str) -> None:
    done = run(folder, "--soc", named, "--dry-run")
    assert (done.returncode, done.stdout) == (4, "")
    assert "is not the name of a SoC" in done.stderr
    with pytest.raises(UsageError, match="is not the name of a SoC"):
        planned(folder, named)


@pytest.mark.parametrize("name", ["my model", "a(b)", "a,b", "a+b", "it's", "a:b", "a\nb", "a~b", "a=b", "a&b", "[a]"])
def test_a_path_that_atc_does_not_take_is_refused(folder: Path, run: Run, tmp_path: Path, name: str) -> None:
    odd = folder.rename(tmp_path / name)
    done = run(odd, "--soc", "Ascend310P3", "--dry-run")
    assert (done.returncode, done.stdout) == (4, "")
    assert f"ATC does not accept the path {odd}" in done.stderr
    with pytest.raises(UsageError, match="ATC does not accept the path"):
        planned(odd, "Ascend310P3")


@pytest.mark.parametrize("name", ["nano-15s", "a_b.c", "模型", "modèle"])
def test_a_path_that_atc_takes_is_not(folder: Path, run: Run, tmp_path: Path, name: str) -> None:
    plain = folder.rename(tmp_path / name)
    done = run(plain, "--soc", "Ascend310P3", "--dry-run")
    assert done.stdout == planned(plain, "Ascend310P3").text + "\n"


@pytest.mark.parametrize("note", ["x86_64-linux/ascend_nnrt_install.info", "ascend_nnae_install.info"])
def test_the_version_of_another_package_of_cann_is_noted_too(folder: Path, run: Run, tmp_path: Path, note: str) -> None:
    home = tmp_path / "Ascend/ascend-toolkit/latest"
    (home / "x86_64-linux/ascend_toolkit_install.info").rename(home / note)
    assert run(folder, "--soc", "Ascend310P3").returncode == 0
    assert (read_model_yaml(folder) or {})[OMS]["nano_6s_Ascend310P3.om"]["cann"] == "8.0.0"


def test_another_processor_may_run_it(folder: Path, run: Run) -> None:
    options = ("--soc", "Ascend310P3", "--host-cpu", "aarch64", "--precision", "force_fp16")
    done = run(folder, *options)
    assert done.returncode == 0, done.stderr
    expected = atc.plan(folder, soc="Ascend310P3", precision="force_fp16", host_cpu="aarch64")
    assert done.stdout.splitlines()[0] == expected.text
    assert [path.name for path in folder.glob("*.om")] == ["nano_6s_Ascend310P3.om"]


def test_what_is_wrong_is_said(folder: Path, run: Run, tmp_path: Path) -> None:
    assert "npu-smi was not found; specify the SoC" in run(folder).stderr
    assert "unknown option --sock" in run(folder, "--sock").stderr
    assert "--soc needs a value" in run(folder, "--soc").stderr
    assert "has no model.yaml" in run(tmp_path, "--soc", "Ascend310P3").stderr
    failed = run(folder, "--soc", "Ascend1")
    assert failed.returncode == 4
    assert "E10001: Value [Ascend1] for parameter [--soc_version] is invalid" in failed.stdout
    assert not list(folder.glob("*.om"))
    (folder / "model_6s_top5.onnx").unlink()
    assert "model_6s_top5.onnx is missing" in run(folder, "--soc", "Ascend310P3").stderr
    shutil.rmtree(tmp_path / "Ascend")
    (folder / "model_6s_top5.onnx").touch()
    assert "no CANN in" in run(folder, "--soc", "Ascend310P3").stderr


def test_its_help_is_its_first_lines(run: Run) -> None:
    done = run("--help")
    assert done.returncode == 0
    assert "scripts/convert_atc.sh MODEL_DIR [--soc Ascend310P3]" in done.stdout
    assert "set -e" not in done.stdout
