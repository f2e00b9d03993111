"""The command that tries a range of learning rates: `range-test`."""

from __future__ import annotations

from pathlib import Path

import click

from d2l_lrsched.cli import options


@click.command("range-test")
@click.option("--seeds", type=click.IntRange(1, 1000), default=5, show_default=True)
@options.net("fast")
@options.data_dir
@click.option(
    "-o",
    "--output",
    type=options.UserPath(dir_okay=False),
    default="range-test.svg",
    show_default=True,
    help="File to draw to: .svg, .png, .pdf.",
)
def range_test(seeds: int, net: str, data_dir: Path | None, output: Path) -> None:
    """Train LeNet at a rising rate; say which rates to try.

    From 0.001 to 10 in an epoch: a minute on one core. The suggested rate is one to begin with and
    no choice: of LeNet it is below the good ones, figures/choice says how far. And what a passing
    rate does not break, a whole training at it may.

    Example: d2l-lrsched range-test --seeds 2 --output /tmp/range-test.svg
    """
    from d2l_lrsched import drawing
    from d2l_lrsched.runs import ranges

    tested = ranges.of_lenet(seeds, net, options.checked_data(data_dir))
    try:
        drawing.save(drawing.range_test(tested), output)
    except ValueError as error:
        raise click.UsageError(f"--output: {error}") from error
    click.echo(f"{tested}; drawn to {output}")
