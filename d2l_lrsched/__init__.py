"""The d2l.ai section "Learning Rate Scheduling" (11.15) in MXNet/Gluon, faithful and measured.

The public names are loaded on first use, so that ``import d2l_lrsched`` and
``d2l-lrsched --help`` do not wait for MXNet's import.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from d2l_lrsched import home

_HOME_OF = {
    "SquareRootScheduler": "schedulers.scratch",
    "FactorScheduler": "schedulers.scratch",
    "LinearScheduler": "schedulers.scratch",
    "LangevinScheduler": "schedulers.langevin",
    "MultiFactorScheduler": "schedulers.builtin",
    "PolyScheduler": "schedulers.builtin",
    "CosineScheduler": "schedulers.builtin",
    "PlateauScheduler": "schedulers.plateau",
    "WarmupScheduler": "schedulers.compose",
    "SequentialScheduler": "schedulers.compose",
    "PerEpoch": "schedulers.compose",
    "lenet": "nets.lenet",
    "fast_lenet": "nets.fast",
    "load_fashion_mnist": "data.batches",
    "train": "training.loop",
    "range_test": "training.range_test",
    "Checkpoint": "training.checkpoint",
    "History": "training.history",
    "global_norm": "clipping",
    "clip_global_norm": "clipping",
    "clip_value": "clipping",
}
_MODULES = ("clipping", "data", "nets", "runs", "schedulers", "studies", "training")

__all__ = [*_HOME_OF, *_MODULES]

home.lend()  # before anything imports Matplotlib


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
