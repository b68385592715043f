"""Drawings from Python: the same images and files as in C++, and what is wrong said in one line."""

import json

import numpy as np
import pytest

import digitnet as dn


@pytest.fixture
def digits_file(test_data):
    return test_data / "strokes" / "digits.jsonl"


def test_strokes_in_any_form_are_one_image(digits_file):
    drawing = dn.read_drawings(digits_file)[5]
    image = dn.to_mnist_image(drawing)
    assert (image.dtype, image.shape) == (np.uint8, (28, 28))
    lists = [stroke.tolist() for stroke in drawing.strokes]
    whole = [stroke.astype(np.int32) for stroke in drawing.strokes]
    for strokes in (lists, tuple(lists), drawing.strokes, whole, [tuple(map(tuple, s)) for s in lists]):
        np.testing.assert_array_equal(dn.to_mnist_image(strokes), image)
    one = dn.read_drawings(digits_file)[3].strokes
    np.testing.assert_array_equal(dn.to_mnist_image(np.array(one)), dn.to_mnist_image(one))
    assert not dn.to_mnist_image([]).any()
    assert not dn.to_mnist_image([[]]).any()
    assert dn.to_mnist_image(lists, pen_diameter=4).sum() > image.sum()


def test_pictures_are_still_pictures():
    picture = np.full((30, 40, 2), 255, np.uint8)
    picture[10:20, 20, 0] = 0
    assert dn.to_mnist_image(picture).any()


def test_a_drawing_and_its_parts(digits_file):
    drawing = dn.Drawing([[[1, 2], [3, 4]], []], width=10, height=20, brush=0.5, label=3)
    assert (drawing.width, drawing.height, drawing.brush, drawing.label) == (10, 20, 0.5, 3)
    assert [stroke.tolist() for stroke in drawing.strokes] == [[[1, 2], [3, 4]], []]
    assert repr(drawing) == "<digitnet.Drawing: 2 strokes of 2 points, label 3>"
    assert drawing == dn.Drawing(drawing.strokes, 10, 20, 0.5, 3)
    assert drawing != dn.Drawing(drawing.strokes)
    assert dn.read_drawings(digits_file)[7].label == 7


def test_files(digits_file, tmp_path):
    drawings = dn.read_drawings(digits_file)
    for name in ("plain.jsonl", "packed.jsonl.gz"):
        dn.write_drawings(tmp_path / name, drawings)
        assert dn.read_drawings(tmp_path / name) == drawings
    data = dn.load_drawings(str(digits_file))
    assert data.labels.tolist() == list(range(10))
    np.testing.assert_array_equal(data.images, [dn.to_mnist_image(drawing) for drawing in drawings])
    thick = dn.load_drawings(digits_file, pen_diameter=3)
    np.testing.assert_array_equal(thick.images[8], dn.to_mnist_image(drawings[8], 3))
    (tmp_path / "bad").write_text(json.dumps({"strokes": [[[1, 2, 3]]]}))
    with pytest.raises(dn.FormatError, match="bad: line 1: stroke 0, point 0: a point of 3 numbers"):
        dn.read_drawings(tmp_path / "bad")


def test_digits_side_by_side(digits_file):
    drawings = dn.read_drawings(digits_file)
    row = [np.add(stroke, [200 * i, 0]) for i in range(10) for stroke in drawings[i].strokes]
    parts = dn.segment_digits(row)
    assert len(parts) == 10
    for part, drawing in zip(parts, drawings):
        np.testing.assert_array_equal(dn.to_mnist_image(part), dn.to_mnist_image(drawing))


@pytest.mark.parametrize(
    ("strokes", "error", "part"),
    [
        ([[[1, float("nan")]]], dn.ArgumentError, "stroke 0, point 0: y is nan, expected a number within"),
        ([[[1, 2]], [[1e300, 0]]], dn.ArgumentError, "stroke 1, point 0: x is 1e\\+300"),
        ([[[1, 2, 3]]], dn.ArgumentError, "stroke 0, point 0 is \\[1, 2, 3\\], expected two numbers"),
        ([[1, 2], [3, 4]], dn.ArgumentError, "a single stroke is \\[\\[\\[x, y\\], ...\\]\\]"),
        ([5], dn.ArgumentError, "stroke 0 is 5, expected a list of points"),
        ([[["a", 2]]], TypeError, "stroke 0, point 0: x is 'a', expected a number"),
        ([[[1, None]]], TypeError, "stroke 0, point 0: y is None, expected a number"),
        ([np.zeros((4, 3))], dn.ArgumentError, "stroke 0 is an array of dtype float64 and shape \\(4, 3\\)"),
        ("strokes", TypeError, "found a str"),
        (None, TypeError, "found None"),
        (np.zeros((3, 4, 5)), dn.ShapeError, "a picture of"),
    ],
)
def test_what_is_wrong_is_one_line(strokes, error, part):
    with pytest.raises(error, match=part) as caught:
        dn.to_mnist_image(strokes)
    message = str(caught.value)
    assert message.startswith("to_mnist_image: ")
    assert "\n" not in message


def test_a_million_points():
    points = np.linspace((0.0, 0.0), (100.0, 40.0), 1_000_000)
    np.testing.assert_allclose(
        dn.to_mnist_image([points]).astype(int), dn.to_mnist_image([points[[0, -1]]]).astype(int), atol=1
    )
    with pytest.raises(dn.ArgumentError, match="1000001 points, expected at most 1000000"):
        dn.to_mnist_image([np.zeros((1_000_001, 2))])
