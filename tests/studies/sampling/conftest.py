"""Samples that were never drawn."""

from __future__ import annotations

import numpy as np
import pytest

from d2l_lrsched.studies.sampling import posterior
from d2l_lrsched.studies.sampling.posterior import SETTINGS, predict
from d2l_lrsched.studies.sampling.record import Average, Averages, Samples

UPDATES = [1, 20, 200]


def _covariance_rows(units):
    scale = posterior.AXES / np.sqrt(posterior.PRECISIONS)
    raw = [scale @ np.diag(variances) @ scale.T for variances in units]
    return [c[[0, 0, 1], [0, 1, 1]].tolist() for c in raw]


def _made(name, seed=0, chains=500, shift=0.0, stretch=1.0):
    setting = SETTINGS[name]
    steps = setting.steps(200)
    means, variances = predict(steps, setting.noise)
    late = slice(21, None)

    def average(weights):
        mean, square = (
            np.average(values[late], axis=0, weights=weights).tolist()
            for values in (means, variances + means**2)
        )
        return Average(mean, [0.1, 0.2], square, [0.3, 0.4])

    shifted = means[UPDATES] + shift * np.sqrt(variances[UPDATES] / chains)
    return Samples(
        setting=name,
        seed=seed,
        settings={"num_updates": 200, "num_chains": chains, "burn_in": 20},
        updates=UPDATES,
        means=posterior.from_standard(shifted).tolist(),
        covariances=_covariance_rows(stretch * variances[UPDATES]),
        averages=Averages(weighted=average(steps[20:]), plain=average(None)),
        final=[[0.0, 0.0]] * 3,
        far=2,
        seconds=1.0,
        versions={"commit": "abc"},
        processor="",
        threads=1,
    )


@pytest.fixture(scope="session")
def made():
    """Return a maker of a record just as predicted, for 200 updates.

    Its means are shifted by so many standard errors, its variances stretched.
    """
    return _made
