"""Draws and builds as tables, their variances, and what a split does."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

import numpy as np
import pandas as pd

from d2l_lrsched.stats import Interval, mean_interval
from d2l_lrsched.studies.chapter import published
from d2l_lrsched.studies.chapter.builds.draws import UNSEEDED, Draw

#: Experiment -> settings of the builds that have it.
GROUPS = {
    "constant": ("seed", "gentler"),
    "square-root": ("seed",),
    "multi-factor": ("seed", "gentler"),
    "cosine": ("seed",),
    "cosine-warmup": ("seed",),
    "gentler-square-root": ("gentler",),
    "gentler-cosine": ("gentler",),
    "gentler-cosine-warmup": ("gentler",),
    "early-constant": ("early",),
}
#: Number -> how tables call it.
WORDS = {
    "train_loss": "training loss",
    "test_acc": "test accuracy",
    "late_test_acc": "test accuracy, last ten epochs",
}
NUMBERS = (*WORDS,)
LATE_EPOCHS = 10
RESAMPLES = 2_000


def of_draws(draws: Iterable[Draw]) -> pd.DataFrame:
    """Return one row a draw: its case, whether it trained, and its numbers."""
    rows = [
        {
            "experiment": draw.case.experiment,
            "weights": draw.case.weights,
            "order": draw.case.order,
            "split": draw.case.split,
            "trained": len(draw.test_acc) not in draw.collapsed,
            "since": None if len(draw.test_acc) not in draw.collapsed else _since(draw),
            "train_loss": draw.train_loss[-1],
            "train_acc": draw.train_acc[-1],
            "test_acc": draw.test_acc[-1],
            "late_test_acc": float(np.mean(draw.test_acc[-LATE_EPOCHS:])),
        }
        for draw in draws
    ]
    return pd.DataFrame(rows)


def _since(draw: Draw) -> int:
    """Return the first epoch of the collapse that the run ended in."""
    epochs = set(draw.collapsed)
    return next(e for e in range(len(draw.test_acc), -1, -1) if e not in epochs) + 1


def run_of(experiment: str) -> str:
    """Return which of the book's five runs an experiment is, whatever its settings."""
    return experiment.replace("gentler-", "").replace("early-", "")


def of_builds() -> pd.DataFrame:
    """Return one row a build and run: experiment, build, whether it trained, and its numbers."""
    curves, every = published.curves(), published.builds()
    rows = [
        {
            "experiment": experiment,
            "build": build.build,
            "date": build.date,
            "trained": not result.collapsed,
            "since": result.died_in_epoch or 1 if result.collapsed else None,
            "train_loss": result.train_loss,
            "train_acc": result.train_acc,
            "test_acc": result.test_acc,
            "late_test_acc": float(np.mean(curves[build.build][run].test_acc[-LATE_EPOCHS:])),
        }
        for experiment, settings in GROUPS.items()
        for run in [run_of(experiment)]
        for build in every
        if build.settings in settings
        for result in [build.results[run]]
    ]
    return pd.DataFrame(rows)


def today(draws: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """Return the draws on today's split that trained, with the weights of seeds."""
    of = draws[(draws.experiment == experiment) & draws.split.isna() & draws.trained]
    return of[~of.weights.isin(UNSEEDED[1:])]


def of_book_weights(draws: pd.DataFrame, experiment: str, trained: bool = True) -> pd.DataFrame:
    """Return an experiment's draws with the weights of the book's process, that trained or all."""
    weights = UNSEEDED[list(published.PRINTED).index(run_of(experiment))]
    of = draws[(draws.experiment == experiment) & (draws.weights == weights) & draws.split.isna()]
    return of[of.trained] if trained else of


def that_trained(builds: pd.DataFrame, experiment: str) -> pd.DataFrame:
    """Return an experiment's builds that trained."""
    return builds[(builds.experiment == experiment) & builds.trained]


class Components(NamedTuple):
    """Means of groups of draws, say by weights, and what varies between and within the groups.

    `between` and `within` are variances, of what groups share and of what they do not.
    """

    means: np.ndarray
    between: float
    within: float

    @property
    def total(self) -> float:
        """The variance of a draw of another group."""
        return self.between + self.within


def components(values: pd.Series, groups: pd.Series) -> Components:
    r"""Return the components of variance, by the analysis of variance for unequal numbers.

    :math:`\sigma_e^2` is pooled within the groups; :math:`\sigma_a^2 = s_W^2 - \sigma_e^2
    \overline{1 / n_w}`, not below 0.
    """
    by = values.groupby(groups)
    means, sizes = by.mean().to_numpy(), by.size().to_numpy()
    squares = float(((values - by.transform("mean")) ** 2).sum())
    within = squares / max(int((sizes - 1).sum()), 1)
    between = float(np.var(means, ddof=1)) - within * float((1 / sizes).mean())
    return Components(means, max(between, 0.0), within)


def resampled_variances(
    values: pd.Series, groups: pd.Series, generator: np.random.Generator
) -> tuple[np.ndarray, np.ndarray]:
    """Return the variance within, and in all, of groups drawn anew, each with its draws."""
    by = values.groupby(groups)
    means, sizes = by.mean().to_numpy(), by.size().to_numpy()
    squares = by.var(ddof=0).to_numpy() * sizes
    picked = generator.integers(len(means), size=(RESAMPLES, len(means)))
    degrees = (sizes - 1)[picked].sum(1)
    within = np.where(degrees > 0, squares[picked].sum(1), np.nan) / np.maximum(degrees, 1)
    between = means[picked].var(1, ddof=1) - within * (1 / sizes)[picked].mean(1)
    return within, within + np.maximum(between, 0)


class Shift(NamedTuple):
    """What a random split does to a number: the mean difference of pairs, a split's at a time."""

    experiment: str
    number: str
    splits: int
    mean: float
    interval: Interval


def shifts(draws: pd.DataFrame) -> list[Shift]:
    """Return what random splits do to every number of every experiment that has some."""
    key = ["weights", "order"]
    found = []
    for experiment in dict.fromkeys(draws[draws.split.notna()].experiment):
        of = draws[(draws.experiment == experiment) & draws.trained]
        new, today = of[of.split.notna()], of[of.split.isna()].set_index(key)
        pairs = new.join(today, on=key, rsuffix="_today", how="inner")
        for number in NUMBERS:
            differences = (pairs[number] - pairs[f"{number}_today"]).groupby(pairs.split).mean()
            of_all = (len(differences), float(differences.mean()), mean_interval(differences))
            found.append(Shift(experiment, number, *of_all))
    return found
