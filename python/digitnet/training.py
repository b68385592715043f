"""Training from Python: the C++ trainer with defaults, a validation share and a progress line."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TextIO

from digitnet import _core, samples
from digitnet._arguments import nearest, require
from digitnet._core import ArgumentError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

    from digitnet._core import (
        Augmentation,
        BatchReport,
        Dataset,
        EarlyStopping,
        EpochReport,
        History,
        LearningRateChange,
        Network,
        Optimizer,
        ReduceOnPlateau,
        Schedule,
        StopFlag,
    )

    OnBatch = Callable[[BatchReport], object]
    OnEpoch = Callable[[EpochReport], object]

SCHEDULES = ("constant", "step", "exponential", "cosine", "one-cycle")
WARMUPS = {"cosine": 0.1, "one-cycle": 0.3}  # what make_schedule takes unless told; 0 for the others
AVERAGINGS = ("none", "ema", "swa")
METRICS = ("training_loss", "training_accuracy", "validation_loss", "validation_accuracy")
"""What early stopping, a plateau and the best checkpoint can go by."""


@dataclass(frozen=True)
class RunOptions:
    """Where a training is kept, and how. See docs/runs.md for what is in the folder.

    Args:
        directory: of the run; made if it is not there, and must not hold a run yet.
        checkpoint_every: epochs from one checkpoint to the next, at least 1.
        keep_last: newest checkpoints that are kept; 0 keeps all. The first and the best one stay.
        best_metric: by which the best one is chosen: training_loss, training_accuracy, validation_loss or
            validation_accuracy; None takes that of early stopping, else a loss.
        source: where the samples come from, kept in config.json; whatever JSON can say.
    """

    directory: str | os.PathLike[str]
    checkpoint_every: int = 1
    keep_last: int = 5
    best_metric: str | None = None
    source: Mapping[str, Any] | None = None


def train(
    network: Network,
    data: Dataset,
    *,
    validation: float | Dataset | None = None,
    epochs: int = 10,
    batch_size: int = 128,
    optimizer: Optimizer | str | None = None,
    schedule: Callable[[float], float] | str | None = None,
    seed: int = 0,
    threads: int = 0,
    shuffle: bool = True,
    stop_below_loss: float = 0.0,
    plateau: ReduceOnPlateau | None = None,
    plateau_metric: str = "validation_loss",
    learning_rate_changes: Sequence[LearningRateChange] = (),
    augmentation: Augmentation | str | bool | None = None,
    label_smoothing: float = 0.0,
    class_weights: Sequence[float] | None = None,
    sample_weights: Sequence[float] | None = None,
    l1: float = 0.0,
    l2: float = 0.0,
    max_norm: float = 0.0,
    input_dropout: float = 0.0,
    dropout: float = 0.0,
    batch_norm: bool = False,
    clip_norm: float = 0.0,
    clip_value: float = 0.0,
    averaging: str = "none",
    ema_decay: float = 0.999,
    swa_start: float = 0.75,
    early_stopping: EarlyStopping | None = None,
    statistics: bool = False,
    progress: bool = False,
    on_batch: OnBatch | None = None,
    on_epoch: OnEpoch | None = None,
    stop: StopFlag | None = None,
    run: RunOptions | str | os.PathLike[str] | None = None,
) -> History:
    """Train a network in place.

    The same arguments give the same bits, for any number of threads. Ctrl-C ends the training after
    the batch in work with a KeyboardInterrupt; the network then keeps what it has learned, and a run has a
    checkpoint of it.

    Args:
        network: what to train.
        data: samples to learn from.
        validation: a share of data, in (0, 1), drawn with the seed and set aside; or a Dataset. It is
            looked at after each epoch and never learned from.
        epochs: times that each sample is met, at least 1.
        batch_size: samples a step, at least 1.
        optimizer: the rule of the steps; or its name, one of OPTIMIZERS, for one with its
            default_learning_rate; None takes Adam().
        schedule: function from progress in (0, 1) to a factor on the learning rate, such as
            cosine_schedule(); or a name, one of SCHEDULES, as for make_schedule; None keeps it constant.
        seed: of the share set aside and of the order of the samples.
        threads: how many to use; 0 takes default_threads().
        shuffle: whether each epoch has an order of its own.
        stop_below_loss: ends after the first epoch whose mean training loss is below; 0 never does.
        plateau: makes the learning rate smaller when plateau_metric no longer gets better; beside schedule.
            Each training begins with a copy of it.
        plateau_metric: "training_loss", "training_accuracy", "validation_loss" or "validation_accuracy".
        learning_rate_changes: other learning rates from places known beforehand on, in their order; such as
            those of a History, to do again what was changed meanwhile.
        augmentation: changes each sample at random, anew in each epoch; an Augmentation, the name of one, of
            AUGMENTATIONS, or True for the defaults. Only for images of bytes. Losses and accuracies of
            training are those on the changed samples; validation is left as it is.
        label_smoothing: share of each target that is spread over all classes, in [0, 1).
        class_weights: how much the samples of each class count, at least 0; None counts all alike.
        sample_weights: likewise for each sample, multiplied by the weight of its class. Not with a share
            as validation.
        l1: adds l1 * sum |w| to the loss, over weights but not biases.
        l2: adds l2 / 2 * sum w^2 to the loss, likewise.
        max_norm: the largest norm that the weights of one unit may have after a step; 0 is any.
        input_dropout: share of the inputs that each step leaves out at random, in [0, 1).
        dropout: likewise, of the units of each hidden layer (Srivastava et al. 2014).
        batch_norm: normalise the hidden layers over the batch (Ioffe and Szegedy 2015); folded into the
            weights after each epoch, so the network stays one of dense layers.
        clip_norm: the largest norm of all gradients together; larger ones are scaled down. 0 is any.
        clip_value: the largest size of each gradient; 0 is any.
        averaging: which weights the network gets: "none", those of the last step; "ema", their exponential
            moving average; "swa", their mean over the last epochs.
        ema_decay: share of the moving average that a step keeps at the most, in [0, 1).
        swa_start: share of the epochs before the mean begins, in [0, 1).
        early_stopping: ends a training that no longer gets better; None goes through all epochs.
        statistics: whether reports have gradient norms and what each layer was like.
        progress: whether to write a line for each epoch to stderr, with a bar if that is a terminal.
        on_batch: called with a BatchReport after each batch.
        on_epoch: called with an EpochReport after each epoch; what it raises ends the training.
        stop: asks to stop, from any thread.
        run: the folder to keep the training in, with its events and checkpoints (RunOptions says more); None
            keeps nothing. See resume.

    Returns:
        What happened, epoch by epoch, and why it ended.

    Raises:
        ArgumentError: if there are no samples, an argument is out of range, or a name is unknown; or if the
            folder holds a run already, or the schedule is a function of your own.
        IoError: if a file of the run cannot be written.
        ShapeError: if the samples do not have the network's number of inputs.
        TypeError: if an argument is of another type.
    """
    require("train", "network", "digitnet._core.Network", network)
    require("train", "data", "digitnet._core.Dataset", data)
    require("train", "validation", "float | digitnet._core.Dataset | None", validation)
    require("train", "optimizer", "digitnet._core.Optimizer | str | None", optimizer)
    require("train", "schedule", "collections.abc.Callable | str | None", schedule)
    require("train", "augmentation", "digitnet._core.Augmentation | str | bool | None", augmentation)
    require("train", "on_batch", "collections.abc.Callable | None", on_batch)
    require("train", "on_epoch", "collections.abc.Callable | None", on_epoch)
    if isinstance(optimizer, str):
        try:
            optimizer = _core.make_optimizer(optimizer)
        except ArgumentError as error:
            msg = f"train: {error}"
            raise ArgumentError(msg) from None
    if isinstance(schedule, str):
        schedule = _named_schedule("train", schedule)
    elif schedule is not None and not isinstance(schedule, _core.Schedule):
        schedule = _core.Schedule(schedule)
    if sample_weights is not None and isinstance(validation, float):
        msg = "train: sample_weights with a share as validation, expected a Dataset: which sample is which?"
        raise ArgumentError(msg)
    training, held_out = _split(data, validation, seed)
    options = _core.TrainingOptions()
    options.epochs = epochs
    options.batch_size = batch_size
    options.threads = threads
    options.shuffle = shuffle
    options.stop_below_loss = stop_below_loss
    options.plateau = plateau
    options.plateau_metric = plateau_metric
    options.learning_rate_changes = list(learning_rate_changes)
    options.augmentation = _named_augmentation(augmentation)
    options.label_smoothing = label_smoothing
    options.class_weights = [] if class_weights is None else class_weights
    options.sample_weights = [] if sample_weights is None else sample_weights
    options.l1 = l1
    options.l2 = l2
    options.max_norm = max_norm
    options.input_dropout = input_dropout
    options.dropout = dropout
    options.batch_norm = batch_norm
    options.clip_norm = clip_norm
    options.clip_value = clip_value
    options.averaging = averaging
    options.ema_decay = ema_decay
    options.swa_start = swa_start
    options.early_stopping = early_stopping
    options.statistics = statistics
    rule = _core.Adam() if optimizer is None else optimizer
    with _progress(sys.stderr, epochs) if progress else nullcontext(Silent()) as show:
        report_batch, report_epoch = _reports(show, on_batch, on_epoch)
        others: dict[str, Any] = {
            "schedule": schedule,
            "seed": seed,
            "on_batch": report_batch,
            "on_epoch": report_epoch,
            "stop": stop,
        }
        if run is None:
            return _core.train(network, training, held_out, rule, options, **others)
        kept = run if isinstance(run, RunOptions) else RunOptions(run)
        share = validation if isinstance(validation, float) else None
        return _core.train_run(
            Path(kept.directory),
            network,
            training,
            held_out,
            rule,
            options,
            **others,
            checkpoint_every=kept.checkpoint_every,
            keep_last=kept.keep_last,
            best_metric=kept.best_metric,
            source=json.dumps({**(kept.source or {}), "validation": share}),
        )


def resume(
    directory: str | os.PathLike[str],
    data: Dataset | None = None,
    validation: Dataset | None = None,
    *,
    threads: int = 0,
    progress: bool = False,
    on_batch: OnBatch | None = None,
    on_epoch: OnEpoch | None = None,
    stop: StopFlag | None = None,
) -> tuple[Network, History]:
    """Go on with a run from its newest checkpoint, to the very bits it would have reached without a break.

    A run that has come to its end is left as it is.

    Args:
        directory: of the run.
        data: what train was given; None loads it, if the run says from where, as those of the command line
            do.
        validation: the Dataset that train was given, if it was one; a share is taken from data again.
        threads: how many to use; 0 takes default_threads().
        progress: as for train.
        on_batch: called with a BatchReport after each batch.
        on_epoch: called with an EpochReport after each epoch.
        stop: asks to stop, from any thread.

    Returns:
        The network, and what happened, from the first epoch on.

    Raises:
        ArgumentError: if the samples are others than those the run began with, or another process trains in
            the folder.
        FormatError: if a file of the run is damaged.
        IoError: if there is no such run, or a file cannot be read or written.
    """
    from digitnet.runs import Run  # not needed to train

    config = Run(directory).config
    source = config["data"]["source"] or {}
    if data is None:
        data = samples.from_source(source, f"resume: {directory}")
    share = source.get("validation")
    training, held_out = _split(data, share if validation is None else validation, config["seed"])
    epochs = config["training"]["epochs"]
    with _progress(sys.stderr, epochs) if progress else nullcontext(Silent()) as show:
        report_batch, report_epoch = _reports(show, on_batch, on_epoch)
        return _core.resume_run(
            Path(directory),
            training,
            held_out,
            threads=threads,
            on_batch=report_batch,
            on_epoch=report_epoch,
            stop=stop,
        )


def _reports(
    show: Silent, on_batch: OnBatch | None, on_epoch: OnEpoch | None
) -> tuple[OnBatch | None, OnEpoch]:
    """What is called with each report: for the progress, and for whoever else listens."""

    def report_batch(report: BatchReport) -> None:
        show.batch(report)
        if on_batch is not None:
            on_batch(report)

    def report_epoch(report: EpochReport) -> None:
        show.epoch(report)
        if on_epoch is not None:
            on_epoch(report)

    # Calling Python after each batch takes time, so it is done only where somebody listens.
    return report_batch if on_batch is not None or show.wants_batches else None, report_epoch


def make_schedule(name: str, warmup: float | None = None) -> Schedule:
    """The schedule of a name, as on the command line.

    Args:
        name: one of SCHEDULES: constant; step, a tenth from half of the training on and again from three
            quarters; exponential, to a hundredth; cosine, to 0; one-cycle, up and down to almost 0.
        warmup: share of the training in which the rate rises at first, in [0, 1), above 0 for one-cycle; None
            takes 0.1 for cosine, 0.3 for one-cycle, else 0.

    Raises:
        ArgumentError: if there is no such schedule, or the share is out of range.
    """
    require("make_schedule", "name", "str", name)
    require("make_schedule", "warmup", "float | None", warmup)
    return _named_schedule("make_schedule", name, warmup)


def _named_schedule(where: str, name: str, warmup: float | None = None) -> Schedule:
    if name not in SCHEDULES:
        near = nearest(name, SCHEDULES, quote='"')
        msg = f'{where}: schedule "{name[:40]}", expected one of {", ".join(SCHEDULES)}{near}'
        raise ArgumentError(msg)
    share = WARMUPS.get(name, 0.0) if warmup is None else warmup
    if name == "cosine":
        return _core.cosine_schedule(share)
    if name == "one-cycle":
        return _core.one_cycle_schedule(share)
    if name == "step":
        plain = _core.step_schedule([0.5, 0.75])
    elif name == "exponential":
        plain = _core.exponential_schedule()
    else:
        plain = _core.constant_schedule()
    return _core.with_warmup(plain, share)


def _named_augmentation(augmentation: Augmentation | str | bool | None) -> Augmentation | None:
    if isinstance(augmentation, str):
        try:
            return _core.Augmentation.named(augmentation)
        except ArgumentError as error:
            msg = str(error).replace("Augmentation: name", "train: augmentation", 1)
            raise ArgumentError(msg) from None
    if isinstance(augmentation, bool):
        return _core.Augmentation() if augmentation else None
    return augmentation


def _split(data: Dataset, validation: float | Dataset | None, seed: int) -> tuple[Dataset, Dataset | None]:
    """The samples to learn from, and those to look at."""
    if validation is None or isinstance(validation, _core.Dataset):
        return data, validation
    if not 0 < validation < 1:
        msg = f"train: validation is {validation}, expected a share in (0, 1) or a Dataset"
        raise ArgumentError(msg)
    count = round(len(data) * validation)
    if not 0 < count < len(data):
        which = "none" if count == 0 else "all"
        msg = f"train: validation is {validation:g} of {len(data)} samples, which is {which} of them"
        msg += ", expected a share that leaves some on both sides"
        raise ArgumentError(msg)
    held_out, training = data.split(count, seed)
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
