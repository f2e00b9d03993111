"""Learning-rate schedulers: pure functions of the number of updates.

`FactorScheduler` here is the chapter's own; MXNet's is `builtin.FactorScheduler`. What rests on
MXNet is imported on first use, so that importing this package does not import MXNet.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .compose import PerEpoch, SequentialScheduler, WarmupScheduler
from .scratch import FactorScheduler, LinearScheduler, SquareRootScheduler

if TYPE_CHECKING:
    from . import builtin
    from .builtin import CosineScheduler, MultiFactorScheduler, PolyScheduler

__all__ = [
    "CosineScheduler",
    "FactorScheduler",
    "LinearScheduler",
    "MultiFactorScheduler",
    "PerEpoch",
    "PolyScheduler",
    "SequentialScheduler",
    "SquareRootScheduler",
    "WarmupScheduler",
    "builtin",
]

_FROM_BUILTIN = ("CosineScheduler", "MultiFactorScheduler", "PolyScheduler")


def __getattr__(name: str) -> Any:
    if name == "builtin" or name in _FROM_BUILTIN:
        module = importlib.import_module(".builtin", __name__)
        return module if name == "builtin" else getattr(module, name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
