"""The interface of recognisers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from funasr_cli.arrays import Arrays, Samples
from funasr_cli.transcript import Token


@dataclass(frozen=True, slots=True)
class Request:
    """How to recognise a window: in which language (None: detect it), and the attempt number, from 0."""

    language: str | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a recogniser understood in one window; token times are seconds from the start of the window.

    `languages` holds the probability of each language if it was detected. `heard` is where the text ends, in seconds,
    for a model that may stop early; None means the end of the window. `retry` requests another run as the next attempt,
    because this result is probably wrong; `warning` says what is wrong, in case no attempt gives a better result.
    `no_speech` is the probability that nothing was said, 0 if the model does not estimate it. `emotion` and `events`
    (laughter, bgm, …) are further results of models that provide them.
    """

    tokens: tuple[Token, ...]
    language: str | None
    languages: Mapping[str, float] = field(default_factory=dict)
    heard: float | None = None
    retry: bool = False
    warning: str | None = None
    no_speech: float = 0.0
    emotion: str | None = None
    events: tuple[str, ...] = ()


class Recognizer(Protocol):
    """A model family. `prepare` and `decode` are CPU work, keep no state and may run in any process."""

    @property
    def window(self) -> float:
        """Maximum length of a window, in seconds."""
        ...

    @property
    def writes_numbers(self) -> bool:
        """Whether the model itself writes spoken numbers as figures, if requested."""
        ...

    def prepare(self, samples: Samples, request: Request) -> Arrays:
        """Return the inputs of the graph for a window of at most `window` seconds."""
        ...

    def decode(self, outputs: Arrays, request: Request) -> Hypothesis:
        """Return the hypothesis from the outputs of the graph for a window that was prepared with `request`."""
        ...
