from __future__ import annotations

import sys
from collections import Counter

from d2l_lrsched.studies.clipping import claims
from d2l_lrsched.studies.clipping.claims import ARMS
from d2l_lrsched.studies.clipping.experiments import COLLAPSE, EXPERIMENTS


def test_all_claims():
    """The paper's table read once more, and its sections 4.2, 4.3 and 6."""
    chain = [("neither", "<", "clipping"), ("clipping", "<", "scheduler")]
    chain.append(("scheduler", "<", "both"))
    expected = [
        ("4.4", measure, *link)
        for measure in ("survival", "roughness", "epochs to 0.85", "final loss")
        for link in chain
    ]
    expected += [
        ("4.4", "test accuracy", "neither", "<", "clipping"),
        ("4.4", "test accuracy", "clipping", "=", "scheduler"),
        ("4.4", "test accuracy", "scheduler", "<", "both"),
        ("4.2", "epochs to 0.85", "clipping", "<", "neither"),
        ("4.3", "overfitting", "neither", "<", "scheduler"),
        ("4.3", "roughness", "neither", "<", "scheduler"),
        ("6", "test accuracy", "clipping", "<", "both"),
        ("6", "test accuracy", "neither", "<", "both"),
    ]
    found = [(c.source, c.measure, c.worse, c.relation, c.better) for c in claims.CLAIMS]
    assert Counter(found) == Counter(expected)
    assert len(found) <= 25  # 25 * 2/1024 is below 5 %, 26 * 2/1024 above


def test_the_words_are_those_of_the_table():
    assert claims.CLAIMS[0].words == "stability: neither low, clipping medium"
    (slower,) = (c for c in claims.CLAIMS if c.source == "4.2")
    assert "contradicts table 4.4" in slower.words
    printed = {
        arm: (row.stability.printed, row.convergence.printed, row.effectiveness.printed)
        for arm, row in claims.PAPER.items()
    }
    assert printed == {
        "neither": ("Thấp", "Kém", "Trung bình"),
        "clipping": ("Trung bình", "Trung bình", "Tốt"),
        "scheduler": ("Tốt", "Tốt", "Tốt"),
        "both": ("Rất tốt", "Cao", "Rất tốt"),
    }


def test_the_remedies_are_experiments():
    named = [name for plain, remedies in claims.REMEDIES for name in (plain, *remedies)]
    assert named == [*COLLAPSE, *ARMS]
    assert set(named) <= set(EXPERIMENTS)


def test_mxnet_stays_out_of_what_only_reads_records(call):
    code = "import sys, d2l_lrsched.studies.clipping.verdicts; sys.exit('mxnet' in sys.modules)"
    assert call("-c", code, command=(sys.executable,)).returncode == 0
