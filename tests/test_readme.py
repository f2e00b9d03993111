"""What README promises: commands that parse, code that runs, numbers from records."""

from __future__ import annotations

import json
import re
import shlex
from collections import Counter
from datetime import datetime
from statistics import fmean

import pytest
from click.testing import CliRunner

from d2l_lrsched import cli, drawing
from d2l_lrsched.cli import bench as cli_bench
from d2l_lrsched.cli import clipping as cli_clipping
from d2l_lrsched.cli import exercises as cli_exercises
from d2l_lrsched.cli import plot as cli_plot
from d2l_lrsched.cli import report as cli_report
from d2l_lrsched.cli import run as cli_run
from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.data import batches as data
from d2l_lrsched.runs import record as store
from d2l_lrsched.studies.chapter import figures, published
from d2l_lrsched.studies.chapter import tables as report
from d2l_lrsched.studies.chapter import verdicts as regression
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.clipping import claims, collapse, measures
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises import page as exercises_report
from d2l_lrsched.studies.sampling import page as sgld_report
from d2l_lrsched.studies.sampling import pool as sgld_pool
from d2l_lrsched.studies.sampling import record as sgld_records
from d2l_lrsched.studies.speed import page as bench_report
from d2l_lrsched.training import history
from made_up import FIGURES, ROOT

README = (ROOT / "README.md").read_text()
RECORDS = ROOT / "figures" / cli_run.RECORDS
FENCES = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
COMMANDS = [
    line
    for language, block in FENCES
    for line in block.splitlines()
    if language == "sh" and line.startswith("d2l-lrsched ")
]
PYTHON = [block for language, block in FENCES if language == "python"]


def committed():
    """The oldest full run of each experiment with seed 0.

    A user's own `make reproduce` appends to the same file and redraws the figures; README's
    numbers stay those of the first runs.
    """
    runs = {}
    for run in store.read(RECORDS):
        if run.seed == 0 and run.num_epochs == CHAPTER[run.experiment].num_epochs:
            runs.setdefault(run.experiment, run)
    return runs


def test_the_table_is_made_from_the_committed_records():
    (table,) = re.findall(r"<!-- table: chapter -->\n(.*?)\n<!-- end -->", README, re.DOTALL)
    runs = committed()
    assert list(CHAPTER) == sorted(runs, key=list(CHAPTER).index)
    assert table == report.as_markdown(report.HEADER, report.chapter_rows(runs.values()))


def benchmarks():
    lines = (ROOT / "figures" / cli_bench.RECORDS).read_text().splitlines()
    return [json.loads(line) for line in lines]


def test_the_speed_table_is_made_from_the_first_committed_benchmark():
    (table,) = re.findall(r"<!-- table: speed -->\n(.*?)\n<!-- end -->", README, re.DOTALL)
    rows = bench_report.target_rows(benchmarks()[0])
    assert table == report.as_markdown(bench_report.TARGET_HEADER, rows)


def test_the_benchmarks_page_and_figure_are_made_from_the_newest(tmp_path):
    newest = benchmarks()[-1]
    page = (ROOT / "figures" / cli_bench.TABLES).read_text()
    assert page == bench_report.as_markdown(newest)
    path = drawing.save(bench_report.bench_figure(newest), tmp_path / cli_bench.FIGURE)
    assert (ROOT / "figures" / cli_bench.FIGURE).read_bytes() == path.read_bytes()


def profile(kind):
    """Seconds of an epoch, and of it by (operation, kernel)."""
    measured = benchmarks()[0]["profiles"][kind]
    seconds = Counter()
    for operation, _, kernel, s in measured["operations"]:
        seconds[operation, kernel] += s
    return measured["seconds"], seconds


def test_what_the_text_says_of_the_chapters_profile():
    """Nearly all is convolution and pooling; a matrix product and, at first, a scalar loop."""
    whole, seconds = profile("chapter")
    heavy = sum(s for (name, _), s in seconds.items() if name in ("convolution", "pooling"))
    assert heavy > 0.8 * whole
    (first, _), (second, _) = seconds.most_common(2)
    assert {first, second} == {("convolution", "gemm:jit"), ("pooling", "simple_nchw:any")}


def test_what_the_text_says_of_the_misses():
    whole, seconds = profile("same-bits")
    products = seconds["convolution", "gemm:jit"]
    outside = whole - sum(seconds.values())
    assert products > 0.5 * whole
    assert outside > 0.5 * (whole - products)
    rows = {row[0]: row[-1] for row in bench_report.target_rows(benchmarks()[0])}
    missed = [what for what, met in rows.items() if met == "missed"]
    assert len(missed) == 3
    assert all("identical to the bit" in what or "channels last" in what for what in missed)


def test_a_committed_run_is_called_collapsed_just_where_it_guesses():
    """One class for all of the 10,000 test images, 1,000 of each class."""
    for run in committed().values():
        assert (run.outcome == "collapsed") == (run.final.test_acc == 0.1), run.experiment


def test_what_the_text_says_of_our_runs():
    runs = committed()
    test_acc = {name: run.final.test_acc for name, run in runs.items()}
    assert test_acc["constant"] > max(
        test_acc["square-root"], test_acc["cosine"], test_acc["cosine-warmup"]
    )
    dead = [name for name, run in runs.items() if run.outcome == "collapsed"]
    assert sorted(dead) == [
        "cosine-per-epoch",
        "multi-factor-per-epoch",
        "square-root-per-epoch",
    ]
    assert all(runs[name].epochs[0].test_acc == 0.1 for name in dead), "dead after it"
    first = [runs[name].points[:4] for name in ("multi-factor-per-epoch", "cosine-per-epoch")]
    assert first[0] == first[1]
    warm = runs["cosine-warmup-per-epoch"].epochs
    assert warm[0].lr_first == warm[0].lr_last == 0


@pytest.mark.parametrize("name", ["summary", "verdicts"])
def test_the_baselines_tables_are_made_from_its_records(name):
    (table,) = re.findall(rf"<!-- table: {name} -->\n(.*?)\n<!-- end -->", README, re.DOTALL)
    runs = cli_report._full_length(FIGURES / "chapter" / "runs.jsonl")
    made = {
        "summary": (report.SUMMARY_HEADER, report.summary_rows(runs)),
        "verdicts": (report.VERDICT_HEADER, report.verdict_rows(regression.compare(runs))),
    }
    assert table == report.as_markdown(*made[name])


def test_page_and_figure_of_the_baseline_are_made_from_its_records(tmp_path):
    records = ["--records", str(FIGURES / "chapter" / "runs.jsonl")]
    done = CliRunner().invoke(cli.main, ["report", *records, "--output", str(tmp_path)])
    assert done.exit_code == 0, done.output
    assert are_committed(tmp_path.iterdir())


CLAIM_COLUMNS = ("section", "claim", "measure", "compared", "difference", "adjusted p", "verdict")


def test_the_clipping_studys_tables_are_made_from_its_records():
    runs = store.read(ROOT / "figures" / cli_clipping.RECORDS)
    rows = [dict(zip(claims.CLAIM_HEADER, r)) for r in claims.claim_rows(claims.judge(runs))]
    made = {
        "arms": (claims.ARM_HEADER, claims.arm_rows(runs)),
        "claims": (CLAIM_COLUMNS, [[row[name] for name in CLAIM_COLUMNS] for row in rows]),
    }
    for name, table_of in made.items():
        (table,) = re.findall(rf"<!-- table: {name} -->\n(.*?)\n<!-- end -->", README, re.DOTALL)
        assert table == report.as_markdown(*table_of)


def test_what_the_text_says_of_the_clipping_study():
    runs = store.read(ROOT / "figures" / cli_clipping.RECORDS)
    of = {(run.experiment, run.seed): run for run in runs}
    for found in collapse.rescues(runs):
        if found.plain == "neither":
            assert len(found.died) == len(found.saved) == 4
            assert len(found.lived) == 6
            assert not found.lost
            assert found.p > claims.LEVEL, "too few to prove it"
    pairs = {}
    rate = [run for run in runs if run.experiment.startswith("rate-0.3")]
    assert len(rate) == 3 * 20
    assert all(run.outcome == "trained" for run in rate)
    assert f"up to {100 * regression.share_interval(0, 20, 0.05)[1]:.0f} %" in README
    judged = {verdict: [] for verdict in ("CONFIRMED", "CONTRADICTED", "NOT DECIDED")}
    for j in claims.judge(runs):
        key = (j.claim.source, j.claim.measure, j.claim.worse, j.claim.better)
        judged[j.verdict].append(key)
        pairs[key] = j.n
    assert judged["CONFIRMED"] == [
        ("4.4", "final loss", "neither", "clipping"),
        ("6", "test accuracy", "clipping", "both"),
        ("6", "test accuracy", "neither", "both"),
    ]
    assert judged["CONTRADICTED"] == [("4.4", "test accuracy", "clipping", "scheduler")]
    for undecided in (
        ("4.4", "test accuracy", "scheduler", "both"),
        ("4.3", "overfitting", "neither", "scheduler"),
        ("4.3", "roughness", "neither", "scheduler"),
        ("4.2", "epochs to 0.85", "clipping", "neither"),
    ):
        assert undecided in judged["NOT DECIDED"]
        assert (undecided[0] == "4.3") == (pairs[undecided] == 6)
    assert 2 / 2**6 * len(claims.CLAIMS) > claims.LEVEL, "too few for any verdict"
    epochs = measures.MEASURES["epochs to 0.85"].of
    for seed in range(10):
        assert of["clipping", seed].final.test_acc < of["scheduler", seed].final.test_acc
        assert epochs(of["clipping", seed]) <= epochs(of["neither", seed])
        assert of["clipping", seed].epochs[0].clipped > 0.95


@pytest.fixture(scope="module")
def exercise_runs():
    runs = {}
    for run in store.read(ROOT / "figures" / cli_exercises.RECORDS):
        runs.setdefault(run.experiment, {})[run.seed] = run
    return runs


def dead(runs):
    return sum(run.outcome != "trained" for run in runs.values())


def accuracies(runs):
    return [run.final.test_acc for run in runs.values() if run.outcome == "trained"]


def test_what_the_text_says_of_fixed_rates(exercise_runs):
    runs = {rate: exercise_runs[exercises.fixed_name(rate)] for rate in exercises.FIXED_RATES}
    counts = [(len(of_rate), dead(of_rate)) for of_rate in runs.values()]
    assert counts == [(5, 0), (5, 0), (5, 0), (5, 2), (5, 4), (5, 5)]
    assert "two of five at 0.5, four at 0.7, all at 1" in README
    means = [fmean(accuracies(of_rate)) for of_rate in runs.values() if accuracies(of_rate)]
    assert means[:3] == sorted(means[:3])
    assert max(means) == means[2]
    best = {rate: max(accuracies(of_rate), default=0) for rate, of_rate in runs.items()}
    assert max(best, key=best.get) == 0.3


def test_what_the_text_says_of_exponents(exercise_runs):
    runs = {pwr: exercise_runs[exercises.poly_name(pwr)] for pwr in exercises.EXPONENTS}
    assert [len(of_pwr) for of_pwr in runs.values()] == [5] * 4
    lost = [run for of_pwr in runs.values() for run in of_pwr.values() if run.outcome != "trained"]
    assert len(lost) == 2
    assert all(run.epochs[0].score_spread < history.COLLAPSED_SPREAD for run in lost)
    losses = [
        fmean(r.final.train_loss for r in of_pwr.values() if r.outcome == "trained")
        for of_pwr in runs.values()
    ]
    assert losses[1:] == sorted(losses[1:])
    constant = exercise_runs["fixed-0.3"]
    for pwr in (0.5, 1.0):
        assert fmean(accuracies(runs[pwr])) > fmean(accuracies(constant))
    found = [run for of_pwr in (constant, *runs.values()) for run in of_pwr.values()]
    said = [row[-1] for row in exercises_report.difference_rows(found, exercises.EXPONENT)]
    assert said == [*["not decided"] * 3, "fixed-0.3 is higher"]


def test_how_often_runs_that_begin_with_the_chapters_rate_die(exercise_runs):
    """Runs whose first epoch is the same to the bit count once."""
    others = [*store.read(FIGURES / "chapter" / "runs.jsonl"), *committed().values()]
    others += store.read(ROOT / "figures" / cli_clipping.RECORDS)
    others += [run for of_name in exercise_runs.values() for run in of_name.values()]
    outcomes = {}
    for run in others:
        plain = run.settings["net"] != "resnet" and run.settings["clip_norm"] is None
        if plain and 0.299 < run.epochs[0].lr_first <= 0.3:
            outcomes[run.epochs[0].train_loss] = (run.experiment, run.outcome)
    dead = [name for name, outcome in outcomes.values() if outcome != "trained"]
    assert sorted(dead) == ["poly-1", "poly-2"]
    assert re.search(rf"of\s+{len(outcomes)}\s+different runs of ours that begin with it", README)


def test_what_the_text_says_of_the_deeper_network(exercise_runs):
    runs = {e.name: exercise_runs[e.name] for e in exercises.DEEPER.experiments}
    constant = runs.pop("resnet-constant")
    assert dead(constant) == 0
    for other in runs.values():
        assert other.keys() == constant.keys() == {0, 1, 2}
        for seed, run in other.items():
            assert run.final.test_acc > constant[seed].final.test_acc
    found = [run for of_name in (constant, *runs.values()) for run in of_name.values()]
    said = {
        row[0].split(" - ")[1]: row[-1]
        for row in exercises_report.difference_rows(found, exercises.DEEPER)
    }
    assert said == {
        "resnet-constant": "resnet-cosine is higher",
        "resnet-steps": "not decided",
        "resnet-poly": "resnet-cosine is higher",
        "resnet-warmup-cosine": "not decided",
    }


def test_what_the_text_says_of_warmups(exercise_runs):
    runs = [run for of_name in exercise_runs.values() for run in of_name.values()]
    rows = {row[0]: row[2:] for row in exercises_report.saved_rows(runs)}
    assert [(row[:4]) for row in rows.values()] == [
        ("10", "1", "5", "2"),
        ("10", "4", "5", "0"),
        ("10", "5", "5", "1"),
    ]
    assert list(rows) == ["2 %", "10 %", "40 %"]
    assert all(float(row[-1]) > 0.05 for row in rows.values())
    assert all(dead(exercise_runs[exercises.warmup_name(w, 1.0)]) == 5 for w in exercises.WARMUPS)


def test_the_same_seeds_do_not_die_at_almost_the_same_rates(exercise_runs):
    lost = [
        {seed for seed, run in exercise_runs[name].items() if run.outcome != "trained"}
        for name in ("fixed-0.5", "warmup-0-peak-0.5")
    ]
    assert all(lost)
    assert not lost[0] & lost[1]
    cosine = exercises.cosine(4 * UPDATES_PER_EPOCH, 0.5)
    assert 0.99 * 0.5 < cosine(50) < 0.5


def test_what_the_text_says_of_the_plateau(exercise_runs):
    runs = [run for of_name in exercise_runs.values() for run in of_name.values()]
    said = [row[-1] for row in exercises_report.difference_rows(runs, exercises.PLATEAU)]
    assert said == ["plateau is higher", "plateau-warmup is higher"]
    assert dead(exercise_runs["plateau"]) == dead(exercise_runs["plateau-warmup"]) == 0


def test_how_large_the_exercises_are_and_how_long_they_took(exercise_runs):
    counts = {name: len(of_name) for name, of_name in exercise_runs.items()}
    assert {counts[e.name] for e in exercises.DEEPER.experiments} == {3}
    assert {n for name, n in counts.items() if not name.startswith("resnet")} == {5}
    seconds = sum(run.seconds for of_name in exercise_runs.values() for run in of_name.values())
    assert 1.5 <= seconds / 3600 / 2 <= 2, "of two cores, nearly two hours"


def test_what_the_text_says_of_sampling():
    records = sgld_records.read(ROOT / "figures" / cli_exercises.SAMPLES)
    rows = {row[0]: row for row in sgld_report.table_rows(records)}
    unstable = rows.pop("fixed-unstable")
    assert unstable[7] == "2000 of 2000"
    assert all(row[8].startswith("yes") for row in rows.values())
    assert all(row[9].startswith("no") for row in rows.values())
    pooled = {sampled.setting.name: sampled for sampled in sgld_pool.pool(records)}
    wide = {name: pooled[name].variances[-1].max() for name in ("fixed-moderate", "fixed-large")}
    assert 1.5 < wide["fixed-moderate"] < 3
    assert wide["fixed-large"] > 10
    assert pooled["paper"].variances[-1] == pytest.approx(1, abs=0.2)
    assert pooled["sgd-paper"].variances[-1].max() < 0.05


def test_how_long_the_five_runs_took():
    (minutes,) = re.findall(r"five runs of the table took (\d+) minutes", README)
    runs = [run for name, run in committed().items() if name in published.PRINTED]
    starts = [datetime.fromisoformat(run.started).timestamp() for run in runs]
    ends = [start + run.seconds for start, run in zip(starts, runs)]
    assert int(minutes) == round((max(ends) - min(starts)) / 60)


def are_committed(paths):
    """Whether the figures drawn just now are those in figures/, to the byte."""
    return all((ROOT / "figures" / p.name).read_bytes() == p.read_bytes() for p in paths)


@pytest.mark.parametrize("name", CHAPTER)
def test_the_figures_are_drawn_from_a_record(name, tmp_path):
    """The newest of its seed; a user's own `make reproduce` draws them anew, with any seed."""
    newest = {run.seed: run for run in store.read(RECORDS) if run.experiment == name}
    assert any(are_committed(figures.draw_run(run, tmp_path)) for run in newest.values())


def test_the_other_figures(tmp_path):
    runs = store.read(RECORDS)
    assert are_committed([drawing.save(figures.factor_figure(), tmp_path / figures.FACTOR_FIGURE)])
    assert any(
        are_committed(figures.draw_overview([run for run in runs if run.seed == seed], tmp_path))
        for seed in {run.seed for run in runs}
    )


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_parses(line):
    _, command, *arguments = shlex.split(line)
    cli.main.commands[command].make_context(command, arguments)


def test_every_command_is_shown():
    assert {shlex.split(line)[1] for line in COMMANDS} == set(cli.main.commands)


@pytest.mark.parametrize("name", [*CHAPTER, *cli_plot.SCHEDULES])
def test_every_experiment_and_schedule_is_named(name):
    assert f"`{name}`" in README


@pytest.mark.parametrize("block", PYTHON, ids=lambda block: block.splitlines()[0])
def test_the_code_runs_as_it_stands(block, monkeypatch, small_iters, capsys):
    monkeypatch.setattr(data, "load_fashion_mnist", lambda batch_size: small_iters())
    exec(compile(block, "README.md", "exec"), {})


def test_every_make_target_exists():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = re.findall(r"(?:^|`)(?:PYTHON=\S+ )?make ([a-z-]+)", README, re.MULTILINE)
    assert {"reproduce", "test", "help", "install"} <= set(named) <= targets


@pytest.mark.parametrize("path", re.findall(r"`((?:d2l_lrsched|tests|figures)/[\w/.]*)`", README))
def test_every_path_exists(path):
    assert (ROOT / path).exists()
