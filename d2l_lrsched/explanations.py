"""Why numbers of ours and of the book differ, as far as the committed baseline shows it.

`verify` fails on a DIFFERENT verdict that is not explained here, and says so of an explanation
whose number is no longer DIFFERENT. The report prints both mappings as they stand.
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

#: (experiment, number) of each known DIFFERENT verdict -> the best explanation the data support.
#: The number is one of `regression.NUMBERS`, or 'outcome'.
DIFFERENT: Mapping[tuple[str, str], str] = MappingProxyType({})

#: What the baseline says beyond single numbers, one or two sentences each.
FINDINGS: tuple[str, ...] = ()
