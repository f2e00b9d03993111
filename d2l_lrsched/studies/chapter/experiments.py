"""The tables of experiments: what is trained, under which schedule, read in which unit."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import partial
from typing import Any

from mxnet import lr_scheduler

from d2l_lrsched.runs.experiment import Experiment
from d2l_lrsched.runs.job import Job
from d2l_lrsched.schedulers import builtin
from d2l_lrsched.schedulers.scratch import SquareRootScheduler
from d2l_lrsched.studies.chapter import published

_SQUARE_ROOT: dict[str, Any] = {"lr": 1.0}
_MULTI_FACTOR: dict[str, Any] = {"step": [15, 30], "factor": 0.5, "base_lr": 0.5}
_COSINE: dict[str, Any] = {"max_update": 20, "base_lr": 0.5, "final_lr": 0.01}
_COSINE_WARMUP: dict[str, Any] = {**_COSINE, "warmup_steps": 5}

_CHAPTER = (
    Experiment(
        "constant",
        "Learning rate 0.3 throughout. The run that the book prints collapsed.",
        section="11.15.1",
        title="Constant",
        learning_rate=0.3,
    ),
    Experiment(
        "square-root",
        "As published: fed the number of updates, so the rate is 0.707 at the first update, "
        "below 0.07 by the end of the first epoch and 0.012 at the last update.",
        section="11.15.2",
        title="Square root",
        scheduler=partial(SquareRootScheduler, **_SQUARE_ROOT),
    ),
    Experiment(
        "multi-factor",
        "As published: MXNet's scheduler has a state, which the plot before training has already "
        "moved past step 15; the run trains at 0.25 up to update 30 and at 0.125 from then on.",
        section="11.15.3.2",
        title="Multi-factor",
        scheduler=partial(lr_scheduler.MultiFactorScheduler, **_MULTI_FACTOR),
    ),
    Experiment(
        "cosine",
        "As published: max_update=20 counts updates, so the rate has fallen to 0.01 within the "
        "first tenth of the first epoch and stays there.",
        section="11.15.3.3",
        title="Cosine",
        scheduler=partial(lr_scheduler.CosineScheduler, **_COSINE),
    ),
    Experiment(
        "cosine-warmup",
        "As published: both the 5 steps of warmup and the 15 of cosine are updates; from update "
        "20 on the rate is 0.01.",
        section="11.15.3.4",
        title="Cosine with warmup",
        scheduler=partial(lr_scheduler.CosineScheduler, **_COSINE_WARMUP),
    ),
    Experiment(
        "square-root-per-epoch",
        "As intended: the rate is read once an epoch and falls from 1.0 to 0.183 over 30 epochs.",
        section="11.15.2",
        title="Square root, per epoch",
        scheduler=partial(SquareRootScheduler, **_SQUARE_ROOT),
        unit="epoch",
    ),
    Experiment(
        "multi-factor-per-epoch",
        "As intended: 0.5 for the first 16 epochs, then 0.25, as the book's plot shows it; the "
        "plot before training changes nothing. The step at 30 lies past the end.",
        section="11.15.3.2",
        title="Multi-factor, per epoch",
        scheduler=partial(builtin.MultiFactorScheduler, **_MULTI_FACTOR),
        unit="epoch",
    ),
    Experiment(
        "cosine-per-epoch",
        "As intended: the cosine from 0.5 to 0.01 takes 20 epochs, and the last ten stay at 0.01.",
        section="11.15.3.3",
        title="Cosine, per epoch",
        scheduler=partial(builtin.CosineScheduler, **_COSINE),
        unit="epoch",
    ),
    Experiment(
        "cosine-warmup-per-epoch",
        "As intended: five epochs of warmup, fifteen of cosine. Warmup starts from 0, so the "
        "whole first epoch trains at rate 0.",
        section="11.15.3.4",
        title="Cosine with warmup, per epoch",
        scheduler=partial(builtin.CosineScheduler, **_COSINE_WARMUP),
        unit="epoch",
    ),
)

#: Name -> experiment: the chapter's five runs as published, and its four schedules as intended.
EXPERIMENTS: Mapping[str, Experiment] = {e.name: e for e in _CHAPTER}

#: The names of the runs that the book prints, in its order.
PUBLISHED: tuple[str, ...] = tuple(name for name in EXPERIMENTS if name in published.PRINTED)


def _gentler(name: str, note: str, **changed: Any) -> Experiment:
    return replace(EXPERIMENTS[name], name=f"gentler-{name}", note=note, **changed)


def _early(name: str, note: str, **changed: Any) -> Experiment:
    return replace(EXPERIMENTS[name], name=f"early-{name}", note=note, num_epochs=40, **changed)


_GENTLER_COSINE = {**_COSINE, "base_lr": 0.3}
_EARLY_COSINE = {**_COSINE, "max_update": 40}

_OTHER_SETTINGS = (
    _gentler(
        "square-root",
        "From 0.1 in place of 1.0.",
        scheduler=partial(SquareRootScheduler, lr=0.1),
    ),
    _gentler(
        "cosine",
        "From 0.3 in place of 0.5.",
        scheduler=partial(lr_scheduler.CosineScheduler, **_GENTLER_COSINE),
    ),
    _gentler(
        "cosine-warmup",
        "Up to 0.3 in place of 0.5.",
        scheduler=partial(lr_scheduler.CosineScheduler, **_GENTLER_COSINE, warmup_steps=5),
    ),
    _early("constant", "Learning rate 0.5, 40 epochs.", learning_rate=0.5),
    _early("square-root", "40 epochs in place of 30."),
    _early("multi-factor", "40 epochs in place of 30; the plot is of 40 epochs, too."),
    _early(
        "cosine",
        "40 epochs and updates in place of 30 and 20.",
        scheduler=partial(lr_scheduler.CosineScheduler, **_EARLY_COSINE),
    ),
    _early(
        "cosine-warmup",
        "40 epochs and updates in place of 30 and 20.",
        scheduler=partial(lr_scheduler.CosineScheduler, **_EARLY_COSINE, warmup_steps=5),
    ),
)

#: Name -> experiment: what other years' builds of the book print of the same section. `gentler` of
#: September 2020 to August 2023, `early` of December 2019 to January 2020.
OTHER_SETTINGS: Mapping[str, Experiment] = {e.name: e for e in _OTHER_SETTINGS}


def jobs(
    names: Iterable[str],
    seeds: Iterable[int],
    num_epochs: int | None = None,
    net: str = "chapter",
    **chosen: Any,
) -> list[Job]:
    """Return the runs of so many experiments with so many seeds, seed by seed.

    `chosen` is what of `record.CHOSEN` is not as usual.
    """
    return [
        Job(EXPERIMENTS[name], seed, num_epochs, net, **chosen) for seed in seeds for name in names
    ]
