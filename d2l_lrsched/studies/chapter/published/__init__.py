"""The numbers that the book prints, and those that its builds printed.

Source of `PRINTED`: the Vietnamese edition of Dive into Deep Learning, section 11.15 "Learning Rate
Scheduling", MXNet edition; the printed output of its five training runs of 30 epochs.

The book's runs were trained on the first release of Fashion-MNIST, the one whose checksums
MXNet's gluon still asks for. Zalando replaced it on 2017-08-31 (zalandoresearch/fashion-mnist,
issue 44: duplicates, overlap of training and test images), and it is no longer to be had. Ours
are trained on the current release, another draw of the pictures: at the same place one label in
ten is the same.

The book's notebooks are run anew for each build and stored with their outputs in public
repositories. Beside this module stand, each line with its source (repository, commit, file):

- ``mxnet-builds.jsonl``: 97 builds of an MXNet edition with the printed numbers of the five runs.
  `settings`: 'seed', those of the chapter reproduced here, February to August 2020; 'gentler',
  September 2020 to August 2023 (d2l-en's pull request 1305); 'early', December 2019 to January
  2020. Two builds count as two if their five printed lines differ. The chapter's own printed
  numbers are none of these, but one more draw.
- ``mxnet-curves.jsonl``: the same builds' stored figures, decoded: the test accuracy after every
  epoch, to 0.0005, and the training loss as (epoch, average since the epoch began).
- ``other-frameworks.jsonl``: 105 builds of the PyTorch, TensorFlow and Paddle editions, which read
  their schedules once an epoch and initialize otherwise: never to be pooled with MXNet's.
- ``d2l-neu-mxnet.jsonl``: seven captures of the rewrite smolix/d2l-neu, with MXNet 2.0.0.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Dict, List, Optional, Tuple  # noqa: UP035

from msgspec import Struct

from d2l_lrsched.runs import record


@dataclass(frozen=True)
class Published:
    """One printed line of the book: train loss, train and test accuracy after 30 epochs.

    `collapsed` marks the loss ln 10 and accuracy 0.1 of a network with one output for all images.
    """

    train_loss: float
    train_acc: float
    test_acc: float
    collapsed: bool = False

    @property
    def outcome(self) -> str:
        """'collapsed' or 'trained'."""
        return "collapsed" if self.collapsed else "trained"


#: Experiment name -> what the book printed for it.
PRINTED: Mapping[str, Published] = {
    "constant": Published(2.303, 0.098, 0.100, collapsed=True),
    "square-root": Published(0.307, 0.887, 0.882),
    "multi-factor": Published(0.187, 0.931, 0.898),
    "cosine": Published(0.362, 0.870, 0.848),
    "cosine-warmup": Published(0.394, 0.857, 0.854),
}


class Result(Struct, frozen=True, forbid_unknown_fields=True):
    """What a build printed of one run.

    `left_plateau_epoch` is when the running loss first fell below 2.0, None if never;
    `died_in_epoch` when a run collapsed that had learned before.
    """

    train_loss: float
    train_acc: float
    test_acc: float
    left_plateau_epoch: Optional[float] = None  # noqa: UP045
    died_in_epoch: Optional[int] = None  # noqa: UP045

    @property
    def collapsed(self) -> bool:
        """Whether the loss is that of equal scores for all ten classes, ln 10."""
        return abs(self.train_loss - math.log(10)) < 0.005


class Build(Struct, frozen=True, forbid_unknown_fields=True):
    """One build of an MXNet edition; `results` by the run's name, one of `PRINTED`'s."""

    build: str
    settings: str
    date: str
    version: str
    mxnet: str
    source: str
    results: Dict[str, Result]  # noqa: UP006


class Curve(Struct, frozen=True, forbid_unknown_fields=True):
    """One run's stored figure, decoded."""

    test_acc: List[float]  # noqa: UP006
    train_loss: List[Tuple[float, float]]  # noqa: UP006


class Curves(Struct, frozen=True, forbid_unknown_fields=True):
    """The curves of one build, by the run's name."""

    build: str
    curves: Dict[str, Curve]  # noqa: UP006


class Other(Struct, frozen=True, forbid_unknown_fields=True):
    """One build of an edition for another framework; `results` as a `Build`'s."""

    framework: str
    date: str
    version: str
    source: str
    results: Dict[str, Result]  # noqa: UP006


def builds() -> list[Build]:
    """Return the 97 builds of MXNet editions."""
    return record.read(Path(__file__).with_name("mxnet-builds.jsonl"), Build)


def curves() -> dict[str, Mapping[str, Curve]]:
    """Return the builds' curves: build -> run -> its curve."""
    read = record.read(Path(__file__).with_name("mxnet-curves.jsonl"), Curves)
    return {each.build: each.curves for each in read}


def others() -> list[Other]:
    """Return the 105 builds of editions for other frameworks."""
    return record.read(Path(__file__).with_name("other-frameworks.jsonl"), Other)
