"""What several test files use: where the sample of MNIST is, the sample itself, a network that knows it."""

import os
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn


@pytest.fixture(scope="session")
def test_data():
    """The folder with the sample of MNIST and the pictures."""
    return Path(os.environ.get("DIGITNET_TEST_DATA") or Path(__file__).resolve().parents[1] / "data")


@pytest.fixture(scope="session")
def sample_folder(test_data):
    return test_data / "mnist-sample"


@pytest.fixture(scope="session")
def mnist(sample_folder):
    """6,000 training and 1,000 test images."""
    return dn.load_mnist(sample_folder)


@pytest.fixture(scope="session")
def pictures(test_data):
    """Ten pictures of digits; the first character of a name is the digit."""
    paths = sorted(
        path for path in (test_data / "images").iterdir() if path.suffix in (".png", ".jpg", ".pgm")
    )
    assert len(paths) == 10
    return paths


@pytest.fixture(scope="session")
def trained(mnist):
    """A network trained on the sample: right for about 94 of 100 test images. Not to be changed."""
    network = dn.Network([784, 128, 10], seed=1)
    optimizer = dn.AdamW(learning_rate=2e-3, weight_decay=0.05)
    schedule = dn.cosine_schedule()
    dn.train(
        network,
        mnist.train,
        epochs=15,
        batch_size=64,
        optimizer=optimizer,
        schedule=schedule,
        seed=1,
        threads=1,
    )
    return network


@pytest.fixture
def small_data():
    """300 random samples of 12 numbers in 4 classes that can be told apart."""
    random = np.random.default_rng(1)
    labels = random.integers(0, 4, 300)
    centers = random.normal(size=(4, 12))
    return dn.Dataset(
        (centers[labels] + 0.3 * random.normal(size=(300, 12))).astype(np.float32), labels, classes=4
    )


@pytest.fixture
def small_network():
    return dn.Network([12, 8, 4], activation="tanh", seed=1)
