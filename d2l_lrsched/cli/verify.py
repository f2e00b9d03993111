"""The command that judges the printed numbers on the terminal: `verify`."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping, Sequence
from itertools import count, zip_longest
from pathlib import Path
from typing import TYPE_CHECKING

import click
import msgspec
from msgspec.structs import replace

from d2l_lrsched.cli import making, options
from d2l_lrsched.cli.report import COMMITTED, chapters
from d2l_lrsched.cli.report import records as records_option
from d2l_lrsched.runs.experiment import NUM_EPOCHS

if TYPE_CHECKING:
    from d2l_lrsched.runs.record import Run
    from d2l_lrsched.studies.chapter.builds.verdicts import Mean
    from d2l_lrsched.studies.chapter.verdicts import Verdict


@click.command()
@records_option
@click.option(
    "--fresh",
    is_flag=True,
    help="Instead, train one new seed of each experiment in the file, and judge these runs.",
)
@options.release
@options.epochs
@options.workers("Of --fresh: runs at once.")
@options.net()
@options.data_dir
def verify(
    records: Path,
    fresh: bool,
    release: str | None,
    epochs: int | None,
    workers: int,
    net: str,
    data_dir: Path | None,
) -> None:
    """Judge the book's printed numbers by our runs.

    First the means of the book's builds, by the draws that come with the package; then the numbers
    of the chapter, by the committed runs. Exit 1 if a number differs that explanations.py does not
    list.

    Of a file of your own: the numbers of the chapter by its runs, and which of these runs equal the
    committed ones to the bit.

    With --fresh: whether this machine, these packages and this code still give such runs. The
    options from --epochs on go with it only.

    Example: d2l-lrsched verify
    """
    if fresh:
        _verify_fresh(records, release, epochs, workers, net, data_dir)
        return
    for name in ("epochs", "workers", "net", "data_dir"):
        if options.given(name):
            raise click.UsageError(f"--{name.replace('_', '-')} goes with --fresh only")
    here = records.exists() or options.given("records")
    runs = chapters(records, release)[0] if here else []  # faults first
    committed = not here or (COMMITTED.exists() and records.samefile(COMMITTED))
    unexplained = _verify_builds() if committed else []
    if here:
        unexplained += _verify_chapter(runs, records)
    else:
        click.echo(f"{records} is not here: the chapter's own numbers are not judged")
    if not committed and COMMITTED.exists():
        click.echo(_beside_committed(runs))
    if unexplained:
        raise click.ClickException(
            f"{len(unexplained)} numbers differ without an explanation in "
            f"d2l_lrsched/studies/chapter/explanations.py: {'; '.join(unexplained)}"
        )


def _verify_builds() -> list[str]:
    """Judge the means of the book's builds; return which differ without an explanation."""
    from d2l_lrsched.runs import frames
    from d2l_lrsched.stats import LEVEL
    from d2l_lrsched.studies.chapter import explanations
    from d2l_lrsched.studies.chapter.builds import draws, measures, tables, verdicts

    click.echo("The means of the book's builds, by the draws that come with d2l_lrsched:")
    found = verdicts.means(measures.of_draws(draws.read()), measures.of_builds())
    click.echo(frames.text(tables.mean_table(found)))
    click.echo(
        "builds, ours: means; interval: where the mean of one more initialization would fall, with "
        f"{1 - LEVEL:.0%} for all rows together; of: our initializations; margin: the widest "
        "interval that decides. DIFFERENT: outside the interval; CONSISTENT: inside; UNDECIDED: "
        "inside one wider than the margin. gentler: builds with lower rates; early: builds with a "
        "rate of 0.5 for 40 epochs"
    )
    unexplained = _explained(
        _different(found), explanations.BUILDS_EXPLAINED, measures.WORDS.__getitem__
    )
    click.echo(tables.counts(found))
    return unexplained


def _verify_chapter(runs: Sequence[Run], records: Path) -> list[str]:
    """Judge the chapter's own numbers; return which differ without an explanation."""
    from d2l_lrsched.runs import frames
    from d2l_lrsched.studies.chapter import explanations, tables, verdicts

    found = verdicts.compare(runs)
    click.echo(f"The numbers that the chapter prints, by {records}:")
    click.echo(frames.text(tables.verdict_table(found)))
    click.echo(
        "mean, sd: of our runs that trained; interval: where one more would fall, or that of the "
        "share that ended so; margin: the widest interval that decides. DIFFERENT: outside the "
        "interval; CONSISTENT: inside; INCONCLUSIVE: inside one wider than the margin"
    )
    unexplained = _explained(_different(found), explanations.EXPLAINED, tables.words)
    click.echo(verdicts.counts(found))
    if {verdict.verdict for verdict in found} == {verdicts.INCONCLUSIVE}:
        click.echo(
            f"So few runs decide nothing; `{options.program()} reproduce --seeds 10` makes more, "
            "in hours, those of other seeds beside those that are there"
        )
    return unexplained


def _beside_committed(runs: Sequence[Run]) -> str:
    """Say which runs equal the committed ones of the same settings and seed, to the bit."""
    from d2l_lrsched.runs import record

    committed = {run.key: run for run in record.read(COMMITTED)}
    both = [(run, committed[run.key]) for run in runs if run.key in committed]
    if not both:
        return f"None of its {len(runs)} runs is in {COMMITTED}, too"
    first = {f"{ours.experiment}, seed {ours.seed}": _first_other(ours, one) for ours, one in both}
    unlike = [f"{name} (from epoch {epoch} on)" for name, epoch in first.items() if epoch]
    said = (
        f"{len(both)} of {len(runs)} runs are in {COMMITTED}, too: {len(both) - len(unlike)} of "
        "these are equal to the bit"
    )
    if unlike:
        said += (
            f"; not {'; '.join(unlike)}: perhaps another processor, package or number of threads "
            "rounds otherwise"
        )
    return said


def _first_other(one: Run, other: Run) -> int:
    """Return the first epoch of which the two records say something else but its time, or 0."""
    for number, epochs in enumerate(zip_longest(one.epochs, other.epochs), start=1):
        a, b = (epoch and msgspec.json.encode(replace(epoch, seconds=0.0)) for epoch in epochs)
        if a != b:
            return number
    return 0


def _explained(
    different: list[tuple[str, str]],
    explanations: Mapping[tuple[str, str], str],
    words: Callable[[str], str],
) -> list[str]:
    """Say why numbers differ, and what is explained but does not; return those without a reason.

    `words`: number -> what the table calls it.
    """

    def named(key: tuple[str, str]) -> str:
        return f"{key[0]}, {words(key[1])}"

    reasons: dict[str, list[str]] = {}
    for key in different:
        if key in explanations:
            reasons.setdefault(explanations[key], []).append(named(key))
    for reason, keys in reasons.items():
        click.echo(f"{'; '.join(keys)}: {reason}")
    for key in explanations:
        if key not in different:
            click.echo(f"{named(key)} is explained as different, but is not by these runs.")
    return [named(key) for key in different if key not in explanations]


def _verify_fresh(
    records: Path,
    release: str | None,
    epochs: int | None,
    workers: int,
    net: str,
    data_dir: Path | None,
) -> None:
    from d2l_lrsched.runs import frames, record
    from d2l_lrsched.studies.chapter import tables, verdicts
    from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS, jobs

    chosen = options.chosen(release=release)
    stored = options.known(record.read(records), records, EXPERIMENTS, chosen)
    length = epochs or NUM_EPOCHS
    before = verdicts.distinct(run for run in stored if run.num_epochs == length)
    names = [name for name in EXPERIMENTS if any(run.experiment == name for run in before)]
    if not names:
        raise click.ClickException(f"{records}: no run of {length} epochs to compare with")
    seen = {run.seed for run in stored}
    seed = next(seed for seed in count() if seed not in seen)
    asked = jobs(names, [seed], length, net, **chosen)
    # Only the verdict counts; what has been judged is not mixed with what judges.
    with tempfile.TemporaryDirectory() as scratch:
        try:
            scratched = Path(scratch, options.RECORDS)
            made = making.make(asked, scratched, EXPERIMENTS, workers, data_dir, chosen=chosen)
        except making.Interrupted:
            raise click.ClickException("interrupted; nothing was judged") from None
    runs = sorted(made.runs, key=lambda run: names.index(run.experiment))
    if len(runs) < len(asked):  # one that was made, if not stored, is judged all the same
        made.exit_if_failed()
    claims = {run.experiment: verdicts.claim(run) for run in runs}
    found = verdicts.compare(before, claims, level=verdicts.FRESH_LEVEL, rounding=0)
    click.echo(frames.text(tables.verdict_table(found).rename(columns={"published": "fresh"})))
    click.echo(verdicts.counts(found))
    blind = sum(verdict.verdict == verdicts.INCONCLUSIVE for verdict in found)
    if blind:
        click.echo(f"{blind} of {len(found)} comparisons could not have told a difference apart")
    probability, new = verdicts.surprise(before, runs)
    unlike = [f"{name}, {tables.words(number)}" for name, number in _different(found)]
    if new:
        outcomes = ", ".join(f"{one.experiment} {one.outcome}" for one in new)
        click.echo(f"Never seen before: {outcomes} (probability {probability:.3f} at most)")
        if probability < verdicts.FRESH_LEVEL:
            unlike.append(f"the outcomes ({outcomes})")
    if unlike:
        raise click.ClickException(f"seed {seed} is not like the runs before: {'; '.join(unlike)}")


def _different(verdicts: Sequence[Verdict | Mean]) -> list[tuple[str, str]]:
    return [(v.experiment, v.number) for v in verdicts if v.verdict == "DIFFERENT"]
