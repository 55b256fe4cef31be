"""The simulated machine: its devices, their speed, and their faults."""

from __future__ import annotations

import itertools
import json
import os
from dataclasses import dataclass, field
from pathlib import Path


@dataclass
class Machine:
    """The simulated machine. `runs` are counted from 1 over all processes: `faults` gives the faults by run.

    A fault is an error code, `hang`, or `crash`. `failures` gives the codes of calls that fail without any effect:
    `rt.memcpy 3` is the third call of that name in a process, `rt.memcpy 3+` that call and all later ones. With `late`,
    work in a stream only happens while the host waits for it. `run_ms` is the shortest time of a run. Without `compute`
    the outputs are zeros. Other programs hold `busy` devices, and taking a `deadly` one crashes the process. Over all
    processes, the first `failing_resets` resets fail, and the first `hanging_resets` never end. Each process leaves a
    report in `folder`.
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
        """Read the machine that ACL_SIMULATOR describes; without it, the machine has one device."""
        path = os.environ.get("ACL_SIMULATOR")
        return cls(**json.loads(Path(path).read_text(encoding="utf-8"))) if path else cls()

    def failure(self, call: str, number: int) -> int:
        """Return the code with which call number `number` of `call` fails; 0 if it succeeds."""
        for which, code in self.failures.items():
            name, _, at = which.partition(" ")
            first = int(at.removesuffix("+"))
            if name == call and (number == first or (at.endswith("+") and number > first)):
                return code
        return 0

    def visible(self) -> list[int]:
        """Return the devices that ASCEND_RT_VISIBLE_DEVICES leaves, in its order."""
        asked = os.environ.get("ASCEND_RT_VISIBLE_DEVICES")
        if asked is None:
            return list(range(len(self.socs)))
        known = [int(part) if part.strip().isdigit() else -1 for part in asked.split(",")]
        return list(itertools.takewhile(lambda index: 0 <= index < len(self.socs), known))

    def count(self, what: str) -> int:
        """Count an event on this machine; return its number, from 1."""
        if not self.folder:
            self.counts[what] = self.counts.get(what, 0) + 1
            return self.counts[what]
        descriptor = os.open(Path(self.folder) / f"{what}.count", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)
        try:
            os.write(descriptor, b".")
            return os.lseek(descriptor, 0, os.SEEK_CUR)  # the end of the appended byte
        finally:
            os.close(descriptor)
