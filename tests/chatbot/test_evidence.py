from chatbot.evidence import choose_evidence
from corpus.chunk import chunks
from corpus.types import Document
from index.types import Hit

TEXT = "海港市新建学校12所。\n海港市新建医院3家。\n山城市新建学校7所。\n全市植树造林取得进展。"


def hits(text: str = TEXT) -> list[Hit]:
    document = Document("年度报告", text, "zh", "a.txt", "0" * 64)
    return [Hit(chunk, document.title, 1.0, rank) for rank, chunk in enumerate(chunks(document), start=1)]


def test_the_sentence_that_answers_is_chosen_first() -> None:
    chosen = choose_evidence("山城市新建了多少所学校？", hits(), 1, len)
    assert [item.quote for item in chosen] == ["山城市新建学校7所。"]


def test_evidence_is_numbered_in_the_order_of_the_text() -> None:
    chosen = choose_evidence("山城市和海港市新建了多少所学校？", hits(), 25, len)
    assert [(item.number, item.quote) for item in chosen] == [(1, "海港市新建学校12所。"), (2, "山城市新建学校7所。")]


def test_every_quote_is_its_span_of_the_text() -> None:
    assert all(item.span.of(TEXT) == item.quote for item in choose_evidence("学校", hits(), 1000, len))


def test_without_a_shared_word_the_first_hit_decides() -> None:
    assert choose_evidence("schools?", hits(), 1, len)[0].quote == "海港市新建学校12所。"


def test_no_hits_give_no_evidence() -> None:
    assert choose_evidence("学校", [], 100, len) == ()


def test_a_row_comes_with_its_table_s_head() -> None:
    table = "城市 | 学校\n海港市 | 12\n山城市 | 7\n河谷市 | 3"
    chosen = choose_evidence("山城市的学校", hits(table), 14, len)
    assert [item.quote for item in chosen] == ["城市 | 学校", "山城市 | 7"]


def test_a_sentence_that_says_nothing_of_the_question_is_left_out() -> None:
    quotes = [item.quote for item in choose_evidence("山城市新建了多少所学校？", hits(), 1000, len)]
    assert "山城市新建学校7所。" in quotes
    assert "全市植树造林取得进展。" not in quotes


def test_an_english_question_finds_the_sentence_that_names_its_province() -> None:
    text = "全国新建学校900所。\n湖北新建学校12所。\n湖南新建学校7所。"
    assert choose_evidence("How many schools did Hunan build?", hits(text), 1, len)[0].quote == "湖南新建学校7所。"
