from __future__ import annotations

import pytest

from d2l_lrsched.runs import record
from d2l_lrsched.studies.clipping.claims import ARMS
from d2l_lrsched.studies.clipping.experiments import CLIP_NORM, LOWERED_RATE, PILOT_SEEDS
from d2l_lrsched.studies.clipping.threshold import lowered_rate, threshold
from made_up import FIGURES, a_run, an_epoch, committed


@pytest.mark.parametrize(
    ("medians", "expected"),
    [((0.71,), 0.7), ((0.2, 0.75, 3.0), 0.8), ((1.4, 1.8), 2.0), ((14.0,), 10.0)],
)
def test_the_threshold_is_the_median_of_medians_to_one_digit(medians, expected):
    pilot = [
        a_run("pilot", i, norm_median=m, clipped=0.0, skipped=0) for i, m in enumerate(medians)
    ]
    collapsed = a_run("pilot", 99, "collapsed", norm_median=0.01, clipped=0.0, skipped=0)
    assert threshold([*pilot, collapsed]) == expected


def test_it_is_the_last_epochs_norm_that_counts():
    norms = ({"norm_median": norm, "clipped": 0.0, "skipped": 0} for norm in (5.0, 0.3))
    run = a_run("pilot", epochs=[an_epoch(**norm) for norm in norms])
    assert threshold([run]) == 0.3


def test_without_a_run_that_trained_there_is_no_threshold():
    with pytest.raises(ValueError, match="no run of the pilot trained"):
        threshold([a_run("pilot", outcome="collapsed", norm_median=0.1, clipped=0.0, skipped=0)])


def test_the_lowered_rate_is_what_is_kept_of_the_pilots():
    """0.5 times the mean of 0.2, 0.6, 0.4, 0.9, which is 0.525: 0.2625. A dead run says nothing."""
    kept = [(0.2, 0.6), (0.4, 0.9)]
    epochs = [
        [an_epoch(norm_median=1.0, clipped=0.5, skipped=0, kept=k) for k in of] for of in kept
    ]
    pilot = [a_run("pilot-clipped", seed, epochs=of) for seed, of in enumerate(epochs)]
    dead = a_run("pilot-clipped", 9, "collapsed", norm_median=0.1, clipped=0.0, skipped=0, kept=1.0)
    assert lowered_rate([*pilot, dead]) == 0.26
    with pytest.raises(ValueError, match="no run of the clipped pilot trained"):
        lowered_rate([dead])


def test_threshold_and_lowered_rate_are_what_the_pilots_chose():
    runs = committed("clipping")
    pilot = [run for run in runs if run.experiment == "pilot"]
    assert sorted(run.seed for run in pilot) == list(PILOT_SEEDS)
    assert threshold(pilot) == CLIP_NORM
    clipped = [run for run in runs if run.experiment == "pilot-clipped"]
    assert sorted(run.seed for run in clipped) == list(PILOT_SEEDS[:10])
    assert lowered_rate(clipped) == LOWERED_RATE
    others = {run.seed for run in runs if not run.experiment.startswith("pilot")}
    assert not others & set(PILOT_SEEDS), "the arms' seeds had no part in choosing"


def test_the_pilot_was_run_before_the_arms():
    """With the former fast net; the pilot with today's chooses the same threshold."""
    former, runs = record.read(FIGURES / "clipping" / "former.jsonl"), committed("clipping")
    assert {run.settings["net"] for run in former} == {"fast"}
    pilots = [run.started for run in former if run.experiment == "pilot"]
    arms = [run.started for run in (*former, *runs) if run.experiment in ARMS]
    assert max(pilots) < min(arms)
    assert max(e.norm_max for r in runs if r.experiment == "pilot" for e in r.epochs) < 1e6
