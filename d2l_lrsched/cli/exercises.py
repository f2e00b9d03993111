"""The command that answers the chapter's exercises by experiments: `exercises`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2l_lrsched.cli import making as cli_runs
from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.cli.errors import end_as_by_ctrl_c, one_line_errors
from d2l_lrsched.files import whole_file

if TYPE_CHECKING:
    from d2l_lrsched.studies.sampling.record import Samples

RECORDS = "runs.jsonl"
PAGE = "README.md"
#: Beside the output folder: exercise 5 is a study of its own.
SAMPLING = Path("sampling", "samples.jsonl")
NAMES = ("fixed-rate", "poly", "deeper", "warmup", "sampling", "plateau")


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
    help="Seeds of each experiment, instead of 5, or 3 of the deeper network.",
)
@click.option(
    "--epochs", type=click.IntRange(1), help="Epochs of every run, instead of each exercise's own."
)
@cli_options.workers("Runs at once, each in a process of one thread.")
@cli_options.data_dir
@cli_options.output("exercises", f"Folder for figures, tables ({PAGE}) and records (appended to).")
def exercises(
    chosen: tuple[str, ...],
    seeds: int | None,
    epochs: int | None,
    workers: int,
    data_dir: Path | None,
    output: Path,
) -> None:
    """Answer the exercises of section 11.15.5 by experiments: runs, figures and tables.

    Nearly two hours on two cores. Runs that the records hold are not made again: where all are
    there, as in a checkout, figures and tables are made from them in seconds. These show all that
    the records hold of so many seeds and epochs, whichever exercise was chosen.

    Example: d2l-lrsched exercises --exercise poly --output /tmp/poly
    """
    os.environ["MPLBACKEND"] = "agg"
    end_as_by_ctrl_c()
    from d2l_lrsched import drawing
    from d2l_lrsched.runs import record as store
    from d2l_lrsched.runs import runner
    from d2l_lrsched.studies.exercises import figures as figures_exercises
    from d2l_lrsched.studies.exercises import page as exercises_report
    from d2l_lrsched.studies.exercises.experiments import EXERCISES, EXPERIMENTS
    from d2l_lrsched.studies.sampling import figures as figures_sgld
    from d2l_lrsched.studies.sampling import page as sampling_page
    from d2l_lrsched.studies.sampling import sampler

    with one_line_errors():
        records = cli_options.ready(output / RECORDS, EXPERIMENTS)
        sampled = output.parent / SAMPLING
        samples = _known_samples(sampled)
        settings: dict[str, Any] = {"num_epochs": epochs, "net": "fast"}
        parts = {
            exercise.name: (exercise.names, range(seeds or exercise.num_seeds))
            for exercise in EXERCISES
        }
        wanted = [part for name, part in parts.items() if name in (chosen or NAMES)]
        lacking = any(runner.missing(*part, records, **settings) for part in wanted)
        settings["data_dir"] = str(cli_options.checked_data(data_dir)) if lacking else None
        for names, of_seeds in wanted:
            cli_runs.make(names, of_seeds, records, workers, **settings).exit_if_failed()
        if "sampling" in (chosen or NAMES):
            samples = sampler.make(sampled)
        shown = {
            runner.Job(name, seed, epochs, net="fast").key
            for names, of_seeds in parts.values()
            for name in names
            for seed in of_seeds
        }
        once = {run.key: run for run in store.read(records)}
        runs = [run for key, run in once.items() if key in shown]
        drawn = figures_exercises.draw_all(runs)
        if samples:
            for name, draw in figures_sgld.FIGURES.items():
                drawing.save(draw(samples), sampled.with_name(name))
            with whole_file(sampled.with_name(PAGE)) as temporary:
                temporary.write_text(sampling_page.as_page(samples), encoding="utf-8")
        for name, figure in drawn.items():
            drawing.save(figure, output / name)
        with whole_file(output / PAGE) as temporary:
            temporary.write_text(exercises_report.as_page(runs), encoding="utf-8")
    click.echo(f"{output / PAGE}: {len(runs)} runs, {len(drawn)} figures")


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
