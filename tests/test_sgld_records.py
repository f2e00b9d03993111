from __future__ import annotations

import json
import math
from dataclasses import asdict, replace

import pytest

from d2l_lrsched import sgld_records
from d2l_lrsched.sgld_records import Record
from d2l_lrsched.store import StoreError

AVERAGE = {"mean": [0.0, 0.1], "mean_sd": [1, 1], "square": [1, 1], "square_sd": [1, 1]}
RECORD = Record(
    setting="paper",
    seed=1,
    settings={"num_updates": 3},
    updates=[1, 3],
    means=[[0.5, 1], [1, 2]],
    covariances=[[1, 0, 1], [2, 0.5, 1]],
    averages={"weighted": AVERAGE, "plain": AVERAGE},
    final=[[1, 2]],
    lost=0,
    seconds=1,
    versions={"commit": "abc1234"},
    processor="a processor",
    threads=1,
)


def test_what_is_written_is_read(tmp_path):
    path = tmp_path / "new" / "sgld.jsonl"
    assert sgld_records.read(path) == []
    sgld_records.write(path, [RECORD, replace(RECORD, seed=2)])
    assert sgld_records.read(path) == [RECORD, replace(RECORD, seed=2)]


def test_a_number_that_is_not_finite_leaves_the_old_file(tmp_path):
    path = tmp_path / "sgld.jsonl"
    sgld_records.write(path, [RECORD])
    with pytest.raises(ValueError, match="not JSON compliant"):
        sgld_records.write(path, [RECORD, replace(RECORD, seconds=math.inf)])
    assert sgld_records.read(path) == [RECORD]
    assert [p.name for p in tmp_path.iterdir()] == ["sgld.jsonl"]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "no record of schema 1"),
        ({"seed": "1"}, "seed is '1', not of type int"),
        ({"lost": True}, "lost is True, not of type int"),
        ({"extra": 1}, "fields missing or unknown: extra"),
        ({"updates": []}, "means is not 0 rows"),
        ({"updates": [1, None]}, "updates is not a list of finite numbers"),
        ({"means": [[1, 2]]}, "means is not 2 rows of 2 finite numbers"),
        ({"means": [[1, 2], [1, math.nan]]}, "means is not 2 rows of 2 finite numbers"),
        ({"covariances": [[1, 2], [1, 2]]}, "covariances is not 2 rows of 3 finite numbers"),
        ({"final": [[1, "2"]]}, "final is not 1 rows of 2 finite numbers"),
        ({"averages": {"weighted": AVERAGE}}, "no two finite numbers plain mean"),
        (
            {"averages": {"weighted": {**AVERAGE, "square_sd": [1]}, "plain": AVERAGE}},
            "no two finite numbers weighted square_sd",
        ),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path, change, message):
    path = tmp_path / "sgld.jsonl"
    lines = [json.dumps(asdict(RECORD)), json.dumps({**asdict(RECORD), **change})]
    path.write_text("\n".join(lines))
    with pytest.raises(StoreError, match=rf"line 2: .*{message}"):
        sgld_records.read(path)


def test_a_torn_line_and_an_unreadable_file_are_errors(tmp_path):
    path = tmp_path / "sgld.jsonl"
    path.write_text(json.dumps(asdict(RECORD))[:50])
    with pytest.raises(StoreError, match="line 1: no JSON"):
        sgld_records.read(path)
    with pytest.raises(StoreError, match="cannot be read"):
        sgld_records.read(tmp_path)
