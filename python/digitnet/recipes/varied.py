"""Drawings whose strokes are changed one by one: as another hand would draw them.

Augmentation bends a whole image. It never moves the bar of a 5 away from its bow, nor draws the flag of a 1
longer; people do.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

import digitnet as dn
from digitnet.recipes import _drawn
from digitnet.recipes._drawn import require_count, require_range

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import ArrayLike, NDArray

# What a recipe may say: how often each drawing, least and most diameter of the pen in pixels of 28.
KEYS: dict[str, Any] = {"drawings": 1, "pens": None}

# Standard deviations, of normal distributions.
_TURN = 0.11  # radians, of each stroke around its middle
_GROWTH = 0.13  # of the logarithm of its width and height
_SHIFT = 0.05  # of the drawing's longer side, either way
_END = 0.08  # likewise: what each end of a stroke is longer or shorter by
_MOST_CUT = 0.25  # of a stroke's length, at each end
_DIRECTION = 0.1  # of the drawing's longer side: how much of a stroke tells where its end points to


def require_valid(where: str, given: dict[str, Any]) -> None:
    """Refuses what a recipe says of varied drawings, all of KEYS, if it cannot be done.

    Raises:
        FormatError: "WHERE: pens [0, 1], expected ...".
    """
    times, pens = (given[key] for key in KEYS)
    require_count(where, "drawings", times)
    require_range(where, "pens", pens, 28)


def images(
    drawings: Sequence[Sequence[ArrayLike]], pens: Sequence[float], rng: np.random.Generator
) -> NDArray[np.uint8]:
    """Drawings varied, each drawn with a pen of any width between two: (n, 28, 28)."""

    def draw(strokes: Sequence[ArrayLike]) -> NDArray[np.uint8]:
        lines: Any = varied(strokes, rng)  # arrays are sequences to the library, not to mypy
        return dn.to_mnist_image(lines, pen_diameter=rng.uniform(pens[0], pens[1]))

    return _drawn.images(drawings, draw)


def varied(strokes: Sequence[ArrayLike], rng: np.random.Generator) -> list[NDArray[np.float64]]:
    """Each stroke turned, made larger or smaller, moved, its ends lengthened or cut, apart from the others.

    Args:
        strokes: arrays (points, 2) of x and y in any unit.
        rng: gives as many numbers for each stroke, whatever it is like.

    Returns:
        As many strokes, in the same unit.
    """
    lines = [np.asarray(stroke, np.float64).reshape(-1, 2) for stroke in strokes]
    side = float(np.ptp(np.concatenate(lines), axis=0).max())
    made = []
    for line in lines:
        first, last = rng.normal(0, _END * side, 2)
        changed = _end_moved(_end_moved(line, first, side)[::-1], last, side)[::-1]
        middle = (changed.min(axis=0) + changed.max(axis=0)) / 2
        angle, growth = rng.normal(0, _TURN), rng.normal(0, _GROWTH, 2)
        cos, sin = np.cos(angle), np.sin(angle)
        turned = (changed - middle) * np.exp(growth) @ np.array([[cos, sin], [-sin, cos]])
        made.append(turned + middle + rng.normal(0, _SHIFT * side, 2))
    return made


def _end_moved(line: NDArray[np.float64], by: float, side: float) -> NDArray[np.float64]:
    """A stroke whose first end is `by` longer, straight on, or shorter."""
    steps = np.linalg.norm(np.diff(line, axis=0), axis=1)
    along = np.concatenate([[0.0], np.cumsum(steps)])  # from the first point to each
    length = float(along[-1])
    if length == 0:
        return line

    def point(at: float) -> NDArray[np.float64]:
        return np.array([np.interp(at, along, line[:, axis]) for axis in (0, 1)])

    if by < 0:
        cut = min(-by, _MOST_CUT * length)
        return np.concatenate([point(cut)[None], line[along > cut]])
    way = line[0] - point(min(_DIRECTION * side, length))
    distance = float(np.linalg.norm(way))
    return line if distance == 0 else np.concatenate([(line[0] + way * (by / distance))[None], line])
