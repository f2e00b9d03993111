"""Fashion-MNIST: its files (`source`) and its minibatches (`batches`).

The minibatches are MXNet's, which is imported on first use.
"""

from __future__ import annotations

from importlib import import_module
from typing import Any

#: The releases: today's, and the first, which the book had.
CURRENT, FIRST = "2017-08-31", "2017-08-26"
TRAIN_EXAMPLES = 60_000
#: The book's, in all of section 11.15.
BATCH_SIZE = 256
UPDATES_PER_EPOCH = -(-TRAIN_EXAMPLES // BATCH_SIZE)  # 235: the last batch, of 96, counts


def __getattr__(name: str) -> Any:
    if name in ("Batches", "load_fashion_mnist"):
        return getattr(import_module(f"{__name__}.batches"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
