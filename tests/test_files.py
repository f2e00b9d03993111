"""paths.py: ~ of anyone, of nobody and of the user without a home, and names that begin with it."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from d2l_lrsched.files import user_path


def test_home_is_expanded_and_only_at_the_beginning(monkeypatch):
    monkeypatch.setenv("HOME", "/home/Đường dẫn")
    assert user_path("~") == Path("/home/Đường dẫn")
    assert user_path("~/a b/~") == Path("/home/Đường dẫn/a b/~")
    assert user_path(Path("~/x")) == Path("/home/Đường dẫn/x")
    assert user_path("x/~/y") == Path("x/~/y")


def test_the_home_of_another_user_is_expanded():
    root = pwd.getpwuid(0)
    assert user_path(f"~{root.pw_name}/x") == Path(root.pw_dir, "x")


@pytest.mark.parametrize("value", ["~nosuchuser", "~nosuchuser/x", Path("~nosuchuser/x")])
def test_an_unknown_user_is_named_with_what_is_allowed(value):
    with pytest.raises(ValueError, match=f"^'{value}': no user is called 'nosuchuser'; .*'./~nosu"):
        user_path(value)


def test_no_home_is_said(monkeypatch):
    monkeypatch.setenv("HOME", "")
    with pytest.raises(ValueError, match=r"^'~/x': this user has no home; set \$HOME"):
        user_path("~/x")
    assert user_path("/x") == Path("/x")
    monkeypatch.delenv("HOME")

    def unknown(uid):
        raise KeyError(uid)

    monkeypatch.setattr(pwd, "getpwuid", unknown)
    with pytest.raises(ValueError, match=r"^'~': this user has no home; set \$HOME"):
        user_path("~")
    assert user_path("x") == Path("x")


def test_an_empty_name_is_refused():
    with pytest.raises(ValueError, match=r"^'': the name of a file or folder must not be empty$"):
        user_path("")


def test_a_name_that_begins_with_a_tilde_stays_that_name(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in ("./~", "./~nosuchuser/x", ".//~/x"):
        path = user_path(name)
        assert path == tmp_path / name
        assert user_path(path) == path


def test_no_mxnet_is_imported_for_it():
    code = "import sys, d2l_lrsched.files; sys.exit('mxnet' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], env=os.environ, check=False).returncode == 0
