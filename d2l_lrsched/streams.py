"""Standard streams that are closed, or that nobody reads."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn, TextIO

#: What a shell gives a program that SIGPIPE has ended.
UNREAD = 128 + signal.SIGPIPE


def is_terminal(stream: TextIO | None) -> bool:
    """Whether somebody looks at the stream; Python has None for one that has always been closed."""
    return stream is not None and stream.isatty()


def open_closed() -> None:
    """Give the process those of its standard streams that it was started without.

    Their numbers would be those of the next files that anybody opens, and there would go what a
    library or another process says to its standard error.
    """
    for number, (name, mode) in enumerate((("stdin", "r"), ("stdout", "w"), ("stderr", "w"))):
        if getattr(sys, name) is None:
            was_open = _is_open(number)  # being somebody's file
            stream = open(os.devnull, mode)  # noqa: SIM115
            setattr(sys, name, stream)
            if not was_open:
                os.dup2(stream.fileno(), number)
                os.set_inheritable(number, True)  # where the two are one, dup2 does nothing


def _is_open(number: int) -> bool:
    with suppress(OSError):
        os.fstat(number)
        return True
    return False


@contextmanager
def ended_where_nobody_reads() -> Iterator[None]:
    """End the process as SIGPIPE ends others, without a word, where its output is closed.

    A status of its own: that nobody reads on, as in ``| head -1``, is neither a failure nor a
    difference found. The signal itself would also end a server whose client goes away.
    """
    try:
        yield
    except BrokenPipeError:
        _end()


def _end() -> NoReturn:
    nowhere = os.open(os.devnull, os.O_WRONLY)
    for stream in (sys.stdout, sys.stderr):
        with suppress(OSError):  # what is left in the buffers goes there at the end
            os.dup2(nowhere, stream.fileno())
    sys.exit(UNREAD)
