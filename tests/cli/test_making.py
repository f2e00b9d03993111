from __future__ import annotations

import click
import pytest
from msgspec.structs import replace

from d2l_lrsched.cli import making as cli_runs
from d2l_lrsched.runs.runner import Job
from made_up import a_run


def test_the_runs_asked_for_are_those_stored_and_those_that_could_not_be():
    jobs = [Job("both", seed, num_epochs=2) for seed in range(3)]
    of_jobs = [replace(a_run("both", seed), settings=job.settings) for seed, job in enumerate(jobs)]
    other = replace(of_jobs[0], seed=7)
    made = cli_runs.Made(jobs, unstored=[of_jobs[2]])
    assert made.runs([other, of_jobs[0]]) == [of_jobs[0], of_jobs[2]]


def test_failures_end_the_command_and_none_do_not():
    jobs = [Job("both", seed) for seed in range(3)]
    cli_runs.Made(jobs).exit_if_failed()
    made = cli_runs.Made(jobs, {"both, seed 1": "no memory", "both, seed 2": "killed"})
    message = "^2 of 3 runs failed: both, seed 1: no memory; both, seed 2: killed$"
    with pytest.raises(click.ClickException, match=message):
        made.exit_if_failed()
