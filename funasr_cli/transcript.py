"""The result of recognition: tokens with times, subtitle segments, and the finished transcript.

If each channel of a recording was transcribed separately, `channel` is the number of the channel, counted from 1;
otherwise it is None.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Token:
    """A word, or a character of a script without spaces.

    `text` includes its leading space, if any, and adjacent punctuation, so a text is the plain concatenation of its
    tokens. `start` and `end` are in seconds; `confidence` is a probability in [0, 1]. `tail` is the number of seconds
    after `end` for which the token may still be audible: a CTC model marks when it recognises a word, not when the word
    ends. `language` is the code of the recognised language, if known.
    """

    text: str
    start: float
    end: float
    confidence: float
    tail: float = 0.0
    language: str | None = None

    @property
    def until(self) -> float:
        """The latest time at which the token ends, in seconds."""
        return self.end + self.tail

    @property
    def middle(self) -> float:
        """The time halfway through the token, in seconds."""
        return (self.start + self.end) / 2

    def shifted(self, seconds: float) -> Token:
        """A copy of the token, `seconds` later."""
        return self.at(self.start + seconds, self.end + seconds)

    def at(self, start: float, end: float) -> Token:
        """A copy of the token from `start` to `end`."""
        # `dataclasses.replace` takes ten times as long
        return Token(self.text, start, end, self.confidence, self.tail, self.language)


@dataclass(frozen=True, slots=True)
class Segment:
    """A subtitle: consecutive tokens of one `language`, and when to show them. `start` < `end`, in seconds.

    `breaks` are the indices of the tokens that begin its second and further lines.
    """

    start: float
    end: float
    tokens: tuple[Token, ...]
    channel: int | None = None
    language: str | None = None
    breaks: tuple[int, ...] = ()

    @property
    def text(self) -> str:
        """The whole text, on one line."""
        return join(self.tokens)

    @property
    def lines(self) -> tuple[str, ...]:
        """The lines of text that subtitle formats show."""
        ends = (0, *self.breaks, len(self.tokens))
        return tuple(join(self.tokens[first:end]) for first, end in pairwise(ends))


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph of the text, on one line, and when it begins, in seconds."""

    start: float
    text: str
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Scene:
    """The speaker's emotion, and events such as laughter, in a part of the recording. Times are in seconds."""

    start: float
    end: float
    emotion: str | None
    events: tuple[str, ...]
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class Correction:
    """A hotword that the model misrecognised: `before` is the model's text, `after` the corrected text.

    `score` is their phonetic similarity, 1 if they sound the same; `start` and `end` are in seconds.
    """

    before: str
    after: str
    score: float
    start: float
    end: float
    channel: int | None = None


@dataclass(frozen=True, slots=True)
class RecognizedChannel:
    """The text that a model recognised in one channel, in `language`, before it was edited."""

    channel: int | None
    language: str | None
    tokens: tuple[Token, ...]
    scenes: tuple[Scene, ...] = ()


@dataclass(frozen=True, slots=True)
class Recognition:
    """Everything that a model recognised in a recording, from which its transcript can be made at any time.

    `writes_numbers` says whether the model itself writes numbers as digits. The other fields are those of `Transcript`.
    """

    duration: float
    speech_seconds: float
    language: str | None
    model: str
    model_sha256: str
    device: str
    writes_numbers: bool
    channels: tuple[RecognizedChannel, ...]
    warnings: tuple[str, ...] = ()
    extra_runs: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Transcript:
    """The result for one recording, and how it was obtained. Times are in seconds from its start.

    `speech_seconds` is summed over channels that were transcribed separately, even if their speech overlaps.
    `extra_runs` counts runs of the model beyond one per window, by reason (`StageTimings`).
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
        """The whole text, one paragraph per line."""
        return "\n".join(paragraph.text for paragraph in self.paragraphs)


def join(tokens: Sequence[Token]) -> str:
    """Concatenate the text of `tokens`, without leading space."""
    return "".join(token.text for token in tokens).strip()
