from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from d2l_lrsched import cli
from d2l_lrsched.runs import record
from d2l_lrsched.studies.speed import measure, page
from d2l_lrsched.studies.speed.record import Benchmark

MADE = record.read(Path(__file__).parents[2] / "figures/speed/rounds.jsonl", Benchmark)[-1]


@pytest.fixture
def asked(monkeypatch):
    """How `measure` was asked."""
    asked = []

    def stub(data_dir, cores, rounds, on_turn):
        asked.append((cores, rounds))
        on_turn("round 0 of 1: something")
        return MADE

    monkeypatch.setattr(measure, "measure", stub)
    return asked


def test_it_writes_page_figure_and_record_and_prints_the_targets(asked, tmp_path):
    arguments = ["--rounds", "1", "--workers", "3", "--output", str(tmp_path / "new")]
    for times in (1, 2):
        done = CliRunner().invoke(cli.main, ["bench", *arguments])
        assert done.exit_code == 0, done.output
        assert record.read(tmp_path / "new/rounds.jsonl", Benchmark) == [MADE] * times
    assert (tmp_path / "new/README.md").read_text() == page.as_page(MADE)
    assert (tmp_path / "new/epochs.svg").stat().st_size > 1000
    assert asked == [(3, 1)] * 2
    assert "round 0 of 1: something" in done.output
    for cell in page.targets(MADE).to_numpy().ravel():
        assert cell in done.output


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
    done = CliRunner().invoke(cli.main, ["bench", "--output", str(tmp_path)])
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert message in done.output
    assert not (tmp_path / "README.md").exists()


def test_an_unwritable_folder_is_found_before_anything_is_measured(asked, tmp_path):
    (tmp_path / "rounds.jsonl").mkdir()
    done = CliRunner().invoke(cli.main, ["bench", "--output", str(tmp_path)])
    assert done.exit_code == 1
    assert asked == []
