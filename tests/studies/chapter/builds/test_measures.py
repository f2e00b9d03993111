from __future__ import annotations

import math

import numpy as np
import pandas as pd
import pytest
from scipy import stats as distributions

from d2l_lrsched.studies.chapter import published
from d2l_lrsched.studies.chapter.builds import measures
from d2l_lrsched.studies.chapter.builds.draws import Case, Draw


def series(groups):
    """Values and groups of {group: values}, shuffled."""
    rows = [(value, name) for name, values in groups.items() for value in values]
    order = np.random.default_rng(0).permutation(len(rows))
    values, names = zip(*(rows[i] for i in order))
    return pd.Series(values), pd.Series(names)


def test_components_of_groups_of_equal_numbers():
    """Means 2, 5, 11; within squares 2 each over 2 degrees each: 1; between 21 - 1/3."""
    parts = measures.components(*series({"a": [1, 2, 3], "b": [4, 5, 6], "c": [10, 11, 12]}))
    assert sorted(parts.means) == [2, 5, 11]
    assert parts.within == pytest.approx(1)
    # The variance of 2, 5, 11: mean 6, squares 16 + 1 + 25 = 42, over 2.
    assert parts.between == pytest.approx(21 - 1 / 3)
    assert parts.total == pytest.approx(22 - 1 / 3)


def test_components_of_groups_of_unequal_numbers():
    """Means 1, 3, 8; squares 2, 0, 8 over 1 + 0 + 2 degrees; mean of 1/n (1/2 + 1 + 1/3) / 3."""
    parts = measures.components(*series({"a": [0, 2], "b": [3], "c": [6, 8, 10]}))
    assert sorted(parts.means) == [1, 3, 8]
    assert parts.within == pytest.approx(10 / 3)
    # Squares about 4: 9 + 1 + 16 = 26, over 2.
    assert parts.between == pytest.approx(13 - 10 / 3 * 11 / 18)


def test_between_is_not_below_zero():
    parts = measures.components(*series({"a": [0, 10], "b": [10, 0]}))
    assert (parts.between, parts.within, parts.total) == (0, 50, 50)


def test_components_find_those_of_simulated_draws():
    generator = np.random.default_rng(0)
    groups = np.repeat(np.arange(2000), 5)
    values = 3 + generator.normal(0, 2, 2000)[groups] + generator.normal(0, 1, 10_000)
    parts = measures.components(pd.Series(values), pd.Series(groups))
    # Three standard errors: of a variance v over d degrees v * sqrt(2 / d).
    assert parts.within == pytest.approx(1, abs=3 * math.sqrt(2 / 8000))
    assert parts.between == pytest.approx(4, abs=3 * 4.2 * math.sqrt(2 / 1999))


def test_resampled_variances_are_those_of_whole_groups(monkeypatch):
    """Each resample has the components that `components` finds of the groups that were picked."""
    monkeypatch.setattr(measures, "RESAMPLES", 20)
    groups = {"a": [0.0, 2.0], "b": [3.0, 3.5], "c": [6.0, 8.0, 10.0], "d": [1.0, 1.5, 1.0]}
    found = measures.resampled_variances(*series(groups), np.random.default_rng(1))
    picked = np.random.default_rng(1).integers(4, size=(20, 4))
    expected = []
    for names in picked:
        parts = measures.components(*series({i: groups["abcd"[n]] for i, n in enumerate(names)}))
        expected.append((parts.within, parts.total))
    np.testing.assert_allclose(np.transpose(found), expected)


def test_groups_of_one_draw_each_have_no_variance_within(monkeypatch):
    """Where the one group of several is not picked, nothing is known."""
    monkeypatch.setattr(measures, "RESAMPLES", 50)
    groups = {"a": [0.0], "b": [3.0], "c": [6.0, 8.0]}
    within, total = measures.resampled_variances(*series(groups), np.random.default_rng(1))
    has_c = (np.random.default_rng(1).integers(3, size=(50, 3)) == 2).any(axis=1)
    assert 0 < has_c.sum() < 50
    assert within[has_c] == pytest.approx(2)
    assert np.isnan(within[~has_c]).all()
    assert np.isnan(total).tolist() == (~has_c).tolist()


def a_draw(experiment="constant", weights="0", order=0, split=None, collapsed=(), **changes):
    """A draw of 14 epochs; of the last ten nine have equal accuracies."""
    numbers = {
        "train_loss": [2.0] * 13 + [0.25],
        "train_acc": [0.5] * 13 + [0.75],
        "test_acc": [0.1] * 4 + [0.6] * 9 + [0.7],
        **changes,
    }
    case = Case(experiment, weights, order, split)
    return Draw(case, **numbers, collapsed=[*collapsed], made_with="nothing")


def test_a_row_of_a_draw():
    (row,) = measures.of_draws([a_draw("cosine", "7", 3, 5)]).to_dict("records")
    late = row.pop("late_test_acc")
    assert late == pytest.approx((9 * 0.6 + 0.7) / 10)
    assert row.pop("since") is None
    assert row == {
        "experiment": "cosine",
        "weights": "7",
        "order": 3,
        "split": 5,
        "trained": True,
        "train_loss": 0.25,
        "train_acc": 0.75,
        "test_acc": 0.7,
    }


@pytest.mark.parametrize(
    ("collapsed", "trained", "since"),
    [
        ([], True, None),
        ([1, 2, 13], True, None),  # recovered
        ([14], False, 14),
        ([2, 3, 12, 13, 14], False, 12),
        (range(1, 15), False, 1),
    ],
)
def test_since_is_the_first_epoch_of_the_collapse_that_a_run_ended_in(collapsed, trained, since):
    table = measures.of_draws([a_draw(collapsed=collapsed), a_draw(collapsed=[13, 14])])
    assert table.trained.tolist() == [trained, False]
    assert table.since.tolist()[1] == 13
    first = table.since.tolist()[0]
    assert math.isnan(first) if since is None else first == since


def test_builds_in_their_groups():
    builds = measures.of_builds()
    assert builds.groupby("experiment").size().to_dict() == {
        "constant": 87,
        "square-root": 37,
        "multi-factor": 87,
        "cosine": 37,
        "cosine-warmup": 37,
        "gentler-square-root": 50,
        "gentler-cosine": 50,
        "gentler-cosine-warmup": 50,
        "early-constant": 10,
    }
    lost = builds[~builds.trained].groupby("experiment").size()
    assert lost.to_dict() == {"constant": 7, "early-constant": 6}
    assert builds.since.isna().tolist() == builds.trained.tolist()
    # Two had learned before, as their stored figures show; eleven never did.
    assert sorted(builds.since.dropna()) == [1] * 11 + [24, 27]


def test_a_row_of_a_build_is_its_run():
    builds, curves = measures.of_builds(), published.curves()
    assert not builds.duplicated(["experiment", "build"]).any()
    for experiment, run, settings in (
        ("gentler-cosine-warmup", "cosine-warmup", "gentler"),
        ("early-constant", "constant", "early"),
        ("square-root", "square-root", "seed"),
    ):
        of = builds[builds.experiment == experiment].set_index("build")
        for build in (b for b in published.builds() if b.settings == settings):
            row, result = of.loc[build.build], build.results[run]
            assert row.date == build.date
            for number in ("train_loss", "train_acc", "test_acc"):
                assert row[number] == getattr(result, number)
            late = curves[build.build][run].test_acc[-10:]
            assert row.late_test_acc == pytest.approx(sum(late) / 10)


def a_table(rows, experiment="constant"):
    """Draws of (weights, order, split, number); all three numbers are alike but for their scale."""
    return pd.DataFrame(
        {
            "experiment": experiment,
            "weights": [weights for weights, *_ in rows],
            "order": [order for _, order, *_ in rows],
            "split": [math.nan if split is None else split for *_, split, _ in rows],
            "trained": [not math.isnan(number) for *_, number in rows],
            "train_loss": [number for *_, number in rows],
            "test_acc": [number / 10 for *_, number in rows],
            "late_test_acc": [-number for *_, number in rows],
        }
    )


#: Draws with four splits and those of the same weights and orders today; the differences are
#: 0 -> 3, 1; 1 -> 5 (the other's partner collapsed); 2 -> 2, 6; 3 -> 1 alone of the first.
SPLIT = (
    *(("0", 0, None, 10.0), ("0", 1, None, 20.0), ("0", 0, 0, 13.0), ("0", 1, 0, 21.0)),
    *(("1", 0, None, 10.0), ("1", 1, None, math.nan), ("1", 0, 1, 15.0), ("1", 1, 1, 50.0)),
    *(("2", 0, None, 30.0), ("2", 1, None, 10.0), ("2", 0, 2, 32.0), ("2", 1, 2, 16.0)),
    *(("3", 0, None, 30.0), ("3", 1, None, 10.0), ("3", 0, 3, 31.0), ("3", 1, 3, math.nan)),
    # Nobody's partners.
    *(("0", 2, None, 99.0), ("9", 0, None, 99.0)),
)


def test_shifts_are_of_pairs_with_the_same_weights_and_order():
    """Of splits 2, 5, 4, 1: mean 3, squares 1 + 4 + 1 + 4 = 10 over 3."""
    draws = pd.concat([a_table(SPLIT), a_table(SPLIT[:1], "cosine")], ignore_index=True)
    loss, acc, late = measures.shifts(draws)
    assert [s.number for s in (loss, acc, late)] == ["train_loss", "test_acc", "late_test_acc"]
    assert {s.experiment for s in (loss, acc, late)} == {"constant"}
    assert [s.splits for s in (loss, acc, late)] == [4, 4, 4]
    assert [s.mean for s in (loss, acc, late)] == pytest.approx([3, 0.3, -3])
    half = distributions.t.ppf(0.975, 3) * math.sqrt(10 / 3 / 4)
    assert tuple(loss.interval) == pytest.approx((3 - half, 3 + half))
    assert tuple(acc.interval) == pytest.approx((0.3 - half / 10, 0.3 + half / 10))


def test_today_has_no_other_split_none_that_collapsed_and_seeds_only():
    rows = [
        ("0", 0, None, 1.0),
        ("0", 0, 3, 2.0),
        ("1", 0, None, math.nan),
        ("unseeded-2", 0, None, 3.0),
        ("2", 0, None, 4.0),
    ]
    draws = pd.concat([a_table(rows), a_table(rows, "cosine")], ignore_index=True)
    assert measures.today(draws, "constant").train_loss.tolist() == [1, 4]
    assert measures.that_trained(draws, "cosine").train_loss.tolist() == [1, 2, 3, 4]
