import pytest

from corpus.sections import Heading, headings_at, sections
from corpus.types import Span

NOTICE = """关于绿化的通知
第一章 总则
一、目标
到2030年绿化率达到40%。
（一）城区。新增公园12个。
二、措施
植树。
第二章 附则
自发布之日起施行。"""


def titles(text: str, offset_of: str) -> tuple[str, ...]:
    return headings_at(sections(text), text.index(offset_of))


def test_chinese_numbering_nests_in_its_customary_order() -> None:
    assert titles(NOTICE, "新增公园") == ("第一章 总则", "一、目标", "（一）城区")


def test_a_section_ends_where_a_higher_one_begins() -> None:
    assert titles(NOTICE, "自发布") == ("第二章 附则",)


def test_text_before_the_first_heading_has_none() -> None:
    assert titles(NOTICE, "关于绿化") == ()


def test_shown_headings_come_below_stated_ones() -> None:
    text = "报告\n一、回顾\n增长5%。"
    tree = sections(text, [Heading(Span(0, 2), 1)])
    assert headings_at(tree, text.index("增长")) == ("报告", "一、回顾")


@pytest.mark.parametrize(
    "line",
    [
        "一、二月份，全市工业增加值增长5%。",
        "3.5万人参加培训，合格率达到98%",
        "第一章程草案已经审议，将于明年公布。",
        "1.5%的增长来自服务业，其余来自工业。",
    ],
)
def test_numbers_at_the_start_of_a_plain_sentence_are_no_heading(line: str) -> None:
    assert sections(f"标题\n{line}") == ()


def test_english_numbering_is_a_heading() -> None:
    text = "Report\n1. Results\nGrowth was 5%.\n1.1 Transport\nBuses."
    assert headings_at(sections(text), text.index("Buses")) == ("1. Results", "1.1 Transport")
