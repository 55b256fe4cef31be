"""Recordings: their samples, and long ones with an exact reference, made from the developers' single words."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import soundfile

from funasr_cli.arrays import Samples
from funasr_cli.audio.reader import open_recording


@dataclass(frozen=True)
class Meeting:
    """A recording, and start and end of each of its words in seconds."""

    path: Path
    samples: Samples
    words: list[tuple[float, float]]


def make_meeting(shared: Path, folder: Path, *options: str) -> Meeting:
    path = folder / "meeting.wav"
    command = [sys.executable, str(shared / "tools" / "make_meeting.py"), str(path), *options]
    subprocess.run(command, check=True, capture_output=True)
    words = json.loads(path.with_suffix(".json").read_text(encoding="utf-8"))["words"]
    samples, _ = soundfile.read(path, dtype="float32")
    return Meeting(path, samples, [(word["start"], word["end"]) for word in words])


def samples_of(path: Path) -> Samples:
    """Read a whole recording like the pipeline."""
    with open_recording(path) as recording:
        return np.concatenate(list(recording.blocks()))
