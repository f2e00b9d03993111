"""The commands that judge: `verify`, on the terminal, and `report`, as a page."""

from __future__ import annotations

import os
import tempfile
from itertools import count
from pathlib import Path
from typing import TYPE_CHECKING

import click
from click.core import ParameterSource

from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.cli.errors import end_as_by_ctrl_c, one_line_errors
from d2l_lrsched.cli.progress import Progress
from d2l_lrsched.files import whole_file
from d2l_lrsched.runs.experiment import NUM_EPOCHS
from d2l_lrsched.studies.chapter import published

if TYPE_CHECKING:
    from d2l_lrsched.runs.record import Run
    from d2l_lrsched.studies.chapter.verdicts import Verdict

PAGE, REPORT = "README.md", "report.html"

_records = click.option(
    "--records",
    type=cli_options.UserPath(dir_okay=False),
    default=Path("figures", "chapter", "runs.jsonl"),
    show_default=True,
    help="File of the runs.",
)


@click.command()
@_records
@click.option(
    "--fresh",
    is_flag=True,
    help="Instead, train one new seed of each experiment in the file, and judge these runs.",
)
@cli_options.epochs
@cli_options.workers("Of --fresh: runs at once.")
@cli_options.net
@cli_options.data_dir
@click.pass_context
def verify(
    context: click.Context,
    records: Path,
    fresh: bool,
    epochs: int | None,
    workers: int,
    net: str,
    data_dir: Path | None,
) -> None:
    """Judge every printed number by the runs; exit 1 on a difference that is not explained.

    With --fresh: whether this machine, these packages and this code still give such runs.

    Example: d2l-lrsched verify
    """
    if fresh:
        end_as_by_ctrl_c()
        _verify_fresh(records, epochs, workers, net, data_dir)
        return
    for name in ("epochs", "workers", "net", "data_dir"):
        if context.get_parameter_source(name) is ParameterSource.COMMANDLINE:
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --fresh only")
    from d2l_lrsched.runs import frames
    from d2l_lrsched.studies.chapter import explanations, tables, verdicts

    with one_line_errors():
        found = verdicts.compare(_full_length(records))
    click.echo(frames.text(tables.verdict_table(found)))
    different = _different(found)
    for key in different:
        if key in explanations.EXPLAINED:
            click.echo(f"{_named(key)}: {explanations.EXPLAINED[key]}")
    for key in explanations.EXPLAINED:
        if key not in different:
            click.echo(f"{_named(key)} is explained as different, but is not by these runs.")
    click.echo(verdicts.counts(found))
    unexplained = [_named(key) for key in different if key not in explanations.EXPLAINED]
    if unexplained:
        raise click.ClickException(
            f"{len(unexplained)} numbers differ without an explanation in "
            f"d2l_lrsched/studies/chapter/explanations.py: {'; '.join(unexplained)}"
        )


def _verify_fresh(
    records: Path, epochs: int | None, workers: int, net: str, data_dir: Path | None
) -> None:
    from d2l_lrsched.runs import executors, frames, runner
    from d2l_lrsched.runs import record as store
    from d2l_lrsched.studies.chapter import tables, verdicts
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER

    with one_line_errors():
        folder = cli_options.checked_data(data_dir)
        stored = cli_options.known(store.read(records), records, CHAPTER)
        length = epochs or NUM_EPOCHS
        before = verdicts.distinct(run for run in stored if run.num_epochs == length)
        names = [name for name in CHAPTER if any(run.experiment == name for run in before)]
        if not names:
            raise click.ClickException(f"{records}: no run of {length} epochs to compare with")
        seen = {run.seed for run in stored}
        seed = next(seed for seed in count() if seed not in seen)
        progress = Progress(len(names) * length, several_seeds=True)
        runs: list[Run] = []
        failures: list[str] = []
        try:
            executor = executors.LocalProcesses(workers, len(names), progress.epoch)
            # Only the verdict counts; what has been judged is not mixed with what judges.
            with tempfile.TemporaryDirectory() as scratch, executor:
                for result in runner.run(
                    names,
                    [seed],
                    executor,
                    Path(scratch, "runs.jsonl"),
                    num_epochs=epochs,
                    data_dir=str(folder),
                    net=net,
                ):
                    progress.finished(result)
                    if not isinstance(result, runner.Failure):
                        runs.append(result)
                    elif result.run is not None:  # made, if not stored: no more is needed here
                        runs.append(result.run)
                    else:
                        failures.append(f"{result.job}: {result.reason}")
        except KeyboardInterrupt:
            raise click.ClickException("interrupted; nothing was judged") from None
        finally:
            progress.close()
    if failures:
        raise click.ClickException(f"{len(failures)} runs failed: {'; '.join(failures)}")
    claims = {
        one.experiment: verdicts.claim(one)
        for one in sorted(runs, key=lambda one: names.index(one.experiment))
    }
    found = verdicts.compare(before, claims, level=verdicts.FRESH_LEVEL, rounding=0)
    click.echo(frames.text(tables.verdict_table(found).rename(columns={"published": "fresh"})))
    click.echo(verdicts.counts(found))
    blind = sum(verdict.verdict == verdicts.INCONCLUSIVE for verdict in found)
    if blind:
        click.echo(f"{blind} of {len(found)} comparisons could not have told a difference apart")
    probability, new = verdicts.surprise(before, runs)
    unlike = [_named(key) for key in _different(found)]
    if new:
        outcomes = ", ".join(f"{one.experiment} {one.outcome}" for one in new)
        click.echo(f"Never seen before: {outcomes} (probability {probability:.3f} at most)")
        if probability < verdicts.FRESH_LEVEL:
            unlike.append(f"the outcomes ({outcomes})")
    if unlike:
        raise click.ClickException(f"seed {seed} is not like the runs before: {'; '.join(unlike)}")


@click.command()
@_records
@cli_options.output("chapter", f"Folder for the page ({PAGE}, {REPORT}) and its figures.")
def report(records: Path, output: Path) -> None:
    """Write the verdicts, figures and provenance of the runs as a page, in Markdown and HTML.

    Example: d2l-lrsched report --output /tmp/report
    """
    os.environ["MPLBACKEND"] = "agg"
    from d2l_lrsched import drawing
    from d2l_lrsched.studies.chapter import figures, page, seeds, verdicts

    with one_line_errors():
        runs = _full_length(records)
        found = verdicts.compare(runs)
        for file, draw in seeds.FIGURES.items():
            drawing.save(draw(runs), output / file)
        drawing.save(figures.plotted_and_trained(), output / figures.PLOTTED_AND_TRAINED_FIGURE)
        text = page.as_page(runs, found)
        for name, content in ((PAGE, text), (REPORT, page.as_html(text, output))):
            with whole_file(output / name) as temporary:
                temporary.write_text(content, encoding="utf-8")
    click.echo(f"{output / REPORT}: {verdicts.counts(found)}")


def _full_length(records: Path) -> list[Run]:
    """Return the runs of the chapter's length, each draw once; say how many are not among them."""
    from d2l_lrsched.runs import record as store
    from d2l_lrsched.studies.chapter import verdicts
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER

    runs = cli_options.known(store.read(records), records, CHAPTER)
    full = [run for run in runs if run.num_epochs == CHAPTER[run.experiment].num_epochs]
    if not any(run.experiment in published.PRINTED for run in full):
        raise click.ClickException(
            f"{records}: no run of {NUM_EPOCHS} epochs of an experiment that the book "
            "prints; `d2l-lrsched reproduce --seeds 10` makes some"
        )
    distinct = verdicts.distinct(full)
    if len(distinct) < len(runs):
        left_out = len(runs) - len(distinct)
        click.echo(f"{left_out} of {len(runs)} runs are repeated or of other lengths")
    return distinct


def _different(verdicts: list[Verdict]) -> list[tuple[str, str]]:
    return [(v.experiment, v.number) for v in verdicts if v.verdict == "DIFFERENT"]


def _named(key: tuple[str, str]) -> str:
    return f"{key[0]}, {key[1].replace('_', ' ')}"
