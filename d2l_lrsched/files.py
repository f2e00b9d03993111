"""Paths as users write them, and files that are written whole or not at all."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Union

PathLike = Union[str, "os.PathLike[str]"]


def user_path(value: PathLike) -> Path:
    """Return the path that a user named, ~ and ~user expanded as a shell does.

    What has been expanded may be given again: a name that itself begins with ~, given as
    ``./~name``, comes back as an absolute path.

    Raises
    ------
    ValueError
        If the path is empty, or begins with the ~ of an unknown user or of one without a home.
    """
    text = os.fspath(value)
    if not text:
        raise ValueError("'': the name of a file or folder must not be empty")
    user = text.partition("/")[0]
    expanded = os.path.expanduser(text)
    if user == "~" and (expanded == text or os.environ.get("HOME") == ""):
        raise ValueError(f"{text!r}: this user has no home; set $HOME, or write no ~")
    if user.startswith("~") and expanded == text:
        raise ValueError(
            f"{text!r}: no user is called {user[1:]!r}; after ~ comes / or a user's name, "
            f"and {'./' + user!r} is a name that begins with ~"
        )
    path = Path(expanded)
    return path.absolute() if str(path).startswith("~") else path


@contextmanager
def whole_file(path: PathLike) -> Iterator[Path]:
    """Give the path of a temporary file, which becomes the file `path` if all goes well.

    Whoever reads `path` meanwhile, or after a failure, finds what was there before.

    Raises
    ------
    OSError
        If the file cannot be written; it names `path`.
    ValueError
        If `path` is none, as `user_path` says.
    """
    named = user_path(path)
    path = Path(os.path.realpath(named))  # a link is written through, not replaced
    temporary = None
    try:
        if os.path.isdir(path):
            raise OSError(errno.EISDIR, os.strerror(errno.EISDIR))
        if os.path.exists(path) and not os.path.isfile(path):  # root could replace /dev/null
            raise OSError(errno.EINVAL, "Not a regular file")
        path.parent.mkdir(parents=True, exist_ok=True)
        name = os.fsdecode(os.fsencode(path.name)[:200])  # the whole may be as long as can be
        handle, temporary = tempfile.mkstemp(path.suffix, f".{name}.", path.parent)
        os.close(handle)
        yield Path(temporary)
        with open(temporary, "rb") as written:
            os.fsync(written.fileno())  # or a power cut may leave the name without the content
        umask = os.umask(0)
        os.umask(umask)
        os.chmod(temporary, 0o666 & ~umask)  # mkstemp's files are for their owner only
        os.replace(temporary, path)
    except BaseException as error:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
        if isinstance(error, OSError):  # name the file that was asked for
            raise OSError(error.errno, error.strerror, str(named)) from error
        raise


def write_text(path: PathLike, text: str) -> None:
    """Make `text`, in UTF-8, the file `path`, as `whole_file` does."""
    with whole_file(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
