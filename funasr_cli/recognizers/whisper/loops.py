"""How far a generated text can be trusted: a loop is more words than there was time to say.

Whisper may go round in circles until it has used up its tokens, and dense speech uses them up as well. People repeat
themselves too, and counting, refrains and announcements must stay. The alignment tells them apart: a word that was
said takes time, but the words of a loop crowd together in no time at all, once the sound has run out.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Sequence

import numpy as np

from funasr_cli.recognizers.words import MAX_WORD_S, mean_log_probability
from funasr_cli.transcript import Token

CROWD_WORDS, CROWD_S = 6, 0.2
"""So many words within so many seconds were not said: 30 a second. Fast talk has seven words a second, read digits
five, Mandarin eight characters. Of 30 recordings with real repetitions none had six words in less than 0.6 s, of
those in which whisper-base looped all did."""

UNSURE_WORDS = 3
"""Words before a place at which the times go wrong that are not trusted either: the path is bent before it breaks."""

# OpenAI's own threshold (whisper/transcribe.py).
MAX_COMPRESSION_RATIO = 2.4

MIN_REPETITION_SCORE = -0.5
"""Mean log-probability of a repetition that is taken as said. Real ones had -0.31 or more, those in speech that was
played backwards or drowned in noise -0.45 or less."""

MIN_FILLED = 0.4
"""Share of its time that a real repetition fills at least, if no word counts for more than `MAX_WORD_S`."""


def trusted_words(words: Sequence[Token], *, complete: bool) -> int:
    """How many of the first words can be trusted, with their times: all, or those well before the times go wrong.

    `words` are in order of time. Of a text that is not `complete` the last words are not: the path through the sound
    has to reach its end, and takes what was not written as part of a word. The longest step in the second half of the
    text is either that word or a pause, and a pause is a good place to go on from.
    """
    wrong = _first_crowd(words)
    if not complete:
        wrong = min(wrong, _longest_step(words))
    if wrong == len(words):
        return wrong
    while wrong and words[wrong - 1].end <= words[wrong - 1].start:
        wrong -= 1
    return max(0, wrong - UNSURE_WORDS)


def is_repetitive(text: str) -> bool:
    """Whether so much of a text is a repetition that it is a loop or a refrain."""
    data = text.encode()
    return len(data) > MAX_COMPRESSION_RATIO * len(zlib.compress(data))


def is_plausible(words: Sequence[Token]) -> bool:
    """Whether repetitive words are a repetition that was said: the model is sure of them, and they fill their time."""
    if mean_log_probability(words) < MIN_REPETITION_SCORE:
        return False
    lasting = sum(min(word.end - word.start, MAX_WORD_S) for word in words)
    return lasting >= MIN_FILLED * (words[-1].end - words[0].start)


def _first_crowd(words: Sequence[Token]) -> int:
    """Where the first words stand that crowd together; the number of words if none do."""
    spoken = [at for at, word in enumerate(words) if _takes_time(word.text)]
    starts = [words[at].start for at in spoken] + [words[-1].end if words else 0.0]
    for first, at in enumerate(spoken[: max(0, len(spoken) + 1 - CROWD_WORDS)]):
        if starts[first + CROWD_WORDS] - starts[first] < CROWD_S:
            return at
    return len(words)


def _longest_step(words: Sequence[Token]) -> int:
    """The word in the second half of a text after whose start it takes longest until the next one starts."""
    if not words:
        return 0
    half = len(words) // 2
    starts = np.array([word.start for word in words[half:]] + [words[-1].end])
    return half + int(np.diff(starts).argmax())


def _takes_time(text: str) -> bool:
    """Whether something of it is said: not a mark, nor a vowel sign that is written apart from its consonant."""
    return any(unicodedata.category(char)[0] in "LN" for char in text)
