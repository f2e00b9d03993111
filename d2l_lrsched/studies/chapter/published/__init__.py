"""The numbers that the book prints.

Source: the Vietnamese edition of Dive into Deep Learning, section 11.15 "Learning Rate
Scheduling", MXNet edition; the printed output of its five training runs of 30 epochs.

The book's runs were trained on the first release of Fashion-MNIST, the one whose checksums
MXNet's gluon still asks for. Zalando replaced it on 2017-08-31 (zalandoresearch/fashion-mnist,
issue 44: duplicates, overlap of training and test images), and it is no longer to be had. Ours
are trained on the current release, so small differences in accuracy would be no surprise.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True)
class Published:
    """One printed line of the book: train loss, train and test accuracy after 30 epochs.

    `collapsed` marks the loss ln 10 and accuracy 0.1 of a network with one output for all images.
    """

    train_loss: float
    train_acc: float
    test_acc: float
    collapsed: bool = False

    @property
    def outcome(self) -> str:
        """'collapsed' or 'trained'."""
        return "collapsed" if self.collapsed else "trained"


#: Experiment name -> what the book printed for it.
PRINTED: Mapping[str, Published] = {
    "constant": Published(2.303, 0.098, 0.100, collapsed=True),
    "square-root": Published(0.307, 0.887, 0.882),
    "multi-factor": Published(0.187, 0.931, 0.898),
    "cosine": Published(0.362, 0.870, 0.848),
    "cosine-warmup": Published(0.394, 0.857, 0.854),
}
