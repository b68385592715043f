"""How files are opened and written in Python: plain ones only, which appear whole or not at all."""

from __future__ import annotations

import contextlib
import os
import secrets
import stat
from pathlib import Path
from typing import BinaryIO

from digitnet._core import FormatError, IoError


def open_plain(path: Path, where: str = "Run") -> BinaryIO:
    """Opens a plain file to read it; never waits, as it would for a pipe.

    Raises:
        FileNotFoundError: if there is none.
        IoError: if it cannot be opened.
        FormatError: if it is something else.
    """
    try:
        descriptor = os.open(path, os.O_RDONLY | os.O_CLOEXEC | os.O_NONBLOCK | os.O_NOCTTY)
    except FileNotFoundError:
        raise
    except OSError as error:
        raise io_error(path, error, where) from None
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        msg = f"{where}: {shown(path)}: no plain file, expected one"
        raise FormatError(msg)
    return os.fdopen(descriptor, "rb")


def io_error(path: Path, error: OSError, where: str = "Run") -> IoError:
    return IoError(f"{where}: {shown(path)}: cannot be read: {error.strerror or error}")


def shown(path: Path) -> str:
    """A path that can be printed on one line, whatever it is called."""
    return printable(str(path))


def printable(text: str) -> str:
    """A text from a stranger, on one line, without what steers a terminal or cannot be encoded."""
    return "".join(
        each if each.isprintable() else " " if each.isspace() else "\N{REPLACEMENT CHARACTER}"
        for each in text
    )


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
