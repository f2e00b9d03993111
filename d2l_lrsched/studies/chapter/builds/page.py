"""The page: what the book's builds printed, and what our draws say of it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from d2l_lrsched import drawing
from d2l_lrsched.files import write_text
from d2l_lrsched.runs.frames import markdown
from d2l_lrsched.runs.record import Run
from d2l_lrsched.stats import LEVEL
from d2l_lrsched.studies.chapter.builds import crossed, figures, measures, process, tables, verdicts
from d2l_lrsched.studies.chapter.builds.draws import Draw

FIGURE = "builds.svg"


def as_page(made: list[Draw], runs: Sequence[Run]) -> str:
    """Return the page in Markdown; the same draws, and runs by MXNet, give the same page."""
    draws, builds = measures.of_draws(made), measures.of_builds()
    by_weights = verdicts.means(draws, builds)
    by_split = verdicts.means(draws, builds, "split")
    left = crossed.left(draws, builds)
    explained = {
        name: crossed.holds(left, name) for name in ("both", "split", "weights", "neither")
    }
    orders = tables.order_table(draws, by_weights)
    outside = orders[orders["by the rules"] == verdicts.DIFFERENT]["the builds are"]
    unlike = sum(p < LEVEL for p in crossed.spread_p(draws, builds).values())
    spread = verdicts.spreads(draws, builds)
    spreads = Counter(of.verdict for of in spread)
    died = verdicts.collapse(draws, builds)
    agreement = tables.agreement_table(draws, runs)
    in_process = process.table(process.read(), draws)
    with_what = ", ".join(
        f"{n} on {what}" for what, n in Counter(d.made_with for d in made).items()
    )
    return f"""# What the book printed from {builds.date.min()[:4]} to {builds.date.max()[:4]}

<!-- Written by `d2l-lrsched report`; do not edit. -->

The book's notebooks were run anew for each of its builds. Of its MXNet edition
{builds.build.nunique()} are stored with their outputs (`d2l_lrsched/studies/chapter/published`):
five runs each, with the settings of the chapter or with other ones. Here they are held against
{len(made)} draws of ours. The chapter's own five numbers are of one more run of the notebook.

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

What is left of the builds' mean (95 % intervals, not adjusted for their number), by four
explanations: ours with other weights on today's split (*neither*), with the book's weights on it
(*weights alone*), with other weights on random splits (*split alone*), and *both*: random splits,
plus what the book's weights differ from others by on today's split, order by order. Nothing is left
where an interval holds 0:

| explanation | rows of {len(left)} in which nothing is left |
| --- | --- |
| weights and split | {explained["both"]} |
| the split alone | {explained["split"]} |
| the weights alone | {explained["weights"]} |
| neither | {explained["neither"]} |

{markdown(tables.left_table(draws, builds))}

So most of what sets the builds apart is their weights and their pictures. Take this with care. It
was found when the draws were there, and is not one of the comparisons that were fixed before; the
rows of one experiment are not independent; *both* has the widest intervals; and it assumes that
weights and split add up, for the book's weights were not trained on other splits.

## Were the builds one more draw of ours?

The rules, fixed before the draws, take a draw to be the mean, plus something of its weights, plus
something of its own. {verdicts.DIFFERENT}: the builds' mean lies outside the interval in which the
mean of one more initialization of ours would fall, all comparisons together at 5 %;
{verdicts.CONSISTENT}: inside; {verdicts.UNDECIDED}: inside one wider than the margin, the distance
between the best and the worst of the chapter's printed runs that trained. *gentler-* are builds
whose square root begins at 0.1 and whose cosines begin at 0.3, *early-constant* builds with the
constant rate 0.5 and 40 epochs; *last ten epochs* is the mean of their test accuracies.

By weights, on today's split: {tables.counts(by_weights)}.

{markdown(tables.mean_table(by_weights))}

*Of*: our initializations. {tables.undecided(by_weights)}

By random splits, each with weights of its own: {tables.counts(by_split)}.

{markdown(tables.mean_table(by_split))}

{tables.undecided(by_split)}

What a random split does to the same weights and orders, one pair at a time (by today's first two
orders, whose own effect all pairs share; see below):

{markdown(tables.shift_table(draws))}

## An order moves all networks alike

The draws refute that a draw is the mean, plus something of its weights, plus something of its own.
An order of the pictures moves the test accuracy of *all* initializations in the same direction, for
the last batches before the test are the same. Standard deviations, and the same comparison with the
orders' variance counted:

{markdown(orders)}

Of the {len(outside)} means that the rules call {verdicts.DIFFERENT} here,
{(outside == "inside").sum()} are inside once the orders are counted: five orders, and three of the
gentler runs, are too few to know a mean test accuracy well. The rules' verdicts stay as they are;
this table says how far to trust them. Training losses hardly depend on what the orders share.

## The spread

{markdown(tables.spread_table(spread, draws, builds))}

Standard deviations; a ratio is the builds' to ours, with a bootstrap interval of 95 %.
{verdicts.SHARED}: it can be that of our orders alone, and not that of weights and orders;
{verdicts.INDEPENDENT}: the reverse; {verdicts.EITHER}: both; {verdicts.NEITHER}: none of the two;
{verdicts.UNKNOWN}: of initializations with one order each. The bootstrap does not know that the
orders are few and shared, so that of test accuracies it says too much. *p* is that of the builds'
spread being the same as that of our draws with the book's own weights, each with an order of its
own (Brown and Forsythe): below 0.05 in {unlike} of {len(orders) + 3} rows.

{spreads[verdicts.SHARED]} of {len(spread)} rows are {verdicts.SHARED}; in the
{spreads[verdicts.NEITHER]} that are {verdicts.NEITHER} the builds spread less than our draws do, by
orders alone as well. So this verdict does not speak for shared weights; the last column does.

## Collapse

{markdown(tables.collapse_table(draws, builds))}

The table has every group in which a run collapsed; the last column counts those whose last collapse
began after the first epoch. At the constant rate the book's weights are those of seed 0, so that
their row is part of the next. Of those at the constant 0.3 {died.runs} are of
{died.weights} initializations with the same five orders each, and of these {died.collapsed}
collapsed. That all these initializations are alike in this is not refuted (permutation test,
p = {died.differ:.2f}). If
the builds' weights were one of them, {died.builds_collapsed} of {died.builds} would be no surprise
(p = {died.as_builds:.2f}), but neither would nearly any other count: five orders say little of one
initialization.

## The chapter's own numbers

{markdown(tables.place_table(draws, builds))}

## False alarms and power

Each initialization of ours in turn is judged by the others, as it is and shifted by half a margin:

{markdown(tables.power_table(draws, builds))}

## How they were made

Many runs side by side on one GPU ({with_what}), with MXNet's
initial weights, NumPy's orders and our schedules' rates; equal to the chapter's loop within float32
rounding, which a test checks. The rules, in `d2l_lrsched/studies/chapter/builds/verdicts.py`, and
the plan of the draws, in `draws.py` beside it, were committed before the first draw was made. No
draw was dropped.

Do they agree with the runs that MXNet made, those of the page beside this one? *p* is of one
comparison (who collapsed: Fisher's exact test; means: Welch's t test), *all* of all together
(Holm). At 5 % {tables.disagree(agreement)}.

{markdown(agreement)}

And do they agree with the book's own process? Ten times its five runs were trained by MXNet one
after another in one process, nothing seeded but the order of the pictures. Each has a twin among
the draws, with the same weights and order. *p* is of one comparison (who collapsed: Fisher's exact
test; means, where both trained: the sign-flip test), *all* of all together (Holm). At 5 %
{tables.disagree(in_process)}.

{markdown(in_process)}
"""


def write(made: list[Draw], runs: Sequence[Run], folder: Path) -> str:
    """Write the page and its figure; return the verdicts on the means in a few words."""
    draws, builds = measures.of_draws(made), measures.of_builds()
    drawing.save(figures.builds(draws, builds), folder / FIGURE)
    write_text(folder / "builds.md", as_page(made, runs))
    return tables.counts(verdicts.means(draws, builds))
