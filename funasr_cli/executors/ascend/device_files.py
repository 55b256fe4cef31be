"""The files in /dev that an NPU needs, and how a machine or a container comes by them."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from funasr_cli.executors.ascend.topology import accelerators, has_driver

DEV = Path("/dev")

SHARED_FILES = ("davinci_manager", "devmm_svm", "hisi_hdc")
"""What every process that uses an NPU opens in /dev, beside the NPU's own davinciN."""

DRIVER = "sudo bash Ascend-hdk-CHIP-npu-driver_VERSION_linux-$(uname -m).run --full --install-for-all"


def container_options(files: Iterable[str]) -> str:
    """Those of docker that give a container the `files` in /dev."""
    return " ".join(f"--device /dev/{name}" for name in files)


def npu_files() -> list[str]:
    """The files in /dev of the NPUs that this process may use, by number."""
    return sorted((path.name for path in DEV.glob("davinci[0-9]*")), key=lambda name: (len(name), name))


def wanted_files() -> list[str]:
    """All files in /dev that NPUs need; of the first one where there is none."""
    return [*(npu_files() or ["davinci0"]), *SHARED_FILES]


def shared_files() -> list[str]:
    """Those that NPUs share, as far as they are there."""
    return [name for name in SHARED_FILES if (DEV / name).exists()]


def missing_files() -> list[str]:
    """Those of the files in /dev that are not there."""
    return [name for name in wanted_files() if not (DEV / name).exists()]


def how_to_get_files() -> str:
    """The command that brings the files: the driver's installer, or, where a driver is loaded, a container's start."""
    bus = accelerators()
    if bus and not any(map(has_driver, bus)):
        return f"{DRIVER}   (and restart: no driver has the NPU)"
    return f"docker run {container_options(wanted_files())}"
