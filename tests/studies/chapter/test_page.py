from __future__ import annotations

from d2l_lrsched.studies.chapter import explanations, page
from d2l_lrsched.studies.chapter.verdicts import DIFFERENT, compare, distinct
from made_up import FIGURES, a_run, committed

COMMITTED = FIGURES / "chapter"


def test_the_committed_page_is_made_from_the_committed_records():
    runs = distinct(run for run in committed("chapter") if run.num_epochs == 30)
    text = (COMMITTED / "README.md").read_text(encoding="utf-8")
    assert text == page.as_page(runs, compare(runs), committed("chapter"))
    assert "nan" not in text


def test_the_explanation_of_a_difference_stands_beside_it(monkeypatch):
    numbers = {"train_loss": 0.362, "train_acc": 0.87}
    runs = [a_run("cosine", seed, test_acc=0.9, **numbers) for seed in range(5)]
    verdicts = compare(runs)
    assert [v.number for v in verdicts if v.verdict == DIFFERENT] == ["test_acc"]
    assert "- cosine, test acc: Not explained yet.\n" in page.as_page(runs, verdicts)
    monkeypatch.setattr(explanations, "EXPLAINED", {("cosine", "test_acc"): "The moon was full."})
    assert "- cosine, test acc: The moon was full.\n" in page.as_page(runs, verdicts)
