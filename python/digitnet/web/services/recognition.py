"""From what a browser sent to what was read."""

from __future__ import annotations

from typing import Any

import digitnet as dn
from digitnet.web.errors import invalid
from digitnet.web.services import models

MOST_STROKES = 1000
MOST_POINTS = 20_000


def recognize(body: dict[str, Any]) -> dict[str, Any]:
    """Answer POST /api/recognize.

    Raises:
        ApiError: if what was sent is no drawing.
    """
    recognizer = models.recognizer(body.get("model"))
    drawing = drawing_of(body)
    read = recognizer.recognize(drawing)
    return {
        "status": read.status,
        "digit": read.digit,
        "probabilities": None if read.probabilities is None else [round(float(p), 6) for p in read.probabilities],
        "image": read.image.ravel().tolist(),
    }


def drawing_of(body: dict[str, Any]) -> dn.Drawing:
    """The drawing in a body.

    Raises:
        ApiError: if there is none, or more than is read.
    """
    strokes = body.get("strokes")
    if not isinstance(strokes, list) or len(strokes) > MOST_STROKES:
        raise invalid(f"strokes: expected a list of at most {MOST_STROKES} strokes", "strokes")
    size = {name: float(body[name]) for name in ("width", "height", "brush") if isinstance(body.get(name), (int, float))}
    return dn.Drawing(strokes, **size)
