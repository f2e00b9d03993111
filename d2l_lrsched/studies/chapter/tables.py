"""The tables: the book's printed numbers beside ours, the verdicts on them, all seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from statistics import fmean, stdev

from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter import published
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.verdicts import NUMBERS, Verdict, margin

HEADER = ("section", "experiment", "published", "ours", "difference", "remark")
SUMMARY_HEADER = ("experiment", "runs", "collapsed", "train loss", "train acc", "test acc")
VERDICT_HEADER = (
    *("experiment", "number", "published", "verdict", "mean or share", "interval", "width"),
    *("margin", "sd", "runs", "collapsed"),
)


def chapter_rows(runs: Iterable[Run]) -> list[tuple[str, ...]]:
    """Return one row of text a run, in the chapter's order.

    Each triple is train loss, train accuracy, test accuracy, to the book's three digits; the
    difference is ours, so rounded, minus the printed one. Runs that the book did not make have
    no published triple; those of other experiments than the chapter's are left out. The last
    column names an outcome other than 'trained', the fast net and a number of epochs other than
    the chapter's.
    """
    order = list(CHAPTER)
    rows: list[tuple[str, ...]] = []
    chapters_runs = [run for run in runs if run.experiment in CHAPTER]
    for run in sorted(chapters_runs, key=lambda run: (order.index(run.experiment), run.seed)):
        ours = [round(getattr(run.final, number), 3) for number in NUMBERS]
        printed = published.PRINTED.get(run.experiment)
        theirs = [getattr(printed, number) for number in NUMBERS] if printed else []
        remarks: list[str] = [] if run.outcome == "trained" else [run.outcome]
        if printed and printed.collapsed and run.outcome == "trained":
            remarks.append("the book's collapsed")
        if run.settings["net"] == "fast":
            remarks.append("fast net")
        chapters = CHAPTER[run.experiment].num_epochs
        if run.num_epochs != chapters:
            remarks.append(f"{run.num_epochs} instead of {chapters} epochs")
        rows.append(
            (
                CHAPTER[run.experiment].section,
                run.experiment,
                "/".join(f"{x:.3f}" for x in theirs) or "-",
                "/".join(f"{x:.3f}" for x in ours),
                "/".join(f"{x - y:+.3f}" for x, y in zip(ours, theirs)) or "-",
                ", ".join(remarks),
            )
        )
    return rows


def summary_rows(runs: Iterable[Run]) -> list[tuple[str, ...]]:
    """Return one row of text an experiment, in the chapter's order: counts, then mean ± sd.

    Means and standard deviations are of the runs that neither collapsed nor turned non-finite.
    """
    runs = list(runs)
    rows: list[tuple[str, ...]] = []
    for name in CHAPTER:
        ours = [run for run in runs if run.experiment == name]
        if ours:
            dead = Counter(run.outcome for run in ours if run.outcome != "trained")
            collapsed = str(dead["collapsed"])
            if dead["non-finite"]:
                collapsed += f", {dead['non-finite']} non-finite"
            alive = [run.final for run in ours if run.outcome == "trained"]
            numbers = [
                mean_and_sd([getattr(final, number) for final in alive]) for number in NUMBERS
            ]
            rows.append((name, str(len(ours)), collapsed, *numbers))
    return rows


def verdict_rows(verdicts: Iterable[Verdict]) -> list[tuple[str, ...]]:
    """Return one row of text a verdict, with the numbers that led to it.

    Of an outcome these are the share of our runs that ended so, and its exact interval; 'sd' is
    what the interval rests on, perhaps pooled over the experiments.
    """
    rows: list[tuple[str, ...]] = []
    for v in verdicts:
        width, widest = "-", "-"
        if v.number != "outcome":
            width, widest = f"{v.high - v.low:.3f}", f"{margin(v.number):.3f}"
        rows.append(
            (
                v.experiment,
                v.number.replace("_", " "),
                v.published if isinstance(v.published, str) else f"{v.published:.3f}",
                v.verdict,
                f"{v.center:.3f}",
                f"{v.low:.3f} to {v.high:.3f}",
                width,
                widest,
                "-" if math.isnan(v.spread) else f"{v.spread:.4f}",
                str(v.n),
                str(v.collapsed),
            )
        )
    return rows


def mean_and_sd(values: Sequence[float], digits: int = 3) -> str:
    """Return mean ± standard deviation; the mean alone of one value, '-' of none."""
    if not values:
        return "-"
    spread = f" ± {stdev(values):.{digits}f}" if len(values) > 1 else ""
    return f"{fmean(values):.{digits}f}{spread}"


def as_text(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the table in columns, for a terminal."""
    widths = [max(map(len, column)) for column in zip(header, *rows)]
    lines = [header, ["-" * width for width in widths], *rows]
    return "\n".join(
        "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip() for line in lines
    )


def as_markdown(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Return the table in Markdown."""
    lines = [header, ["---"] * len(header), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
