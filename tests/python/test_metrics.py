"""Metrics, against small numbers worked out by hand."""

import numpy as np
import pytest

import digitnet as dn

LABELS = np.array([0, 0, 1, 2, 2, 2])
PREDICTED = np.array([0, 1, 1, 2, 0, 2], np.uint8)


def test_accuracy():
    assert dn.accuracy(PREDICTED, LABELS) == 4 / 6
    with pytest.raises(dn.ShapeError):
        dn.accuracy(PREDICTED, LABELS[:5])
    with pytest.raises(dn.ShapeError):
        dn.accuracy(PREDICTED[:0], LABELS[:0])


def test_confusion_matrix_has_labels_in_rows():
    confusion = dn.confusion_matrix(PREDICTED, LABELS, classes=3)
    assert confusion.dtype == np.uint64
    np.testing.assert_array_equal(confusion, [[1, 1, 0], [0, 1, 0], [1, 0, 2]])
    with pytest.raises(dn.ArgumentError, match="2"):
        dn.confusion_matrix(PREDICTED, LABELS, classes=2)


def test_precision_and_recall():
    confusion = dn.confusion_matrix(PREDICTED, LABELS, classes=4)
    np.testing.assert_allclose(dn.precision(confusion), [1 / 2, 1 / 2, 1, 0])
    np.testing.assert_allclose(dn.recall(confusion), [1 / 2, 1, 2 / 3, 0])
    with pytest.raises(dn.ShapeError):
        dn.precision(confusion[:2])


def test_f1_and_means_over_the_classes():
    confusion = dn.confusion_matrix(PREDICTED, LABELS, classes=4)
    f1 = [1 / 2, 2 / 3, 4 / 5, 0]
    np.testing.assert_allclose(dn.f1(confusion), f1)
    # The class 3 is neither a label nor a prediction.
    assert dn.macro_average(dn.f1(confusion), confusion) == pytest.approx(sum(f1) / 3)
    assert dn.macro_average([3, 4, 5, 1000], confusion) == 4
    with pytest.raises(dn.ShapeError, match="f1: an array of"):
        dn.f1(confusion[:2])
    with pytest.raises(
        dn.ShapeError, match=r"macro_average: 3 numbers and counts of shape \(4, 4\), expected one"
    ):
        dn.macro_average([1, 2, 3], confusion)


def test_top_k_accuracy_and_ties():
    outputs = [[0.1, 0.5, 0.4], [0.3, 0.3, 0.3]]  # of equal outputs that of the lower class counts as larger
    assert [dn.top_k_accuracy(outputs, np.array([2, 1]), k) for k in (1, 2, 3)] == [0, 1, 1]
    assert dn.top_k_accuracy(outputs, np.array([1, 0]), 1) == 1
    for k in (0, 4):
        with pytest.raises(dn.ArgumentError):
            dn.top_k_accuracy(outputs, np.array([2, 1]), k)


def test_evaluation_agrees_with_its_parts(trained, mnist):
    evaluation = trained.evaluate(mnist.test)
    predicted, labels = trained.predict(mnist.test), mnist.test.labels
    probabilities = trained.predict_proba(mnist.test).astype(np.float64)
    assert evaluation.samples == 1000
    assert evaluation.accuracy == np.mean(predicted == labels) == dn.accuracy(predicted, labels)
    assert evaluation.accuracy > 0.9
    assert evaluation.top_2_accuracy == dn.top_k_accuracy(probabilities, labels, 2)
    assert evaluation.loss == pytest.approx(-np.log(probabilities[np.arange(1000), labels]).mean(), rel=1e-5)
    np.testing.assert_array_equal(evaluation.confusion, dn.confusion_matrix(predicted, labels))
    np.testing.assert_array_equal(evaluation.precision, dn.precision(evaluation.confusion))
    np.testing.assert_array_equal(evaluation.recall, dn.recall(evaluation.confusion))
    np.testing.assert_array_equal(evaluation.f1, dn.f1(evaluation.confusion))
    assert evaluation.macro_precision == pytest.approx(evaluation.precision.mean())
    assert evaluation.macro_recall == pytest.approx(evaluation.recall.mean())
    assert evaluation.macro_f1 == pytest.approx(evaluation.f1.mean())
    assert evaluation.confusion.sum() == 1000


def test_evaluating_nothing_is_an_error(trained, mnist):
    with pytest.raises(dn.ArgumentError, match="evaluate"):
        trained.evaluate(mnist.test[:0])
