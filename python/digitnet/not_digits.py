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

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from digitnet._core import ArgumentError, to_mnist_image

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from numpy.typing import NDArray

    Array = NDArray[np.float64]
    Drawing = list[Array]
    Form = Callable[[int, np.random.Generator], list[Drawing]]

KINDS = ("letters", "glyphs", "symbols", "scribbles", "shapes", "words", "dots")
"""What drawings and images can make."""

CANVAS = 280.0
"""Width and height of the canvas that is drawn on."""

AMBIGUOUS = {
    "B": "a fast B is an 8, or a 13 pushed together",
    "D": "a 0 once its corners are round",
    "G": "a 6",
    "I": "a 1, with or without serifs",
    "hook": "a bent 1; a J has its bar on top",
    "O o": "a 0",
    "Q": "a 0 with a tail, a 2 in older handwriting",
    "S s": "a 5",
    "Y y": "a 4 that is open at the top, a 9",
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

# A form is written as strokes with "|" between them. A point is two characters, x and y, counted 0 to 9 and
# on with a = 10, b = 11, ...; y points down. Capital letters reach from y = 0 to a, small ones from 4 to a,
# with 0 and e for what sticks out. A stroke is straight from point to point; one that begins with "~" is a
# smooth curve through its points, in which a point with "!" is a corner.

LETTERS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "A": ("0a 40 8a|26 66", "~0a 14 40 74 8a|05 85"),
        "C": ("~71 40 12 05 18 4a 79", "~82 60 32 05 18 4a 88"),
        "E": ("00 0a 6a|00 60|05 55", "~61 30 12 45! 18 3a 69"),
        "F": ("00 0a|00 70|05 55", "70 10 1a|~05 25 45 75"),
        "H": ("00 0a|70 7a|05 75", "~00 15 0a|~80 75 8a|~05 44 85"),
        "M": ("0a 00 45 80 8a", "~0a 13 20! 46! 60! 73 8a"),
        "P": ("00 0a|~00! 50 72 65 05", "~10 15 1a|~02 20 60 83 55 15"),
        "R": ("00 0a|~00! 50 72 55 05! 7a", "~10 15 0a|~02 20 50 73 45 25! 57 7a"),
        "T": ("00 80|40 4a", "~01 30 81|~41 45 4a"),
        "V": ("00 4a 80", "~00 24 4a! 64 80"),
        "W": ("00 2a 42 6a 80", "~00 16 3a! 43! 6a! 86 90"),
        "X": ("00 7a|70 0a", "~00 36 6a 79|~71 50 36 1a 09"),
        "a": ("~74 44 16 08 3a 68 74! 79 8a", "~75 54 25 08 2a 57 65! 78 99"),
        "d": ("~76 44 17 3a 78|70 7a", "~66 44 26 08 2a 58 70! 68 8a"),
        "e": ("~07 77! 65 34 16 08 3a 79", "~08 58 75 44 16 08 3a 7a"),
        "h": ("00 0a|~07 25 55 67 6a", "~0a 14 30 20! 15 0a! 16 44 56 5a 8a"),
        "m": ("04 0a|~06 24 46 4a|~46 64 86 8a", "~04 0a! 15 34 46 4a! 55 74 86 8a"),
        "n": ("04 0a|~06 24 54 66 6a", "~05 14 2a! 35 54 66 69 8a"),
        "p": ("04 0e|~05 34 66 58 3a 09", "~13 14 0e! 07 34 65 68 4a 19"),
        "t": ("~30 38 5a 79|04 64", "30 3a|05 65"),
        "w": ("04 2a 45 6a 84", "~04 08 2a 46! 48 6a 88 84"),
        "x": ("~04 24 47 6a 8a|~84 64 27 0a", "04 6a|64 0a"),
    },
    "test": {
        "A": ("0a 20 60 8a|15 75", "~0a 43 50! 67 9a|26 66"),
        "C": ("~82 81! 60 30 03 07 3a 6a 99",),
        "E": ("~70 30 01 0a! 4a 79|~05 34 65",),
        "F": ("00 0a|~00 31 70|~04 35 55",),
        "H": ("~10 04 0a|80 8a|05 85",),
        "J": ("20 90|~60 68 4a 1a 07", "~10 40 80|~50 57 3b 0a"),
        "K": ("00 0a|70 05 7a", "~00 15 1a|~80 45 16! 47 8a"),
        "L": ("00 0a 6a", "~00 05 0a! 3a 79"),
        "M": ("0a 10 46 70 8a", "~0a 20! 35 49! 55 70! 7a"),
        "N": ("0a 00 7a 70", "~0a 14 20! 45 6a! 75 80"),
        "R": ("~0a 05 10! 60 74 15! 49 8a",),
        "T": ("00 80|~40 38 5a 69",),
        "U": ("~00 07 3a 5a 87 80", "~00 08 3a 67 80! 87 9a"),
        "V": ("~00 16 3a 66 80 91",),
        "W": ("~00 08 2a 47 43! 48 6a 87 80",),
        "X": ("~00 10 45 8a 9a|~80 60 45 0a",),
        "a": ("~15 34 64 76 79! 8a|~76 36 08 2a 5a 78",),
        "d": ("~64 24 07 2a 5a 66|~80 66 7a 99",),
        "e": ("~0a 57 64 44 27 39 5a 89",),
        "f": ("~72 50 32 3a|05 65", "~05 34 61 50 32 3e 2d 39 67"),
        "h": ("~00 05 0a|~08 44 67 7a 8a",),
        "k": ("00 0a|54 07 6a", "~0a 33 20 13 0a! 16 45 46 17! 38 6a"),
        "m": ("~0a 15 24 36 3a! 45 64 66 6a! 75 94 96 9a",),
        "n": ("~0a 06 14 35 3a! 46 64 76 7a",),
        "r": ("04 0a|~06 24 54", "~08 13 25 55 58 6a 89"),
        "t": ("~40 37 4a 6a|~05 44 85",),
        "u": ("~04 08 3a 68|64 6a", "~05 14 08 2a 57 64! 68 7a 99"),
    },
}
"""Ways to write the letters of the Latin alphabet, by part and letter."""

SYMBOLS: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "question mark": ("~02 20 50 62 45 37|39 3a", "~02 11 30 62 64 36 38|~39 4a 3a 39"),
        "exclamation mark": ("~00 25 07! 00|~09 1a 0a 09",),
        "plus": ("04 84|40 48",),
        "equals sign": ("03 83|07 87",),
        "asterisk": ("40 48|04 84|11 77|71 17", "40 48|02 86|06 82"),
        "hash": ("20 1a|70 6a|03 93|07 97",),
        "percent": ("80 0a|~20 02 14 32 20|~76 57 6a 98 76",),
        "less": ("80 05 8a",),
        "lambda": ("00 6a|35 0a", "~00 20 7a 9a|~34 0a"),
        "pi": ("~02 21 81|31 2a|~61 69 7a", "01 91|~21 26 0a|~71 78 9a"),
        "omega": ("~14 07 2a 47 4a 6a 87 74",),
        "Sigma": ("80 00 45 0a 8a",),
        "Omega": ("~0a 2a! 06 12 40 72 86 6a! 8a",),
        "Zhe": ("00 45 0a|80 45 8a|40 4a",),
        "Sha": ("00 0a 8a 80|40 4a",),
        "Ya": ("70 7a|~70! 20 02 25 75! 0a",),
        "great (Chinese)": ("~04 44 84|~40 37 0b|~44 58 8b",),
        "king (Chinese)": ("00 80|05 85|0a 8a|40 4a",),
        "earth (Chinese)": ("14 74|40 4a|0a 8a",),
        "a (Hiragana)": ("~12 42 82|~30 36 4b|~74 57 2a 07 35 75 88 5b",),
        "ampersand": ("~8a 42 30 22 45 17 0a 3a 76",),
        "quotation marks": ("00 04|30 34",),
        "not equal": ("03 83|07 87|70 1a",),
        "bracket": ("40 00 0a 4a",),
    },
    "test": {
        "ampersand": ("~77 4a 1a 08 45 52 30 13 8a", "~70 20 02 24! 16 08 3a 78 75"),
        "at": ("~65 44 27 49 66 63! 68 88 84 50 12 08 3c 8b",),
        "dollar": ("~81 50 21 13 45 87 6a 2a 09|50 5c",),
        "euro": ("~81 50 22 15 28 5a 89|04 64|06 56",),
        "pound": ("~71 50 32 35 38 0a! 8a|05 65",),
        "tilde": ("~06 24 46 68 86",),
        "less or equal": ("80 04 88|0b 8b",),
        "curly bracket": ("~40 20 23 05! 27 2a 4a",),
        "root": ("06 16 3a 60 e0",),
        "plus minus": ("03 83|40 47|0a 8a",),
        "divided by": ("05 85|41 42|48 49",),
        "psi": ("~00 05 37 65 60|30 3b",),
        "mu": ("~00 0c|~06 38 66|~60 68 79",),
        "Phi": ("~42 13 05 18 49 78 85 73 42|40 4b",),
        "Gamma": ("0a 00 70",),
        "Pi": ("0a 00 80 8a",),
        "Xi": ("00 80|15 75|0a 8a",),
        "De": ("0c 0a 8a 8c|1a 30 60 7a",),
        "Yu": ("00 0a|05 35|~60 35 6a 95 60",),
        "tree (Chinese)": ("03 93|40 4c|~43 26 0a|~43 66 9a",),
        "mountain (Chinese)": ("40 4a|04 0a 8a 84",),
        "middle (Chinese)": ("02 07 87 82 02|40 4c",),
        "ki (Katakana)": ("03 83|07 97|~30 45 5b",),
        "paragraph": ("80 30|50 5b|70 7b|~30 02 35 55",),
        "hash": ("30 0b|80 5b|03 b3|07 a7",),
        "per mille": ("80 0a|~10 02 14 32 10|~66 57 5a 78 66|~96 87 8a a8 96",),
        "female": ("~30 02 26 45 53 30|36 3c|19 59",),
        "male": ("~35 07 3b 69 65 35|65 90|60 90 93",),
        "note": ("~19 0a 2b 39! 30! 62 64",),
        "copyright": ("~50 12 06 3b 8b b6 93 50|~73 54 46 58 78",),
    },
}
"""Signs, and letters of other alphabets, by part and name."""

SHAPES: dict[str, dict[str, tuple[str, ...]]] = {
    "train": {
        "triangle": ("40 88 08 40", "00 08 88 00"),
        "square": ("00 08 88 80 00", "00 88|80 08|00 08 88 80 00"),
        "rectangle": ("00 07 c7 c0 00",),
        "heart": ("~43 20 03 48! 83 60 43",),
        "arrow": ("05 a5|72 a5 78", "50 5a|23 50 83"),
        "cross in a circle": ("~50 11 05 19 5a 99 a5 91 50|22 88|82 28",),
        "house": ("05 0b ab a5 05 50 a5", "04 0a 8a 84 04 40 84|3a 36 56 5a"),
        "smiley": ("~60 12 06 1a 6c ba c6 b2 60|44 45|84 85|~37 6a 97",),
        "check mark": ("05 39 a0", "~05 29! 62 a0"),
        "fir tree": ("50 25 35 08 a8 75 85 50|58 5a",),
        "envelope": ("00 08 c8 c0 00|00 65 c0",),
        "boat": ("06 2a 8a a6 06|56 50 94 55",),
        "fish": ("~05 32 75 a8! a2! 75 38 05|24 25",),
        "cup": ("00 1a 7a 80 00|~82 a2 b5 76",),
        "kite": ("40 84 4a 04 40|40 4a|04 84",),
        "grid": ("30 3a|70 7a|03 a3|07 a7", "00 0a aa a0 00|05 a5|50 5a"),
        "snowflake": ("50 5a|12 98|92 18|41 50 61|49 5a 69",),
        "sun": ("~53 34 35 57 75 74 53|51 50|59 5a|15 05|95 a5|22 11|82 91|28 19|88 99",),
        "stairs": ("0a 07 37 34 64 61 91",),
        "flower": ("~54 45 56 65 54|~54 31 60 73 54|~65 94 98 66|~56 79 3a 56|~45 18 14 45",),
        "wave": ("~05 21 45 69 85 a1 c5",),
    },
    "test": {
        "triangle": ("00 80 48 00", "08 70 88 08"),
        "diamond": ("40 86 4c 06 40",),
        "right angle trapezium": ("20 08 a8 80 20",),
        "star": ("2a 50 8a 04 a4 2a",),
        "star outline": ("50 64 a4 76 8a 58 2a 36 04 44 50",),
        "star of six": ("50 98 18 50|12 92 5a 12",),
        "double arrow": ("04 c4|31 04 37|91 c4 97",),
        "block arrow": ("03 63 60 a5 6a 67 07 03",),
        "car": ("06 26 42 82 a6 c6 c9 09 06|~29 3a 4b 59 3a|~89 9a ab b9 9a",),
        "flag": ("00 0c|~00 22 60 82! 86! 64 26 04",),
        "key": ("~30 02 04 36 54 52 30|53 d3 d6|a3 a5",),
        "umbrella": ("~06 11 50 91 a6! 75 56! 35 06|~56 5b 3b 3a",),
        "stick figure": ("~40 22 44 62 40|44 48|15 75|2c 48 6c",),
        "cloud": ("~07 04 23 51 74 b4 b8! 18 07",),
        "moon": ("~60 13 18 6b! 48 43 60",),
        "cat": ("~12 10! 32 62 80! 92 97 5a 17 12|34 35|64 65|56 57|16 06|86 96",),
        "crown": ("08 00 35 50 75 a0 a8 08",),
        "glasses": ("~03 20 43 26 03|~73 90 b3 96 73|~43 52 73",),
        "table": ("00 c0|10 18|b0 b8",),
        "chair": ("10 15 65 6b|15 0b",),
        "ladder": ("00 0c|60 6c|02 62|05 65|08 68|0b 6b",),
        "eye": ("~05 51 a5! 59 05|~53 35 57 75 53",),
        "cube": ("03 0a 7a 73 03|03 30 a0 a7 7a|73 a0",),
        "clock": ("~60 12 06 1a 6c ba c6 b2 60|62 66 96",),
        "pie": ("~60 12 06 1a 6c ba c6 b2 60|60 66 b9",),
        "apple": ("~43 12 06 3b 5a 7b a6 92 53 43|~43 52 60",),
        "mushroom": ("~06 12 50 92 a6! 06|~36 3a 6a 66",),
        "tree": ("4c 46|6c 66|~46 17 03 30 70 a3 97 66 46",),
        "noughts and crosses": ("40 4c|80 8c|04 c4|08 c8|11 33|31 13|~66 57 79 66",),
        "spectacle of lines": ("00 0a|30 3a|60 6a",),
        "maze": ("00 0c cc c0 30 39 99 93 63 66",),
        "thumb": ("05 0b 2b|~25 50 65! a5 b7 9b 2b",),
    },
}
"""Things that people draw, by part and name."""

# For words: two ways to write each digit, the first for "train".
DIGITS = {
    "0": ("~40 12 06 3a 67 62 40", "~50 20 04 18 4a 76 62 50"),
    "1": ("40 4a", "13 40 4a"),
    "2": ("~02 30 62 46 0a! 7a", "~01 40 53 1a 09 49 79"),
    "3": ("~01 40 63 35! 67 4a 09", "~00! 60! 34! 67 5a 09"),
    "4": ("40 07 77|50 5a", "00 05 65|60 6a"),
    "5": ("~60 10! 04! 44 67 4a 09", "~13 04 44 68 3a 09|10 70"),
    "6": ("~50 13 07 2a 58 56 25 07", "~40 04 08 3a 68 45 07"),
    "7": ("00 70 2a", "00 70 3a|25 65"),
    "8": ("~61 30 02 35 68 3a 08 35 62 61", "~30 02 35 63 30|~35 08 3a 68 35"),
    "9": ("~61 30 03 35 61! 65 5a", "~62 30 03 45 62! 67 4a 19"),
}
EQUATION_SIGNS = ("25 85|52 58", "24 74|27 77", "25 75", "22 78|72 28")


class _Strokes(NamedTuple):
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


def _strokes(text: str) -> _Strokes:
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
    return _Strokes(written, stroke, sharp, rounded, tuple(starts))


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


def _by_hand(
    strokes: _Strokes, count: int, rng: np.random.Generator, *, lean: float = 0.12, stretch: float = 0.2
) -> list[Drawing]:
    """A form drawn count times as a hand would, in the units it is written in.

    lean is how far it is turned (in radians) and slanted, stretch how much wider or taller it gets; both are
    standard deviations.
    """
    low, high = strokes.written.min(axis=0), strokes.written.max(axis=0)
    size = float(np.hypot(*(high - low)))
    middle = (low + high) / 2
    care = rng.uniform(0.3, 1.0, (count, 1, 1))  # 1 for the least careful hand

    written = (
        strokes.written - middle + care * 0.035 * size * rng.standard_normal((count, *strokes.written.shape))
    )
    apart = care * 0.02 * size * rng.standard_normal((count, strokes.stroke[-1] + 1, 2))
    written += apart[:, strokes.stroke]
    roundness = rng.uniform(0, 1, (count, 1, 1)) * rng.choice([0.3, 1.0], (count, 1, 1))
    points = strokes.sharp @ written
    points += roundness * (strokes.rounded @ written - points)
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
    kept = {step: _kept(strokes.starts, step) for step in (1, 2, 3, 4)}
    return [[points[i, rows] for rows in kept[pace[i]]] for i in range(count)]


def _kept(starts: tuple[int, ...], step: int) -> list[NDArray[np.intp]]:
    """The rows of each stroke when one of step points is kept, and the last."""
    return [
        np.unique(np.append(np.arange(first, last, step), last - 1))
        for first, last in zip(starts[:-1], starts[1:])
    ]


def _written_form(text: str, *, lean: float = 0.12, stretch: float = 0.2) -> Form:
    strokes = _strokes(text)
    return lambda count, rng: _by_hand(strokes, count, rng, lean=lean, stretch=stretch)


def _glyph(rng: np.random.Generator) -> Drawing:
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
        return _glyph(rng)
    return _by_hand(_strokes("|".join(strokes)), 1, rng)[0]


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


def _one_by_one(make: Callable[[np.random.Generator], Drawing]) -> Form:
    return lambda count, rng: [make(rng) for _ in range(count)]


# --- Words: letters or digits side by side.


def _words(texts: Sequence[str], *, fewest: int, most: int, signs: Sequence[str] = ()) -> Form:
    """Rows of fewest to most of the texts; with signs, every second is one of these."""
    glyphs = [_strokes(text) for text in (*texts, *signs)]

    def form(count: int, rng: np.random.Generator) -> list[Drawing]:
        lengths = rng.integers(fewest, most + 1, count)
        chosen = rng.integers(0, len(texts), int(lengths.sum()))
        if signs:
            place = np.concatenate([np.arange(length) for length in lengths])
            odd = place % 2 == 1
            chosen[odd] = len(texts) + rng.integers(0, len(signs), int(odd.sum()))
        pools = [
            iter(_by_hand(glyph, int((chosen == k).sum()), rng, lean=0.05, stretch=0.1))
            for k, glyph in enumerate(glyphs)
        ]
        gaps = rng.uniform(-0.5, 3.0, count)
        joined = rng.random(count) < 0.25
        words = []
        first = 0
        for length, gap, join in zip(lengths, gaps, joined):
            letters = [next(pools[k]) for k in chosen[first : first + length]]
            first += length
            words.append(_side_by_side(letters, gap, join=bool(join) and not signs))
        return words

    return form


def _side_by_side(letters: list[Drawing], gap: float, *, join: bool) -> Drawing:
    """Drawings in a row with a gap between their boxes; joined ones without lifting the pen in between."""
    word: Drawing = []
    right = 0.0
    for letter in letters:
        left = min(float(stroke[:, 0].min()) for stroke in letter)
        moved = [stroke + np.array([right - left, 0.0]) for stroke in letter]
        right = max(float(stroke[:, 0].max()) for stroke in moved) + gap
        if join and word:
            word[-1] = np.concatenate((word[-1], moved.pop(0)))
        word += moved
    return word


def _all_ways(ways: Mapping[str, Sequence[str]]) -> list[str]:
    return [text for texts in ways.values() for text in texts]


def _forms() -> dict[str, dict[str, list[Form]]]:
    """Every form by kind and part."""
    forms: dict[str, dict[str, list[Form]]] = {kind: {"train": [], "test": []} for kind in KINDS}
    for part in ("train", "test"):
        forms["letters"][part] = [_written_form(text) for text in _all_ways(LETTERS[part])]
        forms["symbols"][part] = [_written_form(text) for text in _all_ways(SYMBOLS[part])]
        forms["shapes"][part] = [
            _written_form(text, lean=0.08, stretch=0.15) for text in _all_ways(SHAPES[part])
        ]
        letters = _all_ways(LETTERS[part])
        digits = [ways[part == "test"] for ways in DIGITS.values()]
        forms["words"][part] = [
            _words(letters, fewest=2, most=6),
            _words(digits, fewest=2, most=4),
            _words(digits, fewest=3, most=5, signs=EQUATION_SIGNS),
            _words(letters + digits, fewest=2, most=4),
        ]
        forms["glyphs"][part] = [_one_by_one(_glyph)]  # of so many that no two are alike
    forms["scribbles"]["train"] = [
        _until_tangled(_walks),
        _until_tangled(_angular_walks),
        *(_one_by_one(make) for make in (_zigzag, _hatching, _random_strokes)),
    ]
    forms["scribbles"]["test"] = [
        _until_tangled(_tangles),
        *(_one_by_one(make) for make in (_crosshatching, _coil, _spiral, _scratched_out, _signature, _rays)),
    ]
    forms["dots"]["train"] = [_one_by_one(make) for make in (_tap, _few_dots, _blot)]
    forms["dots"]["test"] = [_one_by_one(make) for make in (_many_dots, _row_of_dots, _filled)]
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
    if count < 0:
        msg = f"drawings: count is {count}, expected at least 0"
        raise ArgumentError(msg)
    rng = np.random.default_rng(seed)
    parts = ("train", "test") if part == "all" else (part,)
    forms = [form for name in parts for form in _FORMS[kind][name]]
    made: list[Drawing] = []
    for form, share in zip(forms, rng.multinomial(count, np.full(len(forms), 1 / len(forms)))):
        if share:
            made += form(int(share), rng)
    order = rng.permutation(count)
    return [_on_canvas(made[i], rng) for i in order]


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
    if count < 0:
        msg = f"mixed: count is {count}, expected at least 0"
        raise ArgumentError(msg)
    rng = np.random.default_rng(seed)
    shares = rng.multinomial(count, np.full(len(KINDS), 1 / len(KINDS)))
    pictures = [images(kind, int(share), rng, part) for kind, share in zip(KINDS, shares)]
    return rng.permutation(np.concatenate(pictures))
