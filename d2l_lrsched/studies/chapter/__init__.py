"""Section 11.15 and every number that the book has printed of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2l_lrsched.runs.record import Run
    from d2l_lrsched.runs.runner import Job


def jobs(
    names: Iterable[str], seeds: Iterable[int], num_epochs: int | None = None, net: str = "chapter"
) -> list[Job]:
    """Return the runs of so many experiments with so many seeds, seed by seed."""
    from d2l_lrsched.runs.runner import Job
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS

    return [Job(EXPERIMENTS[name], seed, num_epochs, net) for seed in seeds for name in names]


def write(runs: Sequence[Run], stored: Iterable[Run], folder: Path) -> dict[str, OSError]:
    """Draw the runs, each of another experiment, and an overview of all that are stored.

    What is in one figure's way is not in another's: all are tried, and what failed is returned,
    by the experiment's name.
    """
    from d2l_lrsched import drawing
    from d2l_lrsched.studies.chapter import figures
    from d2l_lrsched.studies.chapter.experiments import PUBLISHED

    drawings: list[tuple[str, Callable[[], object]]] = [
        (run.experiment, partial(figures.draw_run, run, folder)) for run in runs
    ]
    drawings.append(("overview", partial(figures.draw_overview, stored, folder)))
    if {run.experiment for run in runs}.issuperset(PUBLISHED):  # one of its figures is of no run
        path = folder / figures.FACTOR_FIGURE
        drawings.append(("factor", lambda: drawing.save(figures.factor(), path)))
    failed = {}
    for name, draw in drawings:
        try:
            draw()
        except OSError as error:
            failed[name] = error
    return failed


def report(runs: Sequence[Run], folder: Path) -> str:
    """Write the verdicts on the runs as a page, with its figures; return them in a few words."""
    from d2l_lrsched import drawing
    from d2l_lrsched.files import write_text
    from d2l_lrsched.studies.chapter import figures, page, seeds, verdicts

    found = verdicts.compare(runs)
    for name, draw in seeds.FIGURES.items():
        drawing.save(draw(runs), folder / name)
    drawing.save(figures.plotted_and_trained(), folder / figures.PLOTTED_AND_TRAINED_FIGURE)
    text = page.as_page(runs, found)
    for name, content in (("README.md", text), ("report.html", page.as_html(text, folder))):
        write_text(folder / name, content)
    return verdicts.counts(found)
