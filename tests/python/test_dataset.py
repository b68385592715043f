"""digitnet.Dataset and the loaders: labels are checked, memory is shared and kept alive."""

import gc
import hashlib
import weakref

import numpy as np
import pytest

import digitnet as dn


@pytest.fixture
def images():
    return np.random.default_rng(1).integers(0, 256, (6, 28, 28), dtype=np.uint8)


LABELS = [3, 1, 4, 1, 5, 9]


def test_load_mnist_gives_two_halves(mnist):
    assert (len(mnist.train), len(mnist.test)) == (6000, 1000)
    assert mnist.train.images.shape == (6000, 28, 28)
    assert mnist.train.images.dtype == np.uint8
    assert mnist.train.labels.dtype == np.uint8
    assert mnist.train.inputs == 784
    assert mnist.train.shape == (28, 28)
    assert mnist.train.classes == 10
    np.testing.assert_array_equal(mnist.train.class_counts(), np.bincount(mnist.train.labels, minlength=10))


def test_load_mnist_agrees_with_the_files(mnist, sample_folder):
    np.testing.assert_array_equal(mnist.test.images, dn.read_idx(sample_folder / "t10k-images-idx3-ubyte.gz"))
    np.testing.assert_array_equal(mnist.test.labels, dn.read_idx(sample_folder / "t10k-labels-idx1-ubyte.gz"))


def test_load_mnist_looks_in_the_environment(sample_folder, tmp_path, monkeypatch):
    (tmp_path / "mnist").symlink_to(sample_folder)
    monkeypatch.setenv("DIGITNET_DATA_DIR", str(tmp_path))
    assert len(dn.load_mnist().test) == 1000
    assert dn.data_directories()[0] == tmp_path
    assert dn.data_directories(sample_folder) == [sample_folder]


def test_load_mnist_says_where_it_looked(tmp_path):
    with pytest.raises(dn.IoError, match=rf"{tmp_path}.*digitnet fetch"):
        dn.load_mnist(tmp_path)


def test_load_dataset_tells_swapped_files(sample_folder):
    images, labels = sample_folder / "t10k-images-idx3-ubyte.gz", sample_folder / "t10k-labels-idx1-ubyte.gz"
    assert len(dn.load_dataset(images, labels)) == 1000
    with pytest.raises(dn.FormatError, match="swapped"):
        dn.load_dataset(labels, images)
    with pytest.raises(dn.FormatError, match="label"):
        dn.load_dataset(images, labels, classes=5)


def test_bytes_in_order_are_not_copied(images):
    data = dn.Dataset(images, LABELS)
    assert np.shares_memory(data.images, images)
    assert np.shares_memory(data[2:4].images, images)
    np.testing.assert_array_equal(data.images, images)


def test_float32_in_order_is_not_copied():
    inputs = np.random.default_rng(1).random((6, 5), dtype=np.float32)
    data = dn.Dataset(inputs, LABELS)
    assert np.shares_memory(data.images, inputs)
    np.testing.assert_array_equal(data.images, inputs)


def test_other_arrays_are_copied(images):
    halves = (images.astype(np.float64) / 256).reshape(6, 784)
    for array in (images[::-1], images.transpose(0, 2, 1), images[:, ::2], halves, halves.astype(np.float16)):
        data = dn.Dataset(array, LABELS)
        assert not np.shares_memory(data.images, array)
        np.testing.assert_array_equal(data.images, array)


def test_images_may_be_flat(images):
    assert dn.Dataset(images.reshape(6, 784), LABELS).shape == (28, 28)
    assert dn.Dataset(images[:, :5].reshape(6, 140), LABELS).shape == (1, 140)
    assert dn.Dataset(images.astype(np.float32) / 255, LABELS).inputs == 784


def test_views_are_read_only(images):
    view = dn.Dataset(images, LABELS).images
    with pytest.raises(ValueError, match="read-only"):
        view[0, 0, 0] = 1
    assert images.flags.writeable


def test_an_array_lives_as_long_as_a_dataset_needs_it(images):
    array = images.copy()
    alive = weakref.ref(array)
    data = dn.Dataset(array, LABELS)
    part = data[1:3]
    view = part.images
    del array, data, part
    gc.collect()
    assert alive() is not None
    np.testing.assert_array_equal(view, images[1:3])
    del view
    gc.collect()
    assert alive() is None


def test_labels_are_a_copy(images):
    labels = np.array(LABELS)
    data = dn.Dataset(images, labels)
    labels[:] = 0
    data.labels[:] = 0
    np.testing.assert_array_equal(data.labels, LABELS)


@pytest.mark.parametrize("dtype", ["uint8", "int8", "int16", "uint16", "int32", "int64", "uint64"])
def test_labels_of_any_whole_type(images, dtype):
    np.testing.assert_array_equal(dn.Dataset(images, np.array(LABELS, dtype)).labels, LABELS)


@pytest.mark.parametrize("wrong", [-1, 10, 255, 256, 266, 300, -246, 2**32 + 3, -(2**40)])
def test_a_label_out_of_range_is_an_error_and_never_wraps(images, wrong):
    labels = np.array(LABELS, np.int64)
    labels[4] = wrong
    with pytest.raises(dn.ArgumentError, match=f"label {wrong} of sample 4"):
        dn.Dataset(images, labels)


def test_the_largest_unsigned_label_does_not_wrap(images):
    labels = np.array(LABELS, np.uint64)
    labels[2] = 2**64 - 1
    with pytest.raises(dn.ArgumentError, match=r"label -?\d+ of sample 2"):
        dn.Dataset(images, labels)


@pytest.mark.parametrize("labels", [[1.0] * 6, [[1]] * 6, ["1"] * 6, [True] * 6])
def test_labels_are_whole_numbers_in_a_row(images, labels):
    with pytest.raises(dn.ShapeError, match="whole numbers of shape"):
        dn.Dataset(images, labels)


def test_shapes_must_fit(images):
    with pytest.raises(dn.ShapeError, match="5"):
        dn.Dataset(images, LABELS[:5])
    with pytest.raises(dn.ShapeError, match="expected uint8 or float"):
        dn.Dataset(images.astype(np.int32), LABELS)
    with pytest.raises(dn.ShapeError, match="for one image"):
        dn.Dataset(images[0, 0], LABELS)


@pytest.mark.parametrize("bad", [np.nan, np.inf, -np.inf])
def test_numbers_must_be_finite(bad):
    inputs = np.zeros((6, 5), np.float32)
    inputs[3, 2] = bad
    with pytest.raises(dn.ArgumentError, match="sample 3"):
        dn.Dataset(inputs, LABELS)


def test_slices_are_like_those_of_a_list(images):
    data = dn.Dataset(images, LABELS)
    for part in (
        slice(2, 4),
        slice(None, None, 2),
        slice(None, None, -1),
        slice(5, 0, -2),
        slice(3, 3),
        slice(-2, None),
    ):
        np.testing.assert_array_equal(data[part].labels, LABELS[part])
        np.testing.assert_array_equal(data[part].images, images[part])


def test_subset_picks_in_the_order_given(images):
    data = dn.Dataset(images, LABELS).subset([5, 0, 0])
    np.testing.assert_array_equal(data.labels, [9, 3, 3])
    np.testing.assert_array_equal(data.images, images[[5, 0, 0]])
    with pytest.raises(dn.ArgumentError, match="3"):
        data.subset([3])
    with pytest.raises((TypeError, ValueError, OverflowError)):
        data.subset([-1])
    mask = np.asarray(LABELS) == 9
    for wrong in (mask, list(mask), mask.tolist()):  # not the samples 0 and 1
        with pytest.raises(
            TypeError, match=r"samples\[0\] is .*; numpy.flatnonzero gives the numbers of a mask"
        ):
            data.subset(wrong)
    np.testing.assert_array_equal(data.subset(np.flatnonzero(data.labels == 3)).labels, [3, 3])


def test_split_is_a_permutation_and_repeats_itself(mnist):
    first, second = mnist.test.split(300, seed=5)
    assert (len(first), len(second)) == (300, 700)
    rows = np.concatenate([first.images, second.images]).reshape(1000, 784)
    np.testing.assert_array_equal(
        np.unique(rows, axis=0), np.unique(mnist.test.images.reshape(1000, 784), axis=0)
    )
    again, _ = mnist.test.split(300, seed=5)
    other, _ = mnist.test.split(300, seed=6)
    np.testing.assert_array_equal(first.labels, again.labels)
    assert not np.array_equal(first.labels, other.labels)
    with pytest.raises(dn.ArgumentError, match="1001"):
        mnist.test.split(1001)


def test_fingerprint_is_the_sha256_of_samples_and_labels(images):
    data = dn.Dataset(images, LABELS)
    assert data.fingerprint() == hashlib.sha256(images.tobytes() + bytes(LABELS)).hexdigest()
    assert data[1:].fingerprint() != data.fingerprint()


def test_soft_labels_go_where_their_samples_go(images):
    targets = np.full((6, 10), 0.1, np.float32)
    targets[2] = np.eye(10)[7]
    data = dn.Dataset(images, LABELS, targets=targets)
    assert data.targets.dtype == np.float32
    np.testing.assert_array_equal(data.targets, targets)
    np.testing.assert_array_equal(data.labels, LABELS)
    np.testing.assert_array_equal(data[1:4].subset([1, 0]).targets, targets[[2, 1]])
    assert dn.Dataset(images, LABELS).targets is None
    soft = hashlib.sha256(images.tobytes() + bytes(LABELS) + targets.tobytes())
    assert data.fingerprint() == soft.hexdigest()


@pytest.mark.parametrize(
    ("targets", "error", "message"),
    [
        (np.ones((6, 9)) / 9, dn.ShapeError, r"targets of shape \(6, 9\) for 6 samples of 10 classes"),
        (
            np.ones(6),
            dn.ShapeError,
            r"targets of dtype float32 and shape \(6\), expected shape \(n, classes\)",
        ),
        (np.ones((6, 10)), dn.ArgumentError, "the row of sample 0 adds up to 10, expected 1"),
        (np.eye(10)[:6] * 2 - 0.1, dn.ArgumentError, "-0.1 in the row of sample 0, expected at least 0"),
        (np.full((6, 10), np.nan), dn.ArgumentError, "nan in the row of sample 0"),
    ],
)
def test_soft_labels_must_be_distributions(images, targets, error, message):
    with pytest.raises(error, match=message):
        dn.Dataset(images, LABELS, targets=targets)


def test_a_network_learns_from_another_by_soft_labels(mnist):
    teacher = dn.Network([784, 32, 10], seed=1)
    dn.train(teacher, mnist.train, epochs=2, seed=1)
    softly = dn.Dataset(mnist.train.images, mnist.train.labels, targets=teacher.predict_proba(mnist.train))
    student = dn.Network([784, 32, 10], seed=2)
    history = dn.train(student, softly, epochs=5, augmentation="light", seed=2)
    assert history.reason == "done"
    agrees = student.predict(mnist.test) == teacher.predict(mnist.test)
    assert agrees.mean() > 0.9


def test_zero_samples_are_an_empty_set():
    data = dn.Dataset(np.zeros((0, 28, 28), np.uint8), np.zeros(0, np.uint8))
    assert len(data) == 0
    assert data.images.shape == (0, 28, 28)


def test_repr_says_what_it_is(images):
    assert repr(dn.Dataset(images, LABELS)) == "<digitnet.Dataset: 6 samples of 28 x 28 bytes, 10 classes>"
