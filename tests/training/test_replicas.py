from __future__ import annotations

from types import SimpleNamespace

import mxnet as mx
import numpy as np
import pytest

torch = pytest.importorskip("torch")

from torch.nn import functional  # noqa: E402

from d2l_lrsched.data.batches import Batches  # noqa: E402
from d2l_lrsched.data.split import rows  # noqa: E402
from d2l_lrsched.nets.lenet import lenet  # noqa: E402
from d2l_lrsched.studies.chapter.builds import draws  # noqa: E402
from d2l_lrsched.training import loop, replicas  # noqa: E402

mx.npx.set_np()

#: Six batches of 256 and one of 96, as the last of an epoch of 60,000.
TRAIN, TEST, BATCHES = 6 * 256 + 96, 496, 7


@pytest.fixture(scope="module")
def pool(arrays):
    """The first training and test images, and their labels."""
    return tuple(
        np.concatenate([arrays[f"train-{kind}"][:TRAIN], arrays[f"t10k-{kind}"][:TEST]])
        for kind in ("images-idx3-ubyte", "labels-idx1-ubyte")
    )


def given(weights, seed=0):
    """Parameters of two LeNets, and 256 images and classes of each: made up."""
    generator = np.random.default_rng(seed)
    flat = torch.from_numpy(np.stack([draws.weights(w) for w in weights]))
    split = flat.split([int(np.prod(shape)) for shape in replicas.SHAPES], 1)
    parameters = [p.reshape(-1, *shape).clone() for p, shape in zip(split, replicas.SHAPES)]
    for bias in parameters[1::2]:  # they begin as zeros
        bias += torch.from_numpy(generator.uniform(-0.1, 0.1, bias.shape).astype(np.float32))
    images = torch.from_numpy(generator.random((len(weights), 256, 28, 28), np.float32))
    classes = torch.from_numpy(generator.integers(10, size=(len(weights), 256)))
    return parameters, images, classes


def gradients(parameters, images, classes):
    """Every run's gradients, by `update` at rates of 1, 2, ..."""
    after = [p.clone().requires_grad_() for p in parameters]
    eta = torch.arange(1.0, len(classes) + 1)
    replicas.update(after, images, classes, eta)
    return [
        ((before - p) / eta.view(-1, *[1] * (p.dim() - 1))).detach().numpy()
        for before, p in zip(parameters, after)
    ]


def in_float64(parameters, images, classes):
    """One LeNet's gradients, losses and hits, by PyTorch's own layers."""
    w1, b1, w2, b2, *dense = p = [x.double().requires_grad_() for x in parameters]
    h = functional.conv2d(images.double()[:, None], w1, b1, padding=2)
    h = functional.max_pool2d(functional.relu(h), 2)
    h = functional.max_pool2d(functional.relu(functional.conv2d(h, w2, b2)), 2).flatten(1)
    h = functional.relu(functional.linear(h, *dense[:2]))
    h = functional.linear(functional.relu(functional.linear(h, *dense[2:4])), *dense[4:])
    loss = functional.cross_entropy(h, classes)
    hits = (h.argmax(1) == classes).sum()
    return [x.numpy() for x in torch.autograd.grad(loss, p)], loss * len(classes), hits


@pytest.mark.parametrize("n", [256, 96])
def test_gradients_are_those_of_float64(n):
    parameters, images, classes = given(("0", "1"))
    images, classes = images[:, :n], classes[:, :n]
    ours = gradients(parameters, images, classes)
    copies = [p.clone().requires_grad_() for p in parameters]
    losses, hits = replicas.update(copies, images, classes, torch.zeros(2))
    for run in range(2):
        theirs, loss, right = in_float64([p[run] for p in parameters], images[run], classes[run])
        for name, a, b in zip(replicas.SHAPES, ours, theirs):
            assert np.linalg.norm(a[run] - b) <= 1e-5 * np.linalg.norm(b), name
        assert losses[run].item() == pytest.approx(loss.item(), rel=1e-6)
        assert hits[run].item() == right.item()


def test_of_equal_maxima_the_first_gets_the_gradient_as_in_mxnet():
    """Images of zeros and ones, and filters of one weight: four equal in every other window."""
    parameters, images, classes = given(("2",))
    parameters[0].zero_()[..., 2, 2] = 1.0
    parameters[1].fill_(0.5)
    images = images.round()
    ours = gradients(parameters, images, classes)
    net = lenet()
    net.initialize()
    X = mx.np.array(images[0, :, None].numpy())
    net(X)
    for theirs, p in zip(net.collect_params().values(), parameters):
        theirs.set_data(mx.np.array(p[0].numpy()))
    with mx.autograd.record():
        y_hat = net(X)
        loss = mx.gluon.loss.SoftmaxCrossEntropyLoss()(y_hat, mx.np.array(classes[0].numpy()))
    loss.backward()
    for name, a, p in zip(replicas.SHAPES, ours, net.collect_params().values()):
        b = p.grad().asnumpy() / len(X)
        assert np.linalg.norm(a[0] - b) <= 1e-5 * np.linalg.norm(b), name


def by_mxnet(pool, weights, order, trainer_settings):
    """Two epochs of `train`: loss, accuracies and spread of each."""
    images, labels = pool
    net = lenet()
    mx.random.seed(int(weights))
    net.initialize()
    trainer = mx.gluon.Trainer(net.collect_params(), "sgd", trainer_settings)
    mx.random.seed(int(weights))  # `train` draws them anew
    history = loop.train(
        net,
        Batches(images[:TRAIN], labels[:TRAIN], 256, order),
        Batches(images[TRAIN:], labels[TRAIN:], 256),
        2,
        mx.gluon.loss.SoftmaxCrossEntropyLoss(),
        trainer,
        mx.cpu(),
        display="none",
    )
    return {name: [getattr(e, name) for e in history.epochs] for name in replicas.MEASURED}


def test_side_by_side_they_train_as_each_does_alone(pool):
    """Other weights, rates and orders; a few small updates, before rounding has grown.

    Where rounding turns the sign before a relu, the spread, of two images alone, shows it first.
    """
    updates = np.arange(1, 2 * BATCHES + 1)
    train_rows, test_rows = np.split(np.tile(np.arange(TRAIN + TEST), (3, 1)), [TRAIN], 1)
    found = replicas.train_many(
        np.stack([draws.weights(w) for w in "012"]),
        np.stack(
            [0.05 / np.sqrt(updates), np.full(len(updates), 0.03), np.full(len(updates), 0.06)]
        ),
        np.array([5, 3, 5]),
        *pool,
        train_rows,
        test_rows,
        device="cpu",
    )
    settings = (
        {"lr_scheduler": lambda n: 0.05 / n**0.5},
        {"learning_rate": 0.03},
        {"learning_rate": 0.06},
    )
    for run, (weights, order) in enumerate(zip("012", (5, 3, 5))):
        alone = by_mxnet(pool, weights, order, settings[run])
        np.testing.assert_allclose(found["train_loss"][run], alone["train_loss"], rtol=1e-5)
        np.testing.assert_allclose(found["score_spread"][run], alone["score_spread"], rtol=1e-3)
        # One image at most, for two scores may be equal but for rounding.
        for name, images in (("train_acc", TRAIN), ("test_acc", TEST)):
            np.testing.assert_allclose(found[name][run], alone[name], rtol=0, atol=1.5 / images)


def test_each_trains_and_is_tested_on_its_own_rows(pool):
    """Two runs alike but for their rows, beside the same two from pools of these rows alone."""
    generator = np.random.default_rng(0)
    rows = np.stack([generator.permutation(TRAIN + TEST) for _ in range(2)])
    weights, rates = np.stack([draws.weights("0")] * 2), np.full((2, BATCHES), 0.1)

    def train(runs, images, labels, rows):
        return replicas.train_many(
            *(weights[runs], rates[runs], np.zeros(len(rows), int), images, labels),
            *np.split(rows, [TRAIN], 1),
            device="cpu",
        )

    both = train([0, 1], *pool, rows)
    for run in range(2):
        own = [array[rows[run]] for array in pool]
        alone = train([run], *own, np.arange(TRAIN + TEST)[None])
        for name in replicas.MEASURED:
            np.testing.assert_allclose(both[name][run], alone[name][0], rtol=1e-5)
    assert not np.allclose(both["train_loss"][0], both["train_loss"][1], rtol=1e-4)


def test_whole_batches_alone_go_through_the_compiled_update(pool):
    sizes = []

    def spy(parameters, images, classes, eta):
        sizes.append(images.shape[1])
        return replicas.update(parameters, images, classes, eta)

    rows = np.arange(TRAIN + TEST)[None]
    replicas.train_many(
        *(draws.weights("0")[None], np.full((1, BATCHES), 0.1), np.zeros(1, int), *pool),
        *np.split(rows, [TRAIN], 1),
        device="cpu",
        update=spy,
    )
    assert sizes == [256] * 6


def test_orders_are_those_of_the_batches():
    number, seeds = 600, (0, 7)
    images = np.zeros((number, 1, 1), np.uint8)
    batches = [Batches(images, np.arange(number), 256, seed) for seed in seeds]
    drawn = list(replicas.orders(np.array(seeds), number, 2))
    assert len(drawn) == 2
    for order in drawn:
        theirs = [np.concatenate([y.asnumpy() for _, y in of]) for of in batches]
        np.testing.assert_array_equal(order, theirs)


@pytest.fixture
def planned(monkeypatch, tmp_path, pool, capsys):
    """Return a function that makes a plan of five runs of two updates, two in ten seconds."""
    images, labels = pool
    clock, calls = [0.0], []
    train_many = replicas.train_many

    def timed(*arguments, **settings):
        calls.append(arguments)
        clock[0] += 10.0
        return train_many(*arguments, **settings, device="cpu")

    files = {
        "train-images": images[:TRAIN],
        "train-labels": labels[:TRAIN],
        "t10k-images": images[TRAIN:],
        "t10k-labels": labels[TRAIN:],
    }
    # A batch, and 160 images for tests, keep it cheap.
    few = {name: of[:256] if "train" in name else of[:160] for name, of in files.items()}
    monkeypatch.setattr(replicas, "AT_ONCE", 2)
    monkeypatch.setattr(replicas, "read_all", lambda folder: few)
    monkeypatch.setattr(replicas, "train_many", timed)
    monkeypatch.setattr(replicas, "time", SimpleNamespace(monotonic=lambda: clock[0]))
    monkeypatch.setattr(torch, "compile", lambda update: update)
    monkeypatch.setattr(torch.cuda, "get_device_name", lambda: "a GPU")
    of = {
        "weights": np.stack([draws.weights(w) for w in "01"]),
        "weights_of": [0, 1, 1, 0, 1],
        "rates": np.array([[0.05, 0.05], [0.1, 0.1]]),
        "rates_of": [0, 0, 1, 1, 1],
        "orders": [0, 1, 2, 3, 4],
        "splits": [-1, -1, 0, 1, -1],
    }
    np.savez(tmp_path / "plan.npz", **of)

    def main(seconds):
        replicas.main(str(tmp_path / "plan.npz"), str(tmp_path / "made.npz"), "data", str(seconds))
        with np.load(tmp_path / "made.npz") as file:
            return dict(file), calls, capsys.readouterr().out

    def at_once():
        pools = [
            np.concatenate([few[f"{which}-{kind}"] for which in ("train", "t10k")])
            for kind in ("images", "labels")
        ]
        chosen = zip(*(rows(split, pools[1], 256) for split in of["splits"]))
        return train_many(
            *(of["weights"][of["weights_of"]], of["rates"][of["rates_of"]]),
            *(np.array(of["orders"]), *pools, *map(np.stack, chosen)),
            device="cpu",
        )

    main.at_once = at_once
    return main


def test_a_plan_is_made_and_what_fills_the_last_group_is_dropped(planned):
    made, calls, out = planned(3600)
    assert [len(weights) for weights, *_ in calls] == [2, 2, 2]
    assert out.splitlines()[-1] == "5 of 5 runs, 10 s"
    assert made["made_with"] == f"torch {torch.__version__}, a GPU"
    for name, expected in planned.at_once().items():
        assert made[name].shape == (5, 2)
        np.testing.assert_allclose(made[name], expected, rtol=1e-5)


@pytest.mark.parametrize(("seconds", "number"), [(25, 4), (19, 2), (3, 2)])
def test_when_the_time_is_over_it_stops_and_keeps_what_is_made(planned, seconds, number):
    """A group takes ten seconds: none begins that would end later."""
    made, _, _ = planned(seconds)
    assert [len(made[name]) for name in replicas.MEASURED] == [number] * 4
