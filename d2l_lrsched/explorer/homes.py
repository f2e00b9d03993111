"""A temporary place for what other packages keep in a home, where none can be written.

As in a container, under another user's number or on a read-only disk: without it Matplotlib, and
with it d2l, is not imported where there is no home, and Jupyter serves no page.
"""

from __future__ import annotations

import os
from contextlib import suppress

from d2l_lrsched.files import user_path


def lend() -> None:
    """Name a temporary folder to each package that could not write its own.

    By the package's own environment variable, which stays as it is where it is set, and which
    processes that are started inherit. The folder goes when this process ends.
    """
    lacking = [
        variable
        for variable, folders in _kept().items()
        if variable not in os.environ and not all(map(_can_be_written, folders))
    ]
    if lacking:
        with suppress(OSError):  # not even that: then the packages say what they lack
            lent = _temporary()
            for variable in lacking:
                os.environ[variable] = os.path.join(lent, variable.lower())


def lend_whole() -> None:
    """Name a temporary folder as the home of a user who has none, where a package insists on one.

    For a process that has no further use for ~: what is written there goes when it ends.
    """
    try:
        user_path("~")
    except ValueError:
        os.environ["HOME"] = _temporary()


def _temporary() -> str:
    import atexit  # nearly nobody needs these
    import shutil
    import tempfile

    folder = tempfile.mkdtemp(prefix="d2l_lrsched-")
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    return folder


def _kept() -> dict[str, list[str]]:
    """Return the folders that are written without the variable."""
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    data = os.environ.get("XDG_DATA_HOME") or "~/.local/share"
    return {
        "MPLCONFIGDIR": [f"{config}/matplotlib", f"{cache}/matplotlib"],
        "IPYTHONDIR": ["~/.ipython"],
        "JUPYTER_CONFIG_DIR": ["~/.jupyter"],
        "JUPYTER_DATA_DIR": [f"{data}/jupyter"],
    }


def _can_be_written(folder: str) -> bool:
    """Whether the folder is there and writable, or can be made, but for a home itself."""
    try:
        path = user_path(folder)
        if folder.startswith("~") and not os.path.isdir(user_path("~")):
            return False
    except ValueError:  # no home
        return False
    while not os.path.exists(path):
        path = path.parent
    return os.path.isdir(path) and os.access(path, os.W_OK | os.X_OK)
