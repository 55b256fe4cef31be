"""Sound files from FFmpeg: with pictures, late tracks, holes, and without an updated header."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from fractions import Fraction
from pathlib import Path

import av
import numpy as np

from funasr_cli.arrays import Samples


class Pipe(io.RawIOBase):
    """A file that can only be written from beginning to end."""

    def __init__(self, path: Path) -> None:
        self._file = path.open("wb")

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self._file.write(data)

    def writable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return False

    def close(self) -> None:
        self._file.close()


def write(
    path: Path,
    codec: str,
    samples: Samples,
    rate: int,
    *,
    container: str | None = None,
    piped: bool = False,
    start: float = 0.0,
    hole: tuple[float, float] = (0.0, 0.0),
    video: str = "",
    video_seconds: float = 0.0,
    bit_rate: int = 128_000,
    options: Mapping[str, str] | None = None,
    codec_options: Mapping[str, str] | None = None,
) -> Path:
    """Write `samples` `[n, channels]` so that they begin at `start` seconds.

    `hole` is a time within the samples, and the number of seconds in which nothing is written there.
    """
    target = Pipe(path) if piped else None
    with av.open(target or str(path), "w", format=container, options=dict(options or {})) as file:
        pictures = file.add_stream(video, rate=10) if video else None
        layout = {1: "mono", 2: "stereo"}[samples.shape[1]]
        sound = file.add_stream(codec, rate=rate, layout=layout, options=dict(codec_options or {}))
        sound.format = sound.codec.audio_formats[0]
        if bit_rate:
            sound.bit_rate = bit_rate
        packets = []
        if pictures:
            pictures.width, pictures.height, pictures.pix_fmt = 64, 64, "yuv420p"
            for _ in range(round((video_seconds or len(samples) / rate) * 10)):
                packets += pictures.encode(av.VideoFrame.from_ndarray(np.zeros((96, 64), np.uint8), "yuv420p"))
            packets += pictures.encode(None)
        for frame in _frames(samples, rate, layout, start, hole):
            for piece in av.AudioResampler(sound.format.name, layout, rate).resample(frame):
                packets += sound.encode(piece)
        packets += sound.encode(None)
        for packet in sorted(packets, key=lambda packet: float((packet.dts or 0) * packet.time_base)):
            file.mux(packet)
    if target:
        target.close()
    return path


def _frames(
    samples: Samples, rate: int, layout: str, start: float, hole: tuple[float, float]
) -> Iterator[av.AudioFrame]:
    for at in range(0, len(samples), 1024):
        frame = av.AudioFrame.from_ndarray(np.ascontiguousarray(samples[at : at + 1024].T), "fltp", layout)
        seconds = start + (hole[1] if hole[1] and at / rate >= hole[0] else 0.0)
        frame.sample_rate, frame.pts, frame.time_base = rate, round(seconds * rate) + at, Fraction(1, rate)
        yield frame
