"""Words and phrases that stay in characters, whatever numbers they contain."""

from __future__ import annotations

import re
from collections.abc import Iterable

from funasr_cli.text.itn.chinese_numerals import NUMERALS
from funasr_cli.text.itn.english_numerals import NUMBER_WORDS
from funasr_cli.text.script import simplified
from funasr_cli.unicode_ranges import is_chinese

_N, _D = f"[{NUMERALS}]", "[一二三四五六七八九]"

PATTERNS = (
    f"(?<!{_N})二?十{_D}?大(?!多|约|概|于)",  # 二十大精神, 十大品牌
    f"第?{_N}+届",  # 十一届三中全会, 第二十届中央委员会
    f"{_D}中全会",
    f"第{_N}+个五年(?=规划|计划)",
    f"十{_D}?五(?=规划|计划|纲要|期间|时期|以来|开局|收官)",
    f"(?:正月|腊月|冬月|农历{_N}+月)[初十廿]?{_N}+",
    f"路易{_N}+|亨利{_N}+|查理{_N}+|本笃{_N}+|国{_N}+条",
    f"数以{_N}+计",
    "十一(?=国庆|期间|黄金周|小?长假|假[期日]|当[天日]|前后|出[行游]|档)",
    "(?<![得扣记罚打加满了])十二万?分(?=[的地]|感[谢激]|小心|高兴|满意|注意|重视|认真|努力)",
    f"(?:神舟|嫦娥|天[舟宫问]|长征|北斗|东方红|风云|阿波罗|探月){_N}+号",
    f"{_N}+国(?=集团|峰会|领导人)",
)
"""Regular expressions for party congresses, five-year plans, days of the lunar calendar, kings and feasts."""

PHRASES = (
    "双十一 双十二 十月革命 二万五千里长征 两万五千里长征 八百里 二十四节气 三百六十行 十八层地狱",
    "两个一百年 第一个一百年 第二个一百年 十月社会主义革命 十二月党人 十一月革命 十月围城 基本路线要管一百年",
    "一百单八将 一百零八将 一千零一夜 十万个为什么 十万火急 十万八千里 十万大山 三千烦恼丝 三千世界 弱水三千",
    "三千宠爱 千儿八百 万儿八千 正经八百 不怕一万 怕一万 一千道一万 一百个不 一百个放心 一万个不 一万个放心",
    "一万年太久 一千个读者 一千个哈姆雷特 三十年河东 三十年河西 三十年媳妇 十年树木 十年寒窗 十年磨一剑 十年如一日",
    "十年生死 十年浩劫 十年动乱 十年一觉 二十年后又是一条好汉 二十年目睹之怪现状 十月怀胎 五代十国 十天半个月",
    "十天半月 十个手指 十个指头 七零八落 七零八碎 五百年前是一家 五百年必有王者兴",
    "五百罗汉 三百勇士 三千弟子 三千佳丽 唐诗三百首 宋词三百首 诗三百 三百篇 九八五二一一 十里洋场 十五个吊桶 十日谈",
    "十二生肖 十二属相 十二指肠 十二时辰 十二个时辰 十二地支 十二道金牌 十二金钗 十八罗汉 十八般武艺 二十四孝 二十四史",
    "二十八宿 三十六计 七十二变 七十二家房客 七十二行 一百零一次求婚 八十天环游地球 十二怒汉 四十二章经",
    "四十大盗 九十五条论纲 九流十家 五零二落 五零四散 十口相传 十年内乱 十年磨剑 十年读书 十日并出 十转九空 声价十倍",
    "身价十倍 十六国 十年九不遇 十年九旱 胜读十年书 发昏章第十一 八万四千法门 十月文艺 十年怕井绳 一饮三百杯 七零八散",
)
"""Goals, movements, titles and idioms that would otherwise get figures."""


_MAY_HAVE_NUMBER = re.compile(f"[{NUMERALS}萬億兩韆]|\\b(?:{'|'.join(sorted(NUMBER_WORDS))})\\b", re.IGNORECASE)


def protecting(words: Iterable[str]) -> re.Pattern[str]:
    """Compile a pattern that finds, in simplified text, all these phrases and those of `words` that have a number.

    `words` may be in any script.
    """
    found = filter(_MAY_HAVE_NUMBER.search, words)
    numeric = {form for word in found for form in (word, simplified(word) if is_chinese(word) else word)}
    whole = map(_whole, sorted({*" ".join(PHRASES).split(), *numeric}, key=len, reverse=True))
    return re.compile("|".join([*whole, *PATTERNS]), re.IGNORECASE)


def _whole(phrase: str) -> str:
    """Return an expression for `phrase`, unless it is part of a longer number."""
    before, after = (f"(?<!{_N})" if phrase[0] in NUMERALS else ""), (f"(?!{_N})" if phrase[-1] in NUMERALS else "")
    return before + re.escape(phrase) + after
