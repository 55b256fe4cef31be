"""How unlikely words and numbers are at a place of a Chinese text: minus the decimal logarithm of their share.

Words have what the dictionary says. Of numbers there are no counts: each digit costs one, and what stands beside a
number makes it more or less likely, by about as much as it is found there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from funasr_cli.text.itn.chinese_codes import CALLED
from funasr_cli.text.itn.chinese_context import counts_others, counts_persons, is_changed, is_measured, is_stated
from funasr_cli.text.itn.chinese_numerals import DIGITS, NUMERALS, SCALES, cardinal, digits
from funasr_cli.text.lexicon import goes_anywhere, is_adjective, is_verb, is_word, surprise

NUMBER = 2.0
"""The cost of a number, beside that of its digits."""

FITTING = -4.0
"""What a measure after a number, or another sign that it ends there, adds to its cost."""

DOUBTFUL = 2.0
"""What is added if a number is not what is expected at its place: 百分之三百万, 十二块五百."""

NUMERAL = 9.0
"""The cost of a numeral that is in no number and in no word."""

AT_ONCE = 2.5
"""The cost of 一 before a verb, as in 一查就知道."""

LONGEST_WORD = 5

MOBILE_DIGITS = 11

_FAMILY = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾田董袁潘蔡蒋余杜叶程苏魏吕丁姚卢姜崔钟谭陆汪范钱"
)
_N, _D = f"[{NUMERALS}]", "[一二三四五六七八九]"

_ADDED = tuple(
    (re.compile(pattern), cost)
    for pattern, cost in (
        ("(?:周|星期|礼拜)[一二三四五六]", 3.5),
        ("[上下本]周[一二三四五六]", 5.5),
        ("大?年三十", 3.0),
        ("初[一二三四五六七八九十]", 4.0),
        (f"(?<!{_N})(?:[五六七八十]一|三八)(?=[一二两三四五六七八九十]+[点号])", 5.0),
        ("(?:五一|六一|十一)(?=小?长?假|放假|期间|黄金周|劳动节|国庆|儿童节)", 2.5),
        ("张三|李四|王五|赵六", 3.5),
        (f"[{_FAMILY}][一二三四五六七八九十](?={_N}+岁)", 3.5),
        (f"[老阿小大高初研]{_D}(?=十{_D}?(?:点|岁|人|名|位|班|个[人男女孩学同]|[日号月]))", 3.5),
        ("双十[一二]", 3.5),
        ("[一二三四]季度", 3.0),
        ("[一二三四五六]期|[两三四五六七八十]大|[一二三]开始|一号[楼线]", 5.0),
        ("[一二三]等(?=[座奖舱品功])", 4.0),
        ("零(?:碳|排放|容忍|增长|距离|首付|关税|事故|风险|添加|缺陷|利率|库存|感染|跑)", 5.0),
        ("找零", 4.0),
        (f"(?<=斤{_D})两", 2.0),
        ("分之", 0.5),
        ("[百千万]分[之点]", 0.0),
        ("十分(?=满意|重视|感谢|关注|接近|喜欢|清楚)", 0.5),
    )
)
"""Words that the dictionary lacks or has too seldom, and what they cost."""

_ANY_ADDED = re.compile("|".join(pattern.pattern for pattern, _ in _ADDED))

_NO_WORD = re.compile("第|十.大|.点半")
"""What the dictionary has for words though it is a number: 第十六位."""

_ROUGH = re.compile(
    f"(?:{_D}?十|[百千万亿])?(?:一[二两]|二三|两三|三四|四五|五六|六七|七八|八九|三五)(?:[十百千万亿]+|$)"
)
_SHORT = re.compile("(.+[百千万亿])" + _D)
_RECENT = re.compile("19|20[0-4]")
_MOBILE = re.compile("1[3-9].{9}")
_BEFORE_MOBILE = re.compile("[1-9]{1,2}(?=1[3-9].{9}$).{11}")
_OF_SHARE = re.compile(f"分之(?:{_N}+(?:点{_N}+)?[到至])?负?(?:{_N}+点)?$")
_OF_UNIT = re.compile(f"{_N}[度块米]$")
_AFTER_UNIT = re.compile("[年月时分元块]$")
_CLOCK = re.compile(f"(?<!{_N})(?:二?十[一二三四]?|二十|[一二两三四五六七八九])点$")
_IN_INDEX = re.compile(f"[百千]{_N}*点$")
_YEAR = re.compile("[学财]?年(?![级华])")
_OLD = re.compile("里(?![面边头程])")
_POINT = re.compile(f"点{_N}")
_TO = re.compile(f"[到至比乘]{_N}")
_DOTTED = re.compile(f"[到至比]{_N}|点{_N}+点|点[A-Za-z]")
_LABEL = {
    3: re.compile("[号室房路次]|[国省县]道|医院"),
    4: re.compile("次列车|次航班|路公交|路车"),
}
_AVERAGE = re.compile("[每均]")  # 平均每户二点六二人
_ALONE = re.compile(f"{_N}?(?!{_N})")


def words(text: str, is_numeral: Sequence[bool]) -> Iterator[tuple[int, int, float]]:
    """Start, end and cost of each word of a clause, and of each character; but not of numbers."""
    for start, char in enumerate(text):
        yield start, start + 1, NUMERAL if is_numeral[start] else surprise(char)
        if not any(is_numeral[max(0, start - LONGEST_WORD) : start + LONGEST_WORD]):
            continue  # no word from here is near enough to a numeral to decide anything
        for end in range(start + 2, min(start + LONGEST_WORD, len(text)) + 1):
            word = text[start:end]
            if is_word(word) and not _is_counted(word, is_numeral[start:end]):
                emphatic = word == "十分" and is_adjective(text[end : end + 2])
                yield start, end, 0.5 if emphatic else surprise(word)
            elif end == start + 2 and word[0] == "一" and is_verb(word[1]) and _is_at_once(word[1], text[end:]):
                yield start, end, AT_ONCE + surprise(word[1])
    for pattern, cost in _ADDED if _ANY_ADDED.search(text) else ():
        for match in pattern.finditer(text):
            yield *match.span(), cost


def _is_at_once(verb: str, after: str) -> bool:
    return after.startswith(("就", "便")) or not goes_anywhere(verb)


def _is_counted(word: str, is_numeral: Sequence[bool]) -> bool:
    """Whether a word of the dictionary is a number, or one with its measure: 三百, 亿元."""
    return (
        all(is_numeral[:2])
        or bool(_NO_WORD.match(word))
        or word == "千米"
        or (word[0] in "万亿" and is_measured(word[1:]))
    )


def fraction_cost(spoken: str, before: str, after: str) -> float | None:
    """The cost of digits after 点, or after 度, 块 or 米: 一四一五九, 五亿; None for anything else."""
    bare = spoken if before[-1] != "点" else spoken.rstrip("百千万亿")
    if not digits(bare).isdigit() or "两" in bare:
        return None
    cost = len(bare) + (3.5 if bare.endswith("零") and after else 0.0)
    if before[-1] != "点":
        return cost + (0.0 if len(bare) == 1 else _end_cost(spoken, after))
    if _OF_SHARE.search(before):
        fits = after.startswith("个百分点")
    else:
        counts_days = after.startswith(("月", "号", "日")) or (
            len(bare) > 1 and counts_persons(after) and not _AVERAGE.search(before)
        )
        fits = (
            (_counts(spoken, after) and not counts_days)
            or after.startswith(("刻", "分"))
            or bool(_POINT.match(after) or _TO.match(after))
        )
        fits = fits or (after.startswith("点") and bool(_IN_INDEX.search(before)))
    return cost + (FITTING if fits else _end_cost(spoken, after))


def number_cost(spoken: str, before: str, after: str, is_first: bool = True) -> float | None:
    """The cost of a number, a code, a year or a rough number; None for anything else.

    `is_first`: no other numeral stands before it.
    """
    plain = digits(spoken)
    cost = NUMBER + sum(char in DIGITS for char in spoken) + spoken.startswith("十")
    if is_first and len(spoken) > 1:
        if spoken[0] == "零" and _AFTER_UNIT.search(before):  # 三年零六个月
            spoken = spoken[1:]
            plain = digits(spoken)
        elif _ROUGH.fullmatch(spoken):
            return cost + (FITTING if is_measured(after) or after.startswith(("到", "至")) else 0.0)
    if len(spoken) > 1 and plain.isdigit():
        return None if "两" in spoken else cost + _code_cost(plain, spoken, before, after)
    value = cardinal(spoken)
    if value is not None and value >= 10 and counts_others(before, after):
        return cost + _end_cost(spoken, after)
    if value is not None:
        return cost + _place_cost(value, spoken, before, after)
    short = _SHORT.fullmatch(spoken)
    return cost + 0.5 + _end_cost(spoken, after) if short and cardinal(short[1]) is not None else None


def _counts(spoken: str, after: str) -> bool:
    """Whether a measure comes next, and neither 三季度 nor 一度 (once) with its verb."""
    if (
        after.startswith("季度")
        or (spoken[-1] == "一" and after == "起")
        or (spoken[-1] == "一" and after[:1] in tuple("度路道块面") and is_verb(after[1:3]))
    ):
        return False
    return is_measured(after) or bool(_OLD.match(after))


def _end_cost(spoken: str, after: str) -> float:
    """What is added for a number that no measure ends: its last digit may be the first of the next word."""
    if not after or spoken[-1] in "万亿" or after[0] in NUMERALS:
        return 0.0
    if spoken[-1] == "一" and after == "起":
        return -1.0  # so many cases, or together
    is_odd = not goes_anywhere(after[0]) and not any(is_word(after[:end]) for end in (2, 3, 4))
    return 3.0 if is_odd else 1.5


def _code_cost(plain: str, spoken: str, before: str, after: str) -> float:
    """What is added for single digits: years and telephone numbers are known by their length, rooms by what follows."""
    length = len(plain)
    if _YEAR.match(after) and "幺" not in spoken and not _OF_SHARE.search(before) and not _OF_UNIT.search(before):
        if length == 4:
            century, year = int(plain[:2]), int(plain[2:])
            return -6.0 if century in (19, 20) or (10 <= century <= 21 and year - century != 1) else 0.0
        return FITTING if length in (2, 3) else DOUBTFUL
    if _MOBILE.fullmatch(plain):
        return -3.0
    is_called = bool(CALLED.search(before[-4:]))
    if is_before_mobile(plain) and not is_called:
        return DOUBTFUL
    if _DOTTED.match(after):
        return -2.0
    if _RECENT.match(plain) and length in (4, 5) and _ALONE.match(after) and not is_called:
        return -1.5 if length == 4 else 2.0 + _end_cost(spoken, after)
    if length > 3 and after.startswith("号"):
        return -1.5 if is_called else 0.0
    if (length in _LABEL and _LABEL[length].match(after)) or (length == 2 and after.startswith("后")):
        return -1.5
    if length > 2 and before and before[-1].isascii():
        return 0.5
    usual = 0.5 if length == 2 else -1.0 if is_called and length > 2 else 0.0
    return usual + _end_cost(spoken, after)


def is_before_mobile(plain: str) -> bool:
    """Whether the first of these digits may be part of a word before a telephone number: 张三|一三八零零一三八零零零."""
    return bool(_BEFORE_MOBILE.fullmatch(plain))


def _place_cost(value: int, spoken: str, before: str, after: str) -> float:
    """What is added for a well-formed number by what stands beside it."""
    if _OF_SHARE.search(before):
        if not {"万", "亿"}.isdisjoint(spoken):
            return 2 * DOUBTFUL
        fits = bool(_POINT.match(after) or _TO.match(after)) or after.startswith("个百分点")
        if not fits and (is_measured(after) or not {"百", "千"}.isdisjoint(spoken)):
            return DOUBTFUL
    elif _TO.match(after) or after.startswith("分之"):
        fits = True
    elif _OF_UNIT.search(before):
        return 0.0 if len(spoken) == 1 else 1.5 * DOUBTFUL
    elif after.startswith("点"):
        fits = value <= 24 or bool(_POINT.match(after)) or is_changed(before) or (value > 99 and is_stated(before))
    elif value >= 10 and _CLOCK.search(before):
        fits = not after or after[0] in "分到至"
    elif after.startswith("月"):
        fits = 1 <= value <= 12
    elif after.startswith("时"):
        fits = value <= 24
    else:
        fits = bool(value) and (
            _counts(spoken, after) or after[:1] == "分" or (after[:1] in tuple("多余强") and spoken[-1] in SCALES)
        )
    return FITTING if fits else _end_cost(spoken, after)
