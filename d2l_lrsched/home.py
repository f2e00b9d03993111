"""A temporary folder for Matplotlib where no home can be written.

As in a container, under another user's number or on a read-only disk: Matplotlib warns there, and
where there is no home at all neither it nor d2l can be imported.
"""

from __future__ import annotations

import atexit
import os
import shutil
import tempfile
from contextlib import suppress

from d2l_lrsched.files import user_path


def lend() -> None:
    """Name Matplotlib a folder that goes when this process ends, if it could not write its own.

    By its environment variable, which stays as it is where it is set, and which processes that
    are started inherit.
    """
    config = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    cache = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    own = (f"{config}/matplotlib", f"{cache}/matplotlib")
    if os.environ.get("MPLCONFIGDIR") or all(map(_can_be_written, own)):
        return
    with suppress(OSError):  # not even that: then Matplotlib says what it lacks
        folder = tempfile.mkdtemp(prefix="d2l_lrsched-")
        atexit.register(shutil.rmtree, folder, ignore_errors=True)
        os.environ["MPLCONFIGDIR"] = folder


def _can_be_written(folder: str) -> bool:
    """Whether the folder is there and writable, or can be made, but for a home itself."""
    try:
        path = user_path(folder)
        if folder.startswith("~") and not user_path("~").is_dir():
            return False
    except ValueError:  # no home
        return False
    while not path.exists():
        path = path.parent
    return path.is_dir() and os.access(path, os.W_OK | os.X_OK)
