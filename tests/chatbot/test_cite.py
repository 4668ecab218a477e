"""Markers of any model's draft become citations of the evidence, and of nothing else."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chatbot.cite import Resolved, attach, resolve
from chatbot.types import Evidence, Support
from corpus.sentences import sentence_spans
from corpus.types import Span

TEXTS = {
    "a": "湖北省有1.75万名第一书记投入乡村振兴战场。𠮷县首批１００吨暖心煤到来！氢气年产能力超390万吨。",
    "b": "The cafe\u0301 plan covers 149 firms. Output rose by 5.2 per cent in 2023.",
}


def evidence_of(texts: dict[str, str]) -> tuple[Evidence, ...]:
    places = [(doc_id, span) for doc_id, text in texts.items() for span in sentence_spans(text)]
    return tuple(
        Evidence(number, doc_id, f"报告{doc_id}", span, span.of(texts[doc_id]))
        for number, (doc_id, span) in enumerate(places, start=1)
    )


EVIDENCE = evidence_of(TEXTS)  # [1] to [3] of a, [4] and [5] of b


def locate(doc_id: str, span: Span) -> tuple[str, int | None]:
    return f"{doc_id}.pdf", 1 + span.start


def resolved(draft: str) -> Resolved:
    return resolve(draft, EVIDENCE, locate)


def markers(draft: str) -> list[int]:
    return [citation.marker for citation in resolved(draft).citations]


CLAIM = "湖北省有1.75万名第一书记，氢气年产能力超390万吨"


@pytest.mark.parametrize(
    "written",
    ["[1][3]", "[1,3]", "[1, 3]", "【1】【3】", "［１］［３］", "〔1〕〔3〕",
     "（[1]）[3]", "[1]、[3]", "[证据1][证据3]", "[Evidence 1, 3]",
     "(资料1)[^3]", "[[1]][3]", "[1、3]", "[1] [3]"],
)  # fmt: skip
def test_one_form_of_marker_is_shown(written: str) -> None:
    assert resolved(f"{CLAIM}{written}。").text == f"{CLAIM}[1][3]。"


def test_range_names_all_its_numbers() -> None:
    assert resolved("没有[7-9]").dangling == (7, 8, 9)


def test_endless_range_is_its_two_ends() -> None:
    assert resolved("没有[7-999999]").dangling == (7, 999999)


@pytest.mark.parametrize(
    "text",
    ["国发〔2024〕12号文件。", "国发[2024]12号文件。", "见《报告[1]》。", "（1）总体。", "[1234567]", "[注1]", "[]"],
)
def test_what_is_no_marker_stays_as_it_is(text: str) -> None:
    assert (resolved(text).text, markers(text), resolved(text).dangling) == (text, [], ())


def test_dangling_marker_is_kept() -> None:
    found = resolved("增长8%[9]，下降2%[2024][9]。")
    assert (found.text, found.dangling) == ("增长8%[9]，下降2%[2024][9]。", (9, 2024))


@pytest.mark.parametrize(
    "draft", ["氢气年产能力超390万吨[3]。招聘会很多。", "氢气年产能力超390万吨。[3]招聘会很多。",
              "氢气年产能力超390万吨。 [3] 招聘会很多。",
              "氢气年产能力超390万吨。\n[3]\n招聘会很多。", "招聘会很多。\n[3] 氢气年产能力超390万吨。"],
)  # fmt: skip
def test_marker_belongs_to_its_sentence(draft: str) -> None:
    found = resolved(draft)
    (citation,) = found.citations
    assert citation.answer_span.of(found.text).replace("[3]", "") == "氢气年产能力超390万吨。"


def test_citation_carries_place_and_verdict() -> None:
    (citation,) = resolved("氢气年产能力超400万吨[3]。").citations
    assert (citation.source, citation.page) == ("a.pdf", 1 + EVIDENCE[2].span.start)
    assert (citation.support, citation.reasons) == (Support.UNSUPPORTED, ("原文没有“400万吨”",))


def test_marker_that_supports_nothing_is_pruned() -> None:
    assert resolved("氢气年产能力超390万吨[1][3][5]。").text == "氢气年产能力超390万吨[3]。"


def test_a_sentence_keeps_its_best_marker() -> None:
    assert markers("火炬传递圆满成功[2][4]。") == [2]


def test_sentence_without_marker_gets_its_evidence() -> None:
    found = resolved("氢气年产能力超390万吨。")
    assert (found.text, found.citations[0].support) == ("氢气年产能力超390万吨[3]。", Support.SUPPORTED)


@pytest.mark.parametrize("claim", ["氢气年产能力超400万吨。", "港口吞吐量超390万吨。", "一切顺利。", ""])
def test_nothing_is_attached_to_what_no_evidence_says(claim: str) -> None:
    assert attach(claim, EVIDENCE) is None


def test_a_claim_stitched_from_two_articles_does_not_pass_on_one() -> None:
    claim = "氢气年产能力超390万吨，企业149家"
    assert [c.support for c in resolved(f"{claim}[3]。").citations] == [Support.PARTIAL]


def test_a_quote_stitched_from_two_articles_is_refused() -> None:
    stitched = Evidence(1, "a", "报告", EVIDENCE[0].span, EVIDENCE[0].quote + EVIDENCE[3].quote)
    with pytest.raises(ValueError, match="evidence 1"):
        resolve("任何话[1]。", [stitched], locate)


PIECES = st.sampled_from(
    ["[", "]", "【", "】", "〔", "〕", "（", "）", "(", ")", "《", "》",
     "1", "2", "3", "5", "9", "2024", "１", "、", "，", ",", "和", "-",
     " ", "\n", "\u3000\u3000", "。", ". ", "！", "证据", "Evidence ", "发", "12号",
     "[1]", "[2]", "[9]", "𠮷", "e\u0301", "390万吨",
     "氢气年产能力超390万吨", "湖北省有1.75万名第一书记投入乡村振兴战场", "Output rose by 5.2 per cent in 2023"]
)  # fmt: skip
DRAFTS = st.one_of(st.text(), st.lists(PIECES, max_size=40).map("".join))


@given(DRAFTS)
def test_any_text_cites_only_what_the_documents_say(draft: str) -> None:
    found = resolved(draft)
    known = {(item.number, item.doc_id, item.span) for item in EVIDENCE}
    assert {(c.marker, c.doc_id, c.span) for c in found.citations} <= known
    assert all(TEXTS[c.doc_id][c.span.start : c.span.end] == c.quote for c in found.citations)


@given(DRAFTS)
def test_resolving_twice_changes_nothing(draft: str) -> None:
    found = resolved(draft)
    assert resolved(found.text) == found


@given(DRAFTS)
def test_every_number_shown_is_cited_or_dangling(draft: str) -> None:
    found = resolved(draft)
    assert all(f"[{citation.marker}]" in found.text for citation in found.citations)
    assert all(f"[{number}]" in found.text for number in found.dangling)
    assert {citation.marker for citation in found.citations}.isdisjoint(found.dangling)


@given(st.text(), st.integers(min_value=0))
def test_any_document_is_quoted_to_the_letter(text: str, number: int) -> None:
    texts = {"x": "𠮷１e\u0301" + text}
    evidence = evidence_of(texts)
    found = resolve(f"如此[{number % (len(evidence) + 2)}]。", evidence, locate)
    assert all(c.span.of(texts["x"]) == c.quote for c in found.citations)


@pytest.mark.parametrize("piece", ["[", "[1]", "[1]、", "（[1]", "[9", "《[1]", "a[1]。"])
def test_an_endless_draft_resolves(piece: str) -> None:
    assert set(markers(piece * 2_000)) <= {1}


def test_a_short_claim_gets_the_one_sentence_that_holds_its_figures() -> None:
    text = "目前，首批100吨暖心煤已于11月15日运到各村。\n全县另有3个煤场。"
    first = Evidence(1, "d", "报告", Span(0, text.index("\n")), text[: text.index("\n")])
    second = Evidence(2, "d", "报告", Span(text.index("\n") + 1, len(text)), text[text.index("\n") + 1 :])
    resolved = resolve("11月15日到的，有100吨。", [first, second], lambda _doc_id, _span: ("a.txt", None))
    assert [citation.marker for citation in resolved.citations] == [1]


def test_a_short_claim_whose_figure_stands_in_two_sentences_gets_none() -> None:
    quotes = ("甲县新建学校12所，投入使用。", "乙县修缮桥梁12座，全部完工。")
    evidence = [
        Evidence(number, "d", "报告", Span(0, len(quote)), quote) for number, quote in enumerate(quotes, start=1)
    ]
    assert resolve("一共是12。", evidence, lambda _doc_id, _span: ("a.txt", None)).citations == ()
