from __future__ import annotations

from pathlib import Path

from msgspec.structs import replace

from d2l_lrsched.studies.chapter import page
from d2l_lrsched.studies.chapter.builds import draws
from d2l_lrsched.studies.chapter.builds import page as builds_page
from made_up import agreeing, as_printed, stored


def test_records_of_no_use(invoke, tmp_path):
    path = tmp_path / "records.jsonl"
    path.write_text("{}\n")
    done = invoke("report", "--records", path, "--output", tmp_path)
    assert (done.exit_code, done.output.count("\n")) == (1, 1)
    assert done.output.startswith("Error: ")
    assert "records.jsonl, line 1: no Run: " in done.output
    assert not (tmp_path / "README.md").exists()


def test_runs_of_unknown_experiments_are_passed_over(records, invoke, tmp_path, monkeypatch):
    stored(records, [replace(as_printed("cosine", 0), experiment="nine"), *agreeing()])
    reported = []
    monkeypatch.setattr(page, "report", lambda runs, folder, every: reported.extend(runs))
    monkeypatch.setattr(builds_page, "write", lambda made, runs, folder: "")
    done = invoke("report", "--records", records, "--output", tmp_path)
    told = f"Warning: {records}: 1 of 51 runs are passed over, of another release, order or split, "
    assert done.exit_code == 0
    assert done.output.splitlines()[0] == f"{told}or of unknown experiments or settings: nine"
    assert reported == agreeing()


def test_the_report_is_written_with_its_figures(records, undrawn, invoke, tmp_path, monkeypatch):
    monkeypatch.setattr(
        builds_page, "write", lambda made, runs, folder: f"{len(made)}, {len(runs)}"
    )
    done = invoke("report", "--records", records, "--output", tmp_path / "new")
    assert done.exit_code == 0, done.output
    new = tmp_path / "new"
    assert done.stdout.splitlines() == [
        f"{new}/README.md: 17 CONSISTENT",
        f"{new}/builds.md: {len(draws.PLAN)}, {len(agreeing())}",
    ]
    assert sorted(p.name for p in Path(tmp_path, "new").iterdir()) == [
        "README.md",
        "baseline.svg",
        "curves.svg",
        "plotted-and-trained.svg",
    ]
    assert "17 comparisons: 17 CONSISTENT." in (new / "README.md").read_text()
