"""The commands that train, as a user calls them: processes, exit codes, what is printed."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import signal
import socket
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import click
import msgspec
import numpy
import pytest
from msgspec.structs import replace

import small_data
from d2l_lrsched.cli import making
from d2l_lrsched.cli import run as cli_run
from d2l_lrsched.runs import executors, record
from d2l_lrsched.studies.chapter import experiments
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.training.history import History
from made_up import a_run

COMMAND = [sys.executable, small_data.__file__]

# Calls a command and appends the peak memory, in KiB, of it and its own children to stderr. In
# between, because Linux counts a child's memory from before it became another program: pytest's.
MEASURED = """if 1:
    import resource, subprocess, sys
    code = subprocess.call(sys.argv[1:])
    print(resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss, file=sys.stderr)
    sys.exit(code)
"""


MADE_UP = ("constant", "square-root", "multi-factor", "cosine-warmup")
COSINE = {"11.15.3.3-cosine-schedule.svg", "11.15.3.3-cosine-training.svg"}


def call(environment, *command, **streams):
    """Call a command in a process of its own, on the few images."""
    return subprocess.run(
        [*map(str, command)],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        text=True,
        env=environment,
        check=False,
        timeout=300,
    )


@pytest.fixture(scope="module")
def one_epoch(tmp_path_factory, environment):
    """One epoch of the five experiments that the book prints, four of which are there already."""
    output = tmp_path_factory.mktemp("reproduce")
    for name in MADE_UP:
        (job,) = experiments.jobs([name], [100], 1, "fast")
        record.append(output / "runs.jsonl", a_run(name, 100, num_epochs=1, settings=job.settings))
    done = call(
        environment,
        *[sys.executable, "-c", MEASURED, *COMMAND],
        *["reproduce", "--epochs", 1, "--seed", 100, "--net", "fast", "--workers", 2],
        *["--output", output],
    )
    assert done.returncode == 0, done.stderr
    return done, output, record.read(output / "runs.jsonl")


def test_reproduce_writes_records_and_the_sections_ten_figures(one_epoch):
    _, output, runs = one_epoch
    assert {(run.experiment, run.seed, run.num_epochs) for run in runs} == {
        (name, 100, 1) for name in PRINTED
    }
    assert {run.threads for run in runs} == {1}
    assert sorted(path.name for path in output.iterdir()) == [
        "11.15.1-constant-training.svg",
        "11.15.2-square-root-schedule.svg",
        "11.15.2-square-root-training.svg",
        "11.15.3.1-factor-schedule.svg",
        "11.15.3.2-multi-factor-schedule.svg",
        "11.15.3.2-multi-factor-training.svg",
        "11.15.3.3-cosine-schedule.svg",
        "11.15.3.3-cosine-training.svg",
        "11.15.3.4-cosine-warmup-schedule.svg",
        "11.15.3.4-cosine-warmup-training.svg",
        "runs.jsonl",
    ]


def test_reproduce_tells_of_every_epoch_where_there_is_no_terminal(one_epoch):
    done, output, runs = one_epoch
    first, *lines = done.stdout.splitlines()
    assert first == f"4 of 5 runs are in {output}/runs.jsonl already"
    for run in runs:
        line = f"{run.experiment}: epoch 1/1, test acc {run.final.test_acc:.3f}"
        assert (line in lines) == (run.experiment not in MADE_UP)
    assert re.fullmatch(r"\d+\n", done.stderr)  # the measured memory and nothing else


def test_reproduce_prints_the_table_in_the_chapters_order(one_epoch):
    done, output, runs = one_epoch
    finals = {run.experiment: run.final for run in runs}
    _, *rows, triple, last = done.stdout[done.stdout.index("section") :].splitlines()
    assert len(rows) == 5
    for line, name in zip(rows, PRINTED):
        final = finals[name]
        assert f" {name} " in line
        assert f"{final.train_loss:.3f}/{final.train_acc:.3f}/{final.test_acc:.3f}" in line
        assert "1 instead of 30 epochs" in line
    assert "0.307/0.887/0.882" in rows[1]
    assert triple == "Each triple: training loss, training accuracy, test accuracy, last epoch"
    assert last == f"All is in {output}/", "nothing compares runs of one epoch"


def test_run_gives_the_very_numbers_of_reproduce(one_epoch, tmp_path, environment):
    """Also where the user has not said how many threads, which bits depend on."""
    options = ("--epochs", 1, "--seed", 100, "--net", "fast", "--output", tmp_path)
    done = call(environment, *COMMAND, "run", "cosine", *options)
    assert done.returncode == 0, done.stderr
    (run,) = record.read(tmp_path / "runs.jsonl")
    (other,) = (run for run in one_epoch[2] if run.experiment == "cosine")
    assert run.threads == 1
    assert run.points == other.points
    assert replace(run.final, seconds=0) == replace(other.final, seconds=0)
    first, last, where = done.stdout.splitlines()
    assert first.startswith("epoch 1/1: train loss ")
    assert re.fullmatch(r"train loss \d\.\d{3}, train acc 0\.\d{3}, test acc 0\.\d{3}", last)
    assert where == f"All is in {tmp_path}/"
    assert {path.name for path in tmp_path.iterdir()} == {*COSINE, "runs.jsonl"}


def test_every_process_of_a_training_stays_under_500_mb(one_epoch):
    assert int(one_epoch[0].stderr.splitlines()[-1]) / 1024 < 500


def test_several_seeds_are_summed_up_and_the_first_is_drawn(made_up_runs, invoke, tmp_path):
    options = ("--experiment", "square-root", "--experiment", "cosine", "--epochs", 1, "--seed", 3)
    done = invoke("reproduce", *options, "--seeds", 2, "--output", tmp_path / "two")
    assert done.exit_code == 0, done.output
    assert "cosine, seed 4: done in " in done.output
    header, *rows = done.output[done.output.index("experiment") :].splitlines()
    numbers = ["train loss", "train acc", "test acc", "late oscillation"]
    assert re.split("  +", header.strip()) == ["experiment", "runs", "collapsed", *numbers]
    assert " 0.850 ± 0.071 " in rows[1]  # of 0.8 and 0.9
    invoke("reproduce", *options, "--output", tmp_path / "one")
    one, two = (
        {path.name: path.read_bytes() for path in (tmp_path / folder).glob("*.svg")}
        for folder in ("one", "two")
    )
    assert one == two
    assert one.keys() > COSINE


def test_runs_of_full_length_have_an_overview(made_up_runs, undrawn, invoke, tmp_path):
    done = invoke("reproduce", "--experiment", "cosine", "--output", tmp_path)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "overview.svg").exists()
    records = tmp_path / "runs.jsonl"
    assert done.output.splitlines()[-1] == (
        f"All is in {tmp_path}/; compare it by: d2l-lrsched verify --records {records}"
    )


@pytest.mark.parametrize(
    ("command", "made", "drawn"),
    [
        ("reproduce --experiment cosine", [], set()),
        ("run cosine", ["cosine"], {"overview.svg"}),  # of all seeds
    ],
)
def test_runs_of_unknown_experiments_are_passed_over(
    command, made, drawn, made_up_runs, undrawn, invoke, one_epoch, tmp_path
):
    """As `cat clipping.jsonl >> runs.jsonl`, or another version, leaves them; full length too."""
    records = tmp_path / "runs.jsonl"
    shutil.copy(one_epoch[1] / "runs.jsonl", records)
    for name in ("my-own", "pilot", "constant"):
        record.append(records, a_run(name, num_epochs=30))
    options = ("--epochs", 1, "--seed", 100, "--net", "fast", "--output", tmp_path)
    done = invoke(*command.split(), *options)
    assert done.exit_code == 0, done.output
    assert (
        f"Warning: {records}: 2 of 8 runs are passed over, of another release, order or split, or "
        "of unknown experiments or settings: my-own, pilot\n"
    ) in done.output
    assert [job.name for job in made_up_runs] == made
    assert made or f"1 of 1 runs are in {records} already\n" in done.output
    assert {path.name for path in tmp_path.glob("*.svg")} == COSINE | drawn


def test_where_nobody_reads_on_what_was_made_is_kept(tmp_path, environment):
    """As `d2l-lrsched reproduce | head -1`: 141, in a shell SIGPIPE's status.

    Nor do the workers' words, for want of their other streams, end up in the records.
    """
    reader, writer = os.pipe()
    os.close(reader)
    done = call(environment, "sh", "-c", f'{REPRODUCE_ONE} "$0" <&- 2>&-', tmp_path, stdout=writer)
    os.close(writer)
    assert done.returncode == 128 + signal.SIGPIPE
    assert pairs(tmp_path) == [("cosine", 0)]


def test_a_figure_that_cannot_be_written_costs_no_other_run(made_up_runs, invoke, tmp_path):
    """A folder is in the way of the first run's figure; the second is made all the same."""
    (tmp_path / "11.15.2-square-root-training.svg").mkdir()
    names = ("--experiment", "square-root", "--experiment", "cosine")
    done = invoke("reproduce", *names, "--epochs", 1, "--output", tmp_path)
    assert done.exit_code == 1
    assert done.output.endswith(
        f"Error: 1 of 2 runs failed: square-root: {tmp_path}/11.15.2-square-root-training.svg: Is "
        "a directory\n"
    )
    assert len(record.read(tmp_path / "runs.jsonl")) == 2
    assert (tmp_path / "11.15.3.3-cosine-training.svg").exists()
    assert not list(tmp_path.glob(".*"))


@pytest.mark.parametrize(("quiet", "display"), [([], "auto"), (["--quiet"], "none")])
def test_a_run_shows_its_epochs_or_nothing_and_says_how_it_goes_on(
    monkeypatch, few_images, invoke, tmp_path, quiet, display
):
    shown = []

    def run_job(job, place, display):
        shown.append(display)
        raise KeyboardInterrupt

    monkeypatch.setattr("d2l_lrsched.runs.job.run_job", run_job)
    done = invoke("run", "cosine", *quiet, "--output", tmp_path)
    assert (done.exit_code, shown) == (1, [display])
    assert done.output == (
        "Error: interrupted; the same command goes on from the last finished epoch\n"
    )


def test_the_help_names_every_experiment(invoke):
    """Listed twice, for help must not wait for MXNet."""
    helped = " ".join(invoke("run", "--help").output.split()).replace("- ", "-")  # lines broken
    named = re.search("NAME is (.*?[.])", helped)[1]
    assert re.findall(r"[a-z-]+(?=[,;.])", named) == list(experiments.EXPERIMENTS)


def test_quiet_is_quiet(few_images, invoke, tmp_path, capfd):
    done = invoke("run", "cosine", "--net=fast", "--epochs=1", "--quiet", "--output", tmp_path)
    assert (done.exit_code, done.output, capfd.readouterr().out) == (0, "", "")
    assert pairs(tmp_path) == [("cosine", 0)]


# --- killed, interrupted, out of space ------------------------------------------------------------


def descendants(pid):
    """The processes under `pid` that have loaded MXNet."""
    found = []
    with suppress(OSError):  # threads and processes come and go meanwhile
        for thread in Path(f"/proc/{pid}/task").iterdir():
            for child in map(int, (thread / "children").read_text().split()):
                found += descendants(child)
                of = Path(f"/proc/{child}")
                # One that is about to become a worker, or the tracker, still looks like `pid`.
                begun = b"spawn_main" in (of / "cmdline").read_bytes()
                if begun and "libmxnet" in (of / "maps").read_text():
                    found.append(child)
    return found


def is_alive(pid):
    """Whether the process runs; one that has ended may wait as a zombie for its parent."""
    status = Path(f"/proc/{pid}/stat")
    with suppress(OSError):
        return status.read_text().rpartition(")")[2].split()[0] != "Z"
    return False


def wait_for(condition, seconds=180):
    """Return what the condition gives as soon as it is true."""
    deadline = time.monotonic() + seconds
    while not (found := condition()):
        assert time.monotonic() < deadline
        time.sleep(0.1)
    return found


def workers_of(process, number=1):
    """Wait until so many workers have loaded MXNet; return them."""
    return wait_for(lambda: len(found := descendants(process.pid)) >= number and found)


@pytest.fixture
def start(environment, tmp_path):
    """Return a function that starts runs of the fast net, each in a worker."""

    started = []

    def start(*names, epochs):
        options = ["--net", "fast", "--workers", "2", "--epochs", str(epochs)]
        process = subprocess.Popen(
            [
                *[*COMMAND, "reproduce", *options, "--output", str(tmp_path)],
                *(argument for name in names for argument in ("--experiment", name)),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environment,
            start_new_session=True,
        )
        started.append(process)
        return process

    yield start
    for process in started:
        with process, suppress(OSError):  # of those that have ended, as all should have
            os.killpg(process.pid, signal.SIGKILL)


def pairs(output):
    return sorted((run.experiment, run.seed) for run in record.read(output / "runs.jsonl"))


def test_two_runners_on_one_store_of_which_one_loses_its_worker(
    tmp_path, start, made_up_runs, invoke
):
    """The other stores the same run meanwhile; it is stored once, second attempt or not."""
    process = start("cosine", epochs=3)
    (worker,) = workers_of(process)
    os.kill(worker, signal.SIGKILL)
    other = "reproduce --net fast --experiment cosine --epochs 3 --output"
    assert invoke(*other.split(), tmp_path).exit_code == 0
    assert len(made_up_runs) == 1, "there was none yet"
    warning = "Warning: cosine, seed 0: its process died (exit code -9); it is tried again\n"
    assert process.communicate(timeout=300)[1] == warning
    assert process.returncode == 0
    assert pairs(tmp_path) == [("cosine", 0)]
    assert not (tmp_path / "checkpoints").exists()


@pytest.mark.parametrize(
    ("how", "names"),
    [(signal.SIGINT, ["constant", "cosine"]), (signal.SIGTERM, ["cosine"])],
)
def test_an_interruption_stops_everything_and_says_how_to_go_on(tmp_path, start, how, names):
    process = start(*names, epochs=99)
    workers = workers_of(process, len(names))
    os.killpg(process.pid, how)  # all of them, as a terminal does with Ctrl-C
    _, err = process.communicate(timeout=180)
    said = (
        f"Error: interrupted; 0 of {len(names)} runs are in {tmp_path}/runs.jsonl; the same "
        "command goes on from the last finished epochs\n"
    )
    assert (err, process.returncode) == (said, 1)
    assert not any(Path(f"/proc/{pid}").exists() for pid in workers)


def test_ctrl_c_while_the_workers_start(tmp_path, start):
    process = start("constant", "cosine", epochs=1)
    children = Path(f"/proc/{process.pid}/task/{process.pid}/children")
    wait_for(lambda: (tmp_path / "runs.jsonl").exists() and children.read_text())
    os.killpg(process.pid, signal.SIGINT)
    _, err = process.communicate(timeout=180)
    assert process.returncode == 1
    assert re.fullmatch(r"Error: interrupted; .*\n", err)


def epochs_in(checkpoint):
    """The number of epochs that it holds; None while there is none."""
    if not checkpoint.exists():
        return None
    with numpy.load(checkpoint) as content:
        return len(msgspec.json.decode(str(content["history"]), type=History).epochs)


def test_what_is_chosen_is_asked_for_and_told(made_up_runs, undrawn, invoke, tmp_path):
    """And runs without it are others: they are told of, and not drawn or judged beside it."""
    command = ("reproduce", "--experiment", "cosine", "--epochs", 1, "--output", tmp_path)
    assert invoke(*command).exit_code == 0
    done = invoke(*command, "--order", 7, "--split", 0)
    assert done.exit_code == 0, done.output
    assert [job.chosen for job in made_up_runs] == [{}, {"order": 7, "split": 0}]
    assert "1 of 1 runs are passed over" in done.output
    assert "order 7, split 0" in done.output
    assert invoke("verify", "--records", tmp_path / "runs.jsonl").exit_code == 1


def test_a_killed_parent_leaves_no_worker_and_its_run_goes_on(
    tmp_path, start, made_up_runs, invoke
):
    """kill -9 of the parent: the worker ends with it, and the same command takes over.

    That the run ends as one that was never interrupted is `test_runner`'s.
    """
    process = start("multi-factor", epochs=40)
    (worker,) = workers_of(process)
    checkpoint = tmp_path / "checkpoints" / "multi-factor-seed-0-40-epochs-lanes.npz"
    wait_for(lambda: epochs_in(checkpoint))
    process.kill()
    process.communicate()
    before = epochs_in(checkpoint)
    wait_for(lambda: not is_alive(worker))
    assert epochs_in(checkpoint) <= before + 2 < 40  # one more, and one while we looked
    assert pairs(tmp_path) == []
    again = "reproduce --net fast --experiment multi-factor --epochs 40 --output"
    done = invoke(*again.split(), tmp_path)
    assert done.output.startswith("1 of 1 runs go on from their last finished epoch\n")


REPRODUCE_ONE = (
    f"{shlex.join(COMMAND)} reproduce --experiment cosine --net fast --epochs 1 --output"
)


def test_a_full_disk_is_named_and_the_result_shown(tmp_path, environment):
    """With neither checkpoint nor record; the disk is a small one, mounted for this."""
    mount = 'mount -t tmpfs -o size=128k tmpfs "$0"'
    enter = ("unshare", "--map-root-user", "--mount", "sh", "-ec")
    if not shutil.which("unshare") or call(environment, *enter, mount, tmp_path).returncode:
        pytest.skip("needs unshare(1) and the right to mount a tmpfs in it")
    fill = 'cat /dev/zero > "$0/full" 2>/dev/null || true'
    script = f'{mount}\ntouch "$0/runs.jsonl"\n{fill}\n{REPRODUCE_ONE} "$0"'
    done = call(environment, *enter, script, tmp_path)
    assert done.returncode == 1
    *warnings, error = done.stderr.splitlines()
    assert warnings
    no_space = r"\(No space left on device\)"
    checkpoint = rf"Warning: cosine, seed 0: .*\.npz: no checkpoint written {no_space}"
    assert all(re.fullmatch(checkpoint, line) for line in warnings)
    stored = rf"cosine: {tmp_path}/runs\.jsonl: cannot be written {no_space}"
    assert re.match(rf"Error: .*{stored}", error)
    assert re.search(r"11\.15\.3\.3 +cosine +0\.362/0\.870/0\.848 +\d", done.stdout)


# --- on a Dask cluster ----------------------------------------------------------------------------


@pytest.fixture
def cluster(tmp_path, environment):
    """A real scheduler and two workers on loopback: its address, their processes, its process."""
    dask = [sys.executable, "-m", "dask"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    address = f"tcp://127.0.0.1:{port}"
    scheduler = ["scheduler", "--host", "127.0.0.1", "--port", str(port), "--no-dashboard"]
    worker = ["worker", address, "--nthreads", "1", "--no-dashboard"]
    worker += ["--preload", small_data.__file__, "--local-directory"]
    processes = []

    def start(name, *arguments):
        with open(tmp_path / f"{name}.log", "wb") as log:
            processes.append(
                subprocess.Popen(
                    [*dask, *arguments],
                    stdout=log,
                    stderr=log,
                    env=environment,
                    start_new_session=True,
                )
            )
        return processes[-1]

    leader = start("scheduler", *scheduler)
    workers = [start(name, *worker, str(tmp_path / name)) for name in ("one", "two")]
    yield address, workers, leader
    for process in processes:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()


def test_a_cluster_loses_a_worker_and_no_record_and_then_its_scheduler(
    cluster, tmp_path, invoke, capfd
):
    """One worker is killed as soon as one run is stored; what was finished stays, to the end."""
    address, workers, scheduler = cluster
    output = tmp_path / "out"
    records = output / "runs.jsonl"
    command = ("reproduce", "--net", "fast", "--dask", address, "--output", output)
    names = ("--experiment", "cosine", "--experiment", "square-root")

    def lose_a_worker():
        wait_for(lambda: records.exists() and records.read_bytes())
        os.killpg(workers[0].pid, signal.SIGKILL)  # with its nanny, which would start another

    def lose_the_scheduler():
        wait_for((output / "checkpoints").exists)
        scheduler.kill()

    with ThreadPoolExecutor() as meanwhile:
        lost = meanwhile.submit(lose_a_worker)
        done = invoke(*command, "--epochs", "3", "--seeds", "2", *names)
    assert lost.exception() is None
    assert (done.exit_code, capfd.readouterr().err) == (0, "")
    asked = [(name, seed) for name in ("cosine", "square-root") for seed in range(2)]
    assert pairs(output) == asked
    assert {run.threads for run in record.read(records)} == {1}
    assert "The cluster's dashboard, if it has one: http://127.0.0.1:" in done.output
    for name, seed in asked:
        for line in (*(f"epoch {epoch}/3, test acc 0." for epoch in (1, 2, 3)), "done in "):
            assert f"\n{name}, seed {seed}: {line}" in done.output
    assert not (output / "checkpoints").exists()

    with ThreadPoolExecutor() as meanwhile:
        lost = meanwhile.submit(lose_the_scheduler)
        done = invoke(*command, "--epochs", "200", "--seeds", "3", "--experiment", "cosine")
    assert lost.exception() is None
    assert done.exit_code == 1
    (error,) = (line for line in done.output.splitlines() if line.startswith("Error: "))
    said = error.removeprefix("Error: 3 of 3 runs failed: ").split("; ")
    assert all(re.match(r"cosine, seed \d: .*scheduler", each) for each in said)
    # The one that waited; which is told of last is a matter of chance.
    assert "cosine, seed 2: the connection to the scheduler is lost" in said
    assert pairs(output) == asked


def test_no_scheduler_answers(monkeypatch, invoke, tmp_path):
    monkeypatch.setattr(making, "CONNECT_SECONDS", 0.5)
    done = invoke("reproduce", "--dask", "tcp://127.0.0.1:9", "--output", tmp_path)
    assert done.exit_code == 1
    assert done.output == (
        "Error: no Dask scheduler answers at tcp://127.0.0.1:9; start one with: dask scheduler\n"
    )
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--dask", "nonsense://x"], "--dask nonsense://x: no address of a scheduler"),
        (["--dask", ""], "--dask must be the address of a scheduler"),
        (
            ["--dask", "tcp://127.0.0.1:9", "--workers", "2"],
            "--workers is for runs on this machine",
        ),
        (["--seed", str(2**32 - 1), "--seeds", "2"], "--seeds 2 from 4294967295 on goes beyond"),
        (["--experiment", "cosin"], "unknown experiment 'cosin'; the known ones are: constant, "),
        (["--output", ""], "must not be empty"),
        (["--epochs", "two"], "Invalid value for '--epochs'"),
    ],
)
def test_what_cannot_be_meant_is_a_usage_error(invoke, tmp_path, monkeypatch, arguments, message):
    monkeypatch.chdir(tmp_path)
    done = invoke("reproduce", *arguments)
    assert done.exit_code == 2
    assert message in done.output
    assert list(tmp_path.iterdir()) == []


# --- found before any training --------------------------------------------------------------------


@pytest.fixture
def no_training(monkeypatch, few_images):
    monkeypatch.setattr("d2l_lrsched.runs.job.run_job", None)
    monkeypatch.setattr(executors, "LocalProcesses", None)


@pytest.mark.parametrize("command", ["run constant", "reproduce"])
def test_an_output_that_cannot_be_written(no_training, invoke, tmp_path, command):
    (tmp_path / "file").write_text("")
    done = invoke(*command.split(), "--output", tmp_path / "file" / "figures")
    assert done.exit_code == 1
    assert done.output == f"Error: {tmp_path}/file/figures: Not a directory\n"


@pytest.mark.parametrize("command", ["run constant", "reproduce"])
def test_a_damaged_record_is_named(no_training, invoke, tmp_path, command):
    (tmp_path / "runs.jsonl").write_text("{}\n")
    done = invoke(*command.split(), "--output", tmp_path)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {tmp_path}/runs.jsonl, line 1: no Run")
    assert (tmp_path / "runs.jsonl").read_text() == "{}\n"


def test_names_given_twice_run_once():
    assert cli_run._known(("cosine", "cosine")) == ("cosine",)
    with pytest.raises(click.UsageError, match="cosine-warmup-per-epoch"):
        cli_run._known(("cosine", "nine"))
