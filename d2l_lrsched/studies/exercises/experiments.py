"""The exercises of section 11.15.5 that are answered by training, as tables of experiments.

Exercise 5, on sampling, needs no network: see `d2l_lrsched.studies.sampling.sampler`.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from functools import partial

from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.runs.experiment import Experiment, Schedule
from d2l_lrsched.runs.job import Job
from d2l_lrsched.schedulers import builtin
from d2l_lrsched.schedulers.compose import SequentialScheduler, WarmupScheduler
from d2l_lrsched.schedulers.plateau import PlateauScheduler
from d2l_lrsched.schedulers.scratch import LinearScheduler

#: Of exercises 1 and 2 and of the plateau, whose runs are compared with each other.
NUM_EPOCHS = 8


@dataclass(frozen=True)
class Exercise:
    """One exercise, `name` on the command line; `setting` says in words what is trained.

    Its figure is the file of that name, its runs are of the seeds 0, 1, ... of each experiment.
    """

    name: str
    title: str
    figure: str
    setting: str
    experiments: tuple[Experiment, ...]
    num_seeds: int = 20

    @property
    def names(self) -> list[str]:
        """Of the experiments."""
        return [experiment.name for experiment in self.experiments]


def poly(num_updates: int, base_lr: float, pwr: float) -> Schedule:
    """Return the polynomial from `base_lr` to 0 over the run (exercise 2)."""
    return builtin.PolyScheduler(num_updates, base_lr, pwr)


def cosine(num_updates: int, base_lr: float, warmup: float = 0) -> Schedule:
    """Return a warmup from 0 over the share `warmup` of the run, then a cosine down to 0."""
    return builtin.CosineScheduler(num_updates, base_lr, warmup_steps=round(warmup * num_updates))


def steps(num_updates: int, base_lr: float) -> Schedule:
    """Return `base_lr` for half of the run, a tenth for a quarter, a hundredth for the rest."""
    rates = [LinearScheduler(1, rate, rate) for rate in (base_lr, base_lr / 10, base_lr / 100)]
    half, quarter = num_updates // 2, num_updates // 4
    return SequentialScheduler([(rates[0], half + 1), (rates[1], quarter), rates[2]])


def plateau(base_lr: float, warmup_steps: int = 0) -> Schedule:
    """Return a warmup, then a rate that falls to a third after an epoch of too little progress.

    Too little is a training loss not 10 % below the best before: LeNet's goes on falling by 2 to
    5 % an epoch for the whole of the chapter's 30.
    """
    falling = PlateauScheduler(base_lr, factor=1 / 3, patience=1, threshold=0.1)
    return WarmupScheduler(falling, warmup_steps)


#: The constant rates of exercise 1; the book's is 0.3.
FIXED_RATES = (0.03, 0.1, 0.3, 0.5, 0.7, 1.0)
#: The exponents of exercise 2, all from the chapter's constant rate; at 0 it would stay there.
EXPONENTS = (0.5, 1.0, 2.0, 4.0)
POLY_RATE = 0.3
#: Exercise 3: the rate that all of its schedules start from, or warm up to.
DEEPER_RATE = 0.5
#: Exercise 4: shares of the run that warm up, and peak rates.
WARMUPS = (0.0, 0.02, 0.1, 0.4)
PEAKS = (0.5, 0.7, 1.0)


def fixed_name(rate: float) -> str:
    """Return the name of exercise 1's experiment at a rate."""
    return f"fixed-{rate:g}"


def poly_name(pwr: float) -> str:
    """Return the name of exercise 2's experiment with an exponent."""
    return f"poly-{pwr:g}"


def warmup_name(warmup: float, peak: float) -> str:
    """Return the name of exercise 4's experiment with a share of warmup and a peak rate."""
    return f"warmup-{warmup:g}-peak-{peak:g}"


#: What the rate of exercise 2 would be with the exponent 0, and the plateau's without a drop.
UNLOWERED = fixed_name(POLY_RATE)

FIXED = Exercise(
    "fixed-rate",
    "1. A fixed learning rate",
    "1-fixed-rate.svg",
    f"LeNet for {NUM_EPOCHS} epochs at a constant rate.",
    tuple(
        Experiment(
            fixed_name(rate),
            f"The constant rate {rate:g}.",
            learning_rate=rate,
            num_epochs=NUM_EPOCHS,
        )
        for rate in FIXED_RATES
    ),
)
EXPONENT = Exercise(
    "poly",
    "2. The exponent of the decay",
    "2-exponent.svg",
    f"LeNet for {NUM_EPOCHS} epochs under MXNet's PolyScheduler, from {POLY_RATE:g} down to 0 at "
    "the end of the run. The larger the exponent, the sooner the rate falls; at 0 it would stay "
    "constant, as exercise 1's does.",
    tuple(
        Experiment(
            poly_name(pwr),
            f"MXNet's PolyScheduler from {POLY_RATE:g} to 0 over the run, exponent {pwr:g}.",
            scheduler=partial(poly, base_lr=POLY_RATE, pwr=pwr),
            unit="run",
            num_epochs=NUM_EPOCHS,
        )
        for pwr in EXPONENTS
    ),
)
_DEEPER: tuple[tuple[str, str, Callable[..., Schedule] | None, dict[str, float]], ...] = (
    ("constant", "the rate stays", None, {}),
    ("steps", "the rate falls to a tenth after 1/2 and 3/4 of the run", steps, {}),
    ("poly", "the rate falls with the square of the time left", poly, {"pwr": 2.0}),
    ("cosine", "half a cosine down to 0", cosine, {}),
    ("warmup-cosine", "a tenth of warmup, then the cosine", cosine, {"warmup": 0.1}),
)
DEEPER = Exercise(
    "deeper",
    "3. Cosine against other schedules, with a deeper network",
    "3-deeper.svg",
    "The book thinks of ImageNet, which is out of reach here: 1.28 million images of 224 x 224 "
    "pixels are too many for two cores. Instead a network deeper than LeNet, a small ResNet of the "
    "book's own residual blocks (seven convolutions deep, with batch norm), learns Fashion-MNIST, "
    f"for 3 epochs, with {DEEPER_RATE:g} as the highest rate of every schedule. What holds "
    "here need not hold there.",
    tuple(
        Experiment(
            f"resnet-{name}",
            f"A small ResNet of the book's residual blocks; {note}.",
            learning_rate=None if make else DEEPER_RATE,
            scheduler=partial(make, base_lr=DEEPER_RATE, **arguments) if make else None,
            unit="run" if make else "update",
            num_epochs=3,
            net="resnet",
        )
        for name, note, make, arguments in _DEEPER
    ),
    num_seeds=3,
)
WARMUP = Exercise(
    "warmup",
    "4. How long a warmup?",
    "4-warmup.svg",
    "LeNet for 4 epochs: a linear warmup from 0 to the peak over a share of the run, then a cosine "
    "down to 0 over the rest.",
    tuple(
        Experiment(
            warmup_name(warmup, peak),
            f"Warmup to {peak:g} over {100 * warmup:g} % of the run, then a cosine down to 0.",
            scheduler=partial(cosine, base_lr=peak, warmup=warmup),
            unit="run",
            num_epochs=4,
        )
        for peak in PEAKS
        for warmup in WARMUPS
    ),
)
PLATEAU = Exercise(
    "plateau",
    "Lower the rate when progress stops",
    "plateau.svg",
    f"The book's summary proposes it. LeNet for {NUM_EPOCHS} epochs under `PlateauScheduler`, "
    "which the training loop tells the loss of every epoch: the rate falls to a third whenever "
    "that is not 10 % below the best before. Once from 0.3, once from 0.5 after an epoch of "
    "warmup.",
    (
        Experiment(
            "plateau",
            "From 0.3, a third of the rate after each epoch whose loss improves by less than 10 %.",
            scheduler=partial(plateau, base_lr=0.3),
            num_epochs=NUM_EPOCHS,
        ),
        Experiment(
            "plateau-warmup",
            "The same from 0.5, after one epoch of warmup.",
            scheduler=partial(plateau, base_lr=0.5, warmup_steps=UPDATES_PER_EPOCH),
            num_epochs=NUM_EPOCHS,
        ),
    ),
)

#: In the book's order, and last what its summary proposes.
EXERCISES = (FIXED, EXPONENT, DEEPER, WARMUP, PLATEAU)

#: Name -> experiment: all of them.
EXPERIMENTS: Mapping[str, Experiment] = {
    e.name: e for exercise in EXERCISES for e in exercise.experiments
}


def jobs(
    chosen: Collection[str] = (), seeds: int | None = None, num_epochs: int | None = None
) -> list[Job]:
    """Return the runs of the exercises chosen, or of all, by default with the numbers of each."""
    return [
        Job(experiment, seed, num_epochs, "fast")
        for exercise in EXERCISES
        if not chosen or exercise.name in chosen
        for seed in range(seeds or exercise.num_seeds)
        for experiment in exercise.experiments
    ]
