"""Fashion-MNIST's batches: the bits and the order of gluon's own classes, in little memory."""

from __future__ import annotations

import pickle
import subprocess
import sys
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from d2l import mxnet as d2l
from mxnet import gluon, npx
from mxnet.gluon.data.vision.transforms import ToTensor

from d2l_lrsched.data import source as files
from d2l_lrsched.data.batches import Batches, load_fashion_mnist
from d2l_lrsched.data.split import held_out_rows, rows

REAL = files.find_folder() or files.DEBIAN_FOLDER
SEED = 7


@pytest.fixture(autouse=True)
def set_np():
    npx.set_np()


@pytest.fixture
def images(arrays):
    return arrays["t10k-images-idx3-ubyte"][:300]


@pytest.fixture
def labels(arrays):
    return arrays["t10k-labels-idx1-ubyte"][:300]


@pytest.fixture
def gluons_dataset(monkeypatch, tmp_path):
    """Return gluon's FashionMNIST itself, given the current release in place of its download."""
    monkeypatch.setattr(
        "mxnet.gluon.data.vision.datasets.download",
        lambda url, path, sha1_hash: str(REAL / url.rpartition("/")[2]),
    )
    dataset = gluon.data.vision.FashionMNIST(root=str(tmp_path), train=False)
    return dataset.take(300).transform_first(ToTensor())


def assert_same(ours, theirs, batches):
    """Assert equal types, dtypes, shapes and bits, batch by batch."""
    pairs = list(zip(list(ours), list(theirs)))
    assert len(pairs) == batches
    for pair in pairs:
        for a, b in zip(*pair):
            assert type(a) is type(b) is mx.np.ndarray
            assert a.dtype == b.dtype
            assert a.shape == b.shape
            assert a.asnumpy().tobytes() == b.asnumpy().tobytes()


def test_shuffled_epochs_are_those_of_gluons_data_loader(images, labels, gluons_dataset):
    ours = Batches(images, labels, 64, seed=SEED)
    theirs = gluon.data.DataLoader(gluons_dataset, 64, shuffle=True)
    np.random.seed(SEED)
    epochs = []
    for _ in range(2):
        loaded = list(theirs)
        assert_same(iter(ours), iter(loaded), batches=5)
        assert loaded[-1][0].shape == (300 - 4 * 64, 1, 28, 28)
        epochs.append(loaded[0][0].asnumpy())
    assert not np.array_equal(*epochs)


def test_unshuffled_epochs_are_those_of_gluons_data_loader(images, labels, gluons_dataset):
    ours = Batches(images, labels, 64)
    theirs = gluon.data.DataLoader(gluons_dataset, 64, shuffle=False)
    for _ in range(2):
        assert_same(iter(ours), iter(theirs), batches=5)


def test_every_grey_value_is_to_tensors():
    grey = np.arange(256, dtype=np.uint8).reshape(1, 16, 16)
    (X, _), *_ = Batches(grey, np.zeros(1, np.uint8), 1)
    expected = ToTensor()(mx.np.array(grey[0, ..., None], dtype="uint8"))
    assert X[0].asnumpy().tobytes() == expected.asnumpy().tobytes()
    assert X.min() == 0
    assert X.max() == 1


def test_accuracy_and_loss_have_the_bits_that_the_book_gets(images, labels, gluons_dataset):
    scores = mx.np.array(np.random.default_rng(0).normal(size=(300, 10)), dtype="float32")
    loss = gluon.loss.SoftmaxCrossEntropyLoss()
    figures = []
    for loader in (Batches(images, labels, 300), gluon.data.DataLoader(gluons_dataset, 300)):
        ((_, y),) = loader
        figures.append((d2l.accuracy(scores, y), loss(scores, y).asnumpy().tobytes()))
    assert figures[0] == figures[1]


def test_numpys_global_generator_is_left_alone(images, labels):
    before = pickle.dumps(np.random.get_state())
    for _ in Batches(images, labels, 64, seed=SEED):
        pass
    assert pickle.dumps(np.random.get_state()) == before


def orders(batches, epochs):
    """Return the order of the labels, epoch by epoch."""
    return [[int(i) for _, y in batches for i in y] for _ in range(epochs)]


@pytest.fixture
def numbered():
    """Return ten examples, each labelled with its own place."""
    return np.zeros((10, 28, 28), np.uint8), np.arange(10, dtype=np.uint8)


def test_each_iter_is_a_new_epoch_however_far_the_last_one_went(numbered):
    generator = np.random.RandomState(SEED)
    expected = []
    for _ in range(3):
        order = np.arange(10)
        generator.shuffle(order)
        expected.append(order.tolist())
    batches = Batches(*numbered, 4, seed=SEED)
    assert orders(batches, 1) == expected[:1]
    iter(batches)  # the second epoch, of which nothing is read
    assert orders(batches, 1) == expected[2:]
    partial = Batches(*numbered, 4, seed=SEED)
    next(iter(partial))
    assert orders(partial, 2) == expected[1:]


def test_every_example_comes_once_in_an_epoch(numbered):
    for order in orders(Batches(*numbered, 3, seed=0), 5):
        assert sorted(order) == list(range(10))
    assert orders(Batches(*numbered, 3), 2) == [list(range(10))] * 2


@pytest.mark.parametrize(("batch_size", "batches"), [(1, 10), (4, 3), (5, 2), (10, 1), (11, 1)])
def test_len_is_the_number_of_batches(numbered, batch_size, batches):
    loader = Batches(*numbered, batch_size)
    assert len(loader) == len(list(loader)) == batches
    assert loader.num_examples == 10


@pytest.mark.parametrize(
    ("bad", "allowed"),
    [
        ({"batch_size": 0}, "an integer >= 1"),
        ({"seed": -1}, "an integer >= 0 and <= 4294967295"),
        ({"seed": 2**32}, "an integer >= 0 and <= 4294967295"),
    ],
)
def test_arguments_that_cannot_be(numbered, bad, allowed):
    ((name, value),) = bad.items()
    with pytest.raises(ValueError, match=f"{name} must be {allowed}, got {value}"):
        Batches(*numbered, **{"batch_size": 4, **bad})
    with pytest.raises(ValueError, match=f"{name} must be {allowed}, got {value}"):
        load_fashion_mnist(**{"batch_size": 4, **bad}, data_dir="/absent")  # before it looks there


def test_training_data_is_never_unshuffled():
    with pytest.raises(ValueError, match=r"seed must be .*, got None"):
        load_fashion_mnist(4, seed=None)


def test_numpys_ints_and_the_largest_seed_will_do(numbered):
    assert len(Batches(*numbered, np.int64(4), seed=np.uint32(2**32 - 1))) == 3


@pytest.mark.parametrize(
    ("images", "labels", "message"),
    [
        (np.zeros((3, 28, 28), np.uint8), np.zeros(2, int), "must be as many, got 3 and 2"),
        (np.zeros((3, 28, 28)), np.zeros(3, int), r"images .* got float64 \(3, 28, 28\)"),
        (np.zeros((3, 784), np.uint8), np.zeros(3, int), r"images .* got uint8 \(3, 784\)"),
        (np.zeros((3, 28, 28), np.uint8), np.zeros(3), r"labels .* got float64 \(3,\)"),
        (np.zeros((3, 28, 28), np.uint8), np.zeros((3, 1), int), r"labels .* int64 \(3, 1\)"),
    ],
)
def test_arrays_must_fit(images, labels, message):
    with pytest.raises(ValueError, match=message):
        Batches(images, labels, 2)


def test_the_chapters_batches(arrays):
    train_iter, test_iter = load_fashion_mnist(256, data_dir=REAL, seed=SEED)
    assert (len(train_iter), train_iter.num_examples) == (235, 60000)
    assert (len(test_iter), test_iter.num_examples) == (40, 10000)
    shapes = [X.shape for X, _ in train_iter]
    assert shapes == [(256, 1, 28, 28)] * 234 + [(96, 1, 28, 28)]
    tested = list(test_iter)
    assert tested[-1][0].shape == (16, 1, 28, 28)
    y = np.concatenate([y.asnumpy() for _, y in tested])
    assert np.array_equal(y, arrays["t10k-labels-idx1-ubyte"])
    again, _ = load_fashion_mnist(256, data_dir=REAL, seed=SEED)
    order = np.random.RandomState(SEED).permutation(60000)[:256]
    (X, y), *_ = again
    assert np.array_equal(y.asnumpy(), arrays["train-labels-idx1-ubyte"][order])
    pixels = np.rint(X.asnumpy()[:, 0] * 255)
    assert np.array_equal(pixels, arrays["train-images-idx3-ubyte"][order])


def test_the_data_is_looked_for_where_files_says(tmp_path, monkeypatch):
    monkeypatch.setenv(files.DATA_VARIABLE, str(tmp_path))
    with pytest.raises(files.DataError, match=f"{tmp_path}: holds none"):
        load_fashion_mnist(256)
    with pytest.raises(files.DataError, match="/absent: no such folder"):
        load_fashion_mnist(256, data_dir="/absent")


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="reads Linux's /proc")
def test_loading_and_iterating_takes_little_memory():
    # Not resource.getrusage, which counts the memory of the process that started this one.
    code = (
        "from pathlib import Path\n"
        "from d2l_lrsched.data import load_fashion_mnist\n"
        f"for batches in load_fashion_mnist(256, data_dir={str(REAL)!r}):\n"
        "    for X, y in batches:\n"
        "        X.wait_to_read()\n"
        "print(Path('/proc/self/status').read_text().partition('VmHWM:')[2].split()[0])\n"
    )
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", code],
        cwd=Path(files.__file__).parents[2],
        check=True,
        capture_output=True,
        text=True,
    )
    assert int(done.stdout) < 500_000  # KiB


@pytest.mark.parametrize(
    "view",
    [
        lambda images: images.transpose(0, 2, 1),  # as EMNIST needs it
        lambda images: np.rot90(images, axes=(1, 2)),
        np.asfortranarray,
        lambda images: images[:, ::-1],
    ],
)
def test_images_of_any_layout_will_do(images, labels, view):
    given = view(images)
    assert_same(Batches(given, labels, 64), Batches(given.copy(order="C"), labels, 64), 5)


def test_another_split_has_the_pools_other_examples(monkeypatch, arrays):
    """Of the seed that `split.rows` takes."""
    few = {name: array[:700] for name, array in arrays.items()}
    monkeypatch.setattr(files, "load", lambda data_dir, release: few)
    pool_x, pool_y = (
        np.concatenate([few[f"{which}-{what}"] for which in ("train", "t10k")])
        for what in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )
    train_rows, test_rows = rows(3, pool_y, 700)
    train, test = load_fashion_mnist(256, split=3)
    assert np.array_equal(train.images, pool_x[train_rows])
    assert np.array_equal(test.images, pool_x[test_rows])
    assert np.array_equal(test.labels, pool_y[test_rows])
    assert not np.array_equal(train.images, load_fashion_mnist(256)[0].images)


def test_held_out_examples_are_tested_on_and_not_trained(monkeypatch, arrays):
    """Of the training examples; the test set's are nowhere."""
    few = {name: array[:700] for name, array in arrays.items()}
    monkeypatch.setattr(files, "load", lambda data_dir, release: few)
    train_x, train_y = few["train-images-idx3-ubyte"], few["train-labels-idx1-ubyte"]
    kept, held = held_out_rows(100, train_y)
    train, test = load_fashion_mnist(256, held_out=100, seed=3)
    assert (train.num_examples, test.num_examples) == (600, 100)
    for batches, of in ((train, kept), (test, held)):
        assert np.array_equal(batches.images, train_x[of])
        assert np.array_equal(batches.labels, train_y[of])
    assert len({*map(bytes, train.images)} & {*map(bytes, test.images)}) == 0
    order = [y.asnumpy() for _, y in test]
    assert np.array_equal(np.concatenate(order), test.labels), "in their own order"


@pytest.mark.parametrize(
    "chosen",
    [
        {"release": "2017-08-31"},
        {"split": -1},
        {"split": 1.5},
        {"held_out": -10},
        {"held_out": 0.5},
        {"held_out": 60_000},
    ],
)
def test_what_cannot_be_chosen_is_named(chosen):
    with pytest.raises(ValueError, match=f"{next(iter(chosen))} must be"):
        load_fashion_mnist(256, **chosen)
