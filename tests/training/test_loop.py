from __future__ import annotations

import math
import threading

import mxnet as mx
import numpy as onp
import pytest
from d2l import mxnet as d2l
from mxnet import autograd, gluon, init, lr_scheduler, np, npx

from d2l_lrsched.nets.lenet import lenet
from d2l_lrsched.nets.resnet import small_resnet
from d2l_lrsched.schedulers import PerEpoch, PlateauScheduler, WarmupScheduler
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
    history = loop.train(net, *small_iters(), 2, LOSS, sgd(net, **settings()), CTX, display="none")
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
    history = loop.train(
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
    loop.train(
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
    history = loop.train(
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
        history = loop.train(
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
    nets, histories = [], []
    for what in (spoil, None):
        net = new_net()
        nets.append(net)
        train_iter, test_iter = small_iters()
        batches = Poisoned(train_iter, what)
        history = loop.train(
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
        loop.train(
            net, Poisoned(train_iter, "images"), test_iter, 2, LOSS, sgd(net, learning_rate=0.1),
            CTX, clip_norm=1, display="none",
        )  # fmt: skip
    assert all(onp.isfinite(p).all() for p in parameters(net))


@pytest.mark.parametrize("clip_norm", [0, -1, math.inf, math.nan, "1", True])
def test_a_bad_threshold(small_iters, clip_norm):
    net = new_net()
    with pytest.raises(ValueError, match=f"clip_norm must be .*, got {clip_norm!r}"):
        loop.train(net, *small_iters(), 1, LOSS, sgd(net), CTX, clip_norm=clip_norm)


def test_an_unknown_way_with_what_is_not_finite(small_iters):
    net = new_net()
    with pytest.raises(ValueError, match="nonfinite must be 'raise' or 'skip', got 'stop'"):
        loop.train(net, *small_iters(), 1, LOSS, sgd(net), CTX, nonfinite="stop")


def test_learning_rates_of_first_and_last_update(small_iters):
    net = new_net()
    trainer = sgd(net, lr_scheduler=SquareRootScheduler(lr=1.0))
    history = loop.train(net, *small_iters(), 2, LOSS, trainer, CTX, display="none")
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
    loop.train(net, *small_iters(), 1, LOSS, sgd(net, learning_rate=1e-12), CTX, display="none")
    conv, bias, *_ = parameters(net)
    bound = math.sqrt(3 / ((1 * 25 + 6 * 25) / 2))  # magnitude 3, average of fan in and out
    assert 0.8 * bound < abs(conv).max() <= bound * (1 + 1e-6)
    assert abs(bias).max() < 1e-9


def test_a_dead_network_is_named_collapsed(small_iters, capsys):
    """One huge step kills every relu; from then on all images get the same scores."""
    net = new_net()
    history = loop.train(
        net, *small_iters(), 2, LOSS, sgd(net, lr_scheduler=lambda n: 100.0 if n == 1 else 1e-3),
        CTX, display="lines",
    )  # fmt: skip
    assert history.outcome == "collapsed"
    assert history.outcome == "collapsed"
    assert all(e.score_spread < 0.01 for e in history.epochs)
    closing = capsys.readouterr().out.splitlines()[-1]
    assert closing.endswith("(collapsed: every test image gets the same scores since epoch 1)")


def test_a_non_finite_run_stops_and_is_named(small_iters, capsys):
    net = new_net()
    history = loop.train(
        net, *small_iters(), 3, LOSS, sgd(net, learning_rate=1e30), CTX, display="lines"
    )
    assert history.outcome == "non-finite"
    assert history.outcome != "collapsed"
    assert len(history.epochs) == 1
    closing = capsys.readouterr().out.splitlines()[-1]
    assert closing.startswith("train loss nan, train acc 0.")
    assert closing.endswith("(non-finite: stopped after epoch 1)")


@pytest.mark.parametrize("num_epochs", [0, -1, 1.5, True, "3", None])
def test_a_bad_number_of_epochs(small_iters, num_epochs):
    net = new_net()
    with pytest.raises(ValueError, match=f"num_epochs must be an integer >= 1, got {num_epochs!r}"):
        loop.train(net, *small_iters(), num_epochs, LOSS, sgd(net), CTX)


@pytest.mark.parametrize("which", ["train_iter", "test_iter"])
def test_an_empty_iterator(small_iters, which):
    iters = dict(zip(("train_iter", "test_iter"), small_iters()), **{which: []})
    net = new_net()
    with pytest.raises(ValueError, match=f"{which} must hold at least one batch"):
        loop.train(net, num_epochs=1, loss=LOSS, trainer=sgd(net), ctx=CTX, display="none", **iters)


def test_accuracy_and_spread_of_the_test_set_are_numpys():
    """A class's extremes lie in different batches, and the widest class is not the first."""
    scores = onp.random.RandomState(0).normal(size=(11, 10)).astype("float32")
    scores[2, 4], scores[9, 4], scores[5, 0] = -7.0, 6.0, 4.0
    labels = onp.arange(11, dtype="int32") % 10
    starts = (0, 4, 8)
    batches = [(np.array(scores[i : i + 4]), np.array(labels[i : i + 4])) for i in starts]
    accuracy, spread = loop._evaluate(lambda X: X, batches)
    assert accuracy == (scores.argmax(axis=1) == labels).mean()
    assert spread == (scores.max(axis=0) - scores.min(axis=0)).max() == 13.0


def test_clipping_leaves_out_what_has_no_gradient(small_iters):
    """BatchNorm's running statistics are parameters that no update changes."""
    net = small_resnet()
    net.initialize(ctx=CTX)
    history = loop.train(
        net, *small_iters(), 1, LOSS, sgd(net, learning_rate=0.1), CTX, clip_norm=1, display="none"
    )
    assert history.epochs[0].skipped == 0
    assert 0 < history.epochs[0].norm_median < math.inf


class Batches:
    """Batches in a list, of any kind, given anew or not."""

    def __init__(self, batches, begin=iter, length=None):
        self._batches, self._begin = batches, begin
        self._length = len(batches) if length is None else length

    def __len__(self):
        return self._length

    def __iter__(self):
        return self._begin(self._batches)


def batch(examples=4, labels=None):
    labels = (examples,) if labels is None else labels
    return np.zeros((examples, 1, 28, 28)), np.zeros(labels, dtype="int32")


class NeverTrained(gluon.Trainer):
    def step(self, *arguments, **settings):
        raise AssertionError("an update came before the error")


def train_on(train_iter, test_iter=None, net=None, num_epochs=2, loss=LOSS, **settings):
    net = net or new_net()
    settings = settings or {"learning_rate": 0.1}
    trainer = NeverTrained(net.collect_params(), "sgd", settings)
    test_iter = Batches([batch()]) if test_iter is None else test_iter
    return loop.train(net, train_iter, test_iter, num_epochs, loss, trainer, CTX, display="none")


@pytest.mark.parametrize("which", ["train_iter", "test_iter"])
@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (Batches([batch(0), batch()]), r"got \(0, 1, 28, 28\) and \(0,\) as batch 1"),
        (Batches([batch(4, (4, 1))]), r"got \(4, 1, 28, 28\) and \(4, 1\) as batch 1"),
        (Batches([batch(4, (3,))]), r"got \(4, 1, 28, 28\) and \(3,\) as batch 1"),
        (Batches([], length=3), r" many batches .* its length of 3 says, got 0"),
    ],
)
def test_batches_that_cannot_be_are_refused_before_any_update(which, spoilt, message):
    iters = {"train_iter": Batches([batch()]), which: spoilt}
    with pytest.raises(ValueError, match=f"^{which} must give .*{message}"):
        train_on(**iters)


@pytest.mark.parametrize("which", ["train_iter", "test_iter"])
def test_an_iterator_is_refused_at_once_unless_there_is_one_epoch(which):
    class Generated:
        """As tqdm(generator, total=1), and itself the iterator."""

        def __init__(self):
            self._left = [batch()]

        def __len__(self):
            return 1

        def __iter__(self):
            return self

        def __next__(self):
            if not self._left:
                raise StopIteration
            return self._left.pop()

    with pytest.raises(ValueError, match=f"^{which} must begin anew with every iter"):
        train_on(**{"train_iter": Batches([batch()]), which: Generated()})
    net = new_net()
    iters = {"train_iter": Batches([batch()]), "test_iter": Batches([batch()]), which: Generated()}
    trainer = sgd(net, learning_rate=0.1)
    history = loop.train(
        net, num_epochs=1, loss=LOSS, trainer=trainer, ctx=CTX, display="none", **iters
    )
    assert len(history.epochs) == 1


@pytest.mark.parametrize("which", ["train_iter", "test_iter"])
def test_an_iterable_that_is_used_up_is_named_and_the_net_keeps_what_it_learned(small_iters, which):
    """It gives out one and the same iterator, which nothing shows beforehand."""
    iters = dict(zip(("train_iter", "test_iter"), small_iters()))
    iters[which] = Batches(iter(list(iters[which])), length=len(iters[which]))
    of_one_epoch = new_net()
    loop.train(
        of_one_epoch, *small_iters(), 1, LOSS, sgd(of_one_epoch, learning_rate=0.1), CTX,
        display="none",
    )  # fmt: skip
    net = new_net()
    with pytest.raises(ValueError, match=f"^{which} must give as many .* got 0: is it an iterator"):
        loop.train(
            net, num_epochs=2, loss=LOSS, trainer=sgd(net, learning_rate=0.1), ctx=CTX,
            display="none", **iters,
        )  # fmt: skip
    if which == "train_iter":
        assert_same_parameters(net, of_one_epoch)


def net_of(*blocks):
    net = gluon.nn.Sequential()
    net.add(*blocks)
    net.initialize()
    return net


def test_scores_and_losses_of_other_shapes_are_refused_before_any_update():
    batches = Batches([batch()])
    flat = net_of(gluon.nn.Conv2D(10, 28))  # scores (4, 10, 1, 1)
    with pytest.raises(ValueError, match=r"^net must give scores \(4, classes\), got \(4, 10, 1"):
        train_on(batches, net=flat, loss=lambda y_hat, y: y_hat.sum(axis=(1, 2, 3)))
    with pytest.raises(ValueError, match=r"^loss must give one loss .* \(4,\), got \(4, 10\)"):
        train_on(batches, loss=lambda y_hat, y: y_hat)
    with pytest.raises(ValueError, match=r"^loss must give one loss .* \(4,\), got \(\)"):
        train_on(batches, loss=lambda y_hat, y: LOSS(y_hat, y).mean())


def test_a_scheduler_for_another_run_is_refused_before_any_update():
    batches = Batches([batch(), batch()])
    with pytest.raises(ValueError, match="updates_per_epoch=235, and train_iter has 2 batches"):
        train_on(batches, lr_scheduler=PerEpoch(SquareRootScheduler(), 235))
    told = PlateauScheduler()
    told.tell(1.0, 20)
    with pytest.raises(ValueError, match="told of update 20, and the training begins after 0"):
        train_on(batches, lr_scheduler=WarmupScheduler(told, 1))


def test_what_is_clipped_and_measured_is_what_the_trainer_updates(small_iters):
    """Only the last layer is trained: its gradient alone makes the norm."""
    clipped_alone, everything = new_net(), new_net()
    last = list(clipped_alone.collect_params().values())[-2:]
    trainer = gluon.Trainer(last, "sgd", {"learning_rate": 0.1})
    before = {}

    class Watch(Display):
        def epoch(self, *numbers):
            before.setdefault("parameters", parameters(clipped_alone)[:-2])

    history = loop.train(
        clipped_alone, *small_iters(), 1, LOSS, trainer, CTX, clip_norm=1e-3, display=Watch()
    )
    of_all = loop.train(
        everything, *small_iters(), 1, LOSS, sgd(everything, learning_rate=1e-9), CTX,
        clip_norm=1e-3, display="none",
    )  # fmt: skip
    assert 0 < history.epochs[0].norm_max < of_all.epochs[0].norm_max
    assert history.epochs[0].clipped == 1
    # Each update is as long as rate times threshold: 51 of them are at most 51 times that.
    mx.random.seed(0)
    begun = new_net()
    begun.initialize(force_reinit=True, ctx=CTX, init=init.Xavier())
    begun(np.zeros((1, 1, 28, 28)))
    moved = [a - b for a, b in zip(parameters(clipped_alone), parameters(begun))]
    assert all((change == 0).all() for change in moved[:-2])
    assert math.sqrt(sum((change**2).sum() for change in moved[-2:])) <= 51 * 0.1 * 1e-3 * 1.001


def test_a_table_of_numpys_rates_trains(small_iters, tmp_path):
    """The rates that History keeps are Python's own numbers, which a checkpoint can hold."""
    rates = onp.linspace(0.3, 0.01, 100).astype("float32")
    net = new_net()
    history = loop.train(
        net, *small_iters(), 1, LOSS, sgd(net, lr_scheduler=lambda n: rates[min(n, 99)]), CTX,
        display="none", checkpoint=Checkpoint(tmp_path / "run.npz", {}),
    )  # fmt: skip
    assert type(history.epochs[0].lr_first) is float
    assert history.epochs[0].lr_first == float(rates[1])
    assert (tmp_path / "run.npz").exists()


def test_a_thread_without_numpy_semantics_is_told_what_to_call(small_iters):
    iters, net, errors = small_iters(), new_net(), []

    def work():
        try:
            loop.train(net, *iters, 1, LOSS, sgd(net, learning_rate=0.1), CTX, display="none")
        except RuntimeError as error:
            errors.append(str(error))

    thread = threading.Thread(target=work)
    thread.start()
    thread.join()
    assert len(errors) == 1
    assert "call mxnet.npx.set_np() in it" in errors[0]


def test_the_display_is_told_everything(small_iters):
    told = []

    class Told(Display):
        def progress(self, point, lr):
            told.append(("progress", point, lr))

        def epoch(self, number, epoch):
            told.append(("epoch", number, epoch))

        def close(self, line):
            told.append(("close", line))

    net = new_net()
    history = loop.train(
        net, *small_iters(), 1, LOSS, sgd(net, learning_rate=0.05), CTX, display=Told()
    )
    point, epoch = history.points[0], history.epochs[0]
    assert point.epoch == 49 / 51
    assert told == [
        ("progress", point, 0.05),
        ("epoch", 1, epoch),
        ("close", str(history)),
    ]
