"""Forms drawn as a hand would: never twice the same."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Drawing = list[Array]
    Form = Callable[[int, np.random.Generator], list[Drawing]]


class Skeleton(NamedTuple):
    """A form ready to be drawn: matrices that make points of its strokes out of its written points."""

    written: Array  # (written points, 2)
    stroke: NDArray[np.intp]  # of each written point
    sharp: Array  # (points, written points)
    rounded: Array  # the same with rounded corners
    starts: tuple[int, ...]  # of each stroke in the points, and their number at last


STEPS = 8  # points from one written point to the next


def _parsed(text: str) -> list[tuple[Array, NDArray[np.bool_]]]:
    """The strokes of a form: for each its points, and which of them are corners."""
    strokes = []
    for words in text.split("|"):
        smooth = words.startswith("~")
        points = words.removeprefix("~").split()
        corners = [not smooth or point.endswith("!") for point in points]
        corners[0] = corners[-1] = True
        coordinates = [(int(point[0], 36), int(point[1], 36)) for point in points]
        strokes.append((np.array(coordinates, dtype=np.float64), np.array(corners)))
    return strokes


def _curve(corners: NDArray[np.bool_]) -> Array:
    """The matrix that makes a smooth curve with corners out of its points: cubic Hermite pieces.

    At a smooth point the curve goes along the line between its neighbours (Catmull, Rom, 1974), at a corner
    straight to the next one. At corners a hand slows down (Flash, Hogan, The Coordination of Arm Movements,
    Journal of Neuroscience, 1985), so points lie closer there.
    """
    count = len(corners)
    points = np.eye(count)
    pieces = []
    for i in range(count - 1):
        chord = points[i + 1] - points[i]
        leave = chord if corners[i] else (points[i + 1] - points[i - 1]) / 2
        arrive = chord if corners[i + 1] else (points[i + 2] - points[i]) / 2
        t = np.arange(STEPS) / STEPS
        if corners[i] and corners[i + 1]:
            t = t**3 * (10 - 15 * t + 6 * t**2)
        t = t[:, None]
        pieces.append(
            (1 + 2 * t) * (1 - t) ** 2 * points[i]
            + t * (1 - t) ** 2 * leave
            + t**2 * (3 - 2 * t) * points[i + 1]
            + t**2 * (t - 1) * arrive
        )
    pieces.append(points[-1:])
    return np.concatenate(pieces)


def _smoothing(count: int, passes: int) -> Array:
    """The matrix that draws each of count points in a row to its neighbours, but for the ends."""
    once = np.eye(count)
    for i in range(1, count - 1):
        once[i, i - 1 : i + 2] = 0.25, 0.5, 0.25
    return np.linalg.matrix_power(once, passes)


def skeleton(text: str) -> Skeleton:
    """A form out of its text, see alphabets.py."""
    parsed = _parsed(text)
    curves = [_curve(corners) for _, corners in parsed]
    total = sum(len(curve) for curve in curves)
    sharp = np.zeros((total, sum(len(points) for points, _ in parsed)))
    rounded = np.zeros_like(sharp)
    starts = [0]
    column = 0
    for curve in curves:
        rows = slice(starts[-1], starts[-1] + len(curve))
        columns = slice(column, column + curve.shape[1])
        sharp[rows, columns] = curve
        rounded[rows, columns] = _smoothing(len(curve), 10) @ curve
        starts.append(rows.stop)
        column = columns.stop
    stroke = np.repeat(np.arange(len(parsed)), [len(points) for points, _ in parsed])
    written = np.concatenate([points for points, _ in parsed])
    return Skeleton(written, stroke, sharp, rounded, tuple(starts))


def _warped(points: Array, size: float, strength: Array, rng: np.random.Generator) -> Array:
    """Points (count, n, 2) in a field of slow waves, so that what touches goes on touching."""
    count = len(points)
    for _ in range(3):
        direction = rng.uniform(0, 2 * np.pi, (count, 2))
        wave = rng.uniform(0.3, 1.1, (count, 1)) * 2 * np.pi / size
        along = wave * (
            points[:, :, 0] * np.cos(direction[:, :1]) + points[:, :, 1] * np.sin(direction[:, :1])
        )
        move = strength * size * np.sin(along + rng.uniform(0, 2 * np.pi, (count, 1)))
        shift = np.stack((np.cos(direction[:, 1:]) * move, np.sin(direction[:, 1:]) * move), axis=2)
        points = points + shift
    return points


def by_hand(
    form: Skeleton, count: int, rng: np.random.Generator, *, lean: float = 0.12, stretch: float = 0.2
) -> list[Drawing]:
    """A form drawn count times as a hand would, in the units it is written in.

    lean is how far it is turned (in radians) and slanted, stretch how much wider or taller it gets; both are
    standard deviations.
    """
    low, high = form.written.min(axis=0), form.written.max(axis=0)
    size = float(np.hypot(*(high - low)))
    middle = (low + high) / 2
    care = rng.uniform(0.3, 1.0, (count, 1, 1))  # 1 for the least careful hand

    written = form.written - middle + care * 0.035 * size * rng.standard_normal((count, *form.written.shape))
    apart = care * 0.02 * size * rng.standard_normal((count, form.stroke[-1] + 1, 2))
    written += apart[:, form.stroke]
    roundness = rng.uniform(0, 1, (count, 1, 1)) * rng.choice([0.3, 1.0], (count, 1, 1))
    points = form.sharp @ written
    points += roundness * (form.rounded @ written - points)
    points = _warped(points, size, care[:, :, 0] * 0.025, rng)

    tremor = rng.standard_normal(points.shape) * rng.exponential(0.004, (count, 1, 1)) * size
    points += tremor

    turn = rng.normal(0, lean, count)
    slant = rng.normal(-0.5 * lean, 1.5 * lean, count)  # most people lean to the right; y points down
    wide = np.exp(rng.normal(0, stretch, count))
    cos, sin = np.cos(turn), np.sin(turn)
    x = points[:, :, 0] * wide[:, None] + points[:, :, 1] * slant[:, None]
    y = points[:, :, 1] / wide[:, None]
    points = np.stack((cos[:, None] * x - sin[:, None] * y, sin[:, None] * x + cos[:, None] * y), axis=2)
    points += middle

    # A fast hand leaves few points behind: one of 1 to 4.
    pace = rng.choice([1, 1, 2, 3, 4], count)
    kept = {step: _kept(form.starts, step) for step in (1, 2, 3, 4)}
    return [[points[i, rows] for rows in kept[pace[i]]] for i in range(count)]


def _kept(starts: tuple[int, ...], step: int) -> list[NDArray[np.intp]]:
    """The rows of each stroke when one of step points is kept, and the last."""
    return [
        np.unique(np.append(np.arange(first, last, step), last - 1))
        for first, last in zip(starts[:-1], starts[1:])
    ]


def written_form(text: str, *, lean: float = 0.12, stretch: float = 0.2) -> Form:
    """What draws a written form; lean and stretch as for by_hand."""
    form = skeleton(text)
    return lambda count, rng: by_hand(form, count, rng, lean=lean, stretch=stretch)


def one_by_one(make: Callable[[np.random.Generator], Drawing]) -> Form:
    """What draws by a function that makes one drawing."""
    return lambda count, rng: [make(rng) for _ in range(count)]
