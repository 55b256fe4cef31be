"""Context that shows what an English number is, or that its last word belongs to what follows."""

from __future__ import annotations

import re
from collections.abc import Sequence

from funasr_cli.text.itn.english_numerals import KINDS, are_neighbours, kinds_of, may_be_year

_UNIT = re.compile(
    "(?:year|hour|minute|second|day|week|month|dollar|euro|pound|cent|mile|kilometer|meter|degree|time|point|page|ton|"
    "kilo|kilogram|gram|liter|student)s?|people|men|women|children|bucks|percent|feet|inches|percentage"
)
"""Words that numbers count: "nineteen twenty dollars" is not a year."""

_FRACTION = re.compile("half|thirds?|quarters?|fourths?|fifths?|(?:six|seven|eigh|nin|ten)ths?")
_SINGULAR = re.compile(
    "day|man|woman|person|thing|way|side|hand|month|week|year|hour|minute|time|morning|evening|afternoon|night|summer|"
    "winter|spring|more|last|final|another|after another|at a|of (?:us|them|the)"
)
"""Words that can follow "one", but not a number that ends with it: one at a time."""

_AFTER_CODE = re.compile(
    "a|also|am|an|and|are|as|at|because|but|by|can|extension|for|from|had|has|he|i|if|in|is|it|not|now|okay|on|or|p|"
    "please|pm|right|she|should|so|that|the|then|they|this|to|today|tomorrow|was|we|when|where|which|who|will|with|you"
)
"""Words that can follow a code or a telephone number whose last digit does not count them."""

_AFTER_DAY = re.compile("|and|at|by|from|he|i|in|is|it|on|she|that|the|they|through|to|was|we|which")
"""Words that can follow a day said as "five" rather than "fifth", unlike people: In May two people left."""

_COMPOUNDED = re.compile(
    "(?:year|hour|minute|second|day|week|month|mile|foot|inch|meter|dollar|pound|ton|stor(?:y|ey)|page|seat|bedroom|door|"
    "lane|piece|part|man|person|star|wheel)"
)
"""Nouns that form a compound with a number, and have a plural: sixty | two story houses."""

_GRADED = re.compile(
    "graders?|responders?|cousins?|part(?:y|ies)|class|rate|hand|aid|degree|lad(?:y|ies)|tenors?|violins?"
)
"""Nouns that can be "first" or "second": thirty | first graders."""

_BEFORE_MONTH = re.compile("in|by|last|next|this|every|each|early|mid|late")
"""Words before a month without a day: In June one by one they left."""

_PERSONS = re.compile("people|persons?|men|man|women|woman|children|students|times")
_WHOLE = re.compile("points|minutes|days|weeks|months|years")
"""Nouns that are seldom counted with two decimals."""

_AGO = re.compile("later|ago|earlier|before|after|afterwards|straight|running")
"""Words that show that the last decimal counts: nine point five | five days later."""

_MORE = re.compile("of|more|another")
"""Words that show that the last digit of a row counts: five five five one of them."""

_NOT_A_YEAR = re.compile("of|more|others?")

_BEFORE_YEAR = re.compile(
    "in|of|since|by|from|until|till|to|year|early|mid|late|the|before|after|during|through|around|about|circa|and|or|"
    "between|spring|summer|autumn|fall|winter|january|february|march|april|may|june|july|august|september|october|"
    "november|december|first|second|third|[a-z]+(?:th|ieth)|our|this|that|its|their"
)
"""Words before a year. Without them, "sixteen eighteen foot poles" may have two numbers."""


def is_day(plain: str, before: str, following: str) -> bool:
    """Whether a number after a month is a day of it; `before` is the word before the month."""
    if _BEFORE_MONTH.fullmatch(before):
        return False
    return plain.isdigit() and int(plain) <= 31 and (following in KINDS or bool(_AFTER_DAY.fullmatch(following)))


def is_graded(following: str) -> bool:
    """Whether an ordinal belongs to what follows, not to the number before it."""
    return bool(_GRADED.fullmatch(following))


def is_at_a_point(number: Sequence[str], before: str) -> bool:
    """Whether a number begins with a point in time: at one point five men left."""
    return before == "at" and list(number[:2]) == ["one", "point"]


def counts_more(following: str) -> bool:
    """Whether the last digit of a row belongs to what follows."""
    return bool(_MORE.fullmatch(following))


def are_two(number: Sequence[str], before: str, following: str) -> bool:
    """Whether a possible year is two numbers: seventeen eighteen, nineteen twenty dollar bills."""
    if not may_be_year(number):
        return False
    if KINDS[number[-1]] == "o" and before != "the" and is_plural(following):
        return True  # in twenty twenty | three teams left
    if not (_BEFORE_YEAR.fullmatch(before) or not following or _AFTER_CODE.fullmatch(following)):
        return True
    return are_neighbours(number) or bool(_UNIT.fullmatch(following) or _NOT_A_YEAR.fullmatch(following))


def _may_count(digit: str, following: str) -> bool:
    """Whether the last decimal may count what follows: four point one | one morning."""
    if _AFTER_CODE.fullmatch(following) or (_UNIT.fullmatch(following) and not _WHOLE.fullmatch(following)):
        return False
    return following == "other" or digit == "one" or is_plural(following)


def is_plural(word: str) -> bool:
    """Whether a word looks like a plural."""
    return bool(_PERSONS.fullmatch(word) or re.fullmatch(r"(?!(?:has|his|its|this|was)$)[a-z]{2,}[a-rt-z]s", word))


def is_doubtful(number: Sequence[str], following: str, then: str) -> bool:
    """Whether the last digit of a number may count what comes next: four four five | two men."""
    if (
        re.search(r"[yhs]o$|[hs]y$|\.[oz]+$", kinds_of(number))
        and _COMPOUNDED.fullmatch(following)
        and then.endswith("s")
    ):
        return True  # sixty | two story houses
    if len(number) < 2 or KINDS[number[-1]] not in "oz" or not following:
        return False
    if _FRACTION.fullmatch(following):
        return True
    if number[-1] == "one" and (
        _SINGULAR.fullmatch(following)
        or _SINGULAR.fullmatch(f"{following} {then}")
        or (following in ("in", "by") and then in KINDS)
    ):
        return True
    if following == "o":  # twenty | six o'clock
        return True
    if following == "by" and then == number[-1]:
        return True  # thirty | two by two
    kinds = kinds_of(number)
    if set(kinds) <= set("ozr") or kinds[-2] == "z":
        return not _AFTER_CODE.fullmatch(following)
    if re.search(r"\.[oz]{2,}$", kinds) and (
        _may_count(number[-1], following) or _PERSONS.fullmatch(following) or _AGO.fullmatch(then)
    ):
        return True
    return "." in kinds and (following in ("of", "more") or (kinds[-1] == "z" and not _UNIT.fullmatch(following)))
