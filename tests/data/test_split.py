from __future__ import annotations

import numpy as np
import pytest

from d2l_lrsched.data.split import held_out_rows, rows

LABELS = np.random.RandomState(0).randint(10, size=700)


def test_todays_split_is_the_pools_own_order():
    train, test = rows(-1, LABELS, 600)
    assert (train.tolist(), test.tolist()) == ([*range(600)], [*range(600, 700)])


def test_another_split_has_as_many_of_each_class():
    of_today = np.bincount(LABELS[600:], minlength=10)
    assert len({*of_today}) > 1
    splits = [rows(seed, LABELS, 600) for seed in (0, 1, 0)]
    for train, test in splits:
        np.testing.assert_array_equal(np.bincount(LABELS[test], minlength=10), of_today)
        assert sorted([*train, *test]) == [*range(700)]
        assert (np.diff(train) > 0).all()
        assert (np.diff(test) > 0).all()
    (first, _), (other, _), (again, _) = splits
    assert first.tolist() == again.tolist() != other.tolist()
    assert 0 < sum(row >= 600 for row in first) < 100, "of both of today's sets"


def test_of_each_class_as_many_are_held_out_and_always_the_same():
    kept, held = held_out_rows(100, LABELS)
    assert np.bincount(LABELS[held]).tolist() == [10] * 10
    assert sorted([*kept, *held]) == [*range(700)]
    assert (np.diff(kept) > 0).all()
    assert (np.diff(held) > 0).all()
    assert held.tolist() == held_out_rows(100, LABELS)[1].tolist()
    assert held.max() > 350, "not the first ones"
    first = np.flatnonzero(LABELS == 0)  # the first class is drawn first
    drawn = np.random.RandomState(0).permutation(first)[:10]
    assert sorted(drawn) == [row for row in held if LABELS[row] == 0]


@pytest.mark.parametrize("number", [5, 101, 10 * np.bincount(LABELS).min(), 5000])
def test_what_cannot_be_held_out_is_refused(number):
    """The rarest class must keep one, too."""
    with pytest.raises(ValueError, match=rf"held_out must be a multiple of 10 .*, got .*{number}"):
        held_out_rows(number, LABELS)
    held_out_rows(int(10 * np.bincount(LABELS).min()) - 10, LABELS)
