"""Records of runs that never took place, and the committed ones of those that did."""

from __future__ import annotations

import importlib.util
from functools import cache
from pathlib import Path
from statistics import fmean

import numpy as np
from msgspec.structs import replace

from d2l_lrsched.runs import frames, record
from d2l_lrsched.runs.job import Job, Place, run_job
from d2l_lrsched.runs.record import Run
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.studies.chapter.builds import draws, measures
from d2l_lrsched.studies.chapter.published import PRINTED
from d2l_lrsched.studies.chapter.verdicts import distinct
from d2l_lrsched.studies.clipping.verdicts import UNSEEN, judge
from d2l_lrsched.training.history import Epoch, Point

ROOT = Path(__file__).parents[1]
FIGURES = ROOT / "figures"
NOWHERE = Place()


def module_of(path):
    """Return a script as a module, from a folder that is no package: make runs it."""
    spec = importlib.util.spec_from_file_location(f"{path.parent.name}_{path.stem}", path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@cache
def committed(study):
    """Return the committed runs of a study, read once; nobody may change them."""
    return tuple(record.read(FIGURES / study / "runs.jsonl"))


@cache
def table(study):
    """Return the committed runs of a study, each draw once, as `frames.of_runs` has them."""
    return frames.of_runs(distinct(committed(study)))


@cache
def drawn():
    """Return the draws as a table, read once; nobody may change it."""
    return measures.of_draws(draws.read())


@cache
def builds():
    """Return the book's builds as a table, read once; nobody may change it."""
    return measures.of_builds()


@cache
def judged(claims, unseen=False):
    """Return the verdicts on claims by the clipping study's runs, or by those of unseen seeds."""
    runs = committed("clipping")
    return judge([run for run in runs if run.seed >= UNSEEN] if unseen else runs, claims)


def a_job(name, seed=0, num_epochs=1, net="chapter"):
    """Return the job of one of all experiments."""
    return Job(all_experiments()[name], seed, num_epochs, net)


def make(job, place=NOWHERE):
    """Make the job's run in this process and show nothing."""
    return run_job(job, place, "none")


def numbers(run):
    """Return what a run measured, but for its seconds."""
    return [replace(epoch, seconds=0) for epoch in run.epochs], run.points


def of(study, name):
    """Return an experiment's committed runs, a row a seed."""
    found = frames.of_experiment(table(study), name).sort_index()
    assert len(found), name
    return found


def lost(study, name):
    """Return the seeds of an experiment's committed runs that did not train to the end."""
    return {*of(study, name).query("not trained").index}


def mean(study, name, number="test_acc"):
    """Return the mean of a last number of an experiment's committed runs that trained."""
    return fmean(of(study, name).query("trained")[number])


_EPOCH = ("train_loss", "train_acc", "test_acc", "lr_first", "lr_last", "score_spread", "seconds")


def an_epoch(**numbers):
    """Return an epoch of these numbers, every other 0.5."""
    return Epoch(**{**dict.fromkeys(_EPOCH, 0.5), **numbers})


#: Of the five windows of an epoch: four of 50 batches of 256, one of 34 batches of 256 and 96.
EXAMPLES = np.array([12_800, 12_800, 12_800, 12_800, 8_800])


def with_windows(*windows, **numbers):
    """Return epochs and points whose training losses have these window means, five an epoch.

    Each of the numbers is a list, one an epoch.
    """
    epochs, points = [], []
    for i, means in enumerate(windows):
        *inner, last = (np.cumsum(means * EXAMPLES) / np.cumsum(EXAMPLES)).tolist()
        points += [Point(i + k / 5, average, 0.0) for k, average in enumerate(inner)]
        epochs.append(an_epoch(**{"train_loss": last, **{k: of[i] for k, of in numbers.items()}}))
    return {"epochs": epochs, "points": points}


def a_run(experiment="cosine", seed=0, outcome="trained", num_epochs=None, commit="abc", **changes):
    """Return a run of 2 equal epochs, or those given, with 4 points each; numbers are an epoch's.

    `num_epochs` alone makes so many.
    """
    numbers = {k: v for k, v in changes.items() if k in Epoch.__struct_fields__}
    changes = {k: v for k, v in changes.items() if k in Run.__struct_fields__}
    epochs = changes.pop("epochs", None) or [an_epoch(**numbers)] * (num_epochs or 2)
    last = epochs[-1]
    if "points" not in changes:
        times = [i / 5 for i in range(4 * len(epochs))]
        changes["points"] = [Point(time, last.train_loss, last.train_acc) for time in times]
    return Run(
        **{
            "experiment": experiment,
            "seed": seed,
            "settings": {"net": "chapter"},
            "num_epochs": num_epochs or len(epochs),
            "outcome": outcome,
            "epochs": epochs,
            "schedule": None,
            "seconds": 1.0,
            "started": "2026-01-02T03:04:05+00:00",
            "versions": {"commit": commit},
            "processor": "a processor",
            "threads": 1,
            "data": {},
            **changes,
        }
    )


def as_printed(experiment, seed, **changes):
    """A run that ended just where the book's did, or nearly."""
    printed = PRINTED[experiment]
    wiggle = 0.001 * (seed % 3 - 1)
    numbers = ("train_loss", "train_acc", "test_acc")
    ended = {number: getattr(printed, number) + wiggle for number in numbers}
    outcome = "collapsed" if printed.collapsed else "trained"
    made_with = {"versions": {"python": "3.11.7"}, "data": {"labels": "0"}}
    return a_run(experiment, seed, outcome, num_epochs=30, **made_with, **{**ended, **changes})


def agreeing():
    """Return ten runs of each of the book's, whose numbers are the book's."""
    return [as_printed(name, seed) for name in PRINTED for seed in range(10)]


def stored(path, runs):
    """Write a file of these runs and no others; return its path."""
    path.unlink(missing_ok=True)
    for one in runs:
        record.append(path, one)
    return path
