from __future__ import annotations

import hashlib

import numpy as np
import pytest

from d2l_lrsched.data.content import SHA256
from data_files import TEST_IMAGES, TEST_LABELS, TRAIN_IMAGES, TRAIN_LABELS, idx


@pytest.fixture
def tiny(monkeypatch):
    """Return four small files' contents, the checksums of which stand in for the real ones."""
    values = np.random.default_rng(0).integers(0, 10, size=(2, 7, 28, 28), dtype=np.uint8)
    contents = {
        TRAIN_IMAGES: idx(values[0], 2051),
        TRAIN_LABELS: idx(values[0, :, 9, 9], 2049),
        TEST_IMAGES: idx(values[1, :5], 2051),
        TEST_LABELS: idx(values[1, :5, 9, 9], 2049),
    }
    for name, content in contents.items():
        monkeypatch.setitem(SHA256, name, hashlib.sha256(content).hexdigest())
    return contents
