"""NumPy alone: the loop over single samples with which such projects begin, and predictions by products."""

from __future__ import annotations

import numpy as np
import worker


def sigmoid(z: np.ndarray) -> np.ndarray:
    return 1 / (1 + np.exp(-z))


def train_by_sample(data: str, sizes: list[int], seconds: float) -> dict[str, object]:
    """Sigmoids, half the sum of squares, one step for each sample at rate 0.1, as textbooks write it."""
    images, labels = worker.load(data, "train")
    x = images / 255
    random = np.random.default_rng(1)
    weights = [random.normal(0, inputs**-0.5, (outputs, inputs)) for inputs, outputs in zip(sizes, sizes[1:])]
    biases = [np.zeros(units) for units in sizes[1:]]
    rate = 0.1
    clock = worker.Clock(seconds, min(0.3, seconds / 3))
    while True:
        for sample in random.permutation(len(x)):
            target = np.zeros(sizes[-1])
            target[labels[sample]] = 1
            hidden = sigmoid(weights[0] @ x[sample] + biases[0])
            output = sigmoid(weights[1] @ hidden + biases[1])
            delta_output = (output - target) * output * (1 - output)
            delta_hidden = weights[1].T @ delta_output * hidden * (1 - hidden)
            weights[1] -= rate * np.outer(delta_output, hidden)
            biases[1] -= rate * delta_output
            weights[0] -= rate * np.outer(delta_hidden, x[sample])
            biases[0] -= rate * delta_hidden
            if not clock.goes_on(1):
                return {"samples_per_second": clock.rate}


def predict(
    data: str, sizes: list[int], threads: int, seconds: float, batch: int = 0, zeros: bool = True
) -> dict[str, object]:
    random = np.random.default_rng(1)
    layers = [
        (random.normal(0, 0.05, (inputs, outputs)).astype(np.float32), np.zeros(outputs, np.float32))
        for inputs, outputs in zip(sizes, sizes[1:])
    ]
    images = worker.load(data, "t10k")[0][: batch or 1000]
    if not zeros:
        images = worker.as_floats(images, zeros=False)

    def classes(image: np.ndarray) -> np.ndarray:
        a = worker.as_floats(image) if zeros else image
        for weights, bias in layers[:-1]:
            a = a @ weights
            a += bias
            np.maximum(a, 0, out=a)
        return (a @ layers[-1][0] + layers[-1][1]).argmax(-1)

    return worker.throughput(classes, images, seconds) if batch else worker.latency(classes, images, seconds)


if __name__ == "__main__":
    worker.serve(f"NumPy {np.__version__}", {"train_by_sample": train_by_sample, "predict": predict})
