"""What a config.json says of its training, checked, so that each form only has to write it down.

config.json may be anybody's: names are looked up in lists, and numbers have to be some.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.runs import printable
from digitnet.training import METRICS
from digitnet.web.services.augmentation import AUGMENTATION_NUMBERS

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping, Sequence

OPTIONS: dict[str, Any] = {
    "shuffle": True,
    "stop_below_loss": 0.0,
    "label_smoothing": 0.0,
    "l1": 0.0,
    "l2": 0.0,
    "max_norm": 0.0,
    "input_dropout": 0.0,
    "dropout": 0.0,
    "batch_norm": False,
    "clip_norm": 0.0,
    "clip_value": 0.0,
}
"""Of config.json's "training", what is passed on by name, with the values that need not be said."""

RULES: dict[str, tuple[str, ...]] = {
    "sgd": ("learning_rate", "weight_decay"),
    "momentum": ("learning_rate", "momentum", "weight_decay"),
    "nesterov": ("learning_rate", "momentum", "weight_decay"),
    "adagrad": ("learning_rate", "initial_accumulator", "epsilon", "weight_decay"),
    "rmsprop": ("learning_rate", "rho", "epsilon", "momentum", "centered", "weight_decay"),
    "adam": ("learning_rate", "beta1", "beta2", "epsilon", "weight_decay"),
    "adamw": ("learning_rate", "weight_decay", "beta1", "beta2", "epsilon"),
    "nadam": ("learning_rate", "beta1", "beta2", "epsilon", "momentum_decay", "weight_decay"),
    "lion": ("learning_rate", "beta1", "beta2", "weight_decay"),
}
"""The numbers of each optimizer, in the order of its constructor in Python."""

SCHEDULES: dict[str, dict[str, float]] = {
    "constant": {},
    "step": {"factor": 0.1},  # and milestones
    "exponential": {"final_factor": 0.01},
    "cosine": {"warmup": 0.0, "final_factor": 0.0, "cycles": 1, "cycle_multiplier": 1.0},
    "one-cycle": {"peak": 0.3, "start_factor": 0.04, "final_factor": 1e-4},
}
"""The numbers of each schedule, in the order of its function, with their defaults there."""

AVERAGINGS: dict[str, dict[str, float]] = {
    "none": {},
    "ema": {"ema_decay": 0.999},
    "swa": {"swa_start": 0.75},
}
"""The number that belongs to each averaging, with its default."""

# What EarlyStopping and ReduceOnPlateau have besides a metric, a patience and a factor, with the defaults.
EARLY_STOPPING: dict[str, Any] = {"min_delta": 0.0, "restore_best": True}
PLATEAU: dict[str, Any] = {"min_delta": 1e-4, "cooldown": 0, "min_factor": 0.0}


class Unsaid(Exception):  # noqa: N818 (it never leaves this package)
    """The config does not say something in a form that is known."""


@dataclass
class Schedule:
    """How the learning rate goes."""

    name: str
    """One of SCHEDULES."""
    numbers: dict[str, float]
    """Those of SCHEDULES, in their order."""
    milestones: list[float] | None = None
    """Of a step schedule, and of no other."""
    warmup: float = 0.0
    """Share of the training in which the rate rises before the schedule begins."""


@dataclass
class Training:
    """What config.json says."""

    sizes: list[int]
    """Of the network: inputs, units of each hidden layer, classes."""
    activations: list[str]
    """Of the hidden layers."""
    seed: int
    rule: str
    numbers: dict[str, float]
    """Those of RULES that are given."""
    schedule: Schedule
    epochs: int
    batch_size: int
    averaging: str
    averaging_numbers: dict[str, float]
    """As in AVERAGINGS."""
    early_stopping: dict[str, Any] | None
    """Metric, patience and all of EARLY_STOPPING."""
    plateau: dict[str, Any] | None
    """Metric, patience, factor and all of PLATEAU."""
    options: dict[str, Any]
    """Those of OPTIONS that are no defaults."""
    augmentation: dict[str, float] | None
    """Those of AUGMENTATION_NUMBERS that are given."""
    changes: list[tuple[int, int, float]]
    """Where the learning rate was changed, in whole epochs and batches of the next, and to what."""
    data: str = "mnist"
    directory: str | None = None
    strokes: list[str] = field(default_factory=list)
    validation: float = 0.0
    """Share of the samples that is set aside."""
    notes: list[str] = field(default_factory=list)
    """What is told at the top: what cannot be said. A form adds its own."""

    @property
    def augmentation_name(self) -> str | None:
        """One of dn.AUGMENTATIONS: "none" if there is none; None if it is another one."""
        if self.augmentation is None:
            return "none"
        for name in dn.AUGMENTATIONS:
            known = dn.Augmentation.named(name)
            if all(getattr(known, key) == value for key, value in self.augmentation.items()):
                return name
        return None


def read(config: Mapping[str, Any], changes: Sequence[Mapping[str, Any]] = ()) -> Training:
    """What a config.json says.

    Args:
        config: as dn.Run.config.
        changes: `learning_rate` events of the run; those of the config where there are none.

    Raises:
        Unsaid, KeyError, TypeError: if it does not say all that is needed.
    """
    said, optimizer = config["training"], config["optimizer"]
    sizes, activations = _architecture(config["architecture"])
    rule = _name(optimizer["name"], RULES, "optimizer")
    averaging = _name(said.get("averaging", "none"), AVERAGINGS, "averaging")
    training = Training(
        sizes=sizes,
        activations=activations,
        seed=_whole(config["seed"], "seed"),
        rule=rule,
        numbers=_numbers(optimizer, RULES[rule], "optimizer"),
        schedule=_schedule(said.get("schedule")),
        epochs=_whole(said["epochs"], "epochs"),
        batch_size=_whole(said["batch_size"], "batch_size"),
        averaging=averaging,
        averaging_numbers={
            name: _number(said.get(name, default), name) for name, default in AVERAGINGS[averaging].items()
        },
        early_stopping=_early_stopping(said.get("early_stopping")),
        plateau=_plateau(said.get("plateau")),
        options=_options(said),
        augmentation=_augmentation(said.get("augmentation")),
        changes=[_change(each) for each in changes or said.get("learning_rate_changes") or ()],
    )
    _read_data(training, config["data"])
    if said.get("class_weights") or said.get("sample_weights"):
        training.notes.append("the run weighs its samples, and this does not")
    return training


# ---------------------------------------------------------------- its parts


def _architecture(value: Mapping[str, Any]) -> tuple[list[int], list[str]]:
    sizes = [_whole(size, "a size") for size in value["sizes"]]
    activations = [_name(each, dn.ACTIVATIONS, "an activation") for each in value["activations"]]
    if activations[-1:] != ["softmax"] or len(activations) != len(sizes) - 1:
        msg = "its last layer is not softmax"
        raise Unsaid(msg)
    return sizes, activations[:-1]


def _options(said: Mapping[str, Any]) -> dict[str, Any]:
    options: dict[str, Any] = {}
    for name, default in OPTIONS.items():
        value = said.get(name, default)
        if value != default:
            options[name] = bool(value) if isinstance(default, bool) else _number(value, name)
    return options


def _augmentation(value: Any) -> dict[str, float] | None:  # noqa: ANN401 (whatever JSON holds)
    return None if value is None else _numbers(value, AUGMENTATION_NUMBERS, "augmentation")


def _change(value: Mapping[str, Any]) -> tuple[int, int, float]:
    return (
        _whole(value["epoch"], "epoch"),
        _whole(value["batch"], "batch"),
        _number(value["learning_rate"], "rate"),
    )


def _schedule(value: object) -> Schedule:
    if value is None:
        return Schedule("constant", {})
    said = _object(value, "schedule")
    if said.get("name") == "warmup":
        return replace(_schedule(said.get("schedule")), warmup=_number(said.get("share"), "schedule.share"))
    name = _name(said.get("name"), SCHEDULES, "schedule")
    numbers = {**SCHEDULES[name], **_numbers(said, SCHEDULES[name], "schedule")}
    if name != "step":
        return Schedule(name, numbers)
    return Schedule(name, numbers, [_number(each, "a milestone") for each in said["milestones"]])


def _early_stopping(value: object) -> dict[str, Any] | None:
    if value is None:
        return None
    said = _object(value, "early_stopping")
    return {**_watched(said, "early_stopping"), **_others(said, EARLY_STOPPING, "early_stopping")}


def _plateau(value: object) -> dict[str, Any] | None:
    if value is None:
        return None
    said = _object(value, "plateau")
    return {
        **_watched(said, "plateau"),
        "factor": _number(said.get("factor"), "plateau.factor"),
        **_others(said, PLATEAU, "plateau"),
    }


def _watched(said: Mapping[str, Any], what: str) -> dict[str, Any]:
    return {
        "metric": _name(said.get("metric"), METRICS, f"{what}.metric"),
        "patience": _whole(said.get("patience"), f"{what}.patience"),
    }


def _others(said: Mapping[str, Any], defaults: Mapping[str, Any], what: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, default in defaults.items():
        value = said.get(key, default)
        found[key] = bool(value) if isinstance(default, bool) else _number(value, f"{what}.{key}")
    return found


def _read_data(training: Training, data: Mapping[str, Any]) -> None:
    source, held_out = (
        each if isinstance(each, dict) else {} for each in (data.get("source"), data.get("validation"))
    )
    name, directory, strokes = source.get("name"), source.get("directory"), source.get("strokes") or []
    if isinstance(name, str) and (directory is None or isinstance(directory, str)):
        training.data, training.directory = name, directory
        training.strokes = [each for each in strokes if isinstance(each, str)]
    else:
        note = "the run does not say where its samples come from; MNIST is in their place"
        training.notes.append(note)
    share = source.get("validation")
    if isinstance(share, float) and 0 < share < 1:
        training.validation = share
    elif held_out.get("samples"):
        training.notes.append("the run has validation samples of its own, and this has none")


# ---------------------------------------------------------------- its values


def _number(value: object, name: str) -> float:
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        msg = f"{name} is no number"
        raise Unsaid(msg)
    return value


def _whole(value: object, name: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        msg = f"{name} is no whole number"
        raise Unsaid(msg)
    return value


def _name(value: object, names: Collection[str], what: str) -> str:
    if not isinstance(value, str) or value not in names:
        msg = f"{what} is {printable(str(value))[:40]!r}, which is not known here"
        raise Unsaid(msg)
    return value


def _object(value: object, what: str) -> dict[str, Any]:
    if not isinstance(value, dict):
        msg = f"{what} is no object"
        raise Unsaid(msg)
    return value


def _numbers(value: Mapping[str, Any], names: Iterable[str], what: str) -> dict[str, float]:
    return {name: _number(value[name], f"{what}.{name}") for name in names if name in value}
