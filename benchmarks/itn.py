"""Accuracy of numbers in figures: by our rules, and by wetext.

    pip install wetext
    python benchmarks/itn.py [--show]

benchmarks/itn.tsv lists spoken sentences and all acceptable spellings. `right`: spelt in one of these ways. `harmed`:
sentences that must not change, but did. wetext runs unaided, and with our set phrases kept from it. A different
notation is not an error: see `normalised`. --show prints the errors.
"""

from __future__ import annotations

import re
import time
import unicodedata
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path
from typing import TypeAlias

from smoke import CommandLines, is_installed, parser_of, run_benchmark

from funasr_cli.text.itn.exceptions import protecting
from funasr_cli.text.itn.normaliser import NumberWriter
from funasr_cli.transcript import Token

Writer: TypeAlias = Callable[[str], str]

SENTENCES = Path(__file__).with_name("itn.tsv")

NOTATIONS = (
    (r"(?<=\d),(?=\d{3})", ""),  # 38,989
    (r"(\d{4})/0?(\d+)/0?(\d+)", r"\1年\2月\3日"),  # 2024/03/05
    (r"(?<!\d)0?(\d{1,2})/0?(\d{1,2})(?=至|到|$)", r"\1月\2日"),  # 08/23
    (r"(\d+):30 ?p\.m\.", r"下午\1点半"),  # 3:30p.m.
    (r"(\d+):(\d\d) ?a\.m\.", r"上午\1点\2分"),
    (r"(?<=\d)点(\d\d)分?(?!\d)", r":\1"),  # 14点35分, 14:35
    (r"¥(\d[\d.]*)", r"\1元"),
    (r"\$(\d[\d.]*(?: [mb]illion)?)", r"\1美元"),
    (r"(\d+)元(\d)角", r"\1.\2元"),  # 120元5角
    (r"(\d[\d.]*)(%?)[~至到](\d[\d.]*)(%?)", r"\1\4到\3\4"),  # 4~5%
    (r"(\d) %", r"\1%"),
    (r"(?<![\d.])\.(\d)", r"0.\1"),  # .5
    ("±", "正负"),
    (r"(?<=\d)(?:st|nd|rd|th)\b", ""),  # March 5th
    (r"(?<=\d)[ -](?=\d)", ""),  # 800-555-1212
)
UNITS = {
    "mkwh": "百万千瓦时", "wkw": "万千瓦", "mkw": "百万千瓦", "kwh": "千瓦时", "kw": "千瓦", "mw": "兆瓦", "kv": "千伏",
    "km/h": "公里每小时", "wkm": "万公里", "km2": "平方公里", "km": "公里", "mm3": "百万立方米", "m3": "立方米",
    "mm": "毫米", "nm": "纳米", "m": "米", "kg": "公斤", "g": "克", "μg": "微克", "gb": "吉字节", "min": "分钟",
    "ms": "毫秒", "h": "小时", "hz": "赫兹", "ghz": "吉赫", "mpa": "兆帕", "rpm": "转每分", "°c": "摄氏度", "°": "度",
    "v": "伏", "kilometers": "公里", "square kilometers": "平方公里", "megawatts": "兆瓦", "nanometer": "纳米",
    "gigabytes": "吉字节", "volts": "伏", "gigawatts": "吉瓦", "gw": "吉瓦",
}  # fmt: skip
SCALES = {"百万": 10**6, "万": 10**4, "亿": 10**8, " million": 10**6, " billion": 10**9}


def normalised(text: str) -> str:
    """Return `text` without differences of notation, such as dates, times, ranges, signs, units and large numbers."""
    text = unicodedata.normalize("NFKC", text).casefold()
    for pattern, plain in NOTATIONS:
        text = re.sub(pattern, plain, text)
    for unit, plain in sorted(UNITS.items(), key=lambda pair: -len(pair[0])):
        text = re.sub(rf"(?<=\d) ?{re.escape(unit)}(?![a-z])", plain, text)
    return re.sub(r"(?:\d[\d.]*(?:百万|万|亿| million| billion)*)+", _value, text).replace(" ", "")


def _value(match: re.Match[str]) -> str:
    """Make 1亿5000万, 150000000 and 1.5亿 equal, and keep a telephone number."""
    if match[0].isdigit():
        return match[0]
    total = Decimal(0)
    for figures, scales in re.findall(r"(\d+(?:\.\d+)?)((?:百万|万|亿| million| billion)*)", match[0]):
        value = Decimal(figures)
        for scale in re.findall("|".join(sorted(SCALES, key=len, reverse=True)), scales):
            value *= SCALES[scale]
        total += value
    return f"{total.normalize():f}"


@dataclass(frozen=True, slots=True)
class Sentence:
    """A spoken sentence, and its acceptable spellings."""

    said: str
    ways: tuple[str, ...]

    @property
    def stays(self) -> bool:
        return self.ways == (self.said,)

    def is_right(self, written: str) -> bool:
        return normalised(written) in map(normalised, self.ways)


def read_sentences() -> dict[str, list[Sentence]]:
    """Return the sentences of each part of the table, Chinese and English separately."""
    parts: dict[str, list[Sentence]] = {}
    name = ""
    for line in SENTENCES.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            name = line.removeprefix("# ")
            continue
        said, ways = line.split("\t")
        language = "English" if said.isascii() else "Chinese"
        sentence = Sentence(said, tuple(said if way == "=" else way for way in ways.split("|")))
        parts.setdefault(f"{language}, {name}", []).append(sentence)
    return parts


def ours() -> Writer:
    writer = NumberWriter()

    def write(said: str) -> str:
        pieces = [f" {word}" for word in said.split()] if said.isascii() else said
        tokens = [Token(piece, at / 5, at / 5 + 0.2, 0.9) for at, piece in enumerate(pieces)]
        return "".join(token.text for token in writer.write(tokens)).strip()

    return write


def wetext() -> Writer:
    from wetext import Normalizer

    chinese, english = (Normalizer(lang=language, operator="itn") for language in ("zh", "en"))
    return lambda said: (english if said.isascii() else chinese).normalize(said)


def wetext_without_phrases() -> Writer:
    write, protected = wetext(), protecting(())

    def kept(said: str) -> str:
        written, at = "", 0
        for match in protected.finditer(said):
            between = said[at : match.start()]
            written += (write(between) if between else "") + match[0]
            at = match.end()
        return written + (write(said[at:]) if said[at:] else "")

    return kept


OURS = {"our rules": ours}
WETEXT = {"wetext": wetext, "wetext, our set phrases kept": wetext_without_phrases}


def main(command_line: Sequence[str]) -> None:
    parser = parser_of(__doc__)
    parser.add_argument("--show", action="store_true", help="print the errors")
    show = parser.parse_args(command_line).show
    writers = OURS | (WETEXT if is_installed("wetext") else {})
    parts = read_sentences()
    print("| sentences | written by | right | harmed, of those that must stay | ms a sentence |")
    print("|---|---|---|---|---|")
    for part, sentences in parts.items():
        for name, make in writers.items():
            write = make()
            write(sentences[0].said)  # load everything first
            start = time.perf_counter()
            written = [write(sentence.said) for sentence in sentences]
            taken = (time.perf_counter() - start) / len(sentences) * 1000
            wrong = [pair for pair in zip(sentences, written, strict=True) if not pair[0].is_right(pair[1])]
            right, harmed = len(sentences) - len(wrong), sum(sentence.stays for sentence, _ in wrong)
            stay = sum(sentence.stays for sentence in sentences)
            print(f"| {part} | {name} | {right} of {len(sentences)} | {harmed} of {stay} | {taken:.1f} |")
            if show:
                for sentence, text in wrong:
                    print(f"    {sentence.said} → {text}")


def smoke(folder: Path) -> CommandLines:
    yield ("--show",)


if __name__ == "__main__":
    run_benchmark(main, smoke)
