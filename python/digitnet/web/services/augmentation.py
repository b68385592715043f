"""What an image becomes when it is changed at random, as trainings do it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import digitnet as dn
from digitnet.web.errors import invalid
from digitnet.web.services.data import packed
from digitnet.web.services.predictions import read_all

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

KNOBS = ("thickness", "rotation", "scale", "aspect", "shear", "shift", "elastic")
"""What a page may turn, in the order of the C++ struct; the others are as the named augmentation has them."""

AUGMENTATION_NUMBERS = (
    "probability", *KNOBS, "elastic_sigma", "erase", "erase_radius", "noise", "specks", "ground",
)  # fmt: skip
"""All numbers of dn.Augmentation, in the order of the C++ struct."""

MOST_COPIES = 64


def named() -> dict[str, dict[str, float]]:
    """The named augmentations: their knobs."""
    return {
        name: {knob: getattr(dn.Augmentation.named(name), knob) for knob in KNOBS}
        for name in dn.AUGMENTATIONS
    }


def chosen(values: Mapping[str, str]) -> dn.Augmentation:
    """The augmentation that a query names: `name`, and any of KNOBS in place of its numbers.

    Raises:
        ApiError: 422 if a name is unknown or a number out of range.
    """
    name = values.get("name", "standard")
    if name not in dn.AUGMENTATIONS:
        raise invalid(f"name: '{name[:40]}', expected one of {', '.join(dn.AUGMENTATIONS)}", "name")
    base = dn.Augmentation.named(name)
    settings = {setting: getattr(base, setting) for setting in AUGMENTATION_NUMBERS}
    for knob in KNOBS:
        if knob in values:
            settings[knob] = _number(values[knob], knob)
            try:
                dn.Augmentation(**{knob: settings[knob]})
            except dn.Error as error:
                raise invalid(str(error), knob) from None
    return dn.Augmentation(**settings)


def _number(text: str, field: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise invalid(f"{field}: '{text[:40]}', expected a number", field) from None


def whole(values: Mapping[str, str], field: str, default: int, least: int, most: int) -> int:
    """A whole number of a query.

    Raises:
        ApiError: 422 if it is none, or out of range.
    """
    text = values.get(field, str(default))
    if not (text.isascii() and text.isdigit() and len(text) <= 10 and least <= int(text) <= most):
        raise invalid(f"{field}: '{text[:40]}', expected a whole number from {least} to {most}", field)
    return int(text)


def preview(
    image: NDArray[np.uint8], augmentation: dn.Augmentation, copies: int, seed: int, recognizer: dn.Recognizer
) -> dict[str, Any]:
    """What one image becomes, and how each copy is read.

    Returns:
        {"seed", "images": base64 of uint8 (copies, 784), "predicted": copies numbers}.
    """
    made = dn.augment(np.repeat(image[np.newaxis], copies, axis=0), augmentation, seed=seed)
    probabilities, _, _ = read_all(recognizer, made)
    return {"seed": seed, "images": packed(made), "predicted": probabilities.argmax(axis=1).tolist()}
