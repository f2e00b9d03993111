from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from d2l_lrsched.studies.clipping import descent as quadratic
from d2l_lrsched.studies.clipping.descent import (
    RATES,
    Descent,
    closed_form,
    descend,
    settled,
    table_rows,
)

FAST, OSCILLATING, DIVERGING = RATES.values()
STEPS = 40


def rounded(rate):
    """The rate that MXNet's sgd computes with."""
    return float(np.float32(rate))


def simulate(rate, clip_norm=None, num_steps=STEPS):
    w = np.array([3.0, 5.0])
    path = [w]
    for _ in range(num_steps):
        gradient = 2 * w
        norm = np.sqrt((gradient**2).sum())
        if clip_norm is not None and norm > clip_norm:
            gradient = gradient * clip_norm / norm
        w = w - rate * gradient
        path.append(w)
    return np.array(path)


@pytest.fixture(scope="module")
def descents():
    return {
        (rate, clip_norm): descend(rate, STEPS, clip_norm)
        for rate in RATES.values()
        for clip_norm in (None, 1.0)
    }


def distances(descent):
    return np.hypot(*np.transpose(descent.weights))


def test_the_start_has_a_gradient_norm_above_10():
    assert quadratic.START == (3.0, 5.0)
    descent = descend(0.5, 1)
    assert descent.norms[0] == pytest.approx(11.661903789690601, rel=1e-15)  # 2 sqrt(34)
    assert descent.losses[0] == 34


@pytest.mark.parametrize(
    ("rate", "path"),
    [
        (FAST, [(3, 5), (0.6, 1), (0.12, 0.2), (0.024, 0.04)]),
        (OSCILLATING, [(3, 5), (-2.4, -4), (1.92, 3.2), (-1.536, -2.56)]),
        (DIVERGING, [(3, 5), (-3.6, -6), (4.32, 7.2), (-5.184, -8.64)]),
    ],
)
def test_first_steps_without_clipping(rate, path):
    np.testing.assert_allclose(closed_form(rate, 3), path, rtol=1e-14)
    descent = descend(rate, 3)
    np.testing.assert_allclose(descent.weights, path, rtol=1e-6)  # the rate is float32
    np.testing.assert_allclose(descent.losses, [x * x + y * y for x, y in path], rtol=1e-6)
    np.testing.assert_allclose(descent.norms, [2 * math.hypot(*w) for w in path], rtol=1e-6)


def test_first_steps_with_clipping():
    # From (3, 4), at the distance 5, by 0.5 * 4 a step: to 3, then to 1, where the gradient has
    # the norm 2 and the step leads to 0. The rate is exact in float32.
    path = [(3, 4), (1.8, 2.4), (0.6, 0.8), (0, 0)]
    descent = descend(0.5, 3, clip_norm=4, start=(3, 4))
    np.testing.assert_allclose(descent.weights, path, rtol=1e-14, atol=1e-15)
    np.testing.assert_allclose(descent.norms, [10, 6, 2, 0], rtol=1e-14, atol=1e-14)
    np.testing.assert_allclose(descent.losses, [25, 9, 1, 0], rtol=1e-14, atol=1e-14)
    found = closed_form(0.5, 3, clip_norm=4, start=(3, 4))
    np.testing.assert_allclose(found, path, rtol=1e-14, atol=1e-15)


def test_the_closed_form_jumps_over_0_when_the_clipped_step_is_longer_than_the_way():
    # 0.75 is above 1/2, so clipped by 1; then -0.25 is not, and is multiplied by -1.
    found = closed_form(1, 3, clip_norm=1, start=(0, -0.75))
    assert [w2 for _, w2 in found] == pytest.approx([-0.75, 0.25, -0.25, 0.25], rel=1e-14)


def test_a_start_at_0_stays_there():
    assert closed_form(0.4, 2, clip_norm=1, start=(0, 0)) == [(0, 0)] * 3
    assert descend(0.4, 2, clip_norm=1, start=(0, 0)).weights == [(0, 0)] * 3


@pytest.mark.parametrize("rate", RATES.values())
@pytest.mark.parametrize("clip_norm", [None, 1.0])
def test_every_step_is_that_of_a_simulation_and_of_the_closed_form(descents, rate, clip_norm):
    descent = descents[rate, clip_norm]
    expected = simulate(rounded(rate), clip_norm)
    assert (descent.learning_rate, descent.clip_norm) == (rate, clip_norm)
    np.testing.assert_allclose(descent.weights, expected, rtol=1e-12)
    np.testing.assert_allclose(descent.losses, (expected**2).sum(axis=1), rtol=1e-12)
    np.testing.assert_allclose(descent.norms, 2 * np.hypot(*expected.T), rtol=1e-12)
    np.testing.assert_allclose(
        closed_form(rate, STEPS, clip_norm), simulate(rate, clip_norm), rtol=1e-12
    )


@pytest.mark.parametrize(("rate", "clipped"), [(FAST, 14), (OSCILLATING, 6), (DIVERGING, 5)])
def test_clipped_weights_fall_by_the_rate_until_closer_than_a_half(descents, rate, clipped):
    # sqrt(34) - 13 * 0.4 = 0.63, - 5 * 0.9 = 1.33, - 4 * 1.1 = 1.43: one step more for each.
    found = distances(descents[rate, 1.0])
    np.testing.assert_allclose(-np.diff(found[: clipped + 1]), rate, rtol=1e-6)
    assert found[clipped - 1] > 0.5
    assert found[clipped] < 0.5
    # The next step is not clipped.
    assert found[clipped + 1] == pytest.approx(abs(1 - 2 * rate) * found[clipped], rel=1e-6)


def test_without_clipping_it_diverges(descents):
    descent = descents[DIVERGING, None]
    assert np.all(np.diff(descent.losses) > 0)
    assert descent.losses[-1] == pytest.approx(34 * 1.2**80, rel=1e-5)


def test_with_clipping_it_neither_diverges_nor_converges(descents):
    descent = descents[DIVERGING, 1.0]
    found = distances(descent)
    assert np.all(np.diff(found[:6]) < 0)
    # 0.331, times 1.2 until above 1/2, then clipped to the other side of 0, for ever.
    r = math.sqrt(34) - 5.5
    expected = [r, 1.2 * r, 1.44 * r, 1.728 * r, 1.1 - 1.728 * r, 1.728 * r, 1.1 - 1.728 * r]
    np.testing.assert_allclose(found[5:12], expected, rtol=1e-5)
    assert found[5:].max() < 0.6  # (rate - 1/2) c
    np.testing.assert_allclose(descent.weights[10:], descent.weights[8:-2], rtol=1e-12)
    assert min(descent.norms[8:]) > 1  # clipped at every step


def test_settled_steps(descents):
    # 34 * 0.04^t and 34 * 0.64^t; with clipping from 0.231^2 at 14 and from 0.431^2 at 6.
    found = {key: settled(descent) for key, descent in descents.items()}
    assert found == {
        (FAST, None): 4,
        (FAST, 1.0): 16,
        (OSCILLATING, None): 24,
        (OSCILLATING, 1.0): 18,
        (DIVERGING, None): None,
        (DIVERGING, 1.0): None,
    }


@pytest.mark.parametrize(
    ("losses", "step"),
    [
        ([1, 1e-4, 1, 1e-4, 1e-5], 3),
        ([1e-4, 0], 0),
        ([1, 1e-3], None),
        ([1e-4, 1], None),
        ([1, 1e-4, math.nan], None),
        ([math.inf, math.nan, 1e-4], 2),
    ],
)
def test_settled_is_the_first_step_of_those_that_stay_below(losses, step):
    assert settled(Descent(0.1, None, [], losses, [])) == step


def test_table_rows_worked_by_hand():
    clipped = Descent(0.5, 2, [(3, 4), (2.4, 3.2), (1.8, 2.4)], [25, 16, 9], [10, 8, 6])
    fled = Descent(50.5, None, [(3, 4), (-300, -400)], [25, 250000.0], [10, 1000.0])
    near = Descent(0.5, None, [(3, 4), (0, 1e-15)], [25, 1e-30], [10, 2e-15])
    rows = table_rows([clipped, fled, near])
    assert rows[0] == ("0.5", "at 2", "10", "2", "8", "9", "never")
    assert rows[1] == ("50.5", "no", "10", "10", "1e+03", "2.5e+05", "never")
    assert rows[2] == ("0.5", "no", "10", "10", "2e-15", "1e-30", "1")
    assert {len(row) for row in rows} == {len(quadratic.TABLE_HEADER)}


def test_the_norm_applied_is_what_the_paper_says(descents):
    rows = table_rows(descents.values())
    assert [row[2:4] for row in rows] == [("11.7", "11.7"), ("11.7", "1")] * 3


def test_numbers_past_float64():
    descent = descend(1e10, STEPS)  # (2e10)^40 is 1e412
    assert not math.isfinite(descent.losses[-1])
    assert settled(descent) is None
    with pytest.raises(FloatingPointError, match="not finite"):
        descend(0.1, 1, clip_norm=1, start=(1e200, 0.0))


def test_descends_in_any_thread():
    with ThreadPoolExecutor(1) as pool:
        descent = pool.submit(descend, 0.25, 1).result()
    assert descent.weights == [(3, 5), (1.5, 2.5)]


@pytest.mark.parametrize("function", [descend, closed_form])
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"learning_rate": 0}, r"learning_rate must be a finite number > 0, got 0"),
        ({"learning_rate": math.nan}, r"learning_rate must be a finite number > 0, got nan"),
        ({"learning_rate": "0.1"}, r"learning_rate must be a finite number > 0, got '0\.1'"),
        ({"num_steps": 0}, r"num_steps must be an integer >= 1, got 0"),
        ({"num_steps": 2.0}, r"num_steps must be an integer >= 1, got 2\.0"),
        ({"num_steps": True}, r"num_steps must be an integer >= 1, got True"),
        ({"clip_norm": -1}, r"clip_norm must be a finite number > 0, got -1"),
        ({"clip_norm": math.inf}, r"clip_norm must be a finite number > 0, got inf"),
        ({"start": (1.0,)}, r"start must be two finite numbers, got \(1\.0,\)"),
        ({"start": (1.0, math.inf)}, r"start must be two finite numbers, got \(1\.0, inf\)"),
        ({"start": (1.0, "2")}, r"start must be two finite numbers, got \(1\.0, '2'\)"),
        ({"start": (True, 2.0)}, r"start must be two finite numbers, got \(True, 2\.0\)"),
        ({"start": 3.0}, r"start must be two finite numbers, got 3\.0"),
    ],
)
def test_bad_arguments(function, arguments, message):
    with pytest.raises(ValueError, match=message):
        function(**{"learning_rate": 0.1, "num_steps": 1, **arguments})
