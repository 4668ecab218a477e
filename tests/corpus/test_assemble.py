"""From blocks to one text: where blocks, headings and pages stand in it."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from corpus.assemble import assemble
from corpus.normalize import normalize
from corpus.sections import Heading
from corpus.types import Block, Page, RawDocument, Span

PIECES = st.text(st.sampled_from(list("各位\u200b \n\u3000e\u0301𠮷１")), max_size=12)


@st.composite
def paged_documents(draw: st.DrawFn) -> RawDocument:
    """Blocks on rising pages, some running on over one page's end or several."""
    blocks = []
    page = 1
    for pieces in draw(st.lists(st.lists(PIECES, min_size=1, max_size=3), max_size=6)):
        text, breaks, first = pieces[0], [], page
        for piece in pieces[1:]:
            page += draw(st.integers(1, 2))
            breaks.append((len(text), page))
            text += piece
        blocks.append(Block(text, page=first, page_breaks=tuple(breaks)))
        page += draw(st.integers(0, 2))
    return RawDocument(tuple(blocks), page_count=page + draw(st.integers(0, 2)))


@given(paged_documents())
def test_pages_tile_the_text_in_order(raw: RawDocument) -> None:
    assembled = assemble(raw)

    spans = [page.span for page in assembled.pages]
    assert spans[0].start == 0
    assert all(one.end == other.start for one, other in pairwise(spans))
    assert spans[-1].end == len(assembled.text)


@given(paged_documents())
def test_every_page_is_numbered_once(raw: RawDocument) -> None:
    assert [page.number for page in assemble(raw).pages] == list(range(1, raw.page_count + 1))


@given(paged_documents())
def test_assembled_text_needs_no_further_normalizing(raw: RawDocument) -> None:
    text = assemble(raw).text

    assert normalize(text) == text


def test_blocks_are_joined_with_line_ends_and_empty_ones_dropped() -> None:
    assembled = assemble(RawDocument((Block("　　一"), Block(" \u200b"), Block("二 "))))

    assert assembled.text == "一\n二"


def test_document_without_blocks_is_empty_text() -> None:
    assert assemble(RawDocument(())).text == ""


def test_format_without_pages_has_none() -> None:
    assert assemble(RawDocument((Block("一"),))).pages == ()


def test_stated_heading_keeps_its_level_and_place() -> None:
    assembled = assemble(RawDocument((Block("前言"), Block("一、总体要求", level=2), Block("正文"))))

    assert assembled.headings == (Heading(Span(3, 9), 2),)
    assert Span(3, 9).of(assembled.text) == "一、总体要求"


def test_heading_of_two_lines_becomes_one() -> None:
    assembled = assemble(RawDocument((Block("关于印发\n规划的通知", level=1),)))

    assert assembled.text == "关于印发规划的通知"


def test_page_without_text_has_an_empty_span() -> None:
    assembled = assemble(RawDocument((Block("一", page=1), Block("三", page=3)), page_count=3))

    assert assembled.pages == (Page(1, Span(0, 2)), Page(2, Span(2, 2)), Page(3, Span(2, 3)))


def test_text_before_the_first_page_with_text_is_on_no_other_page() -> None:
    assembled = assemble(RawDocument((Block("二", page=2),), page_count=2))

    assert assembled.pages == (Page(1, Span(0, 0)), Page(2, Span(0, 1)))


def test_paragraph_over_a_page_end_is_cut_at_the_break() -> None:
    block = Block("报告请予审议", page=1, page_breaks=((2, 2),))

    first, second = assemble(RawDocument((block,), page_count=2)).pages

    assert (first.span, second.span) == (Span(0, 2), Span(2, 6))


def test_page_break_moves_with_what_normalizing_drops_before_it() -> None:
    block = Block("　　报\u200b告请予审议", page=1, page_breaks=((5, 2),))

    assembled = assemble(RawDocument((block,), page_count=2))

    assert assembled.pages[1].span.of(assembled.text) == "请予审议"
