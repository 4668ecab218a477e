"""What a quote carries and what it does not."""

import pytest

from chatbot.check import Reason, ReasonCode, check_claim, explain
from chatbot.types import Support

GROWTH = "2024年全省地区生产总值同比增长5.2%，城镇新增就业超过120万人。"


def support(claim: str, *quotes: str, context: tuple[str, ...] = ()) -> Support:
    return check_claim(claim, quotes, context).support


def codes(claim: str, *quotes: str) -> list[ReasonCode]:
    return [reason.code for reason in check_claim(claim, quotes).reasons]


@pytest.mark.parametrize(
    ("claim", "quote"),
    [
        ("湖北有17500名第一书记投入乡村振兴战场。", "1.75万名第一书记投入乡村振兴战场"),
        ("地区生产总值增长百分之五点二。", GROWTH),
        ("城镇新增就业一百二十万人。", GROWTH),
        ("会议于二〇二四年三月五日召开。", "2024年3月5日，会议召开。"),
        ("Output reached 12.8 billion yuan.", "Output of the sector reached 12,800 million yuan."),
        ("The rate rose by 2 percentage points.", "The rate rose by 2 pp over the year."),
    ],
)
def test_another_notation_is_supported(claim: str, quote: str) -> None:
    assert check_claim(claim, [quote]).support is Support.SUPPORTED


@pytest.mark.parametrize(
    "claim",
    [
        "地区生产总值增长8.8%。",
        "地区生产总值增长5.2个百分点。",
        "城镇新增就业120亿人。",
        "城镇新增就业120万元。",
        "2024年地区生产总值增长8.8%。",  # the year alone proves nothing
    ],
)
def test_a_wrong_amount_is_unsupported(claim: str) -> None:
    assert support(claim, GROWTH) is Support.UNSUPPORTED


def test_a_wrong_year_beside_a_right_amount_is_partial() -> None:
    assert support("2023年地区生产总值同比增长5.2%。", GROWTH) is Support.PARTIAL


def test_one_wrong_amount_of_two_is_named() -> None:
    verdict = check_claim("地区生产总值增长5.2%，新增就业130万人。", [GROWTH])
    assert (verdict.support, verdict.reasons) == (
        Support.PARTIAL,
        (Reason(ReasonCode.FIGURE_MISSING, "130万人"),),
    )


def test_two_quotes_may_carry_half_each() -> None:
    claim = "氢气年产能力390万吨，招聘会举办8场。"
    assert support(claim, "氢气年产能力超390万吨。", "已举办招聘会8场。") is Support.SUPPORTED


@pytest.mark.parametrize(
    ("claim", "code"),
    [
        ("地区生产总值同比下降5.2%。", ReasonCode.DIRECTION_DIFFERS),
        ("地区生产总值环比增长5.2%。", ReasonCode.BASE_DIFFERS),
        ("城镇新增就业不足120万人。", ReasonCode.BOUND_DIFFERS),
        ("城镇新增就业120万元。", ReasonCode.UNIT_DIFFERS),
    ],
)
def test_what_is_said_of_a_figure_must_agree(claim: str, code: ReasonCode) -> None:
    assert codes(claim, GROWTH) == [code]


def test_a_negative_cell_is_a_decline() -> None:
    assert support("出口额下降0.3%。", "出口额 | -0.3%") is Support.SUPPORTED


def test_year_of_the_title_counts_as_present() -> None:
    claim, quote = "2024年，城镇新增就业120万人。", "城镇新增就业120万人以上。"
    assert support(claim, quote, context=("2024年政府工作报告",)) is Support.SUPPORTED


def test_amount_of_the_question_proves_nothing() -> None:
    context = ("城镇新增就业是130万人吗？",)
    assert support("城镇新增就业130万人。", GROWTH, context=context) is Support.UNSUPPORTED


def test_date_is_put_together_from_title_and_quote() -> None:
    claim, quote = "首批煤于2021年11月15日到来。", "11月15日，首批煤到来。"
    assert support(claim, quote, context=("2021年工作总结",)) is Support.SUPPORTED


def test_claim_without_figures_needs_its_words() -> None:
    quote = "谢家集区开展困难老年人家庭适老化改造，帮助老年群体安享晚年。"
    assert support("谢家集区开展了老年人家庭适老化改造。", quote) is Support.SUPPORTED


def test_other_words_are_unsupported() -> None:
    assert support("北京冬奥会火种采集成功。", GROWTH) is Support.UNSUPPORTED


def test_words_of_the_question_prove_nothing() -> None:
    question = "新区在产业发展中采取了哪些措施？"
    claim = "新区在产业发展中采取了免征土地使用税。"
    quote = "新区在产业发展中采取了设立引导基金。"
    assert support(claim, quote) is not Support.UNSUPPORTED
    assert support(claim, quote, context=(question,)) is Support.UNSUPPORTED


def test_a_figure_by_chance_is_not_wholly_supported() -> None:
    assert support("旅客吞吐量达到120万人。", "城镇新增就业120万人。") is Support.PARTIAL


def test_quotation_stitched_from_two_sources_is_not_supported() -> None:
    first, second = "坚持人民至上，办好民生实事。", "加快绿色转型，推进节能降碳。"
    claim = "报告提出“坚持人民至上，推进节能降碳”。"
    assert codes(claim, first, second) == [ReasonCode.QUOTATION_MISSING]


def test_english_answer_to_a_chinese_source_is_judged_by_its_figures() -> None:
    assert support("The plant makes 3.9 million tonnes a year.", "氢气年产能力超390万吨。") is Support.SUPPORTED


def test_nothing_claimed_and_nothing_quoted() -> None:
    assert (codes("。", GROWTH), codes("增长5.2%。")) == ([ReasonCode.NO_CLAIM], [ReasonCode.NO_QUOTE])


@pytest.mark.parametrize("code", list(ReasonCode))
def test_every_reason_is_one_short_line(code: ReasonCode) -> None:
    lines = [explain(Reason(code, "5.2%", "5.2个百分点"), lang) for lang in ("zh", "en")]
    assert all(line and "\n" not in line and len(line) < 80 for line in lines)
    assert lines[0] != lines[1]


def test_hostile_texts_are_compared() -> None:
    assert support("1," * 20_000, "第" * 20_000) is Support.UNSUPPORTED
