"""The models that there are, and the one in use: who asks for a network or a recognizer gets it here."""

from __future__ import annotations

import asyncio
import re
import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING

from django.db import close_old_connections

import digitnet as dn
from digitnet.web.errors import ApiError, missing
from digitnet.web.models import Setting
from digitnet.web.state import state_folder

if TYPE_CHECKING:
    from pathlib import Path

DEFAULT = "default"
"""The model of --model, of DIGITNET_MODEL, or the one that ships."""

_ID = re.compile(r"default|(?:upload|run)-[A-Za-z0-9][A-Za-z0-9_.-]{0,63}")
_KEPT = 8  # recognizers that are kept in memory


@dataclass(frozen=True)
class Model:
    """A model file under the name by which pages and API know it."""

    id: str
    """default, upload-<name> or run-<run id>, the best checkpoint of a run. Never a path."""
    path: Path

    @property
    def kind(self) -> str:
        """default, upload or run."""
        return self.id.partition("-")[0]


def uploads() -> Path:
    """The folder of uploaded models; made if it is not there."""
    folder = state_folder() / "models"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def find(model_id: str | None = None) -> Model:
    """The model of an id; None takes the one in use.

    Raises:
        ApiError: 404 if there is none.
    """
    wanted = active_id() if model_id is None else model_id
    if not isinstance(wanted, str) or not _ID.fullmatch(wanted) or ".." in wanted:
        raise gone(wanted)
    path = _path(wanted)
    if path is None or not path.is_file():
        raise gone(wanted)
    return Model(wanted, path)


def gone(model_id: object) -> ApiError:
    """There is no such model, or no longer; pages show these words."""
    return missing(f"There is no model '{str(model_id)[:40]}' any more; choose another.")


def _path(model_id: str) -> Path | None:
    if model_id == DEFAULT:
        return dn.shipped_model()
    kind, _, name = model_id.partition("-")
    if kind == "upload":
        return uploads() / f"{name}.safetensors"
    run = dn.runs.runs_directory() / name
    try:
        best = dn.Run(run).best
    except dn.Error:
        return None
    return None if best is None else best.model


def active_id() -> str:
    """The id of the model in use; the default one if the one chosen is gone."""
    chosen = Setting.read("model", DEFAULT)
    if isinstance(chosen, str) and _ID.fullmatch(chosen):
        path = _path(chosen)
        if path is not None and path.is_file():
            return chosen
    return DEFAULT


def use(model_id: str) -> Model:
    """Make a model the one in use, for everyone.

    Raises:
        ApiError: 404 if there is none, 422 if it does not read digits.
    """
    model = find(model_id)
    recognizer(model.id)
    Setting.write("model", model.id)
    forget()
    return model


# Recognizers by id and by what the file was when it was read. One lock: loading takes milliseconds.
_lock = threading.Lock()
_recognizers: OrderedDict[tuple[str, int, int], dn.Recognizer] = OrderedDict()


def recognizer(model_id: str | None = None) -> dn.Recognizer:
    """The recognizer of a model, kept in memory. Safe from many threads.

    Raises:
        ApiError: 404 if there is no such model, 422 if it does not read digits.
    """
    model = find(model_id)
    try:
        status = model.path.stat()
    except OSError:
        raise gone(model.id) from None
    key = (str(model.path), status.st_mtime_ns, status.st_size)
    with _lock:
        if key not in _recognizers:
            try:
                _recognizers[key] = dn.Recognizer(model.path)
            except dn.Error as error:
                raise ApiError(422, "invalid_model", str(error), field="model") from None
            while len(_recognizers) > _KEPT:
                _recognizers.popitem(last=False)
        _recognizers.move_to_end(key)
        return _recognizers[key]


def network(model_id: str | None = None) -> dn.Network:
    """The network of a model: a copy, so who gets it may change it.

    Raises:
        ApiError: as recognizer.
    """
    return recognizer(model_id).network


# What recognizer() gave last, by id, until when that is believed, and who is looking. Used by the event loop
# alone, but for forget. A model that another process chose is in use here when BELIEVED seconds are over.
BELIEVED = 1.0
_found: OrderedDict[str | None, tuple[dn.Recognizer, float]] = OrderedDict()
_looking: dict[str | None, asyncio.Future[dn.Recognizer]] = {}
_choices = 0  # how often forget was called


async def recognizer_soon(model_id: str | None = None) -> dn.Recognizer:
    """The same for the event loop, as often as one likes: database and disk are asked once a second.

    Raises:
        ApiError: as recognizer.
    """
    kept = _found.get(model_id)
    if kept is not None and time.monotonic() < kept[1]:
        return kept[0]
    looking = _looking.get(model_id)
    if looking is None or looking.done() or looking.get_loop() is not asyncio.get_running_loop():
        looking = _looking[model_id] = asyncio.ensure_future(_look(model_id))
    return await asyncio.shield(looking)


async def _look(model_id: str | None) -> dn.Recognizer:
    def found() -> dn.Recognizer:
        close_old_connections()  # of this thread of the pool, which no request ends for
        return recognizer(model_id)

    choices = _choices
    try:
        read = await asyncio.to_thread(found)
    finally:
        _looking.pop(model_id, None)
    if choices == _choices:  # else somebody chose another meanwhile
        _found[model_id] = (read, time.monotonic() + BELIEVED)
        while len(_found) > _KEPT:
            _found.popitem(last=False)
    return read


def forget() -> None:
    """Another model was chosen, or a file changed: recognizer_soon looks again."""
    global _choices
    _choices += 1
    _found.clear()
