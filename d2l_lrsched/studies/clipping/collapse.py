"""How often runs collapse, and whether clipping or a warmup saves the very seeds that do.

A network has collapsed when it gives all test images the same scores; see `history.History`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from statistics import median

from scipy import stats

from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter.verdicts import share_interval
from d2l_lrsched.studies.clipping.measures import CONFIDENCE

#: A run without anything, then with each remedy, on the same seeds: at the chapter's rate, and at
#: that of the four combinations, where the scheduler's beginning is a warmup.
REMEDIES: Sequence[tuple[str, tuple[str, ...]]] = (
    ("rate-0.3", ("rate-0.3-clipped", "rate-0.3-warmup")),
    ("neither", ("clipping", "scheduler", "both")),
)
SHARE_HEADER = ("experiment", "runs", "collapsed", "share", "95 % interval")
REMEDY_HEADER = (
    *("without", "with", "seeds", "collapsed without", "of these saved"),
    *("trained without", "of these lost", "p"),
)


def threshold(pilot: Iterable[Run]) -> float:
    """Return the clipping threshold that the pilot's runs choose.

    The median, over the runs that trained, of the median norm in their last epoch, rounded to one
    digit. Pascanu, Mikolov and Bengio (2013, arXiv:1211.5063, section 3.2) advise the order of
    the average norm. The rule was fixed before the pilot was run.

    Raises
    ------
    ValueError
        If no run trained.
    """
    medians = [run.final.norm_median for run in pilot if run.outcome == "trained"]
    if not medians:
        raise ValueError("no run of the pilot trained: there are no norms to choose by")
    return float(f"{median(medians):.0e}")


def share_rows(runs: Iterable[Run], names: Iterable[str]) -> list[tuple[str, ...]]:
    """Return one row of text an experiment: the share of collapsed runs, exact interval.

    Runs that turned non-finite count as collapsed, and the count names them.
    """
    runs = list(runs)
    rows: list[tuple[str, ...]] = []
    for name in names:
        outcomes = [run.outcome for run in runs if run.experiment == name]
        if outcomes:
            lost, n = sum(outcome != "trained" for outcome in outcomes), len(outcomes)
            low, high = share_interval(lost, n, 1 - CONFIDENCE)
            non_finite = outcomes.count("non-finite")
            count = f"{lost} ({non_finite} non-finite)" if non_finite else str(lost)
            rows.append((name, str(n), count, f"{lost / n:.2f}", f"{low:.3f} to {high:.3f}"))
    return rows


@dataclass(frozen=True)
class Rescue:
    """What a remedy did to the seeds of runs without it.

    Attributes
    ----------
    plain, remedy : str
        The experiments compared.
    died, saved : tuple of int
        The seeds that collapsed without the remedy, and those of them that trained with it.
    lived, lost : tuple of int
        The seeds that trained without the remedy, and those of them that collapsed with it.
    p : float
        McNemar's exact two-sided test of `saved` against `lost`.
    """

    plain: str
    remedy: str
    died: tuple[int, ...]
    saved: tuple[int, ...]
    lived: tuple[int, ...]
    lost: tuple[int, ...]
    p: float


def mcnemar_p(saved: int, lost: int) -> float:
    """Return McNemar's exact two-sided p-value of the saved against the lost; 1 of none."""
    changed = saved + lost
    return float(stats.binomtest(saved, changed).pvalue) if changed else 1.0


def rescues(runs: Iterable[Run]) -> list[Rescue]:
    """Return what each of the `REMEDIES` did, over the seeds that have both runs.

    Parameters
    ----------
    runs : iterable of Run
        Of one length an experiment, each seed once.
    """
    trained = {(run.experiment, run.seed): run.outcome == "trained" for run in runs}
    found = []
    for plain, remedies in REMEDIES:
        for remedy in remedies:
            seeds = sorted(
                seed for name, seed in trained if name == plain and (remedy, seed) in trained
            )
            died = tuple(seed for seed in seeds if not trained[plain, seed])
            lived = tuple(seed for seed in seeds if trained[plain, seed])
            saved = tuple(seed for seed in died if trained[remedy, seed])
            lost = tuple(seed for seed in lived if not trained[remedy, seed])
            p = mcnemar_p(len(saved), len(lost))
            if seeds:
                found.append(Rescue(plain, remedy, died, saved, lived, lost, p))
    return found


def rescue_rows(found: Iterable[Rescue]) -> list[tuple[str, ...]]:
    """Return one row of text a remedy, with the seeds by number."""
    return [
        (
            r.plain,
            r.remedy,
            str(len(r.died) + len(r.lived)),
            _seeds(r.died),
            _seeds(r.saved),
            str(len(r.lived)),
            _seeds(r.lost),
            f"{r.p:.4f}",
        )
        for r in found
    ]


def _seeds(seeds: Sequence[int]) -> str:
    return f"{len(seeds)} (seeds {', '.join(map(str, seeds))})" if seeds else "0"
