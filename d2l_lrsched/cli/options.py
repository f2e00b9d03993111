"""Options that several commands share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2l_lrsched.data.content import CURRENT, RELEASES
from d2l_lrsched.files import user_path
from d2l_lrsched.runs.cores import cores

if TYPE_CHECKING:
    from d2l_lrsched.runs.experiment import Experiment
    from d2l_lrsched.runs.record import Run


#: In the folder of every study: a line a run, appended to.
RECORDS = "runs.jsonl"


class UserPath(click.Path):
    """A path; ~ is the home folder, as in --data-dir=~/data, which shells leave alone."""

    def convert(self, value: Any, param: Any, ctx: Any) -> Path:
        """Return the path, ~ expanded, or end with what is wrong with it."""
        try:
            path = user_path(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)
        super().convert(path, param, ctx)
        return path


def checked_data(data_dir: Path | None, release: str = CURRENT) -> Path | None:
    """Return the folder of the data, found usable before any training."""
    from d2l_lrsched.data import source

    folder = source.locate(data_dir) if release == CURRENT else data_dir
    source.load(folder, release)
    return folder


def ready(records: Path, among: Mapping[str, Experiment], release: str = CURRENT) -> Path:
    """Return the file of records, found usable before any training, its folder made."""
    from d2l_lrsched.runs import record

    if records.exists():
        known(record.read(records), records, among, release)
    records.parent.mkdir(parents=True, exist_ok=True)
    with open(records, "ab"):
        pass
    return records


def known(
    runs: Sequence[Run],
    records: Path,
    among: Mapping[str, Experiment],
    release: str = CURRENT,
) -> list[Run]:
    """Return the runs that this version knows, of one release of the data; say which others are."""
    from d2l_lrsched.runs import experiment

    def ours(run: Run) -> bool:
        return run.release == release and experiment.known(run, among)

    found = [run for run in runs if ours(run)]
    if len(found) < len(runs):
        others = [run.experiment for run in runs if not ours(run)]
        click.echo(
            f"Warning: {records}: {len(others)} of {len(runs)} runs are passed over, of unknown "
            f"experiments or settings: {', '.join(dict.fromkeys(others))}",
            err=True,
        )
    return found


seed = click.option(
    "--seed",
    type=click.IntRange(0, 2**32 - 1),
    default=0,
    show_default=True,
    help="Seed of initialization and shuffling.",
)
epochs = click.option(
    "--epochs", type=click.IntRange(min=1), help="Epochs to train, instead of the chapter's 30."
)
release = click.option(
    "--release",
    type=click.Choice(RELEASES),
    default=CURRENT,
    show_default=True,
    help="Of Fashion-MNIST. The book had the first, of 2017-08-26: who still has its files, as in "
    "MXNet's cache, trains on them, and judges such runs only.",
)
data_dir = click.option(
    "--data-dir",
    type=UserPath(),
    help="Folder of the four Fashion-MNIST files. Default: $D2L_LRSCHED_DATA, MXNet's cache, "
    "Debian's dataset-fashion-mnist, then a download.",
)


def net(default: str = "chapter") -> Any:
    """Return the option --net."""
    return click.option(
        "--net",
        type=click.Choice(["chapter", "fast"]),
        default=default,
        show_default=True,
        help="How LeNet is computed: as in the chapter, to the bit; or faster, equal to it within "
        "float32 rounding.",
    )


def workers(
    description: str = "Runs at once, each in a process of one thread; the last ones, fewer than "
    "twice as many, share the cores.",
) -> Any:
    """Return the option --workers, by default as many as there are cores for us."""
    return click.option(
        "--workers",
        type=click.IntRange(min=1),
        default=cores,
        show_default="number of cores",
        help=description,
    )


def output(study: str, description: str) -> Any:
    """Return the option --output, by default a folder of the study that git ignores."""
    return click.option(
        "--output",
        type=UserPath(file_okay=False),
        default=f"results/{study}",
        show_default=True,
        help=description,
    )


def where(output: Path, compare: str) -> str:
    """Return a command's last line: where everything is, and how it compares with other runs."""
    return f"All is in {output}/; compare it by: {compare}"
