"""Trainings that were asked for: one at a time, the others wait.

What waits is in the database. What is at work or over is in its run directory and in no other place.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import shutil
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, close_old_connections, transaction

from digitnet.web import forms
from digitnet.web.errors import ApiError
from digitnet.web.models import QueuedRun
from digitnet.web.services import data, personal, run_folders, runs, worker
from digitnet.web.services.worker import Slot, Work
from digitnet.web.state import state_folder

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

MOST_QUEUED = 50
PAUSE = 1.0  # seconds from one look at the queue to the next
_MOST_CHECKPOINTS, _MOST_BYTES = 50, 500_000_000  # that a run of ours may leave on the disk
_BYTES_A_PARAMETER = 12  # weights, and two numbers of the optimizer for each

_log = logging.getLogger(__name__)
_loops: dict[asyncio.AbstractEventLoop, asyncio.Task[None]] = {}


# ---------------------------------------------------------------- asking for one


def add(settings: dict[str, Any]) -> str:
    """Put a training into the queue, and start it if nothing is at work.

    Args:
        settings: as forms.read_run gives them.

    Returns:
        The id of the run.

    Raises:
        ApiError: 409 if the data are not here, 422 if the name is taken, 503 if the queue is full.
    """
    if settings["dataset"] in data.NAMES:
        data.load(settings["dataset"])  # says what is missing, now and not in a log
    if QueuedRun.objects.count() >= MOST_QUEUED:
        message = f"{MOST_QUEUED} trainings wait already, expected fewer; try again when one is done"
        raise ApiError(503, "queue_full", message, retry_after=30)
    with transaction.atomic():  # nobody starts it before its data are there
        row = _named(settings)
        if settings["dataset"] == data.PERSONAL:
            _write_personal(row.run_id)
    pump()
    return row.run_id


def _named(settings: dict[str, Any]) -> QueuedRun:
    """A row under the name that was asked for, else under one made from the settings and a number."""
    name = settings["name"]
    layers = "x".join(map(str, settings["layers"])) or "linear"
    number = 0
    while True:
        number += 1
        run_id = name or f"{settings['dataset']}-{layers}-{number}"
        if not _is_taken(run_id):
            worker.log_path(run_id).unlink(missing_ok=True)  # of one that was removed by hand
            try:
                with transaction.atomic():
                    return QueuedRun.objects.create(run_id=run_id, settings=settings)
            except IntegrityError:
                pass
        if name:
            raise forms.FormError({"name": f"name: there is a run '{name}' already, expected another name"})


def _is_taken(run_id: str) -> bool:
    return run_folders.directory_of(run_id).exists() or QueuedRun.objects.filter(run_id=run_id).exists()


def data_folder(run_id: str) -> Path:
    """Where the personal set is as it was when the run was asked for, so that it can be gone on with."""
    return state_folder() / "data" / run_id


def _write_personal(run_id: str) -> None:
    folder = data_folder(run_id)
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    try:
        personal.write(folder)
    except ApiError as error:
        error.field = "dataset"
        raise
    finally:
        if not any(folder.iterdir()):
            folder.rmdir()


# ---------------------------------------------------------------- keeping it going


def waiting() -> list[QueuedRun]:
    """Those that wait, the next one first. Rows of runs that have begun meanwhile are removed."""
    left = []
    for row in QueuedRun.objects.all():
        if row.settings.get("resume"):
            left.append(row)
        elif run_folders.has_begun(row.run_id):
            row.delete()
        elif not worker.log_path(row.run_id).exists():  # else it is being started, or could not be
            left.append(row)
    return left


def pump() -> None:
    """Start the next training if none is at work. Any number of servers may do so at any time."""
    if not waiting():
        return
    slot = Slot.take()
    if slot is None:
        return
    try:
        for row in waiting()[:1]:  # as it is now that nobody else can start one
            _start(slot, row)
    finally:
        slot.leave()


def _start(slot: Slot, row: QueuedRun) -> None:
    directory = run_folders.directory_of(row.run_id).absolute()
    after = 0
    if row.settings.get("resume"):
        with contextlib.suppress(ApiError):
            after = runs.summary(row.run_id).get("seq", 0)
        words = ["resume", str(directory)]
        row.delete()
    else:
        try:
            directory.mkdir(parents=True, exist_ok=True)
        except OSError as error:  # told as its last words
            worker.log_path(row.run_id).write_text(
                f"digitnet: {directory}: cannot be made: {error.strerror}\n"
            )
            return
        words = ["train", "--run", str(directory), *train_words(row.run_id, row.settings)]
    slot.start(Work(row.run_id, after), [*words, "--output", str(directory / "model.safetensors")])


def train_words(run_id: str, settings: dict[str, Any]) -> list[str]:
    """The options of `digitnet train` that the settings of a form mean."""
    words = ["--name", settings["dataset"], "--hidden", ",".join(map(str, settings["layers"])) or "none"]
    if settings["dataset"] == data.PERSONAL:
        words += ["--data", str(data_folder(run_id))]
    flags = {"augmentation": "augment"}
    for name, value in settings.items():
        if name in ("name", "dataset", "layers", "checkpoint_every") or value is None or value is False:
            continue
        flag = "--" + flags.get(name, name).replace("_", "-")
        words += [flag] if value is True else [flag, str(value)]
    # So many checkpoints that the whole training can be looked at, and the disk bears it.
    size = forms.parameters(settings["layers"]) * _BYTES_A_PARAMETER
    kept = max(5, min(_MOST_CHECKPOINTS, _MOST_BYTES // size))
    every = settings["checkpoint_every"] or -(-settings["epochs"] // kept)
    return [*words, "--checkpoint-every", str(every), "--keep-checkpoints", str(kept)]


# ---------------------------------------------------------------- without anyone looking


async def in_thread(call: Callable[..., Any], *arguments: Any) -> Any:  # noqa: ANN401
    """What takes longer than a moment, in a thread; its connection to the database is not kept for ever."""

    def work() -> Any:  # noqa: ANN401
        close_old_connections()
        try:
            return call(*arguments)
        finally:
            close_old_connections()

    return await asyncio.to_thread(work)


async def keep_going(**_signal: object) -> None:
    """Called with each request: from the first one on the queue is looked after while the server runs."""
    loop = asyncio.get_running_loop()
    task = _loops.get(loop)
    if task is None or task.done():
        for old in [each for each in _loops if each.is_closed()]:
            del _loops[old]
        _loops[loop] = loop.create_task(_look_after())


async def _look_after() -> None:
    while True:
        try:
            await in_thread(pump)
        except Exception as error:  # such as a database that is away: tried again
            _log.warning("the queue waits: %s", error)
        await asyncio.sleep(PAUSE)
