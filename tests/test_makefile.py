"""The Makefile in a checkout whose path has spaces and letters beyond ASCII, with stubs for tools.

A real install takes minutes and would try the tools, not the Makefile.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys

import pytest

from made_up import ROOT

NAMES = ("python", "d2l-lrsched", "ruff", "mypy", "jupytext", "jupyter-nbconvert")
#: Adds to a log: its name, its arguments and what the Makefile puts into its environment.
STUB = """#!/bin/sh
printf '%s\\t' "${0##*/}" "$@" "startup=$PYTHONSTARTUP" "ipython=$IPYTHONDIR" >> "$LOG"
echo >> "$LOG"
"""

pytestmark = pytest.mark.skipif(shutil.which("make") is None, reason="needs make")


@pytest.fixture
def checkout(tmp_path):
    """What the Makefile looks at, newer from one to the next."""
    folder = tmp_path / "my dir's" / "Đường dẫn"
    programs = folder / ".venv" / "bin"
    programs.mkdir(parents=True)
    for name in ("Makefile", "setup.cfg", "pyproject.toml", "constraints.txt", ".ci", "notebooks"):
        (shutil.copytree if (ROOT / name).is_dir() else shutil.copy)(ROOT / name, folder / name)
    for name in NAMES:
        (programs / name).write_text(STUB)
        (programs / name).chmod(0o755)
    stamp = f".python-{sys.version_info[0]}.{sys.version_info[1]}"
    for age, name in enumerate((stamp, ".base", ".test", ".notebooks")):
        (folder / ".venv" / name).touch()
        os.utime(folder / ".venv" / name, (4e9 + age, 4e9 + age))
    return folder


def called(checkout, command, cwd, **environment):
    """Call make, or what calls it; return what the stubs were called with."""
    log = checkout.parent / "log"
    environment = {**os.environ, "PYTHON": sys.executable, "LOG": str(log), **environment}
    for name in ("MAKEFLAGS", "MAKELEVEL", "MFLAGS"):  # of the make that runs the tests
        environment.pop(name, None)
    done = subprocess.run(
        command, cwd=cwd, env=environment, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return [line.split("\t")[:-1] for line in log.read_text().splitlines()]


@pytest.mark.parametrize("how", ["make", ".ci/run", "make -C"])
def test_make_test(checkout, tmp_path, how):
    if how == "make":
        calls = called(checkout, ["make", "test"], checkout)
    elif how == "make -C":
        calls = called(checkout, ["make", "-C", checkout, "test"], tmp_path)
    else:  # named as a user names it, who has told the shell of folders to look in
        relative = checkout.relative_to(tmp_path)
        calls = called(checkout, [f"{relative}/.ci/run"], tmp_path, CDPATH="/usr:/")
    english = sorted(f"notebooks/{path.name}" for path in (ROOT / "notebooks").glob("*_en.ipynb"))
    assert calls[-1] == [
        *["python", "-m", "pytest", "-n", "2", "--dist", "loadfile", "--no-loadscope-reorder"],
        "--nbmake",
        *[*english, "tests"],
        f"startup={checkout}/tests/few_images.py",
        f"ipython={checkout}/.venv/ipython",
    ]
    assert ["ruff", "check", "."] in [call[:3] for call in calls]


def test_make_notebooks(checkout):
    calls = called(checkout, ["make", "notebooks"], checkout)
    converted = [call for call in calls if call[0] == "jupyter-nbconvert"]
    assert len(converted) == len(list((ROOT / "notebooks").glob("*.py")))
    assert all(call[-1] == f"ipython={checkout}/.venv/ipython" for call in converted)
    assert all(call[-3].startswith("notebooks/.") for call in converted)
    assert all("--TagRemovePreprocessor.remove_cell_tags=answer" in call for call in converted)


@pytest.mark.parametrize("target", ["data", "reproduce", "shelf", "explore", "test-slow", "lint"])
def test_make_others(checkout, target):
    assert called(checkout, ["make", target], checkout)


def test_make_help(checkout):
    done = subprocess.run(["make"], cwd=checkout, capture_output=True, text=True, check=True)
    assert "make reproduce" in done.stdout
