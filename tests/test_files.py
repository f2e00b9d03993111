"""Paths with the ~ of anyone, of nobody and of the user without a home; files that are whole."""

from __future__ import annotations

import os
import pwd
import subprocess
import sys
from pathlib import Path

import pytest

from d2l_lrsched.files import user_path, whole_file, write_text


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


def test_the_sign_of_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    write_text("~/text", "text")
    assert (tmp_path / "home" / "text").read_text() == "text"


def test_a_whole_file_is_on_the_disk_before_it_has_its_name_and_others_may_read_it(
    tmp_path, synced
):
    path = tmp_path / "page.md"
    before = os.umask(0o022)
    try:
        with whole_file(path) as temporary:
            temporary.write_text("text")
    finally:
        os.umask(before)
    assert synced == [str(temporary)]
    assert path.stat().st_mode & 0o777 == 0o644


def left_in(folder):
    return sorted(path.name for path in folder.iterdir())


def test_a_whole_file_is_the_new_one_or_the_old_one(tmp_path):
    path = tmp_path / "page.md"
    for text in ("old", "new"):
        write_text(path, text)

    def fail():
        with whole_file(path) as temporary:
            temporary.write_text("newest")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()
    assert path.read_text() == "new"
    assert left_in(tmp_path) == ["page.md"]


def test_a_name_may_be_as_long_as_a_name_can_be(tmp_path):
    path = tmp_path / ("x" + "ữ" * 83 + ".svg")  # 3 bytes each, cut within one
    write_text(path, "text")
    assert path.read_text() == "text"


def no_folder(path):
    path.parent.write_text("")


def a_folder(path):
    path.mkdir(parents=True)


def a_pipe(path):
    path.parent.mkdir()
    os.mkfifo(path)


def a_link(path):
    path.parent.mkdir()
    path.symlink_to("/dev/full/x")


@pytest.mark.parametrize("in_the_way", [no_folder, a_folder, a_pipe, a_link])
def test_an_error_names_the_file_that_was_asked_for(tmp_path, in_the_way):
    """And neither the temporary one, nor what a link leads to."""
    path = tmp_path / "folder" / "page.md"
    in_the_way(path)
    before = left_in(path.parent) if path.parent.is_dir() else None
    with pytest.raises(OSError, match=r"\w") as raised, whole_file(path):
        pytest.fail("begins with what it cannot end")
    assert raised.value.filename == str(path)
    assert before is None or left_in(path.parent) == before


def test_a_full_disk_names_the_file_that_was_asked_for(tmp_path):
    path = tmp_path / "page.md"
    with pytest.raises(OSError, match="No space left") as raised, whole_file(path):
        raise OSError(28, "No space left on device", "/dev/full")
    assert raised.value.filename == str(path)
    assert left_in(tmp_path) == []
