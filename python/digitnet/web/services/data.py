"""The data sets that there are, read once and kept."""

from __future__ import annotations

import base64
import functools
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from django.db.models import Count, Max

import digitnet as dn
from digitnet.web.errors import ApiError, invalid, missing
from digitnet.web.models import PersonalDigit

if TYPE_CHECKING:
    from collections.abc import Callable

    from numpy.typing import NDArray

NAMES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
"""By name, as `digitnet fetch` knows them. The personal set is apart: it is in the database and changes."""

PERSONAL = "personal"
DIGITS = [str(digit) for digit in range(10)]
CLOTHES = [
    "T-shirt",
    "Trousers",
    "Pullover",
    "Dress",
    "Coat",
    "Sandal",
    "Shirt",
    "Sneaker",
    "Bag",
    "Ankle boot",
]
PIXELS = 784  # of an image


def load(name: str = "mnist") -> dn.Mnist:
    """A data set, kept in memory once it was read.

    Raises:
        ApiError: 422 if the name is unknown, 409 if its files are not on this machine, or broken.
    """
    if name not in NAMES:
        raise invalid(f"dataset: '{name[:40]}', expected one of {', '.join(NAMES)}", "dataset")
    try:
        return _load(name)
    except dn.IoError as error:
        message = f"{NAMES[name]} is not on this machine; get it with: digitnet fetch {name}"
        if " found in " not in str(error):  # it is there and cannot be read
            message += f" ({error})"
        raise ApiError(409, "no_data", message, field="dataset") from None
    except dn.Error as error:
        raise ApiError(409, "no_data", str(error), field="dataset") from None


_load: Callable[[str], dn.Mnist] = functools.lru_cache(maxsize=4)(lambda name: dn.load_mnist(None, name))


def available() -> list[str]:
    """The names of the data sets whose files are on this machine."""
    found = []
    for name in NAMES:
        try:
            load(name)
        except ApiError:
            continue
        found.append(name)
    return found


# ---------------------------------------------------------------- one part of one set


@dataclass(frozen=True, eq=False)
class Part:
    """Images and labels that are looked at together."""

    name: str
    """Of the set: mnist, fashion-mnist or personal."""
    part: str
    """test or train; all of the personal set."""
    samples: dn.Dataset
    fingerprint: str
    """SHA-256 of images and labels, 64 hexadecimal digits: other contents, another fingerprint."""

    @functools.cached_property
    def images(self) -> NDArray[np.uint8]:
        """uint8 (n, 28, 28)."""
        return self.samples.images

    @functools.cached_property
    def labels(self) -> NDArray[np.uint8]:
        """uint8 (n,)."""
        return self.samples.labels

    def image(self, index: int) -> NDArray[np.uint8]:
        """One image, uint8 (28, 28).

        Raises:
            ApiError: 404 if there is none of this number.
        """
        if not 0 <= index < len(self.labels):
            raise missing(f"image {index} of {self.name}/{self.part}, expected 0 to {len(self.labels) - 1}")
        image: NDArray[np.uint8] = self.images[index]
        return image


def part(name: str, part: str) -> Part:
    """The part of a set. Reads files on the first call, the database for the personal set.

    Raises:
        ApiError: 404 if there is none of this name, 409 if its files are not on this machine, or it is empty.
    """
    if name == PERSONAL and part == "all":
        return _personal()
    if name not in NAMES or part not in ("test", "train"):
        known = ", ".join(f"{each}/test, {each}/train" for each in NAMES)
        raise missing(f"data: '{name[:40]}/{part[:40]}', expected one of {known}, {PERSONAL}/all")
    load(name)  # says what is wrong where it is not there
    return _part(name, part)


@functools.lru_cache(maxsize=8)
def _part(name: str, part: str) -> Part:
    both = load(name)
    samples = both.test if part == "test" else both.train
    if samples.shape != (28, 28):
        message = f"{NAMES[name]}: images of {samples.shape[0]} x {samples.shape[1]} pixels, expected 28 x 28"
        raise ApiError(409, "no_data", message, field="dataset")
    return Part(name, part, samples, samples.fingerprint())


_lock = threading.Lock()
_personal_parts: dict[
    tuple[int, int], Part
] = {}  # the last one alone, by how many digits there are and the newest


def _personal() -> Part:
    found = PersonalDigit.objects.aggregate(count=Count("id"), newest=Max("id"))
    state = (found["count"], found["newest"] or 0)
    with _lock:
        if state in _personal_parts:
            return _personal_parts[state]
    rows = [
        row
        for row in PersonalDigit.objects.values_list("image", "digit")
        if len(row[0]) == PIXELS and row[1] < 10
    ]
    if not rows:
        message = "The personal set is empty. Draw a digit and say which it was: it is kept here."
        raise ApiError(409, "no_data", message, field="dataset")
    images = np.frombuffer(b"".join(bytes(image) for image, _ in rows), np.uint8).reshape(-1, 28, 28)
    samples = dn.Dataset(images, np.array([digit for _, digit in rows], np.uint8))
    made = Part(PERSONAL, "all", samples, samples.fingerprint())
    with _lock:
        _personal_parts.clear()
        _personal_parts[state] = made
    return made


# ---------------------------------------------------------------- what is told of them


def packed(array: NDArray[Any]) -> str:
    """Numbers as base64, little-endian: a tenth of what JSON would take."""
    return base64.b64encode(np.ascontiguousarray(array).tobytes()).decode("ascii")


def classes_of(name: str) -> list[str]:
    """What the labels of a set mean."""
    return CLOTHES if name == "fashion-mnist" else DIGITS


def facts() -> list[dict[str, Any]]:
    """The sets that could be looked at, and how to get those that are not there."""
    sets: list[dict[str, Any]] = []
    for name, title in NAMES.items():
        entry: dict[str, Any] = {
            "id": name,
            "name": title,
            "classes": classes_of(name),
            "parts": {},
            "missing": None,
        }
        try:
            both = load(name)
        except ApiError as error:
            entry["missing"] = error.message
        else:
            entry["parts"] = {"test": len(both.test), "train": len(both.train)}
        sets.append(entry)
    own = PersonalDigit.objects.count()
    empty = None if own else "Draw a digit and say which it was: it is kept here."
    parts = {"all": own} if own else {}
    sets.append(
        {"id": PERSONAL, "name": "Your own digits", "classes": DIGITS, "parts": parts, "missing": empty}
    )
    return sets


def describe(chosen: Part) -> dict[str, Any]:
    """A part as the page needs it before anything was predicted."""
    return {
        "dataset": chosen.name,
        "part": chosen.part,
        "samples": len(chosen.labels),
        "fingerprint": chosen.fingerprint,
        "classes": classes_of(chosen.name),
        "class_counts": np.bincount(chosen.labels, minlength=10).tolist(),
        "labels": packed(chosen.labels),
        "sheet": SHEET,
    }


@functools.lru_cache(maxsize=16)
def averages(chosen: Part) -> dict[str, Any]:
    """The mean image of each class: {"averages": base64 of uint8 (10, 784), "class_counts"}."""
    images = chosen.images.reshape(-1, PIXELS)
    means = np.zeros((10, PIXELS))
    for label in range(10):
        members = images[chosen.labels == label]
        if len(members):
            means[label] = members.mean(axis=0)
    return {
        "averages": packed(np.rint(means).astype(np.uint8)),
        "class_counts": np.bincount(chosen.labels, minlength=10).tolist(),
    }


SHEET = 500  # images in a sprite sheet


def sheet(chosen: Part, number: int) -> NDArray[np.uint8]:
    """A sprite sheet: the images of a part from number * SHEET on, uint8 (up to SHEET, 28, 28).

    Raises:
        ApiError: 404 if there is none of this number.
    """
    last = (len(chosen.labels) - 1) // SHEET
    if not 0 <= number <= last:
        raise missing(f"sheet {number} of {chosen.name}/{chosen.part}, expected 0 to {last}")
    images: NDArray[np.uint8] = chosen.images[number * SHEET : (number + 1) * SHEET]
    return images
