"""Explanations: input gradients, ink contributions, near samples, "make it a 7"."""

import struct
import zlib

import numpy as np
import pytest

import digitnet as dn


@pytest.fixture(scope="module")
def network(mnist):
    net = dn.Network([784, 48, 10], activation="relu", seed=1)
    dn.train(net, mnist.train, epochs=4, optimizer=dn.Adam(3e-3), threads=1)
    return net


@pytest.fixture(scope="module")
def four(network, mnist):
    """A 4 that is read as one."""
    labels = mnist.train.labels
    read = network.predict(mnist.train[:500])
    return mnist.train.images[np.flatnonzero((labels[:500] == 4) & (read == 4))[0]]


def test_input_gradient_of_a_relu_network_is_that_of_its_matrices(network, mnist):
    images = mnist.train.images[:3]
    first, last = network.layers
    dz = np.zeros((3, 10), dtype=np.float32)
    dz[:, 7] = 1
    active = images.reshape(3, -1) / np.float32(255) @ first.weights + first.bias > 0
    expected = (active * last.weights[:, 7]) @ first.weights.T
    np.testing.assert_allclose(dn.input_gradient(network, images, dz), expected, rtol=1e-4, atol=1e-5)
    with pytest.raises(dn.ShapeError, match="input_gradient"):
        dn.input_gradient(network, images, dz[:2])
    with pytest.raises(dn.ShapeError, match="expected shape"):
        dn.input_gradient(network, images, dz[0])


def test_ink_contributions_are_gradient_times_input(network, four):
    found = dn.ink_contributions(network, four, 4, 9)
    dz = np.zeros((1, 10), dtype=np.float32)
    dz[0, 4], dz[0, 9] = 1, -1
    gradient = dn.input_gradient(network, four[None], dz).reshape(28, 28)
    np.testing.assert_allclose(found.ink, gradient * (four / 255), rtol=1e-4, atol=1e-6)
    assert found.ink.sum() + found.rest == pytest.approx(found.margin, rel=1e-4)
    assert dn.ink_contributions(network, four.reshape(-1) / np.float32(255), 4).ink.shape == (28, 28)
    with pytest.raises(dn.ArgumentError, match="digit is 10, expected one below 10"):
        dn.ink_contributions(network, four, 10)
    with pytest.raises(dn.ShapeError, match="ink_contributions"):
        dn.ink_contributions(network, four[:20], 4)


def test_likeliest_digits_are_those_of_predict_proba(network, four):
    ranking = dn.likeliest_digits(network, four, 10)
    probabilities = network.predict_proba(four[None])[0]
    assert [each.digit for each in ranking] == list(np.argsort(-probabilities, kind="stable"))
    assert ranking[0].probability == pytest.approx(probabilities.max(), rel=1e-5)
    assert ranking[0].logit_margin > 0 > ranking[1].logit_margin
    assert ranking[1].logit_margin == pytest.approx(-ranking[0].logit_margin)
    assert len(dn.likeliest_digits(network, four)) == 3
    with pytest.raises(dn.ArgumentError, match="count is 11, expected 1 to 10"):
        dn.likeliest_digits(network, four, 11)


def test_nearest_samples_are_those_of_numpy(mnist):
    images = mnist.train.images.reshape(len(mnist.train), -1).astype(np.int64)
    asked = mnist.train.images[11]
    squares = ((images - asked.reshape(-1)) ** 2).sum(axis=1)
    order = np.argsort(squares, kind="stable")[:8]
    found = dn.nearest_samples(asked, mnist.train, 8)
    assert [each.sample for each in found] == list(order)
    assert [each.label for each in found] == list(mnist.train.labels[order])
    np.testing.assert_allclose([each.distance for each in found], np.sqrt(squares[order]) / 255)
    with pytest.raises(dn.ArgumentError, match="expected both of one kind"):
        dn.nearest_samples(asked / np.float32(255), mnist.train)
    with pytest.raises(dn.ShapeError, match="nearest_samples"):
        dn.nearest_samples(asked[:5], mnist.train)


def test_hidden_features_are_the_activations_before_the_last_layer(network, mnist):
    features = dn.hidden_features(network, mnist.train[:300])
    assert features.images.shape == (300, 48)
    np.testing.assert_allclose(
        features.images, network.activations(mnist.train[:300])[0], rtol=1e-4, atol=1e-5
    )
    assert np.array_equal(features.labels, mnist.train[:300].labels)
    assert dn.nearest_samples(features.images[5], features, 1)[0].sample == 5
    with pytest.raises(dn.ArgumentError, match="expected a hidden layer"):
        dn.hidden_features(dn.Network([784, 10]), mnist.train[:3])


def test_turned_into_changes_the_reading(network, four):
    turned = dn.turned_into(network, four, 9, probability=0.8)
    assert turned.succeeded
    assert network.predict(turned.image[None])[0] == 9
    np.testing.assert_allclose(turned.change, (turned.image / 255.0) - (four / 255.0), atol=1e-6)
    assert turned.distance == pytest.approx(np.linalg.norm(turned.change), rel=1e-4)
    assert turned.added == pytest.approx(turned.change[turned.change > 0].sum(), rel=1e-4)
    assert not dn.turned_into(network, four, 9, most_steps=0).succeeded
    with pytest.raises(dn.ArgumentError, match="probability is 1, expected it between 0 and 1"):
        dn.turned_into(network, four, 9, probability=1)
    with pytest.raises(dn.ShapeError, match="expected uint8"):
        dn.turned_into(network, four / np.float32(255), 9)


def test_explain_says_it_all(network, mnist, four):
    explanation = dn.explain(network, four, data=mnist.train, wanted=7, count=4)
    assert explanation.digit == 4
    assert explanation.wanted == 7
    assert [each.digit for each in explanation.ranking] == [
        each.digit for each in dn.likeliest_digits(network, four)
    ]
    assert len(explanation.nearest) == len(explanation.alike) == 4
    assert explanation.nearest[0].distance == 0  # it is one of the data
    assert explanation.alike[0].distance < 1e-4
    assert np.array_equal(explanation.neighbors[0], four)
    assert network.predict(explanation.turned.image[None])[0] == 7
    text = explanation.text()
    assert text.startswith("read as 4: 4 ")
    assert "make it a 7: add" in text
    assert len(text.splitlines()) == 5
    alike = dn.explain(
        network, four, data=mnist.train, features=dn.hidden_features(network, mnist.train), count=4
    )
    assert [each.sample for each in alike.alike] == [each.sample for each in explanation.alike]


def test_explain_without_data_turns_into_the_second(network, four):
    explanation = dn.explain(network, four)
    assert explanation.wanted == explanation.ranking[1].digit
    assert explanation.nearest == explanation.alike == []
    assert explanation.neighbors.shape == (0, 28, 28)
    assert len(explanation.text().splitlines()) == 3
    assert explanation.picture(2).shape == (60, 240, 3)


def test_explain_takes_what_has_a_network(network, four):
    class Reader:
        def __init__(self):
            self.network = network

    assert dn.explain(Reader(), four).digit == 4


def test_explain_saves_a_png(network, mnist, four, tmp_path):
    explanation = dn.explain(network, four, data=mnist.train, count=3)
    path = tmp_path / "why.png"
    explanation.save(path, scale=3)
    content = path.read_bytes()
    width, height = struct.unpack(">II", content[16:24])
    assert (width, height) == (4 * 30 * 3, 3 * 30 * 3)  # rows of four, three and three images
    size = struct.unpack(">I", content[33:37])[0]
    rows = np.frombuffer(zlib.decompress(content[41 : 41 + size]), np.uint8).reshape(height, 1 + 3 * width)
    assert np.array_equal(rows[:, 1:].reshape(height, width, 3), explanation.picture(3))
    assert dn.read_picture(path).shape == (height, width, 3)
    with pytest.raises(dn.ArgumentError, match="scale is 0, expected at least 1"):
        explanation.save(path, scale=0)


def test_explain_names_wrong_images(network):
    with pytest.raises(dn.ShapeError, match=r"explain: image of dtype float64 and shape \(28, 28\)"):
        dn.explain(network, np.zeros((28, 28)))
