"""digitnet through its Python package: what is asked of the peers that are Python, too."""

from __future__ import annotations

from functools import lru_cache

import worker

import digitnet as dn


@lru_cache(maxsize=1)
def training_data(data: str) -> dn.Dataset:
    return dn.Dataset(*worker.load(data, "train"))


def train_sigmoid(data: str, sizes: list[int], batch: int, threads: int, seconds: float) -> dict[str, object]:
    """The network, loss and rule of numpy_worker.train_by_sample, but in batches."""
    network = dn.Network(sizes, "sigmoid", "sigmoid", "sum_of_squares", seed=1)
    clock = worker.Clock(seconds, min(0.3, seconds / 3))
    stop = dn.StopFlag()

    def after_batch(report: dn.BatchReport) -> None:
        if not clock.goes_on(batch):
            stop.request()

    dn.train(
        network,
        training_data(data),
        epochs=100000,
        batch_size=batch,
        optimizer=dn.Sgd(0.1),
        threads=threads,
        on_batch=after_batch,
        stop=stop,
    )
    return {"samples_per_second": clock.rate}


def predict(
    data: str, sizes: list[int], threads: int, seconds: float, batch: int = 0, zeros: bool = True
) -> dict[str, object]:
    network = dn.Network(sizes, seed=1)
    dn.train(network, training_data(data), epochs=1, threads=threads)
    images = worker.load(data, "t10k")[0][: batch or 1000]
    if not zeros:
        images = worker.as_floats(images, zeros=False)
    if batch:
        return worker.throughput(lambda image: network.predict(image, threads), images, seconds)
    return worker.latency(dn.Predictor(network).predict, images, seconds)


if __name__ == "__main__":
    worker.serve(f"digitnet {dn.__version__}", {"train_sigmoid": train_sigmoid, "predict": predict})
