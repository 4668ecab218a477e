"""`wence documents`: what is in the library. Thin shells over functions; also what every command shares."""

import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from corpus.home import Home, open_home
from corpus.library import Entry, Library
from corpus.settings import Settings, load_settings
from corpus.types import Document

app = typer.Typer()
documents_app = typer.Typer(help="List and show the documents of the library.", invoke_without_command=True)
app.add_typer(documents_app, name="documents")

AsJson = Annotated[bool, typer.Option("--json", help="Print JSON for programs.")]


def open_home_folder() -> Home:
    """Return the data folder that WENCE_HOME names, or the platform's own."""
    return open_home(os.environ.get("WENCE_HOME"))


@contextmanager
def open_library() -> Iterator[tuple[Library, Settings]]:
    """Open the data folder that WENCE_HOME names, with its settings."""
    home = open_home_folder()
    settings = load_settings(home.settings)
    library = Library(home)
    try:
        yield library, settings
    finally:
        library.close()


def print_json(value: object) -> None:
    """Print one JSON value on one line; Chinese as it is."""
    typer.echo(json.dumps(value, ensure_ascii=False))


@documents_app.callback()
def documents(context: typer.Context, as_json: AsJson = False) -> None:
    """List the documents, by collection and source."""
    if context.invoked_subcommand:
        return
    with open_library() as (library, _):
        entries = library.entries()
    if as_json:
        print_json([asdict(entry) for entry in entries])
    else:
        _print_table(entries)


@documents_app.command()
def show(
    doc_id: str,
    text: Annotated[bool, typer.Option("--text", help="Print exactly the document's text.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show one document: its properties and headings, or its text."""
    with open_library() as (library, _):
        document = library.document(doc_id)
    if text and as_json:
        raise typer.BadParameter("choose --text or --json, not both")
    if text:
        typer.echo(document.text, nl=False)
    elif as_json:
        print_json(asdict(document))
    else:
        _print_document(document)


def _print_table(entries: list[Entry]) -> None:
    table = Table("doc_id", "title", "date", "chars", "pages", "collection", "source")
    for entry in entries:
        row = (entry.doc_id, entry.title, entry.meta.date or "", str(entry.chars), str(entry.pages or ""))
        table.add_row(*row, entry.collection, entry.source)
    Console().print(table)


def _print_document(document: Document) -> None:
    lines = [
        f"title    {document.title}",
        f"doc_id   {document.doc_id}",
        f"source   {document.source}",
        f"language {document.lang}",
        *(f"{name:8} {value}" for name, value in asdict(document.meta).items() if value is not None),
        f"chars    {len(document.text)}",
        *([f"pages    {len(document.pages)}"] if document.pages else []),
        "headings",
        *(f"{'  ' * section.level}{section.title}" for section in document.sections),
    ]
    typer.echo("\n".join(lines))
