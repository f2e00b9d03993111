"""What `make test` has the notebooks' kernels run first: the first images only, so in seconds.

IPython runs the file that $PYTHONSTARTUP names. The notebooks themselves stay as they are.
"""

from d2l_lrsched.data import source as files

TRAIN, TEST = 2560, 500


def _first_images(read_all=files.read_all):
    def first(folder):
        counts = {name: TRAIN if name.startswith("train") else TEST for name in files.SHA256}
        return {name: array[: counts[name]] for name, array in read_all(folder).items()}

    return first


files.read_all = _first_images()
