"""What an epoch consists of: operations counted by hand, and timed by oneDNN."""

from __future__ import annotations

import re
from collections import defaultdict

from d2l_lrsched.data import TRAIN_EXAMPLES
from d2l_lrsched.studies.speed.epochs import MATRIX_SIZE, NUM_PRODUCTS
from d2l_lrsched.studies.speed.record import Operation

TEST_EXAMPLES = 10_000
# Multiplications and additions of a forward pass over one image; see `nets.lenet`.
_CONV_1 = 2 * 25 * 1 * 6 * 28 * 28
_CONV_2 = 2 * 25 * 6 * 16 * 10 * 10
_DENSE = 2 * (400 * 120 + 120 * 84 + 84 * 10)
_FORWARD = _CONV_1 + _CONV_2 + _DENSE
#: Of an epoch and its test. Backward costs a forward pass for the parameters' gradients and one
#: for the inputs', which the first layer does not need.
EPOCH_OPERATIONS = TRAIN_EXAMPLES * (3 * _FORWARD - _CONV_1) + TEST_EXAMPLES * _FORWARD
PRODUCT_OPERATIONS = NUM_PRODUCTS * 2 * MATRIX_SIZE**3

_VERBOSE = re.compile(
    r"\w+_verbose,exec,cpu,(?P<operation>\w+),(?P<kernel>[^,]*),(?P<direction>\w+),"
    r".*,(?P<ms>[\d.e+-]+)$",
    re.MULTILINE,
)


def operations(output: str) -> list[Operation]:
    """Return the operations that oneDNN tells of, as ``DNNL_VERBOSE=1`` asks: the longest first."""
    seconds: dict[tuple[str, str, str], float] = defaultdict(float)
    for found in _VERBOSE.finditer(output):
        operation = found["operation"].partition("_v2")[0]
        direction = found["direction"].replace("_training", "").replace("_inference", "")
        kernel = found["kernel"].rpartition("x64:")[2]
        key = operation, "" if direction == "undef" else direction, kernel
        seconds[key] += float(found["ms"]) / 1000
    found_all = (Operation(*key, round(s, 4)) for key, s in seconds.items())
    return sorted(found_all, key=lambda operation: -operation.seconds)
