import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from corpus.errors import CorpusError, LibraryError
from corpus.home import Home
from corpus.ingest import find_files, ingest
from corpus.library import Library


def ingest_all(library: Library, *paths: Path, collection: str = "default") -> dict[str, str]:
    return {Path(event.path).name: event.outcome for event in ingest(library, paths, collection)}


def test_a_folder_of_reports_is_added(library: Library, reports: Path) -> None:
    assert ingest_all(library, reports) == {"harbour.md": "added", "hill.txt": "added", "transport.md": "added"}


def test_a_second_ingest_changes_nothing(library: Library, reports: Path) -> None:
    ingest_all(library, reports)
    before = library.sequence()
    assert set(ingest_all(library, reports).values()) == {"unchanged"}
    assert library.sequence() == before


def test_a_document_comes_back_as_it_went_in(library: Library, reports: Path) -> None:
    ingest_all(library, reports)
    entry = next(entry for entry in library.entries() if entry.source.endswith("hill.txt"))
    document = library.document(entry.doc_id)
    assert document.doc_id == entry.doc_id
    assert "集中供水率达到百分之九十八。" in document.text
    assert document.meta.number == "丘政发〔2030〕7号"


def test_stored_chunks_slice_back_to_their_document(library: Library, reports: Path) -> None:
    ingest_all(library, reports)
    found = list(library.chunks())
    assert found
    assert all(chunk.span.of(library.document(chunk.doc_id).text) == chunk.text for _, chunk in found)


def test_the_same_bytes_in_two_places_are_one_document(library: Library, reports: Path) -> None:
    (reports / "copy.md").write_bytes((reports / "harbour.md").read_bytes())
    ingest_all(library, reports)
    entries = [entry for entry in library.entries() if Path(entry.source).name in {"copy.md", "harbour.md"}]
    assert len(entries) == 2
    assert len({entry.doc_id for entry in entries}) == 1


def test_a_changed_file_replaces_what_is_searched_and_keeps_the_old_text(library: Library, reports: Path) -> None:
    path = reports / "transport.md"
    ingest_all(library, path)
    old = library.entries()[0].doc_id
    path.write_text("# Transport\n\nThe city bought 90 buses.\n", encoding="utf-8")
    assert ingest_all(library, path) == {"transport.md": "updated"}
    assert {chunk.doc_id for _, chunk in library.chunks()} == {library.entries()[0].doc_id} != {old}
    assert "120 electric buses" in library.document(old).text


def test_one_unreadable_file_does_not_stop_the_others(library: Library, reports: Path) -> None:
    (reports / "broken.pdf").write_bytes(b"%PDF-1.7 cut short")
    (reports / "empty.txt").write_bytes(b"")
    events = list(ingest(library, [reports], "default"))
    failed = {Path(event.path).name: event.reason for event in events if event.outcome == "failed"}
    assert set(failed) == {"broken.pdf", "empty.txt"}
    assert all(reason and "\n" not in reason for reason in failed.values())
    assert len(library.entries()) == 3


def test_an_unknown_type_is_skipped_in_a_folder_and_fails_when_named(library: Library, reports: Path) -> None:
    (reports / "video.mp4").write_bytes(b"\x00\x00\x00\x18ftypmp42")
    assert ingest_all(library, reports)["video.mp4"] == "skipped"
    assert ingest_all(library, reports / "video.mp4")["video.mp4"] == "failed"


def test_a_folder_without_readable_files_is_one_clear_line(tmp_path: Path) -> None:
    (tmp_path / "video.mp4").write_bytes(b"x")
    with pytest.raises(CorpusError, match="no readable file in"):
        find_files([tmp_path])


def test_a_path_that_does_not_exist_is_named(tmp_path: Path) -> None:
    with pytest.raises(CorpusError, match=r"nowhere\.md does not exist"):
        find_files([tmp_path / "nowhere.md"])


def test_hidden_files_are_left_out(reports: Path) -> None:
    (reports / ".draft.md").write_text("x", encoding="utf-8")
    assert ".draft.md" not in {path.name for path in find_files([reports])}


def test_the_original_is_kept_under_its_hash(library: Library, reports: Path) -> None:
    ingest_all(library, reports / "harbour.md")
    sha256 = library.document(library.entries()[0].doc_id).sha256
    assert (library.home.originals / f"{sha256}.md").read_bytes() == (reports / "harbour.md").read_bytes()


def test_an_unknown_document_is_one_clear_line(library: Library) -> None:
    with pytest.raises(LibraryError, match="no document 0123"):
        library.document("0123")


def test_a_file_that_is_no_library_is_refused(tmp_path: Path) -> None:
    (tmp_path / "library.db").write_bytes(b"not a database at all, but long enough to be looked at" * 20)
    with pytest.raises(LibraryError, match="not a readable library"):
        Library(Home(tmp_path))


def test_a_second_writer_is_told_to_wait(library: Library) -> None:
    with library.lock(), pytest.raises(LibraryError, match="another process is writing"), library.lock():
        pass


def test_a_killed_writer_leaves_no_lock(library: Library) -> None:
    code = (
        "import sys, time; from pathlib import Path; from corpus.home import Home; from corpus.library import Library\n"
        "with Library(Home(Path(sys.argv[1]))).lock(): print('held', flush=True); time.sleep(60)"
    )
    process = subprocess.Popen([sys.executable, "-c", code, str(library.home.root)], stdout=subprocess.PIPE)
    assert process.stdout
    assert process.stdout.readline() == b"held\n"
    os.kill(process.pid, signal.SIGKILL)
    process.communicate()
    with library.lock():
        pass


def test_a_write_that_fails_in_mid_document_leaves_nothing_of_it(
    library: Library, reports: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("power cut")

    monkeypatch.setattr("corpus.library._point", fail)
    with pytest.raises(RuntimeError, match="power cut"):
        ingest_all(library, reports / "harbour.md")
    monkeypatch.undo()
    assert library.entries() == []
    assert ingest_all(library, reports / "harbour.md") == {"harbour.md": "added"}
