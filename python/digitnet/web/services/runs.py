"""The trainings that there are: every run directory in the runs folder, whoever wrote it, live.

Nothing here is kept that the directory does not say; what is remembered is only how far it was read.
"""

from __future__ import annotations

import contextlib
import hashlib
import os
import threading
import time
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.events import Progress
from digitnet.runs import printable, runs_directory
from digitnet.web.errors import ApiError, missing
from digitnet.web.forms import RUN_ID
from digitnet.web.models import QueuedRun, Setting
from digitnet.web.services import run_settings, worker

if TYPE_CHECKING:
    from pathlib import Path

    from digitnet.events import Event
    from digitnet.web.services.worker import Work

MOST_LISTED = 1000
MOST_POINTS = 1000  # of a curve
SPARK = 40  # points of the small curve in a list
_GRACE = 3.0  # seconds that a run without events and without a writer is waited for
_DIGESTS, _SUMMARIES = 16, 2000  # that are remembered

AT_WORK = ("starting", "running")
"""States in which something is going on. The others: queued, paused, stopped, done, early_stop, loss_reached,
diverged, failed (also where the process died without a word: then `reason` is "died") and broken."""


# ---------------------------------------------------------------- ids and folders


def id_of(name: str) -> str:
    """The id of a folder: its name, or where an address could not hold that, one made from it."""
    if RUN_ID.fullmatch(name):
        return name
    return f"other-{hashlib.sha256(os.fsencode(name)).hexdigest()[:16]}"


def directory_of(run_id: str) -> Path:
    """The folder of an id, which need not be there. Ids are never paths.

    Raises:
        ApiError: 404 if it is no id.
    """
    folder = runs_directory()
    if not RUN_ID.fullmatch(run_id):
        raise missing(f"run: '{printable(run_id)[:40]}', expected an id of GET /api/runs")
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
        return has_config(directory_of(run_id)) or QueuedRun.objects.filter(run_id=run_id).exists()
    except ApiError:
        return False


def has_config(directory: Path) -> bool:
    """Whether a folder is a run."""
    return os.path.lexists(directory / "config.json")


def find(run_id: str) -> dn.Run:
    """The run of an id.

    Raises:
        ApiError: 404 if there is none that has begun.
    """
    try:
        return dn.Run(directory_of(run_id))
    except dn.IoError:
        raise missing(f"run: there is no '{run_id}', expected an id of GET /api/runs") from None


def note_key(run_id: str) -> str:
    """The name of the setting that says which stop of a run was a pause."""
    return f"paused-{hashlib.sha256(run_id.encode()).hexdigest()[:40]}"


# ---------------------------------------------------------------- what was read


class Curve:
    """Losses of batches: whenever there are more than MOST_POINTS, every second one goes."""

    def __init__(self) -> None:
        self.points: list[tuple[float, float | None, float | None]] = []
        """Where in the training, in epochs; loss; learning rate."""
        self.every = 1
        self._count = 0

    def add(self, event: Event) -> None:
        """One `batch` more."""
        self._count += 1
        if self._count % self.every:
            return
        place = event["epoch"] - 1 + event["batch"] / max(event["batches"], 1)
        self.points.append((round(place, 5), event["loss"], event["learning_rate"]))
        if len(self.points) > MOST_POINTS:
            self.points = self.points[::2]
            self.every *= 2

    def cut(self, place: float) -> None:
        """What comes behind this place is done again."""
        self.points = [point for point in self.points if point[0] <= place]


class Digest:
    """A run as far as it was read: what its pages show of it, without the bulk."""

    def __init__(self, run: dn.Run) -> None:
        self.run = run
        self.progress = Progress()
        self.progress.batches = deque(maxlen=1)
        self.curve = Curve()
        self.layers: list[dict[str, Any]] = []
        """Of the last epoch."""
        self.seq = 0
        self.lock = threading.Lock()
        self._reader = run.reader()

    def read(self) -> None:
        """Take in what is new.

        Raises:
            IoError, FormatError: as Run.events.
        """
        for event in self._reader.new():
            kind = event["type"]
            if kind == "batch":
                self.curve.add(event)
            elif kind == "start":
                self.curve.cut(event["epoch"] + event["batch"] / max(event["batches"], 1))
            elif kind == "epoch":
                self.layers = event.get("layers") or []
                event = {name: value for name, value in event.items() if name != "layers"}
            self.progress.add(event)
            self.seq = event["seq"]


_lock = threading.Lock()
_digests: OrderedDict[tuple[str, Any], Digest] = OrderedDict()
_summaries: OrderedDict[str, tuple[Any, dict[str, Any]]] = OrderedDict()


def _stamp(path: Path) -> tuple[int, int, int] | None:
    try:
        status = path.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns


def _digest(run: dn.Run) -> Digest:
    """The digest of a run, kept for the next time; another one if the folder was made anew."""
    key = (str(run.directory), _stamp(run.directory / "config.json"))
    with _lock:
        if key not in _digests:
            _digests[key] = Digest(run)
            while len(_digests) > _DIGESTS:
                _digests.popitem(last=False)
        _digests.move_to_end(key)
        return _digests[key]


def progress(run: dn.Run) -> Progress:
    """What the events of a run say now, read on from where they were read before. Not to be changed.

    Raises:
        IoError, FormatError: as Run.events.
    """
    digest = _digest(run)
    with digest.lock:
        digest.read()
    return digest.progress


def _base(run: dn.Run) -> dict[str, Any]:
    """What config and events say; read again only if they have changed."""
    name = str(run.directory)
    stamp = (_stamp(run.directory / "config.json"), _stamp(run.directory / "events.jsonl"))
    with _lock:
        known = _summaries.get(name)
    if known is not None and known[0] == stamp:
        return known[1]
    digest = _digest(run)
    with digest.lock:
        digest.read()
        base = _summary(digest)
    with _lock:
        _summaries[name] = (stamp, base)
        _summaries.move_to_end(name)
        while len(_summaries) > _SUMMARIES:
            _summaries.popitem(last=False)
    return base


def _summary(digest: Digest) -> dict[str, Any]:
    progress, config = digest.progress, digest.run.config
    start, end = progress.start or {}, progress.end or {}
    last, best = progress.last_epoch or {}, progress.best_epoch or {}
    settings = run_settings.of(config)
    epochs = [progress.epochs[epoch] for epoch in sorted(progress.epochs)]
    return {
        "name": printable(digest.run.name),
        "created": printable(config["created"][:40]),
        "seq": digest.seq,
        "start_seq": start.get("seq", 0),
        "reason": end.get("reason"),
        "error": printable(end["error"][:500]) if "error" in end else None,
        "epoch": progress.epoch,
        "epochs": progress.planned or settings["epochs"],
        "share": round(progress.share, 5),
        "training_loss": last.get("training_loss"),
        "training_accuracy": last.get("training_accuracy"),
        "validation_loss": last.get("validation_loss"),
        "validation_accuracy": last.get("validation_accuracy"),
        "best_validation_accuracy": best.get("validation_accuracy"),
        "best_epoch": best.get("epoch"),
        "images_per_second": progress.images_per_second,
        "parameters": run_settings.parameters(config),
        "sizes": config["architecture"]["sizes"][:64],
        "optimizer": printable(config["optimizer"]["name"][:40]),
        "dataset": settings["dataset"],
        "seconds": progress.seconds,
        "seconds_left": progress.seconds_left,
        "settings": settings,
        "spark": thinned([_accuracy(epoch) for epoch in epochs], SPARK),
    }


def _accuracy(epoch: Event) -> float | None:
    found: float | None = epoch["validation_accuracy"]
    return epoch["training_accuracy"] if found is None else found


def thinned(values: list[Any], most: int) -> list[Any]:
    """At most so many of them, evenly spread, the first and the last among them."""
    if len(values) <= most:
        return values
    return [values[round(i * (len(values) - 1) / (most - 1))] for i in range(most)]


# ---------------------------------------------------------------- states


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
    directory = directory_of(run_id)
    place, row = rows.get(run_id, (0, None))
    try:
        run = dn.Run(directory)
    except dn.IoError:
        if row is None:
            raise missing(f"run: there is no '{run_id}', expected an id of GET /api/runs") from None
        return _waiting(row, place)
    try:
        base = dict(_base(run))  # before the state is asked for: it is that of what was read, or a newer one
        state = _state(run, run_id, base, work, paused)
        if state == "failed" and base["reason"] is None:
            base = dict(_base(run))  # its end may have come in between
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
    for run_id in dict.fromkeys([*rows, *map(id_of, _newest_names())]):
        with contextlib.suppress(ApiError):  # removed meanwhile
            found.append(_listed(run_id, work, paused, rows))
    found.sort(key=lambda each: each.get("created") or "", reverse=True)
    found.sort(key=lambda each: (each["state"] not in AT_WORK, each.get("position", MOST_LISTED)))
    return found


def _newest_names() -> list[str]:
    folder = runs_directory()
    try:
        names = [each.name for each in folder.iterdir() if not each.name.startswith(".") and has_config(each)]
    except OSError:
        return []
    if len(names) > MOST_LISTED:
        names.sort(key=lambda name: (_stamp(folder / name / "config.json") or (0, 0, 0))[2], reverse=True)
    return names[:MOST_LISTED]


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
    if state != "broken" and has_config(directory_of(run_id)):
        run = find(run_id)
        digest = _digest(run)
        with digest.lock:
            digest.read()
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
        if any(each["best"] for each in shown["checkpoints"]) and id_of(run.name) == run.name:
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


def changes(run: dn.Run) -> list[Event]:
    """The changes of the learning rate that were made on the way: `learning_rate` events.

    Raises:
        IoError, FormatError: as Run.events.
    """
    digest = _digest(run)
    with digest.lock:
        digest.read()
        return digest.progress.learning_rate_changes


def forget(directory: Path) -> None:
    """Let go of what was read of a folder that is gone."""
    with _lock:
        _summaries.pop(str(directory), None)
        for key in [key for key in _digests if key[0] == str(directory)]:
            del _digests[key]
