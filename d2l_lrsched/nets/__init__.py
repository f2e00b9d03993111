"""The networks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from d2l_lrsched.nets import fast, lenet, resnet

#: Name -> maker of an uninitialized net; a run's record names the one that was trained.
NETS: dict[str, Callable[[], Any]] = {
    "chapter": lenet.lenet,
    "fast": fast.fast_lenet,
    "resnet": resnet.small_resnet,
}
