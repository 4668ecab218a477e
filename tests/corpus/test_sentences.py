"""Sentences of zh and en text: what they are, and that together they are the text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from corpus.sentences import MAX_CHARS, sentence_spans, whole_sentence_spans

MIXED = st.text(alphabet="一二𠮷１ａe\u0301A1. ,，。；！？…“”（）()《》[]\n\r\t\u3000", max_size=400)


def sentences(text: str) -> list[str]:
    return [span.of(text) for span in sentence_spans(text)]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("全年增长5.2%。投资下降！为什么？", ["全年增长5.2%。", "投资下降！", "为什么？"]),
        ("他说：“我们要努力。”大家鼓掌。", ["他说：“我们要努力。”", "大家鼓掌。"]),
        ("喊出“一切为民！”的口号。", ["喊出“一切为民！”的口号。"]),
        ("一派繁忙景象……工程正在收尾。", ["一派繁忙景象……", "工程正在收尾。"]),
        ("（注：来源一。来源二。）完。", ["（注：来源一。来源二。）", "完。"]),
        ("印发《前进！青年》一书。", ["印发《前进！青年》一书。"]),
        ("标题没有句号\n正文第一句。", ["标题没有句号", "正文第一句。"]),
        ("第一段没有句号\u3000\u3000第二段。", ["第一段没有句号", "第二段。"]),
        ("要求如下：1.加强领导。2.改进作风。", ["要求如下：1.加强领导。", "2.改进作风。"]),
        ("已经完成。[1]随后验收。", ["已经完成。[1]", "随后验收。"]),
    ],
)
def test_chinese_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("The U.S. economy grew 3.5 percent. It slowed.", ["The U.S. economy grew 3.5 percent.", "It slowed."]),
        ("See No. 5 and Fig. 3, e.g. in May. Done.", ["See No. 5 and Fig. 3, e.g. in May.", "Done."]),
        ("The answer is no. Dr. Li agreed.", ["The answer is no.", "Dr. Li agreed."]),
        ('He said: "It works." They left.', ['He said: "It works."', "They left."]),
        ("Wait... there is more! Yes?", ["Wait... there is more!", "Yes?"]),
        ("1.2 Scope of work. 1. First. 2. Second.", ["1.2 Scope of work.", "1. First.", "2. Second."]),
        ("It began in 2023. The rest followed.", ["It began in 2023.", "The rest followed."]),
    ],
)
def test_english_sentences(text: str, expected: list[str]) -> None:
    assert sentences(text) == expected


def test_semicolon_splits_long_clauses() -> None:
    clause = "推动重点行业节能降碳改造并完善配套的价格财税金融支持政策体系"
    assert sentences(f"{clause}；{clause}。") == [f"{clause}；", f"{clause}。"]


def test_semicolon_keeps_short_clauses_together() -> None:
    assert sentences("出口增长5%；进口下降2%。") == ["出口增长5%；进口下降2%。"]


def test_whole_sentence_keeps_its_clauses() -> None:
    text = ("推动重点行业节能降碳改造并完善配套的价格财税金融支持政策体系；" * 9)[:-1] + "。"
    assert [span.of(text) for span in whole_sentence_spans(text)] == [text]


def test_long_sentence_is_cut_outside_numbers() -> None:
    text = "实现产值1,160亿元，同比增长" * 40
    pieces = sentences(text)
    assert max(map(len, pieces)) <= MAX_CHARS
    assert all(piece.count("1,160") == piece.count("160") for piece in pieces)


def test_long_sentence_is_cut_outside_brackets() -> None:
    text = "各地区各部门深入推进（含甲，乙，丙，丁）" * 20
    assert all(piece.count("（") == piece.count("）") for piece in sentences(text))


def test_blank_text_has_no_sentences() -> None:
    assert sentence_spans(" \n\u3000\t") == ()


@given(MIXED)
def test_every_character_is_in_one_sentence(text: str) -> None:
    spans = sentence_spans(text)
    covered = [at for span in spans for at in range(span.start, span.end)]
    assert covered == sorted(set(covered))
    assert {at for at, char in enumerate(text) if not char.isspace()} <= set(covered)


@given(MIXED)
def test_sentences_are_trimmed_and_stay_on_one_line(text: str) -> None:
    pieces = sentences(text)
    assert all(piece == piece.strip() and piece and len(piece.splitlines()) == 1 for piece in pieces)


@pytest.mark.parametrize("piece", ["a", "，", "（", "。", "1.", "《a", "U.S. "])
def test_one_endless_line_is_read(piece: str) -> None:
    text = piece * 100_000
    assert "".join(sentences(text)).replace(" ", "") == text.replace(" ", "")
