"""What a figure is, by example, and that different ways of writing one are one."""

from decimal import Decimal
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.figures import DateParts, Figure, Kind, find_figures, narrow
from chatbot.numerals import en_number, zh_number
from chatbot.units import same_unit, unit_at


def only(text: str) -> Figure:
    (figure,) = find_figures(text)
    return figure


@pytest.mark.parametrize(
    "text",
    ["1.75万名", "17500名", "17,500 名", "１７５００人", "17 500".replace(" ", "\u00a0") + "人", "一万七千五百人"],
)
def test_one_amount_has_one_value(text: str) -> None:
    assert (only(text).value, only(text).unit) == (Decimal(17500), "人")


@pytest.mark.parametrize(
    ("text", "value", "unit"),
    [
        ("2.5万亿元", "2500000000000", "元"),
        ("390万吨", "3900000000", "公斤"),
        ("12.8 billion", "12800000000", ""),
        ("US$3.5 billion", "3500000000", "美元"),
        ("35亿美元", "3500000000", "美元"),
        ("１２．８", "12.8", ""),
        ("十二点八", "12.8", ""),
        ("三千二百", "3200", ""),
        ("100万千瓦", "1000000", "千瓦"),
        ("5千米", "5000", "米"),
        ("5 km", "5000", "米"),
        ("3.5 million people", "3500000", "人"),
        ("twenty-five years", "25", "年"),
        ("三分之一", str(Decimal(1) / 3), ""),
    ],
)
def test_amount_is_read(text: str, value: str, unit: str) -> None:
    assert (only(text).value, only(text).unit, only(text).kind) == (Decimal(value), unit, Kind.NUMBER)


@pytest.mark.parametrize("text", ["5.2%", "５.２％", "百分之五点二", "5.2 per cent", "5.2 percent"])
def test_one_percentage_has_one_value(text: str) -> None:
    assert (only(text).value, only(text).kind) == (Decimal("5.2"), Kind.PERCENT)


@pytest.mark.parametrize("text", ["5.2个百分点", "5.2 percentage points"])
def test_percentage_point_is_no_percentage(text: str) -> None:
    assert (only(text).value, only(text).kind) == (Decimal("5.2"), Kind.PERCENTAGE_POINT)


@pytest.mark.parametrize(("text", "value"), [("三成", 30), ("7成", 70), ("一半", 50), ("5‰", "0.5")])
def test_share_is_a_percentage(text: str, value: int | str) -> None:
    assert (only(text).value, only(text).kind) == (Decimal(value), Kind.PERCENT)


@pytest.mark.parametrize("text", ["5%-6%", "5%至6%", "5至6%", "5-6 per cent", "百分之五至六"])
def test_range_is_two_percentages(text: str) -> None:
    assert [(f.value, f.kind) for f in find_figures(text)] == [(Decimal(5), Kind.PERCENT), (Decimal(6), Kind.PERCENT)]


def test_first_end_of_a_range_takes_multiplier_and_unit() -> None:
    assert [(f.value, f.unit) for f in find_figures("3-5亿元")] == [
        (Decimal(3 * 10**8), "元"),
        (Decimal(5 * 10**8), "元"),
    ]


def test_percentage_beside_an_amount_is_no_range() -> None:
    assert [f.kind for f in find_figures("下降百分之25至52.6亿美元")] == [Kind.PERCENT, Kind.NUMBER]


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2024年", DateParts(2024)),
        ("二〇二四年", DateParts(2024)),
        ("in 2024", DateParts(2024)),
        ("2024年3月", DateParts(2024, 3)),
        ("11月15日", DateParts(None, 11, 15)),
        ("十一月十五日", DateParts(None, 11, 15)),
        ("2024-03-05", DateParts(2024, 3, 5)),
        ("8 月 10 日", DateParts(None, 8, 10)),
        ("November 15, 2023", DateParts(2023, 11, 15)),
        ("15 November 2023", DateParts(2023, 11, 15)),
        ("Nov. 2023", DateParts(2023, 11)),
    ],
)
def test_date_is_read_as_far_as_it_is_said(text: str, date: DateParts) -> None:
    assert (only(text).value, only(text).kind) == (date, Kind.DATE)


def test_range_of_years_is_two_dates() -> None:
    assert [f.value for f in find_figures("2024－2026年")] == [DateParts(2024), DateParts(2026)]


@pytest.mark.parametrize(
    ("text", "value", "kind"),
    [
        ("上半年", "H1", Kind.PERIOD),
        ("第一季度", "Q1", Kind.PERIOD),
        ("前三季度", "Q1-Q3", Kind.PERIOD),
        ("国发〔2024〕12号", "2024/12", Kind.CODE),
        ("PM2.5", "pm2.5", Kind.CODE),
        ("9:30", "9:30", Kind.CODE),
        ("第4位", Decimal(4), Kind.ORDINAL),
        ("“十四五”", Decimal(14), Kind.ORDINAL),
    ],
)
def test_other_kinds(text: str, value: Decimal | str, kind: Kind) -> None:
    assert (only(text).value, only(text).kind) == (value, kind)


@pytest.mark.parametrize(
    ("text", "qualifier"),
    [("约30万吨", "about"), ("30人左右", "about"), ("超过30人", "above"), ("30余人", "above"), ("不超过30人", "below"),
     ("more than 30 people", "above"), ("30%以上", "above"), ("30人", "")],
)  # fmt: skip
def test_qualifier_is_kept_apart(text: str, qualifier: str) -> None:
    assert only(text).qualifier == qualifier


@pytest.mark.parametrize("text", ["1. 湖北", "（二）目标", "三、措施", "一成不变吗", "四川", "两个方面", "十分重要"])
def test_list_numbers_and_plain_words_claim_nothing(text: str) -> None:
    assert [figure for figure in find_figures(text) if not figure.weak] == []


def test_place_is_without_qualifier_and_with_unit() -> None:
    text = "𠮷县约１,１６０名群众"
    assert only(text).span.of(text) == "１,１６０名"


@given(st.text(alphabet="一二十百千万亿点成第年月日０1239.,%-至 ab〔〕𠮷e\u0301", max_size=80))
def test_figures_are_ordered_and_apart(text: str) -> None:
    spans = [figure.span for figure in find_figures(text)]
    assert all(one.end <= other.start for one, other in pairwise(spans))
    assert all(0 <= span.start < span.end <= len(text) for span in spans)


@given(st.text())
def test_narrowing_keeps_offsets(text: str) -> None:
    assert len(narrow(text)) == len(text)


@given(st.integers(min_value=0, max_value=10**12))
def test_separators_do_not_change_a_number(number: int) -> None:
    assert (
        [f.value for f in find_figures(f"{number:,}元")]
        == [f.value for f in find_figures(f"{number}元")]
        == [Decimal(number)]
    )


@pytest.mark.parametrize(
    ("run", "value"), [("两万五", 25000), ("三万亿", 3 * 10**12), ("一百零五", 105), ("三四", None), ("十十", None)]
)
def test_chinese_numerals(run: str, value: int | None) -> None:
    assert zh_number(run) == value


def test_english_number_words() -> None:
    assert en_number("three hundred and twelve million") == 312 * 10**6


def test_a_unit_is_not_the_beginning_of_a_word() -> None:
    assert unit_at("5 monkeys", 1) is None


@pytest.mark.parametrize(
    ("claimed", "found", "same"),
    [
        ("人", "人", True),
        ("个", "家", True),
        ("", "元", True),
        ("家", "", True),
        ("元", "", False),
        ("元", "美元", False),
        ("家", "人", False),
    ],
)
def test_units_that_carry_each_other(claimed: str, found: str, same: bool) -> None:
    assert same_unit(claimed, found) is same
