"""The figures of the Vietnamese slides, in Vietnamese: ``python teaching/figures.py``.

The English slides show the studies' own figures. These are the same, drawn anew from the committed
runs, with the words of `d2l_lrsched.words`; they stand in the folder beside this file.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from pathlib import Path

from matplotlib.figure import Figure

from d2l_lrsched import drawing
from d2l_lrsched.runs import record
from d2l_lrsched.runs.experiment import NUM_EPOCHS
from d2l_lrsched.studies.chapter import figures, seeds
from d2l_lrsched.studies.chapter.verdicts import distinct
from d2l_lrsched.studies.clipping.descent import descents
from d2l_lrsched.studies.clipping.figures import quadratic
from d2l_lrsched.translation import Words

FOLDER = Path(__file__).with_suffix("")
RUNS = FOLDER.parents[1] / "figures" / "chapter" / "runs.jsonl"


def drawings() -> dict[str, Callable[[], Figure]]:
    """Return what draws each figure, by its file's name."""
    runs = distinct(run for run in record.read(RUNS) if run.num_epochs == NUM_EPOCHS)
    first = {run.experiment: run for run in runs if run.seed == 0}
    found = {
        "quadratic.svg": lambda: quadratic(descents()),
        "factor-schedule.svg": figures.factor,
        "plotted-and-trained.svg": figures.plotted_and_trained,
        "overview.svg": partial(figures.overview, first.values()),
        "baseline.svg": partial(seeds.baseline, runs),
    }
    for name in ("square-root", "multi-factor", "cosine"):
        found[f"{name}-schedule.svg"] = partial(figures.schedule, first[name])
    for name in ("constant", "multi-factor"):
        found[f"{name}-training.svg"] = partial(figures.training, first[name])
    return found


def write(folder: Path = FOLDER) -> None:
    """Draw all of them into the folder."""
    folder.mkdir(exist_ok=True)
    for name, draw in drawings().items():
        drawing.save(Words("vi").figure(draw()), folder / name)


if __name__ == "__main__":
    write()
    print(FOLDER)
