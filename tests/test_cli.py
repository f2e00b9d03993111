"""The commands as a user calls them: processes, exit codes, what is printed."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
import time
from pathlib import Path
from statistics import mean, stdev

import click
import pytest
from click.testing import CliRunner
from scipy import stats

from d2l_lrsched import cli, store

FIGURES = Path(__file__).parent.parent / "figures"
COMMAND = [sys.executable, "-m", "d2l_lrsched"]


def call(*arguments, cwd=None, **environment):
    return subprocess.run(
        [*COMMAND, *map(str, arguments)],
        capture_output=True,
        text=True,
        cwd=cwd,
        env={**os.environ, **environment},
        stdin=subprocess.DEVNULL,
        timeout=300,
        check=False,
    )


def assert_usage_error(done, message):
    assert done.returncode == 2, done.stderr
    assert done.stdout == ""
    assert message in done.stderr
    assert "Traceback" not in done.stderr


def assert_failure(done, message):
    assert done.returncode == 1, done.stderr
    assert "Traceback" not in done.stderr
    assert re.fullmatch(rf"Error: .*{re.escape(message)}.*\n", done.stderr), done.stderr


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *cli.main.commands])
def test_every_help_has_an_example_that_its_own_command_parses(name):
    done = call(*name.split(), "--help")
    assert done.returncode == 0
    (example,) = re.findall(r"Example: d2l-lrsched (.*)", done.stdout)
    command, *arguments = shlex.split(example)
    assert not name or command == name
    # Parsed, not run: a usage error would be raised here.
    cli.main.commands[command].make_context(command, arguments)


def test_help_does_not_wait_for_mxnet():
    script = "import sys, d2l_lrsched.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    script += "assert not {'mxnet', 'matplotlib', 'pandas'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_version():
    assert re.fullmatch(r".*, version \d+\.\d+\.\d+\n", call("--version").stdout)


# --- data -----------------------------------------------------------------------------------------


def test_data_says_where_it_is_and_that_it_was_checked(arrays):
    done = call("data")
    assert done.returncode == 0
    assert done.stdout.startswith("Fashion-MNIST is in /")
    for name, array in arrays.items():
        assert re.search(
            rf"{name} +{re.escape(str(array.shape))} +SHA-256 [0-9a-f]{{64}}", done.stdout
        )


def test_data_that_is_not_there_and_not_to_be_fetched(tmp_path):
    assert_failure(call("data", "--no-fetch", "--data-dir", tmp_path), str(tmp_path))


def test_data_that_cannot_be_fetched(tmp_path):
    done = call("data", "--data-dir", tmp_path / "new", "--url", "http://127.0.0.1:9/")
    assert_failure(done, "http://127.0.0.1:9/train-images-idx3-ubyte.gz")
    assert list((tmp_path / "new").iterdir()) == []


def test_damaged_data_is_named_before_any_training(tmp_path):
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte").write_bytes(b"")
    for command in (["data"], ["run", "constant"], ["reproduce"]):
        done = call(*command, "--data-dir", tmp_path, cwd=tmp_path)
        assert_failure(done, f"{tmp_path}/train-images-idx3-ubyte")


# --- reproduce and run ----------------------------------------------------------------------------


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory):
    """One epoch of two experiments on the real data, with a seed that the band has not seen."""
    output = tmp_path_factory.mktemp("reproduce")
    done = call(
        *[
            "reproduce",
            "--experiment",
            "cosine",
            "--experiment",
            "square-root",
            "--epochs",
            "1",
            "--seed",
            "100",
        ],
        *("--workers", 2, "--output", output),
    )
    return done, output


def test_reproduce_writes_records_and_figures(one_epoch):
    done, output = one_epoch
    assert done.returncode == 0, done.stderr
    runs = store.read(output / cli.RECORDS)
    assert {(run.experiment, run.seed, run.num_epochs) for run in runs} == {
        ("cosine", 100, 1),
        ("square-root", 100, 1),
    }
    assert {run.threads for run in runs} == {1}
    assert sorted(path.name for path in output.iterdir()) == [
        "11.15.2-square-root-schedule.svg",
        "11.15.2-square-root-training.svg",
        "11.15.3.3-cosine-schedule.svg",
        "11.15.3.3-cosine-training.svg",
        "overview.svg",
        "runs.jsonl",
    ]


def test_reproduce_tells_of_every_epoch_where_there_is_no_terminal(one_epoch):
    done, output = one_epoch
    for run in store.read(output / cli.RECORDS):
        line = f"{run.experiment}: epoch 1/1, test acc {run.final['test_acc']:.3f}"
        assert line in done.stdout.splitlines()
    assert done.stderr == ""


def test_reproduce_prints_the_table_in_the_chapters_order(one_epoch):
    done, output = one_epoch
    runs = {run.experiment: run for run in store.read(output / cli.RECORDS)}
    table = done.stdout[done.stdout.index("section") :].splitlines()
    for line, name in zip(table[2:], ("square-root", "cosine")):
        final = runs[name].final
        ours = f"{final['train_loss']:.3f} / {final['train_acc']:.3f} / {final['test_acc']:.3f}"
        assert name in line
        assert ours in line
        assert "1 instead of 30 epochs" in line
    assert "0.307 / 0.887 / 0.882" in table[2]


@pytest.mark.parametrize("name", ["square-root", "cosine"])
@pytest.mark.parametrize("number", ["train_loss", "train_acc", "test_acc"])
def test_one_epoch_lands_in_the_measured_band(one_epoch, name, number):
    """The 99.9 % prediction interval of one new seed, from the committed runs of one epoch."""
    measured = [
        run.final[number]
        for run in store.read(FIGURES / "one-epoch.jsonl")
        if run.experiment == name
    ]
    n = len(measured)
    assert n >= 10
    half = stats.t.ppf(0.9995, n - 1) * stdev(measured) * (1 + 1 / n) ** 0.5
    (run,) = (r for r in store.read(one_epoch[1] / cli.RECORDS) if r.experiment == name)
    assert abs(run.final[number] - mean(measured)) < half


def test_run_gives_the_very_numbers_of_reproduce(one_epoch, tmp_path):
    done = call("run", "cosine", "--epochs", 1, "--seed", 100, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = store.read(tmp_path / cli.RECORDS)
    (other,) = (r for r in store.read(one_epoch[1] / cli.RECORDS) if r.experiment == "cosine")
    assert run.points == other.points
    assert {**run.final, "seconds": 0} == {**other.final, "seconds": 0}
    first, last = done.stdout.splitlines()
    assert first.startswith("epoch 1/1: train loss ")
    assert re.fullmatch(r"train loss \d\.\d{3}, train acc 0\.\d{3}, test acc 0\.\d{3}", last)


def workers_of(process):
    """The processes under `process` that have loaded MXNet."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found = []
    for thread in children.parent.parent.iterdir():
        for pid in (thread / "children").read_text().split():
            if "libmxnet" in Path(f"/proc/{pid}/maps").read_text():
                found.append(int(pid))
    return found


def start_reproduce(output, *arguments):
    """Start two long runs and wait until both workers have loaded MXNet."""
    names = ["--experiment", "constant", "--experiment", "cosine"]
    process = subprocess.Popen(
        [*COMMAND, "reproduce", *names, "--workers", "2", "--output", str(output), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(workers := workers_of(process)) < 2:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return process, workers


def test_a_worker_that_dies_is_named_and_the_other_goes_on(tmp_path):
    process, workers = start_reproduce(tmp_path, "--epochs", "1")
    os.kill(workers[0], signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1
    (run,) = store.read(tmp_path / cli.RECORDS)
    dead = {"constant": "cosine", "cosine": "constant"}[run.experiment]
    assert err.splitlines() == [
        f"{dead}: failed: its process died (exit code -9)",
        f"Error: 1 of 2 runs failed: {dead}",
    ]
    assert run.experiment in out


def test_ctrl_c_stops_everything_and_says_what_is_kept(tmp_path):
    process, workers = start_reproduce(tmp_path)
    os.killpg(process.pid, signal.SIGINT)  # as a terminal does
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err.splitlines()[-1] == (
        f"Error: interrupted; the 0 finished runs are kept in {tmp_path}/runs.jsonl"
    )
    assert "Traceback" not in err
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


@pytest.mark.parametrize("command", [["run", "cosin"], ["reproduce", "--experiment", "cosin"]])
def test_an_unknown_experiment_lists_the_known_ones(command):
    done = call(*command)
    assert_usage_error(done, "unknown experiment 'cosin'; the known ones are: constant, ")
    assert "cosine-warmup-per-epoch" in done.stderr


@pytest.mark.parametrize(
    "options", [["--epochs", 0], ["--seed", -1], ["--workers", 0], ["--epochs", "two"]]
)
def test_bad_numbers(options):
    assert_usage_error(call("reproduce", *options), f"Invalid value for '{options[0]}'")


def test_an_output_that_cannot_be_written(tmp_path):
    (tmp_path / "file").write_text("")
    done = call("run", "constant", "--output", tmp_path / "file" / "figures")
    assert_failure(done, f"{tmp_path}/file/figures: Not a directory")


def test_a_damaged_record_is_named_before_any_training(tmp_path):
    (tmp_path / cli.RECORDS).write_text("{}\n")
    assert_failure(call("run", "constant", "--output", tmp_path), "runs.jsonl, line 1: no record")
    assert (tmp_path / cli.RECORDS).read_text() == "{}\n"


# --- plot -----------------------------------------------------------------------------------------


def plot(*arguments):
    return CliRunner().invoke(cli.main, ["plot", *map(str, arguments)])


@pytest.mark.parametrize(
    "arguments",
    [
        "square-root --base-lr 1",
        "factor --factor 0.9 --stop-factor-lr 0.01 --base-lr 2 --warmup-steps 3",
        "linear --max-update 7050 --base-lr 0.5",
        "mxnet-factor --step 235 --factor 0.9",
        "multi-factor --step 15,30 --factor 0.5 --base-lr 0.5 --unit epoch",
        "poly --max-update 7050 --pwr 3",
        "cosine --base-lr 0.5 --max-update 20 --warmup-steps 5 --warmup-mode constant",
    ],
)
def test_plot_draws_every_schedule(tmp_path, arguments):
    path = tmp_path / "schedule.svg"
    done = plot(*arguments.split(), "--epochs", 2, "--output", path)
    assert done.exit_code == 0, done.output
    assert done.output == f"Drawn to {path}\n"
    assert path.read_bytes().startswith(b"<?xml")


def drawn(monkeypatch, *arguments):
    """What `plot` hands to the drawing function."""
    from d2l_lrsched import figures

    handed = []
    monkeypatch.setattr(figures, "two_axes_figure", lambda *a: handed.extend(a))
    monkeypatch.setattr(figures, "save", lambda figure, path: None)
    assert plot(*arguments, "-o", "x.svg").exit_code == 0
    return handed


def test_plot_per_epoch_reads_the_schedule_once_an_epoch(monkeypatch):
    schedule, num_updates, per_epoch, title = drawn(
        monkeypatch, *["cosine", "--base-lr", "0.5", "--max-update", "20", "--unit", "epoch"]
    )
    assert (num_updates, per_epoch) == (30 * 235, 235)
    assert schedule(235) == 0.5
    assert schedule(10 * 235 + 1) == pytest.approx(0.25)
    assert title.startswith("CosineScheduler(max_update=20, base_lr=0.5")
    assert title.endswith(", per epoch")


def test_plot_puts_a_warmup_before_schedules_that_have_none(monkeypatch):
    schedule, *_ = drawn(
        monkeypatch,
        *[
            "linear",
            "--max-update",
            "10",
            "--base-lr",
            "1",
            "--warmup-steps",
            "4",
            "--warmup-begin-lr",
            "0.2",
        ],
    )
    assert [schedule(n) for n in (0, 2, 4, 9)] == pytest.approx([0.2, 0.6, 1.0, 0.5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("cosin", "'cosin' is not one of 'square-root', 'factor', 'linear'"),
        ("linear", "linear needs --max-update"),
        ("linear --max-update 9 --pwr 2", "linear does not take --pwr; it takes --max-update"),
        ("square-root --factor 0.5", "square-root does not take --factor; it takes --base-lr"),
        ("cosine --max-update 9 --base-lr -1", "base_lr must be a finite number > 0, got -1.0"),
        ("multi-factor --step 3,x", "--step '3,x': must be integers, as in 15,30"),
        ("multi-factor --step 30,15", "strictly increasing"),
        ("mxnet-factor --step 15,30", "step must be an integer >= 1, got [15, 30]"),
        ("linear --max-update 9 --warmup-steps -1", "warmup_steps must be an integer >= 0"),
    ],
)
def test_plot_says_what_is_wrong(tmp_path, arguments, message):
    done = plot(*arguments.split(), "-o", tmp_path / "x.svg")
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())
    assert not (tmp_path / "x.svg").exists()


@pytest.mark.parametrize("name", ["x.xyz", "x"])
def test_plot_to_an_unknown_format(tmp_path, name):
    done = plot("square-root", "-o", tmp_path / name)
    assert done.exit_code == 2
    assert "is not supported (supported formats: " in " ".join(done.output.split())


def test_plot_without_a_screen_asks_for_a_file():
    done = plot("square-root")
    assert done.exit_code == 2
    assert "there is no screen to open a window on; name a file with --output" in done.output


def test_names_given_twice_run_once():
    assert cli._known(("cosine", "cosine")) == ("cosine",)
    with pytest.raises(click.UsageError):
        cli._known(("cosine", "nine"))


def test_updates_per_epoch_is_the_number_of_batches_with_the_incomplete_last_one():
    assert cli.UPDATES_PER_EPOCH == 234 + 1
