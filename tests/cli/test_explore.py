"""The command: what it refuses, what it serves, and that it leaves nothing behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from d2l_lrsched.cli import explore as cli_explore
from made_up import ROOT


def explore(*arguments):
    return CliRunner().invoke(cli_explore.explore, ["--no-browser", *map(str, arguments)])


@pytest.mark.parametrize("package", ["voila", "ipywidgets"])
def test_what_is_not_installed_is_named(package, monkeypatch):
    monkeypatch.setattr(cli_explore, "find_spec", lambda name: None if name == package else name)
    done = explore()
    assert done.exit_code == 1
    assert done.output == (
        "Error: the explorer needs Voilà and ipywidgets: pip install 'd2l_lrsched[explorer]'\n"
    )


def test_damaged_records_are_named_before_anything_is_served(tmp_path):
    (tmp_path / "baseline.jsonl").write_text("nonsense\n")
    done = explore("--records", tmp_path)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {tmp_path}/baseline.jsonl, line 1: no Run: ")
    assert done.output.count("\n") == 1


@pytest.fixture
def taken():
    with socket.create_server((cli_explore.HOST, 0)) as server:
        yield server.getsockname()[1]


def test_a_port_that_is_taken(taken, tmp_path):
    done = explore("--port", taken, "--records", tmp_path)
    assert done.exit_code == 1
    assert done.output == (
        f"Error: port {taken} cannot be used: leave --port out, and a free one is taken\n"
    )


def test_without_a_port_the_next_free_one_is_taken(taken, monkeypatch):
    monkeypatch.setattr(cli_explore, "FIRST_PORT", taken)
    assert cli_explore._free_port(None) > taken


def test_where_no_port_is_free(taken, monkeypatch, tmp_path):
    monkeypatch.setattr(cli_explore, "FIRST_PORT", taken)
    monkeypatch.setattr(cli_explore, "PORTS", 1)
    done = explore("--records", tmp_path)
    assert done.exit_code == 1
    assert f"none of the ports {taken} to {taken} is free" in done.output


def children(pid):
    """The processes whose parent is `pid`."""
    found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(pid)], capture_output=True, text=True)
    return [int(line) for line in found.stdout.split()]


def is_there(pid):
    return Path(f"/proc/{pid}").exists()


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="looks for processes in /proc")
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_it_serves_quietly_and_leaves_no_kernel(number, tmp_path):
    server = subprocess.Popen(
        [sys.executable, "-m", "d2l_lrsched", "explore", "--no-browser", "--records", tmp_path],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # A kernel of another interpreter, as of another project, is not taken.
        env={**os.environ, "JUPYTER_PATH": str(foreign_kernel(tmp_path))},
    )
    try:
        said = server.stdout.readline()
        assert said.startswith("The explorer is at http://127.0.0.1:88")
        page = urllib.request.urlopen(said.split()[4], timeout=240).read().decode()
        assert "jupyter-widgets" in page
        kernels = children(server.pid)
        assert kernels
        server.send_signal(number)
        assert server.wait(60) == 0
        assert server.stdout.read() == ""
        deadline = time.monotonic() + 20
        while any(map(is_there, kernels)) and time.monotonic() < deadline:
            time.sleep(0.1)
        assert not any(map(is_there, kernels))
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


@pytest.mark.parametrize("home", ["/nonexistent/home", "", None])
def test_it_needs_nobodys_home(home, tmp_path):
    """One that is not there, as in a container; none at all; and the page is whole."""
    environment = {k: v for k, v in os.environ.items() if k != "HOME"}
    if home is not None:
        environment["HOME"] = home
    user = []
    if home is None:  # nor does the system know one
        user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
        user += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
        if os.geteuid() or subprocess.call([*user, "true"], stderr=subprocess.DEVNULL):
            pytest.skip("needs root and setpriv(1)")
    command = [sys.executable, "-m", "d2l_lrsched", "explore", "--no-browser", "--records"]
    server = subprocess.Popen(
        [*user, *command, ROOT / "figures"],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
        env=environment,
    )
    try:
        said = server.stdout.readline()
        assert said.startswith("The explorer is at http://127.0.0.1:88")
        page = urllib.request.urlopen(said.split()[4], timeout=240).read().decode()
        assert "widget-view+json" in page  # what the cell of the notebook gave
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        assert server.stdout.read() == ""
    finally:
        server.kill()
        server.wait()
        server.stdout.close()


def foreign_kernel(folder):
    spec = folder / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text('{"argv": ["false"], "display_name": "Other", "language": "python"}')
    return folder
