"""The same network, weights and batches, trained here and in NumPy with float64: the losses agree."""

import numpy as np
import pytest

import digitnet as dn

STEPS, BATCH = 50, 16
SIZES = [784, 32, 10]


class Reference:
    """A network of one hidden layer of tanh, written out."""

    def __init__(self, network):
        self.squares = network.loss == "sum_of_squares"
        self.parameters = [
            array.astype(np.float64) for layer in network.layers for array in (layer.weights, layer.bias)
        ]

    def loss_and_gradients(self, x, labels):
        w1, b1, w2, b2 = self.parameters
        target = np.eye(10)[labels]
        h = np.tanh(x @ w1 + b1)
        z = h @ w2 + b2
        if self.squares:  # behind a sigmoid
            a = 1 / (1 + np.exp(-z))
            loss = 0.5 * ((a - target) ** 2).sum(axis=1).mean()
            dz = (a - target) * a * (1 - a) / len(x)
        else:
            p = np.exp(z - z.max(axis=1, keepdims=True))
            p /= p.sum(axis=1, keepdims=True)
            loss = -np.log(p[np.arange(len(x)), labels]).mean()
            dz = (p - target) / len(x)
        dh = dz @ w2.T * (1 - h**2)
        return loss, [x.T @ dh, dh.sum(axis=0), h.T @ dz, dz.sum(axis=0)]


def sgd(rate):
    def step(p, g, _state, _t, _decay):
        p -= rate * g

    return step


def momentum(rate, m, *, nesterov):
    def step(p, g, state, _t, _decay):
        state["v"] = m * state.get("v", 0) + g
        p -= rate * (g + m * state["v"] if nesterov else state["v"])

    return step


def adam(rate, decay=0.0, beta1=0.9, beta2=0.999, epsilon=1e-8):
    def step(p, g, state, t, decayed):
        state["m"] = beta1 * state.get("m", 0) + (1 - beta1) * g
        state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
        if decayed:
            p *= 1 - rate * decay
        p -= rate * (state["m"] / (1 - beta1**t)) / (np.sqrt(state["v"] / (1 - beta2**t)) + epsilon)

    return step


def adagrad(rate, start, epsilon=1e-10):
    def step(p, g, state, _t, _decay):
        state["v"] = state.get("v", start) + g**2
        p -= rate * g / (np.sqrt(state["v"]) + epsilon)

    return step


def rmsprop(rate, rho=0.9, epsilon=1e-8, m=0.0, *, centered=False):
    def step(p, g, state, _t, _decay):
        state["v"] = rho * state.get("v", 0) + (1 - rho) * g**2
        state["a"] = rho * state.get("a", 0) + (1 - rho) * g
        variance = state["v"] - state["a"] ** 2 if centered else state["v"]
        state["u"] = m * state.get("u", 0) + g / (np.sqrt(variance) + epsilon)
        p -= rate * state["u"]

    return step


def nadam(rate, beta1=0.9, beta2=0.999, epsilon=1e-8):
    def step(p, g, state, t, _decay):
        mu = beta1 * (1 - 0.5 * 0.96 ** (0.004 * np.arange(1, t + 2)))
        state["m"] = mu[-2] * state.get("m", 0) + (1 - mu[-2]) * g
        state["v"] = beta2 * state.get("v", 0) + (1 - beta2) * g**2
        ahead = mu[-1] * state["m"] / (1 - mu.prod()) + (1 - mu[-2]) * g / (1 - mu[:-1].prod())
        p -= rate * ahead / (np.sqrt(state["v"] / (1 - beta2**t)) + epsilon)

    return step


OPTIMIZERS = {
    "sgd": (lambda: dn.Sgd(0.5), sgd(0.5)),
    "momentum": (lambda: dn.Sgd(0.05, momentum=0.9), momentum(0.05, 0.9, nesterov=False)),
    "nesterov": (lambda: dn.Sgd(0.05, momentum=0.9, nesterov=True), momentum(0.05, 0.9, nesterov=True)),
    "adam": (lambda: dn.Adam(1e-3), adam(1e-3)),
    "adamw": (lambda: dn.AdamW(1e-3, weight_decay=0.1), adam(1e-3, decay=0.1)),
    "adagrad": (lambda: dn.AdaGrad(0.01, initial_accumulator=0.01), adagrad(0.01, 0.01)),
    # Where gradients are nearly 0, their rounding is kept from counting as much as they do.
    "rmsprop": (lambda: dn.RmsProp(1e-3, epsilon=1e-4), rmsprop(1e-3, epsilon=1e-4)),
    "rmsprop_graves": (
        lambda: dn.RmsProp(1e-3, 0.95, epsilon=1e-2, momentum=0.9, centered=True),
        rmsprop(1e-3, 0.95, 1e-2, 0.9, centered=True),
    ),
    "nadam": (lambda: dn.NAdam(1e-3, epsilon=1e-4), nadam(1e-3, epsilon=1e-4)),
}


@pytest.mark.parametrize("loss", ["softmax_cross_entropy", "sum_of_squares"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_fifty_losses_agree_with_numpy(mnist, name, loss):
    make, step = OPTIMIZERS[name]
    data = mnist.train[: STEPS * BATCH]
    output = "sigmoid" if loss == "sum_of_squares" else "softmax"
    network = dn.Network(SIZES, activation="tanh", output_activation=output, loss=loss, seed=3)
    reference = Reference(network)
    losses = []
    dn.train(
        network,
        data,
        epochs=1,
        batch_size=BATCH,
        shuffle=False,
        optimizer=make(),
        on_batch=lambda report: losses.append(report.loss),
    )

    images = data.images.reshape(-1, 784) / 255
    expected = []
    states = [{} for _ in reference.parameters]
    for t in range(1, STEPS + 1):
        batch = slice((t - 1) * BATCH, t * BATCH)
        value, gradients = reference.loss_and_gradients(images[batch], data.labels[batch])
        expected.append(value)
        for p, g, state in zip(reference.parameters, gradients, states):
            step(p, g, state, t, p.ndim == 2)
    assert len(losses) == STEPS
    assert expected[-1] < expected[0]  # something is learned
    np.testing.assert_allclose(losses, expected, rtol=1e-5)
    for layer, weights in zip(network.layers, reference.parameters[::2]):
        np.testing.assert_allclose(layer.weights, weights, rtol=1e-3, atol=1e-5)
