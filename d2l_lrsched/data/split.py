"""Other splits of Fashion-MNIST's examples into those to train on and those to test on."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

CLASSES = 10
#: Of the choice of the training examples that are held out: the same ones in every run.
HELD_OUT_SEED = 0


def rows(split: int, labels: np.ndarray, num_train: int) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the pooled examples are trained and tested on.

    The release's own split is the pool's order. Any other takes at random as many test examples of
    each class as the release has, and leaves all in the pool's order.

    Parameters
    ----------
    split : int
        The seed of ``numpy.random.RandomState``; -1 for the release's own.
    labels : ndarray
        (m,): the training examples' first.
    num_train : int
    """
    if split < 0:
        place = np.arange(len(labels))
        return place[:num_train], place[num_train:]
    return _drawn(split, labels, np.bincount(labels[num_train:], minlength=CLASSES))


def held_out_rows(number: int, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Return which of the training examples are trained on, and which are held out for tests.

    As many of each class are held out, at random by `HELD_OUT_SEED`; both are in the given order.

    Raises
    ------
    ValueError
        If `number` is no multiple of the classes, or a class has not more than its share.
    """
    of_class, rest = divmod(number, CLASSES)
    fewest = int(np.bincount(labels, minlength=CLASSES).min())
    if rest or of_class >= fewest:
        raise ValueError(
            f"held_out must be a multiple of {CLASSES} below {CLASSES * fewest}, for of each class "
            f"as many are held out and some are left, got {number!r}"
        )
    return _drawn(HELD_OUT_SEED, labels, [of_class] * CLASSES)


def _drawn(
    seed: int, labels: np.ndarray, numbers: Sequence[int] | np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Return the rows that are left, and so many of each class drawn at random, in order."""
    generator, drawn = np.random.RandomState(seed), np.zeros(len(labels), bool)
    for label, number in enumerate(numbers):
        of_class = np.flatnonzero(labels == label)
        drawn[generator.permutation(of_class)[:number]] = True
    place = np.arange(len(labels))
    return place[~drawn], place[drawn]
