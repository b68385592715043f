"""digitnet.train: arguments, reports, stopping, repeating; the arithmetic is in test_numpy_reference.py."""

import io

import numpy as np
import pytest

import digitnet as dn
from digitnet.training import epoch_line


def parameters(network):
    return np.concatenate([np.concatenate([layer.weights.ravel(), layer.bias]) for layer in network.layers])


def test_a_tiny_network_learns_twenty_images_by_heart(mnist):
    twenty = mnist.train[:20]
    network = dn.Network([784, 32, 10], seed=1)
    history = dn.train(network, twenty, epochs=60, batch_size=5, optimizer=dn.Adam(5e-3))
    assert network.evaluate(twenty).accuracy == 1
    assert history.epochs[-1].training_loss < 0.05


def test_the_history_says_what_happened(small_network, small_data):
    history = dn.train(
        small_network, small_data, validation=0.2, epochs=3, batch_size=50, optimizer=dn.Sgd(0.1)
    )
    assert history.reason == "done"
    assert len(history) == len(history.epochs) == 3
    assert [report.epoch for report in history.epochs] == [1, 2, 3]
    for report in history.epochs:
        assert report.epochs == 3
        assert report.training_loss > 0
        assert 0 <= report.training_accuracy <= 1
        assert report.validation_loss > 0
        assert 0 <= report.validation_accuracy <= 1
        assert report.learning_rate == 0.1
    assert "3 epochs, done" in repr(history)


def test_validation_is_measured_after_the_epoch_and_never_learned_from(small_network, small_data):
    held_out, rest = small_data.split(60, seed=4)
    twin = small_network.copy()
    history = dn.train(small_network, rest, validation=held_out, epochs=2, seed=4)
    dn.train(twin, rest, epochs=2, seed=4)
    np.testing.assert_array_equal(parameters(small_network), parameters(twin))
    assert history.epochs[-1].validation_loss == small_network.evaluate(held_out).loss
    assert history.epochs[-1].validation_accuracy == small_network.evaluate(held_out).accuracy


def test_a_share_is_drawn_with_the_seed(small_network, small_data):
    twin = small_network.copy()
    dn.train(small_network, small_data, validation=0.2, epochs=2, seed=4)
    _, rest = small_data.split(60, seed=4)
    dn.train(twin, rest, epochs=2, seed=4)
    np.testing.assert_array_equal(parameters(small_network), parameters(twin))


@pytest.mark.parametrize("name", dn.OPTIMIZERS)
def test_an_optimizer_may_be_named(small_network, small_data, name):
    twin = small_network.copy()
    history = dn.train(small_network, small_data, epochs=2, optimizer=name)
    dn.train(twin, small_data, epochs=2, optimizer=dn.make_optimizer(name))
    np.testing.assert_array_equal(parameters(small_network), parameters(twin))
    assert history.epochs[-1].learning_rate == dn.default_learning_rate(name)


def test_the_name_of_an_optimizer_that_there_is_not(small_network, small_data):
    names = ", ".join(dn.OPTIMIZERS)
    with pytest.raises(dn.ArgumentError) as caught:
        dn.train(small_network, small_data, optimizer="adm")
    assert str(caught.value) == f'train: optimizer "adm", expected one of {names}; did you mean "adam"?'


@pytest.mark.parametrize(
    ("name", "schedule"),
    [
        ("constant", dn.constant_schedule()),
        ("step", dn.step_schedule([0.5, 0.75])),
        ("exponential", dn.exponential_schedule()),
        ("cosine", dn.cosine_schedule(0.1)),
        ("one-cycle", dn.one_cycle_schedule(0.3)),
    ],
)
def test_a_schedule_may_be_named(small_network, small_data, name, schedule):
    assert name in dn.SCHEDULES
    shares = np.linspace(0.01, 0.99, 50)
    assert [dn.make_schedule(name)(share) for share in shares] == [schedule(share) for share in shares]
    twin = small_network.copy()
    dn.train(small_network, small_data, epochs=2, schedule=name)
    dn.train(twin, small_data, epochs=2, schedule=schedule)
    np.testing.assert_array_equal(parameters(small_network), parameters(twin))


@pytest.mark.parametrize("name", dn.SCHEDULES)
def test_the_warm_up_of_a_named_schedule(name):
    assert dn.make_schedule(name, 0.5)(1e-9) < 0.05
    if name != "one-cycle":
        assert dn.make_schedule(name, 0)(1e-9) == pytest.approx(1)
    for share in (-0.1, 1.5, float("nan")):
        with pytest.raises(dn.ArgumentError):
            dn.make_schedule(name, share)


def test_the_name_of_a_schedule_that_there_is_not(small_network, small_data):
    names = "constant, step, exponential, cosine, one-cycle"
    for where, call in (
        ("train", lambda: dn.train(small_network, small_data, schedule="cosin")),
        ("make_schedule", lambda: dn.make_schedule("cosin")),
    ):
        with pytest.raises(dn.ArgumentError) as caught:
            call()
        message = f'{where}: schedule "cosin", expected one of {names}; did you mean "cosine"?'
        assert str(caught.value) == message


def test_reports_come_in_order(small_network, small_data):
    seen = []
    dn.train(
        small_network,
        small_data,
        epochs=2,
        batch_size=128,
        on_batch=lambda report: seen.append((report.epoch, report.batch, report.batches, report.samples)),
        on_epoch=lambda report: seen.append(report.epoch),
    )
    batches = [(1, 3, 128), (2, 3, 128), (3, 3, 44)]
    assert seen == [
        *[(1, batch, of, samples) for batch, of, samples in batches],
        1,
        *[(2, batch, of, samples) for batch, of, samples in batches],
        2,
    ]


def test_the_epoch_is_the_mean_of_its_batches(small_network, small_data):
    batches = []
    history = dn.train(small_network, small_data, epochs=1, batch_size=128, on_batch=batches.append)
    samples = [batch.samples for batch in batches]
    assert history.epochs[0].training_loss == pytest.approx(
        np.average([b.loss for b in batches], weights=samples)
    )
    assert history.epochs[0].training_accuracy == pytest.approx(
        np.average([b.accuracy for b in batches], weights=samples)
    )


def test_the_same_seed_gives_the_same_bits_for_any_number_of_threads(mnist):
    trained = []
    for threads in (1, 2, 3):
        network = dn.Network([784, 30, 10], seed=1)
        dn.train(network, mnist.train[:1000], epochs=2, batch_size=100, seed=9, threads=threads)
        trained.append(parameters(network))
    np.testing.assert_array_equal(trained[0], trained[1])
    np.testing.assert_array_equal(trained[0], trained[2])


def test_another_seed_gives_another_order(small_network, small_data):
    twin = small_network.copy()
    dn.train(small_network, small_data, epochs=1, seed=1)
    dn.train(twin, small_data, epochs=1, seed=2)
    assert not np.array_equal(parameters(small_network), parameters(twin))


def test_without_shuffling_the_seed_does_not_matter(small_network, small_data):
    twin = small_network.copy()
    dn.train(small_network, small_data, epochs=1, seed=1, shuffle=False)
    dn.train(twin, small_data, epochs=1, seed=2, shuffle=False)
    np.testing.assert_array_equal(parameters(small_network), parameters(twin))


def test_a_schedule_scales_the_learning_rate(small_network, small_data):
    asked, rates = [], []

    def schedule(progress):
        asked.append(progress)
        return 1 - progress

    optimizer = dn.Sgd(0.5)
    dn.train(
        small_network,
        small_data,
        epochs=2,
        batch_size=100,
        optimizer=optimizer,
        schedule=schedule,
        on_batch=lambda report: rates.append(report.learning_rate),
    )
    np.testing.assert_allclose(asked, (np.arange(6) + 0.5) / 6)
    np.testing.assert_allclose(rates, 0.5 * (1 - np.array(asked)))


def test_stop_below_loss(small_network, small_data):
    history = dn.train(small_network, small_data, epochs=1000, batch_size=10, stop_below_loss=0.5)
    losses = [report.training_loss for report in history.epochs]
    assert history.reason == "loss_reached"
    assert losses[-1] < 0.5 <= min(losses[:-1])


def test_a_stop_flag_ends_after_the_batch_in_work(small_network, small_data):
    stop, batches = dn.StopFlag(), []

    def count(report):
        batches.append(report)
        if len(batches) == 5:
            stop.request()

    history = dn.train(small_network, small_data, epochs=9, batch_size=100, on_batch=count, stop=stop)
    assert history.reason == "stopped"
    assert len(batches) == 5
    assert len(history) == 1  # the second epoch was cut short
    assert stop.requested
    stop.clear()
    assert not stop.requested


def test_a_training_that_diverges_says_so(small_network, small_data):
    history = dn.train(small_network, small_data, epochs=5, batch_size=50, optimizer=dn.Sgd(3e38))
    assert history.reason == "diverged"


class TellTaleError(Exception):
    pass


@pytest.mark.parametrize("callback", ["on_batch", "on_epoch", "schedule"])
def test_what_a_callback_raises_ends_the_training(small_network, small_data, callback):
    def fail(_):
        raise TellTaleError

    with pytest.raises(TellTaleError):
        dn.train(small_network, small_data, epochs=3, **{callback: fail})
    dn.train(small_network, small_data, epochs=1)  # and nothing is broken by it


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": 0}, "epochs is 0"),
        ({"batch_size": 0}, "batch_size is 0"),
        ({"validation": 0.0}, "validation is 0.0"),
        ({"validation": 1.0}, "validation is 1.0"),
        ({"validation": -0.5}, "validation is -0.5"),
        ({"validation": float("nan")}, "validation is nan"),
        ({"stop_below_loss": -1}, "stop_below_loss is -1"),
        ({"stop_below_loss": float("nan")}, "stop_below_loss is nan"),
    ],
)
def test_arguments_out_of_range_are_named(small_network, small_data, arguments, message):
    with pytest.raises(dn.ArgumentError, match=message):
        dn.train(small_network, small_data, **arguments)


def test_data_that_do_not_fit_are_refused(small_network, small_data, mnist):
    with pytest.raises(dn.ShapeError, match="784"):
        dn.train(small_network, mnist.test)
    with pytest.raises(dn.ShapeError, match="784"):
        dn.train(small_network, small_data, validation=mnist.test)
    with pytest.raises(dn.ArgumentError, match="train"):
        dn.train(small_network, small_data[:0])
    with pytest.raises(dn.Error, match="label"):
        dn.train(dn.Network([12, 3]), small_data)


def test_progress_is_lines_where_there_is_no_terminal(small_network, small_data, monkeypatch):
    stream = io.StringIO()
    monkeypatch.setattr("sys.stderr", stream)
    history = dn.train(small_network, small_data, validation=0.2, epochs=2, progress=True)
    assert stream.getvalue().splitlines() == [epoch_line(report) for report in history.epochs]
    assert stream.getvalue().startswith("epoch 1/2: loss ")


def test_nothing_is_printed_unless_asked_for(small_network, small_data, capfd):
    dn.train(small_network, small_data, epochs=2)
    assert capfd.readouterr() == ("", "")


def test_the_tools_of_a_training_reach_it(mnist):
    net = dn.Network([784, 20, 10], seed=1)
    history = dn.train(
        net,
        mnist.train,
        validation=mnist.test,
        epochs=3,
        augmentation="light",
        label_smoothing=0.1,
        class_weights=[1.0] * 10,
        sample_weights=[1.0] * len(mnist.train),
        l1=1e-6,
        l2=1e-5,
        max_norm=3.0,
        input_dropout=0.1,
        dropout=0.1,
        batch_norm=True,
        clip_norm=5.0,
        clip_value=1.0,
        averaging="ema",
        ema_decay=0.9,
        early_stopping=dn.EarlyStopping("validation_accuracy", patience=3),
        statistics=True,
    )
    last = history.epochs[-1]
    assert last.gradient_norm is not None
    assert last.gradient_norm > 0
    assert [sum(layer.histogram) for layer in last.layers] == [784 * 20, 20 * 10]
    assert 1 <= history.best_epoch <= 3
    best = history.epochs[history.best_epoch - 1]
    assert net.evaluate(mnist.test).accuracy == best.validation_accuracy
    assert best.validation_accuracy > 0.8


def test_each_tool_changes_the_training(mnist):
    data = mnist.train[:500]

    def weights(**tools):
        net = dn.Network([784, 8, 10], seed=1)
        dn.train(net, data, epochs=1, **tools)
        return net.layers[0].weights.tobytes()

    plain = weights()
    assert weights() == plain
    tools = {
        "augmentation": True,
        "label_smoothing": 0.1,
        "class_weights": [*range(10)],
        "sample_weights": [*range(500)],
        "l1": 1e-3,
        "l2": 1e-3,
        "max_norm": 0.5,
        "input_dropout": 0.2,
        "dropout": 0.2,
        "batch_norm": True,
        "clip_norm": 1e-3,
        "clip_value": 1e-9,
        "averaging": "ema",
    }
    for name, value in tools.items():
        assert weights(**{name: value}) != plain, name


def test_a_plateau_lowers_the_learning_rate(mnist):
    plateau = dn.ReduceOnPlateau(0.5, patience=1, min_delta=1e9)
    net = dn.Network([784, 8, 10], seed=1)
    optimizer = dn.Sgd(0.5)
    data = mnist.train[:100]
    history = dn.train(
        net, data, epochs=4, optimizer=optimizer, plateau=plateau, plateau_metric="training_loss"
    )
    assert [report.learning_rate for report in history.epochs] == [0.5, 0.5, 0.5, 0.25]


def test_early_stopping_ends_a_training(mnist):
    data = mnist.train[:100]
    net = dn.Network([784, 8, 10], seed=1)
    early = dn.EarlyStopping("training_loss", patience=2, min_delta=1e9)
    history = dn.train(net, data, epochs=50, early_stopping=early)
    assert history.reason == "early_stop"
    assert len(history) == 3
    assert history.best_epoch == 1


@pytest.mark.parametrize(
    ("tools", "message"),
    [
        ({"dropout": 1.0}, "dropout is 1"),
        ({"l2": float("nan")}, "l2 is nan"),
        ({"averaging": "mean"}, 'averaging "mean", expected one of none, ema, swa'),
        ({"class_weights": [1.0]}, "class_weights has 1 numbers, expected 10"),
        ({"sample_weights": [1.0], "validation": 0.5}, "sample_weights with a share"),
        ({"early_stopping": dn.EarlyStopping()}, "no validation data"),
    ],
)
def test_tools_that_make_no_sense_are_named(mnist, tools, message):
    with pytest.raises(dn.ArgumentError, match=message):
        dn.train(dn.Network([784, 8, 10]), mnist.train[:10], epochs=1, **tools)
    with pytest.raises(dn.ArgumentError, match='metric "score"'):
        dn.EarlyStopping("score")
