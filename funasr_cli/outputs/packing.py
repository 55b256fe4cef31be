"""The storage format of a recognition result: about 100 kB per hour of speech; unpacking is deterministic.

It is a JSON header, the texts of the tokens as JSON, and a column of integers for each other property of the tokens,
compressed together with zlib. Starts are stored as differences, and ends as lengths, so that the integers are small and
compress well. Times are in samples at 16 kHz, the step of windows and frames; confidences are in steps of
0.0001, as in the JSON output.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import asdict, replace
from itertools import islice
from typing import Any

import numpy as np
from numpy.typing import NDArray

from funasr_cli.arrays import SAMPLE_RATE
from funasr_cli.transcript import Recognition, RecognizedChannel, Scene, Token

VERSION = 1
"""Version of this format; increases with every change."""

CONFIDENCE_STEPS = 10_000

Numbers = NDArray[np.int64]


class UnknownForm(ValueError):
    """The data was packed by a newer version, or is damaged."""


def pack(recognition: Recognition) -> bytes:
    """Pack a recognition result; `unpack` restores it, with times and confidences rounded to their steps."""
    tokens = [token for one in recognition.channels for token in one.tokens]
    header: dict[str, Any] = {**asdict(replace(recognition, channels=())), "version": VERSION}
    languages = list(dict.fromkeys(token.language for token in tokens))
    header |= {"extra_runs": dict(recognition.extra_runs), "languages": languages}
    header["channels"] = [
        {
            "channel": one.channel,
            "language": one.language,
            "scenes": list(map(asdict, one.scenes)),
            "tokens": len(one.tokens),
        }
        for one in recognition.channels
    ]
    starts = _steps([token.start for token in tokens], SAMPLE_RATE)
    columns = [
        np.diff(starts, prepend=0),
        _steps([token.end for token in tokens], SAMPLE_RATE) - starts,
        _steps([token.tail for token in tokens], SAMPLE_RATE),
        _steps([token.confidence for token in tokens], CONFIDENCE_STEPS),
        np.array([languages.index(token.language) for token in tokens], np.int64),
    ]
    parts = [
        json.dumps(header, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"),
        json.dumps([token.text for token in tokens], ensure_ascii=False, separators=(",", ":")).encode(),
        b"".join(map(_planes, columns)),
    ]
    return zlib.compress(b"\n".join(parts), 9)


def unpack(packed: bytes) -> Recognition:
    """Unpack a recognition result. Raises `UnknownForm`."""
    try:
        head, texts, columns = zlib.decompress(packed).split(b"\n", 2)
        header = json.loads(head.decode("utf-8", "surrogatepass"))
        if header.pop("version") != VERSION:
            raise UnknownForm("kept by another version of funasr-cli")
        languages, channels = header.pop("languages"), header.pop("channels")
        tokens = _tokens(json.loads(texts), _columns(columns), languages)
        return Recognition(
            **{**header, "warnings": tuple(header["warnings"])},
            channels=tuple(_channel(one, tokens) for one in channels),
        )
    except (zlib.error, ValueError, KeyError, TypeError) as error:
        if isinstance(error, UnknownForm):
            raise
        raise UnknownForm("damaged") from error


def _channel(header: dict[str, Any], tokens: Iterator[Token]) -> RecognizedChannel:
    scenes = tuple(Scene(**{**scene, "events": tuple(scene["events"])}) for scene in header["scenes"])
    tokens_of_it = tuple(islice(tokens, header["tokens"]))
    return RecognizedChannel(header["channel"], header["language"], tokens_of_it, scenes)


def _tokens(texts: Sequence[str], columns: Sequence[Numbers], languages: Sequence[str | None]) -> Iterator[Token]:
    since, lengths, tails, confidences, spoken = columns
    starts = np.cumsum(since)
    times = ((starts / SAMPLE_RATE).tolist(), ((starts + lengths) / SAMPLE_RATE).tolist())
    rest = (
        (confidences / CONFIDENCE_STEPS).tolist(),
        (tails / SAMPLE_RATE).tolist(),
        [languages[one] for one in spoken],
    )
    return (Token(*each) for each in zip(texts, *times, *rest, strict=True))


def _steps(values: Sequence[float], steps: int) -> Numbers:
    return np.rint(np.array(values, np.float64) * steps).astype(np.int64)


def _planes(column: Numbers) -> bytes:
    """The lowest bytes of all numbers, then the next ones, and so on: similar bytes side by side compress best."""
    return bytes(column.astype("<i8").view(np.uint8).reshape(-1, 8).T.tobytes())


def _columns(planes: bytes, count: int = 5) -> list[Numbers]:
    each = np.frombuffer(planes, np.uint8).reshape(count, 8, -1)
    return [np.ascontiguousarray(column.T).view("<i8").reshape(-1).astype(np.int64) for column in each]
