"""streams.py: closed standard streams, and such as nobody reads, in real processes."""

from __future__ import annotations

import io
import os
import subprocess
import sys

import pytest

from d2l_lrsched import streams


def python(code, *closed, **others):
    """Run code in a Python that is started without the standard streams of these numbers."""
    redirections = " ".join(f"{number}>&-" for number in closed)
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" {redirections}', sys.executable, code],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
        **others,
    )


def test_what_is_closed_is_no_terminal(monkeypatch):
    assert not streams.is_terminal(None)
    assert not streams.is_terminal(io.StringIO())
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True, raising=False)
    assert streams.is_terminal(terminal)


@pytest.mark.parametrize("closed", [(0,), (1,), (2,), (0, 1, 2)])
def test_a_closed_stream_is_opened_and_no_files_number_is_a_streams(closed, tmp_path):
    """What other processes, and libraries in C, say to their streams must not be in a file."""
    code = f"""if 1:
        import os, subprocess, sys
        from d2l_lrsched import streams
        streams.open_closed()
        with open({str(tmp_path / "file")!r}, "w") as file:
            assert file.fileno() > 2
            subprocess.run(["sh", "-c", "echo to stdout; echo to stderr >&2"], check=True)
            os.write(2, b"of a library")
            print(sys.stdin.read(), "print", file=sys.stderr)
            print("print", flush=True)
            file.write("whole")
    """
    done = python(code, *closed, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stderr
    assert (tmp_path / "file").read_text() == "whole"
    assert done.stdout == ("" if 1 in closed else "to stdout\nprint\n")
    assert done.stderr == ("" if 2 in closed else "to stderr\nof a library print\n")


def test_a_number_that_is_taken_is_left_alone(tmp_path):
    code = f"""if 1:
        import sys
        from d2l_lrsched import streams
        with open({str(tmp_path / "file")!r}, "w") as file:
            assert (file.fileno(), sys.stderr) == (2, None)
            streams.open_closed()
            print("lost", file=sys.stderr, flush=True)
            file.write("whole")
    """
    assert python(code, 2).returncode == 0
    assert (tmp_path / "file").read_text() == "whole"


def test_open_streams_stay_as_they_are():
    before = sys.stdin, sys.stdout, sys.stderr
    streams.open_closed()
    assert (sys.stdin, sys.stdout, sys.stderr) == before


@pytest.mark.parametrize("stream", ["stdout", "stderr"])
def test_where_nobody_reads_a_process_ends_as_by_sigpipe_and_says_nothing(stream):
    """Neither a traceback nor, from the buffers at its end, an 'Exception ignored'."""
    code = f"""if 1:
        import sys
        from d2l_lrsched import streams
        with streams.ended_where_nobody_reads():
            for _ in range(9):
                print("x" * 9999, file=sys.{stream})
                print("left in the buffer", file=sys.{stream}, end="")
                sys.{stream}.flush()
    """
    reader, writer = os.pipe()
    os.close(reader)
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, stream: writer}
    done = subprocess.run([sys.executable, "-c", code], **pipes, check=False, timeout=60)
    os.close(writer)
    assert done.returncode == streams.UNREAD == 141
    assert not done.stdout
    assert not done.stderr
