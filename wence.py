"""The `wence` command: joins the command groups of the packages. Nothing else."""

import sys

import typer

from chatbot.commands import app as chatbot_app
from corpus.commands import app as corpus_app
from corpus.errors import WenceError
from index.commands import app as index_app
from index.model_commands import app as models_app

app = typer.Typer(
    name="wence",
    help="Wence 问策: cited answers from policy reports.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (corpus_app, index_app, models_app, chatbot_app):
    app.add_typer(group)


def main() -> None:
    """Run the command line. Exit 0 done, 1 with one line for the user, 2 wrong usage."""
    try:
        app()
    except WenceError as error:
        typer.echo(f"wence: {error}", err=True)
        sys.exit(1)
    except KeyboardInterrupt:
        typer.echo("wence: interrupted", err=True)
        sys.exit(130)


if __name__ == "__main__":
    main()
