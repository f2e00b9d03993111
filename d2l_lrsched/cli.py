"""The command line: parse, call, print. MXNet is imported only by what needs it."""

from __future__ import annotations

from pathlib import Path

import click

from d2l_lrsched import cli_options
from d2l_lrsched.cli_bench import bench
from d2l_lrsched.cli_clipping import clipping
from d2l_lrsched.cli_errors import Commands, one_line_errors
from d2l_lrsched.cli_exercises import exercises
from d2l_lrsched.cli_explore import explore
from d2l_lrsched.cli_plot import plot
from d2l_lrsched.cli_report import report, verify
from d2l_lrsched.cli_run import reproduce, run


@click.group(
    cls=Commands,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
)
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
        named = files.named_folder(data_dir)
        if named and not no_fetch:
            files.fetch(named, url)
        folder = files.locate(data_dir, base_url=url, download=not no_fetch)
        arrays = files.read_all(folder)
        click.echo(f"Fashion-MNIST is in {folder}")
        for name, array in arrays.items():
            click.echo(f"  {name:24} {array.shape!s:16} SHA-256 {files.SHA256[name]}")


for command in (reproduce, run, verify, report, plot, explore, clipping, exercises, bench):
    main.add_command(command)
