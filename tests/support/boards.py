"""Machines whose `npu-smi` tells of the board of an NPU too, where the table does not name the SoC."""

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
"""By recorded table: what models are compiled for."""

ASKED = {"910_93": "-i 2 -c 0", "950": "-i 0"}
"""By table that names a series: the options that name its first NPU."""

NO_SOC = (
    "",
    "Chip Name : Ascend910\n",
    "Chip Name : Ascend910\nNPU Name : NA\n",
    "Chip Name : NA\nNPU Name : 9391\n",
    "This device does not support querying board.\n",
)
"""Boards that do not tell it."""


def write_machine(folder: Path, name: str, board: str | None = None) -> None:
    """A program `npu-smi` that prints a recorded table and, asked for its first NPU, the board that goes with it.

    `board` is what is printed instead.
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
