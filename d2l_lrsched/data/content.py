"""The four Fashion-MNIST files of a folder: which are there, and what they hold, checked.

Source: Xiao, Rasul and Vollgraf, "Fashion-MNIST", arXiv:1708.07747; the release of 2017-08-31 at
https://github.com/zalandoresearch/fashion-mnist. MXNet's own downloader asks for the release of
2017-08-26 (duplicates, overlap of the two sets; issue 44 there), with which the book's runs were
made: `read_all` refuses it, `read_first` reads nothing else.
"""

from __future__ import annotations

import gzip
import hashlib
import os
import shlex
import struct
import zlib
from pathlib import Path

import numpy as np

from d2l_lrsched.data import FIRST
from d2l_lrsched.files import PathLike, user_path

#: SHA-256 of each file's decompressed content; the .gz wrappers differ between distributors.
SHA256 = {
    "train-images-idx3-ubyte": "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
    "train-labels-idx1-ubyte": "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
    "t10k-images-idx3-ubyte": "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
    "t10k-labels-idx1-ubyte": "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
}
#: SHA-1 of each .gz file of the first release, as gluon's FashionMNIST knows them.
FIRST_SHA1 = {
    "train-images-idx3-ubyte": "0cf37b0d40ed5169c6b3aba31069a9770ac9043d",
    "train-labels-idx1-ubyte": "236021d52f1e40852b06a4c3008d8de8aef1e40b",
    "t10k-images-idx3-ubyte": "626ed6a7c06dd17c0eec72fa3be1740f146a2863",
    "t10k-labels-idx1-ubyte": "17f9ab60e7257a1620f4ad76bbbaf857c3920701",
}


class DataError(RuntimeError):
    """The data is missing, damaged or out of reach; one line says where and what to do."""


def data_folder(value: PathLike, named: str = "") -> Path:
    """Return the path of a folder as a user wrote it; `named` says where, if it is none."""
    try:
        return user_path(value)
    except ValueError as error:
        raise DataError(f"{named}{error}") from error


def _path(folder: Path, name: str) -> Path:
    # .gz first: it is what every distributor ships, so a plain copy beside it is the odd one.
    packed, plain = folder / f"{name}.gz", folder / name
    return plain if os.path.exists(plain) and not os.path.exists(packed) else packed


def missing(folder: Path) -> list[str]:
    """Return the names of those of the files that the folder lacks."""
    # os.path.exists, unlike Path.exists, is False where the folder may not be entered.
    return [name for name in SHA256 if not os.path.exists(_path(folder, name))]


def check_complete(folder: Path) -> None:
    """Raise DataError if the folder lacks any of the files."""
    names = missing(folder)
    if not names:
        return
    if not os.path.isdir(folder):
        what = "no such folder"
    elif len(names) == len(SHA256):
        what = "holds none of the four Fashion-MNIST files"
    else:
        what = "lacks " + ", ".join(f"{name}.gz" for name in names)
    raise DataError(f"{folder}: {what}; {_advice(folder)}")


def _advice(folder: Path) -> str:
    command = f"d2l-lrsched data --data-dir {shlex.quote(str(folder))}"
    return f"`{command}` fetches what is missing there, or name another folder with --data-dir"


def read_all(folder: PathLike) -> dict[str, np.ndarray]:
    """Read and check the four files, each read once.

    Parameters
    ----------
    folder : path
        Holds each file as ``NAME.gz`` or, looked for second, as plain ``NAME``.

    Returns
    -------
    dict of str to ndarray
        Keys as in `SHA256`; uint8, read-only: images (n, 28, 28) in 0..255, labels (n,) in 0..9.

    Raises
    ------
    DataError
        If a file is missing, unreadable or anything but the release of 2017-08-31.
    """
    folder = data_folder(folder)
    check_complete(folder)
    arrays = {}
    for name in SHA256:
        path = _path(folder, name)
        try:
            arrays[name] = decode(name, path.read_bytes(), compressed=path.suffix == ".gz")
        except OSError as error:
            raise DataError(
                f"{path}: cannot be read ({error.strerror}); make it a readable file, or name "
                "another folder with --data-dir"
            ) from error
        except ValueError as error:
            raise DataError(f"{path}: {error}; delete it, then {_advice(folder)}") from error
    return arrays


def read_first(folder: PathLike) -> dict[str, np.ndarray]:
    """Read the four files ``NAME.gz`` of the first release, as `read_all` does today's.

    Raises
    ------
    DataError
        If a file is missing, unreadable or anything but the release of 2017-08-26.
    """
    arrays = {}
    for name, sha1 in FIRST_SHA1.items():
        path = data_folder(folder) / f"{name}.gz"
        advice = f"the release of {FIRST} is no longer distributed; name its folder with --data-dir"
        try:
            raw = path.read_bytes()
        except OSError as error:
            raise DataError(f"{path}: cannot be read ({error.strerror}); {advice}") from error
        found = hashlib.sha1(raw).hexdigest()
        if found != sha1:
            raise DataError(
                f"{path}: not that of the release of {FIRST} (SHA-1 {found}, expected {sha1}); "
                f"{advice}"
            )
        arrays[name] = _array(name, gzip.decompress(raw))
    return arrays


def decode(name: str, raw: bytes, compressed: bool) -> np.ndarray:
    """Return the array in a file's bytes; ValueError says what is wrong with them."""
    if not raw:
        raise ValueError("the file is empty")
    content = _decompress(raw) if compressed else raw
    found = hashlib.sha256(content).hexdigest()
    if found != SHA256[name]:
        raise ValueError(_what_is_wrong(name, found))
    return _array(name, content)


def _array(name: str, content: bytes) -> np.ndarray:
    # An IDX file: a magic number, the sizes, and the numbers themselves.
    ndim = 3 if "images" in name else 1
    shape = struct.unpack_from(f">{ndim}I", content, 4)
    return np.frombuffer(content, np.uint8, offset=4 + 4 * ndim).reshape(shape)


def _decompress(raw: bytes) -> bytes:
    if raw[:2] != b"\x1f\x8b":
        raise ValueError("named .gz but not a gzip file")
    try:
        return gzip.decompress(raw)
    except EOFError:
        raise ValueError("truncated gzip file") from None
    except (zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"corrupted gzip file ({error})") from None


def _what_is_wrong(name: str, digest: str) -> str:
    for other, known in SHA256.items():
        if digest == known:
            return f"its content is that of {other} (swapped files?)"
    return (
        f"not that of the release of 2017-08-31 (SHA-256 {digest} of the decompressed content, "
        f"expected {SHA256[name]}); MXNet's own downloader fetches the earlier release of "
        "2017-08-26, which differs"
    )
