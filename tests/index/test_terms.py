"""What can be found, in which order, and what a folder of terms survives."""

import math
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from index.errors import IndexNotFoundError
from index.terms import TermIndex, tokenize

REPORTS = {
    "growth": "2024年国内生产总值增长5.0%，粮食产量14,130亿斤。",
    "notice": "国发〔2024〕12号文件：推动大规模设备更新。",
    "other": "国发〔2012〕24号文件，2012年印发。",
    "english": "GDP grew by 12.8% to 1.75 trillion; R&D spending rose.",
    "mixed": "推进5G网络和AI应用，发展新能源车。",
}


def built(folder: Path, texts: dict[str, str]) -> TermIndex:
    TermIndex.build(texts.items(), folder)
    return TermIndex.open(folder)


@pytest.fixture
def index(tmp_path: Path) -> TermIndex:
    return built(tmp_path / "terms", REPORTS)


def found(index: TermIndex, query: str) -> list[str]:
    return [key for key, _ in index.search(query, 10)]


@pytest.mark.parametrize(
    ("text", "tokens"),
    [
        ("经济增长", ["经济", "济增", "增长"]),
        ("达5亿元", ["达", "5", "亿元"]),
        ("增长12.8%", ["增长", "12.8", "12.8%"]),
        ("１２．８％", ["12.8", "12.8%"]),
        ("1,234,567.8", ["1234567.8"]),
        ("１，２３４亿", ["1234", "亿"]),
        ("增长5，300家", ["增长", "5", "300", "家"]),  # two numbers: a Chinese comma between them
        ("1,2,3", ["1", "2", "3"]),
        ("In 2024.", ["in", "2024"]),
        ("5G Q3 R&D", ["5g", "q3", "r", "d"]),
        ("STRASSE straße", ["strasse", "strasse"]),
        ("cafe\u0301", ["café"]),
        ("二〇二四", ["二〇", "〇二", "二四"]),
        ("𠮷野", ["𠮷野"]),
        ("国发〔2024〕12号", ["国发", "2024", "12", "号", "〔2024〕12号"]),
        ("（2024）第12号", ["2024", "第", "12", "号", "〔2024〕12号"]),
        ('" AND : * ()', ["and"]),
        ("，。！", []),
        ("", []),
    ],
)
def test_tokens_of(text: str, tokens: list[str]) -> None:
    assert tokenize(text) == tokens


@given(st.text())
def test_tokens_hold_no_space_and_are_never_empty(text: str) -> None:
    assert all(token and token.split() == [token] for token in tokenize(text))


@given(st.text(st.characters(min_codepoint=0x4E00, max_codepoint=0x9FFF), min_size=1))
def test_no_chinese_character_is_lost(text: str) -> None:
    assert set("".join(tokenize(text))) == set(text)


def test_scores_are_bm25_as_worked_by_hand(tmp_path: Path) -> None:
    # Lengths 2, 4, 3, mean 3; "tax" stands in two of the three texts, "cut" in one, twice.
    index = built(tmp_path, {"a": "tax rises", "b": "tax cut cut today", "c": "nothing to report"})

    def score(texts_with: int, count: int, length: int) -> float:
        idf = math.log(1 + (3 - texts_with + 0.5) / (texts_with + 0.5))
        return idf * count * (1.2 + 1) / (count + 1.2 * (1 - 0.75 + 0.75 * length / 3))

    expected = {"b": score(2, 1, 4) + score(1, 2, 4), "a": score(2, 1, 2)}
    hits = index.search("tax cut", 10)
    assert [key for key, _ in hits] == ["b", "a"]
    assert dict(hits) == pytest.approx(expected, rel=1e-6)


def test_a_word_asked_twice_counts_twice(index: TermIndex) -> None:
    once, twice = dict(index.search("网络", 5)), dict(index.search("网络，网络", 5))
    assert twice == pytest.approx({key: 2 * score for key, score in once.items()}, rel=1e-6)


@pytest.mark.parametrize(
    ("query", "key"),
    [
        ("5.0%", "growth"),
        ("14130亿斤", "growth"),
        ("１４，１３０", "growth"),
        ("1.75", "english"),
        ("12.8％", "english"),
        ("gdp", "english"),
        ("5g", "mixed"),
        ("ＡＩ", "mixed"),
    ],
)
def test_a_figure_or_word_is_found_whatever_its_width_and_case(index: TermIndex, query: str, key: str) -> None:
    assert found(index, query) == [key]


@pytest.mark.parametrize("query", ["1.7", "14", "130", "12.80", "grow"])
def test_a_part_of_a_figure_or_word_is_not_found(index: TermIndex, query: str) -> None:
    assert found(index, query) == []


@pytest.mark.parametrize(("query", "first"), [("国发〔2024〕12号", "notice"), ("国发(2012)24号", "other")])
def test_a_document_number_finds_its_document_first(index: TermIndex, query: str, first: str) -> None:
    assert found(index, query)[0] == first


def test_one_question_may_mix_languages(index: TermIndex) -> None:
    assert set(found(index, "GDP增长和5G网络")) == {"english", "growth", "mixed"}


@pytest.mark.parametrize("query", ["", " ，。", "量子", "unknown words", "🎈"])
def test_a_query_of_nothing_known_finds_nothing(index: TermIndex, query: str) -> None:
    assert index.search(query, 5) == []


@pytest.mark.parametrize(
    "query", ['"设备更新', "text:设备更新", "+设备更新 -推动", "设备更新~2 [a TO", "NOT 设备更新", "(设备更新 AND"]
)
def test_quotes_and_operators_are_only_text(index: TermIndex, query: str) -> None:
    assert "notice" in found(index, query)


def test_and_is_a_word_like_any_other(tmp_path: Path) -> None:
    index = built(tmp_path, {"a": "towns and villages", "b": "towns", "c": "villages"})
    assert found(index, "AND") == ["a"]
    assert set(found(index, "towns AND villages")) == {"a", "b", "c"}


def test_k_cuts_and_a_score_is_above_zero(index: TermIndex) -> None:
    hits = index.search("国发文件", 1)
    assert len(hits) == 1
    assert hits[0][1] > 0


def test_a_word_in_every_text_still_scores(tmp_path: Path) -> None:
    index = built(tmp_path, {"a": "发展", "b": "发展"})
    assert all(score > 0 for _, score in index.search("发展", 5))


def test_k_below_one_is_refused(index: TermIndex) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        index.search("发展", 0)


def test_ties_are_ordered_by_id_also_at_the_last_place(tmp_path: Path) -> None:
    names = [f"{number * 37 % 100:02}" for number in range(100)]  # mixed
    index = built(tmp_path, dict.fromkeys(names, "经济发展") | {"best": "经济发展 经济"})
    assert found(index, "经济") == ["best", *sorted(names)[:9]]


def test_among_keeps_only_its_ids_and_their_scores(index: TermIndex) -> None:
    scores = dict(index.search("国发文件2012年", 10))
    assert dict(index.search("国发文件2012年", 10, among=["notice", "unknown"])) == pytest.approx(
        {"notice": scores["notice"]}, rel=1e-6
    )


def test_empty_among_finds_nothing(index: TermIndex) -> None:
    assert index.search("国发", 10, among=[]) == []


def test_among_takes_ids_with_quotes_and_chinese(tmp_path: Path) -> None:
    index = built(tmp_path, {'"文件":0-5 OR 1': "发展", "b": "发展"})
    assert [key for key, _ in index.search("发展", 5, among={'"文件":0-5 OR 1'})] == ['"文件":0-5 OR 1']


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> TermIndex:
    """3,000 texts, the later the better for 发展, whose lengths are exact: up to 8 words more."""
    texts = {f"{number:04}": "发展 " + "w " * (8 - number // 375) for number in range(3000)}
    return built(tmp_path_factory.mktemp("large"), texts)


@pytest.mark.parametrize("count", [10, 999, 1001, 1500, 3000])
@pytest.mark.parametrize("k", [1, 7, 400])
def test_among_of_any_size_is_a_filter_of_the_whole_ranking(large: TermIndex, count: int, k: int) -> None:
    chosen = {f"{number:04}" for number in range(count)}  # the worst ones
    everything = [key for key, _ in large.search("发展", 3000)]
    expected = [key for key in everything if key in chosen][:k]
    assert [key for key, _ in large.search("发展", k, among=chosen)] == expected


def test_reopening_gives_the_same_hits(index: TermIndex, tmp_path: Path) -> None:
    again = TermIndex.open(tmp_path / "terms")
    assert (len(again), again.search("国发文件", 5)) == (len(REPORTS), index.search("国发文件", 5))


def test_an_empty_index_opens_and_finds_nothing(tmp_path: Path) -> None:
    index = built(tmp_path, {})
    assert (len(index), index.search("发展", 5)) == (0, [])


def test_pairs_are_streamed(tmp_path: Path) -> None:
    def pairs() -> Iterator[tuple[str, str]]:
        yield "a", "发展"

    TermIndex.build(pairs(), tmp_path)
    assert "a" in TermIndex.open(tmp_path)


def test_an_extended_index_answers_as_one_built_at_once(index: TermIndex, tmp_path: Path) -> None:
    new = {"new": "国发〔2024〕13号文件，设备更新", "newer": "发展AI"}
    TermIndex.extend(new.items(), tmp_path / "extended", tmp_path / "terms")
    at_once = built(tmp_path / "at_once", REPORTS | new)
    extended = TermIndex.open(tmp_path / "extended")
    assert extended.search("国发文件设备AI发展", 10) == at_once.search("国发文件设备AI发展", 10)
    assert len(index) == len(TermIndex.open(tmp_path / "terms")) == len(REPORTS)


def test_an_id_that_comes_twice_is_refused(index: TermIndex, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="'a' comes twice"):
        TermIndex.build([("a", "发展"), ("a", "发展")], tmp_path / "twice")
    with pytest.raises(ValueError, match="'mixed' comes twice"):
        TermIndex.extend([("mixed", "发展")], tmp_path / "extended", tmp_path / "terms")


def test_a_folder_with_files_is_not_built_over(index: TermIndex, tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not empty"):
        TermIndex.build([("a", "发展")], tmp_path / "terms")
    assert found(index, "发展") == ["mixed"]


@pytest.mark.parametrize("broken", ["missing", "empty", "cut"])
def test_a_folder_without_an_index_is_one_line(tmp_path: Path, broken: str) -> None:
    folder = tmp_path / broken
    if broken != "missing":
        folder.mkdir()
    if broken == "cut":
        (folder / "meta.json").write_bytes(b'{"segm')
    with pytest.raises(IndexNotFoundError, match="no term index can be opened in") as caught:
        TermIndex.open(folder)
    assert "\n" not in str(caught.value)


def test_an_open_index_outlives_its_folder(index: TermIndex, tmp_path: Path) -> None:
    for path in (tmp_path / "terms").iterdir():
        path.unlink()
    assert found(index, "设备更新") == ["notice"]


def test_a_folder_that_cannot_be_written_can_be_searched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    TermIndex.build(REPORTS.items(), tmp_path)
    before = sorted(path.name for path in tmp_path.iterdir())
    monkeypatch.setattr("os.access", lambda *_: False)
    assert found(TermIndex.open(tmp_path), "设备更新") == ["notice"]
    assert sorted(path.name for path in tmp_path.iterdir()) == before


@contextmanager
def mounted(options: list[str], folder: Path) -> Iterator[None]:
    if subprocess.run(["mount", *options, str(folder)], check=False, capture_output=True).returncode:
        pytest.skip("this user may not mount file systems")
    try:
        yield
    finally:
        subprocess.run(["umount", "--lazy", str(folder)], check=True)


@pytest.mark.privileged
def test_a_read_only_file_system_can_be_searched(tmp_path: Path) -> None:
    TermIndex.build(REPORTS.items(), tmp_path)
    with mounted(["--bind", "-o", "ro", str(tmp_path)], tmp_path):
        with pytest.raises(OSError, match="Read-only"):
            (tmp_path / "file").touch()
        assert found(TermIndex.open(tmp_path), "设备更新") == ["notice"]


@pytest.mark.privileged
@pytest.mark.parametrize("size", ["8k", "64k", "1m"])
def test_a_full_disk_is_an_os_error(tmp_path: Path, size: str) -> None:
    texts = ((str(number), f"第{number}条 {number * 7919}元") for number in range(60_000))
    disk = mounted(["-t", "tmpfs", "-o", f"size={size}", "tmpfs"], tmp_path)
    with disk, pytest.raises(OSError, match="the term index cannot be written"):
        TermIndex.build(texts, tmp_path / "terms")
