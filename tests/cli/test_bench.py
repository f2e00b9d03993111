from __future__ import annotations

import msgspec
import pytest
from click.testing import CliRunner

from d2l_lrsched.cli import bench as cli_bench
from d2l_lrsched.runs import record
from d2l_lrsched.studies.speed import measure, page
from d2l_lrsched.studies.speed.record import Benchmark, Measured, Operation, Profile


@pytest.fixture
def asked(monkeypatch):
    """How `measure` was asked; what it gives is under 'made'."""
    made = Benchmark(
        started="2026-11-21T10:00:00+00:00",
        versions={},
        processor="A processor",
        memory_gb=8.0,
        cores=3,
        rounds=1,
        contenders=[
            Measured(**msgspec.structs.asdict(c), seconds=[c.copies * 10.0], peak_mb=300.0)
            for c in measure.contenders(3)
        ],
        start_ups={"d2l-lrsched --help": [0.2]},
        runs_at_once={},
        profiles={"chapter": Profile(10.0, [Operation("pooling", "forward", "ref", 4.0)])},
    )
    asked = {}

    def stub(data_dir, cores, rounds, on_turn):
        asked.update(cores=cores, rounds=rounds, made=made)
        on_turn("round 0 of 1: something")
        return made

    monkeypatch.setattr(measure, "measure", stub)
    return asked


def test_it_writes_page_figure_and_record_and_prints_the_targets(asked, tmp_path):
    arguments = ["--rounds", "1", "--workers", "3", "--output", str(tmp_path / "new")]
    for times in (1, 2):
        done = CliRunner().invoke(cli_bench.bench, arguments)
        assert done.exit_code == 0, done.output
        made = asked.pop("made")
        assert record.read(tmp_path / "new/rounds.jsonl", Benchmark) == [made] * times
    assert (tmp_path / "new/README.md").read_text() == page.as_page(made)
    assert (tmp_path / "new/epochs.svg").stat().st_size > 1000
    assert asked == {"cores": 3, "rounds": 1}
    assert "5.00 times" not in done.output
    assert "1.00 times" in done.output  # 10 s each


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (measure.BenchError("the loop: its process ended with exit code 1"), "its process ended"),
        (KeyboardInterrupt(), "interrupted"),
    ],
)
def test_a_failure_is_one_line(asked, tmp_path, monkeypatch, error, message):
    def fail(*arguments):
        raise error

    monkeypatch.setattr(measure, "measure", fail)
    done = CliRunner().invoke(cli_bench.bench, ["--output", str(tmp_path)])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert message in done.output
    assert not (tmp_path / "README.md").exists()


def test_an_unwritable_folder_is_found_before_anything_is_measured(asked, tmp_path):
    (tmp_path / "rounds.jsonl").mkdir()
    done = CliRunner().invoke(cli_bench.bench, ["--output", str(tmp_path)])
    assert done.exit_code == 1
    assert asked == {}
