"""The page: what the book printed over three years, and what our draws say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import pandas as pd

from d2l_lrsched import drawing
from d2l_lrsched.files import write_text
from d2l_lrsched.runs.frames import markdown
from d2l_lrsched.studies.chapter.builds import figures, measures, verdicts
from d2l_lrsched.studies.chapter.builds.draws import Draw
from d2l_lrsched.studies.chapter.builds.measures import GROUPS, NUMBERS, of_book_weights, today
from d2l_lrsched.studies.chapter.published import PRINTED

FIGURE = "builds.svg"
WORDS = {
    "train_loss": "training loss",
    "test_acc": "test accuracy",
    "late_test_acc": "test accuracy, last ten epochs",
}


def made_table(draws: pd.DataFrame, builds: pd.DataFrame) -> pd.DataFrame:
    """Return a row of texts a number: the builds, ours with their weights, the split, the rest."""
    return pd.DataFrame(
        {
            "experiment": made.experiment,
            "number": WORDS[made.number],
            "builds": f"{made.builds:.4f} ± {made.builds_sd:.4f}",
            "ours, the book's weights": f"{made.ours:.4f} ± {made.ours_sd:.4f}",
            "a random split adds": f"{made.shift:+.4f}",
            "left": f"{made.left:+.4f}",
        }
        for made in measures.as_made(draws, builds)
    )


def mean_table(means: Iterable[verdicts.Mean]) -> pd.DataFrame:
    """Return a row of texts a verdict on the builds' mean."""
    return pd.DataFrame(
        {
            "experiment": mean.experiment,
            "number": WORDS[mean.number],
            "builds": f"{mean.builds:.4f}",
            "verdict": mean.verdict,
            "ours": f"{mean.center:.4f}",
            "interval": f"{mean.interval:.4f}",
            "of": str(mean.groups),
            "margin": f"{verdicts.MARGIN[mean.number]:.3f}",
        }
        for mean in means
    )


def spread_table(spreads: Iterable[verdicts.Spread]) -> pd.DataFrame:
    """Return a row of texts a verdict on the builds' spread."""
    return pd.DataFrame(
        {
            "experiment": spread.experiment,
            "number": WORDS[spread.number],
            "builds": f"{spread.builds:.4f}",
            "our orders": f"{spread.of_orders:.4f}",
            "ratio": f"{spread.to_orders:.2f}",
            "our weights and orders": f"{spread.of_all:.4f}",
            "ratio to these": f"{spread.to_all:.2f}",
            "verdict": spread.verdict,
        }
        for spread in spreads
    )


def collapse_table(draws: pd.DataFrame, builds: pd.DataFrame) -> pd.DataFrame:
    """Return a row of texts for each group of runs of which some collapsed, builds' and ours."""
    by_book = pd.concat([of_book_weights(draws, n, trained=False) for n in GROUPS])
    groups = {
        "builds": builds,
        "ours, the book's weights": by_book,
        "ours, seeds": draws[~draws.weights.str.startswith("unseeded") & draws.split.isna()],
        "ours, another split": draws[draws.split.notna()],
    }
    rows = []
    for name in dict.fromkeys(draws.experiment):
        for whose, table in groups.items():
            of = table[table.experiment == name]
            died = of[~of.trained]
            if len(died):
                late = int((died.since > 1).sum())
                rows.append((name, whose, f"{len(died)} of {len(of)}", str(late)))
    return pd.DataFrame(rows, columns=["experiment", "runs", "collapsed", "after having learned"])


def place_table(draws: pd.DataFrame, builds: pd.DataFrame) -> pd.DataFrame:
    """Return where each number of the chapter lies: how many builds, and draws, are below."""
    rows = []
    for name, printed in PRINTED.items():
        theirs = measures.that_trained(builds, name)
        ours = today(draws, name)
        for number in ("train_loss", "train_acc", "test_acc") if not printed.collapsed else ():
            value = getattr(printed, number)
            below = [f"{(of[number] < value).sum()} of {len(of)}" for of in (theirs, ours)]
            rows.append((name, number.replace("_", " "), f"{value:.3f}", *below))
    columns = ["experiment", "number", "the chapter", "builds below", "of our draws below"]
    return pd.DataFrame(rows, columns=columns)


def power_table(draws: pd.DataFrame, builds: pd.DataFrame) -> pd.DataFrame:
    """Return how often one of our own initializations is called different, and one shifted."""
    rows = []
    for name in GROUPS:
        n = len(measures.that_trained(builds, name))
        for number in NUMBERS:
            alarms, found = verdicts.power(draws, name, number, n)
            shift = f"{verdicts.SHIFT[number]:.3f}"
            rows.append((name, WORDS[number], f"{alarms:.2f}", shift, f"{found:.2f}"))
    columns = ["experiment", "number", "false alarms", "shifted by", "found"]
    return pd.DataFrame(rows, columns=columns)


def counts(found: Iterable[verdicts.Mean]) -> str:
    """Return how many means have which verdict, in words."""
    counted = Counter(mean.verdict for mean in found)
    return ", ".join(f"{n} {verdict}" for verdict, n in sorted(counted.items()))


def undecided(found: Iterable[verdicts.Mean]) -> str:
    """Return how many initializations, or splits, would decide what is undecided."""
    needed = [
        f"{mean.experiment}, {WORDS[mean.number]}: {mean.needed or 'no number of them would do'}"
        for mean in found
        if mean.verdict == verdicts.UNDECIDED
    ]
    return f"How many would decide what is undecided: {'; '.join(needed)}." if needed else ""


def as_page(made: list[Draw]) -> str:
    """Return the page in Markdown; the same draws give the same page."""
    draws, builds = measures.of_draws(made), measures.of_builds()
    by_weights = verdicts.means(draws, builds)
    by_split = verdicts.means(draws, builds, "split")
    spreads = verdicts.spreads(draws, builds)
    left = measures.as_made(draws, builds)
    within = sum(row.left.low <= 0 <= row.left.high for row in left)
    died = verdicts.collapse(draws, builds)
    cosine = of_book_weights(draws, "cosine").test_acc
    with_what = ", ".join(
        f"{n} on {what}" for what, n in Counter(d.made_with for d in made).items()
    )
    return f"""# What the book printed in three years

Written by `d2l-lrsched report`; do not edit.

The book's notebooks were run anew for each of its builds. Of its MXNet edition
{builds.build.nunique()} are stored with their outputs (`d2l_lrsched/studies/chapter/published`):
five runs each, with the settings of the chapter or with other ones. Here they are held against
{len(made)} draws of ours. The chapter's own five numbers are one more build.

![All builds and all our draws, the last epoch](builds.svg)

A point is the last epoch of one run that trained. A tick is the mean of one initialization of ours.

## What a seed is made of

A seed decides two things: the weights that a run begins with, and the order of the pictures. The
builds share the first. A process that seeds nothing begins with the state that MXNet's generator
always begins with, and Gluon draws weights on the CPU even where it trains on a GPU. So the weights
of all builds can be drawn again here, by training the five runs one after another without a seed;
the first run's are those of seed 0. Only the order of the pictures differs from build to build.

The pictures differ, too: the builds were trained on another release of Fashion-MNIST, another draw
from the same pool, which is no longer to be had. What another draw does is measured here by
splitting today's 70,000 pictures anew, 20 times.

## Same weights, another split

{markdown(made_table(draws, builds))}

Mean ± standard deviation; *left* is the 95 % interval of the builds' mean minus ours minus what a
split adds (of gentler runs, what it adds with the chapter's settings). It holds 0 in {within} of
{len(left)} rows. This comparison is not one of those that were fixed before the draws were made:
that the weights are to be had was found when they were there.

So the two together explain nearly all of the builds' numbers. With the cosine, say, the builds'
test accuracy is {builds[builds.experiment == "cosine"].test_acc.mean():.3f}; ours is
{today(draws, "cosine").test_acc.mean():.3f} with any weights, {cosine.mean():.3f} with the book's,
and a random split adds {_shift(draws):.3f}.

## Were the builds one more draw of ours?

By weights, on today's split: {counts(by_weights)}.

{markdown(mean_table(by_weights))}

*Interval*: where the mean of one more initialization would fall, all comparisons together at 5 %;
*of*: our initializations. {undecided(by_weights)}

By random splits, each with weights of its own: {counts(by_split)}.

{markdown(mean_table(by_split))}

{undecided(by_split)}

What a random split does to the same weights and orders, one pair at a time:

{markdown(shift_table(draws))}

## The spread

{markdown(spread_table(spreads))}

Standard deviations; a ratio is the builds' to ours, with a bootstrap interval of 95 %.
{verdicts.SHARED}: it can be that of our orders alone, and not that of weights and orders;
{verdicts.INDEPENDENT}: the reverse; {verdicts.EITHER}: both; {verdicts.NEITHER}: none of the two.
The builds vary less than our orders do. How far an order moves a run depends on its weights: the
orders' spread, pooled over many initializations, need not be that of the book's. Beside the first
table's, which is of the book's own weights, the builds' spread is no riddle.

## Collapse

{markdown(collapse_table(draws, builds))}

At the constant 0.3, {died.collapsed} of {died.runs} runs with {died.weights} initializations and
five orders each collapsed. That all these initializations are alike in this is not refuted
(permutation test, p = {died.differ:.2f}). If the builds' weights were one of them,
{died.builds_collapsed} of {died.builds} would be no surprise (p = {died.as_builds:.2f}).

## The chapter's own numbers

{markdown(place_table(draws, builds))}

## False alarms and power

Each initialization of ours in turn is judged by the others, as it is and shifted by half a margin:

{markdown(power_table(draws, builds))}

## How they were made

Many runs side by side on one GPU ({with_what}), with MXNet's
initial weights, NumPy's orders and our schedules' rates; equal to the chapter's loop within float32
rounding, which a test checks. The rules, in `d2l_lrsched/studies/chapter/builds/verdicts.py`, and
the plan of the draws, in `draws.py` beside it, were committed before the first draw was made. No
draw was dropped.
"""


def shift_table(draws: pd.DataFrame) -> pd.DataFrame:
    """Return a row of texts a number: what a random split does to it."""
    return pd.DataFrame(
        {
            "experiment": shift.experiment,
            "number": WORDS[shift.number],
            "splits": str(shift.splits),
            "mean difference": f"{shift.mean:+.4f}",
            "interval": f"{shift.interval:+.4f}",
        }
        for shift in measures.shifts(draws)
    )


def _shift(draws: pd.DataFrame) -> float:
    return next(
        s.mean for s in measures.shifts(draws) if (s.experiment, s.number) == ("cosine", "test_acc")
    )


def write(made: list[Draw], folder: Path) -> str:
    """Write the page and its figure; return the verdicts on the means in a few words."""
    draws, builds = measures.of_draws(made), measures.of_builds()
    drawing.save(figures.builds(draws, builds), folder / FIGURE)
    write_text(folder / "builds.md", as_page(made))
    return counts(verdicts.means(draws, builds))
