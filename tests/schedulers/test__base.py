"""Every scheduler in a real `gluon.Trainer`."""

from __future__ import annotations

import copy
import warnings

import pytest
from mxnet import autograd, gluon, lr_scheduler, np, npx

from d2l_lrsched.schedulers import (
    CosineScheduler,
    FactorScheduler,
    LinearScheduler,
    MultiFactorScheduler,
    PerEpoch,
    PolyScheduler,
    SequentialScheduler,
    SquareRootScheduler,
    WarmupScheduler,
    builtin,
)

KEEP = [
    SquareRootScheduler(0.5),
    FactorScheduler(0.9, base_lr=0.5),
    LinearScheduler(3, 0.5, 0.1),
    PolyScheduler(3, 0.5),
    CosineScheduler(3, 0.5, 0.01),
    CosineScheduler(4, 0.5, 0.01, warmup_steps=2),
    WarmupScheduler(SquareRootScheduler(0.5), 3),
    WarmupScheduler(builtin.FactorScheduler(1, 0.5, base_lr=0.5), 2),
    SequentialScheduler([(LinearScheduler(2, 0.5), 2), SquareRootScheduler(0.5)]),
    PerEpoch(CosineScheduler(2, 0.5), 2),
]
TAKE = [
    builtin.FactorScheduler(2, 0.5, base_lr=0.5),
    builtin.FactorScheduler(1, 0.5, base_lr=0.5, warmup_steps=3),
    MultiFactorScheduler([1, 3], 0.5, 0.5),
    MultiFactorScheduler([1, 3], 0.5, 0.5, warmup_steps=2),
]


@pytest.fixture(autouse=True)
def _numpy_semantics():
    npx.set_np()


def rates_in_training(scheduler, optimizer, **options):
    """Train a tiny net; return the Trainer's rate before training and after each of 6 updates."""
    net = gluon.nn.Sequential()
    net.add(gluon.nn.Dense(3), gluon.nn.Dense(1))
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), optimizer, {"lr_scheduler": scheduler, **options})
    rates = [trainer.learning_rate]
    for _ in range(6):
        with autograd.record():
            loss = (net(np.ones((4, 2))) ** 2).sum()
        loss.backward()
        trainer.step(4)
        rates.append(trainer.learning_rate)
    return rates


def curve(scheduler):
    return [scheduler(n) for n in range(7)]


@pytest.mark.parametrize("scheduler", [*KEEP, *TAKE], ids=repr)
def test_sgd_follows_the_schedule(scheduler):
    scheduler = copy.deepcopy(scheduler)
    scheduler(10**4)  # a look at the end beforehand, as a plot takes it, must not matter
    assert rates_in_training(scheduler, "sgd") == curve(scheduler)
    # the same object serves for a second training
    assert rates_in_training(scheduler, "sgd", learning_rate=0.5) == curve(scheduler)


@pytest.mark.parametrize("scheduler", KEEP, ids=repr)
@pytest.mark.parametrize(
    ("optimizer", "options"), [("sgd", {"learning_rate": 0.2}), ("adam", {})], ids=["sgd", "adam"]
)
def test_an_optimizers_learning_rate_is_refused_with_one_warning(scheduler, optimizer, options):
    scheduler = copy.deepcopy(scheduler)
    expected = curve(scheduler)
    with pytest.warns(UserWarning, match=r"keeps its base_lr=0\.5 and ignores") as caught:
        assert rates_in_training(scheduler, optimizer, **options) == expected
    assert len(caught) == 1
    assert scheduler.base_lr == 0.5


@pytest.mark.parametrize("scheduler", [*KEEP, *TAKE], ids=repr)
def test_adam_follows_the_schedule_when_told_its_base_lr(scheduler):
    scheduler = copy.deepcopy(scheduler)
    assert rates_in_training(scheduler, "adam", learning_rate=0.5) == curve(scheduler)


@pytest.mark.parametrize("scheduler", TAKE, ids=repr)
@pytest.mark.parametrize(
    ("optimizer", "options", "rate"),
    [("sgd", {"learning_rate": 0.2}, 0.2), ("adam", {}, 0.001)],
    ids=["sgd", "adam"],
)
def test_factor_and_multi_factor_take_an_optimizers_learning_rate(
    scheduler, optimizer, options, rate
):
    rebuilt = type(scheduler)(**{**scheduler._arguments(), "base_lr": rate})
    scheduler = copy.deepcopy(scheduler)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert rates_in_training(scheduler, optimizer, **options) == curve(rebuilt)
    assert scheduler == rebuilt


@pytest.mark.parametrize("scheduler", [*KEEP, *TAKE], ids=repr)
def test_saved_trainer_states_bring_the_scheduler_back(scheduler, tmp_path):
    def trainer_with(given):
        net = gluon.nn.Dense(1)
        net.initialize()
        trainer = gluon.Trainer(net.collect_params(), "sgd", {"lr_scheduler": given})
        for _ in range(2):
            with autograd.record():
                loss = net(np.ones((4, 2))).sum()
            loss.backward()
            trainer.step(4)
        return trainer

    path = str(tmp_path / "states")
    trainer_with(copy.deepcopy(scheduler)).save_states(path)
    other = trainer_with(SquareRootScheduler(9))
    other.load_states(path)
    assert other.optimizer.lr_scheduler == scheduler
    assert other.learning_rate == scheduler(2)


def test_mxnets_isinstance_holds_for_the_wrapped_four():
    for scheduler in [*TAKE, PolyScheduler(3), CosineScheduler(3)]:
        assert isinstance(scheduler, lr_scheduler.LRScheduler)
