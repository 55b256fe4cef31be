"""Checks of Ascend NPUs: device files, health, memory, processes that use them, and one run on each."""

from __future__ import annotations

import os
import shutil
from collections.abc import Collection, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from funasr_cli.doctor.cann import release_checks
from funasr_cli.doctor.check import Check
from funasr_cli.doctor.trial import Trial, find_om, run_trial
from funasr_cli.errors import DeviceError
from funasr_cli.executors.ascend import device_files, npu_smi, topology
from funasr_cli.executors.ascend.npu_smi import Chip
from funasr_cli.files import printable, shell_quoted

ENDS_ALL = "as root on the host; ends everything that runs on it"


@dataclass(frozen=True, slots=True)
class Npus:
    """The checks, and the first OM that ran on an NPU, if any."""

    checks: Sequence[Check]
    om: Path | None = None


def is_npu_here() -> bool:
    """Whether this machine shows any sign of an NPU: device files, the PCI bus, or the driver's tool."""
    return bool(device_files.npu_files() or topology.accelerators() or shutil.which("npu-smi"))


def examine_npus(folders: Sequence[Path] | None) -> Npus:
    """Check everything about the NPUs of this machine. `folders` are searched for OMs; None: no OM is needed.

    If CANN works, runs a model on each NPU. A problem means that no run on any NPU is possible, so as soon as one run
    succeeds, problems become warnings.
    """
    releases = release_checks()
    chips, table = _table()
    counted = npu_smi.visible(chips)
    nodes = {number: topology.node_of(number, chips) for number in range(len(counted))}
    about = [_chip(f"NPU {number}", chip, nodes[number]) for number, chip in enumerate(counted)]
    checks = [*releases, _files(), *table, *about, *_hidden(chips, counted), Check("NUMA", topology.describe(nodes))]
    trials: Sequence[Trial] = ()
    if all(check.verdict != "problem" for check in releases):
        count = len(counted) or len(device_files.npu_files())
        trials = [run_trial(number, folders or []) for number in range(count)]
    if folders is not None:
        checks += _oms({trial.soc for trial in trials if trial.soc} or _socs(counted), folders)
    for number, trial in enumerate(trials):
        checks.append(_outcome(f"run on {number}", trial, counted[number] if counted else None))
    ran = [trial.om for trial in trials if trial.om]
    return Npus(without_problems(checks), ran[0]) if ran else Npus(checks)


def without_problems(checks: Sequence[Check]) -> list[Check]:
    """The checks with problems turned into warnings, because a run is possible anyway."""
    return [replace(check, verdict="warning") if check.verdict == "problem" else check for check in checks]


def _files() -> Check:
    """Check the device files in this container or on this machine."""
    wanted, missing = device_files.wanted_files(), device_files.missing_files()
    closed = [
        name for name in wanted if name not in missing and not os.access(device_files.DEV / name, os.R_OK | os.W_OK)
    ]
    if missing:
        text = f"{', '.join(device_files.npu_files()) or 'no davinci'} here; missing: {', '.join(missing)}"
        text += "; a container has only those passed to it, a host has them once the driver is loaded"
        return Check("/dev", text, "problem", device_files.how_to_get_files())
    if closed:
        text = f"no permission to open {', '.join(closed)}; join the group, then log in again"
        return Check("/dev", text, "problem", "sudo usermod -aG HwHiAiUser $USER")
    return Check("/dev", ", ".join(wanted))


def _table() -> tuple[Sequence[Chip], list[Check]]:
    try:
        return npu_smi.ask(), []
    except DeviceError as error:
        # Not a problem: the runtime does not need the tool, and the runs below show whether it works.
        return (), [Check("npu-smi", printable(error.what), "warning", error.hint or "npu-smi info")]


def _hidden(chips: Sequence[Chip], counted: Sequence[Chip]) -> Iterator[Check]:
    hidden = [str(chip.device) for chip in chips if chip not in counted]
    if hidden:
        text = f"{', '.join(hidden)}, by ASCEND_RT_VISIBLE_DEVICES={os.environ['ASCEND_RT_VISIBLE_DEVICES']}"
        yield Check("hidden", text) if counted else Check("hidden", text, "problem", "unset ASCEND_RT_VISIBLE_DEVICES")


def _chip(name: str, chip: Chip, node: int | None) -> Check:
    used = "?" if chip.used is None else f"{chip.used:,}"
    facts = [
        chip.soc,
        f"health {chip.health}",
        "memory unknown" if chip.total is None else f"{used} of {chip.total:,} MB used",
        f"card {chip.card}" if chip.chip is None else f"card {chip.card} chip {chip.chip}",
        chip.bus or "no PCI address",
        "NUMA node unknown" if node is None else f"NUMA node {node}",
    ]
    held = [f"{printable(it.name) or 'process'} ({it.id}, {it.megabytes:,} MB)" for it in chip.processes]
    text = ", ".join(facts) + (f"; used by {', '.join(held)}" if held else "")
    if chip.health == npu_smi.HEALTHY:
        return Check(name, text)
    return Check(name, text, "warning", chip.health_details)


def _socs(chips: Sequence[Chip]) -> set[str]:
    """The SoCs that models for these chips are compiled for, as far as npu-smi reports them."""
    found = set()
    for chip in {chip.soc: chip for chip in reversed(chips)}.values():  # the first of each
        with suppress(DeviceError):
            found.add(npu_smi.soc_of(chip))
    return found


def _oms(socs: Collection[str], folders: Sequence[Path]) -> Iterator[Check]:
    """Check which models are compiled for these NPUs."""
    for soc in sorted(socs):
        there = [
            f"{printable(om.parent.name)}/{printable(om.name)}" for folder in folders if (om := find_om([folder], soc))
        ]
        if there:
            yield Check("OMs", f"for {soc}: {', '.join(there)}")
        else:
            places = ", ".join(printable(folder) for folder in folders) or "the model store, and no --model was given"
            folder = shell_quoted(folders[0]) if len(folders) == 1 else "FOLDER"
            yield Check("OMs", f"none for {soc} in {places}", "problem", f"funasr-cli convert {folder} --soc {soc}")


def _outcome(name: str, trial: Trial, chip: Chip | None) -> Check:
    if trial.reason:
        fix = "npu-smi info"
        if trial.stuck and chip and chip.processes:
            fix += f"   (other processes use it; when they are done: {chip.reset}, {ENDS_ALL})"
        elif trial.stuck and chip:
            fix = f"{chip.reset}   ({ENDS_ALL})"
        return Check(name, " ".join(f"{trial.reason}. {trial.hint}".split()), "problem", fix)
    if trial.om is None:
        return Check(name, f"{trial.soc} can be opened, but there is no OM to run", "warning")
    took = f"{trial.seconds * 1000:.0f} ms"
    return Check(name, f"{printable(trial.om.name)} on zeros took {took} (the first run also loads kernels)")
