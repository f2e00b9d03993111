"""Other splits of Fashion-MNIST's 70,000 examples into those to train on and those to test on."""

from __future__ import annotations

import numpy as np


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
    place = np.arange(len(labels))
    if split < 0:
        return place[:num_train], place[num_train:]
    generator, tested = np.random.RandomState(split), np.zeros(len(labels), bool)
    for label in range(10):
        of_class = np.flatnonzero(labels == label)
        number = int((labels[num_train:] == label).sum())
        tested[generator.permutation(of_class)[:number]] = True
    return place[~tested], place[tested]
