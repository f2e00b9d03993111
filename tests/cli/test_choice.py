from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from d2l_lrsched.cli import options
from d2l_lrsched.runs import ranges, record, runner
from d2l_lrsched.runs.runner import Failure
from d2l_lrsched.studies.choice import figures
from d2l_lrsched.studies.choice.experiments import ARMS
from d2l_lrsched.studies.choice.tuning import PEAKS
from d2l_lrsched.training.range_test import RangeTest, Sweep


@pytest.fixture(autouse=True)
def of_lenet(monkeypatch):
    """Range tests that never took place; return of how many seeds they were asked."""
    asked = []

    def of_lenet(seeds, **_):
        asked.append(seeds)
        return RangeTest([Sweep(0, [0.1, 1.0], [2.3, 2.2], [1.0, 1.0])])

    monkeypatch.setattr(ranges, "of_lenet", of_lenet)
    return asked


@pytest.fixture
def undrawn(undrawn, monkeypatch):
    """Have no figure made either."""
    monkeypatch.setattr(figures, "sensitivity", lambda *_: None)


def small(output):
    return "choice", "--seeds", 1, "--epochs", 1, "--output", output


def test_phase_after_phase_is_made_and_shown(made_up_runs, undrawn, invoke, tmp_path):
    """All accuracies are equal, so the lowest peak wins until there is no lower one."""
    done = invoke(*small(tmp_path))
    assert done.exit_code == 0, done.output
    asked = [(ARMS[job.name].phase, ARMS[job.name].peak) for job in made_up_runs]
    assert asked[: 11 * 7] == [("tune", peak) for _ in range(11) for peak in PEAKS[4:11]]
    widened = [("tune", peak) for peak in (0.02, 0.013, 0.0087, 0.0058) for _ in range(11)]
    assert asked[11 * 7 : 11 * 11] == widened
    judged = ["plain"] * 11 + ["clipped"] * 11 + ["skipped"]
    assert asked[11 * 11 :] == [(phase, 0.0058) for phase in judged]
    files = {"README.md", "runs.jsonl", "range-test.jsonl", "peaks.svg"}
    assert {path.name for path in tmp_path.iterdir()} == files
    told, last = done.output.splitlines()[-2:]
    assert told == f"{tmp_path}/README.md: {len(asked)} runs, 1 figure"
    assert last == f"All is in {tmp_path}/"


def test_from_its_records_all_is_made_again_without_data_or_training(
    made_up_runs, undrawn, of_lenet, monkeypatch, invoke, tmp_path
):
    assert invoke(*small(tmp_path)).exit_code == 0
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    made_up_runs.clear()
    monkeypatch.setattr(options, "checked_data", None)
    for name in ("README.md", "peaks.svg"):
        (tmp_path / name).unlink()
    done = invoke(*small(tmp_path))
    assert done.exit_code == 0, done.output
    assert made_up_runs == []
    assert of_lenet == [1]
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before


def test_where_a_run_fails_no_peak_is_chosen(few_images, monkeypatch, invoke, tmp_path):
    def run(jobs, executor, records, **settings):
        yield Failure(jobs[0], "no memory")

    monkeypatch.setattr(runner, "run", run)
    done = invoke(*small(tmp_path))
    assert done.exit_code == 1
    assert re.search(r"Error: 1 of 77 runs failed: tune-constant-0.03: no memory\n", done.output)
    assert not (tmp_path / "README.md").exists()


def test_runs_of_other_seeds_are_no_part_of_the_choice(made_up_runs, undrawn, invoke, tmp_path):
    assert invoke(*small(tmp_path)).exit_code == 0
    page = (tmp_path / "README.md").read_text()
    first = record.read(tmp_path / "runs.jsonl")[0]
    for number in range(3):
        better = replace(first, seed=77 + number, epochs=[replace(first.final, test_acc=0.9)])
        record.append(tmp_path / "runs.jsonl", better)
    assert invoke(*small(tmp_path)).exit_code == 0
    assert (tmp_path / "README.md").read_text() == page
