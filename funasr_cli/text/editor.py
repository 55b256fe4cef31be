"""Edit merged tokens into readable text: hotwords, numbers, script, then lines."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, replace
from itertools import groupby

from funasr_cli.hotwords import Hotword
from funasr_cli.text.hotword_correction import Corrector
from funasr_cli.text.itn.normaliser import NumberWriter
from funasr_cli.text.options import TextOptions
from funasr_cli.text.pauses import mark_pauses
from funasr_cli.text.script import ScriptConverter
from funasr_cli.text.subtitle_lines import segment
from funasr_cli.transcript import Correction, Segment, Token


@dataclass(frozen=True, slots=True)
class Edited:
    """The edited text, as tokens and as lines, and the hotwords that were put into it."""

    tokens: tuple[Token, ...]
    segments: tuple[Segment, ...]
    corrections: tuple[Correction, ...]


class Editor:
    """Edits the texts of recordings, one after another."""

    def __init__(self, options: TextOptions, hotwords: Sequence[Hotword] = ()) -> None:
        words = [hotword.text for hotword in hotwords]
        self._limits = options.segments
        self._corrector = Corrector(hotwords, options.correction) if hotwords and options.correction else None
        self._numbers = NumberWriter(words) if options.numbers else None
        self._script = ScriptConverter(options.script, words) if options.script else None
        in_script = self._script.hotwords if self._script else ()
        self._whole = frozenset(word.lower() for word in [*words, *in_script])
        # Simplified is the default for Mandarin, but Cantonese speakers usually read traditional characters.
        self._scripted = {"zh"} if options.script == "simplified" else {"zh", "yue"}

    def edit(self, tokens: Sequence[Token], language: str | None, duration: float = math.inf) -> Edited:
        """Edit the text of a recording of `duration` seconds, each stretch by the rules of its language.

        `language` is the code for tokens that have none; if it is None, each sentence is checked for Chinese.
        """
        edited: list[Token] = []
        corrections: list[Correction] = []
        for spoken_in, stretch in groupby(tokens, key=lambda token: token.language or language):
            made, corrected = self._edit_language(list(stretch), spoken_in)
            edited += _apart(edited, made)
            corrections += corrected
        final = tuple(mark_pauses(edited))
        return Edited(final, segment(final, self._limits, self._whole, duration), tuple(corrections))

    def _edit_language(
        self, tokens: Sequence[Token], language: str | None
    ) -> tuple[Sequence[Token], Sequence[Correction]]:
        """Edit what was said in one language by the rules of that language."""
        corrections: Sequence[Correction] = ()
        if self._corrector and language in ("zh", None):  # the corrector compares sounds of Mandarin
            tokens, corrections = self._corrector.correct(tokens)
        if self._numbers and language in ("zh", "yue", "en", None):
            tokens = self._numbers.write(tokens)
        if self._script and language in {*self._scripted, None}:
            tokens = self._script.convert(tokens)
        return tokens, corrections


def _apart(before: Sequence[Token], after: Sequence[Token]) -> Sequence[Token]:
    """Return `after` with a space before it if it would touch the text in another language before it."""
    if before and after and not before[-1].text[-1:].isspace() and not after[0].text[:1].isspace():
        return [replace(after[0], text=" " + after[0].text), *after[1:]]
    return after
