from __future__ import annotations

import subprocess
import sys
from math import comb

import numpy as np
import pandas as pd
import pytest

from d2l_lrsched.runs import record
from d2l_lrsched.studies.chapter.builds import draws, measures, process
from d2l_lrsched.studies.chapter.builds.draws import UNSEEDED, Case, Draw
from d2l_lrsched.studies.chapter.experiments import PUBLISHED

# Rates of 0, so that each net ends as it began; a test image for each of 16.
MAKE = """
import sys
from dataclasses import replace
from functools import partial
from pathlib import Path
import numpy as np
from d2l_lrsched.data import batches
from d2l_lrsched.data.batches import Batches
from d2l_lrsched.studies.chapter.builds import process
from d2l_lrsched.training import loop

def few(batch_size, seed):
    images = np.random.RandomState(0).randint(0, 256, (16, 28, 28)).astype(np.uint8)
    return (Batches(images, np.arange(16) % 10, batch_size, seed=seed),) * 2

def train(net, *arguments, **named):
    history = loop_train(net, *arguments, **named)
    flat = [p.data().asnumpy().ravel() for p in net.collect_params().values()]
    ends.append(np.concatenate(flat))
    return history

ends, loop_train = [], loop.train
batches.load_fashion_mnist, loop.train = few, train
process.EXPERIMENTS = {
    name: replace(of, learning_rate=0.0, scheduler=None, num_epochs=2)
    for name, of in process.EXPERIMENTS.items()
}
process.FILE = Path(sys.argv[1])
process.make(3)
np.save(sys.argv[2], ends)
"""


def test_each_begins_with_the_weights_of_the_book_also_where_others_are_there(
    tmp_path, monkeypatch
):
    """The second and the fourth are there."""
    monkeypatch.setattr(process, "FILE", tmp_path / "process.jsonl")
    for number in (1, 3):
        record.append(process.FILE, run(PUBLISHED[number], UNSEEDED[number], 3, 0.8))
    command = [sys.executable, "-W", "ignore", "-c", MAKE, process.FILE, tmp_path / "ends.npy"]
    subprocess.run(command, check=True)
    begun = [draws.weights(UNSEEDED[number]).tobytes() for number in (0, 2, 4)]
    assert [w.tobytes() for w in np.load(tmp_path / "ends.npy")] == begun
    five = process.read()
    planned = [Case(*pair, 3) for pair in zip(PUBLISHED, UNSEEDED)]
    assert [d.case for d in five] == [planned[number] for number in (1, 3, 0, 2, 4)]
    assert {len(d.train_loss) for d in five[2:]} == {2}
    assert five[2].made_with.startswith("mxnet 1.9.1, fast net, ")
    assert five[2].collapsed == [], "it has learned nothing, but sees its input"


def run(experiment, weights, order, test_acc, collapsed=()):
    case = Case(experiment, weights, order)
    return Draw(case, [0.5] * 3, [0.8] * 3, [0.7, 0.7, test_acc], list(collapsed), "")


def test_runs_are_held_against_their_twins_only():
    """Differences of accuracy 0.01 ... 0.06, all of one sign: p = 2 / 2^6. One more collapsed."""
    runs = [run("cosine", "unseeded-4", i, 0.8 + i / 100) for i in range(1, 7)]
    twins = [run("cosine", "unseeded-4", i, 0.8) for i in range(8)]
    runs.append(run("cosine", "unseeded-4", 7, 0.1, collapsed=[2, 3]))
    others = [run("cosine", "1", 3, 0.2), run("constant", "0", 3, 0.2)]
    others.append(Draw(Case("cosine", "unseeded-4", 3, 2), [9.0] * 3, [0.0] * 3, [0.0] * 3, [], ""))
    table = process.table(runs, measures.of_draws([*others, *twins])).set_index("number")
    assert table.experiment.tolist() == ["cosine"] * 4
    texts = table.loc["collapsed"].tolist()
    assert texts[1:] == ["1 of 7", "0 of 7", "1.000", "1.00"]
    of = table.loc["test accuracy"]
    assert of["in one process, by MXNet"] == "0.8350 ± 0.0187", "of 0.81 ... 0.86"
    assert of["their twins among the draws"] == "0.8000 ± 0.0000"
    assert float(of.p) == pytest.approx(2 / 2**6, abs=5e-4)
    # With the last ten epochs' mean, which differs by a third, and two that are equal: Holm's 4.
    assert float(of["all"]) == pytest.approx(4 * 2 / 2**6, abs=6e-3)


def test_who_collapses_is_compared_by_counts():
    runs = [run("constant", "0", i, 0.1, collapsed=[3]) for i in range(5)]
    twins = measures.of_draws(run("constant", "0", i, 0.8) for i in range(5))
    table = process.table(runs, twins).set_index("number")
    assert float(table.p["collapsed"]) == pytest.approx(2 / comb(10, 5), abs=5e-4)
    assert table.p["test accuracy"] == "1.000"
    assert table["in one process, by MXNet"]["test accuracy"] == "-"


def test_each_run_has_one_twin():
    twice = [run("constant", "0", 1, 0.8)] * 2
    with pytest.raises(pd.errors.MergeError):
        process.table(twice, measures.of_draws(twice[:1]))


def test_all_runs_that_were_planned_are_there_each_once_with_its_twin():
    made = process.read()
    planned = [Case(*pair, order) for order in process.ORDERS for pair in zip(PUBLISHED, UNSEEDED)]
    assert sorted(draw.case for draw in made) == sorted(planned)
    assert {len(draw.test_acc) for draw in made} == {30}
    assert {draw.made_with.partition(", fast net, ")[0] for draw in made} == {"mxnet 1.9.1"}
    assert {*planned} <= {draw.case for draw in draws.read()}
