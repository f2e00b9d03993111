"""What tests of runs share."""

from __future__ import annotations

import pytest

from d2l_lrsched.runs import job


@pytest.fixture
def small_data(monkeypatch, small_iters):
    """`job.run_job` on 404 images, and what it asked the data for."""
    asked = {}

    def load(batch_size, *, seed, **chosen):
        asked.update(batch_size=batch_size, seed=seed, **chosen)
        return small_iters(seed)

    monkeypatch.setattr(job, "load_fashion_mnist", load)
    return asked
