"""Drawings as pictures made with a thick pen: what is left of a digit whose line is broad for its size."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import digitnet as dn
from digitnet.recipes import _drawn
from digitnet.recipes._drawn import require_count, require_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

# What a recipe may say: least and most diameter, how often each drawing, which share of what is no digit.
KEYS: dict[str, Any] = {"brushes": None, "drawings": 1, "not_digits": 0}

_SIDE = 64  # of what is drawn on, in pixels: three times what is kept of it
_MARGIN = 2  # pixels from its border to the ink
_GROUND = 24  # pixels around it, so that ink is not mistaken for the ground
SIDE = _SIDE + 2 * _GROUND


def require_valid(where: str, given: dict[str, Any]) -> None:
    """Refuses what a recipe says of thick pens, all of KEYS, if it cannot be done.

    Raises:
        FormatError: "WHERE: brushes [0, 1], expected ...".
    """
    brushes, times, share = (given[key] for key in KEYS)
    require_range(where, "brushes", brushes, 1)
    require_count(where, "drawings", times)
    if type(share) not in (int, float) or not 0 <= share <= 1:
        msg = f"{where}: not_digits {share}, expected a share, 0 to 1"
        raise dn.FormatError(msg)


def images(
    drawings: Sequence[Sequence[ArrayLike]], brushes: Sequence[float], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Drawings made with a pen of any width between two brushes, and read as pictures: (n, 28, 28)."""
    return _drawn.images(
        drawings, lambda strokes: dn.to_mnist_image(picture(strokes, rng.uniform(brushes[0], brushes[1])))
    )


def picture(strokes: Sequence[ArrayLike], brush: float) -> NDArray[np.uint8]:
    """The ink of a round pen along strokes, in the middle of a canvas.

    Args:
        strokes: arrays (points, 2) of x and y in any unit, y down.
        brush: diameter of the pen as a share of the longer side of the strokes, above 0.

    Returns:
        Array (112, 112), 0 for no ink, 255 for full ink, with soft edges.
    """
    lines = [np.asarray(stroke, np.float32).reshape(-1, 2) for stroke in strokes]
    points = np.concatenate(lines)
    low, extent = points.min(axis=0), np.ptp(points, axis=0)
    longest = float(extent.max()) or 1.0
    scale = (_SIDE - 2 * _MARGIN) / ((1 + brush) * longest)
    lines = [(line - low - extent / 2) * scale + _SIDE / 2 for line in lines]
    starts = np.concatenate([line[:-1] if len(line) > 1 else line for line in lines])
    ends = np.concatenate([line[1:] if len(line) > 1 else line for line in lines])
    rows, columns = np.indices((_SIDE, _SIDE), dtype=np.float32) + 0.5
    squared = np.full((_SIDE, _SIDE), np.inf, np.float32)  # distance of each pixel from the line
    for (x, y), (way_x, way_y) in zip(starts, ends - starts):
        from_x, from_y = columns - x, rows - y
        along = (from_x * way_x + from_y * way_y) / max(way_x * way_x + way_y * way_y, 1e-9)
        along = np.clip(along, 0, 1)
        np.minimum(squared, (from_x - along * way_x) ** 2 + (from_y - along * way_y) ** 2, out=squared)
    radius = brush * longest * scale / 2
    ink = np.round(255 * np.clip(radius + 0.5 - np.sqrt(squared), 0, 1)).astype(np.uint8)
    return np.pad(ink, _GROUND)
