"""The benchmark's record as tables and a figure."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from statistics import median
from typing import Any

from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.studies.chapter import tables as report
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.speed import measure as bench
from d2l_lrsched.studies.speed import profile as bench_profile

OURS = ("chapter", "same-bits", "fast")  # the second is of older benchmarks only
TARGET_HEADER = ("what", "target", "measured", "spread", "")

Record = dict[str, Any]


def _seconds(record: Record, kind: str, copies: int = 1, threads: int | None = 1) -> list[float]:
    """Return the seconds for an epoch of each copy, one number a round."""
    (found,) = (
        c["seconds"]
        for c in record["contenders"]
        if (c["kind"], c["copies"], c["threads"]) == (kind, copies, threads)
    )
    return found


def _chapter_seconds(record: Record, kind: str) -> list[float]:
    """Return the seconds for an epoch of each of the chapter's runs; the last share the cores."""
    runs, cores = len(PRINTED), record["cores"]
    last = bench.last_round(runs, cores)
    full_rounds = (runs - last) // cores
    at_the_end = _seconds(record, kind, last)
    if not full_rounds:
        return at_the_end
    full = _seconds(record, kind, cores)
    return [full_rounds * f + e for f, e in zip(full, at_the_end)]


def _per_run(contender: Record) -> list[float]:
    return [s / contender["copies"] for s in contender["seconds"]]


def _best(record: Record, kinds: Iterable[str]) -> Record | None:
    """Return the contender of these kinds that takes the least time a run."""
    listed = [c for c in record["contenders"] if c["kind"] in kinds]
    return min(listed, key=lambda c: median(_per_run(c)), default=None)


def _ratios(slow: Sequence[float], fast: Sequence[float]) -> list[float]:
    return [a / b for a, b in zip(slow, fast)]


def _times_row(what: str, target: float, ratios: Sequence[float]) -> tuple[str, ...]:
    met = "met" if median(ratios) >= target else "missed"
    spread = f"{min(ratios):.2f}-{max(ratios):.2f}"
    return what, f"at least {target} times", f"{median(ratios):.2f} times", spread, met


def _at_most_row(
    what: str, target: float, unit: str, numbers: Sequence[float], digits: int
) -> tuple[str, ...]:
    value = median(numbers)
    spread = f"{min(numbers):.{digits}f}-{max(numbers):.{digits}f}"
    met = "met" if value <= target else "missed"
    return what, f"at most {target} {unit}", f"{value:.{digits}f} {unit}", spread, met


def target_rows(record: Record) -> list[tuple[str, ...]]:
    """Return one row a target: ratios are taken within each round, then their median and range."""
    book = _seconds(record, "book")
    reader = [len(PRINTED) * s for s in _seconds(record, "book", threads=None)]
    kinds = {c["kind"] for c in record["contenders"]}
    exact = "same-bits" if "same-bits" in kinds else "chapter"
    rows = [
        _times_row(
            "one run against the book's loop, one thread each, identical to the bit",
            1.6,
            _ratios(book, _seconds(record, exact)),
        ),
        _times_row(
            f"the chapter on {record['cores']} cores against the book's loop as a reader runs it, "
            "identical to the bit",
            3,
            _ratios(reader, _chapter_seconds(record, exact)),
        ),
        _times_row(
            "the same, equal within rounding", 4, _ratios(reader, _chapter_seconds(record, "fast"))
        ),
    ]
    ours = _best(record, OURS)
    for layout, kind in (
        ("written plainly", "PyTorch"),
        ("with channels last", "PyTorch, channels last"),
    ):
        pytorch = _best(record, [kind])
        if ours and pytorch:
            what = f"our fastest against PyTorch {layout} at its best ({pytorch['name']})"
            rows.append(_times_row(what, 1.2, _ratios(_per_run(pytorch), _per_run(ours))))
    memory = [c["peak_mb"] for c in record["contenders"] if c["kind"] in OURS]
    help_seconds = record["start_ups"]["d2l-lrsched --help"]
    return [
        *rows,
        _at_most_row("resident memory of a training process", 500, "MB", [max(memory)], 0),
        _at_most_row("`d2l-lrsched --help`", 0.3, "s", help_seconds, 2),
    ]


def contender_rows(record: Record) -> list[tuple[str, ...]]:
    """Return one row a contender: seconds a run, against the book's, share of the peak, memory."""
    reader = _seconds(record, "book", threads=None)
    peak = bench_profile.PRODUCT_OPERATIONS / median(_seconds(record, "matrix product"))
    rows: list[tuple[str, ...]] = []
    for c in record["contenders"]:
        seconds = _per_run(c)
        rate = bench_profile.EPOCH_OPERATIONS / median(seconds)
        cores_used = min(c["copies"] * (c["threads"] or 1), record["cores"])
        is_net = c["kind"] != "matrix product"
        rows.append(
            (
                c["name"],
                f"{median(seconds):.2f}",
                f"{min(seconds):.2f}-{max(seconds):.2f}",
                f"{median(_ratios(reader, seconds)):.2f}" if is_net else "",
                f"{rate / cores_used / peak:.0%}" if is_net else f"{peak / 1e9:.0f} GFLOP/s",
                f"{c['peak_mb']:.0f}",
            )
        )
    return rows


def other_rows(record: Record) -> list[tuple[str, ...]]:
    """Return the costs of bar, checkpoint and clipping, start-up times, growth of total time."""
    measured = {contender["kind"] for contender in record["contenders"]}
    costs = {
        "progress bar": "fast, bar",
        "checkpoint": "fast, checkpoint",
        "clipping": "fast, clipping",
    }
    ratios = {
        what: _ratios(_seconds(record, kind), _seconds(record, "fast"))
        for what, kind in costs.items()
        if kind in measured  # the oldest benchmark has neither of the last two
    }
    rows: list[tuple[str, ...]] = [
        *(
            (f"{w}, of an epoch of the fast net", f"{median(r) - 1:+.1%}")
            for w, r in ratios.items()
        ),
        *((f"`{name}`", f"{median(s):.2f} s") for name, s in record["start_ups"].items()),
    ]
    for runs, seconds in record["runs_at_once"].items():
        what = f"{runs} run{'s' * (runs != '1')} of one epoch, fast net, start-up included"
        rows.append((what, f"{median(seconds):.1f} s"))
    return rows


def profile_rows(record: Record) -> list[tuple[str, ...]]:
    """Return one row an operation and kernel: its seconds in an epoch of each arrangement."""
    seconds = {
        kind: {tuple(row[:3]): row[3] for row in p["operations"]}
        for kind, p in record["profiles"].items()
    }
    keys = {key for found in seconds.values() for key in found}
    most = {key: max(found.get(key, 0) for found in seconds.values()) for key in keys}
    shown = sorted((k for k in keys if most[k] >= 0.1), key=lambda k: (-most[k], k))
    rows: list[tuple[str, ...]] = [
        (
            f"{operation} {direction}".strip().replace("_", " "),
            kernel,
            *(f"{found.get((operation, direction, kernel), 0):.2f}" for found in seconds.values()),
        )
        for operation, direction, kernel in shown
    ]
    small = [sum(s for key, s in found.items() if key not in shown) for found in seconds.values()]
    rows.append(("the rest of oneDNN", "", *(f"{s:.2f}" for s in small)))
    whole = [p["seconds"] for p in record["profiles"].values()]
    inside = [sum(found.values()) for found in seconds.values()]
    rows.append(("outside oneDNN", "", *(f"{w - i:.2f}" for w, i in zip(whole, inside))))
    rows.append(("an epoch", "", *(f"{w:.2f}" for w in whole)))
    return rows


def as_markdown(record: Record) -> str:
    """Return the whole record as a page of Markdown."""
    versions = ", ".join(f"{name} {number}" for name, number in record["versions"].items())
    return f"""# Speed

Measured {record["started"][:10]} on {record["cores"]} cores of {record["processor"]} with \
{record["memory_gb"]} GiB of memory; {versions}.

An epoch is 60,000 training and 10,000 test images in batches of 256. The contenders took turns, an
epoch each, for {
        record["rounds"]
    } rounds and one more to warm up; ratios are taken within each round, then the
median. Times vary from round to round: look at the spread.

![Seconds for an epoch of one run](epochs.svg)

## Targets

{report.as_markdown(TARGET_HEADER, target_rows(record))}

## Seconds for an epoch of one run

Of several runs at once the time is divided by their number. The peak is a float32 matrix product by
one thread; an epoch's {
        bench_profile.EPOCH_OPERATIONS
        / 1e9:.0f} GFLOP are multiplications and additions of the chapter's layers, the
zeros that the fast net adds not counted.

{
        report.as_markdown(
            ("contender", "seconds", "spread", "times the book's", "of the peak", "peak MB"),
            contender_rows(record),
        )
    }

## Start-up and growth

{report.as_markdown(("what", "median"), other_rows(record))}

## Where an epoch's seconds go

One epoch of each arrangement, one thread, as oneDNN times its own kernels (`DNNL_VERBOSE=1`).

{report.as_markdown(("operation", "kernel", *record["profiles"]), profile_rows(record))}
"""


def bench_figure(record: Record) -> Figure:
    """Draw each contender's seconds for an epoch of one run: median, least and most."""
    shown = [c for c in record["contenders"] if c["kind"] != "matrix product"]
    with drawing.look():
        figure = Figure(figsize=(7, 0.27 * len(shown) + 0.9), layout="constrained")
        axes = figure.subplots()
        for place, c in enumerate(shown):
            seconds = _per_run(c)
            middle = median(seconds)
            color = "C0" if c["kind"].startswith(OURS) else "C7"
            axes.barh(place, middle, color=color)
            axes.hlines(place, min(seconds), max(seconds), color="k", lw=1)
            axes.text(max(seconds) + 0.3, place, f"{middle:.1f}", va="center", fontsize=8)
        axes.set_yticks(range(len(shown)), [c["name"] for c in shown], fontsize=8)
        axes.invert_yaxis()
        axes.set_xlabel(f"seconds for an epoch of one run, {record['cores']} cores")
        axes.margins(x=0.1)
    return figure
