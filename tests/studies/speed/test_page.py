from __future__ import annotations

import re

import pytest

from d2l_lrsched import drawing
from d2l_lrsched.studies.speed import page as bench_report
from d2l_lrsched.studies.speed import profile as bench_profile

# Seconds for an epoch of all copies, in two rounds; the second round is twice as slow throughout,
# so that every ratio within a round is the same in both.
SECONDS = {
    ("book", None, 1): 24.0,
    ("book", 1, 1): 20.0,
    ("chapter", 1, 1): 16.0,
    ("same-bits", 1, 1): 12.5,
    ("same-bits", 1, 2): 14.0,
    ("same-bits", 1, 3): 21.0,
    ("fast", 1, 1): 8.0,
    ("fast", 1, 2): 10.0,
    ("fast", 1, 3): 15.0,
    ("fast, bar", 1, 1): 8.08,
    ("fast, checkpoint", 1, 1): 8.16,
    ("fast, clipping", 1, 1): 8.24,
    ("matrix product", 1, 1): bench_profile.PRODUCT_OPERATIONS / 50e9,
    ("PyTorch", 1, 1): 13.0,
    ("PyTorch", 1, 2): 14.0,
    ("PyTorch", 2, 1): 5.5,
}


def contender(kind, threads, copies, seconds):
    return {
        "name": f"{kind} {threads} {copies}",
        "kind": kind,
        "threads": threads,
        "copies": copies,
        "seconds": [seconds, 2 * seconds],
        "peak_mb": 390.4 if kind == "fast" else 600.0,
    }


@pytest.fixture
def record():
    fast = [["convolution", "forward", "jit:avx2", 3.0], ["reorder", "", "simple:any", 0.01]]
    chapter = [["convolution", "forward", "gemm:jit", 8.0], ["pooling", "forward", "ref", 4.0]]
    return {
        "started": "2026-11-21T10:00:00+00:00",
        "versions": {"python": "3.11.7", "mxnet": "1.9.1"},
        "processor": "A processor",
        "memory_gb": 8.0,
        "cores": 2,
        "rounds": 2,
        "contenders": [contender(*key, seconds) for key, seconds in SECONDS.items()],
        "start_ups": {"d2l-lrsched --help": [0.2, 0.3], "import mxnet": [1.0, 2.0]},
        "runs_at_once": {"1": [10.0, 12.0], "2": [12.0, 14.0]},
        "profiles": {
            "chapter": {"seconds": 16.0, "operations": chapter},
            "fast": {"seconds": 8.0, "operations": fast},
        },
    }


def measured(record):
    return {row[0]: row[2:] for row in bench_report.target_rows(record)}


def test_every_target_is_judged_by_ratios_within_a_round(record):
    memory = 600.0  # of the chapter's net
    assert list(measured(record).values()) == [
        ("1.60 times", "1.60-1.60", "met"),  # 20 / 12.5
        ("3.43 times", "3.43-3.43", "met"),  # 5 * 24 / (14 + 21): two runs at once, then three
        ("4.80 times", "4.80-4.80", "met"),  # 5 * 24 / (10 + 15)
        ("1.10 times", "1.10-1.10", "missed"),  # 5.5 with two threads, against 10 / 2
        (f"{memory:.0f} MB", "600-600", "missed"),
        ("0.25 s", "0.20-0.30", "met"),
    ]
    assert "our fastest against PyTorch written plainly at its best (PyTorch 2 1)" in measured(
        record
    )


def test_both_layouts_of_pytorch_are_told(record):
    record["contenders"].append(contender("PyTorch, channels last", 1, 2, 12.0))
    row = measured(record)[
        "our fastest against PyTorch with channels last at its best (PyTorch, channels last 1 2)"
    ]
    assert row == ("1.20 times", "1.20-1.20", "met")  # 6 against 5


def test_on_many_cores_the_chapter_is_one_round(record):
    record["cores"] = 3
    record["contenders"].append(contender("fast", 1, 5, 30.0))
    assert bench_report._chapter_seconds(record, "fast") == [30.0, 60.0]


def test_without_pytorch_nothing_is_said_of_it(record):
    record["contenders"] = [c for c in record["contenders"] if c["kind"] != "PyTorch"]
    assert len(bench_report.target_rows(record)) == 5
    assert "PyTorch" not in bench_report.as_markdown(record)


def test_contenders_are_told_by_run(record):
    rows = {row[0]: row[1:] for row in bench_report.contender_rows(record)}
    # Median of 7 and 14 s a run, 24 / 7 times the book's; 144.17 GFLOP in 10.5 s on each of
    # two cores' 37.5 GFLOP/s peak (the median of 50 and 25 is that of the seconds: 33.3).
    seconds, spread, times, share, peak = rows["same-bits 1 2"]
    assert (seconds, spread, times, peak) == ("10.50", "7.00-14.00", "3.43", "600")
    assert share == f"{144.1656 / 10.5 / 2 / (50 / 1.5):.0%}"
    assert rows["matrix product 1 1"][3] == "33 GFLOP/s"
    assert rows["book None 1"][2] == "1.00"


def test_bar_checkpoint_and_clipping_cost_their_ratios(record):
    rows = dict(bench_report.other_rows(record))
    assert rows["progress bar, of an epoch of the fast net"] == "+1.0%"
    assert rows["checkpoint, of an epoch of the fast net"] == "+2.0%"
    assert rows["clipping, of an epoch of the fast net"] == "+3.0%"
    assert rows["`import mxnet`"] == "1.50 s"
    assert rows["1 run of one epoch, fast net, start-up included"] == "11.0 s"
    assert rows["2 runs of one epoch, fast net, start-up included"] == "13.0 s"


def test_a_profile_adds_up(record):
    assert bench_report.profile_rows(record) == [
        ("convolution forward", "gemm:jit", "8.00", "0.00"),
        ("pooling forward", "ref", "4.00", "0.00"),
        ("convolution forward", "jit:avx2", "0.00", "3.00"),
        ("the rest of oneDNN", "", "0.00", "0.01"),
        ("outside oneDNN", "", "4.00", "4.99"),
        ("an epoch", "", "16.00", "8.00"),
    ]


def test_the_page_holds_every_table_whole(record):
    page = bench_report.as_markdown(record)
    assert "2 cores of A processor with 8.0 GiB of memory; python 3.11.7, mxnet 1.9.1." in page
    for table in re.findall(r"(?:^\|.*\n)+", page, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert page.count("| --- |") >= 5


def test_the_figure_shows_every_loop_in_order(record, tmp_path):
    figure = bench_report.bench_figure(record)
    (axes,) = figure.axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [c["name"] for c in record["contenders"] if c["kind"] != "matrix product"]
    assert [bar.get_width() for bar in axes.patches][:2] == [36.0, 30.0]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top
    drawing.save(figure, tmp_path / "bench.svg")
