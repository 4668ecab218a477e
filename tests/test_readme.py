"""The README's tables say what the program does."""

import re
from pathlib import Path

from corpus.settings import Settings

ROOT = Path(__file__).parent.parent
README = (ROOT / "README.md").read_text(encoding="utf-8")


def test_every_setting_is_listed_with_its_default_and_meaning() -> None:
    rows = set(re.findall(r"^\| `(\w+\.\w+)` \| (.*?) \| (.*?) \|$", README, re.MULTILINE))
    fields = [(table, *field) for table in Settings.model_fields for field in _fields(table)]
    assert rows == {(f"{table}.{name}", str(default), meaning) for table, name, default, meaning in fields}


def _fields(table: str) -> list[tuple[str, object, str | None]]:
    model = type(getattr(Settings(), table))
    return [(name, field.default, field.description) for name, field in model.model_fields.items()]


def test_every_source_file_has_its_line() -> None:
    listed = set(re.findall(r"^\| `(\w+\.py)` \|", README, re.MULTILINE))
    packages = ("corpus", "index", "chatbot", "eval")
    files = {path.name for package in packages for path in (ROOT / package).rglob("*.py")} - {"__init__.py"}
    assert files == listed


def test_a_cited_answer_stands_within_the_first_forty_lines() -> None:
    assert re.search(r"^    \[1\] ", "\n".join(README.splitlines()[:40]), re.MULTILINE)
