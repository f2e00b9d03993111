"""The stored runs that the explorer looks for, and those that had a scheduler's rates."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.runs.experiment import Experiment, known
from d2l_lrsched.runs.record import Run, read
from d2l_lrsched.studies import all_experiments


@dataclass(frozen=True)
class Group:
    """The stored runs of one experiment and length, and the rate of every update in them."""

    experiment: str
    num_epochs: int
    rates: np.ndarray
    runs: tuple[Run, ...]

    @property
    def collapsed(self) -> int:
        """How many of the runs did not train."""
        return sum(run.outcome != "trained" for run in self.runs)


@dataclass(frozen=True)
class Stored:
    """What a folder of records holds.

    Attributes
    ----------
    folder : Path
    groups : tuple of Group
        The runs of LeNet that a schedule alone sets apart. Left out are records of other settings
        than the experiment has today, runs that clipped or had pictures held out, and those whose
        rate their own losses decided. Of an experiment the longest runs are taken, of one seed the
        first.
    unknown : tuple of str
        The experiment of every run that this version does not know.
    """

    folder: Path
    groups: tuple[Group, ...] = ()
    unknown: tuple[str, ...] = ()


def stored(folder: Path) -> Stored:
    """Return what the records in the folders of `folder` hold, if there are any.

    Raises
    ------
    StoreError
        If one of the files is damaged.
    """
    experiments = all_experiments()
    apart = {
        name
        for name, experiment in experiments.items()
        if experiment.clip_norm is experiment.net is None and not experiment.held_out
    }
    groups: dict[tuple[str, int], dict[int, Run]] = {}
    unknown = []
    for run in (run for path in sorted(folder.glob("*/runs.jsonl")) for run in read(path)):
        if not known(run, experiments):
            unknown.append(run.experiment)
            continue
        made_with = {k: v for k, v in run.settings.items() if k != "net"}
        if run.experiment in apart and experiments[run.experiment].settings == made_with:
            groups.setdefault((run.experiment, run.num_epochs), {}).setdefault(run.seed, run)
    longest = dict(sorted(groups))
    return Stored(
        folder,
        tuple(
            # No loss changes the rates of these: they are those after the plot, as in the book.
            Group(name, length, np.array(experiments[name].rates([0.0] * length)), (*of.values(),))
            for (name, length), of in groups.items()
            if length == longest[name] and not _listens(experiments[name])
        ),
        tuple(unknown),
    )


def _listens(experiment: Experiment) -> bool:
    """Whether losses decide the rates: those of losses that fall are not those of level ones."""
    falling = [2.0**-n for n in range(experiment.num_epochs)]
    return experiment.rates(falling) != experiment.rates([1.0] * len(falling))


def rates(scheduler: Any, num_updates: int) -> np.ndarray:
    """Return the learning rates of the updates 1, 2, ..., `num_updates`."""
    return np.array([scheduler(n) for n in range(1, num_updates + 1)], float)


def matching(groups: Iterable[Group], scheduler: Any) -> list[Group]:
    """Return the stored runs that had the scheduler's learning rate at every one of their updates.

    However they were made: rates are compared, not names, but for the rounding of the last digits.
    """
    first = rates(scheduler, UPDATES_PER_EPOCH)  # tells nearly all apart
    return [
        group
        for group in groups
        if _same(first, group.rates[:UPDATES_PER_EPOCH])
        and _same(rates(scheduler, len(group.rates)), group.rates)
    ]


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return np.allclose(a, b, rtol=1e-9, atol=1e-15)
