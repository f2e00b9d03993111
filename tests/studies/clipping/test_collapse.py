from __future__ import annotations

import pytest

from d2l_lrsched.studies.clipping import claims, collapse
from d2l_lrsched.studies.clipping.experiments import COLLAPSE
from d2l_lrsched.studies.clipping.experiments import EXPERIMENTS as CLIPPING
from made_up import a_run, an_epoch


def clipped(experiment, outcomes, **numbers):
    return [a_run(experiment, i, outcome, **numbers) for i, outcome in enumerate(outcomes)]


T, C = "trained", "collapsed"


def test_the_remedies_are_experiments():
    named = [name for plain, remedies in collapse.REMEDIES for name in (plain, *remedies)]
    assert named == [*COLLAPSE, *claims.ARMS]
    assert set(named) <= set(CLIPPING)


@pytest.mark.parametrize(
    ("medians", "threshold"),
    [((0.71,), 0.7), ((0.2, 0.75, 3.0), 0.8), ((1.4, 1.8), 2.0), ((14.0,), 10.0)],
)
def test_the_threshold_is_the_median_of_medians_to_one_digit(medians, threshold):
    pilot = [a_run("pilot", i, norm_median=m) for i, m in enumerate(medians)]
    dead = a_run("pilot", 99, C, norm_median=0.01)
    assert collapse.threshold([*pilot, dead, dead]) == threshold


def test_it_is_the_last_epochs_norm_that_counts():
    norms = ({"norm_median": norm, "clipped": 0.0} for norm in (5.0, 0.3))
    run = a_run("pilot", epochs=[an_epoch(**norm) for norm in norms])
    assert collapse.threshold([run]) == 0.3


def test_without_a_living_run_there_is_no_threshold():
    with pytest.raises(ValueError, match="no run of the pilot trained"):
        collapse.threshold([a_run("pilot", outcome=C, norm_median=0.1)])


def test_shares_with_their_exact_intervals():
    """Clopper and Pearson: of 0 in 20 the interval ends at 1 - 0.025 ** (1 / 20)."""
    runs = clipped("rate-0.3", [T] * 20)
    runs += clipped("neither", [C, "non-finite"])
    rows = collapse.share_rows(runs, ["rate-0.3", "both", "neither"])
    assert rows == [
        ("rate-0.3", "20", "0", "0.00", f"0.000 to {1 - 0.025**0.05:.3f}"),
        ("neither", "2", "2 (1 non-finite)", "1.00", f"{0.025**0.5:.3f} to 1.000"),
    ]


def test_who_is_saved_and_who_is_lost():
    """Five died, of them four are saved, and one of the three others is lost: p = 12 / 32."""
    runs = clipped("neither", [C, C, C, C, C, T, T, T])
    runs += clipped("both", [T, T, C, T, T, T, C, T])
    runs += clipped("clipping", [T, T])
    by_clipping, by_both = collapse.rescues(runs)
    assert by_clipping == collapse.Rescue("neither", "clipping", (0, 1), (0, 1), (), (), 0.5)
    assert by_both == collapse.Rescue(
        "neither", "both", (0, 1, 2, 3, 4), (0, 1, 3, 4), (5, 6, 7), (6,), pytest.approx(12 / 32)
    )
    assert collapse.rescue_rows([by_both]) == [
        ("neither", "both", "8", "5 (seeds 0, 1, 2, 3, 4)", "4 (seeds 0, 1, 3, 4)", "3",
         "1 (seeds 6)", "0.3750"),
    ]  # fmt: skip


def test_where_nobody_dies_nothing_is_shown():
    runs = clipped("rate-0.3", [T, T]) + clipped("rate-0.3-warmup", [T, T])
    (found,) = collapse.rescues(runs)
    assert (found.died, found.saved, found.lost, found.p) == ((), (), (), 1.0)
    assert collapse.rescue_rows([found])[0][3:] == ("0", "0", "2", "0", "1.0000")
