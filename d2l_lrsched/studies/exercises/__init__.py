"""The chapter's exercises, 1 to 4 and the plateau, answered by experiments."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2l_lrsched.runs.record import Run
    from d2l_lrsched.runs.runner import Job

#: The exercises' names; `experiments` needs MXNet, a command's help does not.
NAMES = ("fixed-rate", "poly", "deeper", "warmup", "plateau")


def jobs(
    chosen: Sequence[str] = NAMES, seeds: int | None = None, num_epochs: int | None = None
) -> list[Job]:
    """Return the runs of the exercises chosen, by default with the seeds and epochs of each."""
    from d2l_lrsched.runs.runner import Job
    from d2l_lrsched.studies.exercises.experiments import EXERCISES

    return [
        Job(experiment, seed, num_epochs, "fast")
        for exercise in EXERCISES
        if exercise.name in chosen
        for seed in range(seeds or exercise.num_seeds)
        for experiment in exercise.experiments
    ]


def write(runs: Sequence[Run], folder: Path) -> int:
    """Write figures and page into the folder; return the number of figures."""
    from d2l_lrsched import drawing
    from d2l_lrsched.files import write_text
    from d2l_lrsched.studies.exercises import figures, page

    drawn = figures.draw_all(runs)
    for name, figure in drawn.items():
        drawing.save(figure, folder / name)
    write_text(folder / "README.md", page.as_page(runs))
    return len(drawn)
