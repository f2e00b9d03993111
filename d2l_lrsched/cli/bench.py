"""The command that measures speed."""

from __future__ import annotations

import os
from pathlib import Path

import click

from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.cli.errors import one_line_errors
from d2l_lrsched.files import whole_file

RECORDS, TABLES, FIGURE = "rounds.jsonl", "README.md", "epochs.svg"


@click.command()
@click.option("--rounds", type=click.IntRange(min=1), default=5, show_default=True)
@cli_options.workers("Runs at once where several are measured, each of one thread.")
@cli_options.data_dir
@cli_options.output(
    "speed",
    f"Folder for the tables ({TABLES}), the figure ({FIGURE}) and the record ({RECORDS}, "
    "appended to).",
)
def bench(rounds: int, workers: int, data_dir: Path | None, output: Path) -> None:
    """Measure the book's loop, ours and, where it is installed, PyTorch's, in turn.

    Half an hour for five rounds on two cores; leave the machine alone meanwhile.

    Example: d2l-lrsched bench --rounds 1 --output /tmp/bench
    """
    os.environ["MPLBACKEND"] = "agg"
    from d2l_lrsched import drawing
    from d2l_lrsched.runs import record as store
    from d2l_lrsched.studies.chapter import tables as report
    from d2l_lrsched.studies.speed import measure as benchmark
    from d2l_lrsched.studies.speed import page as bench_report

    with one_line_errors():
        folder = cli_options.checked_data(data_dir)
        output.mkdir(parents=True, exist_ok=True)
        with open(output / RECORDS, "ab"):
            pass  # it can be written: found out before half an hour is spent
        try:
            record = benchmark.measure(
                str(folder), workers, rounds, lambda turn: click.echo(turn, err=True)
            )
        except benchmark.BenchError as error:
            raise click.ClickException(str(error)) from error
        except KeyboardInterrupt:
            raise click.ClickException("interrupted; nothing was measured to its end") from None
        store.append(output / RECORDS, record)
        with whole_file(output / TABLES) as temporary:
            temporary.write_text(bench_report.as_markdown(record), encoding="utf-8")
        drawing.save(bench_report.bench_figure(record), output / FIGURE)
    rows = bench_report.target_rows(record)
    click.echo(report.as_text(bench_report.TARGET_HEADER, rows))
    click.echo(f"Tables, figure and record are in {output}/")
