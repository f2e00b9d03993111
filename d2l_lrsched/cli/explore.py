"""The command that opens the explorer in the browser: `explore`."""

from __future__ import annotations

import contextlib
import threading
import webbrowser
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2l_lrsched.cli import options as cli_options

if TYPE_CHECKING:
    from d2l_lrsched.explorer.server import Server

FIRST_PORT = 8866
PORTS = 50


@click.command()
@click.option(
    "--records",
    type=cli_options.UserPath(file_okay=False),
    default="figures",
    show_default=True,
    help="Folder of the runs whose curves are shown: */runs.jsonl, read once at the start.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help=f"Port of this machine to serve at. Default: the first free one from {FIRST_PORT} on.",
)
@click.option("--no-browser", is_flag=True, help="Only serve; open no browser.")
def explore(records: Path, port: int | None, no_browser: bool) -> None:
    """Explore schedules in the browser.

    One drags their parameters, and sees the rates, and runs that were made with such. Only this
    machine can see the page. Ctrl-C ends it.

    Example: d2l-lrsched explore
    """
    with contextlib.suppress(KeyboardInterrupt):
        from d2l_lrsched.explorer.answer import answer
        from d2l_lrsched.explorer.settings import Settings
        from d2l_lrsched.explorer.stored import stored

        found = stored(records)
        with _server(port, lambda query: answer(Settings.of(query), found)) as server:
            click.echo(f"The explorer is at {server.url} (Ctrl-C ends it)")
            if not found.groups:
                click.echo(f"{records}/*/runs.jsonl: no runs to show beside the schedules")
            if not no_browser:  # which may wait for the page
                threading.Thread(target=webbrowser.open, args=[server.url], daemon=True).start()
            server.serve_forever()


def _server(port: int | None, answer: Callable[..., Any]) -> Server:
    from d2l_lrsched.explorer.server import Server

    for candidate in [port] if port else range(FIRST_PORT, FIRST_PORT + PORTS):
        with contextlib.suppress(OSError):
            return Server(candidate, answer)
    raise click.ClickException(
        f"port {port} cannot be used: leave --port out, and a free one is taken"
        if port
        else f"none of the ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free; name one: --port"
    )
