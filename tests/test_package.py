"""What users get: the public names with their signatures, and all files of the package."""

from __future__ import annotations

import doctest
import importlib
import inspect
import shutil
import subprocess
import sys

import pytest

import d2l_lrsched as lrs
from made_up import ROOT

SIGNATURES = {
    "SquareRootScheduler": "lr=0.1",
    "FactorScheduler": "factor=1, stop_factor_lr=1e-07, base_lr=0.1",
    "LinearScheduler": "max_update, base_lr=0.01, final_lr=0",
    "MultiFactorScheduler": "step, factor=1, base_lr=0.01, warmup_steps=0, warmup_begin_lr=0, "
    "warmup_mode='linear'",
    "PolyScheduler": "max_update, base_lr=0.01, pwr=2, final_lr=0, warmup_steps=0, "
    "warmup_begin_lr=0, warmup_mode='linear'",
    "CosineScheduler": "max_update, base_lr=0.01, final_lr=0, warmup_steps=0, warmup_begin_lr=0, "
    "warmup_mode='linear'",
    "WarmupScheduler": "scheduler, warmup_steps, warmup_begin_lr=0, warmup_mode='linear'",
    "SequentialScheduler": "schedulers",
    "PerEpoch": "scheduler, updates_per_epoch",
    "PlateauScheduler": None,
    "LangevinScheduler": None,
    "global_norm": "arrays",
    "clip_global_norm": "arrays, max_norm, batch_size=1",
    "clip_value": None,
    "lenet": "",
    "fast_lenet": "",
    "load_fashion_mnist": "batch_size",
    "train": "net, train_iter, test_iter, num_epochs, loss, trainer, ctx, *, clip_norm=None",
    "range_test": "make_net, make_batches, loss=None, ctx=None, *, seeds=5",
    "Checkpoint": None,
    "History": None,
}


@pytest.mark.parametrize("name", SIGNATURES)
def test_a_public_name_is_there_with_its_signature(name):
    assert name in lrs.__all__
    found = inspect.signature(getattr(lrs, name))
    plain = [p.replace(annotation=inspect.Parameter.empty) for p in found.parameters.values()]
    shown = str(found.replace(parameters=plain, return_annotation=inspect.Signature.empty))
    if SIGNATURES[name] is not None:
        assert shown.startswith(f"({SIGNATURES[name]}"), shown
    assert inspect.getdoc(getattr(lrs, name))


@pytest.mark.parametrize(
    "name",
    [
        ".".join(path.relative_to(ROOT).with_suffix("").parts)
        for path in sorted((ROOT / "d2l_lrsched").rglob("*.py"))
        if ">>> " in path.read_text(encoding="utf-8")
    ],
)
def test_the_examples_of_a_docstring_show_what_they_give(name):
    failed, attempted = doctest.testmod(importlib.import_module(name))
    assert attempted
    assert not failed, "see what it printed"


def test_mxnets_own_factor_scheduler_has_a_place_of_its_own():
    builtin = lrs.schedulers.builtin
    assert builtin.FactorScheduler is not lrs.FactorScheduler
    for name in ("MultiFactorScheduler", "PolyScheduler", "CosineScheduler"):
        assert getattr(builtin, name) is getattr(lrs, name)


def test_an_install_holds_every_file_of_the_package(tmp_path):
    """What a wheel is made of; the other tests see an editable install, which lacks nothing."""
    for name in ("setup.cfg", "pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(ROOT / name, tmp_path / name)
    unwanted = shutil.ignore_patterns("__pycache__", ".*")
    shutil.copytree(ROOT / "d2l_lrsched", tmp_path / "d2l_lrsched", ignore=unwanted)
    build = [sys.executable, "-W", "ignore", "-c", "import setuptools; setuptools.setup()", "build"]
    done = subprocess.run(
        [*build, "--build-lib", "built"], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr

    def files(folder):
        return {path.relative_to(folder) for path in folder.rglob("*") if path.is_file()}

    assert files(tmp_path / "built" / "d2l_lrsched") == files(tmp_path / "d2l_lrsched")
