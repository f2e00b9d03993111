"""Learning-rate schedulers: pure functions of the number of updates.

One of them, `PlateauScheduler`, also depends on what it is told.

`FactorScheduler` here is the chapter's own; MXNet's is `builtin.FactorScheduler`. What rests on
MXNet is imported on first use, so that importing this package does not import MXNet.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from .compose import PerEpoch, SequentialScheduler, WarmupScheduler
from .langevin import LangevinScheduler
from .plateau import PlateauScheduler
from .schedule import tell
from .scratch import FactorScheduler, LinearScheduler, SquareRootScheduler

if TYPE_CHECKING:
    from . import builtin
    from .builtin import CosineScheduler, MultiFactorScheduler, PolyScheduler
    from .cycles import one_cycle, restarts

__all__ = [
    "CosineScheduler",
    "FactorScheduler",
    "LangevinScheduler",
    "LinearScheduler",
    "MultiFactorScheduler",
    "PerEpoch",
    "PlateauScheduler",
    "PolyScheduler",
    "SequentialScheduler",
    "SquareRootScheduler",
    "WarmupScheduler",
    "builtin",
    "one_cycle",
    "restarts",
    "tell",
]

#: What users call a schedule -> its class here; 'factor' is the chapter's own.
BY_NAME = {
    "square-root": "SquareRootScheduler",
    "factor": "FactorScheduler",
    "linear": "LinearScheduler",
    "mxnet-factor": "builtin.FactorScheduler",
    "multi-factor": "MultiFactorScheduler",
    "poly": "PolyScheduler",
    "cosine": "CosineScheduler",
}

_HOME_OF = {
    **dict.fromkeys(("CosineScheduler", "MultiFactorScheduler", "PolyScheduler"), "builtin"),
    **dict.fromkeys(("one_cycle", "restarts"), "cycles"),
}


def __getattr__(name: str) -> Any:
    if name == "builtin":
        return importlib.import_module(".builtin", __name__)
    if name in _HOME_OF:
        return getattr(importlib.import_module(f".{_HOME_OF[name]}", __name__), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
