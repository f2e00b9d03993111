"""The command that writes the verdicts as a page: `report`; and the runs that it judges."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from d2l_lrsched.cli import options
from d2l_lrsched.runs.experiment import NUM_EPOCHS
from d2l_lrsched.studies.chapter import published

if TYPE_CHECKING:
    from d2l_lrsched.runs.record import Run

#: The runs that come with a checkout.
COMMITTED = Path("figures", "chapter", "runs.jsonl")

records = click.option(
    "--records",
    type=options.UserPath(dir_okay=False),
    default=COMMITTED,
    show_default=True,
    help="File of the runs.",
)


@click.command()
@records
@options.release
@options.output("report", "Folder for the page (README.md) and its figures.")
def report(records: Path, release: str | None, output: Path) -> None:
    """Write verdicts and figures of the runs as a page.

    In Markdown. Beside it builds.md: what the book's builds printed, and our draws.

    Example: d2l-lrsched report --output /tmp/report
    """
    from d2l_lrsched.studies.chapter import page
    from d2l_lrsched.studies.chapter.builds import draws
    from d2l_lrsched.studies.chapter.builds import page as of_builds

    runs, every = chapters(records, release)
    click.echo(f"{output}/README.md: {page.report(runs, output, every)}")
    click.echo(f"{output}/builds.md: {of_builds.write(draws.read(), runs, output)}")


def chapters(records: Path, release: str | None) -> tuple[list[Run], list[Run]]:
    """Return the runs of the chapter's length, each draw once, and every run; say how many more."""
    from d2l_lrsched.runs import record
    from d2l_lrsched.studies.chapter import verdicts
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS

    chosen = options.chosen(release=release)
    runs = options.known(record.read(records), records, EXPERIMENTS, chosen)
    full = [run for run in runs if run.num_epochs == EXPERIMENTS[run.experiment].num_epochs]
    if not any(run.experiment in published.PRINTED for run in full):
        of_release = f" --release {release}" if release else ""
        raise click.ClickException(
            f"{records}: no run of {NUM_EPOCHS} epochs of an experiment that the book "
            f"prints; `{options.program()} reproduce{of_release} --seeds 10` makes some"
        )
    distinct = verdicts.distinct(full)
    if len(distinct) < len(runs):
        left_out = len(runs) - len(distinct)
        click.echo(
            f"{records}: {left_out} of {len(runs)} runs are left out: of other lengths, or repeated"
        )
    return distinct, runs
