"""The range test of LeNet, and its record."""

from __future__ import annotations

from pathlib import Path
from typing import Dict, List, Literal  # noqa: UP035

from msgspec import Struct
from mxnet import npx

from d2l_lrsched.data import BATCH_SIZE
from d2l_lrsched.data.batches import load_fashion_mnist
from d2l_lrsched.files import PathLike, user_path
from d2l_lrsched.nets import LENETS, NETS
from d2l_lrsched.runs import provenance, record
from d2l_lrsched.training.range_test import RangeTest, Sweep, range_test

#: Beside the runs of a study that has made one.
RECORDS = "range-test.jsonl"


class Tested(Struct, frozen=True, forbid_unknown_fields=True):
    """A range test's record; versions, processor and threads as a `Run` has them."""

    # msgspec evaluates the annotations, on Python 3.9 too.
    sweeps: List[Sweep]  # noqa: UP006
    versions: Dict[str, str]  # noqa: UP006
    processor: str
    threads: int
    schema: Literal[1] = 1


def of_lenet(seeds: int, net: str = "fast", data_dir: Path | None = None) -> RangeTest:
    """Return the range test of LeNet, 'chapter' or 'fast', on all training pictures."""
    npx.set_np()
    return range_test(
        NETS[LENETS[net]],
        lambda seed: load_fashion_mnist(BATCH_SIZE, data_dir=data_dir, seed=seed)[0],
        seeds=seeds,
    )


def stored(path: PathLike, seeds: int) -> RangeTest | None:
    """Return the file's test of so many seeds, if there is one.

    Raises
    ------
    StoreError
        If the file cannot be read, or a line is no such record.
    """
    found = record.read(path, Tested) if user_path(path).exists() else []
    return next((RangeTest(one.sweeps) for one in found if len(one.sweeps) == seeds), None)


def store(path: PathLike, tested: RangeTest) -> None:
    """Append the test to the file."""
    made_with = provenance.versions(), provenance.processor(), provenance.threads()
    record.append(path, Tested(tested.sweeps, *made_with))
