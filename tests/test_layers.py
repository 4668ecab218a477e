"""Imports go one way: corpus <- index <- chatbot <- eval."""

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent
LAYERS = ("corpus", "index", "chatbot", "eval")


def imported_packages(path: Path) -> set[str]:
    names: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            names.update(alias.name.split(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            names.add(node.module.split(".")[0])
    return names


@pytest.mark.parametrize("layer", LAYERS)
def test_a_package_imports_only_those_on_its_left(layer: str) -> None:
    forbidden = set(LAYERS[LAYERS.index(layer) + 1 :])
    breaches = {str(path): bad for path in (ROOT / layer).rglob("*.py") if (bad := imported_packages(path) & forbidden)}
    assert breaches == {}


def test_only_the_window_imports_gradio() -> None:
    users = {path.parent.name for path in ROOT.glob("[ceiw]*/**/*.py") if "gradio" in imported_packages(path)}
    assert users == {"ui"}
