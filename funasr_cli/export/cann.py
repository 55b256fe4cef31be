"""CANN on this machine: its compiler and the environment that it needs, its version, and the SoCs of the NPUs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator, Mapping
from pathlib import Path

from funasr_cli.errors import DeviceError, MachineError

ENVIRONMENT = Path(__file__).with_name("ascend_env.sh")
"""What finds CANN: scripts/ascend_env.sh, which goes with the package."""

HEALTH = {"OK", "Warning", "Alarm", "Critical", "UNKNOWN", "Unknown"}

INSTALL = "Install CANN's toolkit and the operators for your SoC, or compile on a machine that has them."


def compiler_environment() -> Mapping[str, str]:
    """The environment in which `atc` is found: this one, or what scripts/ascend_env.sh makes of it.

    Raises `MachineError` where there is no CANN.
    """
    if shutil.which("atc"):
        return os.environ
    sourced = ["bash", "-c", '. "$0" && env -0', str(ENVIRONMENT)]
    done = subprocess.run(sourced, capture_output=True, check=False)
    variables = (os.fsdecode(entry).partition("=") for entry in done.stdout.split(b"\0") if entry)
    environment = {name: value for name, _, value in variables}
    if not shutil.which("atc", path=environment.get("PATH", "")):
        said = done.stderr.decode(errors="replace").strip()
        raise MachineError(f"atc, CANN's compiler, is not here: {said}", hint=INSTALL)
    return environment


def cann_version(environment: Mapping[str, str]) -> str | None:
    """The version that the toolkit's installer wrote down, e.g. `8.0.0`; None where there is no such note."""
    atc = shutil.which("atc", path=environment.get("PATH"))
    homes = [Path(home) for home in [environment.get("ASCEND_TOOLKIT_HOME")] if home]
    places = [*homes, *(Path(atc).resolve().parents[1:4] if atc else [])]
    for place in places:
        for note in sorted([*place.glob("*-linux/ascend_toolkit_install.info"), *place.glob("version.info")]):
            matched = re.search(
                r"^version=(\S+)$", note.read_text(encoding="utf-8", errors="replace"), re.IGNORECASE | re.MULTILINE
            )
            if matched:
                return matched[1]
    return None


def ask_soc() -> str:
    """The SoC of this machine's NPUs, e.g. `Ascend310P3`. Raises `DeviceError` where `npu-smi` cannot tell one."""
    try:
        done = subprocess.run(["npu-smi", "info"], capture_output=True, text=True, timeout=60, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise DeviceError(f"npu-smi tells no SoC: {error}", hint="Name it: --soc Ascend310P3") from error
    socs = sorted(set(installed_socs(done.stdout)))
    if len(socs) != 1:
        found = f"it lists {', '.join(socs)}" if socs else "it lists no NPU"
        raise DeviceError(f"npu-smi tells no single SoC: {found}", hint="Name one: --soc Ascend310P3")
    return socs[0]


def installed_socs(text: str) -> Iterator[str]:
    """The SoC of each NPU in the table of `npu-smi info`: `Ascend` and the column Name of its first row.

    An NPU has two rows: number and name beside its health, then chip and device beside its bus address.
    """
    for line in text.splitlines():
        cells = [cell.strip() for cell in line.strip().strip("|").split("|")]
        matched = re.fullmatch(r"\d+\s+([A-Za-z0-9][\w-]*)", cells[0])
        if matched and len(cells) > 1 and cells[1] in HEALTH:
            yield matched[1] if matched[1].startswith("Ascend") else f"Ascend{matched[1]}"
