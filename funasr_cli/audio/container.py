"""Recordings read by FFmpeg: m4a, mp4, mkv, amr, wma, webm, … and the audio tracks of videos."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path

import av
import av.error
import numpy as np

from funasr_cli.arrays import Samples
from funasr_cli.audio.clock import Clock, Kind
from funasr_cli.audio.demux import open_container
from funasr_cli.audio.extents import Extent
from funasr_cli.audio.file_part import FilePart
from funasr_cli.audio.float_scale import find_bits, rescale
from funasr_cli.audio.joined import later_starts
from funasr_cli.audio.leftover import tag_bytes
from funasr_cli.audio.recording import BLOCK_SECONDS, Recording
from funasr_cli.audio.tracks import Track, choose_track, sounds, tracks_of

FULL_SCALE = {"u8": 2.0**7, "s16": 2.0**15, "s32": 2.0**31}
"""Full-scale magnitude of FFmpeg's integer sample formats; PyAV cannot convert 64-bit ones to arrays."""

EXACT_FOR_THE_TRACK = {"mov", "ogg", "flac", "aiff", "caf", "w64", "ape", "tta", "wv", "tak", "mpc", "mpc8", "dsf"}
"""Formats that state the length of the audio track. In others FFmpeg estimates it from the bit rate, or it is the
length of the video."""

EXACT_WITHOUT_PICTURE = {"matroska", "flv"}
"""Formats that state the length of the longest track."""

FOUND_ANYWHERE = {"mpegts", "mpeg"}
"""Formats that FFmpeg can start reading anywhere, and in which a later program may use another audio stream."""

FOUND_BY_BEGINNING = {"flv", "matroska"}
"""Formats in which a further recording can be found by its header. FFmpeg may not know its streams."""

MIN_REST_BYTES = 8192
"""If fewer bytes follow the last audio packet, they are not searched for another recording."""

MIN_UNREAD_BYTES = 32_768
"""PyAV reads this much at a time; a shorter rest may be an index that was read with the header of a small file."""

MAX_DAMAGED_PLACES = 1000
"""After this many unreadable places in a container, the rest is skipped."""


class ContainerRecording(Recording):
    """A recording read by FFmpeg.

    Damaged packets are skipped and counted. A gap in the time stamps (from damage, or because the track starts later
    than the picture) is filled with silence, so that times in the transcript match the recording. `part` limits what is
    read of the file; `track` selects one of its audio tracks (see `choose_track`).
    """

    def __init__(
        self, path: Path, channel: int | None, part: FilePart | None = None, track: int | str | None = None
    ) -> None:
        self._last: av.Packet[av.AudioStream] | None = None
        with ExitStack() as opened:
            self._file = opened.enter_context(part or FilePart(path))
            self._container = opened.enter_context(open_container(self._file, path))
            self._stream, warnings = self._chosen(path, track)
            self._opened = opened.pop_all()
        super().__init__(path, channel, self._stream.codec_context.layout.nb_channels)
        self.warnings += warnings
        if self._stream.codec_context.name.startswith("pcm_f"):
            rescale(self, find_bits((), self._everything))
        start = (self._container.start_time or 0) / av.time_base
        self._name = name = self._container.format.name.split(",")[0]
        length = None if self._container.duration is None else self._container.duration / av.time_base
        self._clock = Clock(Kind.of(name, self._container.format.flags), start, length)
        self.promised = self._track_length(start) if name in EXACT_FOR_THE_TRACK else None
        if name in EXACT_WITHOUT_PICTURE and not self._container.streams.video:
            self.promised = length
        self.duration = self.promised or self._track_length(start) or length

    def _chosen(self, path: Path, wanted: int | str | None) -> tuple[av.AudioStream, list[str]]:
        """Return the track to read, and warnings about the others."""

        def is_sounding(track: Track) -> bool:
            with self._file.reopened() as file, open_container(file, path) as beginning:
                return sounds(beginning, track, _samples)

        chosen, warnings = choose_track(path, tracks_of(self._container), wanted, is_sounding)
        return self._container.streams.audio[chosen.number - 1], warnings

    def _everything(self) -> Iterator[Samples]:
        with self._file.reopened() as file, open_container(file, self.path) as twin, suppress(av.error.FFmpegError):
            for frame in twin.decode(twin.streams[self._stream.index]):
                yield _samples(frame)

    def _track_length(self, start: float) -> float | None:
        """Return the seconds from the start of the recording to the end of the audio track; None if unknown."""
        stream = self._stream
        if stream.duration is None or stream.start_time is None or stream.time_base is None:
            return None
        return float((stream.start_time + stream.duration) * stream.time_base) - start

    def _native(self) -> Iterator[tuple[int, Samples]]:
        # FFmpeg's own queue joins frames of about 20 ms into blocks large enough for NumPy to be efficient.
        queue, width, seconds = av.AudioFifo(), 0, 0.0
        for frame in self._frames():
            gap, rate, channels = self._clock.gap(frame.time, seconds), frame.sample_rate, frame.layout.nb_channels
            if gap or channels != width:
                yield from _drained(queue)
                queue, width = av.AudioFifo(), channels
                yield from ((rate, silence) for silence in _silence(round(gap * rate), rate, width))
            seconds += gap + frame.samples / rate
            frame.pts = None  # gaps are filled above; the queue would reject frames after a gap
            try:
                queue.write(frame)
            except ValueError:  # its format or rate differs from those of the frames before
                yield from _drained(queue)
                queue = av.AudioFifo()
                queue.write(frame)
            if queue.samples >= rate * BLOCK_SECONDS:
                yield from _drained(queue)
        yield from _drained(queue)

    def _frames(self) -> Iterator[av.AudioFrame]:
        damaged = at_end = tag_end = 0
        in_tag = False
        for packet in self._packets():
            frames: list[av.AudioFrame] = []
            is_damaged = False
            try:
                frames = packet.decode()
            except av.error.FFmpegError:
                is_damaged = True
            if frames and (not tag_end or packet.pos is None or packet.pos >= tag_end):
                damaged, at_end, in_tag = damaged + at_end, 0, False
                self._last = self._last if packet.pos is None else packet
                yield from frames
            elif not frames:
                # Concatenated files have tags in the middle; these are not damaged audio.
                if tag := tag_bytes(bytes(packet)):
                    in_tag, tag_end = True, max(tag_end, (packet.pos or 0) + tag)
                at_end += is_damaged and not in_tag
        if at_end and not self.following():  # otherwise this is another recording, which is read next
            damaged += at_end
        if damaged:
            self.warnings.append(f"{damaged} damaged packets were skipped")

    def _packets(self) -> Iterator[av.Packet[av.AudioStream]]:
        """Yield the track's packets, continuing after places where the container is damaged."""
        reached, error = -1, None
        for _ in range(MAX_DAMAGED_PLACES):
            if self._file.tell() == reached:
                break
            reached = self._file.tell()
            try:
                yield from self._demuxed()
                return
            except IndexError:  # at its end PyAV flushes tracks too that it did not know when it opened the file
                self.warnings.append(
                    "a track that begins in the middle of the file was not read: transcribe the joined files one by one"
                )
                return
            except av.error.FFmpegError as caught:
                error = caught
        if error:
            self.warnings.append(f"cut off: the end of the container is damaged ({error.strerror})")

    def _demuxed(self) -> Iterator[av.Packet[av.AudioStream]]:
        pictures = self._container.streams.video[:1]
        if not pictures or not self._clock.asks_for_picture:
            yield from self._container.demux(self._stream)
            return
        for packet in self._container.demux(self._stream, *pictures):
            if packet.stream.index == self._stream.index:
                yield packet
            elif packet.dts is not None:
                self._clock.see(float(packet.dts * packet.time_base))

    def following(self) -> list[Extent]:
        if self._last is None:
            return []
        name, start = self._name, self._file.start + (self._last.pos or 0) + self._last.size
        if self._file.end - start < MIN_REST_BYTES:
            return []
        if name in FOUND_ANYWHERE:
            return [Extent(start, self._file.end, is_guess=True)]
        if name in FOUND_BY_BEGINNING and (start := next(later_starts(self.path, start), 0)):
            return [Extent(start, self._file.end, is_guess=True)]
        return []

    def _unread_bytes(self) -> int:
        unread = self._file.unread_bytes()
        return unread if unread > MIN_UNREAD_BYTES else 0

    def close(self) -> None:
        self._opened.close()


def _drained(queue: av.AudioFifo) -> Iterator[tuple[int, Samples]]:
    """Yield the whole content of the queue as one block with its sample rate."""
    frame = queue.read()
    if frame is not None:
        yield frame.sample_rate, _samples(frame)


def _silence(samples: int, block: int, channels: int) -> Iterator[Samples]:
    for start in range(0, samples, block):
        yield np.zeros((min(block, samples - start), channels), np.float32)


def _samples(frame: av.AudioFrame) -> Samples:
    """Return the frame's audio, float32 `[n, channels]`, full scale ±1."""
    if frame.format.name.startswith("s64"):
        (frame,) = av.AudioResampler(format="dbl").resample(frame)
    native = frame.to_ndarray()
    native = native.T if frame.format.is_planar else native.reshape(-1, frame.layout.nb_channels)
    samples = native.astype(np.float32, copy=False)
    scale = FULL_SCALE.get(frame.format.name.rstrip("p"))
    if scale is not None:
        if frame.format.name.startswith("u8"):
            samples -= np.float32(scale)
        samples *= np.float32(1 / scale)
    return samples
