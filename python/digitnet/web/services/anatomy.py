"""A network, opened: what each of its units does with an image, in arrays. Opened once and kept."""

from __future__ import annotations

import functools
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import digitnet as dn
from digitnet.web.errors import ApiError, missing
from digitnet.web.services import models

if TYPE_CHECKING:
    from numpy.typing import NDArray

    Floats = NDArray[np.float32]
    Units = list[int]
    Place = tuple[int, int]
    """A unit: its layer, and which of its units."""

MOST_LAYERS = 16  # that are looked into
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
        changes: dict[Place, float],
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
            _slope(self.names[layer], sums(taken[layer], self.weights[layer]) + self.biases[layer])
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


def sums(values: Floats, weights: Floats) -> Floats:
    """What a layer with these weights adds up of what it takes in, without its biases."""
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


# ---------------------------------------------------------------- opened, and kept


_lock = threading.Lock()
_opened: OrderedDict[tuple[int, Any], tuple[dn.Recognizer, Anatomy]] = OrderedDict()


def opened(recognizer: dn.Recognizer, changes: dict[Place, float] | None = None) -> Anatomy:
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


def _kept() -> int:
    return sum(each.network.parameter_count for _, each in _opened.values())


def open_model(model_id: str | None) -> Anatomy:
    """The same for the id of a model.

    Raises:
        ApiError: 404 if there is no such model, 422 if it is none for digits or has too many layers.
    """
    return opened(models.recognizer(model_id))


def open_layer(model_id: str | None, layer: int) -> Anatomy:
    """The same, if it has such a layer.

    Raises:
        ApiError: as open_model; 404 if it has no such layer.
    """
    anatomy = open_model(model_id)
    if layer >= len(anatomy.names):
        raise missing(f"layer {layer}: the network has {len(anatomy.names)}")
    return anatomy


def open_unit(model_id: str | None, layer: int, unit: int) -> Anatomy:
    """The same, if it has such a unit.

    Raises:
        ApiError: as open_model; 404 if it has no such layer or unit.
    """
    anatomy = open_layer(model_id, layer)
    if unit >= anatomy.sizes[layer + 1]:
        raise missing(f"unit {unit}: layer {layer} has {anatomy.sizes[layer + 1]}")
    return anatomy
