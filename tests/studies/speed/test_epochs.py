from __future__ import annotations

import io
import json
import sys

import numpy as np
import pytest
from d2l import mxnet as d2l

from d2l_lrsched.data import source as files
from d2l_lrsched.studies.speed import epochs as bench_epochs


@pytest.fixture
def small_files(monkeypatch, arrays):
    """The first images of each array, wherever they are read from."""
    small = {k: a[:300] if k.startswith("train") else a[:20] for k, a in arrays.items()}
    monkeypatch.setattr(files, "read_all", lambda folder: small)
    monkeypatch.setattr(files, "locate", lambda data_dir=None: data_dir)
    # The book's four workers are forked, which in the midst of tests is not safe.
    monkeypatch.setattr(d2l, "get_dataloader_workers", lambda: 0)


@pytest.mark.parametrize("kind", bench_epochs.KINDS)
def test_it_answers_every_line_with_an_epoch(kind, small_files, monkeypatch, capsys):
    if kind.startswith("PyTorch"):
        pytest.importorskip("torch")
    monkeypatch.setattr(bench_epochs, "MATRIX_SIZE", 8)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\n\n"))
    bench_epochs.main(kind, "/data")
    ready, *answers = capsys.readouterr().out.splitlines()
    assert ready == "ready"
    assert len(answers) == 2
    for answer in map(json.loads, answers):
        assert answer["seconds"] > 0
        assert 10 < answer["peak_mb"] < 100_000


def test_the_product_is_a_product(monkeypatch):
    calls = []
    matmul = np.matmul
    monkeypatch.setattr(np, "matmul", lambda a, b, out: calls.append(a) or matmul(a, b, out=out))
    monkeypatch.setattr(bench_epochs, "MATRIX_SIZE", 8)
    bench_epochs.matrix_product("/data")()
    assert len(calls) == bench_epochs.NUM_PRODUCTS
    assert {(a.shape, a.dtype.name) for a in calls} == {((8, 8), "float32")}
