"""The schedulers written from scratch: the chapter's two and a straight line."""

from __future__ import annotations

import math
import subprocess
import sys

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_lrsched.schedulers.scratch import (
    FactorScheduler,
    LinearScheduler,
    SquareRootScheduler,
)

rates = st.floats(1e-4, 10)
shares = st.floats(0, 1)

EXPECTED = [
    (SquareRootScheduler(), {0: 0.1, 3: 0.05, 99: 0.01}),
    (SquareRootScheduler(1.0), {0: 1, 1: 1 / math.sqrt(2), 3: 1 / 2, 8: 1 / 3, 7055: 1 / 84}),
    (FactorScheduler(), {0: 0.1, 1: 0.1, 10_000: 0.1}),
    (
        FactorScheduler(factor=0.9, stop_factor_lr=1e-2, base_lr=2.0),
        # 2 * 0.9**50 = 0.01030755..., 2 * 0.9**51 = 0.0092768... is below the stop
        {0: 1.8, 1: 1.62, 2: 1.458, 3: 1.3122, 49: 0.0103075504, 50: 0.01, 10**9: 0.01},
    ),
    (
        FactorScheduler(factor=0.5, stop_factor_lr=0.3, base_lr=1.0),
        {0: 0.5, 1: 0.3, 2: 0.3},
    ),
    (LinearScheduler(10), {0: 0.01, 1: 0.009, 5: 0.005, 9: 0.001, 10: 0, 11: 0, 10**9: 0}),
    (
        LinearScheduler(max_update=4, base_lr=0.5, final_lr=0.1),
        {0: 0.5, 1: 0.4, 2: 0.3, 3: 0.2, 4: 0.1, 5: 0.1, 7050: 0.1},
    ),
]

schedules = st.one_of(
    st.builds(SquareRootScheduler, rates),
    st.builds(
        lambda factor, share, lr: FactorScheduler(factor, share * lr, lr),
        st.floats(0.01, 1),
        shares,
        rates,
    ),
    st.builds(
        lambda n, lr, share: LinearScheduler(n, lr, share * lr), st.integers(1, 60), rates, shares
    ),
)


@pytest.mark.parametrize(("scheduler", "expected"), EXPECTED, ids=repr)
def test_the_rates_are_those_worked_out_by_hand(scheduler, expected):
    for num_update, rate in expected.items():
        assert scheduler(num_update) == pytest.approx(rate, rel=1e-8, abs=1e-15), num_update


@pytest.mark.parametrize("factor", [1, 0.99, 0.9, 0.5])
@pytest.mark.parametrize("stop", [0, 1e-7, 1e-2])
def test_factor_draws_the_published_recurrence(factor, stop):
    scheduler = FactorScheduler(factor, stop, base_lr=2.0)
    rate = 2.0
    for num_update in range(50):
        rate = max(stop, factor * rate)
        assert scheduler(num_update) == pytest.approx(rate, rel=1e-12)


@given(scheduler=schedules)
def test_the_rate_never_rises_and_stays_within_its_bounds(scheduler):
    curve = [scheduler(n) for n in range(80)]
    lowest = getattr(scheduler, "stop_factor_lr", getattr(scheduler, "final_lr", 0))
    tiny = 1e-12 * scheduler.base_lr
    assert all(later <= earlier for earlier, later in zip(curve, curve[1:]))
    assert lowest - tiny <= curve[-1]
    assert curve[0] <= scheduler.base_lr + tiny


# What each check refuses is asked in test_checks; here, that each argument has the right one.
@pytest.mark.parametrize(
    ("make", "others", "name", "values"),
    [
        (SquareRootScheduler, {}, "lr", [0, math.nan]),
        (FactorScheduler, {}, "factor", [0, 1.0001]),
        (FactorScheduler, {}, "stop_factor_lr", [-0.1, 0.11]),
        (FactorScheduler, {}, "base_lr", [0, 10**400]),
        (LinearScheduler, {}, "max_update", [0, 5.0]),
        (LinearScheduler, {"max_update": 5}, "base_lr", [0]),
        (LinearScheduler, {"max_update": 5}, "final_lr", [-0.1, 0.011]),
    ],
)
def test_a_bad_argument_is_named_and_shown(make, others, name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name} must be ") as caught:
            make(**{**others, name: value})
        assert str(caught.value).endswith(f"got {value!r}")


def test_importing_the_schedulers_does_not_import_mxnet():
    code = (
        "import sys, d2l_lrsched.schedulers as s; s.FactorScheduler, s.WarmupScheduler; dir(s); "
        "assert 'mxnet' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
