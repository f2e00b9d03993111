from __future__ import annotations

import hashlib
import platform
import shutil
import subprocess
from pathlib import Path

import pytest

from d2l_lrsched.runs import provenance


def git(folder, *arguments):
    command = ["git", "-c", "user.name=n", "-c", "user.email=e@example.org", *arguments]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A committed package folder that provenance takes for its own."""
    folder = tmp_path / "d2l_lrsched"
    folder.mkdir()
    (folder / "__init__.py").write_text("")
    monkeypatch.setattr(provenance, "PACKAGE", folder)
    git(tmp_path, "init")
    git(tmp_path, "add", ".")
    git(tmp_path, "commit", "-m", "all")
    return folder


def test_versions_of_what_is_installed():
    found = provenance.versions()
    assert found["python"] == platform.python_version()
    assert (found["mxnet"], found["d2l"], found["numpy"]) == ("1.9.1", "1.0.3", "1.23.5")
    assert found["d2l_lrsched"]


def test_the_commit_of_a_checkout(package):
    commit = provenance.versions()["commit"]
    head = subprocess.run(
        ["git", "rev-parse", "HEAD"], cwd=package, capture_output=True, text=True, check=True
    )
    assert head.stdout.startswith(commit)
    assert len(commit) >= 4


def test_a_change_of_the_package_is_dirty_and_one_beside_it_is_not(package):
    (package.parent / "figures.txt").write_text("")
    assert not provenance.versions()["commit"].endswith("-dirty")
    (package / "__init__.py").write_text("x = 1")
    assert provenance.versions()["commit"].endswith("-dirty")


def test_an_installed_copy_does_not_take_the_commit_of_the_repository_around_it(package):
    git(package.parent, "rm", "--cached", "d2l_lrsched/__init__.py")
    assert "commit" not in provenance.versions()


def test_without_git_there_is_no_commit(package, monkeypatch):
    monkeypatch.setattr(shutil, "which", lambda name: None)
    assert "commit" not in provenance.versions()


@pytest.mark.parametrize(("value", "expected"), [("3", 3), ("", 0), (None, 0), ("4,2", 0)])
def test_threads(monkeypatch, value, expected):
    if value is None:
        monkeypatch.delenv("OMP_NUM_THREADS")
    else:
        monkeypatch.setenv("OMP_NUM_THREADS", value)
    assert provenance.threads() == expected


def test_processor_is_what_linux_says():
    line = next(
        line for line in Path("/proc/cpuinfo").read_text().splitlines() if "model name" in line
    )
    assert provenance.processor() == line.split(": ")[1]


def test_the_source_is_the_packages_code(monkeypatch, tmp_path):
    """SHA-256 of "a" and "b" one after the other, whatever else lies there."""
    monkeypatch.setattr(provenance, "PACKAGE", tmp_path)
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "b.py").write_text("b")
    (tmp_path / "a.py").write_text("a")
    (tmp_path / "notes.txt").write_text("c")
    assert provenance.source() == hashlib.sha256(b"ab").hexdigest()
