"""The command that measures the paper on clipping and scheduling: `clipping`."""

from __future__ import annotations

from pathlib import Path

import click

from d2l_lrsched.cli import making, options


@click.command()
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=40,
    show_default=True,
    help="Seeds of each arm; the short runs, whose collapses are counted, have half as many.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Epochs of each arm; the short runs have two at most.",
)
@options.workers()
@options.net("fast")
@options.data_dir
@options.output(
    "clipping", f"Folder for figures, tables (README.md) and records ({options.RECORDS})."
)
def clipping(
    seeds: int, epochs: int, workers: int, net: str, data_dir: Path | None, output: Path
) -> None:
    """Measure clipping and a schedule, alone and together.

    And judge the paper's claims. An hour and a half on two cores. Runs that the records hold are
    not made again: where all are there, as in figures/clipping, figures, tables and verdicts are
    made from them in a minute.

    Example: d2l-lrsched clipping --seeds 1 --epochs 1 --output /tmp/clipping
    """
    from d2l_lrsched.studies.clipping import experiments, page

    records, jobs = output / options.RECORDS, experiments.jobs(seeds, epochs, net)
    made = making.make(jobs, records, experiments.EXPERIMENTS, workers, data_dir)
    made.exit_if_failed()
    click.echo(f"{output}/README.md: {page.write(made.runs, output)}")
    click.echo(options.beside("clipping", output))
