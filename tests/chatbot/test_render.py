"""HTML of answers and sources: what is shown, what is flagged, and that nothing untrusted becomes markup."""

from dataclasses import fields, replace
from html.parser import HTMLParser
from string import Formatter

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.render import answer_html, escape, exchange_html, welcome_html
from chatbot.render_source import CONTEXT_CHARS, WHOLE_CHARS, Opened, shown_window, source_html
from chatbot.types import Answer, AnswerReady, Citation, EvidenceFound, Support, Timings, TokenText
from chatbot.ui.exchange import Exchange, Kind, State, advance, places
from chatbot.ui.texts import EN, ZH, Texts, texts_for
from corpus.types import Document, Span
from tests.chatbot.fake_asker import NEEDLE, REPLIES, FakeAsker

ASKER = FakeAsker()


class Reader(HTMLParser):
    """Collects tags, attribute names and visible text of a piece of HTML."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.attributes: list[tuple[str, str]] = []
        self.text = ""
        self.inside: list[str] = []
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.attributes += [(name, value or "") for name, value in attrs]
        self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        self.inside.pop()

    def handle_data(self, data: str) -> None:
        self.text += data

    def buttons(self) -> list[str]:
        return [value for name, value in self.attributes if name == "data-open"]


def exchange_of(key: str) -> Exchange:
    return advance(Exchange("问题"), AnswerReady(ASKER.answer("问题", REPLIES[key])))


def shown_answer(key: str) -> str:
    return answer_html(ASKER.answer("问题", REPLIES[key]), 0, ZH)


def plain_answer(text: str, markers: tuple[int, ...], dangling: tuple[int, ...] = ()) -> Answer:
    citations = tuple(
        Citation(marker, "d", "t", "s", None, Span(0, 1), "q", Span(0, len(text)), Support.SUPPORTED)
        for marker in markers
    )
    return Answer("q", text, citations, dangling, (), (), False, None, None, "m", Timings(0, None, 0, 0, 0))


def source_of(key: str, at: int = 0) -> str:
    place = places(exchange_of(key), Kind.CITATION)[at]
    return source_html(ASKER.document(place.doc_id), place, Opened(Kind.CITATION, 0, at), 3, ZH)


def test_a_marker_becomes_a_button_that_names_its_citation() -> None:
    assert Reader(shown_answer("goals")).buttons() == ["citation:0:0", "citation:0:1"]


def test_a_partly_supported_sentence_carries_its_reason() -> None:
    assert 'class="partial" title="部分有依据：“3.5万人”不在所引原文中">' in shown_answer("增长")


def test_an_unsupported_sentence_is_flagged() -> None:
    assert '<span class="unsupported"' in shown_answer("增长")


def test_a_supported_sentence_is_plain() -> None:
    assert shown_answer("增长").startswith("2030年，青岚市地区生产总值达到1286.4亿元，比上年增长5.7%<button")


def test_a_dangling_marker_is_flagged_and_opens_nothing() -> None:
    html = shown_answer("增长")
    assert 'class="cite dangling"' in html
    assert len(Reader(html).buttons()) == 3


def test_a_bracketed_year_stays_text() -> None:
    assert "青政发[2031]1号" in Reader(shown_answer("增长")).text


def test_every_doubt_is_also_said_in_words() -> None:
    text = Reader(exchange_html(exchange_of("增长"), 0, ZH)).text
    assert "3 处需要人工核对" in text
    assert "“260个”不在所引原文中" in text


def test_markers_side_by_side_are_two_buttons() -> None:
    html = answer_html(plain_answer("甲[1][2]", (1, 2)), 0, ZH)
    assert Reader(html).buttons() == ["citation:0:0", "citation:0:1"]


def test_an_invented_marker_of_four_digits_is_flagged() -> None:
    assert 'class="cite dangling"' in answer_html(plain_answer("甲[2024]", (), dangling=(2024,)), 0, ZH)


def test_the_same_marker_opens_the_citation_of_its_own_sentence() -> None:
    answer = plain_answer("甲[1]。乙[1]。", (1, 1))
    first, second = answer.citations
    answer = replace(
        answer, citations=(replace(first, answer_span=Span(0, 5)), replace(second, answer_span=Span(5, 10)))
    )
    assert Reader(answer_html(answer, 0, ZH)).buttons() == ["citation:0:0", "citation:0:1"]


@given(st.text(alphabet="甲a<&[]12, 。\n𠮷", max_size=40), st.data())
def test_no_word_of_an_answer_is_lost_or_doubled(text: str, data: st.DataObject) -> None:
    markers = tuple(data.draw(st.lists(st.integers(1, 12), max_size=3)))
    html = answer_html(plain_answer(text, markers, dangling=(2,)), 0, ZH)
    letters = [letter for letter in Reader(html).text if letter not in "[], ?0123456789"]
    assert letters == [letter for letter in text if letter not in "[], ?0123456789"]


def test_evidence_shows_before_any_word() -> None:
    answer = ASKER.answer("问题", REPLIES["增长"])
    html = exchange_html(advance(Exchange("问题"), EvidenceFound(answer.hits, answer.evidence)), 0, ZH)
    assert Reader(html).buttons() == ["evidence:0:0", "evidence:0:1", "evidence:0:2"]
    assert "找到 3 条依据" in html


def test_a_draft_is_called_a_draft() -> None:
    exchange = advance(Exchange("问题", evidence=()), TokenText("也许[1]"))
    html = exchange_html(exchange, 0, ZH)
    assert "草稿，尚未核对" in html
    assert Reader(html).buttons() == []


def test_a_stopped_draft_stays_and_says_so() -> None:
    html = exchange_html(Exchange("问题", State.STOPPED, evidence=(), draft="也许"), 0, EN)
    assert "也许" in html
    assert EN.stopped in html


def test_a_refusal_is_plain_and_shows_the_nearest_passages() -> None:
    reader = Reader(exchange_html(exchange_of("地铁"), 0, ZH))
    assert "现有文件不足以回答" in reader.text
    assert "最接近的段落" in reader.text
    assert reader.buttons() == ["evidence:0:0", "evidence:0:1"]


def test_a_refusal_without_evidence_offers_the_hits() -> None:
    answer = replace(ASKER.answer("问题", REPLIES["地铁"]), evidence=())
    html = exchange_html(advance(Exchange("问题"), AnswerReady(answer)), 0, ZH)
    assert Reader(html).buttons() == ["hit:0:0", "hit:0:1"]


def test_an_answer_without_citations_is_flagged() -> None:
    html = exchange_html(advance(Exchange("问题"), AnswerReady(plain_answer("甲", ()))), 0, ZH)
    assert ZH.no_citations in html


def test_the_source_marks_exactly_the_cited_text() -> None:
    html = source_of("增长")
    marked = html.split("<mark>")[1].split("</mark>")[0]
    assert marked == "2030年，全市地区生产总值达到1286.4亿元，比上年增长5.7%，高于全省平均水平0.4个百分点。"


def test_the_source_names_title_file_page_and_headings() -> None:
    text = Reader(source_of("增长", at=2)).text
    for part in ("青岚市2031年政府工作报告", "青政发〔2031〕1号", "qinglan-2031.pdf · 第 1 页", "› （二）民生保障"):
        assert part in text


def test_a_span_over_two_lines_is_marked_on_both() -> None:
    document = Document("t", "甲乙\n丙丁\n", "zh", "s", "0" * 64)
    place = replace(places(exchange_of("增长"), Kind.CITATION)[0], span=Span(1, 4))
    html = source_html(document, place, Opened(Kind.CITATION, 0, 0), 1, ZH)
    assert "<p>甲<mark>乙</mark></p><p><mark>丙</mark>丁</p>" in html


def test_a_short_document_is_shown_whole() -> None:
    text = "字" * WHOLE_CHARS
    assert shown_window(text, Span(5, 9), Opened(Kind.CITATION, 0, 0)) == Span(0, WHOLE_CHARS)


def test_a_long_document_opens_around_the_span() -> None:
    window = shown_window("字" * 200_000, Span(100_000, 100_010), Opened(Kind.CITATION, 0, 0))
    assert window == Span(100_000 - CONTEXT_CHARS, 100_010 + CONTEXT_CHARS)


def test_a_window_is_cut_at_lines() -> None:
    window = shown_window(("字" * 99 + "\n") * 2_000, Span(100_050, 100_060), Opened(Kind.CITATION, 0, 0))
    assert (window.start % 100, window.end % 100) == (0, 99)


def test_show_earlier_adds_text_only_before() -> None:
    text, span = "字" * 200_000, Span(100_000, 100_010)
    before = shown_window(text, span, Opened(Kind.CITATION, 0, 0))
    after = shown_window(text, span, Opened(Kind.CITATION, 0, 0, earlier=1))
    assert after.start < before.start
    assert after.end == before.end


def test_the_panel_of_a_long_document_is_small() -> None:
    assert len(source_of("规划")) < 40_000  # the document has 200,000 characters


def test_a_span_outside_the_text_is_the_callers_bug() -> None:
    place = replace(places(exchange_of("增长"), Kind.CITATION)[0], span=Span(0, 10**6))
    with pytest.raises(ValueError, match="leaves a text"):
        source_html(ASKER.document(place.doc_id), place, Opened(Kind.CITATION, 0, 0), 1, ZH)


OUR_TAGS = {
    "article",
    "b",
    "button",
    "details",
    "div",
    "em",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "header",
    "i",
    "li",
    "mark",
    "nav",
    "ol",
    "p",
    "section",
    "span",
    "summary",
    "ul",
}
OUR_ATTRIBUTES = {
    "aria-label",
    "aria-live",
    "class",
    "data-close",
    "data-example",
    "data-open",
    "data-scroll",
    "disabled",
    "lang",
    "role",
    "title",
    "type",
}


@pytest.mark.parametrize(
    "html",
    [
        exchange_html(exchange_of("evil"), 0, ZH),
        exchange_html(Exchange(NEEDLE, evidence=(), draft=NEEDLE), 0, ZH),
        exchange_html(Exchange(NEEDLE, State.FAILED, failure=NEEDLE), 0, ZH),
        source_of("evil"),
        welcome_html((NEEDLE,), ZH),
    ],
    ids=["answer", "draft", "failure", "source", "examples"],
)
def test_untrusted_text_never_becomes_markup(html: str) -> None:
    reader = Reader(html)
    assert set(reader.tags) <= OUR_TAGS
    assert {name for name, _ in reader.attributes} <= OUR_ATTRIBUTES
    assert NEEDLE in reader.text
    assert reader.inside == []


@given(st.text())
def test_escaped_text_reads_back_as_itself(text: str) -> None:
    quoted = text.replace("\r", "\n").replace("\x00", "")
    assert Reader(f"<p>{escape(quoted)}</p>").text == quoted


def test_a_lone_surrogate_can_be_sent() -> None:
    assert escape("甲\ud800").encode("utf-8") == "甲?".encode()


def test_both_languages_fill_the_same_blanks() -> None:
    def blanks(text: str) -> set[str | None]:
        return {name for _, name, _, _ in Formatter().parse(text) if name}

    for one in fields(ZH):
        assert blanks(getattr(ZH, one.name)) == blanks(getattr(EN, one.name)), one.name


def test_both_languages_say_everything_and_say_it_in_their_own_words() -> None:
    same = [
        one.name for one in fields(ZH) if not getattr(ZH, one.name) or getattr(ZH, one.name) == getattr(EN, one.name)
    ]
    assert same == []


@pytest.mark.parametrize(("tag", "texts"), [("zh-CN", ZH), ("zh", ZH), ("en-GB", EN), ("de", EN), ("", EN)])
def test_the_browsers_language_chooses_the_texts(tag: str, texts: Texts) -> None:
    assert texts_for(tag) is texts
