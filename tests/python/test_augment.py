"""Augmentation from Python: what is given and taken; the changes themselves are tested in C++."""

import numpy as np
import pytest

import digitnet as dn


@pytest.fixture
def images(mnist):
    return np.array(mnist.train.images[:50])


def test_augment_keeps_shape_type_and_input(images):
    before = images.copy()
    changed = dn.augment(images, dn.Augmentation(), seed=1)
    assert changed.dtype == np.uint8
    assert changed.shape == images.shape
    np.testing.assert_array_equal(images, before)
    assert all((changed[i] != images[i]).any() for i in range(50))
    np.testing.assert_array_equal(dn.augment(images), dn.augment(images, dn.Augmentation(), seed=0))


def test_the_seed_decides_and_threads_do_not(images):
    first = dn.augment(images, seed=1, threads=1)
    np.testing.assert_array_equal(first, dn.augment(images, seed=1, threads=3))
    assert (first != dn.augment(images, seed=2)).any()


def test_one_image_of_any_size_and_layout(images):
    assert dn.augment(images[0]).shape == (28, 28)
    assert dn.augment(np.zeros((0, 28, 28), np.uint8)).shape == (0, 28, 28)
    wide = np.repeat(images, 2, axis=2)
    assert dn.augment(wide).shape == (50, 28, 56)
    every_second = wide[:, :, ::2]  # not contiguous
    np.testing.assert_array_equal(dn.augment(every_second, seed=3), dn.augment(images, seed=3))


@pytest.mark.parametrize("shape", [(784,), (2, 3, 4, 5)])
def test_other_shapes_are_errors(shape):
    with pytest.raises(
        dn.ShapeError, match=r"augment: images of dtype uint8 .* expected uint8 \(n, rows, columns\)"
    ):
        dn.augment(np.zeros(shape, np.uint8))


def test_other_types_are_errors():
    with pytest.raises(dn.ShapeError, match="augment: images of dtype float32"):
        dn.augment(np.zeros((2, 28, 28), np.float32))
    with pytest.raises(dn.ShapeError, match="1 x 784 pixels, expected sides of 2 to 4096"):
        dn.augment(np.zeros((2, 1, 784), np.uint8))


def test_augmentation_says_what_it_is():
    options = dn.Augmentation(rotation=5, elastic=0)
    assert options.rotation == 5
    assert options.elastic == 0
    assert options.shift == dn.Augmentation().shift
    assert options == dn.Augmentation(elastic=0, rotation=5)
    assert options != dn.Augmentation()
    assert "rotation=5, " in repr(options)
    assert eval(repr(options), {"Augmentation": dn.Augmentation}) == options
    with pytest.raises(AttributeError):
        options.rotation = 3
    with pytest.raises(dn.ArgumentError, match="Augmentation: rotation is 181, expected 0 to 180"):
        dn.Augmentation(rotation=181)


def test_augmentations_by_name():
    assert dn.AUGMENTATIONS == ("none", "light", "standard", "strong")
    assert dn.Augmentation.named("standard") == dn.Augmentation()
    assert dn.Augmentation.named("none").is_none
    assert not dn.Augmentation.named("light").is_none
    with pytest.raises(dn.ArgumentError, match='name "heavy", expected one of none, light, standard, strong'):
        dn.Augmentation.named("heavy")


def weights(mnist, augmentation, threads=1):
    network = dn.Network([784, 16, 10], seed=1)
    dn.train(network, mnist.train[:300], epochs=2, augmentation=augmentation, threads=threads)
    return network.layers[0].weights


def test_train_takes_an_augmentation_a_name_or_true(mnist):
    standard = weights(mnist, dn.Augmentation())
    for same in (True, "standard"):
        np.testing.assert_array_equal(weights(mnist, same), standard)
    np.testing.assert_array_equal(weights(mnist, dn.Augmentation(), threads=3), standard)
    plain = weights(mnist, None)
    assert (plain != standard).any()
    for nothing in (False, "none"):
        np.testing.assert_array_equal(weights(mnist, nothing), plain)


def test_train_says_what_is_wrong(mnist):
    with pytest.raises(dn.ArgumentError, match=r'^train: augmentation "heavy", expected one of none'):
        weights(mnist, "heavy")
    with pytest.raises(TypeError, match="train: augmentation is 3, expected"):
        weights(mnist, 3)
    numbers = dn.Dataset(np.zeros((20, 784), np.float32), np.zeros(20, np.uint8))
    network = dn.Network([784, 10], seed=1)
    with pytest.raises(
        dn.ArgumentError, match="train: augmentation of samples of 1 x 784 numbers, expected images"
    ):
        dn.train(network, numbers, augmentation=True)
