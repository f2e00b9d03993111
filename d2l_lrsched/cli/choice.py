"""The command that compares schedules, each at the peak rate that suits it: `choice`."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2l_lrsched.cli import making, options

if TYPE_CHECKING:
    from d2l_lrsched.runs.job import Job
    from d2l_lrsched.runs.record import Run


@click.command()
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=20,
    show_default=True,
    help="Seeds of each schedule at its chosen peak; each peak is tried with a quarter as many.",
)
@click.option(
    "--epochs", type=click.IntRange(1), default=10, show_default=True, help="Epochs of every run."
)
@options.workers()
@options.data_dir
@options.output("choice", f"Folder for figure, tables (README.md) and records ({options.RECORDS}).")
def choice(seeds: int, epochs: int, workers: int, data_dir: Path | None, output: Path) -> None:
    """Compare eleven schedules, each at the peak that suits it.

    The peak is chosen on held-out pictures; then the test set judges. Some five hours on two idle
    cores; of one seed and one epoch 100 runs at least, ten minutes. Runs that the records hold are
    not made again: where all are there, figure and tables are made from them in a minute.

    Example: d2l-lrsched choice --seeds 1 --epochs 1 --output /tmp/choice
    """
    from d2l_lrsched.runs import ranges
    from d2l_lrsched.studies.choice import experiments, page

    of_ranges, for_tuning = output / ranges.RECORDS, experiments.for_tuning(seeds)
    tested = ranges.stored(of_ranges, for_tuning)
    records = output / options.RECORDS
    asked: list[Job] = []
    runs: list[Run] = []
    while (jobs := experiments.jobs(runs, seeds, epochs)) != asked:
        asked = jobs
        made = making.make(jobs, records, experiments.EXPERIMENTS, workers, data_dir)
        made.exit_if_failed()
        runs = made.runs
    if tested is None:
        tested = ranges.of_lenet(for_tuning, data_dir=options.checked_data(data_dir))
        ranges.store(of_ranges, tested)
    click.echo(f"{output}/README.md: {page.write(runs, tested, output)}")
    click.echo(options.beside("choice", output))
