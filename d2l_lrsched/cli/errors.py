"""What all commands have in common: no screen, one line for what fails, and how they are ended."""

from __future__ import annotations

import contextlib
import os
import signal
import warnings
from collections.abc import Iterator
from typing import Any

import click

from d2l_lrsched import streams


class Group(click.Group):
    """Commands that fail in one line, and draw into files whatever backend the user has set.

    Streams that are closed are no matter; one that nobody reads on ends them as SIGPIPE does
    others; SIGTERM and SIGHUP, a stopped job and a closed terminal, end them and their workers as
    Ctrl-C does.
    """

    def main(self, *arguments: Any, **settings: Any) -> Any:
        """Parse and call, the streams being there."""
        streams.open_closed()
        with streams.ended_where_nobody_reads():
            return super().main(*arguments, **settings)

    # Within `main`, for click itself would make a failure of a closed pipe.

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        """Parse the arguments, among them --help, which speaks."""
        with one_line_errors():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command."""
        os.environ["MPLBACKEND"] = "agg"
        with one_line_errors(), _ended_as_by_ctrl_c():
            return super().invoke(ctx)


@contextlib.contextmanager
def _ended_as_by_ctrl_c() -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGHUP)}
    ours = {n: handler for n, handler in before.items() if handler is not signal.SIG_IGN}  # nohup
    for number in ours:
        signal.signal(number, signal.default_int_handler)
    try:
        yield
    finally:
        for number, handler in ours.items():
            signal.signal(number, handler)


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 1, and warnings into one line."""
    with warnings.catch_warnings(), streams.ended_where_nobody_reads():
        warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(in_one_line(error)) from error
        except (click.exceptions.Exit, click.Abort):  # RuntimeErrors of click's own, as --help
            raise
        except RuntimeError as error:
            from d2l_lrsched.data.source import DataError
            from d2l_lrsched.runs.record import StoreError

            if not isinstance(error, (DataError, StoreError)):
                raise
            raise click.ClickException(str(error)) from error


def in_one_line(error: OSError) -> str:
    """Return the file's name, where there is one, and the reason."""
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
