import pytest

from corpus.regions import region_label, regions_in


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("广东省和浙江的目标", {"广东", "浙江"}),
        ("What about Inner Mongolia and shaanxi?", {"内蒙古", "陕西"}),
        ("全国", set()),
    ],
)
def test_provinces_are_found_in_both_languages(text: str, found: set[str]) -> None:
    assert regions_in(text) == found


def test_a_label_is_written_in_the_language_asked_for() -> None:
    assert (region_label("浙江", "en"), region_label("浙江", "zh"), region_label("2024", "en")) == (
        "Zhejiang",
        "浙江",
        "2024",
    )
