"""The events of a run as server-sent events, bounded in number and time: nobody who leaves is kept for ever.

A stream ends after a minute, or when the run is over and all is told. A browser then comes again by itself
and says with Last-Event-ID what it has; a run that has ended has nothing more for it.
"""

from __future__ import annotations

import asyncio
import json
import secrets
import time
from typing import TYPE_CHECKING, Any

from digitnet.runs import printable
from digitnet.web.errors import ApiError
from digitnet.web.services import run_folders, runs
from digitnet.web.services.queue import in_thread

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import digitnet as dn
    from digitnet.events import Event, EventReader

LONGEST = 60.0  # seconds of a stream
HEARTBEAT = 10.0  # seconds without a word
MOST, MOST_OF_ONE = 64, 16  # streams in all, of one client
MOST_AT_ONCE = 5000  # events of an answer in JSON
_POLL = 0.1  # seconds between two looks at the file
_STATE = 1.0  # seconds between two looks at the state
_SOME = 200  # events that are read in one go: a few milliseconds

_open: dict[str, tuple[str, float]] = {}  # client and when it is over, by a key of each stream


class Place:
    """A stream's place among the MOST. It is given back by leave, and in any case when its time is over."""

    def __init__(self, client: str) -> None:
        now = time.monotonic()
        for key in [key for key, (_, over) in _open.items() if over < now]:
            del _open[key]
        of_client = sum(1 for each, _ in _open.values() if each == client)
        if len(_open) >= MOST or of_client >= MOST_OF_ONE:
            found = (
                f"{of_client} streams of this client" if of_client >= MOST_OF_ONE else f"{len(_open)} streams"
            )
            message = f"{found} are open already, expected fewer; ask for JSON, or close one"
            raise ApiError(503, "too_many_streams", message, retry_after=5)
        self._key = secrets.token_hex(8)
        _open[self._key] = (client, now + LONGEST + 2 * HEARTBEAT)

    def leave(self) -> None:
        """Give it back. Again is no error."""
        _open.pop(self._key, None)


class Stream:
    """The body of an answer: what is there behind `after`, and what comes."""

    def __init__(self, run_id: str, after: int, client: str) -> None:
        self._run_id, self._after = run_id, after
        self._place = Place(client)

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self._lines()

    def close(self) -> None:
        """Called by Django when the answer is over, also where it was never sent."""
        self._place.leave()

    async def _lines(self) -> AsyncIterator[bytes]:
        try:
            yield b"retry: 1000\n\n"
            async for lines in self._told():
                yield lines
        finally:
            self._place.leave()

    async def _told(self) -> AsyncIterator[bytes]:
        began = spoke = looked = time.monotonic()
        reader: EventReader | None = None
        is_over = False
        while (now := time.monotonic()) - began < LONGEST:
            if reader is None:
                run = await in_thread(_begun, self._run_id)
                reader = None if run is None else run.reader(self._after)
            try:
                # Much is read by a thread; the few events that come later are read at once.
                events = (
                    []
                    if reader is None
                    else reader.some(_SOME)
                    if spoke > began
                    else await in_thread(reader.some, _SOME)
                )
            except (OSError, ValueError) as error:  # somebody wrote what is no event, or removed it
                yield _message({"type": "broken", "text": printable(str(error))[:500]}, kind="broken")
                return
            if events:
                spoke = now
                yield b"".join(map(_line, events))
                continue
            if is_over:
                return
            if now - looked >= _STATE or reader is None:
                looked = now
                # Asked before the file is read once more: a process says its end, then lets go.
                is_over = not await in_thread(_is_alive, self._run_id)
                if is_over:
                    continue
            if now - spoke >= HEARTBEAT:
                spoke = now
                yield b": still here\n\n"
            await asyncio.sleep(_POLL)


def _line(event: Event) -> bytes:
    return _message(event, f"id: {event['seq']}\n")


def _message(content: dict[str, Any], head: str = "", kind: str = "") -> bytes:
    kind = f"event: {kind}\n" if kind else ""
    return f"{head}{kind}data: {json.dumps(content, separators=(',', ':'), allow_nan=False)}\n\n".encode()


def _begun(run_id: str) -> dn.Run | None:
    """The run; None if it waits or could not begin yet.

    Raises:
        ApiError: 404 if there is none.
    """
    try:
        return run_folders.find(run_id)
    except ApiError:
        if run_folders.exists(run_id):
            return None
        raise


def _is_alive(run_id: str) -> bool:
    """Whether there may be more to tell."""
    try:
        return runs.summary(run_id)["state"] in (*runs.AT_WORK, "queued")
    except ApiError:
        return False


def some(run_id: str, after: int) -> list[Event]:
    """The events behind `after` that are there now, at most MOST_AT_ONCE of them.

    Raises:
        ApiError: 404 if there is no such run, 409 if its file is broken.
    """
    run = _begun(run_id)
    if run is None:
        return []
    try:
        return run.reader(after).some(MOST_AT_ONCE)
    except (OSError, ValueError) as error:
        raise ApiError(409, "broken", str(error)) from None


def check(run_id: str) -> None:
    """Whether there is such a run, before a stream of it begins.

    Raises:
        ApiError: 404 if not.
    """
    if not run_folders.exists(run_id):
        raise run_folders.gone(run_id)
