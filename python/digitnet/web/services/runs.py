"""The trainings that there are: every run in the runs folder, whoever wrote it, live, and those that wait."""

from __future__ import annotations

import contextlib
import hashlib
import time
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.runs import printable
from digitnet.web.errors import ApiError
from digitnet.web.models import QueuedRun, Setting
from digitnet.web.services import run_events, run_folders, run_settings, worker
from digitnet.web.services.run_events import MOST_POINTS, thinned

if TYPE_CHECKING:
    from digitnet.web.services.run_events import Digest
    from digitnet.web.services.worker import Work

MOST_LISTED = 1000
_GRACE = 3.0  # seconds that a run without events and without a writer is waited for

AT_WORK = ("starting", "running")
"""States in which something is going on. The others: queued, paused, stopped, done, early_stop, loss_reached,
diverged, failed (also where the process died without a word: then `reason` is "died") and broken."""


# ---------------------------------------------------------------- states


def note_key(run_id: str) -> str:
    """The name of the setting that says which stop of a run was a pause."""
    return f"paused-{hashlib.sha256(run_id.encode()).hexdigest()[:40]}"


def _state(run: dn.Run, run_id: str, base: dict[str, Any], work: Work | None, paused: dict[str, Any]) -> str:
    reason: str | None = base["reason"]
    if work is not None and work.run_id == run_id and base["seq"] <= work.after:
        return "starting"
    if reason == "stopped":
        return "paused" if paused.get(note_key(run_id)) == base["start_seq"] else "stopped"
    if reason is not None:
        return reason
    if run.is_held():
        return "running"
    if base["seq"] == 0 and time.time() - (run.directory / "config.json").stat().st_mtime < _GRACE:
        return "starting"
    return "failed"


def _pauses(*run_ids: str) -> dict[str, Any]:
    notes = Setting.objects.filter(name__startswith="paused-")
    if run_ids:
        notes = notes.filter(name__in=[note_key(run_id) for run_id in run_ids])
    return dict(notes.values_list("name", "value"))


# ---------------------------------------------------------------- the list


def summary(run_id: str) -> dict[str, Any]:
    """A run in a few numbers, as GET /api/runs lists it.

    Raises:
        ApiError: 404 if there is none.
    """
    return _listed(run_id, worker.current(), _pauses(run_id), _rows())


def _rows() -> dict[str, tuple[int, QueuedRun]]:
    """Those that wait, or could not begin, with how many wait before them."""
    found: dict[str, tuple[int, QueuedRun]] = {}
    before = 0
    for row in QueuedRun.objects.all():
        found[row.run_id] = (before, row)
        before += bool(row.settings.get("resume")) or not worker.log_path(row.run_id).exists()
    return found


def _listed(
    run_id: str, work: Work | None, paused: dict[str, Any], rows: dict[str, tuple[int, QueuedRun]]
) -> dict[str, Any]:
    directory = run_folders.directory_of(run_id)
    place, row = rows.get(run_id, (0, None))
    try:
        run = dn.Run(directory)
    except dn.IoError:
        if row is None:
            raise run_folders.gone(run_id) from None
        return _waiting(row, place)
    try:
        # Read before the state is asked for, which so is that of what was read, or a newer one.
        base = dict(run_events.summary(run))
        state = _state(run, run_id, base, work, paused)
        if state == "failed" and base["reason"] is None:
            base = dict(run_events.summary(run))  # its end may have come in between
            state = _state(run, run_id, base, work, paused)
    except (dn.FormatError, dn.IoError, OSError, KeyError, TypeError) as error:
        return {
            "id": run_id,
            "name": printable(run.name),
            "state": "broken",
            "error": printable(str(error))[:500],
        }
    if row is not None and row.settings.get("resume") and state not in AT_WORK:
        state = "queued"
    if state == "failed" and base["reason"] is None:
        base["reason"] = "died"
        base["error"] = "The process ended without a word: it was killed, or the machine went down."
    if state != "running":
        base["seconds_left"] = None
    shown = {"id": run_id, **base, "state": state}
    if state == "queued":
        shown["position"] = place + 1
    return shown


def _waiting(row: QueuedRun, place: int) -> dict[str, Any]:
    """A run that has no folder yet: it waits, is just being started, or could not be."""
    settings = run_settings.of_form(row.settings)
    shown = {
        "id": row.run_id,
        "name": row.run_id,
        "created": row.created.strftime("%Y-%m-%dT%H:%M:%SZ"),
        "seq": 0,
        "epoch": 0,
        "epochs": settings["epochs"],
        "share": 0.0,
        "parameters": run_settings.form_parameters(row.settings),
        "dataset": settings["dataset"],
        "optimizer": settings["optimizer"],
        "settings": settings,
        "spark": [],
    }
    if not worker.log_path(row.run_id).exists():
        return {**shown, "state": "queued", "position": place + 1}
    work = worker.current()  # asked after the log: whoever starts one takes the place first
    if work is not None and work.run_id == row.run_id:
        return {**shown, "state": "starting"}
    words = worker.last_words(row.run_id)
    return {
        **shown,
        "state": "failed",
        "reason": "failed",
        "error": words.splitlines()[-1] if words else "it did not start",
    }


def listed() -> list[dict[str, Any]]:
    """All runs: those at work, those that wait in their order, then the others, the newest first.

    Broken ones are among them and say what is wrong.
    """
    work, paused, rows = worker.current(), _pauses(), _rows()
    found = []
    for run_id in dict.fromkeys([*rows, *map(run_folders.id_of, run_folders.newest_names(MOST_LISTED))]):
        with contextlib.suppress(ApiError):  # removed meanwhile
            found.append(_listed(run_id, work, paused, rows))
    found.sort(key=lambda each: each.get("created") or "", reverse=True)
    found.sort(key=lambda each: (each["state"] not in AT_WORK, each.get("position", MOST_LISTED)))
    return found


# ---------------------------------------------------------------- one run

EPOCH_KEYS = (
    "epoch", "training_loss", "training_accuracy", "validation_loss", "validation_accuracy", "learning_rate",
    "seconds", "images_per_second", "gradient_norm", "dead_units",
)  # fmt: skip


def detail(run_id: str) -> dict[str, Any]:
    """All that the page of a run shows, as GET /api/runs/<id> gives it.

    What is in the list, and besides history, batches, layers, checkpoints, messages, what can be asked of it,
    and the last words of a process that failed.

    Raises:
        ApiError: 404 if there is none.
    """
    shown = summary(run_id)
    state = shown["state"]
    shown |= {
        "history": [],
        "batches": {"at": [], "loss": [], "learning_rate": [], "every": 1},
        "layers": [],
        "checkpoints": [],
    }
    shown |= {"messages": [], "batch": None, "learning_rate_changes": [], "model": None, "config": None}
    resumable = False
    if state != "broken" and run_folders.has_begun(run_id):
        run = run_folders.find(run_id)
        with run_events.read(run) as digest:
            shown |= _history(digest)
        shown |= _checkpoints(run)
        shown["config"] = {
            name: run.config[name]
            for name in ("architecture", "optimizer", "data", "run")
            if name in run.config
        }
        shown["config"]["training"] = {
            name: value
            for name, value in run.config["training"].items()
            if name not in ("sample_weights", "class_weights")
        }
        resumable = any(each["latest"] for each in shown["checkpoints"]) and run_settings.is_resumable(
            run.config
        )
        if any(each["best"] for each in shown["checkpoints"]) and run_folders.id_of(run.name) == run.name:
            shown["model"] = f"run-{run_id}"
    elif state == "failed":
        resumable = True  # it has not begun: it is tried again
    if state == "failed":
        shown["last_words"] = worker.last_words(run_id)
    shown["can"] = {
        "pause": state == "running",
        "resume": resumable and state in ("paused", "stopped", "failed"),
        "stop": state in (*AT_WORK, "paused", "queued"),
        "learning_rate": state == "running",
        "remove": state not in (*AT_WORK, "queued"),
    }
    return shown


def _history(digest: Digest) -> dict[str, Any]:
    progress = digest.progress
    epochs = [progress.epochs[epoch] for epoch in sorted(progress.epochs)]
    columns = list(zip(*digest.curve.points)) or [(), (), ()]
    batches: dict[str, Any] = dict(zip(("at", "loss", "learning_rate"), map(list, columns)))
    return {
        "seq": digest.seq,
        "history": [
            {key: epoch.get(key) for key in EPOCH_KEYS} for epoch in thinned(epochs, 2 * MOST_POINTS)
        ],
        "batches": {**batches, "every": digest.curve.every},
        "layers": digest.layers[:64],
        "batch": progress.batch,
        "messages": [
            {
                "seq": each["seq"],
                "time": each["time"],
                "level": printable(each["level"][:20]),
                "text": printable(each["text"][:1000]),
            }
            for each in progress.messages
        ],
        "learning_rate_changes": [
            {key: each[key] for key in ("seq", "time", "epoch", "batch", "learning_rate")}
            for each in progress.learning_rate_changes
        ],
    }


def _checkpoints(run: dn.Run) -> dict[str, Any]:
    names: dict[str, str | None] = {}
    for link in ("best", "latest"):
        try:
            found = getattr(run, link)
        except dn.Error:  # somebody made it lead elsewhere
            found = None
        names[link] = None if found is None else found.name
    with contextlib.suppress(dn.Error):
        kept = run.checkpoints()[-MOST_LISTED:]
        return {
            "checkpoints": [
                {
                    "name": each.name,
                    "epoch": each.epoch,
                    "batch": each.batch,
                    "best": each.name == names["best"],
                    "latest": each.name == names["latest"],
                }
                for each in kept
            ]
        }
    return {"checkpoints": []}
