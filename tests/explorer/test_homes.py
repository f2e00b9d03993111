"""homes.py: nobody's home is needed."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

from d2l_lrsched.explorer import homes

XDG = ("XDG_CONFIG_HOME", "XDG_CACHE_HOME", "XDG_DATA_HOME")
LENT = {"MPLCONFIGDIR", "IPYTHONDIR", "JUPYTER_CONFIG_DIR", "JUPYTER_DATA_DIR"}


@pytest.fixture
def home(tmp_path, monkeypatch):
    """A home that is not there yet; temporary folders go beside it, and all at the end."""
    for name in (*LENT, *XDG):
        monkeypatch.setenv(name, "")  # so that it is set back
        monkeypatch.delenv(name)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    monkeypatch.setattr(homes, "_temporary", lambda: str(tmp_path / "lent"))
    return tmp_path / "home"


def lent():
    homes.lend()
    return {name for name in LENT if name in os.environ}


def test_a_home_that_can_be_written_is_left_alone(home):
    home.mkdir()
    assert lent() == set()
    assert list(home.iterdir()) == []


def test_without_a_home_every_package_has_a_folder_of_its_own(home, tmp_path):
    assert lent() == LENT
    assert not home.exists()
    assert {os.environ[name] for name in LENT} == {f"{tmp_path}/lent/{n.lower()}" for n in LENT}


def test_a_file_in_the_way_is_no_folder(home):
    home.mkdir()
    (home / ".config").touch()
    assert lent() == {"MPLCONFIGDIR"}


def test_what_cannot_be_written_is_asked_of_the_system(home, monkeypatch):
    """As on a read-only disk, which root cannot write either."""
    home.mkdir()
    (home / ".jupyter").mkdir()
    read_only = str(home / ".jupyter")
    monkeypatch.setattr(os, "access", lambda path, mode: str(path) != read_only)
    assert lent() == {"JUPYTER_CONFIG_DIR"}


def test_other_folders_that_the_user_names_do(home, tmp_path, monkeypatch):
    for name in XDG:
        monkeypatch.setenv(name, str(tmp_path / "elsewhere"))
    monkeypatch.setenv("IPYTHONDIR", "/nowhere")
    homes.lend()
    assert os.environ["IPYTHONDIR"] == "/nowhere"
    assert "JUPYTER_CONFIG_DIR" in os.environ
    assert "MPLCONFIGDIR" not in os.environ
    assert "JUPYTER_DATA_DIR" not in os.environ


def test_where_nothing_can_be_lent_nothing_is(home, monkeypatch):
    def full():
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(homes, "_temporary", full)
    assert lent() == set()


@pytest.mark.parametrize("there", [True, False])
def test_a_whole_home_is_lent_to_who_has_none(home, tmp_path, monkeypatch, there):
    if not there:
        monkeypatch.setenv("HOME", "")
    homes.lend_whole()
    assert os.environ["HOME"] == str(home if there else tmp_path / "lent")


def nobody(*command, **environment):
    """Run a command as a user without an entry in the system, without any home."""
    inherited = {k: v for k, v in os.environ.items() if k not in ("HOME", *LENT, *XDG)}
    user = []
    if os.geteuid() == 0:  # who may also read what only root may
        user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
        user += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        if subprocess.call([*user, "true"], stderr=subprocess.DEVNULL):
            pytest.skip("needs setpriv(1) and the right to use it")
    elif "HOME" not in environment:
        pytest.skip("only root can be somebody else")
    return subprocess.run(
        [*user, *command],
        env={**inherited, **environment},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.fixture
def everybodys():
    """A folder that everybody may write, which pytest's own are not."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield Path(folder)


@pytest.mark.parametrize("environment", [{}, {"HOME": "/nonexistent"}, {"HOME": ""}])
def test_all_is_imported_and_drawn_quietly_without_a_home(environment, everybodys):
    code = """if 1:
        import sys, warnings
        import d2l_lrsched
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of MXNet and d2l, with a home too
            from d2l import mxnet
        from d2l_lrsched import drawing
        drawing.save(drawing.two_axes(float, 2, 1, ""), sys.argv[1])
    """
    figure = everybodys / "figure.svg"
    root = str(Path(homes.__file__).parents[1])
    environment = {"TMPDIR": str(everybodys), "PYTHONPATH": root, **environment}
    done = nobody(sys.executable, "-c", code, str(figure), **environment)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert list(everybodys.iterdir()) == [figure]
