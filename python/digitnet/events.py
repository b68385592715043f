"""The events of a training run: read as they come, and folded into how far it is."""

from __future__ import annotations

import contextlib
import itertools
import os
from collections import deque
from typing import TYPE_CHECKING, Any, BinaryIO

from digitnet._core import FormatError
from digitnet._files import io_error, open_plain, shown
from digitnet._run_files import COMMON, EVENTS, LAYER, require_members, require_object
from digitnet._strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    Event = dict[str, Any]

LONGEST_LINE = 2**20  # bytes of an event
MOST_BATCHES = 500  # that a Progress keeps
MOST_MESSAGES = 100


class EventReader:
    """Reads the whole lines of an events file, and later those that have come since.

    Made by `Run.reader`. A last line without its newline is not there yet: the place kept is the end of the
    last whole line, so what is behind it may change.
    """

    def __init__(self, path: Path, after: int = 0) -> None:
        self._path = path
        self._after = after
        self._offset = 0
        self.line = 0
        """How many lines are read, which is also the seq of the last."""
        self.last: Event | None = None
        """The last event read; also the one of `after`."""

    def new(self) -> Iterator[Event]:
        """The events that were not read yet. None if there is no file yet.

        Raises:
            IoError: if the file cannot be read, or is gone.
            FormatError: if a line is not as it should be, or the file has become shorter. Asked again, it
                says so again.
        """
        try:
            file = open_plain(self._path)
        except FileNotFoundError as error:
            if self._offset == 0:
                return
            raise io_error(self._path, error) from None
        with file:
            size = os.fstat(file.fileno()).st_size
            if size < self._offset:
                msg = (
                    f"Run: {shown(self._path)}: {size} bytes, expected at least the {self._offset} "
                    "read before; was the file replaced?"
                )
                raise FormatError(msg)
            file.seek(self._offset)
            while True:
                line = self._line(file)
                if not line:
                    return
                event = self._event(line, self.line + 1) if self.line + 1 >= self._after else None
                self._offset += len(line)
                self.line += 1
                if event is not None:
                    self.last = event
                    if self.line > self._after:
                        yield event

    def some(self, most: int = 1000) -> list[Event]:
        """As new, but at most so many of them at once."""
        with contextlib.closing(self.new()) as events:  # type: ignore[type-var]
            return list(itertools.islice(events, most))

    def _line(self, file: BinaryIO) -> bytes:
        """The next whole line; none if there is none."""
        try:
            line = file.readline(LONGEST_LINE + 1)
        except OSError as error:
            raise io_error(self._path, error) from None
        if len(line) > LONGEST_LINE:
            msg = f"{self._where(self.line + 1)}longer than {LONGEST_LINE} bytes, expected a JSON object"
            raise FormatError(msg)
        return line if line.endswith(b"\n") else b""

    def _where(self, number: int) -> str:
        return f"Run: {shown(self._path)}: line {number}: "

    def _event(self, line: bytes, number: int) -> Event:
        where = self._where(number)
        event: Event = parse_json(where, line)
        require_object(where, event)
        require_members(where, event, COMMON)
        if event["seq"] != number:
            msg = f'{where}"seq" is {event["seq"]}, expected {number}, one more each line'
            raise FormatError(msg)
        require_members(where, event, EVENTS.get(event["type"], {}))
        if event["type"] == "epoch":
            for i, layer in enumerate(event.get("layers", [])):
                require_members(f'{where}"layers"[{i}]: ', layer, LAYER)
        return event


class Progress:
    """What the events say so far. Made by `Run.progress`; or from events that are added one by one."""

    def __init__(self) -> None:
        self.start: Event | None = None
        """The `start` of the training, or of its last continuation."""
        self.batch: Event | None = None
        """The last `batch` of the epoch in work."""
        self.batches: deque[Event] = deque(maxlen=MOST_BATCHES)
        """The last `batch` events, of whatever epoch."""
        self.epochs: dict[int, Event] = {}
        """The last `epoch` event of each epoch."""
        self.checkpoint: Event | None = None
        """The last `checkpoint`."""
        self.best_checkpoint: Event | None = None
        """The last `checkpoint` that was the best."""
        self.messages: deque[Event] = deque(maxlen=MOST_MESSAGES)
        """The last `message` events."""
        self._changes: dict[tuple[int, int], Event] = {}  # by their places, in order
        self.end: Event | None = None
        """The `end`, unless the training was resumed."""
        self.last: Event | None = None
        """The last event of any type."""
        self.epoch = 0
        """How many whole epochs are done."""
        self.epoch_share = 0.0
        """How much of the epoch in work is done, in [0, 1]."""
        self._done_before = 0.0  # epochs, when this part of the training began
        self._seconds_before = 0.0
        self._first_batch: Event | None = None

    def add(self, event: Event) -> None:
        """Take one more event into account."""
        kind = event["type"]
        if kind == "start":
            self._seconds_before = self.seconds
            self.start, self.end = event, None
            self.epoch, self.epoch_share = event["epoch"], _share(event["batch"], event["batches"])
            self._done_before = self.epoch + self.epoch_share
        elif kind == "batch":
            if self._first_batch is None:
                self._first_batch = event
            self.batch = event
            self.batches.append(event)
            self.epoch, self.epoch_share = (
                max(event["epoch"] - 1, 0),
                _share(event["batch"], event["batches"]),
            )
        elif kind == "epoch":
            self.epochs[event["epoch"]] = event
            self.epoch, self.epoch_share = event["epoch"], 0.0
        elif kind == "checkpoint":
            self.checkpoint = event
            if event["best"]:
                self.best_checkpoint = event
        elif kind == "learning_rate":
            self._change(event)
        elif kind == "message":
            self.messages.append(event)
        elif kind == "end":
            self.end = event
            batches = 0 if self.start is None else self.start["batches"]
            self.epoch, self.epoch_share = event["epoch"], _share(event["batch"], batches)
        if kind in ("start", "epoch") or (kind == "end" and event["batch"] == 0):
            self.batch = self._first_batch = None
        self.last = event

    def _change(self, event: Event) -> None:
        place = event["epoch"], event["batch"]
        known = self._changes.get(place)
        if known is None or known["learning_rate"] != event["learning_rate"]:
            while self._changes and next(reversed(self._changes)) >= place:  # void now
                self._changes.popitem()
            self._changes[place] = event

    @property
    def learning_rate_changes(self) -> list[Event]:
        """The `learning_rate` events that hold, in the order of their places.

        One that is told again by a resumed training is there once; one that another was asked for instead,
        at its place or before it, is not.
        """
        return list(self._changes.values())

    @property
    def planned(self) -> int | None:
        """How many epochs there are to be; None before the start."""
        if self.start is None:
            return None
        epochs: int = self.start["epochs"]
        return epochs

    @property
    def share(self) -> float:
        """How much of the training is done, in [0, 1]."""
        return _share(self.epoch + self.epoch_share, self.planned or 0)

    @property
    def last_epoch(self) -> Event | None:
        """The event of the last epoch that is done; None before."""
        return self.epochs.get(self.epoch)

    @property
    def best_epoch(self) -> Event | None:
        """The event of the first epoch with the highest validation accuracy; None without any."""
        measured = [each for each in self.epochs.values() if each["validation_accuracy"] is not None]
        return max(measured, key=lambda each: (each["validation_accuracy"], -each["epoch"]), default=None)

    @property
    def seconds(self) -> float:
        """How long was worked on it, without the pauses before a training was resumed."""
        return self._seconds_before + self._seconds_of_part

    @property
    def seconds_left(self) -> float | None:
        """How long the rest takes at the speed of this part of the training; None before that is known."""
        now = self.epoch + self.epoch_share
        done = now - self._done_before
        if self.planned is None or done <= 0:
            return None
        return max(self.planned - now, 0) / done * self._seconds_of_part

    @property
    def _seconds_of_part(self) -> float:
        if self.start is None or self.last is None:
            return 0.0
        return float(max(self.last["time"] - self.start["time"], 0))

    @property
    def images_per_second(self) -> float | None:
        """Speed within the epoch in work, else that of the last epoch; None before that is known."""
        first, now = self._first_batch, self.batch
        if self.start is not None and first is not None and now is not None and now["time"] > first["time"]:
            size = self.start["samples"] / max(self.start["batches"], 1)
            speed: float = (now["batch"] - first["batch"]) * size / (now["time"] - first["time"])
            return speed
        found: float | None = (self.last_epoch or {}).get("images_per_second")
        return found


def _share(part: float, whole: float) -> float:
    return min(part / whole, 1.0) if whole > 0 else 0.0
