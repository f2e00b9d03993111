"""What the explorer is set to, and the schedule that follows from it.

A slider stands at one of the values that its neighbours allow, so that no settings are refused. A
warmup stands inside the reading, as the book means it: it is counted in the unit in which the
schedule is read.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import d2l_lrsched as lrs
from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.explorer.texts import LANGUAGES
from d2l_lrsched.runs.experiment import NUM_EPOCHS
from d2l_lrsched.schedulers import BY_NAME
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.published import PRINTED

READINGS = ("update", "epoch")

_DECAY = {"max_update": "max_update", "base_lr": "base_lr", "final_lr": "final_lr"}
_DROPS = {"first_step": "step", "second_step": "step", "factor": "factor", "base_lr": "base_lr"}

#: Schedule -> slider -> argument of the class that `schedulers.BY_NAME` names.
SCHEDULES: Mapping[str, Mapping[str, str]] = {
    # The straight line from the rate to itself.
    "constant": {"base_lr": "base_lr"},
    "square-root": {"base_lr": "lr"},
    "factor": {"factor": "factor", "stop_factor_lr": "stop_factor_lr", "base_lr": "base_lr"},
    "linear": _DECAY,
    "multi-factor": _DROPS,
    "poly": {**_DECAY, "pwr": "pwr"},
    "cosine": _DECAY,
}

_RATES = tuple(n / 200 for n in range(401))
_EPOCHS = (1, 2, 3, 5, 10, 15, 20, 25, 30)
#: Every count of a slider: each up to 30, then ever fewer, and whole epochs of the book's run.
COUNTS: tuple[int, ...] = (
    *range(1, 31),
    *range(40, 101, 10),
    *(150, 200),
    *(epochs * UPDATES_PER_EPOCH for epochs in _EPOCHS),
)

#: Slider -> its values. Those that limit others, as `allowed` says, stand before them.
SLIDERS: Mapping[str, Sequence[float]] = {
    "base_lr": _RATES[1:],
    "final_lr": _RATES[:101],
    "stop_factor_lr": _RATES[:101],
    "factor": _RATES[1:201],
    "pwr": tuple(n / 10 for n in range(1, 51)),
    "max_update": COUNTS,
    "first_step": COUNTS[:-1],
    "second_step": COUNTS,
    "warmup_steps": (0, *COUNTS),
    "num_epochs": range(1, 61),
}
#: The sliders that count what the schedule is read in.
COUNTED = ("max_update", "first_step", "second_step", "warmup_steps")


def allowed(slider: str, values: Mapping[str, float]) -> list[float]:
    """Return the values at which the slider may stand beside those of the others."""
    own = SLIDERS[slider]
    if slider in ("final_lr", "stop_factor_lr"):
        return [value for value in own if value <= values["base_lr"]]
    if slider == "second_step":
        return [value for value in own if value > values["first_step"]]
    return list(own)


@dataclass(frozen=True)
class Settings:
    """What the page is set to.

    Attributes
    ----------
    schedule : str
        A key of `SCHEDULES`.
    values : mapping of slider -> number
        Of every slider, whether or not the schedule takes it; `warmup_steps` is counted in the
        unit of the reading and 0 for none, `num_epochs` is how far the rates are drawn.
    reading : {'update', 'epoch'}
        What the schedule counts.
    language : {'vi', 'en'}
    """

    schedule: str
    values: Mapping[str, float]
    reading: str = "update"
    language: str = "vi"

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Settings:
        """Return the settings that a query names; what it does not name is the book's cosine.

        A slider's value becomes the nearest of those that are allowed.

        Raises
        ------
        ValueError
            If a name is unknown, or a value is no number.
        """
        choices = {"schedule": SCHEDULES, "reading": READINGS, "language": LANGUAGES}
        chosen = {name: query.get(name, FIRST[name]) for name in choices}
        for name, among in choices.items():
            if chosen[name] not in among:
                raise ValueError(f"{name} must be one of {', '.join(among)}")
        values: dict[str, float] = {}
        for slider in SLIDERS:
            asked = float(query.get(slider, FIRST[slider]))
            near = [(abs(value - asked), value) for value in allowed(slider, values)]
            values[slider] = min(near)[1]
        return cls(chosen["schedule"], values, chosen["reading"], chosen["language"])

    @property
    def taken(self) -> Mapping[str, str]:
        """Slider -> argument, of those that change this schedule's rates."""
        return {**SCHEDULES[self.schedule], "warmup_steps": "warmup_steps"}

    def scheduler(self, reading: str | None = None) -> Any:
        """Return the scheduler, as it is read or in the reading that is named."""
        class_name, arguments = self._call()
        scheduler = getattr(lrs, class_name)(**arguments)
        if warmup_steps := self.values["warmup_steps"]:
            scheduler = lrs.WarmupScheduler(scheduler, warmup_steps=warmup_steps)
        if (reading or self.reading) == "epoch":
            scheduler = lrs.PerEpoch(scheduler, updates_per_epoch=UPDATES_PER_EPOCH)
        return scheduler

    def code(self) -> str:
        """Return the line that makes the scheduler; of a constant rate, the Trainer's setting."""
        class_name, arguments = self._call()
        warmup_steps = self.values["warmup_steps"]
        if self.schedule == "constant" and not warmup_steps:
            return f'{{"learning_rate": {arguments["base_lr"]!r}}}'
        code = f"lrs.{class_name}({', '.join(f'{k}={v!r}' for k, v in arguments.items())})"
        if warmup_steps:
            code = f"lrs.WarmupScheduler({code}, warmup_steps={warmup_steps})"
        if self.reading == "epoch":
            code = f"lrs.PerEpoch({code}, updates_per_epoch={UPDATES_PER_EPOCH})"
        return code

    def _call(self) -> tuple[str, dict[str, Any]]:
        """Return the schedule's class and its arguments."""
        arguments: dict[str, Any] = {}
        for slider, argument in SCHEDULES[self.schedule].items():
            if argument == "step":
                arguments.setdefault("step", []).append(self.values[slider])
            else:
                arguments[argument] = self.values[slider]
        if self.schedule == "constant":
            arguments = {"max_update": 1, **arguments, "final_lr": arguments["base_lr"]}
        return BY_NAME.get(self.schedule, "LinearScheduler"), arguments


def _book(name: str) -> dict[str, Any]:
    """Return the schedule of one of the chapter's experiments and the values of its sliders.

    MXNet counts a warmup within `max_update`, a `WarmupScheduler` before it: the book's
    ``CosineScheduler(20, warmup_steps=5)`` is 5 of warmup, then a cosine over 15. The rates are
    the same.
    """
    experiment = CHAPTER[name]
    if experiment.scheduler is None:
        return {"schedule": "constant", "base_lr": experiment.learning_rate, "warmup_steps": 0}
    arguments = dict(experiment.scheduler.keywords)
    warmup_steps = arguments.pop("warmup_steps", 0)
    if warmup_steps:
        arguments["max_update"] -= warmup_steps
    class_name = experiment.scheduler.func.__name__
    schedule = next(key for key in SCHEDULES if BY_NAME.get(key) == class_name)
    steps = iter(arguments.get("step", ()))
    values = {
        slider: next(steps) if argument == "step" else arguments[argument]
        for slider, argument in SCHEDULES[schedule].items()
    }
    return {"schedule": schedule, **values, "warmup_steps": warmup_steps}


#: Experiment -> what the book sets.
BOOK: Mapping[str, Mapping[str, Any]] = {name: _book(name) for name in PRINTED}

#: What is shown first.
FIRST: Mapping[str, Any] = {
    "reading": "update",
    "language": "vi",
    "stop_factor_lr": 0.01,
    "pwr": 2.0,
    "num_epochs": NUM_EPOCHS,
    **BOOK["multi-factor"],
    **BOOK["cosine"],
}


def preset(settings: Settings) -> str:
    """Return the experiment for which the book sets this, in whichever reading, or ''."""
    own = {
        "schedule": settings.schedule,
        **{name: settings.values[name] for name in settings.taken},
    }
    return next((name for name, book in BOOK.items() if book == own), "")
