"""What the notebooks count in words, in both languages, filled in from the records."""

from __future__ import annotations

from collections import defaultdict
from functools import cache

import jupytext
import pytest

from d2l_lrsched.runs import record
from d2l_lrsched.studies.chapter import verdicts
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.clipping import claims
from made_up import FIGURES, ROOT

WORDS = {
    "en": ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
    "vi": ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"],
}


@cache
def runs(study):
    """Experiment -> its committed runs, each draw once."""
    found = defaultdict(list)
    for run in verdicts.distinct(record.read(FIGURES / study / "runs.jsonl")):
        found[run.experiment].append(run)
    return found


def dead(study, name):
    found = runs(study)[name]
    return {run.seed for run in found if run.outcome != "trained"}, len(found)


def at_half():
    (seeds, n), (plateau, _) = (dead("exercises", name) for name in ("fixed-0.5", "plateau-warmup"))
    assert not plateau
    return {"dead": len(seeds), "n": n}


def warmups_to_half():
    none, short, tenth, long = (
        dead("exercises", f"warmup-{w}-peak-0.5") for w in ("0", "0.02", "0.1", "0.4")
    )
    assert len(none[0]) == len(short[0])
    assert not tenth[0] | long[0]
    return {"dead": len(none[0]), "n": none[1]}


def at_seven_tenths():
    seeds, n = dead("exercises", "fixed-0.7")
    all_of_them, _ = dead("exercises", "fixed-1")
    assert len(all_of_them) == n
    return {"left": n - len(seeds)}


def beginnings():
    long = {run.seed: run for run in runs("chapter")["constant"] if run.num_epochs > 8}

    def losses(run):
        return [epoch.train_loss for epoch in run.epochs[:8]]

    short = runs("exercises")["fixed-0.3"]
    same = [run for run in short if losses(run) == losses(long[run.seed])]
    return {"same": len(same), "n": len(short), "long": len(long)}


def higher_with_a_plateau():
    constant = {run.seed: run.final.test_acc for run in runs("exercises")["fixed-0.3"]}
    plateau = runs("exercises")["plateau"]
    assert all(run.final.test_acc > constant[run.seed] for run in plateau)
    return {"n": len(plateau)}


def as_intended():
    names = [name for name in CHAPTER if name not in PRINTED]
    of_seed_0 = [name for name in names if 0 in dead("chapter", name)[0]]
    return {"dead": len(of_seed_0), "n": len(names), "printed": len(PRINTED)}


def four_arms():
    (seeds,) = {len(runs("clipping")[arm]) for arm in claims.ARMS}
    (epochs,) = {run.num_epochs for arm in claims.ARMS for run in runs("clipping")[arm]}
    return {"epochs": epochs, "seeds": seeds}


#: Notebook, what it says in English and in Vietnamese, and where the numbers come from.
FACTS = [
    (
        "exercises",
        "at a rate at which {dead} of {n} died in section 1",
        "ở một tốc độ học mà trong phần 1 {n} mạng chết {dead};",
        at_half,
    ),
    (
        "exercises",
        "without one and with 0.02, {dead} of {n} does.",
        "không khởi động, hoặc chỉ 0.02, thì {n} mạng chết {dead}.",
        warmups_to_half,
    ),
    (
        "exercises",
        "at 0.7 all but {left}, at 1.0 every one.",
        "ở 0.7 chỉ còn {left} mạng sống, ở 1.0 không còn mạng nào.",
        at_seven_tenths,
    ),
    (
        "exercises",
        "We have {long} runs at 0.3 that went on to 30 epochs. ({Same} of the {n} runs at 0.3",
        "Ta có {long} lần chạy ở 0.3 kéo dài đến 30 epoch. ({Same} trong {n} lần chạy ở 0.3",
        beginnings,
    ),
    (
        "exercises",
        "**Against the constant rate** all {n} seeds end higher",
        "cả {n} hạt giống đều kết thúc cao hơn",
        higher_with_a_plateau,
    ),
    (
        "lr_scheduling",
        "{Dead} of the {n} runs *as intended* are dead! Before we ask why, one more question about "
        "the {printed} that were printed.",
        "{Dead} trong {n} lần chạy *như đã định* chết! Trước khi hỏi vì sao, hãy trả lời nốt một "
        "câu về {printed} lần chạy đã in.",
        as_intended,
    ),
    (
        "gradient_clipping",
        "in all four, {epochs} epochs each, with the same {seeds} seeds;",
        "theo cả bốn cách, mỗi lần {epochs} epoch, cùng {seeds} hạt giống.",
        four_arms,
    ),
]


@pytest.mark.parametrize("language", WORDS)
@pytest.mark.parametrize(("notebook", "english", "vietnamese", "numbers"), FACTS)
def test_a_count_is_what_the_records_say(notebook, english, vietnamese, numbers, language):
    words = {name: WORDS[language][number] for name, number in numbers().items()}
    words.update({name.capitalize(): word.capitalize() for name, word in words.items()})
    cells = jupytext.read(ROOT / "notebooks" / f"{notebook}_{language}.py").cells
    prose = " ".join(" ".join(cell.source for cell in cells).split())
    said = (english if language == "en" else vietnamese).format(**words)
    assert said in prose
