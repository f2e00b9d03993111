"""What a training measures, epoch by epoch."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any, List, Literal, Optional  # noqa: UP035

from msgspec import Struct
from msgspec.structs import force_setattr

# Below this the scores, and so the class probabilities, differ by less than 1 % between images.
# In the chapter's runs (figures/chapter/runs.jsonl) networks that stayed collapsed show at most
# 0.0002, and the least that another shows is 0.27, before its first update; one passed in between,
# when it recovered.
COLLAPSED_SPREAD = 0.01

DISPLAY_EVERY = 50  # batches between two points of the curve, as in the chapter


if TYPE_CHECKING:
    Number = float
    Count = int
else:  # msgspec reads these: null is nan
    Number = Optional[float]
    Count = Optional[int]
Outcome = Literal["trained", "collapsed", "non-finite"]


class Epoch(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What one epoch measured.

    `train_loss` and `train_acc` are averages over the epoch's examples, each taken before the
    update that its batch caused; `test_acc` is measured after the last update. `lr_first` and
    `lr_last` are the learning rates of the first and last update. `score_spread` is the largest
    difference between two test images in the score of one class: 0 means that the network no
    longer sees its input. `seconds` covers training and test.

    Where gradients are clipped, `norm_median` and `norm_max` are of the updates' global norms
    before clipping, as far as these are finite (nan if none is); `clipped` is the share of all
    updates whose norm was finite and exceeded the threshold c; `kept` is what clipping leaves of
    the steps, the mean over the updates of min(1, c / norm), 0 where the gradient was not finite
    (None in older records); `skipped` is how many had such a gradient, and it was made zero.
    Elsewhere the five are None.

    In JSON what is not finite is null, and null is nan.
    """

    train_loss: Number
    train_acc: float
    test_acc: float
    lr_first: float
    lr_last: float
    score_spread: Number
    seconds: float
    norm_median: Number = None  # type: ignore[assignment]
    norm_max: Number = None  # type: ignore[assignment]
    clipped: Number = None  # type: ignore[assignment]
    skipped: Count = None  # type: ignore[assignment]
    kept: Number = None  # type: ignore[assignment]

    def __post_init__(self) -> None:
        of_clipping = (self.norm_median, self.norm_max, self.clipped, self.skipped, self.kept)
        clipping = ("norm_median", "norm_max") if self.clipped is not None else ()
        if (self.skipped is None) != (self.clipped is None) or (not clipping and any(of_clipping)):
            raise ValueError("norm_median, norm_max, clipped and skipped must come together")
        none_is_nan(self, "train_loss", "score_spread", *clipping)


class Point(Struct, frozen=True, array_like=True):
    """One point of the chapter's training curves: averages since the epoch began."""

    epoch: float
    train_loss: Number
    train_acc: float

    def __post_init__(self) -> None:
        none_is_nan(self, "train_loss")

    def __iter__(self) -> Iterator[Any]:
        return iter((self.epoch, self.train_loss, self.train_acc))


def none_is_nan(struct: Struct, *names: str) -> None:
    """Make nan of the fields that a file holds as null."""
    for name in names:
        if getattr(struct, name) is None:
            force_setattr(struct, name, math.nan)


@dataclass
class History:
    """What `train` measured: a list of `Epoch` and the curve's points between them."""

    epochs: List[Epoch] = field(default_factory=list)  # noqa: UP006
    points: List[Point] = field(default_factory=list)  # noqa: UP006

    @property
    def outcome(self) -> Outcome:
        """'trained', 'collapsed' (scores equal at the end, within 0.01) or 'non-finite'.

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

    def __str__(self) -> str:
        """Return the chapter's closing line, and what befell the run where something did."""
        last = self.epochs[-1]
        line = (
            f"train loss {last.train_loss:.3f}, train acc {last.train_acc:.3f}, "
            f"test acc {last.test_acc:.3f}"
        )
        if self.outcome == "collapsed":
            alike = [epoch.score_spread < COLLAPSED_SPREAD for epoch in self.epochs]
            first = len(alike) - alike[::-1].index(False) + 1 if False in alike else 1
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
        "kept": sum(clip_norm / max(norm, clip_norm) for norm in finite) / len(norms),
    }
