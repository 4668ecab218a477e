"""Where sentences begin and end in mixed Chinese and English text. Pure rules; knows no documents and no models.

Own rules rather than a library, after trying two on zh and en texts: pysbd 0.3.4 and blingfire 0.1.8 both put a
closing ” at the head of the next Chinese sentence and never cut at ；, blingfire also cuts after "Dr." and reads
across line breaks, and pysbd's time grows with the square of a line's length. A citation is a sentence, so these
matter here.

The rules, in order:
1. A line break always ends a sentence, and so do two ideographic spaces in a row (a paragraph's indent).
2. 。！？!?… end one, with the closing quotes, brackets and footnote marks after them: 他说：“好！” is one sentence.
   They do not when a comma or 的 follows (“好！”的口号), when a lower-case word follows (Yahoo! said), or inside a
   bracket or 《》.
3. A full stop ends one before a space, a Chinese character or the line's end, but not in 3.5, 1.2, U.S., e.g., Dr.,
   No. 5 or a list number.
4. ； ends one only if at least `MIN_CLAUSE` characters stand on both sides of it, so that no clause loses its
   subject.
5. A sentence over `MAX_CHARS` (twice that for text without Chinese) is cut at ；;| and tabs, else at ，,、 or a
   colon, else at a space, else behind a bracket, else anywhere; not inside a number or a bracket while there is
   another place.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence

from corpus.types import Span

MAX_CHARS = 220
MIN_CLAUSE = 30
_BRACKET_CHARS = 120  # a bracket that closes within this many characters is kept whole

_LINE = re.compile(r"(?:(?!\u3000\u3000)[^\n\r\v\f\x1c-\x1e\x85\u2028\u2029])+")
_BRACKET = re.compile(
    "|".join(
        f"{re.escape(left)}[^{re.escape(left + right)}\n]{{0,{_BRACKET_CHARS}}}{re.escape(right)}"
        for left, right in ("（）", "()", "《》", "〈〉", "【】", "[]", "［］", "〔〕")
    )
)
_HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff\U00020000-\U0003ffff]")
_CLOSERS = r"[”’」』）)】》〉\"'\]］]*"
_NOTES = r"(?:[\[［【]\^?[0-9０-９]{1,3}[\]］】])*"
_END = re.compile(rf"(?P<mark>[。！？!?…]+|\.+)[。！？!?….]*(?P<closers>{_CLOSERS}){_NOTES}")
_GOES_ON = re.compile(r"\s*[，、；：,;:）)】》]|的")
_LOWER = re.compile(r"\s*[a-z]")
_WORD_BEFORE = re.compile(r"[A-Za-z0-9.]+$")
_INITIALS = re.compile(r"(?:[A-Za-z]\.)*[A-Za-z]$")
_STARTER = re.compile(
    r"\s+[“\"'(]?(?:The|This|That|These|Those|It|In|On|At|For|As|We|He|She|They|But|And|However|A|An)\b"
)
_NEVER_LAST = re.compile(
    r"mr|mrs|ms|dr|prof|gen|sen|rep|gov|hon|st|mt|vs|e\.g|i\.e|cf|viz|approx|dept|est|messrs|jr|sr"
)
_BEFORE_NUMBER = re.compile(
    "nos?|vols?|arts?|sect?|ch|chap|pp?|para|figs?|eq|tab|jan|feb|mar|apr|jun|jul|aug|sept?|oct|nov|dec"
)
_LIST_NUMBER = re.compile(r"(?:^|[:：;；。，,(（])\s*[*#\-\s]*[0-9０-９]{1,3}$")
_NUMBER_NEXT = re.compile(r"\s*[0-9IVX]")
_SEMICOLON = re.compile(r"；[”’」』）)]*")
_CUTS = (  # over-long sentences: the best kind of place first
    re.compile(r"[；;|][”’」』）)]*|\t"),
    re.compile(r"(?:[，、：]|[,:](?=\s|[\u3400-\u9fff]))[”’」』）)]*"),
    re.compile(r"\s+"),
)
_INSIDE_WORD = re.compile(r"[0-9０-９A-Za-z.,，．％%\u0300-\u036f\u200d\ufe0f]")


def sentence_spans(text: str) -> tuple[Span, ...]:
    """The sentences of `text` in order: no two share a character, and every non-space character is in exactly one.

    A span neither begins nor ends with white space. Empty or blank text gives (). Time is linear in the text's length.
    """
    return tuple(piece for whole in _whole_sentences(text) for piece in _pieces(text, whole))


def whole_sentence_spans(text: str) -> tuple[Span, ...]:
    """As `sentence_spans`, but by rules 1 to 3 only: a sentence keeps all its clauses, however long it is."""
    return tuple(_whole_sentences(text))


def _whole_sentences(text: str) -> Iterator[Span]:
    for line in _LINE.finditer(text):
        brackets = _brackets(text, line.start(), line.end())
        start = line.start()
        for end in _ends(text, line.start(), line.end()):
            if not _inside(brackets, end) and not _is_abbreviation_or_number(text, start, end):
                yield from _trimmed(text, start, end.end())
                start = end.end()
        yield from _trimmed(text, start, line.end())


def _ends(text: str, start: int, stop: int) -> Iterator["re.Match[str]"]:
    """Candidates of rules 2 and 3, as far as what follows them can tell."""
    for end in _END.finditer(text, start, stop):
        after = end.end()
        if after < stop and (_GOES_ON.match(text, after, stop) or _LOWER.match(text, after, stop)):
            continue
        if end["mark"][0] == "." and after < stop and not (text[after].isspace() or _HAN.match(text, after)):
            continue
        yield end


def _is_abbreviation_or_number(text: str, start: int, end: "re.Match[str]") -> bool:
    """True if the full stop at `end` closes an abbreviation or a list number, not the sentence begun at `start`."""
    dot, after = end.start(), end.end()
    if end["mark"] != "." or after >= len(text):
        return False
    before = text[max(start, dot - 16) : dot]
    if before[-1:].isdigit() and (_HAN.match(text, after) or (dot - start <= 16 and _LIST_NUMBER.search(before))):
        return True
    found = _WORD_BEFORE.search(before)
    word = found.group().lower() if found else ""
    if _NEVER_LAST.fullmatch(word):
        return True
    if _BEFORE_NUMBER.fullmatch(word):
        return _NUMBER_NEXT.match(text, after) is not None
    is_initials = _INITIALS.fullmatch(word) is not None and not end["closers"]
    return is_initials and _STARTER.match(text, after) is None


def _pieces(text: str, whole: Span) -> Iterator[Span]:
    """Rules 4 and 5."""
    for clause in _clauses(text, whole):
        limit = MAX_CHARS if _HAN.search(text, clause.start, clause.end) else 2 * MAX_CHARS
        yield from _cut_to_length(text, clause, limit) if len(clause) > limit else (clause,)


def _clauses(text: str, whole: Span) -> Iterator[Span]:
    start, brackets = whole.start, None
    for mark in _SEMICOLON.finditer(text, whole.start, whole.end):
        if mark.end() - start < MIN_CLAUSE or whole.end - mark.end() < MIN_CLAUSE:
            continue
        brackets = _brackets(text, whole.start, whole.end) if brackets is None else brackets
        if not _inside(brackets, mark):
            yield from _trimmed(text, start, mark.end())
            start = mark.end()
    yield from _trimmed(text, start, whole.end)


def _cut_to_length(text: str, clause: Span, limit: int) -> Iterator[Span]:
    kinds = _cut_places(text, clause)
    start = clause.start
    while clause.end - start > limit:
        cut = _best_cut(text, start, limit, kinds)
        yield from _trimmed(text, start, cut)
        start = cut
    yield from _trimmed(text, start, clause.end)


def _cut_places(text: str, clause: Span) -> list[list[int]]:
    """Offsets to cut at, the best kind first: marks outside brackets, the ends of brackets, marks inside them."""
    brackets = _brackets(text, clause.start, clause.end)
    outside: list[list[int]] = []
    inside: list[list[int]] = []
    for pattern in _CUTS:
        marks = [m for m in pattern.finditer(text, clause.start, clause.end) if not _splits_number(text, m.start())]
        outside.append([m.end() for m in marks if not _inside(brackets, m)])
        inside.append([m.end() for m in marks if _inside(brackets, m)])
    return [*outside, [end for _, end in brackets], *inside]


def _best_cut(text: str, start: int, limit: int, kinds: Sequence[list[int]]) -> int:
    """The last place of the best kind in the second two thirds of the allowed length."""
    for places in kinds:
        last = bisect_right(places, start + limit) - 1
        if last >= 0 and places[last] >= start + limit // 3:
            return places[last]
    cut = start + limit
    while cut > start + limit // 2 and _INSIDE_WORD.match(text[cut]):
        cut -= 1
    return cut if cut > start + limit // 2 else start + limit


def _splits_number(text: str, at: int) -> bool:
    return 0 < at < len(text) - 1 and text[at - 1].isdigit() and text[at + 1].isdigit() and text[at] in ",，:"


def _brackets(text: str, start: int, stop: int) -> list[tuple[int, int]]:
    return [m.span() for m in _BRACKET.finditer(text, start, stop)]


def _inside(brackets: Sequence[tuple[int, int]], mark: "re.Match[str]") -> bool:
    """True if a cut behind `mark` would fall strictly inside a bracket."""
    before = bisect_left(brackets, (mark.end(), 0)) - 1
    return before >= 0 and brackets[before][0] < mark.end() < brackets[before][1]


def _trimmed(text: str, start: int, end: int) -> Iterator[Span]:
    piece = text[start:end]
    stripped = piece.strip()
    if stripped:
        begin = start + len(piece) - len(piece.lstrip())
        yield Span(begin, begin + len(stripped))
