"""Whether a published number looks like one more draw of our runs.

A published number is a single run's. So it is held against the interval in which one new run of
ours would fall, not against the interval of our mean: Crawford and Howell (1998), *Comparing an
individual's test score against norms derived from small samples*, The Clinical
Neuropsychologist 12:482-486; Spence and Stanley (2016), *Prediction interval: what to expect when
you're expecting ... a replication*, PLoS ONE 11(9):e0162874.

Collapse is a mode of its own, not an outlier: intervals come from the runs that did not collapse,
and whether a run collapses is compared as a share.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean, variance

import numpy as np
from scipy import stats

from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter.published import PRINTED, Published

NUMBERS = ("train_loss", "train_acc", "test_acc")
CONSISTENT, DIFFERENT, INCONCLUSIVE = "CONSISTENT", "DIFFERENT", "INCONCLUSIVE"
#: The risk that any published number that is a draw like ours is called DIFFERENT, as far as
#: the comparisons are independent. All experiments share their seeds: in simulated studies whose
#: pooled groups correlate by 0.8 it is 7 %, by 0.95 10 %.
LEVEL = 0.05
#: The same risk where a new run of ours is compared with those before.
FRESH_LEVEL = 0.01
#: Half of the last digit that the book prints.
HALF_DIGIT = 0.0005
#: An outcome that our runs have less often than this would surprise.
RARE = 0.05
#: Spreads are pooled where the test of their equality gives at least this p-value: not the usual
#: 0.05, which would pool what merely cannot be told apart. Bancroft (1964), Biometrics 20:427-442.
ALIKE = 0.25


@dataclass(frozen=True)
class Verdict:
    """One claimed number, the interval that it is held against, and what follows.

    Attributes
    ----------
    experiment : str
    number : {'train_loss', 'train_acc', 'test_acc', 'outcome'}
        For 'outcome' the interval is that of the share of our runs with the published outcome.
    verdict : {'CONSISTENT', 'DIFFERENT', 'INCONCLUSIVE'}
    published : float or str
        For 'outcome': 'collapsed' or 'trained'.
    n, collapsed : int
        Our runs in all, and those of them that collapsed or turned non-finite.
    center, spread : float
        Mean and standard deviation of the runs that did not; for 'outcome' the share and nan.
    degrees : int
        Degrees of freedom of `spread`, which may be pooled over experiments; for 'outcome' 0.
    low, high : float
    """

    experiment: str
    number: str
    verdict: str
    published: float | str
    n: int
    collapsed: int
    center: float
    spread: float
    degrees: int
    low: float
    high: float


def prediction_interval(
    mean: float, n: int, spread: float, degrees: int, alpha: float
) -> tuple[float, float]:
    r"""Return where a new draw falls with probability 1 - alpha.

    :math:`\bar x \pm t_{1 - \alpha/2,\,\nu}\; s \sqrt{1 + 1/n}` with :math:`\nu` `degrees` of
    freedom of s; Crawford and Howell (1998), Spence and Stanley (2016).
    """
    half = float(stats.t.ppf(1 - alpha / 2, degrees)) * spread * math.sqrt(1 + 1 / n)
    return mean - half, mean + half


def share_interval(successes: int, n: int, alpha: float) -> tuple[float, float]:
    """Return the exact binomial (Clopper-Pearson) interval of a share, level 1 - alpha."""
    found = stats.binomtest(successes, n).proportion_ci(1 - alpha, method="exact")
    return float(found.low), float(found.high)


def spreads(groups: Mapping[str, Sequence[float]]) -> dict[str, tuple[float, int]]:
    """Return each group's standard deviation and its degrees of freedom.

    Pooled over all groups where Brown and Forsythe's test gives their equality a p-value above
    `ALIKE`, else each group's own. Groups of fewer than three join neither the test nor the pool.
    With ten draws a group the risk of a false alarm is what is claimed where the spreads are equal
    and where they clearly differ; in between, where one is twice the others, it is 7 % for 5 %.
    """
    able = {name: group for name, group in groups.items() if len(group) > 2}
    degrees = {name: len(group) - 1 for name, group in able.items()}
    own = {name: variance(group) for name, group in able.items()}
    alike = len(able) < 2 or _brown_forsythe(*able.values()) > ALIKE
    if not alike:
        return {name: (math.sqrt(own[name]), degrees[name]) for name in able}
    total = sum(degrees.values())
    pooled = math.sqrt(sum(degrees[name] * own[name] for name in able) / max(total, 1))
    return dict.fromkeys(able, (pooled, total))


def _brown_forsythe(*groups: Sequence[float]) -> float:
    with np.errstate(invalid="ignore", divide="ignore"):  # all values equal: no p-value, nan
        return float(stats.levene(*groups, center="median").pvalue)


def margin(number: str) -> float:
    """Return the widest interval that still decides anything: the range of the book's living runs.

    An interval wider than the distance between the chapter's best and worst schedule could not
    tell one schedule from another. It was fixed before the baseline was run.
    """
    values = [getattr(p, number) for p in PRINTED.values() if not p.collapsed]
    return max(values) - min(values)


def compare(
    runs: Iterable[Run],
    claims: Mapping[str, Published] = PRINTED,
    *,
    level: float = LEVEL,
    rounding: float = HALF_DIGIT,
) -> list[Verdict]:
    """Return a verdict on every claimed number, in the order of `claims`.

    Bonferroni: each comparison is made at `level` divided by their number, outcomes counted. A
    number outside its interval is DIFFERENT; one inside an interval that is wider than its
    `margin` is INCONCLUSIVE. Of a collapsed claim only the outcome is compared.

    Parameters
    ----------
    runs : iterable of Run
        All of them of one length; experiments of which nothing is claimed are left out, and so is
        a claim of which there are no runs.
    claims : mapping of experiment name -> Published
        By default what the book prints.
    level : float
        The risk that any claim that is a draw like ours is called DIFFERENT.
    rounding : float
        How far the claims may be rounded; the intervals are widened by it on both sides.
    """
    runs = list(runs)
    by_name = {name: [run for run in runs if run.experiment == name] for name in claims}
    by_name = {name: found for name, found in by_name.items() if found}
    compared = [(name, number) for name in by_name for number in _numbers(claims[name])]
    alpha = level / max(len(compared), 1)
    lived = {name: [r for r in rs if r.outcome == "trained"] for name, rs in by_name.items()}
    of_number = {
        number: spreads(
            {name: [getattr(r.final, number) for r in rs] for name, rs in lived.items()}
        )
        for number in NUMBERS
    }
    return [
        _outcome_verdict(name, by_name[name], claims[name], alpha)
        if number == "outcome"
        else _number_verdict(
            name,
            number,
            getattr(claims[name], number),
            by_name[name],
            of_number[number].get(name),
            alpha,
            rounding,
        )
        for name, number in compared
    ]


def distinct(runs: Iterable[Run]) -> list[Run]:
    """Return the first run of each experiment and seed.

    The same seed again is no other draw, not even with the fast net, whose rounding comes too late
    to decide whether a run collapses.
    """
    first: dict[tuple[str, int], Run] = {}
    for run in runs:
        first.setdefault((run.experiment, run.seed), run)
    return list(first.values())


def surprise(runs: Iterable[Run], fresh: Iterable[Run]) -> tuple[float, list[Run]]:
    """Return how probable the fresh runs' new outcomes are, and the runs that have them.

    That of n + 1 runs alike the last is the only one with its outcome has the probability
    1 / (n + 1) at most; of several experiments, taken as independent, the product. One collapse
    beside ten runs without any proves nothing yet; two do.
    """
    runs, probability, new = list(runs), 1.0, []
    for one in fresh:
        outcomes = [run.outcome for run in runs if run.experiment == one.experiment]
        if one.outcome not in outcomes:
            probability /= len(outcomes) + 1
            new.append(one)
    return probability, new


def claim(run: Run) -> Published:
    """Return a run's last epoch in the form of a printed line, to be held against other runs.

    One that turned non-finite is taken as collapsed; `surprise` tells the two apart.
    """
    loss, train_acc, test_acc = (getattr(run.final, number) for number in NUMBERS)
    return Published("", loss, train_acc, test_acc, collapsed=run.outcome != "trained")


def _numbers(published: Published) -> tuple[str, ...]:
    return ("outcome",) if published.collapsed else ("outcome", *NUMBERS)


def _outcome_verdict(name: str, runs: Sequence[Run], published: Published, alpha: float) -> Verdict:
    outcome = "collapsed" if published.collapsed else "trained"
    same = sum(run.outcome == outcome for run in runs)
    low, high = share_interval(same, len(runs), alpha)
    verdict = DIFFERENT if high < RARE else CONSISTENT if low > RARE else INCONCLUSIVE
    lost = sum(run.outcome != "trained" for run in runs)
    share = same / len(runs)
    return Verdict(
        name, "outcome", verdict, outcome, len(runs), lost, share, math.nan, 0, low, high
    )


def _number_verdict(
    name: str,
    number: str,
    published: float,
    runs: Sequence[Run],
    spread_and_degrees: tuple[float, int] | None,
    alpha: float,
    rounding: float,
) -> Verdict:
    values = [getattr(run.final, number) for run in runs if run.outcome == "trained"]
    counts = len(runs), len(runs) - len(values)
    if spread_and_degrees is None:  # fewer than three runs to judge by
        center = fmean(values) if values else math.nan
        return Verdict(
            name, number, INCONCLUSIVE, published, *counts, center, math.nan, 0, -math.inf, math.inf
        )
    spread, degrees = spread_and_degrees
    center = fmean(values)
    low, high = prediction_interval(center, len(values), spread, degrees, alpha)
    low, high = low - rounding, high + rounding
    if not low <= published <= high:
        verdict = DIFFERENT
    else:
        verdict = INCONCLUSIVE if high - low > margin(number) else CONSISTENT
    return Verdict(name, number, verdict, published, *counts, center, spread, degrees, low, high)
