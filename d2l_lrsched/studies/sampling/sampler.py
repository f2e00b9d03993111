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

`posterior` has the problem and its exact numbers, `verdicts` judges what is sampled here.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Any

import mxnet as mx
import numpy
from mxnet import autograd, gluon, np, npx

from d2l_lrsched.files import PathLike
from d2l_lrsched.runs import provenance
from d2l_lrsched.runs.record import append, key
from d2l_lrsched.studies.sampling import posterior
from d2l_lrsched.studies.sampling.posterior import (
    BATCH_SIZE,
    NUM_DATA,
    NUM_UPDATES,
    SETTINGS,
    Setting,
)
from d2l_lrsched.studies.sampling.record import FAR, Average, Averages, Samples, read

SEEDS = range(5)
NUM_CHAINS = 400
#: Moments are taken at so many updates at most, ever farther apart.
NUM_RECORDED = 25
#: Points of the last sample that a record keeps.
NUM_FINAL = 100


def sample(
    setting: Setting, seed: int, num_updates: int = NUM_UPDATES, num_chains: int = NUM_CHAINS
) -> Samples:
    """Run chains side by side, each with minibatches and noise of its own.

    The same seed gives the same bits on one machine; MXNet's global generator is seeded with it, as
    its sgld has no other. Sampled in float64, kept to 7 digits. One chain alone has no variance.
    """
    npx.set_np()  # per thread
    began = time.perf_counter()
    settings = _settings(setting, num_updates, num_chains)
    updates, steps = recorded_updates(num_updates), setting.steps(num_updates)
    late = steps[settings["burn_in"] :]
    means, covariances = [], []
    sums = numpy.zeros((2, 2, num_chains, 2))  # weighted and plain; of the position, of its square
    for update, theta in enumerate(_chains(setting, seed, num_updates, num_chains), start=1):
        if update in updates:
            means.append(_rounded(theta.mean(axis=0)))
            covariances.append(_rounded(numpy.cov(theta.T)[[0, 0, 1], [0, 1, 1]]))
        units = posterior.standardize(theta)
        if update > settings["burn_in"]:
            sums += numpy.multiply.outer([steps[update - 1], 1], [units, units**2])
    return Samples(
        setting=setting.name,
        seed=seed,
        settings=settings,
        updates=updates,
        means=means,
        covariances=covariances,
        averages=Averages(_over_chains(sums[0] / late.sum()), _over_chains(sums[1] / len(late))),
        final=[_rounded(point) for point in theta[:NUM_FINAL]],
        far=int((numpy.hypot(*units.T) > FAR).sum()),
        seconds=round(time.perf_counter() - began, 2),
        versions=provenance.versions(),
        processor=provenance.processor(),
        threads=provenance.threads(),
    )


def known(records: Iterable[Samples]) -> list[Samples]:
    """Return the first record of each setting and seed of the exercise, in its order.

    Records outlive the code that wrote them: what had other settings is of other numbers.
    """
    of_key = {record.key: record for record in reversed(list(records))}
    return [of_key[key] for key in _wanted() if key in of_key]


def make(path: PathLike) -> list[Samples]:
    """Make the records that the file lacks, adding each as it is finished; return `known` ones.

    Raises
    ------
    StoreError
        If the file cannot be read or written, or holds what is no record.
    """
    found = {record.key for record in read(path)}
    for wanted, (setting, seed) in _wanted().items():
        if wanted not in found:
            append(path, sample(setting, seed), once=True)
    return known(read(path))


def _wanted() -> dict[tuple[Any, ...], tuple[Setting, int]]:
    """Return key -> setting and seed, of every record of the exercise, setting by setting."""
    return {
        key(name, seed, NUM_UPDATES, _settings(setting, NUM_UPDATES, NUM_CHAINS)): (setting, seed)
        for name, setting in SETTINGS.items()
        for seed in SEEDS
    }


def recorded_updates(num_updates: int) -> list[int]:
    """Return the updates at which moments are taken, evenly on a logarithmic axis."""
    return sorted({round(num_updates ** (i / (NUM_RECORDED - 1))) for i in range(NUM_RECORDED)})


def _chains(
    setting: Setting, seed: int, num_updates: int, num_chains: int
) -> Iterator[numpy.ndarray]:
    """Yield theta of all chains, of shape (chains, 2), after each update."""
    mx.random.seed(seed)
    batches = numpy.random.default_rng(seed)
    points = posterior.data()
    # The columns whiten: |(theta - x) @ root|^2 is (theta - x)' inverse(Sigma) (theta - x).
    root = np.array(posterior.AXES / numpy.sqrt(posterior.DATA_VARIANCES), dtype="float64")
    theta = gluon.Parameter("theta", shape=(num_chains, 2), dtype="float64", init="zeros")
    theta.lr_mult = 1.0 if setting.noise else 0.5  # sgld halves the step, sgd does not
    theta.initialize()
    theta.set_data(np.array([posterior.START] * num_chains, dtype="float64"))
    trainer = gluon.Trainer(
        [theta],
        "sgld" if setting.noise else "sgd",
        {
            "learning_rate" if isinstance(setting.step, float) else "lr_scheduler": setting.step,
            "wd": posterior.WEIGHT_DECAY,
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


def _over_chains(averages: numpy.ndarray) -> Average:
    """Return mean and deviation of each chain's averages of position and square, (2, chains, 2)."""
    means, deviations = averages.mean(axis=1), averages.std(axis=1, ddof=1)
    mean, mean_sd, square, square_sd = (
        _rounded(moment) for pair in zip(means, deviations) for moment in pair
    )
    return Average(mean=mean, mean_sd=mean_sd, square=square, square_sd=square_sd)


def _settings(setting: Setting, num_updates: int, num_chains: int) -> dict[str, Any]:
    step: Any = setting.step
    if not isinstance(step, float):
        step = {"a": step.a, "b": step.b, "gamma": step.gamma}
    return {
        "optimizer": "sgld" if setting.noise else "sgd",
        "step": step,
        "num_updates": num_updates,
        "num_chains": num_chains,
        "burn_in": int(posterior.BURN_IN * num_updates),
    }


def _rounded(values: numpy.ndarray) -> list[float]:
    return [float(f"{value:.7g}") for value in values]
