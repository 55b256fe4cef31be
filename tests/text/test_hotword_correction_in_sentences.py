"""What all lists in hotwords/ together make of whole sentences, right ones and wrong ones."""

from __future__ import annotations

from pathlib import Path

import pytest

from funasr_cli.hotwords import read_hotwords
from funasr_cli.text.hotword_correction import Corrector
from funasr_cli.text.script import simplified
from funasr_cli.text.sound_index import SoundIndex
from funasr_cli.transcript import Token
from funasr_cli.unicode_ranges import is_han

HOTWORDS = read_hotwords(sorted((Path(__file__).parents[2] / "hotwords").glob("*.txt"))).words
CORRECTOR = Corrector(HOTWORDS, "safe")

RATHER_SURE = """
国务院常务会以视频形式召开 中央经济工作会以稳中求进为总基调 他的股票只押在一家公司上 这座城是更新过的
现在的数据只算中心城区 两家汽车同业拆解了这款车 这份原数据已经存档 今年设备报废收入不多 三国里的张良很有名
去年保利业务增长很快 河中间建了一座桥 这种事慢慢谈不急 章亮主任主持了会议 燃烧以后碳会变成二氧化碳
一名英籍管理人员加入了公司 高校强化学系建设 上半年审计已见成效 这笔钱表外也无记录 借数据之力提升管理
何新旺是村里的支书 周末要去参加创业班 他在市科创办当主任 单店登录人数过百 现有数据已够计算用
政治局会以这个议题为主 她开了一家虚拟店长培训班 我的同事张亮今天请假 大家只能替他高兴 调动要经原单位同意
前方施工禁止调查人员入内 我们认为中国是现代化国家 卧铺车厢里下铺比率更低 时间都花在方案上了
这次谈判划定了更低红线 火箭靠推力加速上升 资源分布是能源规划的依据 人口普查时只算中心镇
运动员要比赛与训练并重 他考了三次才有结果 纯酒精只是蒸馏得来的 他们用事业编织梦想 这台设备无联网功能
开展环境目标监测 他没理中国代表的提议 今天的中国是现代化的农业大国 夫妻共同抚育两个孩子 大气中的碳会增加
要争创先进之城 单位为他持续缴付社保 机场光客机就停了二十架 新来的员工适应率很高
中央农村工作会已研究了粮食问题 优秀文化持续继承下来 仓库里成品有多少 他做事上心又仔细 未成年人被教唆犯罪
散会一刻钟以后他才到 昨晚他们喝到半夜 把服务往各村延伸 他在保险公司上班 领导临场致辞很精彩 他是个自信的人
球打在墙上又弹回来 居委会常为调解纠纷奔走 这样做既占时间又费钱 手机一直显示充电状态 先把源数据存好
成龙新片上映了 注册之后才能登录 他的病还没好 两个部门的数据互通 我国在期货市场上很活跃
老一代一路走来不容易 干部要为服务群众尽力 每年都看魅力中国这个栏目 企业的信用正在恢复
呆账和小额逾期要分开算 最近资金转向债市 你别赶他走 这位女青年很能干 风吹得脸上生疼 周末只能和岳父喝茶
我们在中间见面吧 国务院常务会一直开到中午
我认识这位何导 何导让大家休息 他们在路上先等何导 把证物公开放在展柜里 这批证物公开拍卖
整座城是更新的面貌 大家谈会谈记录 成员数据还没录入 正直谁不喜欢
旧期刊都卖了 连进现场的票都没有 没好利索 才收旅客的票 三次才有人接 核心王牌
"""
"""Sentences that are right: they stay when every character has a confidence of 0.9, or more."""

SURE = """
这次看病医保只付百分之七十 吴伟一提这件事就生气 小区自管新规下月实行 去给办公室配点网线 那栋楼内部空置多年
门诊的费用医保只付一半 应急馆里摆满了展品 假期还得带点作业回家 沿着长征路探足迹寻初心
没有人知道他们愿往何处去 连帮学习差的同学都不愿意 买了车车险总该买吧 长江经济待复苏
"""
"""Sentences that are right, and that it takes a confidence of 0.99 to believe."""

RIGHT = [(sentence, 0.9) for sentence in RATHER_SURE.split()] + [(sentence, 0.99) for sentence in SURE.split()]


def corrected(text: str, confidences: list[float]) -> str:
    tokens = [Token(char, at, at + 1, sure) for at, (char, sure) in enumerate(zip(text, confidences, strict=True))]
    return "".join(token.text for token in CORRECTOR.correct(tokens)[0])


@pytest.mark.parametrize(("sentence", "confidence"), RIGHT)
def test_a_sentence_that_is_right_stays(sentence: str, confidence: float) -> None:
    for sure in (confidence, (1 + confidence) / 2, 0.999):
        assert corrected(sentence, [sure] * len(sentence)) == sentence


@pytest.mark.parametrize("sentence", [sentence for sentence, _ in RIGHT])
def test_and_sounds_like_a_hotword_in_part(sentence: str) -> None:
    words = [simplified(hotword.text) for hotword in HOTWORDS if is_han(hotword.text)]
    assert any(
        sentence[start:end] != word for start, end, word in SoundIndex(zip(words, words, strict=True)).find(sentence)
    )


@pytest.mark.parametrize(
    ("heard", "said", "confidence"),
    [
        ("实现探中和", "实现碳中和", 0.7),
        ("实施鹏户区改造", "实施棚户区改造", 0.8),
        ("实现复载均衡", "实现负载均衡", 0.8),
        ("发行可转寨", "发行可转债", 0.8),
        ("推进容气化部署", "推进容器化部署", 0.6),
        ("签发银行成兑汇票", "签发银行承兑汇票", 0.9),
        ("黄汛抗旱", "防汛抗旱", 0.4),
        ("管理原数据", "管理元数据", 0.35),
        ("国务院常务会以审议通过了条例", "国务院常务会议审议通过了条例", 0.4),
        ("采用连邦学习", "采用联邦学习", 0.8),
        ("高标准建设熊安新区", "高标准建设雄安新区", 0.9),
        ("推进香村振兴", "推进乡村振兴", 0.7),
        ("寒武记芯片", "寒武纪芯片", 0.9),
        ("股票的市迎率偏高", "股票的市盈率偏高", 0.8),
        ("抓好意识型态工作", "抓好意识形态工作", 0.9),
        ("高标准龙田建设", "高标准农田建设", 0.7),
        ("进口光克机", "进口光刻机", 0.8),
        ("监管常付能力", "监管偿付能力", 0.6),
        ("防范乐索病毒", "防范勒索病毒", 0.8),
        ("加强利周期调节", "加强逆周期调节", 0.6),
        ("深化供给策结构性改革", "深化供给侧结构性改革", 0.8),
        ("落实林掌制", "落实林长制", 0.6),
        ("发行专像债", "发行专项债", 0.8),
        ("城市运行一望统管", "城市运行一网统管", 0.6),
        ("网络安全态势敢知", "网络安全态势感知", 0.8),
        ("央行开展逆回够", "央行开展逆回购", 0.7),
        ("采用国蜜算法", "采用国密算法", 0.8),
        ("检修变浆系统", "检修变桨系统", 0.9),
        ("建设除气库", "建设储气库", 0.7),
        ("京津季协同发展", "京津冀协同发展", 0.95),
        ("支持声闻识别", "支持声纹识别", 0.8),
        ("推动京金冀协同发展", "推动京津冀协同发展", 0.8),
        ("部署保垒机", "部署堡垒机", 0.7),
        ("建设知识图朴", "建设知识图谱", 0.9),
        ("林酸铁锂电池", "磷酸铁锂电池", 0.9),
        ("进行审透测试", "进行渗透测试", 0.8),
        ("做到接速即办", "做到接诉即办", 0.8),
        ("提高波备覆盖率", "提高拨备覆盖率", 0.9),
        ("加快构建新发展各局", "加快构建新发展格局", 0.6),
        ("晃管服改革持续深化", "放管服改革持续深化", 0.4),
        ("中央经济工作汇议在京举行", "中央经济工作会议在京举行", 0.6),
        ("写入消息对列", "写入消息队列", 0.7),
        ("加强党风连政建设", "加强党风廉政建设", 0.9),
        ("全面推行和长制", "全面推行河长制", 0.7),
        ("下调存款准备金绿", "下调存款准备金率", 0.9),
        ("发布多膜态模型", "发布多模态模型", 0.9),
        ("打破钢性兑付", "打破刚性兑付", 0.9),
        ("控制最大回彻", "控制最大回撤", 0.8),
        ("推进源网和储一体化", "推进源网荷储一体化", 0.7),
        ("开采夜岩气", "开采页岩气", 0.8),
        ("深化放管福改革", "深化放管服改革", 0.8),
        ("因地制宜发展新智生产力", "因地制宜发展新质生产力", 0.6),
        ("交易林业碳会", "交易林业碳汇", 0.5),
        ("计提商域减值", "计提商誉减值", 0.8),
        ("守住生态洪线", "守住生态红线", 0.8),
        ("发展巨身智能", "发展具身智能", 0.8),
        ("走共同付裕的道路", "走共同富裕的道路", 0.7),
        ("新时代风桥经验", "新时代枫桥经验", 0.9),
        ("同业柴借利率走低", "同业拆借利率走低", 0.8),
        ("坚决打赢脱贫功坚战", "坚决打赢脱贫攻坚战", 0.9),
        ("接入真信系统", "接入征信系统", 0.7),
        ("采用威服务架构", "采用微服务架构", 0.7),
        ("做好督查读办", "做好督查督办", 0.8),
        ("牛动性覆盖率", "流动性覆盖率", 0.7),
        ("做好呆帐合销", "做好呆账核销", 0.6),
        ("抽采没层气", "抽采煤层气", 0.7),
        ("东树西算工程", "东数西算工程", 0.9),
        ("坚持三重一打集体决策", "坚持三重一大集体决策", 0.5),
        ("推行一网通半", "推行一网通办", 0.7),
        ("出口光伏组建", "出口光伏组件", 0.5),
        ("更换齿轮相", "更换齿轮箱", 0.7),
        ("力争碳达丰", "力争碳达峰", 0.8),
        ("建设抽水畜能电站", "建设抽水蓄能电站", 0.9),
        ("建设月港澳大湾区", "建设粤港澳大湾区", 0.9),
        ("开展中期接待便利操作", "开展中期借贷便利操作", 0.5),
        ("农村宅机地改革", "农村宅基地改革", 0.8),
        ("办理票据贴线", "办理票据贴现", 0.7),
        ("不断优化迎商环境", "不断优化营商环境", 0.7),
        ("发展普会金融", "发展普惠金融", 0.8),
        ("在科创版上市", "在科创板上市", 0.7),
        ("全面推进乡村镇兴", "全面推进乡村振兴", 0.6),
        ("扎实推进中国是现代化建设", "扎实推进中国式现代化建设", 0.45),
        ("深入开展扫黑出恶", "深入开展扫黑除恶", 0.8),
        ("昆鹏服务器", "鲲鹏服务器", 0.8),
        ("推动高质量法展", "推动高质量发展", 0.7),
        ("县域医公体建设", "县域医共体建设", 0.8),
        ("提高受信额度", "提高授信额度", 0.7),
        ("支持易构计算", "支持异构计算", 0.7),
        ("协波治理方案", "谐波治理方案", 0.8),
        ("开展保里业务", "开展保理业务", 0.7),
        ("银行的进息差收窄", "银行的净息差收窄", 0.6),
        ("检查既电保护", "检查继电保护", 0.8),
        ("安装换流罚", "安装换流阀", 0.8),
        ("大力招商引姿", "大力招商引资", 0.7),
        ("对数据托敏", "对数据脱敏", 0.5),
        ("落实反喜钱制度", "落实反洗钱制度", 0.7),
    ],
)
def test_a_hotword_that_was_misheard_is_found_in_its_sentence(heard: str, said: str, confidence: float) -> None:
    """`confidence` is that of the wrong characters."""
    confidences = [0.97 if char == meant else confidence for char, meant in zip(heard, said, strict=True)]
    assert corrected(heard, confidences) == said


@pytest.mark.parametrize(
    ("sentence", "said"),
    [
        ("国务院常务会以审议通过了条例", "国务院常务会议审议通过了条例"),
        ("扎实推进中国是现代化建设", "扎实推进中国式现代化建设"),
        ("中央经济工作会以在北京召开", "中央经济工作会议在北京召开"),
        ("提高医保只付的比例", "提高医保支付的比例"),
        ("出口光伏组建", "出口光伏组件"),
        ("交易林业碳会", "交易林业碳汇"),
        ("管理原数据", "管理元数据"),
    ],
)
def test_of_what_reads_well_only_that_changes_of_which_the_recogniser_was_unsure(sentence: str, said: str) -> None:
    for sure, text in ((0.45, said), (0.99, sentence)):
        assert (
            corrected(sentence, [sure if char != meant else 0.97 for char, meant in zip(sentence, said, strict=True)])
            == text
        )
