"""The audio tracks of a file, and the choice of the one to transcribe."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import av
import av.error
import numpy as np
from av.container import InputContainer
from av.stream import Disposition

from funasr_cli.audio.languages import language_of
from funasr_cli.audio.signatures import ENCRYPTED_HINT
from funasr_cli.errors import InputError
from funasr_cli.files import printable

PROTECTED = {"drms": "iTunes", "enca": "DRM", "aavd": "Audible"}
"""Codec tags of encrypted MP4 tracks, and who encrypts them."""

UNDETERMINED = {"", "und", "mis", "mul", "zxx", "qaa"}
"""Language tags that name no language."""

SILENCE_RMS = 10 ** (-70 / 20)
"""Full scale is 1. Anything quieter is the noise of an unconnected input; the softest speech is ten times louder."""

SOUND_SECONDS = 0.2
"""A track is not silent if at least this much of it in total is above `SILENCE_RMS`; a click alone is too short."""


@dataclass(frozen=True, slots=True)
class Track:
    """An audio track as its file describes it: its number among the audio tracks, from 1, and its labels.

    `codec` is None if there is no decoder for it; `codec_tag` is its name in MP4.
    """

    number: int
    language: str | None
    title: str | None
    is_default: bool
    codec: str | None
    codec_tag: str

    @property
    def is_readable(self) -> bool:
        """Whether the track can be decoded."""
        return self.codec is not None and self.codec_tag not in PROTECTED

    def __str__(self) -> str:
        labels = [self.language or "", f'"{self.title}"' if self.title else "", "default" if self.is_default else ""]
        named = ", ".join(filter(None, labels))
        return f"{self.number} ({named})" if named else str(self.number)


def tracks_of(container: InputContainer) -> list[Track]:
    """Return the audio tracks in order."""
    return [_track(number, stream) for number, stream in enumerate(container.streams.audio, start=1)]


def _track(number: int, stream: Any) -> Track:
    coded = stream.codec_context  # None without a decoder, whatever PyAV's annotations say
    language = stream.metadata.get("language", "").strip()
    title = stream.metadata.get("title") or stream.metadata.get("name")
    return Track(
        number,
        None if language.lower() in UNDETERMINED else printable(language),
        printable(title.strip()) if title else None,
        bool(Disposition(stream.disposition) & Disposition.default),
        coded and coded.name,
        _codec_tag(coded) if coded else "",
    )


def _codec_tag(coded: Any) -> str:
    try:
        return str(coded.codec_tag)
    except UnicodeDecodeError:  # PyAV expects letters, but in most formats the tag is a number
        return ""


def choose_track(
    path: Path, tracks: Sequence[Track], wanted: int | str | None, sounds: Callable[[Track], bool]
) -> tuple[Track, list[str]]:
    """Return the track to transcribe, and warnings about the others.

    `wanted` is a track number or language code, or None for any. Of several matching tracks the default one is tried
    first, then the others in order; those that are silent throughout (`sounds` is false) are skipped. Raises
    `InputError` if no track matches, or none can be decoded.
    """
    if not tracks:
        raise InputError("has no audio track", where=path)
    fitting = sorted(_fitting(path, tracks, wanted), key=lambda track: not track.is_default)
    readable = [track for track in fitting if track.is_readable]
    if not readable:
        raise _unreadable(path, fitting[0])
    chosen = readable[0] if len(fitting) == 1 else next((one for one in readable if sounds(one)), readable[0])
    others = [] if isinstance(wanted, int) else [track for track in tracks if track in fitting and track != chosen]
    if not others:
        return chosen, []
    flaws = [_flaw(track) for track in fitting[: fitting.index(chosen)]]
    why = f" because {' and '.join(flaws)}" if flaws else ""
    more = f"not transcribed: {_named(others)}. Choose with --track NUMBER."
    return chosen, [f"has {len(tracks)} audio tracks: track {chosen} was transcribed{why}; {more}"]


def check_single_track(path: Path, wanted: int | str | None) -> None:
    """Raise `InputError` if another track than the first is `wanted` of a file whose format has only one."""
    if isinstance(wanted, int) and wanted > 1:
        raise InputError(f"has no audio track {wanted}: there is only one", where=path, hint="Omit --track.")


def sounds(container: InputContainer, track: Track, to_samples: Callable[[av.AudioFrame], np.ndarray]) -> bool:
    """Whether a track has any sound. It is read from the beginning until there is enough."""
    seconds = 0.0
    packets = container.demux(container.streams.audio[track.number - 1])
    while seconds < SOUND_SECONDS:
        try:
            frames = next(packets).decode()
        except (StopIteration, av.error.EOFError):
            return False
        except av.error.FFmpegError:
            continue
        for frame in frames:
            if np.sqrt(np.mean(np.square(to_samples(frame)))) > SILENCE_RMS:
                seconds += frame.samples / frame.sample_rate
    return True


def _fitting(path: Path, tracks: Sequence[Track], wanted: int | str | None) -> list[Track]:
    """Return the tracks that match `wanted`. Raises `InputError` if none does."""
    if wanted is None:
        return list(tracks)
    if isinstance(wanted, int):
        fitting = [track for track in tracks if track.number == wanted]
    elif len(tracks) == 1 and tracks[0].language is None:
        return list(tracks)  # nothing says that it is in another language
    else:
        fitting = [track for track in tracks if "-" in wanted and wanted.lower() in _tags(track)]
        fitting = fitting or [track for track in tracks if language_of(wanted) in map(language_of, _tags(track))]
    if not fitting:
        what = f"audio track {wanted}" if isinstance(wanted, int) else f"audio track with language {wanted}"
        raise InputError(f"has no {what}; it has {_named(tracks)}", where=path, hint="Choose one of them with --track.")
    return fitting


def _tags(track: Track) -> set[str]:
    """Return the tags of a track's language; broadcasts may have several."""
    return {tag.strip().lower() for tag in (track.language or "").split(",") if tag.strip()}


def _unreadable(path: Path, track: Track) -> InputError:
    if track.codec_tag in PROTECTED:
        what = f"the audio is encrypted ({PROTECTED[track.codec_tag]})"
        return InputError(what, where=path, hint=ENCRYPTED_HINT)
    return InputError(
        f"no decoder for audio track {track}",
        where=path,
        hint="If a media player opens it, convert it to WAV or FLAC.",
    )


def _flaw(track: Track) -> str:
    return f"track {track.number} {'is silent throughout' if track.is_readable else 'cannot be decoded'}"


def _named(tracks: Iterable[Track]) -> str:
    return ", ".join(f"track {track}" for track in tracks)
