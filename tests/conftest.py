"""What several test modules share."""

from __future__ import annotations

import os

# Before MXNet is imported: bits depend on the number of threads. Commands do not get it, for they
# must take care of it themselves.
os.environ["OMP_NUM_THREADS"] = "1"
# MXNet imports distutils; setuptools' own takes a tenth of a process's start, of a hundred.
os.environ["SETUPTOOLS_USE_DISTUTILS"] = "stdlib"

import gc
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import matplotlib as mpl
import pytest
from hypothesis import settings

from d2l_lrsched.data import source as files

mpl.use("agg")
# What modules hold stays: looking through it again and again takes a tenth of the time.
gc.disable()

COMMAND = (sys.executable, "-m", "d2l_lrsched")

# A shell starts what goes on in the background with Ctrl-C ignored, and all that it starts too.
signal.signal(signal.SIGINT, signal.default_int_handler)

settings.register_profile("quick", max_examples=40, deadline=None)
settings.load_profile("quick")


def pytest_collection_finish():
    """Look from now on for what tests leave, and for nothing that was there before."""
    gc.freeze()
    gc.enable()


@pytest.fixture(autouse=True)
def _as_before():
    """Put back what a command called in this process does with signals and drawing."""
    before = {s: signal.getsignal(s) for s in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)}
    yield
    os.environ.pop("MPLBACKEND", None)  # notebooks have one of their own
    for number, handler in before.items():
        signal.signal(number, handler)


@pytest.fixture(scope="session")
def users():
    """The environment of a user who has said nothing of threads or backends."""
    tests = ("OMP_NUM_THREADS", "MPLBACKEND")
    return {name: value for name, value in os.environ.items() if name not in tests}


@pytest.fixture(scope="session")
def call(users):
    """Return a function that calls a command as a user does, in a process of its own."""

    def call(*arguments, cwd=None, command=COMMAND, **environment):
        return subprocess.run(
            [*command, *map(str, arguments)],
            capture_output=True,
            text=True,
            cwd=cwd,
            env={**users, **environment},
            stdin=subprocess.DEVNULL,
            timeout=300,
            check=False,
        )

    return call


@pytest.fixture(scope="session")
def arrays():
    """The four checked arrays of the real Fashion-MNIST."""
    return files.read_all(files.locate(download=False))


@pytest.fixture(scope="session")
def small_iters(arrays):
    """Return a maker of (train_iter, test_iter) over the first real images, 8 a batch.

    By default 404 and 100: 51 training batches, so one display point, and a last batch of 4.
    """
    from mxnet import npx

    from d2l_lrsched.data.batches import Batches

    train, test = (
        [arrays[f"{which}-images-idx3-ubyte"], arrays[f"{which}-labels-idx1-ubyte"]]
        for which in ("train", "t10k")
    )

    def make(seed=0, num_train=404):
        npx.set_np()
        return (
            Batches(*(array[:num_train] for array in train), 8, seed),
            Batches(*(array[:100] for array in test), 8),
        )

    return make


@pytest.fixture
def synced(monkeypatch):
    """What is brought to the disk, by its name at that time."""
    if not os.path.exists("/proc/self/fd"):
        pytest.skip("reads names in /proc")
    synced = []
    sync = os.fsync

    def spy(descriptor):
        synced.append(os.path.realpath(f"/proc/self/fd/{descriptor}"))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", spy)
    return synced


@pytest.fixture
def nobody():
    """A command to go before another's, for a user unknown to the system, and a folder of his.

    The folder is one that everybody may write, which pytest's own are not.
    """
    # He may also read what only root may.
    user = ["setpriv", "--reuid=54321", "--regid=54321", "--clear-groups"]
    user += ["--inh-caps=+dac_read_search", "--ambient-caps=+dac_read_search"]
    if os.geteuid() or subprocess.call([*user, "true"], stderr=subprocess.DEVNULL):
        pytest.skip("needs root and setpriv(1)")
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o777)
        yield user, Path(folder)
