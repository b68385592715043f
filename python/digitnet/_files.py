"""Files that appear whole or not at all, for what is written in Python."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path


def write_whole(path: str | os.PathLike[str], content: bytes | str) -> None:
    """Write a file beside its place, flush it to the disk and rename it; a str becomes UTF-8.

    An older file of that name stays until then, and where anything fails; nothing is left behind. A link is
    followed, so that what it points to is replaced and not the link.

    Raises:
        OSError: if the file cannot be written; its filename is the path given.
    """
    data = content.encode() if isinstance(content, str) else content
    place = Path(os.path.realpath(path))
    if place.exists() and not place.is_file():  # a device, a pipe, or a folder, which open refuses
        with Path(path).open("wb") as stream:
            stream.write(data)
        return
    temporary = place.with_name(f".{place.name}.{os.getpid()}-{secrets.token_hex(4)}.tmp")
    try:
        with temporary.open("xb") as stream:
            stream.write(data)
            stream.flush()
            os.fsync(stream.fileno())
        temporary.replace(place)
    except BaseException as error:
        with contextlib.suppress(OSError):
            temporary.unlink()
        if isinstance(error, OSError):
            error.filename, error.filename2 = os.fspath(path), None  # not the name that nobody gave
        raise
    _flush_folder(place.parent)


def _flush_folder(folder: Path) -> None:
    """So that the new name is on the disk, too, as far as the file system lets that be asked."""
    with contextlib.suppress(OSError):
        descriptor = os.open(folder, os.O_RDONLY)
        try:
            os.fsync(descriptor)
        finally:
            os.close(descriptor)
