from __future__ import annotations

import math

import mxnet as mx
import numpy as np
import pytest
from msgspec.structs import asdict, replace
from mxnet import gluon, npx
from scipy import stats

from d2l_lrsched.schedulers import LangevinScheduler
from d2l_lrsched.studies.sampling import posterior as langevin
from d2l_lrsched.studies.sampling import sampler as sgld
from d2l_lrsched.studies.sampling.posterior import SETTINGS, Setting

SIGMA = np.array([[3.25, math.sqrt(27) / 4], [math.sqrt(27) / 4, 1.75]])


def gradients(theta, drawn):
    """The paper's: N / n times the minibatch's, and the prior's."""
    return 10 * ((theta[:, None] - drawn) @ np.linalg.inv(SIGMA)).sum(axis=1) + 4 * theta


@pytest.fixture(autouse=True)
def numpy_semantics():
    npx.set_np()


def test_sgd_takes_the_papers_step_without_its_noise():
    schedule = LangevinScheduler(0.02, 1, 1)
    chains = sgld._chains(Setting("x", schedule, noise=False), 7, 3, 5)
    random, theta = np.random.default_rng(7), np.zeros((5, 2))
    for step, found in zip((0.01, 0.02 / 3, 0.005), chains):
        drawn = langevin.data()[random.integers(100, size=(5, 10))]
        theta = theta - step / 2 * gradients(theta, drawn)
        np.testing.assert_allclose(found, theta, rtol=1e-6)  # the rate is float32


def test_sgld_adds_normal_noise_of_the_steps_variance_to_the_same_step():
    schedule = LangevinScheduler(0.02, 1, 1)
    chains = sgld._chains(Setting("x", schedule), 7, 3, 4000)
    random, theta = np.random.default_rng(7), np.zeros((4000, 2))
    seen = []
    for step, found in zip((0.01, 0.02 / 3, 0.005), chains):
        drawn = langevin.data()[random.integers(100, size=(4000, 10))]
        seen.append((found - theta + step / 2 * gradients(theta, drawn)) / math.sqrt(step))
        theta = found
    noise = np.concatenate(seen)
    # 12000 draws in each direction; 5 standard errors.
    assert np.abs(noise.mean(axis=0)).max() < 5 / math.sqrt(12_000)
    assert np.abs(noise.var(axis=0) - 1).max() < 5 * math.sqrt(2 / 12_000)
    assert abs(np.corrcoef(noise.T)[0, 1]) < 5 / math.sqrt(12_000)
    assert stats.kstest(noise.ravel(), "norm").pvalue > 1e-6


def test_mxnets_weight_decay_is_the_priors_precision():
    """At theta = 1 the drift of wd = 4 alone is -lr / 2 * 4."""
    npx.set_np()
    mx.random.seed(0)
    theta = gluon.Parameter("theta", shape=(10_000,), dtype="float64", init="ones")
    theta.initialize()
    trainer = gluon.Trainer([theta], "sgld", {"learning_rate": 0.01, "wd": 4.0})
    with mx.autograd.record():
        loss = 0 * theta.data()
    loss.backward()
    trainer.update(1)
    mean = float(theta.data().asnumpy().mean())
    assert mean == pytest.approx(0.98, abs=5 * 0.1 / 100)


def numbers(record):
    return {k: v for k, v in asdict(record).items() if k not in ("seconds", "versions")}


def test_the_same_seed_gives_the_same_numbers():
    first = sgld.sample(SETTINGS["paper"], 3, 40, 30)
    again = sgld.sample(SETTINGS["paper"], 3, 40, 30)
    assert numbers(first) == numbers(again)
    other = sgld.sample(SETTINGS["paper"], 4, 40, 30)
    assert other.means != first.means


def test_a_record_is_the_chains_moments():
    setting = SETTINGS["fixed-moderate"]
    record = sgld.sample(setting, 0, 20, 120)
    course = np.array(list(sgld._chains(setting, 0, 20, 120)))
    assert record.updates == sgld.recorded_updates(20)
    at = np.array(record.updates) - 1
    np.testing.assert_allclose(record.means, course[at].mean(axis=1), rtol=1e-6)
    for found, theta in zip(record.covariances, course[at]):
        np.testing.assert_allclose(found, np.cov(theta.T)[[0, 0, 1], [0, 1, 1]], rtol=1e-6)
    np.testing.assert_allclose(record.final, course[-1, :100], rtol=1e-6)
    units = langevin.standardize(course[2:])  # a tenth is left out
    weighted, plain = record.averages["weighted"], record.averages["plain"]
    assert weighted == plain
    np.testing.assert_allclose(plain["mean"], units.mean(axis=(0, 1)), rtol=1e-6)
    of_chains = (units**2).mean(axis=0)
    np.testing.assert_allclose(plain["square"], of_chains.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(plain["square_sd"], of_chains.std(axis=0, ddof=1), rtol=1e-6)


def test_averages_are_weighted_by_the_step():
    setting = Setting("x", LangevinScheduler(0.02, 1, 1))
    record = sgld.sample(setting, 0, 3, 50)
    units = langevin.standardize(np.array(list(sgld._chains(setting, 0, 3, 50))))
    expected = np.average(units, axis=0, weights=[6, 4, 3])  # 1/2 : 1/3 : 1/4
    found = record.averages["weighted"]
    np.testing.assert_allclose(found["mean"], expected.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found["mean_sd"], expected.std(axis=0, ddof=1), rtol=1e-6)
    assert record.averages["plain"]["mean"] != found["mean"]


def test_an_unstable_step_loses_chains():
    """By hand: the narrow axis grows by 1 - 0.039 * 104 / 2 = -1.028 an update, in 300 by 4000."""
    assert sgld.sample(SETTINGS["fixed-unstable"], 0, 300, 20).lost == 20
    assert sgld.sample(SETTINGS["fixed-moderate"], 0, 300, 20).lost == 0


def test_recorded_updates():
    assert sgld.recorded_updates(1) == [1]
    found = sgld.recorded_updates(2000)
    assert found[:4] == [1, 2, 3, 4]
    assert found[-1] == 2000
    assert len(found) <= sgld.NUM_RECORDED


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"setting": "paper"}, "setting must be a Setting, .* got 'paper'"),
        ({"seed": -1}, "seed must be an integer >= 0, got -1"),
        ({"seed": True}, "seed must be an integer >= 0, got True"),
        ({"num_updates": 0}, "num_updates must be an integer >= 1, got 0"),
        ({"num_chains": 1}, "num_chains must be an integer >= 2, got 1"),
        ({"num_chains": 2.5}, r"num_chains must be an integer >= 2, got 2\.5"),
    ],
)
def test_bad_arguments(arguments, message):
    with pytest.raises(ValueError, match=message):
        sgld.sample(**{"setting": SETTINGS["paper"], "seed": 0, **arguments})


@pytest.fixture
def short(monkeypatch):
    """Two settings, two seeds, three chains."""
    sampled = []
    sample = sgld.sample

    def few(setting, seed):
        sampled.append((setting.name, seed))
        return sample(setting, seed, sgld.NUM_UPDATES, sgld.NUM_CHAINS)

    monkeypatch.setattr(sgld, "SETTINGS", {k: SETTINGS[k] for k in ("paper", "fixed-small")})
    monkeypatch.setattr(sgld, "SEEDS", range(2))
    monkeypatch.setattr(sgld, "NUM_CHAINS", 3)
    monkeypatch.setattr(sgld, "NUM_UPDATES", 4)
    monkeypatch.setattr(sgld, "sample", few)
    return sampled


ALL = [("paper", 0), ("paper", 1), ("fixed-small", 0), ("fixed-small", 1)]


def test_make_makes_what_is_missing_and_no_more(short, tmp_path):
    path = tmp_path / "sgld.jsonl"
    records = sgld.make(path)
    assert [(r.setting, r.seed) for r in records] == short == ALL
    assert sgld.make(path) == records
    assert short == ALL
    sgld.sgld_records.write(path, [records[3], replace(records[1], settings={}), records[0]])
    again = sgld.make(path)
    assert short[4:] == [("paper", 1), ("fixed-small", 0)]
    assert [numbers(r) for r in again] == [numbers(r) for r in records]


def test_other_settings_and_repeated_records_are_left_out_and_kept_in_the_file(short, tmp_path):
    """As another version, or `cat` of two files, leaves them: no chain counts twice."""
    path = tmp_path / "sgld.jsonl"
    records = sgld.make(path)
    others = [
        replace(records[0], setting="of-another-version"),
        replace(records[0], settings={**records[0].settings, "num_chains": 7}),
        replace(records[0], seed=9),
        replace(records[1], lost=3),
    ]
    assert sgld.known([*records, *others]) == records
    sgld.sgld_records.write(path, [*records, *others])
    assert sgld.make(path) == records
    assert short == ALL
    assert len(sgld.sgld_records.read(path)) == 8


def test_what_is_finished_is_stored(short, tmp_path, monkeypatch):
    path = tmp_path / "sgld.jsonl"
    few = sgld.sample

    def die(setting, seed):
        if setting.name == "fixed-small":
            raise KeyboardInterrupt
        return few(setting, seed)

    monkeypatch.setattr(sgld, "sample", die)
    with pytest.raises(KeyboardInterrupt):
        sgld.make(path)
    assert [(r.setting, r.seed) for r in sgld.sgld_records.read(path)] == ALL[:2]
