from __future__ import annotations

import math

from d2l_lrsched.studies.chapter import published


def test_the_five_printed_lines():
    """Typed once more from section 11.15's printed output, in its order."""
    lines = {
        name: f"train loss {p.train_loss:.3f}, train acc {p.train_acc:.3f}, "
        f"test acc {p.test_acc:.3f}"
        for name, p in published.PRINTED.items()
    }
    assert lines == {
        "constant": "train loss 2.303, train acc 0.098, test acc 0.100",
        "square-root": "train loss 0.307, train acc 0.887, test acc 0.882",
        "multi-factor": "train loss 0.187, train acc 0.931, test acc 0.898",
        "cosine": "train loss 0.362, train acc 0.870, test acc 0.848",
        "cosine-warmup": "train loss 0.394, train acc 0.857, test acc 0.854",
    }


def test_the_collapsed_one_has_the_loss_of_guessing():
    """ln 10 to three digits, and one class of ten equally frequent ones."""
    guessing = [
        name
        for name, p in published.PRINTED.items()
        if f"{p.train_loss:.3f}" == f"{math.log(10):.3f}" and p.test_acc == 0.1
    ]
    assert [name for name, p in published.PRINTED.items() if p.collapsed] == guessing
    assert guessing == ["constant"]
