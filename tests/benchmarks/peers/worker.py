"""What every worker process shares: requests come as lines of JSON, and each is answered by one line of JSON.

A worker is a process of its own because each peer needs an interpreter, libraries and thread settings of its
own, which are fixed when a process starts. It imports nothing but its peer; bench.py is the other end.
"""

from __future__ import annotations

import json
import os
import statistics
import sys
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

MEAN_INK = np.float32(0.1307)  # of MNIST's training images; taken away where inputs shall not be zero


def serve(name: str, tasks: dict[str, Callable[..., dict[str, object]]]) -> None:
    """Says who this is, then answers requests until there are no more."""
    answers = os.fdopen(os.dup(1), "w", buffering=1)
    os.dup2(2, 1)  # what a library prints must not look like an answer
    print(json.dumps({"name": name}), file=answers)
    for line in sys.stdin:
        request = json.loads(line)
        try:
            answer = tasks[request.pop("task")](**request)
        except Exception as error:  # whatever it is, bench.py must hear of it
            answer = {"error": f"{type(error).__name__}: {error}"}
        print(json.dumps(answer), file=answers)


def read_idx(path: Path, header: int) -> np.ndarray:
    return np.fromfile(path, dtype=np.uint8, offset=header)


def load(folder: str, part: str) -> tuple[np.ndarray, np.ndarray]:
    """Images as uint8 (n, 784) and labels uint8 (n,), from plain IDX files, in the quickest way NumPy has."""
    images = read_idx(Path(folder, f"{part}-images-idx3-ubyte"), 16).reshape(-1, 784)
    return images, read_idx(Path(folder, f"{part}-labels-idx1-ubyte"), 8)


def as_floats(images: np.ndarray, *, zeros: bool = True) -> np.ndarray:
    """Ink in [0, 1] as float32; less its mean, if no number is to be zero."""
    floats = images.astype(np.float32)
    floats *= np.float32(1 / 255)
    if not zeros:
        floats -= MEAN_INK
    return floats


def held_back(count: int) -> tuple[np.ndarray, np.ndarray]:
    """Which training images a recipe is chosen on, a tenth, and which it learns from. Always the same."""
    order = np.random.default_rng(0).permutation(count)
    return order[: count // 10], order[count // 10 :]


class Clock:
    """Counts the work done in a number of seconds, after a `warm_up` that does not count."""

    def __init__(self, seconds: float, warm_up: float) -> None:
        self._seconds = seconds
        self._warm_up = warm_up
        self._start = time.perf_counter()
        self._begin: float | None = None
        self._done = 0
        self.rate = 0.0

    def goes_on(self, done: int) -> bool:
        """To be called after each portion of work; False when the time is over."""
        now = time.perf_counter()
        if self._begin is None:
            if now - self._start >= self._warm_up:
                self._begin = now
            return True
        self._done += done
        self.rate = self._done / (now - self._begin)
        return now - self._begin < self._seconds


def latency(ask: Callable[[np.ndarray], object], images: np.ndarray, seconds: float) -> dict[str, object]:
    """Microseconds for one image, a uint8 or float32 array (784,): median and 99th percentile."""
    singles = list(images)
    for image in singles[:200]:
        ask(image)
    times: list[int] = []
    clock = time.perf_counter_ns
    end = clock() + int(seconds * 1e9)
    position = 0
    while (before := clock()) < end:
        ask(singles[position])
        times.append(clock() - before)
        position = (position + 1) % len(singles)
    times.sort()
    return {"p50_us": statistics.median(times) / 1000, "p99_us": times[len(times) * 99 // 100] / 1000}


def throughput(ask: Callable[[np.ndarray], object], images: np.ndarray, seconds: float) -> dict[str, object]:
    """Images a second, asked about all at once."""
    clock = Clock(seconds, seconds / 5)
    while clock.goes_on(len(images)):
        ask(images)
    return {"images_per_second": clock.rate}
