"""The scheduler of sampling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_lrsched.schedulers import LangevinScheduler

between = LangevinScheduler.between

EXPECTED = [
    (LangevinScheduler(a=3, b=1, gamma=1), {0: 3, 1: 1.5, 2: 1, 29: 0.1, 299_999: 1e-5}),
    # 16**0.75 = 8, 81**0.75 = 27
    (LangevinScheduler(a=2.0, b=16.0, gamma=0.75), {0: 0.25, 65: 2 / 27}),
    # b = 9 / 3: from 4/3 to 1/3
    (LangevinScheduler.between(4 / 3, 1 / 3, 9, gamma=1), {0: 4 / 3, 1: 1, 5: 0.5, 9: 1 / 3}),
]


@pytest.mark.parametrize(("scheduler", "expected"), EXPECTED, ids=repr)
def test_the_rates_are_those_worked_out_by_hand(scheduler, expected):
    for num_update, rate in expected.items():
        assert scheduler(num_update) == pytest.approx(rate, rel=1e-8), num_update


@given(st.builds(LangevinScheduler, st.floats(1e-4, 10), st.floats(0.01, 100), st.floats(0.51, 1)))
def test_the_rate_never_rises_and_stays_above_0(scheduler):
    curve = [scheduler(n) for n in range(80)]
    assert curve[0] == scheduler.base_lr
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] > 0


def test_it_goes_from_the_papers_first_rate_to_its_last():
    scheduler = LangevinScheduler.between(0.01, 0.0001, 10_000)
    assert scheduler.gamma == 0.55
    assert scheduler(0) == scheduler.base_lr == pytest.approx(0.01, rel=1e-12)
    assert scheduler(10_000) == pytest.approx(0.0001, rel=1e-12)
    assert 0 < scheduler(10**9) < 1e-6


def test_a_rate_at_0_that_no_float_can_hold_is_refused():
    with pytest.raises(ValueError, match=r"^a / b\*\*gamma must be a finite number > 0, got inf"):
        LangevinScheduler(1e300, 1e-300, 1)
    with pytest.raises(ValueError, match=r"^a / b\*\*gamma must be a finite number > 0, got 0\.0"):
        LangevinScheduler(1e-300, 1e300, 1)


def test_a_fall_that_no_float_holds_is_refused():
    with pytest.raises(
        ValueError, match=r"final_lr must be less far below base_lr=1\.0, got 1e-300"
    ):
        LangevinScheduler.between(1.0, 1e-300, max_update=10)


FALL = {"base_lr": 0.5, "final_lr": 0.1, "max_update": 5}


@pytest.mark.parametrize(
    ("make", "others", "name", "values"),
    [
        (LangevinScheduler, {"b": 1}, "a", [0]),
        (LangevinScheduler, {"a": 1}, "b", [0]),
        (LangevinScheduler, {"a": 1, "b": 1}, "gamma", [0.5, 1.0001]),
        (between, FALL, "base_lr", [0]),
        (between, FALL, "final_lr", [0, 0.5, 1]),
        (between, FALL, "max_update", [0, 5.0]),
        (between, FALL, "gamma", [0, 0.5]),
    ],
)
def test_a_bad_argument_is_named_and_shown(make, others, name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name} must be ") as caught:
            make(**{**others, name: value})
        assert str(caught.value).endswith(f"got {value!r}")
