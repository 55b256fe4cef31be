"""The words of a Chinese clause that may contain numerals, and how unlikely they are.

A cost is minus the decimal logarithm of a word's share of the dictionary's corpus.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence

from funasr_cli.lexicon import goes_anywhere, is_adjective, is_verb, is_word, surprise
from funasr_cli.text.itn.chinese_context import is_measured
from funasr_cli.text.itn.chinese_numerals import NUMERALS

NUMERAL = 9.0
"""The cost of a numeral that belongs neither to a number nor to a word."""

AT_ONCE = 2.5
"""The cost of 一 before a verb, as in 一查就知道."""

LONGEST_WORD = 5

_FAMILY = (
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何林罗郑梁谢宋唐许韩冯邓曹彭曾田董袁潘蔡蒋余杜叶程苏魏吕丁姚卢姜崔钟谭陆汪范钱"
)
"""Surnames that are not part of an ordinary word before a number."""

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
        (f"[老阿]{_D}(?=十)", 3.5),
        (f"[小大高初研]{_D}(?=十{_D}?(?:点|岁|人|名|位|班|个|[日号月]))", 3.5),
        ("双十[一二]", 3.5),
        ("[一二三四]季度", 3.0),
        ("[一二三四五六]期|[两三四五六七八十]大|[一二三]开始|一号[楼线]", 5.0),
        ("[一二三]等(?=[座奖舱品功])", 4.0),
        ("零(?:碳|排放|容忍|增长|距离|首付|关税|事故|风险|添加|缺陷|利率|库存|感染|跑)", 5.0),
        ("找零", 4.0),
        ("千里(?:之[行外堤]|江山|迢迢|冰封)|万里(?:长[城征江空]|江山|无云)", 4.5),
        (f"(?<=斤{_D})两", 2.0),
        ("分之", 0.5),
        ("[百千万]分[之点]", 0.0),
        ("十分(?=满意|重视|感谢|关注|接近|喜欢|清楚)", 0.5),
    )
)
"""Words that the dictionary lacks or counts too low, and their costs."""

_ANY_ADDED = re.compile("|".join(pattern.pattern for pattern, _ in _ADDED))

_NO_WORD = re.compile("第|十.大|.点半")
"""Words of the dictionary that are numbers: 第十六位."""


def words(text: str, is_numeral: Sequence[bool]) -> Iterator[tuple[int, int, float]]:
    """Yield start, end and cost of each word and each character of a clause, but not of numbers."""
    for start, char in enumerate(text):
        yield start, start + 1, NUMERAL if is_numeral[start] else surprise(char)
        if not any(is_numeral[max(0, start - LONGEST_WORD) : start + LONGEST_WORD]):
            continue  # too far from any numeral to decide anything
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
    """Whether a word of the dictionary is a number, or a number with its measure word: 三百, 亿元."""
    return (
        all(is_numeral[:2])
        or bool(_NO_WORD.match(word))
        or word == "千米"
        or (word[0] in "万亿" and is_measured(word[1:]))
    )
