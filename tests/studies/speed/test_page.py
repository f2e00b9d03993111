from __future__ import annotations

import re
from pathlib import Path

from d2l_lrsched import drawing
from d2l_lrsched.runs import record
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.speed import measure, page
from d2l_lrsched.studies.speed.profile import PRODUCT_OPERATIONS
from d2l_lrsched.studies.speed.record import Benchmark, Measured, Operation, Profile

COMMITTED = Path(__file__).parents[3] / "figures/speed"
# Seconds for an epoch of all copies, in two rounds; the second round is twice as slow throughout,
# so that every ratio within a round is the same in both.
SECONDS = {
    ("book", None, 1): 24.0,
    ("book", 1, 1): 20.0,
    ("chapter", 1, 1): 12.5,
    ("chapter", 1, 2): 14.0,
    ("chapter", 1, 3): 21.0,
    ("fast", 1, 1): 8.0,
    ("fast", 1, 2): 10.0,
    ("fast", 1, 3): 15.0,
    ("fast, bar", 1, 1): 8.08,
    ("fast, checkpoint", 1, 1): 8.16,
    ("fast, clipping", 1, 1): 8.24,
    ("matrix product", 1, 1): PRODUCT_OPERATIONS / 50e9,
    ("PyTorch", 1, 1): 13.0,
    ("PyTorch", 1, 2): 14.0,
    ("PyTorch", 2, 1): 5.5,
}


def benchmark(seconds=SECONDS, cores=2):
    fast = [Operation("convolution", "forward", "jit:avx2", 3.0)]
    fast += [Operation("reorder", "", "simple:any", 0.01)]
    chapter = [Operation("convolution", "forward", "gemm:jit", 8.0)]
    chapter += [Operation("pooling", "backward_data", "ref", 4.0)]
    return Benchmark(
        started="2026-11-21T10:00:00+00:00",
        versions={"python": "3.11.7", "mxnet": "1.9.1"},
        processor="A processor",
        memory_gb=8.0,
        cores=cores,
        rounds=2,
        contenders=[
            Measured(
                name=f"{kind} {threads} {copies}",
                kind=kind,
                threads=threads,
                copies=copies,
                seconds=[s, 2 * s],
                peak_mb=390.4 if kind == "fast" else 600.0,
            )
            for (kind, threads, copies), s in seconds.items()
        ],
        start_ups={"d2l-lrsched --help": [0.2, 0.3], "import mxnet": [1.0, 2.0]},
        runs_at_once={"1": [10.0, 12.0], "2": [12.0, 14.0]},
        profiles={"chapter": Profile(16.0, chapter), "fast": Profile(8.0, fast)},
    )


def measured(benchmark):
    return {what: tuple(row) for what, _, *row in page.targets(benchmark).to_numpy()}


def test_every_target_is_judged_by_ratios_within_a_round():
    found = measured(benchmark())
    assert list(found.values()) == [
        ("1.60 times", "1.60-1.60", "met"),  # 20 / 12.5
        ("3.43 times", "3.43-3.43", "met"),  # 5 * 24 / (14 + 21): two runs at once, then three
        ("4.80 times", "4.80-4.80", "met"),  # 5 * 24 / (10 + 15)
        ("1.10 times", "1.10-1.10", "missed"),  # 5.5 with two threads, against 10 / 2
        ("600 MB", "600-600", "missed"),  # of the chapter's net
        ("0.25 s", "0.20-0.30", "met"),
    ]
    assert "our fastest against PyTorch written plainly at its best (PyTorch 2 1)" in found


def test_the_chapter_is_as_many_runs_as_the_book_prints():
    assert len(PRINTED) == measure.CHAPTER_RUNS


def test_both_layouts_of_pytorch_are_told():
    found = measured(benchmark({**SECONDS, ("PyTorch, channels last", 1, 2): 12.0}))
    what = "our fastest against PyTorch with channels last at its best (PyTorch, channels last 1 2)"
    assert found[what] == ("1.20 times", "1.20-1.20", "met")  # 6 against 5


def test_on_many_cores_the_chapter_is_one_round():
    more = {("chapter", 1, 5): 40.0, ("fast", 1, 5): 30.0}
    found = measured(benchmark({**SECONDS, **more}, cores=3))
    assert found["the same, equal within rounding"][0] == "4.00 times"  # 5 * 24 / 30


def test_without_pytorch_nothing_is_said_of_it():
    without = benchmark({key: s for key, s in SECONDS.items() if key[0] != "PyTorch"})
    assert len(page.targets(without)) == 5
    assert "PyTorch" not in page.as_page(without)


def test_the_former_net_is_told_of_where_it_was_measured():
    former = {("same-bits", 1, copies): 10.0 * copies for copies in (1, 2, 3)}
    found = list(measured(benchmark({**SECONDS, **former})).values())
    assert [row[0] for row in found[:2]] == ["2.00 times", "2.40 times"]  # 20 / 10, 5 * 24 / 50
    assert "same-bits" in page.as_page(benchmark({**SECONDS, **former}))
    assert "same-bits" not in page.as_page(benchmark())


def test_contenders_are_told_by_run():
    rows = {row[0]: row[1:] for row in page.contender_table(benchmark()).to_numpy().tolist()}
    # Median of 7 and 14 s a run, 24 / 7 times the book's; 144.17 GFLOP in 10.5 s on each of
    # two cores' 37.5 GFLOP/s peak (the median of 50 and 25 is that of the seconds: 33.3).
    seconds, spread, times, share, peak = rows["chapter 1 2"]
    assert (seconds, spread, times, peak) == ("10.50", "7.00-14.00", "3.43", "600")
    assert share == f"{144.1656 / 10.5 / 2 / (50 / 1.5):.0%}"
    assert rows["matrix product 1 1"][2:4] == ["", "33 GFLOP/s"]
    assert rows["book None 1"][2] == "1.00"


def test_bar_checkpoint_and_clipping_cost_their_ratios():
    assert page.other_table(benchmark()).to_numpy().tolist() == [
        ["progress bar, of an epoch of the fast net", "+1.0%"],
        ["checkpoint, of an epoch of the fast net", "+2.0%"],
        ["clipping, of an epoch of the fast net", "+3.0%"],
        ["`d2l-lrsched --help`", "0.25 s"],
        ["`import mxnet`", "1.50 s"],
        ["1 run of one epoch, fast net, start-up included", "11.0 s"],
        ["2 runs of one epoch, fast net, start-up included", "13.0 s"],
    ]


def test_a_profile_adds_up():
    assert page.profile_table(benchmark()).to_numpy().tolist() == [
        ["convolution forward", "gemm:jit", "8.00", "0.00"],
        ["pooling backward data", "ref", "4.00", "0.00"],
        ["convolution forward", "jit:avx2", "0.00", "3.00"],
        ["the rest of oneDNN", "", "0.00", "0.01"],
        ["outside oneDNN", "", "4.00", "4.99"],
        ["an epoch", "", "16.00", "8.00"],
    ]


def test_the_page_holds_every_table_whole():
    text = page.as_page(benchmark())
    assert "2 cores of A processor with 8.0 GiB of memory; python 3.11.7, mxnet 1.9.1." in text
    for table in re.findall(r"(?:^\|.*\n)+", text, re.MULTILINE):
        assert len({line.count("|") for line in table.splitlines()}) == 1
    assert text.count("| --- |") >= 5


def test_the_figure_shows_every_loop_in_order():
    made = benchmark()
    (axes,) = page.figure(made).axes
    names = [label.get_text() for label in axes.get_yticklabels()]
    assert names == [c.name for c in made.contenders if c.kind != "matrix product"]
    assert [bar.get_width() for bar in axes.patches][:2] == [36.0, 30.0]
    assert axes.get_ylim()[0] > axes.get_ylim()[1]  # the first on top


def test_page_and_figure_are_made_from_the_newest_committed_benchmark(tmp_path):
    newest = record.read(COMMITTED / "rounds.jsonl", Benchmark)[-1]
    assert (COMMITTED / "README.md").read_text() == page.as_page(newest)
    path = drawing.save(page.figure(newest), tmp_path / "epochs.svg")
    assert path.read_bytes() == (COMMITTED / "epochs.svg").read_bytes()


def test_the_chapters_net_spends_its_time_where_the_fast_net_saves_it():
    """As the page says of both: convolutions by a matrix product, a pooling in a scalar loop."""
    rows = page.profile_table(record.read(COMMITTED / "rounds.jsonl", Benchmark)[-1])
    longest = rows[~rows.kernel.eq("")].head(3)
    assert set(longest.kernel) == {"simple_nchw:any", "gemm:jit"}
    assert (longest.chapter.astype(float) > 2).all()
    assert (longest.fast == "0.00").all()
