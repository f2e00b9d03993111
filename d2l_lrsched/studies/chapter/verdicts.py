"""Whether a published number looks like one more draw of our runs.

A published number is a single run's. So it is held against the interval in which one new run of
ours would fall (`stats.prediction`), not against the interval of our mean.

Collapse is a mode of its own, not an outlier: intervals come from the runs that trained, and
whether a run collapses is compared as a share.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from d2l_lrsched import stats
from d2l_lrsched.runs.frames import of_each, of_runs
from d2l_lrsched.runs.record import Run
from d2l_lrsched.stats import LEVEL
from d2l_lrsched.studies.chapter.published import PRINTED, Published

NUMBERS = ("train_loss", "train_acc", "test_acc")
CONSISTENT, DIFFERENT, INCONCLUSIVE = "CONSISTENT", "DIFFERENT", "INCONCLUSIVE"
#: The risk of `compare` where a new run of ours is compared with those before.
FRESH_LEVEL = 0.01
#: Half of the last digit that the book prints.
HALF_DIGIT = 0.0005
#: An outcome that our runs have less often than this would surprise.
RARE = 0.05
_TRAINED = [printed for printed in PRINTED.values() if not printed.collapsed]
#: The widest interval that still decides anything: the range of the book's runs that trained. A
#: wider one could not tell the chapter's best schedule from its worst. Fixed before the baseline
#: was run.
MARGIN = {
    number: max(getattr(p, number) for p in _TRAINED) - min(getattr(p, number) for p in _TRAINED)
    for number in NUMBERS
}


class Verdict(NamedTuple):
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
        Mean and standard deviation, perhaps pooled over experiments, of the runs that trained; for
        'outcome' the share and nan.
    low, high : float
        Infinite where too few runs trained to judge by.
    """

    experiment: str
    number: str
    verdict: str
    published: float | str
    n: int
    collapsed: int
    center: float
    spread: float
    low: float
    high: float


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
    `MARGIN` is INCONCLUSIVE. Of a collapsed claim only the outcome is compared.

    Parameters
    ----------
    runs : iterable of Run
        All of them of one length; experiments of which nothing is claimed are left out, and so is
        a claim of which there are no runs.
    claims : mapping of experiment name -> Published
        By default what the book prints.
    level : float
        The risk that any claim that is a draw like ours is called DIFFERENT, as far as the
        comparisons are independent. All experiments share their seeds: in simulated studies whose
        pooled groups correlate by 0.8 it is 7 % instead of 5 %, by 0.95 10 %.
    rounding : float
        How far the claims may be rounded; the intervals are widened by it on both sides.
    """
    groups = of_each(of_runs(runs), claims)
    trained = {name: of[of.trained] for name, of in groups.items()}
    spreads = {
        number: stats.spreads({name: of[number] for name, of in trained.items()})
        for number in NUMBERS
    }
    compared = sum(1 if claims[name].collapsed else 1 + len(NUMBERS) for name in groups)
    alpha = level / max(compared, 1)
    found = []
    for name, of in groups.items():
        claim, counts = claims[name], (len(of), len(of) - len(trained[name]))
        same = int((of.outcome == claim.outcome).sum())
        low, high = stats.share(same, len(of), alpha)
        verdict = DIFFERENT if high < RARE else CONSISTENT if low > RARE else INCONCLUSIVE
        share = (same / len(of), math.nan, low, high)
        found.append(Verdict(name, "outcome", verdict, claim.outcome, *counts, *share))
        for number in () if claim.collapsed else NUMBERS:
            mean, n = float(trained[name][number].mean()), len(trained[name])
            spread, degrees = spreads[number].get(name, (math.nan, 0))
            low, high = -math.inf, math.inf
            if degrees:
                low, high = stats.prediction(mean, n, spread, degrees, alpha)
            low, high, published = low - rounding, high + rounding, getattr(claim, number)
            verdict = INCONCLUSIVE if high - low > MARGIN[number] else CONSISTENT
            if not low <= published <= high:
                verdict = DIFFERENT
            numbers = (mean, spread, low, high)
            found.append(Verdict(name, number, verdict, published, *counts, *numbers))
    return found


def counts(verdicts: Iterable[Verdict]) -> str:
    """Return how many numbers have which verdict, in words."""
    found = Counter(verdict.verdict for verdict in verdicts)
    return ", ".join(f"{n} {verdict}" for verdict, n in sorted(found.items()))


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
    return Published(loss, train_acc, test_acc, collapsed=run.outcome != "trained")
