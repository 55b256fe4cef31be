"""The files in /dev that an NPU needs, and how to get them on a machine or in a container."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from funasr_cli.executors.ascend.topology import accelerators, has_driver

DEV = Path("/dev")

SHARED_FILES = ("davinci_manager", "devmm_svm", "hisi_hdc")
"""Files that every process that uses an NPU opens in /dev, in addition to the NPU's own davinciN."""

DRIVER = "sudo bash Ascend-hdk-CHIP-npu-driver_VERSION_linux-$(uname -m).run --full --install-for-all"


def container_options(files: Iterable[str]) -> str:
    """Return the docker options that pass the `files` in /dev to a container."""
    return " ".join(f"--device /dev/{name}" for name in files)


def npu_files() -> list[str]:
    """Return the files in /dev of the NPUs that this process may use, ordered by number."""
    return sorted((path.name for path in DEV.glob("davinci[0-9]*")), key=lambda name: (len(name), name))


def wanted_files() -> list[str]:
    """Return all files in /dev that NPUs need; without NPUs, those of the first one."""
    return [*(npu_files() or ["davinci0"]), *SHARED_FILES]


def shared_files() -> list[str]:
    """Return the shared files that exist."""
    return [name for name in SHARED_FILES if (DEV / name).exists()]


def missing_files() -> list[str]:
    """Return the wanted files that do not exist."""
    return [name for name in wanted_files() if not (DEV / name).exists()]


def how_to_get_files() -> str:
    """Return the command that provides the files: the driver's installer, or docker if a driver is loaded."""
    bus = accelerators()
    if bus and not any(map(has_driver, bus)):
        return f"{DRIVER}   (then restart: no driver is loaded for the NPU)"
    return f"docker run {container_options(wanted_files())}"
