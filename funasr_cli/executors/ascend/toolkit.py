"""CANN on this machine: the environment of its compiler, its version, and the SoCs of the NPUs."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

from funasr_cli.errors import DeviceError, MachineError
from funasr_cli.executors.ascend import npu_smi
from funasr_cli.executors.ascend.acl import ENVIRONMENT_SCRIPT

NOTES = ("*-linux/ascend_*_install.info", "ascend_*_install.info", "version.info")
"""Version files of installers: toolkit and nnrt write below the folder of the architecture, nnae above it."""

EXAMPLE = "--soc Ascend310P3"

INSTALL = "Install CANN's toolkit and the operators for your SoC, or compile on a machine that has them."


def compiler_environment() -> Mapping[str, str]:
    """Return an environment in which `atc` is found: the current one, or that set up by scripts/ascend_env.sh.

    Raises `MachineError` if CANN is not found.
    """
    if shutil.which("atc"):
        return os.environ
    environment, said = sourced_environment()
    if not shutil.which("atc", path=environment.get("PATH", "")):
        raise MachineError(f"CANN's compiler atc was not found: {said}", hint=INSTALL)
    return environment


def sourced_environment() -> tuple[Mapping[str, str], str]:
    """Return the environment set up by scripts/ascend_env.sh, empty if it finds no CANN, and the script's message."""
    sourced = ["bash", "-c", '. "$0" && env -0', str(ENVIRONMENT_SCRIPT)]
    try:
        done = subprocess.run(sourced, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        return {}, f"bash cannot be run: {error.strerror}"
    variables = (os.fsdecode(entry).partition("=") for entry in done.stdout.split(b"\0") if entry)
    return {name: value for name, _, value in variables}, done.stderr.decode(errors="replace").strip()


def cann_version(environment: Mapping[str, str]) -> str | None:
    """Return the version recorded by CANN's installer, e.g. `8.0.0`; None if there is none."""
    return cann_note(environment).get("version")


def cann_note(environment: Mapping[str, str]) -> Mapping[str, str]:
    """Return what the installer of toolkit, nnae or nnrt recorded; empty if there is no such file."""
    atc = shutil.which("atc", path=environment.get("PATH"))
    homes = [Path(home) for home in [environment.get("ASCEND_TOOLKIT_HOME")] if home]
    places = [*homes, *(Path(atc).resolve().parents[1:4] if atc else [])]
    for place in places:
        for pattern in NOTES:
            for path in sorted(place.glob(pattern)):
                note = read_note(path)
                if "version" in note:
                    return note
    return {}


def read_note(path: Path) -> Mapping[str, str]:
    """Read the `name=value` lines of an installer's file, with names in lower case; empty if it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    parts = (line.partition("=") for line in lines)
    return {name.strip().lower(): value.strip() for name, equals, value in parts if equals}


def ask_soc() -> str:
    """Return the SoC of this machine's NPUs, e.g. `Ascend310P3`. Raises `DeviceError` if there is no single one."""
    try:
        kinds = {chip.soc: chip for chip in reversed(npu_smi.ask())}  # the first of each
        socs = sorted({npu_smi.soc_of(chip) for chip in kinds.values()})
    except DeviceError as error:
        raise DeviceError(f"npu-smi does not report the SoC: {error.what}", hint=f"Specify it: {EXAMPLE}") from error
    if len(socs) > 1:
        raise DeviceError(f"npu-smi reports several SoCs: {', '.join(socs)}", hint=f"Specify one: {EXAMPLE}")
    return socs[0]
