"""MXNet's four schedulers, wrapped: a fresh MXNet object, called in turn, is the oracle."""

from __future__ import annotations

import copy
import inspect
import math
import random
from typing import NamedTuple

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from mxnet import lr_scheduler

from d2l_lrsched import schedulers
from d2l_lrsched.schedulers import builtin
from d2l_lrsched.schedulers.builtin import (
    CosineScheduler,
    FactorScheduler,
    MultiFactorScheduler,
    PolyScheduler,
    stepwise,
)

CLASSES = [FactorScheduler, MultiFactorScheduler, PolyScheduler, CosineScheduler]
LENGTH = 70


class Case(NamedTuple):
    """A wrapped class and keyword arguments that both it and MXNet's take."""

    name: str
    arguments: dict

    def ours(self):
        return getattr(builtin, self.name)(**copy.deepcopy(self.arguments))

    def mxnets_curve(self):
        fresh = getattr(lr_scheduler, self.name)(**copy.deepcopy(self.arguments))
        return [fresh(n) for n in range(LENGTH)]


@st.composite
def cases(draw, names=tuple(c.__name__ for c in CLASSES)):
    name = draw(st.sampled_from(names))
    base_lr = draw(st.one_of(st.floats(1e-3, 5), st.integers(1, 3)))
    share = st.floats(0, 1).map(lambda part: part * base_lr)
    arguments = {
        "base_lr": base_lr,
        "warmup_steps": draw(st.integers(0, 20)),
        "warmup_begin_lr": draw(share),
        "warmup_mode": draw(st.sampled_from(["linear", "constant"])),
    }
    if name in ("PolyScheduler", "CosineScheduler"):
        arguments["max_update"] = arguments["warmup_steps"] + draw(st.integers(1, 30))
        arguments["final_lr"] = draw(share)
    if name == "PolyScheduler":
        arguments["pwr"] = draw(st.one_of(st.integers(1, 4), st.floats(0.1, 4)))
    if name in ("FactorScheduler", "MultiFactorScheduler"):
        arguments["factor"] = draw(st.one_of(st.just(1), st.floats(0.05, 1)))
    if name == "FactorScheduler":
        arguments["step"] = draw(st.integers(1, 40))
        arguments["stop_factor_lr"] = draw(share)
    if name == "MultiFactorScheduler":
        arguments["step"] = sorted(draw(st.sets(st.integers(1, 60), min_size=1, max_size=6)))
    return Case(name, arguments)


# With a warmup; the classes' examples, which are tests, have none.
EXPECTED = [
    (
        FactorScheduler(step=2, factor=0.5, base_lr=1.0, warmup_steps=5),
        # the drops of updates 3 and 5 both show when the warmup ends
        [0, 0.2, 0.4, 0.6, 0.8, 0.25, 0.25, 0.125],
    ),
    (MultiFactorScheduler([3], 0.5, 0.4, 2, 0.1, "constant"), [0.1, 0.1, 0.4, 0.4, 0.2, 0.2]),
    (PolyScheduler(5, 1.0, 1, 0.2, 1, 0.5), [0.5, 1, 0.8, 0.6, 0.4, 0.2, 0.2]),
    (
        CosineScheduler(7, base_lr=0.5, final_lr=0.1, warmup_steps=5, warmup_begin_lr=0.25),
        [0.25, 0.3, 0.35, 0.4, 0.45, 0.5, 0.3, 0.1, 0.1],
    ),
]


@pytest.mark.parametrize(("scheduler", "expected"), EXPECTED, ids=repr)
def test_the_rates_are_those_worked_out_by_hand(scheduler, expected):
    assert [scheduler(n) for n in range(len(expected))] == pytest.approx(expected, abs=1e-15)


def test_the_package_hands_out_mxnets_names_on_first_use():
    assert schedulers.builtin is builtin
    assert schedulers.CosineScheduler is CosineScheduler
    assert schedulers.PolyScheduler is PolyScheduler
    assert schedulers.MultiFactorScheduler is MultiFactorScheduler
    assert schedulers.FactorScheduler is not FactorScheduler
    assert set(schedulers.__all__) <= set(dir(schedulers))
    with pytest.raises(AttributeError, match="no attribute 'StepScheduler'"):
        schedulers.StepScheduler  # noqa: B018


@pytest.mark.parametrize("ours", CLASSES)
def test_signatures_and_types_are_mxnets(ours):
    mxnets = getattr(lr_scheduler, ours.__name__)
    parameters = [
        [(p.name, p.default, type(p.default), p.kind) for p in signature.parameters.values()]
        for signature in map(inspect.signature, (ours, mxnets))
    ]
    assert parameters[0] == parameters[1]
    assert issubclass(ours, mxnets)


@settings(max_examples=120, deadline=None)
@given(case=cases(), seed=st.integers(0, 999))
def test_every_rate_is_a_fresh_mxnet_objects_in_any_order(case, seed):
    expected = case.mxnets_curve()
    ours = case.ours()
    assert [ours(n) for n in range(LENGTH)] == expected
    order = [*range(LENGTH), *range(LENGTH)]
    random.Random(seed).shuffle(order)
    assert [ours(n) for n in order] == [expected[n] for n in order]
    assert ours.base_lr == case.arguments["base_lr"]


@pytest.mark.parametrize(
    ("step", "factor", "stop"), [(1, 0.9999, 1e-8), (1, 0.99999, 0), (7, 1, 1e-8), (3, 0.5, 0)]
)
def test_far_beyond_the_drops_worked_out_beforehand_the_product_is_mxnets(step, factor, stop):
    mxnets = lr_scheduler.FactorScheduler(step, factor, stop, base_lr=0.3)
    ours = FactorScheduler(step, factor, stop, base_lr=0.3)
    for num_update in (stepwise._KNOWN_DROPS * step, 2 * stepwise._KNOWN_DROPS * step + 5):
        assert ours(num_update) == ours(num_update) == mxnets(num_update)
    assert ours(2**31) <= ours(num_update)


@pytest.mark.parametrize(
    "scheduler", [CosineScheduler(20, 0.5, 0.01), PolyScheduler(20, 0.5, 2, 0.01)]
)
def test_a_first_call_past_the_end_gives_final_lr_where_mxnet_gives_base_lr(scheduler):
    assert scheduler(7050) == pytest.approx(0.01, rel=1e-12)
    mxnets = getattr(lr_scheduler, type(scheduler).__name__)
    assert mxnets(max_update=20, base_lr=0.5, final_lr=0.01)(7050) == 0.5


def test_step_is_copied():
    step = [2, 4]
    scheduler = MultiFactorScheduler(step, 0.5, 1.0)
    step[:] = [9]
    scheduler(9)
    assert [scheduler(n) for n in (0, 3, 5)] == [1, 0.5, 0.25]
    assert scheduler == MultiFactorScheduler([2, 4], 0.5, 1.0)


@given(
    case=cases(names=("FactorScheduler", "MultiFactorScheduler")),
    rise=st.floats(1, 3),
    used=st.integers(0, LENGTH),
)
def test_an_assigned_base_lr_is_as_if_constructed_with_it(case, rise, used):
    scheduler = case.ours()
    scheduler(used)
    scheduler.base_lr = rate = case.arguments["base_lr"] * rise
    rebuilt = Case(case.name, {**case.arguments, "base_lr": rate})
    assert scheduler.base_lr == rate
    assert scheduler == rebuilt.ours()
    assert hash(scheduler) == hash(rebuilt.ours())
    assert eval(repr(scheduler), vars(builtin)) == scheduler
    assert [scheduler(n) for n in range(LENGTH)] == rebuilt.mxnets_curve()


def test_an_assigned_base_lr_moves_the_warmup_target_which_mxnet_leaves_behind():
    ours = FactorScheduler(100, base_lr=0.1, warmup_steps=4)
    mxnets = lr_scheduler.FactorScheduler(100, base_lr=0.1, warmup_steps=4)
    ours.base_lr = mxnets.base_lr = 0.8
    assert [ours(n) for n in (2, 4)] == [0.4, 0.8]
    assert [mxnets(n) for n in (2, 4)] == [0.05, 0.8]


@pytest.mark.parametrize("value", [0, -1, math.nan, math.inf, None, "0.1"])
def test_a_bad_base_lr_is_refused_and_changes_nothing(value):
    scheduler = FactorScheduler(2, 0.5, stop_factor_lr=0.06, base_lr=0.1)
    with pytest.raises(ValueError, match="base_lr"):
        scheduler.base_lr = value
    assert scheduler == FactorScheduler(2, 0.5, stop_factor_lr=0.06, base_lr=0.1)
    assert [scheduler(n) for n in range(4)] == [0.1, 0.1, 0.1, 0.06]


@pytest.mark.parametrize(
    "scheduler",
    [
        FactorScheduler(2, 0.5, stop_factor_lr=0.06, base_lr=0.1),
        MultiFactorScheduler([2], 0.5, base_lr=0.1, warmup_steps=1, warmup_begin_lr=0.06),
    ],
)
def test_adams_rate_where_other_arguments_forbid_it_is_refused_with_a_warning(scheduler):
    before = [scheduler(n) for n in range(6)]
    with pytest.warns(UserWarning, match="keeps its base_lr=0.1 and ignores 0.001"):
        scheduler.base_lr = 0.001
    assert [scheduler(n) for n in range(6)] == before


REQUIRED = {
    FactorScheduler: {"step": 5},
    MultiFactorScheduler: {"step": [5]},
    PolyScheduler: {"max_update": 5},
    CosineScheduler: {"max_update": 5},
}
BAD = [
    *[(c, "base_lr", value) for c in CLASSES for value in [0, math.nan]],
    *[(c, "warmup_steps", value) for c in CLASSES for value in [-1, 5.0]],
    *[(c, "warmup_begin_lr", value) for c in CLASSES for value in [-0.1, 0.011]],
    *[(c, "warmup_mode", value) for c in CLASSES for value in ["cosine", ["linear"]]],
    *[(c, "factor", value) for c in CLASSES[:2] for value in [0, 1.01]],
    *[(c, "max_update", value) for c in CLASSES[2:] for value in [0, 5.0]],
    *[(c, "final_lr", value) for c in CLASSES[2:] for value in [-0.1, 0.011]],
    *[(c, "warmup_steps", value) for c in CLASSES[2:] for value in [5, 6]],
    *[(PolyScheduler, "pwr", value) for value in [0, math.inf]],
    *[(FactorScheduler, "step", value) for value in [0, 5.0]],
    *[(FactorScheduler, "stop_factor_lr", value) for value in [-0.1, 0.011]],
    *[(MultiFactorScheduler, "step", v) for v in [[], (), 5, "15", None, {5}, [2, 2], [3, 2]]],
]


@pytest.mark.parametrize("entry", ["5", True, 5.0, 0])
def test_a_bad_step_in_the_list_is_named_and_shown(entry):
    with pytest.raises(ValueError, match=r"^step\[1\] must be an integer >= 1, got ") as caught:
        MultiFactorScheduler([5, entry])
    assert str(caught.value).endswith(repr(entry))


@pytest.mark.parametrize(("scheduler", "name", "value"), BAD)
def test_a_bad_argument_is_named_and_shown(scheduler, name, value):
    with pytest.raises(ValueError, match=rf"^{name} must be ") as caught:
        scheduler(**{**REQUIRED[scheduler], name: value})
    assert str(caught.value).endswith(f"got {value!r}")
