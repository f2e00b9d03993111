"""The clipping paper's claims, each judged by runs of our own.

The paper ("Ứng Dụng Gradient Clipping và Learning Rate Scheduler Trong Huấn Luyện Mô Hình Học
Sâu") ranks four combinations in words, without numbers. We train every combination, an arm, with
the same seeds, compare arms pair by pair of a seed, and correct for the number of claims.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from statistics import fmean
from types import MappingProxyType
from typing import NamedTuple

from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter.verdicts import share_interval
from d2l_lrsched.studies.clipping.measures import CONFIDENCE, MEASURES, mean_interval, paired

ARMS = ("neither", "clipping", "scheduler", "both")
CONFIRMED, CONTRADICTED, NOT_DECIDED = "CONFIRMED", "CONTRADICTED", "NOT DECIDED"
#: The risk that any verdict but NOT DECIDED is given where no arm differs from another.
LEVEL = 0.05

ARM_HEADER = (
    *("arm", "paper: stability", "survived", "roughness", "paper: convergence"),
    *("epochs to 0.85", "final loss", "paper: effectiveness", "test accuracy", "overfitting"),
)
CLAIM_HEADER = (
    *("section", "claim", "measure", "compared", "pairs", "difference", "95 % interval", "p"),
    *("adjusted p", "verdict"),
)


class Word(NamedTuple):
    """A word of the paper's table, in English and as printed."""

    english: str
    printed: str


@dataclass(frozen=True)
class Ranking:
    """A row of the paper's table: its section, its label as printed and its three words."""

    source: str
    label: str
    stability: Word
    convergence: Word
    effectiveness: Word


_LOW, _POOR, _MEDIUM = Word("low", "Thấp"), Word("poor", "Kém"), Word("medium", "Trung bình")
_GOOD, _VERY_GOOD, _HIGH = Word("good", "Tốt"), Word("very good", "Rất tốt"), Word("high", "Cao")
#: Arm -> what the paper's table says of it.
PAPER: Mapping[str, Ranking] = MappingProxyType(
    {
        "neither": Ranking("4.4", "Không dùng", _LOW, _POOR, _MEDIUM),
        "clipping": Ranking("4.4", "Chỉ clipping", _MEDIUM, _MEDIUM, _GOOD),
        "scheduler": Ranking("4.4", "Chỉ scheduler", _GOOD, _GOOD, _GOOD),
        "both": Ranking("4.4", "Kết hợp", _VERY_GOOD, _HIGH, _VERY_GOOD),
    }
)


@dataclass(frozen=True)
class Claim:
    """One claim of the paper about two arms.

    Attributes
    ----------
    source : str
        The paper's section.
    words : str
        The claim in our words.
    measure : str
        A name in `MEASURES`.
    worse, better : str
        Two of `ARMS`; which is which matters not where they are claimed equal.
    relation : {'<', '='}
        Whether `better` is claimed to be really better, or as good.
    """

    source: str
    words: str
    measure: str
    worse: str
    better: str
    relation: str = "<"


def _of_the_table() -> tuple[Claim, ...]:
    """Return what the table's neighbouring rows claim, by every measure of a column."""
    columns = {
        "stability": ("survival", "roughness"),
        "convergence": ("epochs to 0.85", "final loss"),
        "effectiveness": ("test accuracy",),
    }
    found = []
    for column, measures in columns.items():
        for worse, better in zip(ARMS, ARMS[1:]):
            one, other = getattr(PAPER[worse], column), getattr(PAPER[better], column)
            words = f"{column}: {worse} {one.english}, {better} {other.english}"
            relation = "=" if one == other else "<"
            found += [Claim("4.4", words, name, worse, better, relation) for name in measures]
    return tuple(found)


#: At most 25: ten pairs give no p-value below 2/1024, and all claims together are judged at 5 %.
CLAIMS = (
    *_of_the_table(),
    Claim(
        "4.2",
        "clipping slows convergence; contradicts table 4.4, where clipping converges better than "
        "neither",
        "epochs to 0.85",
        worse="clipping",
        better="neither",
    ),
    Claim("4.3", "a scheduler avoids overfitting", "overfitting", "neither", "scheduler"),
    Claim("4.3", "a scheduler smooths the learning curve", "roughness", "neither", "scheduler"),
    Claim("6", "both together are most effective", "test accuracy", "clipping", "both"),
    Claim("6", "both together are most effective", "test accuracy", "neither", "both"),
)


@dataclass(frozen=True)
class Judged:
    """A claim and what our runs say of it.

    Attributes
    ----------
    claim : Claim
    n : int
        Pairs compared.
    mean, low, high : float
        Mean difference, the claim's better arm minus its worse, in the measure's unit, and its
        95 % interval.
    p, p_holm : float
        Of the difference, and adjusted for all claims judged.
    verdict : {'CONFIRMED', 'CONTRADICTED', 'NOT DECIDED'}
    """

    claim: Claim
    n: int
    mean: float
    low: float
    high: float
    p: float
    p_holm: float
    verdict: str


def holm(p_values: Sequence[float]) -> list[float]:
    r"""Return the p-values adjusted for their number, in the order given.

    The i-th smallest of m becomes :math:`\max_{j \le i} \min(1, (m - j + 1)\, p_{(j)})`. It holds
    however the tests depend on one another. Holm (1979), *A simple sequentially rejective multiple
    test procedure*, Scandinavian Journal of Statistics 6:65-70.
    """
    adjusted, largest = [0.0] * len(p_values), 0.0
    for rank, i in enumerate(sorted(range(len(p_values)), key=p_values.__getitem__)):
        largest = max(largest, min(1.0, (len(p_values) - rank) * p_values[i]))
        adjusted[i] = largest
    return adjusted


def judge(
    runs: Iterable[Run], claims: Sequence[Claim] = CLAIMS, level: float = LEVEL
) -> list[Judged]:
    """Return a verdict on every claim, in their order.

    CONFIRMED: the arms differ (adjusted p at most `level`) as claimed. CONTRADICTED: they differ
    the other way, or at all where they are claimed equal. NOT DECIDED: so many pairs do not show
    that they differ, which is no proof that they are equal. So a claim of equality can never be
    confirmed: that would take a margin within which arms count as equal, and the paper names none.

    No p-value of n pairs is below 2 / 2^n. Of ten pairs that is enough for 25 claims at 5 %; of
    nine, where one seed did not train, for 12, so it takes other claims with smaller p-values.

    Parameters
    ----------
    runs : iterable of Run
        All of them of one length; those whose experiment is no arm of a claim are left out.
    claims : sequence of Claim
        The p-values are adjusted for all of them, whatever they have in common.
    level : float
        The risk of any verdict but NOT DECIDED where no arm differs from another.

    Raises
    ------
    ValueError
        If the arms of a claim have not the same seeds, each once.
    """
    runs = list(runs)
    arms = {name: [run for run in runs if run.experiment == name] for name in ARMS}
    results = [paired(arms[c.worse], arms[c.better], MEASURES[c.measure]) for c in claims]
    adjusted = holm([result.p for result in results])
    return [
        Judged(claim, *result, p_holm, _verdict(claim, result.mean, p_holm, level))
        for claim, result, p_holm in zip(claims, results, adjusted)
    ]


def _verdict(claim: Claim, mean: float, p_holm: float, level: float) -> str:
    if p_holm > level:
        return NOT_DECIDED
    as_claimed = (mean > 0) == (MEASURES[claim.measure].better == "higher")
    return CONFIRMED if claim.relation == "<" and as_claimed else CONTRADICTED


def arm_rows(runs: Iterable[Run]) -> list[tuple[str, ...]]:
    """Return one row of text an arm: the paper's words beside our numbers.

    Survived runs with the exact binomial interval of their share, else means, that of the test
    accuracy with its interval. The intervals are of 95 %, that of the accuracy only rough where
    some runs collapsed; `MEASURES` says which runs count how. Arms without runs are left out.
    """
    runs = list(runs)
    rows: list[tuple[str, ...]] = []
    for arm in ARMS:
        ours = [run for run in runs if run.experiment == arm]
        if not ours:
            continue
        of = {name: [measure.of(run) for run in ours] for name, measure in MEASURES.items()}
        known = {name: [x for x in values if not math.isnan(x)] for name, values in of.items()}
        survived = int(sum(known["survival"]))
        share = share_interval(survived, len(ours), 1 - CONFIDENCE)
        accuracy, low, high = mean_interval(known["test accuracy"])
        words = PAPER[arm]
        rows.append(
            (
                f"{arm} ({words.label})",
                _both_tongues(words.stability),
                f"{survived} of {len(ours)} ({_range(*share, '.2f')})",
                f"{fmean(known['roughness']):.3f}" if known["roughness"] else "-",
                _both_tongues(words.convergence),
                f"{fmean(known['epochs to 0.85']):.1f}",
                f"{fmean(known['final loss']):.3f}",
                _both_tongues(words.effectiveness),
                f"{accuracy:.4f} ({_range(low, high, '.4f')})",
                f"{fmean(known['overfitting']):+.4f}" if known["overfitting"] else "-",
            )
        )
    return rows


def claim_rows(judged: Iterable[Judged]) -> list[tuple[str, ...]]:
    """Return one row of text a claim; the difference is the claim's better arm minus its worse."""
    return [
        (
            j.claim.source,
            j.claim.words,
            j.claim.measure,
            f"{j.claim.worse} {j.claim.relation} {j.claim.better}",
            str(j.n),
            f"{j.mean:+.4f}" if j.n else "-",
            _range(j.low, j.high, "+.4f"),
            f"{j.p:.4f}",
            f"{j.p_holm:.4f}",
            j.verdict,
        )
        for j in judged
    ]


def _both_tongues(word: Word) -> str:
    return f"{word.english} ({word.printed})"


def _range(low: float, high: float, digits: str) -> str:
    return "-" if math.isnan(low) else f"{low:{digits}} to {high:{digits}}"
