"""The command that draws any schedule."""

from __future__ import annotations

import inspect
from operator import attrgetter
from pathlib import Path
from typing import Any

import click

from d2l_lrsched import schedulers
from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.data import UPDATES_PER_EPOCH
from d2l_lrsched.runs.experiment import NUM_EPOCHS


@click.command()
@click.argument("schedule", type=click.Choice(list(schedulers.BY_NAME)))
@click.option("--base-lr", type=float, help="The rate at the start.")
@click.option("--final-lr", type=float, help="The rate at the end.")
@click.option("--stop-factor-lr", type=float, help="The lower bound of a factor schedule.")
@click.option("--factor", type=float, help="What the rate is multiplied with.")
@click.option("--step", help="Where the rate drops: 15,30 (multi-factor) or 10 (mxnet-factor).")
@click.option("--max-update", type=int, help="Where the final rate is reached, counted from 0.")
@click.option("--pwr", type=float, help="The exponent of poly.")
@click.option(
    "--warmup-steps",
    type=int,
    help="Length of a warmup; within --max-update for MXNet's poly and cosine.",
)
@click.option("--warmup-begin-lr", type=float, help="The rate that the warmup starts from.")
@click.option(
    "--warmup-mode",
    type=click.Choice(["linear", "constant"]),
    help="Of the warmup: a straight line up, or its first rate throughout.",
)
@click.option(
    "--unit",
    type=click.Choice(["update", "epoch"]),
    default="update",
    show_default=True,
    help="What the schedule counts: MXNet counts updates, the book's plots mean epochs.",
)
@click.option(
    "--epochs",
    type=click.IntRange(min=1),
    default=NUM_EPOCHS,
    show_default=True,
    help="How many are drawn.",
)
@click.option(
    "--updates-per-epoch",
    type=click.IntRange(min=1),
    default=UPDATES_PER_EPOCH,
    show_default=True,
    help="Training images divided by the batch size, rounded up.",
)
@click.option(
    "-o",
    "--output",
    type=cli_options.UserPath(dir_okay=False),
    help="File to draw to: .svg, .png, .pdf. Default: SCHEDULE.svg in the working directory.",
)
def plot(
    schedule: str,
    unit: str,
    epochs: int,
    updates_per_epoch: int,
    output: Path | None,
    **arguments: Any,
) -> None:
    """Draw a schedule, over updates and over epochs.

    What is not given has the default of the schedule's class; SCHEDULE 'factor' is the
    chapter's own, 'mxnet-factor' MXNet's.

    \b
    Example: d2l-lrsched plot cosine --base-lr 0.5 --max-update 20 --unit epoch -o cosine.svg
    """  # noqa: D301  click wants the backspace: it keeps the line whole
    scheduler = _build(schedule, {k: v for k, v in arguments.items() if v is not None})
    title = f"{scheduler!r}, per {unit}"
    if unit == "epoch":
        scheduler = schedulers.PerEpoch(scheduler, updates_per_epoch)
    from d2l_lrsched import drawing

    figure = drawing.two_axes(scheduler, epochs * updates_per_epoch, updates_per_epoch, title)
    try:
        path = drawing.save(figure, output or f"{schedule}.svg")
    except ValueError as error:
        raise click.UsageError(f"--output: {error}") from error
    click.echo(f"Drawn to {path}")


def _build(schedule: str, arguments: dict[str, Any]) -> Any:
    """Return the scheduler that the options describe, or end with what is wrong with them."""
    make = attrgetter(schedulers.BY_NAME[schedule])(schedulers)
    parameters = inspect.signature(make).parameters
    if "step" in arguments:
        try:
            steps = [int(step) for step in arguments["step"].split(",")]
        except ValueError:
            raise click.UsageError(
                f"--step {arguments['step']!r}: must be integers, as in 15,30"
            ) from None
        arguments["step"] = steps if schedule == "multi-factor" or len(steps) > 1 else steps[0]
    if "base_lr" in arguments and "lr" in parameters:
        arguments["lr"] = arguments.pop("base_lr")
    warmup = {k: arguments.pop(k) for k in list(arguments) if k.startswith("warmup")}
    if warmup and "warmup_steps" not in warmup:
        raise click.UsageError(f"{_options(list(warmup))} needs --warmup-steps")
    if "warmup_steps" in parameters:
        arguments, warmup = {**arguments, **warmup}, {}
    required = [k for k, p in parameters.items() if p.default is p.empty]
    if missing := [k for k in required if k not in arguments]:
        raise click.UsageError(f"{schedule} needs {_options(missing)}")
    if odd := [k for k in arguments if k not in parameters]:
        taken = _options(["base_lr" if k == "lr" else k for k in parameters])
        raise click.UsageError(f"{schedule} does not take {_options(odd)}; it takes {taken}")
    try:
        scheduler = make(**arguments)
        if warmup:
            scheduler = schedulers.WarmupScheduler(scheduler, **warmup)
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return scheduler


def _options(names: list[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)
