"""What excites the units of a network: which images activate each most, how often, and of which digits."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import digitnet as dn
from digitnet._strict_json import json_or_text
from digitnet.web.services import data, models

if TYPE_CHECKING:
    from numpy.typing import NDArray

COUNT = 12  # images kept for each unit
_CHUNK = 2000  # images asked about at once
_KEPT = 4


@dataclass(frozen=True)
class LayerExcitation:
    """What is known of the units of a layer; the first index is the unit."""

    images: NDArray[np.int32]
    """(units, COUNT): the training images that activate the unit most, the strongest first."""
    values: NDArray[np.float32]
    """(units, COUNT): its activation for these."""
    active: NDArray[np.float64]
    """(units): share of the test images that activate it, which is: more than 0."""
    by_class: NDArray[np.float64]
    """(units, classes): its mean activation over the test images of each class."""


@dataclass(frozen=True)
class Excitation:
    """What is known of all units of a model."""

    dataset: str
    mnist: dn.Mnist
    layers: list[LayerExcitation]

    def dead(self) -> list[dict[str, int]]:
        """For each hidden layer how many units there are, and how many of them no test image activates."""
        return [
            {"units": len(layer.active), "dead": int((layer.active == 0).sum())} for layer in self.layers[:-1]
        ]

    def of(self, layer: int, unit: int) -> dict[str, Any]:
        """As GET /api/network/units answers it."""
        found = self.layers[layer]
        train = self.mnist.train
        chosen = [int(index) for index in found.images[unit]]
        images = train.subset(chosen).images.reshape(len(chosen), -1)
        return {
            "dataset": self.dataset,
            "training_images": len(train),
            "test_images": len(self.mnist.test),
            "active_share": round(float(found.active[unit]), 6),
            "mean_by_class": [round(float(each), 5) for each in found.by_class[unit]],
            "images": [
                {
                    "index": index,
                    "label": int(train.labels[index]),
                    "activation": round(float(value), 5),
                    "image": base64.b64encode(image.tobytes()).decode(),
                }
                for index, value, image in zip(chosen, found.values[unit], images)
            ],
        }


def dataset_of(network: dn.Network) -> str:
    """The data set a network was trained on, as its provenance says; MNIST where that is not known."""
    provenance = json_or_text(network.metadata.get("provenance", ""))
    said = provenance.get("data") if isinstance(provenance, dict) else None
    return said if isinstance(said, str) and said in data.NAMES else "mnist"


def _look(network: dn.Network, name: str) -> Excitation:
    mnist = data.load(name)
    units = network.sizes[1:]
    best = [
        (np.full((size, COUNT), -np.inf, np.float32), np.zeros((size, COUNT), np.int32)) for size in units
    ]
    for first in range(0, len(mnist.train), _CHUNK):
        part = range(first, min(first + _CHUNK, len(mnist.train)))
        for (values, images), found in zip(best, _activations(network, mnist.train, part)):
            _keep_best(values, images, found, first)
    active = [np.zeros(size) for size in units]
    sums = [np.zeros((10, size)) for size in units]
    labels = np.asarray(mnist.test.labels)
    for first in range(0, len(mnist.test), _CHUNK):
        part = range(first, min(first + _CHUNK, len(mnist.test)))
        one_hot = (labels[part.start : part.stop, None] == np.arange(10)).astype(np.float32)
        for share, total, found in zip(active, sums, _activations(network, mnist.test, part)):
            share += (found > 0).sum(axis=0)
            total += one_hot.T @ found
    counts = np.maximum(np.bincount(labels, minlength=10)[:10], 1)
    layers = [
        LayerExcitation(
            images, np.nan_to_num(values), share / len(labels), np.nan_to_num((total / counts[:, None]).T)
        )
        for (values, images), share, total in zip(best, active, sums)
    ]
    return Excitation(name, mnist, layers)


def _activations(network: dn.Network, dataset: dn.Dataset, part: range) -> list[NDArray[np.float32]]:
    return [np.nan_to_num(each) for each in network.activations(dataset.subset(list(part)))]


def _keep_best(
    values: NDArray[np.float32], images: NDArray[np.int32], found: NDArray[np.float32], first: int
) -> None:
    """Puts what is larger than the least of the best among them; later, few are."""
    rows, columns = np.nonzero(found > values[:, -1])
    order = np.argsort(columns, kind="stable")
    rows, columns = rows[order], columns[order]
    starts = np.searchsorted(columns, np.unique(columns))
    for unit, mine in zip(np.unique(columns), np.split(rows, starts[1:])):
        all_values = np.concatenate([values[unit], found[mine, unit]])
        all_images = np.concatenate([images[unit], (mine + first).astype(np.int32)])
        largest = np.argsort(-all_values, kind="stable")[:COUNT]
        values[unit], images[unit] = all_values[largest], all_images[largest]


_lock = threading.Lock()
_found: OrderedDict[int, tuple[dn.Recognizer, Future[Excitation]]] = OrderedDict()
_worker: ThreadPoolExecutor | None = None


def ask(model_id: str | None) -> Future[Excitation]:
    """What excites the units of a model: looked for once, in a thread of its own, and kept.

    Raises:
        ApiError: as models.recognizer. The future: 409 if the data are not on this machine.
    """
    global _worker
    recognizer = models.recognizer(model_id)
    with _lock:
        key = id(recognizer)
        if key in _found and not (_found[key][1].done() and _found[key][1].exception()):
            _found.move_to_end(key)
            return _found[key][1]
        if _worker is None:
            _worker = ThreadPoolExecutor(1, thread_name_prefix="digitnet-excitation")
        network = recognizer.network
        future = _worker.submit(_look, network, dataset_of(network))
        _found[key] = (recognizer, future)  # with the recognizer, so that no other gets its id
        while len(_found) > _KEPT:
            _found.popitem(last=False)[1][1].cancel()  # if it has not begun; who waits for it asks again
        return future
