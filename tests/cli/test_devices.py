"""Which device a run uses; it reports a device that is not the best of the machine."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from funasr_cli.cli import cli
from funasr_cli.errors import DeviceError
from funasr_cli.executors.ascend import device_files
from funasr_cli.system import numa
from tests.conftest import NANO
from tests.support.sysfs import write_sysfs

pytestmark = pytest.mark.process

LACKS = "/dev has no davinci0, davinci_manager, devmm_svm, hisi_hdc"


def transcribe(*options: str) -> Result:
    recording = str(NANO / "words-with-pauses.flac")
    return CliRunner().invoke(cli, ["transcribe", recording, "--model", str(NANO), "-o", *options], obj={})


@pytest.fixture
def sysfs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A machine without device files and npu-smi."""
    (tmp_path / "dev").mkdir()
    monkeypatch.setattr(device_files, "DEV", tmp_path / "dev")
    monkeypatch.setattr(numa, "SYSFS", tmp_path / "sys")
    monkeypatch.setenv("PATH", f"{tmp_path / 'bin'}{os.pathsep}/usr/bin:/bin")
    return tmp_path / "sys"


def test_a_container_that_was_not_given_its_hosts_npu_says_so_even_where_it_is_to_be_silent(
    tmp_path: Path, sysfs: Path
) -> None:
    write_sysfs(sysfs, {}, {"0000:01:00.0": 0}, driver=True)
    why = f"an Ascend NPU is on the PCI bus (0000:01:00.0), but this container has no access to it: {LACKS}"
    done = transcribe("-")
    assert (done.exit_code, done.stderr) == (0, f"device cpu: {why}\n")
    done = transcribe(str(tmp_path / "out"))
    assert done.exit_code == 0, done.stderr
    entry = json.loads((tmp_path / "out/manifest.jsonl").read_text())
    assert entry["device_why"] == why
    assert transcribe("-", "--device", "cpu").stderr == ""


def test_an_npu_that_no_driver_has_ends_the_run(sysfs: Path) -> None:
    write_sysfs(sysfs, {}, {"0000:01:00.0": 0})
    error = transcribe("-").exception
    assert isinstance(error, DeviceError)
    assert error.what == f"an Ascend NPU is on the PCI bus (0000:01:00.0), but {LACKS}"
    assert transcribe("-", "--device", "cpu").exit_code == 0
