"""How the commands fail: with one line."""

from __future__ import annotations

import contextlib
import signal
import warnings
from collections.abc import Iterator

import click


def end_as_by_ctrl_c() -> None:
    """Have a stopped job or a closed terminal end the workers as Ctrl-C does."""
    for number in (signal.SIGTERM, signal.SIGHUP):
        if signal.getsignal(number) is not signal.SIG_IGN:  # as nohup has it
            signal.signal(number, signal.default_int_handler)


@contextlib.contextmanager
def one_line_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 1, and warnings into one line."""
    from d2l_lrsched.files import DataError
    from d2l_lrsched.store import StoreError

    with warnings.catch_warnings():
        warnings.showwarning = lambda message, *_: click.echo(f"Warning: {message}", err=True)
        try:
            yield
        except (DataError, StoreError, OSError) as error:
            raise click.ClickException(in_one_line(error)) from error


def in_one_line(error: Exception) -> str:
    """Return the error's message; of an OSError, the file's name and the reason."""
    if not isinstance(error, OSError):
        return str(error)
    where = f"{error.filename}: " if error.filename else ""
    return f"{where}{error.strerror or error}"
