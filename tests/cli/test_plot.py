from __future__ import annotations

import pytest
from click.testing import CliRunner

from d2l_lrsched import drawing
from d2l_lrsched.cli import plot as cli_plot


def plot(*arguments):
    return CliRunner().invoke(cli_plot.plot, [*map(str, arguments)])


@pytest.mark.parametrize(
    "arguments",
    [
        "square-root --base-lr 1",
        "factor --factor 0.9 --stop-factor-lr 0.01 --base-lr 2 --warmup-steps 3",
        "linear --max-update 7050 --base-lr 0.5",
        "mxnet-factor --step 235 --factor 0.9",
        "multi-factor --step 15,30 --factor 0.5 --base-lr 0.5 --unit epoch",
        "poly --max-update 7050 --pwr 3",
        "cosine --base-lr 0.5 --max-update 20 --warmup-steps 5 --warmup-mode constant",
    ],
)
def test_plot_draws_every_schedule(tmp_path, arguments):
    path = tmp_path / "schedule.svg"
    done = plot(*arguments.split(), "--epochs", 2, "--output", path)
    assert done.exit_code == 0, done.output
    assert done.output == f"Drawn to {path}\n"
    assert path.read_bytes().startswith(b"<?xml")


def drawn(monkeypatch, *arguments):
    """What `plot` hands to the drawing function."""
    handed = []
    monkeypatch.setattr(drawing, "two_axes", lambda *a: handed.extend(a))
    monkeypatch.setattr(drawing, "save", lambda figure, path: None)
    assert plot(*arguments, "-o", "x.svg").exit_code == 0
    return handed


def test_plot_per_epoch_reads_the_schedule_once_an_epoch(monkeypatch):
    schedule, num_updates, per_epoch, title = drawn(
        monkeypatch, *["cosine", "--base-lr", "0.5", "--max-update", "20", "--unit", "epoch"]
    )
    assert (num_updates, per_epoch) == (30 * 235, 235)
    assert schedule(235) == 0.5
    assert schedule(10 * 235 + 1) == pytest.approx(0.25)
    assert title.startswith("CosineScheduler(max_update=20, base_lr=0.5")
    assert title.endswith(", per epoch")


def test_plot_puts_a_warmup_before_schedules_that_have_none(monkeypatch):
    schedule, *_ = drawn(
        monkeypatch,
        *[
            "linear",
            "--max-update",
            "10",
            "--base-lr",
            "1",
            "--warmup-steps",
            "4",
            "--warmup-begin-lr",
            "0.2",
        ],
    )
    assert [schedule(n) for n in (0, 2, 4, 9)] == pytest.approx([0.2, 0.6, 1.0, 0.5])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ("cosin", "'cosin' is not one of 'square-root', 'factor', 'linear'"),
        ("linear", "linear needs --max-update"),
        ("linear --max-update 9 --pwr 2", "linear does not take --pwr; it takes --max-update"),
        ("square-root --factor 0.5", "square-root does not take --factor; it takes --base-lr"),
        ("cosine --max-update 9 --base-lr -1", "base_lr must be a finite number > 0, got -1.0"),
        ("multi-factor --step 3,x", "--step '3,x': must be integers, as in 15,30"),
        ("multi-factor --step 30,15", "strictly increasing"),
        ("mxnet-factor --step 15,30", "step must be an integer >= 1, got [15, 30]"),
        ("linear --max-update 9 --warmup-steps -1", "warmup_steps must be an integer >= 0"),
        ("linear --max-update 9 --warmup-mode linear", "--warmup-mode needs --warmup-steps"),
        ("cosine --max-update 9 --warmup-begin-lr 0.1", "--warmup-begin-lr needs --warmup-steps"),
    ],
)
def test_plot_says_what_is_wrong(tmp_path, arguments, message):
    done = plot(*arguments.split(), "-o", tmp_path / "x.svg")
    assert done.exit_code == 2
    assert message in " ".join(done.output.split())
    assert not (tmp_path / "x.svg").exists()


@pytest.mark.parametrize("name", ["x.xyz", "x", "x.svgz", "x.jpg"])
def test_plot_to_an_unknown_format(tmp_path, name):
    done = plot("square-root", "-o", tmp_path / name)
    assert done.exit_code == 2
    assert "a figure's file ends in .svg, .png, .pdf" in " ".join(done.output.split())


def test_plot_without_a_file_draws_into_the_working_directory(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert plot("square-root").output == "Drawn to square-root.svg\n"
    assert [path.name for path in tmp_path.iterdir()] == ["square-root.svg"]


def test_plot_to_the_home_folder(tmp_path, monkeypatch):
    """As zsh and fish leave the ~ of --output=~/x.svg alone."""
    monkeypatch.setenv("HOME", str(tmp_path / "a home"))
    monkeypatch.chdir(tmp_path)
    done = plot("square-root", "--output=~/x.svg")
    assert done.output == f"Drawn to {tmp_path}/a home/x.svg\n"
    assert [path.name for path in tmp_path.iterdir()] == ["a home"]


def test_plot_to_what_is_no_path():
    done = plot("square-root", "--output=~nosuchuser/x.svg")
    assert done.exit_code == 2
    assert "'--output': '~nosuchuser/x.svg': no user is called 'nosuchuser'" in done.output


def test_plot_to_a_file_needs_no_backend(tmp_path, monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "nonsense")
    assert plot("square-root", "-o", tmp_path / "x.pdf").exit_code == 0
