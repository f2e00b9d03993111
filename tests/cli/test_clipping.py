from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from d2l_lrsched import cli
from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.runs import record as store
from d2l_lrsched.runs import runner
from d2l_lrsched.studies.clipping.experiments import EXPERIMENTS as CLIPPING
from made_up import FIGURES, a_run

WRITTEN = {"clipping.md", "quadratic.svg", "clipping-arms.svg", "clipping-collapse.svg"}


def test_one_seed_for_one_epoch(monkeypatch, tmp_path):
    """Every part is asked for with its seeds and lengths; what comes back is drawn and told."""
    asked = []

    def run(names, seeds, executor, records, **settings):
        asked.append((tuple(names), list(seeds), settings["num_epochs"]))
        for name in names:
            for seed in seeds:
                job = runner.Job(name, seed, settings["num_epochs"], net=settings["net"])
                numbers = {"norm_median": 1.0, "norm_max": 2.0, "clipped": 0.5, "skipped": 0}
                of_job = {"num_epochs": job.length, "settings": job.settings}
                made = a_run(name, seed, **of_job, **numbers)
                store.append(records, made, once=True)
                yield made

    monkeypatch.setattr(runner, "run", run)
    arguments = ["clipping", "--seeds", "1", "--epochs", "1", "--output", str(tmp_path)]
    done = CliRunner().invoke(cli.main, arguments)
    assert done.exit_code == 0, done.output
    assert asked == [
        (("pilot",), [1000, 1001], 1),
        (("neither", "clipping", "scheduler", "both"), [0], 1),
        (("rate-0.3", "rate-0.3-clipped", "rate-0.3-warmup"), [0, 1], 1),
    ]
    assert {path.name for path in tmp_path.iterdir()} == {*WRITTEN, "clipping.jsonl"}
    assert done.output.endswith("clipping.md: 0 CONFIRMED, 0 CONTRADICTED, 20 NOT DECIDED\n")


def test_from_the_committed_records_all_is_made_again_without_data_or_training(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(cli_options, "checked_data", None)
    shutil.copy(FIGURES / "clipping" / "runs.jsonl", tmp_path)
    done = CliRunner().invoke(cli.main, ["clipping", "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    for name in WRITTEN:
        assert (tmp_path / name).read_bytes() == (FIGURES / name).read_bytes(), name


def test_a_run_that_fails_is_named(monkeypatch, tmp_path):
    def run(names, seeds, executor, records, **settings):
        yield runner.Failure(runner.Job(names[0], seeds[0]), "no memory")

    monkeypatch.setattr(runner, "run", run)
    done = CliRunner().invoke(cli.main, ["clipping", "--seeds", "1", "--output", str(tmp_path)])
    assert done.exit_code == 1
    assert "Error: 1 of 2 runs failed: pilot, seed 1000: no memory\n" in done.output


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
        run = runner.run_job(runner.Job(name, num_epochs=1, net="fast"), "none")
        assert run.experiment == name
        assert (run.epochs[0].clipped is not None) == (experiment.clip_norm is not None)
        if name in ("scheduler", "both"):  # warmup over 5 of 51 updates, cosine down to 0
            assert run.epochs[0].lr_first == 0.1
            assert run.epochs[0].lr_last == pytest.approx(0, abs=1e-12)
