"""The commands that train: `reproduce`, many runs on many cores or machines, and `run`, one."""

from __future__ import annotations

import logging
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from d2l_lrsched.cli import making as cli_runs
from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.cli.errors import end_as_by_ctrl_c, in_one_line, one_line_errors
from d2l_lrsched.runs import provenance

if TYPE_CHECKING:
    from distributed import Client

    from d2l_lrsched.runs.record import Run

RECORDS = "runs.jsonl"

_output = cli_options.output(
    "chapter", f"Folder for the figures and for the records ({RECORDS}, appended to)."
)


@click.command()
@click.option(
    "--experiment",
    "names",
    multiple=True,
    metavar="NAME",
    help="Which; may be repeated. Default: the five that the book prints.",
)
@cli_options.epochs
@cli_options.seed
@click.option(
    "--seeds",
    "num_seeds",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="How many seeds, from --seed on.",
)
@cli_options.workers(
    "Runs at once, each in a process of one thread; the last ones, fewer than twice as many, share "
    "the cores."
)
@click.option(
    "--dask",
    metavar="ADDRESS",
    help="Run on the workers of this Dask scheduler, as tcp://host:8786, instead of this machine.",
)
@cli_options.net
@cli_options.data_dir
@_output
@click.pass_context
def reproduce(
    context: click.Context,
    names: tuple[str, ...],
    epochs: int | None,
    seed: int,
    num_seeds: int,
    workers: int,
    dask: str | None,
    net: str,
    data_dir: Path | None,
    output: Path,
) -> None:
    """Train the chapter's runs; write figures and records; print ours beside the book's.

    Runs that the records already hold are not made again, and interrupted ones go on from their
    last finished epoch.

    Example: d2l-lrsched reproduce --epochs 1 --output /tmp/figures
    """
    if dask == "":
        raise click.UsageError("--dask must be the address of a scheduler, as tcp://host:8786")
    if dask and context.get_parameter_source("workers") is ParameterSource.COMMANDLINE:
        raise click.UsageError("--workers is for runs on this machine, --dask for those elsewhere")
    if seed + num_seeds > 2**32:
        raise click.UsageError(f"--seeds {num_seeds} from {seed} on goes beyond 2**32 - 1")
    os.environ["MPLBACKEND"] = "agg"  # nothing is shown on a screen, whatever the user's setting
    end_as_by_ctrl_c()
    from d2l_lrsched import drawing
    from d2l_lrsched.runs import frames
    from d2l_lrsched.runs import record as store
    from d2l_lrsched.studies.chapter import figures, tables
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
    from d2l_lrsched.studies.chapter.experiments import PUBLISHED

    names = _known(names) or PUBLISHED
    seeds = range(seed, seed + num_seeds)
    with one_line_errors():
        cluster = _connect(dask) if dask else None
        if cluster is None:
            data_dir = cli_options.checked_data(data_dir)
        records = cli_options.ready(output / RECORDS, CHAPTER)
        settings: dict[str, Any] = {
            "num_epochs": epochs,
            "data_dir": str(data_dir) if data_dir else None,
            "net": net,
        }
        made = cli_runs.make(names, seeds, records, workers, cluster, **settings)
        stored = store.read(records)
        runs = made.runs(stored)
        if set(PUBLISHED) <= set(names):
            drawing.save(figures.factor(), output / figures.FACTOR_FIGURE)
        for run in runs:
            if run.seed == seed:
                try:  # what is in one figure's way is not in another's
                    figures.draw_run(run, output)
                except OSError as error:
                    made.failures.setdefault(run.experiment, in_one_line(error))
        figures.draw_overview([run for run in stored if run.seed == seed], output)
    if runs:
        table = tables.chapter_table if num_seeds == 1 else tables.summary_table
        click.echo(frames.text(table(runs)))
        click.echo(f"Figures and records are in {output}/")
    made.exit_if_failed()


def _connect(address: str) -> Client:
    """Return the client of a Dask cluster."""
    try:
        from distributed import Client
    except ImportError:
        raise click.ClickException(
            "--dask needs Dask: pip install 'd2l_lrsched[cluster]'"
        ) from None
    # What happens to runs is told by `reproduce`, in a line each and not in tracebacks.
    for name in ("distributed", "distributed.client"):  # both have levels of their own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=10)
    except ValueError as error:
        raise click.UsageError(f"--dask {address}: no address of a scheduler ({error})") from None
    except OSError:
        raise click.ClickException(
            f"no Dask scheduler answers at {address}; start one with: dask scheduler"
        ) from None
    if not client.nthreads():
        click.echo(f"The cluster has no worker yet; start some with: dask worker {address}")
    return client


@click.command()
@click.argument("name")
@cli_options.epochs
@cli_options.seed
@cli_options.net
@cli_options.data_dir
@_output
@click.option("--quiet", is_flag=True, help="Show nothing while training.")
def run(
    name: str,
    epochs: int | None,
    seed: int,
    net: str,
    data_dir: Path | None,
    output: Path,
    quiet: bool,
) -> None:
    """Train one experiment, NAME, in this process; write its figures and record.

    Example: d2l-lrsched run cosine-per-epoch --epochs 2 --output /tmp/figures
    """
    os.environ["MPLBACKEND"] = "agg"
    end_as_by_ctrl_c()
    if not provenance.threads():
        os.environ["OMP_NUM_THREADS"] = "1"  # as `reproduce` trains: the same numbers
    from d2l_lrsched.runs import record as store
    from d2l_lrsched.runs import runner
    from d2l_lrsched.studies.chapter import figures
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER

    _known((name,))
    with one_line_errors():
        data_dir = cli_options.checked_data(data_dir)
        records = cli_options.ready(output / RECORDS, CHAPTER)
        checkpoints = str(output.resolve() / runner.CHECKPOINTS)
        job = runner.Job(name, seed, epochs, str(data_dir), net, checkpoints)
        try:
            result: Run = runner.run_job(job, "none" if quiet else "auto")
        except KeyboardInterrupt:
            raise click.ClickException(
                "interrupted; the same command goes on from the last finished epoch"
            ) from None
        store.append(records, result)
        runner.discard_checkpoint(job)
        figures.draw_run(result, output)
        figures.draw_overview(store.read(records), output)
    if not quiet:
        click.echo(f"Figures and record are in {output}/")


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER

    for name in names:
        if name not in CHAPTER:
            known = ", ".join(CHAPTER)
            raise click.UsageError(f"unknown experiment {name!r}; the known ones are: {known}")
    return tuple(dict.fromkeys(names))
