"""Paths as users write them."""

from __future__ import annotations

import os
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
