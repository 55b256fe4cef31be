"""Which device a run uses, and why; how many cores and how much memory this process may use."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from pathlib import Path

from funasr_cli.batch.child import Child, settle_in
from funasr_cli.errors import DeviceError

DEV = Path("/dev")
CGROUPS = Path("/sys/fs/cgroup")
MEMINFO = Path("/proc/meminfo")

SURVEY = 60.0
"""Seconds within which CANN's runtime has to say which NPUs there are."""

ON_THE_CPU = "To run on the CPU, say so: --device cpu"


@dataclass(frozen=True, slots=True)
class Device:
    """The kind of device, `cpu` or `npu`, and the reason for it, as the record shows them.

    `npus` are the NPUs of the kind `soc` that are used, counted as ASCEND_RT_VISIBLE_DEVICES has them.
    """

    kind: str
    why: str
    npus: tuple[int, ...] = ()
    soc: str = ""


def choose_device(asked: str) -> Device:
    """The device for `auto`, `cpu`, `npu` or e.g. `npu:0,2`.

    Raises `DeviceError` rather than fall back to another than was asked for, or pass over an NPU that is there.
    """
    if asked == "cpu":
        return Device("cpu", "asked for with --device cpu")
    nodes = sorted(path.name for path in DEV.glob("davinci[0-9]*"))
    if asked == "auto" and not nodes:
        return Device("cpu", "no Ascend NPU on this machine")
    try:
        soc, count = survey_npus()
        named = asked.partition(":")[2]
        npus = tuple(dict.fromkeys(map(int, named.split(",")))) if named else tuple(range(count))
        if absent := [npu for npu in npus if npu >= count]:
            raise DeviceError(f"there is no NPU {absent[0]}; this process may use {count}, counted from 0")
    except DeviceError as error:
        found = f"found {', '.join(nodes)}" if nodes else "no Ascend NPU is visible (/dev/davinci*)"
        hint = "\n  ".join(filter(None, [error.hint, ON_THE_CPU]))
        raise DeviceError(f"{error.what}; {found}", hint=hint) from error
    return Device(
        "npu", f"found {', '.join(nodes)}" if asked == "auto" else f"asked for with --device {asked}", npus, soc
    )


def survey_npus() -> tuple[str, int]:
    """The SoC of the NPUs and their number, asked in a process of its own: the runtime does not survive a fork.

    Raises `DeviceError` where the runtime is not there, finds none, or does not answer.
    """
    child = Child("spawn", _survey)
    answer: tuple[str, int] | DeviceError
    try:
        if not child.pipe.poll(SURVEY):
            child.kill()
            raise DeviceError(f"CANN's runtime does not answer within {SURVEY:.0f} s", hint="npu-smi info")
        answer = child.pipe.recv()
    except EOFError as error:
        raise DeviceError("CANN's runtime ends the process that asks it for NPUs", hint="npu-smi info") from error
    finally:
        child.bury()
    if isinstance(answer, DeviceError):
        raise answer
    return answer


def _survey(pipe: Connection) -> None:
    settle_in("funasr-survey")
    from funasr_cli.executors.acl import survey

    with suppress(OSError):  # the parent was interrupted meanwhile
        try:
            pipe.send(survey())
        except DeviceError as error:
            pipe.send(error)


def usable_cores() -> int:
    """Cores this process may use: its affinity, and the quota of its control group where there is one."""
    cores = len(os.sched_getaffinity(0))
    for files in (["cpu.max"], ["cpu/cpu.cfs_quota_us", "cpu/cpu.cfs_period_us"]):  # version 2, version 1
        try:
            quota, period = " ".join((CGROUPS / name).read_text() for name in files).split()
        except (OSError, ValueError):
            continue
        if quota not in ("max", "-1"):  # no limit
            cores = max(1, min(cores, round(int(quota) / int(period))))
    return cores


@dataclass(frozen=True, slots=True)
class Memory:
    """Bytes that can be had, and whether a control group is what limits them."""

    available: int
    limited: bool


def usable_memory() -> Memory:
    """What the kernel calls available, or the limit of a control group where that is less."""
    available = 0
    with suppress(OSError):
        for line in MEMINFO.read_text(encoding="ascii").splitlines():
            if line.startswith("MemAvailable:"):
                available = int(line.split()[1]) * 1024
    for name in ("memory.max", "memory/memory.limit_in_bytes"):  # version 2, version 1
        with suppress(OSError, ValueError):  # "max" is no number
            limit = int((CGROUPS / name).read_text())
            if limit < available:
                return Memory(limit, limited=True)
    return Memory(available, limited=False)
