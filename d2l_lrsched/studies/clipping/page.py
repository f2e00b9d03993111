"""The clipping study as one page of Markdown: every table and verdict, from descents and runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from d2l_lrsched import drawing, stats
from d2l_lrsched.files import write_text
from d2l_lrsched.runs.frames import markdown
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.clipping import descent, figures, tables, verdicts
from d2l_lrsched.studies.clipping.claims import ARMS, ASKED, CLAIMS, LOWER, Claim
from d2l_lrsched.studies.clipping.experiments import (
    CLIP_NORM,
    EXPERIMENTS,
    HIGH_RATE,
    LOWERED_RATE,
)
from d2l_lrsched.studies.clipping.measures import MEASURES


def write(runs: Sequence[Run], folder: Path) -> str:
    """Write figures and page into the folder; return the verdicts in a few words."""
    descents = descent.descents()
    drawing.save(figures.quadratic(descents), folder / figures.QUADRATIC_FIGURE)
    for name, draw in figures.FIGURES.items():
        drawing.save(draw(runs), folder / name)
    judged = judge(runs, CLAIMS)
    write_text(folder / "README.md", as_page(runs, descents, judged))
    return verdicts.counts(judged[1])


_Judged = Sequence[verdicts.Judged]


def judge(runs: Sequence[Run], claims: Sequence[Claim]) -> tuple[_Judged, _Judged]:
    """Return the verdicts by all seeds, and by those from `verdicts.UNSEEN` on."""
    unseen = [run for run in runs if run.seed >= verdicts.UNSEEN]
    return verdicts.judge(runs, claims), verdicts.judge(unseen, claims)


def as_page(
    runs: Sequence[Run],
    descents: Iterable[descent.Descent],
    judged: tuple[_Judged, _Judged],
) -> str:
    """Return the page of runs, each experiment's of one length and each seed once, and of descents.

    What there are no runs of is left out. `judged` are the claims' verdicts, by `judge`.
    """
    arms = (*ARMS, LOWER)
    shares = [name for name in EXPERIMENTS if name not in arms]
    by_all, by_unseen = judged
    definitions = "\n".join(
        f"- **{m.name}**: {m.definition}; {m.better} is better." for m in MEASURES.values()
    )
    versions = sorted({run.versions.get("commit", "unknown") for run in runs})
    return f"""# Gradient clipping and scheduling, measured

<!-- Written by `d2l-lrsched clipping` from `runs.jsonl`; do not edit. -->

The paper *Ứng dụng Gradient Clipping và Learning Rate Scheduler trong huấn luyện mô hình học sâu*,
without author or year, claims in words that clipping the gradient by its global norm and a schedule
make training stable, and ranks four combinations. Here its words are measures and its claims are
tests.

## The two weights (paper 4.1, 4.2)

![Paths, gradient norms and losses](quadratic.svg)

{markdown(tables.descent_table(descents))}

L = w1² + w2² from (3, 5), {descent.NUM_STEPS} steps of sgd, clipped at {descent.CLIP_NORM:g}.
A loss that stays below {descent.SETTLED:g} has settled. The paper's table says of no clipping
"> 10" and "fast but unstable", of clipping "= 1" and "slow, stable". That hangs on the rate: at
0.4 the descent without clipping is both fast and stable; at 0.9 clipping settles sooner; at 1.1
clipping keeps it from running away, but does not make it converge. And it is the applied
gradient whose norm is 1: the gradient itself starts as large.

## The threshold

{markdown(tables.pilot_table(runs))}

A pilot at the constant rate {HIGH_RATE:g}, on seeds of its own, measured the norms of the mean
gradient. The rule, fixed before it was run: the median of the runs' median norms in their last
epoch, over the runs that trained, rounded to one digit. All that is clipped below is clipped at
{CLIP_NORM:g}.

## The four combinations (paper 4.3, 4.4)

![Training loss and test accuracy of every run](arms.svg)

{markdown(tables.arm_table(runs))}

A loss that runs away leaves the picture. LeNet on Fashion-MNIST at {HIGH_RATE:g}; the schedule is
a warmup over the first tenth of all updates, then a cosine down to 0; the arms share their seeds. A
run that did not train has no number but that of survival. What the paper's words are measured by:

{definitions}

{markdown(tables.clipped_table(runs))}

The step kept is the mean of min(1, threshold / norm) over the updates; skipped are those whose
gradient was not finite.

{markdown(tables.cost_table(runs))}

What clipping costs is taken from these runs, several at once on one machine, so it goes far apart;
the [benchmark](../speed/README.md) measures it by itself.

### The paper's claims

By the seeds from {verdicts.UNSEEN} on: {verdicts.counts(by_unseen)}. By all: \
{verdicts.counts(by_all)}.

{markdown(tables.claim_table(by_all, by_unseen))}

Survival is compared as counts, n runs an arm, by Fisher's exact test; every other measure between
runs of the same seed where both trained, n pairs, by the sign-flip test, whose interval the table
has: the differences, the same for every seed, that it does not refute. An arm that collapses more
is so compared by its survivors, perhaps its better runs: those verdicts are about runs that train,
and their differences need not be those of the means above, which are of other seeds. The difference
is the arm that is claimed better minus the other; a claim about several arms shows the one that
speaks for it least. The adjusted p is Holm's, over this table, which is judged at
{100 * stats.LEVEL:g} %. NOT DECIDED means that so many runs do not show that the arms differ, which
is no proof that they do not: of 40 runs an arm the test of survival finds 40 % of collapse against
none nearly always, 20 % against none in four of ten studies, 10 % hardly ever. The paper calls
clipping and scheduler equally effective: that claims nothing.

These rules were fixed when of the arms the seeds 0 to 9, and all runs of the pilot and at the rate
0.3, had been seen. So the last column judges the other seeds alone. Where it differs, only it
confirms or contradicts anything.

### Clipping, or just a lower rate?

{markdown(tables.claim_table(*judge(runs, ASKED)))}

The arm {LOWER} has the constant rate {LOWERED_RATE:g}: {HIGH_RATE:g} times the share of the steps
that clipping kept in a pilot, on average over all updates, rounded to two digits. These comparisons
are adjusted by themselves.

## Who collapses, and what prevents it

![Training loss of the seeds that collapse](collapse.svg)

{markdown(tables.share_table(runs, [*shares, *arms]))}

{markdown(tables.prevented_table(verdicts.prevented(runs)))}

Counts are compared by Fisher's exact test. After epoch {verdicts.EARLY} the pilots' runs count as
"neither" and "clipping", which they are but for their seeds; a run that is collapsed then may
recover. The adjusted p is Holm's, over this table. What it says of neither and clipping at the end
is the claim above once more, whose verdict stands there.

The runs were made by commit {", ".join(versions)}.
"""
