"""Schedulers made of schedulers."""

from __future__ import annotations

import math
import pickle

import pytest
from hypothesis import given
from hypothesis import strategies as st

from d2l_lrsched.schedulers import PolyScheduler, builtin
from d2l_lrsched.schedulers.builtin import CosineScheduler, MultiFactorScheduler
from d2l_lrsched.schedulers.compose import PerEpoch, SequentialScheduler, WarmupScheduler
from d2l_lrsched.schedulers.scratch import FactorScheduler, LinearScheduler, SquareRootScheduler


def counting_down(num_update):
    """Stand for a user's plain function: 100, 99, 98, ..."""
    return 100.0 - num_update


class Recorder:
    """A user's own callable that notes what it was asked."""

    def __init__(self):
        self.asked = []

    def __call__(self, num_update):
        self.asked.append(num_update)
        return 1.0


EXPECTED = [
    (WarmupScheduler(counting_down, 4), [0, 25, 50, 75, 100, 99, 98]),
    (WarmupScheduler(counting_down, 2, 60), [60, 80, 100, 99]),
    (WarmupScheduler(counting_down, 2, 60, "constant"), [60, 60, 100, 99]),
    (WarmupScheduler(counting_down, 0), [100, 99, 98]),
    (WarmupScheduler(counting_down, 1, 7), [7, 100, 99]),
    (WarmupScheduler(SquareRootScheduler(1.0), 2), [0, 0.5, 1, 1 / math.sqrt(2), math.sqrt(3) / 3]),
    (WarmupScheduler(FactorScheduler(0.5, base_lr=8), 2), [0, 2, 4, 2, 1, 0.5]),
    (SequentialScheduler([counting_down]), [100, 99, 98]),
    (
        SequentialScheduler([(counting_down, 3), (LinearScheduler(4, 8), 2), counting_down]),
        [100, 99, 98, 8, 6, 100, 99, 98],
    ),
    (PerEpoch(counting_down, 1), [100, 100, 99, 98, 97]),
    (PerEpoch(counting_down, 3), [100, 100, 100, 100, 99, 99, 99, 98]),
    (
        PerEpoch(MultiFactorScheduler([1], 0.5, 4.0), 2),
        # epochs 0 and 1 at 4, then 2; epoch e holds the updates 2e + 1 and 2e + 2
        [4, 4, 4, 4, 4, 2, 2, 2, 2],
    ),
    (PerEpoch(WarmupScheduler(counting_down, 2), 2), [0, 0, 0, 50, 50, 100, 100, 99, 99, 98]),
    (
        WarmupScheduler(SequentialScheduler([(counting_down, 1), PerEpoch(counting_down, 2)]), 1),
        [0, 100, 100, 100, 100, 99, 99, 98],
    ),
]


@pytest.mark.parametrize(("scheduler", "expected"), EXPECTED, ids=range(len(EXPECTED)))
def test_the_rates_are_those_worked_out_by_hand(scheduler, expected):
    assert [scheduler(n) for n in range(len(expected))] == pytest.approx(expected, abs=1e-15)


@given(
    make=st.sampled_from([CosineScheduler, PolyScheduler]),
    decay=st.integers(1, 30),
    steps=st.integers(0, 30),
    base_lr=st.floats(0.01, 5),
    shares=st.tuples(st.floats(0, 0.99), st.floats(0, 0.99)),
    mode=st.sampled_from(["linear", "constant"]),
)
def test_warmup_is_mxnets_before_cosine_and_poly(make, decay, steps, base_lr, shares, mode):
    begin_lr, final_lr = (share * base_lr for share in shares)
    ours = WarmupScheduler(make(decay, base_lr, final_lr=final_lr), steps, begin_lr, mode)
    theirs = make(
        decay + steps,
        base_lr,
        final_lr=final_lr,
        warmup_steps=steps,
        warmup_begin_lr=begin_lr,
        warmup_mode=mode,
    )
    expected = [theirs(n) for n in range(70)]
    assert [ours(n) for n in range(70)] == pytest.approx(expected, rel=1e-12, abs=1e-15)


def test_the_list_of_a_sequence_is_copied():
    parts = [(counting_down, 2), counting_down]
    scheduler = SequentialScheduler(parts)
    parts.clear()
    scheduler.schedulers.clear()
    assert [scheduler(n) for n in range(4)] == [100, 99, 100, 99]


def test_a_part_is_asked_once_a_call_once_the_warmup_is_over():
    part = Recorder()
    scheduler = SequentialScheduler([(WarmupScheduler(part, 2), 50), part])
    part.asked.clear()
    for num_update in range(2, 10):
        scheduler(num_update)
    assert part.asked == list(range(8))


def test_a_lambda_serves_but_cannot_be_pickled():
    scheduler = WarmupScheduler(lambda n: 1.0, 2)
    assert scheduler(1) == 0.5
    with pytest.raises((pickle.PicklingError, AttributeError)):
        pickle.dumps(scheduler)


@pytest.mark.parametrize(
    ("scheduler", "base_lr"),
    [
        (WarmupScheduler(FactorScheduler(0.5, base_lr=8), 2), 8),
        (WarmupScheduler(counting_down, 2), 100),
        (PerEpoch(CosineScheduler(5, 0.5), 2), 0.5),
        (PerEpoch(counting_down, 2), 100),
        (SequentialScheduler([(LinearScheduler(5, 0.5), 2), counting_down]), 0.5),
        (SequentialScheduler([counting_down]), 100),
        (WarmupScheduler(PerEpoch(builtin.FactorScheduler(5, base_lr=0.5), 2), 2), 0.5),
    ],
    ids=range(7),
)
def test_base_lr_is_the_first_parts(scheduler, base_lr):
    assert scheduler.base_lr == base_lr


def test_the_target_follows_a_part_whose_base_lr_is_assigned():
    part = builtin.FactorScheduler(100, base_lr=0.1)
    scheduler = WarmupScheduler(part, 4)
    part.base_lr = 0.8
    assert [scheduler(n) for n in (2, 4)] == [0.4, 0.8]
    assert scheduler.base_lr == 0.8
    assert scheduler == WarmupScheduler(builtin.FactorScheduler(100, base_lr=0.8), 4)


WARM = {"scheduler": counting_down, "warmup_steps": 5}
EPOCH = {"scheduler": counting_down, "updates_per_epoch": 5}


@pytest.mark.parametrize(
    ("make", "others", "name", "values"),
    [
        (WarmupScheduler, WARM, "warmup_steps", [-1, 5.0]),
        (WarmupScheduler, WARM, "warmup_begin_lr", [-0.1, 100.1]),
        (WarmupScheduler, WARM, "warmup_mode", ["cosine", None]),
        (WarmupScheduler, WARM, "scheduler", [0.1, None]),
        (PerEpoch, EPOCH, "updates_per_epoch", [0, 5.0]),
        (PerEpoch, EPOCH, "scheduler", [0.1, "cosine"]),
        (SequentialScheduler, {}, "schedulers", [[], (), None, counting_down]),
    ],
)
def test_a_bad_argument_is_named_and_shown(make, others, name, values):
    for value in values:
        with pytest.raises(ValueError, match=rf"^{name} must be ") as caught:
            make(**{**others, name: value})
        assert str(caught.value).endswith(f"got {value!r}")


@pytest.mark.parametrize("rate", ["0.1", math.nan, -0.1])
@pytest.mark.parametrize(
    ("compose_with", "name"),
    [
        (lambda s: WarmupScheduler(s, 5), "scheduler(0)"),
        (lambda s: PerEpoch(s, 5), "scheduler(0)"),
        (lambda s: SequentialScheduler([s]), "schedulers[0](0)"),
        (lambda s: SequentialScheduler([(counting_down, 1), s]), "schedulers[1](0)"),
        (lambda s: SequentialScheduler([(s, 1), counting_down]), "schedulers[0][0](0)"),
    ],
)
def test_a_part_that_gives_no_rate_at_0_is_refused(compose_with, name, rate):
    with pytest.raises(ValueError, match="must be a finite number >= 0") as caught:
        compose_with(lambda num_update: rate)
    assert str(caught.value).startswith(name)
    assert str(caught.value).endswith(f"got {rate!r}")


@pytest.mark.parametrize(
    ("schedulers", "named", "shown"),
    [
        ([counting_down, counting_down], "schedulers[0]", repr(counting_down)),
        ([(counting_down,), counting_down], "schedulers[0]", repr((counting_down,))),
        ([(counting_down, 5, 5), counting_down], "schedulers[0]", repr((counting_down, 5, 5))),
        ([(5, counting_down), counting_down], "schedulers[0][0]", "got 5"),
        ([(counting_down, 0), counting_down], "num_updates in schedulers[0]", "got 0"),
        ([(counting_down, 5.0), counting_down], "num_updates in schedulers[0]", "got 5.0"),
        ([(counting_down, 5), (counting_down, True), counting_down], "schedulers[1]", "got True"),
        ([(counting_down, 5)], "schedulers[0], the last,", repr((counting_down, 5))),
        ([(counting_down, 5), 0.1], "schedulers[1]", "got 0.1"),
    ],
    ids=range(9),
)
def test_a_bad_sequence_is_named_and_shown(schedulers, named, shown):
    with pytest.raises(ValueError, match="must be ") as caught:
        SequentialScheduler(schedulers)
    assert named in str(caught.value)
    assert str(caught.value).endswith(shown)


def test_epochs_of_another_length_do_not_fit():
    per_epoch = PerEpoch(LinearScheduler(9), 235)
    for scheduler in (
        per_epoch,
        WarmupScheduler(per_epoch, 3),
        SequentialScheduler([(per_epoch, 470), LinearScheduler(9)]),
        SequentialScheduler([(LinearScheduler(9), 470), per_epoch]),
    ):
        scheduler.check_fits(235, 0)
        with pytest.raises(ValueError, match="updates_per_epoch=235, and train_iter has 6 batch"):
            scheduler.check_fits(6, 0)
    # Ten epochs are an epoch's own unit here, not batches.
    PerEpoch(PerEpoch(LinearScheduler(9), 10), 235).check_fits(235, 0)
