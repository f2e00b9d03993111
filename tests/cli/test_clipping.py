from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from d2l_lrsched import cli
from d2l_lrsched.cli import options
from d2l_lrsched.runs import record, runner
from d2l_lrsched.studies.clipping.experiments import EXPERIMENTS as CLIPPING
from made_up import FIGURES, a_run

WRITTEN = {"README.md", "quadratic.svg", "arms.svg", "collapse.svg"}


def test_one_seed_for_one_epoch(monkeypatch, few_images, tmp_path):
    """All is asked for in one go, with its seeds and lengths; what comes is drawn and told."""
    asked = []

    def run(jobs, executor, records, **settings):
        asked.extend((job.name, job.seed, job.length, job.net) for job in jobs)
        for job in jobs:
            numbers = {"norm_median": 1.0, "norm_max": 2.0, "clipped": 0.5, "skipped": 0}
            of_job = {"num_epochs": job.length, "settings": job.settings}
            made = a_run(job.name, job.seed, **of_job, **numbers)
            record.append(records, made, once=True)
            yield made

    monkeypatch.setattr(runner, "run", run)
    arguments = ["clipping", "--seeds", "1", "--epochs", "1", "--output", str(tmp_path)]
    done = CliRunner().invoke(cli.main, arguments)
    assert done.exit_code == 0, done.output
    arms = ("neither", "clipping", "scheduler", "both")
    collapse = ("rate-0.3", "rate-0.3-clipped", "rate-0.3-warmup")
    assert sorted(asked) == sorted(
        [
            *(("pilot", seed, 1, "fast") for seed in (1000, 1001)),
            *((name, 0, 1, "fast") for name in arms),
            *((name, seed, 1, "fast") for name in collapse for seed in (0, 1)),
        ]
    )
    assert {path.name for path in tmp_path.iterdir()} == {*WRITTEN, "runs.jsonl"}
    verdicts, last = done.output.splitlines()[-2:]
    assert verdicts.endswith("README.md: 0 CONFIRMED, 0 CONTRADICTED, 20 NOT DECIDED")
    assert last == (
        f"All is in {tmp_path}/; compare it by: diff figures/clipping/README.md "
        f"{tmp_path}/README.md"
    )


def test_from_the_committed_records_all_is_made_again_without_data_or_training(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(options, "checked_data", None)
    shutil.copy(FIGURES / "clipping" / "runs.jsonl", tmp_path)
    done = CliRunner().invoke(cli.main, ["clipping", "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    for name in WRITTEN:
        assert (tmp_path / name).read_bytes() == (FIGURES / "clipping" / name).read_bytes(), name


def test_a_run_that_fails_is_named(monkeypatch, few_images, tmp_path):
    def run(jobs, executor, records, **settings):
        yield runner.Failure(jobs[0], "no memory")

    monkeypatch.setattr(runner, "run", run)
    done = CliRunner().invoke(cli.main, ["clipping", "--seeds", "1", "--output", str(tmp_path)])
    assert done.exit_code == 1
    assert "Error: 1 of 12 runs failed: pilot, seed 1000: no memory\n" in done.output


@pytest.mark.parametrize("option", ["--seeds", "--epochs", "--workers"])
def test_counts_that_cannot_be(option):
    done = CliRunner().invoke(cli.main, ["clipping", option, "0"])
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.output


def test_the_experiments_can_be_run_for_real(monkeypatch, small_iters, tmp_path):
    """Each of them, in this process, for one epoch of 404 images."""
    monkeypatch.setattr(
        runner, "load_fashion_mnist", lambda batch_size, *, data_dir, seed: small_iters(seed)
    )
    for name, experiment in CLIPPING.items():
        run = runner.run_job(runner.Job(experiment, 0, 1, "fast"), runner.Place(), "none")
        assert run.experiment == name
        assert (run.epochs[0].clipped is not None) == (experiment.clip_norm is not None)
        if name in ("scheduler", "both"):  # warmup over 5 of 51 updates, cosine down to 0
            assert run.epochs[0].lr_first == 0.1
            assert run.epochs[0].lr_last == pytest.approx(0, abs=1e-12)
