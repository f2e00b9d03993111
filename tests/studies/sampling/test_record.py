from __future__ import annotations

import json

import pytest
from msgspec.structs import asdict, replace

from d2l_lrsched.runs.record import StoreError
from d2l_lrsched.studies.sampling import record as sgld_records
from d2l_lrsched.studies.sampling.record import Record

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


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"schema": 2}, "schema"),
        ({"seed": "1"}, "seed"),
        ({"lost": True}, "lost"),
        ({"extra": 1}, "extra"),
        ({"updates": []}, "not as many, or none"),
        ({"updates": [1, None]}, r"updates\[1\]"),
        ({"means": [[1, 2]]}, "not as many"),
        ({"means": [[1, 2], [1, None]]}, r"means\[1\]\[1\]"),
        ({"covariances": [[1, 2], [1, 2]]}, r"covariances\[0\]"),
        ({"final": [[1, "2"]]}, r"final\[0\]\[1\]"),
        ({"averages": {"weighted": AVERAGE}}, "weighted and plain"),
        ({"averages": {"weighted": {**AVERAGE, "square": [1]}, "plain": AVERAGE}}, "averages"),
        ({"averages": {"weighted": {"mean": [1, 1]}, "plain": AVERAGE}}, "weighted and plain"),
    ],
)
def test_a_line_that_is_no_record_is_named(tmp_path, change, message):
    path = tmp_path / "sgld.jsonl"
    lines = [json.dumps(asdict(RECORD)), json.dumps({**asdict(RECORD), **change}), ""]
    path.write_text("\n".join(lines))
    with pytest.raises(StoreError, match=rf"line 2: .*{message}"):
        sgld_records.read(path)


def test_an_unreadable_file_is_an_error(tmp_path):
    with pytest.raises(StoreError, match="cannot be read"):
        sgld_records.read(tmp_path)
