"""Write spoken numbers in figures, for models that output only words (inverse text normalisation).

A number does not extend over a pause or the end of a sentence. Hotwords and set phrases stay as they are.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace

from funasr_cli.text.itn import chinese as chinese_figures
from funasr_cli.text.itn import english as english_numbers
from funasr_cli.text.itn.exceptions import protecting
from funasr_cli.text.rewrite import Rewrite, rewrite, text_of
from funasr_cli.text.script import simplified
from funasr_cli.text.sentences import sentences
from funasr_cli.transcript import Token
from funasr_cli.unicode_ranges import is_chinese


class NumberWriter:
    """Writes the numbers of Chinese and English sentences in figures."""

    def __init__(self, hotwords: Iterable[str] = ()) -> None:
        self._protected = protecting(hotwords)

    def write(self, tokens: Sequence[Token]) -> list[Token]:
        """Return the tokens with figures; a number keeps the time in which it was said."""
        written: list[Token] = []
        for sentence in sentences(tokens):
            written += rewrite(sentence, list(self._changes(text_of(sentence))))
        return written

    def _changes(self, text: str) -> Iterator[Rewrite]:
        chinese = is_chinese(text)
        plain = simplified(text) if chinese else text
        changes = chinese_figures.written(plain) if chinese else english_numbers.written(plain)
        protected = [match.span() for match in self._protected.finditer(plain)] if changes else []
        for change in changes:
            if all(change.end <= start or end <= change.start for start, end in protected):
                yield _in_script(change, text[change.start : change.end])


def _in_script(change: Rewrite, before: str) -> Rewrite:
    """Return the change with 萬 and 億 if the text before had them."""
    traditional = {ord(simple): other for simple, other in ("万萬", "亿億") if other in before}
    return replace(change, text=change.text.translate(traditional))
