"""Why a drawing was read as it was: everything that `explain.hpp` can say of it, in one answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np

from digitnet import _core
from digitnet._core import ArgumentError, ShapeError
from digitnet._png import write_png

if TYPE_CHECKING:
    import os

    from numpy.typing import NDArray

    from digitnet._core import Dataset, InkContributions, Neighbor, Network, RankedDigit, Turned


@dataclass(frozen=True)
class Explanation:
    """Why an image was read as a digit. Made by `explain`."""

    image: NDArray[np.uint8]
    """(28, 28): what the network saw."""

    ranking: list[RankedDigit]
    """The three likeliest digits, with their margins."""

    contributions: InkContributions
    """Which ink spoke for the first of them, and which for the second."""

    nearest: list[Neighbor]
    """The nearest images of the data, pixel by pixel; empty if none were given."""

    alike: list[Neighbor]
    """Those that look most alike to the network: nearest in its last hidden layer."""

    turned: Turned
    """A small change that turns the reading into `wanted`."""

    wanted: int
    """The digit to turn it into: the second of the ranking unless another was asked for."""

    neighbors: NDArray[np.uint8]
    """(n, 28, 28): the images of nearest, then of alike."""

    @property
    def digit(self) -> int:
        """The likeliest digit."""
        return self.ranking[0].digit

    def text(self) -> str:
        """The explanation in a few lines."""
        first, second = self.ranking[:2]
        ink = self.contributions.ink
        turned = self.turned
        lines = [
            f"read as {first.digit}: "
            + ", ".join(
                f"{each.digit} {each.probability:.4f} (margin {each.logit_margin:+.2f})"
                for each in self.ranking
            ),
            f"ink for {first.digit} rather than {second.digit}: {ink[ink > 0].sum():+.2f}, "
            f"against: {ink[ink < 0].sum():+.2f}, without ink: {self.contributions.rest:+.2f}",
        ]
        for name, found in (("nearest images", self.nearest), ("alike to the network", self.alike)):
            if found:
                shown = ", ".join(f"{each.label} (#{each.sample}, {each.distance:.2f})" for each in found)
                lines.append(f"{name}: {shown}")
        how = "make it" if turned.succeeded else "could not make it"
        lines.append(
            f"{how} a {self.wanted}: add {turned.added:.1f} and erase {turned.erased:.1f} pixels of ink "
            f"(distance {turned.distance:.2f}); then {self.wanted} has {turned.probability:.4f}"
        )
        return "\n".join(lines)

    def picture(self, scale: int = 6) -> NDArray[np.uint8]:
        """The explanation as a picture, uint8 (height, width, 3).

        Above, from the left: the image; its ink, green where it spoke for the first digit and red where for
        the second; the change to make (green to add, red to erase); the changed image. Below, if there are
        any: a row of the nearest images, and one of those alike to the network.

        Args:
            scale: pixels of the picture for each of an image, at least 1.

        Raises:
            ArgumentError: if scale is below 1.
        """
        if scale < 1:
            msg = f"Explanation.picture: scale is {scale}, expected at least 1"
            raise ArgumentError(msg)
        ink = self.contributions.ink
        panels = [
            _grey(self.image),
            _signed(ink / max(float(np.abs(ink).max()), 1e-12), self.image),
            _signed(self.turned.change, self.image),
            _grey(self.turned.image),
        ]
        found = [_grey(image) for image in self.neighbors]
        near, alike = found[: len(self.nearest)], found[len(self.nearest) :]
        rows = [row for row in (panels, near, alike) if row]
        widest = max(map(len, rows))
        blank = np.zeros((28, 28, 3), dtype=np.uint8)
        tiled = [
            np.concatenate([_framed(p) for p in row + [blank] * (widest - len(row))], axis=1) for row in rows
        ]
        whole = np.concatenate(tiled, axis=0)
        return whole.repeat(scale, axis=0).repeat(scale, axis=1)

    def save(self, path: str | os.PathLike[str], scale: int = 6) -> None:
        """Write `picture` as a PNG file.

        Args:
            path: the file to write.
            scale: as for picture.

        Raises:
            ArgumentError: as picture.
            OSError: if the file cannot be written.
        """
        write_png(path, self.picture(scale))


def explain(
    model: Any,  # noqa: ANN401 (whatever has a network)
    image: NDArray[np.uint8],
    *,
    wanted: int | None = None,
    data: Dataset | None = None,
    features: Dataset | None = None,
    count: int = 5,
) -> Explanation:
    """Say why an image is read as it is, and what would change that.

    Args:
        model: a Network of 28 x 28 inputs and at least three outputs with probabilities, or what has one as
            `network`.
        image: uint8 (28, 28), as `to_mnist_image` makes it.
        wanted: the digit to turn the reading into; None takes the second likeliest.
        data: images to look for near ones in, such as the training set; None looks for none.
        features: `hidden_features` of these images, if they are there already: for 60,000 they take a while.
        count: how many near images of both kinds.

    Raises:
        ShapeError: if the image is not uint8 (28, 28), or the network does not take such images.
        ArgumentError: if wanted is out of range, the network gives no probabilities or has less than three
            outputs, or data are not bytes.
    """
    network = cast("Network", getattr(model, "network", model))
    picture = np.asarray(image)
    if picture.shape != (28, 28) or picture.dtype != np.uint8:
        msg = f"explain: image of dtype {picture.dtype} and shape {picture.shape}, expected uint8 (28, 28)"
        raise ShapeError(msg)
    ranking = _core.likeliest_digits(network, picture, 3)
    goal = ranking[1].digit if wanted is None else wanted
    nearest = _core.nearest_samples(picture, data, count) if data is not None else []
    alike: list[Neighbor] = []
    if data is not None and len(network.layers) > 1:
        if features is None:
            features = _core.hidden_features(network, data)
        own = _core.hidden_features(network, picture[None])
        alike = _core.nearest_samples(own.images[0], features, count)
    found = [each.sample for each in nearest + alike]
    neighbors = np.zeros((0, 28, 28), dtype=np.uint8)
    if data is not None and found:
        neighbors = data.subset(found).images
    return Explanation(
        image=picture.copy(),
        ranking=ranking,
        contributions=_core.ink_contributions(network, picture, ranking[0].digit, ranking[1].digit),
        nearest=nearest,
        alike=alike,
        turned=_core.turned_into(network, picture, goal),
        wanted=goal,
        neighbors=neighbors,
    )


def _grey(image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.repeat(image[:, :, None], 3, axis=2)


def _signed(values: NDArray[np.float32], image: NDArray[np.uint8]) -> NDArray[np.uint8]:
    """Numbers in [-1, 1] over a faint image: green above 0, red below."""
    rgb = np.repeat(image[:, :, None] * 0.25, 3, axis=2)
    strength = np.sqrt(np.abs(values))[:, :, None]  # so that faint ones are seen, too
    colour = np.where(values[:, :, None] > 0, [60, 255, 90], [255, 70, 60])
    mixed: NDArray[np.uint8] = np.clip(rgb * (1 - strength) + colour * strength, 0, 255).astype(np.uint8)
    return mixed


def _framed(panel: NDArray[np.uint8]) -> NDArray[np.uint8]:
    return np.pad(panel, ((1, 1), (1, 1), (0, 0)), constant_values=90)
