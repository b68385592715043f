"""A network looked into: what each unit does with a drawing, and what the reading would be without it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np

from digitnet.web.services import models, network_body, recognition
from digitnet.web.services.anatomy import open_layer, open_model, open_unit, opened, sums
from digitnet.web.services.json_numbers import number, numbers, packed, quantized, weight_numbers
from digitnet.web.services.network_body import MOST_SHOWN

if TYPE_CHECKING:
    import digitnet as dn
    from digitnet.web.services.anatomy import Anatomy, Floats, Look, Place, Units

LINES = 3  # into each unit that is shown
TERMS = 8  # of a sum, by size; the others are added up


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
    asked = network_body.read(body, plain.sizes)
    anatomy = opened(recognizer, asked.changes) if asked.changes else plain

    read = anatomy.recognizer.recognize(drawing)
    look = anatomy.look(read.image)
    effects = look.effects()
    shown = asked.shown
    chosen = [_strongest(each, shown) for each in effects] if isinstance(shown, int) else shown
    answer = {
        **_reading(read, anatomy),
        "image": read.image.ravel().tolist(),
        "output": look.output,
        "activations": [numbers(each) for each in look.activations],
        "shown": chosen,
        "effects": [numbers(effect[units]) for effect, units in zip(effects, chosen)],
        "pictures": [packed(each) for each in look.pictures(chosen)],
        **_lines(look, chosen, asked.details),
        "units": [_sum(look, layer, unit) for layer, unit in asked.details],
    }
    if asked.changes:
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


def _lines(look: Look, chosen: list[Units], details: list[Place]) -> dict[str, Any]:
    """The strongest terms, activation x weight, of the sums of the units shown, and what the others add.

    Into the reading and the units that are told in full there are more of them.
    """
    full = {*details, (len(chosen), look.output)}
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
        rests.append(numbers(sums(values, weights) - terms.sum(axis=0)) if layer > 0 else [])
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


def unit(model_id: str | None, layer: int, index: int) -> dict[str, Any]:
    """What is always true of a unit, whatever is drawn: its weights, in numbers and as a histogram.

    Raises:
        ApiError: 404 if there is no such model, layer or unit.
    """
    anatomy = open_unit(model_id, layer, index)
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
    anatomy = open_layer(model_id, layer)
    chosen = network_body.units_of(units, anatomy.sizes[layer + 1])
    scales, small = quantized(anatomy.weights[layer].T[chosen])
    rows = np.concatenate([scales.astype("<f4")[:, None].view(np.uint8), small.view(np.uint8)], axis=1)
    return rows.tobytes()
