"""From hits to the numbered sentences a model reads: the few that say most about the question. Pure.

A small model on a CPU reads slowly, so it gets sentences and not chunks. A sentence is scored by the question's
words it holds (rare ones count more), helped by its title and headings, by its neighbours (the one before often
names the subject) and by the rank of its hit, which alone decides when no word matches, as across languages.
"""

import math
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from chatbot.types import Evidence
from corpus.regions import regions_in
from corpus.sentences import sentence_spans
from corpus.types import Span
from index.terms import tokenize
from index.types import Hit

HEADING_SHARE = 0.5  # a question's word in title or headings counts so much
NEIGHBOUR_SHARE = 0.3
CELL_BORDER = " | "  # between the cells of a row, as the readers write it
# Of the best score. On 43 sample questions .6 keeps the answer in as many as 0 does (41, at 280 tokens), with 101
# tokens a question instead of 275; .7 loses three.
MIN_SHARE = 0.6
MAX_MISSES = 4  # sentences that no longer fit, before the search for shorter ones ends
RANK_WEIGHT = 1.0  # of the first hit, in units of the average weight of one word


@dataclass(frozen=True, slots=True)
class _Sentence:
    hit: Hit
    span: Span
    quote: str
    words: frozenset[str]


def choose_evidence(
    question: str, hits: Sequence[Hit], budget_tokens: int, count_tokens: Callable[[str], int]
) -> tuple[Evidence, ...]:
    """Return the best sentences within the budget, numbered from 1 in the order of hits and of their text.

    Those that score at least MIN_SHARE of the best one; at least one if there is any hit, even past the budget. A
    table's row comes with the table's first row.
    """
    sentences = [sentence for hit in hits for sentence in _sentences(hit)]
    scores = _scores(question, sentences)
    chosen: set[int] = set()
    left, misses = budget_tokens, 0
    least = MIN_SHARE * max(scores, default=0.0)
    for at in sorted(range(len(sentences)), key=lambda at: (-scores[at], at)):
        if scores[at] < least:
            break
        wanted = {at, _table_head(at, sentences)} - chosen
        cost = sum(count_tokens(sentences[one].quote) for one in wanted)
        if not chosen or cost <= left:
            chosen |= wanted
            left -= cost
        else:
            misses += 1
        if left <= 0 or misses == MAX_MISSES:
            break
    return tuple(_evidence(number, sentences[at]) for number, at in enumerate(sorted(chosen), start=1))


def _table_head(at: int, sentences: Sequence[_Sentence]) -> int:
    """The first of the rows that stand together with this one; a sentence that is no row is its own."""
    while at > 0 and CELL_BORDER in sentences[at].quote and CELL_BORDER in sentences[at - 1].quote:
        if sentences[at - 1].hit.chunk.chunk_id != sentences[at].hit.chunk.chunk_id:
            break
        at -= 1
    return at


def _evidence(number: int, sentence: _Sentence) -> Evidence:
    chunk = sentence.hit.chunk
    return Evidence(number, chunk.doc_id, sentence.hit.title, sentence.span, sentence.quote, chunk.headings)


def _sentences(hit: Hit) -> list[_Sentence]:
    start = hit.chunk.span.start
    return [
        _Sentence(hit, Span(start + span.start, start + span.end), quote, frozenset(tokenize(quote)))
        for span in sentence_spans(hit.chunk.text)
        if (quote := span.of(hit.chunk.text)) not in (hit.title, *hit.chunk.headings)
    ]


def _scores(question: str, sentences: Sequence[_Sentence]) -> list[float]:
    weights = _weights(question, sentences)
    unit = sum(weights.values()) / len(weights) if weights else 1.0
    own = [_own_score(sentence, weights) + RANK_WEIGHT * unit / sentence.hit.rank for sentence in sentences]
    return [score + NEIGHBOUR_SHARE * _best_neighbour(at, sentences, own) for at, score in enumerate(own)]


def _weights(question: str, sentences: Sequence[_Sentence]) -> dict[str, float]:
    """Inverse document frequency of the question's words over the candidate sentences.

    Provinces count in Chinese too, so that a question in English finds the sentences that name them.
    """
    asked = set(tokenize(question)).union(*(tokenize(name) for name in regions_in(question)))
    frequency = Counter(word for sentence in sentences for word in sentence.words)
    return {word: math.log(1 + len(sentences) / (1 + frequency[word])) for word in asked}


def _own_score(sentence: _Sentence, weights: dict[str, float]) -> float:
    around = frozenset(tokenize(" ".join((sentence.hit.title, *sentence.hit.chunk.headings))))
    return sum(
        weight if word in sentence.words else HEADING_SHARE * weight if word in around else 0.0
        for word, weight in weights.items()
    )


def _best_neighbour(at: int, sentences: Sequence[_Sentence], scores: Sequence[float]) -> float:
    same = [
        scores[other]
        for other in (at - 1, at + 1)
        if 0 <= other < len(sentences) and sentences[other].hit.chunk.chunk_id == sentences[at].hit.chunk.chunk_id
    ]
    return max(same, default=0.0)
