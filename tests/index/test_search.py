import json
from pathlib import Path

import pytest

from corpus.ingest import ingest
from corpus.library import Library
from index.embed import HashEmbedder
from index.errors import IndexMismatchError, IndexNotFoundError
from index.live import LiveSearcher, catch_up
from index.search import reciprocal_rank_fusion
from index.snapshot import Embedding, build, current_name, is_current, open_snapshot


def built(library: Library, reports: Path, embedder: HashEmbedder) -> list[Embedding]:
    list(ingest(library, [reports], "default"))
    return list(build(library, embedder))


@pytest.fixture
def embedder() -> HashEmbedder:
    return HashEmbedder()


def test_fusion_adds_reciprocal_ranks() -> None:
    fused = reciprocal_rank_fusion([["a", "b"], ["b", "c"]])
    assert fused == [("b", 1 / 62 + 1 / 61), ("a", 1 / 61), ("c", 1 / 62)]


def test_fusion_breaks_ties_by_id() -> None:
    assert [name for name, _ in reciprocal_rank_fusion([["b"], ["a"]])] == ["a", "b"]


def test_the_right_report_comes_first(library: Library, reports: Path, embedder: HashEmbedder) -> None:
    built(library, reports, embedder)
    hits = LiveSearcher(library, embedder).current().search("丘陵县 集中供水率", 5)
    assert "集中供水率" in hits[0].chunk.text
    assert [hit.rank for hit in hits] == list(range(1, len(hits) + 1))
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)


def test_a_title_is_found_but_never_quoted(library: Library, reports: Path, embedder: HashEmbedder) -> None:
    built(library, reports, embedder)
    for hit in LiveSearcher(library, embedder).current().search("Harbour City transport plan cycling", 5):
        assert hit.chunk.span.of(library.document(hit.chunk.doc_id).text) == hit.chunk.text


def test_nothing_is_embedded_twice(library: Library, reports: Path, embedder: HashEmbedder) -> None:
    first = built(library, reports, embedder)
    assert first[-1].total == len(list(library.chunks()))
    assert list(build(library, embedder)) == [Embedding(0, 0)]


def test_a_snapshot_knows_when_the_library_has_moved_on(
    library: Library, reports: Path, embedder: HashEmbedder
) -> None:
    built(library, reports, embedder)
    assert is_current(library, embedder)
    (reports / "new.md").write_text("# 新报告\n\n新增公园3座。\n", encoding="utf-8")
    list(ingest(library, [reports], "default"))
    assert not is_current(library, embedder)


def test_a_new_searcher_catches_up_with_a_killed_ingest(
    library: Library, reports: Path, embedder: HashEmbedder
) -> None:
    built(library, reports, embedder)
    (reports / "new.md").write_text("# 新报告\n\n新增公园3座。\n", encoding="utf-8")
    list(ingest(library, [reports], "default"))
    hits = LiveSearcher(library, embedder).current().search("新增公园", 3)
    assert "新增公园3座" in hits[0].chunk.text


def test_a_running_searcher_follows_a_new_snapshot(library: Library, reports: Path, embedder: HashEmbedder) -> None:
    built(library, reports, embedder)
    live = LiveSearcher(library, embedder)
    live.current()
    (reports / "new.md").write_text("# 新报告\n\n新增公园3座。\n", encoding="utf-8")
    list(ingest(library, [reports], "default"))
    catch_up(library, embedder, lambda progress: None)
    assert "新增公园3座" in live.current().search("新增公园", 1)[0].chunk.text


def test_an_empty_library_says_what_to_run(library: Library, embedder: HashEmbedder) -> None:
    with pytest.raises(IndexNotFoundError, match="run `wence ingest PATH`"):
        LiveSearcher(library, embedder).current()


def test_another_embedder_is_refused_with_both_names(library: Library, reports: Path, embedder: HashEmbedder) -> None:
    built(library, reports, embedder)
    other = HashEmbedder(dim=embedder.dim * 2)
    with pytest.raises(IndexMismatchError, match="wence reindex") as refused:
        LiveSearcher(library, other).current()
    assert embedder.name in str(refused.value)
    assert other.name in str(refused.value)


def test_a_flipped_byte_in_any_file_is_found(library: Library, reports: Path, embedder: HashEmbedder) -> None:
    built(library, reports, embedder)
    folder = library.home.search / str(current_name(library))
    for name, _ in json.loads((folder / "manifest.json").read_text(encoding="utf-8"))["checksums"]:
        before = (folder / name).read_bytes()
        if not before:
            continue
        (folder / name).write_bytes(bytes([before[0] ^ 1]) + before[1:])
        with pytest.raises(IndexMismatchError, match="is damaged: run `wence reindex`"):
            open_snapshot(library, embedder)
        (folder / name).write_bytes(before)


def test_a_build_that_dies_leaves_the_old_snapshot(
    library: Library, reports: Path, embedder: HashEmbedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    built(library, reports, embedder)
    before = current_name(library)

    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("index.snapshot.TermIndex.build", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        list(build(library, embedder))
    assert current_name(library) == before
    assert len(open_snapshot(library, embedder).vectors) == len(list(library.chunks()))


def test_old_snapshots_are_removed(library: Library, reports: Path, embedder: HashEmbedder) -> None:
    for _ in range(4):
        built(library, reports, embedder)
    assert sum(path.is_dir() for path in library.home.search.iterdir()) == 2
