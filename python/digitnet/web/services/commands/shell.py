"""A training as the command `digitnet train`. What the command line cannot say is told in a note."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.training import WARMUPS
from digitnet.web.services.commands.config import EARLY_STOPPING, PLATEAU, SCHEDULES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from digitnet.web.services.commands.config import Training

    Options = list[tuple[str, Any]]
    """Names of dn.train or of the command line, with their values."""

UNSAID = ("shuffle", "stop_below_loss")
"""Of config.OPTIONS, what the command line does not have."""

_MILESTONES = [0.5, 0.75]  # of its step schedule


def lines(training: Training) -> list[str]:
    """The command, an option a line."""
    options: Options = [
        *_data(training),
        *_network(training),
        *_optimizer(training),
        *_schedule(training),
        *(("learning_rate_change", f"{epoch}:{batch}:{rate!r}") for epoch, batch, rate in training.changes),
        ("epochs", training.epochs),
        ("batch_size", training.batch_size),
        ("validation", training.validation),
        ("seed", training.seed),
        *_augmentation(training),
        *_options(training),
        *_averaging(training),
        *_early_stopping(training),
        *_plateau(training),
    ]
    words = ["digitnet train", *(_word(name, value) for name, value in options)]
    if training.strokes:
        words.append("--strokes " + shlex.join(training.strokes))
    return [" \\\n  ".join(words)]


def _word(name: str, value: object) -> str:
    flag = "--" + name.replace("_", "-")
    if value is True:
        return flag
    return f"{flag} {shlex.quote(value if isinstance(value, str) else repr(value))}"


def _data(training: Training) -> Options:
    directory: Options = [] if training.directory is None else [("data", training.directory)]
    return [*directory, ("name", training.data)]


def _network(training: Training) -> Options:
    kinds = list(dict.fromkeys(training.activations))
    if len(kinds) > 1:
        note = f"its layers have different activations, {', '.join(kinds)}, and here all have the first"
        training.notes.append(note)
    return [
        ("hidden", ",".join(map(str, training.sizes[1:-1])) or "none"),
        ("activation", kinds[0] if kinds else "relu"),
    ]


def _optimizer(training: Training) -> Options:
    said = ("learning_rate", "weight_decay")
    known = dn.make_optimizer(training.rule)
    for name, value in training.numbers.items():
        if name not in said and getattr(known, name) != value:
            training.notes.append(f"{name} of its optimizer is {value:g}, and here as by default")
    return [("optimizer", training.rule), *((name, training.numbers[name]) for name in said)]


def _schedule(training: Training) -> Options:
    schedule = training.schedule
    own = {"cosine": "warmup", "one-cycle": "peak"}.get(schedule.name)  # which of its numbers is its warmup
    for name, default in SCHEDULES[schedule.name].items():
        if name != own and schedule.numbers[name] != default:
            note = f"{name} of its schedule is {schedule.numbers[name]}, and here {default}"
            training.notes.append(note)
    if schedule.milestones not in (None, _MILESTONES):
        note = f"milestones of its schedule is {schedule.milestones}, and here {_MILESTONES}"
        training.notes.append(note)
    if own is not None and schedule.warmup:
        note = f"its schedule has a warmup of {schedule.warmup} besides, and here none"
        training.notes.append(note)
    warmup = schedule.warmup if own is None else schedule.numbers[own]
    is_default = warmup == WARMUPS.get(schedule.name, 0.0)
    return [("schedule", schedule.name), *([] if is_default else [("warmup", warmup)])]


def _augmentation(training: Training) -> Options:
    name = training.augmentation_name
    if name == "none":
        return []
    if name is None:
        training.notes.append("its augmentation is one of its own, and here it is standard")
    return [("augment", name or "standard")]


def _options(training: Training) -> Options:
    training.notes += [
        f"{name} is {value}, which the command line cannot say"
        for name, value in training.options.items()
        if name in UNSAID
    ]
    return [(name, value) for name, value in training.options.items() if name not in UNSAID]


def _averaging(training: Training) -> Options:
    if training.averaging == "none":
        return []
    return [("averaging", training.averaging), *training.averaging_numbers.items()]


def _early_stopping(training: Training) -> Options:
    watched = training.early_stopping
    if watched is None:
        return []
    _note_others(training, "early-stopping", watched, EARLY_STOPPING)
    return [("early_stopping", watched["patience"]), ("early_stopping_metric", watched["metric"])]


def _plateau(training: Training) -> Options:
    watched = training.plateau
    if watched is None:
        return []
    _note_others(training, "plateau", watched, PLATEAU)
    return [
        ("plateau", watched["patience"]),
        ("plateau_metric", watched["metric"]),
        ("plateau_factor", watched["factor"]),
    ]


def _note_others(
    training: Training, what: str, watched: Mapping[str, Any], defaults: Mapping[str, Any]
) -> None:
    training.notes += [
        f"{name} of its {what} is {watched[name]}, and here as by default"
        for name, default in defaults.items()
        if watched[name] != default
    ]
