from __future__ import annotations

from pathlib import Path

import click
import pytest
from click.testing import CliRunner

from d2l_lrsched.cli import options
from d2l_lrsched.nets import LENETS
from d2l_lrsched.runs import cores


def parsed(option, *arguments):
    """What a command with this one option is called with."""
    seen = {}
    command = click.command()(option(lambda **options: seen.update(options)))
    done = CliRunner().invoke(command, arguments)
    return seen if done.exit_code == 0 else done


def test_home_is_expanded_where_the_shell_does_not(monkeypatch):
    monkeypatch.setenv("HOME", "/somewhere")
    assert parsed(options.data_dir, "--data-dir=~/data") == {"data_dir": Path("/somewhere/data")}


@pytest.mark.parametrize(
    ("value", "message"),
    [
        ("", "'': the name of a file or folder must not be empty"),
        ("~nosuchuser/x", "'~nosuchuser/x': no user is called 'nosuchuser'"),
    ],
)
@pytest.mark.parametrize(
    ("option", "name"),
    [(options.output("chapter", "Folder."), "--output"), (options.data_dir, "--data-dir")],
)
def test_what_is_no_path_is_a_usage_error(option, name, value, message):
    done = parsed(option, f"{name}={value}")
    assert done.exit_code == 2
    assert message in done.output


def every_option():
    """Of all commands: (command, option)."""
    from d2l_lrsched import cli

    commands = {name: cli.main.get_command(None, name) for name in cli.COMMANDS}
    return [(name, option) for name, command in commands.items() for option in command.params]


def test_every_path_of_every_command_is_a_users_path():
    """Whatever names a file or folder, by its option's name or click's type, knows ~."""
    paths = {
        (name, option.name): option.type
        for name, option in every_option()
        if isinstance(option.type, click.Path)
        or option.name in ("output", "data_dir", "records", "folder", "file", "path")
    }
    assert {("plot", "output"), ("verify", "records"), ("explore", "records")} <= paths.keys()
    assert all(isinstance(kind, options.UserPath) for kind in paths.values()), paths


def test_every_count_of_every_command_is_1_at_least():
    counts = {
        (name, option.name): option.type
        for name, option in every_option()
        if isinstance(option.type, click.IntRange) and option.name not in ("seed", "order", "split")
    }
    named = {("clipping", "seeds"), ("exercises", "epochs"), ("reproduce", "num_seeds")}
    assert {*named, ("bench", "rounds"), ("verify", "workers")} <= counts.keys()
    assert all(kind.min == 1 for kind in counts.values()), counts


def test_workers_are_the_cores_that_may_be_used():
    assert parsed(options.workers("Runs.")) == {"workers": cores.cores()}


@pytest.mark.parametrize(
    ("option", "argument"),
    [
        (options.seed, "--seed=-1"),
        (options.seed, f"--seed={2**32}"),
        (options.epochs, "--epochs=0"),
        (options.net(), "--net=resnet"),
        (options.workers("Runs."), "--workers=0"),
    ],
)
def test_out_of_range_is_a_usage_error(option, argument):
    assert parsed(option, argument).exit_code == 2


def test_the_nets_are_the_arrangements_of_lenet_there_are():
    """Listed twice, for help must not wait for MXNet."""
    assert {parsed(options.net(), f"--net={name}")["net"] for name in LENETS} == {*LENETS}
    assert parsed(options.net("fast")) == {"net": "fast"}
    assert parsed(options.net()) == {"net": "chapter"}


def test_a_program_that_a_shell_does_not_find_is_named_by_its_path(monkeypatch, tmp_path):
    program = tmp_path / "d2l-lrsched"
    program.touch(mode=0o755)
    for called, path, expected in (
        (str(program), "/nowhere", str(program)),
        (str(program), str(tmp_path), "d2l-lrsched"),
        ("/some/__main__.py", "/nowhere", "d2l-lrsched"),
    ):
        monkeypatch.setattr(options.sys, "argv", [called])
        monkeypatch.setenv("PATH", path)
        assert options.program() == expected


@pytest.mark.parametrize(
    ("output", "compare"),
    [
        ("new one", "diff figures/clipping/README.md 'new one/README.md'"),
        ("figures/clipping/", "git diff figures/clipping"),
    ],
)
def test_what_is_written_over_the_committed_is_compared_by_git(
    tmp_path, monkeypatch, output, compare
):
    monkeypatch.chdir(tmp_path)
    Path("figures", "clipping").mkdir(parents=True)
    Path(output).mkdir(exist_ok=True)
    with click.Context(click.Command("clipping")):
        said = options.beside("clipping", Path(output))
    assert said == f"All is in {Path(output)}/; compare it by: {compare}"
