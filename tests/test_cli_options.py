from __future__ import annotations

import os
from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from d2l_lrsched import cli_options
from d2l_lrsched.fast import ARRANGEMENTS


def parsed(option, *arguments):
    """What a command with this one option is called with."""
    seen = {}
    command = click.command()(option(lambda **options: seen.update(options)))
    done = CliRunner().invoke(command, arguments)
    return seen if done.exit_code == 0 else done


def test_home_is_expanded_where_the_shell_does_not(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert parsed(cli_options.data_dir, "--data-dir=~/data") == {
        "data_dir": Path("/somewhere/data")
    }


def test_an_empty_folder_is_refused():
    done = parsed(cli_options.output("Folder."), "--output=")
    assert done.exit_code == 2
    assert "must not be empty" in done.output


def test_workers_are_the_cores_that_may_be_used():
    assert parsed(cli_options.workers("Runs.")) == {"workers": len(os.sched_getaffinity(0))}


@pytest.mark.parametrize(
    ("option", "argument"),
    [
        (cli_options.seed, "--seed=-1"),
        (cli_options.seed, f"--seed={2**32}"),
        (cli_options.epochs, "--epochs=0"),
        (cli_options.net, "--net=resnet"),
        (cli_options.workers("Runs."), "--workers=0"),
    ],
)
def test_out_of_range_is_a_usage_error(option, argument):
    assert parsed(option, argument).exit_code == 2


def test_the_nets_are_the_arrangements_there_are():
    """Listed twice, for help must not wait for MXNet."""
    assert [parsed(cli_options.net, f"--net={name}")["net"] for name in ARRANGEMENTS] == list(
        ARRANGEMENTS
    )
