"""Correct hotwords that were recognised as other characters with the same sound: 心发展隔局 becomes 新发展格局.

A noisy channel model that asks three questions. Is the hotword so much more common, as a sequence of words, than the
recognised text that a mistake is the better explanation? How confident was the recogniser? And does the recognised text
read well, so that it was probably said? A word in jieba's dictionary is taken as right; so is a sequence of common
words (国务院/常务/会/以), unless the recogniser was very unsure of it.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence, Set
from dataclasses import dataclass

from funasr_cli.hotword_lines import DEFAULT_WEIGHT
from funasr_cli.hotwords import Hotword
from funasr_cli.lexicon import cut, goes_anywhere, is_word, surprise, total_surprise
from funasr_cli.text.itn.chinese_numerals import NUMERALS
from funasr_cli.text.options import Strength
from funasr_cli.text.pinyin import CONFUSION, difference
from funasr_cli.text.rewrite import Rewrite, rewrite, text_of
from funasr_cli.text.script import all_simplified, simplified
from funasr_cli.text.sentences import sentences
from funasr_cli.text.sound_index import SoundIndex
from funasr_cli.transcript import Correction, Token
from funasr_cli.unicode_ranges import HAN, is_chinese, is_han

USUAL = 5.5
"""Words below this surprise, which occur at least 190 times in 60 million, are common."""

RIVAL = 0.5
"""Margin by which a hotword must explain a text better than another hotword does."""

RAREST = 4.0
"""The most by which a rare dictionary word suggests a mistake: its counts come from a time in which 店长 was rare."""

LONG = 4
"""A word with this many characters is recognisable if one of them is confused."""

STRANGEST = 5.5
"""Like `RAREST`, for a word inside a long hotword of which one character was confused."""

SURE = 0.85
"""Confidence above which a recogniser is seldom wrong in two characters at once."""

DOUBT = 0.01
"""Lowest doubt, even if the recogniser is certain: at a confidence of 0.95, 2 % of whisper-base's output is wrong."""

_CHINESE = re.compile(f"[{HAN}]{{2,}}")


@dataclass(frozen=True, slots=True)
class Caution:
    """The evidence needed to replace a text; all but `widest` and `unsure` are in the unit of `surprise`.

    `usual` is the surprise of a hotword of weight 20. A hotword must explain the text better by the sum of:

    - `margin`;
    - `trust` times the square of log10(1 - confidence), which is 1 at a confidence of 0.9;
    - `further` for each changed character after the first, if at least half of the word changes, all with a confidence
      of at least `SURE`;
    - `short` for each character fewer than four;
    - `sound` times the difference in sound.

    `widest` limits that difference, for each character after the first. Unless the confidence is below `unsure`, text
    that consists of common words stays, and a word that fits anywhere (以, 只) is not surprising.

    The values were chosen on other recordings than those of the tables in benchmarks/README.md, and on half of the
    sentences there. From a confidence of 0.5 on, the share of whisper-base's output that is wrong, but sounds the same,
    is close to 1 minus its confidence. But if the recogniser is sure of a text that the dictionary finds odd, it is a
    new word or a name, not a mistake: hence the square. In four out of five mistakes the tones are right too, which is
    rare for words that only sound alike: so a difference in tone costs much. But recognisers confuse -n and -ng, l and
    n in unknown words, as speakers do: `sound` counts half if that is the only difference in `LONG` characters.
    """

    usual: float
    margin: float
    trust: float
    further: float
    short: float
    sound: float
    widest: float
    unsure: float


CAUTIONS: Mapping[Strength, Caution] = {
    "safe": Caution(usual=4.3, margin=1.15, trust=2.25, further=1.5, short=0.2, sound=12.0, widest=0.15, unsure=0.6),
    "strong": Caution(usual=4.0, margin=1.0, trust=1.5, further=0.5, short=0.0, sound=5.0, widest=0.3, unsure=0.8),
}


@dataclass(frozen=True, slots=True)
class _Fix:
    """Replace the characters from `start` to before `end` by `word`; the characters at `at` change."""

    start: int
    end: int
    word: str
    at: tuple[int, ...]
    difference: float


class Corrector:
    """Finds stretches that sound like a hotword. Only hotwords in Chinese characters are considered."""

    def __init__(self, hotwords: Iterable[Hotword], strength: Strength) -> None:
        self._caution = CAUTIONS[strength]
        # Recognised text is compared in simplified characters; a hotword is inserted as its list writes it (昇腾).
        chinese = [hotword for hotword in hotwords if is_han(hotword.text)]
        plain = all_simplified([hotword.text for hotword in chinese])
        self._hotwords = dict(zip(plain, chinese, strict=True))
        self._index = SoundIndex((word, word) for word in self._hotwords)

    def correct(self, tokens: Sequence[Token]) -> tuple[list[Token], list[Correction]]:
        """Return the tokens with the hotwords in them, with the same times, and the corrections made."""
        corrected: list[Token] = []
        corrections: list[Correction] = []
        for sentence in sentences(tokens):
            text = text_of(sentence)
            owners = [token for token in sentence for _ in token.text]
            changes: list[Rewrite] = []
            for match in _CHINESE.finditer(simplified(text)) if is_chinese(text) else ():
                begin = match.start()
                for fix in self._fixes(match.group(), [token.confidence for token in owners[begin : match.end()]]):
                    after = self._hotwords[fix.word].text
                    changes += [Rewrite(begin + at, begin + at + 1, after[at - fix.start]) for at in fix.at]
                    before = text[begin + fix.start : begin + fix.end]
                    times = owners[begin + fix.start].start, owners[begin + fix.end - 1].end
                    corrections.append(Correction(before, after, 1 - fix.difference / len(before), *times))
            corrected += rewrite(sentence, changes)
        return corrected, corrections

    def _fixes(self, text: str, confidences: Sequence[float]) -> list[_Fix]:
        """Return the best fixes of a text of Chinese characters, in order, without conflicts."""
        heard = set(self._index.find(text))
        spelled = {at for start, end, word in heard if text[start:end] == word for at in range(start, end)}
        alike = [fix for start, end, word in heard if (fix := self._alike(start, end, word, text, spelled))]
        if not alike:
            return []
        words = cut(text)
        surpluses = {fix: surplus for fix in alike if (surplus := self._surplus(fix, text, words, confidences)) > 0}
        chosen: list[_Fix] = []
        for fix in sorted(surpluses, key=lambda fix: (-surpluses[fix], fix.start, fix.word)):
            rivals = (surpluses[other] for other in surpluses if other is not fix and _same_place(other, fix))
            free = not any(_disagree(fix, other) or _disagree(other, fix) for other in chosen)
            if free and surpluses[fix] >= max(rivals, default=-math.inf) + RIVAL:
                chosen.append(fix)
        return sorted(chosen, key=lambda fix: fix.start)

    def _alike(self, start: int, end: int, word: str, text: str, spelled: Set[int]) -> _Fix | None:
        """Return the fix that makes `text` from `start` to `end` the hotword `word`.

        None if nothing changes, if a numeral or part of a hotword changes, or if the sounds differ too much.
        """
        at = tuple(i for i in range(start, end) if text[i] != word[i - start])
        if not at or not spelled.isdisjoint(at) or any(text[i] in NUMERALS for i in at):  # 四 sounds like 十
            return None
        apart = sum(difference(text[i], word[i - start]) for i in at)
        if apart > self._caution.widest * (len(word) - 1) + 1e-9:
            return None
        return _Fix(start, end, word, at, apart)

    def _surplus(self, fix: _Fix, text: str, words: Sequence[tuple[int, int]], confidences: Sequence[float]) -> float:
        """Return by how much the hotword explains the text better than required; `text` consists of `words`."""
        touched = [(low, high) for low, high in words if low < fix.end and high > fix.start]
        changed = [(low, high) for low, high in touched if high - low > 1 and any(low <= i < high for i in fix.at)]
        usual = [(low, high) for low, high in touched if high - low > 1 and surprise(text[low:high]) < USUAL]
        parts_word = any(low < fix.start or high > fix.end for low, high in [*changed, *usual])
        if parts_word or is_word(text[fix.start : fix.end]):
            return -math.inf
        confidence = min(confidences[i] for i in fix.at)
        others = [word for word in touched if word not in changed]
        if confidence >= self._caution.unsure:
            anywhere = [(low, high) for low, high in touched if goes_anywhere(text[low:high])]
            changes_usual = all(any(low <= i < high for low, high in usual) for i in fix.at)
            if changes_usual or len(usual) + len(anywhere) == len(touched):  # the text reads well
                return -math.inf
            others = [word for word in others if word not in anywhere or word[0] not in fix.at]
        sound, rarest = self._caution.sound, RAREST
        if len(fix.word) >= LONG and len(fix.at) == 1 and math.isclose(fix.difference, CONFUSION):
            sound, rarest = sound / 2, STRANGEST
        further = self._caution.further if confidence >= SURE and len(fix.at) * 2 >= len(fix.word) else 0.0
        return (
            sum(min(surprise(text[low:high]), rarest) for low, high in changed)
            + sum(surprise(text[low:high]) for low, high in others)
            - self._unusual(fix.word)
            - total_surprise(text[touched[0][0] : fix.start])
            - total_surprise(text[fix.end : touched[-1][1]])
            - sound * fix.difference
            - self._caution.margin
            - self._caution.trust * math.log10(max(DOUBT, 1 - confidence)) ** 2
            - further * (len(fix.at) - 1)
            - self._caution.short * max(0, 4 - len(fix.word))
        )

    def _unusual(self, word: str) -> float:
        """Return the surprise of a hotword. Its weight counts too: it is said more often than the dictionary knows."""
        usual = self._caution.usual - math.log10(self._hotwords[word].weight / DEFAULT_WEIGHT)
        return min(surprise(word), usual)


def _disagree(fix: _Fix, other: _Fix) -> bool:
    """Whether `fix` changes a character that `other` keeps or changes."""
    return any(other.start <= i < other.end for i in fix.at)


def _same_place(fix: _Fix, other: _Fix) -> bool:
    return (fix.start, fix.end) == (other.start, other.end)
