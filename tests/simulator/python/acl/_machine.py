"""The machine that is simulated: its devices, how fast they are, and what befalls them."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Machine:
    """What is simulated. `runs` counts from 1 over all processes: `faults` says what befalls which of them.

    A fault is an error code, `hang`, or `crash`. `failures` gives the codes of calls that fail by themselves, and do
    nothing: `rt.memcpy 3` is a process's third of that name, `rt.memcpy 3+` that and all after it. With `late`, what
    is put into a stream happens while the host waits for it, and not before. `run_ms` is the least time that a run
    takes. Without `compute` the outputs are zeros. `busy` devices belong to somebody else, and who takes a `deadly` one
    crashes. The first `failing_resets` resets fail, and the first `hanging_resets` never end, over all processes. Each
    process leaves a report in `folder`.
    """

    socs: list[str] = field(default_factory=lambda: ["Ascend310P3"])
    memory_mb: float = 4096
    run_ms: float = 0
    compute: bool = True
    busy: list[int] = field(default_factory=list)
    deadly: list[int] = field(default_factory=list)
    faults: dict[str, int | str] = field(default_factory=dict)
    failures: dict[str, int] = field(default_factory=dict)
    late: bool = False
    load_error: int = 0
    failing_resets: int = 0
    hanging_resets: int = 0
    folder: str = ""
    counts: dict[str, int] = field(default_factory=dict)

    @classmethod
    def of_environment(cls) -> Machine:
        """The machine that ACL_SIMULATOR describes; one device without it."""
        path = os.environ.get("ACL_SIMULATOR")
        return cls(**json.loads(Path(path).read_text(encoding="utf-8"))) if path else cls()

    def failure(self, call: str, number: int) -> int:
        """The code with which a call fails that is made for the `number`th time; 0 if it does not."""
        for which, code in self.failures.items():
            name, _, at = which.partition(" ")
            first = int(at.removesuffix("+"))
            if name == call and (number == first or (at.endswith("+") and number > first)):
                return code
        return 0

    def visible(self) -> list[int]:
        """The devices that ASCEND_RT_VISIBLE_DEVICES leaves, in its order."""
        asked = os.environ.get("ASCEND_RT_VISIBLE_DEVICES")
        if asked is None:
            return list(range(len(self.socs)))
        known = [int(part) if part.strip().isdigit() else -1 for part in asked.split(",")]
        return list(itertools.takewhile(lambda index: 0 <= index < len(self.socs), known))

    def count(self, what: str) -> int:
        """The how-manieth time that something happens on this machine, from 1."""
        if not self.folder:
            self.counts[what] = self.counts.get(what, 0) + 1
            return self.counts[what]
        descriptor = os.open(Path(self.folder) / f"{what}.count", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, b".")
            return os.lseek(descriptor, 0, os.SEEK_CUR)  # behind what was just appended
        finally:
            os.close(descriptor)
