r"""Stochastic gradient Langevin dynamics by MXNet's own optimizer, on a posterior known exactly.

Welling and Teh (2011), equation (4), with the step :math:`\epsilon`, N data and n in a minibatch:

.. math:: \Delta\theta = \frac{\epsilon}{2} \Bigl(\nabla \log p(\theta)
          + \frac{N}{n} \sum_{i=1}^n \nabla \log p(x_i | \theta)\Bigr) + \eta,
          \qquad \eta \sim \mathcal{N}(0, \epsilon)

MXNet's ``sgld`` adds ``-lr / 2 * (rescale_grad * grad + wd * weight)`` and then N(0, lr) noise. It
is the paper's update where the loss is :math:`-\sum_i \log p(x_i | \theta)`, the sum over the
minibatch; ``rescale_grad`` is N/n, for which the Trainer is told N at its construction and n at
each ``update(n)``; ``wd`` is the precision of the prior :math:`\mathcal{N}(0, I / wd)`; and the
learning rate is :math:`\epsilon`. Without the noise the same step is ``sgd`` at half that rate.

`langevin` has the problem and its exact numbers, `sgld_report` judges what is sampled here.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable, Iterator
from typing import Any

import mxnet as mx
import numpy
from mxnet import autograd, gluon, np, npx

from d2l_lrsched import checks
from d2l_lrsched.runs import provenance
from d2l_lrsched.studies.sampling import posterior as langevin
from d2l_lrsched.studies.sampling import record as sgld_records
from d2l_lrsched.studies.sampling.posterior import (
    BATCH_SIZE,
    NUM_DATA,
    NUM_UPDATES,
    SETTINGS,
    Setting,
)
from d2l_lrsched.studies.sampling.record import Record

SEEDS = range(5)
NUM_CHAINS = 400
#: Moments are taken at so many updates at most, ever farther apart.
NUM_RECORDED = 25
#: Points of the last sample that a record keeps.
NUM_FINAL = 100
#: A draw from the posterior is farther than this from its mean once in 10^21.
LOST = 10.0


def sample(
    setting: Setting, seed: int, num_updates: int = NUM_UPDATES, num_chains: int = NUM_CHAINS
) -> Record:
    """Run chains side by side, each with minibatches and noise of its own.

    Parameters
    ----------
    setting : Setting
    seed : int
        At least 0. The same seed gives the same bits on one machine; MXNet's global generator is
        seeded with it, as its sgld has no other.
    num_updates : int
        Of each chain, at least 1.
    num_chains : int
        At least 2: one has no variance.

    Returns
    -------
    Record
        Sampled in float64, kept to 7 digits.

    Raises
    ------
    ValueError
        If an argument is not as said.
    """
    if not isinstance(setting, Setting):
        raise ValueError(f"setting must be a Setting, as those in SETTINGS are, got {setting!r}")
    seed = checks.count("seed", seed, minimum=0)
    num_updates = checks.count("num_updates", num_updates)
    num_chains = checks.count("num_chains", num_chains, minimum=2)
    npx.set_np()  # per thread
    began = time.perf_counter()
    steps = setting.steps(num_updates)
    burn_in = int(langevin.BURN_IN * num_updates)
    recorded = set(recorded_updates(num_updates))
    moments: list[tuple[int, numpy.ndarray, numpy.ndarray]] = []
    averages = {"weighted": _Average(num_chains), "plain": _Average(num_chains)}
    for update, theta in enumerate(_chains(setting, seed, num_updates, num_chains), start=1):
        if update in recorded:
            moments.append((update, theta.mean(axis=0), numpy.cov(theta.T)))
        if update > burn_in:
            units = langevin.standardize(theta)
            averages["weighted"].add(units, steps[update - 1])
            averages["plain"].add(units, 1.0)
    distances = numpy.hypot(*langevin.standardize(theta).T)
    return Record(
        setting=setting.name,
        seed=seed,
        settings=_settings(setting, num_updates, num_chains),
        updates=[update for update, _, _ in moments],
        means=[_rounded(mean) for _, mean, _ in moments],
        covariances=[_rounded(covariance[[0, 0, 1], [0, 1, 1]]) for _, _, covariance in moments],
        averages={weights: average.over_chains() for weights, average in averages.items()},
        final=[_rounded(point) for point in theta[:NUM_FINAL]],
        lost=int((distances > LOST).sum()),
        seconds=round(time.perf_counter() - began, 2),
        versions=provenance.versions(),
        processor=provenance.processor(),
        threads=provenance.threads(),
    )


def known(records: Iterable[Record]) -> list[Record]:
    """Return the first record of each setting and seed, of those that `make` would make.

    Records outlive the code that wrote them: what had other settings is of other numbers.
    """
    first: dict[tuple[str, int], Record] = {}
    for record in records:
        setting = SETTINGS.get(record.setting)
        if setting and record.settings == _settings(setting, NUM_UPDATES, NUM_CHAINS):
            first.setdefault((record.setting, record.seed), record)
    return [record for (_, seed), record in first.items() if seed in SEEDS]


def missing(records: Iterable[Record]) -> list[tuple[Setting, int]]:
    """Return the settings and seeds of which there is no record, or one of other settings."""
    found = {(record.setting, record.seed) for record in known(records)}
    return [
        (setting, seed)
        for setting in SETTINGS.values()
        for seed in SEEDS
        if (setting.name, seed) not in found
    ]


def make(path: str | os.PathLike[str]) -> list[Record]:
    """Make the records that the file lacks, storing each as it is finished; return all.

    Parameters
    ----------
    path : path
        Of the file of records; made if it is missing. A record of other settings is replaced.

    Returns
    -------
    list of Record
        One of each setting and seed, in the order of `SETTINGS`, then of `SEEDS`.

    Raises
    ------
    StoreError
        If the file cannot be read or holds what is no record.
    OSError
        If the file cannot be written.
    """
    wanted = [(name, seed) for name in SETTINGS for seed in SEEDS]
    records = sgld_records.read(path)
    for setting, seed in missing(records):
        made = sample(setting, seed)
        records = [r for r in records if (r.setting, r.seed) != (made.setting, made.seed)]
        records.append(made)
        sgld_records.write(path, records)
    return sorted(
        known(records),
        key=lambda record: wanted.index((record.setting, record.seed)),
    )


def recorded_updates(num_updates: int) -> list[int]:
    """Return the updates at which moments are taken, evenly on a logarithmic axis."""
    return sorted({round(num_updates ** (i / (NUM_RECORDED - 1))) for i in range(NUM_RECORDED)})


def _chains(
    setting: Setting, seed: int, num_updates: int, num_chains: int
) -> Iterator[numpy.ndarray]:
    """Yield theta of all chains, of shape (chains, 2), after each update."""
    mx.random.seed(seed)
    batches = numpy.random.default_rng(seed)
    points = langevin.data()
    # The columns whiten: |(theta - x) @ root|^2 is (theta - x)' inverse(Sigma) (theta - x).
    root = np.array(langevin.AXES / numpy.sqrt(langevin.DATA_VARIANCES), dtype="float64")
    theta = gluon.Parameter(
        "theta",
        shape=(num_chains, 2),
        dtype="float64",
        init="zeros",
        lr_mult=1.0 if setting.noise else 0.5,  # sgld halves the step, sgd does not
    )
    theta.initialize()
    theta.set_data(np.array([langevin.START] * num_chains, dtype="float64"))
    trainer = gluon.Trainer(
        [theta],
        "sgld" if setting.noise else "sgd",
        {
            "learning_rate" if isinstance(setting.step, float) else "lr_scheduler": setting.step,
            "wd": langevin.WEIGHT_DECAY,
            "rescale_grad": NUM_DATA,
        },
    )
    for _ in range(num_updates):
        drawn = batches.integers(NUM_DATA, size=(num_chains, BATCH_SIZE))
        means = np.array(points[drawn].mean(axis=1), dtype="float64")
        with autograd.record():
            # The sum of -log p over each chain's minibatch, but for what depends not on theta.
            loss = BATCH_SIZE / 2 * np.dot(theta.data() - means, root) ** 2
        loss.backward()
        trainer.update(BATCH_SIZE)
        yield theta.data().asnumpy()


class _Average:
    """Each chain's weighted time averages of its position and of its square."""

    def __init__(self, num_chains: int) -> None:
        self._weight = 0.0
        self._sums = numpy.zeros((2, num_chains, 2))

    def add(self, units: numpy.ndarray, weight: float) -> None:
        self._weight += weight
        self._sums += weight * numpy.stack([units, units**2])

    def over_chains(self) -> dict[str, list[float]]:
        mean, square = self._sums / self._weight
        return {
            "mean": _rounded(mean.mean(axis=0)),
            "mean_sd": _rounded(mean.std(axis=0, ddof=1)),
            "square": _rounded(square.mean(axis=0)),
            "square_sd": _rounded(square.std(axis=0, ddof=1)),
        }


def _settings(setting: Setting, num_updates: int, num_chains: int) -> dict[str, Any]:
    step = setting.step
    return {
        "optimizer": "sgld" if setting.noise else "sgd",
        "step": step
        if isinstance(step, float)
        else {"a": step.a, "b": step.b, "gamma": step.gamma},
        "num_updates": num_updates,
        "num_chains": num_chains,
        "burn_in": int(langevin.BURN_IN * num_updates),
    }


def _rounded(values: numpy.ndarray) -> list[float]:
    return [float(f"{value:.7g}") for value in values]
