"""A benchmark's record as tables and a figure."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pandas as pd
from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.runs import frames
from d2l_lrsched.studies.speed.measure import CHAPTER_RUNS, last_round
from d2l_lrsched.studies.speed.profile import EPOCH_OPERATIONS, PRODUCT_OPERATIONS
from d2l_lrsched.studies.speed.record import Benchmark

FORMER = "same-bits"  # a net that only older benchmarks have measured
OURS = ("chapter", FORMER, "fast")
PRODUCT = "matrix product"
COSTS = {
    "progress bar": "fast, bar",
    "checkpoint": "fast, checkpoint",
    "clipping": "fast, clipping",
}


def per_run(benchmark: Benchmark) -> pd.DataFrame:
    """Return the seconds for an epoch of one run: a row a round, a column a contender.

    Columns are named (kind, threads, copies), with 0 threads where the library chose.
    """
    columns = {(c.kind, c.threads or 0, c.copies): c.seconds for c in benchmark.contenders}
    table = pd.DataFrame(columns)
    return table / table.columns.get_level_values(2)


def _best(table: pd.DataFrame, kinds: Iterable[str]) -> Any:
    """Return the name of the column of these kinds that takes the least time; None of none."""
    medians = table.loc[:, table.columns.isin(list(kinds), level=0)].median()
    return None if medians.empty else medians.idxmin()


def _range(numbers: pd.Series, digits: int) -> str:
    return f"{numbers.min():.{digits}f}-{numbers.max():.{digits}f}"


def _target(what: str, unit: str, target: float, numbers: pd.Series, digits: int = 2) -> list[str]:
    """Return a row: times are to be at least the target, what else there is at most."""
    value, sense = numbers.median(), "at least" if unit == "times" else "at most"
    met = value >= target if unit == "times" else value <= target
    measured = f"{value:.{digits}f} {unit}"
    spread = _range(numbers, digits)
    return [what, f"{sense} {target} {unit}", measured, spread, "met" if met else "missed"]


def targets(benchmark: Benchmark) -> pd.DataFrame:
    """Return one row a target: ratios are taken within each round, then their median and range."""
    table, cores = per_run(benchmark), benchmark.cores
    exact = FORMER if FORMER in table.columns.get_level_values(0) else "chapter"
    at_the_end = last_round(CHAPTER_RUNS, cores)

    def chapter(kind: str) -> pd.Series:
        """Seconds for an epoch of each of the chapter's runs; the last share the cores."""
        full_rounds = (CHAPTER_RUNS - at_the_end) * table[kind, 1, cores]
        return full_rounds + at_the_end * table[kind, 1, at_the_end]

    reader = CHAPTER_RUNS * table["book", 0, 1]
    rows = [
        _target(
            "one run against the book's loop, one thread each, identical to the bit",
            *("times", 1.6, table["book", 1, 1] / table[exact, 1, 1]),
        ),
        _target(
            f"the chapter on {cores} cores against the book's loop as a reader runs it, "
            "identical to the bit",
            *("times", 3, reader / chapter(exact)),
        ),
        _target("the same, equal within rounding", "times", 4, reader / chapter("fast")),
    ]
    names = dict(zip(table, (c.name for c in benchmark.contenders)))
    ours = table[_best(table, OURS)]
    for layout, kind in (
        ("written plainly", "PyTorch"),
        ("with channels last", "PyTorch, channels last"),
    ):
        pytorch = _best(table, [kind])
        if pytorch is not None:
            what = f"our fastest against PyTorch {layout} at its best ({names[pytorch]})"
            rows.append(_target(what, "times", 1.2, table[pytorch] / ours))
    memory = pd.Series([max(c.peak_mb for c in benchmark.contenders if c.kind in OURS)])
    help_seconds = pd.Series(benchmark.start_ups["d2l-lrsched --help"])
    rows += [
        _target("resident memory of a training process", "MB", 500, memory, digits=0),
        _target("`d2l-lrsched --help`", "s", 0.3, help_seconds),
    ]
    return pd.DataFrame(rows, columns=["what", "target", "measured", "spread", ""])


def contender_table(benchmark: Benchmark) -> pd.DataFrame:
    """Return one row a contender: seconds a run, against the book's, share of the peak, memory."""
    table = per_run(benchmark)
    seconds, times = table.median(), table.rdiv(table["book", 0, 1], axis=0).median()
    peak = PRODUCT_OPERATIONS / seconds[PRODUCT, 1, 1]
    rows = []
    for c, name in zip(benchmark.contenders, table):
        cores_used = min(c.copies * (c.threads or 1), benchmark.cores)
        share = EPOCH_OPERATIONS / seconds[name] / cores_used / peak
        compared = [f"{times[name]:.2f}", f"{share:.0%}"]
        if c.kind == PRODUCT:
            compared = ["", f"{peak / 1e9:.0f} GFLOP/s"]
        spread = _range(table[name], 2)
        rows.append([c.name, f"{seconds[name]:.2f}", spread, *compared, f"{c.peak_mb:.0f}"])
    header = ["contender", "seconds", "spread", "times the book's", "of the peak", "peak MB"]
    return pd.DataFrame(rows, columns=header)


def other_table(benchmark: Benchmark) -> pd.DataFrame:
    """Return the costs of bar, checkpoint and clipping, start-up times, growth of total time."""
    table = per_run(benchmark)
    costs = table.xs((1, 1), axis=1, level=(1, 2)).div(table["fast", 1, 1], axis=0).median() - 1
    rows = [
        (f"{what}, of an epoch of the fast net", f"{costs[kind]:+.1%}")
        for what, kind in COSTS.items()
        if kind in costs  # the oldest benchmark has neither of the last two
    ]
    for name, seconds in benchmark.start_ups.items():
        rows.append((f"`{name}`", f"{pd.Series(seconds).median():.2f} s"))
    for runs, seconds in benchmark.runs_at_once.items():
        what = f"{runs} run{'s' * (runs != '1')} of one epoch, fast net, start-up included"
        rows.append((what, f"{pd.Series(seconds).median():.1f} s"))
    return pd.DataFrame(rows, columns=["what", "median"])


def profile_table(benchmark: Benchmark) -> pd.DataFrame:
    """Return one row an operation and kernel: its seconds in an epoch of each arrangement."""
    whole = pd.Series({kind: profile.seconds for kind, profile in benchmark.profiles.items()})
    operations = pd.DataFrame(
        [
            (kind, o.operation, o.direction, o.kernel, o.seconds)
            for kind, profile in benchmark.profiles.items()
            for o in profile.operations
        ],
        columns=["kind", "operation", "direction", "kernel", "seconds"],
    )
    table = operations.pivot_table(
        "seconds", ["operation", "direction", "kernel"], "kind", aggfunc="sum", fill_value=0
    )[[*whole.index]]
    most = table.max(axis=1).sort_values(ascending=False, kind="stable")
    shown = table.loc[most[most >= 0.1].index]
    rows = [
        (f"{operation} {direction}".strip().replace("_", " "), kernel, *seconds)
        for (operation, direction, kernel), *seconds in shown.itertuples()
    ]
    rows += [
        ("the rest of oneDNN", "", *table.drop(shown.index).sum()),
        ("outside oneDNN", "", *whole - table.sum()),
        ("an epoch", "", *whole),
    ]
    found = pd.DataFrame(rows, columns=["operation", "kernel", *whole.index])
    return found.applymap(lambda cell: cell if isinstance(cell, str) else f"{cell:.2f}")


def as_page(benchmark: Benchmark) -> str:
    """Return the whole record as a page of Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in benchmark.versions.items())
    former = ""
    if any(c.kind == FORMER for c in benchmark.contenders):
        former = f"The {FORMER} net, of former versions, has the chapter's bits, too.\n"
    return f"""# Speed

Measured {benchmark.started[:10]} on {benchmark.cores} cores of {benchmark.processor} with \
{benchmark.memory_gb} GiB of memory; {versions}.

An epoch is 60,000 training and 10,000 test images in batches of 256. The contenders took turns, an
epoch each: a round to warm up, then {benchmark.rounds} that count. Ratios are taken within each \
round, then the median.
Times vary from round to round: look at the spread.

The chapter's net computes what the book's does, to the bit. oneDNN's vector kernels take channels
by the eight; the net's 1 and 6 leave a matrix product for every image and, in the first pooling, a
scalar loop. The fast net has channels of zeros beside them. It is the same function, and its
gradients are no further from float64's than those of the chapter's net, but training magnifies
rounding: a run with it is a draw of its own, as another seed would give.
{former}
![Seconds for an epoch of one run](epochs.svg)

## Targets

{frames.markdown(targets(benchmark))}

## Seconds for an epoch of one run

Of several runs at once the time is divided by their number. The peak is a float32 matrix product by
one thread. The {EPOCH_OPERATIONS / 1e9:.0f} GFLOP of an epoch are multiplications and additions \
of the chapter's layers;
the zeros that the fast net adds are not counted.

{frames.markdown(contender_table(benchmark))}

## Start-up and growth

{frames.markdown(other_table(benchmark))}

## Where an epoch's seconds go

One epoch of each arrangement, one thread, as oneDNN times its own kernels (`DNNL_VERBOSE=1`).

{frames.markdown(profile_table(benchmark))}
"""


@drawing.figure(7, 1, settings={"figure.constrained_layout.use": True})
def figure(figure: Figure, benchmark: Benchmark) -> None:
    """Draw each contender's seconds for an epoch of one run: median, least and most."""
    table = per_run(benchmark)
    shown = [c for c in benchmark.contenders if c.kind != PRODUCT]
    figure.set_figheight(0.27 * len(shown) + 0.9)
    axes = figure.subplots()
    for place, c in enumerate(shown):
        seconds = table[c.kind, c.threads or 0, c.copies]
        axes.barh(place, seconds.median(), color="C0" if c.kind.startswith(OURS) else "C7")
        axes.hlines(place, seconds.min(), seconds.max(), color="k", lw=1)
        text = f"{seconds.median():.1f}"
        axes.text(seconds.max() + 0.3, place, text, va="center", fontsize=8)
    axes.set_yticks(range(len(shown)), [c.name for c in shown], fontsize=8)
    axes.invert_yaxis()
    axes.set_xlabel(f"seconds for an epoch of one run, {benchmark.cores} cores")
    axes.margins(x=0.1)
