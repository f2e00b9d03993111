from __future__ import annotations

import json

import pytest
from click.testing import CliRunner

from d2l_lrsched.cli import bench as cli_bench
from d2l_lrsched.studies.speed import measure as bench
from d2l_lrsched.studies.speed import page as bench_report


@pytest.fixture
def record(monkeypatch):
    """What `measure` gives, and how it was asked."""
    asked = {}
    listed = [
        {**vars(c), "seconds": [c.copies * 10.0], "peak_mb": 300.0} for c in bench.contenders(3)
    ]
    made = {
        "started": "2026-11-21T10:00:00+00:00",
        "versions": {},
        "processor": "A processor",
        "memory_gb": 8.0,
        "cores": 3,
        "rounds": 1,
        "contenders": listed,
        "start_ups": {"d2l-lrsched --help": [0.2]},
        "runs_at_once": {},
        "profiles": {},
    }

    def measure(data_dir, cores, rounds, on_turn):
        asked.update(data_dir=data_dir, cores=cores, rounds=rounds)
        on_turn("round 0 of 1: something")
        return made

    monkeypatch.setattr(bench, "measure", measure)
    return made, asked


def test_it_writes_tables_figure_and_record_and_prints_the_targets(record, tmp_path):
    made, asked = record
    arguments = ["--rounds", "1", "--workers", "3", "--output", str(tmp_path / "new")]
    for times in (1, 2):
        done = CliRunner().invoke(cli_bench.bench, arguments)
        assert done.exit_code == 0, done.output
        lines = (tmp_path / "new" / cli_bench.RECORDS).read_text().splitlines()
        assert [json.loads(line) for line in lines] == [made] * times
    assert (tmp_path / "new" / cli_bench.TABLES).read_text() == bench_report.as_markdown(made)
    assert (tmp_path / "new" / cli_bench.FIGURE).stat().st_size > 1000
    assert (asked["cores"], asked["rounds"]) == (3, 1)
    assert "5.00 times" not in done.output
    assert "1.00 times" in done.output  # 10 s each


def test_the_record_is_a_line_of_its_own(record, tmp_path):
    """Whatever an editor or a dying process has left at the end of the file."""
    made, _ = record
    (tmp_path / cli_bench.RECORDS).write_text('{"rounds": 2}')
    done = CliRunner().invoke(cli_bench.bench, ["--rounds", "1", "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    lines = (tmp_path / cli_bench.RECORDS).read_text().splitlines()
    assert [json.loads(line) for line in lines] == [{"rounds": 2}, made]


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (bench.BenchError("the loop: its process ended with exit code 1"), "its process ended"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_failure_is_one_line(record, tmp_path, monkeypatch, error, message):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(bench, "measure", fail)
    done = CliRunner().invoke(cli_bench.bench, ["--output", str(tmp_path)])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert message in done.output
    assert not (tmp_path / cli_bench.TABLES).exists()


def test_an_unwritable_folder_is_found_before_anything_is_measured(record, tmp_path):
    _, asked = record
    (tmp_path / cli_bench.RECORDS).mkdir()
    done = CliRunner().invoke(cli_bench.bench, ["--output", str(tmp_path)])
    assert done.exit_code == 1
    assert asked == {}
