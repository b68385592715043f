"""Training runs on disk: what is in their folders, and following one that is being written.

The form is that of docs/runs.md. Nothing here writes or draws.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import itertools
import math
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from digitnet._arguments import require
from digitnet._core import ArgumentError, FormatError, IoError
from digitnet._files import io_error, open_plain, printable, shown
from digitnet._run_files import REASONS, checkpoint_place, read_config, write_control
from digitnet.events import EventReader, Progress

if TYPE_CHECKING:
    from collections.abc import Iterator

    from digitnet.events import Event

__all__ = ["STATES", "Checkpoint", "Run", "find_runs", "printable", "runs_directory"]

STATES = ("running", *REASONS, "died")
"""What a run can be in: at work, ended for one of the reasons of its `end`, or gone without a word."""

_GRACE = 3.0  # seconds that a run without events and without a writer is waited for
_LOCK_PAUSE = 0.5  # seconds between two looks at a lock


def runs_directory(folder: str | os.PathLike[str] | None = None) -> Path:
    """Where runs are: folder if it is given, else DIGITNET_RUNS_DIR, else ./runs."""
    return Path(folder if folder is not None else os.environ.get("DIGITNET_RUNS_DIR") or "runs")


def find_runs(folder: str | os.PathLike[str] | None = None) -> list[Run]:
    """The runs of a folder: those of its folders that have a config.json, or itself if it has one.

    Args:
        folder: where to look; None takes DIGITNET_RUNS_DIR, else ./runs, which need not be there.

    Returns:
        The runs, the oldest first. One that is broken is among them: the others are still to be seen.

    Raises:
        IoError: if the folder cannot be read.
    """
    path = runs_directory(folder)
    if _has_config(path):
        return [Run(path)]
    try:
        inside = [each for each in path.iterdir() if _has_config(each)]
    except FileNotFoundError as error:
        if folder is None:
            return []
        raise io_error(path, error, "find_runs") from None
    except OSError as error:
        raise io_error(path, error, "find_runs") from None
    found = []
    for each in inside:
        with contextlib.suppress(IoError):  # removed meanwhile
            found.append(Run(each))
    return sorted(found, key=_age)


def _has_config(folder: Path) -> bool:
    return not folder.name.startswith(".") and os.path.lexists(folder / "config.json")


def _age(run: Run) -> tuple[str, str]:
    created = ""
    with contextlib.suppress(FormatError, IoError):
        created = run.config["created"]
    return created, run.name


@dataclass(frozen=True)
class Checkpoint:
    """What a training was at one moment, in a folder of its run."""

    path: Path
    """Its folder."""

    epoch: int
    """How many epochs were done."""

    batch: int
    """How many batches of the next one; 0 for most."""

    @property
    def name(self) -> str:
        """The name of its folder: epoch-0003, epoch-0003-batch-0127."""
        return self.path.name

    @property
    def model(self) -> Path:
        """Its model file, for Network.load."""
        return self.path / "model.safetensors"


def _checkpoint(path: Path) -> Checkpoint | None:
    place = checkpoint_place(path.name)
    return None if place is None else Checkpoint(path, *place)


class Run:
    """A training run, read from its folder while it is written or after.

    It remembers how far it has read the events, so asking again costs only what is new. Threads that share
    a Run have to take turns.

    Args:
        directory: the folder of the run; config.json is in it.

    Raises:
        IoError: if there is no such folder, or it has no config.json.
    """

    def __init__(self, directory: str | os.PathLike[str]) -> None:
        self.directory = Path(directory)
        """Its folder."""
        try:
            (self.directory / "config.json").lstat()
        except FileNotFoundError as error:
            if not self.directory.is_dir():
                raise io_error(self.directory, error) from None
            msg = f"Run: {shown(self.directory)}: no config.json in it, expected the folder of a run"
            if inside := find_runs(self.directory):  # as of a recipe
                msg += f", such as {shown(inside[0].directory)}"
            raise IoError(msg) from None
        except OSError as error:
            raise io_error(self.directory, error) from None
        self._config: dict[str, Any] | None = None
        self._reader = self.reader()
        self._progress = Progress()

    def __repr__(self) -> str:
        return f"Run({str(self.directory)!r})"

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.directory.absolute().name

    @property
    def config(self) -> dict[str, Any]:
        """What is in config.json, for the keys see docs/runs.md.

        Raises:
            IoError: if it cannot be read.
            FormatError: if it is not that of a run, or of a newer form.
        """
        if self._config is None:
            self._config = read_config(self.directory / "config.json")
        return self._config

    def reader(self, after: int = 0) -> EventReader:
        """A reader of the events, to be asked again and again.

        Args:
            after: leaves out the events up to this seq.

        Raises:
            ArgumentError: if after is below 0.
        """
        if after < 0:
            msg = f"Run.reader: after is {after}, expected at least 0"
            raise ArgumentError(msg)
        return EventReader(self.directory / "events.jsonl", after)

    def events(self, after: int = 0) -> Iterator[Event]:
        """The events that are there now, one by one.

        Args:
            after: leaves out the events up to this seq.

        Raises:
            IoError: if the file is there and cannot be read.
            FormatError: if a line is not as it should be: with file and line.
            ArgumentError: if after is below 0.
        """
        return self.reader(after).new()

    def updates(
        self, poll: float = 0.1, *, after: int = 0, stop: threading.Event | None = None
    ) -> Iterator[list[Event]]:
        """What is new, over and over: as follow, but in lists, and an empty one whenever nothing was new.

        For those who have more to do between two events: to draw, or to see whether anyone still listens.

        Args:
            poll: seconds from one look at the file to the next where nothing is new.
            after: leaves out the events up to this seq.
            stop: ends it, also while it waits.

        Raises:
            IoError, FormatError, ArgumentError: as events; also if the file is gone or has become shorter.
        """
        if not poll > 0:
            msg = f"Run.updates: poll is {poll}, expected more than 0 seconds"
            raise ArgumentError(msg)
        return self._updates(self.reader(after), poll, threading.Event() if stop is None else stop)

    def _updates(self, reader: EventReader, poll: float, stop: threading.Event) -> Iterator[list[Event]]:
        began = time.monotonic()
        looked = -_LOCK_PAUSE
        while not stop.is_set():
            now = time.monotonic()
            is_held = True
            if now - looked >= _LOCK_PAUSE and (reader.line > 0 or now - began >= _GRACE):
                looked = now
                is_held = self.is_held()  # before reading: a writer says its end, then lets go
            new = reader.some()
            if new:
                yield new
                continue
            # What is behind an end is a training that was resumed, so only the last one ends it all.
            if not is_held or (reader.last is not None and reader.last["type"] == "end"):
                return
            yield new
            stop.wait(poll)

    def follow(
        self, poll: float = 0.1, *, after: int = 0, stop: threading.Event | None = None
    ) -> Iterator[Event]:
        """The events that are there and those that come, one by one, until the run has ended or died.

        The events need not be there yet. Only whole lines count; what a training that was killed left of
        one may change.

        Args:
            poll: seconds from one look at the file to the next.
            after: leaves out the events up to this seq.
            stop: ends it, also while it waits.

        Raises:
            IoError, FormatError, ArgumentError: as events; also if the file is gone or has become shorter.
        """
        return itertools.chain.from_iterable(self.updates(poll, after=after, stop=stop))

    def progress(self) -> Progress:
        """How far it is, by the events that are there now. The same object each time, brought up to date.

        Raises:
            IoError, FormatError: as events.
        """
        for event in self._reader.new():
            self._progress.add(event)
        return self._progress

    def state(self) -> str:
        """One of STATES: running, the reason of its end, or died.

        Raises:
            IoError, FormatError: as events; IoError also if the lock cannot be looked at.
        """
        is_held = self.is_held()  # before reading: a writer says its end, then lets go
        end = self.progress().end
        if end is not None:
            reason: str = end["reason"]
            return reason
        return "running" if is_held else "died"

    def is_held(self) -> bool:
        """Whether a process holds the lock, so is at work on the run.

        Raises:
            IoError: if that cannot be told.
        """
        path = self.directory / "lock"
        try:
            file = open_plain(path)
        except FileNotFoundError:
            return False
        with file:
            try:
                fcntl.flock(file, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return True
            except OSError as error:
                raise io_error(path, error) from None
        return False

    def request_stop(self) -> None:
        """Ask the training to stop after the batch in work, with a checkpoint from which resume goes on.

        Whoever began it, in whatever process. Returns at once; state() is "stopped" a moment later, or
        another reason if it came to its end before.

        Raises:
            ArgumentError: if it is not running.
            IoError: if its folder cannot be written.
            FormatError: as state.
        """
        self._ask("Run.request_stop", {"stop": True})

    def set_learning_rate(self, rate: float) -> None:
        """Ask the training for another learning rate from one of the next batches on.

        The factors of schedule and plateau go on multiplying it. A `learning_rate` event tells when it holds;
        it is kept when the run is resumed, and the last one asked for counts.

        Args:
            rate: of the optimizer, above 0.

        Raises:
            ArgumentError: if the rate is not a finite number above 0, or the run is not running.
            IoError: if its folder cannot be written.
            FormatError: as state.
            TypeError: if the rate is no number.
        """
        require("Run.set_learning_rate", "rate", "float", rate)
        if not 0 < rate < math.inf:
            msg = f"Run.set_learning_rate: rate is {rate}, expected a finite number above 0"
            raise ArgumentError(msg)
        self._ask("Run.set_learning_rate", {"learning_rate": float(rate)})

    def _ask(self, where: str, request: dict[str, Any]) -> None:
        state = self.state()
        if state != "running" or self.progress().start is None:
            found = f"is not running ({state})" if state != "running" else "has not begun"
            msg = f"{where}: {shown(self.directory)}: the run {found}, expected one at work"
            raise ArgumentError(msg)
        write_control(where, self.directory, request)

    @property
    def epochs(self) -> list[Event]:
        """The `epoch` events, in order of the epochs; of those that were done again, the last.

        Raises:
            IoError, FormatError: as events.
        """
        found = self.progress().epochs
        return [found[epoch] for epoch in sorted(found)]

    def checkpoints(self) -> list[Checkpoint]:
        """Those there are, the earliest of the training first.

        Raises:
            IoError: if their folder cannot be read.
        """
        folder = self.directory / "checkpoints"
        try:
            found = [_checkpoint(path) for path in folder.iterdir() if path.is_dir()]
        except FileNotFoundError:
            return []
        except OSError as error:
            raise io_error(folder, error) from None
        return sorted((each for each in found if each is not None), key=lambda each: (each.epoch, each.batch))

    @property
    def best(self) -> Checkpoint | None:
        """The best checkpoint kept, by the metric watched; None if there is none.

        Raises:
            IoError: if the link cannot be read.
            FormatError: if it leads elsewhere than to a checkpoint of this run.
        """
        return self._link("best")

    @property
    def latest(self) -> Checkpoint | None:
        """The checkpoint where a resumed training begins; None if there is none.

        Raises:
            IoError, FormatError: as best.
        """
        return self._link("latest")

    def _link(self, name: str) -> Checkpoint | None:
        link = self.directory / name
        try:
            target = link.readlink()
        except FileNotFoundError:
            return None
        except OSError as error:
            if error.errno == errno.EINVAL:
                msg = f"Run: {shown(link)}: no link, expected one to a checkpoint"
                raise FormatError(msg) from None
            raise io_error(link, error) from None
        found = _checkpoint(self.directory / target)
        if found is None or target.parent != Path("checkpoints"):
            msg = f"Run: {shown(link)}: leads to {shown(target)[:100]}, expected one of the run's checkpoints"
            raise FormatError(msg)
        return found if found.path.is_dir() else None

    def summary(self) -> dict[str, Any]:
        """The run in a few numbers, as `digitnet runs --json` gives it.

        Returns:
            name, state, epoch and epochs (done, and planned: None before the start), training_loss and
            validation_loss (of the last epoch), best_validation_accuracy and best_epoch (None without),
            sizes, optimizer and created (of the config), seconds (at work), seconds_left (None but while
            running).

        Raises:
            IoError, FormatError: as config and state.
        """
        state = self.state()
        progress = self.progress()
        last = progress.last_epoch or {}
        best = progress.best_epoch or {}
        return {
            "name": self.name,
            "state": state,
            "epoch": progress.epoch,
            "epochs": progress.planned,
            "training_loss": last.get("training_loss"),
            "validation_loss": last.get("validation_loss"),
            "best_validation_accuracy": best.get("validation_accuracy"),
            "best_epoch": best.get("epoch"),
            "sizes": self.config["architecture"]["sizes"],
            "optimizer": self.config["optimizer"]["name"],
            "created": self.config["created"],
            "seconds": progress.seconds,
            "seconds_left": progress.seconds_left if state == "running" else None,
        }
