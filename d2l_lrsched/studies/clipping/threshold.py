"""The rules by which the pilots' runs choose the clipping threshold and the lowered rate."""

from __future__ import annotations

from collections.abc import Iterable
from statistics import fmean, median

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


def lowered_rate(pilot: Iterable[Run]) -> float:
    """Return the constant rate that is lower by what clipping takes from the steps on average.

    The clipped pilot's rate, times the mean of `Epoch.kept` over all epochs of the runs that
    trained, rounded to two digits. The rule was fixed before that pilot was run.

    Raises
    ------
    ValueError
        If no run trained.
    """
    trained = [run for run in pilot if run.outcome == "trained"]
    if not trained:
        raise ValueError("no run of the clipped pilot trained: nothing says how much is clipped")
    kept = fmean(epoch.kept for run in trained for epoch in run.epochs)
    return float(f"{trained[0].epochs[0].lr_first * kept:.1e}")
