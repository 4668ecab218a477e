"""Lines of questions in, lines of answers out. A bad line is reported with its number and the rest goes on."""

import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from chatbot.errors import ChatError
from chatbot.types import Turn


@dataclass(frozen=True, slots=True)
class Question:
    """One line of a batch file."""

    line: int  # from 1
    id: str
    text: str
    history: tuple[Turn, ...] = ()


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line that cannot be used, and why."""

    line: int
    reason: str


def read_batch(path: Path) -> Iterator[Question | BadLine]:
    """Yield every line of a JSON Lines file that is not blank. ChatError if the file cannot be read at all."""
    for number, line in _lines(path):
        yield _parse(number, line)


def read_examples(path: Path) -> tuple[str, ...]:
    """Return the questions to offer in the window: those of the file's lines with `"example": true`, in order."""
    lines = _lines(path)
    fields = [(number, _object(line)) for number, line in lines]
    wrong = [number for number, line in fields if line is None]
    if wrong:
        raise ChatError(f"{path}:{wrong[0]} is not a JSON object; correct the line")
    return tuple(str(line["question"]) for _, line in fields if line and line.get("example") and "question" in line)


def _parse(number: int, line: str) -> Question | BadLine:
    fields = _object(line)
    if fields is None:
        return BadLine(number, "is not a JSON object")
    name, text, history = fields.get("id"), fields.get("question"), fields.get("history", [])
    if not isinstance(name, str | int) or isinstance(name, bool):
        return BadLine(number, 'needs "id", a string or a whole number')
    if not isinstance(text, str):
        return BadLine(number, 'needs "question", a string')
    if not _is_history(history):
        return BadLine(number, '"history" must be a list of {"question", "answer"} objects')
    return Question(number, str(name), text, tuple(Turn(turn["question"], turn.get("answer", "")) for turn in history))


def _is_history(history: object) -> bool:
    return isinstance(history, list) and all(
        isinstance(turn, dict) and isinstance(turn.get("question"), str) and isinstance(turn.get("answer", ""), str)
        for turn in history
    )


def _lines(path: Path) -> list[tuple[int, str]]:
    """The lines that are not blank, with their numbers from 1."""
    try:
        text = path.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise ChatError(f"{path}: cannot be opened ({error.strerror}); check the path") from error
    except UnicodeDecodeError as error:
        raise ChatError(f"{path}: is not UTF-8 text; save it as UTF-8") from error
    return [(number, line) for number, line in enumerate(text.split("\n"), start=1) if line.strip()]


def _object(line: str) -> dict[str, Any] | None:
    try:
        fields = json.loads(line)
    except ValueError:
        return None
    return fields if isinstance(fields, dict) else None
