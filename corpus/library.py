"""The catalogue: documents, their structure and chunks in one SQLite file. Knows no vectors and no formats.

One transaction a document: after any kill a document is wholly there or not at all. Writers hold a lock on the
data folder, which dies with their process; readers never wait for it.
"""

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import filelock
import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, Integer, MetaData, String, Table, Text
from sqlalchemy.dialects.sqlite import insert
from sqlalchemy.exc import DatabaseError, OperationalError

from corpus.chunk import CHUNKER_VERSION, chunks
from corpus.errors import LibraryError
from corpus.home import Home
from corpus.types import Chunk, Document, Metadata, Page, Section, Span

SCHEMA_VERSION = "1"
DEFAULT_COLLECTION = "default"

tables = MetaData()
facts = Table("facts", tables, Column("key", String, primary_key=True), Column("value", String, nullable=False))
documents = Table(
    "documents",
    tables,
    Column("doc_id", String(16), primary_key=True),
    Column("title", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("chars", Integer, nullable=False),
    Column("lang", String(2), nullable=False),
    Column("source", Text, nullable=False),
    Column("sha256", String(64), nullable=False),
    Column("meta", Text, nullable=False),  # JSON of Metadata
    Column("warnings", Text, nullable=False),  # JSON list
    Column("chunker", String, nullable=False),
)
sources = Table(  # where a document came from; a document without a source is kept, but no longer searched
    "sources",
    tables,
    Column("collection", String, primary_key=True),
    Column("path", Text, primary_key=True),
    Column("sha256", String(64), nullable=False, index=True),
    Column("doc_id", ForeignKey("documents.doc_id"), nullable=False, index=True),
)
pages = Table(
    "pages",
    tables,
    Column("doc_id", ForeignKey("documents.doc_id"), primary_key=True),
    Column("number", Integer, primary_key=True),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
)
sections = Table(
    "sections",
    tables,
    Column("doc_id", ForeignKey("documents.doc_id"), primary_key=True),
    Column("at", Integer, primary_key=True),
    Column("title", Text, nullable=False),
    Column("level", Integer, nullable=False),
    Column("start", Integer, nullable=False),
    Column("end", Integer, nullable=False),
)
chunk_rows = Table(
    "chunks",
    tables,
    Column("doc_id", ForeignKey("documents.doc_id"), primary_key=True),
    Column("start", Integer, primary_key=True),
    Column("end", Integer, nullable=False),
    Column("headings", Text, nullable=False),  # JSON list
)


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of the catalogue: a document as one collection holds it."""

    doc_id: str
    title: str
    source: str
    collection: str
    chars: int
    pages: int  # 0 where the format has none
    lang: str
    meta: Metadata
    warnings: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Source:
    """A file as the library last read it."""

    collection: str
    path: str
    sha256: str
    doc_id: str


class Library:
    """The documents of one data folder. Safe to share between threads."""

    def __init__(self, home: Home) -> None:
        self.home = home
        self.engine = _open_engine(home)

    def close(self) -> None:
        """Give back all connections."""
        self.engine.dispose()

    def sequence(self) -> int:
        """Return a number that grows with every change of what is to be searched."""
        with self.engine.connect() as connection:
            return int(_fact(connection, "sequence") or 0)

    def entries(self) -> list[Entry]:
        """Return the current documents, by collection and source path."""
        page_count = sa.select(sa.func.count()).where(pages.c.doc_id == documents.c.doc_id).scalar_subquery()
        query = (
            sa.select(documents, sources.c.path, sources.c.collection, page_count.label("page_count"))
            .join(sources, sources.c.doc_id == documents.c.doc_id)
            .order_by(sources.c.collection, sources.c.path)
        )
        with self.engine.connect() as connection:
            return [_entry(row) for row in connection.execute(query)]

    def document(self, doc_id: str) -> Document:
        """Return the document, current or replaced. LibraryError names an unknown id."""
        with self.engine.connect() as connection:
            row = connection.execute(sa.select(documents).where(documents.c.doc_id == doc_id)).first()
            if row is None:
                raise LibraryError(f"no document {doc_id} in the library; `wence documents` lists all")
            return _document(connection, row)

    def chunks(self) -> Iterator[tuple[str, Chunk]]:
        """Yield (document title, chunk) of all current documents, by document and place."""
        with self.engine.connect() as connection:
            for row in connection.execute(_current_documents()):
                for start, end, headings in connection.execute(_chunks_of(row.doc_id)):
                    span = Span(start, end)
                    yield row.title, Chunk(row.doc_id, span, span.of(row.text), tuple(json.loads(headings)))

    def source(self, collection: str, path: str) -> Source | None:
        """Return what the library knows of a file under this collection and path."""
        return self._source(sources.c.collection == collection, sources.c.path == path)

    def source_with(self, sha256: str) -> Source | None:
        """Return some file with these bytes, whatever its path."""
        return self._source(sources.c.sha256 == sha256)

    def _source(self, *where: sa.ColumnElement[bool]) -> Source | None:
        query = sa.select(sources).where(*where).order_by(sources.c.collection, sources.c.path).limit(1)
        with self.engine.connect() as connection:
            row = connection.execute(query).first()
        return Source(row.collection, row.path, row.sha256, row.doc_id) if row else None

    def add(self, document: Document, source: Source, warnings: Sequence[str] = ()) -> None:
        """Store a document with its chunks and point the source at it, in one transaction.

        A text that is already there is not stored twice. What the source pointed at before stays in the library.
        """
        with self.writing() as connection:
            known = connection.scalar(sa.select(documents.c.doc_id).where(documents.c.doc_id == document.doc_id))
            if known is None:
                connection.execute(documents.insert(), _document_row(document, warnings))
                _insert_structure(connection, document)
            _point(connection, source)

    def rechunk(self) -> int:
        """Cut documents that an older chunker cut once more; return how many."""
        stale = sa.select(documents.c.doc_id).where(documents.c.chunker != CHUNKER_VERSION)
        with self.engine.connect() as connection:
            doc_ids = list(connection.scalars(stale))
        for doc_id in doc_ids:
            document = self.document(doc_id)
            with self.writing() as connection:
                connection.execute(chunk_rows.delete().where(chunk_rows.c.doc_id == doc_id))
                connection.execute(chunk_rows.insert(), [_chunk_row(chunk) for chunk in chunks(document)])
                connection.execute(
                    documents.update().where(documents.c.doc_id == doc_id).values(chunker=CHUNKER_VERSION)
                )
        return len(doc_ids)

    def point(self, source: Source) -> None:
        """Note that a file holds a document the library already has."""
        with self.writing() as connection:
            _point(connection, source)

    @contextmanager
    def writing(self) -> Iterator[sa.Connection]:
        """One transaction; what SQLite says of a full or read-only disk becomes a LibraryError."""
        try:
            with self.engine.begin() as connection:
                yield connection
        except OperationalError as error:
            raise LibraryError(_write_failure(self.home, error)) from error

    @contextmanager
    def lock(self) -> Iterator[None]:
        """Hold the data folder's write lock. LibraryError at once if another process has it."""
        try:
            with filelock.FileLock(self.home.root / "write.lock", timeout=0):
                yield
        except filelock.Timeout as error:
            raise LibraryError(
                f"another process is writing to {self.home.root}; wait until it has finished, then try again"
            ) from error
        except OSError as error:
            raise LibraryError(f"cannot write to the data folder {self.home.root}: {error.strerror}") from error


def _open_engine(home: Home) -> sa.Engine:
    try:
        engine = _writable_engine(home.library) if home.writable else _read_only_engine(home)
        with engine.connect() as connection:
            found = _fact(connection, "schema")
    except DatabaseError as error:
        raise LibraryError(
            f"{home.library} is not a readable library ({error.orig}); restore it, or move it away and ingest anew"
        ) from error
    if found != SCHEMA_VERSION:
        raise LibraryError(
            f"{home.library} has schema {found}, this program needs {SCHEMA_VERSION}: use the program that made it"
        )
    return engine


def _writable_engine(path: Path) -> sa.Engine:
    engine = sa.create_engine(f"sqlite:///{path}", connect_args={"timeout": 30})
    sa.event.listen(engine, "connect", _set_pragmas)
    with engine.begin() as connection:
        tables.create_all(connection)
        connection.execute(insert(facts).values(key="schema", value=SCHEMA_VERSION).on_conflict_do_nothing())
    return engine


def _read_only_engine(home: Home) -> sa.Engine:
    if not home.library.exists():
        raise LibraryError(f"the data folder {home.root} is read-only and holds no library; set WENCE_HOME to another")
    # immutable: a read-only folder cannot hold the files WAL needs, and nobody can be writing to it
    return sa.create_engine(f"sqlite:///file:{home.library}?mode=ro&immutable=1&uri=true")


def _set_pragmas(connection: Any, _record: object) -> None:  # noqa: ANN401 - a DBAPI connection has no public type
    connection.execute("PRAGMA journal_mode=WAL")
    connection.execute("PRAGMA synchronous=FULL")
    connection.execute("PRAGMA foreign_keys=ON")


def _write_failure(home: Home, error: OperationalError) -> str:
    said = str(error.orig)
    if "full" in said or "disk I/O" in said:
        return f"no space left for {home.root}: free some disk space, then run the same command again"
    if "readonly" in said:
        return f"the data folder {home.root} is read-only; set WENCE_HOME to one you may write to"
    return f"cannot write to {home.library}: {said}"


def _fact(connection: sa.Connection, key: str) -> str | None:
    return connection.scalar(sa.select(facts.c.value).where(facts.c.key == key))


def _point(connection: sa.Connection, source: Source) -> None:
    row = {"collection": source.collection, "path": source.path, "sha256": source.sha256, "doc_id": source.doc_id}
    statement = insert(sources).values(row)
    connection.execute(statement.on_conflict_do_update(index_elements=["collection", "path"], set_=row))
    following = str(int(_fact(connection, "sequence") or 0) + 1)
    counter = insert(facts).values(key="sequence", value=following)
    connection.execute(counter.on_conflict_do_update(index_elements=["key"], set_={"value": following}))


def _document_row(document: Document, warnings: Sequence[str]) -> dict[str, object]:
    return {
        "doc_id": document.doc_id,
        "title": document.title,
        "text": document.text,
        "chars": len(document.text),
        "lang": document.lang,
        "source": document.source,
        "sha256": document.sha256,
        "meta": json.dumps(asdict(document.meta), ensure_ascii=False),
        "warnings": json.dumps(list(warnings), ensure_ascii=False),
        "chunker": CHUNKER_VERSION,
    }


def _insert_structure(connection: sa.Connection, document: Document) -> None:
    for table, rows in (
        (pages, [_page_row(document.doc_id, page) for page in document.pages]),
        (sections, [_section_row(document.doc_id, at, part) for at, part in enumerate(document.sections)]),
        (chunk_rows, [_chunk_row(chunk) for chunk in chunks(document)]),
    ):
        if rows:
            connection.execute(table.insert(), rows)


def _page_row(doc_id: str, page: Page) -> dict[str, object]:
    return {"doc_id": doc_id, "number": page.number, "start": page.span.start, "end": page.span.end}


def _section_row(doc_id: str, at: int, section: Section) -> dict[str, object]:
    place = {"start": section.span.start, "end": section.span.end}
    return {"doc_id": doc_id, "at": at, "title": section.title, "level": section.level, **place}


def _chunk_row(chunk: Chunk) -> dict[str, object]:
    headings = json.dumps(chunk.headings, ensure_ascii=False)
    return {"doc_id": chunk.doc_id, "start": chunk.span.start, "end": chunk.span.end, "headings": headings}


def _current_documents() -> sa.Select[Any]:
    return (
        sa.select(documents.c.doc_id, documents.c.title, documents.c.text)
        .where(sa.exists().where(sources.c.doc_id == documents.c.doc_id))
        .order_by(documents.c.doc_id)
    )


def _chunks_of(doc_id: str) -> sa.Select[Any]:
    query = sa.select(chunk_rows.c.start, chunk_rows.c.end, chunk_rows.c.headings)
    return query.where(chunk_rows.c.doc_id == doc_id).order_by(chunk_rows.c.start)


def _entry(row: sa.Row[Any]) -> Entry:
    return Entry(
        doc_id=row.doc_id,
        title=row.title,
        source=row.path,
        collection=row.collection,
        chars=row.chars,
        pages=row.page_count,
        lang=row.lang,
        meta=Metadata(**json.loads(row.meta)),
        warnings=tuple(json.loads(row.warnings)),
    )


def _document(connection: sa.Connection, row: sa.Row[Any]) -> Document:
    page_rows = connection.execute(sa.select(pages).where(pages.c.doc_id == row.doc_id).order_by(pages.c.number))
    section_rows = connection.execute(
        sa.select(sections).where(sections.c.doc_id == row.doc_id).order_by(sections.c.at)
    )
    return Document(
        title=row.title,
        text=row.text,
        lang=row.lang,
        source=row.source,
        sha256=row.sha256,
        meta=Metadata(**json.loads(row.meta)),
        pages=tuple(Page(page.number, Span(page.start, page.end)) for page in page_rows),
        sections=tuple(Section(part.title, part.level, Span(part.start, part.end)) for part in section_rows),
    )
