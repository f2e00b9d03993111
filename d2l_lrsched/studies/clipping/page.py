"""The clipping study as one page of Markdown: every table and verdict, from descents and runs."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import median

from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter.tables import as_markdown
from d2l_lrsched.studies.clipping import claims, collapse
from d2l_lrsched.studies.clipping import descent as quadratic
from d2l_lrsched.studies.clipping.experiments import CLIP_NORM, HIGH_RATE
from d2l_lrsched.studies.clipping.experiments import EXPERIMENTS as CLIPPING
from d2l_lrsched.studies.clipping.measures import MEASURES

COST_HEADER = ("with clipping", "without", "seeds", "cost of an epoch", "range")
CLIPPED_HEADER = ("experiment", "updates clipped", "median norm", "largest norm", "skipped")
PILOT_HEADER = ("runs", "collapsed", "median norm", "largest norm", "threshold by the rule")


def pilot_rows(runs: Iterable[Run]) -> list[tuple[str, ...]]:
    """Return the pilot as one row of text; its norms are of the runs that trained."""
    pilot = [run for run in runs if run.experiment == "pilot"]
    trained = [run for run in pilot if run.outcome == "trained"]
    if not trained:
        return [(str(len(pilot)), str(len(pilot)), "-", "-", "-")] if pilot else []
    return [
        (
            str(len(pilot)),
            str(len(pilot) - len(trained)),
            f"{median(run.final.norm_median for run in trained):.2f}",
            f"{max(epoch.norm_max for run in trained for epoch in run.epochs):.1f}",
            f"{collapse.threshold(pilot):g}",
        )
    ]


def clipped_rows(runs: Iterable[Run]) -> list[tuple[str, ...]]:
    """Return one row of text an experiment that clips: what its gradients were, before."""
    runs = list(runs)
    rows: list[tuple[str, ...]] = []
    for name, experiment in CLIPPING.items():
        epochs = [epoch for run in runs if run.experiment == name for epoch in run.epochs]
        if epochs and experiment.clip_norm == CLIP_NORM:
            rows.append(
                (
                    name,
                    f"{100 * sum(e.clipped for e in epochs) / len(epochs):.0f} %",
                    f"{median(e.norm_median for e in epochs):.2f}",
                    f"{max(e.norm_max for e in epochs):.1f}",
                    f"{sum(e.skipped for e in epochs):.0f}",
                )
            )
    return rows


def cost_rows(runs: Iterable[Run]) -> list[tuple[str, ...]]:
    """Return one row of text a pair of arms: what clipping adds to the seconds of an epoch.

    Of each seed the median epoch with clipping is divided by that without; then the median, the
    least and the most of the seeds' ratios.
    """
    seconds = {
        (run.experiment, run.seed): median(epoch.seconds for epoch in run.epochs) for run in runs
    }
    rows: list[tuple[str, ...]] = []
    for plain, clipped in (("neither", "clipping"), ("scheduler", "both")):
        costs = [
            seconds[clipped, seed] / taken - 1
            for (name, seed), taken in seconds.items()
            if name == plain and (clipped, seed) in seconds
        ]
        if costs:
            spread = f"{min(costs):+.1%} to {max(costs):+.1%}"
            rows.append((clipped, plain, str(len(costs)), f"{median(costs):+.1%}", spread))
    return rows


def verdict_counts(judged: Iterable[claims.Judged]) -> str:
    """Return how many claims have which verdict, in words."""
    counts = Counter(j.verdict for j in judged)
    order = (claims.CONFIRMED, claims.CONTRADICTED, claims.NOT_DECIDED)
    return ", ".join(f"{counts[verdict]} {verdict}" for verdict in order)


def as_page(runs: Sequence[Run], descents: Iterable[quadratic.Descent]) -> str:
    """Return the page.

    Parameters
    ----------
    runs : sequence of Run
        Those of `experiments.CLIPPING`, each experiment's of one length and each seed once. What
        there are no runs of is left out.
    descents : iterable of Descent
    """
    shares = [name for name in CLIPPING if name not in claims.ARMS]
    judged = claims.judge(runs)
    fewest = min(j.n for j in judged)
    definitions = "\n".join(
        f"- **{m.name}**: {m.definition}; {m.better} is better." for m in MEASURES.values()
    )
    versions = sorted({run.versions.get("commit", "unknown") for run in runs})
    return f"""# Gradient clipping and scheduling, measured

Written by `d2l-lrsched clipping` from `clipping.jsonl`; do not edit.

The paper claims in words that clipping the gradient by its global norm and a schedule make
training stable, and ranks four combinations. Here its words are measures and its claims are tests.

## The two weights (paper 4.1, 4.2)

![Paths, gradient norms and losses](quadratic.svg)

{as_markdown(quadratic.TABLE_HEADER, quadratic.table_rows(descents))}

L = w1² + w2² from (3, 5), {quadratic.NUM_STEPS} steps of sgd, clipped at {quadratic.CLIP_NORM:g}.
A loss that stays below {quadratic.SETTLED:g} has settled. The paper's table says of no clipping
"> 10" and "fast but unstable", of clipping "= 1" and "slow, stable". That hangs on the rate: at
0.4 the descent without clipping is both fast and stable; at 0.9 clipping settles sooner; at 1.1
clipping keeps it from running away, but does not make it converge. And it is the applied
gradient whose norm is 1: the gradient itself starts as large.

## The threshold

{as_markdown(PILOT_HEADER, pilot_rows(runs))}

A pilot at the constant rate {HIGH_RATE:g}, on seeds of its own, measured the norms of the mean
gradient. The rule, fixed before it was run: the median of the runs' median norms in their last
epoch, over the runs that trained, rounded to one digit. All that is clipped below is clipped at
{CLIP_NORM:g}.

## The four combinations (paper 4.3, 4.4)

![Training loss and test accuracy of every run](arms.svg)

{as_markdown(claims.ARM_HEADER, claims.arm_rows(runs))}

LeNet on Fashion-MNIST at {HIGH_RATE:g}; the schedule is a warmup over the first tenth of all
updates, then a cosine down to 0; the arms share their seeds. What the paper's words are measured
by:

{definitions}

{as_markdown(CLIPPED_HEADER, clipped_rows(runs))}

{as_markdown(COST_HEADER, cost_rows(runs))}

### The paper's claims

{verdict_counts(judged)}.

{as_markdown(claims.CLAIM_HEADER, claims.claim_rows(judged))}

Each claim is tested on pairs of the same seed by the exact sign-flip test; the adjusted p is
Holm's, over all claims, which are judged at {100 * claims.LEVEL:g} %. The difference is the arm on
the right minus that on the left. NOT DECIDED means that so many pairs do not show, after the
adjustment, that the arms differ, which is no proof that they do not. Roughness and overfitting are
compared where both runs of a seed trained, and n pairs have no p below 2/2^n: {fewest} pairs, the
fewest here, none below {min(1, 2 / 2**fewest):.4f} before the adjustment for {len(judged)} claims.

## Who collapses, and what saves them

![Training loss of the seeds that collapse](collapse.svg)

{as_markdown(collapse.SHARE_HEADER, collapse.share_rows(runs, [*shares, *claims.ARMS]))}

{as_markdown(collapse.REMEDY_HEADER, collapse.rescue_rows(collapse.rescues(runs)))}

The p is McNemar's exact test of seeds saved against seeds lost.

The runs were made by commit {", ".join(versions)}.
"""
