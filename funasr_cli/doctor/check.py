"""One thing that was looked at, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Verdict = Literal["ok", "warning", "problem"]
"""Warning: a run is possible, but not all that one may expect of it. Problem: no run is possible."""


@dataclass(frozen=True, slots=True)
class Check:
    """What was looked at, what was found, in a line each, and where it is not `ok`, what to do (`fix`).

    `fix` of a problem is a command. `option` is what a run needs on its command line to do without what is missing.
    `path` is the folder that was looked at, if it was one.
    """

    name: str
    text: str
    verdict: Verdict = "ok"
    fix: str = ""
    option: str = ""
    path: Path | None = None
