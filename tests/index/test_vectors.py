"""The contract of VectorStore, over both implementations."""

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from index.vectors import VectorStore
from index.vectors_faiss import FaissStore
from index.vectors_numpy import NumpyStore

StoreType = type[FaissStore] | type[NumpyStore]
STORES: tuple[StoreType, ...] = (FaissStore, NumpyStore)


@pytest.fixture(params=STORES)
def store_type(request: pytest.FixtureRequest) -> StoreType:
    chosen: StoreType = request.param
    return chosen


@pytest.fixture
def store(store_type: StoreType) -> VectorStore:
    """Three ids in the plane, with their scores for the query [1, 0]: east 3, north 0, west -2."""
    made = store_type(2)
    made.upsert(["north", "west", "east"], rows([0, 1], [-2, 0], [3, 0]))
    return made


def rows(*vectors: list[float]) -> NDArray[np.float32]:
    return np.array(vectors, dtype=np.float32)


def test_hits_come_by_falling_score(store: VectorStore) -> None:
    assert store.search(rows([1, 0]), 3) == [[("east", 3.0), ("north", 0.0), ("west", -2.0)]]


def test_each_query_has_its_own_hits(store: VectorStore) -> None:
    assert store.search(rows([-1, 0], [0, 1]), 1) == [[("west", 2.0)], [("north", 1.0)]]


def test_no_queries_give_no_lists(store: VectorStore) -> None:
    assert store.search(np.empty((0, 2), dtype=np.float32), 3) == []


def test_k_larger_than_the_store_gives_all(store: VectorStore) -> None:
    assert len(store.search(rows([1, 0]), 100)[0]) == 3


def test_a_score_is_the_same_in_any_batch(store_type: StoreType) -> None:
    numbers = np.random.default_rng(5).standard_normal((70, 48)).astype(np.float32)
    store = store_type(48)
    store.upsert([str(row) for row in range(40)], numbers[:40])
    together = store.search(numbers[40:], 40)
    assert together == [store.search(query[np.newaxis], 40)[0] for query in numbers[40:]]


def test_upsert_replaces_the_vector_of_a_known_id(store: VectorStore) -> None:
    store.upsert(["east"], rows([-9, 0]))
    assert store.search(rows([1, 0]), 3) == [[("north", 0.0), ("west", -2.0), ("east", -9.0)]]


def test_upsert_twice_is_upsert_once(store: VectorStore) -> None:
    before = store.search(rows([1, 0]), 10)
    store.upsert(["west", "east"], rows([-2, 0], [3, 0]))
    assert (len(store), store.search(rows([1, 0]), 10)) == (3, before)


def test_upsert_of_nothing_changes_nothing(store: VectorStore) -> None:
    store.upsert([], np.empty((0, 2), dtype=np.float32))
    assert len(store) == 3


def test_the_store_keeps_its_own_copy(store_type: StoreType) -> None:
    vectors = rows([1, 0])
    store = store_type(2)
    store.upsert(["a"], vectors)
    vectors[:] = 7
    assert store.search(rows([1, 0]), 1) == [[("a", 1.0)]]


def test_remove_counts_what_was_held_and_takes_it_away(store: VectorStore) -> None:
    assert store.remove(["east", "unknown"]) == 1
    assert store.search(rows([1, 0]), 3) == [[("north", 0.0), ("west", -2.0)]]


def test_remove_twice_finds_nothing_the_second_time(store: VectorStore) -> None:
    store.remove(["east"])
    assert (store.remove(["east"]), len(store)) == (0, 2)


def test_a_removed_id_can_come_back(store: VectorStore) -> None:
    store.remove(["east"])
    store.upsert(["east"], rows([5, 0]))
    assert store.search(rows([1, 0]), 1) == [[("east", 5.0)]]


def test_a_store_emptied_by_remove_finds_nothing(store: VectorStore) -> None:
    store.remove(["north", "west", "east"])
    assert (len(store), store.search(rows([1, 0]), 3)) == (0, [[]])


def test_an_empty_store_finds_nothing(store_type: StoreType) -> None:
    assert store_type(2).search(rows([1, 0], [0, 1]), 3) == [[], []]


def test_among_keeps_only_its_ids(store: VectorStore) -> None:
    assert store.search(rows([1, 0]), 3, among=["west", "north"]) == [[("north", 0.0), ("west", -2.0)]]


def test_among_of_a_removed_or_unknown_id_finds_nothing(store: VectorStore) -> None:
    store.remove(["east"])
    assert store.search(rows([1, 0]), 3, among={"east", "unknown"}) == [[]]


def test_empty_among_finds_nothing(store: VectorStore) -> None:
    assert store.search(rows([1, 0], [0, 1]), 3, among=[]) == [[], []]


def test_an_id_named_twice_in_among_comes_once(store: VectorStore) -> None:
    assert store.search(rows([1, 0]), 3, among=["east", "east"]) == [[("east", 3.0)]]


def test_ids_may_hold_anything(store_type: StoreType, tmp_path: Path) -> None:
    ids = ['国发〔2024〕12号:0-350 "引号"', "it's", "a\nb\\", "𠮷", ""]
    store = store_type(1)
    store.upsert(ids, rows([5], [4], [3], [2], [1]))
    store.save(tmp_path / "vectors")
    found = store_type.load(tmp_path / "vectors").search(rows([1]), 9, among=ids)
    assert [key for key, _ in found[0]] == ids


def test_ties_are_ordered_by_id_also_at_the_last_place(store_type: StoreType) -> None:
    store = store_type(1)
    ids = [f"{number * 37 % 100:02}" for number in range(100)]  # mixed
    store.upsert([*ids, "best"], np.array([[1]] * 100 + [[2]], dtype=np.float32))
    hits = store.search(rows([1]), 4)
    assert hits == [[("best", 2.0), ("00", 1.0), ("01", 1.0), ("02", 1.0)]]


def test_equal_vectors_score_equally_wherever_they_stand(store_type: StoreType) -> None:
    vector, query = np.random.default_rng(7).standard_normal((2, 1, 37)).astype(np.float32)
    store = store_type(37)
    store.upsert([f"{number:03}" for number in range(203)], np.repeat(vector, 203, axis=0))
    hits = store.search(query, 9, among=[f"{number:03}" for number in range(1, 203)])
    assert [key for key, _ in hits[0]] == [f"{number:03}" for number in range(1, 10)]


@pytest.mark.parametrize("vectors", [rows([1, 0]), rows([1, 0, 0], [1, 0, 0]), np.zeros(2, dtype=np.float32)])
def test_upsert_refuses_a_wrong_shape(store: VectorStore, vectors: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="shape"):
        store.upsert(["a", "b"], vectors)


def test_upsert_refuses_an_id_twice_and_keeps_the_store(store: VectorStore) -> None:
    with pytest.raises(ValueError, match="twice"):
        store.upsert(["east", "east"], rows([1, 0], [2, 0]))
    assert store.search(rows([1, 0]), 1) == [[("east", 3.0)]]


def test_upsert_refuses_numbers_that_are_not_finite(store: VectorStore) -> None:
    with pytest.raises(ValueError, match="not finite"):
        store.upsert(["a"], rows([float("nan"), 0]))


@pytest.mark.parametrize("queries", [rows([1, 0, 0]), np.zeros(2, dtype=np.float32)])
def test_search_refuses_a_wrong_shape(store: VectorStore, queries: NDArray[np.float32]) -> None:
    with pytest.raises(ValueError, match="shape"):
        store.search(queries, 3)


def test_search_refuses_k_below_one(store: VectorStore) -> None:
    with pytest.raises(ValueError, match="at least 1"):
        store.search(rows([1, 0]), 0)


@pytest.mark.parametrize("reader", STORES)
def test_every_store_reads_what_any_saved(store: VectorStore, reader: StoreType, tmp_path: Path) -> None:
    store.remove(["north"])
    store.save(tmp_path / "vectors")
    loaded = reader.load(tmp_path / "vectors")
    assert (loaded.dim, loaded.search(rows([1, 0]), 9)) == (2, [[("east", 3.0), ("west", -2.0)]])


def test_a_loaded_store_can_change(store: VectorStore, store_type: StoreType, tmp_path: Path) -> None:
    store.save(tmp_path / "vectors")
    loaded = store_type.load(tmp_path / "vectors")
    loaded.upsert(["east", "south"], rows([1, 0], [4, -1]))
    assert loaded.search(rows([1, 0]), 2) == [[("south", 4.0), ("east", 1.0)]]


def test_an_empty_store_keeps_its_dim_when_saved(store_type: StoreType, tmp_path: Path) -> None:
    store_type(384).save(tmp_path / "vectors")
    loaded = store_type.load(tmp_path / "vectors")
    assert (loaded.dim, len(loaded)) == (384, 0)


def test_the_same_vectors_give_the_same_file(store: VectorStore, tmp_path: Path) -> None:
    store.save(tmp_path / "one")
    store.save(tmp_path / "two")
    assert (tmp_path / "one").read_bytes() == (tmp_path / "two").read_bytes()


KEYS = st.sampled_from([f"文{number}" for number in range(12)])
# Small whole numbers: both sum them exactly, so scores and ties agree to the last bit.
WHOLE = st.lists(st.integers(-3, 3), min_size=3, max_size=3)
UPSERT = st.tuples(st.just("upsert"), st.dictionaries(KEYS, WHOLE, max_size=8))
REMOVE = st.tuples(st.just("remove"), st.dictionaries(KEYS, WHOLE, max_size=4))


@settings(deadline=None)  # the machine may be busy
@given(
    steps=st.lists(UPSERT | REMOVE, max_size=6),
    query=WHOLE,
    k=st.integers(1, 15),
    among=st.none() | st.sets(KEYS),
)
def test_faiss_agrees_with_numpy(
    steps: list[tuple[str, dict[str, list[int]]]], query: list[int], k: int, among: set[str] | None
) -> None:
    stores: tuple[VectorStore, VectorStore] = (FaissStore(3), NumpyStore(3))
    for store in stores:
        for verb, given_rows in steps:
            vectors = np.array(list(given_rows.values()), dtype=np.float32).reshape(-1, 3)
            store.upsert(list(given_rows), vectors) if verb == "upsert" else store.remove(given_rows)
    by_faiss, by_numpy = (store.search(rows(query), k, among) for store in stores)  # type: ignore[arg-type]
    assert by_faiss == by_numpy


def test_scores_of_unit_vectors_agree_to_rounding() -> None:
    numbers = np.random.default_rng(3).standard_normal((501, 384)).astype(np.float32)
    unit = numbers / np.linalg.norm(numbers, axis=1, keepdims=True)
    faiss, oracle = FaissStore(384), NumpyStore(384)
    for store in (faiss, oracle):
        store.upsert([str(row) for row in range(500)], unit[:500])
    by_faiss, by_numpy = dict(faiss.search(unit[500:], 500)[0]), dict(oracle.search(unit[500:], 500)[0])
    assert by_faiss == pytest.approx(by_numpy, abs=1e-6)  # unit vectors of 384: below 384 roundings of 2**-24 at most 1
