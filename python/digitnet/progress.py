"""A progress bar for trainings on a terminal."""

from __future__ import annotations

from typing import TYPE_CHECKING, TextIO

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeRemainingColumn

from digitnet.training import Silent, epoch_line

if TYPE_CHECKING:
    from types import TracebackType

    from digitnet._core import BatchReport, EpochReport


class Bar(Silent):
    """One bar for the whole training, with the running loss; above it a line for each epoch."""

    wants_batches = True

    def __init__(self, stream: TextIO, epochs: int) -> None:
        self._progress = Progress(
            TextColumn("epoch {task.fields[epoch]}"),
            BarColumn(),
            TextColumn("loss {task.fields[loss]:.4f}"),
            TimeRemainingColumn(),
            console=Console(file=stream, highlight=False),
            transient=True,
            refresh_per_second=10,
        )
        self._epochs = epochs
        self._task = self._progress.add_task("", total=None, epoch=1, loss=float("nan"))

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def batch(self, report: BatchReport) -> None:
        """Move on."""
        self._progress.update(
            self._task,
            total=self._epochs * report.batches,
            completed=(report.epoch - 1) * report.batches + report.batch,
            epoch=report.epoch,
            loss=report.loss,
        )

    def epoch(self, report: EpochReport) -> None:
        """Write the line of the epoch."""
        self._progress.console.print(epoch_line(report))
