"""Exercise 5 as one page of Markdown: what was sampled beside what is exact."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from d2l_lrsched import drawing, stats
from d2l_lrsched.files import write_text
from d2l_lrsched.runs import frames
from d2l_lrsched.studies.sampling import figures, verdicts
from d2l_lrsched.studies.sampling.posterior import BURN_IN, NUM_UPDATES, Setting
from d2l_lrsched.studies.sampling.record import FAR, NEAR, Pooled, Samples, pool


def write(samples: Sequence[Samples], folder: Path) -> None:
    """Write figure and page into the folder."""
    for name, draw in figures.FIGURES.items():
        drawing.save(draw(samples), folder / name)
    write_text(folder / "README.md", as_page(samples))


def as_page(samples: Sequence[Samples]) -> str:
    """Return the page of samples, at least one, each setting and seed once."""
    pooled = pool(samples)
    commits = sorted({one.versions.get("commit", "unknown") for one in samples})
    return f"""# Exercise 5 of section 11.15.5: optimization and sampling

<!-- Written by `d2l-lrsched exercises` from `samples.jsonl`; do not edit. -->
[The other exercises](../exercises/README.md) are answered by training.

Stochastic gradient Langevin dynamics (Welling and Teh 2011) by MXNet's own SGLD optimizer, on a
posterior whose mean and variances, and those of every chain at every update, are known exactly.

![Samples against the exact posterior](sgld.svg)

The solid ellipse holds 95 % of the posterior, the dashed one 95 % of what the formulas predict for
the chains. In settings whose names begin with sgd no noise is injected.

## After the last update

Variances are ratios to the posterior's; the mean is off by so many of the posterior's standard
deviations, along the worse axis; W2 is the Wasserstein distance from the posterior. What the
formulas predict is in brackets. A setting is near from the update on from which its W2 stays below
{NEAR:g}; far are chains that end more than {FAR:g} standard deviations from the posterior's mean.

{frames.markdown(last_update(pooled))}

## Averages over time

Each chain is averaged over its updates, the first {BURN_IN:.0%} left out: weighted by the steps, as
in the paper's equation (11), or plainly, which with a fixed step is the same. Squares are ratios to
the posterior's variance. One chain's error is the root mean square error of its own average, along
the worse axis.

{frames.markdown(averages(pooled))}

## How the verdicts are reached

{method(pooled)}

Beyond the limit of stability (fixed-unstable) the wide axis does not agree: rounding, float64's and
more so that of the records to 7 digits, leaks into it from the narrow one, along which the chains
run away.

The samples were drawn by commit {", ".join(commits)}.
"""


def last_update(pooled: Sequence[Pooled]) -> pd.DataFrame:
    """Return the table of the last update, in texts: a row a setting.

    A p is the least one times the number of all tests of its family, at most 1.
    """
    predictions = verdicts.bonferroni([verdicts.prediction_ps(of) for of in pooled])
    posteriors = verdicts.bonferroni([verdicts.posterior_ps(of) for of in pooled])
    rows = []
    for of, prediction, posterior in zip(pooled, predictions, posteriors):
        narrow, wide = zip(of.found.variance[-1], of.exact.variance[-1])
        rows.append(
            {
                "setting": of.setting.name,
                "step": _step(of.setting),
                "variance, narrow (exact)": _pair(*narrow),
                "variance, wide (exact)": _pair(*wide),
                "mean off by (exact)": _off_by(of.found.mean[-1], of.exact.mean[-1]),
                "W2 (exact)": _pair(of.found.distance[-1], of.exact.distance[-1]),
                "near from update": of.near or "never",
                "far": f"{of.far} of {of.num_chains}",
                "agrees with the prediction": _agrees(prediction),
                "agrees with the posterior": _agrees(posterior),
            }
        )
    return pd.DataFrame(rows)


def averages(pooled: Sequence[Pooled]) -> pd.DataFrame:
    """Return the table of the averages over time, in texts: a row a setting and its weights."""
    kept = [
        (of, weights)
        for of in pooled
        for weights in of.averages
        if weights == "weighted" or not isinstance(of.setting.step, float)
    ]
    ps = verdicts.bonferroni([verdicts.average_ps(of, weights) for of, weights in kept])
    rows = []
    for (of, weights), p in zip(kept, ps):
        mean, exact_mean = of.averages[weights]["mean"]
        square, exact_square = of.averages[weights]["square"]
        narrow, wide = zip(square.mean, exact_square)
        rows.append(
            {
                "setting": of.setting.name,
                "weights": weights,
                "mean off by (exact)": _off_by(mean.mean, exact_mean),
                "square, narrow (exact)": _pair(*narrow),
                "square, wide (exact)": _pair(*wide),
                "one chain's error: mean": _error(mean.mean, mean.variance),
                "square": _error(square.mean - 1, square.variance),
                "agrees with the posterior": _agrees(p),
            }
        )
    return pd.DataFrame(rows)


def method(pooled: Sequence[Pooled]) -> str:
    """Return in words by what the tables' verdicts are reached, with the sampling errors."""
    chains = min(of.num_chains for of in pooled)
    errors = verdicts.sampling_errors(chains)
    predictions = sum(len(verdicts.prediction_ps(of)) for of in pooled)
    posteriors = sum(len(verdicts.posterior_ps(of)) for of in pooled)
    return (
        f"Of {chains} independent chains a setting the mean has a standard error of "
        f"{errors['mean']:.3f} posterior standard deviations and a variance one of "
        f"{errors['variance']:.1%}; as many draws from the posterior itself have a W2 of about "
        f"{errors['W2']:.3f}. A setting agrees with the prediction unless one of its means and "
        f"variances, at any recorded update, or of its time averages differs at "
        f"{stats.LEVEL:.0%} over all {predictions} tests (Bonferroni); with the posterior, "
        f"unless one at the last update does over all {posteriors}. Agreement means no difference "
        "that so many chains show."
    )


def _step(setting: Setting) -> str:
    if isinstance(setting.step, float):
        return f"{setting.step:g}"
    first, last = setting.step(0), setting.step(NUM_UPDATES)
    return f"{first:g} to {last:g}, gamma {setting.step.gamma:g}"


def _pair(found: Any, exact: Any) -> str:
    # A distance that has been halved a hundred times is none to a reader.
    return f"{found:.3g} ({exact if exact > 1e-12 else 0:.3g})"


def _off_by(found: np.ndarray, exact: np.ndarray) -> str:
    return _pair(np.abs(found).max(), np.abs(exact).max())


def _error(bias: np.ndarray, variance: np.ndarray) -> str:
    return f"{np.hypot(bias, np.sqrt(variance)).max():.3g}"


def _agrees(p: float) -> str:
    said = "no" if p < stats.LEVEL else "yes"
    return f"{said}, p {'< 0.001' if p < 0.001 else f'= {p:.3f}'}"
