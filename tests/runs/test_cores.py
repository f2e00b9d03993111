"""cores.py on stand-ins of Linux's files."""

from __future__ import annotations

import os

import pytest

from d2l_lrsched.runs import cores

CORES = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()


@pytest.fixture
def linux(tmp_path, monkeypatch):
    """Have so many cores, and the files that are told; return what `cores` says."""

    def linux(groups, files, count=8):
        (tmp_path / "groups").write_text(groups)
        for name, text in files.items():
            path = tmp_path / "sys" / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text)
        monkeypatch.setattr(cores, "GROUPS", tmp_path / "sys")
        monkeypatch.setattr(cores, "OF_THIS_PROCESS", tmp_path / "groups")
        monkeypatch.setattr(os, "sched_getaffinity", lambda pid: set(range(count)), raising=False)
        return cores.cores()

    return linux


def quota(folder, quota, period=100000):
    """What version 1 has in a folder."""
    return {
        f"{folder}/cpu.cfs_quota_us": f"{quota}\n",
        f"{folder}/cpu.cfs_period_us": f"{period}\n",
    }


V1 = "5:memory:/a\n4:cpu,cpuacct:/a/b\n0::/a\n"


@pytest.mark.parametrize(
    ("groups", "files", "expected"),
    [
        ("0::/\n", {"cpu.max": "max 100000\n"}, 8),
        ("0::/\n", {"cpu.max": "200000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "150000 100000\n"}, 2),
        ("0::/\n", {"cpu.max": "5000 100000\n"}, 1),
        ("0::/\n", {"cpu.max": "1600000 100000\n"}, 8),
        # The limit is a group's above, and the least of several counts.
        ("0::/a/b\n", {"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "max 100000\n"}, 3),
        ("0::/a/b\n", {"a/cpu.max": "300000 100000\n", "a/b/cpu.max": "100000 100000\n"}, 1),
        # The host's path, which a container does not see; and a neighbour's, which is no matter.
        ("0::/../../docker/1\n", {"cpu.max": "300000 100000\n"}, 3),
        ("0::/a\n", {"b/cpu.max": "100000 100000\n"}, 8),
        (V1, quota("cpu,cpuacct/a/b", 200000), 2),
        (V1, quota("cpu/a", 50000), 1),
        (V1, quota("cpu,cpuacct", 125000, 50000), 3),
        (V1, quota("cpu,cpuacct/a/b", -1), 8),
        (V1, quota("memory/a", 100000), 8),
        # Both versions at once, with the second's files where there is no first one's controller.
        (V1, {"unified/a/cpu.max": "100000 100000\n"}, 1),
        # What nobody expects.
        ("0::/\n", {"cpu.max": ""}, 8),
        ("0::/\n", {"cpu.max": "100000 0\n"}, 8),
        (V1, {"cpu/cpu.cfs_quota_us": "100000\n"}, 8),
        ("", {"cpu.max": "100000 100000\n"}, 8),
    ],
)
def test_a_containers_share_counts(linux, groups, files, expected):
    assert linux(groups, files) == expected


def test_the_cores_that_the_process_may_run_on_count(linux):
    assert linux("0::/\n", {"cpu.max": "400000 100000\n"}, count=3) == 3


def test_a_system_without_such_files(linux, monkeypatch, tmp_path):
    linux("", {})
    monkeypatch.setattr(cores, "OF_THIS_PROCESS", tmp_path / "none")
    assert cores.cores() == 8
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    monkeypatch.setattr(os, "cpu_count", lambda: 5)
    assert cores.cores() == 5


def test_here_it_is_no_more_than_there_are():
    assert 1 <= cores.cores() <= CORES
