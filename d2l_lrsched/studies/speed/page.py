"""A benchmark's record as tables and a figure."""

from __future__ import annotations

import pandas as pd
from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.runs import frames
from d2l_lrsched.studies.speed.measure import CHAPTER_RUNS, FIRST_AND_LATER, last_round
from d2l_lrsched.studies.speed.profile import EPOCH_OPERATIONS, PRODUCT_OPERATIONS
from d2l_lrsched.studies.speed.record import Benchmark

#: What records call the nets that are profiled -> what the page calls them.
NETS = {"chapter": "the chapter's net", "lanes": "the fast net"}
OURS = (*NETS,)
PYTORCH = "PyTorch"
PRODUCT = "matrix product"
#: What of `epochs.EXTRAS` is called, and how many per cent of an epoch it may take.
WORDS = {"bar": "a progress bar", "checkpoint": "a checkpoint an epoch", "clipping": "clipping"}
MOST = {"clipping": 5, "checkpoint": 2}
_OUTSIDE = "outside kernels: MXNet's other operations, Python, waiting"
#: How the words on a target begin -> why it is missed, where it is.
WHY = {
    "share of": "Of an epoch of the fast net {outside:.0%} are spent outside kernels, as the last "
    "table shows.",
    "resident": "It is the largest of ours in the next table.",
    "what clipping": "It is some eighty operations of MXNet an update: of each of ten gradients "
    "the squares' sum in float64, the product with a factor, and zeroing where the norm is not "
    "finite. None is a kernel of the last table.",
    "what a checkpoint": "It is one file an epoch; look at the spread of the pairs.",
    "`d2l-lrsched": "It is the start of Python and of click; the package itself is imported in "
    "{imported:.2f} s.",
}


def per_run(benchmark: Benchmark) -> pd.DataFrame:
    """Return the seconds for an epoch of one run: a row a round, a column a contender.

    Columns are named (kind, threads, copies), with 0 threads where the library chose.
    """
    columns = {(c.kind, c.threads or 0, c.copies): c.seconds for c in benchmark.contenders}
    table = pd.DataFrame(columns)
    return table / table.columns.get_level_values(2)


def _range(numbers: pd.Series, digits: int) -> str:
    return f"{numbers.min():.{digits}f} to {numbers.max():.{digits}f}"


def _target(what: str, target: str, numbers: pd.Series, digits: int = 2) -> list[str]:
    """Return a row; the target is written as 'at least 3 times'."""
    sense, limit, unit = target.removeprefix("at ").split()
    value = numbers.median()
    met = value >= float(limit) if sense == "least" else value <= float(limit)
    spread = _range(numbers, digits)
    return [what, target, f"{value:.{digits}f} {unit}", spread, "met" if met else "missed"]


def targets(benchmark: Benchmark) -> pd.DataFrame:
    """Return one row a target: ratios are taken within each round, then their median and range."""
    table, cores = per_run(benchmark), benchmark.cores
    at_the_end = last_round(CHAPTER_RUNS, cores)
    fast = table["lanes", 1, 1]
    # Seconds for an epoch of each of the chapter's runs; the last share the cores.
    whole = (CHAPTER_RUNS - at_the_end) * table["lanes", 1, cores]
    whole = whole + at_the_end * table["lanes", 1, at_the_end]
    of_peak = EPOCH_OPERATIONS / PRODUCT_OPERATIONS * table[PRODUCT, 1, 1]
    rows = [
        _target(
            "an epoch of the fast net against the chapter's net, one process",
            *("at least 3 times", table["chapter", 1, 1] / fast),
        ),
        _target(
            f"the chapter's {CHAPTER_RUNS} runs on {cores} cores, fast net, against the book's "
            "loop as a reader runs it",
            *("at least 8 times", CHAPTER_RUNS * table["book", 0, 1] / whole),
        ),
    ]
    theirs = table.loc[:, table.columns.get_level_values(0).str.startswith(PYTORCH)]
    if not theirs.empty:
        best = theirs.median().idxmin()
        name = dict(zip(table, (c.name for c in benchmark.contenders)))[best]
        rows.append(
            _target(
                f"the fast net, {cores} at once, against PyTorch at its best ({name})",
                *("at least 2 times", table[best] / table["lanes", 1, cores]),
            )
        )
    memory = pd.Series([max(c.peak_mb for c in benchmark.contenders if c.kind in OURS)])
    first, later = (pd.Series(benchmark.start_ups[name]) for name in FIRST_AND_LATER)
    rows += [
        _target(
            f"share of a matrix product's speed, fast net, {cores} at once",
            *("at least 45 %", 100 * of_peak / cores / table["lanes", 1, cores], 0),
        ),
        _target("first use in a fresh checkout, beyond later ones", "at most 15 s", first - later),
        _target("resident memory of a training process", "at most 500 MB", memory, 0),
        *(
            _target(
                f"what {WORDS[extra]} adds to an epoch of the fast net",
                *(f"at most {limit} %", 100 * _added(benchmark, extra), 1),
            )
            for extra, limit in MOST.items()
        ),
        _target(
            "`d2l-lrsched --help`",
            *("at most 0.3 s", pd.Series(benchmark.start_ups["d2l-lrsched --help"])),
        ),
    ]
    return pd.DataFrame(rows, columns=["what", "target", "measured", "spread", "verdict"])


def _added(benchmark: Benchmark, extra: str) -> pd.Series:
    """Return what an extra adds to an epoch, as a share of it, pair by pair."""
    pairs = pd.DataFrame(benchmark.extras[extra], columns=["without", "with"])
    return pairs["with"] / pairs["without"] - 1


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
    rows = [
        (f"{what}, of an epoch of the fast net", f"{_added(benchmark, extra).median():+.1%}")
        for extra, what in WORDS.items()
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
        ("other kernels", "", *table.drop(shown.index).sum()),
        (_OUTSIDE, "", *whole - table.sum()),
        ("an epoch", "", *whole),
    ]
    found = pd.DataFrame(
        rows, columns=["operation", "kernel", *(NETS[kind] for kind in whole.index)]
    )
    return found.applymap(lambda cell: cell if isinstance(cell, str) else f"{cell:.2f}")


def missed(benchmark: Benchmark) -> str:
    """Return why the targets that are missed are, a paragraph of a list each; perhaps nothing."""
    fast = benchmark.profiles["lanes"]
    outside = 1 - sum(o.seconds for o in fast.operations) / fast.seconds
    imported = pd.Series(benchmark.start_ups["import d2l_lrsched"]).median()
    rows = targets(benchmark)
    return "\n".join(
        f"- Missed: {what}. {why.format(outside=outside, imported=imported)}"
        for what in rows.what[rows["verdict"] == "missed"]
        for begins, why in WHY.items()
        if what.startswith(begins)
    )


def as_page(benchmark: Benchmark) -> str:
    """Return the whole record as a page of Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in benchmark.versions.items())
    return f"""# Speed

Measured {benchmark.started[:10]} on {benchmark.cores} cores of {benchmark.processor} with \
{benchmark.memory_gb} GiB of memory; {versions}.

An epoch is 60,000 training and 10,000 test images in batches of 256. The contenders took turns, an
epoch each: one to warm up, then {benchmark.rounds} that count. Ratios are taken within each \
round, then the median.
Times vary from round to round: look at the spread.

The chapter's net computes what the book's does, to the bit. oneDNN's vector kernels take channels
by the eight; the net's 1 and 6 leave a matrix product for every image and, in the first pooling, a
scalar loop. The fast net's convolutions are compiled for the processor by numba. They put 8 images
side by side (16 with AVX-512), so that every tap of a kernel is a multiplication and addition of
whole vectors, and go back only through the positions that pooling and relu let through. It is the
same function, and its gradients are no further from float64's than those of the chapter's net, but
training magnifies rounding: a run with it is a draw of its own, as another seed would give.

![Seconds for an epoch of one run](epochs.svg)

## Targets

{frames.markdown(targets(benchmark))}

{missed(benchmark)}

## Seconds for an epoch of one run

Of several runs at once the time is divided by their number. The peak speed is that of a
float32 matrix product by one thread; its row is not of an
epoch's {EPOCH_OPERATIONS / 1e9:.0f} GFLOP but of \
{PRODUCT_OPERATIONS / 1e9:.0f}. An epoch's are multiplications and additions of the chapter's
layers; what the fast net leaves out is counted too. Shares of the peak are of the median seconds
here, and round by round in the target above, so the two differ.

{frames.markdown(contender_table(benchmark))}

## Start-up and growth

{frames.markdown(other_table(benchmark))}

## Where an epoch's seconds go

One epoch of each arrangement, one thread. oneDNN times its own kernels (`DNNL_VERBOSE=1`), we time
numba's. Python's part goes on beside them where a core is idle; with the clocks an epoch is slower
than above.

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
