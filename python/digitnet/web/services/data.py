"""The data sets that there are, read once and kept."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

import digitnet as dn
from digitnet.web.errors import ApiError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable

NAMES = {"mnist": "MNIST", "fashion-mnist": "Fashion-MNIST"}
"""By name, as `digitnet fetch` knows them. The personal set is apart: it is in the database and changes."""


def load(name: str = "mnist") -> dn.Mnist:
    """A data set, kept in memory once it was read.

    Raises:
        ApiError: 422 if the name is unknown, 409 if its files are not on this machine.
    """
    if name not in NAMES:
        raise invalid(f"dataset: '{name[:40]}', expected one of {', '.join(NAMES)}", "dataset")
    try:
        return _load(name)
    except dn.IoError as error:
        hint = f"{NAMES[name]} is not on this machine; get it with: digitnet fetch {name}"
        raise ApiError(409, "no_data", f"{hint} ({error})", field="dataset") from None


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
