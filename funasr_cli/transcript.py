"""What is passed from recognition to the outputs: tokens with times, subtitle segments, the finished transcript.

Where each channel of a recording was transcribed by itself, `channel` is the one in which something was heard, counted
from 1; elsewhere it is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a character of a script without spaces.

    `text` brings its own leading space where it has one and the punctuation that clings to it, so a text is the plain
    concatenation of its tokens. `start` and `end` are seconds; `confidence` is a probability in [0, 1]. `tail` is for
    how many seconds behind `end` it may still be heard: a CTC model marks where it knows a word, not where that ends.
    `language` is the code of the language in which it was understood, if that is known.
    """

    text: str
    start: float
    end: float
    confidence: float
    tail: float = 0.0
    language: str | None = None

    @property
    def until(self) -> float:
        """The time at which it is over at the latest, in seconds."""
        return self.end + self.tail

    @property
    def middle(self) -> float:
        """The time half-way through the token, in seconds."""
        return (self.start + self.end) / 2

    def shifted(self, seconds: float) -> Token:
        """The same token, `seconds` later."""
        return self.at(self.start + seconds, self.end + seconds)

    def at(self, start: float, end: float) -> Token:
        """The same token from `start` to `end`."""
        # `replace` takes ten times as long
        return Token(self.text, start, end, self.confidence, self.tail, self.language)


@dataclass(frozen=True, slots=True)
class Segment:
    """A subtitle line: consecutive tokens of one `language`, and when to show them. `start` < `end`, in seconds."""

    start: float
    end: float
    tokens: tuple[Token, ...]
    channel: int | None = None
    language: str | None = None

    @property
    def text(self) -> str:
        """The line as it is shown."""
        return join(self.tokens)


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of the text, on one line, and when it begins, in seconds."""

    start: float
    text: str
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """What else was heard in a stretch of the recording: emotion of the speaker, events like laughter. In seconds."""

    start: float
    end: float
    emotion: str | None
    events: tuple[str, ...]
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A hotword that was understood as something else: `before` in the model's text, `after` in ours.

    `score` is how alike the two sound, 1 where they sound the same; `start` and `end` are in seconds.
    """

    before: str
    after: str
    score: float
    start: float
    end: float
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Transcript:
    """One recording's result and what is needed to account for it. Times are seconds from its start.

    `speech_seconds` is the sum of all channels that were transcribed by themselves, which may speak at the same time.
    `extra_runs` counts the model's runs beside one a window, by reason (`StageTimings`).
    """

    source: str
    duration: float
    speech_seconds: float
    language: str | None
    model: str
    model_sha256: str
    device: str
    segments: tuple[Segment, ...]
    paragraphs: tuple[Paragraph, ...]
    warnings: tuple[str, ...]
    scenes: tuple[Scene, ...] = ()
    corrections: tuple[Correction, ...] = ()
    extra_runs: Mapping[str, int] = field(default_factory=dict)

    @property
    def text(self) -> str:
        """The whole text, a paragraph a line."""
        return "\n".join(paragraph.text for paragraph in self.paragraphs)


def join(tokens: Sequence[Token]) -> str:
    """The text of `tokens`, without the space that the first one may bring."""
    return "".join(token.text for token in tokens).strip()
