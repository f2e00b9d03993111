from __future__ import annotations

from math import cos, pi

import pytest

from d2l_lrsched.studies.clipping.claims import ARMS
from d2l_lrsched.studies.clipping.experiments import CLIP_NORM, EXPERIMENTS, warmup_cosine


def test_the_arms_are_all_combinations_of_clipping_and_the_schedule():
    """At the rate 0.5, of which the schedule ends at 0; 10 epochs of 5 updates."""
    made = {name: EXPERIMENTS[name] for name in ARMS}
    clipped = [name for name, experiment in made.items() if experiment.clip_norm == CLIP_NORM]
    assert clipped == ["clipping", "both"]
    rates = {name: experiment.prepare(5)[0] for name, experiment in made.items()}
    assert rates["neither"] == rates["clipping"] == {"learning_rate": 0.5}
    for name in ("scheduler", "both"):
        assert rates[name]["lr_scheduler"](5) == 0.5
        assert rates[name]["lr_scheduler"](50) == pytest.approx(0, abs=1e-15)


def test_warmup_and_cosine_over_the_whole_run():
    """By hand, 50 updates: 5 of warmup from 0, then half a cosine over 45 down to 0."""
    scheduler = warmup_cosine(num_updates=50, base_lr=0.5)
    assert [scheduler(n) for n in range(6)] == pytest.approx([0, 0.1, 0.2, 0.3, 0.4, 0.5])
    for n in (6, 20, 49):
        assert scheduler(n) == pytest.approx(0.25 * (1 + cos(pi * (n - 5) / 45)))
    assert scheduler(50) == pytest.approx(0, abs=1e-15)
