from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import mxnet as mx
import numpy as onp
import pytest
from d2l import mxnet as d2l
from mxnet import autograd, gluon, init, lr_scheduler, np, npx

from d2l_lrsched.nets.lenet import lenet
from d2l_lrsched.nets.resnet import small_resnet
from d2l_lrsched.schedulers.scratch import SquareRootScheduler
from d2l_lrsched.training import loop
from d2l_lrsched.training.checkpoint import Checkpoint
from d2l_lrsched.training.display import Display

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


def train(iters, num_epochs=1, net=None, loss=LOSS, display="none", options=None, **settings):
    """Train a net, by default a new one, by sgd of these settings; return it and its history."""
    net = net or new_net()
    trainer = sgd(net, **(settings or {"learning_rate": 0.1}))
    arguments = (num_epochs, loss, trainer, CTX)
    return net, loop.train(net, *iters, *arguments, display=display, **(options or {}))


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
        lambda: {"lr_scheduler": SquareRootScheduler(lr=1.0)},
        lambda: {"lr_scheduler": lr_scheduler.MultiFactorScheduler([15, 30], 0.5, 0.5)},
    ],
    ids=["square-root", "mxnet-multi-factor"],
)
def test_every_bit_is_that_of_the_books_loop(small_iters, settings):
    net, history = train(small_iters(), 2, **settings())
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
    net, history = train(small_iters(), 2, learning_rate=0.3)
    books_net = new_net()
    d2l.train_ch6(books_net, *books_loaders(small_iters()), 2, 0.3, CTX)
    assert_same_parameters(net, books_net)
    assert drawn[-1] == (2, (None, None, history.epochs[-1].test_acc))
    last = history.epochs[-1]
    assert drawn[-2] == (2.0, (last.train_loss, last.train_acc, None))


@pytest.mark.parametrize(("clip_norm", "a_batch"), [(None, 2), (0.5, 4)])
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
    train([Watched(train_iter), test_iter], options={"clip_norm": clip_norm})
    reads = dict(batches_read)
    assert reads[49] == reads[0] == 0, "read before the 50th batch was done"
    assert reads[50] == a_batch * 50, "50 losses, hits, norms and squares read at the display point"
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
    net, history = train(small_iters(0, 104), options={"clip_norm": 2})
    by_numpy = new_net()
    norms = clipped_by_numpy(by_numpy, small_iters(0, 104), 1, 0.1, 2)
    epoch = history.epochs[0]
    assert epoch.norm_median == pytest.approx(onp.median(norms), rel=1e-3)
    assert epoch.norm_max == pytest.approx(max(norms), rel=1e-3)
    assert epoch.clipped == onp.mean(onp.array(norms) > 2)
    assert 0 < epoch.clipped < 1
    assert epoch.skipped == history.skipped == 0
    for ours, theirs in zip(parameters(net), parameters(by_numpy)):
        onp.testing.assert_allclose(ours, theirs, rtol=1e-3, atol=1e-4)


def test_a_threshold_above_all_norms_changes_not_one_bit(small_iters):
    unclipped, _ = train(small_iters(0, 72))
    net, history = train(small_iters(0, 72), options={"clip_norm": 1e6})
    assert_same_parameters(net, unclipped)
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
        left_out = self._spoil is None and self._which is not None  # in the epoch to come
        return len(self._batches) - left_out

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
    options = {"clip_norm": 1, "nonfinite": "skip"}
    made = []
    for what in (spoil, None):
        train_iter, test_iter = small_iters(0, 72)
        batches = Poisoned(train_iter, what)
        made.append(train([batches, test_iter], 2, loss=batches.loss, options=options))
    nets, (poisoned, without) = zip(*made)
    assert_same_parameters(*nets)
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
    train_iter, test_iter = small_iters(0, 72)
    batches = Poisoned(train_iter, "images")
    said = r"^batch 4 of the epoch: the gradient of conv\d+_weight is"
    with pytest.raises(FloatingPointError, match=said):
        train([batches, test_iter], 2, net=net, options={"clip_norm": 1})
    assert all(onp.isfinite(p).all() for p in parameters(net))


def test_learning_rates_of_first_and_last_update(small_iters):
    _, history = train(small_iters(0, 72), 2, lr_scheduler=SquareRootScheduler(lr=1.0))
    rates = [(e.lr_first, e.lr_last) for e in history.epochs]
    # 9 updates an epoch, the first is 1: 1 / sqrt(n + 1)
    assert rates == [
        pytest.approx((1 / math.sqrt(2), 1 / math.sqrt(10))),
        pytest.approx((1 / math.sqrt(11), 1 / math.sqrt(19))),
    ]


def test_it_initializes_anew_with_xavier(small_iters):
    """Whatever the net was, one epoch at (nearly) no rate leaves Xavier's uniform bounds."""
    net = new_net()
    net.initialize(init.Constant(7), force_reinit=True, ctx=CTX)
    train(small_iters(0, 72), net=net, learning_rate=1e-12)
    conv, bias, *_ = parameters(net)
    bound = math.sqrt(3 / ((1 * 25 + 6 * 25) / 2))  # magnitude 3, average of fan in and out
    assert 0.8 * bound < abs(conv).max() <= bound * (1 + 1e-6)
    assert abs(bias).max() < 1e-9


def test_a_dead_network_is_named_collapsed(small_iters, capsys):
    """One huge step kills every relu; from then on all images get the same scores."""
    rates = {"lr_scheduler": lambda n: 100.0 if n == 1 else 1e-3}
    _, history = train(small_iters(0, 72), 2, display="lines", **rates)
    assert history.outcome == "collapsed"
    assert all(e.score_spread < 0.01 for e in history.epochs)
    closing = capsys.readouterr().out.splitlines()[-1]
    assert closing.endswith("(collapsed: every test image gets the same scores since epoch 1)")


def test_a_non_finite_run_stops_and_is_named(small_iters, capsys):
    _, history = train(small_iters(0, 72), 3, display="lines", learning_rate=1e30)
    assert history.outcome == "non-finite"
    assert len(history.epochs) == 1
    closing = capsys.readouterr().out.splitlines()[-1]
    assert closing.startswith("train loss nan, train acc 0.")
    assert closing.endswith("(non-finite: stopped after epoch 1)")


def test_accuracy_and_spread_of_the_test_set_are_numpys():
    """A class's extremes lie in different batches, and the widest class is not the first."""
    scores = onp.random.RandomState(0).normal(size=(11, 10)).astype("float32")
    scores[2, 4], scores[9, 4], scores[5, 0] = -7.0, 6.0, 4.0
    labels = onp.arange(11, dtype="int32") % 10
    starts = (0, 4, 8)
    batches = [(np.array(scores[i : i + 4]), np.array(labels[i : i + 4])) for i in starts]
    accuracy, spread = loop._evaluate(lambda X: X, loop._Hits(), batches)
    assert accuracy == (scores.argmax(axis=1) == labels).mean()
    assert spread == (scores.max(axis=0) - scores.min(axis=0)).max() == 13.0


def test_clipping_leaves_out_what_has_no_gradient(small_iters):
    """BatchNorm's running statistics are parameters that no update changes."""
    net = small_resnet()
    net.initialize(ctx=CTX)
    _, history = train(small_iters(0, 72), net=net, options={"clip_norm": 1})
    assert history.epochs[0].skipped == 0
    assert 0 < history.epochs[0].norm_median < math.inf


def test_what_is_clipped_and_measured_is_what_the_trainer_updates(small_iters):
    """Only the last layer is trained: its gradient alone makes the norm."""
    clipped_alone = new_net()
    last = list(clipped_alone.collect_params().values())[-2:]
    trainer = gluon.Trainer(last, "sgd", {"learning_rate": 0.1})
    iters = small_iters(0, 72)
    history = loop.train(
        clipped_alone, *iters, 1, LOSS, trainer, CTX, clip_norm=1e-3, display="none"
    )
    _, of_all = train(iters, options={"clip_norm": 1e-3}, learning_rate=1e-9)
    assert 0 < history.epochs[0].norm_max < of_all.epochs[0].norm_max
    assert history.epochs[0].clipped == 1
    # Each update is as long as rate times threshold: 9 of them are at most 9 times that.
    mx.random.seed(0)
    begun = new_net()
    begun.initialize(force_reinit=True, ctx=CTX, init=init.Xavier())
    begun(np.zeros((1, 1, 28, 28)))
    moved = [a - b for a, b in zip(parameters(clipped_alone), parameters(begun))]
    assert all((change == 0).all() for change in moved[:-2])
    assert math.sqrt(sum((change**2).sum() for change in moved[-2:])) <= 9 * 0.1 * 1e-3 * 1.001


def test_a_table_of_numpys_rates_trains(small_iters, tmp_path):
    """The rates that History keeps are Python's own numbers, which a checkpoint can hold."""
    rates = onp.linspace(0.3, 0.01, 100).astype("float32")
    options = {"checkpoint": Checkpoint(tmp_path / "run.npz", {})}
    _, history = train(small_iters(0, 72), options=options, lr_scheduler=lambda n: rates[n])
    assert type(history.epochs[0].lr_first) is float
    assert history.epochs[0].lr_first == float(rates[1])
    assert (tmp_path / "run.npz").exists()


def test_a_thread_without_numpy_semantics_is_told_what_to_call(small_iters):
    iters, net = small_iters(0, 72), new_net()
    with ThreadPoolExecutor(1) as thread:
        told = thread.submit(train, iters, net=net)
        with pytest.raises(RuntimeError, match=r"call mxnet\.npx\.set_np\(\) in it"):
            told.result()


def test_the_display_is_told_everything(small_iters):
    told = []

    class Told(Display):
        def progress(self, point, lr):
            told.append(("progress", point, lr))

        def epoch(self, number, epoch):
            told.append(("epoch", number, epoch))

        def close(self, line):
            told.append(("close", line))

    _, history = train(small_iters(), display=Told(), learning_rate=0.05)
    point, epoch = history.points[0], history.epochs[0]
    assert point.epoch == 49 / 51
    assert told == [
        ("progress", point, 0.05),
        ("epoch", 1, epoch),
        ("close", str(history)),
    ]
