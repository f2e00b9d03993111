from __future__ import annotations

import itertools
import math

import pytest

import d2l_lrsched as lrs
from d2l_lrsched.explorer.settings import BOOK, READINGS, SCHEDULES, SLIDERS, Settings, preset
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER

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
    return Settings.of({**VALUES, "schedule": schedule, **changed})


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
    shown = settings("cosine", max_update=20, warmup_steps=5, reading="epoch")
    assert shown.code() == (
        "lrs.PerEpoch(lrs.WarmupScheduler(lrs.CosineScheduler(max_update=20, base_lr=0.4, "
        "final_lr=0.1), warmup_steps=5), updates_per_epoch=235)"
    )


@pytest.mark.parametrize("name", BOOK)
def test_the_books_settings_have_the_rates_of_its_figures(name):
    """Those that the book plots, over 30 epochs; of a constant rate there is no plot."""
    _, plotted = CHAPTER[name].prepare(235)
    scheduler = Settings.of(BOOK[name]).scheduler()
    expected = plotted or [0.3] * 30
    assert [scheduler(t) for t in range(30)] == pytest.approx(expected, rel=1e-12)


def test_the_books_settings_are_the_books():
    cosine = {"schedule": "cosine", "base_lr": 0.5, "final_lr": 0.01}
    expected = {
        "constant": {"schedule": "constant", "base_lr": 0.3, "warmup_steps": 0},
        "square-root": {"schedule": "square-root", "base_lr": 1.0, "warmup_steps": 0},
        "multi-factor": {
            "schedule": "multi-factor",
            "first_step": 15,
            "second_step": 30,
            "factor": 0.5,
            "base_lr": 0.5,
            "warmup_steps": 0,
        },
        "cosine": {**cosine, "max_update": 20, "warmup_steps": 0},
        "cosine-warmup": {**cosine, "max_update": 15, "warmup_steps": 5},
    }
    assert expected == BOOK


@pytest.mark.parametrize("reading", READINGS)
@pytest.mark.parametrize("name", BOOK)
def test_the_books_settings_are_known_again_in_both_readings(name, reading):
    query = {**BOOK[name], "reading": reading}
    assert preset(Settings.of(query)) == name
    assert preset(Settings.of({**query, "final_lr": 0.2})) == (
        "" if name.startswith("cosine") else name
    ), "what the schedule does not take is no difference"
    assert preset(Settings.of({**query, "base_lr": 0.1})) == ""
    assert preset(Settings.of({**query, "warmup_steps": 1})) == ""


def test_a_slider_stands_at_the_nearest_allowed_value():
    values = settings("cosine", base_lr=0.2, final_lr=0.4, stop_factor_lr=0.3).values
    assert (values["final_lr"], values["stop_factor_lr"]) == (0.2, 0.2)
    values = settings("multi-factor", first_step=40, second_step=30).values
    assert (values["first_step"], values["second_step"]) == (40, 50)
    values = settings("multi-factor", first_step=10**9, second_step=1, base_lr=-1).values
    assert (values["first_step"], values["second_step"]) == (25 * 235, 30 * 235)
    assert values["base_lr"] == 0.005
    assert settings("cosine", base_lr=0.3999).values["base_lr"] == 0.4


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_schedule_refuses_where_sliders_can_stand(schedule):
    taken = [*SCHEDULES[schedule], "warmup_steps"]
    for ends in itertools.product(*[(min(SLIDERS[s]), max(SLIDERS[s])) for s in taken]):
        shown = settings(schedule, **dict(zip(taken, ends)))
        for reading in READINGS:
            assert 0 <= shown.scheduler(reading)(235) <= shown.values["base_lr"]


@pytest.mark.parametrize(
    "query", [{"schedule": "x"}, {"reading": "run"}, {"language": "fr"}, {"pwr": "two"}]
)
def test_a_query_that_says_nothing(query):
    with pytest.raises(ValueError, match=r"must be one of|could not convert"):
        Settings.of(query)


def test_first_comes_the_books_cosine_in_vietnamese():
    first = Settings.of({})
    assert (preset(first), first.reading, first.language) == ("cosine", "update", "vi")
    assert first.values["num_epochs"] == 30
