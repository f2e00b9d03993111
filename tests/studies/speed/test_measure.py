from __future__ import annotations

import sys
from collections import Counter
from concurrent.futures import Future
from contextlib import nullcontext

import psutil  # which distributed brings along
import pytest

from d2l_lrsched.runs import record, runner
from d2l_lrsched.studies.speed import measure
from d2l_lrsched.studies.speed.record import Benchmark, Contender, Operation, Profile

# A process of the benchmark that takes no time: 2 s an epoch, it says.
STUB = """
import json, os, sys
print("ready", flush=True)
for epoch, line in enumerate(sys.stdin, start=1):
    with open(__file__ + ".asked", "a") as asked:
        print(sys.argv[1], line, end="", file=asked)
    if line == "bar\\n" and os.environ.get("STUB_DIES"):
        sys.exit(3)
    if os.environ.get("DNNL_VERBOSE"):
        print("dnnl_verbose,info,oneDNN v2.4.4")
        print("dnnl_verbose,exec,cpu,convolution,x64:gemm:jit,backward_weights,"
              "src_f32::blocked:abcd:f0,,alg:convolution_direct,mb256_ic1oc6,9.25", flush=True)
    threads = os.environ.get("OMP_NUM_THREADS"), os.environ.get("OPENBLAS_NUM_THREADS")
    answer = {"seconds": 2.0, "peak_mb": 100.0 + epoch, "argv": sys.argv[1:], "threads": threads}
    print(json.dumps(answer), flush=True)
"""

# What is compiled once: what it found in the cache, it writes down.
FAST_NET = """
import os, tempfile
cache = os.environ["NUMBA_CACHE_DIR"]
with open(__file__ + ".found", "a") as found:
    print(len(os.listdir(cache)), file=found)
tempfile.mkdtemp(dir=cache)
"""


@pytest.fixture
def stub(tmp_path, monkeypatch):
    path = tmp_path / "stub.py"
    path.write_text(STUB)
    monkeypatch.setattr(measure, "EPOCHS", (sys.executable, str(path)))
    monkeypatch.setattr(measure, "START_UPS", {"python": ("-c", "pass")})
    (tmp_path / "fast_net.py").write_text(FAST_NET)
    (tmp_path / "reproduce.py").write_text(
        "import sys; print(sys.argv[1:], file=open(__file__ + '.asked', 'a'))"
    )
    monkeypatch.setattr(measure, "FAST_NET", (str(tmp_path / "fast_net.py"),))
    monkeypatch.setattr(measure, "REPRODUCE", (str(tmp_path / "reproduce.py"),))
    monkeypatch.setattr(measure, "RUNS_AT_ONCE", (1, 3))
    monkeypatch.setattr(runner, "run", lambda jobs, *where, **settings: iter(jobs))
    monkeypatch.setattr(measure.importlib.util, "find_spec", lambda name: None)


@pytest.mark.parametrize(
    ("runs", "cores", "last"), [(5, 1, 1), (5, 2, 3), (5, 3, 5), (5, 8, 5), (9, 4, 5), (4, 2, 2)]
)
def test_the_last_round_is_that_of_the_runner(runs, cores, last):
    assert measure.last_round(runs, cores) == last


def test_contenders_have_names_and_arrangements_of_their_own(monkeypatch):
    for torch in (None, object()):
        monkeypatch.setattr(measure.importlib.util, "find_spec", lambda name, torch=torch: torch)
        for cores in (1, 2, 4, 16):
            listed = measure.contenders(cores)
            assert len({c.name for c in listed}) == len(listed)
            assert len({(c.kind, c.threads, c.copies) for c in listed}) == len(listed)
            assert ("PyTorch" in {c.kind for c in listed}) == bool(torch)
            books = [(c.threads, c.copies) for c in listed if c.kind == "book"]
            assert books == [(None, 1), (1, 1)]


def test_measure_warms_every_process_up_and_then_asks_every_copy_once_a_round(stub, tmp_path):
    told = []
    made = measure.measure("/data", cores=2, rounds=2, on_turn=told.append)
    listed = measure.contenders(2)
    assert [c.name for c in made.contenders] == [c.name for c in listed]
    for c in made.contenders:
        assert len(c.seconds) == 2
        assert c.peak_mb == 101.0  # after one epoch
    assert told[:2] == ["warming up: book, any threads", "warming up: book, 1 thread"]
    assert len(made.start_ups["python"]) == 2
    assert {name: len(made.start_ups[name]) for name in measure.FIRST_AND_LATER} == dict.fromkeys(
        ("fast_lenet(), first", "fast_lenet()"), 2
    )
    assert (tmp_path / "fast_net.py.found").read_text().split() == ["0", "1", "0", "1"]
    assert len(made.start_ups["d2l-lrsched reproduce --net fast"]) == 1
    (asked,) = (tmp_path / "reproduce.py.asked").read_text().splitlines()
    assert asked.startswith("['--workers', '2', '--data-dir', '/data', '--output', '")
    assert set(made.runs_at_once) == {"1", "3"}
    assert (made.cores, made.rounds) == (2, 2)
    asked = Counter({"chapter ": 1, "lanes ": 1})  # by the profiles
    for c in listed:
        asked[f"{c.kind} "] += 2 * c.copies
    asked += {"book ": 2, "chapter ": 2, "lanes ": 3, "matrix product ": 1}  # to warm up
    for extra in ("bar", "checkpoint", "clipping"):  # two pairs in each of two rounds
        asked[f"lanes {extra}"] += 4
        asked["lanes "] += 4
        assert made.extras[extra] == [(pytest.approx(0, abs=1), pytest.approx(0, abs=1))] * 4
    assert Counter((tmp_path / "stub.py.asked").read_text().splitlines()) == asked
    record.append(tmp_path / "rounds.jsonl", made)
    assert record.read(tmp_path / "rounds.jsonl", Benchmark) == [made]


def test_threads_are_set_for_both_libraries_or_left_to_them(stub, monkeypatch):
    monkeypatch.setenv("OMP_NUM_THREADS", "7")
    for threads, seen in ((1, ["1", "1"]), (None, [None, None])):
        process = measure._Process(Contender("c", "book", threads), "/data")
        process.ask()
        answer = process.answer()
        process.end()
        assert answer["threads"] == seen
        assert answer["argv"] == ["book", "/data"]


def test_a_profile_is_what_one_dnn_tells(stub):
    operation = Operation("convolution", "backward_weights", "gemm:jit", 0.0092)
    assert measure.profile("chapter", "/data") == Profile(2.0, [operation])


def test_runs_at_once_are_epochs_of_the_fast_net(monkeypatch):
    asked = []

    class Executor(nullcontext):
        retries = 0

        def at_once(self, left):
            return left

        def submit(self, make, job, *arguments):
            asked.append((job.settings["net"], job.length, job.seed))
            future = Future()
            future.set_result((runner.Failure(job, "no data"), []))
            return future

    monkeypatch.setattr(measure.executors, "LocalProcesses", lambda cores: Executor(Executor()))
    with pytest.raises(measure.BenchError, match="a run failed: no data"):
        measure._runs(3, 2, "/data")
    assert asked == [("lanes", 1, 0), ("lanes", 1, 1), ("lanes", 1, 2)]


def test_a_start_up_that_fails_is_named(stub, monkeypatch):
    monkeypatch.setattr(measure, "START_UPS", {"broken": ("-c", "import sys; sys.exit(4)")})
    with pytest.raises(
        measure.BenchError, match=r"^python -c import sys; .* ended with exit code 4$"
    ):
        measure.measure("/data", 1, 1, lambda turn: None)


def test_a_process_that_dies_is_named(stub, monkeypatch):
    monkeypatch.setenv("STUB_DIES", "1")
    with pytest.raises(measure.BenchError, match="fast net: its process ended with exit code 3"):
        measure.measure("/data", cores=2, rounds=1, on_turn=lambda turn: None)


def test_no_process_is_left(stub):
    before = psutil.Process().children()
    measure.measure("/data", cores=1, rounds=1, on_turn=lambda turn: None)
    assert set(psutil.Process().children()) <= set(before)
