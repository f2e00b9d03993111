from __future__ import annotations

import fcntl
import json
import math
import os
import signal
import subprocess
import sys
import threading
import time

import msgspec
import pytest

import made_up
from d2l_lrsched.runs import record
from d2l_lrsched.training.history import Point
from made_up import an_epoch

EPOCH = an_epoch()


def as_json(struct):
    return json.loads(msgspec.json.encode(struct))


def a_run(**changes):
    made = {
        "seed": 3,
        "settings": {"unit": "update"},
        "epochs": [EPOCH, an_epoch(test_acc=0.75)],
        "schedule": [0.5, 0.1],
        "versions": {"python": "3.11.7"},
    }
    return made_up.a_run(**{**made, **changes})


@pytest.fixture
def path(tmp_path):
    return tmp_path / "runs.jsonl"


RUN = a_run()
OTHER = a_run(seed=4, schedule=None)


def test_what_is_appended_is_read(tmp_path):
    """Also in a folder that is not there yet."""
    path = tmp_path / "a" / "b" / "runs.jsonl"
    for run in (RUN, OTHER):
        record.append(path, run)
    assert record.read(path) == [RUN, OTHER]
    assert RUN.final.test_acc == 0.75


def test_once_is_once_a_key(path):
    """Experiment, seed, epochs and settings make the key; what a run was made with does not."""
    same = a_run(started="2027-01-01T00:00:00+00:00", seconds=9.0, versions={})
    others = [
        a_run(seed=4),
        a_run(num_epochs=3, epochs=[EPOCH] * 3),
        a_run(experiment="constant"),
        a_run(settings={"unit": "epoch"}),
    ]
    for run in [RUN, same, *others, *others]:
        record.append(path, run, once=True)
    assert record.read(path) == [RUN, *others]
    record.append(path, same)
    assert record.read(path)[-1] == same


def test_each_record_is_one_line_of_standard_json(path):
    nan_epoch = an_epoch(train_loss=math.nan, score_spread=math.inf)
    record.append(path, a_run(outcome="non-finite", epochs=[nan_epoch], seconds=math.nan))

    def refuse(name):
        raise AssertionError(f"{name} is not standard JSON")

    (line,) = path.read_text().splitlines()
    fields = json.loads(line, parse_constant=refuse)
    assert fields["epochs"][0]["train_loss"] is None
    (run,) = record.read(path)
    assert math.isnan(run.final.train_loss)
    assert math.isnan(run.seconds)


def test_a_torn_last_line_is_left_out_and_set_aside(path):
    record.append(path, RUN)
    with open(path, "a") as file:
        file.write('{"schema": 1, "exp')
    with pytest.warns(UserWarning, match="the last line is torn"):
        assert record.read(path) == [RUN]
    with pytest.warns(UserWarning, match=r"moved to .*runs\.jsonl\.torn"):
        record.append(path, OTHER)
    assert record.read(path) == [RUN, OTHER]
    assert path.with_name("runs.jsonl.torn").read_text() == '{"schema": 1, "exp\n'


@pytest.mark.parametrize("end", ["\n", "\n\n", "\n \t", "\n\r\n", "\n  \n\n", ""])
def test_blank_lines_and_a_lost_newline_are_no_matter(path, end):
    """As an editor, `echo` or a file of another system leaves them, at the end or between."""
    record.append(path, RUN)
    path.write_text("\n" + path.read_text().rstrip() + end)
    assert record.read(path) == [RUN]
    record.append(path, OTHER)
    assert record.read(path) == [RUN, OTHER]
    assert [p.name for p in path.parent.iterdir()] == ["runs.jsonl"]


def test_another_systems_editor_changes_no_record(path):
    record.append(path, RUN)
    path.write_bytes(b"\xef\xbb\xbf" + path.read_bytes().replace(b"\n", b"\r\n"))
    assert record.read(path) == [RUN]
    record.append(path, OTHER)
    assert record.read(path) == [RUN, OTHER]


def test_the_sign_of_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.chdir(tmp_path)
    record.append("~/runs.jsonl", RUN, once=True)
    assert record.read("~/runs.jsonl") == record.read(tmp_path / "home" / "runs.jsonl") == [RUN]
    assert [p.name for p in tmp_path.iterdir()] == ["home"]
    for function in (record.read, lambda path: record.append(path, RUN)):
        with pytest.raises(ValueError, match="no user is called 'nosuchuser'"):
            function("~nosuchuser/runs.jsonl")


def test_killed_at_any_instant_only_a_last_line_can_be_torn(path):
    """kill -9 of a process that appends as fast as it can, several times on one file."""
    script = (
        "import sys; sys.path[:0] = sys.argv[3:]\n"
        "from d2l_lrsched.runs import record\n"
        "(run,) = record.read(sys.argv.pop(1))\n"
        "record.append(sys.argv[1], run)\n"
        "print('one is written', flush=True)\n"
        "while True: record.append(sys.argv[1], run)\n"
    )
    example = path.with_name("example.jsonl")
    record.append(example, a_run(points=[Point(0.1, 0.2, 0.3)] * 2000))
    for i in range(4):
        with subprocess.Popen(
            [sys.executable, "-W", "ignore", "-c", script, example, path, *sys.path],
            stdout=subprocess.PIPE,
        ) as process:
            process.stdout.readline()
            time.sleep(0.1 + 0.037 * i)
            process.send_signal(signal.SIGKILL)
    content = path.read_bytes()
    *whole, torn = content.split(b"\n")
    assert len(whole) >= 4
    assert all(line + b"\n" == example.read_bytes() for line in whole)
    assert example.read_bytes().startswith(torn)


def test_writers_at_once_lose_nothing(path):
    def write(seeds):
        for seed in seeds:
            record.append(path, a_run(seed=seed))

    threads = [threading.Thread(target=write, args=(range(i, 100, 4),)) for i in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(run.seed for run in record.read(path)) == list(range(100))


def test_an_append_waits_for_another_to_end(path):
    record.append(path, RUN)
    with open(path, "rb") as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        waiting = threading.Thread(target=record.append, args=(path, OTHER))
        waiting.start()
        waiting.join(0.3)
        assert waiting.is_alive()
        assert record.read(path) == [RUN]
    waiting.join(60)
    assert record.read(path) == [RUN, OTHER]


def test_a_line_is_on_the_disk_and_so_is_the_name_of_a_new_file(path, synced):
    record.append(path, RUN)
    assert synced == [str(path), str(path.parent)]
    record.append(path, OTHER)
    assert synced[2:] == [str(path)]


def test_a_full_disk_leaves_no_half_line(path, monkeypatch):
    record.append(path, RUN)
    before = path.read_bytes()

    def no_space(descriptor):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", no_space)
    with pytest.raises(record.StoreError, match=r"runs\.jsonl: cannot be written \(No space left"):
        record.append(path, OTHER)
    assert path.read_bytes() == before


def test_files_and_folders_that_are_none(tmp_path):
    with pytest.raises(record.StoreError, match=r"runs\.jsonl: cannot be read \(No such file"):
        record.read(tmp_path / "runs.jsonl")
    (tmp_path / "file").write_text("")
    with pytest.raises(record.StoreError, match="cannot be written"):
        record.append(tmp_path / "file" / "runs.jsonl", RUN)


MISSING = "missing"


@pytest.mark.parametrize(
    ("change", "fault"),
    [
        ({"schema": 1}, r"schema.*record of schema 1, of another version"),
        ({"seed": "3"}, r"int.*seed"),
        ({"seed": True}, r"int.*seed"),
        ({"outcome": "fine"}, r"fine.*outcome"),
        ({"epochs": []}, r"epochs"),
        ({"epochs": [{}]}, r"train_loss.*epochs\[0\]"),
        ({"epochs": [3]}, r"epochs\[0\]"),
        ({"points": [[1, 2]]}, r"points\[0\]"),
        ({"points": [["1", 2, 3]]}, r"points\[0\]\[0\]"),
        ({"settings": None}, r"settings"),
        ({"seed": -5}, r"seed"),
        ({"num_epochs": 30}, "2 epochs, not 30, of a run trained"),
        ({"points": [[1, 2, 10**400]]}, r"points\[0\]\[2\]|range"),
        ({"seconds": math.inf}, "malformed"),
        ({"surplus": 1}, "surplus"),
        ({"threads": MISSING}, "threads"),
        ({"epochs": [{**as_json(EPOCH), "clipped": 0.25}] * 2}, "must come together"),
        ({"epochs": [{**as_json(EPOCH), "norm_max": 0.25}] * 2}, "must come together"),
    ],
)
def test_a_bad_line_is_named_with_the_number_that_an_editor_gives_it(path, change, fault):
    record.append(path, RUN)
    fields = {**json.loads(path.read_text()), **change}
    bad = json.dumps({name: value for name, value in fields.items() if value != MISSING})
    path.write_text(f"\n\n{path.read_text()}\n{bad}\n")
    with pytest.raises(record.StoreError, match=rf"runs\.jsonl, line 5: no Run: .*(?:{fault})"):
        record.read(path)


@pytest.mark.parametrize("line", ["no json", "[1]", "null", "[" * 100_000])
def test_a_line_that_is_no_record(path, line):
    path.write_text(line + "\n")
    with pytest.raises(record.StoreError, match=r"runs\.jsonl, line 1: no "):
        record.read(path)


def test_epochs_hold_what_clipping_measured(path):
    norms = {"norm_median": 0.5, "norm_max": 2.0}
    clipped = an_epoch(**norms, clipped=0.25, skipped=0)
    none_finite = an_epoch(norm_median=math.nan, norm_max=math.nan, clipped=0.0, skipped=5)
    record.append(path, a_run(epochs=[clipped, none_finite]))
    first, second = record.read(path)[0].epochs
    assert first == clipped
    assert math.isnan(second.norm_median)
    assert math.isnan(second.norm_max)
    assert (second.clipped, second.skipped) == (0.0, 5)
    record.append(path, RUN)
    assert "clipped" not in path.read_text().splitlines()[1]
