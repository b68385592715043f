"""What the events of a run come to: read once as they are written, and kept in a few numbers.

Nothing is kept that the folder does not say; what is remembered is only how far it was read.
"""

from __future__ import annotations

import contextlib
import threading
from collections import OrderedDict, deque
from typing import TYPE_CHECKING, Any

from digitnet.events import Progress
from digitnet.runs import printable
from digitnet.web.services import run_settings
from digitnet.web.services.run_folders import stamp

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import digitnet as dn
    from digitnet.events import Event

MOST_POINTS = 1000  # of a curve
SPARK = 40  # points of the small curve in a list
_DIGESTS, _SUMMARIES = 16, 2000  # that are remembered


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


def _digest(run: dn.Run) -> Digest:
    """The digest of a run, kept for the next time; another one if the folder was made anew."""
    key = (str(run.directory), stamp(run.directory / "config.json"))
    with _lock:
        if key not in _digests:
            _digests[key] = Digest(run)
            while len(_digests) > _DIGESTS:
                _digests.popitem(last=False)
        _digests.move_to_end(key)
        return _digests[key]


@contextlib.contextmanager
def read(run: dn.Run) -> Iterator[Digest]:
    """The digest of a run with all that is there by now; nobody else reads it on meanwhile.

    Raises:
        IoError, FormatError: as Run.events.
    """
    digest = _digest(run)
    with digest.lock:
        digest.read()
        yield digest


def progress(run: dn.Run) -> Progress:
    """What the events of a run say now, read on from where they were read before. Not to be changed.

    Raises:
        IoError, FormatError: as Run.events.
    """
    with read(run) as digest:
        return digest.progress


def changes(run: dn.Run) -> list[Event]:
    """The changes of the learning rate that were made on the way: `learning_rate` events.

    Raises:
        IoError, FormatError: as Run.events.
    """
    return progress(run).learning_rate_changes


def summary(run: dn.Run) -> dict[str, Any]:
    """What config and events say in a few numbers; read again only if they have changed. Not to be changed.

    Raises:
        IoError, FormatError: as Run.config and Run.events.
    """
    name = str(run.directory)
    now = (stamp(run.directory / "config.json"), stamp(run.directory / "events.jsonl"))
    with _lock:
        known = _summaries.get(name)
    if known is not None and known[0] == now:
        return known[1]
    with read(run) as digest:
        made = _summary(digest)
    with _lock:
        _summaries[name] = (now, made)
        _summaries.move_to_end(name)
        while len(_summaries) > _SUMMARIES:
            _summaries.popitem(last=False)
    return made


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


def forget(directory: Path) -> None:
    """Let go of what was read of a folder that is gone."""
    with _lock:
        _summaries.pop(str(directory), None)
        for key in [key for key in _digests if key[0] == str(directory)]:
            del _digests[key]
