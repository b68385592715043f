"""Letters of no alphabet."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitnet.not_digits.hand import by_hand, skeleton

if TYPE_CHECKING:
    from digitnet.not_digits.hand import Drawing


def glyph(rng: np.random.Generator) -> Drawing:
    """A letter of no alphabet: 3 to 5 lines and bows between random places, each joined to one before.

    With two strokes too many would be a 1, a 4 or a 7 by accident, and so would narrow ones.
    """

    def place() -> str:
        return f"{rng.integers(0, 9)}{np.base_repr(int(rng.integers(0, 12)), 36).lower()}"

    places = [place()]
    strokes = []
    for _ in range(int(rng.integers(3, 6))):
        points = [str(rng.choice(places)), *(place() for _ in range(int(rng.integers(1, 4))))]
        if rng.random() < 0.3:  # closed, or from one of the strokes to another
            points.append(str(rng.choice(places)))
        points = [point for point, before in zip(points, ["", *points]) if point != before]
        if len(points) > 1:
            strokes.append(("~" if rng.random() < 0.5 else "") + " ".join(points))
            places += points[1:]
    written = np.array([(int(point[0]), int(point[1], 36)) for point in places])
    width, height = np.ptp(written, axis=0)
    if len(strokes) < 3 or min(width, height) < 0.5 * max(width, height):
        return glyph(rng)
    return by_hand(skeleton("|".join(strokes)), 1, rng)[0]
