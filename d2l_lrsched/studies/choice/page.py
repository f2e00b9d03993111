"""The study's page: which schedule, by its rules and from records alone."""

from __future__ import annotations

import textwrap
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING

from d2l_lrsched import drawing, stats
from d2l_lrsched.data import BATCH_SIZE, TRAIN_EXAMPLES
from d2l_lrsched.files import write_text
from d2l_lrsched.runs import frames
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.choice import figures, tuning
from d2l_lrsched.studies.choice.experiments import (
    CLIP_NORM,
    CLIPPED,
    CONSTANT,
    FLOOR,
    HELD_OUT,
    PLAIN,
    SCHEDULES,
    SKIPPED,
    TUNE,
    scores,
)
from d2l_lrsched.studies.choice.tables import compared, reached

if TYPE_CHECKING:
    from d2l_lrsched.training.range_test import RangeTest

FIGURE = "peaks.svg"


def write(runs: Collection[Run], tested: RangeTest, folder: Path) -> str:
    """Write figure and page into the folder; return in words what they are of."""
    drawing.save(figures.sensitivity(runs, tested.suggestion), folder / FIGURE)
    write_text(folder / "README.md", as_page(runs, tested))
    return f"{len(runs)} runs, 1 figure"


def as_page(runs: Collection[Run], tested: RangeTest) -> str:
    """Return the page of runs, all of one length and each once, whose tuning has been finished."""
    lengths = " or ".join(map(str, sorted({run.num_epochs for run in runs})))
    tuned, fresh = (
        len({run.seed for run in runs if run.experiment.startswith(f"{phase}-")})
        for phase in (TUNE, PLAIN)
    )
    grid = ", ".join(f"{peak:g}" for peak in tuning.GRID)
    shapes = "\n".join(f"- *{name}*: {words}." for name, (_, words) in SCHEDULES.items())
    without, differs, clipped, gained = (
        frames.markdown(made(runs, phase))
        for phase in (PLAIN, CLIPPED)
        for made in (reached, compared)
    )
    earlier = frames.markdown(compared(runs, SKIPPED))
    last, last_tuned = (n % BATCH_SIZE for n in (TRAIN_EXAMPLES, TRAIN_EXAMPLES - HELD_OUT))
    found = scores(runs)
    in_tuning = max(found[CONSTANT].values())
    commits = ", ".join(sorted({run.versions.get("commit", "unknown") for run in runs}))
    return f"""# Which schedule should I use?

<!-- Written by `d2l-lrsched choice` from `runs.jsonl`; do not edit. -->

LeNet learns Fashion-MNIST for {lengths} epochs, by plain SGD with batches of 256 and under each of
{len(SCHEDULES)} schedules, at the peak rate that suits the schedule:

{shapes}

The peak is the rate that the whole curve is scaled by. What decays by plan ends, in the last
update, at {FLOOR:g} of it, which constant, square-root and plateau cannot; a warmup is within the
{lengths} epochs, and n counts updates, the first being 1. All are read once an update; plateau
hears the training loss of each epoch. The square root never trains at its peak, which is therefore
no rate to be compared with others.

## Each at its own peak rate

Fixed before the first run: every schedule tries the peaks {grid}
with {tuned} seeds, trained on {TRAIN_EXAMPLES - HELD_OUT:,} of the training pictures. Its score is
the median accuracy on the other {HELD_OUT:,} after the last epoch, where a run that did not train,
collapsed or non-finite, counts as 0: in a median only the order counts, and it is the last. The
best score wins, of equal ones the lower peak. Where that is the highest or lowest peak tried, the
next is tried too, a factor of 1.5 away, up to {tuning.PEAKS[-1]:g} and down to
{tuning.PEAKS[0]:g}. Peaks whose score is at most {tuning.GOOD:g} below the best are *good*, in an
unbroken row around it; ≤ or ≥ stands where the row ends with the last peak tried.

![Accuracy on held-out pictures over the peak rate, a panel a schedule]({FIGURE})

A network is lost where it collapsed or turned non-finite. The crosses of lost ones are stacked at
the bottom: only their number counts. Points below {figures.LOWEST:g} are out of sight.

## At that peak

{fresh} fresh seeds each, trained on all {TRAIN_EXAMPLES:,} pictures and tested on the test set.
*Collapsed* is a network whose class scores for any two test images differ by less than 0.01; one
that turned non-finite counts as collapsed. Test accuracy is mean ± standard deviation of the runs
that trained, *median* that of all, where those that did not count as 0; late oscillation is the
standard deviation of the test accuracies after the last {frames.LATE} epochs, on average.

{without}

Each is compared with the {CONSTANT} rate: test accuracies seed by seed where both runs trained, by
the sign-flip test, so that a schedule that collapses more is judged by its survivors; collapses as
counts, by Fisher's test. The p-values are adjusted by Holm over the table, of accuracies and of
collapses each by themselves, and decide below {stats.LEVEL}; the 95 % intervals are not adjusted,
so that one may leave out 0 where the p-value does not decide. *Not decided* means that these runs
do not answer; it is no proof that two are equal. The tests are explained in the
[clipping notebook](../../notebooks/gradient_clipping_en.ipynb).

{differs}

## The last batch

{TRAIN_EXAMPLES:,} is no multiple of {BATCH_SIZE}: the last batch of an epoch has {last} pictures.
So its gradient is noisier, and its update comes right before the test. The constant rate trained
once more with the same seeds, but its very last update has the rate 0; all are compared with that,
in the same way. The first row is what the last update does to the constant rate:

{earlier}

In tuning the last batch has {last_tuned} pictures; the {CONSTANT} rate's median is {in_tuning:.4f}
there, on the held-out pictures. So its peak was chosen where the last batch may do less harm, and
another might suit it better here. All this was asked when all other results were known, after a
reader had made such runs; rule and code were committed before these.

## The same with clipping

At the same peaks, without tuning anew: the gradient's global norm is clipped at {CLIP_NORM:g}.

{clipped}

Each is compared with itself without clipping, in the same way:

{gained}

## The range test

{_wrapped(f"`d2l-lrsched range-test` on the same network, {len(tested.sweeps)} seeds: {tested}.")}

{_suggestion(found, tested.suggestion)}

## What this cannot say

- It holds for this network, these data and this budget; and for one test set: the tests ask what
  other seeds would give, not what other pictures would.
- A peak that was chosen by {tuned} seeds may lie beside the best one, and a schedule that is not at
  its best peak looks worse than it is. The intervals are of these peaks: were the {CONSTANT} rate's
  beside its best, all differences from it would be too high together.
- A median allows that two of five seeds are lost, so a chosen or good peak may lose up to half of
  its runs: its collapses are counted above. If 40 % of a schedule's runs collapse and none of the
  constant's, 20 runs of each decide it in six of ten studies; at 20 %, hardly ever.
- Pairs are seeds where both trained, perhaps the better ones. Of fewer than nine pairs even the
  smallest p-value does not decide once it is adjusted, unless others are decided already.
- All are compared with the same runs of the {CONSTANT} rate, and all arms have the same seeds: that
  many differ from it is no row of confirmations, and Fisher's test takes lost runs as independent.
- No two schedules but those with the {CONSTANT} rate were tested against each other, not even where
  one is decided to be above it and the other is not.
- How wide a row of good peaks is, is known to a step of the tried ones, and the widths were not
  compared.
- The threshold {CLIP_NORM:g} was chosen for the constant rate 0.5, and clipping was tried only at
  peaks that suit without it: this does not say what it could reach at higher ones.
- Late oscillation includes what the accuracy still gains in the last {frames.LATE} epochs.

The runs were made by commit {commits}.
"""


def _suggestion(found: dict[str, dict[float, float]], rate: float | None) -> str:
    if rate is None:
        return "It suggests no rate that could be judged."
    judged: dict[str, list[str]] = {}
    for schedule, of_peaks in found.items():
        judged.setdefault(tuning.judge(rate, of_peaks), []).append(schedule)
    # The square root never trains at its peak.
    times = [tuning.best(of) / rate for schedule, of in found.items() if schedule != "square-root"]
    higher = " to ".join(dict.fromkeys(f"{of:.2g}" for of in (min(times), max(times))))
    lines = "\n".join(_wrapped(f"- {said}: {', '.join(names)}") for said, names in judged.items())
    return f"""In each seed the loss begins to fall where a tenth of its whole fall is done, and
turns up again where it is first a tenth of that above its lowest so far, though it may go lower
still. Suggested is the geometric mean of the highest of the former and the lowest of the latter.

The chosen peaks are {higher} times as high as the suggested rate, that of the
square root left out. Would it be a good peak? Fixed when the tuning runs were there, but before it
was held against them: *good* is what lies among a schedule's good peaks, *too low* or *too high*
where a peak tried between it and these is not good, and *not decided* all else. Many verdicts on
one rate are not as many confirmations.

{lines}"""


def _wrapped(text: str) -> str:
    return textwrap.fill(
        text, 100, subsequent_indent="  " * text.startswith("-"), break_on_hyphens=False
    )
