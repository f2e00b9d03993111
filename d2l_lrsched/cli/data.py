"""The command that finds, checks and fetches the data: `data`."""

from __future__ import annotations

from pathlib import Path

import click

from d2l_lrsched.cli import options


@click.command()
@options.data_dir
@click.option("--url", help="Where to download from. Default: $D2L_LRSCHED_URL, else Zalando's.")
@click.option("--no-fetch", is_flag=True, help="Only look; never download.")
def data(data_dir: Path | None, url: str | None, no_fetch: bool) -> None:
    """Say where Fashion-MNIST is; fetch it if it is missing.

    What is there is checked.

    Example: d2l-lrsched data
    """
    from d2l_lrsched.data import source

    named = source.named_folder(data_dir)
    if named and not no_fetch:
        source.fetch(named, url)
    folder = source.locate(data_dir, base_url=url, download=not no_fetch)
    arrays = source.read_all(folder)
    click.echo(f"Fashion-MNIST is in {folder}")
    for name, array in arrays.items():
        click.echo(f"  {name:24} {array.shape!s:16} SHA-256 {source.SHA256[name]}")
