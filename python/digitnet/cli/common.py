"""What the commands share: exit codes, errors, options of more than one command."""

from __future__ import annotations

import argparse
import gzip
import signal
import sys
import tempfile
import zlib
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import digitnet as dn
from digitnet._arguments import nearest
from digitnet._files import open_plain

if TYPE_CHECKING:
    from collections.abc import Callable

FAILED, USAGE, BAD_INPUT, THRESHOLD_MISSED, NETWORK, INTERRUPTED = 1, 2, 3, 4, 5, 130

DEFAULT_MODEL = "mnist.safetensors"


class CommandError(Exception):
    """Ends a command with one line on stderr and an exit code."""

    def __init__(self, exit_code: int, message: str) -> None:
        super().__init__(message)
        self.exit_code = exit_code


class Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, and where to read more."""

    def error(self, message: str) -> NoReturn:
        """End with the exit code of a usage error."""
        self.exit(USAGE, f"digitnet: {message}; see {self.prog} --help\n")


def tell(what: object) -> None:
    """Talk: one line on stderr."""
    print("digitnet:", " ".join(str(what).splitlines()), file=sys.stderr)


def add_data_options(parser: argparse.ArgumentParser) -> None:
    """Where the data are."""
    parser.add_argument(
        "--data", metavar="DIR", help="data directory (default: DIGITNET_DATA_DIR, else the user's cache)"
    )
    name = "data set, one of those that `digitnet fetch` gets, or a folder in DIR (default: %(default)s)"
    parser.add_argument("--name", default="mnist", help=name)


def load_data(options: argparse.Namespace) -> dn.Mnist:
    """The data that --data and --name say.

    A folder of four files can be given as --data itself, so any name would do there, and be kept in the
    model. A name is taken only if a set of this name can be fetched, or there is a folder of this name.
    """
    name: str = options.name
    folders = dn.data_directories(options.data)
    is_plain = name not in ("", ".", "..") and Path(name).name == name
    if name != "mnist" and not (is_plain and any((folder / name).is_dir() for folder in folders)):
        from digitnet.fetch import DATASETS  # takes a while to import

        if name not in DATASETS:
            where = " or ".join(map(str, folders)) or "a data directory"
            expected = f"expected one of {', '.join(DATASETS)}, or a folder in {where}"
            raise CommandError(USAGE, f"--name '{name}', {expected}{nearest(name, DATASETS)}")
    return dn.load_mnist(options.data, name)


def add_json_option(parser: argparse.ArgumentParser | argparse._ArgumentGroup) -> None:
    """In which form the result is."""
    parser.add_argument("--json", action="store_true", help="write the result as JSON")


def second_interrupt_leaves() -> None:
    """The first Ctrl-C ends the work in good order, as always; a second one ends the program at once."""

    def interrupt(_number: int, _frame: object) -> None:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
        raise KeyboardInterrupt

    signal.signal(signal.SIGINT, interrupt)


def whole(least: int, most: int = 2**63 - 1) -> Callable[[str], int]:
    """A reader of whole numbers from least to most."""

    def read(word: str) -> int:
        value = int(word[:20]) if word.isascii() and word.isdigit() else -1
        if least <= value <= most:
            return int(word)
        upper = f" to {most}" if most < 2**63 - 1 or value > most else " on"
        msg = f"'{word}', expected a whole number from {least}{upper}"
        raise argparse.ArgumentTypeError(msg)

    return read


def place(word: str) -> str:
    """The name of a file or folder; "", as of a variable that is not set, would be the folder one is in."""
    if not word:
        msg = "'', expected the name of a file or folder"
        raise argparse.ArgumentTypeError(msg)
    return word


def unwritable(folder: str | Path) -> str | None:
    """Why no file can be written in a folder, or None: asked before a long work, not after it."""
    try:
        with tempfile.TemporaryFile(dir=folder):
            return None
    except OSError as error:
        return error.strerror or str(error)


def number(below: float | None = None, most: float | None = None) -> Callable[[str], float]:
    """A reader of finite numbers of at least 0, and below a limit or at most one."""

    def read(word: str) -> float:
        try:
            value = float(word)
        except ValueError:
            value = float("nan")
        if 0 <= value < (float("inf") if below is None else below) and (most is None or value <= most):
            return value
        upper = (
            f" and at most {most:g}"
            if most is not None
            else f" and below {below:g}"
            if below is not None
            else ""
        )
        msg = f"'{word}', expected a number of at least 0{upper}"
        raise argparse.ArgumentTypeError(msg)

    return read


def beginning(file: str, count: int, *, unpacked: bool = False) -> bytes | None:
    """The first bytes of a file, or None if there are none to be had: whoever reads it next says why.

    Args:
        file: its path.
        count: how many bytes; fewer where the file ends.
        unpacked: whether to look into gzip.
    """
    try:
        with open_plain(Path(file)) as stream:
            if unpacked and stream.read(2) == b"\x1f\x8b":
                stream.seek(0)
                with gzip.open(stream) as content:
                    return content.read(count)
            stream.seek(0)
            return stream.read(count)
    except (OSError, EOFError, zlib.error, dn.Error):
        return None


def is_idx(file: str) -> bool:
    """IDX files begin with two bytes of 0, or are gzip; pictures and models do neither."""
    return beginning(file, 2) in (b"\0\0", b"\x1f\x8b")


def is_strokes(file: str) -> bool:
    """Files of pen strokes are JSON, plain or gzip: they begin with a bracket."""
    start = beginning(file, 64, unpacked=True) or b""
    return start.removeprefix(b"\xef\xbb\xbf").lstrip()[:1] in (b"{", b"[")
