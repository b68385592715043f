"""What is asked of a run by those who look at it: pause, stop, resume, another learning rate, removal."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from typing import TYPE_CHECKING, Any

from django.db import IntegrityError, transaction

import digitnet as dn
from digitnet.web.errors import ApiError
from digitnet.web.models import QueuedRun, Setting
from digitnet.web.services import queue, run_events, run_folders, runs, worker
from digitnet.web.services.queue import in_thread

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

_BEGIN, _END = 10.0, 10.0  # seconds that a start and a stop are waited for
_LOOK = 0.05  # seconds between two looks


def _refused(shown: dict[str, Any], expected: str) -> ApiError:
    return ApiError(
        409, "state", f"the run '{shown['id']}' is {shown['state'].replace('_', ' ')}, expected {expected}"
    )


async def stop(run_id: str) -> dict[str, Any]:
    """Stop a run for good; it can be resumed all the same. One that waits is taken back.

    Returns:
        {"id", "state"}: stopped, or another if it came to its end before; cancelled if it had not begun.

    Raises:
        ApiError: 404 if there is no such run, 409 if it is over.
    """
    shown = await in_thread(runs.summary, run_id)
    if shown["state"] == "queued":
        if await in_thread(_take_back, run_id):
            has_begun = await in_thread(run_folders.exists, run_id)  # if so, it waited to be gone on with
            return await _told(run_id, None if has_begun else "cancelled")
        shown = await in_thread(runs.summary, run_id)
    if shown["state"] == "paused":
        await in_thread(_note, run_id, None)
        return await _told(run_id)
    return await _stop(run_id, shown)


async def pause(run_id: str) -> dict[str, Any]:
    """Stop a run with a checkpoint, and keep in mind that it is to go on.

    Returns:
        {"id", "state"}: paused, or another if it came to its end before.

    Raises:
        ApiError: 404 if there is no such run, 409 if it is not at work.
    """
    shown = await in_thread(runs.summary, run_id)
    return await _stop(run_id, shown, before=lambda now: _note(run_id, now["start_seq"]))


async def _stop(
    run_id: str, shown: dict[str, Any], before: Callable[[dict[str, Any]], None] | None = None
) -> dict[str, Any]:
    if shown["state"] not in runs.AT_WORK:
        raise _refused(shown, "it to be at work")
    shown = await _wait(run_id, shown, _BEGIN, _has_begun)
    if not _has_begun(shown):
        raise ApiError(503, "starting", f"the run '{run_id}' has not begun yet; try again", retry_after=2)
    if shown["state"] == "running":
        if before is not None:
            await in_thread(before, shown)
        await in_thread(_ask, run_id, dn.Run.request_stop)
        await _wait(run_id, shown, _END, lambda now: now["state"] not in runs.AT_WORK)
    return await _told(run_id)


def _has_begun(shown: dict[str, Any]) -> bool:
    is_told = bool(shown.get("start_seq", 0))  # by its first event; before, it cannot be asked for anything
    state: str = shown["state"]
    return state != "starting" and (state != "running" or is_told)


async def _wait(
    run_id: str, shown: dict[str, Any], seconds: float, is_over: Callable[[dict[str, Any]], bool]
) -> dict[str, Any]:
    deadline = asyncio.get_running_loop().time() + seconds
    while not is_over(shown) and asyncio.get_running_loop().time() < deadline:
        await asyncio.sleep(_LOOK)
        shown = await in_thread(runs.summary, run_id)
    return shown


def _ask(run_id: str, question: Callable[..., None], *arguments: Any) -> None:  # noqa: ANN401
    try:
        question(run_folders.find(run_id), *arguments)
    except dn.ArgumentError:
        pass  # it has just come to its end: the state says so
    except dn.IoError as error:
        raise ApiError(409, "unreachable", str(error)) from None


async def _told(run_id: str, state: str | None = None) -> dict[str, Any]:
    await in_thread(queue.pump)
    if state is None:
        state = (await in_thread(runs.summary, run_id))["state"]
    return {"id": run_id, "state": state}


def _note(run_id: str, start_seq: int | None) -> None:
    """Keep in mind that the part of the training that began with this event was paused; None: it was not."""
    if start_seq is None:
        Setting.objects.filter(name=runs.note_key(run_id)).delete()
    else:
        Setting.write(runs.note_key(run_id), start_seq)


def _take_back(run_id: str) -> bool:
    """Take a run out of the queue, unless it has begun meanwhile."""
    return (
        QueuedRun.objects.filter(pk__in=[row.pk for row in queue.waiting() if row.run_id == run_id]).delete()[
            0
        ]
        > 0
    )


async def resume(run_id: str) -> dict[str, Any]:
    """Go on with a run from its newest checkpoint, as soon as nothing else is at work.

    Returns:
        {"id", "state"}: starting or queued.

    Raises:
        ApiError: 404 if there is no such run, 409 if it cannot be gone on with.
    """
    shown = await in_thread(runs.detail, run_id)
    if not shown["can"]["resume"]:
        if shown["state"] in ("paused", "stopped", "failed"):
            expected = "one begun by `digitnet train`, with a checkpoint; others go on by their own program"
            raise ApiError(
                409, "not_resumable", f"the run '{run_id}' cannot be resumed from here, expected {expected}"
            )
        raise _refused(shown, "it to be paused, stopped or failed")
    await in_thread(_queue_again, run_id)
    return await _told(run_id)


def _queue_again(run_id: str) -> None:
    if not run_folders.has_begun(run_id):  # it could not begin: its row is still there
        worker.log_path(run_id).unlink(missing_ok=True)
        return
    try:
        with transaction.atomic():
            QueuedRun.objects.create(run_id=run_id, settings={"resume": True})
    except IntegrityError:
        pass  # asked for twice


async def change_rate(run_id: str, rate: float) -> dict[str, Any]:
    """Have a run go on with another learning rate from its next batch on; its schedule still multiplies it.

    Returns:
        {"id", "state", "learning_rate"}: what was asked for; an event `learning_rate` tells when it holds.

    Raises:
        ApiError: 404 if there is no such run, 409 if it is not at work.
    """
    shown = await in_thread(runs.summary, run_id)
    if shown["state"] in runs.AT_WORK:
        shown = await _wait(run_id, shown, _BEGIN, _has_begun)
    if shown["state"] != "running":
        raise _refused(shown, "it to be running")
    await in_thread(_ask, run_id, dn.Run.set_learning_rate, rate)
    return {**(await _told(run_id)), "learning_rate": rate}


def remove(run_id: str) -> dict[str, Any]:
    """Remove a run that is not at work, with all its checkpoints; and nothing outside of its folder.

    Raises:
        ApiError: 404 if there is no such run, 409 if it is at work or waits.
    """
    shown = runs.summary(run_id)
    if shown["state"] in (*runs.AT_WORK, "queued"):
        raise _refused(shown, "it not to be at work; stop it before")
    directory = run_folders.directory_of(run_id)
    try:
        _remove_folder(directory)
    except OSError as error:
        raise ApiError(
            409, "not_removable", f"the run '{run_id}' cannot be removed: {error.strerror or error}"
        ) from None
    QueuedRun.objects.filter(run_id=run_id).delete()
    _note(run_id, None)
    worker.log_path(run_id).unlink(missing_ok=True)
    shutil.rmtree(queue.data_folder(run_id), ignore_errors=True)
    run_events.forget(directory)
    return {"id": run_id, "state": "removed"}


def _remove_folder(directory: Path) -> None:
    """A link is removed and not what it leads to. The folder is out of sight at once, and then goes."""
    if directory.is_symlink():
        directory.unlink()
    elif directory.is_dir():
        aside = directory.with_name(f".removed-{secrets.token_hex(8)}")
        directory.rename(aside)
        shutil.rmtree(aside)
