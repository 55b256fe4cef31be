"""Output of npu-smi in the layouts of its releases and chips: the NPUs, and the processes that use them."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from funasr_cli.errors import DeviceError
from funasr_cli.executors.ascend import npu_smi
from funasr_cli.executors.ascend.npu_smi import Chip, Process, read_table, soc_name, soc_of, visible
from tests.simulator.npu_smi import recorded, write_npu_smi
from tests.support.boards import NO_SOC, SOCS, write_machine

CHIPS = {
    "310p3": [
        Chip(0, 0, 0, "Ascend310P3", "OK", "0000:01:00.0", 4250, 21527, (Process(48988, "python3.11", 2310),)),
        Chip(32, 0, 1, "Ascend310P3", "Alarm", "0000:81:00.0", 1846, 21527),
    ],
    "310p3-duo": [
        Chip(1, 0, 0, "Ascend310P3", "OK", "0000:01:00.0", 1448, 44278),
        Chip(1, 1, 1, "Ascend310P3", "OK", "0000:01:00.0", 1511, 43693, (Process(3201, "funasr-device", 640),)),
    ],
    "910b3": [
        Chip(0, 0, 0, "Ascend910B3", "OK", "0000:c1:00.0", 3405, 65536),
        Chip(
            7, 0, 7, "Ascend910B3", "OK", "0000:42:00.0", 60231, 65536,
            (Process(29570, "", 56293), Process(18966, "python", 401)),
        ),
    ],
    "910_93": [
        Chip(2, 0, 4, "Ascend910", "OK", "0000:95:00.0", 3143, 65536, series=True),
        Chip(2, 1, 5, "Ascend910", "Warning", "0000:97:00.0", 2887, 65536, series=True),
    ],
    "950": [
        Chip(0, None, 0, "Ascend950DT", "OK", None, 1024, 98304, series=True),
        Chip(3, None, 3, "Ascend950DT", "Critical", None, 2048, 98304, (Process(1001, "python", 256),), series=True),
    ],
    "910b4-container": [
        Chip(5, 0, 5, "Ascend910B4", "OK", "0000:c1:00.0", 2871, 32768, (Process(485946, "pytest", 5175),)),
    ],
    "310p3-container": [Chip(0, 0, 0, "Ascend310P3", "OK", None, 3398, 11578)],
    "container-nothing-given": [],
    "container-taken": [],
    "unknown": [],
}  # fmt: skip


@pytest.mark.parametrize("name", CHIPS)
def test_every_layout_is_read(name: str) -> None:
    assert list(read_table(recorded(name))) == CHIPS[name]


@pytest.mark.parametrize("name", CHIPS)
def test_a_table_that_is_cut_off_anywhere_is_read_as_far_as_it_goes(name: str) -> None:
    text = recorded(name)
    for end in range(0, len(text), 7):
        assert len(read_table(text[:end])) <= len(CHIPS[name])


def test_a_chip_whose_second_row_is_missing_is_there_all_the_same() -> None:
    assert read_table("| 1     910B4   | Offline | 150.0 |\n| 2     910B4   | OK  | 150.0 |\n") == (
        Chip(1, None, 1, "Ascend910B4", "Offline"),
        Chip(2, None, 2, "Ascend910B4", "OK"),
    )


def test_memory_of_which_the_use_is_not_told() -> None:
    rows = "| 0  310B4  | OK  | 8.0  55  15 / 15 |\n| 0  0  | NA  | 0  NA / 3513 |\n"
    assert read_table(rows) == (Chip(0, 0, 0, "Ascend310B4", "OK", None, None, 3513),)


@pytest.mark.parametrize(
    ("variable", "numbers"), [(None, [0, 7]), ("1", [7]), ("1,0", [7, 0]), ("0,5,1", [0]), ("", []), ("x", [])]
)
def test_the_runtime_counts_as_its_variable_has_it(
    monkeypatch: pytest.MonkeyPatch, variable: str | None, numbers: list[int]
) -> None:
    monkeypatch.delenv("ASCEND_RT_VISIBLE_DEVICES", raising=False)
    if variable is not None:
        monkeypatch.setenv("ASCEND_RT_VISIBLE_DEVICES", variable)
    assert [chip.device for chip in visible(read_table(recorded("910b3")))] == numbers


def test_the_commands_for_a_chip_name_its_card() -> None:
    ill, without_chips = read_table(recorded("310p3"))[1], read_table(recorded("950"))[1]
    assert ill.reset == "npu-smi set -t reset -i 32 -c 0"
    assert ill.health_details == "npu-smi info -t health -i 32 -c 0"
    assert without_chips.reset == "npu-smi set -t reset -i 3"


@pytest.mark.parametrize(
    ("name", "soc"),
    [
        ("310P3", "Ascend310P3"),
        ("Ascend310P3", "Ascend310P3"),
        ("ascend310P3", "Ascend310P3"),
        ("910B4-1", "Ascend910B4-1"),
        ("910_9391", "Ascend910_9391"),
        ("Ascend310P3vir01", "Ascend310P3vir01"),
    ],
)
def test_a_soc_may_be_named_as_tables_do(name: str, soc: str) -> None:
    assert soc_name(name) == soc


@pytest.mark.parametrize("name", [name for name in CHIPS if CHIPS[name]])
def test_what_models_are_compiled_for_is_asked_of_the_board_where_the_table_names_a_series(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    write_machine(tmp_path, name)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert soc_of(npu_smi.ask()[0]) == SOCS[name]


def test_a_board_may_name_the_soc_itself(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write_machine(tmp_path, "910_93", board=recorded("910b3-board"))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    assert soc_of(npu_smi.ask()[0]) == "Ascend910B3"


@pytest.mark.parametrize("board", NO_SOC)
def test_a_series_is_not_taken_for_a_soc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, board: str) -> None:
    write_machine(tmp_path, "910_93", board=board)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(DeviceError, match="Ascend910 is a series of SoCs, and `npu-smi info -t board -i 2 -c 0`"):
        soc_of(npu_smi.ask()[0])


@pytest.mark.parametrize(
    ("name", "meaning", "lines"),
    [
        ("container-nothing-given", "the driver does not answer", "failed. ret is -8005"),
        ("container-taken", "another container uses the NPU", "ret is -8020"),
        ("unknown", "in a known format", "npu-smi 31.0 / Devices: 2 / [0] 310P3"),
    ],
)
def test_what_is_no_table_is_told_with_what_it_means(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, meaning: str, lines: str
) -> None:
    write_npu_smi(tmp_path, recorded(name))
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)
    with pytest.raises(DeviceError) as raised:
        npu_smi.ask()
    assert meaning in raised.value.what
    assert lines in raised.value.what
    assert raised.value.hint


@pytest.mark.parametrize(
    ("script", "said"),
    [
        ("#!/bin/sh\nexit 3\n", "it says nothing and exits with code 3"),
        ("#!/bin/sh\necho 'libdrvdsmi_host.so: cannot open shared object file' >&2\nexit 127\n", "driver's libraries"),
        ("#!/bin/sh\nexec sleep 30\n", "did not finish within"),
        ("not a program", "cannot be run"),
    ],
)
def test_a_tool_that_does_not_work_is_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, script: str, said: str
) -> None:
    (tmp_path / "npu-smi").write_text(script)
    (tmp_path / "npu-smi").chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    monkeypatch.setattr(npu_smi, "NPU_SMI_TIMEOUT_S", 0.5)
    with pytest.raises(DeviceError, match=said):
        npu_smi.ask()
