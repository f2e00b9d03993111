"""What is asked of arguments, in one wording: "NAME must be ALLOWED, got VALUE".

Numpy's numbers are numbers. All checks return plain Python ones, and raise `ValueError`.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Collection
from numbers import Integral, Real
from typing import Any


def number(
    name: str, value: Any, allowed: str, holds: Callable[[float], bool] = lambda number: True
) -> float:
    """Return `value` as an int or a float, if it is finite and `holds`; `allowed` says so."""
    if isinstance(value, Real) and not isinstance(value, bool):
        plain = int(value) if isinstance(value, Integral) else float(value)
        # False for nan, for infinities, and for integers that no float can hold.
        if abs(plain) <= sys.float_info.max and holds(plain):
            return plain
    raise ValueError(f"{name} must be {allowed}, got {value!r}")


def positive(name: str, value: Any) -> float:
    """Return a number above 0."""
    return number(name, value, "a finite number > 0", lambda number: number > 0)


def rate(name: str, value: Any, limit_name: str = "", limit: float = float("inf")) -> float:
    """Return a number of at least 0 and at most `limit`, which is called `limit_name`."""
    allowed = "a finite number >= 0" + (f" and <= {limit_name}={limit!r}" if limit_name else "")
    return number(name, value, allowed, lambda number: 0 <= number <= limit)


def count(name: str, value: Any, minimum: int = 1, maximum: int = sys.maxsize) -> int:
    """Return an integer from `minimum` to `maximum`; by default no float need hold more."""
    if isinstance(value, Integral) and not isinstance(value, bool):
        if minimum <= int(value) <= maximum:
            return int(value)
        if int(value) > maximum == sys.maxsize:  # it may have thousands of digits
            raise ValueError(f"{name} must be an integer <= {maximum}, got a larger one")
    upper = "" if maximum == sys.maxsize else f" and <= {maximum}"
    raise ValueError(f"{name} must be an integer >= {minimum}{upper}, got {value!r}")


def choice(name: str, value: Any, allowed: Collection[str]) -> str:
    """Return one of the words that are allowed."""
    if isinstance(value, str) and value in allowed:
        return value
    *others, last = map(repr, allowed)
    raise ValueError(f"{name} must be {', '.join(others)} or {last}, got {value!r}")
