"""`manifest.jsonl`: one JSON object per line for each attempt at a recording; the latest line of a recording counts."""

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
"""Bytes at the end of the file that are searched for lines that may already be there."""

Seconds = Mapping[str, float]
"""Seconds by stage."""

Fields = Mapping[str, object]
"""Fields of a line that depend on the status; made by one of the functions below."""


@dataclass(frozen=True, slots=True)
class RunInfo:
    """Facts about the run that every line repeats; `recognized_with` is the part of `fingerprint` for recognition."""

    model: str
    model_sha256: str
    device: str
    device_why: str
    fingerprint: str
    recognized_with: str | None = None


def manifest_line(path: Path, status: str, attempts: int, fields: Fields, run: RunInfo) -> str:
    """The line for one recording, without the line feed."""
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
    """Fields of a recording with `sha256` that is `done` or `empty`, and whose outputs are in place."""
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
    """Fields of a recording that is `failed`; `failed_before`: the same content failed in an earlier run."""
    return {"sha256": sha256, "error": str(error), "failed_before": failed_before, "seconds": _rounded(seconds)}


def skipped_fields(why: str) -> Fields:
    """Fields of a recording that is `skipped`: left for the next run."""
    return {"error": why}


def _rounded(seconds: Seconds) -> dict[str, float]:
    return {stage: round(value, 3) for stage, value in seconds.items()}


class Manifest:
    """Appends lines to the manifest. Raises `RecordError` if it cannot be written."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / MANIFEST_NAME

    def repair(self, unrecorded: Sequence[str]) -> None:
        """Remove a last line that a crash cut short, and add missing lines."""
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
        """Add lines and sync them to the disk."""
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
