"""The commands that train: `reproduce`, many runs on many cores or machines, and `run`, one."""

from __future__ import annotations

import os
import shlex
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2l_lrsched.cli import making, options
from d2l_lrsched.cli.errors import in_one_line
from d2l_lrsched.runs import provenance
from d2l_lrsched.runs.experiment import NUM_EPOCHS
from d2l_lrsched.studies.chapter.published import PRINTED

if TYPE_CHECKING:
    from d2l_lrsched.runs.record import Run

_output = options.output(
    "chapter", f"Folder for the figures and for the records ({options.RECORDS}, appended to)."
)


@click.command()
@click.option(
    "--experiment",
    "names",
    multiple=True,
    metavar="NAME",
    help="Which, as `d2l-lrsched run --help` names them; may be repeated. Default: the five that "
    "the book prints.",
)
@options.epochs
@options.seed
@click.option(
    "--seeds",
    "num_seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many seeds, from --seed on.",
)
@options.workers()
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Run on the workers of this Dask scheduler, as tcp://host:8786, instead of this machine.",
)
@options.net()
@options.release
@options.order
@options.split
@options.data_dir
@_output
def reproduce(
    names: tuple[str, ...],
    epochs: int | None,
    seed: int,
    num_seeds: int,
    workers: int,
    dask: str | None,
    net: str,
    release: str | None,
    order: int | None,
    split: int | None,
    data_dir: Path | None,
    output: Path,
) -> None:
    """Train the chapter's runs and print ours beside the book's.

    A seed takes half an hour on two cores, five minutes with --net fast. Figures and records go to
    --output. Runs that the records already hold are not made again, and interrupted ones go on
    from their last finished epoch.

    Example: d2l-lrsched reproduce --epochs 1 --output /tmp/figures
    """
    if dask == "":
        raise click.UsageError("--dask must be the address of a scheduler, as tcp://host:8786")
    if dask and options.given("workers"):
        raise click.UsageError("--workers is for runs on this machine, --dask for those elsewhere")
    if seed + num_seeds > 2**32:
        raise click.UsageError(f"--seeds {num_seeds} from {seed} on goes beyond 2**32 - 1")
    from d2l_lrsched.runs import frames, record
    from d2l_lrsched.studies.chapter import experiments, figures, tables

    records = output / options.RECORDS
    seeds = range(seed, seed + num_seeds)
    chosen = options.chosen(release=release, order=order, split=split)
    jobs = experiments.jobs(_known(names) or experiments.PUBLISHED, seeds, epochs, net, **chosen)
    made = making.make(jobs, records, experiments.EXPERIMENTS, workers, data_dir, dask, chosen)
    stored = [r for r in record.read(records) if (r.seed, r.chosen) == (seed, chosen)]
    drawn = [run for run in made.runs if run.seed == seed]
    for name, error in figures.write(drawn, stored, output).items():
        made.failures.setdefault(name, in_one_line(error))
    if made.runs:
        table = tables.chapter_table if num_seeds == 1 else tables.summary_table
        click.echo(frames.text(table(made.runs)))
        if num_seeds == 1:
            click.echo("Each triple: training loss, training accuracy, test accuracy, last epoch")
        click.echo(_where(output, made.runs))
    made.exit_if_failed()


@click.command()
@click.argument("name")
@options.epochs
@options.seed
@options.net()
@options.release
@options.order
@options.split
@options.data_dir
@_output
@click.option("--quiet", is_flag=True, help="Show nothing while training.")
def run(
    name: str,
    epochs: int | None,
    seed: int,
    net: str,
    release: str | None,
    order: int | None,
    split: int | None,
    data_dir: Path | None,
    output: Path,
    quiet: bool,
) -> None:
    """Train one experiment, NAME, in this process.

    NAME is one of the chapter's runs: constant, square-root, multi-factor, cosine, cosine-warmup;
    or of its schedules read once an epoch: square-root-per-epoch, multi-factor-per-epoch,
    cosine-per-epoch, cosine-warmup-per-epoch. Figures and record go to --output. Unlike
    `reproduce` it trains again what the records already hold.

    Example: d2l-lrsched run cosine-per-epoch --epochs 2 --output /tmp/figures
    """
    if not provenance.threads():
        os.environ["OMP_NUM_THREADS"] = "1"  # as `reproduce` trains: the same numbers
    from d2l_lrsched.runs import job as jobs
    from d2l_lrsched.runs import record
    from d2l_lrsched.studies.chapter import experiments, figures

    _known((name,))
    data_dir = options.checked_data(data_dir, release)
    chosen = options.chosen(release=release, order=order, split=split)
    records = options.ready(output / options.RECORDS, experiments.EXPERIMENTS, chosen)
    (asked,) = experiments.jobs([name], [seed], epochs, net, **chosen)
    place = jobs.Place.of(records, data_dir)
    try:
        made = jobs.run_job(asked, place, "none" if quiet else "auto")
    except KeyboardInterrupt:
        raise click.ClickException(
            "interrupted; the same command goes on from the last finished epoch"
        ) from None
    record.append(records, made)
    jobs.discard_checkpoint(asked, place)
    stored = [run for run in record.read(records) if run.chosen == chosen]
    for error in figures.write([made], stored, output).values():
        raise error
    if not quiet:
        click.echo(_where(output, [made]))


def _where(output: Path, made: Iterable[Run]) -> str:
    # `verify` judges no others.
    if not any(run.experiment in PRINTED and run.num_epochs == NUM_EPOCHS for run in made):
        return options.where(output)
    records = shlex.quote(str(output / options.RECORDS))
    return options.where(output, f"{options.program()} verify --records {records}")


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS

    for name in names:
        if name not in EXPERIMENTS:
            known = ", ".join(EXPERIMENTS)
            raise click.UsageError(f"unknown experiment {name!r}; the known ones are: {known}")
    return tuple(dict.fromkeys(names))
