from __future__ import annotations

import pytest

import d2l_lrsched as lrs
from d2l_lrsched.explorer.settings import BOOK, Settings
from d2l_lrsched.explorer.stored import matching, stored
from d2l_lrsched.runs import record as store
from d2l_lrsched.studies import all_experiments
from made_up import a_run

#: Other pictures, other gradients, rates that their losses decide; and one that is none of these.
OF_CHOICE = ("tune-constant-0.1", "clipped-constant-0.1", "plain-plateau-0.1", "plain-constant-0.1")


@pytest.fixture
def records(tmp_path):
    """A folder of records; `add(study, experiment, ...)` adds a run to the study's."""

    def add(study, experiment, settings=None, **fields):
        settings = settings or {**all_experiments()[experiment].settings, "net": "fast"}
        (tmp_path / study).mkdir(exist_ok=True)
        run = a_run(experiment, settings=settings, **fields)
        store.append(tmp_path / study / "runs.jsonl", run)
        return tmp_path

    return add


def found(folder, schedule):
    groups = matching(stored(folder).groups, schedule)
    return [(group.experiment, len(group.runs), group.collapsed) for group in groups]


def test_runs_are_found_by_their_rates_however_these_are_made(records):
    records("chapter", "cosine-warmup", num_epochs=30)
    folder = records("chapter", "cosine-warmup-per-epoch", num_epochs=30)
    shown = Settings.of(BOOK["cosine-warmup"])
    assert found(folder, shown.scheduler()) == [("cosine-warmup", 1, 0)]
    inside = lrs.CosineScheduler(20, base_lr=0.5, final_lr=0.01, warmup_steps=5)
    assert found(folder, inside) == [("cosine-warmup", 1, 0)]
    assert found(folder, lrs.PerEpoch(inside, 235)) == [("cosine-warmup-per-epoch", 1, 0)]
    other = lrs.CosineScheduler(20, base_lr=0.5, final_lr=0.0101, warmup_steps=5)
    assert found(folder, other) == []


def test_one_other_rate_is_enough_to_differ(records):
    """The experiment's last update of two epochs has another rate than the schedule."""
    folder = records("chapter", "constant", num_epochs=2)
    assert found(folder, lambda n: 0.3) == [("constant", 1, 0)]
    assert found(folder, lambda n: 0.3 if n < 2 * 235 else 0.2) == []
    assert found(folder, lambda n: 0.3 if n <= 2 * 235 else 0.2) == [("constant", 1, 0)]


def test_of_an_experiment_the_longest_runs_are_taken(records):
    for num_epochs in (3, 30, 3):
        folder = records("chapter", "constant", seed=num_epochs, num_epochs=num_epochs)
    (group,) = matching(stored(folder).groups, lambda n: 0.3)
    assert [run.num_epochs for run in group.runs] == [30]


def test_the_books_multi_factor_run_had_the_rates_after_the_plot(records):
    folder = records("chapter", "multi-factor")
    assert found(folder, Settings.of(BOOK["multi-factor"]).scheduler()) == []
    after = lrs.MultiFactorScheduler(step=[30], factor=0.5, base_lr=0.25)
    assert found(folder, after) == [("multi-factor", 1, 0)]


def test_each_seed_counts_once_and_the_collapsed_are_counted(records):
    for study in ("chapter", "copy-of-it"):
        records(study, "constant", seed=0)
    records("chapter", "constant", seed=1, outcome="collapsed")
    folder = records("clipping", "rate-0.3", seed=1)
    assert found(folder, lambda n: 0.3) == [("constant", 2, 1), ("rate-0.3", 1, 0)]


def test_clipped_runs_and_runs_of_other_settings_are_left_out(records):
    records("clipping", "rate-0.3-clipped")
    folder = records("chapter", "constant", settings={"learning_rate": 0.1})
    assert stored(folder).groups == ()
    assert stored(folder).unknown == ("constant",)


def test_other_networks_and_rates_that_the_losses_decided_are_left_out(records):
    for name in ("resnet-constant", "plateau", "plateau-warmup", "fixed-0.5", *OF_CHOICE):
        folder = records("exercises", name)
    assert [group.experiment for group in stored(folder).groups] == [
        "fixed-0.5",
        "plain-constant-0.1",
    ]
    assert stored(folder).unknown == ()


def test_without_records(tmp_path):
    for folder in (tmp_path, tmp_path / "no-such-folder"):
        assert stored(folder).groups == stored(folder).unknown == ()
