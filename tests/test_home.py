"""home.py: nobody's home is needed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from d2l_lrsched import home
from made_up import ROOT

VARIABLES = ("MPLCONFIGDIR", "XDG_CONFIG_HOME", "XDG_CACHE_HOME")


@pytest.fixture
def at_home(tmp_path, monkeypatch):
    """A home that is not there yet; what is lent goes beside it, and all at the end."""
    for name in VARIABLES:
        monkeypatch.setenv(name, "")  # so that it is set back
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    return tmp_path / "home"


def lent():
    home.lend()
    return os.environ.get("MPLCONFIGDIR", "")


def test_a_home_that_can_be_written_is_left_alone(at_home):
    at_home.mkdir()
    assert lent() == ""
    assert list(at_home.iterdir()) == []


def test_without_a_home_a_folder_is_lent_that_can_be_written(at_home, tmp_path):
    (Path(lent()) / "there").touch()
    assert Path(lent()).parent == tmp_path
    assert not at_home.exists()


def test_a_file_in_the_way_is_no_folder(at_home):
    at_home.mkdir()
    (at_home / ".config").touch()
    assert lent()


def test_what_cannot_be_written_is_asked_of_the_system(at_home, monkeypatch):
    """As on a read-only disk, which root cannot write either."""
    (at_home / ".cache").mkdir(parents=True)
    monkeypatch.setattr(os, "access", lambda path, mode: not str(path).endswith(".cache"))
    assert lent()


def test_other_folders_that_the_user_names_do(at_home, tmp_path, monkeypatch):
    for name in VARIABLES[1:]:
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    assert lent() == ""
    monkeypatch.setenv("MPLCONFIGDIR", "/nowhere")
    monkeypatch.delenv("XDG_CACHE_HOME")
    assert lent() == "/nowhere"


def test_where_nothing_can_be_lent_nothing_is(at_home, monkeypatch):
    monkeypatch.setattr(tempfile, "tempdir", str(at_home))  # which is not there
    assert lent() == ""


@pytest.mark.skipif(
    sys.version_info < (3, 10),
    reason="parso, which d2l imports, needs a home: Python 3.9's pathlib",
)
def test_all_is_imported_and_drawn_quietly_without_a_home(nobody):
    code = """if 1:
        import os, sys, warnings
        import d2l_lrsched
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of MXNet and d2l, with a home too
            from d2l import mxnet
        from matplotlib.figure import Figure
        figure = Figure()
        figure.add_subplot().plot([1, 2])
        figure.savefig(sys.argv[1])
    """
    user, folder = nobody
    inherited = {k: v for k, v in os.environ.items() if k not in ("HOME", *VARIABLES)}
    done = subprocess.run(
        [*user, sys.executable, "-c", code, folder / "figure.svg"],
        env={**inherited, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(folder.iterdir()) == [folder / "figure.svg"]
