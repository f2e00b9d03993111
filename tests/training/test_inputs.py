"""What `train` refuses, and that it does so before any update."""

from __future__ import annotations

import pytest
from d2l import mxnet as d2l
from mxnet import gluon, np, npx

from d2l_lrsched.nets.lenet import lenet
from d2l_lrsched.schedulers import PerEpoch, PlateauScheduler, SquareRootScheduler, WarmupScheduler
from d2l_lrsched.training import loop

npx.set_np()
CTX = d2l.try_gpu()
LOSS = gluon.loss.SoftmaxCrossEntropyLoss()
each_iterable = pytest.mark.parametrize("which", ["train_iter", "test_iter"])


class Batches:
    """Batches in a list, of any kind, given anew or not."""

    def __init__(self, batches, length=None):
        self._batches = batches
        self._length = len(batches) if length is None else length

    def __len__(self):
        return self._length

    def __iter__(self):
        return iter(self._batches)


class Generated(Batches):
    """As tqdm(generator, total=1), itself the iterator."""

    def __iter__(self):
        return self

    def __next__(self):
        if not self._batches:
            raise StopIteration
        return self._batches.pop()


def batch(examples=4, labels=None):
    labels = (examples,) if labels is None else labels
    return np.zeros((examples, 1, 28, 28)), np.zeros(labels, dtype="int32")


class NeverTrained(gluon.Trainer):
    def step(self, *arguments, **settings):
        raise AssertionError("an update came before the error")


def train(net=None, num_epochs=2, loss=LOSS, trainer=NeverTrained, options=None, **given):
    """Train on a batch, or what is given; other keywords are the optimizer's settings."""
    iters = {name: given.pop(name, Batches([batch()])) for name in ("train_iter", "test_iter")}
    net = net or net_of(lenet())
    trainer = trainer(net.collect_params(), "sgd", given or {"learning_rate": 0.1})
    given = {"num_epochs": num_epochs, "loss": loss, "trainer": trainer, "ctx": CTX}
    return loop.train(net, **iters, **given, display="none", **(options or {}))


def net_of(*blocks):
    net = gluon.nn.Sequential()
    net.add(*blocks)
    net.initialize()
    return net


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"options": {"clip_norm": 0}}, "clip_norm must be a finite number > 0, got 0"),
        ({"options": {"nonfinite": "stop"}}, "nonfinite must be 'raise' or 'skip', got 'stop'"),
        ({"num_epochs": 0}, "num_epochs must be an integer >= 1, got 0"),
        ({"train_iter": []}, "train_iter must hold at least one batch"),
        ({"test_iter": []}, "test_iter must hold at least one batch"),
    ],
)
def test_arguments_that_cannot_be(arguments, message):
    with pytest.raises(ValueError, match=message):
        train(**arguments)


@each_iterable
@pytest.mark.parametrize(
    ("spoilt", "message"),
    [
        (Batches([batch(0), batch()]), r"got \(0, 1, 28, 28\) and \(0,\) as batch 1"),
        (Batches([batch(4, (4, 1))]), r"got \(4, 1, 28, 28\) and \(4, 1\) as batch 1"),
        (Batches([batch(4, (3,))]), r"got \(4, 1, 28, 28\) and \(3,\) as batch 1"),
        (Batches([], length=3), r" many batches .* its length of 3 says, got 0"),
    ],
)
def test_batches_that_cannot_be(which, spoilt, message):
    with pytest.raises(ValueError, match=f"^{which} must give .*{message}"):
        train(**{which: spoilt})


@each_iterable
def test_an_iterator_is_refused_at_once_unless_there_is_one_epoch(which):
    with pytest.raises(ValueError, match=f"^{which} must begin anew with every iter"):
        train(**{which: Generated([batch()])})
    history = train(num_epochs=1, trainer=gluon.Trainer, **{which: Generated([batch()], 1)})
    assert len(history.epochs) == 1


@each_iterable
def test_an_iterable_that_is_used_up_is_named_and_the_net_keeps_what_it_learned(which):
    """It gives out one and the same iterator, which nothing shows beforehand."""
    net = net_of(gluon.nn.Dense(10))
    with pytest.raises(ValueError, match=f"^{which} must give as many .* got 0: is it an iterator"):
        train(net, trainer=gluon.Trainer, **{which: Batches(iter([batch()]), 1)})
    bias = net[0].bias.data()
    assert bias[0] > 0 > bias[1:].max()  # all labels are 0
    assert which == "test_iter" or abs(bias[0] - 0.09) < 1e-6  # one update: 0.1 * (1 - 1 / 10)


@pytest.mark.parametrize(
    ("given", "message"),
    [
        (
            {  # scores (4, 10, 1, 1)
                "net": net_of(gluon.nn.Conv2D(10, 28)),
                "loss": lambda y_hat, y: y_hat.sum(axis=(1, 2, 3)),
            },
            r"^net must give scores \(4, classes\), got \(4, 10, 1",
        ),
        (
            {"loss": lambda y_hat, y: y_hat},
            r"^loss must give one loss .* \(4,\), got \(4, 10\)",
        ),
        (
            {"loss": lambda y_hat, y: LOSS(y_hat, y).mean()},
            r"^loss must give one loss .* \(4,\), got \(\)",
        ),
    ],
)
def test_scores_and_losses_of_other_shapes(given, message):
    with pytest.raises(ValueError, match=message):
        train(**given)


def test_a_scheduler_for_another_run():
    with pytest.raises(ValueError, match="updates_per_epoch=235, and train_iter has 1 batches"):
        train(lr_scheduler=PerEpoch(SquareRootScheduler(), 235))
    told = PlateauScheduler()
    told.tell(1.0, 20)
    with pytest.raises(ValueError, match="told of update 20, and the training begins after 0"):
        train(lr_scheduler=WarmupScheduler(told, 1))
