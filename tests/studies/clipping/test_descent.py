from __future__ import annotations

import math
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from d2l_lrsched.studies.clipping import descent as descent_module
from d2l_lrsched.studies.clipping.descent import RATES, START, Descent, descend, descents, settled

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


def closed_form(rate, clip_norm=math.inf, num_steps=STEPS):
    """The formulas at `descend`, of the distance to 0 with its sign; all points lie on one line."""
    start = math.hypot(*START)
    distances = [start]
    for _ in range(num_steps):
        r = distances[-1]
        clipped = 2 * abs(r) > clip_norm
        distances.append(r - math.copysign(rate * clip_norm, r) if clipped else (1 - 2 * rate) * r)
    return np.outer(distances, START) / start


@pytest.fixture(scope="module", name="descents")
def descents_by_rate_and_threshold():
    return {(descent.learning_rate, descent.clip_norm): descent for descent in descents()}


def distances(descent):
    return np.hypot(*np.transpose(descent.weights))


def test_the_start_has_a_gradient_norm_above_10():
    assert START == (3.0, 5.0)
    descent = descend(0.5, 1)
    assert descent.norms[0] == pytest.approx(11.661903789690601, rel=1e-15)  # 2 sqrt(34)
    assert descent.losses[0] == 34


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
        closed_form(rate, clip_norm or math.inf), simulate(rate, clip_norm), rtol=1e-12
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


def test_numbers_past_float64(monkeypatch):
    descent = descend(1e10, STEPS)  # (2e10)^40 is 1e412
    assert not math.isfinite(descent.losses[-1])
    assert settled(descent) is None
    monkeypatch.setattr(descent_module, "START", (1e200, 0.0))
    with pytest.raises(FloatingPointError, match="not finite"):
        descend(0.1, 1, clip_norm=1)


def test_descends_in_any_thread():
    with ThreadPoolExecutor(1) as pool:
        descent = pool.submit(descend, 0.25, 1).result()
    assert descent.weights == [(3, 5), (1.5, 2.5)]
