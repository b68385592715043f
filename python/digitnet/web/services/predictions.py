"""What a model says of a whole set: computed once in a thread, kept, and told in compact arrays."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import digitnet as dn
from digitnet.report import STATUSES, probabilities_of, reliability
from digitnet.web.errors import ApiError
from digitnet.web.services.data import packed

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitnet.web.services.data import Part
    from digitnet.web.services.models import Model

STEPS = 1000  # of the coverage curve: a tenth of a percent each
_KEPT = 12
_WAITING = 8  # computations; more are told to come again
_CHUNK = 5000  # images read at a time, which bounds the memory


@dataclass(frozen=True)
class Predictions:
    """What is kept of a computation."""

    accuracy: float
    """Share of samples read correctly, in [0, 1]."""
    answer: bytes
    """The answer of GET /api/data/<set>/<part>/predictions, JSON and gzip."""


_lock = threading.Lock()
_kept: OrderedDict[tuple[object, ...], Predictions] = OrderedDict()
_underway: dict[tuple[object, ...], Future[Predictions]] = {}
_worker = ThreadPoolExecutor(1, thread_name_prefix="predictions")  # starts its thread when it is first needed


def _key(model: Model, part: Part) -> tuple[object, ...]:
    status = model.path.stat()
    return (
        model.id,
        str(model.path),
        status.st_mtime_ns,
        status.st_size,
        part.name,
        part.part,
        part.fingerprint,
    )


def known(model: Model, part: Part) -> Predictions | None:
    """Those of before, or None."""
    try:
        key = _key(model, part)
    except OSError:
        return None
    with _lock:
        return _kept.get(key)


async def predictions(model: Model, recognizer: dn.Recognizer, part: Part) -> Predictions:
    """Those of a model on a part; who asks while they are computed waits for the same ones.

    Raises:
        ApiError: 503 if too many others are waiting.
    """
    key = _key(model, part)
    with _lock:
        if key in _kept:
            _kept.move_to_end(key)
            return _kept[key]
        future = _underway.get(key)
        if future is None:
            if len(_underway) >= _WAITING:
                raise ApiError(
                    503, "busy", f"{_WAITING} sets are being read already; try again soon", retry_after=5
                )
            future = _underway[key] = _worker.submit(_compute_and_keep, key, model.id, recognizer, part)
    return await asyncio.shield(
        asyncio.wrap_future(future)
    )  # one who goes away does not stop it for the others


def _compute_and_keep(
    key: tuple[object, ...], model_id: str, recognizer: dn.Recognizer, part: Part
) -> Predictions:
    try:
        made = compute(model_id, recognizer, part)
        with _lock:
            _kept[key] = made
            while len(_kept) > _KEPT:
                _kept.popitem(last=False)
        return made
    finally:
        with _lock:
            _underway.pop(key, None)


def read_all(
    recognizer: dn.Recognizer, images: NDArray[np.uint8]
) -> tuple[NDArray[np.float32], list[str], list[float]]:
    """Probabilities (n, 10), statuses and margins of images (n, 28, 28). An empty one is each digit alike."""
    probabilities = np.empty((len(images), 10), np.float32)
    statuses: list[str] = []
    margins: list[float] = []
    for start in range(0, len(images), _CHUNK):
        reads = recognizer.recognize_images(images[start : start + _CHUNK])
        probabilities[start : start + len(reads)] = probabilities_of(reads)
        statuses += [read.status for read in reads]
        margins += [read.margin for read in reads]
    return probabilities, statuses, margins


def compute(model_id: str, recognizer: dn.Recognizer, part: Part) -> Predictions:
    """Read every image of a part; some seconds for 60,000 and a large model."""
    labels = part.labels
    probabilities, statuses, margins = read_all(recognizer, part.images)
    predicted = probabilities.argmax(axis=1).astype(np.uint8)
    confidences = probabilities.max(axis=1)
    accuracy = dn.accuracy(predicted, labels)
    curve = dn.coverage_curve(margins, predicted, labels)
    shares = [step / STEPS for step in range(1, STEPS + 1)]
    # Each status by its place in STATUSES, as the page knows them.
    numbers = np.array([STATUSES.index(status) for status in statuses], np.uint8)
    body: dict[str, Any] = {
        "model": model_id,
        "dataset": part.name,
        "part": part.part,
        "samples": len(labels),
        "accuracy": accuracy,
        "statuses": dict(zip(STATUSES, np.bincount(numbers, minlength=4).tolist(), strict=True)),
        "confusion": dn.confusion_matrix(predicted, labels).tolist(),
        "expected_calibration_error": dn.expected_calibration_error(probabilities, labels),
        "reliability": reliability(probabilities, labels),
        "coverage": {"accuracy": [round(curve.at(share), 6) for share in shares], "area": curve.area},
        "predicted": packed(predicted),
        "status": packed(numbers),
        "confidence": packed(np.rint(confidences * 65535).astype("<u2")),
    }
    return Predictions(accuracy, gzip.compress(json.dumps(body, allow_nan=False).encode(), 6, mtime=0))


def of_one(recognizer: dn.Recognizer, image: NDArray[np.uint8]) -> dict[str, Any]:
    """What is read from one image, 28 x 28, as it is."""
    read = recognizer.recognize_images(image[np.newaxis])[0]
    probabilities = read.probabilities
    return {
        "status": read.status,
        "digit": read.digit,
        "predicted": None if probabilities is None else int(probabilities.argmax()),
        "probabilities": None
        if probabilities is None
        else [round(float(share), 6) for share in probabilities],
    }
