"""Where and with what a result was made."""

from __future__ import annotations

import hashlib
import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

PACKAGE = Path(__file__).parents[1]
PACKAGES = ("mxnet", "d2l", "numpy", "numba", "d2l_lrsched")


def versions() -> dict[str, str]:
    """Return the versions of Python and `PACKAGES` and, in a checkout of ours, its commit.

    The commit ends in '-dirty' if the package's own files differ from it.
    """
    found = {"python": platform.python_version(), **{name: version(name) for name in PACKAGES}}
    commit = _git("rev-parse", "--short", "HEAD")
    # An installed copy may lie inside somebody else's repository: there the file is not tracked.
    if commit and _git("ls-files", "__init__.py"):
        found["commit"] = commit + ("-dirty" if _git("status", "--porcelain", ".") else "")
    return found


def source() -> str:
    """Return a SHA-256 of the package's own code, committed or not."""
    found = hashlib.sha256()
    for path in sorted(PACKAGE.rglob("*.py")):
        found.update(path.read_bytes())
    return found.hexdigest()


def processor() -> str:
    """Return the processor's model name, or the platform's name for it."""
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def threads() -> int:
    """Return $OMP_NUM_THREADS, or 0 where it is no number and MXNet chooses for itself."""
    value = os.environ.get("OMP_NUM_THREADS", "")
    return int(value) if value.isdecimal() else 0


def _git(*arguments: str) -> str:
    if shutil.which("git") is None:
        return ""
    command = ["git", *arguments]
    done = subprocess.run(command, cwd=PACKAGE, capture_output=True, text=True, check=False)
    return done.stdout.strip()
