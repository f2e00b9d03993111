"""How a command makes the runs that its records lack, and what is seen meanwhile."""

from __future__ import annotations

import logging
import sys
from collections.abc import Iterable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from d2l_lrsched.cli import options
from d2l_lrsched.streams import is_terminal

if TYPE_CHECKING:
    from distributed import Client

    from d2l_lrsched.runs.experiment import Experiment
    from d2l_lrsched.runs.job import Job
    from d2l_lrsched.runs.record import Run
    from d2l_lrsched.runs.runner import Failure


class Interrupted(click.ClickException):
    """Ctrl-C: what is stored stays, and the rest can go on."""


class Made(NamedTuple):
    """What came of so many jobs: the runs, and by name why others failed or were not stored."""

    asked: int
    runs: list[Run]
    failures: dict[str, str]

    def exit_if_failed(self) -> None:
        """Raise click.ClickException, naming the runs that failed, if any did."""
        if self.failures:
            named = "; ".join(f"{name}: {reason}" for name, reason in self.failures.items())
            raise click.ClickException(f"{len(self.failures)} of {self.asked} runs failed: {named}")


def make(
    jobs: Sequence[Job],
    records: Path,
    among: Mapping[str, Experiment],
    workers: int,
    data_dir: Path | None = None,
    dask: str | None = None,
    chosen: Mapping[str, Any] = options.USUAL,
) -> Made:
    """Make the runs that the records lack, on this machine or a Dask cluster, and tell of each.

    Data, cluster and file of records are found usable before any training.

    Raises
    ------
    Interrupted
        After Ctrl-C.
    """
    from d2l_lrsched.runs import executors, record, runner
    from d2l_lrsched.runs.job import Place

    lacking = runner.missing(jobs, records)
    client = None
    if lacking and dask:
        client = _connect(dask)
    elif lacking:
        data_dir = options.checked_data(data_dir, chosen.get("release"))
    options.ready(records, among, chosen)
    progress = Progress(jobs, lacking)
    made = Made(len(jobs), [], {})
    if len(lacking) < len(jobs):
        click.echo(f"{len(jobs) - len(lacking)} of {len(jobs)} runs are in {records} already")
    place = Place.of(records)
    begun = sum(path is not None and path.exists() for path in map(place.checkpoint, lacking))
    if begun:
        click.echo(f"{begun} of {len(lacking)} runs go on from their last finished epoch")
    try:
        if lacking:
            with (
                executors.DaskWorkers(client, progress.epoch)
                if client
                else executors.LocalProcesses(workers, progress.epoch)
            ) as executor:
                for result in runner.run(lacking, executor, records, data_dir=data_dir):
                    progress.finished(result)
                    if isinstance(result, runner.Failure):
                        made.failures[progress.name(result.job)] = result.reason
                        made.runs.extend([result.run] if result.run else [])
    except KeyboardInterrupt:
        there = len(jobs) - len(lacking) + progress.stored
        raise Interrupted(
            f"interrupted; {there} of {len(jobs)} runs are in {records}; the same command "
            "goes on from the last finished epochs"
        ) from None
    finally:
        progress.close()
    return made._replace(runs=asked_for(jobs, [*record.read(records), *made.runs]))


def asked_for(jobs: Iterable[Job], runs: Iterable[Run]) -> list[Run]:
    """Return those of the runs that the jobs are of, each once, in the order of the runs."""
    keys = {job.key for job in jobs}
    return list({run.key: run for run in runs if run.key in keys}.values())


def _connect(address: str) -> Client:
    """Return the client of a Dask cluster."""
    try:
        from distributed import Client
    except ImportError:
        raise click.ClickException(
            "--dask needs Dask: pip install 'd2l_lrsched[cluster]'"
        ) from None
    # What happens to runs is told by `make`, in a line each and not in tracebacks.
    for name in ("distributed", "distributed.client"):  # both have levels of their own
        logging.getLogger(name).setLevel(logging.CRITICAL)
    try:
        client = Client(address, timeout=CONNECT_SECONDS)
    except ValueError as error:
        raise click.UsageError(f"--dask {address}: no address of a scheduler ({error})") from None
    except OSError:
        raise click.ClickException(
            f"no Dask scheduler answers at {address}; start one with: dask scheduler"
        ) from None
    if not client.nthreads():
        click.echo(f"The cluster has no worker yet; start some with: dask worker {address}")
    with suppress(KeyError):  # a variable of the environment that the user's Dask wants in links
        click.echo(f"The cluster's dashboard, if it has one: {client.dashboard_link}")
    return client


#: How long a Dask scheduler may take to answer.
CONNECT_SECONDS = 10


class Progress:
    """A bar of epochs in a terminal, a line an epoch elsewhere."""

    def __init__(self, asked: Iterable[Job], jobs: Iterable[Job]) -> None:
        from tqdm import tqdm

        self._jobs = {str(job): job for job in jobs}
        self._seen = dict.fromkeys(self._jobs, 0)
        self._several_seeds = len({job.seed for job in asked}) > 1
        num_epochs = sum(job.length for job in self._jobs.values())
        self._bar = tqdm(total=num_epochs, unit="epoch", disable=not is_terminal(sys.stderr))
        self.stored = 0

    def name(self, job: Job) -> str:
        """Return what tells the run from the others: its seed is said where there are several."""
        return str(job) if self._several_seeds else job.name

    def epoch(self, message: tuple[str, int, float]) -> None:
        """Take what a run tells after an epoch."""
        run, epoch, test_acc = message
        self._advance(run, epoch)
        if self._bar.disable:
            job = self._jobs[run]
            with suppress(OSError):  # of a pipe or disk; the main thread's own lines will say so
                click.echo(f"{self.name(job)}: epoch {epoch}/{job.length}, test acc {test_acc:.3f}")

    def finished(self, result: Run | Failure) -> None:
        """Take a run's end."""
        from d2l_lrsched.runs.runner import Failure

        if isinstance(result, Failure):
            self._bar.write(f"{self.name(result.job)}: failed")
            return
        self.stored += 1
        job = self._jobs[f"{result.experiment}, seed {result.seed}"]
        self._advance(str(job), job.length)
        self._bar.write(f"{self.name(job)}: done in {result.seconds:.0f} s")

    def close(self) -> None:
        """Leave the bar as it is."""
        self._bar.close()

    def _advance(self, run: str, epoch: int) -> None:
        before = self._seen[run]
        self._seen[run] = max(epoch, before)  # a second attempt begins with epochs seen before
        self._bar.update(self._seen[run] - before)
