"""Strokes on a canvas, as a drawing program would show them: an independent judge of how pictures are read.

It shares no code with the library: a pixel's ink comes from its distance to the pen's path.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray


def place_strokes(
    strokes: Sequence[ArrayLike], *, side: int, size: float, brush: float, place: tuple[float, float]
) -> list[NDArray[np.float64]]:
    """Moves and scales strokes to where they are wanted on a square canvas.

    Args:
        strokes: arrays (points, 2), x and y, y down, in any unit.
        side: of the canvas, in pixels.
        size: longer side of the drawing as a share of the canvas, without the brush.
        brush: diameter of the pen as a share of the canvas; the whole stroke stays on the canvas if it fits.
        place: (x, y) in [0, 1]: 0 is as far left or up as the drawing can be, 1 as far right or down.
    """
    lines = [np.asarray(stroke, dtype=np.float64).reshape(-1, 2) for stroke in strokes]
    points = np.concatenate(lines)
    low = points.min(axis=0)
    extent = points.max(axis=0) - low
    scale = size * side / max(extent.max(), 1e-9)
    margin = min(brush * side / 2 + 1, (1 - size) * side / 2)
    room = side - 2 * margin - extent * scale
    start = margin + np.asarray(place) * room
    return [(line - low) * scale + start for line in lines]


def draw(lines: Sequence[NDArray[np.float64]], *, side: int, diameter: float) -> NDArray[np.uint8]:
    """Ink of a round pen along lines, (side, side), 255 where it covers a pixel whole.

    Args:
        lines: arrays (points, 2) in pixels; the centre of the first pixel is (0.5, 0.5).
        side: of the canvas, in pixels.
        diameter: of the pen, in pixels.
    """
    ink = np.zeros((side, side), dtype=np.float64)
    radius = diameter / 2
    reach = radius + 1
    for line in lines:
        ends = line[1:] if len(line) > 1 else line
        for start, end in zip(line, ends):
            left, top = np.maximum(np.floor(np.minimum(start, end) - reach), 0).astype(int)
            right, bottom = np.minimum(np.ceil(np.maximum(start, end) + reach), side).astype(int)
            if left >= right or top >= bottom:
                continue
            x = np.arange(left, right)[None, :] + 0.5 - start[0]
            y = np.arange(top, bottom)[:, None] + 0.5 - start[1]
            way = end - start
            along = np.clip((x * way[0] + y * way[1]) / max(way @ way, 1e-12), 0, 1)
            distance = np.hypot(x - along * way[0], y - along * way[1])
            cover = np.clip(radius + 0.5 - distance, 0, min(1, diameter))
            window = ink[top:bottom, left:right]
            np.maximum(window, cover, out=window)
    return np.round(ink * 255).astype(np.uint8)


def canvas_of(
    strokes: Sequence[ArrayLike], *, side: int, size: float, brush: float, place: tuple[float, float]
) -> NDArray[np.uint8]:
    """The two steps in one: ink of strokes placed on a square canvas, (side, side)."""
    lines = place_strokes(strokes, side=side, size=size, brush=brush, place=place)
    return draw(lines, side=side, diameter=brush * side)
