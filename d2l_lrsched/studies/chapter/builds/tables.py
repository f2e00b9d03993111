"""The page's tables, of texts: builds and draws, verdicts, collapses, false alarms."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import pandas as pd
from scipy.stats import ttest_ind

from d2l_lrsched.runs.frames import collapsed, of_each, of_runs
from d2l_lrsched.runs.record import Run
from d2l_lrsched.stats import LEVEL, fisher, holm, mean_sd
from d2l_lrsched.studies.chapter.builds import crossed, measures, verdicts
from d2l_lrsched.studies.chapter.builds.draws import UNSEEDED
from d2l_lrsched.studies.chapter.builds.measures import (
    GROUPS,
    NUMBERS,
    WORDS,
    of_book_weights,
    today,
)
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS
from d2l_lrsched.studies.chapter.published import PRINTED


def left_table(draws: pd.DataFrame, builds: pd.DataFrame) -> pd.DataFrame:
    """Return a row of texts a number: builds, ours with their weights, and what explains them."""
    rows = []
    for one in crossed.left(draws, builds):
        theirs = measures.that_trained(builds, one.experiment)[one.number]
        book = of_book_weights(draws, one.experiment)[one.number]
        rows.append(
            {
                "experiment": one.experiment,
                "number": WORDS[one.number],
                "builds": mean_sd(theirs, 4),
                "ours, the book's weights": mean_sd(book, 4),
                "weights and split": f"{one.expected:.4f}",
                "left by both": f"{one.both:+.4f}",
                "by the split alone": f"{one.split:+.4f}",
                "by the weights alone": f"{one.weights:+.4f}",
                "by neither": f"{one.neither:+.4f}",
            }
        )
    return pd.DataFrame(rows)


def order_table(draws: pd.DataFrame, means: Iterable[verdicts.Mean]) -> pd.DataFrame:
    """Return a row of texts a number: what varies with weights and with orders; see `crossed`."""
    of = {(mean.experiment, mean.number): mean for mean in means}
    rows = []
    for one in crossed.groups_crossed(draws):
        mean = of[one.experiment, one.number]
        interval = one.of_mean(mean.n, verdicts.COMPARED)
        inside = interval.low <= mean.builds <= interval.high
        rows.append(
            {
                "experiment": one.experiment,
                "number": WORDS[one.number],
                "weights": f"{one.of_weights**0.5:.4f}",
                "orders": f"{one.of_orders**0.5:.4f}",
                "rest": f"{one.rest**0.5:.4f}",
                "p of no effect of orders": f"{one.p:.1g}",
                "builds": f"{mean.builds:.4f}",
                "interval": f"{interval:.4f}",
                "the builds are": "inside" if inside else "outside",
                "by the rules": mean.verdict,
            }
        )
    return pd.DataFrame(rows)


def mean_table(means: Iterable[verdicts.Mean]) -> pd.DataFrame:
    """Return a row of texts a verdict on the builds' mean."""
    return pd.DataFrame(
        {
            "experiment": mean.experiment,
            "number": WORDS[mean.number],
            "builds": f"{mean.builds:.4f}",
            "verdict": mean.verdict,
            "ours": f"{mean.center:.4f}",
            "interval": f"{mean.interval:.4f}",
            "of": str(mean.groups),
            "margin": f"{verdicts.MARGIN[mean.number]:.3f}",
        }
        for mean in means
    )


def spread_table(
    spreads: Iterable[verdicts.Spread], draws: pd.DataFrame, builds: pd.DataFrame
) -> pd.DataFrame:
    """Return a row of texts a verdict on the builds' spread, and that of the book's weights."""
    p, book = crossed.spread_p(draws, builds), {n: of_book_weights(draws, n) for n in GROUPS}
    return pd.DataFrame(
        {
            "experiment": spread.experiment,
            "number": WORDS[spread.number],
            "builds": f"{spread.builds:.4f}",
            "our orders": f"{spread.of_orders:.4f}",
            "ratio": f"{spread.to_orders:.2f}",
            "our weights and orders": f"{spread.of_all:.4f}",
            "ratio to these": f"{spread.to_all:.2f}",
            "verdict": spread.verdict,
            "the book's weights": f"{book[spread.experiment][spread.number].std():.4f}",
            "p": f"{p[spread.experiment, spread.number]:.2f}",
        }
        for spread in spreads
    )


def collapse_table(draws: pd.DataFrame, builds: pd.DataFrame) -> pd.DataFrame:
    """Return a row of texts for each group of runs of which some collapsed, builds' and ours.

    The last column counts those whose last collapse began after the first epoch.
    """
    by_book = pd.concat([of_book_weights(draws, n, trained=False) for n in GROUPS])
    groups = {
        "builds": builds,
        "ours, the book's weights": by_book,
        "ours, seeds": draws[~draws.weights.str.startswith("unseeded") & draws.split.isna()],
        "ours, another split": draws[draws.split.notna()],
    }
    rows = []
    for name in dict.fromkeys(draws.experiment):
        for whose, table in groups.items():
            of = table[table.experiment == name]
            died = of[~of.trained]
            if len(died):
                late = int((died.since > 1).sum())
                rows.append((name, whose, f"{len(died)} of {len(of)}", str(late)))
    return pd.DataFrame(rows, columns=["experiment", "runs", "collapsed", "after epoch 1"])


def place_table(draws: pd.DataFrame, builds: pd.DataFrame) -> pd.DataFrame:
    """Return where each number of the chapter lies: how many builds, and draws, are below."""
    rows = []
    for name, printed in PRINTED.items():
        theirs = measures.that_trained(builds, name)
        ours = today(draws, name)
        for number in ("train_loss", "train_acc", "test_acc") if not printed.collapsed else ():
            value = getattr(printed, number)
            below = [f"{(of[number] < value).sum()} of {len(of)}" for of in (theirs, ours)]
            rows.append((name, number.replace("_", " "), f"{value:.3f}", *below))
    columns = ["experiment", "number", "the chapter", "builds below", "of our draws below"]
    return pd.DataFrame(rows, columns=columns)


def power_table(draws: pd.DataFrame, builds: pd.DataFrame) -> pd.DataFrame:
    """Return how often one of our own initializations is called different, and one shifted."""
    rows = []
    for name in GROUPS:
        n = len(measures.that_trained(builds, name))
        for number in NUMBERS:
            alarms, found = verdicts.power(draws, name, number, n)
            shift = f"{verdicts.SHIFT[number]:.3f}"
            rows.append((name, WORDS[number], f"{alarms:.2f}", shift, f"{found:.2f}"))
    columns = ["experiment", "number", "false alarms", "shifted by", "found"]
    return pd.DataFrame(rows, columns=columns)


def agreement_table(draws: pd.DataFrame, runs: Iterable[Run]) -> pd.DataFrame:
    """Return a row of texts for each number that MXNet's runs and the draws can be compared in.

    Welch's t test of two of each or more that trained, Fisher's exact test of who collapsed; all
    p-values together by Holm.
    """
    rows, p_values = [], []
    for name, made in of_each(of_runs(runs), EXPERIMENTS).items():
        of = draws[(draws.experiment == name) & draws.split.isna()]
        of = of[~of.weights.isin(UNSEEDED[1:])]
        died = [collapsed(each.trained) for each in (made, of)]
        rows.append((name, "collapsed", *(f"{n} of {total}" for n, total in died)))
        p_values.append(fisher(*died))
        made, of = made[made.trained], of[of.trained]
        for number in ("train_loss", "test_acc") if min(len(made), len(of)) > 1 else ():
            both = made[number], of[number]
            rows.append((name, WORDS[number], *(mean_sd(each, 4) for each in both)))
            p_values.append(float(ttest_ind(*both, equal_var=False).pvalue))
    table = pd.DataFrame(rows, columns=["experiment", "number", "MXNet's runs", "the draws"])
    return table.assign(p=[f"{p:.3f}" for p in p_values], all=[f"{p:.2f}" for p in holm(p_values)])


def disagree(table: pd.DataFrame) -> str:
    """Return in which rows of an `agreement_table` the two differ, all together, in words."""
    unlike = table[table["all"].astype(float) < LEVEL]
    names = [f"{row.experiment}, {row.number}" for row in unlike.itertuples()]
    return f"{len(names)} of {len(table)} differ" + (f" ({'; '.join(names)})" if names else "")


def counts(found: Iterable[verdicts.Mean]) -> str:
    """Return how many means have which verdict, in words."""
    counted = Counter(mean.verdict for mean in found)
    return ", ".join(f"{n} {verdict}" for verdict, n in sorted(counted.items()))


def undecided(found: Iterable[verdicts.Mean]) -> str:
    """Return how many initializations, or splits, would decide what is undecided."""
    needed = [
        f"{mean.experiment}, {WORDS[mean.number]}: {mean.needed or 'no number of them would do'}"
        for mean in found
        if mean.verdict == verdicts.UNDECIDED
    ]
    return f"How many would decide what is undecided: {'; '.join(needed)}." if needed else ""


def shift_table(draws: pd.DataFrame) -> pd.DataFrame:
    """Return a row of texts a number: what a random split does to it."""
    return pd.DataFrame(
        {
            "experiment": shift.experiment,
            "number": WORDS[shift.number],
            "splits": str(shift.splits),
            "mean difference": f"{shift.mean:+.4f}",
            "interval": f"{shift.interval:+.4f}",
        }
        for shift in measures.shifts(draws)
    )
