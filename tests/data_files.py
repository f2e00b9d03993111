"""Files as those of Fashion-MNIST, and what is said of them where they are not."""

from __future__ import annotations

import gzip

import numpy as np
import pytest

from d2l_lrsched.data.content import SHA256, DataError

TRAIN_IMAGES, TRAIN_LABELS, TEST_IMAGES, TEST_LABELS = SHA256


def idx(array, magic):
    """Return the IDX file of an array."""
    header = np.array([magic, *array.shape], dtype=">u4")
    return header.tobytes() + array.tobytes()


def store(folder, contents):
    """Write the files as .gz into a new folder."""
    folder.mkdir(parents=True)
    for name, content in contents.items():
        (folder / f"{name}.gz").write_bytes(gzip.compress(content))
    return folder


def error_of(function, *args, **kwargs):
    """Return the message of the DataError that a call raises, after a check that it is one line."""
    with pytest.raises(DataError) as caught:
        function(*args, **kwargs)
    message = str(caught.value)
    assert "\n" not in message
    return message
