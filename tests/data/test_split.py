from __future__ import annotations

import numpy as np

from d2l_lrsched.data.split import rows

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
