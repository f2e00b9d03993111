r"""A posterior known in closed form, and what every sampling of it must come to.

N points :math:`x_i` in the plane are drawn around an unknown mean :math:`\theta` with the known
covariance :math:`\Sigma`, the prior is :math:`\theta \sim \mathcal{N}(0, I/w)`. The posterior is
Gaussian with the precision :math:`\Lambda = N \Sigma^{-1} + w I` and the mean
:math:`\mu = \Lambda^{-1} N \Sigma^{-1} \bar{x}`.

The gradient of a minibatch of n draws with replacement, scaled by N/n, is
:math:`\Lambda (\theta - \mu)` plus noise that does not depend on :math:`\theta`. The data are made
so that their mean and covariance are exactly :math:`\bar{x}` and :math:`\Sigma`; that noise then
has the covariance :math:`V = \frac{N^2}{n} \Sigma^{-1}`, all matrices share their eigenvectors,
and each of the two directions is a problem of its own. All exact numbers here are in float64 and
in posterior units: along the posterior's axes, in its standard deviations, from its mean. There
the posterior is :math:`\mathcal{N}(0, I)`.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Union

import numpy as np

from d2l_lrsched.schedulers.langevin import LangevinScheduler

NUM_DATA = 100
BATCH_SIZE = 10
DATA_MEAN = (1.0, 2.0)
#: The eigenvalues of the data's covariance, and so the narrow and the wide axis of the posterior.
DATA_VARIANCES = np.array([1.0, 4.0])
#: The eigenvectors as columns: the wide axis rises at 30 degrees.
AXES = np.array([[-0.5, math.sqrt(0.75)], [math.sqrt(0.75), 0.5]])
#: The precision w of the prior: MXNet's weight decay, exactly.
WEIGHT_DECAY = 4.0
#: The posterior's precisions, 104 and 29, and its mean.
PRECISIONS = NUM_DATA / DATA_VARIANCES + WEIGHT_DECAY
POSTERIOR_MEAN = AXES @ (NUM_DATA / DATA_VARIANCES / PRECISIONS * (np.array(DATA_MEAN) @ AXES))
#: All chains start at the prior's mean, 12 and 9 posterior standard deviations away.
START = (0.0, 0.0)
#: The variances V of a minibatch's scaled gradient.
GRADIENT_VARIANCES = NUM_DATA**2 / BATCH_SIZE / DATA_VARIANCES
NUM_UPDATES = 2000
#: Time averages leave out this share of the updates: after it the paper's schedule is below 4 % of
#: its first step, and the gradient's noise is less than a tenth of the noise injected.
BURN_IN = 0.1

Step = Union[float, LangevinScheduler]


@dataclass(frozen=True)
class Setting:
    """A way to take steps: the paper's epsilon, fixed or by the number of updates, from 1.

    With noise, N(0, epsilon) is added at each update (sgld), else nothing (sgd).
    """

    name: str
    step: Step
    noise: bool = True

    def steps(self, num_updates: int) -> np.ndarray:
        """Return epsilon of the updates 1 to `num_updates`."""
        if isinstance(self.step, float):
            return np.full(num_updates, self.step)
        return np.array([self.step(n) for n in range(1, num_updates + 1)])


#: From the paper's first step to its last, with its gamma (section 5.1), over our updates.
PAPER_SCHEDULE = LangevinScheduler.between(0.01, 0.0001, NUM_UPDATES, gamma=0.55)
#: A fixed step is stable below 4/104 = 0.0385.
SETTINGS = {
    setting.name: setting
    for setting in (
        Setting("paper", PAPER_SCHEDULE),
        Setting("fixed-small", 0.0002),
        Setting("fixed-moderate", 0.003),
        Setting("fixed-large", 0.03),
        Setting("fixed-unstable", 0.039),
        Setting("sgd-paper", PAPER_SCHEDULE, noise=False),
        Setting("sgd-moderate", 0.003, noise=False),
    )
}


def data() -> np.ndarray:
    """Return the N data points, of shape (100, 2), always the same.

    Their mean is `DATA_MEAN` and their covariance (divided by N) has the eigenvectors `AXES` and
    the eigenvalues `DATA_VARIANCES`, within float64 rounding.
    """
    drawn = np.random.default_rng(2011).standard_normal((NUM_DATA, 2))
    drawn -= drawn.mean(axis=0)
    root = np.linalg.cholesky(drawn.T @ drawn / NUM_DATA)
    return np.array(DATA_MEAN) + np.linalg.solve(root, drawn.T).T * np.sqrt(DATA_VARIANCES) @ AXES.T


def standardize(theta: Any) -> np.ndarray:
    """Return points of shape (..., 2) in posterior units: (narrow, wide)."""
    return (np.asarray(theta) - POSTERIOR_MEAN) @ AXES * np.sqrt(PRECISIONS)


def standardize_covariance(covariance: Any) -> np.ndarray:
    """Return a covariance of points, of shape (..., 2, 2), in posterior units."""
    scale = AXES * np.sqrt(PRECISIONS)
    return scale.T @ np.asarray(covariance) @ scale


def from_standard(units: Any) -> np.ndarray:
    """Return the points of shape (..., 2) that `standardize` takes to these."""
    return POSTERIOR_MEAN + np.asarray(units) / np.sqrt(PRECISIONS) @ AXES.T


def predict(steps: np.ndarray, noise: bool = True) -> tuple[np.ndarray, np.ndarray]:
    r"""Return the exact mean and variance of a chain before and after each update.

    With :math:`\epsilon_t` the steps, :math:`\lambda` the precision and V the gradient's variance
    of a direction, :math:`a_t = 1 - \epsilon_t \lambda / 2` and in posterior units

    .. math:: m_t = a_t m_{t-1}, \qquad
              v_t = a_t^2 v_{t-1} + \lambda \left(\epsilon_t + \tfrac14 \epsilon_t^2 V\right)

    without the first :math:`\epsilon_t` where no noise is added. Both are of shape (T + 1, 2);
    row 0 is the start, of variance 0.

    Notes
    -----
    Source: Welling and Teh (2011), equation (4), worked out: the gradient is linear in theta.
    """
    means = np.empty((len(steps) + 1, 2))
    variances = np.zeros_like(means)
    means[0] = standardize(START)
    for t, step in enumerate(steps, start=1):
        factor = 1 - step * PRECISIONS / 2
        added = PRECISIONS * (step * noise + step**2 / 4 * GRADIENT_VARIANCES)
        means[t] = factor * means[t - 1]
        variances[t] = factor**2 * variances[t - 1] + added
    return means, variances


def stationary(step: float, noise: bool = True) -> np.ndarray:
    r"""Return the variances that a fixed step leads to, in posterior units, narrow and wide.

    .. math:: v = \frac{\lambda (\epsilon + \epsilon^2 V / 4)}{1 - (1 - \epsilon \lambda / 2)^2}
                = \frac{1 + \epsilon V / 4}{1 - \epsilon \lambda / 4}

    and inf where :math:`\epsilon \lambda \ge 4`. Without noise the 1 of the numerator is missing.
    """
    remaining = np.maximum(1 - step * PRECISIONS / 4, 0)
    with np.errstate(divide="ignore"):
        return (noise + step * GRADIENT_VARIANCES / 4) / remaining


def wasserstein(mean: np.ndarray, covariance: np.ndarray) -> np.ndarray:
    r"""Return the 2-Wasserstein distance of a Gaussian from the posterior, in posterior units.

    .. math:: W_2^2 = \lVert m \rVert^2 + \sum_i \left(\sqrt{e_i} - 1\right)^2

    with :math:`e_i` the eigenvalues of the covariance, of shape (..., 2, 2); the mean is of shape
    (..., 2), both in posterior units.

    Notes
    -----
    Source: Givens and Shortt, "A class of Wasserstein metrics for probability distributions"
    (1984), for two Gaussians of which one is N(0, I).
    """
    # Rounding may make the eigenvalue of a covariance that is all but singular negative.
    deviations = np.sqrt(np.maximum(np.linalg.eigvalsh(covariance), 0))
    return np.sqrt((mean**2).sum(axis=-1) + ((deviations - 1) ** 2).sum(axis=-1))
