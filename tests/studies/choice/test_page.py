from __future__ import annotations

import re

import pytest
from scipy.stats import binom

from d2l_lrsched import stats
from d2l_lrsched.studies.choice import page
from d2l_lrsched.studies.choice.experiments import SCHEDULES
from d2l_lrsched.training.range_test import RangeTest, Sweep
from made_up import a_run

#: In rows of eleven from 1 to 1.5 and so on, at rates of 0.01 times powers of 1.1.
SWEEP = Sweep(
    0,
    [0.01 * 1.1**k for k in range(44)],
    [loss for loss in (2.0, 1.5, 1.0, 3.0) for _ in range(11)],
    [1.0] * 44,
)
TESTED = RangeTest([SWEEP])


@pytest.fixture(scope="module")
def text(study):
    return page.as_page(study, TESTED)


def test_the_page_is_of_the_runs_it_is_given(text):
    assert "for 10 epochs" in text
    assert "0.03, 0.1, 0.2, 0.3, 0.45, 0.7, 1\nwith 2 seeds" in text
    assert "55,000 of the training pictures" in text
    assert "8 fresh seeds each, trained on all 60,000" in text
    assert "made by commit abc." in text
    rows = re.findall(r"^\| [a-z-]+ \| [\d.]+ \|", text, re.MULTILINE)
    assert len(rows) == 2 * 11 + 10 + 11 + 11
    assert "an epoch has 96 pictures." in text  # 60,000 = 234 * 256 + 96
    assert "has 216 pictures; the constant rate's median is 0.4" in text  # 55,000
    assert "nan" not in text
    explained = "../../notebooks/gradient_clipping_en.ipynb"
    assert re.findall(r"\]\(([^)]*)\)", text) == ["peaks.svg", explained]


def test_every_line_of_prose_is_readable_as_it_stands(text):
    assert all(len(line) <= 100 for line in text.splitlines() if not line.startswith(("|", "!")))


def test_it_is_made_from_records_in_any_order(study, text):
    assert page.as_page(study[::-1], TESTED) == text


def test_figure_and_page_are_written(study, tmp_path, monkeypatch):
    monkeypatch.setattr(page.drawing, "save", lambda figure, path: path.touch())
    assert page.write(study, TESTED, tmp_path) == f"{len(study)} runs, 1 figure"
    assert {path.name for path in tmp_path.iterdir()} == {"peaks.svg", "README.md"}
    assert (tmp_path / "README.md").read_text(encoding="utf-8") == page.as_page(study, TESTED)


def test_commits_are_all_named(study):
    other = a_run("tune-constant-0.1", 9, num_epochs=10, commit="def", test_acc=0.8)
    assert "made by commit abc, def." in page.as_page([*study, other], TESTED)


def test_the_range_tests_suggestion_is_judged(study):
    """It falls from update 11 on and rises at 33: 0.01 * 1.1**22 is 0.0814.

    It lies below 0.1, and good are 0.2 to 0.45, the square root's from 1 on. But of the constant
    rate, of whose two seeds one is lost, the scores are half as high, and so 0.1 is good and 0.03,
    the next one down, is not. The chosen 0.3 is 3.7 times as high, the square root's 1.5 18 times.
    """
    of_ranges = " ".join(page.as_page(study, TESTED).partition("## The range test")[2].split())
    assert "suggested: 0.081." in of_ranges
    assert "The chosen peaks are 3.7 times as high as the suggested rate, that of the" in of_ranges
    _, *others = SCHEDULES
    assert f"- not decided: constant - too low: {', '.join(others)} ##" in of_ranges
    assert "- good" not in of_ranges


def test_how_often_counts_decide_is_worked_out(text):
    """Ten times Fisher's p, Holm's first step, of k of 20 against none; and of how few pairs."""
    telling = [k for k in range(21) if 10 * stats.fisher((k, 20), (0, 20)) < stats.LEVEL]
    power = {share: sum(binom.pmf(k, 20, share) for k in telling) for share in (0.4, 0.2)}
    assert round(10 * power[0.4]) == 6
    assert power[0.2] < 0.05
    said = " ".join(text.split())
    assert "If 40 % of a schedule's runs collapse and none of the constant's, 20 runs" in said
    assert "in six of ten studies; at 20 %, hardly ever." in said
    # n pairs that all differ alike have the p-value 2 / 2**n
    assert next(n for n in range(1, 21) if 10 * 2 / 2**n < stats.LEVEL) == 9
    assert "Of fewer than nine pairs even the smallest p-value does not decide" in said


def test_without_a_suggestion_there_is_nothing_to_judge(study):
    flat = RangeTest([Sweep(0, [0.1, 1.0], [2.3, 2.3], [1.0, 1.0])])
    assert "It suggests no rate that could be judged." in page.as_page(study, flat)
