"""Losses, weights and smoothing, against NumPy."""

import numpy as np
import pytest

import digitnet as dn

LABELS = np.array([3, 0, 2, 2, 1, 4])
WEIGHTS = np.array([1.0, 0.5, 0.0, 3.0, 2.0, 0.25])
OUTPUTS_OF = {  # a last layer that each loss goes with
    "softmax_cross_entropy": "softmax",
    "sum_of_squares": "tanh",
    "binary_cross_entropy": "sigmoid",
    "hinge": "identity",
    "huber": "identity",
}
CASES = [
    (name, smoothing, weighted)
    for name in OUTPUTS_OF
    for smoothing in (0.0, 0.1, 0.75)
    for weighted in (False, True)
    if not (name == "hinge" and smoothing > 0)
]


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


def losses_and_gradients(name, values, labels, smoothing=0.0):
    """The loss of each sample and its gradient, as the definitions say."""
    n, classes = values.shape
    rows = np.arange(n)
    target = (1 - smoothing) * np.eye(classes)[labels] + smoothing / classes
    if name == "softmax_cross_entropy":
        p = np.exp(values) / np.exp(values).sum(axis=1, keepdims=True)
        return -(target * np.log(p)).sum(axis=1), p - target
    if name == "binary_cross_entropy":
        p = sigmoid(values)
        return -(target * np.log(p) + (1 - target) * np.log(1 - p)).sum(axis=1), p - target
    difference = values - target
    if name == "sum_of_squares":
        return 0.5 * (difference**2).sum(axis=1), difference
    if name == "huber":
        size = np.abs(difference)
        return np.where(size <= 1, size**2 / 2, size - 0.5).sum(axis=1), np.clip(difference, -1, 1)
    others = values.copy()
    others[rows, labels] = -np.inf
    rival = others.argmax(axis=1)
    margin = 1 + others[rows, rival] - values[rows, labels]
    gradient = np.zeros_like(values)
    gradient[rows, rival] = margin > 0
    gradient[rows, labels] = -(margin > 0).astype(float)
    return np.maximum(margin, 0), gradient


@pytest.fixture
def outputs():
    return np.random.default_rng(5).normal(scale=2, size=(6, 5))


def test_every_loss_is_tested_here():
    assert set(OUTPUTS_OF) == set(dn.LOSSES)


@pytest.mark.parametrize(("name", "smoothing", "weighted"), CASES)
def test_values_and_gradients_agree_with_numpy(outputs, name, smoothing, weighted):
    losses, gradients = losses_and_gradients(name, outputs, LABELS, smoothing)
    weights = WEIGHTS if weighted else np.ones(6)
    value, gradient = dn.loss(
        name, outputs, LABELS, label_smoothing=smoothing, sample_weight=weights if weighted else None
    )
    assert value == pytest.approx(np.average(losses, weights=weights), rel=1e-12)
    assert gradient.dtype == np.float64
    expected = gradients * (weights / weights.sum())[:, None]
    np.testing.assert_allclose(gradient, expected, rtol=1e-10, atol=1e-14)


@pytest.mark.parametrize("name", dn.LOSSES)
def test_giant_outputs_neither_overflow_nor_lose_the_loss(name):
    outputs = np.array([[1e4, -1e4, 0.0]])
    wrong, gradient = dn.loss(name, outputs, [1])
    assert np.isfinite(wrong)
    assert wrong >= 1e4
    assert np.all(np.isfinite(gradient))
    if name not in ("sum_of_squares", "huber"):
        right = dn.loss(name, outputs, [0])[0]
        assert right == (pytest.approx(np.log(2)) if name == "binary_cross_entropy" else 0)


def test_anything_numpy_understands_is_taken():
    expected = dn.loss("huber", np.array([[0.5, 2.0], [0.0, 1.0]]), np.array([0, 1]))
    for outputs in ([[0.5, 2], [0, 1]], np.array([[0.5, 2], [0, 1]], np.float32, order="F")):
        value, gradient = dn.loss("huber", outputs, [0, 1], sample_weight=[1, 1])
        assert value == expected[0]
        np.testing.assert_array_equal(gradient, expected[1])


def test_what_is_asked_about_stays_as_it_was(outputs):
    before = outputs.copy()
    dn.loss("softmax_cross_entropy", outputs, LABELS)
    np.testing.assert_array_equal(outputs, before)


@pytest.mark.parametrize(
    ("arguments", "kind", "message"),
    [
        (
            {"name": "mse"},
            dn.ArgumentError,
            'loss: loss "mse", expected one of softmax_cross_entropy, sum_of',
        ),
        (
            {"outputs": [1.0, 2.0]},
            dn.ShapeError,
            "loss: outputs of dtype float64 and shape (2), expected shape",
        ),
        ({"outputs": [["a", "b"]]}, dn.ArgumentError, "loss: NumPy makes no array of numbers"),
        ({"labels": [0]}, dn.ShapeError, "huber: outputs of shape (2, 3) and 1 labels, expected as many"),
        ({"labels": [0, 3]}, dn.ArgumentError, "huber: label 3 of sample 1, expected 0 to 2"),
        ({"labels": [0, -1]}, dn.ArgumentError, "loss: label -1 of sample 1, expected 0 to 255"),
        ({"labels": [0.5, 1]}, dn.ShapeError, "loss: labels of dtype float64"),
        (
            {"label_smoothing": 1.0},
            dn.ArgumentError,
            "huber: label smoothing of 1, expected a share of at least 0",
        ),
        ({"label_smoothing": -0.1}, dn.ArgumentError, "huber: label smoothing of -0.1, expected a share"),
        (
            {"name": "hinge", "label_smoothing": 0.1},
            dn.ArgumentError,
            "hinge: label smoothing of 0.1 with the hinge",
        ),
        (
            {"name": "hinge", "outputs": [[1.0], [2.0]], "labels": [0, 0]},
            dn.ShapeError,
            "hinge: outputs of shape (2, 1), expected at least 2 columns",
        ),
        ({"sample_weight": [1.0]}, dn.ShapeError, "huber: 1 sample weights for 2 samples, expected as many"),
        (
            {"sample_weight": []},
            dn.ShapeError,
            "loss: no sample weights, expected as many as samples, or None",
        ),
        (
            {"sample_weight": [[1.0, 2.0]]},
            dn.ShapeError,
            "loss: weights of dtype float64 and shape (1, 2), expected",
        ),
        (
            {"sample_weight": [1.0, -1.0]},
            dn.ArgumentError,
            "huber: weight -1 of sample 1, expected a finite number",
        ),
        ({"sample_weight": [np.nan, 1.0]}, dn.ArgumentError, "huber: weight nan of sample 0"),
        (
            {"sample_weight": [0, 0]},
            dn.ArgumentError,
            "huber: the sample weights add up to 0, expected a finite",
        ),
    ],
)
def test_nonsense_is_said_in_one_line(arguments, kind, message):
    asked = {"name": "huber", "outputs": np.zeros((2, 3)), "labels": [0, 1], **arguments}
    with pytest.raises(kind) as caught:
        dn.loss(**asked)
    assert message in str(caught.value)
    assert "\n" not in str(caught.value)


def test_balanced_class_weights_are_those_of_scikit_learn():
    labels = np.array([0, 0, 0, 3, 3, 1])
    weights = dn.balanced_class_weights(dn.Dataset(np.zeros((6, 2), np.float32), labels, classes=5))
    # class_weight="balanced": n / (number of classes there are * bincount)
    np.testing.assert_allclose(weights, [6 / 9, 6 / 3, 0, 6 / 6, 0])
    np.testing.assert_array_equal(dn.sample_weights_of(labels, weights), weights[labels])
    assert dn.sample_weights_of(labels, weights).sum() == pytest.approx(6)
    with pytest.raises(dn.ArgumentError, match="balanced_class_weights: the data set is empty"):
        dn.balanced_class_weights(dn.Dataset(np.zeros((0, 2), np.float32), labels[:0]))


def test_class_weights_that_do_not_fit_are_named():
    with pytest.raises(dn.ArgumentError, match="sample_weights_of: label 2 of sample 1 and 2 class weights"):
        dn.sample_weights_of([0, 2], [1, 1])
    with pytest.raises(dn.ArgumentError, match="sample_weights_of: weight -1 of class 0, expected a finite"):
        dn.sample_weights_of([0], [-1, 1])
    with pytest.raises(
        dn.ShapeError, match=r"sample_weights_of: weights of dtype float64 and shape \(1, 2\)"
    ):
        dn.sample_weights_of([0], [[1, 1]])


@pytest.mark.parametrize("name", OUTPUTS_OF)
def test_a_step_of_training_goes_along_the_gradient(small_data, name):
    network = dn.Network([12, 4], output_activation=OUTPUTS_OF[name], loss=name, seed=2)
    network.layers[0].weights = 3 * network.layers[0].weights  # so that some outputs are off by more than 1
    before = network.layers[0].weights.astype(np.float64)
    x, labels = small_data.images.astype(np.float64).reshape(-1, 12), small_data.labels
    z = x @ before + network.layers[0].bias
    a = np.tanh(z) if OUTPUTS_OF[name] == "tanh" else z
    losses, dz = losses_and_gradients(name, a, labels)
    if OUTPUTS_OF[name] == "tanh":
        dz = dz * (1 - a**2)
    assert network.evaluate(small_data).loss == pytest.approx(losses.mean(), rel=1e-5)

    dn.train(
        network,
        small_data,
        epochs=1,
        batch_size=len(small_data),
        shuffle=False,
        optimizer=dn.Sgd(learning_rate=1.0),
    )
    step = before - network.layers[0].weights
    np.testing.assert_allclose(step, x.T @ dz / len(x), rtol=1e-4, atol=1e-5)
    assert np.abs(step).max() > 1e-3


@pytest.mark.parametrize("name", OUTPUTS_OF)
def test_a_network_with_any_loss_learns_and_keeps_it_in_its_file(small_data, name, tmp_path):
    network = dn.Network([12, 8, 4], output_activation=OUTPUTS_OF[name], loss=name, seed=2)
    before = network.evaluate(small_data).loss
    dn.train(network, small_data, epochs=5, batch_size=20, optimizer=dn.Adam(0.01))
    after = network.evaluate(small_data).loss
    assert after < before
    network.save(tmp_path / "model.safetensors")
    again = dn.Network.load(tmp_path / "model.safetensors")
    assert again.loss == name
    assert again.evaluate(small_data).loss == after


@pytest.mark.parametrize(
    ("loss", "output", "message"),
    [
        ("softmax_cross_entropy", "sigmoid", "behind a last layer of sigmoid, expected softmax"),
        ("binary_cross_entropy", "softmax", "behind a last layer of softmax, expected sigmoid"),
        (
            "hinge",
            "softmax",
            "behind a last layer of softmax, expected one whose outputs can be more than 1 apart",
        ),
        ("hinge", "sigmoid", "behind a last layer of sigmoid, expected one whose outputs"),
    ],
)
def test_a_loss_that_does_not_go_with_the_last_layer_is_named(loss, output, message):
    with pytest.raises(dn.ArgumentError) as caught:
        dn.Network([12, 4], loss=loss, output_activation=output)
    assert str(caught.value).startswith(f"Network: loss {loss} {message}")
