"""Asks a file of questions over a folder of documents and prints what holds: answers, refusals, citations, seconds.

    python -m eval.floors --documents PATH... --questions FILE.jsonl [--out ANSWERS.jsonl]

A question is {"id" or "qid", "question", "lang", "answerable", "must_include": [[alternatives], ...]}. An answer is
right if it holds one alternative of every group. Speeds are of a warmed-up chatbot with new evidence each time.
"""

import argparse
import json
import logging
import resource
import statistics
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from chatbot.answer_json import answer_json
from chatbot.open import open_chatbot
from chatbot.pipeline import Chatbot
from chatbot.types import Answer
from corpus.commands import open_home_folder
from corpus.home import Home
from corpus.ingest import ingest
from corpus.library import Library
from corpus.normalize import fold
from corpus.settings import load_settings
from index.live import catch_up
from index.open import open_embedder_for

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Example:
    """One question with what its answer must hold."""

    id: str
    question: str
    lang: str
    answerable: bool
    must_include: tuple[tuple[str, ...], ...]


@dataclass(frozen=True, slots=True)
class Scored:
    """An example with its answer, and how many of its citations are exactly their document's text."""

    example: Example
    answer: Answer
    exact_citations: int

    @property
    def right(self) -> bool:
        """For an answerable question: answered, and every group is in the text. Else: refused."""
        if not self.example.answerable:
            return self.answer.abstained
        return not self.answer.abstained and holds_all(self.answer.text, self.example.must_include)


def holds_all(text: str, groups: Iterable[Iterable[str]]) -> bool:
    """True if `text` holds one alternative of every group; width, case and spaces do not count."""
    bare = "".join(fold(text).split())
    return all(any("".join(fold(word).split()) in bare for word in group) for group in groups)


def read_examples(path: Path) -> list[Example]:
    """Return the examples of a JSON Lines file."""
    lines = [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines() if line.strip()]
    return [
        Example(
            id=str(fields.get("id", fields.get("qid"))),
            question=fields["question"],
            lang=fields["lang"],
            answerable=fields["answerable"],
            must_include=tuple(tuple(group) for group in fields.get("must_include", [])),
        )
        for fields in lines
    ]


def ask_all(chatbot: Chatbot, examples: Sequence[Example]) -> list[Scored]:
    """Ask every example in order, from a warm start."""
    chatbot.warm_up()
    return [_ask(chatbot, example) for example in examples]


def summary(scored: Sequence[Scored]) -> list[str]:
    """Return the lines of the report."""
    groups: dict[str, list[Scored]] = defaultdict(list)
    for item in scored:
        groups[f"{item.example.lang} {'answerable' if item.example.answerable else 'unanswerable'}"].append(item)
    lines = [
        f"{name}: {sum(item.right for item in items)} of {len(items)} right, "
        f"{sum(item.answer.abstained for item in items)} refused"
        for name, items in sorted(groups.items())
    ]
    citations = sum(len(item.answer.citations) for item in scored)
    lines.append(f"citations exact: {sum(item.exact_citations for item in scored)} of {citations}")
    lines.append(f"dangling markers: {sum(len(item.answer.dangling) for item in scored)}")
    lines.extend(_seconds(scored))
    lines.append(f"peak memory: {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20:.2f} GiB")
    return lines


def _ask(chatbot: Chatbot, example: Example) -> Scored:
    answer = chatbot.answer(example.question)
    exact = sum(
        citation.span.of(chatbot.document(citation.doc_id).text) == citation.quote for citation in answer.citations
    )
    scored = Scored(example, answer, exact)
    verdict = "ok " if scored.right else "BAD"
    logger.info("%s %s p=%.3f %s", verdict, example.id, answer.probability or 0.0, answer.text.replace("\n", " "))
    return scored


def _seconds(scored: Sequence[Scored]) -> list[str]:
    answered = [item.answer.timings for item in scored if not item.answer.abstained]
    series = {
        "evidence": [item.answer.timings.evidence_s for item in scored],
        "first token": [timings.first_token_s for timings in answered if timings.first_token_s is not None],
        "whole answer": [timings.total_s for timings in answered],
        "prompt tokens": [float(timings.prompt_tokens) for timings in answered],
    }
    return [
        f"{name}: p50 {statistics.median(values):.2f}, p95 {_quantile(values, 0.95):.2f} (n={len(values)})"
        for name, values in series.items()
        if values
    ]


def _quantile(values: Sequence[float], share: float) -> float:
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def main() -> None:
    """Run the command line above."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--documents", type=Path, nargs="+", required=True)
    parser.add_argument("--questions", type=Path, required=True)
    parser.add_argument("--out", type=Path)
    arguments = parser.parse_args()
    logging.basicConfig(level=logging.WARNING, format="%(message)s")
    logger.setLevel(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        scored = _run(Path(folder), arguments.documents, read_examples(arguments.questions))
    if arguments.out:
        lines = [json.dumps({"id": item.example.id, **answer_json(item.answer)}, ensure_ascii=False) for item in scored]
        arguments.out.write_text("\n".join(lines) + "\n", encoding="utf-8")
    print("\n".join(summary(scored)))


def _run(folder: Path, documents: Sequence[Path], examples: Sequence[Example]) -> list[Scored]:
    models = open_home_folder()
    home = Home(folder)
    home.models.symlink_to(models.models)
    settings = load_settings(models.settings)
    library = Library(home)
    for event in ingest(library, documents, "default"):
        logger.info("%s %s %s", event.outcome, event.path, event.reason or "")
    embedder = open_embedder_for(library, settings)
    catch_up(library, embedder, lambda progress: None)
    chatbot = open_chatbot(library, settings, embedder)
    try:
        return ask_all(chatbot, examples)
    finally:
        chatbot.close()
        library.close()


if __name__ == "__main__":
    main()
