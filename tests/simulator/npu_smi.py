"""Tables of `npu-smi info`, in the formats of its versions, and a program that prints one."""

from __future__ import annotations

from pathlib import Path

TWO_310P3 = """\
+--------------------------------------------------------------------------------------------------------+
| npu-smi 23.0.rc3                                 Version: 23.0.rc3                                     |
+-------------------------------+-----------------+------------------------------------------------------+
| NPU     Name                  | Health          | Power(W)     Temp(C)           Hugepages-Usage(page) |
| Chip    Device                | Bus-Id          | AICore(%)    Memory-Usage(MB)                        |
+===============================+=================+======================================================+
| 0       310P3                 | OK              | NA           51                996   / 996           |
| 0       0                     | 0000:01:00.0    | 0            3841 / 21527                            |
+===============================+=================+======================================================+
| 64      310P3                 | Warning         | NA           48                0     / 0             |
| 0       1                     | 0000:06:00.0    | 0            1764 / 21527                            |
+===============================+=================+======================================================+
"""

ONE_910B4_1 = """\
+------------------------------------------------------------------------------------------------+
| npu-smi 24.1.rc2                 Version: 24.1.rc2                                             |
+---------------------------+---------------+----------------------------------------------------+
| NPU   Name                | Health        | Power(W)    Temp(C)           Hugepages-Usage(page)|
| Chip                      | Bus-Id        | AICore(%)   Memory-Usage(MB)  HBM-Usage(MB)        |
+===========================+===============+====================================================+
| 3     910B4-1             | OK            | 92.1        50                0    / 0             |
| 0                         | 0000:C1:00.0  | 0           0    / 0          3401 / 65536         |
+===========================+===============+====================================================+
+---------------------------+---------------+----------------------------------------------------+
| NPU     Chip              | Process id    | Process name             | Process memory(MB)      |
+===========================+===============+====================================================+
| No running processes found in NPU 3                                                            |
+===========================+===============+====================================================+
"""

NONE = "dcmi module initialize failed. ret is -8005\n"


ASSETS = Path(__file__).resolve().parent.parent / "assets" / "npu_smi"


def recorded(name: str) -> str:
    """Return one of the outputs in tests/assets/npu_smi, without the comment about its source."""
    return (ASSETS / f"{name}.txt").read_text(encoding="utf-8").partition("\n")[2]


def write_npu_smi(folder: Path, table: str) -> None:
    """Write a program `npu-smi` that prints the table."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "table").write_text(table, encoding="utf-8")
    program = folder / "npu-smi"
    program.write_text(f'#!/bin/sh\n[ "$1" = info ] && cat "{folder}/table"\n', encoding="utf-8")
    program.chmod(0o755)
