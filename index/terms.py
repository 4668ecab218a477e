"""BM25 over Chinese and English: `tokenize` and the TermIndex. Knows no vectors and no documents, only (id, text).

The engine is tantivy; benchmarks/terms.md says why. Its BM25 is Lucene's, with k1 = 1.2 and b = 0.75, and it keeps the
length of a text in one byte: exact up to 40 tokens, to about 6 % beyond.
"""

import errno
import os
import re
import shutil
import tempfile
import unicodedata
from collections import Counter
from collections.abc import Collection, Container, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Self

from index.errors import IndexNotFoundError

if TYPE_CHECKING:
    from tantivy import Document, Query
    from tantivy import Index as TantivyIndex

_ID, _TEXT = "id", "text"
_WRITER_BYTES = 128_000_000
_SMALL_SET = 1000  # up to here tantivy looks each id up; beyond, filtering what was found is faster

# Chinese characters with 々 and 〇, and Japanese kana: scripts that put no space between words.
_UNSPACED = "\u3005-\u3007\u3040-\u30ff\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0003ffff"
# A full-width comma parts thousands only among full-width digits: 增长5，300家 holds two numbers.
_THOUSANDS = re.compile(
    r"(?<![0-9.,])[0-9]{1,3}(?:,[0-9]{3})+(?![0-9,])"
    r"|(?<![０-９．，])[０-９]{1,3}(?:，[０-９]{3})+(?![０-９，])"
)
_RUN = re.compile(
    r"(?P<percentage>[0-9]+(?:\.[0-9]+)*%)"
    rf"|(?P<unspaced>[{_UNSPACED}]+)"
    rf"|(?P<word>(?:[^\W_{_UNSPACED}]|(?<=[0-9])\.(?=[0-9]))+)"
)
_DOCUMENT_NUMBER = re.compile(r"[〔\[(【]\s*([0-9]{4})\s*[〕\])】]\s*第?\s*([0-9]+)\s*号")


def tokenize(text: str) -> list[str]:
    """Return what of `text` can be found: character pairs of Chinese, whole words and numbers of other scripts.

    Width, case and thousands separators do not count. A Chinese character alone between other scripts stands alone, so
    a one-character query finds only such places. A percentage is found with and without its sign. A document number's
    year and number make one more token, at the end, whatever the brackets. Nothing is dropped as a stop word.

        增长12.8%          增长 12.8 12.8%
        达１，２３４亿元     达 1234 亿元
        Q3 GDP，5G网络     q3 gdp 5g 网络
        国发〔2024〕12号    国发 2024 12 号 〔2024〕12号
    """
    folded = _fold(_THOUSANDS.sub(lambda found: re.sub("[,，]", "", found[0]), text))
    tokens: list[str] = []
    for found in _RUN.finditer(folded):
        tokens += _tokens_of_run(found[0], found.lastgroup)
    return tokens + [f"〔{year}〕{number}号" for year, number in _DOCUMENT_NUMBER.findall(folded)]


def _fold(text: str) -> str:
    """A copy without width and case; casefolding can undo NFKC, so that comes again."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", text).casefold())


def _tokens_of_run(run: str, kind: str | None) -> list[str]:
    if kind == "percentage":
        return [run[:-1], run]
    if kind == "word" or len(run) == 1:
        return [run]
    return [run[at : at + 2] for at in range(len(run) - 1)]


class TermIndex:
    """Texts under string ids in a folder, searched by BM25. Opened memory-mapped; what is open never changes.

    A folder is written once, by `build` or `extend`, and not touched again. Threads may share an open index.
    """

    def __init__(self, opened: "TantivyIndex") -> None:
        """Call `open` instead."""
        self._schema = opened.schema
        self._searcher = opened.searcher()

    @classmethod
    def build(cls, pairs: Iterable[tuple[str, str]], folder: Path) -> None:
        """Index (id, text) pairs, streamed, in `folder`, which must not exist or be empty; fsync all.

        Raises ValueError on a folder with files in it, or a repeated id, and OSError on a full disk. What then stands
        there, as after a kill, is of no use and the caller's to delete.
        """
        import tantivy

        folder.mkdir(parents=True, exist_ok=True)
        if any(folder.iterdir()):
            raise ValueError(f"{folder} is not empty")
        schema = tantivy.SchemaBuilder()
        schema.add_text_field(_ID, stored=True, tokenizer_name="raw", index_option="basic")
        schema.add_text_field(_TEXT, tokenizer_name="whitespace", index_option="freq")
        with _failures_as_os_errors():
            opened = tantivy.Index(schema.build(), str(folder))
        _write(opened, pairs, held=())
        _sync(folder)

    @classmethod
    def extend(cls, pairs: Iterable[tuple[str, str]], folder: Path, older: Path) -> None:
        """Index in `folder` what the folder `older` holds and `pairs`; `older` stays as it is. Otherwise as `build`.

        Answers are those of building all at once. There is no way to remove: tantivy goes on counting what was removed
        in its statistics, and scores would depend on the past. So a snapshot that loses chunks is built anew.
        """
        import tantivy

        held = cls.open(older)
        shutil.copytree(older, folder, ignore=shutil.ignore_patterns("*.lock"), dirs_exist_ok=True)
        _write(tantivy.Index.open(str(folder)), pairs, held)
        _sync(folder)

    @classmethod
    def open(cls, folder: Path) -> Self:
        """Open what `build` or `extend` wrote. Raises IndexNotFoundError if there is none, or it is broken."""
        try:
            return cls(_opened(folder))
        except (ValueError, OSError) as error:
            reason = " ".join(str(error).split())
            raise IndexNotFoundError(f"no term index can be opened in {folder}, rebuild it: {reason}") from error

    def __len__(self) -> int:
        return self._searcher.num_docs

    def __contains__(self, key: object) -> bool:
        return self._searcher.doc_freq(_ID, key) > 0

    def search(self, query: str, k: int, among: Collection[str] | None = None) -> list[tuple[str, float]]:
        """Return up to k (id, score) by falling score, ties by id, also at the k-th place; only ids in `among`.

        All text of `query` is words to find: there are no operators. A word that comes twice counts twice. Scores are
        above 0, without upper bound, and compare within one query only; texts that share no token with it are not
        returned. `among` changes no score beyond rounding. Raises ValueError if k < 1.
        """
        if k < 1:
            raise ValueError(f"k must be at least 1, not {k}")
        counts = Counter(tokenize(query))
        kept = None if among is None else frozenset(among)
        if not counts or not len(self) or kept == frozenset():
            return []
        return self._best(self._parsed(counts, kept), k, kept)

    def _parsed(self, counts: Counter[str], among: frozenset[str] | None) -> "Query":
        from tantivy import Occur, Query

        words = [self._word(word, count) for word, count in counts.items()]
        parsed = Query.boolean_query([(Occur.Should, word) for word in words])
        if among is None or len(among) > _SMALL_SET:
            return parsed
        chosen = Query.const_score_query(Query.term_set_query(self._schema, _ID, sorted(among)), 0.0)
        return Query.boolean_query([(Occur.Must, parsed), (Occur.Must, chosen)])

    def _word(self, word: str, count: int) -> "Query":
        from tantivy import Query

        term = Query.term_query(self._schema, _TEXT, word, "freq")
        return term if count == 1 else Query.boost_query(term, float(count))

    def _best(self, parsed: "Query", k: int, among: frozenset[str] | None) -> list[tuple[str, float]]:
        """The first k of those in `among`: ask for more until what was not seen must be worse than the k-th."""
        share = 1 if among is None else max(1, len(self) // len(among))
        limit = 2 * k * share
        while True:
            limit = min(limit, len(self))
            hits = self._searcher.search(parsed, limit=limit).hits
            named = ((str(self._searcher.doc(address).get_first(_ID)), float(score)) for score, address in hits)
            best = sorted((hit for hit in named if among is None or hit[0] in among), key=lambda hit: (-hit[1], hit[0]))
            all_seen = len(hits) < limit or limit == len(self)
            if all_seen or (len(best) >= k and best[k - 1][1] > hits[-1][0]):
                return best[:k]
            limit *= 4


def _opened(folder: Path) -> "TantivyIndex":
    """tantivy writes a lock file beside what it opens. Where it may not, it is shown the files through links."""
    if os.access(folder, os.W_OK):
        return _with_reader(folder)
    with tempfile.TemporaryDirectory() as links:  # what is open and mapped needs no name any more
        for path in folder.iterdir():
            if path.suffix != ".lock":
                (Path(links) / path.name).symlink_to(path.absolute())
        return _with_reader(Path(links))


def _with_reader(folder: Path) -> "TantivyIndex":
    import tantivy

    opened = tantivy.Index.open(str(folder))
    opened.config_reader(reload_policy="manual")  # no thread that watches the folder
    return opened


def _write(opened: "TantivyIndex", pairs: Iterable[tuple[str, str]], held: Container[str]) -> None:
    """Add the pairs and commit. One thread: then the same pairs give the same index."""
    with _failures_as_os_errors():
        writer = opened.writer(_WRITER_BYTES, num_threads=1)
    seen: set[str] = set()
    for key, text in pairs:
        if key in seen or key in held:
            raise ValueError(f"the id {key!r} comes twice")
        seen.add(key)
        document = _document(key, text)
        with _failures_as_os_errors():
            writer.add_document(document)
    with _failures_as_os_errors():
        writer.commit()
        writer.wait_merging_threads()


@contextmanager
def _failures_as_os_errors() -> Iterator[None]:
    """tantivy calls a full disk a ValueError."""
    try:
        yield
    except ValueError as error:
        raise OSError(errno.EIO, f"the term index cannot be written ({' '.join(str(error).split())})") from error


def _document(key: str, text: str) -> "Document":
    import tantivy

    document = tantivy.Document()
    document.add_text(_ID, key)
    document.add_text(_TEXT, " ".join(tokenize(text)))  # tantivy's whitespace tokenizer takes it apart again
    return document


def _sync(folder: Path) -> None:
    """fsync the files and the folder itself; tantivy's lock files, empty, go."""
    for path in folder.iterdir():
        if path.suffix == ".lock":
            path.unlink()
        else:
            _sync_path(path)
    _sync_path(folder)


def _sync_path(path: Path) -> None:
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
