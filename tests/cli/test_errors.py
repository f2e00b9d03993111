from __future__ import annotations

import signal
import warnings

import click
import pytest

from d2l_lrsched.cli import errors as cli_errors
from d2l_lrsched.cli.errors import one_line_errors
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


def test_an_ignored_signal_stays_ignored():
    """As nohup has it; others end the process as Ctrl-C does."""
    before = {number: signal.getsignal(number) for number in (signal.SIGHUP, signal.SIGTERM)}
    try:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
        cli_errors.end_as_by_ctrl_c()
        assert signal.getsignal(signal.SIGHUP) is signal.SIG_IGN
        assert signal.getsignal(signal.SIGTERM) is signal.default_int_handler
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
