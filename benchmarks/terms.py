"""Compares tantivy and bm25s as the engine behind index/terms.py, over the product's own tokens.

Run: python benchmarks/terms.py CORPUS.jsonl QUESTIONS.jsonl FOLDER [--chunks 10000 50000]

The corpus has lines `{"doc_id", "text"}`, the questions `{"question", "gold_doc_ids"}`. Prints a Markdown table. Every
phase runs in its own process, so that memory is that phase's own. Figures compare within one run only. bm25s is not a
dependency of the product: install it to run this.
"""

# ruff: noqa: D102 - the two engines do what Engine says
import argparse
import itertools
import json
import os
import resource
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from index.terms import TermIndex, tokenize

if TYPE_CHECKING:
    from tantivy import Index

PIECE_CHARS = 350
UPDATED_DOCUMENTS = 100
KILLS = 6

Pairs = Iterable[tuple[str, list[str]]]


class Engine(Protocol):
    """What is compared: the least that each library needs to do the product's work."""

    def build(self, folder: Path, pairs: Pairs) -> None:
        """Index the pairs in a new folder, and have it on the disk."""

    def open(self, folder: Path) -> None:
        """Load what is in the folder."""

    def update(self, folder: Path, changed: Pairs, everything: Callable[[], Pairs]) -> None:
        """Replace the texts of `changed`; `everything` gives all texts, for who must start anew."""

    def search(self, question: str, k: int, among: Collection[str] | None) -> list[tuple[str, float]]:
        """Return the first k (id, score)."""


class Tantivy:
    """As in index/terms.py, whose search it uses; but a replaced text is a deletion and an addition."""

    def build(self, folder: Path, pairs: Pairs) -> None:
        import tantivy

        folder.mkdir(parents=True)
        schema = tantivy.SchemaBuilder().add_text_field("id", stored=True, tokenizer_name="raw", index_option="basic")
        schema = schema.add_text_field("text", tokenizer_name="whitespace", index_option="freq")
        self._write(tantivy.Index(schema.build(), str(folder)), pairs)

    def update(self, folder: Path, changed: Pairs, everything: Callable[[], Pairs]) -> None:
        import tantivy

        self._write(tantivy.Index.open(str(folder)), changed, replace=True)

    def _write(self, opened: "Index", pairs: Pairs, replace: bool = False) -> None:
        import tantivy

        writer = opened.writer(heap_size=128_000_000, num_threads=1)
        for key, tokens in pairs:
            if replace:
                writer.delete_documents_by_term("id", key)
            writer.add_document(tantivy.Document(id=key, text=" ".join(tokens)))
        writer.commit()
        writer.wait_merging_threads()

    def open(self, folder: Path) -> None:
        self.opened = TermIndex.open(folder)

    def search(self, question: str, k: int, among: Collection[str] | None) -> list[tuple[str, float]]:
        return self.opened.search(question, k, among)


class Bm25s:
    """Eager scores in NumPy arrays, memory-mapped; the same formula and constants as tantivy."""

    def build(self, folder: Path, pairs: Pairs) -> None:
        import bm25s

        keys, tokens = zip(*pairs, strict=True)
        engine = bm25s.BM25(k1=1.2, b=0.75, method="lucene")
        engine.index(list(tokens), show_progress=False)
        engine.save(folder, show_progress=False)
        (folder / "ids.json").write_text(json.dumps(keys), encoding="utf-8")
        for path in folder.iterdir():
            with path.open("rb") as handle:
                os.fsync(handle.fileno())

    def update(self, folder: Path, changed: Pairs, everything: Callable[[], Pairs]) -> None:
        self.build(folder, everything())  # scores are computed when it is built: one change touches them all

    def open(self, folder: Path) -> None:
        import bm25s

        self.engine = bm25s.BM25.load(folder, mmap=True, show_progress=False)
        self.ids: list[str] = json.loads((folder / "ids.json").read_text(encoding="utf-8"))
        self.row = {key: row for row, key in enumerate(self.ids)}

    def search(self, question: str, k: int, among: Collection[str] | None) -> list[tuple[str, float]]:
        mask = None
        if among is not None:
            mask = np.zeros(len(self.ids), dtype=np.float32)
            mask[[self.row[key] for key in among]] = 1
        scores = self.engine.get_scores(tokenize(question), weight_mask=mask)
        best = np.argpartition(scores, -k)[-k:]
        best = best[np.argsort(-scores[best], kind="stable")]
        return [(self.ids[row], float(scores[row])) for row in best if scores[row] > 0]


ENGINES: dict[str, Callable[[], Engine]] = {"tantivy": Tantivy, "bm25s": Bm25s}


def read_lines(path: Path) -> Iterator[dict[str, Any]]:
    with path.open(encoding="utf-8") as handle:
        for line in handle:
            yield json.loads(line)


def pieces(corpus: Path, count: int) -> Iterator[tuple[str, str]]:
    """(id, text) of `count` pieces; past one tiling of the corpus come tilings shifted by 61 characters each."""
    given = 0
    for shift in itertools.count():
        for document in read_lines(corpus):
            for start in range(shift * 61, len(document["text"]), PIECE_CHARS):
                yield f"{document['doc_id']}:{start}", document["text"][start : start + PIECE_CHARS]
                given += 1
                if given == count:
                    return


def tokenized(corpus: Path, count: int) -> Iterator[tuple[str, list[str]]]:
    return ((key, tokenize(text)) for key, text in pieces(corpus, count))


def changed_pieces(corpus: Path, count: int) -> list[tuple[str, list[str]]]:
    """The pieces of the first documents, each with one word more than before."""
    names = {line["doc_id"] for line in itertools.islice(read_lines(corpus), UPDATED_DOCUMENTS)}
    return [(key, [*tokenize(text), "改过"]) for key, text in pieces(corpus, count) if key.partition(":")[0] in names]


def peak_mb() -> float:
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def folder_mb(folder: Path) -> float:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file()) / 1e6


def timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def phase_tokenize(engine: Engine, folder: Path, corpus: Path, questions: Path, count: int) -> dict[str, float]:
    return {"tokenize alone, s": timed(lambda: sum(len(tokens) for _, tokens in tokenized(corpus, count)))}


def phase_build(engine: Engine, folder: Path, corpus: Path, questions: Path, count: int) -> dict[str, float]:
    shutil.rmtree(folder, ignore_errors=True)
    seconds = timed(lambda: engine.build(folder, tokenized(corpus, count)))
    return {"build with tokenizing, s": seconds, "build peak, MB": peak_mb(), "size, MB": folder_mb(folder)}


def phase_search(engine: Engine, folder: Path, corpus: Path, questions: Path, count: int) -> dict[str, float]:
    asked = list(read_lines(questions))
    ids = [key for key, _ in pieces(corpus, count)]
    before = peak_mb()
    opened = timed(lambda: engine.open(folder))
    first = timed(lambda: engine.search(asked[0]["question"], 20, None))
    found: list[bool] = []
    figures = {"open, s": opened, "first query, ms": first * 1000}
    filters = {"all": None, "500 ids": ids[: count // 2 : count // 1000], "half the ids": ids[: count // 2]}
    for name, among in filters.items():
        spent = []
        for line in asked if among is None else asked[:100]:
            start = time.perf_counter()
            hits = engine.search(line["question"], 20, among)
            spent.append((time.perf_counter() - start) * 1000)
            if among is None:
                found.append(any(key.partition(":")[0] in line["gold_doc_ids"] for key, _ in hits[:5]))
        figures[f"query {name} p50, ms"] = statistics.median(spent)
        figures[f"query {name} p95, ms"] = statistics.quantiles(spent, n=20)[-1]
    figures["memory of open index, MB"] = peak_mb() - before
    return figures | {"any gold document in first 5": statistics.mean(found)}


def phase_update(engine: Engine, folder: Path, corpus: Path, questions: Path, count: int) -> dict[str, float]:
    changed = changed_pieces(corpus, count)
    seconds = timed(lambda: engine.update(folder, changed, lambda: tokenized(corpus, count)))
    return {f"update {UPDATED_DOCUMENTS} documents, s": seconds}


def phase_check(engine: Engine, folder: Path, corpus: Path, questions: Path, count: int) -> dict[str, float]:
    engine.open(folder)
    return {"hits": len(engine.search("改过 中国", 20, None))}


PHASES = {"tokenize": phase_tokenize, "build": phase_build, "search": phase_search, "update": phase_update}


def start_phase(phase: str, engine: str, folder: Path, options: list[str]) -> "subprocess.Popen[str]":
    command = [sys.executable, __file__, *options, "--phase", phase, "--engine", engine]
    command += ["--folder", str(folder)]
    return subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def finish_phase(process: "subprocess.Popen[str]") -> dict[str, float]:
    out, error = process.communicate()
    if process.returncode != 0:
        raise RuntimeError(error.strip().splitlines()[-1])
    figures: dict[str, float] = json.loads(out)
    return figures


def kill_updates(engine: str, folder: Path, options: list[str], seconds: float) -> str:
    """Kill an update at several moments of its life; say how many indexes still opened and answered."""
    usable = 0
    for step in range(KILLS):
        copy = folder.with_name(f"{folder.name}-killed")
        shutil.rmtree(copy, ignore_errors=True)
        shutil.copytree(folder, copy)
        process = start_phase("update", engine, copy, options)
        wait_for_write(copy, seconds * step / KILLS, process)
        process.kill()
        process.communicate()
        try:
            usable += finish_phase(start_phase("check", engine, copy, options))["hits"] > 0
        except RuntimeError as error:
            print(f"{engine}, killed: {error}", file=sys.stderr)
    return f"{usable} of {KILLS} usable"


def wait_for_write(folder: Path, seconds: float, process: "subprocess.Popen[str]") -> None:
    """Return `seconds` after the first change in the folder, or when the process has ended."""
    before = {path: path.stat().st_mtime_ns for path in folder.iterdir()}
    while process.poll() is None and changes(folder, before) == 0:
        time.sleep(0.001)
    time.sleep(seconds)


def changes(folder: Path, before: dict[Path, int]) -> int:
    try:
        return len(before.items() ^ {path: path.stat().st_mtime_ns for path in folder.iterdir()}.items())
    except FileNotFoundError:
        return 1  # a file went while we looked


def compare(corpus: str, questions: str, folder: Path, counts: list[int]) -> Iterator[tuple[str, dict[str, Any]]]:
    for count in counts:
        options = [corpus, questions, str(folder), "--chunks", str(count)]
        for engine in ENGINES:
            place = folder / f"{engine}-{count}"
            figures: dict[str, Any] = {}
            for phase in PHASES:
                figures |= finish_phase(start_phase(phase, engine, place, options))
            killed = kill_updates(engine, place, options, 0.2) if count == min(counts) else "not tried"
            figures["killed while updating in place"] = killed
            yield f"{engine}, {count:,}", figures


def print_table(columns: list[tuple[str, dict[str, Any]]]) -> None:
    print("| |", " | ".join(name for name, _ in columns), "|")
    print("|---" * (len(columns) + 1) + "|")
    for row in columns[0][1]:
        cells = [figures[row] for _, figures in columns]
        print(f"| {row} |", " | ".join(c if isinstance(c, str) else f"{c:.3g}" for c in cells), "|")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("corpus")
    parser.add_argument("questions")
    parser.add_argument("workspace")
    parser.add_argument("--chunks", type=int, nargs="+", default=[10_000, 50_000])
    parser.add_argument("--phase", help=argparse.SUPPRESS)
    parser.add_argument("--engine", help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    given = parser.parse_args()
    if given.phase is None:
        print_table(list(compare(given.corpus, given.questions, Path(given.workspace), given.chunks)))
        return
    run = {**PHASES, "check": phase_check}[given.phase]
    figures = run(ENGINES[given.engine](), given.folder, Path(given.corpus), Path(given.questions), given.chunks[0])
    print(json.dumps(figures))


if __name__ == "__main__":
    main()
