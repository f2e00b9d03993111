from __future__ import annotations

import math

import pytest

from d2l_lrsched.runs import ranges
from d2l_lrsched.runs.record import StoreError
from d2l_lrsched.training.range_test import RangeTest, Sweep


def made_of(*seeds):
    return RangeTest([Sweep(s, [0.1, 1.0, 2.0], [2.3, 2.0, math.inf], [1.0] * 3) for s in seeds])


def test_a_test_is_kept_whole_and_found_by_its_seeds(tmp_path):
    """What is not finite is null in the file, and afterwards nan."""
    path = tmp_path / "range-test.jsonl"
    assert ranges.stored(path, 2) is None
    for one in (made_of(0), made_of(0, 1)):
        ranges.store(path, one)
    found = ranges.stored(path, 2)
    assert [sweep.seed for sweep in found.sweeps] == [0, 1]
    assert found.sweeps[0].rates == [0.1, 1.0, 2.0]
    assert found.sweeps[0].losses == pytest.approx([2.3, 2.0, math.nan], nan_ok=True)
    assert str(found) == str(made_of(0, 1))
    assert ranges.stored(path, 3) is None


def test_a_line_that_is_no_test_is_named(tmp_path):
    path = tmp_path / "range-test.jsonl"
    path.write_text("{}\n")
    with pytest.raises(StoreError, match=r"line 1: no Tested: .*sweeps"):
        ranges.stored(path, 1)


def test_the_batches_are_those_of_training(arrays, monkeypatch):
    """Of both nets a test on all training pictures, in batches of 256 and each seed's own order."""
    asked = []

    def range_test(make_net, make_batches, *, seeds):
        asked.extend(make_batches(seed) for seed in range(seeds))
        return make_net

    monkeypatch.setattr(ranges, "range_test", range_test)
    assert ranges.of_lenet(2) is not ranges.of_lenet(1, "chapter")
    assert [len(batches) for batches in asked] == [235] * 3
    first, other, again = (next(iter(batches))[1].asnumpy().tolist() for batches in asked)
    assert first == again != other
    assert len(first) == 256
