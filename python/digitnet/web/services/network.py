"""A network looked into: what each unit does with a drawing, and what the reading would be without it."""

from __future__ import annotations

import base64
import threading
from collections import OrderedDict
from typing import TYPE_CHECKING, Any, cast

import numpy as np

import digitnet as dn
from digitnet.web.errors import ApiError, invalid, missing
from digitnet.web.services import models, recognition

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Units = list[int]

MOST_LAYERS = 16  # that are looked into
MOST_CHANGES = 64  # units muted or scaled at the same time
MOST_SHOWN = 32  # units of a layer that lines are drawn between
SHOWN = 10  # unless the page says how many, or which
MOST_DETAILS = 4  # sums that are told in full
LINES = 3  # into each unit that is shown
TERMS = 8  # of a sum, by size; the others are added up
_KEPT = 6  # networks that are kept opened


class Anatomy:
    """A network, opened: the parts of it that tell what each unit has to do with the reading.

    Args:
        network: its own; with changes it is altered.
        calibration: of its model, also where the network is a changed one.
        changes: scale of the activation of units by (layer, unit), applied where the next layer takes it in.
    """

    def __init__(
        self, network: dn.Network, calibration: dn.Calibration, changes: dict[tuple[int, int], float]
    ) -> None:
        self.network = network
        self.sizes = network.sizes
        self.names = network.activation_names
        self.weights: list[Floats] = [layer.weights for layer in network.layers]
        self.biases: list[Floats] = [layer.bias for layer in network.layers]
        self.changes = changes
        self.scales = [np.ones(size, np.float32) for size in self.sizes[1:]]
        """What the activation of each unit is taken times by the next layer."""
        altered = {layer + 1 for layer, _ in changes}
        self.unchanged = [
            weights.copy() if layer in altered else weights for layer, weights in enumerate(self.weights)
        ]
        for (layer, unit), scale in changes.items():
            self.scales[layer][unit] = scale
            self.weights[layer + 1][unit] *= np.float32(scale)
        self.recognizer = dn.Recognizer(network, calibration)
        # What follows each hidden layer, as a network of its own: its gradient is what the units of the layer do.
        self.tails = [self._part(first, len(self.names)) for first in range(1, len(self.names))]
        self._probes: dict[tuple[int, int], dn.Network] = {}
        self._lock = threading.Lock()

    @property
    def hidden(self) -> range:
        """The numbers of the hidden layers."""
        return range(len(self.names) - 1)

    def _part(self, first: int, last: int, outputs: int | None = None) -> dn.Network:
        sizes = [*self.sizes[first : last + 1]]
        names = [*self.names[first:last]]
        whole = len(names) if outputs is None else len(names) - 1
        if outputs is not None:
            sizes[-1] = outputs
        part = dn.Network(sizes, names[:-1], names[-1], loss="sum_of_squares", initializer="zeros")
        for layer, weights, bias in zip(part.layers[:whole], self.weights[first:], self.biases[first:]):
            layer.weights = weights
            layer.bias = bias
        return part

    def effects(self, activations: list[Floats], output: int) -> list[Floats]:
        """What each hidden unit adds to the logit of an output: its activation times the gradient there.

        Args:
            activations: of all layers for one image.
            output: the class that is asked about.

        Returns:
            For each hidden layer float32 (units). Where all that follows is piecewise linear they add up to the
            logit less what comes from biases.
        """
        dz = np.zeros((1, self.sizes[-1]), np.float32)
        dz[0, output] = 1
        return [
            activations[layer] * dn.input_gradient(self.tails[layer], activations[layer][None], dz)[0]
            for layer in self.hidden
        ]

    def pictures(self, layer: int, units: Units, image: NDArray[np.uint8]) -> Floats:
        """Where more ink would raise the sum z of units, for this image: its gradient, float32 (units, 784).

        For the first layer these are the weights themselves.
        """
        if layer == 0:
            return self.weights[0].T[units]
        images = np.repeat(image.reshape(1, -1), len(units), axis=0)
        if layer == len(self.names) - 1 and units == list(range(self.sizes[-1])):
            return dn.input_gradient(self.network, images, np.eye(len(units), dtype=np.float32))
        with self._lock:
            key = (layer, len(units))
            if key not in self._probes:
                self._probes[key] = self._part(0, layer + 1, len(units))
            probe = self._probes[key]
            probe.layers[layer].weights[...] = self.weights[layer][:, units]
            probe.layers[layer].bias[...] = self.biases[layer][units]
            return dn.input_gradient(probe, images, np.eye(len(units), dtype=np.float32))


_lock = threading.Lock()
_opened: OrderedDict[tuple[int, Any], tuple[dn.Recognizer, Anatomy]] = OrderedDict()


def open_model(model_id: str | None, changes: dict[tuple[int, int], float] | None = None) -> Anatomy:
    """The network of a model, opened, kept in memory. Nobody changes what this returns.

    Raises:
        ApiError: 404 if there is no such model, 422 if it is none for digits or has too many layers.
    """
    recognizer = models.recognizer(model_id)
    key = (id(recognizer), tuple(sorted((changes or {}).items())))
    with _lock:
        if key in _opened:
            _opened.move_to_end(key)
            return _opened[key][1]
    network = recognizer.network
    if len(network.layers) > MOST_LAYERS:
        message = f"a network of {len(network.layers)} layers, expected at most {MOST_LAYERS} to look into"
        raise ApiError(422, "invalid_model", message, field="model")
    anatomy = Anatomy(network, recognizer.calibration, changes or {})
    with _lock:
        _opened[key] = (recognizer, anatomy)  # with the recognizer, so that no other gets its id
        while len(_opened) > _KEPT:
            _opened.popitem(last=False)
    return anatomy


# ---------------------------------------------------------------- what a client sent


def _whole(value: Any, low: int, high: int, field: str, what: str) -> int:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(
            f"{field}: {what} {str(value)[:20]}, expected a whole number from {low} to {high}", field
        )
    return value


def _place(entry: Any, sizes: list[int], layers: int, field: str) -> tuple[int, int]:  # noqa: ANN401
    if not isinstance(entry, dict):
        raise invalid(f"{field}: expected a list of objects with layer and unit", field)
    layer = _whole(entry.get("layer"), 0, layers - 1, field, "layer")
    return layer, _whole(entry.get("unit"), 0, sizes[layer + 1] - 1, field, "unit")


def _listed(body: dict[str, Any], field: str, most: int) -> list[Any]:
    value = body.get(field, [])
    if not isinstance(value, list) or len(value) > most:
        raise invalid(f"{field}: expected a list of at most {most}", field)
    return value


def _changes(body: dict[str, Any], sizes: list[int]) -> dict[tuple[int, int], float]:
    changes = {}
    entries = _listed(body, "changes", MOST_CHANGES)
    if entries and len(sizes) == 2:
        raise invalid("changes: the network has no hidden layer, so there is no unit to change", "changes")
    for entry in entries:
        place = _place(entry, sizes, len(sizes) - 2, "changes")
        scale = entry.get("scale")
        if isinstance(scale, bool) or not isinstance(scale, (int, float)) or not 0 <= scale <= 2:
            raise invalid(f"changes: scale {str(scale)[:20]}, expected a number from 0 to 2", "changes")
        changes[place] = float(scale)
    return {place: scale for place, scale in changes.items() if scale != 1}


def _shown(body: dict[str, Any], sizes: list[int]) -> int | list[Units]:
    value = body.get("shown", SHOWN)
    if not isinstance(value, list):
        return _whole(value, 1, MOST_SHOWN, "shown", "how many")
    hidden = sizes[1:-1]
    if len(value) != len(hidden) or not all(
        isinstance(units, list) and len(units) <= MOST_SHOWN for units in value
    ):
        raise invalid(
            f"shown: expected a number, or {len(hidden)} lists of at most {MOST_SHOWN} units, one for each hidden layer",
            "shown",
        )
    for units, size in zip(value, hidden):
        for unit in units:
            _whole(unit, 0, size - 1, "shown", "unit")
        if len(set(units)) != len(units):
            raise invalid("shown: a unit twice, expected each once", "shown")
    return value


# ---------------------------------------------------------------- answers


LARGEST = 1e30  # what weights of a strange file can overflow to; JSON has no infinity


def finite(values: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Numbers that JSON can hold: between -LARGEST and LARGEST, 0 for NaN."""
    return np.clip(np.nan_to_num(np.asarray(values, np.float64)), -LARGEST, LARGEST)


def number(value: Any) -> float:  # noqa: ANN401
    """One of them."""
    return float(finite(value))


def numbers(values: Any, digits: int = 5) -> list[Any]:  # noqa: ANN401
    """An array of them, rounded."""
    return cast("list[Any]", np.round(finite(values), digits).tolist())


def quantized(rows: Any) -> tuple[NDArray[np.float32], NDArray[np.int8]]:  # noqa: ANN401
    """Rows as a scale each, the largest size / 127, and int8 multiples of it; a row of zeros has scale 0."""
    values = finite(rows)
    scale = np.abs(values).max(axis=1, keepdims=True) / 127
    return scale[:, 0].astype(np.float32), np.round(values / np.where(scale > 0, scale, 1)).astype(np.int8)


def packed(rows: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The same for JSON, {"scale", "data"} for each row: base64 of int8."""
    scales, small = quantized(rows)
    return [
        {"scale": float(scale), "data": base64.b64encode(row).decode()} for scale, row in zip(scales, small)
    ]


def weight_bytes(model_id: str | None, layer: int, units: str) -> bytes:
    """Answer GET /api/network/weights: the weights into units, each as one float32 and then an int8 for each input.

    Args:
        model_id: of the model; None is the one in use.
        layer: from 0.
        units: "3", "3,17" or "0-255"; at most 256 of them.

    Returns:
        For each unit 4 + inputs bytes: scale (float32, little-endian), then the weights as multiples of it.

    Raises:
        ApiError: 404 if there is no such layer or unit, 422 if units are none of these.
    """
    anatomy = open_model(model_id)
    if layer >= len(anatomy.names):
        raise missing(f"layer {layer}: the network has {len(anatomy.names)}")
    chosen = _parsed(units, anatomy.sizes[layer + 1])
    scales, small = quantized(anatomy.weights[layer].T[chosen])
    rows = np.concatenate([scales.astype("<f4")[:, None].view(np.uint8), small.view(np.uint8)], axis=1)
    return rows.tobytes()


def _parsed(units: str, size: int) -> Units:
    most = 256
    chosen: Units = []
    for part in units.split(",")[: most + 1]:
        first, _, last = part.partition("-")
        texts = [first, last or first]
        if not all(text.isascii() and text.isdigit() and len(text) < 8 for text in texts):
            raise invalid(f"units: '{units[:40]}', expected 3, 3,17 or 0-255", "units")
        low, high = map(int, texts)
        if high >= size:
            raise missing(f"unit {high}: the layer has {size}")
        chosen.extend(range(low, min(high, low + most) + 1))
        if not low <= high or len(chosen) > most:
            raise invalid(
                f"units: '{units[:40]}', expected at most {most}, from the lower to the higher", "units"
            )
    return chosen


def forward(body: dict[str, Any], model_id: str | None) -> dict[str, Any]:
    """Answer POST /api/network/forward; docs/web.md says what is in it.

    Args:
        body: a drawing; changes, shown and units besides.
        model_id: of the model.

    Raises:
        ApiError: 422 with the field that is wrong, 404 if there is no such model.
    """
    drawing = recognition.drawing_of(body)
    plain = open_model(model_id)
    changes = _changes(body, plain.sizes)
    shown = _shown(body, plain.sizes)
    wanted = [
        _place(entry, plain.sizes, len(plain.names), "units")
        for entry in _listed(body, "units", MOST_DETAILS)
    ]
    anatomy = open_model(model_id, changes) if changes else plain

    read = anatomy.recognizer.recognize(drawing)
    image = read.image
    activations = [each[0] for each in anatomy.network.activations(image[None])]
    output = int(np.argmax(activations[-1]))
    effects = anatomy.effects(activations, output)
    chosen = [_strongest(each, shown) for each in effects] if isinstance(shown, int) else shown
    answer = {
        **_reading(read),
        "image": image.ravel().tolist(),
        "output": output,
        "activations": [numbers(each) for each in activations],
        "shown": chosen,
        "effects": [numbers(effect[units]) for effect, units in zip(effects, chosen)],
        "pictures": _all_pictures(anatomy, chosen, image),
        **_lines(anatomy, image, activations, chosen, output),
        "units": [_sum(anatomy, layer, unit, image, activations) for layer, unit in wanted],
    }
    if changes:
        answer["original"] = _reading(plain.recognizer.recognize(drawing))
    return answer


def _reading(read: dn.Recognition) -> dict[str, Any]:
    probabilities = None if read.probabilities is None else numbers(read.probabilities, 6)
    return {"status": read.status, "digit": read.digit, "probabilities": probabilities}


def _strongest(effect: Floats, count: int) -> Units:
    order = np.argsort(-np.abs(effect), kind="stable")
    return cast("Units", order[:count].tolist())


def _all_pictures(
    anatomy: Anatomy, chosen: list[Units], image: NDArray[np.uint8]
) -> list[list[dict[str, Any]]]:
    """Of the units shown in each layer and of all outputs."""
    units = [*chosen, list(range(anatomy.sizes[-1]))]
    return [packed(anatomy.pictures(layer, each, image)) if each else [] for layer, each in enumerate(units)]


def _lines(
    anatomy: Anatomy, image: NDArray[np.uint8], activations: list[Floats], chosen: list[Units], output: int
) -> dict[str, Any]:
    """The strongest terms, activation x weight, of the sums of the units shown, and what the others add."""
    paths, rests = [], []
    everything = list(range(anatomy.sizes[-1]))
    for layer, units in enumerate([*chosen, everything]):
        values = image.ravel() / np.float32(255) if layer == 0 else activations[layer - 1]
        weights = anatomy.weights[layer][:, units]
        senders = np.flatnonzero(values) if layer == 0 else np.asarray(chosen[layer - 1], int)
        terms = values[senders, None] * weights[senders]
        found = []
        for column, unit in enumerate(units):
            # Into the reading all that are shown, into the other units those that say most.
            count = len(senders) if 0 < layer == len(chosen) and unit == output else LINES
            for row in np.argsort(-np.abs(terms[:, column]), kind="stable")[:count]:
                if terms[row, column] != 0:
                    found.append([int(senders[row]), unit, round(number(terms[row, column]), 5)])
        paths.append(found)
        rests.append(numbers(values @ weights - terms.sum(axis=0)) if layer > 0 else [])
    return {"paths": paths, "rests": rests}


def _sum(
    anatomy: Anatomy, layer: int, unit: int, image: NDArray[np.uint8], activations: list[Floats]
) -> dict[str, Any]:
    """The whole sum of a unit: z = bias + sum of input x weight, in double precision."""
    if layer == 0:
        values = image.ravel() / np.float64(255)
    else:
        values = activations[layer - 1].astype(np.float64) * anatomy.scales[layer - 1]
    weights = anatomy.unchanged[layer][:, unit].astype(np.float64)
    products = values * weights
    order = np.argsort(-np.abs(products), kind="stable")[:TERMS]
    top = [int(place) for place in order if products[place] != 0]
    bias = number(anatomy.biases[layer][unit])
    told = number(products[top].sum())
    total = number(products.sum())
    return {
        "layer": layer,
        "unit": unit,
        "bias": bias,
        "inputs": len(values),
        "zeros": int((products == 0).sum()),
        "sum": total,
        "z": bias + total,
        "function": anatomy.names[layer],
        "activation": number(activations[layer][unit]),
        "scale": anatomy.changes.get((layer, unit), 1.0),
        "terms": [
            {
                "input": place,
                "value": number(values[place]),
                "weight": number(weights[place]),
                "product": number(products[place]),
            }
            for place in top
        ],
        "rest": {"count": len(values) - len(top), "sum": total - told},
        "products": packed(products[None])[0],
    }


def facts(model_id: str | None) -> dict[str, Any]:
    """Answer GET /api/network: what the page needs before there is a drawing."""
    model = models.find(model_id)
    anatomy = open_model(model.id)
    calibration = anatomy.recognizer.calibration
    return {
        "model": model.id,
        "sizes": anatomy.sizes,
        "activations": anatomy.names,
        "loss": anatomy.network.loss,
        "parameters": anatomy.network.parameter_count,
        "temperature": calibration.temperature,
        "is_active": model.id == models.active_id(),
    }


def unit(model_id: str | None, layer: int, number: int) -> dict[str, Any]:
    """What is always true of a unit, whatever is drawn: its weights, in numbers and as a histogram.

    Raises:
        ApiError: 404 if there is no such model, layer or unit.
    """
    anatomy = open_model(model_id)
    if layer >= len(anatomy.names):
        raise missing(f"layer {layer}: the network has {len(anatomy.names)}")
    if number >= anatomy.sizes[layer + 1]:
        raise missing(f"unit {number}: layer {layer} has {anatomy.sizes[layer + 1]}")
    weights = anatomy.weights[layer][:, number]
    outgoing = anatomy.weights[layer + 1][number] if layer + 1 < len(anatomy.names) else None
    return {
        "layer": layer,
        "unit": number,
        "function": anatomy.names[layer],
        "bias": number(anatomy.biases[layer][number]),
        "weights": {**packed(weights[None])[0], **weight_numbers(weights)},
        "strongest_in": _ranked(weights),
        "strongest_out": None if outgoing is None else _ranked(outgoing),
    }


def _ranked(weights: Floats, count: int = 8) -> list[list[float]]:
    order = np.argsort(-np.abs(weights), kind="stable")[:count]
    return [[int(place), number(weights[place])] for place in order]


def weight_numbers(weights: Floats, parts: int = 32) -> dict[str, Any]:
    """Weights in a few numbers, and how many lie in each of `parts` equal parts from the smallest to the largest."""
    values = weights.astype(np.float64).ravel()
    low, high = number(values.min()), number(values.max())
    counts, _ = np.histogram(values, bins=parts, range=(low, high if high > low else low + 1))
    return {
        "mean": number(values.mean()),
        "deviation": number(values.std()),
        "norm": number(np.linalg.norm(values)),
        "low": low,
        "high": high,
        "histogram": counts.tolist(),
    }
