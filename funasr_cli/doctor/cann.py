"""Checks of driver, firmware and CANN: their releases, whether these fit each other, and whether Python finds CANN."""

from __future__ import annotations

import os
import platform
import re
import sys
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from funasr_cli.doctor.check import Check
from funasr_cli.doctor.versions import start_import, why_it_failed
from funasr_cli.executors.ascend.acl import SOURCE_COMMAND
from funasr_cli.executors.ascend.toolkit import cann_note, read_note, sourced_environment
from funasr_cli.files import printable

ROOT = Path("/")

INSTALL = "bash Ascend-cann-toolkit_VERSION_linux-$(uname -m).run --install"
MOUNT = "docker run -v /usr/local/Ascend/driver:/usr/local/Ascend/driver"
ONE_RELEASE = "Install firmware and driver of the same release, and restart the machine."
NOTES = "Check CANN's release notes for the drivers that it works with."

RANGE = re.compile(r"\[([^,\]]+),([^,\]]+)\]")
LINE = re.compile(r"V\d+R\d+C\d+")
"""A line of development, the start of an inner version: `V100R001C19` in `V100R001C19SPC002B226`."""


def release_checks() -> list[Check]:
    """Check driver, firmware and CANN by the files their installers left, and CANN's Python module."""
    driver, firmware = (read_note(_folder() / name / "version.info") for name in ("driver", "firmware"))
    environment, said = sourced_environment()
    cann = cann_note(environment)
    return [
        _driver(driver),
        _firmware(driver, firmware),
        _cann(cann, driver, said),
        _module(environment.get("PYTHONPATH", "")),
    ]


def _folder() -> Path:
    """Where driver and firmware were installed."""
    noted = read_note(ROOT / "etc/ascend_install.info").get("driver_install_path_param", "/usr/local/Ascend")
    return ROOT / noted.lstrip("/")


def _driver(driver: Mapping[str, str]) -> Check:
    if "version" not in driver:
        text = f"no version.info in {_folder() / 'driver'}; a container only has the driver's files if they are mounted"
        return Check("driver", text, "warning", MOUNT)
    return Check("driver", driver["version"])


def _firmware(driver: Mapping[str, str], firmware: Mapping[str, str]) -> Check:
    """Check the firmware by the rule of the driver's own tools: one must list the other in its version.info."""
    version = firmware.get("version")
    if version is None:
        return Check("firmware", f"not checked: no version.info in {_folder() / 'firmware'}, as in most containers")
    lists = [
        (version, driver.get("compatible_version_fw")),
        (driver.get("version"), firmware.get("compatible_version_drv")),
    ]
    known = [(release, ranges) for release, ranges in lists if release and ranges]
    if not known:
        return Check("firmware", f"{version}; compatibility with the driver is unknown: neither lists the other")
    if any(_is_in(release, ranges) for release, ranges in known):
        return Check("firmware", f"{version}, fits the driver")
    text = f"{version}, does not fit the driver: " + "; ".join(f"{it} is not in {ranges}" for it, ranges in known)
    return Check("firmware", text, "warning", ONE_RELEASE)


def _is_in(version: str, ranges: str) -> bool:
    """Whether a version is in ranges such as `[7.0.0,7.2.99],[24.1,24.1.]`; an end includes all that begin with it."""
    parts = _parts(version)
    return any(
        _parts(low) <= parts and parts[: len(_parts(high))] <= _parts(high) for low, high in RANGE.findall(ranges)
    )


def _parts(version: str) -> list[tuple[int, int | str]]:
    """Split a version such as `24.1.rc3` into parts that sort, release candidates before numbers."""
    return [(1, int(part)) if part.isdigit() else (0, part) for part in re.findall(r"\d+|[a-z]+", version.lower())]


def _cann(cann: Mapping[str, str], driver: Mapping[str, str], said: str) -> Check:
    version = cann.get("version")
    if version is None:
        text = f"not found: {printable(said)}" if said else "version unknown: its installer did not record it"
        return Check("CANN", text, "warning", f"{SOURCE_COMMAND} FOLDER")
    text = f"{version} in {printable(cann['path'])}" if "path" in cann else version
    ours, its = (LINE.match(note.get("innerversion", "")) for note in (cann, driver))
    ours_take, its_take = (LINE.findall(note.get("compatible_version", "")) for note in (cann, driver))
    if not (ours and its and (ours_take or its_take)):
        return Check("CANN", f"{text}; compatibility with the driver is unknown: neither has a list")
    if its[0] == ours[0] or its[0] in ours_take or ours[0] in its_take:
        return Check("CANN", f"{text} ({ours[0]}), fits the driver ({its[0]}) by their lists")
    text += f"; neither it ({ours[0]}) nor the driver ({its[0]}) lists the other as compatible"
    return Check("CANN", text, "warning", NOTES)


def _module(sourced: str) -> Check:
    """Check CANN's module `acl`; `sourced` is PYTHONPATH after scripts/ascend_env.sh."""
    python = f"{platform.python_implementation()} {platform.python_version()}"
    spec = find_spec("acl")
    if spec is not None:
        place = printable(spec.origin or "acl")
        reason = why_it_failed(start_import("acl"))
        if reason is None:
            return Check("acl", f"{place}, imported by {python}")
        lacks_driver = "libascend_hal" in reason and not (_folder() / "driver/lib64").is_dir()
        text = f"{place} cannot be imported by {python}: {printable(reason)}"
        return Check("acl", text, "problem", MOUNT if lacks_driver else SOURCE_COMMAND)
    for folder in [*sys.path, *sourced.split(os.pathsep)]:
        files = list(_modules_in(Path(folder))) if folder else []
        if not files:
            continue
        if folder in sys.path:  # but not importable, so not for this Python
            names = ", ".join(sorted(path.name for path in files))
            return Check("acl", f"{printable(folder)} has {names}, but not for {python}", "problem", "python3 -VV")
        return Check("acl", f"in {printable(folder)}, which is not on PYTHONPATH", "problem", SOURCE_COMMAND)
    return Check("acl", "not installed; it is part of CANN (toolkit, nnae or nnrt)", "problem", INSTALL)


def _modules_in(folder: Path) -> Iterator[Path]:
    yield from folder.glob("acl.*so")
    yield from folder.glob("acl/__init__.py")
