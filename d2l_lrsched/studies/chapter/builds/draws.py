"""Sixteen hundred draws: which runs are held against the book's builds, and how they are made.

A seed is made of two: of the initial weights and of the order of the images. The builds of the
book share the one and differ in the other, so here the two are crossed. One more seed splits the
70,000 images anew, for the book trained on another release of them.

`PLAN` was committed before its first run was made. All of it counts; no run is dropped.

The runs are made side by side on one GPU (`training.replicas`), in three steps, for a machine with
a GPU need not have MXNet::

    python -m d2l_lrsched.studies.chapter.builds.draws plan plan.npz 30  # of 30 epochs; by MXNet
    python -m d2l_lrsched.training.replicas plan.npz made.npz DATA 3600  # on the GPU, for an hour
    python -m d2l_lrsched.studies.chapter.builds.draws keep plan.npz made.npz
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import product
from multiprocessing import get_context
from pathlib import Path
from typing import List, Optional  # noqa: UP035

import msgspec
import numpy as np
from msgspec import Struct

from d2l_lrsched.runs import record
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS, OTHER_SETTINGS, PUBLISHED
from d2l_lrsched.training.history import COLLAPSED_SPREAD

#: What is measured of every epoch, as `training.replicas` measures it.
MEASURED = ("train_loss", "train_acc", "test_acc", "score_spread")
#: Beside this module, and so in an installed package: the draws that have been made.
FILE = Path(__file__).with_name("draws.jsonl")

#: Weights as the book's process draws them: its five runs in turn, nothing seeded. An unseeded
#: MXNet begins as one seeded with 0, so the first run's, the constant's, are those of seed 0.
UNSEEDED = ("0", "unseeded-2", "unseeded-3", "unseeded-4", "unseeded-5")


_ALL = {**EXPERIMENTS, **OTHER_SETTINGS}


class Case(Struct, frozen=True, order=True):
    """Which draw: an experiment, its weights, the seed of the order, and of the split if any.

    `weights` is a seed of MXNet's generator, or one of `UNSEEDED`.
    """

    experiment: str
    weights: str
    order: int
    split: Optional[int] = None  # noqa: UP045


def _plan() -> Iterable[Case]:
    # Weights and orders crossed: variance components, shares of collapsed runs by weights.
    for weights, order in product(range(32), range(5)):
        yield from (Case(name, str(weights), order) for name in PUBLISHED)
    # A hundred initializations at the constant rate in all.
    for seed in range(32, 100):
        yield Case("constant", str(seed), seed)
    # As the book is made; as many orders as there are builds.
    for order in range(37):
        yield from (Case(*pair, order) for pair in zip(PUBLISHED, UNSEEDED))
    # Twenty splits, with weights and orders that today's split has, too.
    for split, order in product(range(20), range(2)):
        yield from (Case(name, str(split), order, split) for name in PUBLISHED)
    # As intended.
    for seed in range(30):
        yield from (Case(f"{name}-per-epoch", str(seed), seed) for name in PUBLISHED[1:])
    # Other years' settings.
    for name in ("square-root", "cosine", "cosine-warmup"):
        weights_of_book = UNSEEDED[PUBLISHED.index(name)]
        for weights, order in product(range(20), range(3)):
            yield Case(f"gentler-{name}", str(weights), order)
        for order in range(10):
            yield Case(f"gentler-{name}", weights_of_book, order)
    for seed in range(30):
        yield Case("early-constant", str(seed), seed)
    for order in range(10):
        yield Case("early-constant", UNSEEDED[0], order)


#: Every draw that is made, in the order in which it is.
PLAN: tuple[Case, ...] = tuple(dict.fromkeys(_plan()))


class Draw(Struct, frozen=True, forbid_unknown_fields=True):
    """One finished run: its case, and what its epochs measured, as in `training.history.Epoch`.

    Losses are rounded to five digits, accuracies are exact. `made_with` says on what.
    """

    case: Case
    train_loss: List[Optional[float]]  # noqa: UP006, UP045
    train_acc: List[float]  # noqa: UP006
    test_acc: List[float]  # noqa: UP006
    #: The epochs, from 1 on, after which all test images got the same scores, within 0.01.
    collapsed: List[int]  # noqa: UP006
    made_with: str

    @property
    def key(self) -> Case:
        """The case: none is drawn twice."""
        return self.case

    @classmethod
    def of(cls, case: Case, made_with: str, measured: Mapping[str, Sequence[float]]) -> Draw:
        """Return the draw of which each epoch measured these, by `training.replicas.MEASURED`."""
        losses = [round(float(x), 5) if np.isfinite(x) else None for x in measured["train_loss"]]
        train, test = (
            [round(float(x), 5) for x in measured[name]] for name in ("train_acc", "test_acc")
        )
        collapsed = np.flatnonzero(np.array(measured["score_spread"]) < COLLAPSED_SPREAD) + 1
        return cls(case, losses, train, test, collapsed.tolist(), made_with)


@cache
def weights(seed: str) -> np.ndarray:
    """Return LeNet's initial parameters, float32 (61706,), as `train` draws them on a CPU."""
    if seed in UNSEEDED[1:]:
        return _unseeded()[UNSEEDED.index(seed)]
    import mxnet as mx

    mx.npx.set_np()
    mx.random.seed(int(seed))
    return initialize()


def initialize() -> np.ndarray:
    """Return LeNet's initial parameters as MXNet's generator draws them next; see `weights`."""
    import mxnet as mx

    from d2l_lrsched.nets.lenet import lenet

    mx.npx.set_np()
    net = lenet()
    net.initialize(init=mx.init.Xavier())
    net(mx.np.zeros((1, 1, 28, 28)))  # the shapes are known now, and the weights drawn
    return np.concatenate([p.data().asnumpy().ravel() for p in net.collect_params().values()])


@cache
def _unseeded() -> list[np.ndarray]:
    # In a new process, for this one's generator may have been seeded, or used.
    with ProcessPoolExecutor(1, get_context("spawn")) as pool:
        return pool.submit(_as_the_book).result()


def _as_the_book() -> list[np.ndarray]:
    return [initialize() for _ in UNSEEDED]


def rates(experiment: str) -> np.ndarray:
    """Return the learning rate of every update of an experiment's run."""
    return np.array(_ALL[experiment].rates([1.0] * _ALL[experiment].num_epochs))


def read() -> list[Draw]:
    """Return the draws that have been made."""
    return record.read(FILE, Draw)


def plan(path: str, num_epochs: int) -> None:
    """Write what `training.replicas` needs for the next of the draws that are not made yet."""
    made = {draw.case for draw in read()} if FILE.exists() else set()
    left = [c for c in PLAN if c not in made and _ALL[c.experiment].num_epochs == num_epochs]
    seeds = {c.weights: weights(c.weights) for c in left}
    schedules = {c.experiment: rates(c.experiment) for c in left}
    np.savez_compressed(
        path,
        weights=np.stack([*seeds.values()]),
        weights_of=[[*seeds].index(c.weights) for c in left],
        rates=np.stack([*schedules.values()]),
        rates_of=[[*schedules].index(c.experiment) for c in left],
        orders=[c.order for c in left],
        splits=[-1 if c.split is None else c.split for c in left],
        cases=msgspec.json.encode(left),
    )
    print(f"{len(left)} runs of {num_epochs} epochs, {len(seeds)} initializations")


def keep(planned: str, made: str) -> None:
    """Append to the file of draws what `training.replicas` has made of a plan."""
    with np.load(planned) as file:
        cases = msgspec.json.decode(file["cases"].item(), type=list[Case])
    with np.load(made) as file:
        measured, made_with = {name: file[name] for name in MEASURED}, str(file["made_with"])
    for i, case in enumerate(cases[: len(measured["train_loss"])]):
        of_case = {name: values[i] for name, values in measured.items()}
        record.append(FILE, Draw.of(case, made_with, of_case))


if __name__ == "__main__":
    command, *arguments = sys.argv[1:]
    if command == "plan":
        plan(arguments[0], int(arguments[1]))
    else:
        keep(*arguments)
