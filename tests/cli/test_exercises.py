from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from d2l_lrsched.cli import exercises as cli_exercises
from d2l_lrsched.cli import options
from d2l_lrsched.runs import record
from d2l_lrsched.studies.exercises import page as page_of_runs
from d2l_lrsched.studies.exercises.experiments import EXERCISES, EXPERIMENTS, jobs
from d2l_lrsched.studies.sampling import page as page_of_samples
from d2l_lrsched.studies.sampling import sampler
from d2l_lrsched.studies.sampling.record import read
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


def test_all_but_the_sampling_with_one_seed(made_up_runs, undrawn, monkeypatch, invoke, output):
    monkeypatch.setattr(sampler, "make", lambda path: [])
    done = invoke("exercises", "--seeds", 1, "--epochs", 1, "--output", output)
    assert done.exit_code == 0, done.output
    assert [job.name for job in made_up_runs] == list(EXPERIMENTS)
    assert {(job.seed, job.length, job.net) for job in made_up_runs} == {(0, 1, "fast")}
    assert {path.name for path in output.iterdir()} == {*DRAWN, "README.md", "runs.jsonl"}
    told, last = done.output.splitlines()[-2:]
    assert told == f"{output}/README.md: {len(EXPERIMENTS)} runs, {len(DRAWN)} figures"
    assert last == f"All is in {output}/"  # with a part of the runs nothing is to be compared


def test_each_exercise_has_seeds_and_epochs_of_its_own():
    asked = jobs()
    assert len(asked) == len({job.key for job in asked})
    for exercise in EXERCISES:
        of_exercise = [job for job in asked if job.name in exercise.names]
        assert len(of_exercise) == exercise.num_seeds * len(exercise.experiments)
        assert {job.seed for job in of_exercise} == set(range(exercise.num_seeds))
        assert all(job.length == job.experiment.num_epochs for job in of_exercise)


def test_one_exercise_leaves_what_there_is_of_the_others_on_the_page(
    made_up_runs, undrawn, invoke, output
):
    for exercise in ("fixed-rate", "poly"):
        options = ("--exercise", exercise, "--seeds", 1, "--epochs", 1, "--output", output)
        assert invoke("exercises", *options).exit_code == 0
    assert {job.name.partition("-")[0] for job in made_up_runs} == {"fixed", "poly"}
    assert re.findall(r"^## (\d)\.", (output / "README.md").read_text(), re.M) == ["1", "2"]
    assert not (output.parent / "sampling").exists()


def test_from_the_committed_records_all_is_made_again_without_data_or_training(
    monkeypatch, invoke, output
):
    monkeypatch.setattr(options, "checked_data", None)
    monkeypatch.setattr(sampler, "sample", None)
    copy_samples(output)
    output.mkdir()
    shutil.copy(FIGURES / "exercises" / "runs.jsonl", output)
    done = invoke("exercises", "--output", output)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == (
        f"All is in {output}/; compare it by: diff figures/exercises/README.md {output}/README.md"
    )
    for study_, names in (("exercises", {*DRAWN, "README.md"}), ("sampling", SAMPLED)):
        for name in names:
            made, committed = output.parent / study_ / name, FIGURES / study_ / name
            assert made.read_bytes() == committed.read_bytes(), name


def test_runs_and_samples_of_unknown_settings_are_passed_over(
    made_up_runs, monkeypatch, invoke, output
):
    """Another version's, or another command's: pages and figures are made of the others."""
    made = {}
    monkeypatch.setattr(page_of_runs, "write", lambda runs, folder: made.update(runs=runs) or 0)
    monkeypatch.setattr(
        page_of_samples, "write", lambda samples, folder: made.update(samples=samples)
    )
    runs = output / "runs.jsonl"
    for other in ("my-own", "constant"):
        record.append(runs, a_run(other))
    samples = copy_samples(output)
    lines = samples.read_text().splitlines(keepends=True)
    another = lines[0].replace('"num_chains"', '"number_of_chains"')
    samples.write_text("".join([another, *lines, lines[3], "\n"]))
    options = ("--exercise", "plateau", "--seeds", 1, "--epochs", 1, "--output", output)
    done = invoke("exercises", *options)
    assert done.exit_code == 0, done.output
    warnings = [line for line in done.output.splitlines() if line.startswith("Warning: ")]
    assert sorted(warnings) == sorted(
        [
            f"Warning: {runs}: 2 of 2 runs are passed over, of another release, order or split, or "
            "of unknown experiments or settings: my-own, constant",
            f"Warning: {samples}: 2 of {len(lines) + 2} records are passed over, being of unknown "
            "settings or seeds, or repeated",
        ]
    )
    assert [run.key for run in made["runs"]] == [job.key for job in made_up_runs]
    assert made["samples"] == read(FIGURES / "sampling" / "samples.jsonl")


def test_damaged_samples_are_named_before_any_training(made_up_runs, invoke, output):
    samples = copy_samples(output)
    samples.write_text("{}\n")
    done = invoke("exercises", "--output", output)
    assert done.exit_code == 1
    assert f"Error: {samples}, line 1: " in done.output
    assert made_up_runs == []


def test_an_exercise_that_there_is_not(invoke):
    done = invoke("exercises", "--exercise", "sixth")
    assert done.exit_code == 2
    assert "'sixth' is not one of" in done.output
