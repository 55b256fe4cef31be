"""Numbers said digit by digit or next to Latin letters: telephone numbers, rooms, versions, trains, models."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

from funasr_cli.text.itn.chinese_context import is_measured
from funasr_cli.text.itn.chinese_dates import Span
from funasr_cli.text.itn.chinese_numerals import NUMERALS, cardinal, digits

_N = f"[{NUMERALS}]"
_D = "[零〇一二三四五六七八九幺]"

DOTTED = re.compile(f"(?<![{NUMERALS}点])({_N}+(?:点{_N}+){{2,3}})(?![{NUMERALS}点分])")
LETTERED = re.compile(f"(?<![A-Za-z])([A-Z]{{1,2}})({_N}+)(?:点({_D}+)(?!{_N}))?")
GRADED = re.compile(f"(?<![{NUMERALS}第周期拜几点])({_N}+)(?=(?:[GKDPT]|S店|A级|A景区)(?![A-Za-z0-9歌图恤党]))")
CALL_SIGN = re.compile("(?:(?<=呼叫)|(?<=我是)|(?<=代号)|(?<=航向)|(?<=频率)|(?<=这里是))[洞幺两三四五六拐八勾]{2,}")

CALLED = re.compile(
    "(?:拨打?|致电|电话|热线|号码?|[密编证代条]码|邮编|车次|分机|会议室|房间|航班|[国南东海]航|国道|波音|空客|[民刑行][初终再申]|执[恢保异]?)[是为]?$"
)
SWITCH = re.compile("开关|[刀地][闸刀]|断路器|隔离|母线|线路|接地")
"""Equipment that is called by a number in the control of a power grid."""

_LABEL = re.compile("[国省县]道|医院|[次路](?=列车|公交|车)|房间|室")
_COURT = re.compile("[民刑行](?:初|终|再|申)|执[恢保异]?[零一二三四五六七八九]")
_RADIO = str.maketrans("洞幺两三四五六拐八勾", "0123456789")


def _plain(spoken: str) -> str | None:
    """Return digits as spoken, or a number; None for 两, which is only used for counting."""
    if "两" in spoken:
        return None
    plain, value = digits(spoken), cardinal(spoken)
    return plain if plain.isdigit() else None if value is None else str(value)


def dotted(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write 一九二点一六八点一点一 in figures; three parts need 版本, 升级到 or a letter before them."""
    parts = match[1].split("点")
    values = [plain for part in parts if (plain := _plain(part)) and len(plain) < 4]
    is_version = re.search("版本?[是为号]?$|升级[到为]$|[A-Za-z]$", match.string[: match.start()])
    if len(values) == len(parts) and (len(parts) > 3 or is_version):
        yield match.span(), ".".join(values)


def lettered(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write B十二, C九一九 and PM二点五 in figures; a single digit only if it does not count: B六, not A三个."""
    spoken, part = match[2], match[3]
    after = match.string[match.end() :]
    plain = _plain(spoken)
    if plain is None or after.startswith(("分之", "点", "几", "多", "来")):
        return
    if "十" in spoken[1:] and is_measured(after) and not _LABEL.match(after):
        return  # B二十五个人: 25 people in B, or 15 in B2
    if not {"万", "亿"}.isdisjoint(spoken) or (
        len(match[1]) > 1 and match[1] != "PM" and not part and not digits(spoken).isdigit()
    ):
        return
    if (
        len(spoken) == 1
        and not part
        and match[1] != "PM"
        and not (match.string.endswith("维生素", 0, match.start()) and not is_measured(after))
        and re.match(r"\w", after)
        and not re.match("[A-Z和与或及是的型纸]|禽?流感|病毒|高速|[国省县]道", after)
    ):
        return
    yield (match.start(2), match.end()), f"{plain}.{digits(part)}" if part else plain


def graded(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write 五G, 四K, 一零八零P and 四S店 in figures."""
    if (plain := _plain(match[1])) is not None:
        yield match.span(1), plain


def call_sign(match: re.Match[str]) -> Iterator[tuple[Span, str]]:
    """Write 洞拐两, the digits of radio operators, in figures."""
    yield match.span(), match[0].translate(_RADIO)


def is_code(spoken: str, before: str, after: str) -> bool:
    """Whether single digits are a telephone number, a room or a year; not 三五, 一二三四五 or 九一八."""
    plain = digits(spoken)
    if not plain.isdigit() or "两" in spoken:
        return False
    if len(plain) == 2:
        return (plain[1] in "05" and after.startswith("后")) or bool(_COURT.match(after))  # 九零后, 京零一民终
    if len(plain) >= 3 and (CALLED.search(before[-4:]) or after.startswith("热线")):
        return True
    if (len(plain) == 3 and _LABEL.match(after)) or (len(plain) >= 3 and SWITCH.match(after)):
        return True
    steps = {int(b) - int(a) for a, b in pairwise(plain)}
    if steps in ({1}, {-1}, {0}):
        return False
    return len(plain) >= 5 or (len(plain) >= 3 and not set("幺零〇").isdisjoint(spoken))
