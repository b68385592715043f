"""Writes run directories by docs/runs.md, whole or broken, without digitnet, which is to read them."""

from __future__ import annotations

import fcntl
import json
import os
from pathlib import Path
from typing import Any

BEGIN = 1_790_000_000.0  # seconds since 1970


class RunWriter:
    """A run of 1,000 samples in 10 batches an epoch. Each event is a second after the one before."""

    def __init__(
        self, directory: Path, epochs: int = 3, created: str = "2026-09-21T13:33:20Z", **changes: Any
    ):
        self.directory = directory
        self.events = directory / "events.jsonl"
        self.epochs = epochs
        self.seq = 0
        self.time = BEGIN
        self._lock = -1
        directory.mkdir(parents=True)
        self.config = {
            "format": "digitnet-run",
            "version": 1,
            "digitnet": "0.1.0",
            "created": created,
            "precision": "float32",
            "seed": 1,
            "architecture": {
                "sizes": [784, 128, 10],
                "activations": ["relu", "softmax"],
                "loss": "softmax_cross_entropy",
            },
            "optimizer": {"name": "adamw", "learning_rate": 0.003, "weight_decay": 0.05},
            "training": {"epochs": epochs, "batch_size": 100, "schedule": {"name": "cosine", "warmup": 0.1}},
            "data": {"training": {"samples": 1000, "fingerprint": "00"}},
            "run": {"checkpoint_every": 1, "keep_last": 5},
            **changes,
        }
        (directory / "config.json").write_text(json.dumps(self.config))

    def hold(self) -> None:
        """Take the lock, as the process that trains does."""
        self._lock = os.open(self.directory / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o644)
        fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.write(self._lock, f"{os.getpid()}\n".encode())

    def let_go(self) -> None:
        """Give the lock back; the file stays."""
        os.close(self._lock)
        self._lock = -1

    def raw(self, data: bytes) -> None:
        """Append bytes, whatever they are."""
        with self.events.open("ab") as file:
            file.write(data)

    def line(self, kind: str, **members: Any) -> bytes:
        """The next line, not yet written."""
        self.seq += 1
        self.time += 1
        event = {"seq": self.seq, "time": self.time, "type": kind, **members}
        return json.dumps(event, separators=(",", ":")).encode() + b"\n"

    def event(self, kind: str, **members: Any) -> None:
        self.raw(self.line(kind, **members))

    def start(self, epoch: int = 0, batch: int = 0, **members: Any) -> None:
        facts = {"samples": 1000, "parameters": 101770, "threads": 2, "process": os.getpid(), "host": "here"}
        self.event("start", epoch=epoch, batch=batch, epochs=self.epochs, batches=10, **{**facts, **members})

    def batch(self, epoch: int, batch: int, **members: Any) -> None:
        measures = {"loss": 2.3 / epoch, "accuracy": 1 - 0.5 / epoch, "learning_rate": 0.003}
        self.event("batch", epoch=epoch, batch=batch, batches=10, samples=100, **{**measures, **members})

    def epoch(self, epoch: int, **members: Any) -> None:
        facts = {
            "training_loss": 2.0 / epoch,
            "training_accuracy": 1 - 0.4 / epoch,
            "validation_loss": 2.2 / epoch,
            "validation_accuracy": 1 - 0.5 / epoch,
            "learning_rate": 0.003 / epoch,
            "seconds": 0.5,
            "images_per_second": 182000.0,
            "gradient_norm": 0.83,
            "dead_units": 3,
            "layers": [
                {
                    "gradient_norm": 0.5,
                    "update_ratio": 0.001,
                    "dead_share": 0.02,
                    "weight_mean": 0.0,
                    "weight_deviation": 0.05,
                    "histogram": [1, 5, 1],
                    "histogram_low": -0.2,
                    "histogram_high": 0.2,
                }
            ]
            * 2,
        }
        self.event("epoch", epoch=epoch, epochs=self.epochs, **{**facts, **members})

    def checkpoint(self, epoch: int, batch: int = 0, *, best: bool = True, **members: Any) -> None:
        """The folder, the links and the event of a checkpoint."""
        name = f"epoch-{epoch:04}" + (f"-batch-{batch:04}" if batch else "")
        folder = self.directory / "checkpoints" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file in ("model.safetensors", "optimizer.safetensors", "state.json"):
            (folder / file).touch()
        for link in ("latest", "best") if best else ("latest",):
            self.link(link, f"checkpoints/{name}")
        facts = {"path": f"checkpoints/{name}", "best": best, "seconds": 0.01}
        self.event("checkpoint", epoch=epoch, batch=batch, **{**facts, **members})

    def link(self, name: str, target: str) -> None:
        link = self.directory / name
        if link.is_symlink():
            link.unlink()
        link.symlink_to(target)

    def change(self, epoch: int, batch: int, rate: float) -> None:
        self.event("learning_rate", epoch=epoch, batch=batch, learning_rate=rate)

    def message(self, text: str, level: str = "info") -> None:
        self.event("message", level=level, text=text)

    def end(self, reason: str = "done", epoch: int | None = None, batch: int = 0, **members: Any) -> None:
        epoch = self.epochs if epoch is None else epoch
        self.event("end", reason=reason, epoch=epoch, batch=batch, best_epoch=epoch, seconds=9.0, **members)

    def whole(self, reason: str = "done") -> RunWriter:
        """All events of a run that went well: 3 + 3 for each epoch + 1."""
        self.start()
        for epoch in range(1, self.epochs + 1):
            self.batch(epoch, 5)
            self.epoch(epoch)
            self.checkpoint(epoch)
        self.end(reason)
        return self
