"""The report: one HTML page that holds everything it shows and asks the network for nothing."""

from __future__ import annotations

import io
import math
import re
from collections import Counter
from collections.abc import Iterable, Sequence

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup
from matplotlib.figure import Figure

from d2l_lrsched.drawing import UNDATED, look
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies.chapter import explanations
from d2l_lrsched.studies.chapter import tables as report
from d2l_lrsched.studies.chapter import verdicts as regression
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.figures_baseline import baseline_figure, curves_figure
from d2l_lrsched.studies.chapter.verdicts import CONSISTENT, DIFFERENT, INCONCLUSIVE, Verdict

#: Beside the word, for those who skim or see no colors.
SIGNS = {DIFFERENT: "✕", INCONCLUSIVE: "?", CONSISTENT: "✓"}


def as_html(runs: Iterable[Run], verdicts: Iterable[Verdict]) -> str:
    """Return the page on these runs; the same runs give the same page.

    Parameters
    ----------
    runs : iterable of Run
        All of the chapter's length.
    verdicts : iterable of Verdict
        What `regression.compare` says of them.
    """
    runs, verdicts = list(runs), list(verdicts)
    environment = Environment(
        loader=PackageLoader("d2l_lrsched"),
        autoescape=True,
        trim_blocks=True,
        lstrip_blocks=True,
        undefined=StrictUndefined,
    )
    return environment.get_template("report.html").render(
        runs=runs,
        verdicts=verdicts,
        kinds=[(kind, [v for v in verdicts if v.verdict == kind]) for kind in SIGNS],
        signs=SIGNS,
        why=why,
        regression=regression,
        verdict_header=report.VERDICT_HEADER,
        verdict_rows=report.verdict_rows(verdicts),
        summary_header=report.SUMMARY_HEADER,
        summary_rows=report.summary_rows(runs),
        experiments=[CHAPTER[name] for name in CHAPTER if any(r.experiment == name for r in runs)],
        findings=explanations.FINDINGS,
        explanations=explanations.DIFFERENT,
        made_with=provenance_rows(runs),
        baseline=_inline(
            baseline_figure(runs, verdicts),
            "baseline",
            "Last epoch of every run, the interval of one more, and the book's number; the table "
            "of verdicts has the numbers.",
        ),
        curves=_inline(
            curves_figure(runs), "curves", "Test accuracy of every run over its epochs."
        ),
    )


def why(verdict: Verdict) -> str:
    """Return in a sentence what made a verdict, but for the explanation of a difference."""
    ours = f"{verdict.n - verdict.collapsed} of our {verdict.n} runs trained"
    between = f"{verdict.low:.3f} and {verdict.high:.3f}"
    if verdict.number == "outcome":
        reason = f"{ours}; the share that ends as the book's did lies between {between}"
        if verdict.verdict == INCONCLUSIVE:
            reason += f", which may be rare or not (rare is below {regression.RARE})"
        return f"{reason}."
    if math.isinf(verdict.low):
        return f"{ours}: too few to tell where one more would fall."
    where = "outside" if verdict.verdict == DIFFERENT else "inside"
    reason = f"{verdict.published:.3f} lies {where} {between}"
    if verdict.verdict == INCONCLUSIVE:
        widest = regression.margin(verdict.number)
        reason += f", but that is wider than {widest:.3f} and would hold too much"
    return f"{reason}."


def provenance_rows(runs: Sequence[Run]) -> list[tuple[str, str]]:
    """Return (what, values) rows of how the runs were made, counted where they differ."""
    seeds: dict[str, list[int]] = {}
    for run in runs:
        seeds.setdefault(run.experiment, []).append(run.seed)
    packages = dict.fromkeys(name for run in runs for name in run.versions)
    hours = sum(run.seconds for run in runs if math.isfinite(run.seconds)) / 3600
    dates = sorted(run.started[:10] for run in runs)
    return [
        ("runs", str(len(runs))),
        *((f"seeds of {name}", _spans(seeds[name])) for name in CHAPTER if name in seeds),
        ("net", _counted(str(run.settings["net"]) for run in runs)),
        ("training", f"{hours:.1f} hours of one core"),
        ("begun", " to ".join(dict.fromkeys((dates[0], dates[-1])))),
        *((name, _counted(run.versions.get(name, "none") for run in runs)) for name in packages),
        ("processor", _counted(run.processor for run in runs)),
        ("OpenMP threads", _counted(str(run.threads) for run in runs)),
        *(
            (f"SHA-256 of {name}", _counted(run.data.get(name, "none") for run in runs))
            for name in runs[0].data
        ),
    ]


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


def _inline(figure: Figure, name: str, label: str) -> Markup:
    """Return the figure as an svg element whose ids no other figure on the page has."""
    content = io.StringIO()
    with look(**{"svg.hashsalt": name}):
        figure.savefig(content, format="svg", bbox_inches="tight", metadata=UNDATED["svg"])
    svg = re.sub("<metadata>.*?</metadata>", "", content.getvalue(), flags=re.DOTALL)
    svg = re.sub(r'(\bid="|href="#|url\(#)', rf"\g<1>{name}-", svg[svg.index("<svg ") :])
    svg = svg.replace("<svg ", f'<svg role="img" aria-label="{label}" ', 1)
    return Markup(svg)
