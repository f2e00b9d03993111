"""The commands as a user calls them: help, standard streams, exit codes; and `data`."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

import small_data
from d2l_lrsched import cli
from d2l_lrsched.data import source

# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *cli.COMMANDS])
def test_every_help_has_an_example_that_its_own_command_parses(name, invoke):
    done = invoke(*name.split(), "--help")
    assert done.exit_code == 0
    (example,) = re.findall(r"Example: d2l-lrsched (.*)\n\n", done.output)  # in one line
    command, *arguments = shlex.split(example)
    assert not name or command == name
    # Parsed, not run: a usage error would be raised here.
    cli.main.get_command(None, command).make_context(command, arguments)


def test_the_list_of_commands_cuts_no_sentence(invoke):
    listed = invoke("--help").output.split("Commands:\n")[1].splitlines()
    assert [line.split()[0] for line in listed] == list(cli.COMMANDS)
    assert all(line.endswith(".") and not line.endswith("...") for line in listed), listed


def test_help_does_not_wait_for_mxnet():
    script = "import sys, d2l_lrsched.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    script += "assert not {'mxnet', 'matplotlib', 'numpy', 'pandas', 'tqdm'} & set(sys.modules)"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_version(invoke):
    assert re.fullmatch(r".*, version \d+\.\d+\.\d+\n", invoke("--version").output)


# --- standard streams ----------------------------------------------------------------------------

#: Whoever speaks: the parser of all commands, the parser of one, and one itself.
each_that_speaks = pytest.mark.parametrize(
    "arguments", [["--help"], ["data", "--help"], ["data"]], ids=" ".join
)


@pytest.fixture
def speak(environment):
    """Return a function that calls a command with standard streams of its own."""

    def speak(*arguments, redirected="", **streams):
        command = [sys.executable, small_data.__file__, *arguments]
        return subprocess.run(
            ["sh", "-c", f'exec "$@" {redirected}', "sh", *command],
            **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
            env=environment,
            text=True,
            check=False,
            timeout=300,
        )

    return speak


@pytest.fixture
def unread():
    """The end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@each_that_speaks
def test_a_pipe_that_nobody_reads_ends_a_command_as_it_does_others(arguments, speak, unread):
    """As `d2l-lrsched verify | head -1`: 141, in a shell SIGPIPE's status, and no word."""
    done = speak(*arguments, stdout=unread)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_an_error_that_nobody_reads_ends_alike(speak, unread):
    done = speak("nonsense", stderr=unread)
    assert (done.returncode, done.stdout) == (128 + signal.SIGPIPE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@each_that_speaks
def test_an_output_on_a_full_disk_is_one_line(arguments, speak):
    done = speak(*arguments, redirected=">/dev/full")
    assert (done.returncode, done.stderr) == (1, "Error: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
def test_closed_streams_are_no_matter(closed, speak):
    done = speak("data", redirected=closed)
    assert (done.returncode, done.stderr) == (0, "")


def test_a_failure_is_one_line_and_exit_code_1(tmp_path, call):
    done = call("data", "--no-fetch", "--data-dir", tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert re.fullmatch(rf"Error: .*{re.escape(str(tmp_path))}.*\n", done.stderr)


# --- data -----------------------------------------------------------------------------------------


def test_data_says_where_it_is_and_that_it_was_checked(few_images, small, invoke):
    done = invoke("data")
    assert done.exit_code == 0
    first, *rest = done.output.splitlines()
    assert first == f"Fashion-MNIST is in {small}"
    assert [line.split(maxsplit=1)[0] for line in rest] == list(source.SHA256)
    for line, digest in zip(rest, source.SHA256.values()):
        assert re.search(rf" \((?:2560|500),.*\) +SHA-256 {digest}$", line)


def test_data_that_cannot_be_fetched(monkeypatch, invoke, tmp_path):
    asked = []

    def fetch(folder, url):
        asked.append((folder, url))
        raise source.DataError("the network is down")

    monkeypatch.setattr(source, "fetch", fetch)
    done = invoke("data", "--data-dir", tmp_path, "--url", "http://x/")
    assert (done.exit_code, done.output) == (1, "Error: the network is down\n")
    assert asked == [(tmp_path, "http://x/")]


@pytest.mark.parametrize(
    "command", ["data", "run constant", "reproduce", "clipping", "exercises", "bench"]
)
def test_damaged_data_is_named_before_any_training(command, invoke, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for name in source.SHA256:
        (tmp_path / name).write_bytes(b"")
    done = invoke(*command.split(), "--data-dir", tmp_path)
    assert done.exit_code == 1
    assert done.output.startswith(f"Error: {tmp_path}/train-images-idx3-ubyte: the file is empty")
    assert not (tmp_path / "results").exists()
