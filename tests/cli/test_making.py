from __future__ import annotations

import io
import re

import click
import pytest

from d2l_lrsched.cli import making
from d2l_lrsched.runs import runner
from d2l_lrsched.runs.job import Job
from d2l_lrsched.runs.runner import Failure
from d2l_lrsched.studies import all_experiments
from made_up import a_run

BOTH = all_experiments()["both"]
JOBS = [Job(BOTH, seed, 2) for seed in range(3)]


def made(job):
    return a_run(job.name, job.seed, num_epochs=job.length, settings=job.settings)


def test_the_runs_asked_for_are_taken_once_each():
    other = a_run("both", 7)
    runs = [other, made(JOBS[2]), made(JOBS[0]), made(JOBS[2])]
    assert making.asked_for(JOBS, runs) == [made(JOBS[2]), made(JOBS[0])]


def test_failures_end_the_command_and_none_do_not():
    making.Made(3, [], {}).exit_if_failed()
    failed = making.Made(3, [], {"both, seed 1": "no memory", "both, seed 2": "killed"})
    message = "^2 of 3 runs failed: both, seed 1: no memory; both, seed 2: killed$"
    with pytest.raises(click.ClickException, match=message):
        failed.exit_if_failed()


@pytest.mark.parametrize(
    ("command", "asked"),
    [("reproduce", 5), ("clipping --seeds 1", 10), ("exercises --exercise plateau --seeds 1", 2)],
)
def test_every_command_names_the_run_that_fails(
    command, asked, few_images, undrawn, monkeypatch, invoke, tmp_path
):
    def run(jobs, executor, records, **settings):
        yield Failure(jobs[0], "no memory")

    monkeypatch.setattr(runner, "run", run)
    done = invoke(*command.split(), "--output", tmp_path)
    assert done.exit_code == 1
    assert re.search(rf"Error: 1 of {asked} runs failed: \S.*: no memory\n", done.output)


@pytest.fixture
def progress(monkeypatch):
    """Return a progress on the jobs, at a terminal or not, and what it counts."""

    def progress(terminal, jobs=JOBS):
        stream = io.StringIO()
        monkeypatch.setattr(stream, "isatty", lambda: terminal, raising=False)
        monkeypatch.setattr("sys.stderr", stream)
        return making.Progress(jobs, jobs), stream

    return progress


def test_a_terminal_has_a_bar_that_never_goes_back(progress, capsys):
    """A second attempt begins with epochs that were seen before."""
    shown, stream = progress(terminal=True)
    for epoch in (1, 2, 1, 2):
        shown.epoch(("both, seed 0", epoch, 0.5))
    shown.epoch(("both, seed 1", 1, 0.5))
    shown.finished(made(JOBS[1]))
    shown.finished(Failure(JOBS[2], "no memory"))
    shown.close()
    assert "4/6" in stream.getvalue().split("\r")[-1]
    assert shown.stored == 1
    lines = [line.strip() for line in capsys.readouterr().out.splitlines()]
    assert lines == ["both, seed 1: done in 1 s", "both, seed 2: failed"]


def test_elsewhere_every_epoch_is_a_line(progress, capsys):
    shown, stream = progress(terminal=False, jobs=JOBS[:1])
    shown.epoch(("both, seed 0", 1, 0.5))
    shown.finished(made(JOBS[0]))
    shown.close()
    assert capsys.readouterr().out == "both: epoch 1/2, test acc 0.500\nboth: done in 1 s\n"
    assert stream.getvalue() == ""
