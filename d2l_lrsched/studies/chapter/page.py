"""The chapter's page: what the book's printed numbers and ours say of one another."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd

from d2l_lrsched import drawing, stats
from d2l_lrsched.files import write_text
from d2l_lrsched.runs.frames import LATE, markdown
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter import explanations, seeds
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS
from d2l_lrsched.studies.chapter.figures import PLOTTED_AND_TRAINED_FIGURE, plotted_and_trained
from d2l_lrsched.studies.chapter.tables import (
    nets_table,
    provenance_table,
    summary_table,
    verdict_table,
    words,
)
from d2l_lrsched.studies.chapter.verdicts import (
    CONSISTENT,
    DIFFERENT,
    HALF_DIGIT,
    INCONCLUSIVE,
    LEVEL,
    MARGIN,
    NUMBERS,
    RARE,
    Verdict,
    compare,
    counts,
)


def as_page(runs: Sequence[Run], verdicts: Sequence[Verdict], every: Sequence[Run] = ()) -> str:
    """Return the page in Markdown; the same runs give the same page.

    The runs are all of the chapter's length, each draw once, and judged by `verdicts.compare`;
    among `every` run those with both nets tell whether these agree.
    """
    names = {run.experiment for run in runs}
    different = [v for v in verdicts if v.verdict == DIFFERENT]
    explained = "".join(
        f"- {v.experiment}, {words(v.number)}: "
        f"{explanations.EXPLAINED.get((v.experiment, v.number), 'Not explained yet.')}\n"
        for v in different
    )
    notes = "\n".join(
        f"- **{e.name}** (section {e.section}): {e.note}"
        for e in EXPERIMENTS.values()
        if e.name in names
    )
    findings = "\n\n".join(explanations.FINDINGS)
    margins = ", ".join(f"{words(number)} {MARGIN[number]:.3f}" for number in NUMBERS)
    return f"""# Learning Rate Scheduling: the book's numbers and ours

<!-- Written by `d2l-lrsched report` from `runs.jsonl`; do not edit. -->

The section *Learning Rate Scheduling* (11.15) of *Dive into Deep Learning*, in its MXNet edition,
prints the last line of five training runs: LeNet on Fashion-MNIST, 30 epochs. A printed number is
one draw. So the question is not whether it equals our mean, but whether one more run of ours would
look like it. This page answers from {len(runs)} runs.

The book's notebooks were run anew for every build over the years: [builds.md](builds.md) holds
these numbers against draws of ours.

![The cosine as the book plots it, and as its Trainer used it]({PLOTTED_AND_TRAINED_FIGURE})

The chapter plots its schedules over epochs, but its Trainer reads them once an update.

## The verdicts

{len(verdicts)} comparisons: {counts(verdicts)}.

![Last epoch of every run, the interval of one more, and the book's number](baseline.svg)

Each dot is the last epoch of one run that trained; a bar is where one more would fall; the other
mark is the number that the book prints. Runs that collapsed are counted beside the name; a bar
that reaches the edge goes on.

{markdown(verdict_table(verdicts))}

Of an outcome the table has the share of our runs that ended so, and its exact interval.

## What they say about the book

What follows was written for the runs that come with d2l_lrsched; its tests hold it to them.

{findings}

{explained}
## How they are reached

A new draw from n runs with mean m and standard deviation s falls, with probability 1 - a, into the
prediction interval `m ± t(1 - a/2, f) * s * sqrt(1 + 1/n)` (Crawford and Howell 1998, *The Clinical
Neuropsychologist* 12:482-486; Spence and Stanley 2016, *PLoS ONE* 11(9):e0162874), here widened by
{HALF_DIGIT}, half of the last printed digit. s is pooled over the experiments where Brown and
Forsythe's test does not tell their spreads apart (p > {stats.ALIKE}), else it is the experiment's
own; f are its degrees of freedom. All comparisons together are made at {LEVEL}, the risk of a false
alarm, and so each at a = {LEVEL} / {len(verdicts)} (Bonferroni).

- **{DIFFERENT}**: the printed number lies outside.
- **{INCONCLUSIVE}**: it lies inside, but the interval is wider than the distance between the best
  and the worst of the book's own runs that trained ({margins}); such an interval could not tell
  one schedule from another. These margins were fixed before the runs were made.
- **{CONSISTENT}**: it lies inside a narrower one.

A *collapsed* network, which gives every image the same scores, is another mode and no outlier. It
stays out of the intervals, and whether a run collapses is a comparison of its own: the share of our
runs that ended as the book's did, with its exact binomial interval (Clopper and Pearson),
{DIFFERENT} if even its upper end is below {RARE} and {CONSISTENT} if its lower end is above. Of a
collapsed printed run nothing else is compared.

## All experiments

Mean ± standard deviation of the last epoch, over the runs that trained. Late oscillation is how
much the test accuracy of one run moves: its standard deviation over the last {LATE} epochs.

{markdown(summary_table(runs))}

{notes}

![Test accuracy of every run over its epochs](curves.svg)

Left the runs that the book prints, right the same schedules read once an epoch; a ring is the
book's number.

{_nets(nets_table(every))}## Where the runs come from

{markdown(provenance_table(runs))}

Every number here is computed from these records; where they differ, with the number of runs.
`d2l-lrsched verify` prints the verdicts again.
"""


def _nets(table: pd.DataFrame) -> str:
    if table.empty:
        return ""
    return f"""## Two nets, one function

Most of these runs were trained with the fast net, which is the chapter's within rounding. Does it
learn the same? These runs were made with both nets and the same seeds:

{markdown(table)}

Collapsed are those of the chapter's net and those of the fast net. The difference is the fast net's
number minus the chapter's net's, between runs of one seed where both trained; interval and p are
the sign-flip test's, the p adjusted by Holm over this table.

"""


def report(runs: Sequence[Run], folder: Path, every: Sequence[Run] = ()) -> str:
    """Write the verdicts on the runs as a page, with its figures; return them in a few words."""
    found = compare(runs)
    for name, draw in seeds.FIGURES.items():
        drawing.save(draw(runs), folder / name)
    drawing.save(plotted_and_trained(), folder / PLOTTED_AND_TRAINED_FIGURE)
    write_text(folder / "README.md", as_page(runs, found, every))
    return counts(found)
