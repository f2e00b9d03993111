"""The command that opens the explorer in the browser: `explore`."""

from __future__ import annotations

import contextlib
import socket
from importlib.util import find_spec
from pathlib import Path

import click

from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.cli.errors import end_as_by_ctrl_c, one_line_errors
from d2l_lrsched.explorer import stored as explorer_records

HOST = "127.0.0.1"
FIRST_PORT = 8866
PORTS = 50


@click.command()
@click.option(
    "--records",
    type=cli_options.UserPath(file_okay=False),
    default="figures",
    show_default=True,
    help=f"Folder of the runs whose curves are shown: {explorer_records.RECORDS}.",
)
@click.option(
    "--port",
    type=click.IntRange(1, 65535),
    help=f"Port of this machine to serve at. Default: the first free one from {FIRST_PORT} on.",
)
@click.option("--no-browser", is_flag=True, help="Only serve; open no browser.")
def explore(records: Path, port: int | None, no_browser: bool) -> None:
    """Explore schedules in the browser: drag their parameters, see rates and stored runs.

    Only this machine can see the page. Ctrl-C ends it.

    Example: d2l-lrsched explore
    """
    if not (find_spec("voila") and find_spec("ipywidgets")):
        raise click.ClickException(
            "the explorer needs Voilà and ipywidgets: pip install 'd2l_lrsched[explorer]'"
        )
    end_as_by_ctrl_c()
    with contextlib.suppress(KeyboardInterrupt), one_line_errors():
        explorer_records.read_runs(records)
        port = _free_port(port)

        from d2l_lrsched.explorer import server as explorer_server

        explorer_server.serve(
            records,
            port,
            browser=not no_browser,
            ready=lambda url: click.echo(f"The explorer is at {url} (Ctrl-C ends it)"),
        )


def _free_port(port: int | None) -> int:
    for candidate in [port] if port else range(FIRST_PORT, FIRST_PORT + PORTS):
        with contextlib.suppress(OSError), socket.create_server((HOST, candidate)):
            return candidate
    raise click.ClickException(
        f"port {port} cannot be used: leave --port out, and a free one is taken"
        if port
        else f"none of the ports {FIRST_PORT} to {FIRST_PORT + PORTS - 1} is free; name one: --port"
    )
