from __future__ import annotations

import shutil

from d2l_lrsched.cli import options
from made_up import FIGURES

WRITTEN = {"README.md", "quadratic.svg", "arms.svg", "collapse.svg"}


def test_one_seed_for_one_epoch(made_up_runs, undrawn, invoke, tmp_path):
    """All is asked for in one go, with its seeds and lengths; what comes is drawn and told."""
    done = invoke("clipping", "--seeds", 1, "--epochs", 1, "--output", tmp_path)
    assert done.exit_code == 0, done.output
    arms = ("neither", "clipping", "scheduler", "both", "lower-rate")
    collapse = ("rate-0.3", "rate-0.3-clipped", "rate-0.3-warmup")
    assert sorted((job.name, job.seed) for job in made_up_runs) == sorted(
        [
            *((name, seed) for name in ("pilot", "pilot-clipped") for seed in (1000,)),
            *((name, 0) for name in (*arms, *collapse)),
        ]
    )
    assert {(job.length, job.net) for job in made_up_runs} == {(1, "fast")}
    assert {path.name for path in tmp_path.iterdir()} == {*WRITTEN, "runs.jsonl"}
    verdicts, last = done.output.splitlines()[-2:]
    assert verdicts.endswith("README.md: 0 CONFIRMED, 0 CONTRADICTED, 18 NOT DECIDED")
    assert last == f"All is in {tmp_path}/"  # with a part of the runs nothing is to be compared


def test_from_the_committed_records_all_is_made_again_without_data_or_training(
    monkeypatch, invoke, tmp_path
):
    monkeypatch.setattr(options, "checked_data", None)
    shutil.copy(FIGURES / "clipping" / "runs.jsonl", tmp_path)
    done = invoke("clipping", "--output", tmp_path)
    assert done.exit_code == 0, done.output
    assert done.output.splitlines()[-1] == (
        f"All is in {tmp_path}/; compare it by: diff figures/clipping/README.md "
        f"{tmp_path}/README.md"
    )
    for name in WRITTEN:
        assert (tmp_path / name).read_bytes() == (FIGURES / "clipping" / name).read_bytes(), name
