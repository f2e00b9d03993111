from __future__ import annotations

import os
import signal
import warnings

import click
import pytest
from click.testing import CliRunner

from d2l_lrsched.cli.errors import Group, one_line_errors
from d2l_lrsched.data.source import DataError
from d2l_lrsched.runs.record import StoreError


@pytest.mark.parametrize(
    ("error", "line"),
    [
        (DataError("no data"), "no data"),
        (StoreError("no record"), "no record"),
        (OSError(28, "No space left on device", "/a/file"), "/a/file: No space left on device"),
        (OSError("odd"), "odd"),
    ],
)
def test_what_a_user_can_mend_is_one_line(error, line):
    with pytest.raises(click.ClickException) as raised, one_line_errors():
        raise error
    assert raised.value.message == line
    assert raised.value.exit_code == 1


def test_a_bug_keeps_its_traceback():
    with pytest.raises(ZeroDivisionError), one_line_errors():
        1 / 0  # noqa: B018


def test_a_warning_is_one_line(capsys):
    with one_line_errors():
        warnings.simplefilter("always")
        warnings.warn("mind this", stacklevel=1)
    assert capsys.readouterr().err == "Warning: mind this\n"


@pytest.fixture
def handlers():
    """Return a function that calls a command and gives the signals' handlers it saw."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    seen = {}

    def look():
        seen.update({number: signal.getsignal(number) for number in before})

    def handlers():
        group = Group(commands={"look": click.Command("look", callback=look)})
        assert CliRunner().invoke(group, ["look"]).exit_code == 0
        return seen

    yield handlers
    for number, handler in before.items():
        signal.signal(number, handler)


def test_a_stopped_job_ends_as_by_ctrl_c_but_an_ignored_signal_stays_ignored(handlers):
    """As nohup has it; and after the command all is as before."""
    signal.signal(signal.SIGHUP, signal.SIG_IGN)
    before = signal.getsignal(signal.SIGTERM)
    assert handlers() == {
        signal.SIGHUP: signal.SIG_IGN,
        signal.SIGTERM: signal.default_int_handler,
    }
    assert signal.getsignal(signal.SIGTERM) is before


def test_commands_draw_into_files_whatever_the_user_has_set(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "nonsense")
    seen = []
    look = click.Command("look", callback=lambda: seen.append(os.environ["MPLBACKEND"]))
    assert CliRunner().invoke(Group(commands={"look": look}), ["look"]).exit_code == 0
    assert seen == ["agg"]
