"""The command line: parse, call, print. MXNet is imported only by what needs it."""

from __future__ import annotations

import os
import signal
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from d2l_lrsched import cli_options, provenance
from d2l_lrsched.cli_bench import bench
from d2l_lrsched.cli_errors import in_one_line, one_line_errors
from d2l_lrsched.cli_plot import plot

if TYPE_CHECKING:
    from d2l_lrsched.store import Run

RECORDS = "runs.jsonl"

_output = cli_options.output(
    f"Folder for the figures and for the records ({RECORDS}, appended to)."
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="d2l_lrsched")
def main() -> None:
    """Reproduce d2l.ai's "Learning Rate Scheduling" (section 11.15) in MXNet/Gluon.

    Example: d2l-lrsched reproduce --epochs 1 --output /tmp/figures
    """


@main.command()
@cli_options.data_dir
@click.option("--url", help="Where to download from. Default: $D2L_LRSCHED_URL, else Zalando's.")
@click.option("--no-fetch", is_flag=True, help="Only look; never download.")
def data(data_dir: Path | None, url: str | None, no_fetch: bool) -> None:
    """Say where Fashion-MNIST is, check it, and fetch it where it is missing.

    Example: d2l-lrsched data
    """
    from d2l_lrsched import files

    with one_line_errors():
        named = data_dir or os.environ.get(files.DATA_VARIABLE)
        if named and not no_fetch:
            files.fetch(named, url)
        folder = files.locate(data_dir, base_url=url, download=not no_fetch)
        arrays = files.read_all(folder)
        click.echo(f"Fashion-MNIST is in {folder}")
        for name, array in arrays.items():
            click.echo(f"  {name:24} {array.shape!s:16} SHA-256 {files.SHA256[name]}")


@main.command()
@click.option(
    "--experiment",
    "names",
    multiple=True,
    metavar="NAME",
    help="Which; may be repeated. Default: the five that the book prints.",
)
@cli_options.epochs
@cli_options.seed
@cli_options.workers(
    "Runs at once, each in a process of one thread; the last ones, fewer than twice as many, share "
    "the cores."
)
@cli_options.net
@cli_options.data_dir
@_output
def reproduce(
    names: tuple[str, ...],
    epochs: int | None,
    seed: int,
    workers: int,
    net: str,
    data_dir: Path | None,
    output: Path,
) -> None:
    """Train the chapter's runs; write figures and records; print ours beside the book's.

    Example: d2l-lrsched reproduce --epochs 1 --output /tmp/figures
    """
    os.environ["MPLBACKEND"] = "agg"  # nothing is shown on a screen, whatever the user's setting
    # A stopped job or a closed terminal ends the workers as Ctrl-C does.
    for signal_number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(signal_number, signal.default_int_handler)
    from d2l_lrsched import figures, report, runner, store
    from d2l_lrsched.experiments import PUBLISHED

    names = _known(names) or PUBLISHED
    runs, failures = [], {}
    with one_line_errors():
        records, data_dir = _ready(output, data_dir)
        if set(PUBLISHED) <= set(names):
            figures.save(figures.factor_figure(), output / figures.FACTOR_FIGURE)
        jobs = [runner.Job(name, seed, epochs, str(data_dir), net) for name in names]
        total = sum(job.length for job in jobs)
        bar = tqdm(total=total, unit="epoch", disable=not sys.stderr.isatty())

        def on_epoch(job: runner.Job, epoch: int, test_acc: float) -> None:
            bar.update()
            if bar.disable:
                progress = f"epoch {epoch}/{job.length}, test acc {test_acc:.3f}"
                click.echo(f"{job.experiment}: {progress}")

        try:
            for result in runner.run_all(jobs, workers, on_epoch):
                if isinstance(result, runner.Failure):
                    failures[result.job.experiment] = result.reason
                    bar.write(f"{result.job.experiment}: failed")
                    continue
                runs.append(result)
                bar.write(f"{result.experiment}: done in {result.seconds:.0f} s")
                try:  # a full disk must not cost the runs that still go on
                    _keep(result, output)
                except (OSError, store.StoreError) as error:
                    failures[result.experiment] = in_one_line(error)
        except KeyboardInterrupt:
            raise click.ClickException(
                f"interrupted; the {len(runs)} finished runs are kept in {records}"
            ) from None
        finally:
            bar.close()
    if runs:
        click.echo(report.as_text(report.HEADER, report.chapter_rows(runs)))
        click.echo(f"Figures and records are in {output}/")
    if failures:
        named = "; ".join(f"{name}: {reason}" for name, reason in failures.items())
        raise click.ClickException(f"{len(failures)} of {len(jobs)} runs failed: {named}")


def _keep(run: Run, output: Path) -> None:
    """Store the record, then draw what is drawn from it."""
    from d2l_lrsched import figures, store

    store.append(output / RECORDS, run)
    figures.draw_run(run, output)
    figures.draw_overview(store.read(output / RECORDS), output)


@main.command()
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
    if not provenance.threads():
        os.environ["OMP_NUM_THREADS"] = "1"  # as `reproduce` trains: the same numbers
    from d2l_lrsched import runner

    _known((name,))
    with one_line_errors():
        _, data_dir = _ready(output, data_dir)
        job = runner.Job(name, seed, epochs, str(data_dir), net)
        try:
            result = runner.run(job, "none" if quiet else "auto")
        except KeyboardInterrupt:
            raise click.ClickException("interrupted; no record was written") from None
        _keep(result, output)
    if not quiet:
        click.echo(f"Figures and record are in {output}/")


def _known(names: tuple[str, ...]) -> tuple[str, ...]:
    from d2l_lrsched.experiments import CHAPTER

    for name in names:
        if name not in CHAPTER:
            known = ", ".join(CHAPTER)
            raise click.UsageError(f"unknown experiment {name!r}; the known ones are: {known}")
    return tuple(dict.fromkeys(names))


def _ready(output: Path, data_dir: Path | None) -> tuple[Path, Path]:
    """Return the records' file and the data's folder, both found usable before any training."""
    from d2l_lrsched import files, store

    folder = files.locate(data_dir)
    files.read_all(folder)
    records = output / RECORDS
    if records.exists():
        store.read(records)
    output.mkdir(parents=True, exist_ok=True)
    with open(records, "ab"):
        pass
    return records, folder


main.add_command(plot)
main.add_command(bench)
