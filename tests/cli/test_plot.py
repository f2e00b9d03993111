from __future__ import annotations

import pytest
from click.testing import CliRunner

import d2l_lrsched as lrs
from d2l_lrsched import cli, drawing


def plot(*arguments):
    return CliRunner().invoke(cli.main, ["plot", *map(str, arguments)])


def drawn(monkeypatch, arguments):
    """What `plot` hands to the drawing function."""
    handed = []
    monkeypatch.setattr(drawing, "two_axes", lambda *a: handed.extend(a))
    monkeypatch.setattr(drawing, "save", lambda figure, path: path)
    done = plot(*arguments.split())
    assert done.exit_code == 0, done.output
    return handed


@pytest.mark.parametrize(
    ("arguments", "schedule"),
    [
        ("square-root --base-lr 1", lrs.SquareRootScheduler(1.0)),
        (
            "factor --factor 0.9 --stop-factor-lr 0.01 --base-lr 2 --warmup-steps 3",
            lrs.WarmupScheduler(lrs.FactorScheduler(0.9, 0.01, 2.0), 3),
        ),
        (
            "linear --max-update 10 --base-lr 1 --warmup-steps 4 --warmup-begin-lr 0.2",
            lrs.WarmupScheduler(lrs.LinearScheduler(10, 1.0), 4, 0.2),
        ),
        ("mxnet-factor --step 235 --factor 0.9", lrs.schedulers.builtin.FactorScheduler(235, 0.9)),
        (
            "multi-factor --step 15,30 --factor 0.5 --base-lr 0.5",
            lrs.MultiFactorScheduler([15, 30], 0.5, 0.5),
        ),
        (
            "poly --max-update 70 --pwr 3 --final-lr 0.001",
            lrs.PolyScheduler(70, pwr=3, final_lr=0.001),
        ),
        (
            "cosine --base-lr 0.5 --max-update 20 --warmup-steps 5 --warmup-mode constant",
            lrs.CosineScheduler(20, 0.5, warmup_steps=5, warmup_mode="constant"),
        ),
    ],
)
def test_the_options_are_the_schedules_arguments(monkeypatch, arguments, schedule):
    handed, num_updates, per_epoch, title = drawn(monkeypatch, f"{arguments} --epochs 2")
    assert handed == schedule
    assert (num_updates, per_epoch, title) == (470, 235, f"{handed!r}, per update")


def test_per_epoch_the_schedule_is_read_once_an_epoch(monkeypatch):
    arguments = "cosine --base-lr 0.5 --max-update 20 --unit epoch"
    schedule, num_updates, per_epoch, title = drawn(monkeypatch, arguments)
    assert (num_updates, per_epoch) == (30 * 235, 235)
    assert schedule(235) == 0.5
    assert schedule(10 * 235 + 1) == pytest.approx(0.25)
    assert title.startswith("CosineScheduler(max_update=20, base_lr=0.5")
    assert title.endswith(", per epoch")


def test_a_figure_is_drawn_where_one_says(tmp_path):
    path = tmp_path / "schedule.svg"
    assert plot("square-root", "--epochs", 2, "--output", path).output == f"Drawn to {path}\n"
    assert path.read_bytes().startswith(b"<?xml")


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
