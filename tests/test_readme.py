"""What README says: facts from records, code that runs, commands that parse.

Every number of README, as a digit or a word, stands in a `fact`, a table or code, all held here.
"""

from __future__ import annotations

import math
import re
import shlex
from collections import Counter
from datetime import datetime
from functools import cache

import pytest
import yaml

from d2l_lrsched import cli
from d2l_lrsched.data import BATCH_SIZE, TRAIN_EXAMPLES, UPDATES_PER_EPOCH, batches
from d2l_lrsched.data import source as files
from d2l_lrsched.runs import ranges, record
from d2l_lrsched.runs.experiment import NUM_EPOCHS
from d2l_lrsched.stats import mean_sd
from d2l_lrsched.studies.chapter import verdicts
from d2l_lrsched.studies.chapter.builds import crossed, measures
from d2l_lrsched.studies.chapter.builds import verdicts as of_builds
from d2l_lrsched.studies.chapter.experiments import EXPERIMENTS as CHAPTER
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.choice import experiments as choice
from d2l_lrsched.studies.choice import tables, tuning
from d2l_lrsched.studies.clipping import claims
from d2l_lrsched.studies.clipping.threshold import lowered_rate
from d2l_lrsched.studies.clipping.verdicts import (
    CONFIRMED,
    CONTRADICTED,
    NOT_DECIDED,
    UNSEEN,
    judge,
)
from d2l_lrsched.studies.exercises import experiments as exercises
from d2l_lrsched.studies.exercises.page import collapses, differences
from d2l_lrsched.studies.speed import page
from d2l_lrsched.studies.speed.record import Benchmark
from d2l_lrsched.training.history import COLLAPSED_SPREAD
from made_up import FIGURES, ROOT, builds, committed, drawn, lost, mean, of, table

README = (ROOT / "README.md").read_text()
WORDS = (
    *("none", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten"),
    *("eleven", "twelve", "thirteen", "fourteen", "fifteen", "sixteen", "seventeen", "eighteen"),
    *("nineteen", "twenty"),
)
INTENDED = [name for name in CHAPTER if name not in PRINTED]


def one_line(text):
    return " ".join(text.split())


# Facts: a sentence, and the function that gives its numbers


@cache
def rates(name):
    """The learning rate of every update of an experiment of the chapter."""
    params, _ = CHAPTER[name].prepare(UPDATES_PER_EPOCH)
    schedule = params.get("lr_scheduler", lambda n: params["learning_rate"])
    return [schedule(n) for n in range(1, NUM_EPOCHS * UPDATES_PER_EPOCH + 1)]


FACTS = {}


def fact(sentence):
    """Hold a sentence of README: a template of what the decorated function gives, if anything."""

    def keep(numbers):
        FACTS[numbers.__name__] = (sentence, numbers)
        return numbers

    return keep


@fact("Fashion-MNIST under {n} schedules, over many seeds")
def what_it_is():
    return {"n": WORDS[len(PRINTED)]}


@fact(
    "MXNet feeds a scheduler the number of updates, {updates} an epoch. The book draws its cosine "
    "over {epochs} epochs; trained, it is over within the first tenth of the first epoch, and the "
    "rate is {rate} from then on."
)
def updates_not_epochs():
    cosine = rates("cosine")
    assert cosine[UPDATES_PER_EPOCH // 10] == cosine[-1]
    return {"updates": UPDATES_PER_EPOCH, "epochs": NUM_EPOCHS, "rate": cosine[-1]}


@fact("it trains at {first} for {n} updates and at {rest} ever after, never at {drawn}.")
def plotted_then_trained():
    trained_with = Counter(rates("multi-factor"))
    (first, n), (rest, _) = sorted(trained_with.items(), reverse=True)
    drawn = CHAPTER["multi-factor"].scheduler.keywords["base_lr"]
    assert drawn not in trained_with
    return {"first": first, "n": n, "rest": rest, "drawn": drawn}


def died(table):
    return int((~table.trained).sum())


@fact(
    "**The printed {acc:.3f} is a collapsed network.** Loss {loss} is ln {classes}, the loss of "
    "equal scores for all {word} classes. At the same constant rate of {rate} this befell {dead} "
    "of the {n} *builds* that had it, runs that the book's authors made anew over the years, and "
    "{ours} of {m} runs of ours with the book's initial weights."
)
def the_printed_collapse():
    printed = PRINTED["constant"]
    assert printed.collapsed
    assert printed.train_loss == round(math.log(10), 3)
    theirs = builds()[builds().experiment == "constant"]
    with_weights = measures.of_book_weights(drawn(), "constant", trained=False)
    return {
        "acc": printed.test_acc,
        "loss": printed.train_loss,
        "classes": round(math.exp(printed.train_loss)),
        "word": WORDS[round(math.exp(printed.train_loss))],
        "rate": CHAPTER["constant"].learning_rate,
        "dead": died(theirs),
        "n": len(theirs),
        "ours": died(with_weights),
        "m": len(with_weights),
    }


@fact(
    "Of {n} more runs of cosine with warmup, made on a GPU in PyTorch, {dead} collapsed; the "
    "others end at a test accuracy of {acc:.3f}, above every schedule that the book prints. Of the "
    "cosine alone {others} of {m} collapsed."
)
def as_intended():
    warm, cold = (
        drawn()[drawn().experiment == f"{n}-per-epoch"] for n in ("cosine-warmup", "cosine")
    )
    means = drawn()[drawn().trained & drawn().split.isna()].groupby("experiment").test_acc.mean()
    acc = means["cosine-warmup-per-epoch"]
    assert min(acc, means["cosine-per-epoch"]) > max(means[name] for name in PRINTED)
    return {"acc": acc, "dead": died(warm), "n": len(warm), "others": died(cold), "m": len(cold)}


@fact(
    "Its notebooks were run anew for {n} builds, and MXNet draws the same weights for whoever "
    "seeds nothing. Of {means} means of the builds {different} differ from ours on today's "
    "pictures. The book's weights and another split of the pictures together leave {both} of the "
    "{rows} with the chapter's settings without a difference (95 % intervals), which was found "
    "afterwards ([all, by {draws} runs"
)
def the_builds():
    left, judged = crossed.left(drawn(), builds()), of_builds.means(drawn(), builds())
    return {
        "both": crossed.holds(left, "both"),
        "n": builds().build.nunique(),
        "means": len(judged),
        "different": sum(mean.verdict == of_builds.DIFFERENT for mean in judged),
        "rows": len(left),
        "draws": len(drawn()),
    }


@fact(
    "**No number of the chapter contradicts our runs.** Of {n} comparisons {agree} agree. {open} "
    "cannot be decided: the test accuracies of the {tests} runs that trained, which move too much "
    "from one epoch to the next, and the collapse, for which {runs} runs are too few."
)
def the_verdicts():
    found = verdicts.compare(table("chapter").run)
    counts = Counter(v.verdict for v in found)
    assert counts[verdicts.DIFFERENT] == 0
    of_tests = [v.verdict for v in found if v.number == "test_acc"]
    assert set(of_tests) == {verdicts.INCONCLUSIVE}
    (collapse,) = (v for v in found if v.experiment == "constant")
    assert collapse.verdict == verdicts.INCONCLUSIVE
    assert counts[verdicts.INCONCLUSIVE] == len(of_tests) + 1
    return {
        "n": len(found),
        "agree": counts[verdicts.CONSISTENT],
        "open": WORDS[counts[verdicts.INCONCLUSIVE]].capitalize(),
        "tests": WORDS[len(of_tests)],
        "runs": collapse.n,
    }


@fact(
    "trains the book's {n} runs of {epochs} epochs, which took {minutes} minutes on a busy "
    "two-core machine"
)
def how_long_the_book_takes():
    first = [of("chapter", name).run[0] for name in PRINTED]
    starts = [datetime.fromisoformat(run.started).timestamp() for run in first]
    ends = [start + run.seconds for start, run in zip(starts, first)]
    minutes = round((max(ends) - min(starts)) / 60)
    return {"n": WORDS[len(first)], "epochs": NUM_EPOCHS, "minutes": minutes}


@fact(
    "on kernels of our own: {minutes} minutes for all {n} runs on {cores} idle cores. The book's "
    "own loop, as its readers run it, takes {times} times as long as this"
)
def how_long_the_fast_net_takes():
    newest = record.read(ROOT / "figures/speed/rounds.jsonl", Benchmark)[-1]
    (seconds,) = newest.start_ups["d2l-lrsched reproduce --net fast"]
    measured = {row["what"]: row["measured"] for _, row in page.targets(newest).iterrows()}
    (times,) = (text for what, text in measured.items() if "the book's loop" in what)
    return {
        "minutes": WORDS[round(seconds / 60)],
        "n": WORDS[len(PRINTED)],
        "cores": WORDS[newest.cores],
        "times": times.split()[0],
    }


@fact(
    "The loss is that of the last of {epochs} epochs. Ours are mean ± standard deviation of the "
    "runs that did not collapse. A run *collapsed* if its class scores are the same, within "
    "{spread}, for all test images. The last {rows} rows"
)
def what_the_table_shows():
    return {"epochs": NUM_EPOCHS, "spread": COLLAPSED_SPREAD, "rows": WORDS[len(INTENDED)]}


@fact("seed 0 was trained with the book's net, the others with the fast net")
def which_net():
    for name in CHAPTER:
        nets = {run.seed: run.settings["net"] for run in of("chapter", name).run}
        assert nets.pop(0) == "chapter"
        assert set(nets.values()) == {"lanes"}
    return {}


@fact(
    "{Schedules} schedules trained LeNet for {epochs} epochs, each at the peak rate that suits it: "
    "chosen on {held:,} held-out training pictures by the median of {tuned} seeds, then judged by "
    "{fresh} fresh seeds on the test set"
)
def how_schedules_were_compared():
    runs = [(choice.ARMS[run.experiment].phase, run) for run in committed("choice")]
    seeds = {of: len({run.seed for phase, run in runs if phase == of}) for of, _ in runs}
    (epochs,) = {run.num_epochs for _, run in runs}
    return {
        "Schedules": WORDS[len(choice.SCHEDULES)].capitalize(),
        "epochs": WORDS[epochs],
        "held": choice.HELD_OUT,
        "tuned": WORDS[seeds[choice.TUNE]],
        "fresh": WORDS[seeds[choice.PLAIN]],
    }


@fact(
    "{Higher} of {n} have a higher test accuracy than the constant rate, {some} of them in the "
    "seeds where they trained; the square root's is lower. The highest medians have a cooldown "
    "over the last fifth, {cooldown}, and a warmup with a cosine, {warm}; the constant rate has "
    "{constant}. No two that come down were compared."
)
def what_comes_down_is_better():
    compared = tables.compared(committed("choice"), choice.PLAIN).set_index("schedule")
    said = compared["accuracy is"]
    reached = tables.reached(committed("choice"), choice.PLAIN).set_index("schedule")
    medians = reached["median"]
    best = ["cooldown", "warmup-cosine"]
    assert list(medians.sort_values().index[:-3:-1]) == best
    assert said["square-root"] == "lower"
    return {
        "Higher": WORDS[(said == "higher").sum()].capitalize(),
        "n": WORDS[len(said)],
        "some": WORDS[((said == "higher") & (compared.pairs != "20")).sum()],
        "cooldown": medians["cooldown"],
        "warm": medians["warmup-cosine"],
        "constant": medians["constant"],
    }


@fact(
    "An epoch's last has {pictures} pictures; its update, right before the test, costs the "
    "constant rate {costs}. Without that update only the cooldown and the warmup with a cosine are "
    "decided to be higher."
)
def the_last_batch_costs():
    compared = tables.compared(committed("choice"), choice.SKIPPED).set_index("schedule")
    higher = compared.index[compared["accuracy is"] == "higher"]
    assert list(higher) == ["cooldown", "warmup-cosine"]
    assert compared["accuracy is"]["constant"] == "lower"
    return {
        "pictures": TRAIN_EXAMPLES % BATCH_SIZE,
        "costs": compared.difference["constant"].removeprefix("-"),
    }


@fact(
    "**Clipped, {clipped} of {n} networks was lost,** {plain} without, at peaks of {least} or "
    "more; decided for one-cycle alone."
)
def clipping_saves():
    dead = {}
    for run in committed("choice"):
        arm = choice.ARMS[run.experiment]
        dead.setdefault(arm.phase, []).append((run.outcome != "trained", arm.peak))
    plain, clipped = dead[choice.PLAIN], dead[choice.CLIPPED]
    assert len(plain) == len(clipped)
    gained = tables.compared(committed("choice"), choice.CLIPPED).set_index("schedule")
    assert list(gained.index[gained["collapses are"] == "fewer"]) == ["one-cycle"]
    return {
        "n": len(plain),
        "plain": sum(lost for lost, _ in plain),
        "clipped": WORDS[sum(lost for lost, _ in clipped)],
        "least": min(peak for lost, peak in plain if lost),
    }


@fact(
    "**A range test suggests {rate:.3f},** which is too low for {low} of the schedules and not "
    "decided for the other {open}."
)
def the_range_test():
    rate = ranges.stored(FIGURES / "choice" / ranges.RECORDS, 5).suggestion
    judged = Counter(tuning.judge(rate, of) for of in choice.scores(committed("choice")).values())
    assert judged.keys() == {"too low", "not decided"}
    return {
        "rate": rate,
        "low": WORDS[judged["too low"]],
        "open": WORDS[judged["not decided"]],
    }


@fact(
    "ranks {arms} combinations in words. We trained each for {epochs} epochs with the same "
    "{seeds} seeds, at a constant {rate} or with a warmup to {rate} and a cosine down to 0; and, "
    "as a fifth arm, at a constant {lower}, which is {rate} times the share of a step that "
    "clipping keeps on average."
)
def the_clipping_study():
    arms = [of("clipping", name) for name in (*claims.ARMS, claims.LOWER)]
    (epochs,) = {epochs for arm in arms for epochs in arm.num_epochs}
    (seeds,) = {tuple(arm.index) for arm in arms}
    assert {of("clipping", "neither").run[seed].epochs[0].lr_first for seed in seeds} == {0.5}
    both = of("clipping", "both")
    assert round(max(epoch.lr_first for epoch in both.run[0].epochs), 3) == 0.5
    assert both.lr_last.max() < 0.001
    pilot = [run for run in committed("clipping") if run.experiment == "pilot-clipped"]
    (lower,) = set(arms[-1].lr_last)
    assert lower == lowered_rate(pilot)
    return {
        "arms": WORDS[len(claims.ARMS)],
        "epochs": WORDS[epochs],
        "seeds": len(seeds),
        "rate": 0.5,
        "lower": lower,
    }


@fact(
    "Without clipping and schedule, {neither} of {n} runs collapsed; with the schedule alone "
    "{scheduler}, at the lower rate {lower}; with clipping, alone or with the schedule, none of "
    "{clipped}."
)
def clipping_prevents_collapse():
    dead = {name: len(lost("clipping", name)) for name in (*claims.ARMS, claims.LOWER)}
    assert dead.pop("clipping") == dead.pop("both") == 0
    (n,) = {len(of("clipping", name)) for name in claims.ARMS}
    of_survival = {(j.worse, j.claim.better): j for j in judged() if j.claim.measure == "survival"}
    assert of_survival["neither", "clipping"].verdict == CONFIRMED
    lower = dead.pop(claims.LOWER)
    return {**dead, "lower": lower, "n": n, "clipped": 2 * n}


@cache
def judged():
    """By the seeds that the rules had not seen: their verdicts count."""
    return judge([run for run in committed("clipping") if run.seed >= UNSEEN])


@fact(
    "**Of {n} claims {yes} are confirmed, {no} is contradicted, {open} are undecided,** by the "
    "{seeds} seeds not seen before. Clipping converges sooner than neither, to a lower loss and a "
    "higher accuracy. The schedule alone is *less* stable than clipping alone, and both together "
    "are more stable than the schedule alone. That both classify better is not decided."
)
def the_papers_claims():
    found = {(j.claim.measure, j.worse, j.claim.better): j.verdict for j in judged()}
    for name in ("survival", "epochs to 0.85", "final loss", "test accuracy"):
        assert found[name, "neither", "clipping"] == CONFIRMED
    assert found["survival", "clipping", "scheduler"] == CONTRADICTED
    for name in ("survival", "roughness"):
        assert found[name, "scheduler", "both"] == CONFIRMED
    assert found["test accuracy", "scheduler", "both"] == NOT_DECIDED
    counts = Counter(j.verdict for j in judged())
    unseen = {run.seed for run in committed("clipping") if run.experiment == "both"}
    return {
        "n": len(judged()),
        "yes": counts[CONFIRMED],
        "no": counts[CONTRADICTED],
        "open": counts[NOT_DECIDED],
        "seeds": sum(seed >= UNSEEN for seed in unseen),
    }


def decided(exercise, compared):
    """What an exercise's page says of a comparison of test accuracies, if the new seeds agree."""
    (row,) = (r for r in differences(table("exercises"), exercise).to_numpy() if r[0] == compared)
    return row[4] if len(set(row[4:])) == 1 else "not decided"


@fact(
    "Best is the chapter's {best}, if not surely better than 0.1. Above it runs collapse: {half} "
    "of {n} at 0.5, {most} at 0.7, {all} at 1."
)
def a_fixed_rate():
    names = {rate: exercises.fixed_name(rate) for rate in exercises.FIXED_RATES}
    dead = {rate: len(lost("exercises", name)) for rate, name in names.items()}
    means = {rate: mean("exercises", name) for rate, name in names.items()}
    best = max(means, key=means.get)
    assert max(names, key=lambda rate: of("exercises", names[rate]).test_acc.max()) == best
    assert [rate for rate in names if rate > best] == [0.5, 0.7, 1.0]
    assert not any(dead[rate] for rate in names if rate <= best)
    assert decided(exercises.FIXED, "fixed-0.3 - fixed-0.1") == "not decided"
    n = len(of("exercises", names[best]))
    return {"best": best, "n": n, "half": dead[0.5], "most": dead[0.7], "all": dead[1.0]}


@fact(
    "A slow fall helps: test accuracy {slow:.3f} at exponent 0.5, against {constant:.3f} at "
    "the constant rate."
)
def the_exponent():
    assert not lost("exercises", "poly-0.5")
    assert decided(exercises.EXPONENT, "poly-0.5 - fixed-0.3") == "poly-0.5 is higher"
    return {"slow": mean("exercises", "poly-0.5"), "constant": mean("exercises", "fixed-0.3")}


@fact(
    "In each of {seeds} seeds every falling schedule ends above the constant rate. Cosine cannot "
    "be told from steps or from cosine with warmup."
)
def a_deeper_network():
    names = {experiment.name for experiment in exercises.DEEPER.experiments}
    constant = of("exercises", "resnet-constant").test_acc
    for name in names - {"resnet-constant"}:
        assert (constant < of("exercises", name).test_acc).all()
    for name in ("resnet-steps", "resnet-warmup-cosine"):
        assert decided(exercises.DEEPER, f"resnet-cosine - {name}") == "not decided"
    return {"seeds": WORDS[len(constant)]}


@fact(
    "Of {n} runs without a warmup {none} collapsed at a peak of 0.5, {short} with one of 2 % of "
    "the run, {tenth} with 10 % and {long} with 40 %. None of the tested differences is decided, "
    "nor at higher peaks."
)
def a_warmup():
    assert exercises.WARMUPS == (0.0, 0.02, 0.1, 0.4)
    dead = [len(lost("exercises", exercises.warmup_name(w, 0.5))) for w in exercises.WARMUPS]
    counted = collapses(table("exercises"), exercises.WARMUP)
    assert set(counted.iloc[:, -1]) == {"not decided"}
    return {
        "n": len(of("exercises", exercises.warmup_name(0.0, 0.5))),
        **dict(zip(("none", "short", "tenth", "long"), dead)),
    }


@fact(
    "From {from_} this ends with a higher test accuracy than the constant {from_}, {plateau:.3f} "
    "against {constant:.3f}; from {warm_from}, after a warmup, {lost} of {n} collapse."
)
def the_plateau():
    assert not lost("exercises", "plateau")
    assert decided(exercises.PLATEAU, "plateau - fixed-0.3") == "plateau is higher"
    warm = of("exercises", "plateau-warmup").run[0]
    return {
        "from_": of("exercises", "plateau").run[0].epochs[0].lr_first,
        "warm_from": max(epoch.lr_last for epoch in warm.epochs),
        "plateau": mean("exercises", "plateau"),
        "constant": mean("exercises", "fixed-0.3"),
        "lost": len(lost("exercises", "plateau-warmup")),
        "n": len(of("exercises", "plateau-warmup")),
    }


@pytest.mark.parametrize("name", FACTS)
def test_a_fact_is_what_the_records_say(name):
    sentence, numbers = FACTS[name]
    assert sentence.format(**numbers()) in one_line(README)


# Numbers that are no measurements, and where else they are held
ASIDES = (
    *(r"```.*?```", r"<!-- table.*?<!-- end -->", r"`[^`\n]*`", r"\]\([^)]*\)", r"^\d+\. "),
    *(r"\bd2l(?:_lrsched)?", r"arXiv:[\d.]+", r"CVE-[\d-]+", "SHA-256", "x86_64"),
    *(r"[Ss]ection 11\.15", r"\[12\.11", r"archived in 2023"),
    *(r"Python 3\.9(?:, 3\.10 or| to) 3\.11", r"2\.31\.0", "fetches the four files"),
    "with 0 on success, 2 on bad usage, and 1 on failure",
)


def test_every_number_stands_in_a_fact():
    rest = README
    for aside in ASIDES:
        assert re.search(aside, rest, re.DOTALL | re.MULTILINE), aside
        rest = re.sub(aside, " ", rest, flags=re.DOTALL | re.MULTILINE)
    whole, rest = one_line(README), one_line(rest)
    for sentence, numbers in FACTS.values():
        said = re.sub(r"`[^`]*`", " ", sentence.format(**numbers()))
        assert one_line(said) in rest, said
        rest = rest.replace(one_line(said), " ")
    words = "|".join(WORDS[2:])
    assert not re.findall(rf"\S*\d\S*|\b(?:{words}|thirty|forty|fifty)\b", rest), whole


# Tables


def shown(name):
    (found,) = re.findall(rf"<!-- table: {name} -->\n(.*?)<!-- end -->", README, re.DOTALL)
    return [[cell.strip() for cell in row.split("|")[1:-1]] for row in found.splitlines()][2:]


def learning_rates(name):
    """What a run of the chapter really trained with, in words."""
    of, epochs = rates(name), rates(name)[::UPDATES_PER_EPOCH]
    end = min(n for n, rate in enumerate(of, 1) if rate == of[-1])
    end_epoch = epochs.index(epochs[-1])
    top = of.index(max(of)) + 1
    return {
        "constant": f"{of[0]} throughout",
        "square-root": f"{of[0]:.3f} at first, {of[UPDATES_PER_EPOCH - 1]:.3f} after an epoch, "
        f"{of[-1]:.3f} at the end",
        "multi-factor": f"{of[0]} for {of.count(of[0])} updates, then {of[-1]}",
        "cosine": f"0.5 to {of[-1]} in {end} updates, then {of[-1]}",
        "cosine-warmup": f"0 to {max(of)} in {top} updates, to {of[-1]} by update {end}",
        "square-root-per-epoch": f"{epochs[0]} in the first epoch, {epochs[-1]:.3f} in the last",
        "multi-factor-per-epoch": f"{epochs[0]} for {epochs.count(epochs[0])} epochs, "
        f"then {epochs[-1]}",
        "cosine-per-epoch": f"{epochs[0]} to {epochs[-1]} in {end_epoch} epochs, then {epochs[-1]}",
        "cosine-warmup-per-epoch": f"{epochs[0]:g} to {max(epochs)} in "
        f"{epochs.index(max(epochs))} epochs, to {epochs[-1]} by epoch {end_epoch}",
    }[name]


def of_ours(study, name):
    found = of(study, name)
    lived = found[found.trained]
    ours = [mean_sd(lived[number]) for number in ("train_loss", "test_acc")]
    return ours, f"{len(found) - len(lived)} of {len(found)}"


def chapter_table():
    for name in CHAPTER:
        printed, (ours, dead) = PRINTED.get(name), of_ours("chapter", name)
        theirs = f"{printed.train_loss:.3f}, {printed.test_acc:.3f}" if printed else "-"
        yield [name, learning_rates(name), theirs, *ours, dead]


def clipping_table():
    for name in (*claims.ARMS, claims.LOWER):
        said, (ours, dead) = claims.PAPER.get(name), of_ours("clipping", name)
        yield [name, str(said.effectiveness) if said else "-", dead, *ours]


@pytest.mark.parametrize(
    ("name", "made"), [("chapter", chapter_table), ("clipping", clipping_table)]
)
def test_the_tables_are_made_from_the_committed_records(name, made):
    assert shown(name) == list(made())


# What a reader types

FENCES = re.findall(r"```(\w+)\n(.*?)```", README, re.DOTALL)
CONTRIBUTING = (ROOT / "CONTRIBUTING.md").read_text()
HELD = README + CONTRIBUTING


def test_it_is_short():
    assert len(README.splitlines()) <= 200


def test_every_command_parses():
    lines = re.findall(r"^d2l-lrsched (.*)", HELD, re.MULTILINE)
    named = set(re.findall(r"`d2l-lrsched (\w+)", HELD))
    assert lines
    for line in lines:
        command, *arguments = shlex.split(line, comments=True)
        if command != "--help":
            named.add(command)
            context = cli.main.make_context("d2l-lrsched", [command, *arguments])
            cli.main.get_command(context, command).make_context(command, arguments)
    assert named <= set(cli.main.list_commands(None))


def test_the_code_runs_as_it_stands(monkeypatch, arrays):
    images, labels = arrays["t10k-images-idx3-ubyte"][:24], arrays["t10k-labels-idx1-ubyte"][:24]
    few = batches.Batches(images, labels, 8), batches.Batches(images, labels, 8)
    (block,) = (block for language, block in FENCES if language == "python")
    monkeypatch.setattr(batches, "load_fashion_mnist", lambda batch_size: few)
    exec(compile(block, "README.md", "exec"), {})


def test_make_targets_options_variables_and_versions_exist():
    targets = set(re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), re.MULTILINE))
    named = set(re.findall(r"(?:^|`)make ([a-z-]+)", HELD, re.MULTILINE))
    assert {"reproduce", "test", "help"} <= named <= targets
    variables = {"DATA_VARIABLE": files.DATA_VARIABLE, "URL_VARIABLE": files.URL_VARIABLE}
    assert set(re.findall(r"\$(D2L\w+)", README)) == set(variables.values())
    setup = (ROOT / "setup.cfg").read_text()
    assert "python_requires = >=3.9,<3.12" in setup


def test_every_slow_test_is_named():
    sources = "".join(path.read_text() for path in (ROOT / "tests").rglob("test_*.py"))
    slow = re.findall(r"^@pytest\.mark\.slow\n(?:@.*\n)*def (\w+)", sources, re.MULTILINE)
    assert set(re.findall(r"`(test_\w+)`", CONTRIBUTING)) == set(slow)


def test_every_link_leads_somewhere():
    links = re.findall(r"\]\((?!https:)([^)#]+)", HELD)
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
    paths = re.findall(r"`((?:d2l_lrsched|tests|figures|notebooks)/[\w/.]*)`", HELD)
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_citation_names_book_translators_and_data():
    cited = yaml.safe_load((ROOT / "CITATION.cff").read_text())
    assert cited["cff-version"] == "1.2.0"
    assert {"message", "title", "authors", "license", "version"} <= cited.keys()
    book, data = cited["references"]
    assert [author["family-names"] for author in book["authors"]] == [
        "Zhang",
        "Lipton",
        "Li",
        "Smola",
    ]
    assert len(book["translators"]) == 8
    assert data["title"].startswith("Fashion-MNIST")
