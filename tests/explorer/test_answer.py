"""What the page shows, without a browser."""

from __future__ import annotations

import json
import re
import time

import pytest

import d2l_lrsched as lrs
from d2l_lrsched.explorer.answer import answer
from d2l_lrsched.explorer.settings import BOOK, READINGS, SCHEDULES, Settings
from d2l_lrsched.explorer.stored import Stored, stored
from d2l_lrsched.explorer.texts import TEXTS
from d2l_lrsched.runs import record as store
from d2l_lrsched.studies import all_experiments
from made_up import a_run


def write(folder, experiment, **fields):
    (folder / "chapter").mkdir(exist_ok=True)
    store.append(folder / "chapter" / "runs.jsonl", a_run(experiment, **fields))


@pytest.fixture
def records(tmp_path):
    for seed, outcome in enumerate(("trained", "collapsed", "trained")):
        settings = all_experiments()["cosine"].settings
        write(tmp_path, "cosine", seed=seed, outcome=outcome, settings=settings)
    return tmp_path


@pytest.fixture
def answered(records):
    """Return a function from settings, those of the first page but for these, to an answer."""

    def answered(language="en", **query):
        return answer(Settings.of({"language": language, **query}), stored(records))

    return answered


def labels(answer):
    return {slider["name"]: slider["label"] for slider in answer["sliders"]}


def test_drawing_and_code_are_of_the_same_rates(answered, curves_of):
    shown = answered(base_lr=0.4)
    assert shown["code"] == "lrs.CosineScheduler(max_update=20, base_lr=0.4, final_lr=0.01)"
    scheduler = eval(shown["code"], {"lrs": lrs})
    _, first = curves_of(shown["svg"])
    expected = [scheduler(n) for n in range(1, 236)]
    assert [y for _, y in first["update chosen"]] == pytest.approx(expected, abs=1e-3)


@pytest.mark.parametrize("name", BOOK)
def test_what_the_book_sets_is_asked_for_by_the_page_as_it_was_handed_out(answered, name):
    first = json.loads(json.dumps(answered()))
    assert (first["preset"], first["settings"]["language"]) == ("cosine", "en")
    shown = answered(**{**first["settings"], **first["presets"][name], "reading": "epoch"})
    assert (shown["preset"], shown["settings"]["reading"]) == (name, "epoch")
    assert BOOK[name].items() <= shown["settings"].items()
    assert answered(**{**shown["settings"], "base_lr": 0.125})["preset"] == ""


def test_only_the_sliders_that_the_schedule_takes_are_there(answered):
    shown = labels(answered(schedule="square-root"))
    assert [*shown] == ["base_lr", "warmup_steps", "num_epochs"]
    assert "<code>lr</code>" in shown["base_lr"]


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_every_slider_stands_within_its_bounds(answered, schedule):
    shown = answered(schedule=schedule, base_lr=0.1, final_lr=0.4, first_step=90, second_step=1)
    bounds = {slider["name"]: slider["values"] for slider in shown["sliders"]}
    assert all(shown["settings"][name] in values for name, values in bounds.items())
    for name in bounds.keys() & {"final_lr", "stop_factor_lr"}:
        assert (bounds[name][0], bounds[name][-1]) == (0, 0.1)
    assert bounds.get("second_step", [100])[0] == 100


def test_counts_are_in_the_unit_of_the_reading(answered):
    assert "(updates)" in labels(answered())["warmup_steps"]
    assert "(epochs)" in labels(answered(reading="epoch"))["warmup_steps"]


def test_runs_of_the_same_rates_are_counted(answered):
    shown = answered()["runs"]
    assert "<b>cosine</b>: 3 runs of 2 epochs, 1 collapsed" in shown
    assert shown.count("<polyline") == 2 * 3
    assert answered(base_lr=0.4)["runs"] == "<p>No stored run had just these learning rates.</p>"
    assert "No stored" in answered(reading="epoch")["runs"]


def test_without_records_it_says_where_they_come_from(tmp_path):
    shown = answer(Settings.of({}), Stored(tmp_path / "<none>"))["runs"]
    assert f"<code>{tmp_path}/&lt;none&gt;</code>" in shown
    assert "d2l-lrsched reproduce" in shown


def test_runs_of_unknown_experiments_are_left_out_and_named(answered, records):
    assert "left out, for" not in answered()["runs"]
    for seed in range(2):
        write(records, "<my-own>", seed=seed)
    assert "<b>cosine</b>: 3 runs of 2 epochs" in answered()["runs"]
    told = "2 stored runs are left out, for this version does not know their experiments or"
    assert f"<p>{told} settings: &lt;my-own&gt;.</p>" in answered()["runs"]
    assert "Không tính 2 lần huấn luyện đã lưu" in answered("vi")["runs"]


def test_the_notes_on_the_books_runs(answered):
    assert answered()["note"] == ""
    assert "0.125" in answered(**BOOK["multi-factor"])["note"]
    assert answered(**BOOK["multi-factor"], reading="epoch")["note"] == ""
    assert "warmup_steps=5" in answered(**BOOK["cosine-warmup"])["note"]


def test_a_constant_rate_is_a_setting_of_the_trainer(answered):
    shown = answered(**BOOK["constant"])
    assert shown["code"] == '{"learning_rate": 0.3}'
    assert "needs no scheduler" in shown["hint"]
    warmed = answered(**{**BOOK["constant"], "warmup_steps": 5})
    assert warmed["code"].startswith("lrs.WarmupScheduler(lrs.LinearScheduler(")
    assert "import d2l_lrsched" in warmed["hint"]


def test_no_english_is_left_on_the_vietnamese_page(answered):
    english = {v for k, v in TEXTS["en"].items() if v != TEXTS["vi"][k] and len(v) > 6}
    for schedule in SCHEDULES:
        shown = answered("vi", schedule=schedule)
        drawn = re.findall(r">([^<>]+)</", shown["svg"] + shown["runs"])
        options = [label for choice in shown["choices"].values() for _, label in choice]
        told = [*shown["texts"].values(), shown["note"], shown["hint"], *labels(shown).values()]
        assert not english & {*(text.strip() for text in drawn), *options, *told}
        assert {"tốc độ học", "bước cập nhật"} <= {*drawn}


@pytest.mark.parametrize("reading", READINGS)
def test_an_answer_takes_less_than_a_fifth_of_a_second(records, reading):
    """Of the processor's time, for others may keep it busy; at the longest run."""
    query = {**BOOK["cosine-warmup"], "reading": reading, "num_epochs": 60}
    found = stored(records)
    start = time.process_time()
    answer(Settings.of(query), found)
    assert time.process_time() - start < 0.2
