"""Few images for the commands, whether in this process or in ones of their own."""

from __future__ import annotations

import os
from concurrent.futures import Future

import pytest
from click.testing import CliRunner

from d2l_lrsched import cli
from d2l_lrsched.data import source
from d2l_lrsched.runs import executors
from small_data import digests, write


@pytest.fixture(scope="session")
def small(tmp_path_factory, arrays):
    """A folder of a few images, for `small_data`."""
    folder = tmp_path_factory.mktemp("small")
    write(arrays, folder)
    return folder


@pytest.fixture(scope="session")
def environment(small):
    """The environment of a user who has set nothing but the folder of the few images."""
    tests = ("OMP_NUM_THREADS", "MPLBACKEND")  # what conftest sets for the tests
    users = {name: value for name, value in os.environ.items() if name not in tests}
    return {**users, source.DATA_VARIABLE: str(small)}


@pytest.fixture
def few_images(monkeypatch, small):
    """Have commands in this process train on the few images."""
    for name, digest in digests(small).items():
        monkeypatch.setitem(source.SHA256, name, digest)
    monkeypatch.setenv(source.DATA_VARIABLE, str(small))


class Inline:
    """Stands for `LocalProcesses`: calls are made at once, here."""

    def submit(self, function, *arguments):
        future = Future()
        future.set_result(function(*arguments))
        return future

    def __enter__(self):
        return self

    def __exit__(self, *exception): ...


@pytest.fixture
def inline(monkeypatch, few_images):
    """Have commands in this process train in this process, on the few images."""

    def start(workers, calls, on_message):
        monkeypatch.setattr(executors, "tell", on_message)
        return Inline()

    monkeypatch.setattr(executors, "LocalProcesses", start)


@pytest.fixture
def invoke():
    """Return a function that calls a command in this process."""

    def invoke(*arguments):
        return CliRunner().invoke(cli.main, [*map(str, arguments)])

    return invoke
