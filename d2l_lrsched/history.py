"""What a training measures, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import Any

# Below this the scores, and so the class probabilities, differ by less than 1 % between images.
# In the baseline (figures/baseline.jsonl) networks that stayed dead show at most 0.0015, and the
# least that a living one shows is 0.27, before its first update; one passed in between, when it
# came back to life.
COLLAPSED_SPREAD = 0.01


@dataclass(frozen=True)
class Epoch:
    """What one epoch measured.

    `train_loss` and `train_acc` are averages over the epoch's examples, each taken before the
    update that its batch caused; `test_acc` is measured after the last update. `lr_first` and
    `lr_last` are the learning rates of the first and last update. `score_spread` is the largest
    difference between two test images in the score of one class: 0 means that the network no
    longer sees its input. `seconds` covers training and test.

    Where gradients are clipped, `norm_median` and `norm_max` are of the updates' global norms
    before clipping, as far as these are finite (nan if none is); `clipped` is the share of all
    updates whose norm was finite and exceeded the threshold; `skipped` is how many had a gradient
    that was not finite, and was made zero. Elsewhere the four are None.
    """

    train_loss: float
    train_acc: float
    test_acc: float
    lr_first: float
    lr_last: float
    score_spread: float
    seconds: float
    norm_median: float | None = None
    norm_max: float | None = None
    clipped: float | None = None
    skipped: int | None = None


@dataclass(frozen=True)
class Point:
    """One point of the chapter's training curves: averages since the epoch began."""

    epoch: float
    train_loss: float
    train_acc: float


@dataclass
class History:
    """What `train` measured: a list of `Epoch` and the curve's points between them."""

    epochs: list[Epoch] = field(default_factory=list)
    points: list[Point] = field(default_factory=list)

    @property
    def outcome(self) -> str:
        """'trained', 'collapsed' (all outputs equal at the end, to 1 %) or 'non-finite'.

        A skipped update spoils its epoch's loss, but not the network, unless all were skipped.
        """
        last = self.epochs[-1]
        if last.skipped:
            spoilt = math.isnan(last.norm_median or 0.0)
        else:
            spoilt = not math.isfinite(last.train_loss)
        if spoilt or not math.isfinite(last.score_spread):
            return "non-finite"
        return "collapsed" if last.score_spread < COLLAPSED_SPREAD else "trained"

    @property
    def skipped(self) -> int:
        """How many updates had a gradient that was not finite, and was made zero."""
        return sum(epoch.skipped or 0 for epoch in self.epochs)

    @property
    def collapsed(self) -> bool:
        """Whether the network ended with the same output for every test image."""
        return self.outcome == "collapsed"

    def __str__(self) -> str:
        """Return the chapter's closing line, and what befell the run where something did."""
        last = self.epochs[-1]
        line = (
            f"train loss {last.train_loss:.3f}, train acc {last.train_acc:.3f}, "
            f"test acc {last.test_acc:.3f}"
        )
        if self.outcome == "collapsed":
            first = len(self.epochs)
            while first > 1 and self.epochs[first - 2].score_spread < COLLAPSED_SPREAD:
                first -= 1
            line += f" (collapsed: every test image gets the same scores since epoch {first})"
        if self.outcome == "non-finite":
            line += f" (non-finite: stopped after epoch {len(self.epochs)})"
        if self.skipped:
            line += f" ({self.skipped} updates skipped: their gradient was not finite)"
        return line


def of_norms(norms: Sequence[float], clip_norm: float) -> dict[str, Any]:
    """Return the fields of an `Epoch` that its updates' norms before clipping make."""
    finite = [norm for norm in norms if math.isfinite(norm)]
    return {
        "norm_median": median(finite) if finite else math.nan,
        "norm_max": max(finite, default=math.nan),
        "clipped": sum(norm > clip_norm for norm in finite) / len(norms),
        "skipped": len(norms) - len(finite),
    }
