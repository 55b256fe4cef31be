"""What every recogniser offers."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Protocol

from funasr_cli.arrays import Arrays, Samples
from funasr_cli.transcript import Token


@dataclass(frozen=True, slots=True)
class Request:
    """How a window is to be recognised: in which language (None: detect it), and for the how-manieth time."""

    language: str | None = None
    attempt: int = 0


@dataclass(frozen=True, slots=True)
class Hypothesis:
    """What a recogniser understood in one window; token times are seconds from the window's start.

    `languages` holds the probability of each language where one was to be detected. `heard` is up to where the text
    goes, in seconds, for a model that may stop early; None: to the window's end. `retry` asks for the window to be run
    again with the next attempt's request, because this result is probably wrong; `warning` says what is wrong with a
    result that is as good as it gets. `no_speech` is the probability that nothing was said, 0 for a model that cannot
    tell. `emotion` and `events` (laughter, bgm, …) are what else it heard, if it can tell.
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
        """The longest stretch of audio taken at once, in seconds."""
        ...

    @property
    def writes_numbers(self) -> bool:
        """Whether the model itself was made to write spoken numbers in figures, if they are wanted so."""
        ...

    def prepare(self, samples: Samples, request: Request) -> Arrays:
        """The inputs of the graph for a window of at most `window` seconds."""
        ...

    def decode(self, outputs: Arrays, request: Request) -> Hypothesis:
        """The hypothesis in the outputs of the graph for a window that was prepared with `request`."""
        ...
