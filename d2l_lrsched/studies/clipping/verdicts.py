"""What follows from our runs: the paper's claims judged, who collapses, and what prevents it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from typing import NamedTuple

from d2l_lrsched import stats
from d2l_lrsched.runs.frames import of_experiment, of_runs
from d2l_lrsched.runs.record import Run
from d2l_lrsched.stats import LEVEL
from d2l_lrsched.studies.clipping.claims import ARMS, CLAIMS, REMEDIES, Claim
from d2l_lrsched.studies.clipping.measures import MEASURES, measure

VERDICTS = CONFIRMED, CONTRADICTED, NOT_DECIDED = "CONFIRMED", "CONTRADICTED", "NOT DECIDED"


class Judged(NamedTuple):
    """A claim and what our runs say of it: differences are its better arm minus its worse.

    `p_holm` is p adjusted for all claims judged.
    """

    claim: Claim
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
    the other way, or at all where they are claimed equal. NOT DECIDED: so many pairs do not show
    that they differ, which is no proof that they are equal. So a claim of equality can never be
    confirmed: that would take a margin within which arms count as equal, and the paper names none.

    No p-value of n pairs is below 2 / 2^n. Of ten pairs that is enough for 25 claims at 5 %; of
    nine, where one seed did not train, for 12, so it takes other claims with smaller p-values. The
    p-values are adjusted for all claims, whatever they have in common: `level` is the risk of any
    verdict but NOT DECIDED where no arm differs from another. All runs are of one length; those
    whose experiment is no arm are left out.

    Raises
    ------
    ValueError
        If the arms of a claim have not the same seeds, each once.
    """
    table = measure(run for run in runs if run.experiment in ARMS)
    found = [
        stats.paired(*(of_experiment(table[c.measure], arm) for arm in (c.worse, c.better)))
        for c in claims
    ]
    judged = []
    for claim, pairs, p_holm in zip(claims, found, stats.holm([pairs.p for pairs in found])):
        better = (pairs.mean > 0) == (MEASURES[claim.measure].better == "higher")
        verdict = CONFIRMED if better and claim.relation == "<" else CONTRADICTED
        verdict = verdict if p_holm <= level else NOT_DECIDED
        judged.append(Judged(claim, *pairs, float(p_holm), verdict))
    return judged


def counts(judged: Iterable[Judged]) -> str:
    """Return how many claims have which verdict, in words."""
    found = Counter(j.verdict for j in judged)
    return ", ".join(f"{found[verdict]} {verdict}" for verdict in VERDICTS)


class Rescue(NamedTuple):
    """What a remedy did to the seeds that collapsed without it, and to those that trained.

    `then_trained` are those of the `collapsed` that trained with it, `then_collapsed` those of the
    `trained` that collapsed with it; p is McNemar's of the ones against the others.
    """

    plain: str
    remedy: str
    collapsed: tuple[int, ...]
    then_trained: tuple[int, ...]
    trained: tuple[int, ...]
    then_collapsed: tuple[int, ...]
    p: float


def rescues(runs: Iterable[Run]) -> list[Rescue]:
    """Return what each of the `REMEDIES` did, over the seeds that have both runs, each once."""
    trained, found = of_runs(runs).trained, []
    for plain, remedies in REMEDIES:
        for remedy in remedies:
            without, with_ = of_experiment(trained, plain), of_experiment(trained, remedy)
            seeds = sorted(without.index.intersection(with_.index))
            without, with_ = without[seeds], with_[seeds]
            parts = (~without, ~without & with_, without, without & ~with_)
            a, b, c, d = (tuple(part.index[part]) for part in parts)
            if seeds:
                p = stats.mcnemar(without, with_).p
                found.append(Rescue(plain, remedy, a, b, c, d, p))
    return found
