"""``tradecli config``: the settings in force."""

from typing import Annotated

import typer

from tradecli.context import session_of, verb

app = typer.Typer()


@verb(app, "tradecli config show --origin")
def show(
    context: typer.Context,
    with_origin: Annotated[bool, typer.Option("--origin", help="Say where each value comes from.")] = False,
) -> None:
    """Every setting and its value."""
    session = session_of(context)
    session.show(session.config.rows(), *(() if with_origin else ("key", "value")))
