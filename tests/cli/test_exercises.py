from __future__ import annotations

import shutil

import pytest
from click.testing import CliRunner

from d2l_lrsched import cli
from d2l_lrsched.cli import exercises as cli_exercises
from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.runs import record as store
from d2l_lrsched.runs import runner
from d2l_lrsched.studies.exercises.experiments import EXERCISES, EXPERIMENTS
from d2l_lrsched.studies.sampling import sampler as sgld
from made_up import FIGURES, a_run

DRAWN = {
    "exercise-1-fixed-rate.svg",
    "exercise-2-exponent.svg",
    "exercise-3-deeper.svg",
    "exercise-4-warmup.svg",
    "plateau.svg",
}
SAMPLED = "exercise-5-sgld.svg"


@pytest.fixture
def asked(monkeypatch):
    """Have runs made up, and return what was asked for."""
    asked = []

    def run(names, seeds, executor, records, *, retries, **settings):
        asked.append((names[0], len(names), list(seeds), settings["num_epochs"]))
        for job in runner.missing(names, seeds, records, **settings):
            of_job = {"num_epochs": job.length, "settings": job.settings}
            made = a_run(job.experiment, job.seed, **of_job)
            store.append(records, made, once=True)
            yield made

    monkeypatch.setattr(runner, "run", run)
    return asked


def invoke(*arguments):
    return CliRunner().invoke(cli.main, ["exercises", *map(str, arguments)])


def test_the_names_are_the_exercises(asked):
    assert {exercise.name for exercise in EXERCISES} == set(cli_exercises.NAMES) - {"sampling"}


def test_all_but_the_sampling_with_one_seed(asked, monkeypatch, tmp_path):
    monkeypatch.setattr(sgld, "make", lambda path: [])
    done = invoke("--seeds", 1, "--epochs", 1, "--output", tmp_path)
    assert done.exit_code == 0, done.output
    assert asked == [(e.experiments[0].name, len(e.experiments), [0], 1) for e in EXERCISES]
    assert {path.name for path in tmp_path.iterdir()} == {*DRAWN, "exercises.md", "exercises.jsonl"}
    assert done.output.endswith(f"exercises.md: {len(EXPERIMENTS)} runs, {len(DRAWN)} figures\n")


def test_each_exercise_has_seeds_and_epochs_of_its_own(asked, monkeypatch, tmp_path):
    monkeypatch.setattr(sgld, "make", lambda path: [])
    assert invoke("--output", tmp_path).exit_code == 0
    assert [(seeds, epochs) for _, _, seeds, epochs in asked] == [
        (list(range(exercise.num_seeds)), None) for exercise in EXERCISES
    ]


def test_one_exercise_leaves_what_there_is_of_the_others_on_the_page(asked, tmp_path):
    settings = ("--seeds", 1, "--epochs", 1, "--output", tmp_path)
    assert invoke("--exercise", "fixed-rate", *settings).exit_code == 0
    done = invoke("--exercise", "poly", *settings)
    assert done.exit_code == 0, done.output
    assert [name for name, *_ in asked] == ["fixed-0.03", "poly-0.5"]
    page = (tmp_path / "exercises.md").read_text()
    assert "## 1." in page
    assert "## 2." in page
    assert "## 3." not in page
    assert not (tmp_path / "sgld.jsonl").exists()


def test_from_the_committed_records_all_is_made_again_without_data_or_training(
    monkeypatch, tmp_path
):
    monkeypatch.setattr(cli_options, "checked_data", None)
    monkeypatch.setattr(sgld, "sample", None)
    for name in (cli_exercises.RECORDS, cli_exercises.SAMPLES):
        shutil.copy(FIGURES / name, tmp_path)
    done = invoke("--output", tmp_path)
    assert done.exit_code == 0, done.output
    for name in {*DRAWN, SAMPLED, "exercises.md"}:
        assert (tmp_path / name).read_bytes() == (FIGURES / name).read_bytes(), name


def test_runs_and_samples_of_unknown_settings_are_passed_over(asked, tmp_path):
    """Another version's, or another command's: the page and the figures are of the others."""
    settings = ("--exercise", "plateau", "--seeds", 1, "--epochs", 1, "--output")
    for name in ("without", "with"):
        (tmp_path / name).mkdir()
        shutil.copy(FIGURES / cli_exercises.SAMPLES, tmp_path / name)
    assert invoke(*settings, tmp_path / "without").exit_code == 0
    runs, samples = (tmp_path / "with" / n for n in (cli_exercises.RECORDS, cli_exercises.SAMPLES))
    for other in ("my-own", "constant"):
        store.append(runs, a_run(other))
    lines = samples.read_text().splitlines(keepends=True)
    another = lines[0].replace('"num_chains"', '"number_of_chains"')
    samples.write_text("".join([another, *lines, lines[3], "\n"]))
    done = invoke(*settings, tmp_path / "with")
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[:2] == [
        f"Warning: {runs}: 2 of 2 runs are passed over, of unknown experiments or settings: "
        "my-own, constant",
        f"Warning: {samples}: 2 of {len(lines) + 2} records are passed over, being of unknown "
        "settings or seeds, or repeated",
    ]
    for name in ("exercises.md", "plateau.svg", SAMPLED):
        assert (tmp_path / "with" / name).read_bytes() == (tmp_path / "without" / name).read_bytes()


def test_damaged_samples_are_named_before_any_training(asked, tmp_path):
    (tmp_path / cli_exercises.SAMPLES).write_text("{}\n")
    done = invoke("--output", tmp_path)
    assert done.exit_code == 1
    assert f"Error: {tmp_path}/{cli_exercises.SAMPLES}, line 1: " in done.output
    assert asked == []


def test_a_run_that_fails_is_named(monkeypatch, tmp_path):
    def run(names, seeds, executor, records, **settings):
        yield runner.Failure(runner.Job(names[0], seeds[0]), "no memory")

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
        job = runner.Job(exercise.experiments[-1].name, num_epochs=1, net="fast")
        run = runner.run_job(job, "none")
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
