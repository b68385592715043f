"""The process that trains: `python -m digitnet train` (or resume), started afresh, one at a time.

The process holds the lock of STATE/training.lock from its first moment to its last, however it ends: it
inherits the open file. So whether it lives is asked of the lock and of nothing else, by any server, also one
that was started after it. What it says goes to STATE/logs/<run>.log.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from digitnet.runs import printable
from digitnet.web.state import state_folder

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

_LONGEST = 512  # bytes of the lock's text
_NICENESS = 5  # drawings are read in between
_children: list[subprocess.Popen[bytes]] = []  # of this server; asked about so that none stays a zombie


@dataclass(frozen=True)
class Work:
    """What is being trained."""

    run_id: str
    after: int
    """How many events the run had before: what comes is from this process."""


class Slot:
    """The place for the one training. Whoever has it may start a process, which keeps it until it ends."""

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor

    @classmethod
    def take(cls) -> Slot | None:
        """The place, if it is free; None if a training (or another server about to start one) has it."""
        descriptor = os.open(_lock_path(), os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            os.close(descriptor)
            return None
        return cls(descriptor)

    def start(self, work: Work, words: Sequence[str]) -> None:
        """Start `digitnet WORDS` with the place, in a session of its own, so that it outlives the server."""
        text = json.dumps({"run": work.run_id, "after": work.after}).encode()
        os.pwrite(self._descriptor, text.ljust(_LONGEST), 0)
        with log_path(work.run_id).open("wb") as log:
            process = subprocess.Popen(
                [sys.executable, "-m", "digitnet", *words],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                pass_fds=[self._descriptor],
                start_new_session=True,
                env={**os.environ, "NO_COLOR": "1", "PYTHONUNBUFFERED": "1"},
            )
        with contextlib.suppress(OSError):  # it may be gone already
            os.setpriority(os.PRIO_PROCESS, process.pid, _NICENESS)
        _children.append(process)

    def leave(self) -> None:
        """Let go of it; a process that was started keeps it."""
        os.close(self._descriptor)


def current() -> Work | None:
    """What is being trained now, by whatever server it was started; None if nothing is."""
    _children[:] = [child for child in _children if child.poll() is None]
    try:
        descriptor = os.open(_lock_path(), os.O_RDONLY | os.O_CLOEXEC)
    except FileNotFoundError:
        return None
    try:
        fcntl.flock(descriptor, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except OSError:
        with contextlib.suppress(ValueError, KeyError, TypeError):
            found: dict[str, Any] = json.loads(os.pread(descriptor, _LONGEST, 0))
            return Work(str(found["run"]), int(found["after"]))
        return None  # taken a moment ago, and nothing written yet
    else:
        return None
    finally:
        os.close(descriptor)


def _lock_path() -> Path:
    return state_folder() / "training.lock"


# ---------------------------------------------------------------- what it says


def log_path(run_id: str) -> Path:
    """Where a run's process writes what it says."""
    folder = state_folder() / "logs"
    folder.mkdir(parents=True, exist_ok=True)
    return folder / f"{run_id}.log"


def last_words(run_id: str, most: int = 2000) -> str:
    """The end of what the process of a run said; "" if it said nothing."""
    try:
        with log_path(run_id).open("rb") as log:
            size = log.seek(0, os.SEEK_END)
            log.seek(max(0, size - most))
            text = log.read(most).decode(errors="replace")
    except OSError:
        return ""
    lines = [printable(line).rstrip() for line in text.splitlines()]
    return "\n".join(lines[-20:]).strip()
