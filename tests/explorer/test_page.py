"""The page without a browser: what its widgets hold after each change."""

from __future__ import annotations

import html
import re
from dataclasses import replace

import pytest

import d2l_lrsched as lrs
from d2l_lrsched.explorer import page as explorer
from d2l_lrsched.explorer.model import BOOK, SCHEDULES
from d2l_lrsched.explorer.stored import FOLDER_VARIABLE
from d2l_lrsched.explorer.texts import TEXTS
from d2l_lrsched.runs import record as store
from d2l_lrsched.studies import all_experiments
from made_up import a_run


@pytest.fixture
def page(tmp_path):
    for seed, outcome in enumerate(("trained", "collapsed", "trained")):
        run = a_run(
            "cosine", seed=seed, outcome=outcome, settings=all_experiments()["cosine"].settings
        )
        store.append(tmp_path / "runs.jsonl", run)
    page = explorer.Page(tmp_path)
    page.language.value = "en"
    return page


def code(page):
    (line,) = re.findall(r'<code class="line">(.*?)</code>', page.code.value)
    return html.unescape(line)


def test_a_drag_changes_drawing_and_code(page, curves_of):
    page.sliders["base_lr"].value = 0.4
    assert code(page) == "lrs.CosineScheduler(max_update=20, base_lr=0.4, final_lr=0.01)"
    shown = eval(code(page), {"lrs": lrs})
    first = curves_of(page.rates.value)["first-epoch-rate"]
    assert [y for _, y in first] == pytest.approx([shown(n) for n in range(1, 236)], abs=1e-3)


def test_a_drag_is_answered_once(page, monkeypatch):
    answers = []
    monkeypatch.setattr(page, "_show", lambda: answers.append(page.settings))
    page.sliders["base_lr"].value = 0.4
    page.preset.value = "multi-factor"
    assert [answer.schedule for answer in answers] == ["cosine", "multi-factor"]


@pytest.mark.parametrize("name", BOOK)
def test_the_books_settings_set_the_sliders(page, name):
    page.preset.value = name
    assert page.settings == BOOK[name]
    page.reading.value = "epoch"
    assert page.settings == replace(BOOK[name], reading="epoch")
    assert page.preset.value == name, "both readings are of the book's settings"
    page.sliders["base_lr"].value = 0.123
    assert page.preset.value == ""


def test_only_the_sliders_that_the_schedule_takes_are_there(page):
    page.schedule.value = "square-root"
    there = {name for name in page.sliders if page._controls[name].layout.display != "none"}
    assert there == {"base_lr", "warmup_steps", "num_epochs"}
    assert "<code>lr</code>" in page._labels["base_lr"].value


def test_counts_are_in_the_unit_of_the_reading(page):
    assert "(updates)" in page._labels["warmup_steps"].value
    page.reading.value = "epoch"
    assert "(epochs)" in page._labels["warmup_steps"].value


def test_a_refusal_is_a_sentence_and_greys_the_last_drawing(page):
    before = page.rates.value
    page.sliders["base_lr"].value = 0.005
    assert page.message.value == (
        "These values do not go together: final_lr must be a number from 0 to base_lr=0.005, "
        "not 0.01"
    )
    assert page.code.value == ""
    assert page.rates.value == before
    assert "stale" in page._shown._dom_classes
    page.language.value = "vi"
    assert page.message.value.startswith("Các giá trị này không hợp lệ: final_lr phải là")
    page.sliders["base_lr"].value = 0.5
    assert page.message.value == ""
    assert "stale" not in page._shown._dom_classes
    assert page.code.value


def test_runs_of_the_same_rates_are_counted(page):
    page.sliders["base_lr"].value = 0.4
    page.preset.value = "cosine"
    assert "<b>cosine</b>: 3 runs of 2 epochs, 1 collapsed" in page.runs.value
    page.sliders["base_lr"].value = 0.4
    assert page.runs.value == "<p>No stored run had just these learning rates.</p>"


def test_without_records_it_says_where_they_come_from(tmp_path, monkeypatch):
    monkeypatch.setenv(FOLDER_VARIABLE, str(tmp_path / "none"))
    page = explorer.Page(tmp_path / "none")
    assert f"<code>{tmp_path / 'none'}</code>" in page.runs.value
    assert "d2l-lrsched reproduce" in page.runs.value
    assert explorer.page()


def test_runs_of_unknown_experiments_are_left_out_and_named(page, tmp_path):
    assert "left out, for" not in page.runs.value
    for seed in range(2):
        store.append(tmp_path / "runs.jsonl", a_run("<my-own>", seed=seed))
    page = explorer.Page(tmp_path)
    page.language.value = "en"
    assert "<b>cosine</b>: 3 runs of 2 epochs" in page.runs.value
    told = "2 stored runs are left out, for this version does not know their experiments or"
    assert f"<p>{told} settings: &lt;my-own&gt;.</p>" in page.runs.value
    page.language.value = "vi"
    assert "Không tính 2 lần huấn luyện đã lưu" in page.runs.value


def test_the_notes_on_the_books_runs(page):
    assert page.note.value == ""
    page.preset.value = "multi-factor"
    assert "0.125" in page.note.value
    page.reading.value = "epoch"
    assert page.note.value == ""
    page.preset.value = "cosine-warmup"
    assert "warmup_steps=5" in page.note.value


def test_a_constant_rate_is_a_setting_of_the_trainer(page):
    page.preset.value = "constant"
    assert code(page) == '{"learning_rate": 0.3}'
    assert "needs no scheduler" in page.code.value
    page.sliders["warmup_steps"].value = 5
    assert code(page).startswith("lrs.WarmupScheduler(lrs.LinearScheduler(")


@pytest.mark.parametrize("schedule", SCHEDULES)
def test_no_english_is_left_on_the_vietnamese_page(page, schedule):
    page.language.value = "vi"
    page.schedule.value = schedule
    labels = [label.value for label in page._labels.values()]
    options = [name for widget in (page.preset, page.reading) for name, _ in widget.options]
    texts = [page.intro.value, page.note.value, page.runs.value, *labels, *options]
    drawn = re.findall(r"<text[^>]*>([^<]*)<", page.rates.value)
    english = {v for k, v in TEXTS["en"].items() if v != TEXTS["vi"][k] and len(v) > 6}
    assert not english & {*texts, *drawn}
    assert {"tốc độ học", "bước cập nhật"} <= {*drawn}
