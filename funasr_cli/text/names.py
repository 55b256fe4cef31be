"""Names of people: what may be one, by its surname."""

from __future__ import annotations

import re

from funasr_cli.text.lexicon import cut, is_word, person

SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付方邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳"
    "翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂苗谷盛曲翁冉骆路游辛靳管柴蒙鲍喻祁蒲房屈饶牟艾尤穆司卓吉"
    "缪项芦麦褚娄窦岑景党费卜冷晏席卫米柏宗瞿桂佟应臧闵苟邬卞姬师仇栾隋商刁沙荣寇甄丛仲虞敖巩佘池查苑邝向解朴区万俟"
)
"""Those of nineteen people in twenty, without what stands between any two words: 和, 时, 成, 白."""

COMPOUND_SURNAMES = frozenset(
    re.findall("..", "欧阳上官司马诸葛尉迟万俟夏侯皇甫令狐慕容司徒长孙宇文公孙端木东方独孤轩辕")
)

FAMILIAR = ("老", "小", "阿")
"""What stands in front of the surnames of people whom one knows well."""

_TITLED = re.compile(
    "(?:先生|女士|小姐|太太|主任|部长|局长|处长|科长|厅长|院长|校长|省长|市长|县长|会长|董事长|书记|秘书长|老师|教授|博士|医生|大夫"
    "|律师|法官|检察官|警官|同志|老板|经理|总(?=经理|裁|监)|委员|队长|工程师|师傅|阿姨|叔叔|某|氏)"
)


def is_name(word: str) -> bool:
    """Whether a word of a list, in simplified characters, is probably a person's name and not an ordinary word."""
    if not 2 <= len(word) <= 4 or not (word[0] in SURNAMES or word[:2] in COMPOUND_SURNAMES):
        return False
    if is_word(word):
        return person(word)
    return cut(word)[0][1] <= 1 + (word[:2] in COMPOUND_SURNAMES)


def begins_name(text: str, at: int) -> bool:
    """Whether a surname in simplified text is one there: with a title, as 老余, or with the rest of a name."""
    start, end = next((start, end) for start, end in cut(text) if end > at)
    if start != at:
        return False
    if end > at + 1:
        return end >= at + 3 and person(text[at:end])
    familiar = text[at - 1 : at] in FAMILIAR and text[at - 1 : at + 1] != "小于"
    return bool(familiar or _TITLED.match(text, end)) or any(person(text[at : at + count]) for count in (2, 3))
