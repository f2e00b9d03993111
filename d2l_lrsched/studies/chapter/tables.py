"""The chapter's tables: the book's printed numbers beside ours, the verdicts on them, all seeds."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Sequence
from itertools import product

import pandas as pd

from d2l_lrsched import stats
from d2l_lrsched.runs.frames import late_oscillation, of_each, of_runs
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.chapter.verdicts import MARGIN, NUMBERS, Verdict

#: What tables call the nets of records that are not the chapter's.
OTHER_NETS = {"lanes": "fast net", "fast": "former fast net"}


def chapter_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row of texts a run, in the chapter's order.

    Each triple is train loss, train accuracy, test accuracy, to the book's three digits; the
    difference is ours, so rounded, minus the printed one. Runs that the book did not make have
    no published triple; those of other experiments than the chapter's are left out. The last
    column names an outcome other than 'trained', the fast net, what was chosen of release, order
    and split, and a number of epochs other than the chapter's.
    """
    order = list(EXPERIMENTS)
    chapters = [run for run in runs if run.experiment in EXPERIMENTS]
    rows = []
    for run in sorted(chapters, key=lambda run: (order.index(run.experiment), run.seed)):
        experiment, printed = EXPERIMENTS[run.experiment], PRINTED.get(run.experiment)
        ours = [round(getattr(run.final, number), 3) for number in NUMBERS]
        theirs = [getattr(printed, number) for number in NUMBERS] if printed else []
        remarks: list[str] = [] if run.outcome == "trained" else [run.outcome]
        if printed and printed.collapsed and run.outcome == "trained":
            remarks.append("the book's collapsed")
        if run.settings["net"] in OTHER_NETS:
            remarks.append(OTHER_NETS[run.settings["net"]])
        remarks += [f"{name} {value}" for name, value in run.chosen.items()]
        if run.num_epochs != experiment.num_epochs:
            remarks.append(f"{run.num_epochs} instead of {experiment.num_epochs} epochs")
        rows.append(
            (
                experiment.section,
                run.experiment,
                "/".join(f"{x:.3f}" for x in theirs) or "-",
                "/".join(f"{x:.3f}" for x in ours),
                "/".join(f"{x - y:+.3f}" for x, y in zip(ours, theirs)) or "-",
                ", ".join(remarks),
            )
        )
    columns = ["section", "experiment", "published", "ours", "difference", "remark"]
    return pd.DataFrame(rows, columns=columns)


def summary_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row of texts an experiment, in the chapter's order: counts, then mean ± sd.

    Means and standard deviations are of the runs that neither collapsed nor turned non-finite;
    last the mean of `frames.late_oscillation`.
    """
    rows = []
    for name, of in of_each(of_runs(runs), EXPERIMENTS).items():
        counts = of.outcome.value_counts()
        collapsed = str(counts.get("collapsed", 0))
        if "non-finite" in counts:
            collapsed += f", {counts['non-finite']} non-finite"
        trained = of[of.trained]
        numbers = [stats.mean_sd(trained[number]) for number in NUMBERS]
        late = trained.run.map(late_oscillation).mean()
        numbers.append("-" if math.isnan(late) else f"{late:.4f}")
        rows.append((name, str(len(of)), collapsed, *numbers))
    columns = ["experiment", "runs", "collapsed", *map(words, NUMBERS), "late oscillation"]
    return pd.DataFrame(rows, columns=columns)


def verdict_table(verdicts: Iterable[Verdict]) -> pd.DataFrame:
    """Return one row of texts a verdict, with the numbers that led to it.

    Of an outcome these are the share of our runs that ended so, and its exact interval; 'sd' is
    what the interval rests on, perhaps pooled over the experiments.
    """
    rows = [
        {
            "experiment": v.experiment,
            "number": words(v.number),
            "published": v.published if isinstance(v.published, str) else f"{v.published:.3f}",
            "verdict": v.verdict,
            "mean or share": f"{v.center:.3f}",
            "interval": f"{stats.Interval(v.low, v.high):.3f}",
            "width": f"{v.high - v.low:.3f}" if math.isfinite(v.spread) else "-",
            "margin": f"{MARGIN[v.number]:.3f}" if v.number in MARGIN else "-",
            "sd": "-" if math.isnan(v.spread) else f"{v.spread:.4f}",
            "runs": str(v.n),
            "collapsed": str(v.collapsed),
        }
        for v in verdicts
    ]
    return pd.DataFrame(rows)


def nets_table(runs: Iterable[Run]) -> pd.DataFrame:
    """Return one row of texts an experiment and number: the fast net's minus the chapter's net's.

    Of experiments, seeds and numbers of epochs of which there are runs with both nets: pairs, that
    begin with the same weights and see the same order, where both trained. p is the sign-flip
    test's, adjusted by Holm over the table.
    """
    by_net: dict[tuple[int, str], dict[str, dict[int, Run]]] = {}
    for run in runs:
        of_net = by_net.setdefault((run.num_epochs, run.experiment), {})
        of_net.setdefault(run.settings["net"], {}).setdefault(run.seed, run)
    rows, p_values = [], []
    for num_epochs, name in product(sorted({length for length, _ in by_net}), EXPERIMENTS):
        nets = by_net.get((num_epochs, name), {})
        chapter, fast = (nets.get(net, {}) for net in ("chapter", "lanes"))
        both = sorted(chapter.keys() & fast.keys())
        if not both:
            continue
        arms = [of_runs(of[seed] for seed in both).loc[name] for of in (chapter, fast)]
        died = ", ".join(str((~arm.trained).sum()) for arm in arms)
        for number in ("train_loss", "test_acc"):
            found = stats.paired(*(arm[number].where(arm.trained) for arm in arms))
            p_values.append(found.p)
            difference = f"{found.mean:+.4f}", f"{found.interval:+.4f}"
            rows.append((name, num_epochs, died, words(number), found.n, *difference))
    columns = ["experiment", "epochs", "collapsed", "number", "pairs", "difference"]
    table = pd.DataFrame(rows, columns=[*columns, "95 % interval"])
    return table.assign(**{"adjusted p": [f"{p:.2f}" for p in stats.holm(p_values)]})


def provenance_table(runs: Sequence[Run]) -> pd.DataFrame:
    """Return (what, values) rows of how the runs were made, counted where they differ."""
    table = of_runs(runs)
    packages = dict.fromkeys(name for run in runs for name in run.versions)
    hours = table.seconds.sum() / 3600
    dates = sorted(run.started[:10] for run in runs)
    rows = [
        ("runs", str(len(runs))),
        *(
            (f"seeds of {name}", _spans(of.index))
            for name, of in of_each(table, EXPERIMENTS).items()
        ),
        ("net", _counted(OTHER_NETS.get(net, net) for net in (r.settings["net"] for r in runs))),
        ("training", f"{hours:.1f} hours of one core"),
        ("begun", " to ".join(dict.fromkeys((dates[0], dates[-1])))),
        *((name, _counted(run.versions.get(name, "none") for run in runs)) for name in packages),
        ("processor", _counted(run.processor for run in runs)),
        ("OpenMP threads", _counted(str(run.threads) for run in runs)),
        *(
            (f"checksum of {name}", _counted(run.data.get(name, "none") for run in runs))
            for name in runs[0].data
        ),
    ]
    return pd.DataFrame(rows, columns=["what", "value"])


def words(number: str) -> str:
    """Return a number's name as it is read."""
    return number.replace("_", " ")


def _counted(values: Iterable[str]) -> str:
    counts = Counter(values)
    if len(counts) == 1:
        return next(iter(counts))
    total = sum(counts.values())
    return ", ".join(f"{value} ({n} of {total} runs)" for value, n in counts.most_common())


def _spans(numbers: Iterable[int]) -> str:
    """Return 0, 1, 2, 5 as '0-2, 5'."""
    spans: list[list[int]] = []
    for n in sorted(set(numbers)):
        if spans and n == spans[-1][-1] + 1:
            spans[-1].append(n)
        else:
            spans.append([n])
    return ", ".join(f"{s[0]}-{s[-1]}" if len(s) > 1 else f"{s[0]}" for s in spans)
