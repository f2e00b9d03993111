"""Options that several commands share."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from click.core import ParameterSource

from d2l_lrsched.data import FIRST
from d2l_lrsched.files import user_path
from d2l_lrsched.runs.cores import cores

if TYPE_CHECKING:
    from d2l_lrsched.runs.experiment import Experiment
    from d2l_lrsched.runs.record import Run


#: In the folder of every study: a line a run, appended to.
RECORDS = "runs.jsonl"
#: What is chosen of release, order and split where nothing is: see `runs.record.CHOSEN`.
USUAL: Mapping[str, Any] = {}


def chosen(**options: Any) -> dict[str, Any]:
    """Return those of the options that were given."""
    return {name: value for name, value in options.items() if value is not None}


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


def checked_data(data_dir: Path | None, release: str | None = None) -> Path | None:
    """Return the folder of the data, found usable before any training."""
    from d2l_lrsched.data import source

    if release:
        source.load(data_dir, release)
        return data_dir
    folder = source.locate(data_dir)
    source.read_all(folder)
    return folder


def ready(
    records: Path, among: Mapping[str, Experiment], chosen: Mapping[str, Any] = USUAL
) -> Path:
    """Return the file of records, found usable before any training, its folder made."""
    from d2l_lrsched.runs import record

    if records.exists():
        known(record.read(records), records, among, chosen)
    records.parent.mkdir(parents=True, exist_ok=True)
    with open(records, "ab"):
        pass
    return records


def known(
    runs: Sequence[Run],
    records: Path,
    among: Mapping[str, Experiment],
    chosen: Mapping[str, Any] = USUAL,
) -> list[Run]:
    """Return the runs that this version knows, with just what was chosen; say which others are."""
    from d2l_lrsched.runs import experiment

    def ours(run: Run) -> bool:
        return run.chosen == chosen and experiment.known(run, among)

    found = [run for run in runs if ours(run)]
    if len(found) < len(runs):
        others = [run.experiment for run in runs if not ours(run)]
        click.echo(
            f"Warning: {records}: {len(others)} of {len(runs)} runs are passed over, of another "
            "release, order or split, or of unknown experiments or settings: "
            f"{', '.join(dict.fromkeys(others))}",
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
    type=click.Choice([FIRST]),
    help="Of Fashion-MNIST: the first, which the book had, for those who still have its files, as "
    "in MXNet's cache. Default: today's.",
)
order = click.option(
    "--order",
    type=click.IntRange(0, 2**32 - 1),
    help="Seed of the order of the images. Default: that of --seed.",
)
split = click.option(
    "--split",
    type=click.IntRange(0, 2**32 - 1),
    help="Seed of another split of all images into training and test set. Default: the release's.",
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
    description: str = "Runs at once, each in a process of one thread; the last few have more "
    "threads each.",
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


def given(name: str) -> bool:
    """Return whether the option was given to the command that is running, and is no default."""
    source = click.get_current_context().get_parameter_source(name)
    return source is ParameterSource.COMMANDLINE


def beside(study: str, output: Path) -> str:
    """Return a study's last line; of all its runs, also how its page compares with the committed.

    A part has been asked for by an option that says which runs are made.
    """
    which = click.get_current_context().params.keys() - {"output", "workers", "data_dir"}
    if any(map(given, which)):
        return where(output)
    committed = Path("figures", study)
    if committed.exists() and output.samefile(committed):
        return where(output, f"git diff {shlex.quote(str(output))}")
    written = shlex.quote(str(output / "README.md"))
    return where(output, f"diff {committed / 'README.md'} {written}")


def where(output: Path, compare: str = "") -> str:
    """Return a command's last line: where everything is, and how it compares with other runs."""
    return f"All is in {output}/" + (f"; compare it by: {compare}" if compare else "")


def program() -> str:
    """Return what a user types to call this program again: its path, where its name is not found.

    As after `make reproduce`, which calls that of `.venv/bin`.
    """
    called = Path(sys.argv[0])
    found = called.name != "d2l-lrsched" or shutil.which(called.name)
    return "d2l-lrsched" if found else shlex.quote(str(called))
