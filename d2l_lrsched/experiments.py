"""The tables of experiments: what is trained, under which schedule, read in which unit."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

from mxnet import lr_scheduler

from d2l_lrsched import exercises, published
from d2l_lrsched.experiment import Experiment
from d2l_lrsched.schedulers import builtin
from d2l_lrsched.schedulers.compose import WarmupScheduler
from d2l_lrsched.schedulers.scratch import LinearScheduler, SquareRootScheduler
from d2l_lrsched.store import Run

_SQUARE_ROOT: dict[str, Any] = {"lr": 1.0}
_MULTI_FACTOR: dict[str, Any] = {"step": [15, 30], "factor": 0.5, "base_lr": 0.5}
_COSINE: dict[str, Any] = {"max_update": 20, "base_lr": 0.5, "final_lr": 0.01}
_COSINE_WARMUP: dict[str, Any] = {**_COSINE, "warmup_steps": 5}

_CHAPTER = (
    Experiment(
        "constant",
        "11.15.1",
        "Constant",
        "Learning rate 0.3 throughout. The run that the book prints collapsed.",
        learning_rate=0.3,
    ),
    Experiment(
        "square-root",
        "11.15.2",
        "Square root",
        "As published: fed the number of updates, so the rate is 0.707 at the first update, "
        "below 0.07 by the end of the first epoch and 0.012 at the last update.",
        scheduler=partial(SquareRootScheduler, **_SQUARE_ROOT),
    ),
    Experiment(
        "multi-factor",
        "11.15.3.2",
        "Multi-factor",
        "As published: MXNet's scheduler has a state, which the plot before training has already "
        "moved past step 15; the run trains at 0.25 up to update 30 and at 0.125 from then on.",
        scheduler=partial(lr_scheduler.MultiFactorScheduler, **_MULTI_FACTOR),
    ),
    Experiment(
        "cosine",
        "11.15.3.3",
        "Cosine",
        "As published: max_update=20 counts updates, so the rate has fallen to 0.01 within the "
        "first tenth of the first epoch and stays there.",
        scheduler=partial(lr_scheduler.CosineScheduler, **_COSINE),
    ),
    Experiment(
        "cosine-warmup",
        "11.15.3.4",
        "Cosine with warmup",
        "As published: both the 5 steps of warmup and the 15 of cosine are updates; from update "
        "20 on the rate is 0.01.",
        scheduler=partial(lr_scheduler.CosineScheduler, **_COSINE_WARMUP),
    ),
    Experiment(
        "square-root-per-epoch",
        "11.15.2",
        "Square root, per epoch",
        "As intended: the rate is read once an epoch and falls from 1.0 to 0.183 over 30 epochs.",
        scheduler=partial(SquareRootScheduler, **_SQUARE_ROOT),
        unit="epoch",
    ),
    Experiment(
        "multi-factor-per-epoch",
        "11.15.3.2",
        "Multi-factor, per epoch",
        "As intended: 0.5 for the first 16 epochs, then 0.25, as the book's plot shows it; the "
        "plot before training changes nothing. The step at 30 lies past the end.",
        scheduler=partial(builtin.MultiFactorScheduler, **_MULTI_FACTOR),
        unit="epoch",
    ),
    Experiment(
        "cosine-per-epoch",
        "11.15.3.3",
        "Cosine, per epoch",
        "As intended: the cosine from 0.5 to 0.01 takes 20 epochs, and the last ten stay at 0.01.",
        scheduler=partial(builtin.CosineScheduler, **_COSINE),
        unit="epoch",
    ),
    Experiment(
        "cosine-warmup-per-epoch",
        "11.15.3.4",
        "Cosine with warmup, per epoch",
        "As intended: five epochs of warmup, fifteen of cosine. Warmup starts from 0, so the "
        "whole first epoch trains at rate 0.",
        scheduler=partial(builtin.CosineScheduler, **_COSINE_WARMUP),
        unit="epoch",
    ),
)

#: Name -> experiment: the chapter's five runs as published, and its four schedules as intended.
CHAPTER: Mapping[str, Experiment] = MappingProxyType({e.name: e for e in _CHAPTER})

#: The names of the runs that the book prints, in its order.
PUBLISHED: tuple[str, ...] = tuple(name for name in CHAPTER if name in published.CHAPTER)


def warmup_cosine(num_updates: int, base_lr: float) -> builtin.CosineScheduler:
    """Return warmup from 0 over the first tenth of all updates, then a cosine down to 0.

    Source: the paper's 3.2.2 and 3.2.3, counted in updates.
    """
    return builtin.CosineScheduler(num_updates, base_lr, warmup_steps=num_updates // 10)


#: The rate of the four combinations, at which the run without anything sometimes collapses.
HIGH_RATE = 0.5
#: The seeds of the pilot, which chooses the threshold by `collapse.threshold`; no arm has them.
PILOT_SEEDS = range(1000, 1020)
#: What it chose. A test holds it to the pilot's records.
CLIP_NORM = 0.7

_COSINE_OVER_THE_RUN = partial(warmup_cosine, base_lr=HIGH_RATE)
_ARM: dict[str, Any] = {"section": "4.4", "num_epochs": 10}
_SHORT: dict[str, Any] = {"section": "11.15.1", "num_epochs": 2}

_CLIPPING = (
    Experiment(
        "pilot",
        "4.3",
        "Pilot",
        "Nothing but the constant rate of 0.5, with its gradient norms measured: the threshold "
        "lies above all of them, so that not one bit is changed.",
        learning_rate=HIGH_RATE,
        num_epochs=2,
        clip_norm=1e6,
    ),
    Experiment(
        "neither",
        title="Neither",
        note="The constant rate of 0.5, without clipping.",
        learning_rate=HIGH_RATE,
        **_ARM,
    ),
    Experiment(
        "clipping",
        title="Clipping only",
        note="The constant rate of 0.5; the gradient's global norm is clipped.",
        learning_rate=HIGH_RATE,
        clip_norm=CLIP_NORM,
        **_ARM,
    ),
    Experiment(
        "scheduler",
        title="Scheduler only",
        note="Warmup to 0.5 over the first tenth of the updates, then a cosine down to 0.",
        scheduler=_COSINE_OVER_THE_RUN,
        unit="run",
        **_ARM,
    ),
    Experiment(
        "both",
        title="Both",
        note="Clipping and the schedule together.",
        scheduler=_COSINE_OVER_THE_RUN,
        unit="run",
        clip_norm=CLIP_NORM,
        **_ARM,
    ),
    Experiment(
        "rate-0.3",
        title="The chapter's constant rate",
        note="The run that collapsed in the book, for two epochs.",
        learning_rate=0.3,
        **_SHORT,
    ),
    Experiment(
        "rate-0.3-clipped",
        title="The chapter's constant rate, clipped",
        note="The same with the gradient's global norm clipped.",
        learning_rate=0.3,
        clip_norm=CLIP_NORM,
        **_SHORT,
    ),
    Experiment(
        "rate-0.3-warmup",
        title="The chapter's constant rate after a warmup",
        note="The same with a linear warmup over the first epoch.",
        scheduler=partial(
            WarmupScheduler,
            scheduler=LinearScheduler(1, base_lr=0.3, final_lr=0.3),
            warmup_steps=published.UPDATES_PER_EPOCH,
        ),
        **_SHORT,
    ),
)

#: Name -> experiment: those about the paper's clipping and scheduling.
CLIPPING: Mapping[str, Experiment] = MappingProxyType({e.name: e for e in _CLIPPING})

#: The chapter's constant run, without and with what may keep it from collapsing.
COLLAPSE: tuple[str, ...] = tuple(name for name in CLIPPING if name.startswith("rate-"))

#: Name -> experiment: those that answer the chapter's exercises.
EXERCISES: Mapping[str, Experiment] = MappingProxyType(
    {e.name: e for exercise in exercises.EXERCISES for e in exercise.experiments}
)

#: Name -> experiment: all that can be run.
ALL: Mapping[str, Experiment] = MappingProxyType({**CHAPTER, **CLIPPING, **EXERCISES})


def known(run: Run, among: Mapping[str, Experiment] = ALL) -> bool:
    """Whether this version has the experiment that the run was of, with the settings that it had.

    Records outlive the code that wrote them: experiments go, come and change. What a record does
    not say of its settings, being older than they are, is no difference.
    """
    if run.experiment not in among:
        return False
    recorded = {name: value for name, value in run.settings.items() if name != "net"}
    return recorded.items() <= among[run.experiment].settings.items()
