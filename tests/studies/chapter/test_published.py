from __future__ import annotations

import math
from collections import Counter

from d2l_lrsched.studies.chapter import published


def test_the_five_printed_lines():
    """Typed once more from section 11.15's printed output, in its order."""
    lines = {
        name: f"train loss {p.train_loss:.3f}, train acc {p.train_acc:.3f}, "
        f"test acc {p.test_acc:.3f}"
        for name, p in published.PRINTED.items()
    }
    assert lines == {
        "constant": "train loss 2.303, train acc 0.098, test acc 0.100",
        "square-root": "train loss 0.307, train acc 0.887, test acc 0.882",
        "multi-factor": "train loss 0.187, train acc 0.931, test acc 0.898",
        "cosine": "train loss 0.362, train acc 0.870, test acc 0.848",
        "cosine-warmup": "train loss 0.394, train acc 0.857, test acc 0.854",
    }


def test_the_collapsed_one_has_the_loss_of_guessing():
    """ln 10 to three digits, and one class of ten equally frequent ones."""
    guessing = [
        name
        for name, p in published.PRINTED.items()
        if f"{p.train_loss:.3f}" == f"{math.log(10):.3f}" and p.test_acc == 0.1
    ]
    assert [name for name, p in published.PRINTED.items() if p.collapsed] == guessing
    assert guessing == ["constant"]


def test_builds_are_97_of_three_settings_each_with_the_five_runs():
    builds = published.builds()
    assert len({build.build for build in builds}) == len(builds) == 97
    assert Counter(build.settings for build in builds) == {"seed": 37, "gentler": 50, "early": 10}
    assert {tuple(build.results) for build in builds} == {tuple(published.PRINTED)}
    lines = {str(build.results) for build in builds}
    assert len(lines) == 97, "two builds with the same lines are one"


def test_settings_follow_the_date():
    """As the module says of each, months at the ends included."""
    months = {"early": [], "seed": [], "gentler": []}
    for build in published.builds():
        months[build.settings].append(build.date[:7])
    assert {name: (min(of), max(of)) for name, of in months.items()} == {
        "early": ("2019-12", "2020-01"),
        "seed": ("2020-02", "2020-08"),
        "gentler": ("2020-09", "2023-08"),
    }


def test_every_run_of_a_build_has_its_curve():
    builds, curves = published.builds(), published.curves()
    assert [*curves] == [build.build for build in builds]
    compared = 0
    for build in builds:
        for run, result in build.results.items():
            curve = curves[build.build][run]
            assert len(curve.test_acc) == (40 if build.settings == "early" else 30)
            # Both are rounded: the printed one to 0.001, the decoded one to 0.0005.
            assert abs(curve.test_acc[-1] - result.test_acc) <= 0.0005 + 1e-9
            compared += 1
    assert compared == 97 * 5 == 485


def test_those_that_collapsed_print_the_loss_of_guessing():
    collapsed = Counter()
    for build in published.builds():
        for run, result in build.results.items():
            assert result.collapsed == (f"{result.train_loss:.3f}" == "2.303")
            collapsed[build.settings, run] += result.collapsed
    assert collapsed["seed", "constant"] + collapsed["gentler", "constant"] == 7
    assert collapsed["early", "constant"] == 6
    assert {run for (_, run), n in collapsed.items() if n} == {"constant"}


def test_a_collapsed_run_ends_at_a_tenth_and_died_late_or_never_learned():
    for build in published.builds():
        result = build.results["constant"]
        if result.collapsed:
            accuracy = published.curves()[build.build]["constant"].test_acc
            learned = [epoch for epoch, a in enumerate(accuracy, start=1) if a > 0.5]
            assert result.test_acc == 0.1
            assert bool(learned) == (result.died_in_epoch is not None)
            if learned:
                assert learned[-1] + 1 == result.died_in_epoch
        else:
            assert result.died_in_epoch is None
