from __future__ import annotations

import math

import numpy as np
import pytest

from d2l_lrsched.studies.sampling import posterior, verdicts
from d2l_lrsched.studies.sampling.record import pool


def test_ps_worked_by_hand(made):
    (pooled,) = pool([made("fixed-moderate", shift=1.959964)])
    ps = verdicts.prediction_ps(pooled)
    assert len(ps) == 3 * 2 * 2 + 2 * 4
    np.testing.assert_allclose(ps[:6], 0.05, rtol=1e-5)  # two-sided
    # A variance as predicted has the p of the chi-square's mean, of nearly both halves.
    assert np.all(ps[6:12] > 0.95)
    np.testing.assert_allclose(ps[12:], 1)
    (pooled,) = pool([made("fixed-moderate", stretch=1.2)])
    # sqrt(2 / 499) is 0.0633: 3.16 standard errors; chi-square's upper tail is heavier.
    assert np.all(verdicts.prediction_ps(pooled)[6:12] < 0.005)
    assert np.all(verdicts.prediction_ps(pooled)[6:12] > 0.0005)


def test_ps_of_the_posterior_are_of_the_last_update(made):
    """In float64 numpy: the stationary variances are far from 1, the mean is 0 within reach."""
    (pooled,) = pool([made("fixed-moderate")])
    mean = verdicts.posterior_ps(pooled)[:2]
    deviates = np.abs(pooled.exact.mean[-1]) * math.sqrt(500)
    np.testing.assert_allclose(mean, [math.erfc(z / math.sqrt(2)) for z in deviates], rtol=1e-6)
    assert np.all(verdicts.posterior_ps(pooled)[2:] < 0.01)
    assert len(verdicts.average_ps(pooled, "plain")) == 4


def test_bonferroni_counts_the_tests_of_all():
    families = [np.array([0.02, 0.5]), np.array([0.01, 0.9])]
    assert verdicts.bonferroni(families) == pytest.approx([0.08, 0.04])
    assert verdicts.bonferroni([np.array([0.6, 0.7])]) == [1.0]


def test_sampling_errors_are_those_of_draws_from_the_posterior():
    random = np.random.default_rng(1)
    draws = random.normal(size=(400, 300, 2))
    errors = verdicts.sampling_errors(300)
    found = [posterior.wasserstein(d.mean(axis=0), np.cov(d.T)) for d in draws]
    assert math.sqrt(np.mean(np.square(found))) == pytest.approx(errors["W2"], rel=0.08)
    assert draws.mean(axis=1).std() == pytest.approx(errors["mean"], rel=0.1)
    assert draws.var(axis=1).std() == pytest.approx(errors["variance"], rel=0.1)
