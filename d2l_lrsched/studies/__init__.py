"""What is claimed, measured and drawn: one folder a study.

Who knows one study's folder knows all: `experiments` says what is trained, `published` or `claims`
what others say of it, `measures` and `verdicts` what counts and what follows, `figures` what is
drawn, `tables` and `page` what is said of it in ``figures/<study>/README.md``. Studies do not know
one another.
"""

from __future__ import annotations

from collections.abc import Mapping

from d2l_lrsched.runs.experiment import Experiment


def all_experiments() -> Mapping[str, Experiment]:
    """Return every experiment that can be run, by name."""
    # Imported when asked for: a study needs MXNet, its package does not.
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as chapter
    from d2l_lrsched.studies.choice.experiments import EXPERIMENTS as choice
    from d2l_lrsched.studies.clipping.experiments import EXPERIMENTS as clipping
    from d2l_lrsched.studies.exercises.experiments import EXPERIMENTS as exercises

    return {**chapter, **clipping, **exercises, **choice}
