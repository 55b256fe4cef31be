"""Recordings that FFmpeg reads: m4a, mp4, mkv, amr, wma, webm, …, and the audio track of a video."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import InputContainer

from funasr_cli.arrays import Samples
from funasr_cli.audio.recording import BLOCK_SECONDS, Recording
from funasr_cli.errors import InputError

GAP_SECONDS = 0.1
"""Time stamps further than this ahead of the samples so far mean missing audio, which is filled with silence."""

FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31, "s64": 2.0**63}
"""Magnitude of FFmpeg's integer sample formats at full scale."""

TOLERANT_OF_TAGS: dict[str, Any] = {"metadata_errors": "ignore"} if int(av.__version__.split(".")[0]) < 19 else {}
"""Titles in GB18030 and the like must not keep a recording from being read; PyAV 19 lets them pass by itself."""


class ContainerRecording(Recording):
    """A recording that FFmpeg reads.

    Damaged packets are left out and counted. Where time stamps leave a gap (damage, or a track that starts later than
    the picture) silence fills it, so that times in the transcript are times of the recording.
    """

    def __init__(self, path: Path, channel: int | None) -> None:
        self._file = path.open("rb")
        try:
            # An open file instead of its name: no name can be taken for a URL, and a playlist cannot lead elsewhere.
            self._container: InputContainer = av.open(
                self._file, "r", options={"protocol_whitelist": "file"}, **TOLERANT_OF_TAGS
            )
        except (av.error.FFmpegError, ValueError) as error:
            self._file.close()
            raise InputError(
                f"not audio or video that can be read ({getattr(error, 'strerror', None) or error})",
                where=path,
                hint="If a player opens it, convert it to WAV or FLAC; if none does, the file is damaged.",
            ) from error
        if not self._container.streams.audio:
            self.close()
            raise InputError("has no audio track", where=path)
        self._stream = self._container.streams.audio[0]
        super().__init__(path, channel, self._stream.codec_context.layout.nb_channels)
        self._first = (self._container.start_time or 0) / av.time_base
        self.duration = self._promised_duration()

    def _promised_duration(self) -> float | None:
        """What the header says of the audio track; None where FFmpeg would have to guess it from the bit rate."""
        stream, container = self._stream, self._container
        if stream.duration is not None and stream.start_time is not None and stream.time_base is not None:
            return float((stream.start_time + stream.duration) * stream.time_base) - self._first
        if stream.start_time is not None and container.duration is not None and not container.streams.video:
            return container.duration / av.time_base
        return None

    def _native(self) -> Iterator[tuple[int, Samples]]:
        # FFmpeg's own queue joins its frames, about 20 ms each, to blocks that are worth a call of NumPy.
        queue, kind, seconds = av.AudioFifo(), None, 0.0
        for frame in self._frames():
            gap, rate = self._gap_before(frame, seconds), frame.sample_rate
            if gap or kind != (rate, frame.format.name, frame.layout.name):
                yield from _drained(queue)
                queue, kind = av.AudioFifo(), (rate, frame.format.name, frame.layout.name)
                width = frame.layout.nb_channels
                yield from ((rate, silence) for silence in _silence(round(gap * rate), rate, width))
            seconds += gap + frame.samples / rate
            frame.pts = None  # the gaps are filled above; the queue would refuse what comes after one
            queue.write(frame)
            if queue.samples >= rate * BLOCK_SECONDS:
                yield from _drained(queue)
        yield from _drained(queue)

    def _frames(self) -> Iterator[av.AudioFrame]:
        damaged = 0
        packets = self._container.demux(self._stream)
        while True:
            try:
                packet = next(packets)
            except StopIteration:
                break
            except av.error.FFmpegError as error:
                self.warnings.append(f"cut off: the container ends in a damaged place ({error.strerror})")
                break
            try:
                yield from packet.decode()
            except av.error.FFmpegError:
                damaged += 1
        if damaged:
            self.warnings.append(f"{damaged} damaged packets were left out")

    def _gap_before(self, frame: av.AudioFrame, seconds: float) -> float:
        """Seconds missing between the `seconds` read so far and the frame's own time stamp."""
        gap = 0.0 if frame.time is None else frame.time - self._first - seconds
        # A stamp beyond the recording's own end is a broken stamp, not hours of silence.
        broken = self.duration is not None and seconds + gap > self.duration
        return 0.0 if gap < GAP_SECONDS or broken else gap

    def close(self) -> None:
        self._container.close()
        self._file.close()


def _drained(queue: av.AudioFifo) -> Iterator[tuple[int, Samples]]:
    """All that is in the queue, in one block with its sample rate."""
    frame = queue.read()
    if frame is not None:
        yield frame.sample_rate, _samples(frame)


def _silence(samples: int, block: int, channels: int) -> Iterator[Samples]:
    for start in range(0, samples, block):
        yield np.zeros((min(block, samples - start), channels), np.float32)


def _samples(frame: av.AudioFrame) -> Samples:
    """The frame's audio, float32 `[n, channels]`, full scale ±1."""
    native = frame.to_ndarray()
    native = native.T if frame.format.is_planar else native.reshape(-1, frame.layout.nb_channels)
    samples = native.astype(np.float32, copy=False)
    scale = FULL_SCALE.get(frame.format.name.rstrip("p"))
    if scale is not None:
        samples = (samples - np.float32(scale if frame.format.name.startswith("u8") else 0)) / np.float32(scale)
    return samples
