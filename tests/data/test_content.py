from __future__ import annotations

import gzip
import hashlib

import numpy as np
import pytest

from d2l_lrsched.data import content
from data_files import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, error_of, store


def test_the_real_data_is_read(arrays):
    assert list(arrays) == [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS]
    shapes = [(60000, 28, 28), (60000,), (10000, 28, 28), (10000,)]
    assert [a.shape for a in arrays.values()] == shapes
    assert {a.dtype for a in arrays.values()} == {np.dtype(np.uint8)}
    assert np.bincount(arrays[TRAIN_LABELS]).tolist() == [6000] * 10
    assert np.bincount(arrays[TEST_LABELS]).tolist() == [1000] * 10
    # The first training example is known from every tutorial: an ankle boot.
    assert arrays[TRAIN_LABELS][0] == 9


def test_files_under_each_others_names_are_found_out(tmp_path, tiny):
    swapped = {**tiny, TRAIN_IMAGES: tiny[TEST_IMAGES], TEST_IMAGES: tiny[TRAIN_IMAGES]}
    message = error_of(content.read_all, store(tmp_path / "data", swapped))
    path = tmp_path / "data" / f"{TRAIN_IMAGES}.gz"
    assert message.startswith(f"{path}: its content is that of {TEST_IMAGES}")


def test_arrays_hold_what_the_files_hold_of_which_a_gz_comes_first(tmp_path, tiny):
    for name, held in tiny.items():
        (tmp_path / name).write_bytes(held)
    (tmp_path / TEST_LABELS).write_bytes(b"never looked at")
    (tmp_path / f"{TEST_LABELS}.gz").write_bytes(gzip.compress(tiny[TEST_LABELS]))
    arrays = content.read_all(str(tmp_path))
    assert arrays[TEST_IMAGES].shape == (5, 28, 28)
    assert arrays[TEST_LABELS].shape == (5,)
    for name, array in arrays.items():
        assert array.tobytes() == tiny[name][16 if array.ndim == 3 else 8 :]


NOT_THE_RELEASE = "not that of the release of 2017-08-31"
TAMPERED = [
    ("an empty .gz", lambda c: b"", "the file is empty"),
    ("a truncated .gz", lambda c: gzip.compress(c)[:-20], "truncated gzip file"),
    ("a .gz cut in its header", lambda c: gzip.compress(c)[:5], "truncated gzip file"),
    ("a .gz with a bad CRC", lambda c: gzip.compress(c)[:-8] + bytes(8), "corrupted gzip file"),
    (
        "a .gz with an invalid block",
        lambda c: gzip.compress(c)[:10] + b"\x07" + gzip.compress(c)[11:],
        "corrupted gzip file (",
    ),
    ("not a .gz at all", lambda c: c, "named .gz but not a gzip file"),
    ("an error page", lambda c: b"<html>404</html>", "named .gz but not a gzip file"),
    ("nothing inside", lambda c: gzip.compress(b""), NOT_THE_RELEASE),
    ("another IDX type", lambda c: gzip.compress(b"\0\0\x0d\x03" + c[4:]), NOT_THE_RELEASE),
    ("a cut header", lambda c: gzip.compress(c[:11]), NOT_THE_RELEASE),
    ("an image too few", lambda c: gzip.compress(c[:-784]), NOT_THE_RELEASE),
    ("a byte too many", lambda c: gzip.compress(c + b"\0"), NOT_THE_RELEASE),
    ("another pixel", lambda c: gzip.compress(c[:-1] + b"\xff"), NOT_THE_RELEASE),
]


@pytest.mark.parametrize(
    ("tamper", "reason"), [c[1:] for c in TAMPERED], ids=[c[0] for c in TAMPERED]
)
def test_a_damaged_file_is_named_with_what_is_wrong_and_what_to_do(tmp_path, tiny, tamper, reason):
    folder = store(tmp_path / "my data", tiny)
    path = folder / f"{TEST_IMAGES}.gz"
    path.write_bytes(tamper(tiny[TEST_IMAGES]))
    message = error_of(content.read_all, folder)
    assert message.startswith(f"{path}: {reason}")
    assert f"delete it, then `d2l-lrsched data --data-dir '{folder}'` fetches" in message
    if reason == NOT_THE_RELEASE:
        digest = hashlib.sha256(gzip.decompress(path.read_bytes())).hexdigest()
        assert f"(SHA-256 {digest} of " in message
        assert f"expected {content.SHA256[TEST_IMAGES]})" in message
        assert "MXNet's own downloader fetches the earlier release of 2017-08-26" in message


def test_an_empty_plain_file(tmp_path, tiny):
    folder = store(tmp_path / "data", tiny)
    (folder / f"{TEST_IMAGES}.gz").unlink()
    (folder / TEST_IMAGES).touch()
    assert error_of(content.read_all, folder).startswith(
        f"{folder / TEST_IMAGES}: the file is empty"
    )


def test_an_unreadable_file(tmp_path, tiny):
    # A folder in the file's place, since root may read every file.
    folder = store(tmp_path / "data", tiny)
    path = folder / f"{TEST_IMAGES}.gz"
    path.unlink()
    path.mkdir()
    assert error_of(content.read_all, folder).startswith(
        f"{path}: cannot be read (Is a directory); make it a readable file"
    )


@pytest.fixture
def first(tmp_path, tiny, monkeypatch):
    """Return a folder of four files that stand in for the first release."""
    folder = store(tmp_path / "first", tiny)
    for name in tiny:
        sha1 = hashlib.sha1((folder / f"{name}.gz").read_bytes()).hexdigest()
        monkeypatch.setitem(content.FIRST_SHA1, name, sha1)
    return folder


def test_the_first_release_is_read_by_itself(first, tiny):
    arrays = content.read_first(str(first))
    assert list(arrays) == [TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS]
    for name, array in arrays.items():
        assert array.tobytes() == tiny[name][16 if array.ndim == 3 else 8 :]


def test_what_is_not_the_first_release(first, tiny):
    path = first / f"{TEST_LABELS}.gz"
    path.write_bytes(gzip.compress(tiny[TEST_LABELS][:-1] + b"\x05"))
    message = error_of(content.read_first, first)
    assert message.startswith(f"{path}: not that of the release of 2017-08-26 (SHA-1 ")
    assert message.endswith("no longer distributed; name its folder with --data-dir")
    path.unlink()
    message = error_of(content.read_first, first)
    assert message.startswith(f"{path}: cannot be read (No such file or directory); ")
