"""Random numbers, spelt as they are said: what is written has their value, or they stay in words."""

from __future__ import annotations

import random
import re
from decimal import Decimal

import pytest

from tests.text.itn.test_normaliser import written

DIGITS = "零一二三四五六七八九"
SCALES = {"百": 10**2, "千": 10**3, "万": 10**4, "亿": 10**8}
KINDS = ("元", "人", "bare", "decimal", "percent", "scaled decimal")


def spelt(number: int) -> str:
    """A number below 10^12 as it is said: 三万零五十."""
    for scale in ("亿", "万"):
        high, low = divmod(number, SCALES[scale])
        if high:
            gap = "零" if 0 < low < SCALES[scale] // 10 else ""
            return spelt(high) + scale + gap + (spelt(low) if low else "")
    said = ""
    for power, scale in ((3, "千"), (2, "百"), (1, "十"), (0, "")):
        digit = number // 10**power % 10
        if digit:
            gap = "零" if said and number // 10 ** (power + 1) % 10 == 0 else ""
            said += gap + DIGITS[digit] + scale
    return re.sub("^一十", "十", said) or "零"


def value(text: str) -> Decimal:
    """What figures with 万 and 亿 mean: 1亿5000万."""
    total = Decimal(0)
    for figures, scales in re.findall("([0-9.]+)([百千万亿]*)", text):
        part = Decimal(figures)
        for scale in scales:
            part *= SCALES[scale]
        total += part
    return total


def sample(kind: str, rng: random.Random) -> tuple[str, Decimal]:
    """What is said, and its value."""
    size = rng.randint(1, 9)
    number = rng.randint(1, 10**size)
    if rng.random() < 0.4:
        power = 10 ** rng.randint(0, size)
        number = max(1, number // power * power)
    places = "".join(rng.choices("0123456789", k=rng.randint(1, 4)))
    part = "点" + "".join(DIGITS[int(place)] for place in places)
    if kind == "percent":
        return "百分之" + spelt(number % 1000) + part, Decimal(f"{number % 1000}.{places}")
    if kind == "decimal":
        return spelt(number) + part, Decimal(f"{number}.{places}")
    if kind == "scaled decimal":
        scale = rng.choice("万亿")
        return spelt(number % 10_000) + part + scale, Decimal(f"{number % 10_000}.{places}") * SCALES[scale]
    return spelt(number) + ("" if kind == "bare" else kind), Decimal(number)


def check(kind: str, count: int) -> None:
    rng = random.Random(kind)
    in_words = 0
    for _ in range(count):
        said, meant = sample(kind, rng)
        read = written(said)
        if read == said:
            in_words += 1
        else:
            assert value(read) == meant, (said, read)
            assert re.fullmatch("[0-9.万亿]+[元人%]?", read), (said, read)
    assert in_words < 0.4 * count


@pytest.mark.parametrize("kind", KINDS)
def test_no_random_number_is_changed(kind: str) -> None:
    check(kind, 100)


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_none_of_many_random_numbers_is_changed(kind: str) -> None:
    check(kind, 4000)
