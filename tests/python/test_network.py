"""digitnet.Network: what it is made of, what may be asked, and what shares memory with it."""

import copy
import gc
import pickle

import numpy as np
import pytest

import digitnet as dn


def numpy_forward(network, inputs):
    """The same pass in NumPy, for the activations used here."""
    functions = {
        "relu": lambda z: np.maximum(z, 0),
        "tanh": np.tanh,
        "softmax": lambda z: (e := np.exp(z - z.max(axis=1, keepdims=True))) / e.sum(axis=1, keepdims=True),
    }
    a, z = inputs.astype(np.float64), None
    for layer in network.layers:
        z = a @ layer.weights.astype(np.float64) + layer.bias
        a = functions[layer.activation](z)
    return z, a


@pytest.fixture
def inputs():
    return np.random.default_rng(1).random((50, 12), dtype=np.float32)


def test_what_a_network_is_made_of():
    network = dn.Network([784, 20, 10], activation="gelu", loss="sum_of_squares", output_activation="sigmoid")
    assert network.sizes == [784, 20, 10]
    assert network.activation_names == ["gelu", "sigmoid"]
    assert network.loss == "sum_of_squares"
    assert network.parameter_count == 784 * 20 + 20 + 20 * 10 + 10
    assert [(layer.inputs, layer.outputs) for layer in network.layers] == [(784, 20), (20, 10)]
    assert "784 -> 20 gelu -> 10 sigmoid; 15910 parameters" in repr(network)


def test_a_list_gives_each_hidden_layer_its_activation():
    network = dn.Network([4, 3, 3, 2], activation=["tanh", "elu"])
    assert network.activation_names == ["tanh", "elu", "softmax"]
    with pytest.raises(dn.ArgumentError, match="1 activations, expected 2"):
        dn.Network([4, 3, 3, 2], activation=["tanh"])


@pytest.mark.parametrize("activation", [name for name in dn.ACTIVATIONS if name != "softmax"])
def test_every_activation_trains(activation, small_data):
    network = dn.Network([12, 8, 4], activation=activation, seed=2)
    before = network.evaluate(small_data).loss
    dn.train(network, small_data, epochs=3, batch_size=20, optimizer=dn.Adam(0.01))
    assert network.evaluate(small_data).loss < before


@pytest.mark.parametrize("initializer", dn.INITIALIZERS)
def test_every_initializer(initializer):
    network = dn.Network([30, 20, 10], seed=3, initializer=initializer)
    assert np.all(network.layers[0].bias == 0)
    assert np.any(network.layers[0].weights != 0) == (initializer != "zeros")


def test_the_seed_decides_the_weights():
    weights = [dn.Network([12, 8, 4], seed=seed).layers[0].weights for seed in (1, 1, 2)]
    np.testing.assert_array_equal(weights[0], weights[1])
    assert not np.array_equal(weights[0], weights[2])


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"sizes": [784]}, "1"),
        ({"sizes": []}, "0"),
        ({"sizes": [784, 0, 10]}, "0"),
        ({"sizes": [784, 2**40, 10]}, str(2**40)),
        ({"sizes": [784, 10], "loss": "mse"}, 'Network: loss "mse", expected one of softmax_cross_entropy'),
        (
            {"sizes": [784, 5, 10], "activation": "rleu"},
            'Network: activation "rleu", expected one of identity',
        ),
        ({"sizes": [784, 5, 10], "activation": "softmax"}, "softmax"),
        ({"sizes": [784, 10], "output_activation": "relu"}, "softmax"),
        (
            {"sizes": [784, 10], "initializer": "nice"},
            'Network: initializer "nice", expected one of glorot_uniform',
        ),
    ],
)
def test_what_makes_no_network_is_said(arguments, message):
    with pytest.raises(dn.ArgumentError) as caught:
        dn.Network(**arguments)
    assert message in str(caught.value)


@pytest.mark.parametrize("wrong", [[784.5, 10], [-1, 10], "784", None])
def test_sizes_are_whole_numbers(wrong):
    with pytest.raises((TypeError, dn.ArgumentError)):
        dn.Network(wrong)


def test_all_questions_agree_with_numpy(inputs):
    network = dn.Network([12, 9, 7, 4], activation=["relu", "tanh"], seed=1)
    logits, probabilities = numpy_forward(network, inputs)
    np.testing.assert_allclose(network.logits(inputs), logits, rtol=1e-4, atol=1e-5)
    np.testing.assert_allclose(network.forward(inputs), probabilities, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(network.predict_proba(inputs), probabilities, rtol=1e-4, atol=1e-6)
    np.testing.assert_allclose(network.predict_proba(inputs).sum(axis=1), 1, rtol=1e-5)
    np.testing.assert_array_equal(network.predict(inputs), network.forward(inputs).argmax(axis=1))
    activations = network.activations(inputs)
    assert [a.shape for a in activations] == [(50, 9), (50, 7), (50, 4)]
    np.testing.assert_allclose(activations[-1], probabilities, rtol=1e-4, atol=1e-6)
    assert network.predict(inputs).dtype == np.uint8
    assert all(a.dtype == np.float32 for a in activations)


def test_images_may_come_in_any_form(trained, mnist):
    images = mnist.test.images[:100]
    expected = trained.logits(mnist.test[:100])
    ink = images.astype(np.float32) / 255
    for form in (
        images,
        images.reshape(-1, 784),
        images.tolist() and images[:],
        mnist.test.subset(range(100)),
    ):
        np.testing.assert_array_equal(trained.logits(form), expected)
    for form in (ink, ink.reshape(-1, 784), ink.astype(np.float64), ink.reshape(-1, 784).tolist()):
        np.testing.assert_allclose(trained.logits(form), expected, rtol=1e-4, atol=1e-4)
    turned = np.ascontiguousarray(images.transpose(0, 2, 1)).transpose(0, 2, 1)
    np.testing.assert_array_equal(trained.logits(turned), expected)


def test_asking_about_nothing(small_network):
    nothing = np.zeros((0, 12), np.float32)
    assert small_network.predict(nothing).shape == (0,)
    assert small_network.predict_proba(nothing).shape == (0, 4)


def test_the_number_of_threads_does_not_change_a_bit(trained, mnist):
    expected = trained.logits(mnist.test, threads=1)
    for threads in (2, 3, 0):
        np.testing.assert_array_equal(trained.logits(mnist.test, threads=threads), expected)


@pytest.mark.parametrize("shape", [(5, 783), (784,), (2, 28, 27), (1, 1, 28, 28)])
def test_images_of_another_shape_are_refused(trained, shape):
    for dtype in (np.uint8, np.float32):
        with pytest.raises(dn.ShapeError, match="expected"):
            trained.predict(np.zeros(shape, dtype))


def test_images_of_another_type_are_refused(trained):
    for images in (np.zeros((2, 784), np.int64), np.zeros((2, 784), bool), [["a"] * 784], [[1, 2], [3]]):
        with pytest.raises((dn.ShapeError, dn.ArgumentError)):
            trained.predict(images)


def test_probabilities_need_an_output_that_gives_them():
    network = dn.Network([12, 4], output_activation="identity", loss="sum_of_squares")
    with pytest.raises(dn.ArgumentError, match="softmax"):
        network.predict_proba(np.zeros((1, 12), np.float32))
    sigmoid = dn.Network([12, 4], output_activation="sigmoid", loss="sum_of_squares", seed=1)
    assert sigmoid.predict_proba(np.zeros((1, 12), np.float32)).sum() == pytest.approx(1)


def test_weights_are_live_and_writable(small_network, inputs):
    layer = small_network.layers[1]
    before = small_network.logits(inputs)
    layer.weights[...] *= 2
    layer.bias += 1
    np.testing.assert_allclose(small_network.logits(inputs), 2 * before + 1, rtol=1e-5, atol=1e-5)
    assert np.shares_memory(layer.weights, small_network.layers[1].weights)
    small_network.layers[1].weights = np.zeros((8, 4))
    np.testing.assert_array_equal(small_network.logits(inputs), np.ones((50, 4)))


def test_training_is_seen_through_a_view(small_network, small_data):
    weights = small_network.layers[0].weights
    before = weights.copy()
    dn.train(small_network, small_data, epochs=1)
    assert not np.array_equal(weights, before)


def test_weights_of_another_shape_are_refused(small_network):
    with pytest.raises(dn.ShapeError, match=r"\(12, 9\).*\(12, 8\)"):
        small_network.layers[0].weights = np.zeros((12, 9))
    with pytest.raises(dn.ShapeError, match=r"\(8, 1\).*\(8\)"):
        small_network.layers[0].bias = np.zeros((8, 1))


def test_weights_outlive_the_name_of_their_network():
    weights = dn.Network([12, 8, 4], seed=1).layers[0].weights
    gc.collect()
    np.testing.assert_array_equal(weights, dn.Network([12, 8, 4], seed=1).layers[0].weights)


@pytest.mark.parametrize(
    "duplicate", [dn.Network.copy, copy.copy, copy.deepcopy, lambda n: pickle.loads(pickle.dumps(n))]
)
def test_a_copy_has_weights_of_its_own(small_network, inputs, duplicate):
    small_network.metadata = {"by": "me"}
    twin = duplicate(small_network)
    np.testing.assert_array_equal(twin.logits(inputs), small_network.logits(inputs))
    assert twin.metadata["by"] == "me"
    twin.layers[0].weights[...] = 0
    assert np.any(small_network.layers[0].weights != 0)
