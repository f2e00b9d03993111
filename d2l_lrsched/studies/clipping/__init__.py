"""The paper on clipping and schedules: what it claims, and what follows here."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2l_lrsched.runs.record import Run
    from d2l_lrsched.runs.runner import Job


def jobs(seeds: int = 10, num_epochs: int = 10, net: str = "fast") -> list[Job]:
    """Return all runs: the pilot, the four combinations, and the chapter's collapse.

    Pilot and collapse have twice as many seeds, and two epochs at most.
    """
    from d2l_lrsched.runs.runner import Job
    from d2l_lrsched.studies.clipping.claims import ARMS
    from d2l_lrsched.studies.clipping.experiments import COLLAPSE, EXPERIMENTS, PILOT_SEEDS

    short = min(num_epochs, 2)
    parts = (
        (("pilot",), PILOT_SEEDS[: 2 * seeds], short),
        (ARMS, range(seeds), num_epochs),
        (COLLAPSE, range(2 * seeds), short),
    )
    return [
        Job(EXPERIMENTS[name], seed, length, net)
        for names, of_seeds, length in parts
        for seed in of_seeds
        for name in names
    ]


def write(runs: Sequence[Run], folder: Path) -> str:
    """Write figures and page into the folder; return the verdicts in a few words."""
    from d2l_lrsched import drawing
    from d2l_lrsched.files import write_text
    from d2l_lrsched.studies.clipping import descent, figures, page, verdicts

    descents = descent.descents()
    drawing.save(figures.quadratic(descents), folder / figures.QUADRATIC_FIGURE)
    for name, draw in figures.FIGURES.items():
        drawing.save(draw(runs), folder / name)
    write_text(folder / "README.md", page.as_page(runs, descents))
    return verdicts.counts(verdicts.judge(runs))
