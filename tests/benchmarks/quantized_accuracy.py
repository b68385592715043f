"""How well weights of a byte read the test images of MNIST: the table in docs/performance.md.

quantized_accuracy.py [SIZES ...], such as 784,128,10
"""

from __future__ import annotations

import sys

import numpy as np

import digitnet as dn


def compare(sizes: list[int], seed: int, mnist: dn.Mnist) -> str:
    """Trains a network and asks it with either kind of weights."""
    network = dn.Network(sizes, seed=seed)
    schedule = dn.cosine_schedule()
    dn.train(
        network, mnist.train, epochs=6, batch_size=128, optimizer=dn.AdamW(2e-3), schedule=schedule, seed=seed
    )
    predictor = dn.QuantizedPredictor(network)
    images, labels = mnist.test.images, mnist.test.labels
    exact = network.predict_proba(mnist.test)
    close = np.stack([predictor.predict_proba(image) for image in images])
    read, expected = close.argmax(1), exact.argmax(1)
    return (
        f"{sizes} seed {seed}: float {np.mean(expected == labels):.4f}, bytes {np.mean(read == labels):.4f}, "
        f"{np.sum(read != expected)} read otherwise, probabilities off by {np.abs(close - exact).max():.4f}, "
        f"{4 * network.parameter_count} and {predictor.parameter_bytes} bytes"
    )


def main() -> None:
    """Three seeds of each network."""
    mnist = dn.load_mnist()
    chosen = [[int(size) for size in text.split(",")] for text in sys.argv[1:]]
    for sizes in chosen or [[784, 128, 10], [784, 256, 10], [784, 512, 256, 10]]:
        for seed in (1, 2, 3):
            print(compare(sizes, seed, mnist), flush=True)


if __name__ == "__main__":
    main()
