"""digitnet.read_idx and write_idx: NumPy arrays to IDX files and back."""

import gzip

import numpy as np
import pytest

import digitnet as dn

TYPES = ["uint8", "int8", "int16", "int32", "float32", "float64"]


@pytest.mark.parametrize("dtype", TYPES)
@pytest.mark.parametrize("shape", [(5,), (2, 3), (4, 3, 2), (2, 1, 3, 2), (0,), (0, 28, 28)])
@pytest.mark.parametrize("name", ["array", "array.gz"])
def test_what_is_written_is_read_again(tmp_path, dtype, shape, name):
    info = np.iinfo(dtype) if np.dtype(dtype).kind in "iu" else np.finfo(dtype)
    array = (
        np.linspace(float(info.min) / 2, float(info.max) / 2, int(np.prod(shape)))
        .astype(dtype)
        .reshape(shape)
    )
    dn.write_idx(tmp_path / name, array)
    read = dn.read_idx(tmp_path / name)
    assert read.dtype == array.dtype
    assert read.shape == shape
    np.testing.assert_array_equal(read, array)


def test_the_bytes_are_those_of_the_format(tmp_path):
    dn.write_idx(tmp_path / "a", np.array([[1, -2, 3]], dtype=np.int16))
    assert (tmp_path / "a").read_bytes() == bytes.fromhex("00000b02 00000001 00000003 0001 fffe 0003")


def test_gzip_is_told_by_content_not_by_name(tmp_path):
    dn.write_idx(tmp_path / "a.gz", np.arange(4, dtype=np.uint8))
    assert (tmp_path / "a.gz").read_bytes()[:2] == b"\x1f\x8b"
    (tmp_path / "b").write_bytes((tmp_path / "a.gz").read_bytes())
    np.testing.assert_array_equal(dn.read_idx(tmp_path / "b"), [0, 1, 2, 3])


def test_arrays_of_any_layout_and_byte_order_are_written_right(tmp_path):
    array = np.arange(24, dtype=np.int32).reshape(4, 6)
    for variant in (array.T, array[::2, ::-1], np.asfortranarray(array)):
        dn.write_idx(tmp_path / "a", variant)
        np.testing.assert_array_equal(dn.read_idx(tmp_path / "a"), variant)


def test_arrays_read_are_writable_and_own_their_memory(tmp_path):
    dn.write_idx(tmp_path / "a", np.zeros(3, np.uint8))
    read = dn.read_idx(tmp_path / "a")
    read[0] = 7
    assert dn.read_idx(tmp_path / "a")[0] == 0


def test_paths_may_be_text_or_path(tmp_path):
    dn.write_idx(str(tmp_path / "a"), np.zeros(3, np.uint8))
    assert dn.read_idx(str(tmp_path / "a")).shape == (3,)


@pytest.mark.parametrize(
    "array", [np.zeros(3, np.int64), np.zeros(3, np.uint16), np.zeros(3, bool), np.zeros(3, complex)]
)
def test_other_types_are_refused(tmp_path, array):
    with pytest.raises(dn.ArgumentError, match=rf"dtype .*{array.dtype.name[:3]}.*expected uint8, int8"):
        dn.write_idx(tmp_path / "a", array)
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("dimensions", [0, 5])
def test_one_to_four_dimensions(tmp_path, dimensions):
    with pytest.raises(dn.ArgumentError, match="dimensions"):
        dn.write_idx(tmp_path / "a", np.zeros((1,) * dimensions, np.uint8))


BROKEN = {
    "empty": b"",
    "magic": b"\0\1\x08\1" + b"\0\0\0\1" + b"x",
    "type": b"\0\0\x0a\1" + b"\0\0\0\1" + b"x",
    "dimensions": b"\0\0\x08\5" + b"\0\0\0\1" * 5 + b"x",
    "short": b"\0\0\x08\1" + b"\0\0\0\3" + b"xx",
    "long": b"\0\0\x08\1" + b"\0\0\0\3" + b"xxxx",
    "huge": b"\0\0\x0e\4" + b"\xff\xff\xff\xff" * 4,
    "web page": b"<!DOCTYPE html><html></html>",
    "cut gzip": gzip.compress(b"\0\0\x08\1" + b"\0\0\0\3" + b"xxx")[:-9],
}


@pytest.mark.parametrize("kind", BROKEN)
def test_a_broken_file_is_a_format_error_that_names_it(tmp_path, kind):
    path = tmp_path / "broken"
    path.write_bytes(BROKEN[kind])
    with pytest.raises(dn.FormatError, match=r"^read_idx: .*broken: .") as caught:
        dn.read_idx(path)
    assert "\n" not in str(caught.value)


def test_a_missing_file_and_a_folder_are_io_errors(tmp_path):
    for path in (tmp_path / "missing", tmp_path):
        with pytest.raises(dn.IoError, match=str(path)):
            dn.read_idx(path)
    with pytest.raises(dn.IoError):
        dn.write_idx(tmp_path / "no folder" / "a", np.zeros(3, np.uint8))
