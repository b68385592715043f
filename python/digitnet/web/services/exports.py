"""A model as a file, in the forms there are."""

from __future__ import annotations

import io
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

import digitnet as dn
from digitnet.web.errors import invalid
from digitnet.web.services import models

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from digitnet.web.services.models import Model

PRECISIONS = ("full", "half")
FORMATS = ("safetensors", "npz")


@dataclass(frozen=True)
class Export:
    """A file to send."""

    name: str
    content: bytes


def export(model: Model, form: str, precision: str | None) -> Export:
    """A model in a form: safetensors as it is kept, or in full or half precision; npz for NumPy.

    Raises:
        ApiError: 404 if it is gone, 422 if the form is unknown or it cannot be had so.
    """
    if form not in FORMATS:
        raise invalid(f"format: '{form[:40]}', expected one of {', '.join(FORMATS)}", "format")
    if precision is not None and precision not in PRECISIONS:
        raise invalid(f"precision: '{precision[:40]}', expected one of {', '.join(PRECISIONS)}", "precision")
    name = model.path.stem if model.kind == "default" else model.id.partition("-")[2]
    try:
        content = model.path.read_bytes()
    except OSError:
        raise models.gone(model.id) from None
    wanted = precision or "full"
    if form == "safetensors" and precision is None:
        return Export(f"{name}.safetensors", content)
    try:
        network = dn.Network.from_bytes(content)
        if form == "npz":
            return Export(f"{name}.npz", _npz(network, wanted))
        ending = "-half" if wanted == "half" else ""
        return Export(f"{name}{ending}.safetensors", network.to_bytes(wanted))
    except dn.Error as error:
        raise invalid(str(error), "precision") from None


def _npz(network: dn.Network, precision: str) -> bytes:
    """The tensors under the names they have in safetensors, and the name of each layer's activation."""
    kind = np.float16 if precision == "half" else np.float32
    arrays: dict[str, NDArray[Any]] = {"activations": np.array(network.activation_names)}
    for index, layer in enumerate(network.layers):
        arrays[f"layers.{index}.weights"] = layer.weights.astype(kind)
        arrays[f"layers.{index}.bias"] = layer.bias.astype(kind)
    stream = io.BytesIO()
    np.savez_compressed(stream, allow_pickle=False, **arrays)
    return stream.getvalue()
