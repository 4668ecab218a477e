"""Headings to a tree of sections. Knows Chinese and English numbering, no file formats.

A file format may state headings of its own (`#`, Heading 1); the text may show others by their numbering
(第一章, 一、, （二）, 1.2). Stated ones keep their levels; shown ones come below them, in the customary order.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from corpus.types import Section, Span

MAX_HEADING_CHARS = 60

_NUMERAL = "一二三四五六七八九十百零〇"
# Outermost first: the customary order of a Chinese document, then decimal numbering.
_SHOWN = (
    re.compile(rf"第[{_NUMERAL}\d]+[编篇]"),
    re.compile(rf"第[{_NUMERAL}\d]+章"),
    re.compile(rf"第[{_NUMERAL}\d]+节"),
    re.compile(rf"[{_NUMERAL}]+、"),
    re.compile(rf"[（(][{_NUMERAL}]+[）)]"),
    re.compile(r"(?:Chapter|Part|Section|Annex|Appendix)\s+[\dIVXA-Z]+\b"),
    re.compile(r"\d{1,2}[.．、](?!\d)\s*(?=[^\W\d_])"),
    re.compile(r"\d{1,2}[.．]\d{1,2}[.．]?(?![\d%％])\s*(?=[^\W\d_])"),
)
_RUN_IN_END = re.compile(r"[。；;]")
_CLAUSE_MARKS = re.compile(r"[。；;，,：:]")


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading's own place and its level (from 1, the highest)."""

    span: Span
    level: int


def sections(text: str, stated: Sequence[Heading] = ()) -> tuple[Section, ...]:
    """Return all sections in order of their start; a section ends where one of its level or above begins."""
    headings = _merge(text, stated)
    return tuple(
        Section(
            title=heading.span.of(text),
            level=heading.level,
            span=Span(heading.span.start, _end_of(headings[at:], len(text))),
        )
        for at, heading in enumerate(headings)
    )


def headings_at(tree: Sequence[Section], offset: int) -> tuple[str, ...]:
    """Return the titles of the sections around `offset`, outermost first; () before the first heading."""
    return tuple(section.title for section in tree if section.span.start <= offset < section.span.end)


def _end_of(rest: Sequence[Heading], text_end: int) -> int:
    own = rest[0]
    return next((later.span.start for later in rest[1:] if later.level <= own.level), text_end)


def _merge(text: str, stated: Sequence[Heading]) -> list[Heading]:
    taken = {heading.span.start for heading in stated}
    shown = [(kind, span) for kind, span in _shown(text) if span.start not in taken]
    base = max((heading.level for heading in stated), default=0)
    depth = {kind: base + 1 + at for at, kind in enumerate(sorted({kind for kind, _ in shown}))}
    found = [Heading(span, depth[kind]) for kind, span in shown]
    return sorted((*stated, *found), key=lambda heading: heading.span)


def _shown(text: str) -> Iterator[tuple[int, Span]]:
    start = 0
    for line in text.splitlines(keepends=True):
        kind = next((at for at, pattern in enumerate(_SHOWN) if pattern.match(line)), None)
        length = _heading_length(line) if kind is not None else 0
        if kind is not None and length:
            yield kind, Span(start, start + length)
        start += len(line)


def _heading_length(line: str) -> int:
    """Length of the heading a numbered line begins with; 0 if the line is plain text.

    A whole short line without an inner clause is a heading; of `（一）稳定就业。全年……` it is `（一）稳定就业`.
    """
    bare = line.rstrip()
    if len(bare) <= MAX_HEADING_CHARS and not _CLAUSE_MARKS.search(bare):
        return len(bare)
    run_in = _RUN_IN_END.search(bare)
    if run_in and run_in.start() <= MAX_HEADING_CHARS // 2 and run_in.end() < len(bare):
        return 0 if _CLAUSE_MARKS.search(bare[: run_in.start()]) else run_in.start()
    return 0
