from hypothesis import given
from hypothesis import strategies as st

from corpus.chunk import ChunkSize, chunks, width
from corpus.sections import sections
from corpus.types import Document

pieces = st.sampled_from(
    [
        "增长5.2%。",
        "一、目标\n",
        "（一）就业。",
        "𠮷田改造完成；",
        "\n",
        " ",
        "Cycle lanes grew to 86 km. ",
        "cafe\u0301",
        "１２",
        "，",
        "长" * 90,
    ]
)
texts = st.lists(pieces, max_size=60).map("".join)


def document(text: str) -> Document:
    return Document("标题", text, "zh", "a.txt", "0" * 64, sections=sections(text))


@given(texts)
def test_every_chunk_slices_back_to_its_text(text: str) -> None:
    assert all(chunk.span.of(text) == chunk.text for chunk in chunks(document(text)))


@given(texts)
def test_chunks_hold_every_visible_character_once_and_in_order(text: str) -> None:
    joined = "".join(chunk.text for chunk in chunks(document(text)))
    assert "".join(joined.split()) == "".join(text.split())


@given(texts)
def test_a_chunk_of_several_sentences_is_not_far_past_the_size(text: str) -> None:
    longest = 90 + 20
    assert all(width(chunk.text) <= 200 + longest for chunk in chunks(document(text), ChunkSize(200, 30)))


def test_a_chunk_knows_its_headings() -> None:
    text = "报告\n一、就业\n" + "新增就业8万人。" * 20
    assert list(chunks(document(text)))[-1].headings == ("一、就业",)


def test_sections_long_enough_are_not_mixed() -> None:
    text = "一、就业\n" + "新增就业8万人。" * 20 + "\n二、住房\n" + "新建住房3万套。" * 20
    assert not any("就业" in chunk.text and "住房" in chunk.text for chunk in chunks(document(text)))


def test_a_bare_heading_joins_the_text_after_it() -> None:
    text = "一、民生\n（一）就业\n" + "新增就业8万人。" * 20
    assert next(chunks(document(text))).text.startswith("一、民生\n（一）就业\n新增")


def test_three_latin_characters_count_as_one() -> None:
    assert width("增长abc") == 3.0


def test_an_empty_document_has_no_chunks() -> None:
    assert list(chunks(document(" \n "))) == []
