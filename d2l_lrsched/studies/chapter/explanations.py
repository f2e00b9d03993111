"""Why numbers of ours and of the book differ, as far as the committed baseline shows it.

`verify` fails on a DIFFERENT verdict that is not in `EXPLAINED`, and says so of an explanation
whose number is no longer DIFFERENT. The page prints both as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping

#: (experiment, number) of each known DIFFERENT verdict -> the best explanation the data support.
#: The number is one of `verdicts.NUMBERS`, or 'outcome'.
EXPLAINED: Mapping[tuple[str, str], str] = {}

#: What the baseline says beyond single numbers. tests/studies/chapter/test_explanations.py
#: holds each to the runs.
FINDINGS: tuple[str, ...] = (
    "No printed number of a run that trained lies outside what one more run of ours would give. So "
    "none asks for another explanation, be it the earlier release of the data set, which the "
    "book's runs had, or a difference between the programs; effects smaller than the intervals are "
    "not excluded.",
    "The printed numbers agree with schedules fed with updates. Read once an epoch, as the book's "
    "text and plots mean them, cosine and cosine with warmup end far below the printed train loss, "
    "in every run of ours that trained. Multi-factor does not tell the two readings apart.",
    "That the book plots a scheduler before it trains with it could not be seen in the numbers: it "
    "changes the rate of multi-factor, and for the first 30 updates only. After them both are at "
    "0.125.",
    "The printed test accuracies are the weakest test. They move so much with the seed that the "
    "interval of one new run is wider than the distance between the best and the worst of the "
    "book's runs that trained: it could hardly have contradicted the book.",
    "That does not make the schedules equal. One run each sets constant, square root and "
    "multi-factor, as published, above cosine and cosine with warmup, whose rate is 0.01 nearly "
    "throughout, in nine of ten pairs of our runs. Cosine with and without warmup cannot be told "
    "apart so.",
    "The printed collapse at the constant rate of 0.3 is possible, not shown: none of our runs at "
    "that rate collapsed, and they are too few to tell a rare accident from a common one.",
    "Read once an epoch, schedules that begin at 0.5 or at 1.0 often end in collapse. The cosine "
    "with the warmup before it never did.",
    "A collapsed network need not stay so: one run of the square root read per epoch gave every "
    "test image the same scores for half of the training, and then learned.",
)
