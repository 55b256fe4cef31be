"""Hotwords that were understood as other characters of the same sound, and words that only sound like one."""

from __future__ import annotations

import math
from dataclasses import replace

import pytest

from funasr_cli.hotwords import Hotword
from funasr_cli.lexicon import cut, surprise, total_surprise
from funasr_cli.text.hotword_correction import Corrector
from funasr_cli.text.options import Strength
from funasr_cli.text.script import simplified
from funasr_cli.text.sound_index import SoundIndex
from funasr_cli.transcript import Correction, Token

SURE, UNSURE = 0.9, 0.4


def spoken(text: str, confidence: float = SURE) -> list[Token]:
    """A token of 0.2 s for each character; a space in the text is a pause of a second."""
    tokens, at = [], 0.0
    for char in text:
        if char == " ":
            at += 1.0
        else:
            tokens.append(Token(char, at, at + 0.2, confidence))
            at += 0.2
    return tokens


def corrected(text: str, *hotwords: str, confidence: float = SURE, strength: Strength = "safe") -> str:
    tokens, _ = Corrector([Hotword(word) for word in hotwords], strength).correct(spoken(text, confidence))
    return "".join(token.text for token in tokens)


@pytest.mark.parametrize(
    ("hotword", "heard", "meant"),
    [
        ("新发展格局", "我们要加快构建心发展隔局", "我们要加快构建新发展格局"),
        ("十四五规划", "按照十四五归划的要求", "按照十四五规划的要求"),
        ("乡村振兴", "全面推进乡村振新战略", "全面推进乡村振兴战略"),
        ("脱贫攻坚", "打赢脱贫工坚战", "打赢脱贫攻坚战"),
        ("高质量发展", "推动高质量发站取得新成效", "推动高质量发展取得新成效"),
        ("新质生产力", "因地制宜发展新制生产力", "因地制宜发展新质生产力"),
        ("共同富裕", "扎实推进共同富域", "扎实推进共同富裕"),
        ("供给侧结构性改革", "深化供给侧结构性该革", "深化供给侧结构性改革"),
        ("粤港澳大湾区", "建设粤港奥大湾区", "建设粤港澳大湾区"),
        ("长三角一体化", "长三脚一体化发展", "长三角一体化发展"),
        ("网格化管理", "推行网个化管理", "推行网格化管理"),
        ("防汛抗旱", "做好防汛抗汗工作", "做好防汛抗旱工作"),
        ("三会一课", "坚持三会以课制度", "坚持三会一课制度"),
        ("碳达峰", "力争实现碳达风的目标", "力争实现碳达峰的目标"),
        ("特高压", "特搞压输电工程", "特高压输电工程"),
        ("抽水蓄能", "建设抽水续能电站", "建设抽水蓄能电站"),
        ("光伏组件", "出口的光服组件", "出口的光伏组件"),
        ("页岩气", "勘探开发页言气", "勘探开发页岩气"),
        ("倒闸操作", "进行倒扎操作", "进行倒闸操作"),
        ("存款准备金率", "下调存款准备金律", "下调存款准备金率"),
        ("货币政策", "稳健的货币正策", "稳健的货币政策"),
        ("净息差", "银行的净席差收窄", "银行的净息差收窄"),
        ("拨备覆盖率", "拨备覆改率上升", "拨备覆盖率上升"),
        ("尽职调查", "完成尽职掉查", "完成尽职调查"),
        ("声纹识别", "基于声温识别的系统", "基于声纹识别的系统"),
        ("知识图谱", "构建知识图普", "构建知识图谱"),
        ("区块链", "利用区块连技术", "利用区块链技术"),
        ("边缘计算", "采用边原计算架构", "采用边缘计算架构"),
        ("云原生", "迁移到云源生平台", "迁移到云原生平台"),
        ("昇腾", "部署在生腾芯片上", "部署在昇腾芯片上"),
    ],
)
def test_a_hotword_of_the_same_sound_takes_the_place_of_what_makes_no_sense(
    hotword: str, heard: str, meant: str
) -> None:
    assert corrected(heard, hotword) == meant


@pytest.mark.parametrize(
    ("name", "heard"),
    [
        ("解小龙", "谢小龙"),
        ("查良镛", "扎良镛"),
        ("尉迟恭", "玉池恭"),
        ("万俟卨", "莫其卨"),
        ("缪贤", "妙贤"),
        ("张靓颖", "张亮颖"),
        ("区楚良", "欧楚良"),
        ("六安", "录安"),
        ("朴树仁", "飘树仁"),
        ("番禺区", "潘禺区"),
    ],
)
def test_names_are_found_by_the_sound_that_they_have_as_names(name: str, heard: str) -> None:
    assert corrected(f"昨天在{heard}开会", name) == f"昨天在{name}开会"


TRAPS = [
    ("人工智能", "这件事人工只能完成一半"),
    ("智能体", "你只能提意见"),
    ("公式", "中标结果公示三天"),
    ("权力", "保护公民的权利"),
    ("形式", "当前形势复杂多变"),
    ("实施", "事实证明这是对的"),
    ("适用", "我们是用电脑记录的"),
    ("公使", "办公室里很安静"),
    ("电力", "他在店里工作"),
    ("规划", "归化球员的问题"),
    ("使用", "买了一桶食用油"),
    ("成立", "城里人不知道"),
    ("失业", "公司的事业蒸蒸日上"),
    ("企业", "夜里起夜两次"),
    ("统一大市场", "他同意大市场的说法"),
    ("碳中和", "先谈谈中和反应"),
    ("数字化", "这个数字华丽而不实"),
    ("生产率", "生产绿色食品"),
    ("核电机组", "配套和电机组装"),
    ("云原生", "云源生活馆开业"),
    ("基站", "双方激战正酣"),
    ("张量", "丈量土地"),
    ("海光", "海关已经放行"),
    ("昇腾", "热气升腾"),
    ("继电保护", "机电保护装置"),
    ("久期", "九七年回归祖国"),
    ("流片", "把它切成六片"),
    ("信创", "新创公司很多"),
    ("公积金", "黑客攻击金融系统"),
    ("减持", "我们要坚持原则"),
    ("政协", "自古正邪不两立"),
    ("市值", "取得了实质进展"),
    ("党群", "应当群策群力"),
    ("外汇", "到国外会亲友"),
    ("等候", "他等后面的人"),
    ("造假", "这项工程的造价偏高"),
    ("相知", "气温降至零度"),
    ("不宜", "农业部已要求各地"),
    ("违禁", "因为津沪两地相距甚远"),
    ("各县", "给出一个鲜活的例子"),
    ("隐患", "他因患病住院"),
    ("剧场", "局常委会"),
    ("克服", "打电话给客服"),
]
"""A hotword, and a text that is right although a part of it sounds like the hotword."""


@pytest.mark.parametrize(("hotword", "right"), TRAPS)
def test_what_is_right_as_it_stands_stays(hotword: str, right: str) -> None:
    assert corrected(right, hotword) == right


@pytest.mark.parametrize(("hotword", "right"), TRAPS)
def test_the_traps_are_traps(hotword: str, right: str) -> None:
    alike = SoundIndex([(simplified(hotword), hotword)]).find(right)
    assert any(right[start:end] != hotword for start, end, _ in alike)


@pytest.mark.parametrize(
    ("hotword", "right"),
    [
        ("权力", "保护公民的权利"),
        ("企业", "夜里起夜两次"),
        ("规划", "归化球员的问题"),
        ("规划", "那根当归划了一道"),
        ("久期", "九七年回归祖国"),
        ("十四五规划", "四四五归划"),
    ],
)
def test_words_and_figures_stay_however_unsure_the_recogniser_was(hotword: str, right: str) -> None:
    assert corrected(right, hotword, confidence=0.0, strength="strong") == right


@pytest.mark.parametrize(
    ("hotword", "heard"),
    [
        ("资产阶级", "資產階級"),
        ("车间", "車間"),
    ],
)
def test_the_same_word_in_traditional_characters_is_no_mistake(hotword: str, heard: str) -> None:
    assert corrected(heard, hotword) == heard


def test_mistakes_among_traditional_characters_are_found() -> None:
    assert corrected("構建心發展隔局", "新发展格局") == "構建新發展格局"


def test_a_recogniser_that_was_unsure_is_trusted_less() -> None:
    assert corrected("这件事人工只能完成一半", "人工智能", confidence=UNSURE) == "这件事人工智能完成一半"
    assert corrected("他的战游", "战友") == "他的战游"
    assert corrected("他的战游", "战友", confidence=0.3) == "他的战友"


def test_a_recogniser_that_was_sure_is_trusted() -> None:
    assert corrected("小区实行封控管理", "风控", confidence=0.99) == "小区实行封控管理"
    assert corrected("心发展隔局", "新发展格局", confidence=1.0) == "新发展格局"


def test_one_character_that_it_was_unsure_of_is_enough() -> None:
    tokens = spoken("背破", confidence=0.99)
    unsure = [replace(tokens[0], confidence=UNSURE), tokens[1]]
    corrector = Corrector([Hotword("被迫")], "safe")
    assert corrector.correct(tokens)[1] == []
    assert [made.after for made in corrector.correct(unsure)[1]] == ["被迫"]


def test_a_hotword_protects_itself_from_others_of_its_sound() -> None:
    assert corrected("小区实行封控管理", "风控", confidence=UNSURE) == "小区实行风控管理"
    assert corrected("小区实行封控管理", "风控", "封控", confidence=UNSURE) == "小区实行封控管理"


def test_a_difference_in_tone_takes_more() -> None:
    assert corrected("他的战游", "战友", confidence=0.8) == "他的战游"
    assert corrected("他的战游", "战邮", confidence=0.8) == "他的战邮"


@pytest.mark.parametrize(
    ("hotword", "heard", "found_by"),
    [
        ("鲲鹏", "昆棚", {"safe", "strong"}),
        ("鲲鹏", "昆碰", {"safe", "strong"}),  # a tone
        ("鲲鹏", "困碰", {"strong"}),  # two tones
        ("鲲鹏", "昆盆", {"strong"}),  # eng, en
        ("鲲鹏", "昆喷", set()),  # and a tone
        ("碳达峰", "坍搭封", {"safe", "strong"}),  # two tones
        ("碳达峰", "坍搭缝", {"strong"}),  # three tones
        ("知识图谱", "止使吐谱", {"safe", "strong"}),
        ("知识图谱", "止使吐铺", {"strong"}),  # four
    ],
)
def test_how_different_a_word_may_sound(hotword: str, heard: str, found_by: set[Strength]) -> None:
    strengths: tuple[Strength, ...] = ("safe", "strong")
    found = {
        strength
        for strength in strengths
        if Corrector([Hotword(hotword, 100)], strength).correct(spoken(heard, 0.0))[1]
    }
    assert found == found_by


def test_some_doubt_is_left_however_sure_the_recogniser_was() -> None:
    for sure in (0.999, 0.9999, 1.0):
        assert corrected("心发展隔局", "新发展格局", confidence=sure) == "新发展格局"
        assert corrected("构建心发展格局", "新发展格局", confidence=sure) == "构建心发展格局"
        assert corrected("网络安全态势敢知", "态势感知", confidence=sure) == "网络安全态势敢知"
    assert corrected("网络安全态势敢知", "态势感知", confidence=0.95) == "网络安全态势感知"


@pytest.mark.parametrize(
    ("hotword", "heard"),
    [
        ("国务院常务会议", "国务院常务会以视频形式召开"),
        ("中国式现代化", "中国是现代化国家"),
        ("元数据", "这份原数据"),
        ("碳汇", "大气中的碳会增加"),
        ("城市更新", "这座城是更新过的"),
    ],
)
def test_a_word_that_goes_with_anything_is_no_surprise_unless_the_recogniser_was_unsure(
    hotword: str, heard: str
) -> None:
    assert corrected(heard, hotword, confidence=0.9) == heard
    assert hotword in corrected(heard, hotword, confidence=UNSURE)


@pytest.mark.parametrize(
    ("hotword", "heard"),
    [
        ("终端", "那个中端"),  # a place
        ("越冬", "那个月东"),  # a number
        ("诚恳", "那个成啃"),  # a noun
    ],
)
def test_a_frequent_character_that_does_not_go_with_anything_may_be_a_mistake(hotword: str, heard: str) -> None:
    assert corrected(heard, hotword, confidence=0.6) == f"那个{hotword}"


def test_strong_holds_a_recogniser_for_unsure_sooner() -> None:
    heard = "中国是现代化国家"
    strengths: tuple[Strength, ...] = ("safe", "strong")
    changed = {
        (strength, sure)
        for strength in strengths
        for sure in (0.55, 0.6, 0.65, 0.75, 0.8, 0.85)
        if corrected(heard, "中国式现代化", confidence=sure, strength=strength) != heard
    }
    assert changed == {("safe", 0.55), *(("strong", sure) for sure in (0.55, 0.6, 0.65, 0.75))}


@pytest.mark.parametrize(
    ("heard", "hotword"),
    [
        ("冰海新区", "滨海新区"),
        ("南灵师范大学", "南宁师范大学"),
        ("浪方电网", "囊方电网"),
        ("福建林德市", "福建宁德市"),
        ("长林污水处理厂", "长宁污水处理厂"),
        ("湖兰省政府", "湖南省政府"),
        ("平凌水库", "平宁水库"),
    ],
)
def test_what_speakers_confuse_is_found_within_a_long_word(heard: str, hotword: str) -> None:
    assert corrected(f"我们在{heard}开会", hotword) == f"我们在{hotword}开会"
    assert corrected(f"我们在{heard[:2]}开会", hotword[:2]) == f"我们在{heard[:2]}开会"


def test_two_characters_of_a_short_word_are_not_wrong_at_once_if_the_recogniser_is_sure() -> None:
    assert corrected("那位何导", "核岛", confidence=0.9) == "那位何导"
    assert corrected("那位何导", "核岛", confidence=0.8) == "那位核岛"
    assert corrected("那些证物公开", "政务公开", confidence=0.9) == "那些证物公开"
    assert corrected("那些政物公开", "政务公开", confidence=0.9) == "那些政务公开"


def trust(confidence: float) -> float:
    return 2.25 * math.log10(1 - confidence) ** 2


@pytest.mark.parametrize(
    ("text", "hotword", "confidence", "words", "left", "less"),
    [
        pytest.param("那个车坚", "车间", 0.5, "车 坚", "", 4.3 + trust(0.5) + 0.4, id="two characters"),
        pytest.param("那个车坚", "车间", 0.9, "车 坚", "", 4.3 + 2.25 + 0.4, id="of which it was sure"),
        pytest.param("那个车坚", "车间", 1.0, "车 坚", "", 4.3 + 4 * 2.25 + 0.4, id="as it can be"),
        pytest.param("那个拖车坚", "车间", 0.8, "拖车 坚", "拖", 4.3 + trust(0.8) + 0.4, id="part of a word is left"),
        pytest.param("的战游", "战友", 0.5, "战 游", "", 4.3 + trust(0.5) + 0.4 + 12 * 0.15, id="another tone"),
        pytest.param("构建心发展隔局", "新发展格局", 0.9, "心 发展 隔 局", "", 4.3 + 2.25, id="two of five: no more"),
        pytest.param("那些证物公开", "政务公开", 0.84, 4 + surprise("公开"), "", 4.3 + trust(0.84), id="a rare word"),
        pytest.param(
            "那些证物公开", "政务公开", 0.85, 4 + surprise("公开"), "", 4.3 + trust(0.85) + 1.5, id="sure of both"
        ),
        pytest.param(
            "新制生产立", "新质生产力", 0.9, 4 + total_surprise("生产立"), "", 4.3 + 2.25, id="and a word beside it"
        ),
        pytest.param(
            "那个发展隔", "发站格", 0.9, "发展 隔", "", 4.3 + 2.25 + 1.5 + 0.2 + 12 * 0.15, id="not all in usual words"
        ),
        pytest.param("那位何导", "核岛", 0.85, "何 导", "", 4.3 + trust(0.85) + 1.5 + 0.4, id="sure of a whole word"),
        pytest.param("南灵师范大学", "南宁师范大学", 0.9, "南 灵 师范大学", "", 4.3 + 2.25 + 6 * 0.3, id="confused"),
        pytest.param(
            "冰海新区", "滨海新区", 0.9, 5.5 + surprise("新区"), "", 4.3 + 2.25 + 6 * 0.3, id="in a rare word"
        ),
        pytest.param(
            "长林污水处理厂",
            "长宁污水处理厂",
            0.9,
            "长 林 污水 处理厂",
            "",
            4.3 + 2.25 + 12 * 0.6,
            id="not what is confused",
        ),
    ],
)
def test_how_much_better_a_hotword_has_to_explain_a_text(
    text: str, hotword: str, confidence: float, words: str | float, left: str, less: float
) -> None:
    """The surprises of the `words` that are there, without what is `left` of them and all that it takes."""
    corrector = Corrector([Hotword(hotword)], "safe")
    explained = sum(map(surprise, words.split())) if isinstance(words, str) else words
    expected = explained - (surprise(left) if left else 0.0) - less - 1.15
    assert max(surpluses(corrector, text, confidence)) == pytest.approx(expected)


def surpluses(corrector: Corrector, text: str, confidence: float) -> list[float]:
    found = corrector._index.find(text)
    fixes = [corrector._alike(start, end, word, text, set()) for start, end, word in found]
    return [corrector._surplus(fix, text, cut(text), [confidence] * len(text)) for fix in fixes if fix]


def test_weight_tells_how_usual_a_hotword_is_but_no_less_than_the_dictionary_knows() -> None:
    of = {
        weight: surpluses(Corrector([Hotword("战友", weight)], "safe"), "的战游", UNSURE)[0]
        for weight in (20, 100, 0.1)
    }
    assert of[100] - of[20] == pytest.approx(math.log10(5))
    assert of[20] - of[0.1] == pytest.approx(surprise("战友") - 4.3)


def test_japanese_is_left_alone() -> None:
    assert corrected("脱贫工坚です", "脱贫攻坚") == "脱贫工坚です"


def test_strong_dares_more() -> None:
    assert corrected("在车江里", "车间", confidence=UNSURE) == "在车江里"
    assert corrected("在车江里", "车间", confidence=UNSURE, strength="strong") == "在车间里"


def test_a_heavier_hotword_is_found_more_easily() -> None:
    light, heavy = (Corrector([Hotword("战友", weight)], "safe") for weight in (20, 100))
    tokens = spoken("战游", UNSURE)
    assert light.correct(tokens) == (tokens, [])
    assert [made.after for made in heavy.correct(tokens)[1]] == ["战友"]


def test_nothing_within_another_hotword_changes() -> None:
    assert corrected("新质生产力", "新质生产力", "信至") == "新质生产力"
    assert corrected("构建心发展隔局", "新发展格局", "发展", "心发展") == "构建心发展隔局"


def test_two_corrections_may_overlap_where_they_agree() -> None:
    assert corrected("光服组件检册", "光伏组件", "组件检测") == "光伏组件检测"


def test_a_correction_does_not_change_what_another_takes_for_right() -> None:
    assert corrected("光服组件检册", "光伏组件", "服组件检测") == "光服组件检测"


def test_what_is_left_of_a_word_has_to_make_sense_too() -> None:
    assert corrected("那个车坚", "车间", confidence=0.8) == "那个车间"
    assert corrected("那个拖车坚", "车间", confidence=0.8) == "那个拖车坚"


def test_between_two_hotwords_of_the_same_sound_nothing_is_guessed() -> None:
    assert corrected("养职", "养殖", confidence=UNSURE) == "养殖"
    assert corrected("养职", "养殖", "养植", confidence=UNSURE) == "养职"
    hotwords = [Hotword("养殖"), Hotword("养植"), Hotword("养值", 0.1)]
    assert Corrector(hotwords, "safe").correct(spoken("养职", UNSURE))[1] == []


def test_a_hotword_is_not_found_across_a_pause_or_punctuation() -> None:
    assert corrected("心发展 隔局", "新发展格局") == "心发展隔局"
    assert corrected("心发展，隔局", "新发展格局") == "心发展，隔局"


def test_times_confidences_and_punctuation_stay_and_the_replacement_is_recorded() -> None:
    tokens = [Token("构建", 0, 1, 0.9), Token("“心", 1, 1.2, 0.7, 0.3), Token("发展", 1.3, 1.6, 0.8)]
    tokens += [Token("隔", 1.7, 1.8, 0.6), Token("局。”", 1.9, 2.2, 0.9)]
    made, corrections = Corrector([Hotword("新发展格局")], "safe").correct(tokens)
    assert made == [tokens[0], Token("“新", 1, 1.2, 0.7, 0.3), tokens[2], Token("格", 1.7, 1.8, 0.6), tokens[4]]
    assert corrections == [Correction("心发展隔局", "新发展格局", 1.0, 1, 2.2)]


def test_each_replacement_is_recorded_with_its_place() -> None:
    """Which is counted in the text as it was, sentence by sentence, and between its marks."""
    tokens = spoken("你好，推进心发展隔局 推动高质量发站，脱贫工坚")
    words = [Hotword(word) for word in ("新发展格局", "高质量发展", "脱贫攻坚")]
    _, corrections = Corrector(words, "safe").correct(tokens)
    assert [(made.before, made.after) for made in corrections] == [
        ("心发展隔局", "新发展格局"),
        ("高质量发站", "高质量发展"),
        ("脱贫工坚", "脱贫攻坚"),
    ]
    assert [(made.start, made.end) for made in corrections] == [
        pytest.approx(times) for times in [(1.0, 2.0), (3.4, 4.4), (4.6, 5.4)]
    ]


def test_the_score_tells_how_alike_they_sound() -> None:
    (correction,) = Corrector([Hotword("乡村振兴")], "safe").correct(spoken("全面推进乡村振新"))[1]
    assert correction.score == pytest.approx(1 - 0.3 / 4)
