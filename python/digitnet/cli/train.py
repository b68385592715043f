"""Train a network on a data set, or by a recipe, save it, and measure it once on the test set."""

from __future__ import annotations

import argparse
import json
import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.cli.common import (
    DEFAULT_MODEL,
    FAILED,
    INTERRUPTED,
    USAGE,
    CommandError,
    add_data_options,
    add_json_option,
    load_data,
    number,
    place,
    second_interrupt_leaves,
    tell,
    unwritable,
    whole,
)
from digitnet.samples import with_strokes
from digitnet.training import AVERAGINGS, METRICS, WARMUPS

if TYPE_CHECKING:
    from collections.abc import Sequence

# The recipe of examples/cpp/train_mnist.cpp; a test compares the two.
HIDDEN = "256"
OPTIMIZER = "adamw"
WEIGHT_DECAY = 0.05  # of adamw; the others have none unless told
SCHEDULE = "cosine"
EPOCHS = 10
BATCH_SIZE = 128
VALIDATION = 0.1
SEED = 1

# Arguments of dn.train that a number alone says; 0 and no are their defaults.
TOOLS = [
    "dropout",
    "input_dropout",
    "batch_norm",
    "label_smoothing",
    "l1",
    "l2",
    "max_norm",
    "clip_norm",
    "clip_value",
]


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add_data_options(parser)
    recipe = "how to train, from a recipe: recognizer (the model that comes with digitnet, for MNIST and pen "
    recipe += "strokes), record (a larger one, for MNIST alone), or a .json file of the same form; goes with "
    recipe += "options of data, threads and result alone"
    parser.add_argument("--recipe", metavar="NAME", help=recipe)
    strokes = "files of pen strokes with labels; their drawings are added to the training set"
    parser.add_argument("--strokes", nargs="+", default=[], metavar="FILE", help=strokes)
    _add_main_options(parser)
    _add_optimizer_options(parser.add_argument_group("optimizer"))
    _add_regularization_options(parser.add_argument_group("against learning by heart"))
    _add_step_options(parser.add_argument_group("steps and averages of weights"))
    _add_progress_options(parser.add_argument_group("when it no longer gets better"))
    _add_result_options(parser.add_argument_group("result"))

    parser.set_defaults(default_of=parser.get_default)


def _add_result_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    run = "folder to keep the training in, with its events and checkpoints: digitnet watch shows it, "
    run += "digitnet resume goes on with it; of a recipe, each part has a run of its own in it, and the same "
    run += "command goes on"
    add("--run", type=place, metavar="DIR", help=run)
    every = "with --run: epochs from one checkpoint to the next (default: 1)"
    add("--checkpoint-every", type=whole(1), metavar="N", help=every)
    kept = "with --run: newest checkpoints that are kept, besides the first and the best; 0 keeps all "
    kept += "(default: 5)"
    add("--keep-checkpoints", type=whole(0), metavar="N", help=kept)
    output = "model file to write (default: %(default)s)"
    add("--output", type=place, default=DEFAULT_MODEL, metavar="FILE", help=output)
    add_json_option(group)
    add("--quiet", action="store_true", help="show no progress")


def _add_main_options(parser: argparse.ArgumentParser) -> None:
    add = parser.add_argument
    hidden = "units of each hidden layer, or none (default: %(default)s)"
    add("--hidden", type=_hidden, default=HIDDEN, metavar="UNITS[,UNITS...]", help=hidden)
    names = [name for name in dn.ACTIVATIONS if name != "softmax"]
    activation = "of the hidden layers: %(choices)s (default: %(default)s)"
    add("--activation", choices=names, default="relu", metavar="NAME", help=activation)
    epochs = "times that every sample is met (default: %(default)s)"
    add("--epochs", type=whole(1), default=EPOCHS, metavar="N", help=epochs)
    batch_size = "samples a step (default: %(default)s)"
    add("--batch-size", type=whole(1), default=BATCH_SIZE, metavar="N", help=batch_size)
    validation = "share of the training set to look at and not learn from (default: %(default)s)"
    add("--validation", type=number(below=1), default=VALIDATION, metavar="SHARE", help=validation)
    seed = "the same seed gives the same file (default: %(default)s)"
    add("--seed", type=whole(0), default=SEED, metavar="N", help=seed)
    threads = "0 takes all processors; the file is the same for any number (default: %(default)s)"
    add("--threads", type=whole(0, 256), default=0, metavar="N", help=threads)


def _add_optimizer_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    optimizer = "%(choices)s (default: %(default)s)"
    add("--optimizer", choices=list(dn.OPTIMIZERS), default=OPTIMIZER, metavar="NAME", help=optimizer)
    rates = ", ".join(f"{dn.default_learning_rate(name):g} for {name}" for name in dn.OPTIMIZERS)
    add("--learning-rate", type=number(), metavar="RATE", help=f"at its highest (default: {rates})")
    change = "another rate after so many whole epochs and batches of the next; again for more, in order"
    metavar = "EPOCHS:BATCHES:RATE"
    add("--learning-rate-change", type=_change, action="append", metavar=metavar, help=change)
    decay = f"share of the rate by which weights shrink a step (default: {WEIGHT_DECAY:g} for adamw, else 0)"
    add("--weight-decay", type=number(), metavar="DECAY", help=decay)
    schedule = (
        "of the learning rate: constant; step, a tenth from half of the training on and again from three "
        "quarters; exponential, to a hundredth; cosine, to 0; one-cycle, up and down to almost 0 "
        "(default: %(default)s)"
    )
    add("--schedule", choices=list(dn.SCHEDULES), default=SCHEDULE, metavar="NAME", help=schedule)
    shares = ", ".join(f"{share:g} for {name}" for name, share in WARMUPS.items())
    warmup = f"share of the training in which the rate rises at first (default: {shares}, else 0)"
    add("--warmup", type=number(below=1), metavar="SHARE", help=warmup)


def _add_regularization_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    augment = (
        "turn, scale, slant, move and bend each image a little at random, anew in each epoch: "
        "%(choices)s (default: %(default)s)"
    )
    add("--augment", choices=list(dn.AUGMENTATIONS), default="none", metavar="NAME", help=augment)
    share = number(below=1)
    dropout = "share of the units of each hidden layer that a step leaves out (default: 0)"
    add("--dropout", type=share, default=0.0, metavar="SHARE", help=dropout)
    add(
        "--input-dropout",
        type=share,
        default=0.0,
        metavar="SHARE",
        help="likewise of the inputs (default: 0)",
    )
    norm = "normalise the hidden layers over each batch; the model stays one of dense layers"
    add("--batch-norm", action="store_true", help=norm)
    smoothing = "share of each target that is spread over all classes (default: 0)"
    add("--label-smoothing", type=share, default=0.0, metavar="SHARE", help=smoothing)
    add("--l1", type=number(), default=0.0, metavar="X", help="adds X * sum |w| to the loss (default: 0)")
    add("--l2", type=number(), default=0.0, metavar="X", help="adds X / 2 * sum w^2 to the loss (default: 0)")
    largest = "largest norm of the weights of one unit; 0 is any (default: 0)"
    add("--max-norm", type=number(), default=0.0, metavar="X", help=largest)


def _add_step_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    norm = "largest norm of all gradients together; 0 is any (default: 0)"
    add("--clip-norm", type=number(), default=0.0, metavar="X", help=norm)
    value = "largest size of each gradient; 0 is any (default: 0)"
    add("--clip-value", type=number(), default=0.0, metavar="X", help=value)
    averaging = (
        "which weights the model gets: none, those of the last step; ema, their moving average; swa, their "
        "mean over the last epochs (default: none)"
    )
    add("--averaging", choices=AVERAGINGS, default="none", metavar="NAME", help=averaging)
    decay = "with ema: share of the average that a step keeps at the most (default: 0.999)"
    add("--ema-decay", type=number(below=1), metavar="SHARE", help=decay)
    start = "with swa: share of the epochs before the mean begins (default: 0.75)"
    add("--swa-start", type=number(below=1), metavar="SHARE", help=start)


def _add_progress_options(group: argparse._ArgumentGroup) -> None:
    add = group.add_argument
    stopping = "end after N epochs in a row without progress, and keep the network of the best one"
    add("--early-stopping", type=whole(1), metavar="N", help=stopping)
    watched = f"what is watched: {', '.join(METRICS)} (default: validation_loss)"
    add("--early-stopping-metric", choices=METRICS, metavar="NAME", help=watched)
    plateau = "lower the learning rate when more than N epochs in a row bring no progress"
    add("--plateau", type=whole(0), metavar="N", help=plateau)
    factor = "what it is multiplied by then, in (0, 1) (default: 0.1)"
    add("--plateau-factor", type=number(below=1), metavar="X", help=factor)
    add("--plateau-metric", choices=METRICS, metavar="NAME", help="likewise (default: validation_loss)")


def _hidden(word: str) -> list[int]:
    """Units of each hidden layer: "256,128", or "none"."""
    return [] if word == "none" else [whole(1, 2**20)(part) for part in word.split(",")]


def _change(word: str) -> dn.LearningRateChange:
    """A place in a training and the rate from there on: "2:13:0.0005"."""
    parts = word.split(":")
    if len(parts) != 3:
        msg = f"'{word}', expected EPOCHS:BATCHES:RATE, such as 2:13:0.0005"
        raise argparse.ArgumentTypeError(msg)
    return dn.LearningRateChange(whole(0)(parts[0]), whole(0)(parts[1]), number()(parts[2]))


def run(options: argparse.Namespace) -> int:
    """Train, measure, save, report."""
    if options.recipe is not None:
        return _follow_recipe(options)
    optimizer = _optimizer(options)
    schedule = _schedule(options)
    tools = _tools(options)
    require_writable("train", options.output)
    data = load_data(options)
    training = _with_strokes(data.train, options.strokes)
    network = _network(options, training)
    provenance = _provenance(options, optimizer, training)
    started = time.perf_counter()
    reports, history = _train(
        network, training, optimizer, schedule, {**tools, "run": _run(options, provenance)}, options
    )
    seconds = time.perf_counter() - started
    return conclude(network, data.test, reports, history, len(training), seconds, provenance, options)


def conclude(
    network: dn.Network,
    test_data: dn.Dataset,
    reports: Sequence[dn.EpochReport],
    history: dn.History | None,
    samples: int,
    seconds: float,
    provenance: dict[str, Any],
    options: argparse.Namespace,
) -> int:
    """Measure what was trained, save it, report. Without a history the training was interrupted."""
    test = None if history is None else network.evaluate(test_data, options.threads)
    kept = reports[-1] if history is None or history.best_epoch == 0 else reports[history.best_epoch - 1]
    provenance = {**provenance, "validation_accuracy": kept.validation_accuracy}
    if history is not None and history.best_epoch > 0:
        provenance["best_epoch"] = history.best_epoch
        if not options.quiet and kept.epoch < kept.epochs:
            ended = f"ended after epoch {len(reports)} of {kept.epochs}"
            tell(f"{ended}; epoch {kept.epoch} is what is kept")
    if history is not None and history.learning_rate_changes:
        provenance["learning_rate_changes"] = [
            {"epoch": change.epoch, "batch": change.batch, "learning_rate": change.learning_rate}
            for change in history.learning_rate_changes
        ]
    if test is None:
        provenance["interrupted_after_epoch"] = len(reports)
    else:
        provenance["test_accuracy"] = test.accuracy
    network.metadata = {"provenance": json.dumps(provenance)}
    _save(network, options.output)
    if test is None:
        tell(f"interrupted after epoch {len(reports)} of {kept.epochs}; saved as {options.output}")
        return INTERRUPTED

    if options.json:
        result = {
            "model": options.output,
            "training_samples": samples,
            "training_seconds": seconds,
            "parameters": network.parameter_count,
            "test_loss": test.loss,
            **provenance,
            "history": [_epoch(report) for report in reports],
        }
        print(json.dumps(result))
    else:
        _report(samples, seconds, test.accuracy, options.output)
    return 0


def _save(network: dn.Network, output: str, precision: str = "full") -> None:
    try:
        network.save(output, precision=precision)
    except dn.IoError as error:
        raise CommandError(FAILED, str(error)) from None


def _report(samples: int, seconds: float, accuracy: float, output: str) -> None:
    print(f"training samples: {samples}")
    print(f"training time: {seconds:.2f} s")
    print(f"test accuracy: {accuracy:.4f}")
    print(f"model: {output}")


def _follow_recipe(options: argparse.Namespace) -> int:
    """Make a network by a recipe, measure it once on MNIST's test set, save it."""
    from digitnet import recipes  # has much to import

    allowed = ("command", "data", "recipe", "run", "threads", "output", "json", "quiet", "default_of")
    for name, value in vars(options).items():
        default = options.default_of(name)
        if name not in allowed and value != (_hidden(default) if name == "hidden" else default):
            flag = "--" + name.replace("_", "-")
            raise CommandError(
                USAGE, f"{flag} with --recipe, expected one of them: the recipe says what it is"
            )
    try:
        recipe = recipes.load(options.recipe)
    except dn.ArgumentError as error:
        raise CommandError(USAGE, f"train: {error}") from None
    require_writable("train", options.output)
    test = dn.load_mnist(options.data).test  # before the training, so that a missing file is told at once
    started = time.perf_counter()
    try:
        network = recipes.make(
            recipe, options.data, threads=options.threads, progress=not options.quiet, run=options.run
        )
    except dn.ArgumentError as error:  # of a folder that holds something else
        raise CommandError(USAGE, f"train: {error}") from None
    except KeyboardInterrupt:
        how = "no model is written" if options.run is None else "go on with the same command"
        raise CommandError(INTERRUPTED, f"interrupted; {how}") from None
    seconds = time.perf_counter() - started
    accuracy = network.evaluate(test, options.threads).accuracy
    provenance = {**json.loads(network.metadata["provenance"]), "test_accuracy": accuracy}
    network.metadata = {**network.metadata, "provenance": json.dumps(provenance)}
    _save(network, options.output, recipe["precision"])
    if options.json:
        result = {"model": options.output, "training_seconds": seconds, "parameters": network.parameter_count}
        print(json.dumps({**result, **provenance}))
    else:
        _report(provenance["training_samples"], seconds, accuracy, options.output)
    return 0


def _train(
    network: dn.Network,
    data: dn.Dataset,
    optimizer: dn.Optimizer,
    schedule: dn.Schedule,
    tools: dict[str, Any],
    options: argparse.Namespace,
) -> tuple[list[dn.EpochReport], dn.History | None]:
    """A report of each epoch, at least one, and the history; none if Ctrl-C ended the training."""
    reports: list[dn.EpochReport] = []
    if options.run is not None:
        second_interrupt_leaves()
    try:
        history = dn.train(
            network,
            data,
            validation=options.validation or None,
            epochs=options.epochs,
            batch_size=options.batch_size,
            optimizer=optimizer,
            schedule=schedule,
            seed=options.seed,
            threads=options.threads,
            progress=not options.quiet,
            on_epoch=reports.append,
            **tools,
        )
    except dn.ArgumentError as error:
        raise CommandError(USAGE, str(error)) from None
    except dn.IoError as error:  # of the run that is written, for the data are read by now
        raise CommandError(FAILED, str(error)) from None
    except KeyboardInterrupt:
        if options.run is not None:
            raise CommandError(
                INTERRUPTED, f"interrupted; go on with: digitnet resume {shlex.quote(options.run)}"
            ) from None
        if not reports:
            raise CommandError(INTERRUPTED, "interrupted in the first epoch; no model is written") from None
        return reports, None
    if history.reason == "stopped":  # by Run.request_stop
        raise CommandError(INTERRUPTED, f"stopped; go on with: digitnet resume {shlex.quote(options.run)}")
    if history.reason == "diverged":
        raise CommandError(
            FAILED,
            f"train: diverged in epoch {len(reports) + 1}: the loss is not finite; no model is written; "
            f"try --learning-rate below {optimizer.learning_rate:g}",
        )
    return reports, history


def _with_strokes(data: dn.Dataset, files: list[str]) -> dn.Dataset:
    """A training set and behind it the drawings of stroke files, as images."""
    try:
        return with_strokes(data, files)
    except dn.ArgumentError as error:
        raise CommandError(USAGE, f"--{error}") from None


def _optimizer(options: argparse.Namespace) -> dn.Optimizer:
    optimizer = dn.make_optimizer(options.optimizer, options.learning_rate)
    default = WEIGHT_DECAY if options.optimizer == "adamw" else 0.0
    optimizer.weight_decay = default if options.weight_decay is None else options.weight_decay
    return optimizer


def _warmup(options: argparse.Namespace) -> float:
    """Share of the training in which the rate rises at first."""
    warmup: float | None = options.warmup
    return WARMUPS.get(options.schedule, 0.0) if warmup is None else warmup


def _schedule(options: argparse.Namespace) -> dn.Schedule:
    if options.schedule == "one-cycle" and options.warmup == 0:
        raise CommandError(USAGE, "--warmup 0 with --schedule one-cycle, expected more than 0")
    return dn.make_schedule(options.schedule, options.warmup)


def _tools(options: argparse.Namespace) -> dict[str, Any]:
    """The other arguments of dn.train that differ from its defaults, by name."""
    tools: dict[str, Any] = {name: getattr(options, name) for name in TOOLS if getattr(options, name)}
    if options.learning_rate_change is not None:
        tools["learning_rate_changes"] = options.learning_rate_change
    if options.augment != "none":
        tools["augmentation"] = options.augment
    if options.averaging != "none":
        tools["averaging"] = options.averaging
    for name, partner in (("ema_decay", "ema"), ("swa_start", "swa")):
        value = getattr(options, name)
        if value is not None and options.averaging != partner:
            raise CommandError(
                USAGE, f"--{name.replace('_', '-')} without --averaging {partner}, expected both"
            )
        if value is not None:
            tools[name] = value
    for name in ("early-stopping-metric", "plateau-metric", "plateau-factor"):
        partner = name.rpartition("-")[0]
        if _given(options, name) is not None and _given(options, partner) is None:
            raise CommandError(USAGE, f"--{name} without --{partner} N, expected both")
    for name in ("early-stopping", "plateau"):
        metric = _given(options, f"{name}-metric") or "validation_loss"
        if _given(options, name) is not None and options.validation == 0 and metric.startswith("validation"):
            hint = f"expected a share, or --{name}-metric training_loss"
            raise CommandError(USAGE, f"--{name} watches {metric}, and --validation is 0, {hint}")
    if options.early_stopping is not None:
        watched = options.early_stopping_metric or "validation_loss"
        tools["early_stopping"] = dn.EarlyStopping(watched, options.early_stopping)
    if options.plateau is not None:
        if options.plateau_factor == 0:
            raise CommandError(USAGE, "--plateau-factor is 0, expected more than 0 and less than 1")
        tools["plateau"] = dn.ReduceOnPlateau(options.plateau_factor or 0.1, options.plateau)
        tools["plateau_metric"] = options.plateau_metric or "validation_loss"
    return tools


def _given(options: argparse.Namespace, name: str) -> Any:  # noqa: ANN401
    return getattr(options, name.replace("-", "_"))


def _run(options: argparse.Namespace, provenance: dict[str, Any]) -> dn.RunOptions | None:
    """Where the training is kept, if it is to be."""
    for name in ("checkpoint-every", "keep-checkpoints"):
        if _given(options, name) is not None and options.run is None:
            raise CommandError(USAGE, f"--{name} without --run DIR, expected both")
    if options.run is None:
        return None
    every, kept = options.checkpoint_every, options.keep_checkpoints
    directory = None if options.data is None else str(Path(options.data).resolve())
    source = {
        "name": options.name,
        "directory": directory,
        "strokes": [str(Path(file).resolve()) for file in options.strokes],
        "output": str(Path(options.output).resolve()),
        "provenance": provenance,
    }
    return dn.RunOptions(
        options.run, 1 if every is None else every, 5 if kept is None else kept, source=source
    )


def _network(options: argparse.Namespace, data: dn.Dataset) -> dn.Network:
    sizes = [data.inputs, *options.hidden, data.classes]
    try:
        return dn.Network(sizes, activation=options.activation, seed=options.seed)
    except dn.ArgumentError as error:  # too many layers
        raise CommandError(USAGE, str(error)) from None


def require_writable(command: str, output: str) -> None:
    """Says before a training, not after it, that its result cannot be kept."""
    folder = Path(output).parent
    if Path(output).is_dir():
        problem = "is a folder, expected the name of a file to write"
    elif Path(output).exists() and not Path(output).is_file():
        problem = "is no plain file, expected the name of a file to write"
    elif not folder.is_dir():
        problem = f"there is no folder {folder}"
    elif reason := unwritable(folder):
        problem = f"the folder {folder} cannot be written: {reason}"
    else:
        return
    raise CommandError(FAILED, f"{command}: --output {output}: {problem}")


def _provenance(options: argparse.Namespace, optimizer: dn.Optimizer, data: dn.Dataset) -> dict[str, Any]:
    """Where a model comes from, but for what it came to; the same when it is done again."""
    chosen: dict[str, Any] = {
        "hidden": options.hidden,
        "activation": options.activation,
        "optimizer": options.optimizer,
        "learning_rate": optimizer.learning_rate,
        "schedule": options.schedule,
        "epochs": options.epochs,
        "batch_size": options.batch_size,
        "validation": options.validation,
    }
    if options.strokes:
        chosen["strokes"] = [Path(file).name for file in options.strokes]
    if _warmup(options) > 0:
        chosen["warmup"] = _warmup(options)
    if optimizer.weight_decay > 0:
        chosen["weight_decay"] = optimizer.weight_decay
    if isinstance(optimizer, dn.Sgd) and optimizer.momentum > 0:
        chosen["momentum"] = optimizer.momentum
    others = ("early_stopping_metric", "plateau_factor", "plateau_metric", "ema_decay", "swa_start")
    chosen |= {name: getattr(options, name) for name in TOOLS if getattr(options, name)}
    if options.augment != "none":
        chosen["augmentation"] = options.augment
    if options.averaging != "none":
        chosen["averaging"] = options.averaging
    for name in ("early_stopping", "plateau", *others):
        if getattr(options, name) is not None:
            chosen[name] = getattr(options, name)
    return {
        "digitnet": dn.__version__,
        "data": options.name,
        "data_sha256": data.fingerprint(),
        "seed": options.seed,
        "options": chosen,
    }


def _epoch(report: dn.EpochReport) -> dict[str, float | None]:
    return {
        "epoch": report.epoch,
        "training_loss": report.training_loss,
        "training_accuracy": report.training_accuracy,
        "validation_loss": report.validation_loss,
        "validation_accuracy": report.validation_accuracy,
    }
