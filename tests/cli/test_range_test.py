from __future__ import annotations

import re

from d2l_lrsched.training.range_test import Sweep

SWEEP = Sweep(0, [0.1, 1.0], [2.3, 2.2], [1.0, 1.0])


def test_a_figure_and_a_line(few_images, invoke, tmp_path):
    """Ten updates do not suffice for a suggestion, but for a line that says so."""
    path = tmp_path / "range.svg"
    done = invoke("range-test", "--seeds", 1, "--output", path)
    assert done.exit_code == 0, done.output
    assert path.read_text().startswith("<?xml")
    (line,) = done.output.splitlines()
    assert re.fullmatch(rf"loss .*is lowest at .*; suggested: .*; drawn to {path}", line)


def test_a_file_that_is_no_figures(few_images, monkeypatch, invoke, tmp_path):
    monkeypatch.setattr("d2l_lrsched.training.range_test._sweep", lambda *_: SWEEP)
    done = invoke("range-test", "--seeds", 1, "--output", tmp_path / "range.txt")
    assert done.exit_code == 2
    assert "--output: range.txt: a figure's file ends in .svg, .png, .pdf" in done.output
