from __future__ import annotations

import math

import pytest

from d2l_lrsched.studies.sampling import page, sampler
from d2l_lrsched.studies.sampling.posterior import SETTINGS
from d2l_lrsched.studies.sampling.record import pool, read
from made_up import FIGURES

PREDICTION, POSTERIOR = "agrees with the prediction", "agrees with the posterior"


def test_the_table_of_the_last_update(made):
    samples = [made("sgd-moderate"), made("fixed-moderate", 1), made("fixed-moderate")]
    table = page.last_update(pool(samples))
    assert list(table["setting"]) == ["fixed-moderate", "sgd-moderate"]
    moderate, plain = table.to_dict("records")
    assert moderate["step"] == "0.003"
    assert moderate["variance, narrow (exact)"] == "1.9 (1.9)"
    assert moderate["variance, wide (exact)"] == "1.21 (1.21)"
    assert moderate["near from update"] == "never"
    assert moderate["far"] == "4 of 1000"
    assert moderate[PREDICTION] == "yes, p = 1.000"
    assert moderate[POSTERIOR] == "no, p < 0.001"
    assert plain["variance, narrow (exact)"] == "0.813 (0.813)"
    assert plain["variance, wide (exact)"] == "0.192 (0.192)"
    (paper,) = page.last_update(pool([made("paper", stretch=1.5)])).to_dict("records")
    assert paper["step"] == "0.01 to 0.0001, gamma 0.55"
    assert paper[PREDICTION] == "no, p < 0.001"


def test_the_table_of_averages(made):
    table = page.averages(pool([made("paper"), made("fixed-moderate")]))
    assert table[["setting", "weights"]].to_numpy().tolist() == [
        ["paper", "weighted"],
        ["paper", "plain"],
        ["fixed-moderate", "weighted"],
    ]
    moderate = made("fixed-moderate").averages.weighted
    error = max(math.hypot(mean, sd) for mean, sd in zip(moderate.mean, (0.1, 0.2)))
    assert table["one chain's error: mean"][2] == f"{error:.3g}"
    error = max(math.hypot(square - 1, sd) for square, sd in zip(moderate.square, (0.3, 0.4)))
    assert table["square"][2] == f"{error:.3g}"
    assert table[POSTERIOR][2] == "no, p < 0.001"


def test_the_method_states_chains_level_and_tests(made):
    text = page.method(pool([made("paper"), made("fixed-moderate")]))
    assert "Of 500 independent chains" in text
    assert "5% over all 40 tests" in text
    assert "over all 8." in text


@pytest.fixture(scope="module")
def committed():
    return read(FIGURES / "sampling" / "samples.jsonl")


def test_the_committed_records_are_whole_and_the_page_is_theirs(committed):
    assert sampler.known(committed) == committed
    assert len(committed) == len(SETTINGS) * len(sampler.SEEDS)
    text = (FIGURES / "sampling" / "README.md").read_text(encoding="utf-8")
    assert text == page.as_page(committed)
    assert "nan" not in text


def test_all_stable_settings_agree_with_the_prediction(committed):
    """Beyond stability rounding, above all the records' to 7 digits, leaks between the axes."""
    table = page.last_update(pool(committed)).set_index("setting")
    disagree = ~table[PREDICTION].str.startswith("yes")
    assert list(table.index[disagree]) == ["fixed-unstable"]
