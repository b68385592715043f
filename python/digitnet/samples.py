"""Samples put together: data sets with drawings behind them, and what a run says it learned from."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitnet import _core
from digitnet._core import ArgumentError, FormatError
from digitnet._files import shown

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


def with_strokes(data: _core.Dataset, files: Sequence[str]) -> _core.Dataset:
    """A data set and behind it the drawings of stroke files, as images.

    Raises:
        ArgumentError: if the images of the data set are not 28 x 28.
        FormatError: if a file has no drawings, or is damaged.
        IoError: as load_drawings.
    """
    if not files:
        return data
    if data.images.shape[1:] != (28, 28):
        shape = " x ".join(map(str, data.images.shape[1:]))
        msg = f"strokes with images of {shape}, expected images of 28 x 28"
        raise ArgumentError(msg)
    drawn = [_core.load_drawings(file, data.classes) for file in files]
    for file, drawings in zip(files, drawn):
        if len(drawings) == 0:
            msg = f"strokes: {shown(Path(file))}: no drawings, expected at least one"
            raise FormatError(msg)
    return joined([data, *drawn])


def joined(parts: Sequence[_core.Dataset]) -> _core.Dataset:
    """Data sets of images one behind the other, with the classes of the first."""
    import numpy as np  # takes longer than the rest of digitnet

    images = np.concatenate([part.images for part in parts])
    return _core.Dataset(images, np.concatenate([part.labels for part in parts]), parts[0].classes)


def from_source(source: Mapping[str, Any], where: str) -> _core.Dataset:
    """The training samples that a run's config.json says it began with.

    Args:
        source: {"name": data set, "directory": data directory or None, "strokes": files}.
        where: who asks, for the message.

    Raises:
        ArgumentError: if it does not say where they come from.
        IoError, FormatError: as load_mnist and load_drawings.
    """
    name, directory, strokes = (source.get(key) for key in ("name", "directory", "strokes"))
    if (
        not isinstance(name, str)
        or not isinstance(directory, str | None)
        or not isinstance(strokes or [], list)
        or not all(isinstance(file, str) for file in strokes or [])
    ):
        msg = f"{where}: its config.json does not say where the samples come from, expected them as data"
        raise ArgumentError(msg)
    return with_strokes(_core.load_mnist(directory, name).train, strokes or [])
