from __future__ import annotations

import re

import pytest

from d2l_lrsched.explorer.model import SCHEDULES, Settings
from d2l_lrsched.explorer.texts import LANGUAGES, TEXTS, refusal

VALUES = {"base_lr": 0.1, "max_update": 9, "pwr": 1.0, "factor": 0.5}


def test_both_languages_say_the_same_things():
    assert {*TEXTS} == {*LANGUAGES} == {"vi", "en"}
    assert TEXTS["vi"].keys() == TEXTS["en"].keys()
    for key, english in TEXTS["en"].items():
        vietnamese = TEXTS["vi"][key]
        assert english.strip(), key
        assert vietnamese.strip(), key
        assert sorted(re.findall(r"{\w*}", english)) == sorted(re.findall(r"{\w*}", vietnamese))
        for tag in ("<code>", "</code>", "<b>", "</b>"):
            assert english.count(tag) == vietnamese.count(tag), key


def test_every_schedule_has_a_name():
    assert {*SCHEDULES} <= {*TEXTS["en"]}


@pytest.mark.parametrize(
    ("schedule", "values", "vietnamese", "english"),
    [
        (
            "linear",
            {"final_lr": 0.3},
            "final_lr phải là một số từ 0 đến base_lr=0.1, không thể là 0.3",
            "final_lr must be a number from 0 to base_lr=0.1, not 0.3",
        ),
        (
            "factor",
            {"stop_factor_lr": 0.3},
            "stop_factor_lr phải là một số từ 0 đến base_lr=0.1, không thể là 0.3",
            "stop_factor_lr must be a number from 0 to base_lr=0.1, not 0.3",
        ),
        (
            "multi-factor",
            {"first_step": 9, "second_step": 9},
            "các mốc giảm phải tăng dần, không thể là [9, 9]",
            "the drops must come one after the other, not at [9, 9]",
        ),
    ],
)
def test_what_a_scheduler_refuses_is_said_in_both_languages(schedule, values, vietnamese, english):
    with pytest.raises(ValueError, match="must be") as caught:
        Settings(schedule, {**VALUES, **values}).scheduler()
    assert vietnamese in refusal(str(caught.value), "vi")
    assert english in refusal(str(caught.value), "en")


def test_an_unknown_refusal_is_passed_on():
    assert "something else" in refusal("something else", "vi")
