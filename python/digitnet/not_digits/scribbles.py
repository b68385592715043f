"""Scribbles, dots, blots and full canvases."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitnet.not_digits.hand import one_by_one

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

    from digitnet.not_digits.hand import Array, Drawing, Form

# --- Scribbles. Each is long for its size, or has many strokes, so that it is no digit by accident.


def _length(points: Array) -> Array:
    steps: Array = np.linalg.norm(np.diff(points, axis=1), axis=2).sum(axis=1)
    return steps


def _tangled(paths: Array) -> NDArray[np.bool_]:
    """Which paths (count, points, 2) are more than six times as long as the larger side of their box."""
    box = (paths.max(axis=1) - paths.min(axis=1)).max(axis=1)
    tangled: NDArray[np.bool_] = _length(paths) > 6 * box
    return tangled


def _until_tangled(paths_of: Callable[[int, np.random.Generator], Array]) -> Form:
    """A form of single paths that are drawn again until they are tangled."""

    def form(count: int, rng: np.random.Generator) -> list[Drawing]:
        found: list[Drawing] = []
        while len(found) < count:
            paths = paths_of(count + 16, rng)
            found += [[path] for path in paths[_tangled(paths)]]
        return found[:count]

    return form


def _walks(count: int, rng: np.random.Generator) -> Array:
    """A pen that is pushed about at random and held back by a spring, so that it stays near its place."""
    steps = 150
    pushes = rng.standard_normal((steps, count, 2))
    spring = rng.uniform(0.002, 0.02, (count, 1))
    place = np.zeros((count, 2))
    speed = np.zeros((count, 2))
    path = np.empty((steps, count, 2))
    for step in range(steps):
        speed = 0.93 * speed + pushes[step] - spring * place
        place = place + speed
        path[step] = place
    return path.transpose(1, 0, 2)


def _angular_walks(count: int, rng: np.random.Generator) -> Array:
    """Straight lines between 8 to 20 random places."""
    corners = rng.uniform(0, 1, (count, 20, 2))
    used = rng.integers(8, 21, count)
    return corners[np.arange(count)[:, None], np.minimum(np.arange(20), used[:, None] - 1)]


def _tangles(count: int, rng: np.random.Generator) -> Array:
    """Closed curves: sums of 4 to 9 turning circles."""
    t = np.linspace(0, 2 * np.pi, 200)
    paths = np.zeros((count, len(t), 2))
    most = rng.integers(4, 10, (count, 1, 1))
    for k in range(1, 10):
        size = rng.normal(0, 1, (count, 1, 2)) * (k <= most) / np.sqrt(k)
        paths += size * np.cos(k * t[:, None] + rng.uniform(0, 2 * np.pi, (count, 1, 2)))
    return paths


def _turned(points: Array, rng: np.random.Generator) -> Array:
    """One path (points, 2), turned by a random angle and stretched a little."""
    turn = rng.uniform(0, 2 * np.pi)
    cos, sin = np.cos(turn), np.sin(turn)
    points = points * np.exp(rng.normal(0, 0.2, 2))
    turned: Array = points @ np.array([[cos, sin], [-sin, cos]])
    return turned


def _zigzag(rng: np.random.Generator) -> Drawing:
    turns = int(rng.integers(6, 22))
    long = rng.uniform(
        0.5, 2.2
    )  # at most about twice as long as wide: a longer one becomes a thick line, a 1
    x = np.linspace(0, long, turns) + rng.normal(0, 0.06, turns)
    y = (np.arange(turns) % 2 - 0.5) * rng.uniform(0.7, 1.3, turns)
    return [_turned(np.stack((x, y), axis=1), rng)]


def _hatching(rng: np.random.Generator) -> Drawing:
    lines = int(rng.integers(4, 16))
    x = np.linspace(0, rng.uniform(0.6, 2), lines) + rng.normal(0, 0.03, lines)
    ends = rng.normal(0, 0.08, (lines, 2, 2))
    ends[:, :, 0] += x[:, None]
    ends[:, 1, 1] += rng.uniform(0.6, 1.2)
    flat = _turned(ends.reshape(-1, 2), rng)
    return list(flat.reshape(lines, 2, 2))


def _crosshatching(rng: np.random.Generator) -> Drawing:
    return [
        (stroke - stroke.mean(axis=0)) + rng.uniform(-0.4, 0.4, 2)
        for stroke in _hatching(rng) + _hatching(rng)
    ]


def _random_strokes(rng: np.random.Generator) -> Drawing:
    drawing = []
    for _ in range(rng.integers(4, 13)):
        ends = rng.uniform(0, 1, (2, 2))
        bend = ends.mean(axis=0) + rng.normal(0, 0.15, 2)
        t = np.linspace(0, 1, 9)[:, None]
        drawing.append((1 - t) ** 2 * ends[0] + 2 * t * (1 - t) * bend + t**2 * ends[1])
    return drawing


def _coil(rng: np.random.Generator) -> Drawing:
    turns = rng.uniform(3, 9)
    t = np.linspace(0, turns, int(turns * 16))
    size = 1 + 0.25 * np.sin(t * rng.uniform(0.5, 2) + rng.uniform(0, 7)) + rng.normal(0, 0.02, len(t))
    x = t * min(rng.uniform(0.3, 0.9), 4 / turns) + 0.7 * size * np.cos(2 * np.pi * t)
    y = size * np.sin(2 * np.pi * t)
    return [_turned(np.stack((x, y), axis=1), rng)]


def _spiral(rng: np.random.Generator) -> Drawing:
    turns = rng.uniform(2.5, 7) * rng.choice([-1, 1])
    t = np.linspace(0, 1, int(abs(turns) * 20))
    radius = t ** rng.uniform(0.6, 1.2) + rng.normal(0, 0.008, len(t))
    angle = 2 * np.pi * turns * t
    return [_turned(np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1), rng)]


def _scratched_out(rng: np.random.Generator) -> Drawing:
    turns = int(rng.integers(20, 60))
    along = np.sort(rng.uniform(0, rng.uniform(1, 3), turns)) + rng.normal(0, 0.08, turns)
    across = (np.arange(turns) % 2 - 0.5) * rng.uniform(0.5, 1.2, turns)
    return [_turned(np.stack((along, across), axis=1), rng)]


def _signature(rng: np.random.Generator) -> Drawing:
    t = np.linspace(0, rng.uniform(3, 7), 150)
    height = np.abs(np.sin(np.pi * t + rng.uniform(0, 3))) * (1 + np.sin(t * rng.uniform(1, 3)) ** 2)
    y = height * np.cos(2 * np.pi * t * rng.uniform(1.0, 1.6))
    x = 0.9 * t + 0.35 * np.sin(2 * np.pi * t * rng.uniform(0.9, 1.4) + rng.uniform(0, 7))
    path = np.stack((x, y + rng.normal(0, 0.2) * t), axis=1)
    if rng.random() < 0.4:
        return [path, np.array([[-0.5, 1.5 + rng.normal(0, 0.3)], [t[-1] * rng.uniform(0.8, 1.2), 1.5]])]
    return [path]


def _rays(rng: np.random.Generator) -> Drawing:
    lines = int(rng.integers(5, 14))
    angle = np.linspace(0, 2 * np.pi, lines, endpoint=False) + rng.normal(0, 0.15, lines)
    ends = np.stack((np.cos(angle), np.sin(angle)), axis=1) * rng.uniform(0.7, 1.2, (lines, 1))
    return [np.stack((rng.uniform(0, 0.4) * end, end)) for end in ends]


# --- Dots, blots and full canvases.


def _tap(rng: np.random.Generator) -> Drawing:
    return [np.zeros((int(rng.integers(1, 4)), 2))]  # a pen that rests may tell its place again and again


def _few_dots(rng: np.random.Generator) -> Drawing:
    return [place + _tap(rng)[0] for place in rng.uniform(0, 1, (int(rng.integers(3, 8)), 2))]


def _many_dots(rng: np.random.Generator) -> Drawing:
    return [place + _tap(rng)[0] for place in rng.uniform(0, 1, (int(rng.integers(9, 40)), 2))]


def _row_of_dots(rng: np.random.Generator) -> Drawing:
    count = int(rng.integers(3, 7))
    places = np.stack((np.arange(count), np.zeros(count)), axis=1) + rng.normal(0, 0.08, (count, 2))
    return [place + _tap(rng)[0] for place in places]


def _blot(rng: np.random.Generator) -> Drawing:
    """Round and round until it is black."""
    turns = rng.uniform(8, 12)
    t = np.linspace(0, 1, int(turns * 16))
    angle = 2 * np.pi * turns * t
    waves = sum(rng.normal(0, 0.15) * np.cos(k * angle + rng.uniform(0, 7)) for k in (1, 2, 3))
    radius = np.sqrt(t) * (1 + waves)
    return [_turned(np.stack((radius * np.cos(angle), radius * np.sin(angle)), axis=1), rng)]


def _filled(rng: np.random.Generator) -> Drawing:
    """To and fro over a whole rectangle until it is black."""
    turns = int(rng.integers(24, 40))
    y = np.repeat(np.linspace(0, rng.uniform(0.6, 1.5), turns), 2) + rng.normal(0, 0.004, 2 * turns)
    x = np.tile([0, 1, 1, 0], turns // 2 + 1)[: 2 * turns] + rng.normal(0, 0.02, 2 * turns)
    drawing = [np.stack((x, y), axis=1)]
    return drawing if rng.random() < 0.5 else [_turned(drawing[0], rng)]


SCRIBBLES: dict[str, list[Form]] = {
    "train": [
        _until_tangled(_walks),
        _until_tangled(_angular_walks),
        *(one_by_one(make) for make in (_zigzag, _hatching, _random_strokes)),
    ],
    "test": [
        _until_tangled(_tangles),
        *(one_by_one(make) for make in (_crosshatching, _coil, _spiral, _scratched_out, _signature, _rays)),
    ],
}
DOTS: dict[str, list[Form]] = {
    "train": [one_by_one(make) for make in (_tap, _few_dots, _blot)],
    "test": [one_by_one(make) for make in (_many_dots, _row_of_dots, _filled)],
}
