"""What a client asks of a network: which units to change, to show and to tell of, checked."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from digitnet.web.errors import invalid, missing

if TYPE_CHECKING:
    from digitnet.web.services.anatomy import Place, Units

MOST_CHANGES = 64  # units muted or scaled at the same time
MOST_SHOWN = 32  # units of a layer that lines are drawn between
SHOWN = 10  # unless the page says how many, or which
MOST_DETAILS = 4  # sums that are told in full
MOST_LISTED = 256  # units whose weights are asked for at once


@dataclass(frozen=True)
class Asked:
    """What a body asks for, besides its drawing."""

    changes: dict[Place, float]
    """Scales of units of hidden layers, in [0, 2] and other than 1."""
    shown: int | list[Units]
    """How many units of each hidden layer, or which."""
    details: list[Place]
    """Units whose sums are told in full."""


def read(body: dict[str, Any], sizes: list[int]) -> Asked:
    """What a body of POST /api/network/forward asks of a network of these sizes.

    Raises:
        ApiError: 422 with the field that is wrong.
    """
    return Asked(
        _changes(body, sizes),
        _shown(body, sizes),
        [_place(entry, sizes, len(sizes) - 1, "units") for entry in _listed(body, "units", MOST_DETAILS)],
    )


def _changes(body: dict[str, Any], sizes: list[int]) -> dict[Place, float]:
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


def _listed(body: dict[str, Any], field: str, most: int) -> list[Any]:
    value = body.get(field, [])
    if not isinstance(value, list) or len(value) > most:
        raise invalid(f"{field}: expected a list of at most {most}", field)
    return value


def _place(entry: Any, sizes: list[int], layers: int, field: str) -> Place:  # noqa: ANN401
    if not isinstance(entry, dict):
        raise invalid(f"{field}: expected a list of objects with layer and unit", field)
    layer = _whole(entry.get("layer"), 0, layers - 1, field, "layer")
    return layer, _whole(entry.get("unit"), 0, sizes[layer + 1] - 1, field, "unit")


def _whole(value: Any, low: int, high: int, field: str, what: str) -> int:  # noqa: ANN401
    if isinstance(value, bool) or not isinstance(value, int) or not low <= value <= high:
        raise invalid(
            f"{field}: {what} {str(value)[:20]}, expected a whole number from {low} to {high}", field
        )
    return value


def units_of(text: str, size: int) -> Units:
    """The units of a layer of `size` in a text: "3", "3,17" or "0-255"; at most MOST_LISTED of them.

    Raises:
        ApiError: 404 if there is no such unit, 422 if the text is none of these.
    """
    chosen: Units = []
    for part in text.split(",")[: MOST_LISTED + 1]:
        first, _, last = part.partition("-")
        ends = [first, last or first]
        if not all(end.isascii() and end.isdigit() and len(end) < 8 for end in ends):
            raise invalid(f"units: '{text[:40]}', expected 3, 3,17 or 0-255", "units")
        low, high = map(int, ends)
        if high >= size:
            raise missing(f"unit {high}: the layer has {size}")
        chosen.extend(range(low, min(high, low + MOST_LISTED) + 1))
        if not low <= high or len(chosen) > MOST_LISTED:
            raise invalid(
                f"units: '{text[:40]}', expected at most {MOST_LISTED}, from the lower to the higher", "units"
            )
    return chosen
