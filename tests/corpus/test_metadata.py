from pathlib import Path

import pytest

from corpus.metadata import choose_title, language, read_metadata

NOTICE = "某县人民政府关于供水的通知\n某政发〔2030〕7号\n各乡镇：\n……\n某县人民政府\n2030年3月5日"


def test_a_notice_names_issuer_number_and_date() -> None:
    meta = read_metadata("某县人民政府关于供水的通知", NOTICE)
    assert (meta.issuer, meta.number, meta.date, meta.year) == ("某县人民政府", "某政发〔2030〕7号", "2030-03-05", 2030)


@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("——2025年1月15日在某省第十四届人民代表大会上", "2025-01-15"),
        ("Published on 5 March 2024 by the city", "2024-03-05"),
        ("Published March 5, 2024 by the city", "2024-03-05"),
        ("Updated 2024-03-05", "2024-03-05"),
        ("2024年3月印发", "2024-03"),
        ("版本 2024年13月", None),
        ("没有日期", None),
    ],
)
def test_dates_are_read_as_iso(text: str, date: str | None) -> None:
    assert read_metadata("报告", text).date == date


def test_the_title_names_the_year_before_the_date_does() -> None:
    assert read_metadata("2024年工作总结", "2025年1月3日").year == 2024


def test_a_file_name_that_says_more_than_the_first_line_is_the_title() -> None:
    assert (
        choose_title(None, "政府工作报告\n各位代表：", Path("2025年某省政府工作报告.docx")) == "2025年某省政府工作报告"
    )


def test_a_long_first_line_is_no_title() -> None:
    assert choose_title(None, "这是正文。" * 40, Path("报告.txt")) == "报告"


@pytest.mark.parametrize(("text", "lang"), [("增长5%", "zh"), ("Growth of GDP", "en"), ("GDP增长", "zh"), ("12", "en")])
def test_language(text: str, lang: str) -> None:
    assert language(text) == lang
