"""`funasr-cli doctor` on machines with Ascend NPUs: recorded outputs of npu-smi, and the simulated runtime."""

from __future__ import annotations

import json
import os
import shutil
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest
from click.testing import Result

from funasr_cli.doctor import cann, trial
from funasr_cli.doctor.npu import ENDS_ALL
from funasr_cli.executors import selection
from funasr_cli.executors.ascend import device_files
from funasr_cli.executors.ascend.acl import ENVIRONMENT_SCRIPT, NO_MEMORY
from funasr_cli.files import sha256_of
from funasr_cli.models.catalogue import CATALOGUE
from funasr_cli.models.model_yaml import record_om
from funasr_cli.models.store import find_model
from tests.simulator.cann_tree import write_cann
from tests.simulator.fixtures import PYTHON, Npu, compile_om
from tests.simulator.fixtures import npu as npu
from tests.simulator.npu_smi import recorded, write_npu_smi
from tests.support.boards import write_machine
from tests.support.command import Run
from tests.support.doctors import Doctor, line, next_command
from tests.support.doctors import doctor as doctor
from tests.support.doctors import store as store
from tests.support.sysfs import write_sysfs

DRIVER = """\
Version=24.1.0.1
ascendhal_version=7.35.23
Innerversion=V100R001C19SPC002B226
compatible_version=[V100R001C13],[V100R001C15],[V100R001C17],[V100R001C18],[V100R001C19]
compatible_version_fw=[6.4.0,6.4.99],[7.0.0,7.6.99]
package_version=24.1.0.1
"""
FIRMWARE = """\
Version=7.5.0.2.220
firmware_version=1.0
compatible_version_drv=[23.0.rc3,23.0.rc3.],[24.0,24.0.]
"""
CANN = """\
package_name=Ascend-cann-toolkit
version=8.2.0
innerversion=V100R001C22SPC001B212
compatible_version=[V100R001C15],[V100R001C18],[V100R001C19],[V100R001C20],[V100R001C21]
"""
FILES = ("davinci_manager", "devmm_svm", "hisi_hdc")


@dataclass
class Machine:
    """A machine for `doctor` to examine; `folder` has a model with an OM for an Ascend310P3."""

    root: Path
    folder: Path
    doctor: Doctor

    def has(self, *files: str) -> None:
        """Add device files."""
        for name in files:
            (self.root / "dev" / name).touch()

    def notes(self, driver: str = "", firmware: str = "", toolkit: str = "") -> None:
        """Add the notes that installers leave."""
        for name, text in (("driver", driver), ("firmware", firmware)):
            if text:
                (self.root / "usr/local/Ascend" / name).mkdir(parents=True)
                (self.root / "usr/local/Ascend" / name / "version.info").write_text(text)
        if toolkit:
            home = write_cann(self.root / "usr/local/Ascend", "cann-8.2.0", "8.2.0")
            (home / "x86_64-linux/ascend_toolkit_install.info").write_text(toolkit)

    def says(self, table: str) -> None:
        """Set the table that npu-smi prints."""
        write_npu_smi(self.root / "bin", table)

    def examined(self, *more: str) -> Result:
        return self.doctor("--model", str(self.folder), *more)


@pytest.fixture(scope="session")
def compiled(frozen: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The model with an OM for an Ascend310P3."""
    folder = Path(shutil.copytree(frozen, tmp_path_factory.mktemp("compiled") / "nano"))
    shape = "speech:1,100,560;speech_lengths:1;language:1;textnorm:1"
    om = compile_om(folder / "model_6s_top5.onnx", folder / "nano_6s_Ascend310P3.om", shape)
    record_om(folder, om.name, {"made_from": {"file": "model_6s_top5.onnx"}, "sha256": sha256_of(om)})
    return folder


@pytest.fixture
def machine(doctor: Doctor, npu: Npu, compiled: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """A machine with the runtime of an Ascend310P3, and a version of this program that runs the model there."""
    monkeypatch.setattr(cann, "ROOT", tmp_path)
    for name in ("ASCEND_TOOLKIT_HOME", "ASCEND_HOME_PATH", "ASCEND_RT_VISIBLE_DEVICES"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("ASCEND_SEARCH_ROOT", str(tmp_path))
    return Machine(tmp_path, compiled, doctor)


@pytest.fixture
def two_310p3(machine: Machine, npu: Npu) -> Machine:
    """Two complete NPUs on two nodes. One is unhealthy, and one has a process."""
    npu.set(socs=["Ascend310P3", "Ascend310P3"])
    machine.says(recorded("310p3"))
    machine.has("davinci0", "davinci1", *FILES)
    machine.notes(DRIVER, FIRMWARE, CANN)
    write_sysfs(machine.root / "sys", {0: "0-1", 1: "2-3"}, {"0000:01:00.0": 0, "0000:81:00.0": 1})
    return machine


def test_a_host_with_two_310p3_is_ready_and_all_about_it_is_told(two_310p3: Machine) -> None:
    result = two_310p3.examined()
    assert result.exit_code == 0, result.stdout
    assert "used: found davinci0, davinci1" in line(result, "NPU")
    assert "24.1.0.1" in line(result, "driver")
    assert "7.5.0.2.220, fits the driver" in line(result, "firmware")
    assert "8.2.0 (V100R001C22), fits the driver (V100R001C19) by their lists" in line(result, "CANN")
    assert "acl/__init__.py, imported by CPython" in line(result, "acl")
    assert "davinci0, davinci1, davinci_manager, devmm_svm, hisi_hdc" in line(result, "/dev")
    assert (
        "Ascend310P3, health OK, 4,250 of 21,527 MB used, card 0 chip 0, 0000:01:00.0, NUMA node 0; "
        "used by python3.11 (48988, 2,310 MB)"
    ) in line(result, "NPU 0")
    assert "2 nodes: node 0 has 2 cores" in line(result, "NUMA")
    assert "for Ascend310P3: nano/nano_6s_Ascend310P3.om" in line(result, "OMs")
    for number in (0, 1):
        assert "nano_6s_Ascend310P3.om on zeros took" in line(result, f"run on {number}")
    assert next_command(result) == f"funasr-cli transcribe FOLDER --model {two_310p3.folder}"


def test_an_ill_chip_comes_with_the_command_that_tells_what_it_has(two_310p3: Machine) -> None:
    result = two_310p3.examined()
    said = line(result, "NPU 1")
    assert said.startswith("  warning")
    assert "health Alarm" in said
    assert "-> npu-smi info -t health -i 32 -c 0" in said
    assert "reset" not in result.stdout


def test_npus_that_cannot_be_used_are_a_problem_and_the_cpu_is_named_in_passing(
    two_310p3: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_acl(monkeypatch)
    result = two_310p3.examined()
    assert result.exit_code == 4
    said = line(result, "NPU")
    assert said.startswith("  problem")
    assert "CANN's Python module cannot be imported" in said
    assert "found davinci0, davinci1. To run on the CPU, use --device cpu" in said
    assert next_command(result) == cann.INSTALL
    assert said.splitlines()[1].endswith(f"-> {cann.INSTALL}")


def test_a_runtime_that_does_not_see_the_npu_is_a_problem(two_310p3: Machine, npu: Npu) -> None:
    npu.set(socs=[])
    result = two_310p3.examined()
    assert result.exit_code == 4
    assert "the runtime finds no NPU" in line(result, "NPU")
    assert "--device cpu" not in next_command(result)


def test_the_runtimes_count_is_that_of_its_variable(two_310p3: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "1")
    result = two_310p3.examined()
    assert "card 32 chip 0" in line(result, "NPU 0")
    assert "0, by ASCEND_RT_VISIBLE_DEVICES=1" in line(result, "hidden")
    assert "run on 1" not in result.stdout
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "5")
    assert next_command(two_310p3.examined()) == "unset ASCEND_RT_VISIBLE_DEVICES"


def test_one_npu_that_runs_is_enough(two_310p3: Machine, npu: Npu) -> None:
    npu.set(busy=[0])
    result = two_310p3.examined()
    assert result.exit_code == 0, result.stdout
    assert line(result, "run on 0").startswith("  warning")
    assert line(result, "run on 1").startswith("  ok")


def test_a_910b_for_which_nothing_is_compiled_needs_that(machine: Machine, npu: Npu) -> None:
    npu.set(socs=["Ascend910B3", "Ascend910B3"])
    machine.says(recorded("910b3"))
    machine.has("davinci0", "davinci7", *FILES)
    result = machine.examined()
    assert result.exit_code == 4
    assert "60,231 of 65,536 MB used, card 7 chip 0, 0000:42:00.0, NUMA node unknown" in line(result, "NPU 1")
    assert "used by process (29570, 56,293 MB), python (18966, 401 MB)" in line(result, "NPU 1")
    assert "one node, nothing to pin" in line(result, "NUMA")
    assert f"none for Ascend910B3 in {machine.folder}" in line(result, "OMs")
    assert "Ascend910B3 can be opened, but there is no OM to run" in line(result, "run on 0")
    assert next_command(result) == f"funasr-cli convert {machine.folder} --soc Ascend910B3"


def test_a_910_93_is_what_the_runtime_says_it_is(machine: Machine, npu: Npu) -> None:
    npu.set(socs=["Ascend910_9391"] * 2)
    machine.says(recorded("910_93"))
    machine.has("davinci4", "davinci5", *FILES)
    assert next_command(machine.examined()) == f"funasr-cli convert {machine.folder} --soc Ascend910_9391"


def test_a_910_93_is_what_its_board_says_where_there_is_no_runtime(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    without_acl(monkeypatch)
    write_machine(machine.root / "bin", "910_93")
    machine.has("davinci4", "davinci5", *FILES)
    assert f"-> funasr-cli convert {machine.folder} --soc Ascend910_9391" in line(machine.examined(), "OMs")
    write_machine(machine.root / "bin", "910_93", board="")
    assert "--soc Ascend910" not in machine.examined().stdout


def test_a_container_that_was_given_nothing(machine: Machine) -> None:
    write_sysfs(machine.root / "sys", {}, {"0000:01:00.0": 0}, driver=True)
    machine.says(recorded("container-nothing-given"))
    result = machine.examined()
    assert result.exit_code == 4
    assert "on the PCI bus (0000:01:00.0), but /dev has no davinci0, davinci_manager" in line(result, "NPU")
    assert "no davinci here; missing: davinci0, davinci_manager, devmm_svm, hisi_hdc" in line(result, "/dev")
    assert "the driver does not answer" in line(result, "npu-smi")
    assert "run on 0" not in result.stdout
    files = ("davinci0", *FILES)
    assert next_command(result) == f"docker run {' '.join(f'--device /dev/{name}' for name in files)}"


def test_a_container_that_lacks_one_file(machine: Machine) -> None:
    machine.says(recorded("910b4-container"))
    machine.has("davinci5", "davinci_manager", "devmm_svm")
    result = machine.examined()
    assert "davinci5 here; missing: hisi_hdc" in line(result, "/dev")
    assert "used by pytest (485946, 5,175 MB)" in line(result, "NPU 0")


def test_a_container_without_npu_smi_is_judged_by_a_run(machine: Machine) -> None:
    machine.has("davinci3", *FILES)
    result = machine.examined()
    assert result.exit_code == 0, result.stdout
    assert "npu-smi was not found" in line(result, "npu-smi")
    assert line(result, "run on 0").startswith("  ok")


def test_a_container_whose_npu_another_holds(machine: Machine, npu: Npu) -> None:
    npu.set(busy=[0])
    machine.says(recorded("container-taken"))
    machine.has("davinci0", *FILES)
    result = machine.examined()
    assert result.exit_code == 4
    assert "another container uses the NPU" in line(result, "npu-smi")
    assert line(result, "run on 0").startswith("  problem")


def test_an_unknown_form_of_table_is_shown_as_it_is(machine: Machine) -> None:
    machine.says(recorded("unknown"))
    machine.has("davinci0", *FILES)
    result = machine.examined()
    assert "it says: npu-smi 31.0 / Devices: 2 / [0] 310P3" in line(result, "npu-smi")
    assert line(result, "run on 0").startswith("  ok")


def test_hardware_of_which_the_driver_knows_nothing(machine: Machine) -> None:
    write_sysfs(machine.root / "sys", {}, {"0000:01:00.0": 0})
    result = machine.examined()
    assert result.exit_code == 4
    assert "no davinci here" in line(result, "/dev")
    assert "an Ascend NPU is on the PCI bus (0000:01:00.0)" in line(result, "NPU")
    assert f"-> {device_files.DRIVER}" in line(result, "/dev")


def test_a_network_adapter_is_no_npu(machine: Machine) -> None:
    write_sysfs(machine.root / "sys", {}, {})
    assert "/dev" not in machine.examined().stdout


def test_files_that_this_user_may_not_open(machine: Machine, monkeypatch: pytest.MonkeyPatch) -> None:
    machine.has("davinci0", *FILES)
    monkeypatch.setattr(os, "access", lambda path, mode: "davinci0" not in str(path))
    assert "no permission to open davinci0" in line(machine.examined(), "/dev")


@pytest.mark.parametrize(
    ("place", "said", "command"),
    [
        ("acl.so", "which is not on PYTHONPATH", f"source {ENVIRONMENT_SCRIPT}"),
        (None, "not installed", cann.INSTALL),
    ],
)
def test_cann_that_python_does_not_find(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, place: str | None, said: str, command: str
) -> None:
    without_acl(monkeypatch)
    machine.has("davinci0", *FILES)
    if place:
        machine.notes(toolkit=CANN)
        (machine.root / "usr/local/Ascend/cann-8.2.0/python/site-packages" / place).touch()
    result = machine.examined()
    assert result.exit_code == 4
    assert said in line(result, "acl")
    assert "run on 0" not in result.stdout
    assert next_command(result) == command


def without_acl(monkeypatch: pytest.MonkeyPatch) -> None:
    """Hide CANN's module."""
    monkeypatch.setattr(cann, "find_spec", lambda name: None)
    monkeypatch.setattr("sys.path", [folder for folder in sys.path if folder != str(PYTHON)])
    monkeypatch.setenv("PYTHONPATH", "")


def test_a_module_for_another_python_is_told_from_one_that_is_not_there(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    (machine.root / "site").mkdir()
    (machine.root / "site/acl.cpython-27-aarch64-linux-gnu.so").touch()
    monkeypatch.setattr(cann, "find_spec", lambda name: None)
    monkeypatch.syspath_prepend(machine.root / "site")
    machine.has("davinci0", *FILES)
    assert "has acl.cpython-27-aarch64-linux-gnu.so, but not for CPython 3." in line(machine.examined(), "acl")


@pytest.mark.parametrize(
    ("code", "said", "command"),
    [
        (
            "raise ImportError('libascendcl.so: cannot open')",
            "ImportError: libascendcl.so",
            f"source {ENVIRONMENT_SCRIPT}",
        ),
        ("raise ImportError('libascend_hal.so: cannot open')", "ImportError: libascend_hal.so", cann.MOUNT),
        ("import os; os.abort()", "killed by SIGABRT", f"source {ENVIRONMENT_SCRIPT}"),
    ],
)
def test_a_module_that_cannot_be_imported_does_not_take_doctor_with_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, code: str, said: str, command: str
) -> None:
    broken(machine, monkeypatch, code)
    result = machine.examined()
    assert result.exit_code == 4
    assert said in line(result, "acl")
    assert next_command(result) == command


@pytest.mark.parametrize(
    ("code", "said"),
    [
        ("import os; init = os.abort", "the process on the NPU was lost (killed by SIGABRT)"),
        ("import time\ndef init(): time.sleep(60)", "did not finish within 5 s"),
        ("def init(): raise TypeError('no')", "TypeError: no"),
    ],
)
def test_a_run_that_dies_or_hangs_does_not_take_doctor_with_it(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, code: str, said: str
) -> None:
    monkeypatch.setattr(selection, "SURVEY_TIMEOUT_S", 5.0)
    monkeypatch.setattr(trial, "TRIAL_TIMEOUT_S", 5.0)
    machine.says(recorded("310p3-duo"))
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "0")
    broken(machine, monkeypatch, code)
    result = machine.examined()
    assert result.exit_code == 4
    assert said in line(result, "run on 0")
    hangs = "did not finish" in said
    assert next_command(result) == (f"npu-smi set -t reset -i 1 -c 0   ({ENDS_ALL})" if hangs else "npu-smi info")


def broken(machine: Machine, monkeypatch: pytest.MonkeyPatch, code: str) -> None:
    """Replace the runtime by one with this code, in a recent version."""
    machine.has("davinci0", *FILES)
    (machine.root / "site/acl").mkdir(parents=True)
    (machine.root / "site/acl/__init__.py").write_text(f"class rt: synchronize_stream_with_timeout = print\n{code}")
    monkeypatch.syspath_prepend(machine.root / "site")


@pytest.mark.parametrize(("fault", "stuck"), [("hang", True), (507011, True), (NO_MEMORY[0], False)])
def test_a_device_that_fails_a_run(
    machine: Machine, npu: Npu, monkeypatch: pytest.MonkeyPatch, fault: str | int, stuck: bool
) -> None:
    monkeypatch.setattr(trial, "TRIAL_TIMEOUT_S", 8.0)
    npu.set(faults={"1": fault})
    machine.says(recorded("310p3-container"))
    machine.has("davinci0", *FILES)
    result = machine.examined()
    assert result.exit_code == 4
    assert line(result, "run on 0").startswith("  problem")
    assert next_command(result) == (f"npu-smi set -t reset -i 0 -c 0   ({ENDS_ALL})" if stuck else "npu-smi info")


def test_a_chip_that_others_hold_is_not_reset_at_once(
    two_310p3: Machine, npu: Npu, monkeypatch: pytest.MonkeyPatch
) -> None:
    npu.set(faults={"1": 507011})
    monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", "0")
    result = two_310p3.examined()
    assert result.exit_code == 4
    assert next_command(result) == (
        f"npu-smi info   (other processes use it; when they are done: npu-smi set -t reset -i 0 -c 0, {ENDS_ALL})"
    )


@pytest.mark.parametrize(
    ("driver", "firmware", "said", "verdict"),
    [
        ("", "", "not checked: no version.info", "ok"),
        ("Version=24.1.rc2\n", "Version=7.2.0.1\n", "is unknown: neither lists the other", "ok"),
        ("Version=24.1.rc2\ncompatible_version_fw=[7.0.0,7.2.99]\n", "Version=7.2.0.1.220\n", "fits", "ok"),
        ("Version=24.1.rc2\ncompatible_version_fw=[7.0.0,7.2.99]\n", "Version=7.3.0.1\n", "does not fit", "warning"),
        ("Version=24.1.rc2\n", "Version=7.3.0.1\ncompatible_version_drv=[24.0,24.0.],[24.1,24.1.]\n", "fits", "ok"),
        ("Version=23.0.5\n", "Version=7.3\ncompatible_version_drv=[23.0.rc3,23.0.rc3.]\n", "does not fit", "warning"),
        ("Version=23.0.rc3.6\n", "Version=7.3\ncompatible_version_drv=[23.0.rc3,23.0.rc3.]\n", "fits", "ok"),
    ],
)
def test_firmware_fits_a_driver_where_either_lists_the_other(
    machine: Machine, driver: str, firmware: str, said: str, verdict: str
) -> None:
    machine.notes(driver, firmware)
    checks = {check.name: check for check in cann.release_checks()}
    assert said in checks["firmware"].text
    assert checks["firmware"].verdict == verdict
    assert checks["driver"].verdict == ("ok" if driver else "warning")


@pytest.mark.parametrize(
    ("driver", "toolkit", "said", "verdict"),
    [
        (DRIVER, CANN, "8.2.0 (V100R001C22), fits the driver (V100R001C19)", "ok"),
        (DRIVER.replace("C19SPC", "C13SPC"), CANN, "neither it (V100R001C22) nor the driver (V100R001C13)", "warning"),
        (DRIVER, "version=9.1.0\ninnerversion=V100R001C19SPC1\n", "9.1.0 (V100R001C19), fits the driver", "ok"),
        (DRIVER, "version=9.1.0\n", "9.1.0; compatibility with the driver is unknown", "ok"),
        ("", CANN, "8.2.0; compatibility with the driver is unknown", "ok"),
        (DRIVER, "", "not found: ascend_env: no CANN in", "warning"),
    ],
)
def test_cann_fits_a_driver_as_far_as_their_notes_say(
    machine: Machine, driver: str, toolkit: str, said: str, verdict: str
) -> None:
    machine.notes(driver, "", toolkit)
    checks = {check.name: check for check in cann.release_checks()}
    assert said in checks["CANN"].text
    assert checks["CANN"].verdict == verdict


def test_a_container_that_was_given_nothing_of_its_hosts_npu_runs_on_the_cpu_with_a_warning(machine: Machine) -> None:
    write_sysfs(machine.root / "sys", {}, {"0000:01:00.0": 0}, driver=True)
    result = machine.examined()
    assert result.exit_code == 0, result.stdout
    said = line(result, "NPU")
    assert said.startswith("  warning")
    assert "on the PCI bus (0000:01:00.0), but this container has no access to it: /dev has no davinci0" in said
    assert "-> docker run --device /dev/davinci0" in said
    assert line(result, "/dev").startswith("  warning")
    assert next_command(result) == f"funasr-cli transcribe FOLDER --model {machine.folder}"


def test_a_model_in_the_store_that_is_compiled_is_taken_and_named(
    two_310p3: Machine, store: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("funasr_cli.doctor.models.is_installed", lambda entry: True)
    folder = Path(shutil.copytree(two_310p3.folder, store / "my nano"))
    result = two_310p3.doctor()
    assert result.exit_code == 0, result.stdout
    said = line(result, "default")
    assert said.startswith("  warning")
    assert "whisper-base is not compiled for an NPU; the chosen one is" in said
    assert f"sensevoice in {folder}" in line(result, "chosen")
    assert next_command(result) == f"funasr-cli transcribe FOLDER --model '{folder}'"
    assert find_model(str(folder), soc="Ascend310P3").weights.name == "nano_6s_Ascend310P3.om"  # as the command does


@pytest.mark.parametrize("name", ["sensevoice-small-int8", "half"])
def test_an_om_that_a_run_could_not_be_told_to_take_does_not_count(
    two_310p3: Machine, store: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr("funasr_cli.doctor.models.is_installed", lambda entry: True)
    (store / name).mkdir(parents=True)
    shutil.copy(two_310p3.folder / "nano_6s_Ascend310P3.om", store / name)
    if name in CATALOGUE:
        shutil.copy(two_310p3.folder / "tokens.txt", store / name)
    result = two_310p3.doctor()
    assert result.exit_code == 4
    assert "none for Ascend310P3 in the model store" in line(result, "OMs")


def test_a_default_for_which_nothing_is_compiled_is_not_ready(
    two_310p3: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("funasr_cli.doctor.models.is_installed", lambda entry: True)
    result = two_310p3.doctor()
    assert result.exit_code == 4
    assert next_command(result) == "funasr-cli convert FOLDER --soc Ascend310P3"


def test_a_family_that_does_not_run_on_npus_is_not_ready(two_310p3: Machine) -> None:
    (two_310p3.root / "whisper").mkdir()
    for name in ("config.json", "tokenizer.json", "model.bin"):
        (two_310p3.root / "whisper" / name).touch()
    result = two_310p3.doctor("--model", str(two_310p3.root / "whisper"))
    assert result.exit_code == 4
    assert "whisper models do not run on an NPU. To run on the CPU, use --device cpu" in line(result, "model")
    assert "convert" not in result.stdout
    assert next_command(result) == "funasr-cli doctor"


@pytest.mark.parametrize(
    ("account", "said"),
    [("sha256: {}\n", "model.yaml does not list nano_6s_Ascend310P3.om"), ("[", "not YAML")],
)
def test_an_om_that_a_run_would_refuse_is_not_ready(
    two_310p3: Machine, tmp_path: Path, account: str, said: str
) -> None:
    two_310p3.folder = Path(shutil.copytree(two_310p3.folder, tmp_path / "nano"))
    (two_310p3.folder / "model.yaml").write_text(account)
    result = two_310p3.examined()
    assert result.exit_code == 4
    assert said in line(result, "model")
    assert next_command(result) == f"funasr-cli convert {two_310p3.folder}"


def test_a_folder_without_a_model_is_an_error(run: Run, tmp_path: Path) -> None:
    done = run("doctor", "--model", tmp_path)
    assert done.returncode == 4
    assert "error: " in done.stderr


def test_what_the_runtime_prints_does_not_get_into_the_report(
    machine: Machine, run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.says(recorded("310p3"))
    broken(
        machine,
        monkeypatch,
        "def init(): print('[INFO] hello', flush=True); return 1\ndef get_recent_err_msg(): return ''",
    )
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(machine.root / "site"), os.environ["PYTHONPATH"]]))
    done = run("doctor", "--json", "--model", machine.folder)
    checks = {check["name"]: check for check in json.loads(done.stdout)["sections"]["devices"]}
    assert "acl.init failed with 1" in checks["run on 0"]["text"]
