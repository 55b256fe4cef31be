"""Context that shows what a Chinese number is: a measure word, a verb, a time of day."""

from __future__ import annotations

import re

from funasr_cli.text.itn.chinese_numerals import HIDDEN

_OTHERWISE = {
    "个": "别性体", "天": "气下然空津", "日": "本常程益", "号": "称召角", "名": "义字额单誉", "位": "于置",
    "人": "类生均才", "口": "号头碑岸气味", "家": "庭长乡园", "条": "件例", "种": "子植", "类": "似", "次": "日要",
    "层": "次级", "章": "程", "节": "约目日能奏点气俭", "回": "来去家答应顾到复归头", "集": "团中体合市结会成聚资训装",
    "期": "间限望待货末中初盼许", "批": "评准发示复判", "台": "湾风词阶", "架": "构", "座": "谈右", "套": "路餐",
    "间": "接隔", "所": "以有谓在属需得说", "处": "理于罚置分在长境", "只": "有是要能好会不", "根": "据本源治",
    "块": "链", "元": "旦素首宵月", "角": "度色落逐", "部": "分门队长署委", "首": "先席都次要脑相批府发飞映播轮",
    "场": "景合所面地馆", "轮": "流船胎到", "股": "票份市东权价", "国": "庆家内际务民有外企产", "村": "民委",
    "市": "民场", "县": "委", "级": "别", "度": "过", "例": "如外行子", "份": "额", "组": "织成合建", "笔": "记者",
    "对": "于外方面应象口策照比", "门": "类槛口户诊", "列": "车为入出", "宗": "旨教", "转": "变型向为移化入换",
    "包": "括含裹容围", "桶": "装", "升": "级高至到温值", "周": "边围末期转", "秒": "杀", "米": "饭", "头": "脑",
    "本": "来身地人国市报着质应领月年", "遍": "布及地", "款": "式项待",
    "支": "付持出援撑柱配", "项": "目链", "幅": "度", "票": "据价面房务号源证友", "楼": "盘市道梯房",
}  # fmt: skip
"""Characters that are measure words except in these words: 三十期, but not 三十期间."""

_COUNTED = (
    *(measure + f"(?![{begun}])" for measure, begun in _OTHERWISE.items()),
    "[年月岁户件倍页辆艘栋头匹棵颗粒张片枚篇省吨克亩瓦伏毫厘株箱盒瓶袋杯桩斤册卷趟]|微[克升秒]|公[里斤顷分]|[纳微]米|平[方米]|立方|千[瓦克米伏]",
    r"起(?=$|\W|案|事[件故]|[刑民]事|行政|交通|火灾|诈骗|盗窃|纠纷|投诉|举报|警情|违[法规章])",
    "[兆吉][瓦赫]|兆帕|英[寸尺里亩镑]|小时|分钟|点钟|星期|季度|世纪|赫兹|摄氏|盎司|[千兆吉]?字节|比特|像素|分贝|[美欧日港]元|百分点|基点|国际单位",
)
_MEASURE = re.compile("|".join(_COUNTED))

_EXACT = re.compile("个百分点|公[里斤顷]|[毫厘纳微]米|千[瓦克米伏]|兆瓦|吉瓦|平方公?[里米]|立方米|摄氏度|[美欧]元|英镑")

TIME_OF_DAY = "凌晨|清晨|早晨|早上|上午|中午|下午|傍晚|晚上|夜里|今早|今晚|明早|明晚|昨晚|当晚"
"""An expression for the words that make 三点 a time."""

_DAY = re.compile(f"(?:[今明昨后前当]天|[日号]|(?:周|星期)[一二三四五六日天{HIDDEN}]|时间)$")
_EVENT = re.compile("出发|发车|开车|起飞|到[达站]|抵达|降落|开[会始幕赛盘]|举行|集合|起床|[上下][班课]|见面?|结束|截止")

_CHANGED = re.compile("(?<!强)[调高低涨跌升降增减长加少缩扩差][了约近至到为]{0,2}$|[达得超破逾]到?$|[得评打]分$")
_STATED = re.compile("(?:[为是约近报至仅共计满足过]|[数量额值率比]|[收位]于)$")


_QUANTITY = re.compile(
    "(?:得票数?|总?分数?|[得评均]分|[血高低水气油电]压|[体气水油]温|温度|水位|[价油房股电]价|价格|[均单总售]价|指数|利率|汇率|血糖|心率|体重|身高"
    "|编号|房间|会议室|速度|时速|转速|频率|人均|户均)[达升降涨跌高低是为到至近约]{0,2}$"
)
_NUMBERED = re.compile("(?:编号|房间|会议室).{0,2}$")
_PERSONS = re.compile("[人位名户](?!次)|个人|家(?![企公])")


def is_measured(after: str) -> bool:
    """Whether `after` begins with what is counted or with "more than": the number gets figures."""
    return bool(_MEASURE.match(after, 1 if after.startswith(("多", "余")) else 0))


def counts_persons(after: str) -> bool:
    """Whether `after` counts people or households, which have no fractions."""
    return bool(_PERSONS.match(after))


def counts_others(before: str, after: str) -> bool:
    """Whether `after` counts people, but `before` ends with what has no people: 总分六百五十|七位同学."""
    counts = counts_persons(after) or (after.startswith("号") and not _NUMBERED.search(before[-6:]))
    return counts and bool(_QUANTITY.search(before[-6:]))


def is_exact(after: str) -> bool:
    """Whether `after` begins with a measure word that gives figures even to a number below ten."""
    return bool(_EXACT.match(after))


def is_changed(before: str) -> bool:
    """Whether `before` ends with a rise or fall to or by a number: 上调, 降至."""
    return bool(_CHANGED.search(before[-4:]))


def is_stated(before: str) -> bool:
    """Whether `before` ends with a word that introduces a figure: 约, 为, 突破, 人数."""
    return is_changed(before) or bool(_STATED.search(before[-4:]))


def is_scheduled(before: str, after: str) -> bool:
    """Whether a number is a time because of a day before it or an event after it."""
    return bool(_DAY.search(before[-4:]) or _EVENT.match(after))
