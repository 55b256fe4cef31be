"""Read `npu-smi info`, the driver's own tool: the NPUs, their health, and the processes that use them.

Its tables differ between chips and releases. Supported are those of 310P (`Chip Device`), 910 and 910B (`Chip`), 910_93
(`Chip Phy-ID`), 950 (`NPU ID`, no chips), and those with `Process id in container`. Each NPU has two rows, the first
with its name and health, the second with its bus address and memory. For 310P to 910B the name is the SoC without
`Ascend`; for 910_93 and 950 it is that of a series, with `Ascend`. scripts/convert_atc.sh follows the same rules.
"""

from __future__ import annotations

import itertools
import os
import re
import subprocess
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace

from funasr_cli.errors import DeviceError

NPU_SMI_TIMEOUT_S = 60.0
"""npu-smi takes several seconds if there are many NPUs, and longer if one hangs."""

HEALTHY = "OK"

FIRST_ROW = re.compile(r"(?P<card>\d+)\s+(?P<name>[A-Za-z0-9][\w-]*)")
SECOND_ROW = re.compile(r"(?P<chip>\d+)?(\s+(?P<device>\d+))?")
HEALTH = re.compile(r"(?!NA$)[A-Za-z]+")
BUS = re.compile(r"[0-9A-Fa-f]{4}:[0-9A-Fa-f]{2}:[0-9A-Fa-f]{2}\.[0-9A-Fa-f]")
MEMORY = re.compile(r"(\d+|NA)\s*/\s*(\d+)")
BOARD = re.compile(r"^\s*(Chip Type|Chip Name|NPU Name)\s*:\s*(?!NA\s*$)([\w-]+)\s*$", re.MULTILINE)

MEANINGS: Sequence[tuple[str, str, str]] = (
    (
        r"-8020\b",
        "another container uses the NPU, and only privileged containers can share it",
        "docker ps   (stop the container that uses the same NPU, or pass another NPU to this one)",
    ),
    (
        r"-8005\b",
        "the driver does not answer: it is not loaded, or was updated without a restart, or this user or container "
        "may not use it",
        "ls -l /dev/davinci*   (and on the host: npu-smi info, as root)",
    ),
    (
        r"cannot open shared object file|libdrv\w*\.so|libdcmi\.so",
        "the driver's libraries are not found",
        "export LD_LIBRARY_PATH=/usr/local/Ascend/driver/lib64/driver:/usr/local/Ascend/driver/lib64/common:"
        "$LD_LIBRARY_PATH",
    ),
)
"""Patterns of what npu-smi prints instead of a table, their usual meaning, and a command that shows or fixes it."""


@dataclass(frozen=True, slots=True)
class Process:
    """A process that uses memory on a chip. `id` is that of the host, even in a container."""

    id: int
    name: str
    megabytes: int


@dataclass(frozen=True, slots=True)
class Chip:
    """One NPU. `card` and `chip` are npu-smi's arguments of -i and -c (950 has no chips); `device` numbers all chips.

    `soc` is what models are compiled for. For a `series` it is only the beginning, such as `Ascend910` for 910_93; see
    `soc_of`. `bus` is the PCI address as in sysfs; memory is in megabytes. Values missing in the table are None.
    """

    card: int
    chip: int | None
    device: int
    soc: str
    health: str
    bus: str | None = None
    used: int | None = None
    total: int | None = None
    processes: tuple[Process, ...] = ()
    series: bool = False

    @property
    def options(self) -> tuple[str, ...]:
        """The options of npu-smi that select this chip."""
        return "-i", str(self.card), *(() if self.chip is None else ("-c", str(self.chip)))

    @property
    def reset(self) -> str:
        """The vendor's command to reset a stuck chip; it ends everything that runs on it."""
        return " ".join(["npu-smi set -t reset", *self.options])

    @property
    def health_details(self) -> str:
        """The command that shows what is wrong with a chip."""
        return " ".join(["npu-smi info -t health", *self.options])


def soc_name(name: str) -> str:
    """Return the SoC that models are compiled for, such as `Ascend310P3` for `310P3` in tables and user input."""
    return f"Ascend{re.sub('^ascend', '', name, flags=re.IGNORECASE)}"


def soc_of(chip: Chip) -> str:
    """Return the SoC that models for this chip are compiled for.

    For a series, the board information has the rest, such as `9391` of `Ascend910_9391`; if not, raises `DeviceError`.
    """
    if not chip.series:
        return chip.soc
    printed, complained, _ = _run("info", "-t", "board", *chip.options)
    board = dict(BOARD.findall(printed))
    name = board.get("Chip Name", "")
    if name and "NPU Name" in board:
        return f"{soc_name(name)}_{board['NPU Name']}"
    if name and "Chip Type" in board:  # then the name is that of a SoC
        return soc_name(name)
    said = _first_lines(f"{printed}\n{complained}")
    asked = " ".join(["npu-smi info -t board", *chip.options])
    raise DeviceError(f"{chip.soc} is a series of SoCs, and `{asked}` does not say which; it says: {said}", hint=asked)


def ask() -> tuple[Chip, ...]:
    """Return the NPUs of this machine by number. Raises `DeviceError` with npu-smi's output if it lists none."""
    printed, complained, code = _run("info")
    chips = read_table(printed)
    if not chips:
        raise _no_table(f"{printed}\n{complained}", code)
    return chips


def read_table(text: str) -> tuple[Chip, ...]:
    """Parse the output of `npu-smi info` and return the chips by number; none if it is not a known table."""
    rows = [_cells(line) for line in text.splitlines() if line.lstrip().startswith("|")]
    split = next((index for index, cells in enumerate(rows) if "Process id" in cells), len(rows))
    chips = sorted(_chips(rows[:split]), key=lambda chip: chip.device)
    held = [found for cells in rows[split + 1 :] if (found := _process(cells))]
    return tuple(
        replace(chip, processes=tuple(process for where, process in held if where == (chip.card, chip.chip)))
        for chip in chips
    )


def visible(chips: Sequence[Chip]) -> list[Chip]:
    """Return the chips in the order of the runtime: that of ASCEND_RT_VISIBLE_DEVICES, if it is set."""
    asked = os.environ.get("ASCEND_RT_VISIBLE_DEVICES")
    if asked is None:
        return list(chips)
    numbers = (int(part) if part.strip().isdigit() else -1 for part in asked.split(","))
    return [chips[number] for number in itertools.takewhile(lambda number: 0 <= number < len(chips), numbers)]


def _run(*arguments: str) -> tuple[str, str, int]:
    """Run npu-smi; return stdout, stderr and exit code. Raises `DeviceError` if it cannot be run or hangs."""
    try:
        process = subprocess.Popen(
            ["npu-smi", *arguments],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
        )
    except FileNotFoundError as error:
        raise DeviceError(
            "npu-smi was not found: it comes with the driver, and a container has it only if it was mounted",
            hint="docker run -v /usr/local/bin/npu-smi:/usr/local/bin/npu-smi -v /usr/local/dcmi:/usr/local/dcmi "
            "-v /usr/local/Ascend/driver:/usr/local/Ascend/driver",
        ) from error
    except OSError as error:
        raise DeviceError(f"npu-smi cannot be run: {error.strerror}", hint="ls -l $(command -v npu-smi)") from error
    try:
        printed, complained = process.communicate(timeout=NPU_SMI_TIMEOUT_S)
    except subprocess.TimeoutExpired as error:
        process.kill()
        with suppress(subprocess.TimeoutExpired):  # stuck in a hanging driver, it cannot even be killed
            process.communicate(timeout=5)
        hint = "dmesg | grep -i -e davinci -e ascend"
        raise DeviceError(f"npu-smi did not finish within {NPU_SMI_TIMEOUT_S:g} s", hint=hint) from error
    return printed, complained, process.returncode


def _cells(line: str) -> list[str]:
    """Return the cells of a row, with number and name joined in the first; newer tables have them in two cells."""
    cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
    return [" ".join(cells[:2]).strip(), *cells[2:]] if len(cells) == 4 and "/" in cells[3] else cells


def _chips(rows: Sequence[Sequence[str]]) -> Iterator[Chip]:
    above: Chip | None = None
    for cells in rows:
        first = FIRST_ROW.fullmatch(cells[0])
        second = SECOND_ROW.fullmatch(cells[0])
        if first and len(cells) > 1 and HEALTH.fullmatch(cells[1]):
            if above:
                yield above
            card, name = int(first["card"]), first["name"]
            above = Chip(card, None, card, soc_name(name), cells[1], series=name.startswith("Ascend"))
        elif above and second and len(cells) > 2:
            yield _with_second_row(above, second, cells)
            above = None
    if above:
        yield above


def _with_second_row(chip: Chip, ids: re.Match[str], cells: Sequence[str]) -> Chip:
    # Memory of the chip, then of its HBM if it has any; then the first may be 0 of 0.
    memory = [(used, int(total)) for used, total in MEMORY.findall(cells[2]) if int(total)]
    used, total = memory[-1] if memory else (None, None)
    return replace(
        chip,
        chip=None if ids["chip"] is None else int(ids["chip"]),
        device=chip.device if ids["device"] is None else int(ids["device"]),
        bus=cells[1].lower() if BUS.fullmatch(cells[1]) else None,
        used=int(used) if used and used.isdigit() else None,
        total=total,
    )


def _process(cells: Sequence[str]) -> tuple[tuple[int, int | None], Process] | None:
    """Return card and chip, and the process; None for a row that says there are no processes."""
    where = re.fullmatch(r"(\d+)(?:\s+(\d+))?", cells[0])
    if not where or len(cells) < 4 or not (cells[1].isdigit() and cells[3].isdigit()):
        return None
    return (int(where[1]), None if where[2] is None else int(where[2])), Process(int(cells[1]), cells[2], int(cells[3]))


def _no_table(said: str, code: int) -> DeviceError:
    lines = _first_lines(said)
    for pattern, meaning, command in MEANINGS:
        if re.search(pattern, said):
            return DeviceError(f"npu-smi lists no NPU: {meaning}; it says: {lines}", hint=command)
    said_so = f"it says: {lines}" if lines else f"it says nothing and exits with code {code}"
    return DeviceError(f"npu-smi lists no NPU in a known format; {said_so}", hint="npu-smi info")


def _first_lines(said: str) -> str:
    return " / ".join([line.strip() for line in said.splitlines() if line.strip()][:4])
