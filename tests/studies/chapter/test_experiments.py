from __future__ import annotations

import dataclasses
from math import cos, pi, sqrt

import pytest
from mxnet import lr_scheduler

from d2l_lrsched.studies.chapter import published
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.experiments import OTHER_SETTINGS, PUBLISHED

EPOCH = 235  # ceil(60000 / 256)


def trained_with(name):
    """The rates of updates 1, 2, ..., in MXNet's order of calls (three a step)."""
    experiment = {**CHAPTER, **OTHER_SETTINGS}[name]
    optimizer_params, _ = experiment.prepare(EPOCH)
    scheduler = optimizer_params["lr_scheduler"]
    rates = [0.0]
    for n in range(1, experiment.num_epochs * EPOCH + 1):
        rates.append([scheduler(n) for _ in range(3)][-1])
    return rates


def test_the_five_published_runs_and_four_readings_per_epoch():
    assert list(CHAPTER) == [
        "constant",
        "square-root",
        "multi-factor",
        "cosine",
        "cosine-warmup",
        "square-root-per-epoch",
        "multi-factor-per-epoch",
        "cosine-per-epoch",
        "cosine-warmup-per-epoch",
    ]
    assert tuple(published.PRINTED) == PUBLISHED


SECTIONS = {
    "constant": "11.15.1",
    "square-root": "11.15.2",
    "multi-factor": "11.15.3.2",
    "cosine": "11.15.3.3",
    "cosine-warmup": "11.15.3.4",
}


@pytest.mark.parametrize("name", CHAPTER)
def test_the_chapters_settings(name):
    experiment = CHAPTER[name]
    assert experiment.name == name
    assert (experiment.num_epochs, experiment.batch_size, experiment.optimizer) == (30, 256, "sgd")
    assert experiment.unit == ("epoch" if name.endswith("-per-epoch") else "update")
    assert experiment.section == SECTIONS[name.replace("-per-epoch", "")]
    assert experiment.note


def test_they_are_frozen():
    with pytest.raises(dataclasses.FrozenInstanceError):
        CHAPTER["constant"].num_epochs = 3


def test_constant():
    assert CHAPTER["constant"].prepare(EPOCH) == ({"learning_rate": 0.3}, None)


def test_square_root():
    rates = trained_with("square-root")
    assert rates[1] == pytest.approx(1 / sqrt(2))
    assert rates[3] == pytest.approx(0.5)
    assert rates[7050] == pytest.approx(1 / sqrt(7051))
    # What the note says.
    assert f"{rates[1]:.3f} {rates[7050]:.3f}" == "0.707 0.012"
    assert rates[EPOCH] < 0.07


def test_multi_factor_was_moved_by_its_plot():
    """Never 0.5: MXNet's object has passed step 15 in the plot over range(30)."""
    rates = trained_with("multi-factor")
    assert rates[1:31] == [0.25] * 30
    assert rates[31:] == [0.125] * 7020


def test_cosine_is_over_within_the_first_epoch():
    rates = trained_with("cosine")
    assert rates[10] == pytest.approx(0.255)  # half way from 0.5 to 0.01
    assert rates[1] == pytest.approx(0.01 + 0.49 * (1 + cos(pi / 20)) / 2)
    assert rates[20:] == [pytest.approx(0.01)] * (7050 - 19)


def test_cosine_warmup_is_over_within_the_first_epoch():
    rates = trained_with("cosine-warmup")
    assert rates[1:6] == pytest.approx([0.1, 0.2, 0.3, 0.4, 0.5])
    assert rates[20:] == [pytest.approx(0.01)] * (7050 - 19)


@pytest.mark.parametrize(
    ("name", "by_epoch"),
    [
        ("square-root-per-epoch", [1 / sqrt(e + 1) for e in range(30)]),
        # MXNet drops after, not at, step 15; step 30 lies past the last epoch, 29.
        ("multi-factor-per-epoch", [0.5] * 16 + [0.25] * 14),
        (
            "cosine-per-epoch",
            [0.01 + 0.49 * (1 + cos(pi * e / 20)) / 2 for e in range(20)] + [0.01] * 10,
        ),
        (
            "cosine-warmup-per-epoch",
            [0.0, 0.1, 0.2, 0.3, 0.4]
            + [0.01 + 0.49 * (1 + cos(pi * e / 15)) / 2 for e in range(15)]
            + [0.01] * 10,
        ),
    ],
)
def test_per_epoch_every_update_of_an_epoch_has_its_rate(name, by_epoch):
    rates = trained_with(name)
    expected = [rate for rate in by_epoch for _ in range(EPOCH)]
    assert rates[1:] == pytest.approx(expected)


@pytest.mark.parametrize("name", [name for name in CHAPTER if name != "constant"])
def test_what_is_plotted_is_the_fresh_schedule_over_30_calls(name):
    """As the book plots it; MXNet's own classes say what that is."""
    fresh = {
        "square-root": lambda: lambda t: (t + 1) ** -0.5,
        "multi-factor": lambda: lr_scheduler.MultiFactorScheduler([15, 30], 0.5, 0.5),
        "cosine": lambda: lr_scheduler.CosineScheduler(20, 0.5, 0.01),
        "cosine-warmup": lambda: lr_scheduler.CosineScheduler(20, 0.5, 0.01, warmup_steps=5),
    }[name.replace("-per-epoch", "")]()
    _, plotted = CHAPTER[name].prepare(EPOCH)
    assert plotted == [fresh(t) for t in range(30)]


def test_every_preparation_makes_a_new_scheduler():
    first, _ = CHAPTER["multi-factor"].prepare(EPOCH)
    second, _ = CHAPTER["multi-factor"].prepare(EPOCH)
    first["lr_scheduler"](7050)
    assert second["lr_scheduler"](1) == 0.25


def test_settings_say_what_made_the_scheduler():
    assert CHAPTER["multi-factor"].settings == {
        "learning_rate": None,
        "scheduler": "mxnet.MultiFactorScheduler(step=[15, 30], factor=0.5, base_lr=0.5)",
        "unit": "update",
        "batch_size": 256,
        "optimizer": "sgd",
        "clip_norm": None,
    }
    ours = CHAPTER["multi-factor-per-epoch"].settings
    assert ours["scheduler"].startswith("builtin.MultiFactorScheduler(")
    assert CHAPTER["constant"].settings["learning_rate"] == 0.3
    assert CHAPTER["constant"].settings["scheduler"] is None


def test_other_years_settings():
    assert list(OTHER_SETTINGS) == [
        "gentler-square-root",
        "gentler-cosine",
        "gentler-cosine-warmup",
        "early-constant",
        "early-square-root",
        "early-multi-factor",
        "early-cosine",
        "early-cosine-warmup",
    ]
    assert not {*OTHER_SETTINGS} & {*CHAPTER}
    for name, experiment in OTHER_SETTINGS.items():
        years, run = name.split("-", maxsplit=1)
        assert experiment.name == name
        assert experiment.num_epochs == {"gentler": 30, "early": 40}[years]
        # All else is the chapter's.
        assert (experiment.batch_size, experiment.optimizer) == (256, "sgd")
        assert experiment.unit == "update"
        assert (experiment.section, experiment.title) == (SECTIONS[run], CHAPTER[run].title)
        assert experiment.note != CHAPTER[run].note


def cosine(base, n, over, warmup=0):
    """MXNet's, after so many updates of warmup, down to 0.01."""
    if n < warmup:
        return base * n / warmup
    n, over = min(n, over) - warmup, over - warmup
    return 0.01 + (base - 0.01) * (1 + cos(pi * n / over)) / 2


@pytest.mark.parametrize(
    ("name", "rate"),
    [
        ("gentler-square-root", lambda n: 0.1 / sqrt(n + 1)),
        ("gentler-cosine", lambda n: cosine(0.3, n, 20)),
        ("gentler-cosine-warmup", lambda n: cosine(0.3, n, 20, 5)),
        ("early-square-root", lambda n: 1 / sqrt(n + 1)),
        # The plot is of 40 epochs and has passed both steps, 15 and 30.
        ("early-multi-factor", lambda n: 0.125),
        ("early-cosine", lambda n: cosine(0.5, n, 40)),
        ("early-cosine-warmup", lambda n: cosine(0.5, n, 40, 5)),
    ],
)
def test_schedules_of_other_years(name, rate):
    rates = trained_with(name)
    updates = EPOCH * (40 if name.startswith("early-") else 30)
    assert rates[1:] == pytest.approx([rate(n) for n in range(1, updates + 1)])
    _, plotted = OTHER_SETTINGS[name].prepare(EPOCH)
    assert len(plotted) == OTHER_SETTINGS[name].num_epochs


def test_the_early_constant():
    assert OTHER_SETTINGS["early-constant"].prepare(EPOCH) == ({"learning_rate": 0.5}, None)
