from __future__ import annotations

import json

import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from d2l_lrsched.runs.record import StoreError, append
from d2l_lrsched.studies.sampling import posterior
from d2l_lrsched.studies.sampling import record as sampling
from d2l_lrsched.studies.sampling.posterior import predict
from d2l_lrsched.studies.sampling.record import Average, Averages, pool

AVERAGE = {"mean": [0.0, 0.1], "mean_sd": [1, 1], "square": [1, 1], "square_sd": [1, 1]}


def test_what_is_appended_is_read_once(made, tmp_path):
    path = tmp_path / "new" / "samples.jsonl"
    assert sampling.read(path) == []
    first, other = made("paper", 1), made("paper", 2)
    for samples in (first, other, replace(first, far=3)):
        append(path, samples, once=True)
    assert sampling.read(path) == [first, other]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 1}, "schema"),
        ({"seed": "1"}, "seed"),
        ({"extra": 1}, "extra"),
        ({"updates": []}, "updates"),
        ({"updates": [1, None, 200]}, r"updates\[1\]"),
        ({"means": [[1, 2]]}, "not as many"),
        ({"covariances": [[1, 2, 3]]}, "not as many"),
        ({"covariances": [[1, 2]] * 3}, r"covariances\[0\]"),
        ({"final": [[1, "2"]]}, r"final\[0\]\[1\]"),
        ({"averages": {"weighted": AVERAGE}}, "plain"),
        ({"averages": {"weighted": AVERAGE, "plain": {**AVERAGE, "square": [1]}}}, "square"),
    ],
)
def test_a_line_that_is_no_record_is_named(made, tmp_path, change, message):
    path = tmp_path / "samples.jsonl"
    whole = msgspec.to_builtins(made("paper"))
    path.write_text("\n".join([json.dumps(whole), json.dumps({**whole, **change}), ""]))
    with pytest.raises(StoreError, match=rf"line 2: .*{message}"):
        sampling.read(path)


def test_pooling_is_that_of_all_chains_together(made):
    """Two seeds whose chains lie apart: what is between them counts, too."""
    random = np.random.default_rng(0)
    chains = random.normal(size=(2, 500, 2)) * [2, 1] + [[[0, 1]], [[3, 0]]]
    samples = []
    for seed, theta in enumerate(chains):
        average = Average(
            theta.mean(axis=0),
            theta.std(axis=0, ddof=1),
            (theta**2).mean(axis=0),
            (theta**2).std(axis=0, ddof=1),
        )
        one = replace(
            made("paper", seed),
            updates=[200],
            means=[theta.mean(axis=0).tolist()],
            covariances=[np.cov(theta.T)[[0, 0, 1], [0, 1, 1]].tolist()],
            averages=Averages(average, average),
        )
        samples.append(one)
    (pooled,) = pool(samples)
    theta = chains.reshape(-1, 2)
    assert (pooled.num_chains, pooled.far) == (1000, 4)
    np.testing.assert_allclose(pooled.found.mean[0], posterior.standardize(theta.mean(axis=0)))
    expected = posterior.standardize_covariance(np.cov(theta.T))
    np.testing.assert_allclose(pooled.found.covariance[0], expected)
    for name, values in (("mean", theta), ("square", theta**2)):
        found, _ = pooled.averages["plain"][name]
        np.testing.assert_allclose(found.mean, values.mean(axis=0))
        np.testing.assert_allclose(found.variance, values.var(axis=0, ddof=1))


def test_the_exact_numbers_stand_beside(made):
    (pooled,) = pool([made("fixed-moderate")])
    means, variances = predict(np.full(200, 0.003))
    np.testing.assert_array_equal(pooled.exact.mean, means[[1, 20, 200]])
    np.testing.assert_allclose(pooled.found.variance, variances[[1, 20, 200]])
    np.testing.assert_allclose(pooled.found.distance, pooled.exact.distance)
    _, exact = pooled.averages["weighted"]["square"]
    np.testing.assert_allclose(exact, (variances + means**2)[21:].mean(axis=0))


def test_near_is_from_when_all_distances_stay_below_a_quarter(made):
    """Of N(m, I) the distance is |m|; one far update between two near ones is no end."""
    near = {
        (0.3, 0.2, 0.2): 20,
        (0.2, 0.3, 0.2): 200,
        (0.2, 0.2, 0.2): 1,
        (0.3, 0.2, 0.3): None,
    }
    scale = posterior.AXES / np.sqrt(posterior.PRECISIONS)
    identity = (scale @ scale.T)[[0, 0, 1], [0, 1, 1]].tolist()
    for distances, update in near.items():
        means = posterior.from_standard([[distance, 0] for distance in distances]).tolist()
        (pooled,) = pool([replace(made("paper"), means=means, covariances=[identity] * 3)])
        assert pooled.near == update, distances


def test_records_of_different_settings_are_not_pooled(made):
    other = replace(made("paper", 1), updates=[1, 2, 3])
    with pytest.raises(ValueError, match="records of paper differ in their settings or updates"):
        pool([made("paper"), other])
