r"""Weights and orders, crossed: what the rules did not foresee, and what explains the builds.

The rules of `verdicts` take :math:`y_{wo} = \mu + a_w + e_{wo}` with independent e. The draws show
that they are not: an order of the images moves the test accuracy of all initializations alike, for
the last batches of the last epoch are the same. So here :math:`y_{wo} = \mu + a_w + b_o + e_{wo}`.
Nothing in this module was fixed before the draws were made; the rules' verdicts stay as they are.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from typing import NamedTuple

import pandas as pd
from scipy import stats as distributions

from d2l_lrsched.stats import LEVEL, Interval
from d2l_lrsched.studies.chapter.builds.measures import (
    GROUPS,
    NUMBERS,
    of_book_weights,
    that_trained,
    today,
)
from d2l_lrsched.studies.chapter.published import PRINTED


class Crossed(NamedTuple):
    """Variances of a number: of the weights, of the orders, and of what is left.

    Of the initializations that trained with every one of the orders. `p` is that of the F test of
    the orders' having no effect that all initializations share.
    """

    experiment: str
    number: str
    weights: int
    orders: int
    center: float
    of_weights: float
    of_orders: float
    rest: float
    p: float

    @property
    def of_center(self) -> list[tuple[float, int]]:
        """The parts of the center's variance, each with its degrees of freedom."""
        w, o = self.weights, self.orders
        return [
            (self.of_weights / w, w - 1),
            (self.of_orders / o, o - 1),
            (self.rest / (w * o), (w - 1) * (o - 1)),
        ]

    def of_mean(self, n: int, compared: int) -> Interval:
        """Return where the mean of one more initialization with n orders of its own falls.

        As `verdicts.interval_of_mean`, with the orders' variance, at the level divided by
        `compared`.
        """
        w, o = self.weights, self.orders
        of_one = [
            (self.of_weights, w - 1),
            (self.of_orders / n, o - 1),
            (self.rest / n, (w - 1) * (o - 1)),
        ]
        return interval(self.center, [*self.of_center, *of_one], LEVEL / compared)


def interval(center: float, parts: Iterable[tuple[float, int]], level: float = LEVEL) -> Interval:
    r"""Return the t interval of an estimate whose variance has several parts.

    With Satterthwaite's degrees of freedom, :math:`(\sum v)^2 / \sum (v^2 / f)` of parts v with f.
    """
    parts = [part for part in parts if part[0] > 0]
    variance = sum(v for v, _ in parts)
    degrees = variance**2 / sum(v**2 / f for v, f in parts)
    half = float(distributions.t.ppf(1 - level / 2, degrees)) * math.sqrt(variance)
    return Interval(center - half, center + half)


def crossed(draws: pd.DataFrame, experiment: str, number: str) -> Crossed:
    """Return the variances, by the analysis of variance of two crossed factors.

    The orders are those that nearly all of the seeds' initializations have.
    """
    of = today(draws, experiment)
    table = of.pivot(index="weights", columns="order", values=number)
    table = table.loc[:, table.notna().sum() > table.notna().sum().max() / 2].dropna()
    y, (w, o) = table.to_numpy(), table.shape
    rows, columns, center = y.mean(1), y.mean(0), float(y.mean())
    rest = y - rows[:, None] - columns + center
    mean_squares = (
        o * float(rows.var(ddof=1)),
        w * float(columns.var(ddof=1)),
        float((rest**2).sum()) / ((w - 1) * (o - 1)),
    )
    of_weights, of_orders, left = mean_squares
    p = float(distributions.f.sf(of_orders / left, o - 1, (w - 1) * (o - 1)))
    parts = (max(of_weights - left, 0.0) / o, max(of_orders - left, 0.0) / w, left)
    return Crossed(experiment, number, w, o, center, *parts, p)


class Left(NamedTuple):
    """What is left of the builds' mean by each explanation, as an interval of 95 %.

    builds - ours, where ours are other weights on today's split (`neither`), the book's weights on
    it (`weights`), other weights on other splits (`split`), and these plus what the book's weights
    differ from others by on today's split, order by order (`both`).
    """

    experiment: str
    number: str
    neither: Interval
    weights: Interval
    split: Interval
    both: Interval
    expected: float


def left(draws: pd.DataFrame, builds: pd.DataFrame) -> list[Left]:
    """Return what the weights and the split leave of the builds' means.

    Book's weights on other splits were not trained: `both` takes it that the two add up. That the
    builds' very weights are to be had was found when the draws were there: Gluon draws initial
    weights on the CPU, and copies them to a GPU (``mxnet.gluon.Parameter``).
    """
    found = []
    for experiment in PRINTED:
        theirs, book = that_trained(builds, experiment), of_book_weights(draws, experiment)
        new = draws[(draws.experiment == experiment) & draws.split.notna() & draws.trained]
        for number in NUMBERS:
            seeds = crossed(draws, experiment, number)
            splits = new.groupby("split")[number].mean()
            shared = today(draws, experiment)
            shared = shared[~shared.weights.isin(book.weights)]
            of_order = shared.groupby("order")[number].agg(["mean", "size"])
            of_order = of_order[of_order["size"] > of_order["size"].max() / 2]["mean"]
            contrast = (book.set_index("order")[number] - of_order).dropna()
            mean, of_builds = float(theirs[number].mean()), _of_mean(theirs[number])
            expected = float(splits.mean() + contrast.mean())
            intervals = (
                interval(mean - seeds.center, [of_builds, *seeds.of_center]),
                interval(mean - book[number].mean(), [of_builds, _of_mean(book[number])]),
                interval(mean - splits.mean(), [of_builds, _of_mean(splits)]),
                interval(mean - expected, [of_builds, _of_mean(splits), _of_mean(contrast)]),
            )
            found.append(Left(experiment, number, *intervals, expected))
    return found


def _of_mean(values: pd.Series) -> tuple[float, int]:
    return float(values.var(ddof=1)) / len(values), len(values) - 1


def holds(found: Iterable[Left], explanation: str) -> int:
    """Return how many of the intervals of an explanation, a field of `Left`, hold 0."""
    intervals = [getattr(one, explanation) for one in found]
    return sum(low <= 0 <= high for low, high in intervals)


def spread_p(draws: pd.DataFrame, builds: pd.DataFrame) -> dict[tuple[str, str], float]:
    """Return Brown and Forsythe's p of the builds' spread being that of the book's weights."""
    return {
        (experiment, number): float(
            distributions.levene(
                that_trained(builds, experiment)[number],
                of_book_weights(draws, experiment)[number],
                center="median",
            ).pvalue
        )
        for experiment in GROUPS
        for number in NUMBERS
    }


def groups_crossed(draws: pd.DataFrame) -> list[Crossed]:
    """Return the variances of every group whose weights and orders were crossed."""
    crossing = [name for name in GROUPS if today(draws, name).order.nunique() > 2]
    return [
        crossed(draws, name, number)
        for name in crossing
        if not name.startswith("early")
        for number in NUMBERS
    ]
