"""English numbers that read better in figures: years, dates, percentages, amounts, telephone numbers.

Cautious: a single word (twelve, second, one) stays unless a percent, a currency or a month makes it clear. The ends of
a range get figures together or not at all.
"""

from __future__ import annotations

import re

from funasr_cli.text.itn.english_codes import called, clock, counts_in_room, is_room, pressure
from funasr_cli.text.itn.english_context import are_two, counts_more, is_at_a_point, is_day, is_doubtful, is_graded
from funasr_cli.text.itn.english_numerals import (
    KINDS,
    ORDINALS,
    PARTS,
    cardinal,
    digits_of,
    figures,
    may_be_year,
    ordinal,
    shortened,
    suffixed,
)
from funasr_cli.text.rewrite import Rewrite

_MONTHS = {"January", "February", "March", "April", "May", "June", "July"} | {
    "August", "September", "October", "November", "December",
}  # fmt: skip
_CURRENCIES = {"dollar": "$", "dollars": "$", "euro": "€", "euros": "€"}
_NTH = re.compile(
    "of|century|anniversary|birthday|amendment|floor|street|avenue|congress|session|annual|edition|president|psalm|"
    "division|regiment|battalion|brigade|conference|meeting|day|year|week|month|time|chapter|parallel"
)
"""Words that make "twenty second" an ordinal; otherwise it is a duration."""

_AFTER_PRICE = re.compile("|a|an|per|each|for|in|and|or|to|at|on|more|less|apiece|today")
"""Words that can follow "twenty dollars fifty"; "twenty dollars, fifty people" is different."""

_WORD = re.compile("[A-Za-z]+")
_HALF_OF_DAY = re.compile(r" (?:[ap]\.?m\b|in the (?:morning|afternoon|evening))")

Found = tuple[int, list[Rewrite]]


def written(text: str) -> list[Rewrite]:
    """Return the changes that write the numbers of `text` in figures, in order."""
    return _Reader(text).changes()


class _Reader:
    """The words of a text; each number is a run of them, from one index to before another."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._matches = list(_WORD.finditer(text))
        self._words = [match.group().lower() for match in self._matches]

    def changes(self) -> list[Rewrite]:
        changes: list[Rewrite] = []
        at = 0
        while at < len(self._words):
            end = self._run(at)
            if end > at or self._words[at] in ORDINALS:
                end, found = self._range(at, end) or self._number(at, end)
                changes += found
            at = max(end, at + 1)
        return changes

    def _run(self, at: int) -> int:
        """Return the end of the number words that begin at `at`; "and" and "point" do not end them."""
        end = at
        for i in range(at, len(self._words)):
            kind = KINDS.get(self._words[i])
            if kind is None or (i == at and kind == "&") or (i > at and not self._joined(i)):
                break
            if kind == "&" and may_be_year(self._words[at:i]) and may_be_year(self._words[i + 1 : i + 3]):
                break
            if kind == "r" and KINDS.get(self._word(i + 1), "&") not in "oz":
                break
            if kind not in "&.":
                end = i + 1
        if end > at and self._words[at] == "point" and self._word(end) not in ("percent", "percentage"):
            return at
        return end

    def _joined(self, i: int) -> bool:
        """Whether only a space or a hyphen separates a word from the one before it."""
        if not 0 < i < len(self._words):
            return False
        return self._text[self._matches[i - 1].end() : self._matches[i].start()] in (" ", "-")

    def _word(self, i: int) -> str:
        """Return the word at `i`, or nothing if it does not directly follow the word before it."""
        return self._words[i] if self._joined(i) else ""

    def _word_before(self, i: int) -> str:
        return self._words[i - 1] if self._joined(i) else ""

    def _change(self, at: int, end: int, text: str) -> Rewrite:
        return Rewrite(self._matches[at].start(), self._matches[end - 1].end(), text)

    def _range(self, at: int, end: int) -> Found | None:
        """Write "two hundred to three hundred dollars" in figures; None if no range begins here."""
        begin = end + 1
        if self._word(end) not in ("to", "or") or not self._joined(begin):
            return None
        last = self._run(begin)
        if last == begin or self._word(last) in ORDINALS or self._word(last) in PARTS:
            return None
        numbers = self._words[at:end], self._words[begin:last]
        low, high = map(figures, numbers)
        following = self._word(last)
        plain = following != "percent" and following not in _CURRENCIES
        unclear = shortened(*numbers) or is_doubtful(numbers[1], following, self._word(last + 1))
        unclear = unclear or (self._word(end) == "or" and len(numbers[0]) > len(numbers[1]) == 1)  # forty | one or two
        if low is None or high is None or unclear or (plain and max(map(len, numbers)) == 1):
            return last, []
        if plain:
            return last, [self._change(at, end, low), self._change(begin, last, high)]
        return last + 1, [
            self._change(at, end, _with_unit(low, following)),
            self._change(begin, last + 1, _with_unit(high, following)),
        ]

    def _number(self, at: int, end: int) -> Found:
        number, following = self._words[at:end], self._word(end)
        doubtful = bool(number) and is_doubtful(number, following, self._word(end + 1))
        doubtful = (doubtful and not is_room(number, self._word_before(at))) or counts_in_room(
            number, self._word_before(at), following
        )
        if number and (plain := self._called(at, end)):
            return end, [] if doubtful else [self._change(at, end, plain)]
        tail = end + 1 if following == "and" and number and self._word(end + 1) in ORDINALS else end
        value = ordinal(number, self._words[end]) if not number else ordinal(number, self._word(tail))
        in_month = self._in_month(at)
        is_scaled = following == "percent" or number[-1:] in (["thousand"], ["million"], ["billion"])
        at_a_point = not is_scaled and is_at_a_point(number, self._word_before(at))
        if (value and is_graded(self._word(tail + 1))) or at_a_point:
            return max(end, at + 1), []
        if value and not number and value <= 31 and self._is_day_of_month(at):
            return at + 1, [self._change(at, at + 1, suffixed(value))]
        if value and in_month and value <= 31:
            return tail + 1, [self._change(at, tail + 1, str(value))]
        first_of_all = self._words[tail : tail + 3] == ["first", "of", "all"]
        if value and number and not first_of_all and self._is_place(tail):
            return tail + 1, [self._change(at, tail + 1, suffixed(value))]
        plain = figures(number)
        if doubtful:
            rest = figures(number[:-1]) if counts_more(following) else None
            return end, [self._change(at, end - 1, rest)] if rest and rest == digits_of(number[:-1]) else []
        if are_two(number, self._word_before(at), following):
            return end, []
        if plain is None or (value and tail > end) or following in PARTS or self._is_rough(at):
            return end, []
        if following in _CURRENCIES:
            return self._price(at, end, plain)
        if following == "percent":
            return end + 1, [self._change(at, end + 1, _with_unit(plain, following))]
        if len(number) > 1 or (in_month and is_day(plain, self._word_before(at - 1), following)):
            return end, [self._change(at, end, plain)]
        return end, []

    def _is_place(self, last: int) -> bool:
        """Whether an ordinal that ends at `last` is a rank: not "twenty second(s)"."""
        return self._word(last) != "second" or bool(_NTH.fullmatch(self._word(last + 1)))

    def _is_day_of_month(self, at: int) -> bool:
        """Whether an ordinal is a day: the eleventh of November."""
        month = self._matches[at + 2].group() if at + 2 < len(self._words) else ""
        return (
            self._word_before(at) == "the" and self._word(at + 1) == "of" and self._joined(at + 2) and month in _MONTHS
        )

    def _in_month(self, at: int) -> bool:
        before = self._matches[at - 1].group() if self._joined(at) else ""
        return before in _MONTHS or (before.capitalize() in _MONTHS and before not in ("may", "march"))

    def _called(self, at: int, end: int) -> str | None:
        """Return a room, a flight, a time of day, a blood pressure, or part of a telephone number."""
        number, before = self._words[at:end], self._word_before(at)
        if _HALF_OF_DAY.match(self._text, self._matches[end - 1].end()) and (time := clock(number)):
            return time
        if self._word(end) == "over" and KINDS.get(self._word(end + 1)) == "y":
            return pressure(number)
        if before == "over" and at > 2 and any(pressure(self._words[begin : at - 1]) for begin in (at - 3, at - 4)):
            return figures(number)
        if self._is_group(at, end) and (self._is_group(at - 3, at) or self._is_group(end, end + 3)):
            return digits_of(number)
        if before == "is":
            before = self._word_before(at - 1)
        return called(number, before)

    def _is_group(self, at: int, end: int) -> bool:
        """Whether the words from `at` to before `end` are three digits, but not "one two three"."""
        words = self._words[max(at, 0) : end]
        return (
            len(words) == 3 and all(KINDS.get(word) in ("o", "z", "r") for word in words) and digits_of(words) != "123"
        )

    def _is_rough(self, at: int) -> bool:
        """Whether a number is approximate: four or five or six hundred."""
        return at >= 2 and self._words[at - 1] in ("or", "to") and self._words[at - 2] in KINDS

    def _price(self, at: int, end: int, plain: str) -> Found:
        """Write "twenty five dollars" in figures, with "fifty (cents)" if they follow."""
        last, currency = end + 1, self._words[end]
        begin = last + (self._word(last) == "and")
        stop = self._run(begin) if self._joined(begin) else begin
        cents = cardinal(self._words[begin:stop])
        if cents and cents < 100 and plain.replace(",", "").isdigit():
            named = self._word(stop) in ("cent", "cents")
            if named or (begin == last and cents >= 10 and _AFTER_PRICE.fullmatch(self._word(stop))):
                amount = _with_unit(f"{plain}.{cents:02}", currency)
                return stop + named, [self._change(at, stop + named, amount)]
        return last, [self._change(at, last, _with_unit(plain, currency))]


def _with_unit(plain: str, unit: str) -> str:
    return plain + "%" if unit == "percent" else _CURRENCIES[unit] + plain
