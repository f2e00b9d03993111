"""Few images for the commands, whether in this process or in ones of their own."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner

from d2l_lrsched import cli, drawing
from d2l_lrsched.data import source
from d2l_lrsched.runs import record, runner
from made_up import a_run, agreeing, stored
from small_data import digests, write


@pytest.fixture(scope="session")
def small(tmp_path_factory, arrays):
    """A folder of a few images, for `small_data`."""
    folder = tmp_path_factory.mktemp("small")
    write(arrays, folder)
    return folder


@pytest.fixture(scope="session")
def environment(small, users):
    """The environment of a user who has set nothing but the folder of the few images."""
    return {**users, source.DATA_VARIABLE: str(small)}


@pytest.fixture
def few_images(monkeypatch, small):
    """Have commands in this process train on the few images."""
    for name, digest in digests(small).items():
        monkeypatch.setitem(source.SHA256, name, digest)
    monkeypatch.setenv(source.DATA_VARIABLE, str(small))


@pytest.fixture
def made_up_runs(monkeypatch, few_images):
    """Have runs made up in place of trained; return the jobs that were asked for."""
    asked = []

    def run_job(job, *_):
        asked.append(job)
        clipped = job.experiment.clip_norm is not None
        norms = {"norm_median": 1.0, "norm_max": 2.0, "clipped": 0.5, "skipped": 0}
        made = {"train_loss": 0.5 + 0.1 * job.seed, "settings": job.settings}
        return a_run(
            job.name, job.seed, num_epochs=job.length, **made, **(norms if clipped else {})
        )

    def run(jobs, executor, records, **settings):
        for job in jobs:
            made = run_job(job)
            record.append(records, made)
            yield made

    monkeypatch.setattr("d2l_lrsched.runs.job.run_job", run_job)
    monkeypatch.setattr(runner, "run", run)
    return asked


@pytest.fixture
def undrawn(monkeypatch):
    """Have empty files in place of figures."""

    def save(figure, path):
        Path(path).parent.mkdir(parents=True, exist_ok=True)
        Path(path).touch()

    monkeypatch.setattr(drawing, "save", save)


@pytest.fixture
def invoke():
    """Return a function that calls a command in this process."""

    def invoke(*arguments):
        return CliRunner().invoke(cli.main, [*map(str, arguments)])

    return invoke


@pytest.fixture
def records(tmp_path):
    """A file of runs that agree with all that the chapter prints."""
    return stored(tmp_path / "records.jsonl", agreeing())
