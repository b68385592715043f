"""Ways of writing: what a hand, a nib or a typeface makes of the same letter."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from digitnet.not_digits.hand import Array, Drawing, Form


def _size(drawing: Drawing) -> float:
    points = np.concatenate(drawing)
    return float(np.hypot(*np.ptp(points, axis=0)))


def serifs(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A short bar across the ends of strokes, level or at right angles to them."""
    half = _size(drawing) * rng.uniform(0.05, 0.12)
    level = rng.random() < 0.7
    bars = []
    for stroke in drawing:
        for end, before in (
            (stroke[0], stroke[min(3, len(stroke) - 1)]),
            (stroke[-1], stroke[max(-4, -len(stroke))]),
        ):
            along = end - before
            length = float(np.hypot(*along))
            if length == 0 or rng.random() < 0.15:
                continue
            across = np.array([-along[1], along[0]]) / length
            if level and abs(across[0]) > 0.5:
                across = np.array([1.0, 0.0])
            bars.append(np.stack((end - half * across, end + half * across)))
    return [*drawing, *bars]


def joined(drawing: Drawing, _: np.random.Generator) -> Drawing:
    """Without lifting the pen."""
    return [np.concatenate(drawing)]


def _normals(stroke: Array) -> Array:
    along = np.gradient(stroke, axis=0)
    length = np.maximum(np.hypot(along[:, 0], along[:, 1]), 1e-9)[:, None]
    return np.stack((-along[:, 1], along[:, 0]), axis=1) / length


def outline(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A line around each stroke, as of letters cut out of paper."""
    half = _size(drawing) * rng.uniform(0.03, 0.07)
    lines = []
    for stroke in drawing:
        if len(stroke) < 2:
            lines.append(stroke)
            continue
        side = half * _normals(stroke)
        around = np.concatenate((stroke + side, (stroke - side)[::-1]))
        lines.append(np.concatenate((around, around[:1])))
    return lines


def nib(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A broad nib: thick in one direction, thin in the other."""
    angle = rng.choice([0.0, 0.0, -0.7, 0.7]) + rng.normal(0, 0.1)
    width = _size(drawing) * rng.uniform(0.02, 0.07) * np.array([np.cos(angle), np.sin(angle)])
    return [stroke + share * width for stroke in drawing for share in (-0.5, 0.0, 0.5)]


def retraced(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """Each stroke once again, beside itself."""
    size = _size(drawing)
    return [stroke + move for stroke in drawing for move in (np.zeros(2), rng.normal(0, 0.02, 2) * size)]


def swash(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """A bow into the first stroke and out of the last, as in joined handwriting."""
    size = _size(drawing) * rng.uniform(0.1, 0.25)
    t = np.linspace(0, 1, 8)[:, None]
    bend = np.array([0.6, rng.choice([-0.4, 0.4])]) * size
    reach = np.array([1.0, rng.uniform(-0.6, 0.1)]) * size
    out = 2 * t * (1 - t) * bend + t**2 * reach
    strokes = list(drawing)
    if rng.random() < 0.8:
        strokes[-1] = np.concatenate((strokes[-1], strokes[-1][-1] + out[1:]))
    if rng.random() < 0.6:
        strokes[0] = np.concatenate(((strokes[0][0] - out[1:])[::-1], strokes[0]))
    return strokes


STYLES: dict[Callable[[Drawing, np.random.Generator], Drawing], float] = {
    serifs: 0.14,
    joined: 0.06,
    outline: 0.07,
    nib: 0.08,
    retraced: 0.05,
    swash: 0.1,
}
"""How often each is used; the rest stays plain."""


def styled(form: Form) -> Form:
    """The form, half of the time in one of the STYLES."""
    styles = list(STYLES)
    shares = np.cumsum(list(STYLES.values()))

    def draw(count: int, rng: np.random.Generator) -> list[Drawing]:
        chosen = np.searchsorted(shares, rng.random(count))
        return [
            styles[k](drawing, rng) if k < len(styles) else drawing
            for drawing, k in zip(form(count, rng), chosen.tolist())
        ]

    return draw
