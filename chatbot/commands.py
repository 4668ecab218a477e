"""`wence ask` and `wence serve`: thin shells over functions."""

import json
import logging
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import Annotated, TextIO

import typer

from chatbot.answer_json import answer_json
from chatbot.batch import BadLine, Question, read_batch, read_examples
from chatbot.errors import ChatError
from chatbot.open import open_chatbot
from chatbot.pipeline import Chatbot
from chatbot.types import Answer
from corpus.commands import AsJson, open_library, print_json
from corpus.errors import WenceError
from corpus.library import DEFAULT_COLLECTION
from corpus.settings import Settings
from index.commands import ingest_and_index

logger = logging.getLogger(__name__)
app = typer.Typer()


@app.command()
def ask(
    question: Annotated[str | None, typer.Argument(help="The question.")] = None,
    batch: Annotated[Path | None, typer.Option(help='JSON Lines of {"id", "question", "history"?}.')] = None,
    out: Annotated[Path | None, typer.Option(help="Where the answers of --batch go, as JSON Lines.")] = None,
    as_json: AsJson = False,
) -> None:
    """Answer a question, or a file of questions, with citations."""
    if (question is None) == (batch is None):
        raise typer.BadParameter("give either a QUESTION or --batch FILE")
    if (batch is None) != (out is None):
        raise typer.BadParameter("--batch FILE and --out FILE go together")
    if batch and out:
        _ask_batch(batch, out)
        return
    with _opened() as (chatbot, _):
        answer = chatbot.answer(question or "")
    if as_json:
        print_json(answer_json(answer))
    else:
        _print_answer(answer)


@app.command()
def serve(
    port: Annotated[int, typer.Option(min=1, max=65535)] = 7860,
    examples: Annotated[Path | None, typer.Option(help='JSON Lines; those with "example": true are offered.')] = None,
    reports: Annotated[
        Path | None, typer.Option("--ingest", help="Files to read first, as `wence ingest` does.")
    ] = None,
    collection: Annotated[str, typer.Option(help="Name of the collection of --ingest.")] = DEFAULT_COLLECTION,
) -> None:
    """Open the chat window on this machine."""
    from chatbot.serve import listen, make_server

    offered = read_examples(examples) if examples else ()
    with listen(port=port) as listening, open_library() as (library, settings):
        embedder = ingest_and_index(library, settings, [reports], collection)[1] if reports else None
        with closing(open_chatbot(library, settings, embedder)) as chatbot, suppress(KeyboardInterrupt):
            # Whoever asks within these first seconds waits for the same work.
            threading.Thread(target=_warm_up, args=[chatbot], daemon=True).start()
            make_server(listening, chatbot, offered, _announce, settings.chatbot.parallel).run(sockets=[listening])


@contextmanager
def _opened() -> Iterator[tuple[Chatbot, Settings]]:
    with open_library() as (library, settings), closing(open_chatbot(library, settings)) as chatbot:
        yield chatbot, settings


def _warm_up(chatbot: Chatbot) -> None:
    try:
        chatbot.warm_up()
    except WenceError as error:  # whoever asks is told; a server that stops early need not be
        logger.info("warming up ended early: %s", error)


def _announce(address: str) -> None:
    typer.echo(f"Wence is ready: {address}  (Ctrl+C stops it)")


def _ask_batch(batch: Path, out: Path) -> None:
    lines = list(read_batch(batch))
    try:
        target = out.open("w", encoding="utf-8")
    except OSError as error:
        raise ChatError(f"{out}: cannot be written ({error.strerror}); name another file for --out") from error
    with target, _opened() as (chatbot, _):
        bad = sum(not _answer_line(chatbot, line, target, f"{batch}:{line.line}") for line in lines)
    typer.echo(f"{len(lines) - bad} answered, {bad} failed, written to {out}", err=True)
    if bad:
        raise typer.Exit(1)


def _answer_line(chatbot: Chatbot, line: Question | BadLine, target: TextIO, where: str) -> bool:
    """Write one answer; False if the line could not be answered, which is then said."""
    if isinstance(line, BadLine):
        typer.echo(f"wence: {where} {line.reason}", err=True)
        return False
    try:
        answer = chatbot.answer(line.text, line.history)
    except WenceError as error:
        typer.echo(f"wence: {where} {error}", err=True)
        return False
    target.write(json.dumps({"id": line.id, **answer_json(answer)}, ensure_ascii=False) + "\n")
    target.flush()
    return True


def _print_answer(answer: Answer) -> None:
    typer.echo(answer.text)
    if answer.abstained:
        typer.echo(answer.reason)
        for item in answer.evidence:
            typer.echo(f"\n    {item.title}  {item.doc_id}:{item.span.start}-{item.span.end}\n    {item.quote}")
    for citation in answer.citations:
        page = f", p. {citation.page}" if citation.page else ""
        place = f"{citation.doc_id}:{citation.span.start}-{citation.span.end}"
        flag = "" if citation.support == "supported" else f"  ({citation.support}: {'; '.join(citation.reasons)})"
        typer.echo(f"\n[{citation.marker}] {citation.title}{page}  {place}{flag}\n    {citation.quote}")
