"""Decide how far a generated text can be trusted: a loop has more words than there was time to say.

Whisper may repeat itself until it has used up its tokens, and dense speech uses them up as well. People also repeat
themselves, and counting, refrains and announcements must stay. The alignment shows the difference: a spoken word takes
time, but the words of a loop are crowded together in almost no time after the sound has run out.
"""

from __future__ import annotations

import unicodedata
import zlib
from collections.abc import Sequence

import numpy as np

from funasr_cli.recognizers.words import MAX_WORD_S, mean_log_probability
from funasr_cli.transcript import Token

CROWD_WORDS, CROWD_S = 6, 0.2
"""This many words in less than this many seconds were not spoken: that is 30 per second. Fast speech has seven words
per second, digits read aloud five, Mandarin eight characters. None of 30 recordings with real repetitions had six words
in less than 0.6 s; all recordings in which whisper-base looped did."""

UNSURE_WORDS = 3
"""Number of words before the place where the times go wrong that are not trusted either: their times drift already."""

# OpenAI's own threshold (whisper/transcribe.py).
MAX_COMPRESSION_RATIO = 2.4

MIN_REPETITION_SCORE = -0.5
"""Minimum mean log-probability of a repetition that is accepted. Real repetitions had -0.31 or more; those in reversed
speech, or in speech drowned by noise, had -0.45 or less."""

MIN_FILLED = 0.4
"""Minimum share of its time that a real repetition fills, if each word counts for `MAX_WORD_S` at most."""


def trusted_words(words: Sequence[Token], *, complete: bool) -> int:
    """Return how many leading words, with their times, can be trusted: all, or those well before the times go wrong.

    `words` are in order of time. If the text is not `complete`, its last words are not trusted: the alignment must
    reach the end of the sound, so it counts sound without text as part of a word. The longest step in the second half
    of the text is either that word or a pause, and a pause is a good place to continue from.
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
    """Whether a text is so repetitive that it is a loop or a refrain."""
    data = text.encode()
    return len(data) > MAX_COMPRESSION_RATIO * len(zlib.compress(data))


def is_plausible(words: Sequence[Token]) -> bool:
    """Whether repetitive words were really spoken: the model is sure of them, and they fill their time."""
    if mean_log_probability(words) < MIN_REPETITION_SCORE:
        return False
    lasting = sum(min(word.end - word.start, MAX_WORD_S) for word in words)
    return lasting >= MIN_FILLED * (words[-1].end - words[0].start)


def _first_crowd(words: Sequence[Token]) -> int:
    """Return the index of the first words that are crowded together; the number of words if none are."""
    spoken = [at for at, word in enumerate(words) if _takes_time(word.text)]
    starts = [words[at].start for at in spoken] + [words[-1].end if words else 0.0]
    for first, at in enumerate(spoken[: max(0, len(spoken) + 1 - CROWD_WORDS)]):
        if starts[first + CROWD_WORDS] - starts[first] < CROWD_S:
            return at
    return len(words)


def _longest_step(words: Sequence[Token]) -> int:
    """Return the word in the second half of a text with the longest time until the next word starts."""
    if not words:
        return 0
    half = len(words) // 2
    starts = np.array([word.start for word in words[half:]] + [words[-1].end])
    return half + int(np.diff(starts).argmax())


def _takes_time(text: str) -> bool:
    """Whether any of the text is spoken: not just punctuation, or a vowel sign split from its consonant."""
    return any(unicodedata.category(char)[0] in "LN" for char in text)
