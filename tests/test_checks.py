"""What is asked of arguments."""

from __future__ import annotations

import math
import sys
from fractions import Fraction

import numpy as np
import pytest

from d2l_lrsched import checks


@pytest.mark.parametrize(
    ("value", "plain"),
    [(3, 3), (np.int64(3), 3), (np.uint8(3), 3), (0.5, 0.5), (np.float32(0.5), 0.5)],
)
def test_numpys_numbers_become_pythons(value, plain):
    found = checks.number("x", value, "a number")
    assert found == plain
    assert type(found) is type(plain)


def test_any_real_number_is_one():
    assert checks.positive("x", Fraction(1, 4)) == 0.25


@pytest.mark.parametrize(
    "value", [None, "1", True, np.bool_(True), [1], 1j, math.nan, math.inf, 10**400]
)
def test_what_is_no_finite_number_is_named_and_shown(value):
    with pytest.raises(ValueError, match=r"^x must be a finite number > 0, got ") as caught:
        checks.positive("x", value)
    assert str(caught.value).endswith(f"got {value!r}")


def test_bounds():
    assert checks.rate("x", 0) == 0
    assert checks.rate("x", 2, "top", 2) == 2
    with pytest.raises(ValueError, match=r"^x must be .* >= 0 and <= top=2, got 2\.5$"):
        checks.rate("x", 2.5, "top", 2)
    with pytest.raises(ValueError, match=r"^x must be a finite number >= 0, got -1$"):
        checks.rate("x", -1)
    with pytest.raises(ValueError, match=r"^x must be a finite number > 0, got 0$"):
        checks.positive("x", 0)


@pytest.mark.parametrize("value", [1, np.int64(1), np.uint8(1)])
def test_a_count_is_a_plain_int(value):
    assert checks.count("n", value) == 1
    assert type(checks.count("n", value)) is int


@pytest.mark.parametrize("value", [0, -1, 1.0, np.float64(2), "1", None, True])
def test_what_is_no_count_is_named_and_shown(value):
    with pytest.raises(ValueError, match=r"^n must be an integer >= 1, got ") as caught:
        checks.count("n", value)
    assert str(caught.value).endswith(f"got {value!r}")


def test_the_bounds_of_a_count():
    assert checks.count("n", sys.maxsize) == sys.maxsize
    assert checks.count("n", 2**32 - 1, minimum=0, maximum=2**32 - 1) == 2**32 - 1
    with pytest.raises(ValueError, match=r"^n must be an integer >= 0 and <= 9, got 10$"):
        checks.count("n", 10, minimum=0, maximum=9)
    with pytest.raises(ValueError, match=f"^n must be an integer <= {sys.maxsize}, got a larger"):
        checks.count("n", 10**5000)


def test_a_choice_is_one_of_the_words():
    assert checks.choice("mode", "b", ("a", "b", "c")) == "b"
    for value in ("d", None, 1, ["a"]):
        with pytest.raises(ValueError, match=r"^mode must be 'a', 'b' or 'c', got ") as caught:
            checks.choice("mode", value, ("a", "b", "c"))
        assert str(caught.value).endswith(f"got {value!r}")
