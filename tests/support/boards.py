"""Machines on which `npu-smi` shows the board of an NPU, because the table does not name the SoC."""

from __future__ import annotations

from pathlib import Path

from tests.simulator.npu_smi import recorded, write_npu_smi

SOCS = {
    "310p3": "Ascend310P3",
    "310p3-duo": "Ascend310P3",
    "310p3-container": "Ascend310P3",
    "910b3": "Ascend910B3",
    "910b4-container": "Ascend910B4",
    "910_93": "Ascend910_9391",
    "950": "Ascend950DT_9579",
    "container-nothing-given": None,
    "container-taken": None,
    "unknown": None,
}
"""The SoC that models are compiled for, by recorded table."""

ASKED = {"910_93": "-i 2 -c 0", "950": "-i 0"}
"""Options that name the first NPU, by table that only names a series of SoCs."""

NO_SOC = (
    "",
    "Chip Name : Ascend910\n",
    "Chip Name : Ascend910\nNPU Name : NA\n",
    "Chip Name : NA\nNPU Name : 9391\n",
    "This device does not support querying board.\n",
)
"""Boards that do not show the SoC."""


def write_machine(folder: Path, name: str, board: str | None = None) -> None:
    """Write a program `npu-smi` that prints a recorded table, and the board of the first NPU on request.

    `board` replaces the recorded board.
    """
    write_npu_smi(folder, recorded(name))
    if name in ASKED:
        (folder / "board").write_text(recorded(f"{name}-board") if board is None else board, encoding="utf-8")
        program = folder / "npu-smi"
        program.write_text(
            f'#!/bin/sh\ncase "$*" in\n  info) cat "{folder}/table" ;;\n'
            f'  "info -t board {ASKED[name]}") cat "{folder}/board" ;;\n  *) echo "what is $*?"; exit 1 ;;\nesac\n',
            encoding="utf-8",
        )
