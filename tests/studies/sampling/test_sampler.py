from __future__ import annotations

import math

import mxnet as mx
import numpy as np
import pytest
from msgspec.structs import asdict, replace
from mxnet import gluon, npx
from scipy import stats

from d2l_lrsched.runs.record import append
from d2l_lrsched.schedulers import LangevinScheduler
from d2l_lrsched.studies.sampling import posterior, sampler
from d2l_lrsched.studies.sampling.posterior import SETTINGS, Setting
from d2l_lrsched.studies.sampling.record import read

SIGMA = np.array([[3.25, math.sqrt(27) / 4], [math.sqrt(27) / 4, 1.75]])


def gradients(theta, drawn):
    """The paper's: N / n times the minibatch's, and the prior's."""
    return 10 * ((theta[:, None] - drawn) @ np.linalg.inv(SIGMA)).sum(axis=1) + 4 * theta


@pytest.fixture(autouse=True)
def numpy_semantics():
    npx.set_np()


def test_sgd_takes_the_papers_step_without_its_noise():
    schedule = LangevinScheduler(0.02, 1, 1)
    chains = sampler._chains(Setting("x", schedule, noise=False), 7, 3, 5)
    random, theta = np.random.default_rng(7), np.zeros((5, 2))
    for step, found in zip((0.01, 0.02 / 3, 0.005), chains):
        drawn = posterior.data()[random.integers(100, size=(5, 10))]
        theta = theta - step / 2 * gradients(theta, drawn)
        np.testing.assert_allclose(found, theta, rtol=1e-6)  # the rate is float32


def test_sgld_adds_normal_noise_of_the_steps_variance_to_the_same_step():
    schedule = LangevinScheduler(0.02, 1, 1)
    chains = sampler._chains(Setting("x", schedule), 7, 3, 4000)
    random, theta = np.random.default_rng(7), np.zeros((4000, 2))
    seen = []
    for step, found in zip((0.01, 0.02 / 3, 0.005), chains):
        drawn = posterior.data()[random.integers(100, size=(4000, 10))]
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
    first = sampler.sample(SETTINGS["paper"], 3, 40, 30)
    again = sampler.sample(SETTINGS["paper"], 3, 40, 30)
    assert numbers(first) == numbers(again)
    other = sampler.sample(SETTINGS["paper"], 4, 40, 30)
    assert other.means != first.means


def test_a_record_is_the_chains_moments():
    setting = SETTINGS["fixed-moderate"]
    record = sampler.sample(setting, 0, 20, 120)
    course = np.array(list(sampler._chains(setting, 0, 20, 120)))
    assert record.updates == sampler.recorded_updates(20)
    at = np.array(record.updates) - 1
    np.testing.assert_allclose(record.means, course[at].mean(axis=1), rtol=1e-6)
    for found, theta in zip(record.covariances, course[at]):
        np.testing.assert_allclose(found, np.cov(theta.T)[[0, 0, 1], [0, 1, 1]], rtol=1e-6)
    np.testing.assert_allclose(record.final, course[-1, :100], rtol=1e-6)
    units = posterior.standardize(course[2:])  # a tenth is left out
    weighted, plain = record.averages.weighted, record.averages.plain
    assert weighted == plain
    np.testing.assert_allclose(plain.mean, units.mean(axis=(0, 1)), rtol=1e-6)
    of_chains = (units**2).mean(axis=0)
    np.testing.assert_allclose(plain.square, of_chains.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(plain.square_sd, of_chains.std(axis=0, ddof=1), rtol=1e-6)


def test_averages_are_weighted_by_the_step():
    setting = Setting("x", LangevinScheduler(0.02, 1, 1))
    record = sampler.sample(setting, 0, 3, 50)
    units = posterior.standardize(np.array(list(sampler._chains(setting, 0, 3, 50))))
    expected = np.average(units, axis=0, weights=[6, 4, 3])  # 1/2 : 1/3 : 1/4
    found = record.averages.weighted
    np.testing.assert_allclose(found.mean, expected.mean(axis=0), rtol=1e-6)
    np.testing.assert_allclose(found.mean_sd, expected.std(axis=0, ddof=1), rtol=1e-6)
    assert record.averages.plain.mean != found.mean


def test_chains_of_an_unstable_step_go_far():
    """By hand: of 0.039 * 104 / 2 the narrow axis, 12 away, grows 1.028-fold, in 100 by 16."""
    assert sampler.sample(SETTINGS["fixed-unstable"], 0, 100, 20).far == 20
    assert sampler.sample(SETTINGS["fixed-moderate"], 0, 100, 20).far == 0


def test_recorded_updates():
    assert sampler.recorded_updates(1) == [1]
    found = sampler.recorded_updates(2000)
    assert found[:4] == [1, 2, 3, 4]
    assert found[-1] == 2000
    assert len(found) <= sampler.NUM_RECORDED


@pytest.fixture
def short(monkeypatch):
    """Two settings, two seeds, three chains."""
    sampled = []
    sample = sampler.sample

    def few(setting, seed):
        sampled.append((setting.name, seed))
        return sample(setting, seed, sampler.NUM_UPDATES, sampler.NUM_CHAINS)

    monkeypatch.setattr(sampler, "SETTINGS", {k: SETTINGS[k] for k in ("paper", "fixed-small")})
    monkeypatch.setattr(sampler, "SEEDS", range(2))
    monkeypatch.setattr(sampler, "NUM_CHAINS", 3)
    monkeypatch.setattr(sampler, "NUM_UPDATES", 4)
    monkeypatch.setattr(sampler, "sample", few)
    return sampled


ALL = [("paper", 0), ("paper", 1), ("fixed-small", 0), ("fixed-small", 1)]


def test_make_makes_what_is_missing_and_no_more(short, tmp_path):
    path = tmp_path / "sampler.jsonl"
    records = sampler.make(path)
    assert [(r.setting, r.seed) for r in records] == short == ALL
    assert sampler.make(path) == records
    assert short == ALL


def test_other_settings_and_repeated_records_stay_in_the_file_and_do_not_count(short, tmp_path):
    """As another version, or `cat` of two files, leaves them: no chain counts twice."""
    path = tmp_path / "samples.jsonl"
    records = sampler.make(path)
    others = [
        replace(records[0], setting="of-another-version"),
        replace(records[0], settings={**records[0].settings, "num_chains": 7}),
        replace(records[0], seed=9),
        replace(records[1], far=3),
    ]
    path.unlink()
    for record in (*others[:3], *records[1:], others[3]):
        append(path, record)
    assert [numbers(r) for r in sampler.make(path)] == [numbers(r) for r in records]
    assert short == [*ALL, ALL[0]], "only what lacked was sampled"
    assert len(read(path)) == 8


def test_what_is_finished_is_stored(short, tmp_path, monkeypatch):
    path = tmp_path / "sampler.jsonl"
    few = sampler.sample

    def die(setting, seed):
        if setting.name == "fixed-small":
            raise KeyboardInterrupt
        return few(setting, seed)

    monkeypatch.setattr(sampler, "sample", die)
    with pytest.raises(KeyboardInterrupt):
        sampler.make(path)
    assert [(r.setting, r.seed) for r in read(path)] == ALL[:2]
