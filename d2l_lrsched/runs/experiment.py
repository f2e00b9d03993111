"""What is trained, under which schedule, read in which unit: one experiment."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from d2l_lrsched.data import BATCH_SIZE, TRAIN_EXAMPLES
from d2l_lrsched.runs.record import CHOSEN, Run
from d2l_lrsched.schedulers import tell
from d2l_lrsched.schedulers.compose import PerEpoch

Schedule = Callable[[int], float]

#: The book's, in all of section 11.15.
NUM_EPOCHS = 30


@dataclass(frozen=True)
class Experiment:
    """One training run on Fashion-MNIST, but for its seed.

    Attributes
    ----------
    name : str
    note : str
        In words: what is trained, and how it differs from the others.
    section, title : str
        The book's, for the chapter's own figures.
    learning_rate : float, optional
        The constant rate; None where there is a schedule.
    scheduler : functools.partial, optional
        Makes a new scheduler; None where the rate is constant.
    unit : {'update', 'epoch', 'run'}
        What the scheduler counts in training. MXNet feeds it updates; with 'run' it counts these
        too, but is made for the run: `scheduler` takes ``num_updates``, all of the run's.
    num_epochs, batch_size, optimizer
        By default the chapter's.
    clip_norm : float, optional
        The threshold for the gradient's global norm; None for no clipping.
    net : str, optional
        One of `nets.NETS`; None for LeNet, in whichever arrangement.
    held_out : int
        So many training examples are not trained but tested on, in place of the test set, as by
        `load_fashion_mnist`; what is called test accuracy is then theirs.
    """

    name: str
    note: str
    section: str = ""
    title: str = ""
    learning_rate: float | None = None
    scheduler: partial | None = None
    unit: str = "update"
    num_epochs: int = NUM_EPOCHS
    batch_size: int = BATCH_SIZE
    optimizer: str = "sgd"
    clip_norm: float | None = None
    net: str | None = None
    held_out: int = 0

    @property
    def updates_per_epoch(self) -> int:
        """Batches in an epoch of the whole data; the last, incomplete one counts."""
        return -(-(TRAIN_EXAMPLES - self.held_out) // self.batch_size)

    def prepare(
        self, updates_per_epoch: int, num_epochs: int | None = None
    ) -> tuple[dict[str, Any], list[float] | None]:
        """Return the Trainer's settings and the schedule that the chapter plots beforehand.

        The chapter plots each scheduler over range(30) and then trains with the same object.
        That is repeated here, for it changes a scheduler that has a state.

        Parameters
        ----------
        updates_per_epoch : int
            Batches in an epoch; the last, incomplete one counts.
        num_epochs : int, optional
            Epochs of the run, which matters to the unit 'run' only; by default the experiment's.

        Returns
        -------
        optimizer_params : dict
            For ``gluon.Trainer``.
        plotted : list of float or None
            The scheduler's values at 0, 1, ..., for each of the experiment's epochs; None for a
            constant rate, and for a schedule over the whole run, which no book has plotted.
        """
        if self.scheduler is None:
            return {"learning_rate": self.learning_rate}, None
        if self.unit == "run":
            num_updates = updates_per_epoch * (num_epochs or self.num_epochs)
            return {"lr_scheduler": self.scheduler(num_updates=num_updates)}, None
        scheduler: Schedule = self.scheduler()
        plotted = [scheduler(t) for t in range(self.num_epochs)]
        if self.unit == "epoch":
            scheduler = PerEpoch(scheduler, updates_per_epoch)
        return {"lr_scheduler": scheduler}, plotted

    def rates(self, losses: Sequence[float]) -> list[float]:
        """Return the learning rate of every update of a run with these losses, one an epoch.

        A scheduler that listens is told each loss at the end of its epoch, as in training.
        """
        optimizer_params, _ = self.prepare(self.updates_per_epoch, len(losses))
        scheduler = optimizer_params.get("lr_scheduler", lambda n: self.learning_rate)
        rates: list[float] = []
        for loss in losses:
            last = len(rates) + self.updates_per_epoch
            rates += [scheduler(n) for n in range(len(rates) + 1, last + 1)]
            tell(scheduler, loss, last)
        return rates

    @property
    def heading(self) -> str:
        """Section and title, as they stand over the figures."""
        return f"{self.section} {self.title}"

    @property
    def settings(self) -> dict[str, Any]:
        """Everything that shapes the run but its net, for its record.

        A scheduler is the code that makes it, without the path of a module, which may move; only
        ``mxnet.`` and ``builtin.`` tell MXNet's classes and ours of the same name apart.
        """
        return {
            "learning_rate": self.learning_rate,
            "scheduler": None if self.scheduler is None else _as_code(self.scheduler),
            "unit": self.unit,
            "batch_size": self.batch_size,
            "optimizer": self.optimizer,
            "clip_norm": self.clip_norm,
            # Records were kept before there was a choice.
            **({"held_out": self.held_out} if self.held_out else {}),
        }


def _as_code(make: partial) -> str:
    arguments = ", ".join(f"{name}={value!r}" for name, value in make.keywords.items())
    package, _, module = make.func.__module__.partition(".")
    whose = f"{package}." if package == "mxnet" else "builtin." * (".builtin." in module)
    return f"{whose}{make.func.__qualname__}({arguments})"


def known(run: Run, among: Mapping[str, Experiment]) -> bool:
    """Whether this version has the experiment that the run was of, with the settings that it had.

    Records outlive the code that wrote them: experiments go, come and change. What a record does
    not say of its settings, being older than they are, is no difference; nor is what no experiment
    decides.
    """
    if run.experiment not in among:
        return False
    recorded = {n: value for n, value in run.settings.items() if n not in ("net", *CHOSEN)}
    return recorded.items() <= among[run.experiment].settings.items()
