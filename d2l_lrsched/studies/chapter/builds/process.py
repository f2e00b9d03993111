"""The book's process itself: its five runs one after another, by MXNet, nothing seeded.

The draws that the builds are held against were trained by PyTorch on a GPU, with the weights that
MXNet draws and NumPy's orders. These ones are trained by MXNet, as a build was: in one process,
which draws the weights when it comes to them. Only the order of the images is given, so that each
run has its twin among the draws. One call is one process::

    python -m d2l_lrsched.studies.chapter.builds.process 0  # the seed of the order, of `ORDERS`

**Rules**, committed before the first run was made. A run and its twin have weights and order in
common, and rounding sets them apart within a few epochs. So they are two draws of one distribution,
if MXNet and PyTorch compute the same. For each of the five: who collapsed, by Fisher's exact test;
each number of `measures.NUMBERS`, among the orders in which both trained, by the sign-flip test of
`stats.paired`. The p-values are adjusted together by Holm; two differ below `stats.LEVEL`. No run
is dropped.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from d2l_lrsched.runs import provenance, record
from d2l_lrsched.runs.frames import collapsed
from d2l_lrsched.stats import fisher, holm, mean_sd, paired
from d2l_lrsched.studies.chapter.builds.draws import MEASURED, UNSEEDED, Case, Draw, initialize
from d2l_lrsched.studies.chapter.builds.measures import NUMBERS, WORDS, of_draws
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS, PUBLISHED

#: Beside this module: the runs that have been made.
FILE = Path(__file__).with_name("process.jsonl")
#: The seeds of the orders, each a process.
ORDERS = range(10)


def make(order: int) -> None:
    """Train the book's five runs in this process, which must be new; append each to `FILE`.

    The weights of a run that is there already are drawn all the same, and not trained.
    """
    from mxnet import cpu, gluon, init, npx

    from d2l_lrsched.data.batches import load_fashion_mnist
    from d2l_lrsched.nets.fast import fast_lenet
    from d2l_lrsched.training.loop import train

    npx.set_np()
    made = {draw.case for draw in read()} if FILE.exists() else set()
    versions = provenance.versions()
    made_with = f"mxnet {versions['mxnet']}, fast net, {provenance.processor()}"
    for name, weights in zip(PUBLISHED, UNSEEDED):
        case = Case(name, weights, order)
        if case in made:
            initialize()
            continue
        train_iter, test_iter = load_fashion_mnist(EXPERIMENTS[name].batch_size, seed=order)
        settings, _ = EXPERIMENTS[name].prepare(len(train_iter))
        net = fast_lenet()
        # A Trainer asks for it; train() initializes anew, and only that may draw.
        net.initialize(init.Zero())
        trainer = gluon.Trainer(net.collect_params(), EXPERIMENTS[name].optimizer, settings)
        loss = gluon.loss.SoftmaxCrossEntropyLoss()
        num_epochs = EXPERIMENTS[name].num_epochs
        history = train(
            net, train_iter, test_iter, num_epochs, loss, trainer, cpu(), display="none"
        )
        measured = {of: [getattr(epoch, of) for epoch in history.epochs] for of in MEASURED}
        record.append(FILE, Draw.of(case, made_with, measured))


def read() -> list[Draw]:
    """Return the runs that have been made."""
    return record.read(FILE, Draw)


def table(made: Iterable[Draw], draws: pd.DataFrame) -> pd.DataFrame:
    """Return a row of texts a comparison: the runs, their twins, and the rules' p-values."""
    key = ["experiment", "weights", "order"]
    twins = of_draws(made).join(
        draws[draws.split.isna()].set_index(key), on=key, rsuffix="_twin", validate="1:1"
    )
    rows, p_values = [], []
    for name, of in twins.groupby("experiment", sort=False):
        died = [collapsed(of.trained), collapsed(of.trained_twin)]
        rows.append((name, "collapsed", *(f"{n} of {total}" for n, total in died)))
        p_values.append(fisher(*died))
        both = of[of.trained & of.trained_twin]
        for number in NUMBERS:
            one, other = both[number], both[f"{number}_twin"]
            rows.append((name, WORDS[number], mean_sd(one, 4), mean_sd(other, 4)))
            p_values.append(paired(other, one).p)
    columns = ["experiment", "number", "in one process, by MXNet", "their twins among the draws"]
    return pd.DataFrame(rows, columns=columns).assign(
        p=[f"{p:.3f}" for p in p_values], all=[f"{p:.2f}" for p in holm(p_values)]
    )


if __name__ == "__main__":
    make(int(sys.argv[1]))
