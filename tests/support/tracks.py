"""Files with several audio tracks."""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import NamedTuple

import av
import numpy as np
from av.stream import Disposition

from funasr_cli.arrays import Samples

RATE = 48_000


class NewTrack(NamedTuple):
    """An audio track to write: mono samples `[n]` at 48 kHz, and its labels."""

    samples: Samples
    language: str = ""
    title: str = ""
    is_default: bool = False


def write_tracks(path: Path, codec: str, *tracks: NewTrack) -> Path:
    """Write the tracks side by side with FFmpeg, interleaved by seconds."""
    with av.open(str(path), "w") as container:
        streams = []
        for track in tracks:
            stream = container.add_stream(codec, rate=RATE, layout="mono")
            stream.format = stream.codec.audio_formats[0]
            labels = {"language": track.language, "title": track.title}
            stream.metadata.update({name: value for name, value in labels.items() if value})
            stream.disposition = Disposition.default if track.is_default else Disposition(0)
            streams.append((stream, av.AudioResampler(stream.format.name, "mono", RATE)))
        for at in range(0, max(len(track.samples) for track in tracks), 1024):
            for track, (stream, resampler) in zip(tracks, streams, strict=True):
                part = np.ascontiguousarray(track.samples[np.newaxis, at : at + 1024])
                if part.size:
                    frame = av.AudioFrame.from_ndarray(part, "fltp", "mono")
                    frame.sample_rate, frame.pts, frame.time_base = RATE, at, Fraction(1, RATE)
                    for piece in resampler.resample(frame):
                        container.mux(stream.encode(piece))
        for stream, _ in streams:
            container.mux(stream.encode(None))
    return path
