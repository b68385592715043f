"""Make tests/data/mnist-sample: every tenth sample of each class of MNIST, in the original order.

    python3 tests/support/make_mnist_sample.py <folder with the MNIST files> [<folder to write>]

Writes 6,000 training and 1,000 test images as gzip IDX. The unpacked bytes depend on MNIST alone;
the .gz files also carry no name and no time (level 9), so the same zlib gives the same bytes.
SHA-256 of the unpacked bytes is printed and must agree with tests/data/mnist-sample/README.md.
Each class has a tenth of what it has in MNIST, to within one sample. Needs NumPy.
"""

import gzip
import hashlib
import sys
from pathlib import Path

import numpy as np

STEP = 10
LEVEL = 9
NAMES = (
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
)


def read(folder, name):
    """One IDX file of uint8, plain or gzipped, as an array."""
    plain = folder / name
    raw = plain.read_bytes() if plain.is_file() else gzip.decompress((folder / (name + ".gz")).read_bytes())
    dimensions = raw[3]
    if raw[:3] != b"\0\0\x08":
        msg = f"{folder / name}: begins with {raw[:3].hex(' ')}, expected 00 00 08 (IDX of uint8)"
        raise SystemExit(msg)
    shape = np.frombuffer(raw, ">u4", dimensions, 4)
    return np.frombuffer(raw, np.uint8, offset=4 + 4 * dimensions).reshape(shape)


def idx(array):
    """An array of uint8 as IDX: 0, 0, 8, dimensions, then each size as a big-endian uint32."""
    header = bytes([0, 0, 8, array.ndim]) + np.array(array.shape, ">u4").tobytes()
    return header + array.tobytes()


def main():
    """Write the four files and print what they are."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    source = Path(sys.argv[1])
    default = Path(__file__).resolve().parent.parent / "data" / "mnist-sample"
    target = Path(sys.argv[2]) if len(sys.argv) == 3 else default
    target.mkdir(parents=True, exist_ok=True)
    for name in NAMES:
        labels = read(source, name.replace("images-idx3", "labels-idx1"))
        # Sorted by class, then by place; every tenth of that; then by place again.
        chosen = np.sort(np.argsort(labels, kind="stable")[::STEP])
        sample = read(source, name)[chosen]
        data = idx(sample)
        (target / (name + ".gz")).write_bytes(gzip.compress(data, LEVEL, mtime=0))
        print(f"{hashlib.sha256(data).hexdigest()}  {name}  {len(data)} bytes")
        if "labels" in name:
            print("  per class:", *np.bincount(sample, minlength=10))


if __name__ == "__main__":
    main()
