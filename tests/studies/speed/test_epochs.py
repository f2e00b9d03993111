from __future__ import annotations

import io
import json
import sys
import time

import numpy as np
import pytest
from d2l import mxnet as d2l
from mxnet import gluon

from d2l_lrsched.data import source
from d2l_lrsched.nets import NETS, kernels
from d2l_lrsched.studies.speed import epochs
from d2l_lrsched.studies.speed.profile import operations
from d2l_lrsched.training import loop


@pytest.fixture
def small_files(monkeypatch, arrays):
    """The first images of each array, wherever they are read from."""
    small = {k: a[:300] if k.startswith("train") else a[:20] for k, a in arrays.items()}
    monkeypatch.setattr(source, "read_all", lambda folder: small)
    monkeypatch.setattr(source, "locate", lambda data_dir=None: data_dir)
    # The book's four workers are forked, which in the midst of tests is not safe.
    monkeypatch.setattr(d2l, "get_dataloader_workers", lambda: 0)


def test_every_line_is_answered_with_an_epoch(monkeypatch, capsys):
    def epoch(*extras):
        asked.append(extras)
        print("a closing line of the progress bar")
        time.sleep(0.05)

    asked = []

    monkeypatch.setitem(epochs.KINDS, "some", lambda data_dir: epoch)
    monkeypatch.setattr(sys, "stdin", io.StringIO("\nbar\n"))
    epochs.main("some", "/data")
    ready, *answers = capsys.readouterr().out.splitlines()
    assert ready == "ready"
    assert len(answers) == 2
    assert asked == [(), ("bar",)]
    for answer in map(json.loads, answers):
        assert 0.05 <= answer["seconds"] < 30
        assert 10 < answer["peak_mb"] < 100_000


@pytest.mark.parametrize(
    ("kind", "extra"), [("book", []), ("chapter", []), ("lanes", ["clipping"])]
)
def test_an_epoch_trains_on_every_image_once(kind, extra, small_files, monkeypatch):
    sizes = []
    for name in ("step", "update"):  # `train` updates by itself where it clips
        monkeypatch.setattr(gluon.Trainer, name, lambda trainer, size, **_: sizes.append(size))
    epochs.KINDS[kind]("/data")(*extra)
    assert sizes == [256, 44]


@pytest.mark.parametrize("kind", ["PyTorch", "PyTorch, channels last"])
def test_pytorchs_epoch_trains_on_every_image_once(kind, small_files, monkeypatch):
    torch = pytest.importorskip("torch")
    steps = []
    monkeypatch.setattr(torch.optim.SGD, "step", lambda optimizer: steps.append(optimizer))
    epochs.KINDS[kind]("/data")()
    assert len(steps) == 2


@pytest.mark.parametrize(
    ("kind", "extra", "how"),
    [
        ("chapter", [], {}),
        ("lanes", [], {}),
        ("lanes", ["bar"], {"display": "bar"}),
        ("lanes", ["checkpoint"], {}),
        ("lanes", ["clipping"], {"clip_norm": 0.5}),
    ],
)
def test_our_epoch_is_what_its_name_says(kind, extra, how, small_files, monkeypatch):
    made, calls = [], []
    for name, make in NETS.items():
        monkeypatch.setitem(NETS, name, lambda n=name, make=make: made.append(n) or make())
    monkeypatch.setattr(loop, "train", lambda *args, **settings: calls.append((args, settings)))
    epochs.KINDS[kind]("/data")(*extra)
    ((args, settings),) = calls
    assert made == [kind]
    assert args[3] == 1  # epoch
    assert (settings.pop("checkpoint") is not None) == (extra == ["checkpoint"])
    assert settings == {"display": "none", "clip_norm": None, **how}


def test_the_product_is_a_product(monkeypatch):
    calls = []
    matmul = np.matmul
    monkeypatch.setattr(np, "matmul", lambda a, b, out: calls.append(a) or matmul(a, b, out=out))
    monkeypatch.setattr(epochs, "MATRIX_SIZE", 8)
    epochs.matrix_product("/data")()
    assert len(calls) == epochs.NUM_PRODUCTS
    assert {(a.shape, a.dtype.name) for a in calls} == {((8, 8), "float32")}


def test_the_kernels_of_the_fast_net_tell_their_times_as_onednns_do(
    small_files, monkeypatch, capsys
):
    monkeypatch.setenv("DNNL_VERBOSE", "1")
    for direction in ("forward", "backward"):
        monkeypatch.setattr(kernels, direction, getattr(kernels, direction))
    monkeypatch.setattr(sys, "__stdout__", sys.stdout)
    epochs.KINDS["lanes"]("/data")()
    told = operations(capsys.readouterr().out)
    assert {(o.operation, o.direction, o.kernel) for o in told} == {
        ("convolutions", "forward", "numba"),
        ("convolutions", "backward", "numba"),
    }
    assert all(o.seconds > 0 for o in told)
