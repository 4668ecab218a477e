from pathlib import Path

import pytest

from corpus.errors import ConfigError
from corpus.settings import load_settings


def settings_file(tmp_path: Path, text: str) -> Path:
    path = tmp_path / "wence.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_every_setting_has_its_default(tmp_path: Path) -> None:
    assert load_settings(tmp_path / "wence.toml").index.embedder == "default"


def test_the_file_changes_a_setting(tmp_path: Path) -> None:
    assert load_settings(settings_file(tmp_path, "[chatbot]\nhits = 7\n")).chatbot.hits == 7


def test_the_environment_comes_before_the_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WENCE_CHATBOT__HITS", "9")
    assert load_settings(settings_file(tmp_path, "[chatbot]\nhits = 7\nparallel = 2\n")).chatbot.hits == 9


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[chatbot]\nhitz = 7\n", "unknown setting chatbot.hitz"),
        ("[chatbot]\nhits = 0\n", "chatbot.hits = 0"),
        ('[index]\nthreads = "many"\n', "index.threads = 'many'"),
        ("[chatbot\n", "not valid TOML"),
    ],
)
def test_a_wrong_setting_is_one_clear_line(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said.replace(".", r"\.")) as refused:
        load_settings(settings_file(tmp_path, text))
    assert "\n" not in str(refused.value)
