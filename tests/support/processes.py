"""The processes of a run, as the kernel shows them."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable
from pathlib import Path


def descendants(pid: int) -> dict[int, str]:
    """Return all processes below `pid`: their ids and names (`funasr-worker`, `funasr-device`, …)."""
    parents: dict[int, int] = {}
    names: dict[int, str] = {}
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            name, _, rest = (folder / "stat").read_text().rpartition(")")
        except OSError:
            continue
        if rest.split()[0] != "Z":
            names[int(folder.name)] = name.partition("(")[2]
            parents[int(folder.name)] = int(rest.split()[1])
    found: dict[int, str] = {}
    level = {pid}
    while level:
        level = {child for child, parent in parents.items() if parent in level and child not in found}
        found |= {child: names[child] for child in level}
    return found


def named(pid: int, name: str) -> list[int]:
    """Return the ids of the processes below `pid` with this name, in order."""
    return sorted(child for child, given in descendants(pid).items() if given == name)


def cpu_seconds(pids: Iterable[int]) -> float:
    """Return the user and system time of these processes."""
    total = 0.0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        total += (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")
    return total


def wait_until(condition: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until the condition is true; fail the test if that does not happen."""
    until = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < until, "the condition did not become true"
        time.sleep(0.005)
