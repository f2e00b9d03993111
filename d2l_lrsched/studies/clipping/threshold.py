"""The rule by which the pilot's runs choose the clipping threshold."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import median

from d2l_lrsched.runs.record import Run


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
