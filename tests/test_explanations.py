from __future__ import annotations

from d2l_lrsched import explanations, regression
from d2l_lrsched.published import CHAPTER


def test_each_is_of_a_printed_number():
    for experiment, number in explanations.DIFFERENT:
        assert number in ("outcome", *regression.NUMBERS)
        assert number == "outcome" or not CHAPTER[experiment].collapsed


def test_each_is_a_sentence():
    for text in (*explanations.DIFFERENT.values(), *explanations.FINDINGS):
        assert text.endswith(".")
        assert text == text.strip()
