"""`citizen-miles node …`"""

import typer

app = typer.Typer()


@app.callback()
def node() -> None:
    """A territory's node."""
