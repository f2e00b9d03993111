"""The commands as a user calls them: processes, exit codes, what is printed."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from d2l_lrsched import cli

FIGURES = Path(__file__).parent.parent / "figures"
COMMAND = [sys.executable, "-m", "d2l_lrsched"]


# --- help -----------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["", *cli.main.commands])
def test_every_help_has_an_example_that_its_own_command_parses(name, call):
    done = call(*name.split(), "--help")
    assert done.returncode == 0
    (example,) = re.findall(r"Example: d2l-lrsched (.*)\n\n", done.stdout)  # in one line
    command, *arguments = shlex.split(example)
    assert not name or command == name
    # Parsed, not run: a usage error would be raised here.
    cli.main.commands[command].make_context(command, arguments)


def test_help_does_not_wait_for_mxnet():
    script = "import sys, d2l_lrsched.cli as c\ntry: c.main(['--help'])\nexcept SystemExit: pass\n"
    script += "assert not {'mxnet', 'matplotlib', 'pandas'} & set(sys.modules), sys.modules.keys()"
    subprocess.run([sys.executable, "-c", script], check=True, capture_output=True)


def test_version(call):
    assert re.fullmatch(r".*, version \d+\.\d+\.\d+\n", call("--version").stdout)


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
