from __future__ import annotations

import io
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import mxnet as mx
import numpy as np
import pytest
from d2l import mxnet as d2l
from msgspec.structs import replace
from mxnet import gluon

from d2l_lrsched.nets import NETS
from d2l_lrsched.schedulers import PlateauScheduler
from d2l_lrsched.studies import all_experiments
from d2l_lrsched.training.checkpoint import Checkpoint
from d2l_lrsched.training.display import Display
from d2l_lrsched.training.loop import train

MADE_WITH = {"experiment": "cosine", "seed": 3, "settings": {"unit": "update"}}


@pytest.fixture
def checkpoint(tmp_path):
    return Checkpoint(tmp_path / "new" / "run.npz", MADE_WITH)


@pytest.fixture
def trained(small_iters):
    """Train an experiment, 13 updates an epoch; return parameters and history, without seconds."""

    def go(
        num_epochs,
        checkpoint=None,
        name="cosine",
        kind="chapter",
        display="none",
        num_train=104,
        **optimizer,
    ):
        train_iter, test_iter = small_iters(3, num_train)
        net = NETS[kind]()
        net.initialize(ctx=d2l.try_gpu())
        mx.random.seed(3)
        optimizer_params, _ = all_experiments()[name].prepare(len(train_iter), num_epochs=3)
        trainer = gluon.Trainer(net.collect_params(), "sgd", {**optimizer_params, **optimizer})
        history = train(
            net,
            *(train_iter, test_iter, num_epochs),
            *(gluon.loss.SoftmaxCrossEntropyLoss(), trainer, d2l.try_gpu()),
            clip_norm=all_experiments()[name].clip_norm,
            display=display,
            checkpoint=checkpoint,
        )
        history.epochs = [replace(epoch, seconds=0.0) for epoch in history.epochs]
        return [p.data().asnumpy() for p in net.collect_params().values()], history

    return go


def assert_same(one, other):
    for a, b in zip(one[0], other[0]):
        np.testing.assert_array_equal(a, b)
    assert repr(one[1]) == repr(other[1])  # to the last digit, and NaN is NaN


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("constant", "chapter"),
        ("square-root", "chapter"),  # another rate at every update
        ("multi-factor", "chapter"),  # MXNet's own, with its state
        ("both", "lanes"),  # clipped, over the whole run
        ("resnet-cosine", "resnet"),  # BatchNorm's running statistics
        ("plateau-warmup", "chapter"),
    ],
)
def test_an_interrupted_run_ends_as_an_uninterrupted_one(trained, checkpoint, name, kind):
    """With MXNet's schedulers' state, the shuffling, the count of updates and the norms."""
    whole = trained(3, name=name, kind=kind)
    trained(1, checkpoint, name=name, kind=kind)
    assert_same(trained(3, checkpoint, name=name, kind=kind), whole)


def test_a_scheduler_with_a_state_gets_it_back(trained, checkpoint):
    """MXNet's cosine, first called past its end, would hand out its first rate for good."""

    def cosine():
        return mx.lr_scheduler.CosineScheduler(10, base_lr=0.5, final_lr=0.01)

    whole = trained(2, lr_scheduler=cosine())
    assert whole[1].epochs[1].lr_first == 0.01
    trained(1, checkpoint, lr_scheduler=cosine())
    assert_same(trained(2, checkpoint, lr_scheduler=cosine()), whole)


def test_a_scheduler_that_was_told_is_told_again(trained, checkpoint):
    """No epoch's loss is a tenth of the one before: the rate drops after each from the second."""

    def rates(num_epochs):
        scheduler = PlateauScheduler(0.3, factor=0.5, patience=1, threshold=0.9)
        _, history = trained(num_epochs, checkpoint, lr_scheduler=scheduler)
        return [epoch.lr_first for epoch in history.epochs]

    assert rates(1) == [0.3]
    assert rates(4) == [0.3, 0.3, 0.15, 0.075]


@pytest.mark.parametrize(("needs_past", "told"), [(True, [1, 2, 3]), (False, [2, 3])])
def test_who_needs_the_past_is_told_all_of_it(trained, checkpoint, needs_past, told):
    class Told(Display):
        def __init__(self):
            self.needs_past, self.epochs = needs_past, []

        def epoch(self, number, epoch):
            self.epochs.append(number)

    trained(2, checkpoint)
    display = Told()
    trained(3, checkpoint, display=display)
    assert display.epochs == told


def test_a_finished_run_is_not_trained_again(trained, checkpoint):
    whole = trained(2, checkpoint)
    written = checkpoint.path.stat().st_mtime_ns
    assert_same(trained(2, checkpoint), whole)
    assert checkpoint.path.stat().st_mtime_ns == written


def test_a_non_finite_run_stays_as_it_ended(trained, checkpoint):
    one = trained(1, checkpoint, name="constant", learning_rate=1e30)
    assert one[1].outcome == "non-finite"
    assert_same(trained(3, checkpoint, name="constant", learning_rate=1e30), one)


def test_history_and_display_have_the_points_of_the_whole_run(trained, checkpoint):
    told = []

    class Told(Display):
        def progress(self, point, lr):
            told.append(point.epoch)

        def epoch(self, number, epoch):
            told.append(number)

    trained(2, checkpoint, num_train=404)
    resumed = trained(3, checkpoint, num_train=404, display=Told())
    assert_same(resumed, trained(3, num_train=404))
    assert told == [49 / 51, 1, 1 + 49 / 51, 2, 2 + 49 / 51, 3]


def test_there_is_no_pickle_in_it(trained, checkpoint):
    trained(1, checkpoint)
    with np.load(checkpoint.path, allow_pickle=False) as file:
        assert {file[name].dtype.kind for name in file} == {"f", "U"}
    assert [path.name for path in checkpoint.path.parent.iterdir()] == ["run.npz"]


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"seed": 4}, "its seed is 3, not 4"),
        ({"settings": {"unit": "epoch"}}, "its settings is {'unit': 'update'}, not"),
        ({"threads": 1}, "its threads is None, not 1"),
    ],
)
def test_one_of_another_run_is_refused(trained, checkpoint, change, reason):
    """And set aside."""
    trained(1, checkpoint)
    content = checkpoint.path.read_bytes()
    other = Checkpoint(str(checkpoint.path), {**MADE_WITH, **change})
    said = rf"run\.npz: refused, {reason}.*starts anew, the file is run\.npz\.refused$"
    with pytest.warns(UserWarning, match=said):
        assert_same(trained(2, other), trained(2))
    assert checkpoint.path.with_name("run.npz.refused").read_bytes() == content


def damaged(content):
    half = len(content) // 2
    yield b""
    yield b"no checkpoint at all"
    yield content[:half]
    yield content[:-1]
    yield content[:half] + bytes([content[half] ^ 1]) + content[half + 1 :]
    yield content[:40] + bytes([content[40] ^ 1]) + content[41:]
    with_a_pickle = io.BytesIO()
    np.savez(with_a_pickle, made_with=np.array({"a": 1}, dtype=object))
    yield with_a_pickle.getvalue()


def test_a_damaged_one_is_refused(trained, checkpoint):
    whole = trained(1, checkpoint)
    content = checkpoint.path.read_bytes()
    for broken in damaged(content):
        checkpoint.path.write_bytes(broken)
        with pytest.warns(UserWarning, match=r"run\.npz: refused, it is damaged .*starts anew"):
            assert_same(trained(1, checkpoint), whole)
        assert_same(trained(1, checkpoint), whole)  # it was written anew, and nothing is refused


def test_a_full_disk_costs_the_checkpoint_and_not_the_run(trained, tmp_path, monkeypatch):
    checkpoint = Checkpoint(tmp_path / "run.npz", MADE_WITH)
    whole = trained(2)

    def no_space(*arguments, **options):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "write_bytes", no_space)
    with pytest.warns(UserWarning, match=r"run\.npz: no checkpoint written \(No space left"):
        assert_same(trained(2, checkpoint), whole)
    assert list(tmp_path.iterdir()) == []


def test_killed_while_writing_it_leaves_a_whole_one(trained, checkpoint):
    """kill -9 of a process that writes as fast as it can; the leftovers go with the file."""
    trained(1, checkpoint)
    content = checkpoint.path.read_bytes()
    script = """if 1:
        import sys; sys.path[:0] = sys.argv[2:]
        from d2l_lrsched.files import whole_file
        content = open(sys.argv[1], "rb").read()
        print("ready", flush=True)
        while True:
            with whole_file(sys.argv[1]) as temporary:
                with open(temporary, "wb") as file:
                    for byte in content:
                        file.write(bytes([byte]))
    """
    with subprocess.Popen(
        [sys.executable, "-c", script, checkpoint.path, *sys.path], stdout=subprocess.PIPE
    ) as process:
        process.stdout.readline()
        while True:  # until it is in the midst of it
            time.sleep(0.05)
            process.send_signal(signal.SIGSTOP)
            os.waitpid(process.pid, os.WUNTRACED)
            if len(list(checkpoint.path.parent.iterdir())) == 2:
                break
            process.send_signal(signal.SIGCONT)
        process.kill()
    assert checkpoint.path.read_bytes() == content
    assert len(list(checkpoint.path.parent.iterdir())) == 2
    checkpoint.remove()
    assert not checkpoint.path.parent.exists()


def test_removing_one_takes_only_its_own(tmp_path):
    """A name may hold what a pattern would read otherwise."""
    for name in ("[a].npz", ".[a].npz.x", ".a.npz.x"):
        (tmp_path / name).touch()
    Checkpoint(tmp_path / "[a].npz", {}).remove()
    assert [path.name for path in tmp_path.iterdir()] == [".a.npz.x"]


def test_an_optimizer_with_a_state_is_refused(trained, checkpoint):
    with pytest.raises(ValueError, match=r"SGD with momentum 0\.9 has a state besides the"):
        trained(1, checkpoint, momentum=0.9)
    net = gluon.nn.Dense(1)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), "sgld")
    with pytest.raises(ValueError, match="SGLD with momentum None"):
        checkpoint.check(trainer)


def test_one_of_another_network_is_refused(trained, checkpoint, monkeypatch):
    """Before any parameter is touched."""

    def smaller():
        net = gluon.nn.HybridSequential()
        net.add(gluon.nn.Dense(10))
        return net

    trained(1, checkpoint)
    monkeypatch.setitem(NETS, "smaller", smaller)
    whole = trained(1, kind="smaller")
    with pytest.warns(UserWarning, match="refused, its parameters are those of another network"):
        assert_same(trained(1, checkpoint, kind="smaller"), whole)


def test_more_epochs_than_asked_are_refused(trained, checkpoint):
    trained(2, checkpoint)
    with pytest.warns(UserWarning, match="refused, it has 2 epochs, more than 1"):
        trained(1, checkpoint)


def test_an_optimizer_that_begins_elsewhere_goes_on_from_there(trained, checkpoint):
    """Under a rate that is another at every update."""
    settings = {"name": "square-root", "begin_num_update": 50}
    whole = trained(3, **settings)
    assert whole[1].epochs[0].lr_first == (50 + 1 + 1) ** -0.5
    trained(1, checkpoint, **settings)
    assert_same(trained(3, checkpoint, **settings), whole)
    with pytest.warns(UserWarning, match="refused, its begin_num_update is 50, not 0"):
        assert_same(trained(1, checkpoint), trained(1))


def test_a_trainer_that_has_made_updates_is_refused(checkpoint):
    net = gluon.nn.Dense(1)
    net.initialize()
    trainer = gluon.Trainer(net.collect_params(), "sgd", {"begin_num_update": 7})
    checkpoint.check(trainer)
    trainer.optimizer.num_update = 58
    with pytest.raises(ValueError, match=r"has counted to 58 from 7 already, .* a new Trainer"):
        checkpoint.check(trainer)


def test_numpys_numbers_are_what_json_holds(trained, tmp_path):
    made_with = {"seed": np.int64(3), "rate": np.float32(0.5), "on": np.bool_(True), "of": (1, 2)}
    path = tmp_path / "run.npz"
    whole = trained(1, Checkpoint(path, made_with))
    again = Checkpoint(path, {"seed": 3, "rate": 0.5, "on": True, "of": [1, 2]})
    assert_same(trained(1, again), whole)  # a refusal would warn


@pytest.mark.parametrize("value", [Path("/x"), float("nan"), {1}, lambda: None])
def test_what_no_file_could_hold_is_refused_before_any_training(tmp_path, value):
    with pytest.raises(ValueError, match="made_with must be what JSON holds, got 'data': "):
        Checkpoint(tmp_path / "run.npz", {"seed": 3, "data": value})


def test_the_path_may_begin_with_the_home_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    assert Checkpoint("~/run.npz", {}).path == tmp_path / "run.npz"
    with pytest.raises(ValueError, match="no user is called 'nosuchuser'"):
        Checkpoint("~nosuchuser/run.npz", {})
