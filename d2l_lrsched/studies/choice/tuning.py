"""The rules by which the tuning runs choose every schedule's peak rate.

Fixed before the first run. A schedule's score at a peak is the median, over the tuning seeds, of
the accuracy on the held-out pictures after the last epoch; a run that did not train counts as 0, so
that a peak at which most collapse has the score 0. The best score wins, and of equal ones the
lower peak. All schedules try `GRID`; one whose best peak is the highest or the lowest that it has
tried tries the next of `PEAKS`, until its best is inside.

How another rate, as the range test suggests one, would do as a peak, fixed before one was held
against any score: it is good from the lowest to the highest of the good peaks; too low at or below
a peak tried that lies below all these; too high at or above one that lies above them; else, between
a good peak and the next or beyond all that were tried, it is not decided.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from statistics import median
from typing import NamedTuple

from d2l_lrsched.runs.record import Run

#: The peaks that every schedule tries.
GRID = (0.03, 0.1, 0.2, 0.3, 0.45, 0.7, 1.0)
#: All that can be tried, in order: past the grid each is 1.5 times the one before, to two digits.
PEAKS = (0.0058, 0.0087, 0.013, 0.02, *GRID, 1.5, 2.2, 3.3, 5.0, 7.5, 11.0)
#: Peaks whose score is at most so much below the best are good.
GOOD = 0.01

#: Peak -> score.
Scores = Mapping[float, float]


class Range(NamedTuple):
    """The good peaks: an unbroken row of those tried, around the best.

    `open_low` and `open_high`: whether its end is the last peak tried, and more may be good.
    """

    low: float
    high: float
    open_low: bool
    open_high: bool


def score(runs: Iterable[Run]) -> float:
    """Return the median of the last accuracies, those of runs that did not train being 0."""
    return median(run.final.test_acc if run.outcome == "trained" else 0.0 for run in runs)


def best(scores: Scores) -> float:
    """Return the peak of the best score; of equal ones the lowest."""
    return min(scores, key=lambda peak: (-scores[peak], peak))


def further(scores: Scores) -> float | None:
    """Return the peak to be tried next, or None where the best is inside or there is none."""
    place, tried = PEAKS.index(best(scores)), [PEAKS.index(peak) for peak in scores]
    for end, beyond in ((min(tried), place - 1), (max(tried), place + 1)):
        if place == end and 0 <= beyond < len(PEAKS):
            return PEAKS[beyond]
    return None


def good(scores: Scores) -> Range:
    """Return the good peaks around the best; one whose neighbour is not good is not among them."""
    tried = sorted(scores)
    low = high = tried.index(best(scores))
    enough = max(scores.values()) - GOOD - 1e-9  # accuracies are counts, so 0.01 is often met
    while low > 0 and scores[tried[low - 1]] >= enough:
        low -= 1
    while high < len(tried) - 1 and scores[tried[high + 1]] >= enough:
        high += 1
    return Range(tried[low], tried[high], low == 0, high == len(tried) - 1)


def judge(rate: float, scores: Scores) -> str:
    """Return what the rate would be as a peak: 'good', 'too low', 'too high' or 'not decided'."""
    among = good(scores)
    if among.low <= rate <= among.high:
        return "good"
    if any(rate <= peak < among.low for peak in scores):
        return "too low"
    if any(among.high < peak <= rate for peak in scores):
        return "too high"
    return "not decided"
