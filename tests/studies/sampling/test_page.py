from __future__ import annotations

import math

import numpy as np
import pytest
from msgspec.structs import replace

from d2l_lrsched.studies.sampling import page as sgld_report
from d2l_lrsched.studies.sampling import posterior as langevin
from d2l_lrsched.studies.sampling.pool import pool
from d2l_lrsched.studies.sampling.posterior import SETTINGS, predict
from d2l_lrsched.studies.sampling.record import Record

UPDATES = [1, 20, 200]


def covariance_rows(units):
    scale = langevin.AXES / np.sqrt(langevin.PRECISIONS)
    raw = [scale @ np.diag(variances) @ scale.T for variances in units]
    return [[c[0, 0], c[0, 1], c[1, 1]] for c in raw]


def made(name, seed=0, chains=500, shift=0.0, stretch=1.0):
    """A record that is just as predicted, shifted by standard errors, variances stretched."""
    setting = SETTINGS[name]
    steps = setting.steps(200)
    means, variances = predict(steps, setting.noise)
    square = variances + means**2
    late = slice(21, None)

    def averages(weights):
        return {
            "mean": np.average(means[late], axis=0, weights=weights).tolist(),
            "mean_sd": [0.1, 0.2],
            "square": np.average(square[late], axis=0, weights=weights).tolist(),
            "square_sd": [0.3, 0.4],
        }

    shifted = means[UPDATES] + shift * np.sqrt(variances[UPDATES] / chains)
    return Record(
        setting=name,
        seed=seed,
        settings={"num_updates": 200, "num_chains": chains, "burn_in": 20},
        updates=UPDATES,
        means=langevin.from_standard(shifted).tolist(),
        covariances=covariance_rows(stretch * variances[UPDATES]),
        averages={"weighted": averages(steps[20:]), "plain": averages(None)},
        final=[[0.0, 0.0]] * 3,
        lost=2,
        seconds=1.0,
        versions={},
        processor="",
        threads=1,
    )


def test_pooling_is_that_of_all_chains_together():
    random = np.random.default_rng(0)
    chains = random.normal(size=(2, 500, 2)) * [2, 1] + [[[0, 1]], [[3, 0]]]
    one = made("paper")
    records = [
        replace(
            one,
            seed=seed,
            updates=[200],
            means=[theta.mean(axis=0).tolist()],
            covariances=[np.cov(theta.T)[[0, 0, 1], [0, 1, 1]].tolist()],
            averages={
                w: {
                    "mean": theta.mean(axis=0),
                    "mean_sd": theta.std(axis=0, ddof=1),
                    "square": (theta**2).mean(axis=0),
                    "square_sd": (theta**2).std(axis=0, ddof=1),
                }
                for w in ("weighted", "plain")
            },
        )
        for seed, theta in enumerate(chains)
    ]
    (sampled,) = pool(records)
    theta = chains.reshape(-1, 2)
    assert sampled.num_chains == 1000
    assert sampled.lost == 4
    np.testing.assert_allclose(sampled.means[0], langevin.standardize(theta.mean(axis=0)))
    expected = langevin.standardize_covariance(np.cov(theta.T))
    np.testing.assert_allclose(sampled.covariances[0], expected)
    np.testing.assert_allclose(sampled.averages["plain"]["mean_sd"], theta.std(axis=0, ddof=1))
    found = sampled.averages["plain"]["square_sd"]
    np.testing.assert_allclose(found, (theta**2).std(axis=0, ddof=1))


def test_the_exact_numbers_stand_beside():
    (sampled,) = pool([made("fixed-moderate")])
    means, variances = predict(np.full(200, 0.003))
    np.testing.assert_array_equal(sampled.exact_means, means[UPDATES])
    np.testing.assert_allclose(sampled.variances, variances[UPDATES])
    np.testing.assert_allclose(sampled.distances, sampled.exact_distances)
    expected = (variances + means**2)[21:].mean(axis=0)
    np.testing.assert_allclose(sampled.exact_averages["weighted"]["square"], expected)


def test_records_of_different_settings_are_not_pooled():
    other = replace(made("paper", 1), updates=[1, 2, 3])
    with pytest.raises(ValueError, match="seeds 0 and 1 of paper must have the same settings"):
        pool([made("paper"), other])


def test_ps_worked_by_hand():
    (sampled,) = pool([made("fixed-moderate", shift=1.959964)])
    ps = sgld_report.prediction_ps(sampled)
    assert len(ps) == 3 * 2 * 2 + 2 * 4
    np.testing.assert_allclose(ps[:6], 0.05, rtol=1e-5)  # two-sided
    # A variance as predicted has the p of the chi-square's mean, of nearly both halves.
    assert np.all(ps[6:12] > 0.95)
    np.testing.assert_allclose(ps[12:], 1)
    (sampled,) = pool([made("fixed-moderate", stretch=1.2)])
    # sqrt(2 / 499) is 0.0633: 3.16 standard errors; chi-square's upper tail is heavier.
    assert np.all(sgld_report.prediction_ps(sampled)[6:12] < 0.005)
    assert np.all(sgld_report.prediction_ps(sampled)[6:12] > 0.0005)


def test_verdicts_are_bonferronis():
    assert sgld_report._verdicts([np.array([0.02, 0.5]), np.array([0.01, 0.9])]) == [
        "yes, p = 0.080",
        "no, p = 0.040",
    ]
    assert sgld_report._verdicts([np.array([1e-9, 0.5])]) == ["no, p < 0.001"]
    assert sgld_report._verdicts([np.array([0.6, 0.7])]) == ["yes, p = 1.000"]


def test_table_rows():
    records = [made("sgd-moderate"), made("fixed-moderate", 1), made("fixed-moderate")]
    moderate, plain = sgld_report.table_rows(records)
    assert len(moderate) == len(sgld_report.TABLE_HEADER)
    assert moderate[:4] == ("fixed-moderate", "0.003", "1.9 (1.9)", "1.21 (1.21)")
    assert moderate[6:8] == ("never", "4 of 1000")
    assert moderate[8].startswith("yes")
    assert moderate[9] == "no, p < 0.001"
    assert plain[0] == "sgd-moderate"
    assert plain[2:4] == ("0.813 (0.813)", "0.192 (0.192)")
    (paper,) = sgld_report.table_rows([made("paper", stretch=1.5)])
    assert paper[1] == "0.01 to 0.0001, gamma 0.55"
    assert paper[8] == "no, p < 0.001"


def test_average_rows():
    rows = sgld_report.average_rows([made("paper"), made("fixed-moderate")])
    assert [row[:2] for row in rows] == [
        ("paper", "weighted"),
        ("paper", "plain"),
        ("fixed-moderate", "weighted"),
    ]
    assert {len(row) for row in rows} == {len(sgld_report.AVERAGE_HEADER)}
    (sampled,) = pool([made("fixed-moderate")])
    average = sampled.averages["weighted"]
    error = max(math.hypot(average["mean"][i], (0.1, 0.2)[i]) for i in range(2))
    assert rows[2][5] == f"{error:.3g}"
    assert rows[2][7] == "no, p < 0.001"


def test_sampling_errors_are_those_of_draws_from_the_posterior():
    random = np.random.default_rng(1)
    draws = random.normal(size=(400, 300, 2))
    errors = sgld_report.sampling_errors(300)
    found = [langevin.wasserstein(d.mean(axis=0), np.cov(d.T)) for d in draws]
    assert math.sqrt(np.mean(np.square(found))) == pytest.approx(errors["W2"], rel=0.08)
    assert draws.mean(axis=1).std() == pytest.approx(errors["mean"], rel=0.1)
    assert draws.var(axis=1).std() == pytest.approx(errors["variance"], rel=0.1)


def test_the_method_states_chains_level_and_tests():
    text = sgld_report.method([made("paper"), made("fixed-moderate")])
    assert "Of 500 independent chains" in text
    assert "5% over all 40 tests" in text
    assert "over all 8." in text
