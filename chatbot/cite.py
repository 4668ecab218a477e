"""Turns the markers of a model's draft into citations. Pure: knows no models, no library and no HTML.

What is a marker: [1], [1][2], [1,2], [1、3], [1-3], 【1】, 〔1〕, ［１］, [^1], （[1]）, "[1]、[2]", [证据1],
[Evidence 1], （证据1）.
What is none: a year in 〔〕 or behind 发, 办, 函, 字 (国发〔2024〕12号, 国发[2024]12号), anything inside 《》, a
plain (1), and a number of more than six digits. The one form shown is [n], one number each, a number once in a row.
A number without evidence stays in the text and is listed as dangling, [2024] and [0] included.

Which sentence a marker belongs to: the one it stands in or follows, also behind its full stop and after a space; at
the head of a line the sentence that follows; alone on its line the last one before.

A sentence's quotes are checked together, so two markers may carry half each, and each citation of the sentence has
the common verdict. Of several markers those that support nothing go, text and all, but one always stays. A sentence
that cites nothing gets a marker if one evidence sentence carries all of it.
"""

import itertools
import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

from chatbot.check import (
    MIN_WORDS,
    Reading,
    Verdict,
    check_readings,
    explain,
    read,
    shared_words,
    shares_figure,
)
from chatbot.types import Citation, Evidence, Support
from corpus.sentences import whole_sentence_spans
from corpus.types import Span

_Group = tuple[int, list[int]]  # a place in the text without markers, and the numbers that stand there
Locate = Callable[[str, Span], tuple[str, int | None]]
LITTLE_WORDS = 0.3  # a marker without a common figure stays if its quote shares this much of the sentence's words

_MAX_INSIDE = 48  # characters between a marker's brackets
_SPREAD = 9  # [1-10] is ten markers; a wider range is its two ends
_OPEN, _CLOSE = "[［【〔(（", "]］】〕)）"
_ROUND, _HEXAGON = "(（", "〔"
_SEPARATORS = "、,，和及& \t"
_WORD = r"(?:证据|资料|来源|文献|evidence|source|ref)"
_ITEM = rf"(?:{_WORD}\s*)?[#^]?\s*([0-9０-９]{{1,6}})(?:\s*[-–—~～至]\s*(?:{_WORD}\s*)?([0-9０-９]{{1,6}}))?"
_INSIDE = re.compile(rf"[{_SEPARATORS};；]*{_ITEM}(?:[{_SEPARATORS};；]+{_ITEM})*[{_SEPARATORS};；]*", re.IGNORECASE)
_EACH = re.compile(_ITEM, re.IGNORECASE)
_HAS_WORD = re.compile(rf"[{_SEPARATORS}]*{_WORD}", re.IGNORECASE)
_YEAR = re.compile(r"(?:19|20)[0-9]{2}")
_TITLE = re.compile(r"《[^《》\n]*》")
_BEFORE_YEAR = "发办函字规令通告文审复"
_FINAL = "。！？!?….；;"


@dataclass(frozen=True, slots=True)
class Resolved:
    """The canonical text with what it cites. Resolving `text` again gives the same three."""

    text: str
    citations: tuple[Citation, ...]  # in the order of sentences and, in each, of their markers
    dangling: tuple[int, ...]  # each number once, in order of first appearance


@dataclass(frozen=True, slots=True)
class _Marker:
    at: int  # offset in the text without markers
    number: int


@dataclass(frozen=True, slots=True)
class _Cited:
    """One sentence with the evidence it keeps, and what the check says of both."""

    span: Span  # in the text without markers
    evidence: tuple[Evidence, ...]
    verdict: Verdict


def resolve(
    draft: str,
    evidence: Sequence[Evidence],
    locate: Locate,
    context: Sequence[str] = (),
    lang: Literal["zh", "en"] = "zh",
) -> Resolved:
    """The draft with canonical markers, its citations and its invented numbers. Any text whatsoever resolves.

    A citation's `answer_span` is its sentence in the canonical text, from the first to the last character that
    belongs to no marker; it is empty if there is nothing but markers. There is one citation for each number of a
    sentence.

    Args:
        locate: document and span to the document's source and page.
        context: the question and whatever else is known; its dates and words count as present, as in `check_claim`.
        lang: of the reasons.

    Raises:
        ValueError: an evidence's quote is not as long as its span, or two have one number.
    """
    known = _by_number(evidence)
    plain, markers = _tokenize(draft)
    spans = whole_sentence_spans(plain)
    starts = [span.start for span in spans]
    owners = [_owner(plain, spans, starts, marker.at) for marker in markers]
    cited, attached = _cite_all(plain, spans, markers, owners, _Checker(known, context))
    kept = _kept(markers, owners, cited, known) + attached
    layout = _Layout(plain, sorted(kept, key=lambda marker: marker.at))  # what stands at one place keeps its order
    citations = tuple(
        _citation(item, one, layout.span(one.span), locate, lang)
        for _, one in sorted(cited.items())
        for item in one.evidence
    )
    dangling = dict.fromkeys(marker.number for marker in markers if marker.number not in known)
    return Resolved(layout.text, citations, tuple(dangling))


def _cite_all(
    plain: str, spans: Sequence[Span], markers: Sequence[_Marker], owners: Sequence[int], checker: "_Checker"
) -> tuple[dict[int, _Cited], list[_Marker]]:
    """What each sentence cites, and the markers that were missing. Sentence -1 is a draft of markers alone."""
    own: dict[int, list[_Marker]] = {owner: [] for owner in range(len(spans))}
    for marker, owner in zip(markers, owners, strict=True):
        own.setdefault(owner, []).append(marker)
    cited: dict[int, _Cited] = {}
    attached: list[_Marker] = []
    for owner, its_markers in own.items():
        span = spans[owner] if owner >= 0 else Span(0, 0)
        cited[owner] = checker.cite(plain, span, list(dict.fromkeys(marker.number for marker in its_markers)))
        doubtful = cited[owner].verdict.support is not Support.SUPPORTED
        if doubtful and (found := checker.attach(span.of(plain))):
            cited[owner] = _Cited(span, (found,), Verdict(Support.SUPPORTED))
            attached.append(_Marker(its_markers[-1].at if its_markers else _marker_place(plain, span), found.number))
    return cited, attached


def attach(sentence: str, evidence: Sequence[Evidence], context: Sequence[str] = ()) -> Evidence | None:
    """The evidence that alone carries all of `sentence`, a claim without markers; None if there is none.

    It must be supported and share `MIN_WORDS` of the words; of several the one that shares most, then the first. A
    short claim whose figures stand in one evidence sentence alone gets that one: in two they may be chance.
    """
    return _Checker({item.number: item for item in evidence}, context).attach(sentence)


class _Checker:
    """The evidence of one answer, each quote read once."""

    def __init__(self, known: dict[int, Evidence], context: Sequence[str]) -> None:
        self._known = known
        self._quotes = {number: read(item.quote) for number, item in known.items()}
        self._context = [read(text) for text in context]
        self._titles = {item.title: read(item.title) for item in known.values()}

    def cite(self, plain: str, span: Span, numbers: Sequence[int]) -> _Cited:
        """The sentence with those of `numbers` that support something, or with the best one; none if none is known."""
        known = [number for number in numbers if number in self._known]
        if not known:
            return _Cited(span, (), Verdict(Support.UNSUPPORTED))
        claim = read(span.of(plain))
        kept = [number for number in known if len(known) == 1 or self._supports(claim, number)]
        if not kept:
            kept = [max(known, key=lambda number: (self._share(claim, number), -known.index(number)))]
        evidence = tuple(self._known[number] for number in kept)
        quotes = [self._quotes[number] for number in kept]
        return _Cited(span, evidence, check_readings(claim, quotes, self._around(evidence)))

    def attach(self, sentence: str) -> Evidence | None:
        claim = read(sentence)
        carrying = [item for _, item in sorted(self._known.items()) if self._carries(claim, item)]
        shares = [self._share_of_own(claim, item) for item in carrying]
        if shares and max(shares) >= MIN_WORDS:
            return carrying[shares.index(max(shares))]
        has_figure = any(not said.figure.weak for said in claim.figures)
        return carrying[0] if has_figure and len(carrying) == 1 else None

    def _carries(self, claim: Reading, item: Evidence) -> bool:
        verdict = check_readings(claim, [self._quotes[item.number]], self._around((item,)))
        return verdict.support is Support.SUPPORTED

    def _share_of_own(self, claim: Reading, item: Evidence) -> float:
        """The share of the words that title and context do not hold already."""
        return shared_words(claim, [self._quotes[item.number]], self._around((item,))) or 0.0

    def _around(self, evidence: Sequence[Evidence]) -> list[Reading]:
        return [*self._context, *(self._titles[item.title] for item in evidence)]

    def _supports(self, claim: Reading, number: int) -> bool:
        around = self._around((self._known[number],))
        return shares_figure(claim, self._quotes[number], around) or self._share(claim, number) >= LITTLE_WORDS

    def _share(self, claim: Reading, number: int) -> float:
        return shared_words(claim, [self._quotes[number]]) or 0.0


def _by_number(evidence: Sequence[Evidence]) -> dict[int, Evidence]:
    known = {item.number: item for item in evidence}
    if len(known) != len(evidence):
        raise ValueError("two pieces of evidence have one number")
    for item in evidence:
        if len(item.quote) != len(item.span):
            raise ValueError(
                f"evidence {item.number} quotes {len(item.quote)} characters, its span has {len(item.span)}"
            )
    return known


def _tokenize(draft: str) -> tuple[str, list[_Marker]]:
    """The draft without markers, and the markers with their places in it.

    Everything that goes, goes from the end of what was kept so far. So no new marker can form, and a marker put back,
    or left out, at its place changes nothing about the rest: that is why resolving twice changes nothing.
    """
    kept: list[str] = []
    opened: list[int] = []
    groups: list[_Group] = []
    titles = [m.span() for m in _TITLE.finditer(draft)]
    title = 0
    for at, char in enumerate(draft):
        while title < len(titles) and titles[title][1] <= at:
            title += 1
        in_title = title < len(titles) and titles[title][0] <= at
        if char == "\n":
            opened.clear()
        elif char in _OPEN and not in_title:
            opened.append(len(kept))
        elif char in _CLOSE and not in_title and opened and _close(kept, opened.pop(), char, groups):
            continue
        kept.append(char)
    return "".join(kept), [_Marker(at, number) for at, numbers in groups for number in numbers]


def _close(kept: list[str], start: int, closing: str, groups: list[_Group]) -> bool:
    """Take the bracket that `closing` closes off the end of `kept` if it is a marker or wraps nothing but markers."""
    if len(kept) - start > _MAX_INSIDE or (kept[start] in _ROUND) != (closing in ")）"):
        return False
    inside = "".join(kept[start + 1 :])
    numbers = _marker_numbers(inside, kept[start], kept[start - 1] if start else "")
    if not numbers and (inside or not groups or groups[-1][0] != start + 1):
        return False
    del kept[start:]
    _settle(kept, groups, numbers)
    return True


def _settle(kept: list[str], groups: list[_Group], numbers: list[int]) -> None:
    """Add the numbers at the end of `kept`, to all that stood behind it; separators between two groups go."""
    while groups and groups[-1][0] >= len(kept):
        numbers = _joined(groups.pop()[1], numbers)
    if groups and all(char in _SEPARATORS for char in itertools.islice(reversed(kept), len(kept) - groups[-1][0])):
        del kept[groups[-1][0] :]
        numbers = _joined(groups.pop()[1], numbers)
    groups.append((len(kept), numbers))


def _joined(first: list[int], second: list[int]) -> list[int]:
    """The first list, longer by the second: a long row of markers must not be copied for each of them."""
    first.extend(second)
    return first


def _marker_numbers(inside: str, opening: str, before: str) -> list[int]:
    """The numbers a bracket names; none if it is no marker."""
    if not _INSIDE.fullmatch(inside) or (opening in _ROUND and not _HAS_WORD.match(inside)):
        return []
    if _YEAR.fullmatch(inside) and (opening == _HEXAGON or (before and before in _BEFORE_YEAR)):
        return []
    return [number for m in _EACH.finditer(inside) for number in _spread(int(m[1]), int(m[2] or m[1]))]


def _spread(first: int, last: int) -> Sequence[int]:
    if first == last:
        return (first,)
    return range(first, last + 1) if 0 < last - first <= _SPREAD else (first, last)


def _owner(plain: str, spans: Sequence[Span], starts: Sequence[int], at: int) -> int:
    """The sentence a marker at `at` belongs to; -1 if there is none at all."""
    before = bisect_left(starts, at) - 1  # the last sentence that begins before the marker
    if before >= 0 and at <= spans[before].end:
        return before
    at_line_head = before < 0 or "\n" in plain[spans[before].end : at]
    has_next = before + 1 < len(spans) and (before < 0 or "\n" not in plain[at : spans[before + 1].start])
    return before + 1 if at_line_head and has_next else before


def _kept(
    markers: Sequence[_Marker], owners: Sequence[int], cited: dict[int, _Cited], known: dict[int, Evidence]
) -> list[_Marker]:
    """The markers to show: all dangling ones, and those whose evidence their sentence keeps; at one place each once."""
    kept = (
        marker
        for marker, owner in zip(markers, owners, strict=True)
        if marker.number not in known or known[marker.number] in cited[owner].evidence
    )
    return list(dict.fromkeys(kept))


def _marker_place(plain: str, span: Span) -> int:
    """Before the sentence's last full stop."""
    return span.start + len(span.of(plain).rstrip(_FINAL))


def _citation(item: Evidence, one: _Cited, answer_span: Span, locate: Locate, lang: Literal["zh", "en"]) -> Citation:
    source, page = locate(item.doc_id, item.span)
    return Citation(
        marker=item.number,
        doc_id=item.doc_id,
        title=item.title,
        source=source,
        page=page,
        span=item.span,
        quote=item.quote,
        answer_span=answer_span,
        support=one.verdict.support,
        reasons=tuple(explain(reason, lang) for reason in one.verdict.reasons),
    )


class _Layout:
    """The text with its markers put in, and where its characters went."""

    def __init__(self, plain: str, markers: Sequence[_Marker]) -> None:
        shown = [f"[{marker.number}]" for marker in markers]
        self._places = [marker.at for marker in markers]
        self._added = [0, *itertools.accumulate(len(text) for text in shown)]
        edges = [0, *self._places, len(plain)]
        pieces = [plain[start:end] for start, end in itertools.pairwise(edges)]
        self.text = "".join(piece + text for piece, text in zip(pieces, [*shown, ""], strict=True))

    def span(self, plain: Span) -> Span:
        """Where a span of the plain text stands, from its first to its last character."""
        if not plain:
            return plain
        return Span(self._offset(plain.start), self._offset(plain.end - 1) + 1)

    def _offset(self, at: int) -> int:
        return at + self._added[bisect_right(self._places, at)]
