"""Time stamps: tell gaps where audio is missing from jumps of the clock."""

from __future__ import annotations

from enum import Enum

GAP_SECONDS = 0.1
"""If a time stamp is further ahead of the samples than this, audio is missing and is replaced by silence."""

JUMP_SECONDS = 10.0
"""A clock that may jump has jumped if it is further ahead of the samples than this. ffmpeg uses the same limit."""

FALL_SECONDS = 1.0
"""A clock that may jump was set back if it is further behind the samples than this."""

GENERIC_INDEX, MAY_JUMP = 0x0100, 0x0200
"""AVFMT_GENERIC_INDEX and AVFMT_TS_DISCONT of libavformat/avformat.h: the format consists of bare frames, which FFmpeg
counts; its time stamps may be discontinuous."""


class Kind(Enum):
    """How far the time stamps of a container can be trusted."""

    NONE = "none"
    """Counted by FFmpeg, and wrong after a change of sample rate: ADTS, MP3, AC-3, AMR, …"""
    JUMPING = "jumping"
    """A clock that may be reset at any time: MPEG-TS (one program may follow another), MPEG-PS, OGG."""
    STEADY = "steady"
    """Times within the recording: MP4, Matroska, ASF, …"""

    @classmethod
    def of(cls, name: str, flags: int) -> Kind:
        """Return the kind of an FFmpeg format. FLAC has no container, but its frames are numbered."""
        if flags & MAY_JUMP:
            return cls.JUMPING
        return cls.NONE if flags & GENERIC_INDEX and name != "flac" else cls.STEADY


class Clock:
    """Compares time stamps with the number of samples received so far.

    `start` is the time stamp at which the recording begins; `end` is the recording's length in seconds, if known.
    """

    def __init__(self, kind: Kind, start: float, end: float | None) -> None:
        self._kind = kind
        self._start = start
        self._end = end
        self._is_running = False
        self._picture: tuple[float, float] | None = None

    @property
    def asks_for_picture(self) -> bool:
        """Whether `see` helps to distinguish a gap from a jump."""
        return self._kind is Kind.JUMPING

    def see(self, stamp: float) -> None:
        """Note the time stamp of a picture: if the pictures continue through a gap, the clock has not jumped."""
        since, last = self._picture or (stamp, stamp)
        self._picture = (since if -FALL_SECONDS <= stamp - last <= JUMP_SECONDS else stamp, stamp)

    def gap(self, stamp: float | None, seconds: float) -> float:
        """Return the seconds of audio missing between the `seconds` received so far and a frame with this stamp."""
        if stamp is None or self._kind is Kind.NONE:
            return 0.0
        gap = stamp - self._start - seconds
        if -FALL_SECONDS <= gap < GAP_SECONDS:  # true of nearly every frame
            self._is_running = True
            return 0.0
        may_jump = self._kind is Kind.JUMPING and self._is_running
        self._is_running = True
        if may_jump and (gap < -FALL_SECONDS or (gap > JUMP_SECONDS and not self._was_seen(stamp - gap, stamp))):
            self._start = stamp - seconds
            return 0.0
        # A stamp after the end of the recording is an error, not hours of silence.
        is_broken = self._end is not None and seconds + gap > self._end
        return 0.0 if gap < GAP_SECONDS or is_broken else gap

    def _was_seen(self, start: float, end: float) -> bool:
        """Whether the pictures continue from one time stamp to the other."""
        since, last = self._picture or (end, start)
        return since <= start + JUMP_SECONDS and last >= end - JUMP_SECONDS
