"""CANN on this machine: its compiler and the environment that it needs, its version, and the SoCs of the NPUs."""

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
"""Where they write: toolkit and nnrt below the processor's name, nnae above it."""

EXAMPLE = "--soc Ascend310P3"

INSTALL = "Install CANN's toolkit and the operators for your SoC, or compile on a machine that has them."


def compiler_environment() -> Mapping[str, str]:
    """The environment in which `atc` is found: this one, or what scripts/ascend_env.sh makes of it.

    Raises `MachineError` where there is no CANN.
    """
    if shutil.which("atc"):
        return os.environ
    environment, said = sourced_environment()
    if not shutil.which("atc", path=environment.get("PATH", "")):
        raise MachineError(f"atc, CANN's compiler, is not here: {said}", hint=INSTALL)
    return environment


def sourced_environment() -> tuple[Mapping[str, str], str]:
    """What scripts/ascend_env.sh makes of this environment, and what it says; empty where it finds no CANN."""
    sourced = ["bash", "-c", '. "$0" && env -0', str(ENVIRONMENT_SCRIPT)]
    try:
        done = subprocess.run(sourced, stdin=subprocess.DEVNULL, capture_output=True, check=False)
    except OSError as error:
        return {}, f"bash cannot be run: {error.strerror}"
    variables = (os.fsdecode(entry).partition("=") for entry in done.stdout.split(b"\0") if entry)
    return {name: value for name, _, value in variables}, done.stderr.decode(errors="replace").strip()


def cann_version(environment: Mapping[str, str]) -> str | None:
    """The version that CANN's installer wrote down, e.g. `8.0.0`; None where there is no such note."""
    return cann_note(environment).get("version")


def cann_note(environment: Mapping[str, str]) -> Mapping[str, str]:
    """What the installer of toolkit, nnae or nnrt wrote down of itself; empty where there is no such note."""
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
    """The `name=value` lines of a note that an installer left, names in lower case; empty where it cannot be read."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return {}
    parts = (line.partition("=") for line in lines)
    return {name.strip().lower(): value.strip() for name, equals, value in parts if equals}


def ask_soc() -> str:
    """The SoC of this machine's NPUs, e.g. `Ascend310P3`. Raises `DeviceError` where `npu-smi` cannot tell one."""
    try:
        kinds = {chip.soc: chip for chip in reversed(npu_smi.ask())}  # the first of each
        socs = sorted({npu_smi.soc_of(chip) for chip in kinds.values()})
    except DeviceError as error:
        raise DeviceError(f"npu-smi tells no SoC: {error.what}", hint=f"Name it: {EXAMPLE}") from error
    if len(socs) > 1:
        raise DeviceError(f"npu-smi tells no single SoC: it lists {', '.join(socs)}", hint=f"Name one: {EXAMPLE}")
    return socs[0]
