"""scikit-learn's MLPClassifier: training and predictions."""

from __future__ import annotations

import time
import warnings
from functools import lru_cache

import numpy as np
import sklearn
import worker
from sklearn.neural_network import MLPClassifier

warnings.filterwarnings("ignore")  # that training ended before it converged is what was asked for


@lru_cache(maxsize=1)
def training_data(data: str, zeros: bool) -> tuple[np.ndarray, np.ndarray]:
    images, labels = worker.load(data, "train")
    return worker.as_floats(images, zeros=zeros), labels


def make_model(sizes: list[int], batch: int, optimizer: str) -> MLPClassifier:
    solver = {"solver": "adam"} if optimizer == "adam" else {"solver": "sgd", "momentum": 0.9}
    return MLPClassifier(
        tuple(sizes[1:-1]), batch_size=batch, learning_rate_init=1e-3, alpha=0, random_state=1, **solver
    )


def train(
    data: str,
    sizes: list[int],
    batch: int,
    optimizer: str,
    threads: int,
    seconds: float,
    zeros: bool = True,
) -> dict[str, object]:
    """Samples a second. Its own loop cannot be stopped, so partial_fit gets some batches at a time."""
    x, y = training_data(data, zeros)
    classes = np.arange(10)
    model = make_model(sizes, batch, optimizer)
    start = time.perf_counter()
    model.partial_fit(x[: 4 * batch], y[: 4 * batch], classes)
    rate = 4 * batch / (time.perf_counter() - start)
    portion = int(min(len(x), max(4 * batch, rate * seconds / 4))) // batch * batch
    clock = worker.Clock(seconds, 0)
    position = 0
    while clock.goes_on(portion):
        model.partial_fit(x[position : position + portion], y[position : position + portion])
        position = 0 if position + 2 * portion > len(x) else position + portion
    return {"samples_per_second": clock.rate}


def predict(
    data: str, sizes: list[int], threads: int, seconds: float, batch: int = 0, zeros: bool = True
) -> dict[str, object]:
    x, y = training_data(data, zeros)
    model = make_model(sizes, 128, "adam").partial_fit(x[:1000], y[:1000], np.arange(10))
    images = worker.load(data, "t10k")[0][: batch or 1000]
    if not zeros:
        images = worker.as_floats(images, zeros=False)

    def numbers(image: np.ndarray) -> np.ndarray:
        return worker.as_floats(image) if zeros else image

    if batch:
        return worker.throughput(lambda image: model.predict(numbers(image)), images, seconds)
    return worker.latency(lambda image: model.predict(numbers(image[np.newaxis]))[0], images, seconds)


if __name__ == "__main__":
    worker.serve(f"scikit-learn {sklearn.__version__}", {"train": train, "predict": predict})
