"""The four Fashion-MNIST files: where they are looked for, and fetched from where they are missing.

No MXNet here, so that ``d2l-lrsched data`` answers at once.
"""

from __future__ import annotations

import hashlib
import logging
import os
import sys
import tempfile
import warnings
from contextlib import suppress
from pathlib import Path

import numpy as np
import pooch

from d2l_lrsched.data import CURRENT, FIRST
from d2l_lrsched.data.content import (
    FIRST_SHA1,
    SHA256,
    DataError,
    check_complete,
    data_folder,
    decode,
    missing,
    read_all,
    read_first,
)
from d2l_lrsched.files import PathLike, user_path
from d2l_lrsched.streams import is_terminal

__all__ = ["SHA256", "DataError", "candidates", "fetch", "find_folder", "locate", "read_all"]

DATA_VARIABLE = "D2L_LRSCHED_DATA"
URL_VARIABLE = "D2L_LRSCHED_URL"
DEFAULT_URL = "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/"
DEBIAN_FOLDER = Path("/usr/share/datasets/fashion-mnist")

TIMEOUT = 20.0  # seconds without an answer or a byte
RETRIES = 2  # pooch waits 1 s before the first, 2 s before the second


def own_cache() -> Path:
    """Return the folder that downloads go to where no other is named.

    Raises
    ------
    DataError
        If the user has no home, as in some containers.
    """
    try:
        return user_path(pooch.os_cache("d2l_lrsched")) / "fashion-mnist"
    except (RuntimeError, ValueError) as error:
        raise DataError(
            "there is no home directory to download Fashion-MNIST into; set $HOME, or name a "
            "folder with --data-dir"
        ) from error


def _mxnet_cache() -> Path | None:
    # mxnet.base.data_dir() as it is on Linux and macOS, the only systems with 1.9.1 wheels.
    home = os.environ.get("MXNET_HOME", "~/.mxnet")
    try:
        return user_path(os.path.join(home, "datasets", "fashion-mnist"))
    except ValueError:  # without a home MXNet has no cache
        return None


def named_folder(data_dir: PathLike | None = None) -> Path | None:
    """Return the folder that the user names, here or in ``$D2L_LRSCHED_DATA``; None without.

    Raises
    ------
    DataError
        If it is no path.
    """
    if data_dir is not None:
        return data_folder(data_dir)
    if os.environ.get(DATA_VARIABLE):
        return data_folder(os.environ[DATA_VARIABLE], f"${DATA_VARIABLE}=")
    return None


def candidates(data_dir: PathLike | None = None) -> list[Path]:
    """Return the folders to look in, in order.

    Parameters
    ----------
    data_dir : path, optional
        Looked in alone where given; else ``$D2L_LRSCHED_DATA``, alone too; else MXNet's cache
        (``$MXNET_HOME`` or ``~/.mxnet``), Debian's ``dataset-fashion-mnist``, `own_cache`, of
        which a user without a home has only Debian's.

    Raises
    ------
    DataError
        If what is given is no path.
    """
    named = named_folder(data_dir)
    if named is not None:
        return [named]
    places = [_mxnet_cache(), DEBIAN_FOLDER]
    with suppress(DataError):
        places.append(own_cache())
    return [place for place in places if place is not None]


def find_folder(data_dir: PathLike | None = None) -> Path | None:
    """Return the first of `candidates` that holds any of the four files, or None.

    MXNet's cache, unless it is the one folder named, is passed over with a warning where it holds
    the earlier release, which MXNet's own downloader puts there.
    """
    tried = candidates(data_dir)
    for folder in tried:
        if len(missing(folder)) == len(SHA256):
            continue
        if len(tried) > 1 and folder == _mxnet_cache() and _is_earlier_release(folder):
            warnings.warn(
                f"{folder} holds the earlier release of Fashion-MNIST (2017-08-26) and is passed "
                "over",
                stacklevel=2,
            )
            continue
        return folder
    return None


def _is_earlier_release(folder: Path) -> bool:
    packed = folder / "train-images-idx3-ubyte.gz"
    return (
        packed.is_file()
        and hashlib.sha1(packed.read_bytes()).hexdigest() == FIRST_SHA1["train-images-idx3-ubyte"]
    )


def load(data_dir: PathLike | None = None, release: str = CURRENT) -> dict[str, np.ndarray]:
    """Return the arrays of the files, as `read_all` does, from where they are found.

    Parameters
    ----------
    data_dir : path, optional
        See `candidates`. The first release is looked for there, or in ``$D2L_LRSCHED_DATA``, or in
        MXNet's cache, and never downloaded.
    release : {'2017-08-31', '2017-08-26'}

    Raises
    ------
    DataError
        If the files are missing, damaged or out of reach.
    """
    if release == CURRENT:
        return read_all(locate(data_dir))
    folder = named_folder(data_dir) or _mxnet_cache()
    if folder is None:
        raise DataError(f"name the folder of the release of {FIRST} with --data-dir")
    return read_first(folder)


def locate(
    data_dir: PathLike | None = None, *, base_url: str | None = None, download: bool = True
) -> Path:
    """Return the folder that holds all four files, after a download into `own_cache` if need be.

    The first folder that holds any of the four is the one; it is not passed over for a later one
    where it is incomplete. Only `own_cache` is filled here; `fetch` fills any folder.

    Parameters
    ----------
    data_dir : path, optional
        See `candidates`.
    base_url : str, optional
        See `fetch`.
    download : bool
        False: raise instead of downloading.

    Raises
    ------
    DataError
        If a file is missing and was not or could not be downloaded.
    """
    folder = find_folder(data_dir) or named_folder(data_dir) or own_cache()
    if not _is_own_cache(folder):
        check_complete(folder)
    elif missing(folder):
        nowhere = f"Fashion-MNIST is not in {', '.join(map(str, candidates(data_dir)))}"
        advice = (
            "install Debian's package (apt install dataset-fashion-mnist), name a folder that "
            "holds the files with --data-dir, or fetch them with `d2l-lrsched data`"
        )
        if not download:
            raise DataError(f"{nowhere}; {advice}")
        try:
            fetch(folder, base_url)
        except DataError as error:
            raise DataError(f"{nowhere}, and {error}; or {advice}") from error
    return folder


def _is_own_cache(folder: Path) -> bool:
    with suppress(DataError):
        return folder == own_cache()
    return False


def fetch(folder: PathLike, base_url: str | None = None) -> list[str]:
    """Download into a folder those of the four files that it lacks.

    All are downloaded and checked in a temporary folder inside `folder` before the first is moved
    to its name, so a failure or Ctrl-C leaves no part of a file, and two processes that fetch at
    once only replace files by equal ones.

    Parameters
    ----------
    folder : path
        Made if need be.
    base_url : str, optional
        What ``/NAME.gz`` is appended to; default ``$D2L_LRSCHED_URL``, else Zalando's repository.

    Returns
    -------
    list of str
        The names fetched, keys of `SHA256`.

    Raises
    ------
    DataError
        If a download fails (after `RETRIES` retries), is not what it should be, or cannot be
        stored.
    """
    folder = data_folder(folder)
    names = missing(folder)
    if not names:  # a complete folder need not be writable
        return []
    base_url = base_url or os.environ.get(URL_VARIABLE) or DEFAULT_URL
    pooch.get_logger().setLevel(logging.WARNING)
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".fetch-", dir=folder) as temporary:
            paths = [_download(name, base_url, temporary) for name in names]
            for path in paths:
                path.chmod(0o644)  # pooch's 0600 would shut others out of a shared folder
                os.replace(path, folder / path.name)
    except OSError as error:
        raise DataError(
            f"{folder}: cannot be written to ({error.strerror}); choose another with --data-dir"
        ) from error
    return names


def _download(name: str, base_url: str, folder: str) -> Path:
    def download_and_check(url: str, output_file: str, client: pooch.Pooch) -> None:
        progressbar = is_terminal(sys.stderr)
        pooch.HTTPDownloader(progressbar=progressbar, chunk_size=1 << 16, timeout=TIMEOUT)(
            url, output_file, client
        )
        # In here, since pooch tries again after a ValueError.
        decode(name, Path(output_file).read_bytes(), compressed=True)

    client = pooch.create(
        path=folder, base_url=base_url, registry={f"{name}.gz": None}, retry_if_failed=RETRIES
    )
    try:
        return Path(client.fetch(f"{name}.gz", downloader=download_and_check))
    except (OSError, ValueError) as error:
        # A file's name would be that of the temporary one.
        reason = " ".join(str(getattr(error, "strerror", None) or error).split())
        raise DataError(
            f"the download of {client.get_url(f'{name}.gz')} failed ({reason}); "
            f"try again later, name another copy with --url or ${URL_VARIABLE}, or install "
            "Debian's package dataset-fashion-mnist"
        ) from error
