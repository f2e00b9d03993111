from __future__ import annotations

import math

import mxnet as mx
import numpy as onp
import pytest
from d2l import mxnet as d2l
from mxnet import autograd, gluon, init, lr_scheduler, np, npx

from d2l_lrsched import training
from d2l_lrsched.display import Silent
from d2l_lrsched.model import lenet
from d2l_lrsched.schedulers.scratch import SquareRootScheduler

npx.set_np()
CTX = d2l.try_gpu()
LOSS = gluon.loss.SoftmaxCrossEntropyLoss()


def new_net(seed=0):
    mx.random.seed(seed)
    net = lenet()
    net.initialize(ctx=CTX)
    return net


def sgd(net, **settings):
    return gluon.Trainer(net.collect_params(), "sgd", settings)


def books_loaders(iters, seed=0):
    """The book's DataLoaders over the same images: ToTensor image by image, global shuffling."""
    onp.random.seed(seed)
    to_tensor = gluon.data.vision.transforms.ToTensor()
    return [
        gluon.data.DataLoader(
            gluon.data.ArrayDataset(
                np.array(it.images[..., None], dtype="uint8"), it.labels.astype("int32")
            ).transform_first(to_tensor),
            it.batch_size,
            shuffle=shuffle,
        )
        for it, shuffle in zip(iters, (True, False))
    ]


def books_loop(net, loaders, num_epochs, trainer):
    """Section 11.15.1 as it computes, with d2l's helpers, every batch read at once."""
    train_loader, test_loader = loaders
    net.initialize(force_reinit=True, ctx=CTX, init=init.Xavier())
    points, epochs = [], []
    for epoch in range(num_epochs):
        totals = d2l.Accumulator(3)
        for batch, (images, labels) in enumerate(train_loader):
            images, labels = images.as_in_ctx(CTX), labels.as_in_ctx(CTX)
            with autograd.record():
                scores = net(images)
                losses = LOSS(scores, labels)
            losses.backward()
            trainer.step(images.shape[0])
            totals.add(losses.sum(), d2l.accuracy(scores, labels), images.shape[0])
            averages = totals[0] / totals[2], totals[1] / totals[2]
            if (batch + 1) % 50 == 0:
                points.append((epoch + batch / len(train_loader), *averages))
        epochs.append((*averages, d2l.evaluate_accuracy_gpu(net, test_loader)))
    return points, epochs


def parameters(net):
    return [p.data().asnumpy() for p in net.collect_params().values()]


def assert_same_parameters(ours, theirs):
    for a, b in zip(parameters(ours), parameters(theirs)):
        assert a.tobytes() == b.tobytes()


@pytest.mark.parametrize(
    "settings",
    [
        lambda: {"learning_rate": 0.3},
        lambda: {"lr_scheduler": SquareRootScheduler(lr=1.0)},
        lambda: {"lr_scheduler": lr_scheduler.MultiFactorScheduler([15, 30], 0.5, 0.5)},
    ],
    ids=["constant", "square-root", "mxnet-multi-factor"],
)
def test_every_bit_is_that_of_the_books_loop(small_iters, settings):
    net = new_net()
    history = training.train(
        net, *small_iters(), 2, LOSS, sgd(net, **settings()), CTX, display="none"
    )
    books_net = new_net()
    points, epochs = books_loop(
        books_net, books_loaders(small_iters()), 2, sgd(books_net, **settings())
    )
    assert_same_parameters(net, books_net)
    assert [(p.epoch, p.train_loss, p.train_acc) for p in history.points] == points
    assert len(points) == 2
    assert [(e.train_loss, e.train_acc, e.test_acc) for e in history.epochs] == epochs


def test_every_bit_is_that_of_d2l_train_ch6(small_iters, monkeypatch, capsys):
    """The installed package's own loop, which the chapter says it is almost identical to."""
    drawn = []

    class Animator:
        def __init__(self, **kwargs): ...

        def add(self, x, y):
            drawn.append((x, y))

    monkeypatch.setattr(d2l, "Animator", Animator)
    net, books_net = new_net(), new_net()
    mx.random.seed(0)
    history = training.train(
        net, *small_iters(), 2, LOSS, sgd(net, learning_rate=0.3), CTX, display="none"
    )
    mx.random.seed(0)
    d2l.train_ch6(books_net, *books_loaders(small_iters()), 2, 0.3, CTX)
    assert_same_parameters(net, books_net)
    assert drawn[-1] == (2, (None, None, history.epochs[-1].test_acc))
    last = history.epochs[-1]
    assert drawn[-2] == (2.0, (last.train_loss, last.train_acc, None))


@pytest.mark.parametrize(("clip_norm", "a_batch"), [(None, 2), (0.5, 3)])
def test_nothing_is_read_from_the_device_within_an_epoch_but_at_display_points(
    small_iters, monkeypatch, clip_norm, a_batch
):
    """Every host read of MXNet arrays goes through asnumpy (float() and item() too)."""
    waits = []
    asnumpy = np.ndarray.asnumpy
    monkeypatch.setattr(np.ndarray, "asnumpy", lambda a: waits.append(a.size) or asnumpy(a))
    batches_read = []

    class Watched:
        def __init__(self, batches):
            self._batches = batches

        def __len__(self):
            return len(self._batches)

        def __iter__(self):
            for i, batch in enumerate(self._batches):
                batches_read.append((i, len(waits)))
                yield batch

    train_iter, test_iter = small_iters()
    net = new_net()
    training.train(
        net, Watched(train_iter), test_iter, 1, LOSS, sgd(net, learning_rate=0.1), CTX,
        clip_norm=clip_norm, display="none",
    )  # fmt: skip
    reads = dict(batches_read)
    assert reads[49] == reads[0] == 0, "read before the 50th batch was done"
    assert reads[50] == a_batch * 50, "50 losses, hits and norms read at the display point"
    assert len(waits) > reads[50]


def clipped_by_numpy(net, iters, num_epochs, rate, clip_norm):
    """The paper's 3.3 with norm, clipping and update by numpy in float64; all norms."""
    net.initialize(force_reinit=True, ctx=CTX, init=init.Xavier())
    norms = []
    for _ in range(num_epochs):
        for X, y in iters[0]:
            with autograd.record():
                losses = LOSS(net(X), y)
            losses.backward()
            mean = [p.grad().asnumpy().astype("float64") / len(X) for p in list_of(net)]
            norms.append(math.sqrt(sum((g**2).sum() for g in mean)))
            scale = min(1, clip_norm / norms[-1])
            for p, g in zip(list_of(net), mean):
                p.set_data(np.array(p.data().asnumpy() - rate * scale * g, dtype="float32"))
    return norms


def list_of(net):
    return list(net.collect_params().values())


def test_clipping_is_that_of_the_formula(small_iters):
    net = new_net()
    history = training.train(
        net, *small_iters(), 1, LOSS, sgd(net, learning_rate=0.1), CTX, clip_norm=2, display="none"
    )
    by_numpy = new_net()
    norms = clipped_by_numpy(by_numpy, small_iters(), 1, 0.1, 2)
    epoch = history.epochs[0]
    assert epoch.norm_median == pytest.approx(onp.median(norms), rel=1e-3)
    assert epoch.norm_max == pytest.approx(max(norms), rel=1e-3)
    assert epoch.clipped == onp.mean(onp.array(norms) > 2)
    assert 0 < epoch.clipped < 1
    assert epoch.skipped == history.skipped == 0
    for ours, theirs in zip(parameters(net), parameters(by_numpy)):
        onp.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_a_threshold_above_all_norms_changes_not_one_bit(small_iters):
    nets = []
    for clip_norm in (None, 1e6):
        net = new_net()
        nets.append(net)
        trainer = sgd(net, learning_rate=0.1)
        history = training.train(
            net, *small_iters(), 1, LOSS, trainer, CTX, clip_norm=clip_norm, display="none"
        )
    assert_same_parameters(*nets)
    assert history.epochs[0].clipped == 0
    assert 0 < history.epochs[0].norm_median < history.epochs[0].norm_max


class Poisoned:
    """Training batches, the fourth of which is spoilt, or left out, in the first epoch.

    Max pooling passes over a nan in the images: the loss stays finite, the gradient does not.
    """

    def __init__(self, batches, spoil):
        self._batches, self._which, self._spoil = batches, 3, spoil
        self.loss_factor = 1.0

    def __len__(self):
        return len(self._batches)

    def __iter__(self):
        which, self._which = self._which, None
        for i, (X, y) in enumerate(self._batches):
            if i != which:
                yield X, y
            elif self._spoil == "images":
                yield X * np.array(math.nan), y
            elif self._spoil == "loss":
                self.loss_factor = math.inf
                yield X, y
                self.loss_factor = 1.0

    def loss(self, y_hat, y):
        return LOSS(y_hat, y) * self.loss_factor


@pytest.mark.parametrize("spoil", ["images", "loss"])
def test_a_gradient_that_is_not_finite_is_skipped_and_counted(small_iters, spoil):
    """The parameters are those of a run without that batch, and the run goes on."""
    nets, histories = [], []
    for what in (spoil, None):
        net = new_net()
        nets.append(net)
        train_iter, test_iter = small_iters()
        batches = Poisoned(train_iter, what)
        history = training.train(
            net, batches, test_iter, 2, batches.loss, sgd(net, learning_rate=0.1), CTX,
            clip_norm=1, nonfinite="skip", display="none",
        )  # fmt: skip
        histories.append(history)
    assert_same_parameters(*nets)
    poisoned, without = histories
    assert [e.skipped for e in poisoned.epochs] == [1, 0]
    assert poisoned.skipped == 1
    assert without.skipped == 0
    assert math.isfinite(poisoned.epochs[0].train_loss) == (spoil == "images")
    assert poisoned.epochs[0].norm_max == without.epochs[0].norm_max
    assert poisoned.epochs[0].test_acc == without.epochs[0].test_acc
    assert poisoned.epochs[1].train_loss == without.epochs[1].train_loss
    assert poisoned.outcome == "trained"


def test_a_gradient_that_is_not_finite_ends_the_training_by_default(small_iters):
    net = new_net()
    train_iter, test_iter = small_iters()
    with pytest.raises(
        FloatingPointError, match=r"^batch 4 of the epoch: the gradient of conv\d+_weight is"
    ):
        training.train(
            net, Poisoned(train_iter, "images"), test_iter, 2, LOSS, sgd(net, learning_rate=0.1),
            CTX, clip_norm=1, display="none",
        )  # fmt: skip
    assert all(onp.isfinite(p).all() for p in parameters(net))


@pytest.mark.parametrize("clip_norm", [0, -1, math.inf, math.nan, "1", True])
def test_a_bad_threshold(small_iters, clip_norm):
    net = new_net()
    with pytest.raises(ValueError, match=f"clip_norm={clip_norm!r}: must be"):
        training.train(net, *small_iters(), 1, LOSS, sgd(net), CTX, clip_norm=clip_norm)


def test_an_unknown_way_with_what_is_not_finite(small_iters):
    net = new_net()
    with pytest.raises(ValueError, match="nonfinite='stop': must be one of 'raise', 'skip'"):
        training.train(net, *small_iters(), 1, LOSS, sgd(net), CTX, nonfinite="stop")


def test_learning_rates_of_first_and_last_update(small_iters):
    net = new_net()
    trainer = sgd(net, lr_scheduler=SquareRootScheduler(lr=1.0))
    history = training.train(net, *small_iters(), 2, LOSS, trainer, CTX, display="none")
    rates = [(e.lr_first, e.lr_last) for e in history.epochs]
    # 51 updates an epoch, the first is 1: 1 / sqrt(n + 1)
    assert rates == [
        pytest.approx((1 / math.sqrt(2), 1 / math.sqrt(52))),
        pytest.approx((1 / math.sqrt(53), 1 / math.sqrt(103))),
    ]


def test_it_initializes_anew_with_xavier(small_iters):
    """Whatever the net was, one epoch at (nearly) no rate leaves Xavier's uniform bounds."""
    net = new_net()
    net.initialize(init.Constant(7), force_reinit=True, ctx=CTX)
    training.train(net, *small_iters(), 1, LOSS, sgd(net, learning_rate=1e-12), CTX, display="none")
    conv, bias, *_ = parameters(net)
    bound = math.sqrt(3 / ((1 * 25 + 6 * 25) / 2))  # magnitude 3, average of fan in and out
    assert 0.8 * bound < abs(conv).max() <= bound * (1 + 1e-6)
    assert abs(bias).max() < 1e-9


def test_the_chapters_set_learning_rate(small_iters):
    net = new_net()
    trainer = sgd(net, learning_rate=0.3)
    training.train(net, *small_iters(), 1, LOSS, trainer, CTX, display="none")
    trainer.set_learning_rate(0.1)
    assert f"{trainer.learning_rate:.2f}" == "0.10"


def test_a_dead_network_is_named_collapsed(small_iters, capsys):
    """One huge step kills every relu; from then on all images get the same scores."""
    net = new_net()
    history = training.train(
        net, *small_iters(), 2, LOSS, sgd(net, lr_scheduler=lambda n: 100.0 if n == 1 else 1e-3),
        CTX, display="lines",
    )  # fmt: skip
    assert history.outcome == "collapsed"
    assert history.collapsed
    assert all(e.score_spread < 0.01 for e in history.epochs)
    closing = capsys.readouterr().out.splitlines()[-1]
    assert closing.endswith("(collapsed: every test image gets the same scores since epoch 1)")


def test_a_non_finite_run_stops_and_is_named(small_iters, capsys):
    net = new_net()
    history = training.train(
        net, *small_iters(), 3, LOSS, sgd(net, learning_rate=1e30), CTX, display="lines"
    )
    assert history.outcome == "non-finite"
    assert not history.collapsed
    assert len(history.epochs) == 1
    closing = capsys.readouterr().out.splitlines()[-1]
    assert closing.startswith("train loss nan, train acc 0.")
    assert closing.endswith("(non-finite: stopped after epoch 1)")


def test_a_live_network_did_not_collapse(small_iters):
    net = new_net()
    history = training.train(
        net, *small_iters(), 1, LOSS, sgd(net, learning_rate=0.05), CTX, display="none"
    )
    assert history.outcome == "trained"
    assert history.epochs[0].score_spread > 0.01


@pytest.mark.parametrize("num_epochs", [0, -1, 1.5, True, "3", None])
def test_a_bad_number_of_epochs(small_iters, num_epochs):
    net = new_net()
    with pytest.raises(ValueError, match=f"num_epochs={num_epochs!r}: must be an integer"):
        training.train(net, *small_iters(), num_epochs, LOSS, sgd(net), CTX)


@pytest.mark.parametrize("which", ["train_iter", "test_iter"])
def test_an_empty_iterator(small_iters, which):
    iters = dict(zip(("train_iter", "test_iter"), small_iters()), **{which: []})
    net = new_net()
    with pytest.raises(ValueError, match=f"{which} is empty"):
        training.train(
            net, num_epochs=1, loss=LOSS, trainer=sgd(net), ctx=CTX, display="none", **iters
        )


def test_the_display_is_told_everything(small_iters):
    told = []

    class Told(Silent):
        def progress(self, *numbers):
            told.append(("progress", *numbers))

        def epoch(self, *numbers):
            told.append(("epoch", *numbers))

        def close(self, line):
            told.append(("close", line))

    net = new_net()
    history = training.train(
        net, *small_iters(), 1, LOSS, sgd(net, learning_rate=0.05), CTX, display=Told()
    )
    point, epoch = history.points[0], history.epochs[0]
    assert told == [
        ("progress", 49 / 51, point.train_loss, point.train_acc, 0.05),
        ("epoch", 1, epoch.train_loss, epoch.train_acc, epoch.test_acc, 0.05),
        ("close", str(history)),
    ]
