"""What normalising changes, and what it leaves as printed."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from corpus.normalize import fold, normalize

# Any code point, lone surrogates too, with those that matter here drawn often.
ANY_TEXT = st.text(
    st.one_of(
        st.characters(exclude_categories=()),
        st.sampled_from(list(" \t\n\r\f\u3000\xa0\u200b\ufeff\u0301e各１\ud800\udc00\U000e0041")),
    )
)


@given(ANY_TEXT)
def test_normalizing_twice_changes_nothing_more(text: str) -> None:
    once = normalize(text)

    assert normalize(once) == once


@given(ANY_TEXT)
def test_normalized_text_can_be_stored_as_utf8(text: str) -> None:
    assert normalize(text).encode("utf-8").decode("utf-8") == normalize(text)


@given(ANY_TEXT)
def test_nothing_unseen_is_left(text: str) -> None:
    categories = {unicodedata.category(character) for character in normalize(text) if character not in "\n\t"}

    assert not categories & {"Cc", "Cs"}


@given(st.text(st.characters(categories=["L", "N", "P"], max_codepoint=0x2FFF), max_size=50))
def test_composed_letters_digits_and_marks_stay(text: str) -> None:
    composed = unicodedata.normalize("NFC", text)

    assert [c for c in composed if c.isalnum()] == [c for c in normalize(composed) if c.isalnum()]


def test_all_line_ends_become_one_kind() -> None:
    assert normalize("一\r\n二\r三\f四\u2028五") == "一\n二\n三\n四\n五"


def test_unseen_characters_are_dropped() -> None:
    assert normalize("\ufeff增\u200b长\x00５\u202e％\U000e0041") == "增长５％"


def test_ideographic_indent_is_stripped() -> None:
    assert normalize("　　各位代表：\n  　现在") == "各位代表：\n现在"


def test_wide_blanks_between_words_become_one_space() -> None:
    assert normalize("省长　　王某 \xa0 某") == "省长 王某 某"


def test_plain_spaces_within_a_line_stay() -> None:
    assert normalize("北京    1\n天津    2") == "北京    1\n天津    2"


def test_spaces_at_line_ends_are_stripped() -> None:
    assert normalize("一 \t\n二　\n") == "一\n二"


def test_of_several_blank_lines_one_is_left() -> None:
    assert normalize("\n\n一\n \n\n\n二") == "一\n\n二"


def test_combining_accent_is_composed() -> None:
    assert normalize("cafe\u0301") == "café"


def test_accent_parted_by_a_zero_width_space_is_composed() -> None:
    assert normalize("e\u200b\u0301") == "é"


def test_full_width_digits_stay_as_printed() -> None:
    assert normalize("ＧＤＰ增长５．２％") == "ＧＤＰ增长５．２％"


def test_character_beyond_the_first_plane_stays() -> None:
    assert normalize("𠮷林") == "𠮷林"


def test_lone_surrogate_is_replaced() -> None:
    assert normalize("增\ud842长") == "增\ufffd长"


def test_surrogate_pair_becomes_its_character() -> None:
    assert normalize("\ud842\udfb7林") == "𠮷林"


def test_fold_makes_width_and_case_equal() -> None:
    assert fold("ＧＤＰ１２％") == fold("gdp12%")


def test_fold_may_change_the_length() -> None:
    assert fold("㎡") == "m2"
