"""The runs about the paper's clipping and scheduling."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.runs.experiment import Experiment
from d2l_lrsched.runs.job import Job
from d2l_lrsched.schedulers import builtin
from d2l_lrsched.schedulers.compose import WarmupScheduler
from d2l_lrsched.schedulers.scratch import LinearScheduler
from d2l_lrsched.studies.clipping.claims import ARMS, LOWER


def warmup_cosine(num_updates: int, base_lr: float) -> builtin.CosineScheduler:
    """Return warmup from 0 over the first tenth of all updates, then a cosine down to 0.

    Source: the paper's 3.2.2 and 3.2.3, counted in updates.
    """
    return builtin.CosineScheduler(num_updates, base_lr, warmup_steps=num_updates // 10)


#: The rate of the four combinations, at which the run without anything sometimes collapses.
HIGH_RATE = 0.5
#: The seeds of the pilots, which choose by the rules in `threshold`; no arm has them.
PILOT_SEEDS = range(1000, 1020)
#: What the pilots chose. A test holds both to the pilots' records.
CLIP_NORM = 0.7
LOWERED_RATE = 0.44

_COSINE_OVER_THE_RUN = partial(warmup_cosine, base_lr=HIGH_RATE)

_CLIPPING = (
    Experiment(
        "pilot",
        "Nothing but the constant rate of 0.5, with its gradient norms measured: the threshold "
        "lies above all of them, so that not one bit is changed.",
        learning_rate=HIGH_RATE,
        num_epochs=2,
        clip_norm=1e6,
    ),
    Experiment(
        "pilot-clipped",
        "The constant rate of 0.5, clipped, to see how much clipping leaves of the steps.",
        learning_rate=HIGH_RATE,
        num_epochs=10,
        clip_norm=CLIP_NORM,
    ),
    Experiment(
        "neither",
        "The constant rate of 0.5, without clipping.",
        learning_rate=HIGH_RATE,
        num_epochs=10,
    ),
    Experiment(
        "clipping",
        "The constant rate of 0.5; the gradient's global norm is clipped.",
        learning_rate=HIGH_RATE,
        clip_norm=CLIP_NORM,
        num_epochs=10,
    ),
    Experiment(
        "scheduler",
        "Warmup to 0.5 over the first tenth of the updates, then a cosine down to 0.",
        scheduler=_COSINE_OVER_THE_RUN,
        unit="run",
        num_epochs=10,
    ),
    Experiment(
        "both",
        "Clipping and the schedule together.",
        scheduler=_COSINE_OVER_THE_RUN,
        unit="run",
        clip_norm=CLIP_NORM,
        num_epochs=10,
    ),
    Experiment(
        LOWER,
        f"The constant rate of {LOWERED_RATE:g}: 0.5 times the share of a step that clipping "
        "keeps, on average.",
        learning_rate=LOWERED_RATE,
        num_epochs=10,
    ),
    Experiment(
        "rate-0.3",
        "The run that collapsed in the book, for two epochs.",
        learning_rate=0.3,
        num_epochs=2,
    ),
    Experiment(
        "rate-0.3-clipped",
        "The same with the gradient's global norm clipped.",
        learning_rate=0.3,
        clip_norm=CLIP_NORM,
        num_epochs=2,
    ),
    Experiment(
        "rate-0.3-warmup",
        "The same with a linear warmup over the first epoch.",
        scheduler=partial(
            WarmupScheduler,
            scheduler=LinearScheduler(1, base_lr=0.3, final_lr=0.3),
            warmup_steps=UPDATES_PER_EPOCH,
        ),
        num_epochs=2,
    ),
)

#: Name -> experiment: those about the paper's clipping and scheduling.
EXPERIMENTS: Mapping[str, Experiment] = {e.name: e for e in _CLIPPING}

#: The chapter's constant run, without and with what may keep it from collapsing.
COLLAPSE: tuple[str, ...] = tuple(name for name in EXPERIMENTS if name.startswith("rate-"))


def jobs(seeds: int = 40, num_epochs: int = 10, net: str = "fast") -> list[Job]:
    """Return all runs: the pilots, the arms, and the chapter's collapse.

    Pilot and collapse have half as many seeds, and two epochs at most; the clipped pilot has a
    quarter.
    """
    short, half, quarter = min(num_epochs, 2), -(-seeds // 2), -(-seeds // 4)
    parts = (
        (("pilot",), PILOT_SEEDS[:half], short),
        (("pilot-clipped",), PILOT_SEEDS[:quarter], num_epochs),
        ((*ARMS, LOWER), range(seeds), num_epochs),
        (COLLAPSE, range(half), short),
    )
    return [
        Job(EXPERIMENTS[name], seed, length, net)
        for names, of_seeds, length in parts
        for seed in of_seeds
        for name in names
    ]
