"""What follows from our runs: the paper's claims judged, who collapses, and what prevents it.

The rules, fixed when of the arms the seeds 0 to 9, of the pilot and of the rate 0.3 all runs had
been seen:

- Whether runs survive is compared as counts, by Fisher's exact test. That does not use that arms
  share seeds; were a seed's fate alike in two arms, it would only make the test cautious.
- Every other measure is of the runs that trained, and is compared between runs of the same seed
  where both trained, by the sign-flip test; its interval is that test's. An arm that collapses more
  is so compared by its survivors, perhaps its better runs.
- A claim that an arm is better than each of several is judged by the one that speaks for it least.
- The p-values of the claims are adjusted by Holm, and by themselves those of what is asked beside
  the paper, and of what prevents collapse; the level is 5 % for each.
- Beside each verdict stands that of the seeds not seen before. Where they differ, only the latter
  confirms or contradicts anything.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

import pandas as pd

from d2l_lrsched import stats
from d2l_lrsched.runs.frames import of_experiment
from d2l_lrsched.runs.record import Run
from d2l_lrsched.stats import LEVEL
from d2l_lrsched.studies.clipping.claims import ARMS, CLAIMS, LOWER, REMEDIES, Claim
from d2l_lrsched.studies.clipping.measures import MEASURES, measure
from d2l_lrsched.training.history import History

VERDICTS = CONFIRMED, CONTRADICTED, NOT_DECIDED = "CONFIRMED", "CONTRADICTED", "NOT DECIDED"
#: The pilot's epochs: what collapses later it cannot show.
EARLY = 2
#: Arm -> the pilot that is the same with other seeds.
PILOTS = {"neither": "pilot", "clipping": "pilot-clipped"}
#: The arms' seeds below were seen before the rules were fixed.
UNSEEN = 10


class Judged(NamedTuple):
    """A claim and what our runs say of it: differences are its better arm minus the worse one.

    `worse` is, of several, the arm that speaks for the claim least. `n` counts the pairs, of
    survival the runs of an arm, whose difference has no interval (nan). `p_holm` is p adjusted for
    all claims judged, and before that, where it speaks against a claim about several arms, for
    their number.
    """

    claim: Claim
    worse: str
    n: int
    mean: float
    interval: stats.Interval
    p: float
    p_holm: float
    verdict: str


def judge(
    runs: Iterable[Run], claims: Sequence[Claim] = CLAIMS, level: float = LEVEL
) -> list[Judged]:
    """Return a verdict on every claim, in their order.

    CONFIRMED: the arms differ (adjusted p at most `level`) as claimed. CONTRADICTED: they differ
    the other way. NOT DECIDED: so many runs do not show that they differ, which is no proof that
    they are equal.

    "Better than each" is confirmed by the largest of its p-values, which needs no correction
    (Berger, 1982, Technometrics 24:295-300); against it the smallest counts, times their number.
    The p-values are adjusted for all claims, whatever they have in common: `level` is the risk of
    any verdict but NOT DECIDED where no arm differs from another, in survival neither. All runs are
    of one length; those whose experiment is no arm are left out.

    Raises
    ------
    ValueError
        If the arms of a claim have not the same seeds, each once.
    """
    table = measure(run for run in runs if run.experiment in (*ARMS, LOWER))
    found = [_weakest(table[claim.measure], claim) for claim in claims]
    judged = []
    p_values = [
        part.p if part.speaks_for else min(1.0, part.p * len(claim.worse))
        for claim, part in zip(claims, found)
    ]
    for claim, part, p_holm in zip(claims, found, stats.holm(p_values)):
        verdict = CONFIRMED if part.speaks_for else CONTRADICTED
        verdict = verdict if p_holm <= level else NOT_DECIDED
        judged.append(Judged(claim, *part[:-1], float(p_holm), verdict))
    return judged


class _Part(NamedTuple):
    worse: str
    n: int
    mean: float
    interval: stats.Interval
    p: float
    speaks_for: bool


def _weakest(measured: pd.Series, claim: Claim) -> _Part:
    """Return the comparison with one of the claim's arms that speaks for it least."""
    parts = []
    for worse in claim.worse:
        arms = of_experiment(measured, worse), of_experiment(measured, claim.better)
        found = (_counted if claim.measure == "survival" else stats.paired)(*arms)
        better = (found.mean > 0) == (MEASURES[claim.measure].better == "higher")
        parts.append(_Part(worse, *found, better))
    return min(parts, key=lambda part: (1 - part.p) * (1 if part.speaks_for else -1))


def _counted(one: pd.Series, other: pd.Series) -> stats.Paired:
    """Compare two arms of the same seeds by how many of their runs survived."""
    stats.check_pairs(one, other)
    p = stats.fisher(*((int(arm.sum()), len(arm)) for arm in (one, other)))
    unknown = stats.Interval(math.nan, math.nan)
    return stats.Paired(len(one), other.mean() - one.mean(), unknown, p)


def counts(judged: Iterable[Judged]) -> str:
    """Return how many claims have which verdict, in words."""
    found = Counter(j.verdict for j in judged)
    return ", ".join(f"{found[verdict]} {verdict}" for verdict in VERDICTS)


class Prevented(NamedTuple):
    """How many runs had collapsed after so many epochs, without a remedy and with it.

    `without` and `with_` are (collapsed, runs); non-finite counts as collapsed. p is Fisher's
    exact, two-sided, `p_holm` adjusted for all remedies.
    """

    plain: str
    remedy: str
    epochs: int
    without: tuple[int, int]
    with_: tuple[int, int]
    p: float
    p_holm: float


def prevented(runs: Iterable[Run]) -> list[Prevented]:
    """Return what each of the `REMEDIES` did, at the end of the runs and after `EARLY` epochs.

    The pilots are "neither" and "clipping" with other seeds, and count there early: the one has
    `EARLY` epochs. A run may be collapsed early and recover.
    """
    runs, rows = list(runs), []
    lengths = {run.experiment: run.num_epochs for run in runs}
    for plain, remedies in REMEDIES:
        whole = lengths.get(plain, EARLY)
        for remedy in remedies:
            for epochs in sorted({min(EARLY, whole), whole}):
                same = PILOTS if epochs <= EARLY else {}
                without, with_ = (
                    _collapsed(runs, {arm, same.get(arm, arm)}, epochs) for arm in (plain, remedy)
                )
                if without[1] and with_[1]:
                    rows.append(
                        (plain, remedy, epochs, without, with_, stats.fisher(without, with_))
                    )
    adjusted = stats.holm([p for *_, p in rows])
    return [Prevented(*row, float(p_holm)) for row, p_holm in zip(rows, adjusted)]


def _collapsed(runs: Iterable[Run], experiments: set[str], epochs: int) -> tuple[int, int]:
    outcomes = [
        History(list(run.epochs[:epochs])).outcome for run in runs if run.experiment in experiments
    ]
    return sum(outcome != "trained" for outcome in outcomes), len(outcomes)
