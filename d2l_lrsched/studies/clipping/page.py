"""The clipping study as one page of Markdown: every table and verdict, from descents and runs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from d2l_lrsched import drawing, stats
from d2l_lrsched.files import write_text
from d2l_lrsched.runs.frames import markdown
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.clipping import descent, figures, tables, verdicts
from d2l_lrsched.studies.clipping.claims import ARMS
from d2l_lrsched.studies.clipping.experiments import CLIP_NORM, EXPERIMENTS, HIGH_RATE
from d2l_lrsched.studies.clipping.measures import MEASURES


def write(runs: Sequence[Run], folder: Path) -> str:
    """Write figures and page into the folder; return the verdicts in a few words."""
    descents = descent.descents()
    drawing.save(figures.quadratic(descents), folder / figures.QUADRATIC_FIGURE)
    for name, draw in figures.FIGURES.items():
        drawing.save(draw(runs), folder / name)
    write_text(folder / "README.md", as_page(runs, descents))
    return verdicts.counts(verdicts.judge(runs))


def as_page(runs: Sequence[Run], descents: Iterable[descent.Descent]) -> str:
    """Return the page of runs, each experiment's of one length and each seed once, and of descents.

    What there are no runs of is left out.
    """
    shares = [name for name in EXPERIMENTS if name not in ARMS]
    judged = verdicts.judge(runs)
    fewest = min(j.n for j in judged)
    definitions = "\n".join(
        f"- **{m.name}**: {m.definition}; {m.better} is better." for m in MEASURES.values()
    )
    versions = sorted({run.versions.get("commit", "unknown") for run in runs})
    return f"""# Gradient clipping and scheduling, measured

Written by `d2l-lrsched clipping` from `runs.jsonl`; do not edit.

The paper claims in words that clipping the gradient by its global norm and a schedule make
training stable, and ranks four combinations. Here its words are measures and its claims are tests.

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

LeNet on Fashion-MNIST at {HIGH_RATE:g}; the schedule is a warmup over the first tenth of all
updates, then a cosine down to 0; the arms share their seeds. What the paper's words are measured
by:

{definitions}

{markdown(tables.clipped_table(runs))}

{markdown(tables.cost_table(runs))}

### The paper's claims

{verdicts.counts(judged)}.

{markdown(tables.claim_table(judged))}

Each claim is tested on pairs of the same seed by the exact sign-flip test; the adjusted p is
Holm's, over all claims, which are judged at {100 * stats.LEVEL:g} %. The difference is the arm on
the right minus that on the left. NOT DECIDED means that so many pairs do not show, after the
adjustment, that the arms differ, which is no proof that they do not. Roughness and overfitting are
compared where both runs of a seed trained, and n pairs have no p below 2/2^n: {fewest} pairs, the
fewest here, none below {min(1, 2 / 2**fewest):.4f} before the adjustment for {len(judged)} claims.

## Who collapses, and what prevents it

![Training loss of the seeds that collapse](collapse.svg)

{markdown(tables.share_table(runs, [*shares, *ARMS]))}

{markdown(tables.rescue_table(verdicts.rescues(runs)))}

The p is McNemar's exact test of the seeds that collapsed without and trained with, against those
that trained without and collapsed with.

The runs were made by commit {", ".join(versions)}.
"""
