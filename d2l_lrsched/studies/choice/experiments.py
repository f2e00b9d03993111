"""Eleven schedules at one budget: first each at many peak rates, then each at the one chosen.

Momentum is 0 throughout. What decays by plan has a hundredth of its peak in the last update, so
that no schedule is compared by where it ends; constant, square-root and plateau cannot. A warmup
is within the budget.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping
from functools import partial
from typing import NamedTuple

from d2l_lrsched.runs.experiment import Experiment, Schedule
from d2l_lrsched.runs.job import Job
from d2l_lrsched.runs.record import Run
from d2l_lrsched.schedulers import builtin, cycles
from d2l_lrsched.schedulers.compose import SequentialScheduler
from d2l_lrsched.schedulers.plateau import PlateauScheduler
from d2l_lrsched.schedulers.scratch import LinearScheduler, SquareRootScheduler
from d2l_lrsched.studies.choice import tuning

NUM_EPOCHS = 10
#: The last rate of what decays by plan, as a share of the peak.
FLOOR = 0.01
#: Of the training pictures, 500 a class: what the peaks are chosen by.
HELD_OUT = 5000
#: The clipping study's threshold, to which a test holds it.
CLIP_NORM = 0.7
#: The first of the seeds that the chosen peaks are judged by; tuning has 0, 1, ...
FRESH = 100
#: Seeds of each chosen peak.
SEEDS = 20


def for_tuning(seeds: int) -> int:
    """Return how many seeds try each peak, of so many that the chosen ones have: a quarter."""
    return -(-seeds // 4)


# Of every schedule `base_lr` is the peak. Records name these functions, and so no other study has
# one of the same name.


def square_root(num_updates: int, base_lr: float) -> Schedule:
    """Return what falls with the square root of the updates, from the peak at 0."""
    return SquareRootScheduler(base_lr)


def steps_down(num_updates: int, base_lr: float) -> Schedule:
    """Return the peak for half of the run, a tenth for a quarter, a hundredth for the rest."""
    return builtin.MultiFactorScheduler([num_updates // 2, 3 * num_updates // 4], 0.1, base_lr)


def square_down(num_updates: int, base_lr: float) -> Schedule:
    """Return what falls with the square of the time left."""
    return builtin.PolyScheduler(num_updates, base_lr, pwr=2, final_lr=FLOOR * base_lr)


def line_down(num_updates: int, base_lr: float) -> Schedule:
    """Return a straight line down."""
    return LinearScheduler(num_updates, base_lr, FLOOR * base_lr)


def cooldown(num_updates: int, base_lr: float) -> Schedule:
    """Return the peak for four fifths of the run, then a straight line down."""
    down, stay = num_updates // 5, LinearScheduler(1, base_lr, base_lr)
    return SequentialScheduler([(stay, num_updates - down), line_down(down, base_lr)])


def cosine_down(num_updates: int, base_lr: float) -> Schedule:
    """Return half a cosine down."""
    return builtin.CosineScheduler(num_updates, base_lr, FLOOR * base_lr)


def up_and_cosine_down(num_updates: int, base_lr: float) -> Schedule:
    """Return a straight line up from 0 over a tenth of the run, then half a cosine down."""
    return builtin.CosineScheduler(num_updates, base_lr, FLOOR * base_lr, num_updates // 10)


def one_cycle(num_updates: int, base_lr: float) -> Schedule:
    """Return a cosine up from a 25th of the peak over 30 % of the run, then one down."""
    return cycles.one_cycle(num_updates, base_lr, base_lr / 25, FLOOR * base_lr, rise=0.3)


def restarts(num_updates: int, base_lr: float) -> Schedule:
    """Return three cosines down, of 1/7, 2/7 and 4/7 of the run, each from the peak."""
    ends = [num_updates * sevenths // 7 for sevenths in (0, 1, 3, 7)]
    lengths = [end - start for start, end in zip(ends, ends[1:])]
    return cycles.restarts(lengths, base_lr, FLOOR * base_lr)


def on_plateau(num_updates: int, base_lr: float) -> Schedule:
    """Return what falls to a third after an epoch whose loss is not 10 % below the best."""
    return PlateauScheduler(base_lr, factor=1 / 3, patience=1, threshold=0.1)


def up_to_the_last(num_updates: int, base_lr: float) -> Schedule:
    """Return the peak, but 0 in the last update: the net is tested as it was before that."""
    stay, stop = (LinearScheduler(1, base_lr, last) for last in (base_lr, 0.0))
    return SequentialScheduler([(stay, num_updates - 1), stop])


CONSTANT = "constant"
#: Schedule -> what makes it, and what it is.
SCHEDULES: Mapping[str, tuple[Callable[..., Schedule] | None, str]] = {
    CONSTANT: (None, "the peak throughout"),
    "steps": (steps_down, "the peak, a tenth of it after 1/2 and a hundredth after 3/4 of the run"),
    "square-root": (square_root, "peak / sqrt(n + 1) in update n"),
    "poly": (square_down, "down with the square of the time left"),
    "linear": (line_down, "a straight line down"),
    "cooldown": (cooldown, "the peak, and over the last fifth a straight line down"),
    "cosine": (cosine_down, "half a cosine down"),
    "warmup-cosine": (up_and_cosine_down, "up from 0 over a tenth, then half a cosine down"),
    "one-cycle": (one_cycle, "a cosine up from peak / 25 over 30 % of the run, then one down"),
    "restarts": (restarts, "three cosines down, over 1/7, 2/7 and 4/7 of the run"),
    "plateau": (on_plateau, "a third after each epoch whose loss is not 10 % below the best"),
}
#: What is done with a schedule at a peak: chosen by, and judged by without and with clipping. The
#: constant rate is also judged without the last update, see `verdicts`.
TUNE, PLAIN, CLIPPED, SKIPPED = "tune", "plain", "clipped", "skipped"


class Arm(NamedTuple):
    """One schedule at one peak, in one phase of the study."""

    phase: str
    schedule: str
    peak: float

    @property
    def name(self) -> str:
        """Of its experiment."""
        return f"{self.phase}-{self.schedule}-{self.peak:g}"


_IN_WORDS = {
    TUNE: "tested on held-out training pictures",
    PLAIN: "without clipping",
    CLIPPED: "with clipping",
    SKIPPED: "without clipping, and the last update has the rate 0",
}


def _experiment(arm: Arm) -> Experiment:
    make, words = SCHEDULES[arm.schedule]
    make = up_to_the_last if arm.phase == SKIPPED else make
    return Experiment(
        arm.name,
        f"{words}; the peak is {arm.peak:g}; {_IN_WORDS[arm.phase]}.".capitalize(),
        learning_rate=None if make else arm.peak,
        scheduler=partial(make, base_lr=arm.peak) if make else None,
        unit="run" if make else "update",
        num_epochs=NUM_EPOCHS,
        clip_norm=CLIP_NORM if arm.phase == CLIPPED else None,
        held_out=HELD_OUT if arm.phase == TUNE else 0,
    )


#: Name -> arm, of all that the rules may ask for.
ARMS: Mapping[str, Arm] = {
    arm.name: arm
    for phase in (TUNE, PLAIN, CLIPPED, SKIPPED)
    for schedule in ([CONSTANT] if phase == SKIPPED else SCHEDULES)
    for arm in (Arm(phase, schedule, peak) for peak in tuning.PEAKS)
}
#: Name -> experiment.
EXPERIMENTS: Mapping[str, Experiment] = {name: _experiment(arm) for name, arm in ARMS.items()}


def scores(runs: Iterable[Run]) -> dict[str, dict[float, float]]:
    """Return schedule -> peak -> score, of the tuning runs among these."""
    tuned: dict[Arm, list[Run]] = {}
    for run in runs:
        arm = ARMS.get(run.experiment)
        if arm and arm.phase == TUNE:
            tuned.setdefault(arm, []).append(run)
    found: dict[str, dict[float, float]] = {}
    for arm in sorted(tuned):
        found.setdefault(arm.schedule, {})[arm.peak] = tuning.score(tuned[arm])
    return {schedule: found[schedule] for schedule in SCHEDULES if schedule in found}


def jobs(
    runs: Collection[Run] = (), seeds: int = SEEDS, num_epochs: int | None = None
) -> list[Job]:
    """Return the runs to be made, as far as those that are there can tell.

    At first every schedule's at the peaks of the grid. When these are there, also those at the next
    peaks that the rules ask for; when no rule asks for more, also those of the chosen peaks on the
    test set, the constant rate's without the last update too. So ask again with what was made,
    until nothing is added.
    """

    def of(phase: str, peaks: Mapping[str, Iterable[float]], of_seeds: Iterable[int]) -> list[Job]:
        return [
            Job(EXPERIMENTS[Arm(phase, schedule, peak).name], seed, num_epochs, "fast")
            for seed in of_seeds
            for schedule in peaks
            for peak in peaks[schedule]
        ]

    peaks = {schedule: sorted(tuning.GRID) for schedule in SCHEDULES}
    there = {run.key: run for run in runs}
    while True:
        asked = of(TUNE, peaks, range(for_tuning(seeds)))
        if any(job.key not in there for job in asked):
            return asked
        found = scores(there[job.key] for job in asked)
        more = {schedule: tuning.further(of_peaks) for schedule, of_peaks in found.items()}
        if not any(more.values()):
            break
        for schedule, peak in more.items():
            peaks[schedule] += [peak] if peak else []
    chosen = {schedule: [tuning.best(of_peaks)] for schedule, of_peaks in found.items()}
    fresh = range(FRESH, FRESH + seeds)
    asked += of(PLAIN, chosen, fresh) + of(CLIPPED, chosen, fresh)
    return asked + of(SKIPPED, {CONSTANT: chosen[CONSTANT]}, fresh)
