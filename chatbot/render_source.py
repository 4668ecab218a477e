"""Turns a document and a cited place in it into the safe HTML of the source panel. Pure.

The rule for long documents: up to WHOLE_CHARS characters the whole text is shown. Beyond that, CONTEXT_CHARS on
either side of the cited span, cut at a line's border where one is near; each press of "earlier" or "later" adds
MORE_CHARS. So a panel opens equally fast at any length of document.
"""

from collections.abc import Iterator
from dataclasses import dataclass

from chatbot.render import alert_html, escape, support_label
from chatbot.types import Support
from chatbot.ui.exchange import Kind, Place
from chatbot.ui.texts import Texts
from corpus.types import Document, Page, Span

WHOLE_CHARS = 20_000
CONTEXT_CHARS = 4_000
MORE_CHARS = 8_000
_LINE_CHARS = 500  # how far a cut may move to reach a line's border


@dataclass(frozen=True, slots=True)
class Opened:
    """A place that the reader has opened: item `at` (from 0) of the exchange's places of one kind."""

    kind: Kind
    exchange: int
    at: int
    earlier: int = 0  # how often "earlier" was pressed
    later: int = 0

    def key(self, at: int | None = None, earlier: int = 0, later: int = 0) -> str:
        """What a button carries to come back as an Opened: another place, or this one with more text."""
        return f"{self.kind}:{self.exchange}:{self.at if at is None else at}:{earlier}:{later}"


def source_html(document: Document, place: Place, opened: Opened, count: int, texts: Texts) -> str:
    """Return the panel: where the place is, and the text around it with the place marked.

    `count` is how many places of this kind the exchange has. Raises ValueError if the span leaves the text.
    """
    place.span.of(document.text)
    window = shown_window(document.text, place.span, opened)
    scroll = "keep" if opened.earlier or opened.later else "mark"
    return (
        f'<article class="source" data-scroll="{scroll}">{_bar(opened, count, texts)}'
        f'<header lang="{_lang(document)}">{_heading(document, place, texts)}</header>'
        f'<div class="scroll"><div class="text" lang="{_lang(document)}">{_more_before(window, opened, texts)}'
        f"{''.join(_lines(document, window, place.span, texts))}"
        f"{_more_after(document.text, window, opened, texts)}</div></div></article>"
    )


def empty_html(texts: Texts) -> str:
    """Return the panel before anything was opened."""
    return f'<article class="source empty"><h2>{texts.source_empty}</h2><p>{texts.source_hint}</p></article>'


def trouble_html(sentence: str, texts: Texts) -> str:
    """Return the panel for a source that cannot be shown, with the reason in one sentence."""
    return (
        f'<article class="source"><nav class="bar"><span></span>{_close(texts)}</nav>'
        f'<div class="scroll">{alert_html(sentence)}</div></article>'
    )


def shown_window(text: str, span: Span, opened: Opened) -> Span:
    """Return the part of the text that is shown; it always holds `span`."""
    if len(text) <= WHOLE_CHARS:
        return Span(0, len(text))
    start = max(0, span.start - CONTEXT_CHARS - opened.earlier * MORE_CHARS)
    end = min(len(text), span.end + CONTEXT_CHARS + opened.later * MORE_CHARS)
    border = text.rfind("\n", max(0, start - _LINE_CHARS), start)
    after = text.find("\n", end, end + _LINE_CHARS)
    return Span(border + 1 if border >= 0 else start, after if after >= 0 else end)


def _bar(opened: Opened, count: int, texts: Texts) -> str:
    counted = texts.citation_of if opened.kind is Kind.CITATION else texts.passage_of
    return (
        f'<nav class="bar">{_step(opened, opened.at - 1, count, "‹", texts.previous)}'
        f'<span aria-live="polite">{counted.format(position=opened.at + 1, count=count)}</span>'
        f"{_step(opened, opened.at + 1, count, '›', texts.following)}{_close(texts)}</nav>"
    )


def _step(opened: Opened, at: int, count: int, sign: str, label: str) -> str:
    target = f'data-open="{opened.key(at)}"' if 0 <= at < count else "disabled"
    return f'<button type="button" {target} title="{label}" aria-label="{label}">{sign}</button>'


def _close(texts: Texts) -> str:
    return f'<button type="button" class="close" data-close title="{texts.close}" aria-label="{texts.close}">×</button>'


def _heading(document: Document, place: Place, texts: Texts) -> str:
    path = " › ".join(_headings_above(document, place.span.start))
    parts = [f"<h2>{escape(document.title)}</h2>", _facts(document)]
    page = page_of(document, place.span)
    numbered = f" · {texts.page.format(number=page.number)}" if page else ""
    parts.append(f'<p class="file"><span class="unseen">{texts.file}</span>{escape(document.source)}{numbered}</p>')
    if path:
        parts.append(f'<p class="path">{escape(path)}</p>')
    if place.support is not Support.SUPPORTED:
        reasons = escape(texts.between.join(place.reasons))
        parts.append(f'<p class="{place.support}"><b>{support_label(place.support, texts)}</b> {reasons}</p>')
    return "".join(parts)


def _headings_above(document: Document, at: int) -> list[str]:
    """The titles of the sections that hold a position, outermost first; the document's own title is not said twice."""
    holding = [section.title for section in document.sections if _holds(section.span, at)]
    return [title for title in holding if title != document.title]


def _facts(document: Document) -> str:
    known = (document.meta.issuer, document.meta.number, document.meta.date)
    facts = " · ".join(escape(fact) for fact in known if fact)
    return f'<p class="facts">{facts}</p>' if facts else ""


def page_of(document: Document, span: Span) -> Page | None:
    """Return the page on which the span begins; None where the format has no pages."""
    return next((page for page in document.pages if _holds(page.span, span.start)), None)


def _holds(outer: Span, at: int) -> bool:
    return outer.start <= at < outer.end


def _lang(document: Document) -> str:
    return "zh" if document.lang == "zh" else "en"


def _more_before(window: Span, opened: Opened, texts: Texts) -> str:
    key = opened.key(earlier=opened.earlier + 1, later=opened.later)
    return _more(key, texts.earlier) if window.start > 0 else ""


def _more_after(text: str, window: Span, opened: Opened, texts: Texts) -> str:
    key = opened.key(earlier=opened.earlier, later=opened.later + 1)
    return _more(key, texts.later) if window.end < len(text) else ""


def _more(key: str, label: str) -> str:
    return f'<button type="button" class="more" data-open="{key}">{label}</button>'


def _lines(document: Document, window: Span, cited: Span, texts: Texts) -> Iterator[str]:
    """Each line of the window as a paragraph or heading, with page borders between."""
    levels = {section.span.start: section.level for section in document.sections}
    pages = [page for page in document.pages if window.start <= page.span.start <= window.end]
    for line in _line_spans(document.text, window):
        while pages and pages[0].span.start < line.end:
            yield f'<p class="page">{texts.page.format(number=pages.pop(0).number)}</p>'
        if line.of(document.text).strip():
            tag = f"h{min(levels[line.start] + 2, 6)}" if line.start in levels else "p"
            yield f"<{tag}>{_marked(document.text, line, cited)}</{tag}>"


def _line_spans(text: str, window: Span) -> Iterator[Span]:
    start = window.start
    while start < window.end:
        newline = text.find("\n", start, window.end)
        end = newline if newline >= 0 else window.end
        yield Span(start, end)
        start = end + 1


def _marked(text: str, line: Span, cited: Span) -> str:
    """The line, escaped, with the part of the cited span that falls on it marked."""
    start, end = max(line.start, cited.start), min(line.end, cited.end)
    if start >= end:
        return escape(line.of(text))
    return f"{escape(text[line.start : start])}<mark>{escape(text[start:end])}</mark>{escape(text[end : line.end])}"
