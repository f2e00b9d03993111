"""How many cores this process may use: those it may run on, and no more than a container's share.

Linux tells of the share, `docker run --cpus=1.5`, in the files of cgroups, version 1 or 2, those
of the process and of all groups that this one is in.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

GROUPS = Path("/sys/fs/cgroup")
OF_THIS_PROCESS = Path("/proc/self/cgroup")


def cores() -> int:
    """Return the cores that this process may use, where the system tells; a part counts as one."""
    if hasattr(os, "sched_getaffinity"):
        found = len(os.sched_getaffinity(0))
    else:
        found = os.cpu_count() or 1
    return min([found, *(max(1, math.ceil(share)) for share in _shares())])


def _shares() -> Iterator[float]:
    """Yield the cores that every group of this process has, of those that have a limit."""
    for folder in _groups():
        with suppress(OSError, ValueError, ZeroDivisionError):  # no such file, "max"
            quota, period = map(int, (folder / "cpu.max").read_text().split())
            yield quota / period
        with suppress(OSError, ValueError, ZeroDivisionError):
            quota = int((folder / "cpu.cfs_quota_us").read_text())
            if quota > 0:  # -1 is no limit
                yield quota / int((folder / "cpu.cfs_period_us").read_text())


def _groups() -> Iterator[Path]:
    """Yield the folders of this process's groups that may limit its time, and of those above."""
    try:
        lines = OF_THIS_PROCESS.read_text().splitlines()
    except OSError:  # not Linux
        return
    for line in lines:
        _, controllers, path = line.split(":", 2)
        if not controllers:  # version 2, perhaps beside version 1
            roots = [GROUPS, GROUPS / "unified"]
        elif "cpu" in controllers.split(","):
            roots = [GROUPS / controllers, GROUPS / "cpu"]
        else:
            continue
        # In a container the path may be the host's: of what is not there, the root is its own.
        for root in roots:
            group = root / path.lstrip("/")
            yield from (group, *(above for above in group.parents if above.is_relative_to(root)))
