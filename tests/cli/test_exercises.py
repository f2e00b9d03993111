from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from click.testing import CliRunner

from d2l_lrsched import cli
from d2l_lrsched.cli import exercises as cli_exercises
from d2l_lrsched.cli import options
from d2l_lrsched.runs import record, runner
from d2l_lrsched.studies import exercises as study
from d2l_lrsched.studies.exercises.experiments import EXERCISES, EXPERIMENTS
from d2l_lrsched.studies.sampling import sampler
from made_up import FIGURES, a_run

DRAWN = {
    "1-fixed-rate.svg",
    "2-exponent.svg",
    "3-deeper.svg",
    "4-warmup.svg",
    "plateau.svg",
}
SAMPLED = {"samples.jsonl", "sgld.svg", "README.md"}


@pytest.fixture
def asked(monkeypatch, few_images):
    """Have runs made up, and return what was asked for."""
    asked = []

    def run(jobs, executor, records, **settings):
        asked.extend(jobs)
        for job in jobs:
            made = a_run(job.name, job.seed, num_epochs=job.length, settings=job.settings)
            record.append(records, made, once=True)
            yield made

    monkeypatch.setattr(runner, "run", run)
    return asked


def invoke(*arguments):
    return CliRunner().invoke(cli.main, ["exercises", *map(str, arguments)])


@pytest.fixture
def output(tmp_path):
    """The folder of the exercises; that of the samples is beside it."""
    return tmp_path / "exercises"


def copy_samples(output):
    """Put the committed samples where the command looks for them; return the file."""
    folder = output.parent / "sampling"
    folder.mkdir(parents=True, exist_ok=True)
    return Path(shutil.copy(FIGURES / "sampling" / "samples.jsonl", folder))


def test_the_names_are_the_exercises():
    assert [exercise.name for exercise in EXERCISES] == list(cli_exercises.NAMES[:-1])


def test_all_but_the_sampling_with_one_seed(asked, monkeypatch, output):
    monkeypatch.setattr(sampler, "make", lambda path: [])
    done = invoke("--seeds", 1, "--epochs", 1, "--output", output)
    assert done.exit_code == 0, done.output
    assert [job.name for job in asked] == list(EXPERIMENTS)
    assert {(job.seed, job.length, job.net) for job in asked} == {(0, 1, "fast")}
    assert {path.name for path in output.iterdir()} == {*DRAWN, "README.md", "runs.jsonl"}
    told, last = done.output.splitlines()[-2:]
    assert told == f"{output}/README.md: {len(EXPERIMENTS)} runs, {len(DRAWN)} figures"
    assert last == (
        f"All is in {output}/; compare it by: diff figures/exercises/README.md {output}/README.md"
    )


def test_each_exercise_has_seeds_and_epochs_of_its_own():
    asked = study.jobs()
    assert len(asked) == len({job.key for job in asked})
    for exercise in EXERCISES:
        of_exercise = [job for job in asked if job.name in exercise.names]
        assert len(of_exercise) == exercise.num_seeds * len(exercise.experiments)
        assert {job.seed for job in of_exercise} == set(range(exercise.num_seeds))
        assert all(job.length == job.experiment.num_epochs for job in of_exercise)


def test_one_exercise_leaves_what_there_is_of_the_others_on_the_page(asked, output):
    settings = ("--seeds", 1, "--epochs", 1, "--output", output)
    assert invoke("--exercise", "fixed-rate", *settings).exit_code == 0
    done = invoke("--exercise", "poly", *settings)
    assert done.exit_code == 0, done.output
    assert {job.name.partition("-")[0] for job in asked} == {"fixed", "poly"}
    page = (output / "README.md").read_text()
    assert "## 1." in page
    assert "## 2." in page
    assert "## 3." not in page
    assert not (output.parent / "sampling").exists()


def test_from_the_committed_records_all_is_made_again_without_data_or_training(monkeypatch, output):
    monkeypatch.setattr(options, "checked_data", None)
    monkeypatch.setattr(sampler, "sample", None)
    copy_samples(output)
    output.mkdir()
    shutil.copy(FIGURES / "exercises" / "runs.jsonl", output)
    done = invoke("--output", output)
    assert done.exit_code == 0, done.output
    for study_, names in (("exercises", {*DRAWN, "README.md"}), ("sampling", SAMPLED)):
        for name in names:
            made, committed = output.parent / study_ / name, FIGURES / study_ / name
            assert made.read_bytes() == committed.read_bytes(), name


def test_runs_and_samples_of_unknown_settings_are_passed_over(asked, tmp_path):
    """Another version's, or another command's: the page and the figures are of the others."""
    settings = ("--exercise", "plateau", "--seeds", 1, "--epochs", 1, "--output")
    clean, mixed = tmp_path / "clean" / "out", tmp_path / "mixed" / "out"
    copy_samples(clean)
    samples = copy_samples(mixed)
    assert invoke(*settings, clean).exit_code == 0
    runs = mixed / "runs.jsonl"
    for other in ("my-own", "constant"):
        record.append(runs, a_run(other))
    lines = samples.read_text().splitlines(keepends=True)
    another = lines[0].replace('"num_chains"', '"number_of_chains"')
    samples.write_text("".join([another, *lines, lines[3], "\n"]))
    done = invoke(*settings, mixed)
    assert done.exit_code == 0, done.output
    warnings = [line for line in done.output.splitlines() if line.startswith("Warning: ")]
    assert sorted(warnings) == sorted(
        [
            f"Warning: {runs}: 2 of 2 runs are passed over, of unknown experiments or settings: "
            "my-own, constant",
            f"Warning: {samples}: 2 of {len(lines) + 2} records are passed over, being of unknown "
            "settings or seeds, or repeated",
        ]
    )
    for name in ("out/README.md", "out/plateau.svg", "sampling/sgld.svg", "sampling/README.md"):
        assert (mixed.parent / name).read_bytes() == (clean.parent / name).read_bytes()


def test_damaged_samples_are_named_before_any_training(asked, output):
    samples = copy_samples(output)
    samples.write_text("{}\n")
    done = invoke("--output", output)
    assert done.exit_code == 1
    assert f"Error: {samples}, line 1: " in done.output
    assert asked == []


def test_a_run_that_fails_is_named(monkeypatch, few_images, tmp_path):
    def run(jobs, executor, records, **settings):
        yield runner.Failure(jobs[0], "no memory")

    monkeypatch.setattr(runner, "run", run)
    done = invoke("--exercise", "plateau", "--seeds", 1, "--output", tmp_path)
    assert done.exit_code == 1
    assert "Error: 1 of 2 runs failed: plateau: no memory\n" in done.output


@pytest.mark.parametrize("option", ["--seeds", "--epochs", "--workers"])
def test_counts_that_cannot_be(option):
    done = invoke(option, "0")
    assert done.exit_code == 2
    assert f"Invalid value for '{option}'" in done.output


def test_an_exercise_that_there_is_not():
    done = invoke("--exercise", "sixth")
    assert done.exit_code == 2
    assert "'sixth' is not one of" in done.output


def test_the_experiments_can_be_run_for_real(monkeypatch, small_iters):
    """One of each exercise, in this process, for one epoch of 404 images, 51 updates."""
    monkeypatch.setattr(
        runner, "load_fashion_mnist", lambda batch_size, *, data_dir, seed: small_iters(seed)
    )
    last = {}
    for exercise in EXERCISES:
        job = runner.Job(exercise.experiments[-1], 0, 1, "fast")
        run = runner.run_job(job, runner.Place(), "none")
        last[exercise.name] = run.epochs[0].lr_last
        assert run.settings["net"] == (exercise.experiments[-1].net or "fast")
    assert last == pytest.approx(
        {
            "fixed-rate": 1.0,
            "poly": 0.0,
            "deeper": 0.0,
            "warmup": 0.0,
            "plateau": 0.5 * 51 / 235,  # within the warmup
        },
        abs=1e-12,
    )
