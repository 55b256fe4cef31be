"""Folders as CANN's installers leave them, with the simulated compiler."""

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
"""Like CANN's own script: it reads variables that may be unset, and its last command may fail."""


def write_cann(root: Path, layout: str, version: str) -> Path:
    """Write a toolkit below `root`, a folder like `/usr/local/Ascend`; return its home.

    `layout`: `cann-8.5.0` has everything in one folder; `ascend-toolkit` has a link `latest` to the version.
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
    """Write the compiler as a program that does not depend on the Python on the PATH."""
    program = folder / "atc"
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{ATC}" "$@"\n', encoding="utf-8")
    program.chmod(0o755)


def write_driver(root: Path) -> Path:
    """Write a driver below `root`."""
    for folder in ("lib64/common", "lib64/driver"):
        (root / "driver" / folder).mkdir(parents=True)
    return root / "driver"
