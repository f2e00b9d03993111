from __future__ import annotations

import json
import math
import subprocess
import sys
from collections import Counter

import mxnet as mx
import numpy as np
import pytest
from msgspec import json as msgspec_json

from d2l_lrsched.data.batches import Batches
from d2l_lrsched.nets.lenet import lenet
from d2l_lrsched.studies.chapter.builds import draws
from d2l_lrsched.studies.chapter.builds.draws import PLAN, Case
from d2l_lrsched.training import loop

mx.npx.set_np()

UPDATES = 30 * 235


def test_how_many_draws_of_each_experiment():
    """Crossed 32 x 5, 37 as the book is made, 20 splits x 2; at the constant 68 more.

    The book's weights of the constant are those of seed 0: five of its 37 orders are crossed, too,
    and so is one of the ten early ones.
    """
    published = 32 * 5 + 37 + 20 * 2
    assert Counter(case.experiment for case in PLAN) == {
        "constant": published - 5 + 68,
        **dict.fromkeys(("square-root", "multi-factor", "cosine", "cosine-warmup"), published),
        "square-root-per-epoch": 30,
        "multi-factor-per-epoch": 30,
        "cosine-per-epoch": 30,
        "cosine-warmup-per-epoch": 30,
        "gentler-square-root": 20 * 3 + 10,
        "gentler-cosine": 20 * 3 + 10,
        "gentler-cosine-warmup": 20 * 3 + 10,
        "early-constant": 30 + 10 - 1,
    }
    assert len({*PLAN}) == len(PLAN) == 1617


def test_weights_and_orders_are_crossed():
    for name in ("constant", "cosine-warmup"):
        of = {(c.weights, c.order) for c in PLAN if c.experiment == name and c.split is None}
        assert {(str(w), order) for w in range(32) for order in range(5)} <= of


@pytest.mark.parametrize(
    ("name", "weights", "orders"),
    [
        ("constant", "0", 37),
        ("square-root", "unseeded-2", 37),
        ("multi-factor", "unseeded-3", 37),
        ("cosine", "unseeded-4", 37),
        ("cosine-warmup", "unseeded-5", 37),
        ("gentler-square-root", "unseeded-2", 10),
        ("gentler-cosine", "unseeded-4", 10),
        ("gentler-cosine-warmup", "unseeded-5", 10),
        ("early-constant", "0", 10),
    ],
)
def test_the_books_weights_are_those_of_its_place_among_the_five(name, weights, orders):
    of = [c for c in PLAN if (c.experiment, c.weights, c.split) == (name, weights, None)]
    assert sorted(c.order for c in of) == [*range(orders)]
    others = {c.weights for c in PLAN if c.experiment == name} - {weights}
    assert not any(other.startswith("unseeded") for other in others)


def test_what_has_a_split_is_drawn_on_todays_too():
    split = [case for case in PLAN if case.split is not None]
    assert len(split) == 5 * 20 * 2
    assert {(c.split, c.order) for c in split} == {(s, o) for s in range(20) for o in range(2)}
    for case in split:
        assert case.weights == str(case.split)
        assert Case(case.experiment, case.weights, case.order) in PLAN


def test_the_draws_are_those_of_the_plan_each_once():
    made = draws.read()
    assert Counter(draw.case for draw in made) == Counter(PLAN)
    for draw in made:
        epochs = 40 if draw.case.experiment.startswith("early-") else 30
        assert {*map(len, (draw.train_loss, draw.train_acc, draw.test_acc))} == {epochs}
        assert {*draw.collapsed} <= {*range(1, epochs + 1)}
        assert draw.key == draw.case


BOOK = """
import sys
import numpy
from mxnet import gluon, init, np, npx
from mxnet.gluon import nn
npx.set_np()
drawn = []
for _ in range(2):
    net = nn.HybridSequential()
    net.add(nn.Conv2D(channels=6, kernel_size=5, padding=2, activation="relu"),
            nn.MaxPool2D(pool_size=2, strides=2),
            nn.Conv2D(channels=16, kernel_size=5, activation="relu"),
            nn.MaxPool2D(pool_size=2, strides=2),
            nn.Dense(120, activation="relu"),
            nn.Dense(84, activation="relu"),
            nn.Dense(10))
    net.hybridize()
    net.initialize(force_reinit=True, init=init.Xavier())
    net(np.zeros((1, 1, 28, 28)))
    drawn.append(numpy.concatenate([getattr(net[i], p).data().asnumpy().ravel()
                                    for i in (0, 2, 4, 5, 6) for p in ("weight", "bias")]))
numpy.save(sys.argv[1], drawn)
"""


def test_unseeded_weights_are_those_of_a_new_process_in_turn(tmp_path):
    """The chapter's own code; this process has drawn before, and is seeded."""
    mx.random.seed(9)
    mx.np.random.uniform(size=3)
    subprocess.run([sys.executable, "-W", "ignore", "-c", BOOK, tmp_path / "w.npy"], check=True)
    first, second = np.load(tmp_path / "w.npy")
    assert first.dtype == np.float32
    assert first.shape == (61_706,)
    assert draws.weights("0").tobytes() == first.tobytes()
    assert draws.weights("unseeded-2").tobytes() == second.tobytes()
    five = {draws.weights(name).tobytes() for name in draws.UNSEEDED}
    assert len(five) == 5


def test_weights_are_those_that_train_begins_with():
    """`train` at a rate of 0 leaves them as they were."""
    images = np.zeros((8, 28, 28), np.uint8)
    batches = Batches(images, np.zeros(8, int), 8)
    for seed in (0, 31):
        net = lenet()
        net.initialize()
        mx.random.seed(seed)
        trainer = mx.gluon.Trainer(net.collect_params(), "sgd", {"learning_rate": 0.0})
        loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()
        loop.train(net, batches, batches, 1, loss, trainer, mx.cpu(), display="none")
        flat = [p.data().asnumpy().ravel() for p in net.collect_params().values()]
        assert draws.weights(str(seed)).tobytes() == np.concatenate(flat).tobytes()


def cosine(base, n, over):
    """From base to 0.01 over so many updates, of which n are past; 0.01 from then on."""
    return 0.01 + (base - 0.01) * (1 + math.cos(math.pi * min(n, over) / over)) / 2


def warm(base, n, over):
    """Five updates of warmup, and the cosine over the rest."""
    return base * n / 5 if n < 5 else cosine(base, n - 5, over - 5)


def of_epoch(n):
    """The epoch, from 0 on, of update n, from 1 on."""
    return (n - 1) // 235


#: Experiment -> the rate of update n, the first of which is 1.
RATES = {
    "constant": lambda n: 0.3,
    "square-root": lambda n: 1 / math.sqrt(n + 1),
    "multi-factor": lambda n: 0.25 if n <= 30 else 0.125,
    "cosine": lambda n: cosine(0.5, n, 20),
    "cosine-warmup": lambda n: warm(0.5, n, 20),
    "square-root-per-epoch": lambda n: 1 / math.sqrt(of_epoch(n) + 1),
    "multi-factor-per-epoch": lambda n: 0.5 if of_epoch(n) <= 15 else 0.25,
    "cosine-per-epoch": lambda n: cosine(0.5, of_epoch(n), 20),
    "cosine-warmup-per-epoch": lambda n: warm(0.5, of_epoch(n), 20),
    "gentler-square-root": lambda n: 0.1 / math.sqrt(n + 1),
    "gentler-cosine": lambda n: cosine(0.3, n, 20),
    "gentler-cosine-warmup": lambda n: warm(0.3, n, 20),
    "early-constant": lambda n: 0.5,
    "early-square-root": lambda n: 1 / math.sqrt(n + 1),
    # The plot of 40 epochs has passed both steps.
    "early-multi-factor": lambda n: 0.125,
    "early-cosine": lambda n: cosine(0.5, n, 40),
    "early-cosine-warmup": lambda n: warm(0.5, n, 40),
}


@pytest.mark.parametrize("name", RATES)
def test_rates(name):
    updates = 40 * 235 if name.startswith("early-") else UPDATES
    expected = [RATES[name](n) for n in range(1, updates + 1)]
    np.testing.assert_allclose(draws.rates(name), expected, rtol=1e-12)


def test_every_experiment_of_the_plan_has_its_rates_here():
    assert {case.experiment for case in PLAN} <= {*RATES}


@pytest.fixture
def small(monkeypatch, tmp_path):
    """A plan of five cases, and a file of draws that is not there yet."""
    plan = (
        Case("constant", "0", 3),
        Case("cosine", "unseeded-2", 4, 7),
        Case("constant", "unseeded-2", 5),
        Case("early-constant", "0", 6),
        Case("constant", "1", 0),
    )
    fill = {"0": 0.0, "unseeded-2": 2.0, "1": 1.0}
    monkeypatch.setattr(draws, "PLAN", plan)
    monkeypatch.setattr(draws, "FILE", tmp_path / "draws.jsonl")
    monkeypatch.setattr(draws, "weights", lambda seed: np.full(3, fill[seed], np.float32))
    return plan


def planned(path, num_epochs=30):
    """What each planned run is: case, weights, rates, order and split."""
    draws.plan(str(path), num_epochs)
    with np.load(path) as file:
        of = dict(file)
    cases = msgspec_json.decode(of["cases"].item(), type=list[Case])
    weights, rates = of["weights"][of["weights_of"]], of["rates"][of["rates_of"]]
    assert {*map(len, (cases, weights, rates, of["orders"], of["splits"]))} == {len(cases)}
    assert weights.dtype == np.float32
    return cases, weights[:, 0].tolist(), rates, of["orders"].tolist(), of["splits"].tolist()


def write_made(path, n, **measured):
    """What `replicas` writes of n runs of three epochs."""
    of = {
        "train_loss": np.full((n, 3), 0.123456789),
        "train_acc": np.full((n, 3), 0.9),
        "test_acc": np.full((n, 3), 0.8),
        "score_spread": np.full((n, 3), 5.0),
        **measured,
    }
    np.savez(path, **of, made_with="torch 0, a GPU")


def test_a_plan_holds_what_each_run_needs(small, tmp_path, capsys):
    cases, weights, rates, orders, splits = planned(tmp_path / "plan.npz")
    assert cases == [small[0], small[1], small[2], small[4]]
    assert weights == [0, 2, 2, 1]
    assert rates.shape == (4, UPDATES)
    for row, name in zip(rates, ("constant", "cosine", "constant", "constant")):
        assert row[9] == pytest.approx(RATES[name](10))
    assert (orders, splits) == ([3, 4, 5, 0], [-1, 7, -1, -1])
    assert capsys.readouterr().out == "4 runs of 30 epochs, 3 initializations\n"
    (cases, weights, rates, *_) = planned(tmp_path / "plan.npz", 40)
    assert (cases, weights, rates.shape) == ([small[3]], [0], (1, 40 * 235))


def test_draws_are_kept_with_their_cases_and_planned_no_more(small, tmp_path):
    plan, made = tmp_path / "plan.npz", tmp_path / "made.npz"
    cases, *_ = planned(plan)
    # The time was over after two of four.
    spread = np.array([[5, 5, 5], [0.001, 5, 0.0099]])
    losses = np.array([[0.5, 0.25, 0.123456789], [2.3, math.inf, math.nan]])
    write_made(made, 2, score_spread=spread, train_loss=losses)
    draws.keep(str(plan), str(made))
    lines = [json.loads(line) for line in draws.FILE.read_text().splitlines()]
    assert [line["case"] for line in lines] == [
        {"experiment": "constant", "weights": "0", "order": 3, "split": None},
        {"experiment": "cosine", "weights": "unseeded-2", "order": 4, "split": 7},
    ]
    assert [line["train_loss"] for line in lines] == [[0.5, 0.25, 0.12346], [2.3, None, None]]
    assert [line["collapsed"] for line in lines] == [[], [1, 3]]
    assert [line["train_acc"] for line in lines] == [[0.9] * 3] * 2
    assert [line["test_acc"] for line in lines] == [[0.8] * 3] * 2
    assert {line["made_with"] for line in lines} == {"torch 0, a GPU"}

    cases, weights, _, orders, _ = planned(plan)
    assert (cases, weights, orders) == ([small[2], small[4]], [2, 1], [5, 0])
    write_made(made, 2)
    draws.keep(str(plan), str(made))
    assert [draw.case for draw in draws.read()] == [small[0], small[1], small[2], small[4]]
