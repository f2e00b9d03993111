"""Exercise 5: sampling with stochastic gradient Langevin dynamics."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from d2l_lrsched.studies.sampling.record import Samples


def write(samples: Sequence[Samples], folder: Path) -> None:
    """Write figure and page into the folder."""
    from d2l_lrsched import drawing
    from d2l_lrsched.files import write_text
    from d2l_lrsched.studies.sampling import figures, page

    for name, draw in figures.FIGURES.items():
        drawing.save(draw(samples), folder / name)
    write_text(folder / "README.md", page.as_page(samples))
