"""The command: what it refuses, what it serves and to whom, and that it ends."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest
from click.testing import CliRunner

from d2l_lrsched import cli
from d2l_lrsched.cli import explore as cli_explore
from d2l_lrsched.explorer.server import HOST, Server
from made_up import FIGURES, ROOT


def explore(*arguments):
    return CliRunner().invoke(cli.main, ["explore", "--no-browser", *map(str, arguments)])


@pytest.fixture
def taken():
    with socket.create_server((HOST, 0)) as server:
        yield server.getsockname()[1]


def test_damaged_records_are_named_before_anything_is_served(tmp_path, taken):
    (tmp_path / "chapter").mkdir()
    (tmp_path / "chapter" / "runs.jsonl").write_text("nonsense\n")
    # A port that is taken: were the records not read first, it would end with that.
    done = explore("--records", tmp_path, "--port", taken)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {tmp_path}/chapter/runs.jsonl, line 1: no Run: ")
    assert done.output.count("\n") == 1


def test_a_port_that_is_taken(taken, tmp_path):
    done = explore("--port", taken, "--records", tmp_path)
    assert done.exit_code == 1
    assert done.output == (
        f"Error: port {taken} cannot be used: leave --port out, and a free one is taken\n"
    )


def test_without_a_port_the_next_free_one_is_taken(taken, monkeypatch):
    monkeypatch.setattr(cli_explore, "FIRST_PORT", taken)
    with cli_explore._server(None, dict) as server:
        assert server.server_port > taken


def test_where_no_port_is_free(taken, monkeypatch, tmp_path):
    monkeypatch.setattr(cli_explore, "FIRST_PORT", taken)
    monkeypatch.setattr(cli_explore, "PORTS", 1)
    done = explore("--records", tmp_path)
    assert done.exit_code == 1
    assert f"none of the ports {taken} to {taken} is free" in done.output


@pytest.mark.parametrize("no_browser", [True, False])
def test_the_browser_is_opened_unless_told_otherwise(no_browser, monkeypatch, tmp_path):
    opened = []
    monkeypatch.setattr(cli_explore.webbrowser, "open", opened.append)
    monkeypatch.setattr(Server, "serve_forever", lambda self: None)
    arguments = ["--records", str(tmp_path), *["--no-browser"] * no_browser]
    said = CliRunner().invoke(cli.main, ["explore", *arguments]).output
    url = re.search(r"http://127\.0\.0\.1:\d+/", said)[0]
    assert said.splitlines()[1] == f"{tmp_path}/*/runs.jsonl: no runs to show beside the schedules"
    assert opened == [url] * (not no_browser)


def listening(port):
    """Return the addresses, of IPv4 and IPv6, at which somebody listens at the port."""
    found = []
    for table in ("tcp", "tcp6"):
        lines = Path(f"/proc/net/{table}").read_text().splitlines()[1:]
        for _, local, _, state, *_ in map(str.split, lines):
            address, _, at = local.partition(":")
            if int(at, 16) == port and state == "0A":
                found.append(address)
    return found


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="reads who listens in /proc")
def test_it_serves_this_machine_only_without_a_home_and_ends_quietly(nobody):
    user, folder = nobody
    command = [sys.executable, "-m", "d2l_lrsched", "explore", "--no-browser", "--records", FIGURES]
    environment = {k: v for k, v in os.environ.items() if k != "HOME"}
    server = subprocess.Popen(
        [*user, *command],
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        env={**environment, "TMPDIR": str(folder), "PYTHONPATH": str(ROOT)},
    )
    try:
        said = server.stdout.readline()
        assert re.fullmatch(r"The explorer is at http://127\.0\.0\.1:\d+/ \(.*\)\n", said)
        url = said.split()[4]
        assert listening(int(url.split(":")[2].strip("/"))) == ["0100007F"]
        with urllib.request.urlopen(f"{url}answer?language=en", timeout=60) as answer:
            assert b"10 runs of 30 epochs" in answer.read()
        server.send_signal(signal.SIGTERM)
        assert server.wait(60) == 0
        assert server.stdout.read() == ""
    finally:
        server.kill()
        server.wait()
        server.stdout.close()
