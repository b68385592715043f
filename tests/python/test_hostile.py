"""Every reader and every kind of wrong file: one line of a digitnet.Error, soon and with little memory."""

import ast
import copy
import gzip
import io
import json
import pickle
import re
import struct
import subprocess
import sys
import zlib
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn

MEBIBYTE = 1 << 20


def png_piece(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png(width, height, packed):
    header = png_piece(b"IHDR", struct.pack(">2I5B", width, height, 8, 0, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + header + png_piece(b"IDAT", packed) + png_piece(b"IEND", b"")


def safetensors(header, data=b""):
    text = header if isinstance(header, bytes) else json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def zeros_packed(mebibytes):
    """Gzip members of zeros, which unpack a thousandfold."""
    return gzip.compress(bytes(16 * MEBIBYTE)) * (mebibytes // 16)


IDX_OF_2_GB = struct.pack(">HBB3I", 0, 8, 3, 2048, 1024, 1024)
LABELS = struct.pack(">HBBI", 0, 8, 1, 3) + b"\0\1\2"
IMAGES = struct.pack(">HBB3I", 0, 8, 3, 3, 28, 28) + bytes(3 * 784)
MODEL = dn.Network([4, 3], seed=1).to_bytes()
STROKES = b'{"label": 1, "strokes": [[[1, 2], [3, 4]]]}\n'
PNG = png(3, 2, zlib.compress(bytes([0, 1, 2, 3, 0, 4, 5, 6])))

# Every one of these is a wrong file for every reader below, but for those in TAKEN.
FILES = {
    "nothing": b"",
    "zeros": bytes(1000),
    "text": b"hello, world\n",
    "web page": b"<!DOCTYPE html><html></html>",
    "pickle": pickle.dumps({"weights": [1, 2]}),
    "npy": b"\x93NUMPY\x01\x00v\x00{'descr': '<f4', 'fortran_order': False, 'shape': (1,)}\n",
    "zip": b"PK\x03\x04" + bytes(100),
    "labels": LABELS,
    "labels cut": LABELS[:-1],
    "labels packed and cut": gzip.compress(LABELS)[:-5],
    "labels packed with a wrong checksum": gzip.compress(LABELS)[:-8] + bytes(8),
    "idx that claims 2 GB": IDX_OF_2_GB,
    "idx that claims 2^128 bytes": struct.pack(">HBB4I", 0, 0x0E, 4, *[2**32 - 1] * 4),
    "gzip that claims 2 GB": gzip.compress(IDX_OF_2_GB) + zeros_packed(1024),
    "gzip that holds more than it claims": gzip.compress(LABELS[:8]) + zeros_packed(256),
    "gzip of lines": gzip.compress(b"\n" * (16 * MEBIBYTE)) * 8,
    "gzip of empty drawings": gzip.compress(b"[]\n" * (5 * MEBIBYTE)),
    "model": MODEL,
    "model cut": MODEL[:-1],
    "model with a bit flipped": MODEL[:-1] + bytes([MODEL[-1] ^ 1]),
    "model packed": gzip.compress(MODEL),
    "header that claims 2^63 bytes": struct.pack("<Q", 2**63) + b"{}",
    "tensor that claims 2^40 numbers": safetensors(
        {"x": {"dtype": "F32", "shape": [2**20, 2**20], "data_offsets": [0, 2**42]}}
    ),
    "key twice": safetensors(b'{"__metadata__": {"a": "b", "a": "b"}}'),
    "deep header": safetensors(b'{"__metadata__": ' + b"[" * 100000),
    "strokes": STROKES,
    "strokes cut": STROKES[:-5],
    "strokes with a key twice": b'{"strokes": [], "strokes": []}',
    "strokes with NaN": b"[[[NaN, 1]]]",
    "strokes with a huge number": b"[[[1e300, 1]]]",
    "deep strokes": b'{"x": ' + b"[" * 100000,
    "strokes with a zero byte": b"[[[1, 2]]]\0",
    "png": PNG,
    "png cut": PNG[:-5],
    "png with a bit flipped": PNG[:60] + bytes([PNG[60] ^ 1]) + PNG[61:],
    "png that claims 50000 x 50000": png(50000, 50000, zlib.compress(bytes(1000))),
    "png that claims 8000 x 8000": png(8000, 8000, zlib.compress(bytes(1000))),
    "png that holds 256 MiB": png(10, 10, zlib.compress(bytes(256 * MEBIBYTE), 9)),
    "pgm that claims 8000 x 8000": b"P5\n8000 8000\n255\n" + bytes(10),
    "jpeg of nothing": b"\xff\xd8\xff\xd9",
    "jpeg with too many codes": b"\xff\xd8\xff\xc4\x00\x13\x00" + b"\xff" * 16 + b"\xff\xd9",
}

READERS = {
    "read_idx": dn.read_idx,
    "load_dataset": lambda path: dn.load_dataset(path, path),
    "Network.load": dn.Network.load,
    "Network.from_bytes": lambda path: dn.Network.from_bytes(path.read_bytes()),
    "Recognizer": dn.Recognizer,
    "read_drawings": dn.read_drawings,
    "load_drawings": dn.load_drawings,
    "read_picture": dn.read_picture,
}

# What a reader rightly takes: an empty file or blank lines hold no drawings.
TAKEN = {
    ("read_idx", "labels"),
    ("Network.load", "model"),
    ("Network.from_bytes", "model"),
    ("read_drawings", "nothing"),
    ("load_drawings", "nothing"),
    ("read_drawings", "strokes"),
    ("load_drawings", "strokes"),
    ("read_picture", "png"),
}


@pytest.mark.parametrize("reader", READERS)
def test_every_wrong_file_is_one_line_of_an_error(tmp_path, reader):
    path = tmp_path / "file"
    for kind, content in FILES.items():
        path.write_bytes(content)
        if (reader, kind) in TAKEN:
            READERS[reader](path)
            continue
        with pytest.raises(dn.Error) as caught:
            READERS[reader](path)
        assert "\n" not in str(caught.value), kind
        assert ": " in str(caught.value), kind


UNENDING = """
import os, socket, sys
import digitnet as dn
from digitnet import recipes
readers = {
    "read_idx": dn.read_idx, "load_dataset": lambda path: dn.load_dataset(path, path),
    "Network.load": dn.Network.load, "Recognizer": dn.Recognizer, "read_drawings": dn.read_drawings,
    "load_drawings": dn.load_drawings, "read_picture": dn.read_picture, "recipes.load": recipes.load,
}
os.mkfifo("pipe.json")
socket.socket(socket.AF_UNIX).bind("socket.json")
os.symlink("/dev/zero", "device.json")
os.mkdir("folder.json")
for name, reader in readers.items():
    for path in ("pipe.json", "socket.json", "device.json", "folder.json"):
        try:
            reader(path)
        except dn.Error as error:
            print(f"{name}|{path}|{error}")
"""


def test_what_is_no_regular_file_is_refused_and_not_waited_for(tmp_path):
    found = subprocess.run(
        [sys.executable, "-c", UNENDING],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
        timeout=120,
    )
    told = [line.split("|") for line in found.stdout.splitlines()]
    assert len(told) == 8 * 4
    for name, path, message in told:
        kind = path.removesuffix(".json")
        if kind == "socket":  # which open refuses, by whatever name
            expected = "cannot be (opened|read): .*"
        elif name == "recipes.load":
            expected = "no plain file, expected one"
        else:
            expected = f"is a {kind}, expected a file"
        assert re.fullmatch(rf"\w+: {path}: {expected}", message), (name, message)


WATCHED = """
import resource, sys
import digitnet as dn
peak = lambda: resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
reader = {"read_idx": dn.read_idx, "Network.load": dn.Network.load, "read_drawings": dn.read_drawings,
          "read_picture": dn.read_picture}[sys.argv[1]]
before = peak()
try:
    reader(sys.argv[2])
except dn.Error as error:
    print(type(error).__name__, peak() - before)
"""


@pytest.mark.parametrize(
    ("reader", "kind", "most"),
    [
        ("read_idx", "gzip that claims 2 GB", 64),
        ("read_idx", "gzip that holds more than it claims", 64),
        ("read_idx", "idx that claims 2 GB", 64),
        ("Network.load", "tensor that claims 2^40 numbers", 64),
        ("read_drawings", "gzip of lines", 64),
        ("read_drawings", "gzip of empty drawings", 64 + 54),  # a million drawings of 56 bytes are taken
        ("read_picture", "png that claims 8000 x 8000", 64),
        ("read_picture", "png that holds 256 MiB", 64),
    ],
)
def test_bombs_and_claims_take_little_memory_and_time(tmp_path, reader, kind, most):
    path = tmp_path / "file"
    path.write_bytes(FILES[kind])
    done = subprocess.run(
        [sys.executable, "-c", WATCHED, reader, path], capture_output=True, text=True, timeout=60, check=True
    )
    name, taken = done.stdout.split()
    assert name == "FormatError"
    assert int(taken) <= most * MEBIBYTE


def test_a_network_is_pickled_and_copied_as_its_model_file():
    network = dn.Network([5, 4, 3], activation="tanh", seed=3)
    network.metadata = {"note": "mine"}
    for again in (
        *(
            pickle.loads(pickle.dumps(network, protocol))
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1)
        ),
        copy.copy(network),
        copy.deepcopy(network),
    ):
        assert again.to_bytes() == network.to_bytes()
        again.layers[0].weights[0, 0] += 1
        assert again.to_bytes() != network.to_bytes()  # it shares no memory
    assert network.to_bytes() in pickle.dumps(network)


def test_a_pickle_whose_model_is_damaged_is_refused():
    network = dn.Network([5, 4, 3], seed=3)
    damaged = bytearray(pickle.dumps(network))
    at = bytes(damaged).index(network.layers[0].weights.tobytes())
    damaged[at] ^= 1
    with pytest.raises(dn.FormatError, match="checksum"):
        pickle.load(io.BytesIO(bytes(damaged)))


PACKAGE = Path(dn.__file__).parent

# What runs or builds code from data. re.compile and the like are attributes of a module, so not among these.
FORBIDDEN_CALLS = {"eval", "exec", "compile", "__import__"}
FORBIDDEN_MODULES = {
    "pickle",
    "marshal",
    "shelve",
    "dill",
    "joblib",
    "runpy",
    "imp",
    "importlib",
    "yaml",
    "code",
}
RESOURCES = {"importlib.metadata", "importlib.resources"}  # what is installed, by a name of our own


def uses_of(tree):
    """The forbidden things in a file, with their lines."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in FORBIDDEN_CALLS:
            yield node.lineno, node.func.id
        if isinstance(node, ast.Import):
            names = [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        else:
            continue
        for name in names:
            known = any(name == each or name.startswith(each + ".") for each in RESOURCES)
            if name.split(".")[0] in FORBIDDEN_MODULES and not known:
                yield node.lineno, name


def test_nothing_in_the_package_runs_code_from_a_file():
    sources = sorted(PACKAGE.rglob("*.py"))
    assert len(sources) > 5
    for source in sources:
        text = source.read_text(encoding="utf-8")
        assert list(uses_of(ast.parse(text))) == [], source
        assert "allow_pickle=True" not in text, source


def test_the_search_for_such_code_finds_it():
    found = [
        what
        for _, what in uses_of(ast.parse("import pickle\nfrom importlib import import_module\neval('1')"))
    ]
    assert found == ["pickle", "importlib.import_module", "eval"]


@pytest.mark.parametrize("name", ["__import__('os').system", "os.system", "relu\n", "Relu", ""])
def test_names_in_a_model_are_looked_up_in_a_table(name):
    header = json.loads(MODEL[8 : 8 + struct.unpack("<Q", MODEL[:8])[0]])
    data = MODEL[8 + struct.unpack("<Q", MODEL[:8])[0] :]
    architecture = json.loads(header["__metadata__"]["architecture"])
    for key, value in (("activations", [name]), ("loss", name)):
        header["__metadata__"]["architecture"] = json.dumps(architecture | {key: value})
        with pytest.raises(dn.FormatError, match="architecture: "):
            dn.Network.from_bytes(safetensors(header, data))


@pytest.mark.parametrize("value", [np.nan, np.inf, -np.inf])
def test_weights_that_are_no_numbers_are_neither_saved_nor_pickled(tmp_path, value):
    network = dn.Network([4, 3], seed=1)
    network.layers[0].bias[1] = value
    for write in (network.to_bytes, lambda: network.save(tmp_path / "model"), lambda: pickle.dumps(network)):
        with pytest.raises(dn.ArgumentError, match="expected a finite number"):
            write()
    assert list(tmp_path.iterdir()) == []
