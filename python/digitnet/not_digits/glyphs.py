"""Letters of no alphabet, and figures of no meaning: so many that no two are alike.

They are built as letters and signs are, of few lines, bows and circles, so that a network which was shown
them refuses more than the alphabets it knows. What would be a digit by accident is kept rare: a drawing has
more strokes than digits have, is not narrow, and what is named below is left out.
"""

from __future__ import annotations

import itertools
from typing import TYPE_CHECKING

import numpy as np

from digitnet.not_digits.hand import by_hand, skeleton

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from digitnet.not_digits.hand import Drawing

    Make = Callable[[np.random.Generator], Drawing]

Point = tuple[float, float]


def _text(points: Sequence[Point], *, smooth: bool = False) -> str:
    """A stroke as skeleton reads it; points are rounded, and those that stay in place left out."""
    words = [f"{_digit(x)}{_digit(y)}" for x, y in points]
    words = [word for word, before in zip(words, ["", *words]) if word != before]
    return ("~" if smooth and len(words) > 2 else "") + " ".join(words)


def _digit(value: float) -> str:
    return np.base_repr(min(max(round(value), 0), 35), 36).lower()


def _drawn(strokes: list[str], rng: np.random.Generator) -> Drawing | None:
    """The strokes drawn by hand; None if that is narrow, like a 1, or flat."""
    form = skeleton("|".join(stroke for stroke in strokes if " " in stroke))
    drawing = by_hand(form, 1, rng)[0]
    width, height = np.ptp(np.concatenate(drawing), axis=0)
    return drawing if min(width, height) > 0.5 * max(width, height) else None


def _until_drawn(make: Callable[[np.random.Generator], Drawing | None]) -> Make:
    def made(rng: np.random.Generator) -> Drawing:
        while True:
            drawing = make(rng)
            if drawing is not None:
                return drawing

    return made


def _turned_round(points: list[Point], rng: np.random.Generator) -> list[Point]:
    return points[::-1] if rng.random() < 0.5 else points


def _tangle(rng: np.random.Generator) -> Drawing | None:
    """3 to 5 lines and bows between random places, each joined to one before.

    With two strokes too many would be a 1, a 4 or a 7 by accident.
    """
    places = [(int(rng.integers(0, 9)), int(rng.integers(0, 12)))]
    strokes = []
    for _ in range(int(rng.integers(3, 6))):
        path = [places[int(rng.integers(len(places)))]]
        path += [(int(rng.integers(0, 9)), int(rng.integers(0, 12))) for _ in range(int(rng.integers(1, 4)))]
        if rng.random() < 0.3:  # closed, or from one of the strokes to another
            path.append(places[int(rng.integers(len(places)))])
        strokes.append(_text(path, smooth=bool(rng.random() < 0.5)))
        places += path[1:]
    return _drawn(strokes, rng)


def _branch(kind: str, x: float, side: int, rng: np.random.Generator) -> str:
    """A stroke at the stem x: a bar, a slope, a bow back to the stem, or a hook down or up."""
    far = x + side * rng.uniform(8, 16)
    top = rng.choice([0, 4, 8, 10, 12])
    if kind == "bar":
        y = rng.choice([0, 5, 10, 15, 20])
        return _text(_turned_round([(x, y), (far, y + rng.choice([0, 0, 2, -2]))], rng))
    if kind == "slope":
        start = rng.choice([0, 5, 10, 15, 20])
        end = start + rng.choice([-1, 1]) * rng.uniform(5, 12)
        return _text(_turned_round([(x, start), (far, min(max(end, 0), 20))], rng))
    if kind == "bow":
        top = rng.uniform(0, 4) if side > 0 else rng.uniform(7, 12)  # else it is a b or a q: a 6 or a 9
        low = top + rng.uniform(7, 12)
        middle = (top + low) / 2
        near = x + side * 0.6 * abs(far - x)
        bow: list[Point] = [(x, top), (near, top), (far, middle), (near, low), (x, low)]
        return _text(_turned_round(bow, rng), smooth=True)
    bend = x + side * 0.55 * abs(far - x)
    if rng.random() < 0.7:  # as in h and n
        return _text([(x, top + 4), (bend, top), (far, top + 4), (far, 20)], smooth=True)
    return _text([(x, 14), (bend, 20), (far, 15), (far, top)], smooth=True)  # as in u


BRANCHES = ("bar", "bar", "slope", "slope", "bow", "hook")


def _rune(rng: np.random.Generator) -> Drawing | None:
    """A stem with two to four branches, or two stems with one to three.

    One branch alone would make a 1, 4, 6, 7 or 9 of it.
    """
    stems = [float(rng.choice([0, 0, 7, 14]))] if rng.random() < 0.7 else [0.0, rng.uniform(10, 17)]
    top = 0 if rng.random() < 0.8 else 8
    room = 16  # to the left of the stem
    strokes = [_text([(room + x, top), (room + x, rng.choice([20, 20, 20, 24]))]) for x in stems]
    for _ in range(int(rng.integers(3 - len(stems), 4))):
        x = stems[int(rng.integers(len(stems)))]
        side = 1 if x == 0 else -1 if x == 14 else int(rng.choice([-1, 1]))
        strokes.append(_branch(str(rng.choice(BRANCHES)), room + x, side, rng))
    return _drawn(strokes, rng)


def _lattice(rng: np.random.Generator) -> Drawing | None:
    """3 to 5 strokes between the nine points of a lattice, so with right angles and ends that meet."""
    wide, tall = rng.uniform(6, 11), rng.uniform(8, 12)
    grid = [(k % 3 * wide, k // 3 * tall) for k in range(9)]
    strokes, used = [], [int(rng.integers(9))]
    for _ in range(int(rng.integers(3, 6))):
        path = [int(rng.choice(used)), *rng.integers(0, 9, int(rng.choice([1, 1, 2, 3]))).tolist()]
        strokes.append(_text([grid[k] for k in path], smooth=bool(rng.random() < 0.5)))
        used += path
    edges = {frozenset(edge) for edge in itertools.pairwise(used)}
    if len(edges) < 4 or len(set(used)) < 4:  # two or three lines are a 1, a 4 or a 7
        return None
    return _drawn(strokes, rng)


def _bend(rng: np.random.Generator) -> Drawing | None:
    """One bow, open to the right, down or up, its ends perhaps drawn out straight; perhaps with a bar.

    Open to the left it would be part of a 2, 3, 5 or 7, and if less is missing a 0 or a 6.
    """
    wide, tall = rng.uniform(5, 10), rng.uniform(6, 12)
    way = rng.choice([0.0, 0.5, 1.5]) * np.pi  # where it is open; y points down
    half = np.pi - rng.uniform(0.3, 0.55) * np.pi
    angles = way + np.pi + np.linspace(-half, half, 7) * rng.choice([-1, 1])
    points = [(16 + wide * np.cos(t), 17 + tall * np.sin(t)) for t in angles.tolist()]
    out = np.array([np.cos(way), np.sin(way)]) * rng.uniform(2, 9)
    first, last = np.array(points[0]), np.array(points[-1])
    drawn_out = rng.random(2) < 0.4
    if drawn_out[0]:
        points = [tuple(first + out), *points]
    if drawn_out[1]:
        points = [*points, tuple(last + out)]
    strokes = [_text(points, smooth=True)]
    if rng.random() < 0.3:
        place = rng.uniform(-0.5, 0.5) * tall
        strokes.append(_text([(16 - wide, 17 + place), (16 + rng.uniform(0, 1) * wide, 17 + place)]))
    return _drawn(strokes, rng)


def _symmetric(rng: np.random.Generator) -> Drawing | None:
    """2 or 3 strokes and their mirror images, left and right; perhaps a stem between them.

    With one stroke and its image it may be a 0 or an 8, so then there is a stem or the ends stay open.
    """
    axis = 12.0
    count = int(rng.integers(1, 4))
    strokes = []
    for _ in range(count):
        points = [(axis - rng.uniform(3, 12), rng.uniform(0, 20)) for _ in range(int(rng.integers(1, 3)))]
        points = [(axis, float(rng.choice([0, 5, 10, 15, 20]))), *points]
        if count > 1 and rng.random() < 0.4:
            points.append((axis, rng.uniform(0, 20)))
        smooth = bool(rng.random() < 0.5)
        strokes += [
            _text(points, smooth=smooth),
            _text([(2 * axis - x, y) for x, y in points], smooth=smooth),
        ]
    if count == 1 or rng.random() < 0.4:
        ends = sorted(rng.choice([0, 5, 10, 15, 20], 2, replace=False).tolist())
        strokes.append(_text([(axis, ends[0]), (axis, ends[1])]))
    if rng.random() < 0.2:
        y, reach = rng.uniform(0, 20), rng.uniform(4, 12)
        strokes.append(_text([(axis - reach, y), (axis + reach, y)]))
    return _drawn(strokes, rng)


def _ellipse(x: float, y: float, a: float, b: float, rng: np.random.Generator) -> list[Point]:
    angles = np.linspace(0, 2 * np.pi, 9) * rng.choice([-1, 1]) + rng.uniform(0, 2 * np.pi)
    return [(x + a * np.cos(t), y + b * np.sin(t)) for t in angles]


def _wheel(rng: np.random.Generator) -> Drawing | None:
    """A circle with two to five chords, spokes, rays or small circles.

    One alone would make a 6 or a 9 of it.
    """
    a, b = rng.uniform(5, 9, 2)
    strokes = [_text(_ellipse(17, 17, a, b, rng), smooth=True)]
    for eighth in rng.choice(8, int(rng.integers(2, 6)), replace=False):
        angle = eighth * np.pi / 4 + rng.normal(0, 0.1)
        out = np.array([a * np.cos(angle), b * np.sin(angle)])
        way = rng.choice(["chord", "spoke", "ray", "ray", "circle"])
        if way == "chord":
            other = angle + np.pi + rng.normal(0, 0.5)
            ends = [out, np.array([a * np.cos(other), b * np.sin(other)])]
        elif way == "spoke":
            ends = [np.zeros(2), out]
        elif way == "ray":
            ends = [out, out * rng.uniform(1.4, 1.9)]
        else:
            place = 17 + out * rng.uniform(0.3, 0.6)
            strokes.append(_text(_ellipse(place[0], place[1], 2, 2, rng), smooth=True))
            continue
        strokes.append(_text([(17 + end[0], 17 + end[1]) for end in ends]))
    return _drawn(strokes, rng)


def _polygon(corners: list[Point]) -> str:
    return _text([*corners, corners[0]])


def _compound(rng: np.random.Generator) -> Drawing | None:
    """2 to 4 circles, boxes, triangles, crosses and waves in, on or beside each other: a thing of no name.

    At least one has corners: circles and bows alone would be an 8, a 6 or a 9.
    """
    strokes: list[str] = []
    middle = np.array([17.0, 17.0])
    size = rng.uniform(4, 9, 2)
    kinds = ["box", "triangle", "cross"]
    for number in range(int(rng.integers(2, 5))):
        a, b = size
        x, y = middle
        kind = str(rng.choice(kinds if number == 0 else [*kinds, "circle", "circle", "bow", "line", "wave"]))
        if kind == "box":
            strokes.append(_polygon([(x - a, y - b), (x + a, y - b), (x + a, y + b), (x - a, y + b)]))
        elif kind == "triangle":
            tip = b * rng.choice([-1, 1])
            strokes.append(_polygon([(x - a, y + tip), (x + a, y + tip), (x, y - tip)]))
        elif kind == "cross":
            strokes += [_text([(x - a, y - b), (x + a, y + b)]), _text([(x + a, y - b), (x - a, y + b)])]
        elif kind == "circle":
            strokes.append(_text(_ellipse(x, y, a, b, rng), smooth=True))
        elif kind == "bow":
            strokes.append(_text([(x - a, y + b), (x, y - b), (x + a, y + b)], smooth=True))
        elif kind == "line":
            strokes.append(_text([(x - a, y + b), (x + a, y - b)]))
        else:
            wave = [(x + a * (k / 2 - 1), y + b * (-1) ** k) for k in range(5)]
            strokes.append(_text(wave, smooth=bool(rng.random() < 0.5)))
        scale = rng.uniform(0.3, 0.9)
        if rng.random() < 0.5:  # the next one inside, else at one of its sides
            size = size * scale
        else:
            side = np.array([[0, -1], [0, 1], [-1, 0], [1, 0]][int(rng.integers(4))])
            middle = middle + side * size * (1 + scale)
            size = size * scale
    return _drawn(strokes, rng)


GLYPHS: tuple[Make, ...] = tuple(map(_until_drawn, (_tangle, _rune, _lattice, _symmetric, _wheel, _bend)))
"""Each makes one drawing, as does COMPOUND."""

COMPOUND: Make = _until_drawn(_compound)
