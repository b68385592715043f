"""Where a run is: its folder among those of the runs folder, and the id by which an address names it."""

from __future__ import annotations

import contextlib
import hashlib
import os
from typing import TYPE_CHECKING

import digitnet as dn
from digitnet.runs import printable, runs_directory
from digitnet.web.errors import ApiError, missing
from digitnet.web.forms import RUN_ID
from digitnet.web.models import QueuedRun

if TYPE_CHECKING:
    from pathlib import Path


def id_of(name: str) -> str:
    """The id of a folder: its name, or where an address could not hold that, one made from it."""
    if RUN_ID.fullmatch(name):
        return name
    return f"other-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"


def gone(run_id: str) -> ApiError:
    """There is no such run, or no longer; pages show these words."""
    return missing(f"There is no training '{printable(run_id)[:40]}' any more.")


def directory_of(run_id: str) -> Path:
    """The folder of an id, which need not be there. Ids are never paths.

    Raises:
        ApiError: 404 if it is no id.
    """
    folder = runs_directory()
    if not RUN_ID.fullmatch(run_id):
        raise gone(run_id)
    path = folder / run_id
    if run_id.startswith("other-") and not path.is_dir():
        with contextlib.suppress(OSError):
            for each in folder.iterdir():
                if id_of(each.name) == run_id:
                    return each
    return path


def exists(run_id: str) -> bool:
    """Whether there is a run of this id, begun or waiting."""
    try:
        return has_begun(run_id) or QueuedRun.objects.filter(run_id=run_id).exists()
    except ApiError:
        return False


def has_begun(run_id: str) -> bool:
    """Whether there is a folder of this id that is a run.

    Raises:
        ApiError: 404 if it is no id.
    """
    return _has_config(directory_of(run_id))


def _has_config(directory: Path) -> bool:
    return os.path.lexists(directory / "config.json")


def find(run_id: str) -> dn.Run:
    """The run of an id.

    Raises:
        ApiError: 404 if there is none that has begun.
    """
    try:
        return dn.Run(directory_of(run_id))
    except dn.IoError:
        raise gone(run_id) from None


def newest_names(most: int) -> list[str]:
    """The names of the folders that are runs; of more than `most`, those begun last."""
    folder = runs_directory()
    try:
        names = [
            each.name for each in folder.iterdir() if not each.name.startswith(".") and _has_config(each)
        ]
    except OSError:
        return []
    if len(names) > most:
        names.sort(key=lambda name: (stamp(folder / name / "config.json") or (0, 0, 0))[2], reverse=True)
    return names[:most]


def stamp(path: Path) -> tuple[int, int, int] | None:
    """What changes when a file does; None if it is not there."""
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
