"""How the commands fail: with one line."""

from __future__ import annotations

import contextlib
import signal
import warnings
from collections.abc import Iterator
from typing import Any

import click

from d2l_lrsched import streams


class Group(click.Group):
    """Commands that bear alike what may be wrong with the streams that they speak to.

    One that is closed is no matter, one that nobody reads on ends them as SIGPIPE does others,
    and one that cannot be written, as where a disk is full, is a failure in one line.
    """

    def main(self, *arguments: Any, **settings: Any) -> Any:
        """Parse and call, the streams being there."""
        streams.open_closed()
        with streams.ended_where_nobody_reads():
            return super().main(*arguments, **settings)

    # Within `main`, for click itself would make a failure of a closed pipe.

    def make_context(self, *arguments: Any, **settings: Any) -> click.Context:
        """Parse the arguments, among them --help, which speaks."""
        with _speaking():
            return super().make_context(*arguments, **settings)

    def invoke(self, ctx: click.Context) -> Any:
        """Call the command."""
        with _speaking():
            return super().invoke(ctx)


@contextlib.contextmanager
def _speaking() -> Iterator[None]:
    with streams.ended_where_nobody_reads():
        try:
            yield
        except BrokenPipeError:
            raise
        except OSError as error:
            raise click.ClickException(in_one_line(error)) from error


def end_as_by_ctrl_c() -> None:
    """Have a stopped job or a closed terminal end the workers as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, signal.default_int_handler)


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 1, and warnings into one line."""
    from d2l_lrsched.data.source import DataError
    from d2l_lrsched.runs.record import StoreError

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
        try:
            yield
        except BrokenPipeError:
            raise
        except (DataError, StoreError, OSError) as error:
            raise click.ClickException(in_one_line(error)) from error


def in_one_line(error: Exception) -> str:
    """Return the error's message; of an OSError, the file's name and the reason."""
    if not isinstance(error, OSError):
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
