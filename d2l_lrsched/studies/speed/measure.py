"""The benchmark: the book's loop, ours and PyTorch's take turns, an epoch each, for some rounds.

Only ratios within a round are compared: what slows the machine down slows its neighbours too.
"""

from __future__ import annotations

import importlib.util
import json
import os
import subprocess
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from datetime import datetime, timezone
from importlib.metadata import version
from pathlib import Path

import msgspec

from d2l_lrsched.runs import executors, provenance
from d2l_lrsched.studies.speed.epochs import EXTRAS, LEARNING_RATE
from d2l_lrsched.studies.speed.profile import operations
from d2l_lrsched.studies.speed.record import Benchmark, Contender, Measured, Profile

EPOCHS = (sys.executable, "-W", "ignore", "-m", "d2l_lrsched.studies.speed.epochs")
START_UPS = {
    "d2l-lrsched --help": ("-m", "d2l_lrsched", "--help"),
    "import d2l_lrsched": ("-c", "import d2l_lrsched"),
    "import mxnet": ("-W", "ignore", "-c", "import mxnet"),
}
#: Makes the fast net; the first of them has nothing compiled yet.
FIRST_AND_LATER = ("fast_lenet(), first", "fast_lenet()")
FAST_NET = ("-W", "ignore", "-c", "import d2l_lrsched; d2l_lrsched.fast_lenet()")
#: The command that trains the chapter's runs; it is timed once.
REPRODUCE = ("-m", "d2l_lrsched", "reproduce", "--net", "fast")
RUNS_AT_ONCE = (1, 5)
PROFILED = ("chapter", "lanes")
#: Of every extra, in every round. Processes differ by more than an extra takes, so these are epochs
#: of one process, one after the other.
PAIRS = 2
CHAPTER_RUNS = 5  # of the chapter's text


class BenchError(RuntimeError):
    """A process of the benchmark ended before its time."""


def last_round(runs: int, cores: int) -> int:
    """Return how many of the runs share the cores at the end; see `LocalProcesses.at_once`."""
    return runs if runs < cores else cores + runs % cores


def contenders(cores: int) -> list[Contender]:
    """Return all that can take part here, on so many cores."""
    last = last_round(CHAPTER_RUNS, cores)
    listed = [
        Contender("the book's loop, as a reader runs it", "book", threads=None),
        Contender("the book's loop, 1 thread", "book"),
    ]
    for kind, name in (("chapter", "ours, chapter's net"), ("lanes", "ours, fast net")):
        listed += [
            Contender(name, kind),
            Contender(f"{name}, {cores} at once", kind, copies=cores),
        ]
    listed += [
        Contender(f"ours, fast net, {last} at once", "lanes", copies=last),
        Contender("matrix product", "matrix product"),
    ]
    if importlib.util.find_spec("torch"):
        for kind in ("PyTorch", "PyTorch, channels last", "PyTorch, compiled"):
            listed += [
                Contender(f"{kind}, 1 thread", kind),
                Contender(f"{kind}, {cores} threads", kind, threads=cores),
                Contender(f"{kind}, {cores} at once", kind, copies=cores),
            ]
    # On one core some are the same: the first of the same stays.
    return list({(c.kind, c.threads, c.copies): c for c in reversed(listed)}.values())[::-1]


class _Process:
    """A process of `epochs`, waiting to be asked."""

    def __init__(self, contender: Contender, data_dir: str) -> None:
        self._contender = contender
        self._process = subprocess.Popen(
            [*EPOCHS, contender.kind, data_dir],
            env=_environment(contender.threads),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
        )
        self._read()

    def ask(self, extra: str = "") -> None:
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # `answer` will say that it has ended
            self._process.stdin.write(f"{extra}\n")
            self._process.stdin.flush()

    def answer(self) -> dict[str, float]:
        return json.loads(self._read())

    def _read(self) -> str:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            code = self._process.wait()
            raise BenchError(f"{self._contender.name}: its process ended with exit code {code}")
        return line

    def end(self) -> None:
        self._process.kill()
        self._process.communicate()


def _environment(threads: int | None, **more: str) -> dict[str, str]:
    names = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")
    environment = {k: v for k, v in os.environ.items() if k not in names}
    if threads is not None:
        environment.update(dict.fromkeys(names, str(threads)))
    return {**environment, "MPLBACKEND": "agg", **more}


@contextmanager
def _processes(
    listed: list[Contender], data_dir: str
) -> Iterator[dict[tuple[str, int | None], list[_Process]]]:
    """Start as many processes of each kind and number of threads as any contender needs."""
    with ExitStack() as stack:
        started: dict[tuple[str, int | None], list[_Process]] = defaultdict(list)
        for contender in listed:
            team = started[contender.kind, contender.threads]
            while len(team) < contender.copies:
                team.append(_Process(contender, data_dir))
                stack.callback(team[-1].end)
        yield started


def _turn(team: list[_Process], extra: str = "") -> tuple[float, float]:
    """Return the seconds for an epoch of each, all at once, and the largest peak memory."""
    start = time.perf_counter()
    for process in team:
        process.ask(extra)
    answers = [process.answer() for process in team]
    return time.perf_counter() - start, max(answer["peak_mb"] for answer in answers)


def measure(data_dir: str, cores: int, rounds: int, on_turn: Callable[[str], None]) -> Benchmark:
    """Run the whole benchmark and return its record; `on_turn` is told what is measured next.

    Every process trains an epoch first, which warms it up and is not counted.

    Raises
    ------
    BenchError
        If a process dies.
    """
    listed = contenders(cores)
    seconds: dict[str, list[float]] = defaultdict(list)
    start_ups: dict[str, list[float]] = defaultdict(list)
    runs_at_once: dict[str, list[float]] = defaultdict(list)
    extras: dict[str, list[tuple[float, float]]] = defaultdict(list)
    # Of one training, as a run does: each more would leave some megabytes with MXNet.
    peak_mb: dict[tuple[str, int | None], float] = {}
    started = datetime.now(timezone.utc).isoformat(timespec="seconds")
    versions = provenance.versions()
    if importlib.util.find_spec("torch"):
        versions["torch"] = version("torch")
    with _processes(listed, data_dir) as processes:
        for (kind, threads), team in processes.items():
            on_turn(f"warming up: {kind}, {threads or 'any'} thread{'s' * (threads != 1)}")
            peak_mb[kind, threads] = _turn(team)[1]
        for turn in range(1, rounds + 1):
            for c in listed:
                on_turn(f"round {turn} of {rounds}: {c.name}")
                seconds[c.name].append(_turn(processes[c.kind, c.threads][: c.copies])[0])
            alone = processes["lanes", 1][:1]
            for extra in EXTRAS:
                on_turn(f"round {turn} of {rounds}: fast net, {extra}")
                for _ in range(PAIRS):
                    plain, with_extra = (_turn(alone, one)[0] for one in ("", extra))
                    extras[extra].append((plain, with_extra))
    for turn in range(1, rounds + 1):
        for name, arguments in START_UPS.items():
            on_turn(f"round {turn} of {rounds}: {name}")
            start_ups[name].append(_start_up(arguments))
        with tempfile.TemporaryDirectory() as cache:
            for name in FIRST_AND_LATER:
                on_turn(f"round {turn} of {rounds}: {name}")
                start_ups[name].append(_start_up(FAST_NET, NUMBA_CACHE_DIR=cache))
        for runs in RUNS_AT_ONCE:
            on_turn(f"round {turn} of {rounds}: {runs} runs of one epoch")
            runs_at_once[str(runs)].append(_runs(runs, cores, data_dir))
    with tempfile.TemporaryDirectory() as output:
        name = "d2l-lrsched reproduce --net fast"
        on_turn(f"once: {name}")
        options = ("--workers", str(cores), "--data-dir", data_dir, "--output", output)
        start_ups[name].append(_start_up((*REPRODUCE, *options)))
    profiles = {}
    for kind in PROFILED:
        on_turn(f"profile: {kind}")
        profiles[kind] = profile(kind, data_dir)
    return Benchmark(
        started=started,
        versions=versions,
        processor=provenance.processor(),
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30, 1),
        cores=cores,
        rounds=rounds,
        contenders=[
            Measured(
                **msgspec.structs.asdict(c),
                seconds=seconds[c.name],
                peak_mb=peak_mb[c.kind, c.threads],
            )
            for c in listed
        ],
        extras=dict(extras),
        start_ups=dict(start_ups),
        runs_at_once=dict(runs_at_once),
        profiles=profiles,
    )


def _start_up(arguments: tuple[str, ...], **environment: str) -> float:
    command, devnull = [sys.executable, *arguments], subprocess.DEVNULL
    start = time.perf_counter()
    code = subprocess.call(command, stdout=devnull, env={**os.environ, **environment})
    if code:
        raise BenchError(f"python {' '.join(arguments)} ended with exit code {code}")
    return time.perf_counter() - start


def _runs(runs: int, cores: int, data_dir: str) -> float:
    """Return the seconds of so many whole runs of one epoch, start-up included."""
    from d2l_lrsched.runs.experiment import Experiment
    from d2l_lrsched.runs.job import Job
    from d2l_lrsched.runs.runner import Failure, run

    one = Experiment("speed", "", learning_rate=LEARNING_RATE, num_epochs=1, net="lanes")
    jobs = [Job(one, seed) for seed in range(runs)]
    start = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder, executors.LocalProcesses(cores) as executor:
        for result in run(jobs, executor, Path(folder, "runs.jsonl"), data_dir=data_dir):
            if isinstance(result, Failure):
                raise BenchError(f"a run failed: {result.reason}")
    return time.perf_counter() - start


def profile(kind: str, data_dir: str) -> Profile:
    """Return where the seconds of one epoch of one thread go."""
    done = subprocess.run(
        [*EPOCHS, kind, data_dir],
        env=_environment(1, DNNL_VERBOSE="1"),
        input="\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        check=False,
    )
    if done.returncode:
        raise BenchError(f"profile of {kind}: its process ended with exit code {done.returncode}")
    (answer,) = (line for line in done.stdout.splitlines() if line.startswith("{"))
    return Profile(json.loads(answer)["seconds"], operations(done.stdout))
