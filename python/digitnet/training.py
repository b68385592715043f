"""Training from Python: the C++ trainer with defaults, a validation share and a progress line."""

from __future__ import annotations

import sys
from collections.abc import Callable
from contextlib import nullcontext
from typing import TYPE_CHECKING, TextIO

from digitnet import _core
from digitnet._core import ArgumentError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from digitnet._core import (
        BatchReport,
        Dataset,
        EpochReport,
        History,
        Network,
        Optimizer,
        StopFlag,
    )

    OnBatch = Callable[[BatchReport], object]
    OnEpoch = Callable[[EpochReport], object]


def train(
    network: Network,
    data: Dataset,
    *,
    validation: float | Dataset | None = None,
    epochs: int = 10,
    batch_size: int = 128,
    optimizer: Optimizer | None = None,
    schedule: Callable[[float], float] | None = None,
    seed: int = 0,
    threads: int = 0,
    shuffle: bool = True,
    stop_below_loss: float = 0.0,
    progress: bool = False,
    on_batch: OnBatch | None = None,
    on_epoch: OnEpoch | None = None,
    stop: StopFlag | None = None,
) -> History:
    """Train a network in place.

    The same arguments give the same bits, for any number of threads. Ctrl-C ends the training after
    the batch in work with a KeyboardInterrupt; the network then keeps what it has learned.

    Args:
        network: what to train.
        data: samples to learn from.
        validation: a share of data, in (0, 1), drawn with the seed and set aside; or a Dataset. It is
            looked at after each epoch and never learned from.
        epochs: times that each sample is met, at least 1.
        batch_size: samples a step, at least 1.
        optimizer: the rule of the steps; None takes Adam().
        schedule: function from progress in (0, 1) to a factor on the learning rate, such as
            cosine_schedule(); None keeps it constant.
        seed: of the share set aside and of the order of the samples.
        threads: how many to use; 0 takes default_threads().
        shuffle: whether each epoch has an order of its own.
        stop_below_loss: ends after the first epoch whose mean training loss is below; 0 never does.
        progress: whether to write a line for each epoch to stderr, with a bar if that is a terminal.
        on_batch: called with a BatchReport after each batch.
        on_epoch: called with an EpochReport after each epoch; what it raises ends the training.
        stop: asks to stop, from any thread.

    Returns:
        What happened, epoch by epoch, and why it ended.

    Raises:
        ArgumentError: if there are no samples, or an argument is out of range.
        ShapeError: if the samples do not have the network's number of inputs.
    """
    training, held_out = _split(data, validation, seed)
    with _progress(sys.stderr, epochs) if progress else nullcontext(Silent()) as show:

        def report_batch(report: BatchReport) -> None:
            show.batch(report)
            if on_batch is not None:
                on_batch(report)

        def report_epoch(report: EpochReport) -> None:
            show.epoch(report)
            if on_epoch is not None:
                on_epoch(report)

        return _core.train(
            network,
            training,
            held_out,
            _core.Adam() if optimizer is None else optimizer,
            epochs=epochs,
            batch_size=batch_size,
            threads=threads,
            shuffle=shuffle,
            stop_below_loss=stop_below_loss,
            schedule=schedule,
            seed=seed,
            # Calling Python after each batch takes time, so it is done only where somebody listens.
            on_batch=report_batch if on_batch is not None or show.wants_batches else None,
            on_epoch=report_epoch,
            stop=stop,
        )


def _split(data: Dataset, validation: float | Dataset | None, seed: int) -> tuple[Dataset, Dataset | None]:
    """The samples to learn from, and those to look at."""
    if validation is None or isinstance(validation, _core.Dataset):
        return data, validation
    if not 0 < validation < 1:
        msg = f"train: validation is {validation}, expected a share in (0, 1) or a Dataset"
        raise ArgumentError(msg)
    held_out, training = data.split(round(len(data) * validation), seed)
    return training, held_out


def epoch_line(report: EpochReport) -> str:
    """One line: "epoch  3/10: loss 0.0512, accuracy 98.41%, validation 0.0834, 97.80% (1.2 s)"."""
    line = f"epoch {report.epoch:{len(str(report.epochs))}}/{report.epochs}: "
    line += f"loss {report.training_loss:.4f}, accuracy {report.training_accuracy:.2%}"
    if report.validation_loss is not None:
        line += f", validation {report.validation_loss:.4f}, {report.validation_accuracy:.2%}"
    return line + f" ({report.seconds:.1f} s)"


class Silent:
    """Shows nothing."""

    wants_batches = False

    def batch(self, report: BatchReport) -> None:
        """Called after each batch."""

    def epoch(self, report: EpochReport) -> None:
        """Called after each epoch."""


class _Lines(Silent):
    """A line for each epoch, for files and pipes."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def epoch(self, report: EpochReport) -> None:
        print(epoch_line(report), file=self._stream, flush=True)


def _progress(stream: TextIO, epochs: int) -> AbstractContextManager[Silent]:
    """What shows progress on a stream: a bar on a terminal, else a line for each epoch."""
    if not stream.isatty():
        return nullcontext(_Lines(stream))
    from digitnet.progress import Bar  # rich takes a tenth of a second to import

    return Bar(stream, epochs)
