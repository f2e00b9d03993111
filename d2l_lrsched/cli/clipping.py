"""The command that measures the paper on clipping and scheduling: `clipping`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from d2l_lrsched.cli import making as cli_runs
from d2l_lrsched.cli import options as cli_options
from d2l_lrsched.cli.errors import end_as_by_ctrl_c, one_line_errors
from d2l_lrsched.files import whole_file

RECORDS = "runs.jsonl"
PAGE = "README.md"


@click.command()
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=10,
    show_default=True,
    help="Seeds of each of the four combinations; the chapter's collapse has twice as many.",
)
@click.option(
    "--epochs",
    type=click.IntRange(1),
    default=10,
    show_default=True,
    help="Epochs of the four combinations; the other runs have two at most.",
)
@cli_options.workers(
    "Runs at once, each in a process of one thread; the last ones, fewer than twice as many, share "
    "the cores."
)
@click.option(
    "--net",
    type=click.Choice(["chapter", "fast"]),
    default="fast",
    show_default=True,
    help="How LeNet is computed; as for `reproduce`.",
)
@cli_options.data_dir
@cli_options.output(
    "clipping", f"Folder for figures, tables ({PAGE}) and records ({RECORDS}, appended to)."
)
def clipping(
    seeds: int, epochs: int, workers: int, net: str, data_dir: Path | None, output: Path
) -> None:
    """Measure what clipping and a schedule do, alone and together; judge the paper's claims.

    An hour on two cores. Runs that the records hold are not made again: where all are there,
    as in a checkout, figures, tables and verdicts are made from them in seconds.

    Example: d2l-lrsched clipping --seeds 1 --epochs 1 --output /tmp/clipping
    """
    os.environ["MPLBACKEND"] = "agg"
    end_as_by_ctrl_c()
    from d2l_lrsched import drawing
    from d2l_lrsched.runs import record as store
    from d2l_lrsched.runs import runner
    from d2l_lrsched.studies.clipping import claims, descent, figures, verdicts
    from d2l_lrsched.studies.clipping import page as clipping_report
    from d2l_lrsched.studies.clipping.experiments import COLLAPSE, PILOT_SEEDS
    from d2l_lrsched.studies.clipping.experiments import EXPERIMENTS as CLIPPING

    short = min(epochs, 2)
    pilot_seeds = PILOT_SEEDS[: 2 * seeds]
    parts = (
        (("pilot",), pilot_seeds, short),
        (claims.ARMS, range(seeds), epochs),
        (COLLAPSE, range(2 * seeds), short),
    )
    with one_line_errors():
        records = cli_options.ready(output / RECORDS, CLIPPING)
        lacking = any(
            runner.missing(names, of_seeds, records, num_epochs=num_epochs, net=net)
            for names, of_seeds, num_epochs in parts
        )
        folder = str(cli_options.checked_data(data_dir)) if lacking else None
        found = []
        for names, of_seeds, num_epochs in parts:
            made = cli_runs.make(
                names,
                of_seeds,
                records,
                workers,
                num_epochs=num_epochs,
                data_dir=folder,
                net=net,
            )
            made.exit_if_failed()
            found += made.runs(store.read(records))
        descents = descent.descents()
        drawing.save(figures.quadratic(descents), output / figures.QUADRATIC_FIGURE)
        for file, draw in figures.FIGURES.items():
            drawing.save(draw(found), output / file)
        with whole_file(output / PAGE) as temporary:
            temporary.write_text(clipping_report.as_page(found, descents), encoding="utf-8")
    click.echo(f"{output / PAGE}: {verdicts.counts(verdicts.judge(found))}")
