"""From what a browser sent to what was read: everything is checked here before the library sees it."""

from __future__ import annotations

import asyncio
import base64
import binascii
import contextlib
import re
import struct
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from weakref import WeakKeyDictionary

import digitnet as dn
from digitnet.web.errors import ApiError, invalid

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import numpy as np
    from numpy.typing import NDArray

    Picture = NDArray[np.uint8]

MOST_STROKES = 1000
MOST_POINTS = 20_000
LARGEST = 1e9  # of a coordinate, as dn.Drawing has it
LARGEST_SIDE = 4096  # of a picture, in pixels
QUICK_POINTS = 2000  # what is read without a thread: takes less than a millisecond
MOST_NUMBER_STROKES = 200  # as dn.segment_digits has it
MOST_NUMBER_IMAGES = 20  # digits of a number that are sent with their images

_DATA_URL = re.compile(r"data:image/(?:png|jpe?g);base64,", re.IGNORECASE)
_NUMBERS = (int, float)


@dataclass(frozen=True)
class Wish:
    """What POST /api/recognize was asked for, checked."""

    drawing: dn.Drawing | bytes
    """Strokes, or the content of a PNG or JPEG file."""
    points: int
    model: str | None
    activations: bool
    number: bool
    explain: bool
    wanted: int | None

    @property
    def is_quick(self) -> bool:
        """Whether reading it takes less than a millisecond."""
        return (
            not (isinstance(self.drawing, bytes) or self.activations or self.explain)
            and self.points <= QUICK_POINTS
        )


# ---------------------------------------------------------------- what was sent


def wish(body: dict[str, Any]) -> Wish:
    """What a body asks for.

    Raises:
        ApiError: if a value is wrong; it names the field.
    """
    drawing, points = _sent(body)
    model = body.get("model")
    if model is not None and not isinstance(model, str):
        raise invalid(f"model: {_shown(model)}, expected a text", "model")
    flags = {name: _flag(body, name) for name in ("activations", "number", "explain")}
    wanted = None if body.get("wanted") is None else digit_of(body, "wanted")
    return Wish(drawing, points, model, wanted=wanted, **flags)


def drawing_of(body: dict[str, Any]) -> dn.Drawing | Picture:
    """The drawing in a body, {"strokes", "width"?, "height"?, "brush"?} or {"image"}, to be read.

    Raises:
        ApiError: if there is none, or more than is read, or it is damaged; it names the field.
    """
    return _readable(_sent(body)[0])


def _sent(body: dict[str, Any]) -> tuple[dn.Drawing | bytes, int]:
    """Strokes or the content of a file, and how many points there are."""
    if ("strokes" in body) == ("image" in body):
        found = "both" if "image" in body else "neither"
        raise invalid(f"strokes, image: {found}, expected one of the two", "strokes")
    if "image" in body:
        return _picture_file(body["image"]), 0
    strokes = body["strokes"]
    points = _check_strokes(strokes)
    width, height, brush = (_length(body, name) for name in ("width", "height", "brush"))
    return dn.Drawing(strokes, width, height, brush), points


def digit_of(body: dict[str, Any], name: str) -> int:
    """The digit under a name.

    Raises:
        ApiError: if it is not a whole number from 0 to 9.
    """
    value = body.get(name)
    if type(value) is not int or not 0 <= value <= 9:
        raise invalid(f"{name}: {_shown(value)}, expected a whole number from 0 to 9", name)
    return value


def _check_strokes(strokes: Any) -> int:  # noqa: ANN401
    """How many points there are; ApiError if they are not lists of [x, y] within the limits."""
    if type(strokes) is not list:
        raise invalid(
            f"strokes: {_shown(strokes)}, expected a list of strokes, [[[x, y], ...], ...]", "strokes"
        )
    if len(strokes) > MOST_STROKES:
        raise invalid(f"strokes: {len(strokes)} strokes, expected at most {MOST_STROKES}", "strokes")
    points = 0
    for number, stroke in enumerate(strokes):
        if type(stroke) is not list:
            raise invalid(
                f"strokes: stroke {number} is {_shown(stroke)}, expected a list of points", "strokes"
            )
        points += len(stroke)
        if points > MOST_POINTS:
            raise invalid(f"strokes: more than {MOST_POINTS} points, expected at most that", "strokes")
        for place, point in enumerate(stroke):
            if not (
                type(point) is list
                and len(point) == 2
                and type(point[0]) in _NUMBERS
                and type(point[1]) in _NUMBERS
                and -LARGEST <= point[0] <= LARGEST
                and -LARGEST <= point[1] <= LARGEST
            ):
                found = f"strokes: stroke {number}, point {place} is {_shown(point)}"
                raise invalid(f"{found}, expected [x, y], two numbers within {LARGEST:g} of 0", "strokes")
    return points


def _length(body: dict[str, Any], name: str) -> float:
    """A length above 0; 0, unknown, if it was not sent."""
    if name not in body:
        return 0.0
    value = body[name]
    if type(value) not in _NUMBERS or not 0 < value <= LARGEST:
        raise invalid(f"{name}: {_shown(value)}, expected a number above 0, at most {LARGEST:g}", name)
    return float(value)


def _flag(body: dict[str, Any], name: str) -> bool:
    value = body.get(name, False)
    if not isinstance(value, bool):
        raise invalid(f"{name}: {_shown(value)}, expected true or false", name)
    return value


def _shown(value: Any) -> str:  # noqa: ANN401
    if isinstance(value, (dict, list)) and len(value) > 4:
        return f"{'an object' if isinstance(value, dict) else 'a list'} of {len(value)}"
    return repr(value)[:40]


def _picture_file(value: Any) -> bytes:  # noqa: ANN401
    """The file in a data URL. What it is, is told by its content."""
    if not isinstance(value, str):
        raise invalid(f"image: {_shown(value)}, expected a text, data:image/png;base64,...", "image")
    start = _DATA_URL.match(value)
    if start is None:
        message = (
            f"image: begins with '{value[:30]}', expected data:image/png;base64, or data:image/jpeg;base64,"
        )
        raise invalid(message, "image")
    try:
        content = base64.b64decode(value[start.end() :], validate=True)
    except (binascii.Error, ValueError) as error:
        raise invalid(f"image: not base64: {error}", "image") from None
    side = _sides(content)
    if side is None:
        raise invalid("image: neither PNG nor JPEG by its content, expected one of the two", "image")
    if max(side) > LARGEST_SIDE:
        most = f"{LARGEST_SIDE} x {LARGEST_SIDE}"
        raise invalid(f"image: {side[0]} x {side[1]} pixels, expected at most {most}", "image")
    return content


def _sides(content: bytes) -> tuple[int, int] | None:
    """Width and height by the head of a PNG or JPEG file; None if it is neither. No pixel is looked at."""
    if content.startswith(b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR") and len(content) >= 24:
        width, height = struct.unpack(">II", content[16:24])
        return width, height
    if not content.startswith(b"\xff\xd8\xff"):
        return None
    at = 2  # behind the start; then markers, each with the length of what belongs to it
    while at + 9 <= len(content) and content[at] == 0xFF:
        marker = content[at + 1]
        if marker == 0xFF:  # filler
            at += 1
            continue
        if 0xC0 <= marker <= 0xCF and marker not in (0xC4, 0xC8, 0xCC):  # a frame: precision, height, width
            height, width = struct.unpack(">HH", content[at + 5 : at + 9])
            return width, height
        at += 2 + struct.unpack(">H", content[at + 2 : at + 4])[0]
    return None


def _readable(drawing: dn.Drawing | bytes) -> dn.Drawing | Picture:
    """A drawing as it is, a file as its pixels; ApiError if it is damaged."""
    if isinstance(drawing, dn.Drawing):
        return drawing
    try:
        return dn.read_picture(drawing)
    except dn.Error as error:
        raise invalid(f"image: {error}", "image") from None


# ---------------------------------------------------------------- what is answered


def answer(recognizer: dn.Recognizer, wish: Wish) -> dict[str, Any]:
    """Read a drawing.

    Raises:
        ApiError: if its picture is damaged.
    """
    drawing = _readable(wish.drawing)
    read = recognizer.recognize(drawing)
    told: dict[str, Any] = {
        "status": read.status,
        "digit": read.digit,
        "probabilities": None if read.probabilities is None else _rounded(read.probabilities, 6),
        "image": read.image.ravel().tolist(),
    }
    if wish.number:
        told["number"] = _number(recognizer, drawing)
    if wish.activations or wish.explain:
        network = recognizer.network
        if wish.activations:
            layers = network.activations(read.image.reshape(1, -1))
            told["activations"] = [_rounded(layer[0], 5) for layer in layers]
        if wish.explain:
            told["explanation"] = None if read.status == "empty" else _explanation(network, read, wish.wanted)
    return told


def _number(recognizer: dn.Recognizer, drawing: dn.Drawing | Picture) -> dict[str, Any] | None:
    """What is read if there are several digits; None for more strokes than any number has."""
    if isinstance(drawing, dn.Drawing) and len(drawing.strokes) > MOST_NUMBER_STROKES:
        return None
    read = recognizer.recognize_number(drawing)
    digits: list[dict[str, Any]] = [
        {"status": each.status, "digit": each.digit, "probability": round(each.probability, 6)}
        for each in read.digits
    ]
    for told, each in zip(digits[:MOST_NUMBER_IMAGES], read.digits, strict=False):
        told["image"] = each.image.ravel().tolist()
    return {"text": read.text, "digits": digits}


def _explanation(network: dn.Network, read: dn.Recognition, wanted: int | None) -> dict[str, Any]:
    """Which ink spoke for the likeliest digit and against the next, and what would make it another one."""
    probabilities = read.probabilities
    assert probabilities is not None  # it is not empty
    ranking = dn.likeliest_digits(network, read.image, 3)
    first, second = ranking[0].digit, ranking[1].digit
    goal = second if wanted is None else wanted
    ink = dn.ink_contributions(network, read.image, first, second)
    turned = dn.turned_into(network, read.image, goal)
    top = []
    for each in ranking:
        # Probabilities by the recognizer, whose temperature makes them honest; the order is the same.
        others = max(float(p) for digit, p in enumerate(probabilities) if digit != each.digit)
        own = float(probabilities[each.digit])
        margins = {"margin": round(own - others, 6), "logit_margin": round(each.logit_margin, 4)}
        top.append({"digit": each.digit, "probability": round(own, 6), **margins})
    return {
        "digit": first,
        "against": second,
        "top": top,
        "ink": _rounded(ink.ink, 5),
        "margin": round(ink.margin, 4),
        "rest": round(ink.rest, 4),
        "turned": {
            "wanted": goal,
            "succeeded": turned.succeeded,
            "probability": round(turned.probability, 6),
            "added": round(turned.added, 3),
            "erased": round(turned.erased, 3),
            "distance": round(turned.distance, 4),
            "change": _rounded(turned.change, 4),
            "image": turned.image.ravel().tolist(),
        },
    }


def _rounded(values: NDArray[np.float32], decimals: int) -> list[float]:
    return [round(value, decimals) for value in values.ravel().tolist()]


# ---------------------------------------------------------------- how many at once

_AT_ONCE = 2  # a picture of 4096 x 4096 takes a tenth of a second and 64 MB
_MOST_WAITING = 256


class _Room:
    """Those that wait or read, of one event loop: a server has one, other projects may have several."""

    def __init__(self) -> None:
        self.places = asyncio.Semaphore(_AT_ONCE)
        self.guests = 0


_rooms: WeakKeyDictionary[asyncio.AbstractEventLoop, _Room] = WeakKeyDictionary()


@contextlib.asynccontextmanager
async def room() -> AsyncIterator[None]:
    """A place among those that read what takes longer.

    Raises:
        ApiError: 503 with Retry-After if too many wait for one.
    """
    own = _rooms.setdefault(asyncio.get_running_loop(), _Room())
    if own.guests >= _MOST_WAITING:
        raise ApiError(
            503, "busy", "too many drawings at once, expected fewer; try again in a second", retry_after=1
        )
    own.guests += 1
    try:
        async with own.places:
            yield
    finally:
        own.guests -= 1
