"""A training as a program in Python."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.web.services.commands.config import EARLY_STOPPING, PLATEAU, SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digitnet.web.services.commands.config import Schedule, Training


def lines(training: Training) -> list[str]:
    """The program, line by line."""
    samples = "training" if training.strokes else "mnist.train"
    return [
        "import digitnet as dn",
        *(["from digitnet.samples import with_strokes"] if training.strokes else []),
        "",
        *_data(training),
        _network(training),
        "history = dn.train(",
        "    net,",
        f"    {samples},",
        *(f"    {name}={value}," for name, value in _arguments(training).items()),
        "    progress=True,",
        ")",
        "print(net.evaluate(mnist.test).accuracy)",
        'net.save("model.safetensors")',
    ]


def _data(training: Training) -> list[str]:
    if training.data != "mnist":
        where = [repr(training.directory), repr(training.data)]
    else:
        where = [] if training.directory is None else [repr(training.directory)]
    loaded = [f"mnist = dn.load_mnist({', '.join(where)})"]
    if training.strokes:
        loaded.append(f"training = with_strokes(mnist.train, {training.strokes!r})")
    return loaded


def _network(training: Training) -> str:
    kinds = training.activations
    kind = kinds[0] if len(set(kinds)) == 1 else kinds or "relu"
    return f"net = dn.Network({training.sizes}, activation={kind!r}, seed={training.seed})"


def _arguments(training: Training) -> dict[str, str]:
    """What dn.train is given by name, in its order, as Python."""
    arguments: dict[str, str] = {}
    if training.validation:
        arguments["validation"] = repr(training.validation)
    arguments["epochs"] = repr(training.epochs)
    arguments["batch_size"] = repr(training.batch_size)
    arguments["optimizer"] = _optimizer(training)
    arguments["schedule"] = _schedule(training.schedule)
    if training.changes:
        made = ", ".join(
            f"dn.LearningRateChange({epoch}, {batch}, {rate!r})" for epoch, batch, rate in training.changes
        )
        arguments["learning_rate_changes"] = f"[{made}]"
    arguments["seed"] = repr(training.seed)
    arguments |= {name: repr(value) for name, value in training.options.items()}
    augmentation = training.augmentation_name
    if augmentation is None:
        arguments["augmentation"] = _call("dn.Augmentation", training.augmentation or {})
    elif augmentation != "none":
        arguments["augmentation"] = repr(augmentation)
    if training.averaging != "none":
        arguments["averaging"] = repr(training.averaging)
        arguments |= {name: repr(value) for name, value in training.averaging_numbers.items()}
    if training.early_stopping is not None:
        arguments["early_stopping"] = _call("dn.EarlyStopping", training.early_stopping, EARLY_STOPPING)
    if training.plateau is not None:
        plateau = dict(training.plateau)
        arguments["plateau_metric"] = repr(plateau.pop("metric"))
        arguments["plateau"] = _call("dn.ReduceOnPlateau", plateau, PLATEAU)
    return arguments


def _optimizer(training: Training) -> str:
    numbers: dict[str, Any] = dict(training.numbers)
    if "centered" in numbers:
        numbers["centered"] = bool(numbers["centered"])
    if training.rule == "nesterov":
        numbers["nesterov"] = True
    return _call(f"dn.{type(dn.make_optimizer(training.rule)).__name__}", numbers)


def _schedule(schedule: Schedule) -> str:
    milestones = {} if schedule.milestones is None else {"milestones": schedule.milestones}
    values = {**milestones, **schedule.numbers}
    made = _call(f"dn.{schedule.name.replace('-', '_')}_schedule", values, SCHEDULES[schedule.name])
    return f"dn.with_warmup({made}, {schedule.warmup!r})" if schedule.warmup else made


def _call(name: str, values: Mapping[str, Any], defaults: Mapping[str, Any] | None = None) -> str:
    """A call with the values that are no defaults, by name."""
    known = defaults or {}
    said = [f"{key}={value!r}" for key, value in values.items() if key not in known or known[key] != value]
    return f"{name}({', '.join(said)})"
