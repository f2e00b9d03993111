from __future__ import annotations

import sys
from types import SimpleNamespace

import pytest

from d2l_lrsched.training import display
from d2l_lrsched.training.history import Point
from made_up import an_epoch


def tell(shown):
    shown.progress(Point(0.5, 1.2345, 0.5), 0.3)
    epoch = an_epoch(train_loss=1.0, train_acc=0.625, test_acc=0.75, lr_last=0.25)
    shown.epoch(1, epoch)
    shown.close("the closing line")


def test_lines_prints_one_line_an_epoch_and_the_closing_line(capsys):
    tell(display.choose("lines", 2))
    assert capsys.readouterr().out.splitlines() == [
        "epoch 1/2: train loss 1.000, train acc 0.625, test acc 0.750, lr 0.25",
        "the closing line",
    ]


def test_none_prints_nothing(capsys):
    tell(display.choose("none", 2))
    assert capsys.readouterr() == ("", "")


def test_the_bar_shows_epochs_loss_accuracies_and_rate(capsys):
    tell(display.choose("bar", 2))
    out, err = capsys.readouterr()
    assert out == "the closing line\n"
    last = err.split("\r")[-1]
    assert "1.0/2 epochs" in last
    assert "loss=1.000, train acc=0.625, test acc=0.750, lr=0.25" in last


def test_the_notebook_draws_with_d2ls_animator(monkeypatch, capsys):
    from d2l import mxnet as d2l

    drawn = []
    monkeypatch.setattr(
        d2l,
        "Animator",
        lambda **settings: SimpleNamespace(
            add=lambda x, y: drawn.append((x, y)), settings=drawn.append(settings)
        ),
    )
    tell(display.choose("notebook", 2))
    assert drawn == [
        {"xlabel": "epoch", "xlim": [0, 2], "legend": ["train loss", "train acc", "test acc"]},
        (0.5, (1.2345, 0.5, None)),
        (1, (None, None, 0.75)),
    ]
    assert capsys.readouterr().out == "the closing line\n"


def test_a_notebooks_later_figures_are_of_its_own_formats(monkeypatch):
    """d2l.Animator makes svg of all that follows."""
    from matplotlib_inline import backend_inline, config

    set_to = []
    configured = SimpleNamespace(instance=lambda: SimpleNamespace(figure_formats={"png"}))
    monkeypatch.setattr(config, "InlineBackend", configured)
    monkeypatch.setattr(backend_inline, "set_matplotlib_formats", lambda *f: set_to.append(f))
    monkeypatch.setattr(display.Notebook, "__init__", lambda self, num_epochs: None)
    for in_notebook in (False, True):
        monkeypatch.setattr(display, "_in_notebook", lambda answer=in_notebook: answer)
        display.Notebook(1).close("over")
    assert set_to == [("png",)]


Jupyters = type("ZMQInteractiveShell", (), {})


@pytest.mark.parametrize("kind", [Jupyters, type("Shell", (Jupyters,), {})])  # Colab's is derived
def test_auto_is_a_notebook_in_a_kernel(monkeypatch, kind):
    shell = kind()
    monkeypatch.setitem(sys.modules, "IPython", SimpleNamespace(get_ipython=lambda: shell))
    monkeypatch.setattr(display.Notebook, "__init__", lambda self, num_epochs: None)
    assert isinstance(display.choose("auto", 1), display.Notebook)


@pytest.mark.parametrize(("terminal", "kind"), [(True, display.Bar), (False, display.Lines)])
def test_auto_is_a_bar_in_a_terminal_else_lines(monkeypatch, terminal, kind):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(sys.stderr, "isatty", lambda: terminal, raising=False)
    shown = display.choose("auto", 1)
    assert isinstance(shown, kind)
    shown.close("")


def test_auto_is_lines_where_there_is_no_stderr(monkeypatch):
    monkeypatch.delitem(sys.modules, "IPython", raising=False)
    monkeypatch.setattr(sys, "stderr", None)
    assert isinstance(display.choose("auto", 1), display.Lines)


def test_a_display_that_lacks_a_method_is_refused():
    with pytest.raises(ValueError, match="display must have a method close, got"):
        display.choose(SimpleNamespace(progress=print, epoch=print), 1)


def test_a_display_of_the_users_own_is_taken_as_it_is():
    own = display.Display()
    assert display.choose(own, 1) is own


def test_an_unknown_name():
    with pytest.raises(ValueError, match=r"display must be 'auto', 'notebook', .* got 'loud'"):
        display.choose("loud", 1)
