"""A network looked into: what each unit does with a drawing, and what the reading would be without it."""

from __future__ import annotations

import base64
import functools
import threading
from collections import OrderedDict
from dataclasses import dataclass
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
_KEPT = 6  # networks that are kept opened, if they are
_MOST_KEPT = 10_000_000  # parameters together


class Anatomy:
    """A network, opened: what each of its units has to do with the reading of an image.

    Args:
        network: its own; with changes it is altered.
        calibration: of its model, also where the network is a changed one.
        changes: scale of the activation of units by (layer, unit), applied where the next layer takes it in.
        plain: the same network without changes, to share what they leave alone.
    """

    def __init__(
        self,
        network: dn.Network,
        calibration: dn.Calibration,
        changes: dict[tuple[int, int], float],
        plain: Anatomy | None = None,
    ) -> None:
        self.network = network
        self.sizes = network.sizes
        self.names = network.activation_names
        self.weights: list[Floats] = [layer.weights for layer in network.layers]
        self.biases: list[Floats] = [layer.bias for layer in network.layers]
        self.changes = changes
        self.scales = [np.ones(size, np.float32) for size in self.sizes[1:]]
        """What the activation of each unit is taken times by the next layer."""
        self.unchanged = self.weights if plain is None else plain.weights
        for (layer, unit), scale in changes.items():
            self.scales[layer][unit] = scale
            self.weights[layer + 1][unit] *= np.float32(scale)
        self.recognizer = dn.Recognizer(network, calibration)
        self.rows: Floats = np.ascontiguousarray(self.weights[0].T) if plain is None else plain.rows
        """The weights of the first layer, a row for each unit."""

    @property
    def hidden(self) -> range:
        """The numbers of the hidden layers."""
        return range(len(self.names) - 1)

    def look(self, image: NDArray[np.uint8]) -> Look:
        """What all units do with an image, uint8 (28, 28)."""
        activations = [each[0] for each in self.network.activations(image[None])]
        taken = [image.ravel() / np.float32(255), *activations]
        slopes = [
            _slope(self.names[layer], _sums(taken[layer], self.weights[layer]) + self.biases[layer])
            for layer in self.hidden
        ]
        gradients: list[Floats] = []  # of the logits, for the last hidden layer first
        for layer in reversed(self.hidden):
            above = self.weights[layer + 1]
            gradients.append(_back(gradients[-1] * slopes[layer + 1], above) if gradients else above.T)
        return Look(self, taken, slopes, gradients[::-1])


@dataclass(frozen=True)
class Look:
    """What the units of a network do with one image."""

    anatomy: Anatomy
    taken: list[Floats]
    """What each layer takes in: the ink in [0, 1], then the activations; last what comes out."""
    slopes: list[Floats]
    """The derivative of each hidden layer's activations there."""
    gradients: list[Floats]
    """Of the logits with respect to each hidden layer's activations, (outputs, units)."""

    @property
    def activations(self) -> list[Floats]:
        """Of all layers, (units)."""
        return self.taken[1:]

    @property
    def output(self) -> int:
        """The class that the network takes it for."""
        return int(np.argmax(self.taken[-1]))

    def effects(self) -> list[Floats]:
        """What each hidden unit adds to the logit of `output`: its activation times the gradient there.

        Where all that follows is piecewise linear, those of a layer add up to the logit less what comes from
        biases.
        """
        return [
            activation * gradient[self.output]
            for activation, gradient in zip(self.activations, self.gradients)
        ]

    def pictures(self, chosen: list[Units]) -> list[Floats]:
        """Where more ink would raise the sums z of the units chosen in each hidden layer, and of all outputs.

        Returns:
            For each layer the gradients with respect to the ink, (units, pixels); in the first layer these
            are the weights themselves.
        """
        weights = self.anatomy.weights
        if not chosen:
            return [weights[0].T]
        stacks = [self.gradients[0]]  # with respect to the first layer's activations
        for layer in range(1, len(chosen)):
            rows: Floats = weights[layer][:, chosen[layer]].T
            for below in range(layer - 1, 0, -1):
                rows = _back(rows * self.slopes[below], weights[below])
            stacks.append(rows)
        live = np.flatnonzero(self.slopes[0])
        rows = np.concatenate(stacks)[:, live] * self.slopes[0][live]
        found = np.split(
            np.einsum("ij,jk->ik", rows, self.anatomy.rows[live]),
            np.cumsum([len(each) for each in stacks])[:-1],
        )
        return [self.anatomy.rows[chosen[0]], *found[1:], found[0]]


# By einsum, which does not call BLAS: its threads wait for each other for longer than this takes when all
# processors are at work, as they are while a training runs.


def _back(rows: Floats, weights: Floats) -> Floats:
    """Gradients with respect to what a layer puts out, to those with respect to what it takes in."""
    return np.einsum("ij,kj->ik", np.ascontiguousarray(rows), weights)  # type: ignore[no-any-return]


def _sums(values: Floats, weights: Floats) -> Floats:
    live = np.flatnonzero(values)
    return np.einsum("i,ij->j", values[live], weights[live])  # type: ignore[no-any-return]


def _slope(name: str, z: Floats) -> Floats:
    """The derivative of an activation, as the library has it: by a network that is nothing else."""
    return dn.input_gradient(_alone(name), z[:, None], np.ones((len(z), 1), np.float32))[:, 0]


@functools.lru_cache
def _alone(name: str) -> dn.Network:
    network = dn.Network([1, 1, 1], name, "identity", loss="sum_of_squares")
    for layer in network.layers:
        layer.weights = np.ones((1, 1), np.float32)
    return network


_lock = threading.Lock()
_opened: OrderedDict[tuple[int, Any], tuple[dn.Recognizer, Anatomy]] = OrderedDict()


def opened(recognizer: dn.Recognizer, changes: dict[tuple[int, int], float] | None = None) -> Anatomy:
    """The network of a recognizer, opened, kept in memory. Nobody changes what this returns.

    Raises:
        ApiError: 422 if it has too many layers.
    """
    key = (id(recognizer), tuple(sorted((changes or {}).items())))
    with _lock:
        if key in _opened:
            _opened.move_to_end(key)
            return _opened[key][1]
    network = recognizer.network
    if len(network.layers) > MOST_LAYERS:
        message = f"a network of {len(network.layers)} layers, expected at most {MOST_LAYERS} to look into"
        raise ApiError(422, "invalid_model", message, field="model")
    plain = opened(recognizer) if changes else None
    anatomy = Anatomy(network, recognizer.calibration, changes or {}, plain)
    with _lock:
        _opened[key] = (recognizer, anatomy)  # with the recognizer, so that no other gets its id
        while len(_opened) > _KEPT or (len(_opened) > 1 and _kept() > _MOST_KEPT):
            _opened.popitem(last=False)
    return anatomy


def open_model(model_id: str | None) -> Anatomy:
    """The same for the id of a model.

    Raises:
        ApiError: 404 if there is no such model, 422 if it is none for digits or has too many layers.
    """
    return opened(models.recognizer(model_id))


def _kept() -> int:
    return sum(each.network.parameter_count for _, each in _opened.values())


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
            f"shown: expected a number, or {len(hidden)} lists of at most {MOST_SHOWN} units, one a layer",
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
        {"scale": float(scale), "data": base64.b64encode(row.tobytes()).decode()}
        for scale, row in zip(scales, small)
    ]


def weight_bytes(model_id: str | None, layer: int, units: str) -> bytes:
    """Answer GET /api/network/weights: the weights into units, a float32 and an int8 for each input.

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


def forward(body: dict[str, Any], recognizer: dn.Recognizer) -> dict[str, Any]:
    """Answer POST /api/network/forward; docs/web.md says what is in it.

    Args:
        body: a drawing; changes, shown and units besides.
        recognizer: of the model.

    Raises:
        ApiError: 422 with the field that is wrong.
    """
    drawing = recognition.drawing_of(body)
    plain = opened(recognizer)
    changes = _changes(body, plain.sizes)
    shown = _shown(body, plain.sizes)
    wanted = [
        _place(entry, plain.sizes, len(plain.names), "units")
        for entry in _listed(body, "units", MOST_DETAILS)
    ]
    anatomy = opened(recognizer, changes) if changes else plain

    read = anatomy.recognizer.recognize(drawing)
    look = anatomy.look(read.image)
    effects = look.effects()
    chosen = [_strongest(each, shown) for each in effects] if isinstance(shown, int) else shown
    answer = {
        **_reading(read, anatomy),
        "image": read.image.ravel().tolist(),
        "output": look.output,
        "activations": [numbers(each) for each in look.activations],
        "shown": chosen,
        "effects": [numbers(effect[units]) for effect, units in zip(effects, chosen)],
        "pictures": [packed(each) for each in look.pictures(chosen)],
        **_lines(look, chosen, wanted),
        "units": [_sum(look, layer, unit) for layer, unit in wanted],
    }
    if changes:
        answer["original"] = _reading(plain.recognizer.recognize(drawing), plain)
    return answer


def _reading(read: dn.Recognition, anatomy: Anatomy) -> dict[str, Any]:
    return {
        "status": read.status,
        "digit": read.digit,
        "probabilities": None if read.probabilities is None else numbers(read.probabilities, 6),
        "logits": numbers(anatomy.network.logits(read.image[None])[0]),
    }


def _strongest(effect: Floats, count: int) -> Units:
    order = np.argsort(-np.abs(effect), kind="stable")
    return cast("Units", order[:count].tolist())


def _lines(look: Look, chosen: list[Units], wanted: list[tuple[int, int]]) -> dict[str, Any]:
    """The strongest terms, activation x weight, of the sums of the units shown, and what the others add.

    Into the reading and the units that are wanted in full there are more of them.
    """
    full = {*wanted, (len(chosen), look.output)}
    paths, rests = [], []
    everything = list(range(look.anatomy.sizes[-1]))
    for layer, units in enumerate([*chosen, everything]):
        values = look.taken[layer]
        weights = look.anatomy.weights[layer][:, units]
        senders = np.flatnonzero(values) if layer == 0 else np.asarray(chosen[layer - 1], int)
        terms = values[senders, None] * weights[senders]
        order = np.argsort(-np.abs(terms), axis=0, kind="stable")[:MOST_SHOWN].T.tolist()
        told, names = numbers(terms), senders.tolist()
        found = []
        for column, unit in enumerate(units):
            count = MOST_SHOWN if (layer, unit) in full else LINES
            found += [
                [names[row], unit, told[row][column]] for row in order[column][:count] if told[row][column]
            ]
        paths.append(found)
        rests.append(numbers(_sums(values, weights) - terms.sum(axis=0)) if layer > 0 else [])
    return {"paths": paths, "rests": rests}


def _sum(look: Look, layer: int, unit: int) -> dict[str, Any]:
    """The whole sum of a unit: z = bias + sum of input x weight, in double precision."""
    anatomy = look.anatomy
    values = look.taken[layer].astype(np.float64)
    if layer > 0:
        values *= anatomy.scales[layer - 1]
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
        "activation": number(look.activations[layer][unit]),
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


def require(model_id: str | None, layer: int, index: int) -> Anatomy:
    """The opened network, if it has such a unit.

    Raises:
        ApiError: 404 if there is no such model, layer or unit.
    """
    anatomy = open_model(model_id)
    if layer >= len(anatomy.names):
        raise missing(f"layer {layer}: the network has {len(anatomy.names)}")
    if index >= anatomy.sizes[layer + 1]:
        raise missing(f"unit {index}: layer {layer} has {anatomy.sizes[layer + 1]}")
    return anatomy


def unit(model_id: str | None, layer: int, index: int) -> dict[str, Any]:
    """What is always true of a unit, whatever is drawn: its weights, in numbers and as a histogram.

    Raises:
        ApiError: 404 if there is no such model, layer or unit.
    """
    anatomy = require(model_id, layer, index)
    weights = anatomy.weights[layer][:, index]
    outgoing = anatomy.weights[layer + 1][index] if layer + 1 < len(anatomy.names) else None
    return {
        "layer": layer,
        "unit": index,
        "function": anatomy.names[layer],
        "bias": number(anatomy.biases[layer][index]),
        "weights": {**packed(weights[None])[0], **weight_numbers(weights)},
        "strongest_in": _ranked(weights),
        "strongest_out": None if outgoing is None else _ranked(outgoing),
    }


def _ranked(weights: Floats, count: int = 8) -> list[list[float]]:
    order = np.argsort(-np.abs(weights), kind="stable")[:count]
    return [[int(place), number(weights[place])] for place in order]


def weight_numbers(weights: Floats, parts: int = 32) -> dict[str, Any]:
    """Weights in a few numbers, and how many lie in each of `parts` from the smallest to the largest."""
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
