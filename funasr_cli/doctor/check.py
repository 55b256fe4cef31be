"""The result of one check."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Verdict = Literal["ok", "warning", "problem"]
"""Warning: a run is possible, but not with everything that might be expected. Problem: no run is possible."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was checked, what was found (one line each), and what to do if the verdict is not `ok` (`fix`).

    The `fix` of a problem is a command. `option` is the command-line option with which a run works around what is
    missing. `path` is the folder that was checked, if any.
    """

    name: str
    text: str
    verdict: Verdict = "ok"
    fix: str = ""
    option: str = ""
    path: Path | None = None
