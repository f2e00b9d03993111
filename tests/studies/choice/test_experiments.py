from __future__ import annotations

from math import cos, pi, sqrt

import pytest

from d2l_lrsched.studies.choice import experiments, tuning
from d2l_lrsched.studies.choice.experiments import ARMS, EXPERIMENTS, SCHEDULES, Arm, jobs
from d2l_lrsched.studies.clipping.experiments import CLIP_NORM
from made_up import a_run

#: The rates of 20 updates, counted from 1, from a peak of 1.
BY_HAND = {
    "steps": [1] * 10 + [0.1] * 5 + [0.01] * 5,
    "square-root": [1 / sqrt(n + 1) for n in range(1, 21)],
    "poly": [0.01 + 0.99 * ((20 - n) / 20) ** 2 for n in range(1, 21)],
    "linear": [0.01 + 0.99 * (20 - n) / 20 for n in range(1, 21)],
    "cooldown": [1] * 16 + [0.7525, 0.505, 0.2575, 0.01],
    "cosine": [0.01 + 0.495 * (1 + cos(pi * n / 20)) for n in range(1, 21)],
    "warmup-cosine": [0.5] + [0.01 + 0.495 * (1 + cos(pi * n / 18)) for n in range(19)],
    "one-cycle": [0.04 + 0.48 * (1 - cos(pi * n / 5)) for n in range(6)]
    + [0.01 + 0.495 * (1 + cos(pi * n / 14)) for n in range(1, 15)],
    # of 20/7, 60/7 and 20 the whole parts are the ends: 2, 8 and 20
    "restarts": [
        0.01 + 0.495 * (1 + cos(pi * n / (length - 1)))
        for length in (2, 6, 12)
        for n in range(length)
    ],
}
#: What decays by plan, as opposed to the three that cannot end at a given rate.
PLANNED = SCHEDULES.keys() - {"constant", "square-root", "plateau"}


@pytest.mark.parametrize("schedule", BY_HAND)
def test_the_rates_worked_out_by_hand(schedule):
    make, _ = SCHEDULES[schedule]
    scheduler = make(20, 1.0)
    assert [scheduler(n) for n in range(1, 21)] == pytest.approx(BY_HAND[schedule], rel=1e-12)


def test_every_schedule_is_seen_to():
    assert len(SCHEDULES) == 11
    assert {*BY_HAND, "constant", "plateau"} == SCHEDULES.keys()
    assert BY_HAND.keys() > PLANNED


@pytest.mark.parametrize("phase", ["tune", "plain"])
@pytest.mark.parametrize("schedule", sorted(PLANNED))
def test_what_decays_by_plan_ends_at_a_hundredth_in_the_last_update(schedule, phase):
    """Of 215 and of 235 updates an epoch; the peak is reached, and nothing is above it."""
    experiment = EXPERIMENTS[Arm(phase, schedule, 0.45).name]
    rates = experiment.rates([0.5] * 10)
    assert len(rates) == {"tune": 2150, "plain": 2350}[phase]
    assert rates[-1] == pytest.approx(0.0045, rel=1e-12)
    assert rates[-1] == min(rates[len(rates) // 2 :])
    assert max(rates) == pytest.approx(0.45, rel=1e-2)
    assert max(rates) <= 0.45


def test_the_constant_rate_and_the_plateau():
    constant, plateau = (EXPERIMENTS[f"plain-{name}-0.3"] for name in ("constant", "plateau"))
    assert constant.rates([0.5, 0.5]) == [0.3] * 470
    # 0.91 is not 10 % below 1, so the third epoch has a third; 0.8 is
    rates = plateau.rates([1.0, 0.91, 0.8, 0.79])
    assert rates[::235] == pytest.approx([0.3, 0.3, 0.1, 0.1])
    assert plateau.rates([1.0, 0.89, 0.8, 0.7]) == [0.3] * 940
    first, second = (plateau.prepare(235)[0]["lr_scheduler"] for _ in range(2))
    assert first is not second, "a run must not be told another's losses"


def test_without_the_last_update_it_has_the_rate_0():
    skipped = EXPERIMENTS["skipped-constant-0.3"]
    assert skipped.rates([0.5] * 10) == [0.3] * 2349 + [0]
    assert skipped.clip_norm is None
    assert [name for name in ARMS if name.startswith("skipped-") and "-constant-" not in name] == []


def test_names_say_phase_schedule_and_peak():
    assert list(EXPERIMENTS) == list(ARMS)
    assert len(ARMS) == (3 * 11 + 1) * len(tuning.PEAKS)
    assert ARMS["clipped-one-cycle-0.45"] == ("clipped", "one-cycle", 0.45)
    settings = {(e.num_epochs, *map(str, e.settings.items())) for e in EXPERIMENTS.values()}
    assert len(settings) == len(EXPERIMENTS), "all differ by their settings"


def test_the_phases_differ_in_pictures_and_clipping_alone():
    tune, plain, clipped = (
        EXPERIMENTS[f"{phase}-cosine-0.3"].settings for phase in ("tune", "plain", "clipped")
    )
    assert tune == {**plain, "held_out": 5000}
    assert clipped == {**plain, "clip_norm": 0.7}
    assert plain["clip_norm"] is None


def test_the_threshold_is_the_clipping_studys():
    assert experiments.CLIP_NORM == CLIP_NORM


def made(jobs, accuracy=lambda arm: 0.5, lost=lambda arm, seed: False):
    """Return the runs of the jobs."""
    return [
        a_run(
            job.name,
            job.seed,
            "collapsed" if lost(ARMS[job.name], job.seed) else "trained",
            num_epochs=job.length,
            settings=job.settings,
            test_acc=accuracy(ARMS[job.name]),
        )
        for job in jobs
    ]


def best_at(**peaks):
    """Return accuracies that are highest at these peaks, of other schedules at 0.3."""
    return lambda arm: 0.9 - abs(arm.peak - peaks.get(arm.schedule, 0.3)) / 100


def test_at_first_every_schedule_tries_the_grid():
    asked = jobs()
    assert len(asked) == 11 * 7 * 5
    assert len({job.key for job in asked}) == len(asked)
    assert {job.seed for job in asked} == set(range(5))
    assert {ARMS[job.name].phase for job in asked} == {"tune"}
    assert {ARMS[job.name].peak for job in asked} == set(tuning.GRID)
    assert {(job.length, job.net, job.settings["held_out"]) for job in asked} == {
        (10, "fast", 5000)
    }
    assert jobs(made(asked[:-1], best_at())) == asked, "until all is there"


def test_then_the_chosen_peaks_on_the_test_set_with_fresh_seeds():
    grid = jobs()
    asked = jobs(made(grid, best_at(poly=0.45)))
    assert asked[: len(grid)] == grid
    rest = asked[len(grid) :]
    assert len(rest) == (2 * 11 + 1) * 20
    assert {job.name for job in rest[-20:]} == {"skipped-constant-0.3"}
    assert {job.seed for job in rest[-20:]} == set(range(100, 120))
    for phase in ("plain", "clipped"):
        ours = [job for job in rest if ARMS[job.name].phase == phase]
        assert {job.seed for job in ours} == set(range(100, 120))
        chosen = {ARMS[job.name].schedule: ARMS[job.name].peak for job in ours}
        assert chosen == {**dict.fromkeys(SCHEDULES, 0.3), "poly": 0.45}
    assert not any("held_out" in job.settings for job in rest)
    everything = made(asked, best_at(poly=0.45))
    assert jobs(everything) == asked, "and no more"


def test_where_the_best_is_at_an_end_only_that_schedule_goes_on():
    accuracy = best_at(**{"square-root": 2.2})
    grid = jobs()
    one = jobs(made(grid, accuracy))
    assert {job.name for job in one} - {job.name for job in grid} == {"tune-square-root-1.5"}
    two = jobs(made(one, accuracy))
    three = jobs(made(two, accuracy))
    assert len(three) == len(grid) + 15, "1.5, 2.2 and 3.3"
    last = jobs(made(three, accuracy))
    assert {job.name for job in last if ARMS[job.name].phase == "plain"} >= {
        "plain-square-root-2.2",
        "plain-cosine-0.3",
    }


def test_a_peak_at_which_most_collapse_is_not_chosen():
    """Three of five at 0.45, and its others are the best of all; two of five do not matter."""

    def accuracy(arm):
        return {0.45: 0.95, 0.3: 0.9}.get(arm.peak, 0.8)

    def lost(arm, seed):
        return arm.peak == 0.45 and seed < (3 if arm.schedule == "cosine" else 2)

    found = experiments.scores(made(jobs(), accuracy, lost))
    assert found["cosine"] == {**dict.fromkeys(tuning.GRID, 0.8), 0.3: 0.9, 0.45: 0}
    assert {name: tuning.best(of) for name, of in found.items()} == {
        **dict.fromkeys(SCHEDULES, 0.45),
        "cosine": 0.3,
    }


def test_scores_are_of_the_tuning_runs_alone():
    runs = made(jobs(made(jobs(), best_at())), best_at())
    assert experiments.scores(runs) == experiments.scores(made(jobs(), best_at()))
    assert experiments.scores([a_run("constant"), a_run("plain-cosine-0.3")]) == {}


def test_fewer_seeds_and_epochs():
    asked = jobs(seeds=2, num_epochs=3)
    assert {(job.seed, job.length) for job in asked} == {(0, 3)}
    rest = jobs(made(asked, best_at()), seeds=2, num_epochs=3)[len(asked) :]
    assert {(job.seed, job.length) for job in rest} == {(100, 3), (101, 3)}
    assert jobs(made(asked, best_at())) == jobs(), "runs of another length do not count"
