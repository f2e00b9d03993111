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
from scipy import stats

from d2l_lrsched import cli, store

FIGURES = Path(__file__).parent.parent / "figures"
COMMAND = [sys.executable, "-m", "d2l_lrsched"]


# Calls a command and appends the peak memory, in KiB, of it and its own children to stderr. In
# between, because Linux counts a child's memory from before it became another program: pytest's.
MEASURED = """if 1:
    import resource, subprocess, sys
    code = subprocess.call(sys.argv[1:])
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
    sys.exit(code)
"""


def call(*arguments, cwd=None, command=COMMAND, **environment):
    return subprocess.run(
        [*command, *map(str, arguments)],
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
    (example,) = re.findall(r"Example: d2l-lrsched (.*)\n\n", done.stdout)  # in one line
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
        command=[sys.executable, "-c", MEASURED, *COMMAND],
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
        "runs.jsonl",
    ]


def test_reproduce_tells_of_every_epoch_where_there_is_no_terminal(one_epoch):
    done, output = one_epoch
    for run in store.read(output / cli.RECORDS):
        line = f"{run.experiment}: epoch 1/1, test acc {run.final['test_acc']:.3f}"
        assert line in done.stdout.splitlines()
    assert re.fullmatch(r"\d+\n", done.stderr)  # the measured memory and nothing else


def test_reproduce_prints_the_table_in_the_chapters_order(one_epoch):
    done, output = one_epoch
    runs = {run.experiment: run for run in store.read(output / cli.RECORDS)}
    table = done.stdout[done.stdout.index("section") :].splitlines()
    for line, name in zip(table[2:], ("square-root", "cosine")):
        final = runs[name].final
        ours = f"{final['train_loss']:.3f}/{final['train_acc']:.3f}/{final['test_acc']:.3f}"
        assert name in line
        assert ours in line
        assert "1 instead of 30 epochs" in line
    assert "0.307/0.887/0.882" in table[2]


@pytest.mark.parametrize("number", ["train_loss", "train_acc", "test_acc"])
def test_one_epoch_lands_in_the_measured_band(one_epoch, number):
    """The 99.9 % prediction interval of one new seed, from the committed runs of one epoch.

    Of square-root alone: cosine's test accuracies after one epoch range from 0.2 to 0.7, and the
    interval from them excludes nothing.
    """
    name = "square-root"
    measured = [
        run.final[number]
        for run in store.read(FIGURES / "one-epoch.jsonl")
        if run.experiment == name
    ]
    n = len(measured)
    assert n == 10
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
    first, last, where = done.stdout.splitlines()
    assert first.startswith("epoch 1/1: train loss ")
    assert re.fullmatch(r"train loss \d\.\d{3}, train acc 0\.\d{3}, test acc 0\.\d{3}", last)
    assert where == f"Figures and record are in {tmp_path}/"


def test_every_process_of_a_training_stays_under_500_mb(one_epoch):
    done, _ = one_epoch
    assert 150 < int(done.stderr.splitlines()[-1]) / 1024 < 500


def test_a_figure_that_cannot_be_written_costs_no_other_run(tmp_path):
    """A folder is in the way of the first run's figure; the second is made all the same."""
    (tmp_path / "11.15.2-square-root-training.svg").mkdir()
    done = call(
        *["reproduce", "--experiment", "square-root", "--experiment", "cosine", "--epochs", 1],
        *["--workers", 2, "--output", tmp_path],
    )
    assert_failure(
        done, f"square-root: {tmp_path}/11.15.2-square-root-training.svg: Is a directory"
    )
    assert len(store.read(tmp_path / cli.RECORDS)) == 2
    assert (tmp_path / "11.15.3.3-cosine-training.svg").exists()
    assert not list(tmp_path.glob("tmp*"))


def workers_of(process):
    """The processes under `process` that have loaded MXNet."""
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    found = []
    for thread in children.parent.parent.iterdir():
        for pid in (thread / "children").read_text().split():
            if "libmxnet" in Path(f"/proc/{pid}/maps").read_text():
                found.append(int(pid))
    return found


def start_reproduce(output, *arguments, workers=2):
    """Start two long runs and wait until so many workers have loaded MXNet."""
    names = ["--experiment", "constant", "--experiment", "cosine"]
    process = subprocess.Popen(
        [*COMMAND, "reproduce", *names, "--workers", "2", "--output", str(output), *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    deadline = time.monotonic() + 60
    while len(found := workers_of(process)) < workers:
        assert time.monotonic() < deadline
        time.sleep(0.2)
    return process, found


def test_a_worker_that_dies_is_named_and_the_other_goes_on(tmp_path):
    process, workers = start_reproduce(tmp_path, "--epochs", "1")
    os.kill(workers[0], signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1
    (run,) = store.read(tmp_path / cli.RECORDS)
    dead = {"constant": "cosine", "cosine": "constant"}[run.experiment]
    assert err == f"Error: 1 of 2 runs failed: {dead}: its process died (exit code -9)\n"
    assert f"{dead}: failed" in out.splitlines()
    assert "epoch 1/1" in out


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_stops_everything_and_says_what_is_kept(tmp_path, how):
    process, workers = start_reproduce(tmp_path)
    os.killpg(process.pid, how)  # all of them, as a terminal does with Ctrl-C
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == f"Error: interrupted; the 0 finished runs are kept in {tmp_path}/runs.jsonl\n"
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_ctrl_c_while_the_workers_start(tmp_path):
    process, _ = start_reproduce(tmp_path, workers=0)
    while not (tmp_path / cli.RECORDS).exists():  # made just before them
        time.sleep(0.05)
    time.sleep(0.8)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.fullmatch(r"Error: interrupted; .*\n", err)


@pytest.mark.slow
def test_a_killed_parent_leaves_no_worker_beyond_its_epoch(tmp_path):
    process, workers = start_reproduce(tmp_path)
    process.kill()
    process.communicate()
    deadline = time.monotonic() + 120
    while any(Path(f"/proc/{pid}").exists() for pid in workers):
        assert time.monotonic() < deadline
        time.sleep(1)


@pytest.mark.parametrize("command", [["run", "cosin"], ["reproduce", "--experiment", "cosin"]])
def test_an_unknown_experiment_lists_the_known_ones(command):
    done = call(*command)
    assert_usage_error(done, "unknown experiment 'cosin'; the known ones are: constant, ")
    assert "cosine-warmup-per-epoch" in done.stderr


@pytest.mark.parametrize("option", ["--data-dir", "--output"])
def test_a_folder_without_a_name(option):
    assert_usage_error(call("run", "constant", option, ""), "must not be empty")


def test_the_home_folder_by_its_sign(tmp_path):
    done = call("data", "--no-fetch", "--data-dir=~/nowhere", cwd=tmp_path, HOME=str(tmp_path))
    assert_failure(done, f"{tmp_path}/nowhere: no such folder")
    assert list(tmp_path.iterdir()) == []


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


def test_names_given_twice_run_once():
    assert cli._known(("cosine", "cosine")) == ("cosine",)
    with pytest.raises(click.UsageError):
        cli._known(("cosine", "nine"))
