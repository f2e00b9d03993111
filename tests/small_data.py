"""`d2l-lrsched` where $D2L_LRSCHED_DATA names a folder of a few images, taken for Fashion-MNIST.

The processes that a program spawns run its file too, so these and their workers think alike; a
Dask worker does so with `--preload`.
"""

import gzip
import hashlib
import os
import struct
from pathlib import Path

from d2l_lrsched.data import source

#: Ten batches of 256 for training, and two for tests.
TRAIN, TEST = 2560, 500


def digests(folder):
    """Return what `source.SHA256` would be, if the files in the folder were Fashion-MNIST."""
    return {
        name: hashlib.sha256(gzip.decompress((folder / f"{name}.gz").read_bytes())).hexdigest()
        for name in source.SHA256
    }


def write(arrays, folder):
    """Write the first images of each file, as it is distributed, into the folder."""
    for name, array in arrays.items():
        first = array[: TRAIN if name.startswith("train") else TEST]
        magic = 2051 if first.ndim == 3 else 2049
        header = struct.pack(f">{1 + first.ndim}I", magic, *first.shape)
        content = gzip.compress(header + first.tobytes(), 1)
        (folder / f"{name}.gz").write_bytes(content)


def take():
    """Take the files for Fashion-MNIST in this process."""
    source.SHA256.update(digests(Path(os.environ[source.DATA_VARIABLE])))


def dask_setup(worker):
    """What Dask calls in a worker that was told to `--preload` this."""
    take()


if __name__ in ("__main__", "__mp_main__"):
    take()

if __name__ == "__main__":
    from d2l_lrsched import cli

    cli.main(prog_name="d2l-lrsched")
