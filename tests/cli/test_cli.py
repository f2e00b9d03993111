"""The commands as a user calls them: processes, exit codes, what is printed."""

from __future__ import annotations

import os
import re
import shlex
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from d2l_lrsched import cli
from made_up import FIGURES

COMMAND = [sys.executable, "-m", "d2l_lrsched"]


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *cli.COMMANDS])
def test_every_help_has_an_example_that_its_own_command_parses(name, call):
    done = call(*name.split(), "--help")
    assert done.returncode == 0
    (example,) = re.findall(r"Example: d2l-lrsched (.*)\n\n", done.stdout)  # in one line
    command, *arguments = shlex.split(example)
    assert not name or command == name
    # Parsed, not run: a usage error would be raised here.
    cli.main.get_command(None, command).make_context(command, arguments)


def test_help_does_not_wait_for_mxnet():
    script = "import sys, d2l_lrsched.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    script += "assert not {'mxnet', 'matplotlib', 'pandas'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_version(call):
    assert re.fullmatch(r".*, version \d+\.\d+\.\d+\n", call("--version").stdout)


# --- standard streams ----------------------------------------------------------------------------

SPEAKING = (["--help"], ["verify", "--help"], ["verify"], ["data"], ["plot", "square-root", "-o"])


def nobody_reads():
    """The end of a pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    return open(writer, "wb")


def speak(arguments, tmp_path, **streams):
    """Call one of `SPEAKING` with standard streams of its own."""
    figure = [str(tmp_path / "x.svg")] * ("-o" in arguments)
    return subprocess.run(
        [*COMMAND, *arguments, *figure],
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **streams},
        cwd=FIGURES.parent,
        text=True,
        check=False,
        timeout=300,
    )


@pytest.mark.parametrize("arguments", SPEAKING, ids=" ".join)
def test_a_pipe_that_nobody_reads_ends_a_command_as_it_does_others(arguments, tmp_path):
    """As `d2l-lrsched verify | head -1`: 141, in a shell SIGPIPE's status, and no word."""
    with nobody_reads() as pipe:
        done = speak(arguments, tmp_path, stdout=pipe)
    assert (done.returncode, done.stderr) == (128 + signal.SIGPIPE, "")


def test_an_error_that_nobody_reads_ends_alike(tmp_path):
    with nobody_reads() as pipe:
        done = speak(["nonsense"], tmp_path, stderr=pipe)
    assert (done.returncode, done.stdout) == (128 + signal.SIGPIPE, "")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full")
@pytest.mark.parametrize("arguments", SPEAKING, ids=" ".join)
def test_an_output_on_a_full_disk_is_one_line(arguments, tmp_path):
    with open("/dev/full", "wb") as full:
        done = speak(arguments, tmp_path, stdout=full)
    assert (done.returncode, done.stderr) == (1, "Error: No space left on device\n")


@pytest.mark.parametrize("closed", [">&-", "2>&-", "<&-", "<&- >&- 2>&-"])
@pytest.mark.parametrize("arguments", SPEAKING, ids=" ".join)
def test_closed_streams_are_no_matter(arguments, closed, tmp_path):
    figure = [str(tmp_path / "x.svg")] * ("-o" in arguments)
    done = subprocess.run(
        ["sh", "-c", f'exec "$@" {closed}', "sh", *COMMAND, *arguments, *figure],
        cwd=FIGURES.parent,
        capture_output=True,
        check=False,
        timeout=300,
    )
    assert (done.returncode, done.stderr) == (0, b"")


# --- data -----------------------------------------------------------------------------------------


def test_data_says_where_it_is_and_that_it_was_checked(arrays, call):
    done = call("data")
    assert done.returncode == 0
    assert done.stdout.startswith("Fashion-MNIST is in /")
    for name, array in arrays.items():
        assert re.search(
            rf"{name} +{re.escape(str(array.shape))} +SHA-256 [0-9a-f]{{64}}", done.stdout
        )


def test_data_that_is_not_there_and_not_to_be_fetched(tmp_path, call, assert_failure):
    assert_failure(call("data", "--no-fetch", "--data-dir", tmp_path), str(tmp_path))


def test_data_that_cannot_be_fetched(tmp_path, call, assert_failure):
    done = call("data", "--data-dir", tmp_path / "new", "--url", "http://127.0.0.1:9/")
    assert_failure(done, "http://127.0.0.1:9/train-images-idx3-ubyte.gz")
    assert list((tmp_path / "new").iterdir()) == []


def test_damaged_data_is_named_before_any_training(tmp_path, call, assert_failure):
    for name in ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1"):
        (tmp_path / f"{name}-ubyte").write_bytes(b"")
    for command in (["data"], ["run", "constant"], ["reproduce"]):
        done = call(*command, "--data-dir", tmp_path, cwd=tmp_path)
        assert_failure(done, f"{tmp_path}/train-images-idx3-ubyte")
