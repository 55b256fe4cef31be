"""`manifest.jsonl`: a JSON object a line for each time a recording was worked on; the latest line of a file counts."""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from funasr_cli.errors import RecordError, writing
from funasr_cli.json_paths import by_path_fields, json_text, path_fields
from funasr_cli.store.entries import OutputWrite, TranscriptSummary

MANIFEST_NAME = "manifest.jsonl"
TAIL_BYTES = 1 << 20
"""Bytes at the end of the file in which lines are looked for that may be in it already."""

Seconds = Mapping[str, float]
"""Seconds by stage."""

Fields = Mapping[str, object]
"""What a line says beyond what every line says, by status: of one of the functions below."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """What every line says of the run."""

    model: str
    model_sha256: str
    device: str
    device_why: str
    fingerprint: str


def manifest_line(path: Path, status: str, attempts: int, fields: Fields, run: RunInfo) -> str:
    """What is to be put down of one recording, without the line feed."""
    entry = {
        "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        **path_fields("path", path),
        "status": status,
        "attempts": attempts,
        **fields,
        **path_fields("model", run.model),
        "model_sha256": run.model_sha256,
        "device": fields.get("device", run.device),
        "device_why": run.device_why,
        "settings": hashlib.sha256(run.fingerprint.encode()).hexdigest(),
    }
    return json_text(entry)


def transcript_fields(
    summary: TranscriptSummary,
    sha256: str | None,
    writes: Sequence[OutputWrite],
    warnings: Sequence[str],
    seconds: Seconds,
) -> Fields:
    """Of a recording with `sha256` that is `done` or `empty`, and whose outputs are in place."""
    return {
        "sha256": sha256,
        "duration": round(summary.duration, 3),
        "speech_seconds": round(summary.speech_seconds, 3),
        "language": summary.language,
        **by_path_fields("outputs", {write.path.name: write.sha256 for write in writes}),
        "warnings": [*summary.warnings, *warnings],
        "seconds": _rounded(seconds),
        "extra_runs": dict(summary.extra_runs),
        "device": summary.device,
    }


def failure_fields(error: Exception, sha256: str | None, seconds: Seconds, *, failed_before: bool) -> Fields:
    """Of one that is `failed`; `failed_before` if the same content failed in an earlier run."""
    return {"sha256": sha256, "error": str(error), "failed_before": failed_before, "seconds": _rounded(seconds)}


def skipped_fields(why: str) -> Fields:
    """Of one that is `skipped`, which is left for next time."""
    return {"error": why}


def _rounded(seconds: Seconds) -> dict[str, float]:
    return {stage: round(value, 3) for stage, value in seconds.items()}


class Manifest:
    """Appends lines. Raises `RecordError` where that is not possible."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MANIFEST_NAME

    def repair(self, unrecorded: Sequence[str]) -> None:
        """Remove a last line that was torn by a crash, and add the lines that are missing."""
        with writing(self._path, RecordError), self._path.open("a+b") as file:
            end = file.seek(0, os.SEEK_END)
            file.seek(max(0, end - TAIL_BYTES))
            tail = file.read()
            if tail and not tail.endswith(b"\n"):
                torn = len(tail) - (tail.rfind(b"\n") + 1)
                file.truncate(end - torn)
                tail = tail[: len(tail) - torn]
        present = set(tail.splitlines())
        if missing := [line for line in unrecorded if line.encode() not in present]:
            self.append(missing)

    def append(self, lines: Sequence[str]) -> None:
        """Add lines, and be sure that they are on the disk."""
        with writing(self._path, RecordError), self._path.open("ab", buffering=0) as file:
            before = file.tell()
            try:
                data = "".join(f"{line}\n" for line in lines).encode()
                if file.write(data) != len(data):
                    raise OSError(28, os.strerror(28))
                os.fsync(file.fileno())
            except OSError:
                file.truncate(before)
                raise
