"""What a browser or a script may send to start a training: each value with its bounds.

Numbers may come as text, so that the one place that says what is wrong with "0,001" is here.
"""

from __future__ import annotations

import contextlib
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet._arguments import nearest
from digitnet.training import AVERAGINGS, SCHEDULES, WARMUPS
from digitnet.web.errors import ApiError, invalid

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from django.http import JsonResponse

    Reader = Callable[[Any], Any]

DATASETS = ("mnist", "fashion-mnist", "personal")
ACTIVATIONS = tuple(name for name in dn.ACTIVATIONS if name != "softmax")
INPUTS, CLASSES = 784, 10
MOST_LAYERS, MOST_UNITS, MOST_PARAMETERS = 8, 4096, 10_000_000
MOST_EPOCHS, MOST_BATCH, MOST_SEED = 1000, 4096, 2**53 - 1
MOST_RATE, MOST_SHARE = 10.0, 0.9

RUN_ID = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,63}")
"""Names of folders that are ids as they stand: no path, nothing hidden, nothing to escape in an address."""
_NAME = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9_-]|\.(?!\.)){0,47}")


class FormError(ApiError):
    """Some fields are wrong: 422, `field` is the first of them, and `fields` has what is wrong with each."""

    def __init__(self, fields: dict[str, str]) -> None:
        first = next(iter(fields))
        super().__init__(422, "invalid", fields[first], field=first)
        self.fields = fields

    def content(self) -> dict[str, Any]:
        """What is sent."""
        return {
            "error": {"code": self.code, "message": self.message, "field": self.field, "fields": self.fields}
        }

    def response(self) -> JsonResponse:
        """What is sent, with all fields."""
        from django.http import JsonResponse

        return JsonResponse(self.content(), status=self.status)


class _Wrong(Exception):  # noqa: N818 (it never leaves this file)
    """What is wrong with one value."""


@dataclass(frozen=True)
class Field:
    """One value of the form."""

    read: Reader
    default: Any = None


# ---------------------------------------------------------------- kinds of values


def _shown(value: object) -> str:
    text = value if isinstance(value, str) else repr(value)
    text = " ".join(text.split())
    return f"'{text[:37]}...'" if len(text) > 40 else f"'{text}'"


def _is_blank(value: object) -> bool:
    return value is None or (isinstance(value, str) and not value.strip())


def _number(value: object) -> float:
    if isinstance(value, str) and len(value) <= 40:
        with contextlib.suppress(ValueError):
            value = float(value)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not -1e300 < value < 1e300:
        msg = f"{_shown(value)}, expected a number"
        raise _Wrong(msg)
    return value


def whole(least: int, most: int) -> Reader:
    """A whole number from least to most."""

    def read(value: object) -> int:
        if isinstance(value, str) and re.fullmatch(r"\s*[+-]?\d{1,30}\s*", value, re.ASCII):
            value = int(value)
        if isinstance(value, float) and value.is_integer():
            value = int(value)
        if isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most:
            msg = f"{_shown(value)}, expected a whole number from {least} to {most}"
            raise _Wrong(msg)
        return value

    return read


def number(least: float, most: float, *, above: bool = False) -> Reader:
    """A finite number from least (or above it) to most."""

    def read(value: object) -> float:
        found = _number(value)
        if not least <= found <= most or (above and found == least):
            start = f"above {least:g}" if above else f"from {least:g}"
            msg = f"{_shown(value)}, expected a number {start} {'and at most' if above else 'to'} {most:g}"
            raise _Wrong(msg)
        return float(found)

    return read


def one_of(names: tuple[str, ...]) -> Reader:
    """One of some names."""

    def read(value: object) -> str:
        if not isinstance(value, str) or value not in names:
            near = nearest(value, names) if isinstance(value, str) else ""
            msg = f"{_shown(value)}, expected one of {', '.join(names)}{near}"
            raise _Wrong(msg)
        return value

    return read


def _truth(value: object) -> bool:
    if isinstance(value, str) and value in ("true", "false"):
        return value == "true"
    if not isinstance(value, bool):
        msg = f"{_shown(value)}, expected true or false"
        raise _Wrong(msg)
    return value


def _name(value: object) -> str:
    if not isinstance(value, str) or not _NAME.fullmatch(value.strip()):
        expected = "at most 48 letters, digits, '-', '_' and '.', the first a letter or digit"
        msg = f"{_shown(value)}, expected {expected}"
        raise _Wrong(msg)
    return value.strip()


def _layers(value: object) -> list[int]:
    """Units of each hidden layer: [128, 64], "128, 64", 128, or "none"."""
    if isinstance(value, str):
        value = [] if value.strip() in ("", "none") else value.split(",") if len(value) <= 200 else [value]
    elif isinstance(value, (int, float)):
        value = [value]
    if not isinstance(value, list):
        msg = f"{_shown(value)}, expected the units of each hidden layer, such as 128, 64"
        raise _Wrong(msg)
    if len(value) > MOST_LAYERS:
        msg = f"{len(value)} hidden layers, expected at most {MOST_LAYERS}"
        raise _Wrong(msg)
    layers = []
    for i, each in enumerate(value):
        try:
            layers.append(whole(1, MOST_UNITS)(each))
        except _Wrong as wrong:
            msg = f"layer {i + 1}: {wrong}"
            raise _Wrong(msg) from None
    if parameters(layers) > MOST_PARAMETERS:
        msg = f"{parameters(layers):,} parameters, expected at most {MOST_PARAMETERS:,}; take fewer units"
        raise _Wrong(msg)
    return layers


def parameters(layers: list[int]) -> int:
    """How many weights and biases a network with such hidden layers has."""
    sizes = [INPUTS, *layers, CLASSES]
    return sum((inputs + 1) * outputs for inputs, outputs in zip(sizes, sizes[1:]))


# ---------------------------------------------------------------- the form

_share = number(0, MOST_SHARE)
_size = number(0, 1000)

FIELDS: dict[str, Field] = {
    "name": Field(_name),
    "dataset": Field(one_of(DATASETS), "mnist"),
    "layers": Field(_layers, [128]),
    "activation": Field(one_of(ACTIVATIONS), "relu"),
    "optimizer": Field(one_of(tuple(dn.OPTIMIZERS)), "adamw"),
    "learning_rate": Field(number(0, MOST_RATE, above=True)),  # blank: that of the optimizer
    "schedule": Field(one_of(SCHEDULES), "cosine"),
    "warmup": Field(_share),  # blank: that of the schedule
    "batch_size": Field(whole(1, MOST_BATCH), 128),
    "epochs": Field(whole(1, MOST_EPOCHS), 10),
    "validation": Field(_share, 0.1),
    "seed": Field(whole(0, MOST_SEED), 1),
    "augmentation": Field(one_of(tuple(dn.AUGMENTATIONS)), "none"),
    "dropout": Field(_share, 0.0),
    "input_dropout": Field(_share, 0.0),
    "batch_norm": Field(_truth, False),
    "label_smoothing": Field(_share, 0.0),
    "weight_decay": Field(_size),  # blank: 0.05 for adamw, else 0
    "l1": Field(_size, 0.0),
    "l2": Field(_size, 0.0),
    "max_norm": Field(_size, 0.0),
    "clip_norm": Field(_size, 0.0),
    "clip_value": Field(_size, 0.0),
    "averaging": Field(one_of(AVERAGINGS), "none"),
    "early_stopping": Field(whole(1, MOST_EPOCHS)),  # blank: goes through all epochs
    "plateau": Field(whole(0, MOST_EPOCHS)),
    "checkpoint_every": Field(whole(1, MOST_EPOCHS)),  # blank: as the disk bears
}
ALIASES = {"hidden": "layers", "augment": "augmentation", "data": "dataset", "batch": "batch_size"}
"""What the command line calls some of them."""


def read_run(body: Mapping[str, Any]) -> dict[str, Any]:
    """The settings of a training: every name of FIELDS, checked; what is left out or blank has its default.

    Raises:
        ApiError: FormError with all that is wrong.
    """
    if len(body) > 2 * len(FIELDS):
        raise invalid(f"body: {len(body)} settings, expected at most {len(FIELDS)}")
    wrong: dict[str, str] = {}
    settings: dict[str, Any] = {name: field.default for name, field in FIELDS.items()}
    for given, value in body.items():
        name = ALIASES.get(given, given)
        if name not in FIELDS:
            near = nearest(given[:40], [*FIELDS])
            wrong[given[:40]] = f"{_shown(given)}: there is no such setting{near}"
        elif not _is_blank(value) or (name == "layers" and value is not None):
            try:
                settings[name] = FIELDS[name].read(value)
            except _Wrong as reason:
                wrong[name] = f"{name.replace('_', ' ')}: {reason}"
    for name, problem in _together(settings):
        wrong.setdefault(name, problem)
    if wrong:
        raise FormError(wrong)
    return settings


def _together(settings: dict[str, Any]) -> list[tuple[str, str]]:
    """What is wrong only beside another value."""
    wrong = []
    if settings["schedule"] == "one-cycle" and settings["warmup"] == 0:
        wrong.append(("warmup", "warmup: 0 with the schedule one-cycle, expected more than 0"))
    if settings["validation"] == 0:
        reason = "it watches the validation loss, and validation is 0, expected a share"
        wrong += [
            (name, f"{name.replace('_', ' ')}: {reason}")
            for name in ("early_stopping", "plateau")
            if settings[name] is not None
        ]
    return wrong


def read_rate(body: Mapping[str, Any]) -> float:
    """The learning rate that a training is to go on with.

    Raises:
        FormError: if it is none.
    """
    try:
        rate: float = FIELDS["learning_rate"].read(body.get("learning_rate"))
    except _Wrong as reason:
        raise FormError({"learning_rate": f"learning rate: {reason}"}) from None
    return rate


def choices() -> dict[str, Any]:
    """What the page needs to show the form: names, bounds and defaults."""
    return {
        "datasets": list(DATASETS),
        "activations": list(ACTIVATIONS),
        "optimizers": {name: dn.default_learning_rate(name) for name in dn.OPTIMIZERS},
        "schedules": {name: WARMUPS.get(name, 0.0) for name in SCHEDULES},
        "augmentations": list(dn.AUGMENTATIONS),
        "averagings": list(AVERAGINGS),
        "defaults": {name: field.default for name, field in FIELDS.items()},
        "most": {
            "layers": MOST_LAYERS,
            "units": MOST_UNITS,
            "parameters": MOST_PARAMETERS,
            "epochs": MOST_EPOCHS,
            "batch_size": MOST_BATCH,
            "validation": MOST_SHARE,
        },
    }
