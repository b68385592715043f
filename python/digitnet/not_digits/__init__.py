"""Drawings that are no digits: letters, glyphs, symbols, scribbles, shapes, words and dots, made from a seed.

A network that was shown digits alone gives every drawing a digit. To teach it otherwise, and to measure
whether it has learnt that, takes drawings of everything else (Hendrycks, Mazeika, Dietterich, Deep Anomaly
Detection with Outlier Exposure, ICLR 2019). This module makes them, as strokes, the way a hand would on a
canvas for digits:

    images = not_digits.images("letters", 1000, seed=1, part="train")

The forms of the part "train" and those of the part "test" are disjoint: other letters, other ways to write
the letters that are in both, other shapes, other kinds of scribble. What is measured on "test" after training
on "train" is therefore about garbage that the network has never seen.

What many people write just like a digit is left out; AMBIGUOUS says what, and which digit it is. So are a
circle, an upright oval and a single straight or slightly bent line: those are 0 and 1.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitnet._core import ArgumentError, to_mnist_image
from digitnet.not_digits.alphabets import DIGITS, EQUATION_SIGNS, LETTERS, SHAPES, SYMBOLS
from digitnet.not_digits.glyphs import COMPOUND, GLYPHS
from digitnet.not_digits.hand import one_by_one, written_form
from digitnet.not_digits.scribbles import DOTS, SCRIBBLES
from digitnet.not_digits.styles import styled
from digitnet.not_digits.words import words

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import NDArray

    from digitnet.not_digits.hand import Drawing, Form

KINDS = ("letters", "glyphs", "symbols", "scribbles", "shapes", "words", "dots")
"""What drawings and images can make."""

CANVAS = 280.0
"""Width and height of the canvas that is drawn on."""

AMBIGUOUS = {
    "B, drawn fast": "an 8, or a 13 pushed together",
    "D, round": "a 0",
    "G": "a 6",
    "I": "a 1, with or without serifs",
    "hook": "a bent 1; a J has its bar on top",
    "O o": "a 0",
    "Q, in older handwriting": "a 2",
    "S s": "a 5",
    "Y, y, with an upright right arm": "a 4 that is open at the top, a 9",
    "Z z": "a 2; with a bar through it a 7",
    "b": "a 6",
    "g q": "a 9; the g with two loops an 8",
    "i j": "a 1 once the dot is taken for a speck",
    "! drawn thin": "a 1 likewise",
    "l": "a 1",
    "ß": "an 8",
    "/ \\ | ( )": "a 1",
    "alpha, infinity": "an 8 on its side",
    "beta": "an 8",
    "gamma": "an 8 that does not close",
    "delta, partial, sigma": "a 6",
    "theta, Ø": "a 0 with a stroke through it",
    "tau, ], not sign, >": "a 7",
    "日 (sun in Chinese)": "an 8 with corners",
    "integral": "a 1 with a swing",
    "hourglass": "an 8 with corners",
    "flash": "a 2 or a 5 with corners",
    "circle, upright oval, polygon of five corners or more": "a 0",
    "straight or slightly bent line": "a 1",
}
"""What is left out since many people write a digit so, with the digit that it is taken for."""


def _all_ways(ways: Mapping[str, Sequence[str]]) -> list[str]:
    return [text for texts in ways.values() for text in texts]


def _forms() -> dict[str, dict[str, list[Form]]]:
    """Every form by kind and part."""
    forms: dict[str, dict[str, list[Form]]] = {kind: {"train": [], "test": []} for kind in KINDS}
    for part in ("train", "test"):
        forms["letters"][part] = [styled(written_form(text)) for text in _all_ways(LETTERS[part])]
        forms["symbols"][part] = [styled(written_form(text)) for text in _all_ways(SYMBOLS[part])]
        forms["shapes"][part] = [
            written_form(text, lean=0.08, stretch=0.15) for text in _all_ways(SHAPES[part])
        ]
        if part == "train":
            forms["shapes"][part] += [one_by_one(COMPOUND)] * 12
        letters = _all_ways(LETTERS[part])
        digits = [ways[part == "test"] for ways in DIGITS.values()]
        forms["words"][part] = [
            words(letters, fewest=2, most=6),
            words(digits, fewest=2, most=4),
            words(digits, fewest=3, most=5, signs=EQUATION_SIGNS),
            words(letters + digits, fewest=2, most=4),
        ]
        forms["glyphs"][part] = [one_by_one(make) for make in GLYPHS]  # of so many that no two are alike
    forms["scribbles"], forms["dots"] = SCRIBBLES, DOTS
    return forms


_FORMS = _forms()


def drawings(kind: str, count: int, seed: int | np.random.Generator, part: str = "all") -> list[Drawing]:
    """Drawings of one kind, as strokes.

    Args:
        kind: one of KINDS.
        count: how many.
        seed: the same seed makes the same drawings. Or a generator, which goes on from where it is.
        part: "train" or "test" for forms that the other does not have, "all" for both.

    Returns:
        For each drawing its strokes; a stroke is an array (points, 2) of x and y on a canvas of 280 x 280, y
        pointing down.

    Raises:
        ArgumentError: if kind or part is not known or count is negative.
    """
    if kind not in KINDS:
        msg = f"drawings: kind is {kind!r}, expected one of {', '.join(KINDS)}"
        raise ArgumentError(msg)
    if part not in ("train", "test", "all"):
        msg = f"drawings: part is {part!r}, expected train, test or all"
        raise ArgumentError(msg)
    _require_count("drawings", count)
    rng = np.random.default_rng(seed)
    parts = ("train", "test") if part == "all" else (part,)
    forms = [form for name in parts for form in _FORMS[kind][name]]
    made: list[Drawing] = []
    for form, share in zip(forms, rng.multinomial(count, np.full(len(forms), 1 / len(forms)))):
        if share:
            made += form(int(share), rng)
    order = rng.permutation(count)
    return [_on_canvas(made[i], rng) for i in order]


def _require_count(where: str, count: int) -> None:
    if count < 0:
        msg = f"{where}: count is {count}, expected at least 0"
        raise ArgumentError(msg)


def _on_canvas(drawing: Drawing, rng: np.random.Generator) -> Drawing:
    """The drawing at a random place and size, a fifth of the canvas to nearly all of it."""
    points = np.concatenate(drawing)
    low, high = points.min(axis=0), points.max(axis=0)
    largest = float((high - low).max())
    scale = CANVAS * rng.uniform(0.2, 0.95) / (largest or 1.0)
    size = (high - low) * scale
    corner = rng.uniform(0, 1, 2) * np.maximum(CANVAS - size, 0)
    return [(stroke - low) * scale + corner for stroke in drawing]


def images(kind: str, count: int, seed: int | np.random.Generator, part: str = "all") -> NDArray[np.uint8]:
    """Drawings of one kind as the network sees them: those of `drawings`, through `to_mnist_image`.

    Args:
        kind: one of KINDS.
        count: how many.
        seed: as for drawings.
        part: as for drawings.

    Returns:
        Array (count, 28, 28), 0 for no ink, 255 for full ink.

    Raises:
        ArgumentError: as drawings.
    """
    strokes = drawings(kind, count, seed, part)
    pictures = np.empty((count, 28, 28), dtype=np.uint8)
    for picture, drawing in zip(pictures, strokes):
        picture[:] = to_mnist_image(drawing)
    return pictures


def mixed(count: int, seed: int | np.random.Generator, part: str = "all") -> NDArray[np.uint8]:
    """Images of all kinds in a random order, about the same number of each.

    Args:
        count: how many.
        seed: as for drawings.
        part: as for drawings.

    Returns:
        Array (count, 28, 28), 0 for no ink, 255 for full ink.

    Raises:
        ArgumentError: if part is not known or count is negative.
    """
    _require_count("mixed", count)
    rng = np.random.default_rng(seed)
    shares = rng.multinomial(count, np.full(len(KINDS), 1 / len(KINDS)))
    pictures = [images(kind, int(share), rng, part) for kind, share in zip(KINDS, shares)]
    return rng.permutation(np.concatenate(pictures))
