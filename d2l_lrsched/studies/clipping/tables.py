"""The clipping study's tables: two weights, the pilot, the arms, the claims, who collapses."""

from __future__ import annotations

import math
from collections.abc import Iterable

import pandas as pd

from d2l_lrsched import stats
from d2l_lrsched.runs.frames import of_each, of_epochs, of_experiment, of_runs
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.clipping import descent, verdicts
from d2l_lrsched.studies.clipping.claims import ARMS, LOWER, PAPER
from d2l_lrsched.studies.clipping.experiments import CLIP_NORM, EXPERIMENTS
from d2l_lrsched.studies.clipping.measures import measure
from d2l_lrsched.studies.clipping.threshold import threshold


def descent_table(descents: Iterable[descent.Descent]) -> pd.DataFrame:
    """Return the paper's table 4.2 with measured numbers: a row of texts for each descent.

    The norm applied is measured too: the first step's length divided by the rate. The paper gives
    one number a row (above 10, and 1) and calls clipping slow.
    """
    rows = []
    for one in descents:
        step = descent.settled(one)
        applied = math.dist(*one.weights[:2]) / one.learning_rate
        rows.append(
            {
                "learning rate": f"{one.learning_rate:.3g}",
                "clipped": "no" if one.clip_norm is None else f"at {one.clip_norm:.3g}",
                "gradient norm at the start": f"{one.norms[0]:.3g}",
                "norm applied in the first step": f"{applied:.3g}",
                "largest gradient norm after the start": f"{max(one.norms[1:]):.3g}",
                "final loss": f"{one.losses[-1]:.3g}",
                "settled at step": "never" if step is None else str(step),
            }
        )
    return pd.DataFrame(rows)


def pilot_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return the pilot as one row of texts; its norms are of the runs that trained."""
    pilot = [run for run in runs if run.experiment == "pilot"]
    trained = [run for run in pilot if run.outcome == "trained"]
    texts = ["-"] * 3
    if trained:
        texts = [
            f"{of_runs(trained).norm_median.median():.2f}",
            f"{of_epochs(trained).norm_max.max():.1f}",
            f"{threshold(pilot):g}",
        ]
    rows = [(str(len(pilot)), str(len(pilot) - len(trained)), *texts)] if pilot else []
    columns = ["runs", "collapsed", "median norm", "largest norm", "threshold by the rule"]
    return pd.DataFrame(rows, columns=columns)


def clipped_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row of texts an experiment that clips: what its gradients were, before.

    The step kept is the mean of min(1, threshold / norm) over the updates.
    """
    clipping = [name for name, one in EXPERIMENTS.items() if one.clip_norm == CLIP_NORM]
    rows = [
        (
            name,
            f"{100 * of.clipped.mean():.0f} %",
            _mean(of.kept.astype(float), ".3f"),
            f"{of.norm_median.median():.2f}",
            f"{of.norm_max.max():.1f}",
            f"{of.skipped.sum():.0f}",
        )
        for name, of in of_each(of_epochs(runs), clipping).items()
    ]
    columns = [
        "experiment",
        "updates clipped",
        "step kept",
        "median norm",
        "largest norm",
        "skipped",
    ]
    return pd.DataFrame(rows, columns=columns)


def cost_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row of texts a pair of arms: what clipping adds to the seconds of an epoch.

    Of each seed the median epoch with clipping is divided by that without; then the median, the
    least and the most of the seeds' ratios.
    """
    seconds, rows = of_epochs(runs).seconds.groupby(level=["experiment", "seed"]).median(), []
    for plain, clipped in (("neither", "clipping"), ("scheduler", "both")):
        costs = (of_experiment(seconds, clipped) / of_experiment(seconds, plain) - 1).dropna()
        if len(costs):
            spread = f"{stats.Interval(costs.min(), costs.max()):+.1%}"
            rows.append((clipped, plain, str(len(costs)), f"{costs.median():+.1%}", spread))
    columns = ["with clipping", "without", "seeds", "cost of an epoch", "range"]
    return pd.DataFrame(rows, columns=columns)


def arm_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row of texts an arm: the paper's words beside our numbers.

    How many runs survived, with the exact 95 % interval of their share; else means of the runs
    that did, that of the test accuracy with its standard deviation. Arms without runs are left
    out.
    """
    rows = []
    for arm, of in of_each(measure(runs), (*ARMS, LOWER)).items():
        words, survived = PAPER.get(arm), int(of["survival"].sum())
        rows.append(
            {
                "arm": f"{arm} ({words.label})" if words else arm,
                "paper: stability": str(words.stability) if words else "-",
                "survived": f"{survived} of {len(of)} ({stats.share(survived, len(of)):.2f})",
                "roughness": _mean(of["roughness"], ".3f"),
                "late oscillation": _mean(of["late oscillation"], ".4f"),
                "paper: convergence": str(words.convergence) if words else "-",
                "epochs to 0.85": _mean(of["epochs to 0.85"], ".1f"),
                "final loss": _mean(of["final loss"], ".3f"),
                "paper: effectiveness": str(words.effectiveness) if words else "-",
                "test accuracy": stats.mean_sd(of["test accuracy"].dropna(), 4),
                "overfitting": _mean(of["overfitting"], "+.4f"),
            }
        )
    return pd.DataFrame(rows)


def claim_table(
    judged: Iterable[verdicts.Judged], unseen: Iterable[verdicts.Judged]
) -> pd.DataFrame:
    """Return one row of texts a claim: its better arm minus the worse one.

    Of several worse ones it names that which speaks for the claim least. Last the verdict of the
    `unseen` seeds alone.
    """
    rows = [
        {
            "section": j.claim.source,
            "claim": j.claim.words,
            "measure": j.claim.measure,
            "compared": f"{j.claim.better} - {j.worse}",
            "n": str(j.n),
            "difference": f"{j.mean:+.4f}" if j.n else "-",
            "95 % interval": f"{j.interval:+.4f}",
            "p": _p(j.p),
            "adjusted p": _p(j.p_holm),
            "verdict": j.verdict,
            f"seeds from {verdicts.UNSEEN} on": alone.verdict,
        }
        for j, alone in zip(judged, unseen)
    ]
    return pd.DataFrame(rows)


def share_table(runs: Iterable[Run], names: Iterable[str]) -> pd.DataFrame:
    """Return one row of texts an experiment: the share of collapsed runs, exact interval.

    Runs that turned non-finite count as collapsed, and the count names them.
    """
    rows = []
    for name, of in of_each(of_runs(runs), names).items():
        n, collapsed, non_finite = len(of), (~of.trained).sum(), sum(of.outcome == "non-finite")
        count = f"{collapsed} ({non_finite} non-finite)" if non_finite else str(collapsed)
        share = f"{stats.share(collapsed, n):.3f}"
        rows.append((name, str(n), count, f"{collapsed / n:.2f}", share))
    columns = ["experiment", "runs", "collapsed", "share", "95 % interval"]
    return pd.DataFrame(rows, columns=columns)


def prevented_table(found: Iterable[verdicts.Prevented]) -> pd.DataFrame:
    """Return one row of texts a remedy and number of epochs."""
    rows = [
        {
            "without": p.plain,
            "with": p.remedy,
            "after epoch": str(p.epochs),
            "collapsed without": "{} of {}".format(*p.without),
            "collapsed with": "{} of {}".format(*p.with_),
            "p": _p(p.p),
            "adjusted p": _p(p.p_holm),
        }
        for p in found
    ]
    return pd.DataFrame(rows)


def _p(p: float) -> str:
    return f"{p:.4f}" if p >= 0.0001 else "< 0.0001"


def _mean(values: pd.Series, digits: str) -> str:
    return f"{values.mean():{digits}}" if values.notna().any() else "-"
