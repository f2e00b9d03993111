from __future__ import annotations

import pytest
from msgspec.structs import replace

import made_up
from d2l_lrsched import drawing
from d2l_lrsched.studies.chapter import figures, seeds
from d2l_lrsched.studies.chapter.builds import page as builds_page
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.training.history import Point
from made_up import FIGURES, an_epoch, committed


def a_run(name="square-root", num_epochs=30):
    epochs = [
        an_epoch(train_loss=1 / (i + 1), train_acc=0.5 + i / 100, test_acc=0.4 + i / 100)
        for i in range(num_epochs)
    ]
    points = [Point(i / 4, 2.0 - i / 100, i / 200) for i in range(4 * num_epochs)]
    schedule = None if name == "constant" else [0.5, 0.25, 0.125]
    return made_up.a_run(name, epochs=epochs, points=points, schedule=schedule)


def xy(line):
    return list(line.get_xdata()), list(line.get_ydata())


def test_the_committed_figures_are_drawn_from_the_committed_runs_of_seed_0(tmp_path):
    ours = [run for run in committed("chapter") if run.seed == 0 and run.num_epochs == 30]
    for run in ours:
        figures.draw_run(run, tmp_path)
    figures.draw_overview(ours, tmp_path)
    drawing.save(figures.factor(), tmp_path / figures.FACTOR_FIGURE)
    drawing.save(figures.plotted_and_trained(), tmp_path / figures.PLOTTED_AND_TRAINED_FIGURE)
    drawn = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    stored = {path.name: path.read_bytes() for path in (FIGURES / "chapter").glob("*.svg")}
    assert drawn.keys() == stored.keys() - seeds.FIGURES.keys() - {builds_page.FIGURE}
    assert [name for name in drawn if drawn[name] != stored[name]] == []


def test_training_curves_show_the_record():
    run = a_run(num_epochs=3)
    (axes,) = figures.training(run).axes
    loss, train_acc, test_acc = axes.lines
    assert xy(loss) == ([p.epoch for p in run.points], [p.train_loss for p in run.points])
    assert xy(train_acc) == ([p.epoch for p in run.points], [p.train_acc for p in run.points])
    assert xy(test_acc) == ([1, 2, 3], pytest.approx([0.4, 0.41, 0.42]))
    assert axes.get_xlim() == (0, 3)
    labels = [text.get_text() for text in axes.get_legend().get_texts()]
    assert labels == ["train loss", "train acc", "test acc"]
    # d2l.Animator's formats: '-', 'm--', 'g-.'
    assert [line.get_linestyle() for line in axes.lines] == ["-", "--", "-."]
    assert [line.get_color() for line in axes.lines] == ["#1f77b4", "m", "g"]


def test_a_run_too_short_for_a_display_point_can_be_drawn():
    run = a_run(num_epochs=1)
    run.points.clear()
    (axes,) = figures.training(run).axes
    assert xy(axes.lines[2]) == ([1], [0.4])


def test_a_schedule_shows_the_values():
    (axes,) = figures.schedule(a_run()).axes
    assert xy(axes.lines[0]) == ([0, 1, 2], [0.5, 0.25, 0.125])
    assert axes.get_title() == "11.15.2 Square root"


def test_the_factor_figure_is_the_chapters_over_50_calls():
    (axes,) = figures.factor().axes
    rates, rate = [], 2.0
    for _ in range(50):
        rate = max(1e-2, rate * 0.9)
        rates.append(rate)
    assert xy(axes.lines[0]) == (list(range(50)), pytest.approx(rates))


def test_the_overview_shows_every_update_and_what_lives():
    runs = [a_run(name, 2) for name in CHAPTER if name != "cosine"]
    runs[-1] = replace(runs[-1], outcome="collapsed")
    older = a_run("constant", 3)  # of each experiment the last is drawn
    rates, accuracies = figures.overview([older, *runs]).axes
    assert len(rates.lines) == 8
    updates, constant = xy(rates.lines[0])
    assert (updates, constant) == (list(range(1, 471)), [0.3] * 470)
    assert xy(rates.lines[3])[1] == [0.25] * 30 + [0.125] * 440  # multi-factor, after its plot
    circles = [xy(line) for line in accuracies.lines if line.get_marker() == "o"]
    assert circles == [([2], [acc]) for acc in (0.882, 0.898, 0.854)]
    assert len(accuracies.lines) - len(circles) == 7
    (text,) = accuracies.texts
    assert text.get_text().splitlines() == [
        "collapsed, at 0.1:",
        "the book's: constant",
        "ours: cosine-warmup-per-epoch",
    ]


def test_the_overview_is_of_the_chapters_runs_of_full_length_only(tmp_path, monkeypatch):
    ours, drawn = a_run(), []
    monkeypatch.setattr(figures, "overview", drawn.extend)
    monkeypatch.setattr(drawing, "save", lambda figure, path: path)
    others = [
        a_run(num_epochs=2),
        replace(ours, experiment="my-own"),
        replace(ours, experiment="pilot"),
        replace(ours, settings={"unit": "minute"}),  # drawn, it would have today's rates
    ]
    assert figures.draw_overview(others, tmp_path) == []
    assert figures.draw_overview([ours, *others], tmp_path) == [tmp_path / "overview.svg"]
    assert drawn == [ours]


def test_a_run_unlike_the_chapters_says_so():
    (axes,) = figures.training(a_run(num_epochs=2)).axes
    assert axes.get_title() == "11.15.2 Square root\n2 epochs, seed 0"
