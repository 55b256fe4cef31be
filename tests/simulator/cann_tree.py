"""Folders as CANN's installers leave them, the compiler in them the simulated one."""

from __future__ import annotations

import sys
from pathlib import Path

from tests.simulator.fixtures import ATC

SET_ENV = """\
export ASCEND_TOOLKIT_HOME={home}
export LD_LIBRARY_PATH={home}/lib64:$LD_LIBRARY_PATH
export PYTHONPATH={home}/python/site-packages:$PYTHONPATH
export PATH={home}/bin:$PATH
false
"""
"""As CANN's own: it reads what may not be set, and its last command need not succeed."""


def write_cann(root: Path, layout: str, version: str) -> Path:
    """A toolkit below `root` (`/usr/local/Ascend` of somebody); its home.

    `layout`: `cann-8.5.0` has all in one folder; `ascend-toolkit` has a link `latest` to the version.
    """
    place = root / layout
    home = place if layout.startswith("cann") else place / version
    for folder in ("bin", "lib64", "python/site-packages", "x86_64-linux/devlib"):
        (home / folder).mkdir(parents=True)
    (home / "x86_64-linux" / "ascend_toolkit_install.info").write_text(
        f"package_name=Ascend-cann-toolkit\nversion={version}\n", encoding="utf-8"
    )
    if home != place:
        (place / "latest").symlink_to(version)
        home = place / "latest"
    (place / "set_env.sh").write_text(SET_ENV.format(home=home), encoding="utf-8")
    write_atc(home / "bin")
    return home


def write_atc(folder: Path) -> None:
    """The compiler as a program of its own, which does not mind what Python is on the PATH."""
    program = folder / "atc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ATC}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def write_driver(root: Path) -> Path:
    """A driver below `root`."""
    for folder in ("lib64/common", "lib64/driver"):
        (root / "driver" / folder).mkdir(parents=True)
    return root / "driver"
