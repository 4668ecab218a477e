"""`wence ingest`, `search` and `reindex`: thin shells over functions."""

import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeRemainingColumn

from corpus.commands import AsJson, open_library, print_json
from corpus.ingest import FileDone, ingest
from corpus.library import DEFAULT_COLLECTION, Library
from corpus.settings import Settings
from index.embed import Embedder
from index.live import LiveSearcher
from index.open import open_embedder_for
from index.snapshot import Embedding, build, is_current
from index.types import Hit

app = typer.Typer()

_SIGNS = {"added": "+", "updated": "~", "unchanged": "=", "failed": "!", "skipped": "-"}


@app.command("ingest")
def ingest_command(
    paths: Annotated[list[Path], typer.Argument(help="Files, or folders to search through.")],
    collection: Annotated[str, typer.Option(help="Name of the collection they belong to.")] = DEFAULT_COLLECTION,
    as_json: AsJson = False,
) -> None:
    """Read files into the library and make them searchable. Files already read are left alone."""
    with open_library() as (library, settings):
        failed, _ = ingest_and_index(library, settings, paths, collection, as_json)
    if failed:
        raise typer.Exit(1)


def ingest_and_index(
    library: Library, settings: Settings, paths: Sequence[Path], collection: str, as_json: bool = False
) -> tuple[int, Embedder]:
    """Read files and publish what is new, saying so as it goes; return how many files failed, and the open embedder."""
    failed = 0
    with library.lock():
        for event in ingest(library, paths, collection):
            failed += event.outcome == "failed"
            _show_file(event, as_json)
        embedder = open_embedder_for(library, settings)
        if not is_current(library, embedder):
            _build(library, embedder, as_json)
    return failed, embedder


@app.command()
def reindex(as_json: AsJson = False) -> None:
    """Build the search index anew from the library, embedding only what this embedder has not seen."""
    with open_library() as (library, settings), library.lock():
        _build(library, open_embedder_for(library, settings), as_json)


@app.command()
def search(
    query: str,
    k: Annotated[int, typer.Option("-k", min=1, max=1000, help="How many hits.")] = 10,
    as_json: AsJson = False,
) -> None:
    """Search the library and print the best passages."""
    with open_library() as (library, settings):
        hits = LiveSearcher(library, open_embedder_for(library, settings)).current().search(query, k)
    if as_json:
        print_json([hit_json(hit) for hit in hits])
        return
    for hit in hits:
        where = " > ".join((hit.title, *hit.chunk.headings))
        typer.echo(f"{hit.rank}. {where}  ({hit.chunk.chunk_id}, {hit.score:.4f})\n{hit.chunk.text}\n")


def hit_json(hit: Hit) -> dict[str, object]:
    """Return a hit as the command line's contract states it."""
    chunk = hit.chunk
    return {
        "doc_id": chunk.doc_id,
        "title": hit.title,
        "start": chunk.span.start,
        "end": chunk.span.end,
        "text": chunk.text,
        "score": hit.score,
        "headings": list(chunk.headings),
        "parts": dict(hit.parts),
    }


def _show_file(event: FileDone, as_json: bool) -> None:
    if as_json:
        print_json({"event": "file", **asdict(event)})
        return
    note = event.reason or event.title or ""
    typer.echo(f"{_SIGNS[event.outcome]} [{event.done}/{event.total}] {event.outcome} {event.path}  {note}", err=True)
    for warning in event.warnings:
        typer.echo(f"    warning: {warning}", err=True)


def _build(library: Library, embedder: Embedder, as_json: bool) -> None:
    with _progress(as_json) as show:
        for step in build(library, embedder):
            show(step)


@contextmanager
def _progress(as_json: bool) -> Iterator[Callable[[Embedding], None]]:
    """Draw the embedding: JSON lines, a bar on a terminal, or plain lines."""
    if as_json:
        yield lambda step: print_json({"event": "embedding", **asdict(step)})
    elif sys.stderr.isatty():
        columns = (TextColumn("embedding"), BarColumn(), MofNCompleteColumn(), TimeRemainingColumn())
        with Progress(*columns, console=Console(stderr=True)) as bar:
            task = bar.add_task("embedding", total=None)
            yield lambda step: bar.update(task, completed=step.done, total=step.total)
    else:
        yield lambda step: typer.echo(f"embedded {step.done} of {step.total}", err=True)
