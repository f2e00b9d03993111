"""What the notebooks show and say of the runs, held to the records.

Their tables and figures are made anew and their words looked up, and what they count is filled into
the sentences of both languages. What the prose says besides, and README does not, has a test a
section.
"""

from __future__ import annotations

import ast
import math
import re
from functools import cache
from statistics import fmean

import numpy as np
import pandas as pd
import pytest
from matplotlib.axis import Axis
from matplotlib.text import Text

import d2l_lrsched as lrs
from d2l_lrsched import drawing, stats
from d2l_lrsched.data import TRAIN_EXAMPLES, UPDATES_PER_EPOCH
from d2l_lrsched.runs import frames, ranges, record
from d2l_lrsched.studies.chapter import figures as chapter_figures
from d2l_lrsched.studies.chapter import seeds as seeds_figures
from d2l_lrsched.studies.chapter import tables as chapter_tables
from d2l_lrsched.studies.chapter.builds import crossed, draws, measures
from d2l_lrsched.studies.chapter.builds import figures as builds_figures
from d2l_lrsched.studies.chapter.builds import tables as builds_tables
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.experiments import PUBLISHED
from d2l_lrsched.studies.chapter.published import PRINTED, others
from d2l_lrsched.studies.chapter.verdicts import RARE, compare, counts
from d2l_lrsched.studies.choice import figures as choice_figures
from d2l_lrsched.studies.choice import tables as choice_tables
from d2l_lrsched.studies.choice import tuning
from d2l_lrsched.studies.choice.experiments import ARMS as CHOICE_ARMS
from d2l_lrsched.studies.choice.experiments import (
    CLIP_NORM,
    CLIPPED,
    HELD_OUT,
    PLAIN,
    SCHEDULES,
    SKIPPED,
    TUNE,
    Arm,
)
from d2l_lrsched.studies.choice.experiments import scores as choice_scores
from d2l_lrsched.studies.clipping import figures as clipping_figures
from d2l_lrsched.studies.clipping import tables as clipping_tables
from d2l_lrsched.studies.clipping.claims import ARMS, ASKED, CLAIMS, LOWER
from d2l_lrsched.studies.clipping.descent import descents
from d2l_lrsched.studies.clipping.experiments import COLLAPSE, LOWERED_RATE
from d2l_lrsched.studies.clipping.measures import measure
from d2l_lrsched.studies.clipping.verdicts import (
    CONFIRMED,
    CONTRADICTED,
    NOT_DECIDED,
    prevented,
)
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises import figures as exercises_figures
from d2l_lrsched.studies.exercises.page import answers, differences
from d2l_lrsched.studies.exercises.page import collapses as who_collapses
from d2l_lrsched.studies.sampling import page as sampling_page
from d2l_lrsched.studies.sampling import posterior
from d2l_lrsched.studies.sampling import record as sampling_record
from d2l_lrsched.studies.sampling.figures import sgld
from d2l_lrsched.studies.sampling.verdicts import sampling_errors
from d2l_lrsched.studies.speed.record import Benchmark
from d2l_lrsched.translation import Words
from d2l_lrsched.words import ALONE, PHRASES
from made_up import FIGURES, builds, committed, drawn, judged, lost, mean, of, table
from notebook_texts import code_of, english_of, outputs_of, prose_of, words_of

WORDS = {
    "en": ["no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"],
    "vi": ["không", "một", "hai", "ba", "bốn", "năm", "sáu", "bảy", "tám", "chín", "mười"],
}
each_language = pytest.mark.parametrize("language", WORDS)


# Tables


@cache
def range_tested():
    """The range test of the five seeds."""
    return ranges.stored(FIGURES / "choice" / ranges.RECORDS, 5)


@cache
def pooled():
    """The settings of the sampling, by name, each with all that was sampled."""
    samples = sampling_record.read(FIGURES / "sampling" / "samples.jsonl")
    return {sampled.setting.name: sampled for sampled in sampling_record.pool(samples)}


def tables_of_lr_scheduling():
    runs = list(table("chapter").run)
    of_seed_0 = {run.experiment: run for run in runs if run.seed == 0}
    yield from (chapter_tables.chapter_table([of_seed_0[name]]) for name in PUBLISHED)
    yield chapter_tables.chapter_table(of_seed_0.values())
    yield from (clipping_tables.share_table(runs, names) for names in (["constant"], CHAPTER))
    collapses = builds_tables.collapse_table(drawn(), builds())
    yield collapses[collapses.experiment == "constant"]
    yield collapses[collapses.experiment.str.endswith("per-epoch")]
    left = builds_tables.left_table(drawn(), builds())
    yield left[left.experiment.isin(["square-root", "cosine"])]
    yield chapter_tables.verdict_table(compare(runs)).iloc[:, :8]
    yield chapter_tables.summary_table(runs)
    choice = committed("choice")
    yield from (choice_tables.reached(choice, phase) for phase in (PLAIN, CLIPPED))
    yield from (choice_tables.compared(choice, phase) for phase in (PLAIN, SKIPPED))


def tables_of_gradient_clipping():
    runs = committed("clipping")
    yield clipping_tables.descent_table(descents())
    yield clipping_tables.pilot_table(runs)
    yield clipping_tables.clipped_table(runs)
    yield clipping_tables.arm_table(runs)
    for claims in (CLAIMS, ASKED):
        yield clipping_tables.claim_table(judged(claims), judged(claims, unseen=True))
    yield clipping_tables.share_table(runs, ["pilot", *COLLAPSE, *ARMS, LOWER])
    yield clipping_tables.prevented_table(prevented(runs))


def tables_of_exercises():
    collapses = builds_tables.collapse_table(drawn(), builds())
    yield collapses[collapses.experiment == "constant"]
    for made in (answers, who_collapses, differences):
        yield from (made(table("exercises"), exercise) for exercise in exercises.EXERCISES)


def tables_of_sampling():
    yield sampling_page.last_update(list(pooled().values()))
    yield sampling_page.averages(list(pooled().values()))
    yield sampling_page.method(list(pooled().values()))


#: Notebook -> what makes its tables, and the headers of those that are no records'.
TABLES = {
    "lr_scheduling": (
        tables_of_lr_scheduling,
        [
            ("train loss now", "stored", "test acc now", "stored"),
            ("num_update", "closed form", "Remembering", "MXNet's"),
            ("learning rate", "at first", "after 1 epoch", "after 2 epochs"),
            ("class from", "plotted at 1", "fed 1", "fed 30", "fed 31", "fed 7050"),
            ("schedule", "train loss", "test acc"),
            ("order", "test acc"),
            ("experiment", "train loss", "test acc"),
        ],
    ),
    "gradient_clipping": (
        tables_of_gradient_clipping,
        [
            ("clipped", "gradient", "norm", "angle"),
            ("measure", "definition", "better"),
            ("arm", "measure", "least", "a quarter below", "median", "a quarter above", "most"),
        ],
    ),
    "exercises": (
        tables_of_exercises,
        [
            ("exponent", "share of the run below a tenth", "sum of the rates, constant = 1"),
            (
                "peak",
                "warmup",
                "collapsed",
                "after having learned",
                "the last rates before (update)",
            ),
            ("train loss now", "stored", "test acc now", "stored"),
        ],
    ),
    "sampling": (tables_of_sampling, []),
}
each_notebook = pytest.mark.parametrize("notebook", TABLES)


@cache
def made_of(notebook):
    """Return the tables of the notebook that are the records', and the text that is."""
    make, _ = TABLES[notebook]
    return [one for one in make() if len(one)]


def markdown_of(stem):
    """Return the notebook's outputs in Markdown."""
    outputs = outputs_of(stem)
    return {o.data["text/markdown"] for o in outputs if "text/markdown" in o.get("data", {})}


@each_notebook
@each_language
def test_the_tables_are_made_from_the_records(notebook, language):
    _, others = TABLES[notebook]
    words = Words(language)
    made = {
        words.text(one) if isinstance(one, str) else words.table(one).data
        for one in made_of(notebook)
    }
    shown = markdown_of(f"{notebook}_{language}")
    assert made <= shown
    headers = {words.table(pd.DataFrame(columns=header)).data.splitlines()[0] for header in others}
    assert {text.splitlines()[0] for text in shown - made} == headers


# Words


def figures_of_lr_scheduling():
    runs = list(table("chapter").run)
    of_seed_0 = {run.experiment: run for run in runs if run.seed == 0}
    yield from (chapter_figures.training(run) for run in of_seed_0.values())
    yield from (
        chapter_figures.schedule(of_seed_0[name]) for name in PUBLISHED if name != "constant"
    )
    yield chapter_figures.factor()
    yield chapter_figures.overview(of_seed_0.values())
    yield chapter_figures.plotted_and_trained()  # of the slides
    yield seeds_figures.baseline(runs)
    yield builds_figures.builds(drawn(), builds())
    yield drawing.two_axes(lambda update: 0.1, 1, UPDATES_PER_EPOCH, "")
    yield choice_figures.sensitivity(committed("choice"), range_tested().suggestion)
    yield drawing.range_test(range_tested())


def figures_of_gradient_clipping():
    yield clipping_figures.quadratic(descents())
    yield from (draw(committed("clipping")) for draw in clipping_figures.FIGURES.values())


def figures_of_exercises():
    few = [run for run in committed("exercises") if run.seed < 3]  # more have no other words
    yield from (draw(few) for draw in exercises_figures.FIGURES.values())


def figures_of_sampling():
    yield sgld(sampling_record.read(FIGURES / "sampling" / "samples.jsonl"))


FIGURES_OF = {
    "lr_scheduling": figures_of_lr_scheduling,
    "gradient_clipping": figures_of_gradient_clipping,
    "exercises": figures_of_exercises,
    "sampling": figures_of_sampling,
}
#: What cells of the notebooks draw themselves: the names of the curves that are no experiments'.
DRAWN = {
    "lr_scheduling": ["train loss", "test acc"],
    "gradient_clipping": ["warmup, then linear", "warmup, then cosine"],
}


def texts_of(figure):
    for axis in figure.findobj(Axis):
        axis.get_ticklabels()  # which makes them; drawing does too, but takes longer
    return {text.get_text() for text in figure.findobj(Text)}


def named_in_code(stem):
    """The titles and names of axes that cells give their figures."""
    for cell in code_of(stem):
        for node in ast.walk(ast.parse(re.sub(r"^%.*", "", cell.source, flags=re.MULTILINE))):
            given = node.arg if isinstance(node, ast.keyword) else None
            if isinstance(node, ast.Assign):
                given = getattr(node.targets[0], "id", None)
            if given in ("title", "xlabel", "ylabel") and isinstance(node.value, ast.Constant):
                yield node.value.value


@cache
def shown_in_english(notebook):
    """All texts of the notebook's tables, figures and lines, a cell or a label each."""
    cells = {cell.strip() for text in markdown_of(f"{notebook}_en") for cell in text.split("|")}
    figures = {text for figure in FIGURES_OF[notebook]() for text in texts_of(figure)}
    return {*cells, *figures, *named_in_code(f"{notebook}_en"), *DRAWN.get(notebook, ())}


def lines_of(stem):
    """What the cells print, but for the line of d2l's live plot and an error's own words."""
    for output in outputs_of(stem):
        if output.output_type == "stream" and not output.text.startswith("train loss"):
            yield output.text.replace("not finite: arrays[0] of shape (3,)", "")


@each_notebook
def test_no_english_is_left_in_vietnamese_tables_figures_and_lines(notebook):
    words = Words("vi")
    shown = [words.text(text) for text in shown_in_english(notebook)]
    texts = [*shown, *markdown_of(f"{notebook}_vi"), *lines_of(f"{notebook}_vi")]
    assert {text: english_of(text) for text in texts if english_of(text)} == {}


def test_every_word_of_the_table_is_shown_somewhere():
    texts = {text for notebook in TABLES for text in shown_in_english(notebook)}
    lines = {line for notebook in TABLES for line in lines_of(f"{notebook}_en")}
    everything = "\n".join({*texts, *lines})

    def found(english, alone):
        pattern = r"\S+".join(map(re.escape, english.split("{}")))
        if alone:
            return any(re.fullmatch(pattern, text) for text in texts)
        return re.search(rf"(?<![\w-]){pattern}(?![\w-])", everything)

    missing = [english for english in PHRASES if not found(english, alone=False)]
    assert missing == ["DIFFERENT"], "which no number of the book's is, and the prose says so"
    assert [english for english in ALONE if not found(english, alone=True)] == []


# Counts


def after_8_epochs():
    names = [exercises.fixed_name(rate) for rate in (0.5, 0.7, 1.0)]
    return {**dict(zip("abc", (len(lost("exercises", name)) for name in names))), **seeds()}


def seeds():
    names = {e.name for exercise in exercises.EXERCISES for e in exercise.experiments}
    names -= set(exercises.DEEPER.names)
    (n,) = {len(of("exercises", name)) for name in names}
    return {"n": n}


def after_warmups(peak):
    dead = [len(lost("exercises", exercises.warmup_name(w, peak))) for w in exercises.WARMUPS]
    return {**dict(zip(("none", "short", "tenth", "long"), dead)), **seeds()}


def at_both_lower_peaks():
    numbers = [after_warmups(peak) for peak in (0.5, 0.7)]
    return {name: sum(of_peak[name] for of_peak in numbers) for name in numbers[0]}


def under_exponent_2():
    return {"k": len(lost("exercises", "poly-2")), **seeds()}


def at_the_edge():
    steady, falling = (lost("exercises", name) for name in ("fixed-0.5", "warmup-0-peak-0.5"))
    assert exercises.cosine(4 * UPDATES_PER_EPOCH, 0.5)(50) > 0.99 * 0.5
    return {"both": len(steady & falling), "a": len(steady - falling), "b": len(falling - steady)}


def longer():
    assert len(of("chapter", "constant")) == 10
    return {}


def higher_with_a_plateau():
    gained = of("exercises", "plateau").test_acc - of("exercises", "fixed-0.3").test_acc
    return {"up": int((gained > 0).sum()), **seeds()}


def with_a_warmup_before():
    died = len(lost("exercises", "plateau-warmup"))
    return {"pw": died, "a": len(lost("exercises", "fixed-0.5")), **seeds()}


def as_intended():
    names = [name for name in CHAPTER if name not in PRINTED]
    of_seed_0 = [name for name in names if 0 in lost("chapter", name)]
    return {"dead": len(of_seed_0), "n": len(names), "printed": len(PRINTED)}


def four_arms():
    assert {len(of("clipping", arm)) for arm in (*ARMS, LOWER)} == {40}
    (epochs,) = {epochs for arm in (*ARMS, LOWER) for epochs in of("clipping", arm).num_epochs}
    return {"epochs": epochs}


#: Notebook, what it says in English and in Vietnamese, and where the numbers come from.
FACTS = [
    (
        "exercises",
        "At 0.3 none of {n} networks collapses, but {a} do at 0.5, {b} at 0.7 and {c} at 1.0.",
        "Mỗi tốc độ học có {n} mạng: ở 0.3 không mạng nào sụp đổ, ở 0.5 có {a} mạng, ở 0.7 có {b} "
        "mạng, ở 1.0 có {c} mạng.",
        after_8_epochs,
    ),
    (
        "exercises",
        "Under exponent 2, {k} of {n} networks collapsed, from the first epoch on",
        "Với số mũ 2, trong {n} mạng có {k} mạng sụp đổ ngay từ epoch đầu",
        under_exponent_2,
    ),
    (
        "exercises",
        "{none} of {n} networks collapse without a warmup, {short} with 0.02, {tenth} with 0.1, "
        "and {long} with 0.4.",
        "trong {n} mạng, không khởi động thì sụp đổ {none}, khởi động 0.02 thì {short}, 0.1 thì "
        "{tenth}, 0.4 thì {long}.",
        lambda: after_warmups(0.5),
    ),
    (
        "exercises",
        "{none} of {n} collapse without a warmup, {short} with 0.02, {tenth} with 0.1, and {long} "
        "with 0.4.",
        "trong {n} mạng, không khởi động thì sụp đổ {none}, 0.02 thì {short}, 0.1 thì {tenth}, 0.4 "
        "thì {long}.",
        lambda: after_warmups(0.7),
    ),
    (
        "exercises",
        "{none}, {short}, {tenth} and {long} of {n} collapse.",
        "Theo thứ tự ấy, số mạng sụp đổ trong {n} mạng là {none}, {short}, {tenth} và {long}.",
        lambda: after_warmups(1.0),
    ),
    (
        "exercises",
        "{short} of {n} networks collapsed early after 0.02, {tenth} after 0.1, and none after "
        "0.4. But those that get past the start may still collapse near the peak: after 0.4 "
        "these were {long}.",
        "tính chung {n} mạng, khởi động 0.02 thì {short} mạng sụp đổ sớm, 0.1 thì {tenth}, 0.4 thì "
        "không mạng nào. Nhưng mạng đã qua được lúc đầu vẫn có thể sụp đổ ở gần đỉnh: sau khởi "
        "động 0.4 có {long} mạng như thế.",
        at_both_lower_peaks,
    ),
    (
        "exercises",
        "{both} seeds collapse both times, but {a} collapse in the one experiment only, and {b} in "
        "the other only.",
        "{both} hạt giống sụp đổ cả hai lần, nhưng {a} hạt giống chỉ sụp đổ ở thí nghiệm thứ nhất, "
        "và {b} chỉ ở thí nghiệm thứ hai.",
        at_the_edge,
    ),
    (
        "exercises",
        "We have ten runs at 0.3 that went on to 30 epochs.",
        "Ta có mười lần chạy ở 0.3 kéo dài đến 30 epoch.",
        longer,
    ),
    (
        "exercises",
        "**Against the constant rate** {up} of {n} seeds end higher",
        "{up} trong {n} hạt giống kết thúc với độ chính xác kiểm tra cao hơn",
        higher_with_a_plateau,
    ),
    (
        "exercises",
        "{pw} of {n} networks collapse, all of them around the end of the warmup and having "
        "learned something before, at a rate at which {a} of {n} did in section 1.",
        "trong {n} mạng có {pw} mạng sụp đổ, đều vào quãng cuối đoạn khởi động và sau khi đã học "
        "được chút ít; giữ nguyên ở 0.5, trong phần 1 có {a} mạng.",
        with_a_warmup_before,
    ),
    (
        "lr_scheduling",
        "{Dead} of the {n} runs *as intended* have collapsed! Before we ask why, one more question "
        "about the {printed} that were printed.",
        "{Dead} trong {n} lần chạy *theo ý định của sách* đã sụp đổ! Trước khi hỏi vì sao, hãy trả "
        "lời nốt một câu về {printed} lần chạy đã in.",
        as_intended,
    ),
    (
        "gradient_clipping",
        "in all four, {epochs} epochs each, with the same 40 seeds;",
        "theo cả bốn cách, mỗi lần {epochs} epoch, với cùng 40 hạt giống.",
        four_arms,
    ),
]


@each_language
@pytest.mark.parametrize(("notebook", "english", "vietnamese", "numbers"), FACTS)
def test_a_count_is_what_the_records_say(notebook, english, vietnamese, numbers, language):
    words = {name: str(number) for name, number in numbers().items()}
    if notebook != "exercises":  # few enough to be written out
        words = {name: WORDS[language][int(number)] for name, number in words.items()}
        words.update({name.capitalize(): word.capitalize() for name, word in words.items()})
    prose = " ".join(" ".join(prose_of(f"{notebook}_{language}")).split())
    said = (english if language == "en" else vietnamese).format(**words)
    assert said in prose


# lr_scheduling


@each_language
def test_what_its_cells_print_of_the_baseline(language):
    """Less overfitting in every seed, but the lower accuracy in most; and a coin toss."""
    constant, square_root = (of("chapter", name) for name in ("constant", "square-root"))
    higher = (constant.test_acc > square_root.test_acc).sum()
    gaps = [found.train_acc - found.test_acc for found in (constant, square_root)]
    assert (gaps[0] > gaps[1]).all()
    assert (constant.train_acc > square_root.train_acc).all()
    assert higher >= 8
    warm, cold = (of("chapter", name).run.map(first_loss) for name in ("cosine-warmup", "cosine"))
    lower = (warm < cold).sum()
    assert lower == 5, "a coin toss"
    shown = "\n".join(map(words_of, outputs_of(f"lr_scheduling_{language}")))
    for line in (
        f"constant: higher test accuracy in {higher}, wider gap in 10 of 10 seeds\n",
        f"lower with warmup in {lower} of 10 seeds\n",
        f"{counts(compare(table('chapter').run))}\n",
    ):
        assert Words(language).text(line) in shown
    assert "[1, 1, 1, 2, 2, 2]" in shown, "several calls an update, with the number of updates"


def first_loss(run):
    return run.epochs[0].train_loss


def test_what_it_says_of_the_runs_of_seed_0():
    loss = {name: of("chapter", name).train_loss[0] for name in CHAPTER}
    for slow in ("cosine", "cosine-warmup"):
        assert loss[slow] > max(loss[name] for name in ("constant", "square-root", "multi-factor"))
    assert max(PUBLISHED, key=lambda name: PRINTED[name].test_acc) == "multi-factor"


def test_what_it_says_of_the_last_epochs():
    """Per run; and that the accuracy is no luckier than that, but for what differs anyway."""
    found = table("chapter").query("trained")
    late = found.run.map(frames.late_oscillation).groupby("experiment").mean()
    for name in ("constant", "multi-factor", "cosine", "cosine-warmup"):
        assert 0.009 < late[name] < 0.0125
        assert 0.8 < found.test_acc[name].std() / late[name] < 1.3, "nearly as much"
    assert 0.004 < late["square-root"] < 0.006, "half of it"
    for name in ("cosine-per-epoch", "cosine-warmup-per-epoch"):
        assert late[name] < 0.001
        assert of("chapter", name).query("trained").lr_last.round(9).eq(0.01).all()
        assert max(epoch.lr_first for epoch in of("chapter", name).run[0].epochs) > 0.49
    shown = ("constant", "cosine", "cosine-warmup-per-epoch")
    assert not any(1 in lost("chapter", name) for name in shown)


def test_what_it_says_of_the_leap():
    """In the fourth epoch, with seed 0 and no other."""
    losses = of("chapter", "cosine-warmup-per-epoch").run.map(
        lambda run: [epoch.train_loss for epoch in run.epochs]
    )
    assert [seed for seed, of in losses.items() if of[3] > of[2]] == [0]
    assert all(later < before for before, later in zip(losses[0][3:15], losses[0][4:16]))


def test_what_it_says_of_collapses():
    dead = {name: lost("chapter", name) for name in CHAPTER}
    assert [name for name in CHAPTER if not dead[name]] == [*PUBLISHED, "cosine-warmup-per-epoch"]
    warm = of("chapter", "cosine-warmup-per-epoch")
    for name in ("cosine", "cosine-warmup"):
        assert warm.test_acc[0] > of("chapter", name).test_acc.max()
    first = warm.run[0].epochs[0]
    assert first.lr_first == first.lr_last == 0
    best = sorted(CHAPTER, key=lambda name: mean("chapter", name))[-2:]
    assert "cosine-warmup-per-epoch" in best


def test_what_it_says_of_collapses_among_draws():
    found = {name: drawn()[drawn().experiment == name] for name in CHAPTER}
    died = {name: set(of.weights[~of.trained]) for name, of in found.items()}
    steps, cosine, warm = (
        died[f"{name}-per-epoch"] for name in ("multi-factor", "cosine", "cosine-warmup")
    )
    assert abs(len(steps) - len(cosine)) <= 2
    assert len(steps & cosine) >= len(cosine) - 2, "mostly with the same seeds"
    assert len(cosine) - len(warm) == 1, "nearly as many"
    after = found["cosine-warmup-per-epoch"].since.dropna()
    assert (after > 1).all(), "only later"
    share = (~found["constant"].trained).mean()
    assert 1 / 25 < share < 1 / 15, "about one in twenty"


@each_language
def test_what_it_says_of_equal_training_losses(language):
    every = drawn()[drawn().trained & drawn().split.isna()]
    constant, steps, warm = (
        every[every.experiment == name]
        for name in ("constant", "multi-factor-per-epoch", "cosine-warmup-per-epoch")
    )
    prose = "\n".join(prose_of(f"lr_scheduling_{language}"))
    for found, accuracy in ((constant, "0.878"), (steps, "0.878"), (warm, "0.903")):
        assert abs(found.train_loss.mean() - 0.15) < 0.01, "equal"
        assert f"{found.test_acc.mean():.3f}" == accuracy
        assert accuracy in prose
    assert f"{warm.test_acc.min():.3f}" == "0.892"
    below = pd.concat([constant, steps]).test_acc < warm.test_acc.min()
    assert 0.88 < below.mean() < 0.9, "nearly nine in ten"
    rates = [CHAPTER[name].rates([0.0] * 30)[-1] for name in warm.experiment.unique()]
    assert rates == [pytest.approx(0.01)]
    assert CHAPTER["multi-factor-per-epoch"].rates([0.0] * 30)[-1] == 0.25


def test_what_it_says_of_the_pytorch_edition():
    """That its schedules begin lower is told by its source, not by these results."""
    of_pytorch = [build.results for build in others() if build.framework == "PyTorch"]
    assert len(of_pytorch) == 50
    assert not any(result.collapsed for results in of_pytorch for result in results.values())
    accuracies = {name: fmean(of[name].test_acc for of in of_pytorch) for name in PRINTED}
    assert set(sorted(accuracies, key=accuracies.get)[-2:]) == {"cosine", "cosine-warmup"}
    for name in ("cosine", "cosine-warmup"):
        assert f"{accuracies[name]:.2f}" == "0.90"
        assert f"{PRINTED[name].test_acc:.2f}" == "0.85"


@each_language
def test_what_it_measures_of_the_parameters(language):
    """At the smallest rate they grow least, and they begin alike."""
    after = Words(language).text("after 2 epochs")
    (shown,) = (
        output.data["text/markdown"]
        for output in outputs_of(f"lr_scheduling_{language}")
        if after in output.get("data", {}).get("text/markdown", "")
    )
    rows = [[float(x) for x in row.strip("| ").split(" | ")] for row in shown.splitlines()[2:]]
    assert [row[0] for row in rows] == [0.3, 0.1, 0.01]
    for _, *norms in rows:
        assert norms == sorted(norms), "all grow"
    ends = [row[-1] - row[1] for row in rows]
    assert ends == sorted(ends, reverse=True), "the smaller the rate, the less"


def test_a_schedule_in_pytorch():
    """By the line of the notebook: the same rate at every update, counted from 1."""
    torch = pytest.importorskip("torch")
    schedule = lrs.CosineScheduler(5, base_lr=0.5, final_lr=0.01, warmup_steps=2)
    (text,) = re.findall("```python\n(.*?)```", "\n".join(prose_of("lr_scheduling_en")), re.DOTALL)
    given = {"torch": torch, "net": torch.nn.Linear(1, 1), "schedule": schedule}
    exec(text, given)
    rates = []
    for _ in range(7):
        rates.append(given["optimizer"].param_groups[0]["lr"])
        given["optimizer"].step()
        given["scheduler"].step()
    assert rates == [schedule(n) for n in range(1, 8)]


@each_language
def test_what_it_says_of_the_builds(language):
    prose = " ".join(" ".join(prose_of(f"lr_scheduling_{language}")).split())
    assert {"en": "from 2019 to 2023", "vi": "từ 2019 đến 2023"}[language] in prose
    assert {builds().date.min()[:4], builds().date.max()[:4]} == {"2019", "2023"}
    constant = builds()[builds().experiment == "constant"]
    numbers = [builds().build.nunique(), len(constant), (~constant.trained).sum(), len(drawn())]
    assert numbers == [97, 87, 7, 1617]
    counts = {
        "en": (
            "its 97 builds",
            "87 of the 97 printed",
            "7 of 87 builds",
            "1617 more runs",
            "30 of each",
        ),
        "vi": ("97 bản dựng", "87 trong 97 bản dựng", "7 trong 87 bản dựng", "1617 lần", "có 30"),
    }
    assert [said for said in counts[language] if said not in prose] == []
    assert (drawn().experiment == "cosine-per-epoch").sum() == 30
    left = crossed.left(drawn(), builds())
    nothing = [crossed.holds(left, name) for name in ("both", "split", "weights")]
    assert [len(left), *nothing] == [15, 14, 7, 4]
    said = {
        "en": ("nothing in 14 of 15 such rows", "the split alone in 7, the weights alone in 4"),
        "vi": ("ở 14 trong 15 hàng", "riêng phép chia thì ở 7 hàng, riêng trọng số thì ở 4 hàng"),
    }
    assert [words for words in said[language] if words not in prose] == []


@each_language
def test_what_it_says_of_orders(language):
    found = crossed.crossed(drawn(), "cosine", "test_acc")
    orders, weights = (f"{math.sqrt(of):.3f}" for of in (found.of_orders, found.of_weights))
    said = {
        "en": (f"have a standard deviation of {orders}", f"{weights} is what the weights do"),
        "vi": (f"có độ lệch chuẩn {orders}", f"{weights} là phần mà trọng số gây ra"),
    }
    prose = " ".join(" ".join(prose_of(f"lr_scheduling_{language}")).split())
    assert [words for words in said[language] if words not in prose] == []
    means = measures.today(drawn(), "cosine").groupby("order").test_acc.mean()
    assert f"{means.std():.3f}" == orders, "of the five means"
    assert (found.weights, found.orders) == (32, 5)
    assert found.of_orders > found.of_weights
    assert found.p < 0.001


def test_what_it_says_of_the_books_weights():
    """Of the cosine better than most others with the same orders, else in the middle."""
    shares = {}
    for name in PUBLISHED:
        theirs, ours = (
            of[of.trained & of.order.lt(5)]
            for of in (measures.of_book_weights(drawn(), name), measures.today(drawn(), name))
        )
        others = ours[ours.weights != "0"] if name == "constant" else ours
        means = others.groupby("weights").test_acc.mean()
        shares[name] = (means < theirs.test_acc.mean()).mean()
    assert shares.pop("cosine") > 0.75
    assert all(0.25 < share < 0.75 for share in shares.values())


@each_language
def test_what_it_says_of_recovered_networks(language):
    """Collapsed after some epoch, and not at the end."""
    recovered = [
        d for d in draws.read() if len(d.collapsed) > 0 and d.collapsed[-1] < len(d.test_acc)
    ]
    prose = " ".join(" ".join(prose_of(f"lr_scheduling_{language}")).split())
    number = WORDS[language][len(recovered)]
    said = {
        "en": f"among the draws {number} did",
        "vi": f"trong các lượt rút có {number} mạng hồi phục",
    }
    assert said[language] in prose
    lengths = sorted(len(d.collapsed) for d in recovered)
    assert lengths[len(lengths) // 2] <= 3, "most of them after a few epochs"
    assert lengths[-1] == 17, "the one that is drawn took longest"


@each_language
def test_how_the_schedules_were_compared(language):
    phases = {phase: [] for phase in (TUNE, PLAIN, CLIPPED, SKIPPED)}
    for run in committed("choice"):
        phases[CHOICE_ARMS[run.experiment].phase].append(run)
    assert {phase: len({run.seed for run in runs}) for phase, runs in phases.items()} == {
        TUNE: 5,
        PLAIN: 20,
        CLIPPED: 20,
        SKIPPED: 20,
    }
    assert {run.num_epochs for run in committed("choice")} == {10}
    assert (len(SCHEDULES), len(range_tested().sweeps)) == (11, 5)
    assert (tuning.GOOD, CLIP_NORM) == (0.01, 0.7)
    left, tried = f"{TRAIN_EXAMPLES - HELD_OUT:,}", len(phases[TUNE])
    said = {
        "en": (f"trained on {left} of", f"the other {HELD_OUT:,}", f"took {tried} runs"),
        "vi": (
            f"học trên {left.replace(',', ' ')} ảnh",
            f"trên {HELD_OUT:,} ảnh còn lại".replace(",", " "),
            f"mất {tried} lần chạy",
        ),
    }
    prose = " ".join(" ".join(prose_of(f"lr_scheduling_{language}")).split())
    assert [words for words in said[language] if words not in prose] == []


def test_what_it_says_of_the_schedules():
    scores = choice_scores(committed("choice"))
    chosen = {schedule: tuning.best(of) for schedule, of in scores.items()}
    assert chosen.pop("square-root") == 1
    assert tuning.good(scores["square-root"]).low == 0.7
    assert (min(chosen.values()), max(chosen.values())) == (0.3, 0.7)
    for schedule in chosen:
        good = tuning.good(scores[schedule])
        assert good.low <= 0.2 < 0.3 <= good.high
    at_high = {s: len(lost("choice", Arm(TUNE, s, 0.7).name)) for s in chosen}
    low = {"warmup-cosine", "one-cycle"}
    assert {at_high.pop(s) for s in low} == {2}
    assert min(at_high.values()) == 3
    plain, clipped = (
        choice_tables.reached(committed("choice"), phase).set_index("schedule")
        for phase in (PLAIN, CLIPPED)
    )
    first, second = plain["median"].sort_values().index[:-3:-1]
    assert (first, second) == ("cooldown", "warmup-cosine")
    assert [plain["median"][s] for s in (first, second)] == ["0.8970", "0.8963"]
    assert clipped["median"].max() == clipped["median"]["one-cycle"] == "0.8994"
    assert set(clipped.collapsed) == {"0 of 20"}
    dead = {s: int(of.split()[0]) for s, of in plain.collapsed.items() if of != "0 of 20"}
    assert dead.keys() == {"poly", "cosine", "one-cycle"}
    assert sum(dead.values()) == 19
    assert min(chosen[s] for s in dead) == 0.45
    of_five = {s: len(lost("choice", Arm(TUNE, s, chosen[s]).name)) for s in (*dead, second)}
    assert of_five == {"poly": 0, "cosine": 0, "one-cycle": 2, second: 1}
    assert [chosen[s] for s in (*dead, second)] == [0.45, 0.45, 0.7, 0.45]
    of_plain, of_clipped = (
        choice_tables.compared(committed("choice"), phase).set_index("schedule")
        for phase in (PLAIN, CLIPPED)
    )
    not_higher = of_plain["accuracy is"][of_plain["accuracy is"] != "higher"]
    assert dict(not_higher) == {"square-root": "lower", "poly": "not decided"}
    survivors = of_plain[(of_plain["accuracy is"] == "higher") & (of_plain.pairs != "20")]
    assert set(survivors.index) == {"cosine", "one-cycle"}
    assert of_plain.difference["cooldown"] == "+0.0197"
    skipped = choice_tables.compared(committed("choice"), SKIPPED).set_index("schedule")
    higher = skipped.difference[skipped["accuracy is"] == "higher"]
    assert dict(higher) == {"cooldown": "+0.0094", "warmup-cosine": "+0.0081"}
    assert skipped.difference["constant"] == "-0.0103"
    with_it, without = (
        of("choice", Arm(phase, "constant", 0.3).name).test_acc for phase in (PLAIN, SKIPPED)
    )
    assert (with_it < without).sum() == len(with_it) == 20
    decided = of_clipped["accuracy is"][of_clipped["accuracy is"] != "not decided"]
    assert dict(decided) == {"square-root": "lower", "cosine": "higher", "one-cycle": "higher"}
    assert list(of_clipped.index[of_clipped["collapses are"] != "not decided"]) == ["one-cycle"]
    rate = range_tested().suggestion
    assert f"{rate:.3f}" == "0.044"
    judged = {s: tuning.judge(rate, of) for s, of in scores.items()}
    assert sorted(judged.values()) == ["not decided"] * 3 + ["too low"] * 8
    for schedule in (s for s, verdict in judged.items() if verdict == "not decided"):
        assert tuning.good(scores[schedule]).low == 0.1
        assert tuning.judge(0.03, scores[schedule]) == "too low"


@each_language
def test_what_it_says_of_outcomes(language):
    prose = " ".join(" ".join(prose_of(f"lr_scheduling_{language}")).split())
    assert {"en": f"is above {RARE}, DIFFERENT", "vi": f"nằm trên {RARE}, KHÁC"}[language] in prose


# gradient_clipping


@each_language
def test_the_live_run_is_clipped_nearly_always_in_its_first_epoch(language):
    text = "".join(o.get("text", "") for o in outputs_of(f"gradient_clipping_{language}"))
    (first,) = (line for line in text.splitlines() if line.startswith("epoch 1:"))
    assert int(first.split()[2].rstrip("%")) > 90


@each_language
def test_what_it_says_that_clipping_costs(language):
    newest = record.read(FIGURES / "speed" / "rounds.jsonl", Benchmark)[-1]
    added = [100 * (clipped / plain - 1) for plain, clipped in newest.extras["clipping"]]
    median, n, least, most = np.median(added), len(added), min(added), max(added)
    said = {
        "en": f"took {median:.0f} % longer with it (the median of {n} pairs of epochs, which lie "
        f"between {least:.0f} % and {most:.0f} %)",
        "vi": f"lâu hơn {median:.0f} % (trung vị của {n} cặp epoch; chênh lệch của từng cặp trải "
        f"từ {least:.0f} % đến {most:.0f} %)",
    }
    prose = " ".join(" ".join(prose_of(f"gradient_clipping_{language}")).split())
    assert said[language] in prose


def test_long_gradients_do_not_tell_who_dies():
    """The pilot's largest norms overlap, dead and living."""
    pilot = of("clipping", "pilot")
    largest = pilot.run.map(lambda run: max(epoch.norm_max for epoch in run.epochs))
    living, dead = largest[pilot.trained], largest[pilot.outcome == "collapsed"]
    assert dead.min() < living.max()
    assert living.min() < dead.max()


def test_what_it_says_of_the_claims():
    """By all seeds, and by those not seen before where it matters."""
    of_all, of_unseen = (
        {(j.claim.source, j.claim.measure, j.claim.better): j for j in judged(CLAIMS, unseen)}
        for unseen in (False, True)
    )
    verdicts, unseen = ({key: j.verdict for key, j in of.items()} for of in (of_all, of_unseen))
    confirmed = [
        *(("4.4", name, "clipping") for name in ("survival", "epochs to 0.85", "final loss")),
        ("4.4", "test accuracy", "clipping"),
        *(("4.4", name, "both") for name in ("survival", "roughness")),
        ("4.3", "late oscillation", "scheduler"),
    ]
    assert {verdicts[key] for key in confirmed} == {unseen[key] for key in confirmed} == {CONFIRMED}
    less_stable = ("4.4", "survival", "scheduler")
    assert verdicts[less_stable] == unseen[less_stable] == CONTRADICTED
    open_ = [
        ("4.4", "roughness", "scheduler"),
        ("4.4", "test accuracy", "both"),
        ("6", "test accuracy", "both"),
        *(("4.3", name, "scheduler") for name in ("overfitting", "roughness")),
    ]
    assert {unseen[key] for key in open_} == {NOT_DECIDED}
    both = of_all["6", "test accuracy", "both"]
    assert both.worse == "scheduler"
    assert both.interval.high < 0.01, "small at best"
    assert {j.verdict for j in judged(ASKED)} == {CONFIRMED}


def test_what_it_says_of_the_arms():
    found = measure(committed("clipping"))
    late = found["late oscillation"].groupby("experiment").mean()
    assert late["clipping"] < late["neither"] / 2, "the accuracy settles, too"
    accuracy = found["test accuracy"].groupby("experiment").mean()
    assert 0 < accuracy["scheduler"] - accuracy["clipping"] < 0.01, "a little better"
    assert accuracy[LOWER] < accuracy["clipping"]
    assert len(lost("clipping", "scheduler")) / 40 == 0.25, "a quarter"
    rough = found["roughness"].groupby("experiment")
    worst = frames.of_experiment(found["roughness"], "scheduler").dropna()
    assert 0.2 < (worst > rough.max()["both"] * 2).mean() < 0.35, "about a quarter"
    assert rough.median()["scheduler"] < rough.median()[["clipping", "neither"]].min()
    clipped = np.mean([e.clipped for run in of("clipping", "clipping").run for e in run.epochs])
    assert clipped > 0.5, "more than half of all updates"


@each_language
def test_what_it_says_of_who_dies(language):
    dead = {arm: lost("clipping", arm) for arm in (*ARMS, LOWER)}
    assert not dead["clipping"] | dead["both"]
    both = len(dead["neither"] & dead["scheduler"])
    expected = len(dead["neither"]) * len(dead["scheduler"]) / 40
    assert abs(both - expected) < 2, "as chance would have it"
    prose = " ".join(" ".join(prose_of(f"gradient_clipping_{language}")).split())
    neither, scheduler, lower = (len(dead[arm]) for arm in ("neither", "scheduler", LOWER))
    said = {
        "en": (
            f"Of 40 runs {neither} collapsed with neither",
            f"{scheduler} of its 40 runs collapsed",
            f"At the lower rate {lower} of 40 runs collapsed",
            f"*lower-rate*: the constant rate {LOWERED_RATE}, lower than 0.5",
            f"of the {scheduler} seeds that collapsed with the scheduler, {WORDS['en'][both]} "
            "collapsed with neither",
        ),
        "vi": (
            f"không dùng gì thì {neither} lần sụp đổ",
            f"{scheduler} trong 40 lần chạy đã sụp đổ",
            f"{lower} trong 40 lần chạy đã sụp đổ",
            f"*lower-rate*: không gọt, tốc độ học cố định {LOWERED_RATE}.",
            f"trong {scheduler} hạt giống sụp đổ khi dùng bộ định thời, {both} hạt giống",
        ),
    }
    assert [words for words in said[language] if words not in prose] == []
    of_remedy = {(p.remedy, p.epochs): p for p in prevented(committed("clipping"))}
    for remedy in ("clipping", "both"):
        assert max(of_remedy[remedy, epochs].p_holm for epochs in (2, 10)) < 0.05
    for remedy in ("scheduler", LOWER):
        found = of_remedy[remedy, 10]
        assert found.p_holm > 0.05
        assert found.with_[0] < found.without[0]


def test_the_clipped_share_falls_with_the_epochs():
    for run in of("clipping", "clipping").run:
        assert run.epochs[0].clipped > run.final.clipped


# exercises


def verdicts(exercise):
    """What the last column of the differences says, by what is compared."""
    found = differences(table("exercises"), exercise)
    return dict(zip(found["compared"], found.iloc[:, -1]))


def means(names, number="test_acc"):
    return [mean("exercises", name, number) for name in names]


def test_what_it_says_of_fixed_rates():
    names = [exercises.fixed_name(rate) for rate in exercises.FIXED_RATES]
    assert not any(lost("exercises", name) for name in names[:3])
    losses, accuracies = means(names[:3], "train_loss"), means(names[:3])
    assert losses == sorted(losses, reverse=True)
    assert accuracies == sorted(accuracies)
    assert max(means(names[3:])) < accuracies[-1]
    assert verdicts(exercises.FIXED) == {
        "fixed-0.1 - fixed-0.03": "fixed-0.1 is higher",
        "fixed-0.3 - fixed-0.1": "not decided",
        "fixed-0.5 - fixed-0.3": "fixed-0.3 is higher",
        "fixed-0.7 - fixed-0.5": "not decided",
        "fixed-1 - fixed-0.7": "not decided",
    }
    counted = who_collapses(table("exercises"), exercises.FIXED)
    assert list(counted["verdict"]) == ["fewer under fixed-0.3", "not decided", "not decided"]
    assert set(counted.iloc[:, -1]) == {"not decided"}
    assert round(1 / stats.share(0, seeds()["n"])[1]) == 6, "one in six"


def test_what_it_says_of_thirty_epochs():
    epochs = frames.of_epochs(of("chapter", "constant").run)
    early, late = (epochs.xs(n, level="epoch") for n in (8, 30))
    gains = late.test_acc - early.test_acc
    gaps = [found.train_acc - found.test_acc for found in (early, late)]
    assert (gains > 0).sum() >= 7, "in most seeds"
    assert (gaps[0] < gaps[1]).all()
    assert (gaps[1] - gaps[0]).mean() > gains.mean(), "the larger part"
    winner = early.test_acc.idxmax()
    before, after = (found.test_acc[winner] - found.test_acc.mean() for found in (early, late))
    assert 0 < after < before / 2, "most of the lead"


def test_what_it_says_of_warmups():
    """Fewest collapse after the longest, at every peak; after the shortest more than after none."""
    dead = {peak: after_warmups(peak) for peak in exercises.PEAKS}
    assert all(of["long"] == min(of.values()) for of in dead.values())
    assert all(dead[peak]["short"] > dead[peak]["none"] for peak in (0.5, 0.7))
    assert round(exercises.WARMUPS[1] * 4 * UPDATES_PER_EPOCH) == 19
    counted = who_collapses(table("exercises"), exercises.WARMUP)
    assert set(counted.iloc[:, -1]) == {"not decided"}
    of_accuracies = verdicts(exercises.WARMUP)
    assert {name for name, words in of_accuracies.items() if words != "not decided"} == {
        "warmup-0.1-peak-0.5 - warmup-0.02-peak-0.5"
    }
    (odd,) = of("exercises", "warmup-0.4-peak-0.7").query("trained and test_acc < 0.7").test_acc
    assert round(1 / odd) == 6, "one picture in six"


def test_how_it_says_that_networks_collapsed():
    """Early after a short warmup, after a long one late; below 1.5 they had learned."""
    died = {
        warmup: [
            run
            for peak in exercises.PEAKS
            for run in of("exercises", exercises.warmup_name(warmup, peak)).query("not trained").run
        ]
        for warmup in exercises.WARMUPS
    }
    early = [run for warmup in (0.0, 0.02, 0.1) for run in died[warmup]]
    assert sum((frames.window_means(run) < 1.5).any() for run in early) == 1, "an exception"
    peak = 0.4 * 4 * UPDATES_PER_EPOCH
    assert peak == 376
    on_the_way = 0
    for run in died[0.4]:  # in the window after the last in which it knew something
        index = np.flatnonzero(frames.window_means(run) < 1.5).max() + 1
        on_the_way += UPDATES_PER_EPOCH * (index // 5 + frames.WINDOW_ENDS[index % 5]) < peak
    assert on_the_way > len(died[0.4]) / 2, "most"
    highest = [np.nanmax(frames.window_means(run)) for run in died[0.4]]
    assert 2 <= sum(loss > 1e5 for loss in highest) < len(highest) / 4, "a few"


def test_what_it_says_of_samples():
    found = sampling_page.last_update(list(pooled().values())).set_index("setting")
    disagree = found["agrees with the prediction"].str.startswith("no")
    assert list(found.index[disagree]) == ["fixed-unstable"]
    assert found["agrees with the posterior"].str.startswith("no").all()
    distances = {name: sampled.found.distance[-1] for name, sampled in pooled().items()}
    assert min(distances, key=distances.get) == "paper"
    near = {name: sampled.near for name, sampled in pooled().items() if sampled.near is not None}
    assert near.keys() == {"paper", "fixed-small"}
    assert near["paper"] < 0.6 * near["fixed-small"], "much sooner"
    paper = pooled()["paper"]
    assert paper.exact.distance[-1] < sampling_errors(paper.num_chains)["W2"]
    assert paper.num_chains >= 2000, "thousands"
    bound = 4 / posterior.PRECISIONS[0]
    assert bound < posterior.SETTINGS["fixed-unstable"].step < 1.02 * bound, "hardly above"
    narrow, wide = np.sqrt(pooled()["fixed-unstable"].exact.variance[-1])
    assert np.spacing(narrow) > 1e6 * wide, "rounding"


def test_what_it_says_of_samples_without_noise():
    """A point; and a cloud that is round, where the posterior's axes differ by nearly two."""
    units = np.sqrt(posterior.PRECISIONS)
    assert np.sqrt(pooled()["sgd-paper"].found.variance[-1]).max() < 0.2
    axes = np.sqrt(pooled()["sgd-moderate"].found.variance[-1]) / units
    assert max(axes) / min(axes) < 1.2 < 1.8 < max(units) / min(units)


def test_what_it_says_of_the_no_of_the_paper():
    for name in ("paper", "fixed-small"):
        sampled = pooled()[name]
        error = sampling_errors(sampled.num_chains)["variance"]
        found, exact = sampled.found.variance[-1, 0], sampled.exact.variance[-1, 0]
        assert 1 < exact < 1.1
        luck, all_in_all = (found / exact - 1) / error, (found - 1) / error
        assert 2 < luck < 3.5
        if name == "paper":
            assert luck > 2 / 3 * all_in_all, "most of it is luck"


def test_what_it_says_of_averages():
    paper = pooled()["paper"]
    for name, truth in (("mean", 0), ("square", 1)):
        errors = {
            w: np.abs(paper.averages[w][name][0].mean - truth).max() for w in ("weighted", "plain")
        }
        assert errors["plain"] < errors["weighted"]
    burnt = int(posterior.BURN_IN * posterior.NUM_UPDATES)
    expected, _ = posterior.predict(posterior.SETTINGS["paper"].steps(posterior.NUM_UPDATES))
    assert abs(expected[burnt, 1]) > 1, "still on their way along the wide axis"


def test_what_it_says_of_the_deeper_network():
    """What README says of it as well, `test_readme` holds."""
    assert not any(lost("exercises", e.name) for e in exercises.DEEPER.experiments)
    words = verdicts(exercises.DEEPER)
    for other in ("resnet-constant", "resnet-poly"):
        assert words[f"resnet-cosine - {other}"] == "resnet-cosine is higher"
    for other in ("resnet-steps", "resnet-warmup-cosine"):
        assert words[f"resnet-cosine - {other}"] == "not decided"
    assert len(words) == 4
    poly, cosine = means(("resnet-poly", "resnet-cosine"), "train_loss")
    assert poly > cosine


def test_what_it_says_of_exponents():
    names = [*map(exercises.poly_name, exercises.EXPONENTS), "fixed-0.3"]
    assert names == ["poly-0.5", "poly-1", "poly-2", "poly-4", "fixed-0.3"]
    losses, accuracies = means(names, "train_loss"), means(names)
    assert losses[0] < losses[1] < losses[2] < losses[3]
    assert losses[0] < losses[4] < losses[2], "higher with 2 and 4"
    assert abs(losses[0] - losses[4]) < 0.02 > abs(losses[1] - losses[4]), "not what differs"
    assert accuracies[3] < accuracies[4]
    assert verdicts(exercises.EXPONENT) == {
        "poly-0.5 - fixed-0.3": "poly-0.5 is higher",
        "poly-1 - fixed-0.3": "poly-1 is higher",
        "poly-2 - fixed-0.3": "not decided",
        "poly-4 - fixed-0.3": "not decided",
    }
    for run in of("exercises", "poly-4").run:
        later = [epoch.test_acc for epoch in run.epochs[4:]]
        assert max(later) - min(later) < 0.005, "flat"
    found = differences(table("exercises"), exercises.EXPONENT).difference
    for language in WORDS:
        prose = " ".join(" ".join(prose_of(f"exercises_{language}")).split())
        said = [f"{loss:.3f}" for loss in losses] + [gain.lstrip("+") for gain in found[:2]]
        assert [number for number in said if number not in prose] == []


def test_what_it_says_of_those_that_collapsed_under_a_rate_from_03():
    names = [exercises.poly_name(pwr) for pwr in exercises.EXPONENTS]
    assert {name for name in names if lost("exercises", name)} == {"poly-2"}
    for run in of("exercises", "poly-2").query("not trained").run:
        assert all(epoch.test_acc < 0.11 for epoch in run.epochs), "from the first on"
        assert max(epoch.lr_first for epoch in run.epochs) <= 0.3
        assert frames.window_means(run)[3:].min() > 2.29, "after 150 updates at the latest"
    assert exercises.poly(8 * UPDATES_PER_EPOCH, 0.3, 2.0)(150) > 5 / 6 * 0.3


def test_what_it_says_of_the_plateau():
    assert not lost("exercises", "plateau")
    for name in ("plateau", "plateau-warmup"):
        for run in of("exercises", name).query("trained").run:
            losses = [epoch.train_loss for epoch in run.epochs]
            rates = [epoch.lr_last for epoch in run.epochs]
            cut = next(i for i in range(1, len(rates)) if rates[i] < rates[i - 1])
            assert losses[cut - 1] > 0.9 * losses[cut - 2]
            assert losses[cut] < 0.9 * losses[cut - 1]
            assert cut in (4, 5), "at much the same times"
    for run in of("exercises", "plateau-warmup").query("not trained").run:
        windows = frames.window_means(run)  # 5 an epoch, and the warmup is the first
        assert min(windows[:5]) < 1.5, "it has learned something"
        assert not any(windows[6:] < 2.2), "and from the second epoch on it is lost; perhaps nan"
    assert verdicts(exercises.PLATEAU) == {
        "plateau - fixed-0.3": "plateau is higher",
        "plateau-warmup - plateau": "not decided",
    }
    warm, cold = (of("exercises", name) for name in ("plateau-warmup", "plateau"))
    assert warm.trained[:5].all()
    assert (warm.test_acc > cold.test_acc)[:5].all(), "by the first five"
    lenets = [
        name
        for exercise in exercises.EXERCISES
        if exercise is not exercises.DEEPER
        for name in exercise.names
        if of("exercises", name).trained.any()
    ]
    assert min(lenets, key=lambda name: mean("exercises", name, "train_loss")) == "plateau-warmup"
    plateau, slow = means(("plateau", "poly-0.5"))
    assert abs(plateau - slow) < 0.01, "about as far"
