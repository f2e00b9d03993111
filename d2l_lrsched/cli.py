"""The command line: parse, call, print. MXNet is imported only by what needs it."""

from __future__ import annotations

import contextlib
import inspect
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click
from tqdm import tqdm

RECORDS = "runs.jsonl"
BATCH_SIZE, TRAIN_EXAMPLES = 256, 60_000
UPDATES_PER_EPOCH = -(-TRAIN_EXAMPLES // BATCH_SIZE)  # the last, incomplete batch counts
# Name -> (class in d2l_lrsched.schedulers, module); `factor` is the chapter's own.
SCHEDULES = {
    "square-root": ("scratch", "SquareRootScheduler"),
    "factor": ("scratch", "FactorScheduler"),
    "linear": ("scratch", "LinearScheduler"),
    "mxnet-factor": ("builtin", "FactorScheduler"),
    "multi-factor": ("builtin", "MultiFactorScheduler"),
    "poly": ("builtin", "PolyScheduler"),
    "cosine": ("builtin", "CosineScheduler"),
}

_seed = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of initialization and shuffling.",
)
_epochs = click.option(
    "--epochs", type=click.IntRange(min=1), help="Epochs to train, instead of the chapter's 30."
)
_data_dir = click.option(
    "--data-dir",
    type=click.Path(path_type=Path),
    help="Folder of the four Fashion-MNIST files. Default: $D2L_LRSCHED_DATA, MXNet's cache, "
    "Debian's dataset-fashion-mnist, then a download.",
)
_output = click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default="figures",
    show_default=True,
    help=f"Folder for the figures and for the records ({RECORDS}, appended to).",
)


@click.group(context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="d2l_lrsched")
def main() -> None:
    """Reproduce d2l.ai's "Learning Rate Scheduling" (section 11.15) in MXNet/Gluon.

    Example: d2l-lrsched reproduce --epochs 1
    """


@contextlib.contextmanager
def _one_line_errors() -> Iterator[None]:
    """Turn what a user can mend into one line and exit status 1."""
    from d2l_lrsched.files import DataError
    from d2l_lrsched.store import StoreError

    try:
        yield
    except (DataError, StoreError) as error:
        raise click.ClickException(str(error)) from error
    except OSError as error:
        where = f"{error.filename}: " if error.filename else ""
        raise click.ClickException(f"{where}{error.strerror or error}") from error


@main.command()
@_data_dir
@click.option("--url", help="Where to download from. Default: $D2L_LRSCHED_URL, else Zalando's.")
@click.option("--no-fetch", is_flag=True, help="Only look; never download.")
def data(data_dir: Path | None, url: str | None, no_fetch: bool) -> None:
    """Say where Fashion-MNIST is, check it, and fetch it where it is missing.

    Example: d2l-lrsched data --data-dir ~/fashion-mnist
    """
    from d2l_lrsched import files

    with _one_line_errors():
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
@_epochs
@_seed
@click.option(
    "--workers",
    type=click.IntRange(min=1),
    default=os.cpu_count(),
    show_default="number of cores",
    help="Runs at once, each in a process of one thread.",
)
@_data_dir
@_output
def reproduce(
    names: tuple[str, ...],
    epochs: int | None,
    seed: int,
    workers: int,
    data_dir: Path | None,
    output: Path,
) -> None:
    """Train the chapter's runs; write figures and records; print ours beside the book's.

    Example: d2l-lrsched reproduce --experiment cosine --experiment constant --epochs 1
    """
    from d2l_lrsched import figures, report, runner, store
    from d2l_lrsched.experiments import CHAPTER, PUBLISHED

    names = _known(names) or PUBLISHED
    with _one_line_errors():
        records, data_dir = _ready(output, data_dir)
        jobs = [runner.Job(name, seed, epochs, str(data_dir)) for name in names]
        lengths = {job: job.num_epochs or CHAPTER[job.experiment].num_epochs for job in jobs}
        runs, failures = [], []
        bar = tqdm(total=sum(lengths.values()), unit="epoch", disable=not sys.stderr.isatty())

        def on_epoch(job: runner.Job, epoch: int, test_acc: float) -> None:
            bar.update()
            if bar.disable:
                progress = f"epoch {epoch}/{lengths[job]}, test acc {test_acc:.3f}"
                click.echo(f"{job.experiment}: {progress}")

        with bar:
            try:
                for result in runner.run_all(jobs, workers, on_epoch):
                    if isinstance(result, runner.Failure):
                        failures.append(result)
                        bar.write(f"{result.job.experiment}: failed: {result.reason}", sys.stderr)
                        continue
                    store.append(records, result)
                    figures.draw_run(result, output)
                    runs.append(result)
                    bar.write(f"{result.experiment}: done in {result.seconds:.0f} s")
            except KeyboardInterrupt:
                raise click.ClickException(
                    f"interrupted; the {len(runs)} finished runs are kept in {records}"
                ) from None
        if set(PUBLISHED) <= set(names):
            figures.save(figures.factor_figure(), output / figures.FACTOR_FIGURE)
        if runs:
            newest = {run.experiment: run for run in store.read(records)}
            figures.save(figures.overview_figure(newest), output / figures.OVERVIEW_FIGURE)
    if runs:
        click.echo(report.as_text(report.HEADER, report.chapter_rows(runs)))
        click.echo(f"Figures and records are in {output}/")
    if failures:
        failed = ", ".join(failure.job.experiment for failure in failures)
        raise click.ClickException(f"{len(failures)} of {len(jobs)} runs failed: {failed}")


@main.command()
@click.argument("name")
@_epochs
@_seed
@_data_dir
@_output
@click.option("--quiet", is_flag=True, help="Show nothing while training.")
def run(
    name: str,
    epochs: int | None,
    seed: int,
    data_dir: Path | None,
    output: Path,
    quiet: bool,
) -> None:
    """Train one experiment, NAME, in this process.

    Example: d2l-lrsched run cosine-per-epoch --epochs 2
    """
    os.environ.setdefault("OMP_NUM_THREADS", "1")  # as `reproduce` trains: the same numbers
    from d2l_lrsched import figures, runner, store

    _known((name,))
    with _one_line_errors():
        records, data_dir = _ready(output, data_dir)
        job = runner.Job(name, seed, epochs, str(data_dir))
        result = runner.run(job, "none" if quiet else "auto")
        store.append(records, result)
        figures.draw_run(result, output)


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

    records = output / RECORDS
    if records.exists():
        store.read(records)
    output.mkdir(parents=True, exist_ok=True)
    with open(records, "ab"):
        pass
    folder = files.locate(data_dir)
    files.read_all(folder)
    return records, folder


@main.command()
@click.argument("schedule", type=click.Choice(list(SCHEDULES)))
@click.option("--base-lr", type=float, help="The rate at the start.")
@click.option("--final-lr", type=float, help="The rate at the end.")
@click.option("--stop-factor-lr", type=float, help="The lower bound of a factor schedule.")
@click.option("--factor", type=float, help="What the rate is multiplied with.")
@click.option("--step", help="Where the rate drops: 15,30 (multi-factor) or 10 (mxnet-factor).")
@click.option("--max-update", type=int, help="Where the final rate is reached; includes warmup.")
@click.option("--pwr", type=float, help="The exponent of poly.")
@click.option("--warmup-steps", type=int, help="Length of a warmup before any schedule.")
@click.option("--warmup-begin-lr", type=float, help="The rate that the warmup starts from.")
@click.option("--warmup-mode", type=click.Choice(["linear", "constant"]))
@click.option(
    "--unit",
    type=click.Choice(["update", "epoch"]),
    default="update",
    show_default=True,
    help="What the schedule counts: MXNet counts updates, the book's plots mean epochs.",
)
@click.option("--epochs", type=click.IntRange(min=1), default=30, show_default=True)
@click.option(
    "--updates-per-epoch",
    type=click.IntRange(min=1),
    default=UPDATES_PER_EPOCH,
    show_default=True,
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path, dir_okay=False),
    help="File to draw to: .svg, .png, .pdf. Default: a window.",
)
def plot(
    schedule: str,
    unit: str,
    epochs: int,
    updates_per_epoch: int,
    output: Path | None,
    **arguments: Any,
) -> None:
    """Draw a schedule over a whole training, in updates and in epochs.

    Example: d2l-lrsched plot cosine --base-lr 0.5 --max-update 20 --unit epoch -o cosine.svg
    """
    from d2l_lrsched import figures

    scheduler = _build(schedule, {k: v for k, v in arguments.items() if v is not None})
    title = repr(scheduler)
    if unit == "epoch":
        from d2l_lrsched.schedulers.compose import PerEpoch

        scheduler = PerEpoch(scheduler, updates_per_epoch)
    drawing = (scheduler, epochs * updates_per_epoch, updates_per_epoch, f"{title}, per {unit}")
    if output is None:
        _show(drawing)
        return
    with _one_line_errors():
        try:
            figures.save(figures.two_axes_figure(*drawing), output)
        except ValueError as error:
            raise click.UsageError(f"--output {output}: {error}") from error
    click.echo(f"Drawn to {output}")


def _build(schedule: str, arguments: dict[str, Any]) -> Any:
    """Return the scheduler that the options describe, or end with what is wrong with them."""
    from d2l_lrsched import schedulers

    module, class_name = SCHEDULES[schedule]
    make = getattr(getattr(schedulers, module), class_name)
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
            scheduler = schedulers.compose.WarmupScheduler(
                scheduler, **{"warmup_steps": 0, **warmup}
            )
    except ValueError as error:
        raise click.UsageError(str(error)) from error
    return scheduler


def _options(names: list[str]) -> str:
    return ", ".join(f"--{name.replace('_', '-')}" for name in names)


def _show(drawing: tuple[Any, int, int, str]) -> None:
    import matplotlib
    from matplotlib import pyplot

    from d2l_lrsched import figures

    # matplotlib falls back to a canvas without windows where there is no screen.
    figure = pyplot.figure(figsize=(6, 4))
    if matplotlib.get_backend().lower() == "agg":
        raise click.UsageError("there is no screen to open a window on; name a file with --output")
    figures.two_axes_figure(*drawing, figure=figure)
    pyplot.show()
