"""The command line, run as a user runs it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

Run = Callable[..., subprocess.CompletedProcess[str]]
"""Runs the command with the given arguments; see `run_command`."""


def run_command(
    folder: Path, *arguments: str | Path, stdin: Path | None = None, **options: Any
) -> subprocess.CompletedProcess[str]:
    """Run `funasr-cli` with these arguments in `folder`; `stdin` is a file, `options` are those of `subprocess.run`."""
    with (stdin or Path("/dev/null")).open("rb") as file:
        return subprocess.run(
            [sys.executable, "-m", "funasr_cli", *map(str, arguments)],
            cwd=folder,
            stdin=file,
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            **options,
        )
