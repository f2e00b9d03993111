"""The notebooks on the exercises: their tables are the records', and their words are held to them.

What every notebook promises is in `test_notebooks`.
"""

from __future__ import annotations

from statistics import fmean

import nbformat
import numpy as np
import pytest

from d2l_lrsched import stats
from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.runs import frames
from d2l_lrsched.runs import record as store
from d2l_lrsched.studies.chapter.verdicts import distinct
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises import page as exercises_report
from d2l_lrsched.studies.sampling import page as sgld_report
from d2l_lrsched.studies.sampling import posterior as langevin
from d2l_lrsched.studies.sampling import record as sgld_records
from d2l_lrsched.studies.sampling.verdicts import sampling_errors
from made_up import FIGURES, ROOT

LANGUAGES = ("vi", "en")

each_language = pytest.mark.parametrize("lang", LANGUAGES)


@pytest.fixture(scope="module")
def runs():
    return store.read(FIGURES / "exercises" / "runs.jsonl")


@pytest.fixture(scope="module")
def samples():
    return sgld_records.read(FIGURES / "sampling" / "samples.jsonl")


@pytest.fixture(scope="module")
def pooled(samples):
    return {sampled.setting.name: sampled for sampled in sgld_records.pool(samples)}


@pytest.fixture(scope="module")
def long():
    """The ten runs at the constant 0.3 of 30 epochs, by seed."""
    stored = distinct(store.read(FIGURES / "chapter" / "runs.jsonl"))
    return {run.seed: run for run in stored if run.experiment == "constant"}


def outputs_of(lang):
    notebook = nbformat.read(ROOT / "notebooks" / f"exercises_{lang}.ipynb", as_version=4)
    return [output for cell in notebook.cells for output in cell.get("outputs", [])]


def of(runs, name):
    return {run.seed: run for run in runs if run.experiment == name}


def dead(runs, name):
    return {seed for seed, run in of(runs, name).items() if run.outcome != "trained"}


def mean_of(runs, name, number="test_acc"):
    return fmean(
        getattr(run.final, number) for run in of(runs, name).values() if run.outcome == "trained"
    )


def said(runs, exercise):
    """What the last column of the differences says, by what is compared."""
    table = exercises_report.differences(frames.of_runs(runs), exercise)
    return dict(zip(table["compared"], table[""]))


@each_language
def test_its_tables_are_made_from_the_records(lang, runs, samples):
    table, pooled = frames.of_runs(runs), sgld_records.pool(samples)
    tables = [
        *(exercises_report.answers(table, exercise) for exercise in exercises.EXERCISES),
        *(exercises_report.differences(table, exercise) for exercise in exercises.EXERCISES),
        sgld_report.last_update(pooled),
        sgld_report.averages(pooled),
    ]
    expected = {frames.markdown(one) for one in tables if len(one)} | {sgld_report.method(pooled)}
    found = {
        output.data["text/markdown"]
        for output in outputs_of(lang)
        if "text/markdown" in output.get("data", {})
    }
    assert expected <= found
    assert {text.splitlines()[0] for text in found - expected} == {
        "| exponent | share of the run below a tenth | sum of the rates, constant = 1 |",
        "| peak | warmup | collapsed | after having learned | the last rates before |",
        "| train loss now | stored | test acc now | stored |",
    }


# 1. A fixed rate


def test_what_it_says_of_fixed_rates(runs):
    names = {rate: exercises.fixed_name(rate) for rate in exercises.FIXED_RATES}
    lost = {rate: len(dead(runs, name)) for rate, name in names.items()}
    assert [rate for rate, n in lost.items() if not n] == [0.03, 0.1, 0.3]
    assert 0 < lost[0.5] < lost[0.7] == 4
    assert lost[1.0] == 5
    losses = [mean_of(runs, names[rate], "train_loss") for rate in (0.03, 0.1, 0.3)]
    accuracies = [mean_of(runs, names[rate]) for rate in (0.03, 0.1, 0.3)]
    assert losses == sorted(losses, reverse=True)
    assert accuracies == sorted(accuracies)
    assert max(mean_of(runs, names[rate]) for rate in (0.5, 0.7)) < accuracies[-1]
    none, all_five = (stats.share(k, 5) for k in (0, 5))
    assert (round(none[1], 1), round(all_five[0], 1)) == (0.5, 0.5), "about one half"


def test_what_it_says_of_thirty_epochs(runs, long):
    short = of(runs, "fixed-0.3")

    def numbers(run):
        return [(epoch.train_loss, epoch.test_acc) for epoch in run.epochs[:8]]

    beginnings = [numbers(run) == numbers(long[seed]) for seed, run in short.items()]
    assert sum(beginnings) == 4
    early, late = ([run.epochs[n - 1] for run in long.values()] for n in (8, 30))
    gains = [b.test_acc - a.test_acc for a, b in zip(early, late)]
    gaps = [[e.train_acc - e.test_acc for e in epochs] for epochs in (early, late)]
    assert sum(gain > 0 for gain in gains) >= 7, "in most seeds"
    assert all(a < b for a, b in zip(*gaps))
    assert fmean(gaps[1]) - fmean(gaps[0]) > fmean(gains), "the larger part"
    accuracies = [[epoch.test_acc for epoch in epochs] for epochs in (early, late)]
    winner = accuracies[0].index(max(accuracies[0]))
    before, after = (found[winner] - fmean(found) for found in accuracies)
    assert 0 < after < before / 2, "most of the lead"


# 4. Warmup


def test_what_it_says_of_warmups(runs):
    lost = {
        (peak, warmup): len(dead(runs, exercises.warmup_name(warmup, peak)))
        for peak in exercises.PEAKS
        for warmup in exercises.WARMUPS
    }
    assert [lost[0.5, warmup] for warmup in exercises.WARMUPS] == [1, 1, 0, 0]
    assert [lost[0.7, warmup] for warmup in exercises.WARMUPS] == [4, 5, 1, 1]
    assert [lost[1.0, warmup] for warmup in exercises.WARMUPS] == [5, 5, 5, 5]
    means = [mean_of(runs, exercises.warmup_name(w, 0.5)) for w in exercises.WARMUPS]
    assert min(means[2:]) > max(means[:2])
    assert set(said(runs, exercises.WARMUP).values()) == {"not decided"}


def test_how_it_says_that_networks_died(runs):
    """Young after a short warmup, after a long one grown up; below 1.5 they had learned."""
    losses = {}
    for peak in exercises.PEAKS:
        for warmup in exercises.WARMUPS:
            for run in of(runs, exercises.warmup_name(warmup, peak)).values():
                if run.outcome != "trained":
                    losses.setdefault(warmup, []).append((run, frames.window_means(run)))
    for warmup in (0.0, 0.02, 0.1):
        assert not any((means < 1.5).any() for _, means in losses[warmup])
    assert all((means < 1.5).any() for _, means in losses[0.4])
    for run, means in losses[0.4]:  # the next window, in which it died, ends before the peak
        index = np.flatnonzero(means < 1.5).max() + 1
        end = UPDATES_PER_EPOCH * (index // 5 + frames.WINDOW_ENDS[index % 5])
        assert end < 0.4 * 4 * UPDATES_PER_EPOCH, run.experiment
    assert {peak for peak in exercises.PEAKS if dead(runs, exercises.warmup_name(0.4, peak))} == {
        0.7,
        1.0,
    }
    assert sum(np.nanmax(means) > 1e10 for _, means in losses[0.4]) >= 2, "many billions"
    assert sum(run.outcome == "non-finite" for run, _ in losses[0.4]) == 1


def test_at_the_edge_other_seeds_die(runs):
    steady, falling = dead(runs, "fixed-0.5"), dead(runs, "warmup-0-peak-0.5")
    assert steady
    assert falling
    assert not steady & falling
    rate = exercises.cosine(4 * UPDATES_PER_EPOCH, 0.5)
    assert rate(50) > 0.99 * 0.5


# 5. Sampling


def test_what_it_says_of_samples(pooled):
    table = sgld_report.last_update(list(pooled.values())).set_index("setting")
    disagree = table["agrees with the prediction"].str.startswith("no")
    assert list(table.index[disagree]) == ["fixed-unstable"]
    assert table["agrees with the posterior"].str.startswith("no").all()
    distances = {name: sampled.found.distance[-1] for name, sampled in pooled.items()}
    assert min(distances, key=distances.get) == "paper"
    near = {name: sampled.near for name, sampled in pooled.items() if sampled.near is not None}
    assert near.keys() == {"paper", "fixed-small"}
    assert near["paper"] < 0.6 * near["fixed-small"], "much sooner"
    honest = sampling_errors(pooled["paper"].num_chains)["W2"]
    assert pooled["paper"].exact.distance[-1] < honest
    assert pooled["paper"].num_chains >= 2000, "thousands"
    bound = 4 / langevin.PRECISIONS[0]
    assert bound < langevin.SETTINGS["fixed-unstable"].step < 1.02 * bound, "hardly above"


def test_what_it_says_of_samples_without_noise(pooled):
    """A point; and a cloud that is round, where the posterior's axes differ by nearly two."""
    units = np.sqrt(langevin.PRECISIONS)
    assert np.sqrt(pooled["sgd-paper"].found.variance[-1]).max() < 0.2
    axes = np.sqrt(pooled["sgd-moderate"].found.variance[-1]) / units
    assert max(axes) / min(axes) < 1.2 < 1.8 < max(units) / min(units)


def test_what_it_says_of_the_no_of_the_paper(pooled):
    for name in ("paper", "fixed-small"):
        sampled = pooled[name]
        error = sampling_errors(sampled.num_chains)["variance"]
        found, exact = sampled.found.variance[-1, 0], sampled.exact.variance[-1, 0]
        assert 1 < exact < 1.1
        luck, all_in_all = (found / exact - 1) / error, (found - 1) / error
        assert 2 < luck < 3.5
        if name == "paper":
            assert luck > 2 / 3 * all_in_all, "most of it is luck"


def test_what_it_says_of_averages(pooled):
    paper = pooled["paper"]
    for name, truth in (("mean", 0), ("square", 1)):
        errors = {
            w: np.abs(paper.averages[w][name][0].mean - truth).max() for w in ("weighted", "plain")
        }
        assert errors["plain"] < errors["weighted"]
    burnt = int(langevin.BURN_IN * langevin.NUM_UPDATES)
    means, _ = langevin.predict(langevin.SETTINGS["paper"].steps(langevin.NUM_UPDATES))
    assert abs(means[burnt, 1]) > 1, "still on their way along the wide axis"


def test_what_it_says_of_rounding(pooled):
    narrow, wide = np.sqrt(pooled["fixed-unstable"].exact.variance[-1])
    assert np.spacing(narrow) > 1e6 * wide


# 3. A deeper network


def test_what_it_says_of_the_deeper_network(runs):
    names = [experiment.name for experiment in exercises.DEEPER.experiments]
    assert not any(dead(runs, name) for name in names)
    for seed in range(3):
        accuracies = {name: of(runs, name)[seed].final.test_acc for name in names}
        assert min(accuracies, key=accuracies.get) == "resnet-constant"
    assert said(runs, exercises.DEEPER) == {
        "resnet-cosine - resnet-constant": "resnet-cosine is higher",
        "resnet-cosine - resnet-steps": "not decided",
        "resnet-cosine - resnet-poly": "resnet-cosine is higher",
        "resnet-cosine - resnet-warmup-cosine": "not decided",
    }
    losses = {name: mean_of(runs, name, "train_loss") for name in names}
    assert losses["resnet-poly"] > losses["resnet-cosine"]


# 2. The exponent


def test_what_it_says_of_exponents(runs):
    names = ["fixed-0.3", *map(exercises.poly_name, exercises.EXPONENTS)]
    loss = {name: mean_of(runs, name, "train_loss") for name in names}
    accuracy = {name: mean_of(runs, name) for name in names}
    assert loss["poly-1"] < loss["poly-2"] < loss["poly-4"]
    for slow in ("poly-0.5", "poly-1"):
        assert loss[slow] < loss["fixed-0.3"]
        assert accuracy[slow] > accuracy["fixed-0.3"]
    words = said(runs, exercises.EXPONENT)
    assert words.pop("poly-4 - fixed-0.3") == "fixed-0.3 is higher"
    assert set(words.values()) == {"not decided"}
    for run in of(runs, "poly-4").values():
        later = [epoch.test_acc for epoch in run.epochs[4:]]
        assert max(later) - min(later) < 0.005, "flat"


def test_what_it_says_of_the_dead_that_started_from_03(runs, long):
    lost = {name: len(dead(runs, name)) for name in map(exercises.poly_name, exercises.EXPONENTS)}
    assert lost == {"poly-0.5": 0, "poly-1": 1, "poly-2": 1, "poly-4": 0}
    for name in ("poly-1", "poly-2"):
        for seed in dead(runs, name):
            epochs = of(runs, name)[seed].epochs
            assert all(epoch.test_acc < 0.11 for epoch in epochs), "from the first on"
            assert max(epoch.lr_first for epoch in epochs) <= 0.3
            assert frames.window_means(of(runs, name)[seed]).min() > 2.1, "never learned"
    rate = exercises.poly(8 * UPDATES_PER_EPOCH, 0.3, 2.0)
    assert rate(50) > 0.9 * 0.3, "by a few percent only"
    steady = store.read(FIGURES / "clipping" / "runs.jsonl")
    for run in [*of(steady, "rate-0.3").values(), *of(runs, "fixed-0.3").values(), *long.values()]:
        assert run.outcome == "trained", "until now none of ours"


# 6. The plateau


def test_what_it_says_of_the_plateau(runs):
    for name in ("plateau", "plateau-warmup"):
        assert not dead(runs, name)
        for run in of(runs, name).values():
            losses = [epoch.train_loss for epoch in run.epochs]
            rates = [epoch.lr_last for epoch in run.epochs]
            cut = next(i for i in range(1, len(rates)) if rates[i] < rates[i - 1])
            assert losses[cut - 1] > 0.9 * losses[cut - 2]
            assert losses[cut] < 0.9 * losses[cut - 1]
            assert cut in (4, 5), "at much the same times"
    pairs = [
        (of(runs, "fixed-0.3")[seed].final.test_acc, run.final.test_acc)
        for seed, run in of(runs, "plateau").items()
    ]
    assert all(a < b for a, b in pairs)
    assert said(runs, exercises.PLATEAU) == {
        "plateau - fixed-0.3": "plateau is higher",
        "plateau-warmup - plateau": "plateau-warmup is higher",
    }
    assert len(dead(runs, "fixed-0.5")) == 2
    lenets = [
        experiment.name
        for exercise in exercises.EXERCISES
        if exercise is not exercises.DEEPER
        for experiment in exercise.experiments
        if len(dead(runs, experiment.name)) < 5
    ]
    losses = {name: mean_of(runs, name, "train_loss") for name in lenets}
    assert min(losses, key=losses.get) == "plateau-warmup"
    assert abs(mean_of(runs, "poly-0.5") - mean_of(runs, "plateau")) < 0.01, "about as far"
