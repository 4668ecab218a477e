"""Does the cited text carry the claim? Compares figures, dates, units and words. Pure; no model judges here.

The rules of `check_claim`, in order:
1. A figure of the claim is found if one quote has it with the same value, kind and unit (figures.py normalises
   both). A percentage is no percentage point, and an opposite direction (增长, 下降), base (同比, 环比) or bound
   (超过, 不足) is not found.
2. A date may be put together from the dates of quotes and context: 2024年3月5日 stands on 3月5日 under a title with
   2024年. Other figures of the context prove nothing.
3. Quoted words of `MIN_QUOTED` characters or more must stand in one quote (or in the context), not be stitched from
   two.
4. All found: supported. Some: partial. No amount found, though the claim has amounts: unsupported, whatever its
   dates.
5. Words: the share of the claim's content bigrams (Chinese characters, Latin words; none of the context's) that the
   quotes hold. With figures, a share under `MIN_TOPIC` makes partial of supported: the figures agree by chance.
   Without figures (or only the context's dates), `MIN_WORDS` and more is supported, `SOME_WORDS` and more partial,
   less unsupported. A claim in another script than the quotes has no share: its figures decide, and without figures
   it is partial.

What it cannot see: a subject, a place or a "not" exchanged, and two figures of one sentence swapped.
"""

import re
from collections.abc import Iterable, Iterator, Sequence, Set
from dataclasses import dataclass
from decimal import Decimal
from enum import StrEnum
from typing import Literal

from chatbot.figures import DateParts, Figure, Kind, find_figures, narrow
from chatbot.types import Support
from chatbot.units import same_unit

MIN_WORDS = 0.6
SOME_WORDS = 0.3
MIN_TOPIC = 0.15
MIN_QUOTED = 8
_FEW_WORDS = 4  # so few bigrams left without the context's are no ground for a judgement


class ReasonCode(StrEnum):
    """Why a claim is not wholly supported."""

    NO_CLAIM = "no_claim"
    NO_QUOTE = "no_quote"
    FIGURE_MISSING = "figure_missing"
    UNIT_DIFFERS = "unit_differs"
    DIRECTION_DIFFERS = "direction_differs"
    BASE_DIFFERS = "base_differs"
    BOUND_DIFFERS = "bound_differs"
    QUOTATION_MISSING = "quotation_missing"
    LITTLE_SHARED = "little_shared"


@dataclass(frozen=True, slots=True)
class Reason:
    """One reason, as a code and the words of the claim it is about; `found` is what the source says instead, or ""."""

    code: ReasonCode
    claimed: str = ""
    found: str = ""


@dataclass(frozen=True, slots=True)
class Verdict:
    """How far the quotes carry the claim; no reasons if wholly."""

    support: Support
    reasons: tuple[Reason, ...] = ()


@dataclass(frozen=True, slots=True)
class _Said:
    """A figure with what its clause says of it: "up", "down" or ""; "year", "period" or ""."""

    figure: Figure
    text: str
    direction: str
    base: str


@dataclass(frozen=True, slots=True)
class Reading:
    """What `read` found in a text, to be compared any number of times."""

    figures: tuple[_Said, ...]
    words: frozenset[str]  # content bigrams of Chinese, and Latin words
    quotations: tuple[str, ...]
    compact: str  # letters and digits alone
    has_han: bool


_CLAUSE = re.compile(r"[，,。；;：:、（(）)！？!?\n]")
_WINDOW = 28  # how far from a figure its verb may stand
_DIRECTION = re.compile(
    r"(?P<neither>增加值|增值)"
    r"|(?P<down>负增长|下降|减少|降低|下跌|回落|下滑|缩小|收窄|缩窄|降幅|跌幅|萎缩|降至|降|跌|减|"
    r"\b(?:decreas|declin|reduc|fell\b|fall|drop|down\b|lower))"
    r"|(?P<up>增长|增加|上升|上涨|提高|提升|扩大|攀升|增幅|涨幅|增速|增|升|涨|\b(?:increas|ris(?:e|ing)|rose\b|grew\b|grow|up\b|higher))"
)
_BASE = re.compile(
    r"(?P<year>同比|比上年|较上年|比去年|较去年|上年同期|去年同期|year[- ]on[- ]year|yoy)"
    r"|(?P<period>环比|比上月|较上月|比上季度|较上季度|month[- ]on[- ]month|quarter[- ]on[- ]quarter)"
)
_QUOTATION = re.compile(
    rf"[“「『](?P<curly>[^“”「」『』\n]{{{MIN_QUOTED},300}})[”」』]|\"(?P<plain>[^\"\n]{{{MIN_QUOTED},300}})\""
)
_HAN_RUN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]+")
_LATIN_WORD = re.compile(r"[^\W\d_\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]{2,}")
_NOT_LETTER = re.compile(r"[\W_]+")
_EMPTY_HAN = frozenset("的了是在和与及等也都而并被把其该这那")
_EMPTY_LATIN = re.compile(
    "the|of|to|in|and|is|are|was|were|be|been|by|for|on|at|as|an|it|its|this|that|with|from|or|not|has|have|had|which"
)
_DATE_PARTS = ("year", "month", "day")
_YEAR_DIGITS = 4
_Amounts = dict[Decimal | DateParts | str, dict[tuple[Kind, str, str, str, str, bool], _Said]]


def check_claim(claim: str, quotes: Sequence[str], context: Sequence[str] = ()) -> Verdict:
    """How far `quotes` together carry `claim`, a sentence without markers.

    `context` is what surrounds both: title, headings, the question. Its dates count as present and its words as known;
    its other figures count for nothing.
    """
    return check_readings(read(claim), [read(quote) for quote in quotes], [read(text) for text in context])


def check_readings(claim: Reading, quotes: Sequence[Reading], context: Sequence[Reading] = ()) -> Verdict:
    """As `check_claim`, on texts already read."""
    if not claim.compact:
        return Verdict(Support.UNSUPPORTED, (Reason(ReasonCode.NO_CLAIM),))
    if not quotes:
        return Verdict(Support.UNSUPPORTED, (Reason(ReasonCode.NO_QUOTE),))
    claimed = [said for said in claim.figures if not said.figure.weak and not _is_only_context(said, quotes, context)]
    amounts = _by_amount(quotes)
    wrong = {said: reason for said in dict.fromkeys(claimed) if (reason := _wrong(said, amounts, quotes, context))}
    reasons = [*wrong.values(), *_missing_quotations(claim, quotes, context)]
    share = shared_words(claim, quotes, context)
    if not claimed:
        return _by_words(share, reasons)
    if share is not None and share < MIN_TOPIC:
        reasons.append(Reason(ReasonCode.LITTLE_SHARED))
    if not reasons:
        return Verdict(Support.SUPPORTED)
    return Verdict(_degree(claimed, wrong.keys()), tuple(dict.fromkeys(reasons)))


def _by_words(share: float | None, reasons: Sequence[Reason]) -> Verdict:
    if share is not None and share >= MIN_WORDS:
        return Verdict(Support.PARTIAL if reasons else Support.SUPPORTED, tuple(reasons))
    support = Support.PARTIAL if share is None or share >= SOME_WORDS else Support.UNSUPPORTED
    return Verdict(support, (*reasons, Reason(ReasonCode.LITTLE_SHARED)))


def _degree(claimed: Sequence[_Said], wrong: Set[_Said]) -> Support:
    """Partial if an amount is right, or, in a claim of dates alone, a date."""
    amounts = [said for said in claimed if said.figure.kind not in (Kind.DATE, Kind.PERIOD)] or claimed
    return Support.UNSUPPORTED if all(said in wrong for said in amounts) else Support.PARTIAL


def shared_words(claim: Reading, quotes: Sequence[Reading], context: Sequence[Reading] = ()) -> float | None:
    """The share in [0, 1] of the claim's content words that the quotes hold; None across scripts or without words.

    Words of the context are left out, unless hardly any others remain.
    """
    if not claim.words or claim.has_han not in {quote.has_han for quote in quotes}:
        return None
    own = claim.words.difference(*(text.words for text in context))
    words = own if len(own) >= _FEW_WORDS else claim.words
    return len(words.intersection(frozenset().union(*(quote.words for quote in quotes)))) / len(words)


def shares_figure(claim: Reading, quote: Reading, context: Sequence[Reading] = ()) -> bool:
    """True if the quote holds a figure of the claim that is not just a date of the context."""
    said = [said for said in claim.figures if not _is_only_context(said, (), context)]
    amounts = _by_amount([quote])
    return any(_wrong(one, amounts, [quote], context) is None for one in said)


def read(text: str) -> Reading:
    """What there is to compare in `text`. Time is linear in its length."""
    folded = narrow(text)
    figures = find_figures(text)
    return Reading(
        figures=tuple(_said(text, folded, figure) for figure in figures),
        words=frozenset(_words(folded, figures)),
        quotations=tuple(m["curly"] or m["plain"] for m in _QUOTATION.finditer(text)),
        compact=_NOT_LETTER.sub("", folded),
        has_han=_HAN_RUN.search(folded) is not None,
    )


def _said(text: str, folded: str, figure: Figure) -> _Said:
    before = folded[max(0, figure.span.start - _WINDOW) : figure.span.start]
    after = folded[figure.span.end : figure.span.end + _WINDOW // 2]
    before = before[[0, *(m.end() for m in _CLAUSE.finditer(before))][-1] :]
    after = _CLAUSE.split(after, maxsplit=1)[0]
    direction = _last(_DIRECTION, before) or _last(_DIRECTION, after)
    if isinstance(figure.value, Decimal) and figure.value < 0:
        direction = "down"
    is_date = figure.kind in (Kind.DATE, Kind.PERIOD, Kind.CODE, Kind.ORDINAL)
    return _Said(figure, figure.span.of(text), "" if is_date else direction, "" if is_date else _last(_BASE, before))


def _last(pattern: "re.Pattern[str]", text: str) -> str:
    """The name of the last group of `pattern` in `text`, or ""."""
    groups = [m.lastgroup or "" for m in pattern.finditer(text)]
    return next((group for group in reversed(groups) if group != "neither"), "")


def _words(folded: str, figures: Sequence[Figure]) -> Iterator[str]:
    for piece in _between(folded, figures):
        for run in _HAN_RUN.finditer(piece):
            pairs = (run.group()[at : at + 2] for at in range(len(run.group()) - 1))
            yield from (pair for pair in pairs if not _EMPTY_HAN.intersection(pair))
        yield from (word for m in _LATIN_WORD.finditer(piece) if not _EMPTY_LATIN.fullmatch(word := m.group()))


def _between(folded: str, figures: Sequence[Figure]) -> Iterator[str]:
    """The text outside figures; weak ones (第一书记, 三亚) are words as well."""
    at = 0
    for figure in figures:
        if not figure.weak:
            yield folded[at : figure.span.start]
            at = figure.span.end
    yield folded[at:]


def _wrong(said: _Said, amounts: _Amounts, quotes: Sequence[Reading], context: Sequence[Reading]) -> Reason | None:
    """Why the figure is not in the quotes, or None if it is."""
    if isinstance(said.figure.value, DateParts) and _is_date(said.figure.value, quotes, context):
        return None
    near = amounts.get(_amount(said.figure), {}).values()
    equal = [other for other in near if _same_kind(said.figure, other.figure)]
    if not equal:
        code = ReasonCode.UNIT_DIFFERS if near else ReasonCode.FIGURE_MISSING
        return Reason(code, said.text, next((other.text for other in near), ""))
    conflicts = [_conflict(said, other) for other in equal]
    conflict = conflicts[0] if all(conflicts) else None
    return Reason(conflict, said.text, equal[0].text) if conflict else None


def _by_amount(quotes: Sequence[Reading]) -> _Amounts:
    """The figures of the quotes by amount, one of each sort: a long table must not be read for every figure."""
    amounts: _Amounts = {}
    for said in (said for quote in quotes for said in quote.figures):
        figure = said.figure
        sort = (figure.kind, figure.unit, figure.qualifier, said.direction, said.base, len(figure.span) == _YEAR_DIGITS)
        amounts.setdefault(_amount(figure), {}).setdefault(sort, said)
    return amounts


def _amount(figure: Figure) -> Decimal | DateParts | str:
    """The value without its sign, which counts as a direction; a bare year may be a number after all: 2000 projects."""
    value = figure.value
    if isinstance(value, DateParts) and len(figure.span) == _YEAR_DIGITS and value.month is None and value.year:
        return Decimal(value.year)
    return abs(value) if isinstance(value, Decimal) else value


def _same_kind(one: Figure, other: Figure) -> bool:
    bare_year = Kind.DATE in (one.kind, other.kind) and {one.kind, other.kind} <= {Kind.DATE, Kind.NUMBER}
    return (one.kind is other.kind or bare_year) and same_unit(one.unit, other.unit)


def _conflict(said: _Said, other: _Said) -> ReasonCode | None:
    if {said.direction, other.direction} == {"up", "down"}:
        return ReasonCode.DIRECTION_DIFFERS
    if {said.base, other.base} == {"year", "period"}:
        return ReasonCode.BASE_DIFFERS
    if {said.figure.qualifier, other.figure.qualifier} == {"above", "below"}:
        return ReasonCode.BOUND_DIFFERS
    return None


def _dates(texts: Iterable[Reading]) -> set[DateParts]:
    return {said.figure.value for text in texts for said in text.figures if isinstance(said.figure.value, DateParts)}


def _is_date(date: DateParts, quotes: Sequence[Reading], context: Sequence[Reading]) -> bool:
    """True if one date has the finest part and contradicts none, and the parts it lacks stand elsewhere."""
    dates = _dates(quotes) | _dates(context)
    said = [part for part in _DATE_PARTS if getattr(date, part) is not None]
    for other in dates:
        has = [part for part in said if getattr(other, part) is not None]
        if said[-1] not in has or any(getattr(other, part) != getattr(date, part) for part in has):
            continue
        if all(any(getattr(third, part) == getattr(date, part) for third in dates) for part in said if part not in has):
            return True
    return False


def _is_only_context(said: _Said, quotes: Sequence[Reading], context: Sequence[Reading]) -> bool:
    """True for a date or period that the context says and the quotes do not."""
    value = said.figure.value
    if isinstance(value, DateParts):
        return _is_date(value, (), context) and not _is_date(value, quotes, ())
    is_period = said.figure.kind is Kind.PERIOD
    return is_period and any(value == other.figure.value for text in context for other in text.figures)


def _missing_quotations(claim: Reading, quotes: Sequence[Reading], context: Sequence[Reading]) -> list[Reason]:
    texts = [text.compact for text in (*quotes, *context)]
    missing = (words for words in claim.quotations if not any(_NOT_LETTER.sub("", narrow(words)) in t for t in texts))
    return [Reason(ReasonCode.QUOTATION_MISSING, words) for words in missing]


_SENTENCES = {
    ReasonCode.NO_CLAIM: ("没有可核对的内容", "nothing to check"),
    ReasonCode.NO_QUOTE: ("没有引用原文", "no source cited"),
    ReasonCode.FIGURE_MISSING: ("原文没有“{claimed}”", "the source does not say “{claimed}”"),
    ReasonCode.UNIT_DIFFERS: (
        "单位不符：“{claimed}”，原文为“{found}”",
        "units differ: “{claimed}”, the source says “{found}”",
    ),
    ReasonCode.DIRECTION_DIFFERS: (
        "增减方向与原文相反：“{claimed}”",
        "the source has “{claimed}” the other way, up or down",
    ),
    ReasonCode.BASE_DIFFERS: (
        "同比、环比与原文不符：“{claimed}”",
        "“{claimed}” is compared with another period in the source",
    ),
    ReasonCode.BOUND_DIFFERS: (
        "上下限与原文相反：“{claimed}”",
        "the source has “{claimed}” as the opposite bound",
    ),
    ReasonCode.QUOTATION_MISSING: (
        "原文没有这句引语：“{claimed}”",
        "not a quotation of one source: “{claimed}”",
    ),
    ReasonCode.LITTLE_SHARED: ("与原文内容重合很少", "shares few words with the source"),
}


def explain(reason: Reason, lang: Literal["zh", "en"]) -> str:
    """One short line for the reader."""
    return _SENTENCES[reason.code][0 if lang == "zh" else 1].format(claimed=reason.claimed, found=reason.found)
