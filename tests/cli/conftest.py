from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def run(tmp_path: Path) -> Run:
    """Runs the command in an empty folder."""

    def run(*arguments: str | Path, stdin: Path | None = None, **options: object) -> subprocess.CompletedProcess[str]:
        with (stdin or Path("/dev/null")).open("rb") as file:
            return subprocess.run(  # type: ignore[call-overload,no-any-return]
                [sys.executable, "-m", "funasr_cli", *map(str, arguments)],
                cwd=tmp_path,
                stdin=file,
                capture_output=True,
                text=True,
                timeout=120,
                check=False,
                **options,
            )

    return run
