"""How a command makes the runs that its records lack."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from d2l_lrsched.cli.progress import Progress

if TYPE_CHECKING:
    from distributed import Client

    from d2l_lrsched.runs.record import Run
    from d2l_lrsched.runs.runner import Job


@dataclass
class Made:
    """What a command asked for, and what of it is not in the records: why, or the run itself."""

    asked: list[Job]
    failures: dict[str, str] = field(default_factory=dict)
    unstored: list[Run] = field(default_factory=list)

    def runs(self, stored: Sequence[Run]) -> list[Run]:
        """Return the runs that were asked for, of which `stored` are in the records."""
        keys = {job.key for job in self.asked}
        return list({run.key: run for run in [*stored, *self.unstored] if run.key in keys}.values())

    def exit_if_failed(self) -> None:
        """Raise click.ClickException, naming the runs that failed, if any did."""
        if self.failures:
            named = "; ".join(f"{name}: {reason}" for name, reason in self.failures.items())
            raise click.ClickException(
                f"{len(self.failures)} of {len(self.asked)} runs failed: {named}"
            )


def make(
    names: Sequence[str],
    seeds: Sequence[int],
    records: Path,
    workers: int,
    cluster: Client | None = None,
    **settings: Any,
) -> Made:
    """Make the runs that the records lack, on this machine or a cluster, and tell of each.

    `settings` are those of `runner.missing`.

    Raises
    ------
    click.ClickException
        After Ctrl-C.
    """
    from d2l_lrsched.runs import executors, runner

    num_epochs, net = settings["num_epochs"], settings["net"]
    made = Made([runner.Job(name, s, num_epochs, net=net) for s in seeds for name in names])
    jobs = runner.missing(names, seeds, records, **settings)
    progress = Progress(sum(job.length for job in jobs), several_seeds=len(seeds) > 1)
    progress.say_what_is_there(made.asked, jobs, records)
    try:
        with cluster or executors.LocalProcesses(workers, len(jobs), progress.epoch) as executor:
            # Dask itself moves a run whose worker has died.
            retries = 0 if cluster else 1
            for result in runner.run(names, seeds, executor, records, retries=retries, **settings):
                progress.finished(result)
                if isinstance(result, runner.Failure):
                    made.failures[progress.name(result.job)] = result.reason
                    made.unstored += [result.run] if result.run else []
    except KeyboardInterrupt:
        there = len(made.asked) - len(jobs) + progress.stored
        raise click.ClickException(
            f"interrupted; {there} of {len(made.asked)} runs are in {records}; the same command "
            "goes on from the last finished epochs"
        ) from None
    finally:
        progress.close()
    return made
