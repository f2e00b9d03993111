"""The command that answers the chapter's exercises by experiments: `exercises`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2l_lrsched.cli import making, options

if TYPE_CHECKING:
    from d2l_lrsched.studies.sampling.record import Samples

#: Beside the output folder: exercise 5 is a study of its own.
SAMPLING = Path("sampling", "samples.jsonl")
NAMES = ("fixed-rate", "poly", "deeper", "warmup", "plateau", "sampling")


@click.command()
@click.option(
    "--exercise",
    "chosen",
    type=click.Choice(NAMES),
    multiple=True,
    help="Answer only this one; may be given several times. Default: all.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    help="Seeds of each experiment, instead of 20, or 3 of the deeper network.",
)
@click.option(
    "--epochs", type=click.IntRange(1), help="Epochs of every run, instead of each exercise's own."
)
@options.workers()
@options.data_dir
@options.output(
    "exercises", f"Folder for figures, tables (README.md) and records ({options.RECORDS})."
)
def exercises(
    chosen: tuple[str, ...],
    seeds: int | None,
    epochs: int | None,
    workers: int,
    data_dir: Path | None,
    output: Path,
) -> None:
    """Answer the exercises of section 11.15.5 by experiments.

    About two hours on two cores. Runs that the records hold are not made again: where all are
    there, as in figures/exercises, figures and tables are made from them in a minute. These show
    all that the records hold of so many seeds and epochs, whichever exercise was chosen. Exercise
    5's go to the folder `sampling` beside that of --output.

    \b
    Example: d2l-lrsched exercises --exercise poly --seeds 1 --epochs 1 --output /tmp/poly
    """  # noqa: D301  click wants the backspace: it keeps the line whole
    from d2l_lrsched.runs import record
    from d2l_lrsched.studies.exercises import page
    from d2l_lrsched.studies.exercises.experiments import EXPERIMENTS, jobs
    from d2l_lrsched.studies.sampling import page as page_of_samples
    from d2l_lrsched.studies.sampling import sampler

    records, sampled = output / options.RECORDS, output.parent / SAMPLING
    samples = _known_samples(sampled)
    asked = jobs(chosen, seeds, epochs)
    making.make(asked, records, EXPERIMENTS, workers, data_dir).exit_if_failed()
    if not chosen or "sampling" in chosen:
        samples = sampler.make(sampled)
    if samples:
        page_of_samples.write(samples, sampled.parent)
    shown = jobs(seeds=seeds, num_epochs=epochs)
    runs = making.asked_for(shown, record.read(records))
    click.echo(f"{output}/README.md: {len(runs)} runs, {page.write(runs, output)} figures")
    click.echo(options.beside("exercises", output))


def _known_samples(path: Path) -> list[Samples]:
    """Return the file's records that the exercise has, if any; say how many others there are."""
    from d2l_lrsched.studies.sampling import record, sampler

    records = record.read(path)
    found = sampler.known(records)
    if len(found) < len(records):
        click.echo(
            f"Warning: {path}: {len(records) - len(found)} of {len(records)} records are passed "
            "over, being of unknown settings or seeds, or repeated",
            err=True,
        )
    return found
