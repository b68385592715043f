"""What the ways to draw a recipe's drawings anew have in common."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

import digitnet as dn

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from numpy.typing import ArrayLike, NDArray

    Strokes = Sequence[ArrayLike]


def images(drawings: Sequence[Strokes], draw: Callable[[Strokes], NDArray[np.uint8]]) -> NDArray[np.uint8]:
    """What `draw` makes of each drawing, (n, 28, 28); n may be 0."""
    made = np.empty((len(drawings), 28, 28), np.uint8)
    for image, strokes in zip(made, drawings):
        image[:] = draw(strokes)
    return made


def require_count(where: str, key: str, given: object) -> None:
    """Refuses what is no whole number of at least 0.

    Raises:
        FormatError: "WHERE: KEY x, expected ...".
    """
    if type(given) is not int or given < 0:
        msg = f"{where}: {key} {given}, expected a whole number, at least 0"
        raise dn.FormatError(msg)


def require_range(where: str, key: str, given: object, most: float) -> None:
    """Refuses what is no [least, most], above 0 and at most `most`.

    Raises:
        FormatError: "WHERE: KEY [0, 1], expected ...".
    """
    is_pair = isinstance(given, list) and [type(each) in (int, float) for each in given] == [True, True]
    if not (isinstance(given, list) and is_pair and 0 < given[0] <= given[1] <= most):
        msg = f"{where}: {key} {given}, expected [least, most], above 0 and at most {most}"
        raise dn.FormatError(msg)
