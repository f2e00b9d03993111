from __future__ import annotations

import os
import shutil
import subprocess
import sys

import numpy as np
import pytest

from d2l_lrsched.nets import kernels

CODE = """
import numpy as np, kernels
lanes = np.arange(3 * kernels.LANES, dtype=np.float32)
out = np.empty(6, np.float32)
kernels.unpack(lanes, out, 3)
print(out.reshape(2, 3).T.tolist() == lanes.reshape(3, -1)[:, :2].tolist())
"""


def test_a_row_of_a_kernel_holds_column_by_column_its_channels():
    weight = np.random.default_rng(0).random((16, 6, 5, 5), dtype=np.float32)
    rows = kernels.rows(weight).reshape(16, 5, 32)
    assert (rows[:, :, :30].reshape(16, 5, 5, 6) == np.moveaxis(weight, 1, 3)).all()
    assert not rows[:, :, 30:].any()
    assert kernels.rows(weight[:6, :1]).size == 6 * 5 * 8


@pytest.mark.parametrize("shape", [(6, 1, 5, 5), (16, 6, 5, 5)])
def test_from_rows_undoes_rows(shape):
    weight = np.random.default_rng(0).random(shape, dtype=np.float32)
    back = kernels.from_rows(kernels.rows(weight), shape)
    assert back.flags.c_contiguous
    assert (back == weight).all()


def test_they_work_where_no_cache_can_be_written(tmp_path):
    shutil.copy(kernels.__file__, tmp_path)
    (tmp_path / "__pycache__").touch()  # not even root can make this a folder
    environment = {**os.environ, "HOME": "/dev/null", "XDG_CACHE_HOME": "/dev/null"}
    environment.update(PYTHONPATH=str(tmp_path), PYTHONDONTWRITEBYTECODE="1")
    command = [sys.executable, "-c", CODE]
    done = subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, text=True)
    assert (done.stdout, done.stderr, done.returncode) == ("True\n", "", 0)
    assert sorted(path.name for path in tmp_path.iterdir()) == ["__pycache__", "kernels.py"]
