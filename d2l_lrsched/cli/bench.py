"""The command that measures speed."""

from __future__ import annotations

from pathlib import Path

import click

from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.files import write_text

RECORDS, PAGE, FIGURE = "rounds.jsonl", "README.md", "epochs.svg"


@click.command()
@click.option(
    "--rounds",
    type=click.IntRange(min=1),
    default=3,
    show_default=True,
    help="How often each is measured.",
)
@cli_options.workers("Runs at once where several are measured, each of one thread.")
@cli_options.data_dir
@cli_options.output(
    "speed", f"Folder for tables ({PAGE}), figure ({FIGURE}) and records ({RECORDS}, appended to)."
)
def bench(rounds: int, workers: int, data_dir: Path | None, output: Path) -> None:
    """Measure the speed of the book's loop and of ours.

    And, where it is installed, of PyTorch's. Twenty-five minutes for three rounds on two cores;
    leave the machine alone meanwhile.

    Example: d2l-lrsched bench --rounds 1 --output /tmp/bench
    """
    from d2l_lrsched import drawing
    from d2l_lrsched.runs import frames, record
    from d2l_lrsched.studies.speed import measure, page

    folder = cli_options.checked_data(data_dir)
    output.mkdir(parents=True, exist_ok=True)
    with open(output / RECORDS, "ab"):
        pass  # it can be written: found out before anything is spent on it
    try:
        benchmark = measure.measure(
            str(folder), workers, rounds, lambda turn: click.echo(turn, err=True)
        )
    except measure.BenchError as error:
        raise click.ClickException(str(error)) from error
    except KeyboardInterrupt:
        raise click.ClickException("interrupted; nothing was measured to its end") from None
    record.append(output / RECORDS, benchmark)
    write_text(output / PAGE, page.as_page(benchmark))
    drawing.save(page.figure(benchmark), output / FIGURE)
    click.echo(frames.text(page.targets(benchmark)))
    click.echo(f"Tables, figure and record are in {output}/")
