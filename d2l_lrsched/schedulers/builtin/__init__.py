"""MXNet's four schedulers as pure functions of the number of updates.

Names, arguments and arithmetic are MXNet's; the classes derive from MXNet's. Each returns for every
`num_update` what a fresh MXNet object returns at the end of the calls 0, 1, ..., `num_update`, to
the bit: repeated products where MXNet multiplies again and again. No call changes anything.
MXNet's own answer depends on the calls before: Factor and MultiFactor never go back, Poly and
Cosine give `base_lr` when first called past the end. MXNet's documentation puts drops one update
too early, and says 0 past the end where its code holds `final_lr`. `num_update` counts updates
(minibatches); the first that MXNet's optimizers ask for is 1.

All four can start with a warmup (paper 3.2.2), while ``num_update < warmup_steps``::

    warmup_begin_lr + (base_lr - warmup_begin_lr) * num_update / warmup_steps  mode 'linear'
    warmup_begin_lr                                                            mode 'constant'

`warmup_steps` is an integer of at least 0, `warmup_begin_lr` lies between 0 and `base_lr`.
"""

from __future__ import annotations

from .decay import CosineScheduler, PolyScheduler
from .stepwise import FactorScheduler, MultiFactorScheduler

__all__ = ["CosineScheduler", "FactorScheduler", "MultiFactorScheduler", "PolyScheduler"]
