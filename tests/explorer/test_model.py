from __future__ import annotations

import math
from dataclasses import replace

import numpy as np
import pytest

import d2l_lrsched as lrs
from d2l_lrsched.cli import plot as cli_plot
from d2l_lrsched.explorer.model import (
    BOOK,
    COUNTS,
    READINGS,
    SCHEDULES,
    Settings,
    drawn,
    is_the_books_multi_factor,
    matching,
    rates,
    stored,
)
from d2l_lrsched.runs import record as store
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from made_up import a_run

VALUES = {
    "base_lr": 0.4,
    "final_lr": 0.1,
    "stop_factor_lr": 0.05,
    "factor": 0.5,
    "pwr": 3.0,
    "max_update": 10,
    "first_step": 3,
    "second_step": 6,
}


def settings(schedule, **changed):
    values = {name: VALUES[name] for name in SCHEDULES[schedule][1]}
    return replace(Settings(schedule, values), **changed)


@pytest.mark.parametrize(
    ("schedule", "at_4"),
    [
        ("constant", 0.4),
        ("square-root", 0.4 / math.sqrt(5)),
        ("factor", 0.05),  # 0.4 * 0.5**5 lies below
        ("linear", 0.1 + 0.3 * 0.6),
        ("multi-factor", 0.2),
        ("poly", 0.1 + 0.3 * 0.6**3),
        ("cosine", 0.1 + 0.3 * (1 + math.cos(math.pi * 0.4)) / 2),
    ],
)
def test_every_schedule_has_the_rates_of_its_formula(schedule, at_4):
    assert settings(schedule).scheduler()(4) == pytest.approx(at_4)
    warmed = settings(schedule, warmup_steps=2).scheduler()
    assert warmed(6) == pytest.approx(at_4)
    assert warmed(1) == pytest.approx(settings(schedule).scheduler()(0) / 2)
    # Epoch 6 begins with update 6 * 235 + 1: the warmup is counted in epochs, too.
    per_epoch = settings(schedule, warmup_steps=2, reading="epoch").scheduler()
    assert per_epoch(6 * 235 + 1) == per_epoch(7 * 235) == pytest.approx(at_4)
    assert per_epoch(235) == 0


def test_the_schedules_are_those_of_the_plot_command():
    for name, (class_name, _) in SCHEDULES.items():
        if name != "constant":
            assert cli_plot.SCHEDULES[name][1] == class_name
    assert {*cli_plot.SCHEDULES} - {*SCHEDULES} == {"mxnet-factor"}


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("warmup_steps", [0, 5])
@pytest.mark.parametrize("schedule", SCHEDULES)
def test_the_code_builds_the_scheduler(schedule, warmup_steps, reading):
    shown = settings(schedule, warmup_steps=warmup_steps, reading=reading)
    built = eval(shown.code(), {"lrs": lrs})
    if schedule == "constant" and not warmup_steps:
        assert built == {"learning_rate": 0.4}
    else:
        assert built == shown.scheduler()


def test_the_code_reads_as_one_would_write_it():
    shown = Settings("cosine", {**VALUES, "max_update": 20}, warmup_steps=5, reading="epoch")
    assert shown.code() == (
        "lrs.PerEpoch(lrs.WarmupScheduler(lrs.CosineScheduler(max_update=20, base_lr=0.4, "
        "final_lr=0.1), warmup_steps=5), updates_per_epoch=235)"
    )


@pytest.mark.parametrize("name", BOOK)
def test_the_books_settings_have_the_rates_of_its_figures(name):
    """Those that the book plots, over 30 epochs; of a constant rate there is no plot."""
    _, plotted = CHAPTER[name].prepare(235)
    scheduler = BOOK[name].scheduler()
    expected = plotted or [0.3] * 30
    assert [scheduler(t) for t in range(30)] == pytest.approx(expected, rel=1e-12)


def test_the_books_settings_are_the_books():
    assert BOOK["multi-factor"].values == {
        "first_step": 15,
        "second_step": 30,
        "factor": 0.5,
        "base_lr": 0.5,
    }
    assert BOOK["cosine"].values == {"max_update": 20, "base_lr": 0.5, "final_lr": 0.01}
    warm = BOOK["cosine-warmup"]
    assert warm.values == {"max_update": 15, "base_lr": 0.5, "final_lr": 0.01}
    assert warm.warmup_steps == 5
    assert BOOK["square-root"].values == {"base_lr": 1.0}
    assert all(book.values.get(name, 1) in COUNTS for book in BOOK.values() for name in VALUES
               if name in ("max_update", "first_step", "second_step"))  # fmt: skip


@pytest.mark.parametrize(
    ("schedule", "changed", "named"),
    [
        ("cosine", {"final_lr": 0.5}, "final_lr"),
        ("factor", {"stop_factor_lr": 0.5}, "stop_factor_lr"),
        ("multi-factor", {"first_step": 6}, "step"),
    ],
)
def test_values_that_do_not_go_together(schedule, changed, named):
    with pytest.raises(ValueError, match=f"^{named} must be"):
        settings(schedule, values={**VALUES, **changed}).scheduler()


def test_only_the_books_multi_factor_per_update_trained_otherwise():
    own = BOOK["multi-factor"]
    assert is_the_books_multi_factor(own)
    assert not is_the_books_multi_factor(replace(own, reading="epoch"))
    assert not is_the_books_multi_factor(replace(own, warmup_steps=1))
    assert not is_the_books_multi_factor(BOOK["cosine"])


@pytest.mark.parametrize("name", BOOK)
@pytest.mark.parametrize("reading", READINGS)
def test_what_is_drawn_lies_on_the_curve(name, reading):
    values = rates(BOOK[name].scheduler(reading), 30 * 235)
    kept = drawn(values)
    between = np.interp(np.arange(len(values)), kept, values[kept])
    assert len(kept) <= 700
    assert np.abs(between - values).max() <= max(np.ptp(values), 1e-9) / 300


def test_jumps_stay_upright():
    values = rates(BOOK["multi-factor"].scheduler("epoch"), 30 * 235)
    kept = set(drawn(values))
    # The updates 3760 and 3761: the last of 16 epochs, and the first of the 17th.
    assert {16 * 235 - 1, 16 * 235} <= kept
    assert values[16 * 235 - 1] == 0.5
    assert values[16 * 235] == 0.25


# --- stored runs ----------------------------------------------------------------------------------


@pytest.fixture
def records(tmp_path):
    """A folder of runs; `add(name, experiment, ...)` adds one to the file of that name."""

    def add(file, experiment, settings=None, **fields):
        settings = settings or {**all_experiments()[experiment].settings, "net": "fast"}
        store.append(tmp_path / file, a_run(experiment, settings=settings, **fields))
        return tmp_path

    return add


def found(folder, schedule):
    return [(g.experiment, len(g.runs), g.collapsed) for g in matching(stored(folder), schedule)]


def test_runs_are_found_by_their_rates_however_these_are_made(records):
    records("runs.jsonl", "cosine-warmup", num_epochs=30)
    folder = records("runs.jsonl", "cosine-warmup-per-epoch", num_epochs=30)
    assert found(folder, BOOK["cosine-warmup"].scheduler()) == [("cosine-warmup", 1, 0)]
    inside = lrs.CosineScheduler(20, base_lr=0.5, final_lr=0.01, warmup_steps=5)
    assert found(folder, inside) == [("cosine-warmup", 1, 0)]
    assert found(folder, lrs.PerEpoch(inside, 235)) == [("cosine-warmup-per-epoch", 1, 0)]
    other = lrs.CosineScheduler(20, base_lr=0.5, final_lr=0.0101, warmup_steps=5)
    assert found(folder, other) == []


def test_one_other_rate_is_enough_to_differ(records):
    """The experiment's last update of two epochs has another rate than the schedule."""
    folder = records("runs.jsonl", "constant", num_epochs=2)
    assert found(folder, lambda n: 0.3) == [("constant", 1, 0)]
    assert found(folder, lambda n: 0.3 if n < 2 * 235 else 0.2) == []
    assert found(folder, lambda n: 0.3 if n <= 2 * 235 else 0.2) == [("constant", 1, 0)]


def test_the_books_multi_factor_run_had_the_rates_after_the_plot(records):
    folder = records("runs.jsonl", "multi-factor")
    assert found(folder, BOOK["multi-factor"].scheduler()) == []
    after = lrs.MultiFactorScheduler(step=[30], factor=0.5, base_lr=0.25)
    assert found(folder, after) == [("multi-factor", 1, 0)]


def test_each_seed_counts_once_and_the_collapsed_are_counted(records):
    for file in ("baseline.jsonl", "runs.jsonl"):
        records(file, "constant", seed=0)
    records("baseline.jsonl", "constant", seed=1, outcome="collapsed")
    folder = records("clipping.jsonl", "rate-0.3", seed=1)
    assert found(folder, lambda n: 0.3) == [("constant", 2, 1), ("rate-0.3", 1, 0)]


def test_clipped_runs_and_runs_of_other_settings_are_left_out(records):
    records("clipping.jsonl", "rate-0.3-clipped")
    folder = records("runs.jsonl", "constant", settings={"learning_rate": 0.1})
    assert stored(folder) == []


def test_other_networks_and_rates_that_the_losses_decided_are_left_out(records):
    for name in ("resnet-constant", "plateau", "plateau-warmup"):
        folder = records("exercises.jsonl", name)
    assert stored(folder) == []
    folder = records("exercises.jsonl", "fixed-0.5")
    assert [group.experiment for group in stored(folder)] == ["fixed-0.5"]


def test_without_records(tmp_path):
    assert stored(tmp_path) == stored(tmp_path / "no-such-folder") == []


def test_a_damaged_file_is_named(tmp_path):
    (tmp_path / "runs.jsonl").write_text("{}\n")
    with pytest.raises(store.StoreError, match=r"runs\.jsonl, line 1"):
        stored(tmp_path)
