"""The networks."""

from __future__ import annotations

from collections.abc import Callable
from importlib import import_module
from typing import Any


def _maker(module: str, name: str) -> Callable[[], Any]:
    # Not imported before it is wanted: numba, which the fast one needs, takes half a second.
    return lambda: getattr(import_module(f"{__name__}.{module}"), name)()


#: What records call a net -> maker of an uninitialized one. A name is never given to another net,
#: for records keep it: 'fast' is taken, by the former fast net, which is no longer here.
NETS: dict[str, Callable[[], Any]] = {
    "chapter": _maker("lenet", "lenet"),
    "lanes": _maker("fast", "fast_lenet"),
    "resnet": _maker("resnet", "small_resnet"),
}
#: How the chapter's LeNet is asked for -> what records call it.
LENETS = {"chapter": "chapter", "fast": "lanes"}
