"""The commands that train, as a user calls them: processes, exit codes, what is printed."""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path
from statistics import mean, stdev

import click
import pytest
from msgspec.structs import replace
from scipy import stats

from d2l_lrsched.cli import run as cli_run
from d2l_lrsched.runs import record as store
from d2l_lrsched.studies.chapter.published import PRINTED as PUBLISHED
from made_up import FIGURES

COMMAND = [sys.executable, "-m", "d2l_lrsched"]

# Calls a command and appends the peak memory, in KiB, of it and its own children to stderr. In
# between, because Linux counts a child's memory from before it became another program: pytest's.
MEASURED = """if 1:
    import resource, subprocess, sys
    code = subprocess.call(sys.argv[1:])
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
    sys.exit(code)
"""


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory, call):
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
    runs = store.read(output / cli_run.RECORDS)
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
    for run in store.read(output / cli_run.RECORDS):
        line = f"{run.experiment}: epoch 1/1, test acc {run.final.test_acc:.3f}"
        assert line in done.stdout.splitlines()
    assert re.fullmatch(r"\d+\n", done.stderr)  # the measured memory and nothing else


def test_reproduce_prints_the_table_in_the_chapters_order(one_epoch):
    done, output = one_epoch
    runs = {run.experiment: run for run in store.read(output / cli_run.RECORDS)}
    table = done.stdout[done.stdout.index("section") :].splitlines()
    for line, name in zip(table[2:], ("square-root", "cosine")):
        final = runs[name].final
        ours = f"{final.train_loss:.3f}/{final.train_acc:.3f}/{final.test_acc:.3f}"
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
        getattr(run.final, number)
        for run in store.read(FIGURES / "chapter" / "runs.jsonl")
        if run.experiment == name
    ]
    n = len(measured)
    assert n == 10
    half = stats.t.ppf(0.9995, n - 1) * stdev(measured) * (1 + 1 / n) ** 0.5
    (run,) = (r for r in store.read(one_epoch[1] / cli_run.RECORDS) if r.experiment == name)
    assert abs(getattr(run.final, number) - mean(measured)) < half


def test_run_gives_the_very_numbers_of_reproduce(one_epoch, tmp_path, call):
    done = call("run", "cosine", "--epochs", 1, "--seed", 100, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    (run,) = store.read(tmp_path / cli_run.RECORDS)
    (other,) = (r for r in store.read(one_epoch[1] / cli_run.RECORDS) if r.experiment == "cosine")
    assert run.points == other.points
    assert replace(run.final, seconds=0) == replace(other.final, seconds=0)
    first, last, where = done.stdout.splitlines()
    assert first.startswith("epoch 1/1: train loss ")
    assert re.fullmatch(r"train loss \d\.\d{3}, train acc 0\.\d{3}, test acc 0\.\d{3}", last)
    assert where == f"Figures and record are in {tmp_path}/"


@pytest.mark.parametrize("command", ["reproduce --experiment cosine", "run cosine --net fast"])
def test_runs_of_unknown_experiments_are_passed_over(command, one_epoch, tmp_path, call):
    """As `cat clipping.jsonl >> runs.jsonl`, or another version, leaves them; full length too."""
    records = tmp_path / cli_run.RECORDS
    shutil.copy(one_epoch[1] / cli_run.RECORDS, records)
    of_book = next(
        r for r in store.read(FIGURES / "chapter" / "runs.jsonl") if r.experiment == "constant"
    )
    for name in ("my-own", "pilot", "constant"):
        store.append(records, replace(of_book, experiment=name))
    done = call(*command.split(), "--epochs", 1, "--seed", 100, "--output", tmp_path)
    assert done.returncode == 0, done.stderr
    assert done.stderr == (
        f"Warning: {records}: 2 of 5 runs are passed over, of unknown experiments or settings: "
        "my-own, pilot\n"
    )
    assert {path.name for path in tmp_path.glob("*.svg")} == {
        "11.15.3.3-cosine-schedule.svg",
        "11.15.3.3-cosine-training.svg",
        *(["overview.svg"] if command.startswith("run") else []),  # of all seeds
    }


def test_it_trains_without_any_standard_stream(tmp_path):
    """Nor do the workers' words, for want of a stream, end up in the records."""
    done = subprocess.run(
        ["sh", "-c", f"exec {REPRODUCE_ONE} {shlex.quote(str(tmp_path))} <&- >&- 2>&-"],
        check=False,
        timeout=300,
    )
    assert done.returncode == 0
    assert pairs(tmp_path) == [("cosine", 0)]
    assert {path.name for path in tmp_path.iterdir()} == {
        "11.15.3.3-cosine-schedule.svg",
        "11.15.3.3-cosine-training.svg",
        "runs.jsonl",
    }


def test_where_nobody_reads_on_what_was_made_is_kept(tmp_path):
    """As `d2l-lrsched reproduce | head -1`: 141, in a shell SIGPIPE's status, and no word."""
    reader, writer = os.pipe()
    os.close(reader)
    arguments = [*shlex.split(REPRODUCE_ONE), str(tmp_path)]
    done = subprocess.run(arguments, stdout=writer, stderr=subprocess.PIPE, timeout=300)
    os.close(writer)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, b"")
    assert pairs(tmp_path) == [("cosine", 0)]


def test_every_process_of_a_training_stays_under_500_mb(one_epoch):
    done, _ = one_epoch
    assert 150 < int(done.stderr.splitlines()[-1]) / 1024 < 500


def test_a_figure_that_cannot_be_written_costs_no_other_run(tmp_path, call, assert_failure):
    """A folder is in the way of the first run's figure; the second is made all the same."""
    (tmp_path / "11.15.2-square-root-training.svg").mkdir()
    done = call(
        *["reproduce", "--experiment", "square-root", "--experiment", "cosine", "--epochs", 1],
        *["--workers", 2, "--output", tmp_path],
    )
    assert_failure(
        done, f"square-root: {tmp_path}/11.15.2-square-root-training.svg: Is a directory"
    )
    assert len(store.read(tmp_path / cli_run.RECORDS)) == 2
    assert (tmp_path / "11.15.3.3-cosine-training.svg").exists()
    assert not list(tmp_path.glob(".*"))


# --- killed, interrupted, out of space ------------------------------------------------------------


def descendants(pid):
    """The processes under `pid` that have loaded MXNet."""
    found = []
    with suppress(OSError):  # threads and processes come and go meanwhile
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (thread / "children").read_text().split()):
                found += descendants(child)
                if "libmxnet" in Path(f"/proc/{child}/maps").read_text():
                    found.append(child)
    return found


def is_alive(pid):
    """Whether the process runs; one that has ended may wait as a zombie for its parent."""
    status = Path(f"/proc/{pid}/stat")
    with suppress(OSError):
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_for(condition, seconds=120):
    """Return what the condition gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def start_reproduce(output, *arguments, names=("constant", "cosine"), workers=2):
    """Start runs of the fast net in two workers; wait until so many have loaded MXNet."""
    process = subprocess.Popen(
        [
            *[*COMMAND, "reproduce", "--net", "fast", "--workers", "2", "--output", str(output)],
            *(argument for name in names for argument in ("--experiment", name)),
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=True,
    )
    found = wait_for(
        lambda: (len(pids := descendants(process.pid)) >= workers and pids) or not workers
    )
    return process, found


def pairs(output):
    return sorted((run.experiment, run.seed) for run in store.read(output / cli_run.RECORDS))


def test_a_worker_that_dies_costs_its_run_a_second_attempt(tmp_path):
    process, workers = start_reproduce(tmp_path, "--epochs", "1")
    os.kill(workers[0], signal.SIGKILL)
    _, err = process.communicate(timeout=300)
    assert process.returncode == 0
    assert re.fullmatch(
        r"Warning: (constant|cosine), seed 0: its process died \(exit code -9\); "
        r"it is tried again\n",
        err,
    )
    assert pairs(tmp_path) == [("constant", 0), ("cosine", 0)]


def test_a_run_whose_workers_die_twice_is_named(tmp_path):
    process, (worker,) = start_reproduce(tmp_path, "--epochs", "1", names=["cosine"], workers=1)
    os.kill(worker, signal.SIGKILL)
    second = wait_for(lambda: set(descendants(process.pid)) - {worker}).pop()
    os.kill(second, signal.SIGKILL)
    out, err = process.communicate(timeout=300)
    assert process.returncode == 1
    assert err.endswith("\nError: 1 of 1 runs failed: cosine: its process died (exit code -9)\n")
    assert "cosine: failed" in out.splitlines()


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interruption_stops_everything_and_says_how_to_go_on(tmp_path, how):
    process, workers = start_reproduce(tmp_path)
    os.killpg(process.pid, how)  # all of them, as a terminal does with Ctrl-C
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert err == (
        f"Error: interrupted; 0 of 2 runs are in {tmp_path}/runs.jsonl; the same command goes on "
        "from the last finished epochs\n"
    )
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_ctrl_c_while_the_workers_start(tmp_path):
    process, _ = start_reproduce(tmp_path, workers=0)
    wait_for((tmp_path / cli_run.RECORDS).exists)  # made just before them
    time.sleep(0.8)
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=60)
    assert process.returncode == 1
    assert re.fullmatch(r"Error: interrupted; .*\n", err)


def numbers(output):
    (run,) = store.read(output / cli_run.RECORDS)
    return run.points, [replace(epoch, seconds=0) for epoch in run.epochs]


def test_a_killed_parent_leaves_no_worker_and_its_run_goes_on(tmp_path, call):
    """kill -9 of the parent after an epoch; the worker stops, the same command takes over."""
    arguments = ["--epochs", 3]
    process, (worker,) = start_reproduce(
        tmp_path / "a", *map(str, arguments), names=["multi-factor"], workers=1
    )
    (checkpoint,) = wait_for(lambda: list((tmp_path / "a" / "checkpoints").glob("multi*.npz")))
    process.kill()
    process.communicate()
    wait_for(lambda: not is_alive(worker))
    assert pairs(tmp_path / "a") == []
    assert checkpoint.exists()
    common = ["reproduce", "--net", "fast", "--experiment", "multi-factor", *arguments]
    done = call(*common, "--output", tmp_path / "a")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("1 of 1 runs go on from their last finished epoch\n")
    assert not checkpoint.parent.exists()
    assert call(*common, "--output", tmp_path / "b").returncode == 0
    assert numbers(tmp_path / "a") == numbers(tmp_path / "b")

    again = call(*common, "--output", tmp_path / "a")
    assert again.stdout.startswith(f"1 of 1 runs are in {tmp_path}/a/runs.jsonl already\n")
    assert "multi-factor" in again.stdout
    assert len(pairs(tmp_path / "a")) == 1


def test_two_runners_on_one_store(tmp_path):
    """Both make the same two pairs at the same time; each is stored once."""
    runners = [start_reproduce(tmp_path, "--epochs", "1", workers=0)[0] for _ in range(2)]
    for runner in runners:
        _, err = runner.communicate(timeout=300)
        assert (runner.returncode, err) == (0, "")
    assert pairs(tmp_path) == [("constant", 0), ("cosine", 0)]
    assert not (tmp_path / "checkpoints").exists()


def on_a_small_disk(folder, options, script):
    """Run a shell script with a small file system of its own mounted at `folder`, its $1."""
    folder.mkdir()
    enter = ["unshare", "--map-root-user", "--mount", "sh", "-ec"]
    mount = f'mount -t tmpfs -o {options} tmpfs "$1"'
    where = ["sh", str(folder)]
    if not shutil.which("unshare") or subprocess.call(
        [*enter, mount, *where], stderr=subprocess.DEVNULL
    ):
        pytest.skip("needs unshare(1) and the right to mount a tmpfs in it")
    return subprocess.run(
        [*enter, f"{mount}\n{script}", *where],
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


REPRODUCE_ONE = (
    f"{shlex.join(COMMAND)} reproduce --experiment cosine --net fast --epochs 1 --output"
)


def test_a_disk_too_small_for_the_checkpoint_costs_nothing_but_it(tmp_path):
    disk = tmp_path / "disk"
    script = f'{REPRODUCE_ONE} "$1"\ncat "$1/runs.jsonl" >&2'
    done = on_a_small_disk(disk, "size=128k", script)
    assert done.returncode == 0, done.stderr
    warning, record = done.stderr.splitlines()
    assert re.fullmatch(
        r"Warning: cosine, seed 0: .*\.npz: no checkpoint written \(No space left on device\)",
        warning,
    )
    assert json.loads(record)["experiment"] == "cosine"


def test_a_full_disk_is_named_and_the_result_shown(tmp_path):
    disk = tmp_path / "disk"
    fill = 'cat /dev/zero > "$1/full" 2>/dev/null || true'
    script = f'touch "$1/runs.jsonl"\n{fill}\n{REPRODUCE_ONE} "$1" || echo code $?'
    done = on_a_small_disk(disk, "size=128k", script)
    assert done.stdout.splitlines()[-1] == "code 1"
    error = done.stderr.splitlines()[-1]
    assert error.startswith("Error: ")
    assert f"cosine: {disk}/runs.jsonl: cannot be written (No space left on device)" in error
    assert "Traceback" not in done.stderr
    assert re.search(r"11\.15\.3\.3 +cosine +0\.362/0\.870/0\.848 +\d", done.stdout)


def test_a_read_only_folder_is_found_before_any_training(tmp_path):
    disk = tmp_path / "disk"
    done = on_a_small_disk(disk, "ro", f'{REPRODUCE_ONE} "$1/figures" || echo code $?')
    assert done.stdout == "code 1\n"
    assert done.stderr == f"Error: {disk}/figures: Read-only file system\n"


# --- on a Dask cluster ----------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path):
    """A real scheduler and two workers on loopback: its address, their processes, its process."""
    dask = [sys.executable, "-m", "dask"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["worker", address, "--nthreads", "1", "--no-dashboard", "--local-directory"]
    processes = []

    def start(name, *arguments):
        with open(tmp_path / f"{name}.log", "wb") as log:
            processes.append(
                subprocess.Popen(
                    [*dask, *arguments], stdout=log, stderr=log, start_new_session=True
                )
            )
        return processes[-1]

    leader = start("scheduler", *scheduler)
    workers = [start(name, *worker, str(tmp_path / name)) for name in ("one", "two")]
    yield address, workers, leader
    for process in processes:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def start_on(address, output, *arguments):
    return subprocess.Popen(
        [
            *[*COMMAND, "reproduce", "--net", "fast", "--dask", address, "--output", str(output)],
            *arguments,
        ],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def reproduce_on(cluster, output, num_seeds, names):
    """Make so many runs on the cluster, and kill one worker as soon as one run is stored."""
    address, workers, _ = cluster
    chosen = [argument for name in names for argument in ("--experiment", name)]
    process = start_on(address, output, "--epochs", "1", "--seeds", str(num_seeds), *chosen)
    records = output / cli_run.RECORDS
    wait_for(lambda: records.exists() and records.read_bytes())
    victim = wait_for(lambda: descendants(workers[0].pid)).pop()
    os.kill(victim, signal.SIGKILL)
    out, err = process.communicate(timeout=900)
    assert (process.returncode, err) == (0, "")
    return out


def test_a_cluster_loses_a_worker_and_no_record(cluster, tmp_path):
    out = reproduce_on(cluster, tmp_path / "out", 2, ["cosine", "square-root"])
    asked = [(name, seed) for name in ("cosine", "square-root") for seed in range(2)]
    assert pairs(tmp_path / "out") == asked
    runs = store.read(tmp_path / "out" / cli_run.RECORDS)
    assert {run.threads for run in runs} == {1}
    for name, seed in asked:
        assert re.search(rf"^{name}, seed {seed}: done in ", out, re.MULTILINE)
    assert not (tmp_path / "out" / "checkpoints").exists()


def test_a_cluster_that_loses_its_scheduler_fails_in_one_line(cluster, tmp_path):
    """And leaves what was finished."""
    address, workers, scheduler = cluster
    process = start_on(address, tmp_path / "out", "--epochs", "1", "--experiment", "cosine")
    wait_for(lambda: [pid for worker in workers for pid in descendants(worker.pid)])
    scheduler.kill()
    _, err = process.communicate(timeout=120)
    assert process.returncode == 1
    assert re.fullmatch(r"Error: 1 of 1 runs failed: cosine: .*scheduler.*\n", err), err


@pytest.mark.slow
def test_25_runs_on_a_cluster_that_loses_a_worker(cluster, tmp_path):
    reproduce_on(cluster, tmp_path / "out", 5, PUBLISHED)
    asked = [(name, seed) for name in sorted(PUBLISHED) for seed in range(5)]
    assert pairs(tmp_path / "out") == asked


def test_no_scheduler_answers(tmp_path, call, assert_failure):
    done = call("reproduce", "--dask", "tcp://127.0.0.1:9", "--output", tmp_path)
    assert_failure(done, "no Dask scheduler answers at tcp://127.0.0.1:9")
    assert list(tmp_path.iterdir()) == []


def test_no_address_of_a_scheduler(tmp_path, call, assert_usage_error):
    done = call("reproduce", "--dask", "nonsense://x", "--output", tmp_path)
    assert_usage_error(done, "--dask nonsense://x: no address of a scheduler")
    assert_usage_error(call("reproduce", "--dask", ""), "--dask must be the address of a scheduler")


def test_workers_are_for_this_machine(call, assert_usage_error):
    done = call("reproduce", "--dask", "tcp://127.0.0.1:9", "--workers", 2)
    assert_usage_error(done, "--workers is for runs on this machine")


# --- bad input ------------------------------------------------------------------------------------


@pytest.mark.parametrize("command", [["run", "cosin"], ["reproduce", "--experiment", "cosin"]])
def test_an_unknown_experiment_lists_the_known_ones(command, call, assert_usage_error):
    done = call(*command)
    assert_usage_error(done, "unknown experiment 'cosin'; the known ones are: constant, ")
    assert "cosine-warmup-per-epoch" in done.stderr


@pytest.mark.parametrize("option", ["--data-dir", "--output"])
def test_a_folder_without_a_name(option, call, assert_usage_error):
    assert_usage_error(call("run", "constant", option, ""), "must not be empty")


def test_the_home_folder_by_its_sign(tmp_path, call, assert_failure):
    done = call("data", "--no-fetch", "--data-dir=~/nowhere", cwd=tmp_path, HOME=str(tmp_path))
    assert_failure(done, f"{tmp_path}/nowhere: no such folder")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    "options", [["--epochs", 0], ["--seed", -1], ["--workers", 0], ["--epochs", "two"]]
)
def test_bad_numbers(options, call, assert_usage_error):
    assert_usage_error(call("reproduce", *options), f"Invalid value for '{options[0]}'")


def test_an_output_that_cannot_be_written(tmp_path, call, assert_failure):
    (tmp_path / "file").write_text("")
    done = call("run", "constant", "--output", tmp_path / "file" / "figures")
    assert_failure(done, f"{tmp_path}/file/figures: Not a directory")


def test_a_damaged_record_is_named_before_any_training(tmp_path, call, assert_failure):
    (tmp_path / cli_run.RECORDS).write_text("{}\n")
    assert_failure(call("run", "constant", "--output", tmp_path), "runs.jsonl, line 1: no record")
    assert (tmp_path / cli_run.RECORDS).read_text() == "{}\n"


def test_names_given_twice_run_once():
    assert cli_run._known(("cosine", "cosine")) == ("cosine",)
    with pytest.raises(click.UsageError):
        cli_run._known(("cosine", "nine"))
