from __future__ import annotations

import pytest
from msgspec.structs import replace

from d2l_lrsched.runs.experiment import known
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.choice.experiments import EXPERIMENTS as CHOICE
from d2l_lrsched.studies.clipping.experiments import EXPERIMENTS as CLIPPING
from d2l_lrsched.studies.exercises.experiments import EXPERIMENTS as EXERCISES
from made_up import FIGURES, a_run, committed


def test_every_name_is_one_experiments():
    assert list(all_experiments()) == [*CHAPTER, *CLIPPING, *EXERCISES, *CHOICE]
    assert all(
        experiment.name == name and experiment.note
        for name, experiment in all_experiments().items()
    )


def test_what_makes_a_scheduler_in_a_record_is_one_function_and_no_module():
    """Modules may move without a run being lost; no two functions may have one name."""
    makers = {}
    for experiment in all_experiments().values():
        if experiment.scheduler is not None:
            name = experiment.settings["scheduler"].partition("(")[0]
            assert makers.setdefault(name, experiment.scheduler.func) is experiment.scheduler.func
            assert name.count(".") == name.startswith(("mxnet.", "builtin."))


def test_every_record_in_the_repository_is_of_a_known_experiment():
    for path in FIGURES.glob("*/runs.jsonl"):
        assert all(known(run, all_experiments()) for run in committed(path.parent.name)), path


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        (CHAPTER["constant"].settings, True),
        ({**CHAPTER["constant"].settings, "net": "a net to come"}, True),
        ({"learning_rate": 0.3}, True),  # older than the others of its settings
        ({**CHAPTER["constant"].settings, "learning_rate": 0.1}, False),
        ({**CHAPTER["constant"].settings, "momentum": 0.9}, False),
    ],
)
def test_a_run_of_other_settings_is_not_known(settings, expected):
    assert known(replace(a_run("constant"), settings=settings), CHAPTER) is expected


def test_a_run_of_another_version_is_not_known():
    assert not known(a_run("my-own"), all_experiments())
    assert known(a_run("pilot", settings={}), all_experiments())
    assert not known(a_run("pilot"), CHAPTER)
