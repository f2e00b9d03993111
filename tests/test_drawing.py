from __future__ import annotations

import matplotlib as mpl
import pandas as pd
import pytest

from d2l_lrsched import drawing


@drawing.figure(4, 3)
def a_figure(figure):
    figure.subplots().plot([0, 1])


@drawing.d2l_figure
def a_chapters(figure):
    figure.subplots().plot([0, 1])


@pytest.mark.parametrize("draw", [a_figure, a_chapters])
@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_same_input_same_bytes_whatever_the_users_settings(tmp_path, draw, suffix):
    first = drawing.save(draw(), tmp_path / f"first.{suffix}").read_bytes()
    with mpl.rc_context({"lines.linewidth": 9, "font.size": 30, "svg.hashsalt": None}):
        assert drawing.save(draw(), tmp_path / f"second.{suffix}").read_bytes() == first
        assert mpl.rcParams["lines.linewidth"] == 9
    if suffix == "svg":
        assert b"<dc:date>" not in first


def test_the_chapters_have_d2ls_size_and_the_others_their_own():
    assert tuple(a_chapters().get_size_inches()) == (3.5, 2.5)
    assert tuple(a_figure().get_size_inches()) == (4, 3)


def test_ours_stay_small_when_they_are_drawn_elsewhere():
    """As a notebook draws them: after the function, with settings of its own."""
    for draw, size, grid in ((a_figure, 7.5, True), (a_chapters, 10, False)):
        (axes,) = draw().axes
        axes.figure.draw_without_rendering()
        tick = axes.xaxis.get_major_ticks()[0]
        assert (tick.label1.get_size(), tick.gridline.get_visible()) == (size, grid)


def test_curves_are_the_seeds_and_those_that_collapsed_are_dashed():
    axes = mpl.figure.Figure().subplots()
    table = pd.DataFrame({3: [0.1, 0.2], 5: [0.3, 0.4]}, index=[1, 2])
    drawing.curves(axes, table, pd.Series({3: False, 5: True}))
    drawn = [(*map(list, line.get_data()), line.is_dashed()) for line in axes.lines]
    assert drawn == [([1, 2], [0.1, 0.2], True), ([1, 2], [0.3, 0.4], False)]


def test_two_axes_count_updates_and_epochs():
    figure = drawing.two_axes(lambda n: n / 10, 20, 5, "a title")
    (axes,) = figure.axes
    (line,) = axes.lines
    assert line.get_xydata().tolist() == [[n, n / 10] for n in range(21)]
    (above,) = axes.child_axes
    assert (axes.get_xlabel(), above.get_xlabel()) == ("update", "epoch")
    figure.draw_without_rendering()
    left, right = axes.get_xlim()
    assert above.get_xlim() == pytest.approx((left / 5, right / 5))


def test_an_unknown_format_leaves_nothing_behind(tmp_path):
    with pytest.raises(ValueError, match=r"f\.xyz: a figure's file ends in \.svg, \.png, \.pdf"):
        drawing.save(a_figure(), tmp_path / "f.xyz")
    assert list(tmp_path.iterdir()) == []


def test_a_failed_save_keeps_the_old_figure(tmp_path, monkeypatch):
    path = tmp_path / "figure.svg"
    path.write_text("old")
    figure = a_figure()
    monkeypatch.setattr(
        figure, "savefig", lambda *a, **k: (_ for _ in ()).throw(OSError(28, "full"))
    )
    with pytest.raises(OSError, match="full") as raised:
        drawing.save(figure, path)
    assert raised.value.filename == str(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_a_figure_is_saved_where_the_user_says(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert drawing.save(a_figure(), "~/x.svg") == tmp_path / "x.svg"
    assert (tmp_path / "x.svg").read_bytes().startswith(b"<?xml version=")
    # A link is written through; the format is that of the name that was given.
    (tmp_path / "link.pdf").symlink_to(tmp_path / "target")
    drawing.save(a_figure(), tmp_path / "link.pdf")
    assert (tmp_path / "link.pdf").is_symlink()
    assert (tmp_path / "target").read_bytes().startswith(b"%PDF")
