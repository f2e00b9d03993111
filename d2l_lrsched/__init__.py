"""The d2l.ai section "Learning Rate Scheduling" (11.15) in MXNet/Gluon, faithful and measured.

The public names are loaded on first use, so that ``import d2l_lrsched`` and
``d2l-lrsched --help`` do not wait for MXNet's import.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

from d2l_lrsched import homes

_HOME_OF = {
    "SquareRootScheduler": "schedulers.scratch",
    "FactorScheduler": "schedulers.scratch",
    "LinearScheduler": "schedulers.scratch",
    "LangevinScheduler": "schedulers.scratch",
    "MultiFactorScheduler": "schedulers.builtin",
    "PolyScheduler": "schedulers.builtin",
    "CosineScheduler": "schedulers.builtin",
    "PlateauScheduler": "schedulers.plateau",
    "WarmupScheduler": "schedulers.compose",
    "SequentialScheduler": "schedulers.compose",
    "PerEpoch": "schedulers.compose",
    "lenet": "model",
    "same_bits_lenet": "fast",
    "fast_lenet": "fast",
    "load_fashion_mnist": "data",
    "train": "training",
    "Checkpoint": "checkpoint",
    "History": "history",
    "global_norm": "clipping",
    "clip_global_norm": "clipping",
    "clip_value": "clipping",
}
_MODULES = (
    "clipping",
    "data",
    "experiments",
    "fast",
    "figures",
    "model",
    "published",
    "schedulers",
    "training",
)

__all__ = [*_HOME_OF, *_MODULES]

homes.lend()  # before anything imports Matplotlib


def __getattr__(name: str) -> Any:
    if name in _MODULES:
        return import_module(f"{__name__}.{name}")
    if name in _HOME_OF:
        return getattr(import_module(f"{__name__}.{_HOME_OF[name]}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
