"""What is seen of many runs while they go on."""

from __future__ import annotations

import sys
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import click
from tqdm import tqdm

from d2l_lrsched.streams import is_terminal

if TYPE_CHECKING:
    from d2l_lrsched.runs.record import Run
    from d2l_lrsched.runs.runner import Failure, Job


class Progress:
    """A bar of epochs in a terminal, a line an epoch elsewhere."""

    def __init__(self, num_epochs: int, several_seeds: bool) -> None:
        self._bar = tqdm(total=num_epochs, unit="epoch", disable=not is_terminal(sys.stderr))
        self._several_seeds = several_seeds
        self._seen: dict[tuple[str, int], int] = {}
        self.stored = 0

    def name(self, job: Job) -> str:
        return str(job) if self._several_seeds else job.experiment

    def say_what_is_there(self, asked: list[Job], jobs: list[Job], records: Path) -> None:
        if len(jobs) < len(asked):
            click.echo(f"{len(asked) - len(jobs)} of {len(asked)} runs are in {records} already")
        begun = sum(job.checkpoint is not None and job.checkpoint.exists() for job in jobs)
        if begun:
            click.echo(f"{begun} of {len(jobs)} runs go on from their last finished epoch")

    def epoch(self, message: tuple[Job, int, float]) -> None:
        """Take what a local run tells after an epoch."""
        job, epoch, test_acc = message
        self._advance(job, epoch)
        if self._bar.disable:
            with suppress(OSError):  # of a pipe or disk; the main thread's own lines will say so
                click.echo(f"{self.name(job)}: epoch {epoch}/{job.length}, test acc {test_acc:.3f}")

    def finished(self, result: Run | Failure) -> None:
        from d2l_lrsched.runs.runner import Failure, Job

        if isinstance(result, Failure):
            self._bar.write(f"{self.name(result.job)}: failed")
            return
        self.stored += 1
        job = Job(result.experiment, result.seed, result.num_epochs)
        self._advance(job, job.length)
        self._bar.write(f"{self.name(job)}: done in {result.seconds:.0f} s")

    def close(self) -> None:
        self._bar.close()

    def _advance(self, job: Job, epoch: int) -> None:
        run = (job.experiment, job.seed)
        before = self._seen.get(run, 0)
        self._seen[run] = max(epoch, before)  # a second attempt begins with epochs seen before
        self._bar.update(self._seen[run] - before)
