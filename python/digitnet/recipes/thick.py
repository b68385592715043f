"""Drawings as pictures made with a thick pen: what is left of a digit whose line is broad for its size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

_SIDE = 64  # of what is drawn on, in pixels: three times what is kept of it
_MARGIN = 2  # pixels from its border to the ink
_GROUND = 24  # pixels around it, so that ink is not mistaken for the ground
SIDE = _SIDE + 2 * _GROUND


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
