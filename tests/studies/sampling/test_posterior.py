from __future__ import annotations

import math

import numpy as np
import pytest

from d2l_lrsched.schedulers import LangevinScheduler
from d2l_lrsched.studies.sampling import posterior
from d2l_lrsched.studies.sampling.posterior import (
    BATCH_SIZE,
    NUM_DATA,
    SETTINGS,
    Setting,
    predict,
    stationary,
)

SIGMA = np.array([[3.25, math.sqrt(27) / 4], [math.sqrt(27) / 4, 1.75]])  # worked by hand


def test_the_data_have_exactly_the_models_mean_and_covariance():
    points = posterior.data()
    assert points.shape == (100, 2)
    np.testing.assert_allclose(points.mean(axis=0), [1, 2], rtol=1e-13)
    np.testing.assert_allclose(np.cov(points.T, bias=True), SIGMA, rtol=1e-12)
    np.testing.assert_array_equal(points, posterior.data())


def test_the_posterior_is_that_of_a_numerical_integration():
    x, y = np.meshgrid(np.linspace(-0.5, 2.1, 131), np.linspace(0.6, 3.1, 126), indexing="ij")
    grid = np.stack([x, y], axis=-1)
    precision = np.linalg.inv(SIGMA)
    log_p = -4 / 2 * (grid**2).sum(axis=-1)  # the prior's variance is 1/4
    for point in posterior.data():
        log_p -= np.einsum("xyi,ij,xyj->xy", grid - point, precision, grid - point) / 2
    p = np.exp(log_p - log_p.max())
    p /= p.sum()
    mean = np.einsum("xy,xyi->i", p, grid)
    covariance = np.einsum("xy,xyi,xyj->ij", p, grid - mean, grid - mean)
    np.testing.assert_allclose(mean, posterior.POSTERIOR_MEAN, rtol=1e-9)
    np.testing.assert_allclose(posterior.standardize(mean), [0, 0], atol=1e-8)
    np.testing.assert_allclose(
        posterior.standardize_covariance(covariance), np.eye(2), rtol=1e-7, atol=1e-7
    )


def test_posterior_units():
    assert posterior.PRECISIONS.tolist() == [104, 29]
    np.testing.assert_allclose(posterior.AXES.T @ posterior.AXES, np.eye(2), atol=1e-15)
    one_wide = posterior.POSTERIOR_MEAN + np.array([math.sqrt(0.75), 0.5]) / math.sqrt(29)
    np.testing.assert_allclose(posterior.standardize(one_wide), [0, 1], atol=1e-13)
    units = np.array([[1.0, -2.0], [0.5, 3.0]])
    np.testing.assert_allclose(posterior.standardize(posterior.from_standard(units)), units)


def test_the_gradients_variance_is_that_of_the_data():
    precision = np.linalg.inv(SIGMA)
    gradients = (posterior.data() - [1, 2]) @ precision
    found = NUM_DATA**2 / BATCH_SIZE * np.cov(gradients.T, bias=True)
    np.testing.assert_allclose(
        found, posterior.AXES * posterior.GRADIENT_VARIANCES @ posterior.AXES.T, rtol=1e-12
    )


@pytest.mark.parametrize("noise", [True, False])
def test_the_recursion_is_that_of_matrices(noise):
    steps = np.array([0.01, 0.003, 0.02, 0.0001])
    precision = 100 * np.linalg.inv(SIGMA) + 4 * np.eye(2)
    gradient_covariance = NUM_DATA**2 / BATCH_SIZE * np.linalg.inv(SIGMA)
    posterior_mean = np.linalg.solve(precision, 100 * np.linalg.solve(SIGMA, [1, 2]))
    means, variances = predict(steps, noise)
    mean, covariance = np.zeros(2), np.zeros((2, 2))
    for t, step in enumerate(steps, start=1):
        factor = np.eye(2) - step / 2 * precision
        mean = posterior_mean + factor @ (mean - posterior_mean)
        covariance = factor @ covariance @ factor.T + step**2 / 4 * gradient_covariance
        covariance += step * noise * np.eye(2)
        np.testing.assert_allclose(means[t], posterior.standardize(mean), rtol=1e-11)
        found = posterior.standardize_covariance(covariance)
        np.testing.assert_allclose(found, np.diag(variances[t]), rtol=1e-11, atol=1e-13)


@pytest.mark.parametrize("noise", [True, False])
@pytest.mark.parametrize("step", [0.0002, 0.003, 0.03])
def test_a_fixed_step_leads_to_the_stationary_variances(step, noise):
    _, variances = predict(np.full(20_000, step), noise)
    np.testing.assert_allclose(variances[-1], stationary(step, noise), rtol=1e-9)


def test_stationary_variances_worked_by_hand():
    # (1 + 0.003 * 1000 / 4) / (1 - 0.003 * 104 / 4), (1 + 0.003 * 250 / 4) / (1 - 0.003 * 29 / 4)
    np.testing.assert_allclose(stationary(0.003), [1.75 / 0.922, 1.1875 / 0.97825], rtol=1e-14)
    np.testing.assert_allclose(stationary(0.003, False), [0.75 / 0.922, 0.1875 / 0.97825])
    assert stationary(0.039)[0] == math.inf
    assert math.isfinite(stationary(0.039)[1])
    assert stationary(4 / 104)[0] == math.inf


def test_wasserstein_worked_by_hand():
    assert posterior.wasserstein(np.zeros(2), np.eye(2)) == 0
    assert posterior.wasserstein(np.array([3.0, 4.0]), np.eye(2)) == pytest.approx(5)
    assert posterior.wasserstein(np.zeros(2), np.diag([16.0, 25.0])) == pytest.approx(5)  # 3, 4
    turned = np.array([[2.5, 1.5], [1.5, 2.5]])  # eigenvalues 4 and 1
    assert posterior.wasserstein(np.zeros(2), turned) == pytest.approx(1)
    singular = np.zeros((2, 2)), np.array([[1.0, 1], [1, 1 - 1e-16]])  # of the latter 2 and 0
    distances = posterior.wasserstein(np.zeros((2, 2)), np.stack(singular))
    np.testing.assert_allclose(distances, [math.sqrt(2), math.hypot(1, math.sqrt(2) - 1)])


def test_the_settings():
    paper = SETTINGS["paper"].step
    assert isinstance(paper, LangevinScheduler)
    assert paper.gamma == 0.55
    assert [paper(0), paper(posterior.NUM_UPDATES)] == pytest.approx([0.01, 0.0001])
    assert SETTINGS["sgd-paper"] == Setting("sgd-paper", paper, noise=False)
    fixed = [s.step for s in SETTINGS.values() if isinstance(s.step, float)]
    assert [step for step in fixed if step * 104 >= 4] == [SETTINGS["fixed-unstable"].step]
    # Where averages begin, the gradient's noise is below a tenth of the noise injected.
    begin = paper(posterior.BURN_IN * posterior.NUM_UPDATES)
    assert begin < 0.04 * paper(0)
    assert begin * posterior.GRADIENT_VARIANCES.max() / 4 < 0.1


def test_steps_begin_at_update_1():
    schedule = LangevinScheduler(6, 1, 1)
    assert Setting("a", schedule).steps(3).tolist() == [3, 2, 1.5]
    assert Setting("b", 0.5).steps(2).tolist() == [0.5, 0.5]
