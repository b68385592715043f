"""Models that were uploaded: checked, kept under a safe name, removed."""

from __future__ import annotations

import contextlib
import os
import re
import secrets
import threading
import time
import unicodedata
from pathlib import Path
from typing import TYPE_CHECKING

from django.conf import settings

import digitnet as dn
from digitnet.web.errors import ApiError, invalid
from digitnet.web.services import models

if TYPE_CHECKING:
    from collections.abc import Iterable

    from django.core.files.uploadedfile import UploadedFile

MOST_MODELS = 200
SUFFIX = ".safetensors"
_LONGEST_NAME = 48
_STALE = 3600  # seconds after which an unfinished upload is nobody's
_turns = threading.BoundedSemaphore(2)  # models that are checked at a time: each takes memory


def most_bytes() -> int:
    """The largest model file that is taken."""
    return int(getattr(settings, "MODEL_UPLOAD_MAX_SIZE", 64_000_000))


def safe_name(given: str) -> str:
    """A name for a file and an id, whatever a client calls its file: letters, digits, '-', '_' and '.'."""
    stem = re.split(r"[/\\]", given)[-1]
    stem = stem[: -len(SUFFIX)] if stem.lower().endswith(SUFFIX) else stem
    plain = unicodedata.normalize("NFKD", stem).encode("ascii", "ignore").decode()
    name = re.sub(r"\.{2,}", ".", re.sub(r"[^A-Za-z0-9_.-]+", "-", plain)).strip("._-")
    return name[:_LONGEST_NAME].rstrip("._-") or "model"


def add(file: UploadedFile[bytes]) -> models.Model:
    """Take a model: written aside, loaded by the library with all its checks, then given its name.

    Raises:
        ApiError: 422 if it is no model that reads digits, 413 too large, 409 too many, 503 not now.
    """
    given = str(file.name or "model")[:100]
    if file.size is None or file.size > most_bytes():
        raise ApiError(
            413, "too_large", f"{given}: {file.size} bytes, expected at most {most_bytes()}", field="file"
        )
    if not _turns.acquire(blocking=False):
        raise ApiError(503, "busy", "two models are being checked already; try again soon", retry_after=2)
    try:
        return _add(given, file.chunks())
    finally:
        _turns.release()


def _add(given: str, chunks: Iterable[bytes]) -> models.Model:
    folder = models.uploads()
    _clean(folder)
    if sum(1 for _ in folder.glob(f"*{SUFFIX}")) >= MOST_MODELS:
        raise ApiError(409, "too_many", f"there are {MOST_MODELS} uploaded models already; remove one first")
    part = folder / f".upload-{secrets.token_hex(8)}.part"
    try:
        with part.open("xb") as stream:
            for chunk in chunks:
                stream.write(chunk)
            stream.flush()
            os.fsync(stream.fileno())
        try:
            dn.Recognizer(part)
        except dn.Error as error:
            raise invalid(_in_its_words(str(error), part, given), "file") from None
        return _name(part, folder, safe_name(given))
    finally:
        with contextlib.suppress(OSError):
            part.unlink()


def _in_its_words(message: str, part: Path, given: str) -> str:
    """What the library says, with the name by which the client knows the file."""
    return message.replace(str(part), given).removeprefix("load_network: ").removeprefix("Recognizer: ")


def _name(part: Path, folder: Path, name: str) -> models.Model:
    """Gives a file its name, or the next free one: name, name-2, name-3. Two at once never get the same."""
    for number in range(1, MOST_MODELS + 2):
        free = name if number == 1 else f"{name}-{number}"
        try:
            (folder / f"{free}{SUFFIX}").hardlink_to(part)
        except FileExistsError:
            continue
        models.forget()  # a model of this name may have been here a moment ago
        return models.find(f"upload-{free}")
    raise ApiError(409, "too_many", f"there are {MOST_MODELS} models called {name} already; remove one first")


def _clean(folder: Path) -> None:
    """What a server that was killed left half written."""
    for part in folder.glob(".upload-*.part"):
        with contextlib.suppress(OSError):
            if time.time() - part.stat().st_mtime > _STALE:
                part.unlink()


def remove(model_id: str) -> None:
    """Remove an uploaded model. If it is the one in use, the default one is from now on.

    Raises:
        ApiError: 404 if there is none, 409 if it was not uploaded.
    """
    model = models.find(model_id)
    if model.kind != "upload":
        raise ApiError(
            409, "not_uploaded", f"model: '{model.id}' was not uploaded; only uploaded ones can be removed"
        )
    if models.active_id() == model.id:
        models.use(models.DEFAULT)
    with contextlib.suppress(FileNotFoundError):
        model.path.unlink()
    models.forget()
