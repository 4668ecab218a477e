"""Turns questions, evidence and answers into safe HTML. Pure.

Every character that came from a document, a model or a user passes through `escape`; all tags and attributes are
our own. Offsets are used up here: a button carries the number of its place in a list, never an offset.
"""

import html
import re
from collections.abc import Iterator, Sequence
from itertools import pairwise

from chatbot.types import Answer, Citation, Support
from chatbot.ui.exchange import Exchange, Kind, Place, State, places
from chatbot.ui.texts import Texts
from corpus.types import Span

_MARKER = re.compile(r"\[(\d{1,6})\]")  # the one form a checked answer has
_GRAVITY = (Support.SUPPORTED, Support.PARTIAL, Support.UNSUPPORTED)
_CARD_CHARS = 160


def escape(text: str) -> str:
    """Return the text as HTML character data, safe in content and in quoted attributes.

    A lone surrogate, which no UTF-8 page can hold, becomes a question mark.
    """
    return html.escape(text.encode("utf-8", "replace").decode("utf-8"), quote=True)


def transcript_html(exchanges: Sequence[Exchange], texts: Texts, first: int = 0) -> str:
    """Return the exchanges one after the other; the first one has the number `first` in the conversation."""
    return "".join(exchange_html(one, number, texts) for number, one in enumerate(exchanges, start=first))


def exchange_html(exchange: Exchange, number: int, texts: Texts) -> str:
    """Return one question and what has come of it so far."""
    parts = [
        f'<section class="exchange {exchange.state}">',
        f'<p class="question"><span class="unseen">{texts.question}</span>{escape(exchange.question)}</p>',
        _answer_side(exchange, number, texts),
        "</section>",
    ]
    return "".join(parts)


def welcome_html(examples: Sequence[str], texts: Texts) -> str:
    """Return what an empty conversation shows: a greeting and the example questions."""
    buttons = "".join(
        f'<button type="button" data-example="{at}">{escape(question)}</button>' for at, question in enumerate(examples)
    )
    heading = f"<h2>{texts.greeting}</h2><p>{texts.introduction}</p>"
    listed = f'<p class="label">{texts.examples}</p><div class="examples">{buttons}</div>' if examples else ""
    return f'<section class="welcome">{heading}{listed}</section>'


def alert_html(sentence: str) -> str:
    """Return one sentence that asks for attention; nothing for an empty one."""
    return f'<p class="alert" role="alert">{escape(sentence)}</p>' if sentence else ""


def _answer_side(exchange: Exchange, number: int, texts: Texts) -> str:
    if exchange.answer:
        return _refusal(exchange, number, texts) if exchange.answer.abstained else _checked(exchange, number, texts)
    if exchange.state is State.FAILED:
        return _cards(exchange, number, texts, Kind.EVIDENCE) + alert_html(exchange.failure)
    if exchange.state is State.STOPPED:
        stopped = f'<p class="status">{texts.stopped if exchange.draft else texts.stopped_early}</p>'
        return _cards(exchange, number, texts, Kind.EVIDENCE) + _draft(exchange.draft) + stopped
    return _in_progress(exchange, number, texts)


def _in_progress(exchange: Exchange, number: int, texts: Texts) -> str:
    if exchange.evidence is None:
        return _status(texts.searching)
    cards = _cards(exchange, number, texts, Kind.EVIDENCE)
    if not exchange.draft:
        return cards + _status(texts.reading.format(count=len(exchange.evidence)))
    return cards + _draft(exchange.draft) + _status(texts.drafting)


def _status(words: str) -> str:
    return f'<p class="status busy" role="status">{words}</p>'


def _draft(draft: str) -> str:
    return f'<div class="draft">{escape(draft)}</div>' if draft else ""


def _refusal(exchange: Exchange, number: int, texts: Texts) -> str:
    answer = _answer_of(exchange)
    reason = f'<p class="why">{escape(answer.reason)}</p>' if answer.reason and answer.reason != answer.text else ""
    kind = Kind.EVIDENCE if answer.evidence else Kind.HIT
    return (
        f'<div class="refusal"><h3>{texts.refusal}</h3><p class="answer">{escape(answer.text)}</p>{reason}</div>'
        f"{_cards(exchange, number, texts, kind, texts.nearest)}{_foot(answer, texts)}"
    )


def _checked(exchange: Exchange, number: int, texts: Texts) -> str:
    answer = _answer_of(exchange)
    evidence = places(exchange, Kind.EVIDENCE)
    cards = _card_list(evidence, Kind.EVIDENCE, number, texts)
    folded = f"<details><summary>{texts.found.format(count=len(evidence))}</summary>{cards}</details>"
    return (
        f'<div class="answer">{answer_html(answer, number, texts)}</div>{_verdict(answer, texts)}'
        f"{_cited(exchange, number, texts)}{folded}{_foot(answer, texts)}"
    )


def _answer_of(exchange: Exchange) -> Answer:
    if exchange.answer is None:
        raise ValueError("the exchange has no answer yet")
    return exchange.answer


def answer_html(answer: Answer, number: int, texts: Texts) -> str:
    """Return the answer's text with its markers as buttons and its doubtful sentences flagged.

    A bracketed number that is neither cited nor dangling, as in 国发[2024]12号, stays as it is.
    """
    known = {citation.marker for citation in answer.citations} | set(answer.dangling)
    markers = {match.start(): match for match in _MARKER.finditer(answer.text) if int(match[1]) in known}
    spans = tuple(Span(*match.span()) for match in markers.values())
    pieces = []
    for span in _pieces(answer, spans):
        match = markers.get(span.start)
        pieces.append(_marker(match, answer, number, texts) if match else _flagged(span, answer, texts))
    return "".join(pieces)


def _pieces(answer: Answer, markers: Sequence[Span]) -> Iterator[Span]:
    """The text cut at every sentence border and around every marker; no cut falls inside a marker."""
    borders = {0, len(answer.text)} | {border for span in markers for border in (span.start, span.end)}
    for citation in answer.citations:
        borders |= {citation.answer_span.start, citation.answer_span.end}
    inside = {border for border in borders for span in markers if span.start < border < span.end}
    kept = sorted(border for border in borders - inside if border <= len(answer.text))
    return (Span(start, end) for start, end in pairwise(kept))


def _flagged(span: Span, answer: Answer, texts: Texts) -> str:
    covering = [citation for citation in answer.citations if citation.answer_span.overlaps(span)]
    words = escape(span.of(answer.text))
    worst = max(covering, key=lambda one: _GRAVITY.index(one.support), default=None)
    if worst is None or worst.support is Support.SUPPORTED:
        return words
    judged = escape(_judged(worst.support, worst.reasons, texts))
    return f'<span class="{worst.support}" title="{judged}">{words}</span>'


def _marker(match: re.Match[str], answer: Answer, number: int, texts: Texts) -> str:
    at = _nearest_citation(answer.citations, int(match[1]), match.start())
    if at is None:
        return f'<span class="cite dangling" title="{texts.dangling}">{match[1]}<i>?</i></span>'
    return _marker_button(answer.citations[at], f"{Kind.CITATION}:{number}:{at}", texts)


def _nearest_citation(citations: Sequence[Citation], marker: int, at: int) -> int | None:
    """Index of the citation with this marker whose sentence holds, or else is nearest to, the position `at`."""
    candidates = [index for index, citation in enumerate(citations) if citation.marker == marker]
    return min(candidates, key=lambda index: _distance(citations[index].answer_span, at), default=None)


def _distance(span: Span, at: int) -> int:
    return max(span.start - at, at - span.end, 0)


def _marker_button(citation: Citation, opens: str, texts: Texts) -> str:
    opening = texts.open_place.format(number=citation.marker, title=citation.title)
    judged = _judged(citation.support, citation.reasons, texts)
    sign = "" if citation.support is Support.SUPPORTED else "<i>!</i>"
    label = escape(opening if citation.support is Support.SUPPORTED else f"{opening}. {judged}")
    return (
        f'<button type="button" class="cite {citation.support}" data-open="{opens}" aria-label="{label}" '
        f'title="{label}">{citation.marker}{sign}</button>'
    )


def _judged(support: Support, reasons: Sequence[str], texts: Texts) -> str:
    """How far the citation carries its sentence, in words, and why not further."""
    label = support_label(support, texts)
    return texts.reason.format(label=label, reasons=texts.between.join(reasons)) if reasons else label


def support_label(support: Support, texts: Texts) -> str:
    """The word for a degree of support."""
    match support:
        case Support.SUPPORTED:
            return texts.supported
        case Support.PARTIAL:
            return texts.partial
        case Support.UNSUPPORTED:
            return texts.unsupported


def _verdict(answer: Answer, texts: Texts) -> str:
    """One line on the whole answer, then every doubt in words: a tooltip cannot be reached on a phone."""
    doubts = [
        f'<li class="{one.support}"><b>{one.marker}</b> {escape(_judged(one.support, one.reasons, texts))}</li>'
        for one in answer.citations
        if one.support is not Support.SUPPORTED
    ]
    doubts += [f'<li class="dangling"><b>{marker}</b> {texts.dangling}</li>' for marker in answer.dangling]
    if doubts:
        counted = texts.to_check.format(count=len(doubts))
        return f'<div class="verdict doubt"><p>{counted}</p><ul>{"".join(doubts)}</ul></div>'
    if not answer.citations:
        return f'<div class="verdict doubt"><p>{texts.no_citations}</p></div>'
    return f'<div class="verdict"><p>{texts.all_supported}</p></div>'


def _cited(exchange: Exchange, number: int, texts: Texts) -> str:
    """The cited documents, one button each, opening at its first citation."""
    first: dict[str, int] = {}
    for at, place in enumerate(places(exchange, Kind.CITATION)):
        first.setdefault(place.doc_id, at)
    cited = places(exchange, Kind.CITATION)
    buttons = "".join(
        f'<button type="button" data-open="{Kind.CITATION}:{number}:{at}"><b>{cited[at].number}</b>'
        f"<span>{escape(cited[at].title)}</span></button>"
        for at in first.values()
    )
    return f'<div class="cited"><span class="label">{texts.cited}</span>{buttons}</div>' if buttons else ""


def _cards(exchange: Exchange, number: int, texts: Texts, kind: Kind, label: str = "") -> str:
    found = places(exchange, kind)
    heading = label or texts.found.format(count=len(found))
    return f'<p class="label">{heading}</p>{_card_list(found, kind, number, texts)}' if found else ""


def _card_list(found: Sequence[Place], kind: Kind, number: int, texts: Texts) -> str:
    cards = (_card(place, f"{kind}:{number}:{at}", texts) for at, place in enumerate(found))
    return f'<ol class="cards">{"".join(cards)}</ol>'


def _card(place: Place, opens: str, texts: Texts) -> str:
    quote = place.quote if len(place.quote) <= _CARD_CHARS else place.quote[:_CARD_CHARS] + "…"
    opening = escape(texts.open_place.format(number=place.number, title=place.title))
    return (
        f'<li><button type="button" class="card" data-open="{opens}" title="{opening}"><b>{place.number}</b>'
        f"<span><em>{escape(place.title)}</em>{escape(quote)}</span></button></li>"
    )


def _foot(answer: Answer, texts: Texts) -> str:
    took = texts.took.format(seconds=f"{answer.timings.total_s:.1f}", model=answer.model)
    return f'<p class="foot">{escape(took)}</p>'
