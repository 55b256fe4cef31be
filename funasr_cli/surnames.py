"""Chinese surnames, in simplified characters."""

from __future__ import annotations

import re

SURNAMES = frozenset(
    "王李张刘陈杨黄赵吴周徐孙马朱胡郭何高林罗郑梁谢宋唐许韩冯邓曹彭曾肖田董袁潘于蒋蔡余杜叶程苏魏吕丁任沈姚卢姜崔钟谭陆汪范"
    "金石廖贾夏韦付方邹孟熊秦邱江尹薛闫段雷侯龙史陶黎贺顾毛郝龚邵万钱严覃武戴莫孔汤温康施文牛樊葛邢安齐易乔伍庞颜倪庄聂章鲁岳"
    "翟殷詹申欧耿关兰焦俞左柳甘祝包宁尚符舒阮柯纪梅童凌毕单季裴霍涂苗谷盛曲翁冉骆路游辛靳管柴蒙鲍喻祁蒲房屈饶牟艾尤穆司卓吉"
    "缪项芦麦褚娄窦岑景党费卜冷晏席卫米柏宗瞿桂佟应臧闵苟邬卞姬师仇栾隋商刁沙荣寇甄丛仲虞敖巩佘池查苑邝向解朴区万俟"
)
"""The surnames of 95 % of people, except those that are also common function words: 和, 时, 成, 白."""

COMPOUND_SURNAMES = frozenset(
    re.findall("..", "欧阳上官司马诸葛尉迟万俟夏侯皇甫令狐慕容司徒长孙宇文公孙端木东方独孤轩辕")
)
