from __future__ import annotations

import math
import re

import pytest
from msgspec.structs import replace

from d2l_lrsched.runs import record, runner
from d2l_lrsched.studies.chapter import explanations
from d2l_lrsched.studies.chapter.published import PRINTED
from made_up import agreeing, as_printed, committed, stored


def error_of(done):
    """Return the one line of an error; click's runner mixes it with the output or not."""
    (line,) = (line for line in done.output.splitlines() if line.startswith("Error: "))
    return line


def test_runs_that_agree(records, invoke):
    done = invoke("verify", "--records", records)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-2] == "17 CONSISTENT"
    assert "cosine-warmup" in done.output
    assert "builds" not in done.output  # it says nothing of them


def test_runs_are_held_to_the_committed_ones_to_the_bit(tmp_path, invoke):
    """From a file of one's own; what an epoch took is no difference, its last digit is."""
    ours = [run for run in committed("chapter") if run.num_epochs == 30 and run.seed == 0]
    equal, unlike, unknown = (run for run in ours if run.experiment in list(PRINTED)[:3])
    slower = [replace(epoch, seconds=7.0) for epoch in equal.epochs]
    epochs = list(unlike.epochs)
    epochs[4] = replace(epochs[4], train_loss=math.nextafter(epochs[4].train_loss, 1))
    mine = [
        replace(equal, epochs=slower),
        replace(unlike, epochs=epochs),
        replace(unknown, seed=99),
    ]
    stored(tmp_path / "runs.jsonl", mine)
    done = invoke("verify", "--records", tmp_path / "runs.jsonl")
    assert done.exit_code == 0, done.output
    said = (
        "2 of 3 runs are in figures/chapter/runs.jsonl, too: 1 of these are equal to the bit; not "
        "constant, seed 0 (from epoch 5 on): perhaps another processor, package or number of "
        "threads rounds otherwise\n"
    )
    assert done.output.endswith(said)
    assert done.output.splitlines()[-3] == "9 INCONCLUSIVE"
    assert done.output.splitlines()[-2].startswith("So few runs decide nothing; ")
    assert "inf" not in done.output
    stored(tmp_path / "runs.jsonl", mine[2:])
    done = invoke("verify", "--records", tmp_path / "runs.jsonl")
    assert done.output.endswith("None of its 1 runs is in figures/chapter/runs.jsonl, too\n")


def test_a_difference_is_a_failure_until_it_is_explained(records, monkeypatch, invoke):
    better = [as_printed("cosine", seed, test_acc=0.9) for seed in range(10)]
    stored(records, [*(r for r in agreeing() if r.experiment != "cosine"), *better])
    done = invoke("verify", "--records", records)
    assert done.exit_code == 1
    assert error_of(done) == (
        "Error: 1 numbers differ without an explanation in "
        "d2l_lrsched/studies/chapter/explanations.py: cosine, test acc"
    )
    monkeypatch.setattr(explanations, "EXPLAINED", {("cosine", "test_acc"): "It is better."})
    done = invoke("verify", "--records", records)
    assert done.exit_code == 0
    assert done.stdout.splitlines()[-3:-1] == [
        "cosine, test acc: It is better.",
        "16 CONSISTENT, 1 DIFFERENT",
    ]


def test_an_explanation_of_what_does_not_differ_is_told(records, monkeypatch, invoke):
    monkeypatch.setattr(explanations, "EXPLAINED", {("cosine", "train_loss"): "No."})
    done = invoke("verify", "--records", records)
    assert done.exit_code == 0
    assert "cosine, train loss is explained as different, but is not by these runs." in done.stdout


def test_every_draw_counts_once(records, invoke):
    """Neither another length, nor the same seed again, be it to the same numbers or not."""
    record.append(
        records,
        replace(as_printed("cosine", 77), num_epochs=2, epochs=as_printed("cosine", 77).epochs[:2]),
    )
    record.append(records, as_printed("cosine", 0, test_acc=0.5))
    record.append(records, as_printed("cosine", 1))
    record.append(records, replace(as_printed("cosine", 2, test_acc=0.5), settings={"net": "fast"}))
    done = invoke("verify", "--records", records)
    assert done.stdout.startswith(
        f"{records}: 4 of 54 runs are left out: of other lengths, or repeated\n"
    )
    assert done.stdout.splitlines()[-2] == "17 CONSISTENT"
    assert re.search(r"cosine +test acc .* 10 +0$", done.stdout, re.MULTILINE)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (None, "records.jsonl: cannot be read (No such file or directory)"),
        ("", "records.jsonl: no run of 30 epochs of an experiment that the book prints"),
        ("{}\n", "records.jsonl, line 1: no Run: "),
    ],
)
def test_records_of_no_use(tmp_path, content, message, invoke):
    path = tmp_path / "records.jsonl"
    if content is not None:
        path.write_text(content)
    done = invoke("verify", "--records", path)
    assert done.exit_code == 1
    assert done.output.startswith("Error: ")
    assert message in done.output
    assert done.output.count("\n") == 1


def test_runs_of_unknown_experiments_and_settings_are_passed_over(
    records, tmp_path, monkeypatch, invoke
):
    """Of a colleague's, of another version, or of another command's records."""
    others = [
        replace(as_printed("cosine", 0, test_acc=0.1), experiment="nine"),
        replace(as_printed("cosine", 1, test_acc=0.1), experiment="pilot"),
        *(
            replace(as_printed("cosine", i, test_acc=0.1), settings={"unit": "epoch"})
            for i in (2, 3)
        ),
    ]
    stored(records, [*others, *agreeing()])
    told = (
        f"Warning: {records}: 4 of 54 runs are passed over, of another release, order or split, or "
        "of unknown experiments or settings: nine, pilot, cosine"
    )
    done = invoke("verify", "--records", records)
    assert (done.exit_code, done.output.splitlines()[0]) == (0, told)
    assert done.output.splitlines()[-2] == "17 CONSISTENT"


def test_runs_on_the_first_release_are_judged_by_themselves(records, invoke):
    """And those of today's are not among them, nor the other way round."""
    ours = agreeing()
    first = [replace(r, settings={**r.settings, "release": "2017-08-26"}) for r in ours]
    worse = [replace(r, epochs=as_printed("cosine", 0, test_acc=0.1).epochs) for r in ours]
    stored(records, [*worse, *first])
    done = invoke("verify", "--records", records, "--release", "2017-08-26")
    assert (done.exit_code, done.output.splitlines()[-2]) == (0, "17 CONSISTENT")
    assert f"{len(worse)} of {len(worse) + len(first)} runs are passed over" in done.output
    assert invoke("verify", "--records", records).exit_code == 1


def test_the_builds_are_judged_anywhere(tmp_path, monkeypatch, invoke):
    """As from an installed package; records that were asked for must be there."""
    monkeypatch.chdir(tmp_path)
    done = invoke("verify")
    assert done.exit_code == 0, done.output
    *_, counts, last = done.stdout.splitlines()
    assert re.fullmatch(r"\d+ CONSISTENT, \d+ DIFFERENT, \d+ UNDECIDED", counts)
    assert (
        last == "figures/chapter/runs.jsonl is not here: the chapter's own numbers are not judged"
    )
    asked = invoke("verify", "--records", "figures/chapter/runs.jsonl")
    assert (asked.exit_code, asked.output) == (1, f"{error_of(asked)}\n")


def test_a_difference_of_the_builds_is_a_failure_until_it_is_explained(monkeypatch, invoke):
    known = dict(explanations.BUILDS_EXPLAINED)
    del known["cosine", "test_acc"]
    monkeypatch.setattr(
        explanations, "BUILDS_EXPLAINED", {**known, ("cosine", "train_loss"): "No."}
    )
    done = invoke("verify")
    assert done.exit_code == 1
    assert "1 numbers differ without an explanation" in error_of(done)
    assert error_of(done).endswith("explanations.py: cosine, test accuracy")
    assert (
        "cosine, training loss is explained as different, but is not by these runs." in done.output
    )


def test_nothing_but_unknown_experiments(records, invoke):
    stored(records, [replace(as_printed("cosine", 0), experiment="nine")])
    done = invoke("verify", "--records", records)
    assert done.exit_code == 1
    assert "no run of 30 epochs of an experiment that the book prints" in error_of(done)
    assert error_of(done).endswith("`d2l-lrsched reproduce --seeds 10` makes some")
    done = invoke("verify", "--records", records, "--release", "2017-08-26")
    assert error_of(done).endswith(
        "`d2l-lrsched reproduce --release 2017-08-26 --seeds 10` makes some"
    )


@pytest.fixture
def fresh(monkeypatch, tmp_path, invoke):
    """`verify --fresh` on ten stored runs; the new ones are said, not trained."""
    path = tmp_path / "stored.jsonl"
    stored(
        path, [as_printed(name, seed) for name in ("cosine", "square-root") for seed in range(10)]
    )
    asked = {}

    def go(**finals):
        def made(jobs, executor, records, **settings):
            asked.update(names=[job.name for job in jobs], jobs=jobs)
            for job in jobs:
                result = finals.get(job.name) or as_printed(job.name, job.seed)
                if isinstance(result, runner.Failure):
                    lost = result.run and replace(result.run, settings=job.settings)
                    yield runner.Failure(job, result.reason, lost)
                else:
                    result = replace(result, settings=job.settings)
                    record.append(records, result)
                    yield result

        monkeypatch.setattr(runner, "run", made)
        return invoke("verify", "--fresh", "--records", path, "--net", "fast"), asked

    return go


def test_fresh_runs_like_those_before(fresh):
    done, asked = fresh()
    assert done.exit_code == 0, done.output
    assert asked["names"] == ["square-root", "cosine"]
    assert {(job.seed, job.length, job.net) for job in asked["jobs"]} == {(10, 30, "fast")}
    assert done.stdout.splitlines()[-1] == "8 CONSISTENT"
    assert re.search(r"^experiment +number +fresh +verdict", done.stdout, re.MULTILINE)


def test_a_fresh_run_is_judged_at_1_percent_and_not_rounded(fresh):
    """By hand, of 10 values of which 4 are 0.001 below 0.848, 3 are there and 3 as much above.

    Mean 0.8479, s = 0.000876, pooled over two such groups; 8 comparisons, so t(1 - 0.01 / 16, 18)
    = 3.822, and 3.822 * 0.000876 * sqrt(1.1) = 0.00351.
    """
    done, _ = fresh()
    (line,) = re.findall(r"^cosine +test acc.*", done.stdout, re.MULTILINE)
    assert "0.844 to 0.851" in line
    assert " 0.007 " in line


def test_a_fresh_run_that_is_unlike_is_a_failure(fresh):
    done, _ = fresh(cosine=as_printed("cosine", 10, test_acc=0.8))
    assert done.exit_code == 1
    assert error_of(done) == ("Error: seed 10 is not like the runs before: cosine, test acc")


@pytest.mark.parametrize("outcome", ["collapsed", "non-finite"])
def test_one_new_outcome_is_told_and_two_are_a_failure(fresh, outcome):
    """1 / 11 is above 1 %, 1 / 121 below."""
    dead = {
        name: replace(as_printed(name, 10), outcome=outcome) for name in ("cosine", "square-root")
    }
    done, _ = fresh(cosine=dead["cosine"])
    assert done.exit_code == 0, done.output
    assert f"Never seen before: cosine {outcome} (probability 0.091 at most)" in done.output
    done, _ = fresh(**dead)
    assert done.exit_code == 1
    outcomes = f"square-root {outcome}, cosine {outcome}"
    assert error_of(done) == (
        f"Error: seed 10 is not like the runs before: the outcomes ({outcomes})"
    )


def test_a_fresh_run_that_fails_is_named(fresh):
    done, _ = fresh(cosine=runner.Failure(None, "its process died"))
    assert done.exit_code == 1
    assert error_of(done) == "Error: 1 of 2 runs failed: cosine: its process died"


def test_a_fresh_run_that_could_not_be_stored_is_judged_all_the_same(fresh):
    """Its file is a temporary one: nobody needs it."""
    lost = runner.Failure(None, "cannot be written (No space left)", as_printed("cosine", 10))
    done, _ = fresh(cosine=lost)
    assert done.exit_code == 0, done.output
    assert done.stdout.splitlines()[-1] == "8 CONSISTENT"


def test_a_fresh_seed_is_a_possible_one(fresh, tmp_path):
    record.append(tmp_path / "stored.jsonl", as_printed("cosine", 2**32 - 1))
    done, asked = fresh()
    assert done.exit_code == 0, done.output
    assert {job.seed for job in asked["jobs"]} == {10}


def test_nothing_to_compare_a_fresh_run_with(records, invoke):
    done = invoke("verify", "--fresh", "--epochs", 7, "--records", records)
    assert done.exit_code == 1
    assert error_of(done) == f"Error: {records}: no run of 7 epochs to compare with"


def test_a_fresh_run_for_real(tmp_path, invoke):
    """One epoch of all images, against the committed runs of one epoch of the same experiment."""
    before = [run for run in committed("chapter") if run.num_epochs == 1]
    stored(tmp_path / "runs.jsonl", [run for run in before if run.experiment == "square-root"])
    options = ("--epochs", 1, "--net", "fast", "--records", tmp_path / "runs.jsonl")
    done = invoke("verify", "--fresh", *options)
    assert done.exit_code == 0, done.output
    assert "square-root: done in" in done.stdout


@pytest.mark.parametrize("option", [["--epochs", 1], ["--net", "fast"], ["--data-dir", "/d"]])
def test_what_goes_with_fresh_only(records, option, invoke):
    done = invoke("verify", "--records", records, *option)
    assert done.exit_code == 2
    assert f"{option[0]} goes with --fresh only" in done.output
