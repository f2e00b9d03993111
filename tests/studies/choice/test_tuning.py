from __future__ import annotations

import pytest

from d2l_lrsched.studies.choice import tuning
from d2l_lrsched.studies.choice.tuning import GRID, PEAKS, Range
from made_up import a_run, an_epoch

FLAT = dict.fromkeys(GRID, 0.8)


def test_past_the_grid_each_peak_is_half_as_high_again():
    """To two digits; 2.25 is rounded to the even digit."""
    assert list(PEAKS) == sorted(PEAKS)
    below, above = PEAKS[: PEAKS.index(0.03) + 1], PEAKS[PEAKS.index(1.0) :]
    assert (*below[:-1], *GRID, *above[1:]) == PEAKS
    assert [f"{peak / 1.5:.1e}" for peak in below[1:]] == [f"{peak:.1e}" for peak in below[:-1]]
    exact = [1.5, 2.25, 3.3, 4.95, 7.5, 11.25]
    assert [1.5 * peak for peak in above[:-1]] == pytest.approx(exact)
    assert list(above[1:]) == [1.5, 2.2, 3.3, 5.0, 7.5, 11]


def test_a_run_that_did_not_train_counts_as_nothing():
    """The median of 0.8, 0.9, 0 and of 0.9, 0, 0; the last epoch's accuracy, not the best."""
    epochs = [an_epoch(test_acc=0.99), an_epoch(test_acc=0.8)]
    runs = [a_run(epochs=epochs), a_run(test_acc=0.9), a_run(outcome="collapsed", test_acc=0.95)]
    assert tuning.score(runs) == 0.8
    assert tuning.score([*runs[1:], a_run(outcome="non-finite", test_acc=0.95)]) == 0


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({0.3: 0.9}, 0.3),
        ({0.2: 0.9, 0.45: 0.9}, 0.2),  # of equals the lower
        ({0.2: 0.9, 0.45: 0.9001}, 0.45),
        ({}, 0.03),
    ],
)
def test_the_best_score_wins_and_of_equals_the_lower_peak(changes, expected):
    scores = {**FLAT, **changes}
    assert tuning.best(scores) == expected
    assert tuning.best(dict(reversed(scores.items()))) == expected


@pytest.mark.parametrize(
    ("scores", "expected"),
    [
        ({**FLAT, 0.3: 0.9}, None),
        ({**FLAT, 0.1: 0.9}, None),
        ({**FLAT, 0.03: 0.9}, 0.02),
        ({**FLAT, 1.0: 0.9}, 1.5),
        ({**FLAT, 1.0: 0.9, 1.5: 0.91}, 2.2),
        ({**FLAT, 1.0: 0.9, 1.5: 0.89}, None),
        ({**FLAT, 0.03: 0.9, 0.02: 0.91}, 0.013),
        (dict.fromkeys(PEAKS, 0.8), None),  # the lowest of all
        ({**dict.fromkeys(PEAKS, 0.8), 11.0: 0.9}, None),
    ],
)
def test_where_the_best_is_at_an_end_the_next_is_tried(scores, expected):
    assert tuning.further(scores) == expected


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({0.3: 0.9}, Range(0.3, 0.3, False, False)),
        ({0.2: 0.891, 0.3: 0.9, 0.45: 0.892}, Range(0.2, 0.45, False, False)),
        ({0.2: 0.889, 0.3: 0.9, 0.45: 0.892}, Range(0.3, 0.45, False, False)),
        ({0.2: 0.8766, 0.3: 0.8866, 0.45: 0.8764}, Range(0.2, 0.3, False, False)),
        # 0.7 is as good, but 0.45 between them is not
        ({0.3: 0.9, 0.7: 0.899}, Range(0.3, 0.3, False, False)),
        ({0.45: 0.9, 0.7: 0.895, 1.0: 0.895}, Range(0.45, 1.0, False, True)),
        ({}, Range(0.03, 1.0, True, True)),
    ],
)
def test_good_peaks_are_an_unbroken_row_around_the_best(changes, expected):
    assert tuning.good({**FLAT, **changes}) == expected


@pytest.mark.parametrize(
    ("rate", "expected"),
    [
        (0.2, "good"),
        (0.3, "good"),
        (0.25, "good"),
        (0.19, "not decided"),  # 0.1 was tried, 0.19 was not
        (0.1, "too low"),
        (0.0001, "too low"),
        (0.44, "not decided"),
        (0.45, "too high"),
        (50, "too high"),
    ],
)
def test_how_another_rate_would_do(rate, expected):
    """Good are 0.2 and 0.3; that 1 would be, beyond what is not, does not matter."""
    assert tuning.judge(rate, {**FLAT, 0.2: 0.9, 0.3: 0.895, 1.0: 0.9}) == expected


def test_beyond_all_that_was_tried_nothing_is_decided():
    assert tuning.judge(0.01, FLAT) == tuning.judge(2.0, FLAT) == "not decided"
