"""The personal set: drawings whose digit somebody told, kept in the database and given as MNIST is."""

from __future__ import annotations

import io
import tempfile
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import Count

import digitnet as dn
from digitnet.web.errors import ApiError, invalid, missing
from digitnet.web.models import PersonalDigit
from digitnet.web.services import recognition

if TYPE_CHECKING:
    from numpy.typing import NDArray

NAME = "personal"
MOST = 20_000
"""Drawings that are kept."""
MOST_POINTS_KEPT = 2000
"""A drawing of more points is kept as its image alone."""
LARGEST_PAGE = 200
LEAST_TO_TRAIN = 10
TEST_SHARE = 6
"""Each sixth goes into the test half."""
LARGEST_ID = 2**63 - 1


def add(body: dict[str, Any]) -> dict[str, Any]:
    """Keep a drawing with its digit: {"digit", "strokes" or "image", ...}, as POST /api/recognize takes it.

    Raises:
        ApiError: 422 if it is no digit or no drawing, 409 if the set is full.
    """
    digit = recognition.digit_of(body, "digit")
    drawing = recognition.drawing_of(body)
    image = dn.to_mnist_image(drawing)
    if not image.any():
        raise invalid(
            "strokes, image: no ink, expected a drawing", "strokes" if "strokes" in body else "image"
        )
    if PersonalDigit.objects.count() >= MOST:
        raise ApiError(409, "full", f"the personal set has {MOST} digits, expected fewer; delete some first")
    kept = PersonalDigit.objects.create(digit=digit, image=image.tobytes(), drawing=_strokes(body))
    return {**_told(kept), **totals()}


def _strokes(body: dict[str, Any]) -> dict[str, Any] | None:
    """What is kept of the strokes, to two decimals; None if there are none, or too many."""
    strokes = body.get("strokes")
    if strokes is None or sum(map(len, strokes)) > MOST_POINTS_KEPT:
        return None
    rounded = [[[round(x, 2), round(y, 2)] for x, y in stroke] for stroke in strokes]
    return {"strokes": rounded, **{name: body[name] for name in ("width", "height", "brush") if name in body}}


def listed(before: int | None, limit: int) -> dict[str, Any]:
    """The newest drawings, of them those with an id below `before`; and how many there are of each digit."""
    found = PersonalDigit.objects.defer("drawing").order_by("-id")
    if before is not None:
        found = found.filter(id__lt=before)
    return {"most": MOST, **totals(), "digits": [_told(each) for each in found[:limit]]}


def totals() -> dict[str, Any]:
    """How many there are, in all and of each digit: {"count", "counts"}."""
    found = dict(PersonalDigit.objects.order_by().values_list("digit").annotate(Count("id")))
    counts = [found.get(digit, 0) for digit in range(10)]
    return {"count": sum(counts), "counts": counts}


def remove(digit_id: int) -> None:
    """Delete a drawing.

    Raises:
        ApiError: 404 if there is none.
    """
    if digit_id > LARGEST_ID or not PersonalDigit.objects.filter(id=digit_id).delete()[0]:
        raise missing(f"personal: there is no drawing {digit_id}")


def remove_all() -> int:
    """Delete all drawings. Returns how many there were."""
    return PersonalDigit.objects.all().delete()[0]


def _told(kept: PersonalDigit) -> dict[str, Any]:
    when = kept.created.isoformat(timespec="seconds")
    return {"id": kept.pk, "digit": kept.digit, "image": list(bytes(kept.image)), "created": when}


# ---------------------------------------------------------------- as a data set


def dataset() -> dn.Dataset:
    """The set as it is now, oldest first.

    Raises:
        ApiError: 409 if it is empty.
    """
    images, labels = _arrays("id")
    if not len(labels):
        raise _too_few(0, 1)
    return dn.Dataset(images, labels, 10)


def write(folder: Path) -> None:
    """Write folder/personal with the four files of MNIST, so that load_mnist(folder, "personal") reads them.

    Sorted by digit, each sixth drawing is in the test half: the same ones each time.

    Raises:
        ApiError: 409 if there are too few to train on.
    """
    images, labels = _arrays("digit", "id")
    if len(labels) < LEAST_TO_TRAIN:
        raise _too_few(len(labels), LEAST_TO_TRAIN)
    is_test = np.arange(len(labels)) % TEST_SHARE == TEST_SHARE - 1
    place = folder / NAME
    place.mkdir(parents=True, exist_ok=True)
    for half, chosen in (("train", ~is_test), ("t10k", is_test)):
        dn.write_idx(place / f"{half}-images-idx3-ubyte", images[chosen])
        dn.write_idx(place / f"{half}-labels-idx1-ubyte", labels[chosen])


def idx(kind: str) -> bytes:
    """All images (n, 28, 28) or all labels (n) as an IDX file, oldest first: "images" or "labels".

    Raises:
        ApiError: 409 if there are none.
    """
    data = dataset()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / kind
        dn.write_idx(path, data.images if kind == "images" else data.labels)
        return path.read_bytes()


def archive() -> bytes:
    """The folder that `write` makes, as a zip file.

    Raises:
        ApiError: as write.
    """
    packed = io.BytesIO()
    with tempfile.TemporaryDirectory() as folder:
        write(Path(folder))
        with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
            for path in sorted((Path(folder) / NAME).iterdir()):
                archive.write(path, f"{NAME}/{path.name}")
    return packed.getvalue()


def _arrays(*order: str) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    found = list(PersonalDigit.objects.order_by(*order).values_list("image", "digit"))
    images = np.frombuffer(b"".join(bytes(image) for image, _ in found), dtype=np.uint8)
    return images.reshape(-1, 28, 28), np.array([digit for _, digit in found], dtype=np.uint8)


def _too_few(found: int, least: int) -> ApiError:
    message = (
        f"the personal set has {found} digits, expected at least {least}; draw some and say what they are"
    )
    return ApiError(409, "no_data", message, field="dataset")
