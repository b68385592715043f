"""The machine that is measured on, and the folder of plain MNIST files that everybody reads."""

from __future__ import annotations

import gzip
import os
import platform
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PARTS = ("train-images-idx3", "train-labels-idx1", "t10k-images-idx3", "t10k-labels-idx1")

# What OpenBLAS falls back to when it does not know a processor: kernels of before AVX2.
OLD_CORES = {
    "Katmai",
    "Coppermine",
    "Northwood",
    "Prescott",
    "Banias",
    "Atom",
    "Core2",
    "Penryn",
    "Dunnington",
}
OLD_CORES |= {"Nehalem", "Athlon", "Opteron", "Opteron_SSE3", "Barcelona", "Bobcat", "Nano", "Sandybridge"}


def processor() -> tuple[str, set[str]]:
    """Its name and what it can do, as Linux tells them."""
    name, flags = platform.processor() or platform.machine(), set()
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            key, _, value = line.partition(":")
            if key.strip() == "model name":
                name = value.strip()
            elif key.strip() == "flags":
                flags = set(value.split())
    except OSError:
        pass
    return name, flags


def openblas_cores(python: str) -> set[str]:
    """The kernels that OpenBLAS chooses by itself for this interpreter's NumPy and digitnet."""
    environment = dict(os.environ, OPENBLAS_VERBOSE="2")
    result = subprocess.run(
        [python, "-c", "import numpy\ntry: import digitnet\nexcept ImportError: pass"],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    lines = [line for line in result.stderr.splitlines() if line.startswith("Core: ")]
    return {line.removeprefix("Core: ").strip() for line in lines}


def choose_openblas_core() -> str | None:
    """Sets OPENBLAS_CORETYPE where OpenBLAS takes a new processor for an old one.

    It holds for this process and all it starts.

    Returns:
        What was set, or None if nothing had to be.
    """
    if os.environ.get("OPENBLAS_CORETYPE"):
        return None
    _, flags = processor()
    best = "SkylakeX" if "avx512f" in flags else "Haswell" if "avx2" in flags else None
    if best is None:
        return None
    if not OLD_CORES & (openblas_cores(sys.executable) | openblas_cores("/usr/bin/python3")):
        return None
    os.environ["OPENBLAS_CORETYPE"] = best
    return best


def describe() -> dict[str, object]:
    """What a reader of the figures has to know."""
    name, _ = processor()
    revision = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty"],
        capture_output=True,
        text=True,
        check=False,
    ).stdout.strip()
    return {
        "processor": name,
        "processors": len(os.sched_getaffinity(0)),
        "system": platform.platform(),
        "python": platform.python_version(),
        "revision": revision,
        "openblas_coretype": os.environ.get("OPENBLAS_CORETYPE"),
    }


def find_mnist(given: str | None) -> Path:
    """The folder with the four MNIST files, plain or gzip.

    Raises:
        SystemExit: if there is none.
    """
    if given is not None:
        return Path(given)
    import digitnet  # only here: it knows where to look

    for directory in digitnet.data_directories():
        for folder in (directory / "mnist", directory, directory / "MNIST/raw"):
            if any(folder.glob("train-images*ubyte*")):
                return folder
    sys.exit("bench.py: no MNIST found; fetch it with `digitnet fetch mnist`, or name its folder with --data")


def prepare_data(source: Path, target: Path) -> tuple[Path, Path]:
    """The four files, plain and gzip, in folders of their own.

    Everybody reads the plain ones: unpacking is measured apart.
    """
    plain, packed = target / "plain", target / "gzip"
    for folder in (plain, packed):
        folder.mkdir(parents=True, exist_ok=True)
    for part in PARTS:
        found = [*source.glob(f"{part}-ubyte*"), *source.glob(f"{part.replace('-idx', '.idx')}-ubyte*")]
        if not found:
            sys.exit(f"bench.py: {source} has no {part}-ubyte or {part}-ubyte.gz")
        data = found[0].read_bytes()
        if data[:2] == b"\x1f\x8b":
            (packed / f"{part}-ubyte.gz").write_bytes(data)
            data = gzip.decompress(data)
        else:
            (packed / f"{part}-ubyte.gz").write_bytes(gzip.compress(data))
        (plain / f"{part}-ubyte").write_bytes(data)
    return plain, packed


def programs_folder() -> Path:
    return ROOT / "build/bench/benchmarks"


def require_program(folder: Path, name: str) -> str:
    """The path of one of the benchmark programs.

    Raises:
        SystemExit: if it is not built.
    """
    path = folder / name
    if not path.exists():
        sys.exit(f"bench.py: {path} is not built; ./dev bench does that")
    return str(path)


def has(tool: str) -> bool:
    return shutil.which(tool) is not None
