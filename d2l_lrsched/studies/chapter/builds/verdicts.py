r"""Our draws against the builds of the book: the rules, committed before the first draw was made.

The book's notebooks were run anew for each build, with nothing seeded but what the process begins
with: so all builds of a run share, as far as MXNet's generator stayed the same, the initial
weights, and differ in the order of the images. A group of builds is *one* draw of the weights,
measured many times.

**Groups.** The settings of the constant and the multi-factor run are the same in 87 builds; those
of the three others are of 37 builds with the chapter's settings (square root from 1.0, cosines
from 0.5) and of 50 gentler ones (0.1 and 0.3); the constant of ten early ones had 0.5 and 40
epochs. Nine groups. The five numbers of the chapter are one more draw, and none of these.

**Numbers.** Of each group three are judged, 27 comparisons in all: the last epoch's training loss,
its test accuracy, and the mean test accuracy of the last ten epochs, which jitters less. Training
accuracies are shown only, for they follow the losses. Runs that collapsed count as collapsed, on
both sides, and in no mean.

**Spread.** A draw of ours is :math:`y_{wo} = \mu + a_w + e_{wo}` with weights w and order o, and
:math:`\sigma_a^2, \sigma_e^2` come from the analysis of variance (for unequal numbers where runs
collapsed). The builds' standard deviation is held against :math:`\sigma_e`, as shared weights
demand, and against :math:`\sqrt{\sigma_a^2 + \sigma_e^2}`, as independent builds would: a ratio
with a bootstrap interval, of builds on their side and of whole initializations on ours. Where it
contains 1 for one of the two only, the builds are what that one says; else it is open.

**Means.** If the builds are one more draw of the weights, measured n times, their mean falls with
probability :math:`1 - \alpha` into

.. math:: m \pm t_{1 - \alpha/2,\,W - 1}
          \sqrt{\sigma_a^2 + \frac{\sigma_e^2}{n} + \frac{s_W^2}{W}}

with m and :math:`s_W` mean and standard deviation of our W initializations' means, and
:math:`\alpha = 0.05 / 27` (Bonferroni). DIFFERENT: their mean lies outside. UNDECIDED: inside, but
the interval is wider than `MARGIN`. CONSISTENT: inside a narrower one. For an undecided one it is
said how many initializations would narrow it enough, if any number would.

**Split.** The book was trained on another release: another draw of the pictures. Twenty random
splits of today's 70,000, each with weights of its own, are draws of split and weights. The builds'
mean is held against them as above, at the same level, w being split and weights together. The
same weights and orders on today's split make pairs, whose mean difference, one a split, is what a
random split does; it has a t interval of 95 %.

**Collapse.** At the constant 0.3, by weights, of 32 initializations with five orders each: do the
shares of collapsed runs differ? A permutation test of their variance, at 0.05. The builds' count
is held against what one of our initializations would give: draw one of the 32, its share from
Beta(c + 1/2, n - c + 1/2), and 87 outcomes; two-sided, at 0.05.

**False alarms and power.** By simulation from our own draws: each initialization in turn is taken
for the book's and judged by the others; once as it is, and once shifted by `SHIFT`.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np
import pandas as pd
from scipy import stats as distributions

from d2l_lrsched.stats import LEVEL, Interval
from d2l_lrsched.studies.chapter.builds.measures import (
    GROUPS,
    NUMBERS,
    RESAMPLES,
    Components,
    components,
    resampled_variances,
    that_trained,
    today,
)
from d2l_lrsched.studies.chapter.verdicts import CONSISTENT, DIFFERENT
from d2l_lrsched.studies.chapter.verdicts import MARGIN as OF_ONE_RUN

#: The widest interval that still decides: as for one printed number.
MARGIN = {
    "train_loss": OF_ONE_RUN["train_loss"],
    "test_acc": OF_ONE_RUN["test_acc"],
    "late_test_acc": OF_ONE_RUN["test_acc"],
}
#: Half of a margin: the difference whose power is given.
SHIFT = {number: margin / 2 for number, margin in MARGIN.items()}
UNDECIDED = "UNDECIDED"
#: Verdicts on a spread: the builds' is that of our orders alone; of weights and orders; of either;
#: of neither.
SHARED, INDEPENDENT, EITHER, NEITHER = "SHARED WEIGHTS", "INDEPENDENT", "EITHER", "NEITHER"
UNKNOWN = "NOT KNOWN"
COMPARED = len(GROUPS) * len(NUMBERS)


def interval_of_mean(parts: Components, n: int) -> Interval:
    """Return where the mean of n draws of one more group falls; see the module."""
    groups = len(parts.means)
    of_means = float(np.var(parts.means, ddof=1)) / groups
    half = distributions.t.ppf(1 - LEVEL / COMPARED / 2, groups - 1)
    half *= math.sqrt(parts.between + parts.within / n + of_means)
    center = float(parts.means.mean())
    return Interval(center - half, center + half)


class Spread(NamedTuple):
    """The builds' standard deviation of a number, and its ratio to ours."""

    experiment: str
    number: str
    verdict: str
    builds: float
    of_orders: float
    of_all: float
    to_orders: Interval
    to_all: Interval


def spreads(draws: pd.DataFrame, builds: pd.DataFrame) -> list[Spread]:
    """Return what the builds' spread says of their weights, group by group and number by number."""
    found = []
    for experiment in GROUPS:
        ours, theirs = today(draws, experiment), that_trained(builds, experiment)
        for number in NUMBERS:
            parts = components(ours[number], ours.weights)
            sd = float(theirs[number].std(ddof=1))
            generator = np.random.default_rng(0)
            values = theirs[number].to_numpy()
            picked = generator.integers(len(values), size=(RESAMPLES, len(values)))
            resampled = values[picked].std(axis=1, ddof=1)
            within, total = resampled_variances(ours[number], ours.weights, generator)
            to_orders, to_all = (
                Interval(
                    *map(float, np.quantile(resampled / np.sqrt(v), (LEVEL / 2, 1 - LEVEL / 2)))
                )
                for v in (within, total)
            )
            shared, independent = (low <= 1 <= high for low, high in (to_orders, to_all))
            verdict = (EITHER if independent else SHARED) if shared else NEITHER
            if independent and not shared:
                verdict = INDEPENDENT
            if math.isnan(to_orders.low):  # of initializations with one order each
                verdict = UNKNOWN
            numbers = (sd, math.sqrt(parts.within), math.sqrt(parts.total), to_orders, to_all)
            found.append(Spread(experiment, number, verdict, *numbers))
    return found


class Mean(NamedTuple):
    """The builds' mean of a number, and where one more of our groups' would fall.

    `groups` are our initializations, or splits; `needed` is how many of them would make the
    interval as narrow as the margin, None if no number would.
    """

    experiment: str
    number: str
    verdict: str
    builds: float
    n: int
    groups: int
    center: float
    interval: Interval
    needed: int | None


def means(draws: pd.DataFrame, builds: pd.DataFrame, by: str = "weights") -> list[Mean]:
    """Return the verdicts on the builds' means, held against our initializations or splits."""
    found = []
    for experiment in GROUPS:
        ours, theirs = today(draws, experiment), that_trained(builds, experiment)
        if by == "split":
            ours = draws[(draws.experiment == experiment) & draws.split.notna() & draws.trained]
        for number in NUMBERS if len(ours) else ():
            parts = components(ours[number], ours[by])
            mean, n = float(theirs[number].mean()), len(theirs)
            interval = interval_of_mean(parts, n)
            found.append(
                Mean(
                    experiment,
                    number,
                    judge(mean, interval, MARGIN[number]),
                    mean,
                    n,
                    len(parts.means),
                    float(parts.means.mean()),
                    interval,
                    _needed(parts, n, MARGIN[number]),
                )
            )
    return found


def judge(mean: float, interval: Interval, margin: float) -> str:
    """Return DIFFERENT, UNDECIDED or CONSISTENT."""
    if not interval.low <= mean <= interval.high:
        return DIFFERENT
    return UNDECIDED if interval.high - interval.low > margin else CONSISTENT


def _needed(parts: Components, n: int, margin: float) -> int | None:
    groups = np.arange(3, 2001)
    half = distributions.t.ppf(1 - LEVEL / COMPARED / 2, groups - 1)
    variance = parts.between + parts.within / n + float(np.var(parts.means, ddof=1)) / groups
    enough = groups[2 * half * np.sqrt(variance) <= margin]
    return int(enough[0]) if len(enough) else None


class Collapse(NamedTuple):
    """How often the constant 0.3 collapses: by weights, and beside the builds.

    `differ` is the p-value of the shares' being the same for all weights, `as_builds` that of the
    builds' count, if their weights were one of ours.
    """

    weights: int
    runs: int
    collapsed: int
    differ: float
    builds: int
    builds_collapsed: int
    as_builds: float


def collapse(draws: pd.DataFrame, builds: pd.DataFrame, orders: int = 5) -> Collapse:
    """Count the collapsed runs at 0.3 of the weights with so many orders, today's split."""
    of = draws[(draws.experiment == "constant") & draws.split.isna() & (draws.order < orders)]
    of = of[of.groupby("weights").order.transform("size") == orders]
    # The orders of one initialization a row.
    died = of.pivot(index="weights", columns="order", values="trained").to_numpy() == 0
    generator = np.random.default_rng(0)
    shuffled = generator.permuted(np.tile(died.ravel(), (RESAMPLES, 1)), axis=1)
    variances = shuffled.reshape(RESAMPLES, *died.shape).sum(2).var(1)
    differ = (1 + (variances >= died.sum(1).var() - 1e-12).sum()) / (1 + RESAMPLES)
    theirs = builds[builds.experiment == "constant"]
    n, count = len(theirs), int((~theirs.trained).sum())
    c = generator.choice(died.sum(1), RESAMPLES)
    drawn = generator.binomial(n, generator.beta(c + 0.5, orders - c + 0.5))
    tail = min((drawn <= count).mean(), (drawn >= count).mean())
    of_ours = (len(died), died.size, int(died.sum()), float(differ))
    return Collapse(*of_ours, n, count, min(1.0, 2 * float(tail)))


def power(draws: pd.DataFrame, experiment: str, number: str, n: int) -> tuple[float, float]:
    """Return how often an initialization of ours, as the book's, is DIFFERENT; and one shifted.

    Each in turn is judged by the others, as if it had been measured n times.
    """
    ours = today(draws, experiment)
    alarms: list[bool] = []
    found: list[bool] = []
    for weights, of in ours.groupby("weights"):
        others = ours[ours.weights != weights]
        interval = interval_of_mean(components(others[number], others.weights), min(n, len(of)))
        for shift, verdicts in ((0.0, alarms), (SHIFT[number], found)):
            mean = float(of[number].mean()) + shift
            verdicts.append(judge(mean, interval, MARGIN[number]) == DIFFERENT)
    return float(np.mean(alarms)), float(np.mean(found))
