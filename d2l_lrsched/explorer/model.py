"""What the explorer shows, without its page: settings, rates, code, and the stored runs.

Every rate comes from the package's own schedulers. A warmup stands inside the reading, as the book
means it: it is counted in the unit in which the schedule is read.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

import d2l_lrsched as lrs
from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.explorer.stored import read_runs
from d2l_lrsched.runs.experiment import Experiment, known
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.exercises.experiments import PLATEAU

READINGS = ("update", "epoch")

#: Schedule -> the class in `d2l_lrsched`, and slider -> argument; MXNet's or the chapter's own.
SCHEDULES: Mapping[str, tuple[str, Mapping[str, str]]] = MappingProxyType(
    {
        # A constant rate is the straight line from itself to itself, so that all have a class.
        "constant": ("LinearScheduler", {"base_lr": "base_lr"}),
        "square-root": ("SquareRootScheduler", {"base_lr": "lr"}),
        "factor": (
            "FactorScheduler",
            {"factor": "factor", "stop_factor_lr": "stop_factor_lr", "base_lr": "base_lr"},
        ),
        "linear": (
            "LinearScheduler",
            {"max_update": "max_update", "base_lr": "base_lr", "final_lr": "final_lr"},
        ),
        "multi-factor": (
            "MultiFactorScheduler",
            {
                "first_step": "step",
                "second_step": "step",
                "factor": "factor",
                "base_lr": "base_lr",
            },
        ),
        "poly": (
            "PolyScheduler",
            {
                "max_update": "max_update",
                "base_lr": "base_lr",
                "pwr": "pwr",
                "final_lr": "final_lr",
            },
        ),
        "cosine": (
            "CosineScheduler",
            {"max_update": "max_update", "base_lr": "base_lr", "final_lr": "final_lr"},
        ),
    }
)

#: Every count of a slider: each up to 30, then ever fewer, and whole epochs of the book's run.
COUNTS: tuple[int, ...] = tuple(
    sorted(
        {
            *range(1, 31),
            *range(40, 101, 10),
            *(150, 200),
            *(epochs * UPDATES_PER_EPOCH for epochs in (1, 2, 3, 5, 10, 15, 20, 25, 30)),
        }
    )
)


@dataclass(frozen=True)
class Settings:
    """What the page is set to.

    Attributes
    ----------
    schedule : str
        A key of `SCHEDULES`.
    values : mapping of slider -> number
        At least those that the schedule takes.
    warmup_steps : int
        Counted in the unit of the reading; 0 for none.
    reading : {'update', 'epoch'}
        What the schedule counts.
    """

    schedule: str
    values: Mapping[str, float]
    warmup_steps: int = 0
    reading: str = "update"

    def scheduler(self, reading: str | None = None) -> Any:
        """Return the scheduler, as it is read or in the reading that is named.

        Raises
        ------
        ValueError
            If the schedule refuses the values.
        """
        class_name, arguments = self._call()
        scheduler = getattr(lrs, class_name)(**arguments)
        if self.warmup_steps:
            scheduler = lrs.WarmupScheduler(scheduler, warmup_steps=self.warmup_steps)
        if (reading or self.reading) == "epoch":
            scheduler = lrs.PerEpoch(scheduler, updates_per_epoch=UPDATES_PER_EPOCH)
        return scheduler

    def code(self) -> str:
        """Return the line that makes the scheduler; of a constant rate, the Trainer's setting."""
        class_name, arguments = self._call()
        if self.schedule == "constant" and not self.warmup_steps:
            return f'{{"learning_rate": {arguments["base_lr"]!r}}}'
        code = f"lrs.{class_name}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})"
        if self.warmup_steps:
            code = f"lrs.WarmupScheduler({code}, warmup_steps={self.warmup_steps})"
        if self.reading == "epoch":
            code = f"lrs.PerEpoch({code}, updates_per_epoch={UPDATES_PER_EPOCH})"
        return code

    def _call(self) -> tuple[str, dict[str, Any]]:
        """Return the schedule's class and its arguments."""
        class_name, sliders = SCHEDULES[self.schedule]
        arguments: dict[str, Any] = {}
        for slider, argument in sliders.items():
            if argument == "step":
                arguments.setdefault("step", []).append(self.values[slider])
            else:
                arguments[argument] = self.values[slider]
        if self.schedule == "constant":
            arguments = {"max_update": 1, **arguments, "final_lr": arguments["base_lr"]}
        return class_name, arguments


def book(name: str, reading: str = "update") -> Settings:
    """Return the settings of one of the chapter's experiments, a key of `published.PRINTED`.

    MXNet counts a warmup within `max_update`, a `WarmupScheduler` before it: the book's
    ``CosineScheduler(20, warmup_steps=5)`` is 5 of warmup, then a cosine over 15. The rates are
    the same.
    """
    experiment = CHAPTER[name]
    if experiment.scheduler is None:
        assert experiment.learning_rate is not None
        return Settings("constant", {"base_lr": experiment.learning_rate}, reading=reading)
    arguments = dict(experiment.scheduler.keywords)
    warmup_steps = arguments.pop("warmup_steps", 0)
    if warmup_steps:
        arguments["max_update"] -= warmup_steps
    class_name = experiment.scheduler.func.__name__
    schedule = next(
        key for key, (of, _) in SCHEDULES.items() if of == class_name and key != "constant"
    )
    steps = iter(arguments.get("step", ()))
    values = {
        slider: next(steps) if argument == "step" else arguments[argument]
        for slider, argument in SCHEDULES[schedule][1].items()
    }
    return Settings(schedule, values, warmup_steps, reading)


#: Experiment -> the book's settings.
BOOK: Mapping[str, Settings] = MappingProxyType({name: book(name) for name in PRINTED})


def is_the_books_multi_factor(settings: Settings) -> bool:
    """Whether the book set this, but MXNet's scheduler, which keeps a state, trained otherwise."""
    own = BOOK["multi-factor"]
    return settings.reading == own.reading and settings.scheduler() == own.scheduler()


def rates(scheduler: Any, num_updates: int) -> np.ndarray:
    """Return the learning rates of the updates 1, 2, ..., `num_updates`."""
    return np.array([scheduler(n) for n in range(1, num_updates + 1)], float)


def drawn(values: np.ndarray, points: int = 300) -> np.ndarray:
    """Return the indices of `values` that suffice to draw them.

    An even grid, and both ends of every step by more than 1/500 of the range, so that jumps stay
    upright where they are. A schedule rises and falls once, so these are some hundreds at most.
    """
    grid = np.linspace(0, len(values) - 1, min(points, len(values))).round().astype(int)
    jumps = np.flatnonzero(np.abs(np.diff(values)) > np.ptp(values) / 500)
    return np.unique(np.concatenate([grid, jumps, jumps + 1]))


@dataclass(frozen=True)
class Stored:
    """The stored runs of one experiment and length, and the rate of every update in them."""

    experiment: str
    num_epochs: int
    rates: np.ndarray
    runs: tuple[Run, ...]

    @property
    def collapsed(self) -> int:
        """How many of the runs did not train."""
        return sum(run.outcome != "trained" for run in self.runs)


def stored(folder: Path) -> list[Stored]:
    """Return the stored runs of LeNet that a schedule alone sets apart, by experiment and length.

    Of one seed the first run is taken: the table's and the baseline's share some. Left out are
    records of other settings than the experiment has today, runs that clipped, and those whose
    rate their own losses decided.

    Raises
    ------
    StoreError
        As `read_runs`.
    """
    groups: dict[tuple[str, int], dict[int, Run]] = {}
    for run in _read(folder):
        experiment = all_experiments().get(run.experiment)
        made_with = {k: v for k, v in run.settings.items() if k != "net"}
        if experiment and _schedule_alone(experiment) and experiment.settings == made_with:
            group = groups.setdefault((run.experiment, run.num_epochs), {})
            group.setdefault(run.seed, run)
    return [
        Stored(name, num_epochs, _rates_of(name, num_epochs), tuple(by_seed.values()))
        for (name, num_epochs), by_seed in groups.items()
    ]


def unknown(folder: Path) -> list[str]:
    """Return the experiment of every stored run that this version does not know.

    Raises
    ------
    StoreError
        As `read_runs`.
    """
    return [run.experiment for run in _read(folder) if not known(run, all_experiments())]


def _read(folder: Path) -> list[Run]:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # of a torn last line the command has told
        return read_runs(folder)


def _schedule_alone(experiment: Experiment) -> bool:
    return (
        experiment.clip_norm is None
        and experiment.net is None
        and experiment not in PLATEAU.experiments
    )


def _rates_of(experiment: str, num_epochs: int) -> np.ndarray:
    """Return the rates that the experiment trains with: after its plot, as in the book."""
    optimizer_params, _ = all_experiments()[experiment].prepare(UPDATES_PER_EPOCH, num_epochs)
    num_updates = num_epochs * UPDATES_PER_EPOCH
    if "learning_rate" in optimizer_params:
        return np.full(num_updates, float(optimizer_params["learning_rate"]))
    return rates(optimizer_params["lr_scheduler"], num_updates)


def matching(groups: Iterable[Stored], scheduler: Any) -> list[Stored]:
    """Return the stored runs that had the scheduler's learning rate at every one of their updates.

    However they were made: rates are compared, not names, but for the rounding of the last digits.
    """
    first = rates(scheduler, UPDATES_PER_EPOCH)  # tells nearly all apart
    return [
        group
        for group in groups
        if _same(first, group.rates[:UPDATES_PER_EPOCH])
        and _same(rates(scheduler, len(group.rates)), group.rates)
    ]


def _same(a: np.ndarray, b: np.ndarray) -> bool:
    return np.allclose(a, b, rtol=1e-9, atol=1e-15)
