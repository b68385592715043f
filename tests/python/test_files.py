"""What is written in Python appears whole or not at all."""

import errno
import os
from pathlib import Path

import numpy as np
import pytest

from digitnet._files import write_whole
from digitnet._png import write_png


def names(folder):
    return sorted(each.name for each in folder.iterdir())


def test_a_file_is_replaced_whole(tmp_path):
    path = tmp_path / "file"
    for content in ("old", b"new", "größer"):
        write_whole(path, content)
        assert path.read_bytes() == (content if isinstance(content, bytes) else content.encode())
        assert names(tmp_path) == ["file"]


def test_the_mode_is_what_the_umask_says(tmp_path):
    write_whole(tmp_path / "file", "new")
    (tmp_path / "other").write_text("new")
    assert (tmp_path / "file").stat().st_mode == (tmp_path / "other").stat().st_mode


@pytest.mark.parametrize("call", ["fsync", "replace", "open"])
@pytest.mark.parametrize("error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()])
def test_where_a_call_fails_the_older_file_stays_and_nothing_else(tmp_path, monkeypatch, call, error):
    path = tmp_path / "file"
    path.write_text("old")

    def fail(*_arguments, **_keywords):
        raise error

    with monkeypatch.context() as patched:
        patched.setattr(os if call == "fsync" else Path, call, fail)
        with pytest.raises(type(error)) as raised:
            write_whole(path, "new")
    if isinstance(error, OSError):
        assert raised.value.filename == str(path)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_a_write_that_fails_half_way_leaves_the_older_file(tmp_path):
    resource = pytest.importorskip("resource")
    path = tmp_path / "file"
    path.write_text("old")
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (100_000, limits[1]))  # Python ignores SIGXFSZ
    try:
        with pytest.raises(OSError, match="too large"):
            write_whole(path, bytes(300_000))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    assert path.read_text() == "old"
    assert names(tmp_path) == ["file"]


def test_what_a_link_points_to_is_replaced_and_not_the_link(tmp_path):
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    write_whole(tmp_path / "link", "new")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "new"


def test_folders_and_missing_folders_are_refused(tmp_path):
    with pytest.raises(IsADirectoryError):
        write_whole(tmp_path, "new")
    with pytest.raises(FileNotFoundError) as raised:
        write_whole(tmp_path / "missing" / "file", "new")
    assert raised.value.filename == str(tmp_path / "missing" / "file")
    assert names(tmp_path) == []


def test_devices_are_written_to(tmp_path):
    write_whole("/dev/null", "new")
    assert not Path("/dev/null").is_file()


def test_pictures_are_written_whole(tmp_path, monkeypatch):
    path = tmp_path / "picture.png"
    path.write_bytes(b"old")

    def fail(_descriptor):
        raise OSError(errno.EIO, "Input/output error")

    with monkeypatch.context() as patched:
        patched.setattr(os, "fsync", fail)
        with pytest.raises(OSError, match="Input/output"):
            write_png(path, np.zeros((4, 4), np.uint8))
    assert path.read_bytes() == b"old"
    assert names(tmp_path) == ["picture.png"]
