from __future__ import annotations

import sys
from collections import Counter

from d2l_lrsched.studies.clipping import claims
from d2l_lrsched.studies.clipping.claims import ARMS, LOWER
from d2l_lrsched.studies.clipping.experiments import COLLAPSE, EXPERIMENTS
from d2l_lrsched.studies.clipping.measures import MEASURES


def test_all_claims():
    """The paper's table read once more, and its sections 4.3 and 6."""
    chain = list(zip(ARMS, ARMS[1:]))
    expected = [
        ("4.4", measure, (worse,), better)
        for measure in ("survival", "roughness", "epochs to 0.85", "final loss", "test accuracy")
        for worse, better in chain
        if (measure, better) != ("test accuracy", "scheduler")  # twice "good"
    ]
    expected += [
        ("4.3", "overfitting", ("neither",), "scheduler"),
        ("4.3", "roughness", ("neither",), "scheduler"),
        ("4.3", "late oscillation", ("neither",), "scheduler"),
        ("6", "test accuracy", ("neither", "clipping", "scheduler"), "both"),
    ]
    found = [(c.source, c.measure, c.worse, c.better) for c in claims.CLAIMS]
    assert Counter(found) == Counter(expected)


def test_what_is_asked_beside_the_paper():
    assert {(c.worse, c.better) for c in claims.ASKED} == {((LOWER,), "clipping")}
    measures = [c.measure for c in claims.ASKED]
    assert len(set(measures)) == len(measures) == 5
    assert set(measures) < set(MEASURES)


def test_the_words_are_those_of_the_table():
    assert claims.CLAIMS[0].words == "stability: neither low, clipping medium"
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
    assert named == [*COLLAPSE, *ARMS, LOWER]
    assert set(named) <= set(EXPERIMENTS)


def test_mxnet_stays_out_of_what_only_reads_records(call):
    code = "import sys, d2l_lrsched.studies.clipping.verdicts; sys.exit('mxnet' in sys.modules)"
    assert call("-c", code, command=(sys.executable,)).returncode == 0
