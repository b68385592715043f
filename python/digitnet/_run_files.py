"""The files of a training run: what may be in them, by docs/runs.md.

Nothing in them is believed. What does not fit is told in one line, with file and line.
"""

from __future__ import annotations

import contextlib
import json
import math
import os
import re
import secrets
from typing import TYPE_CHECKING, Any, Callable

from digitnet._core import FormatError, IoError
from digitnet._files import io_error, open_plain, shown
from digitnet._strict_json import parse_json

if TYPE_CHECKING:
    from pathlib import Path

REASONS = ("done", "stopped", "loss_reached", "early_stop", "diverged", "failed")
LONGEST_CONTROL = 4096  # bytes of a control.json
LONGEST_CONFIG = 2**24  # bytes of a config.json, which may hold a weight for each sample

_CHECKPOINT = re.compile(r"epoch-(\d{4}|[1-9]\d{4,9})(?:-batch-(\d{4}|[1-9]\d{4,9}))?")


def checkpoint_place(name: str) -> tuple[int, int] | None:
    """Epoch and batch of a checkpoint, by the name of its folder; None if it is no such name."""
    match = _CHECKPOINT.fullmatch(name)
    return (int(match[1]), int(match[2] or 0)) if match else None


def _is_whole(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value >= 0


def _is_number(value: object) -> bool:
    return isinstance(value, (int, float)) and not isinstance(value, bool)


# What a member of an object must be, in words and as a test.
_KINDS: dict[str, tuple[str, Callable[[Any], bool]]] = {
    "whole": ("a whole number of at least 0", _is_whole),
    "whole or null": (
        "a whole number of at least 0 or null",
        lambda value: value is None or _is_whole(value),
    ),
    "wholes": (
        "a list of whole numbers",
        lambda value: isinstance(value, list) and all(map(_is_whole, value)),
    ),
    "time": ("seconds since 1970", lambda value: _is_number(value) and 0 <= value < 1e11),
    "number or null": ("a number or null", lambda value: value is None or _is_number(value)),
    "rate": ("a number above 0", lambda value: _is_number(value) and 0 < value < math.inf),
    "text": ("a text", lambda value: isinstance(value, str)),
    "truth": ("true or false", lambda value: isinstance(value, bool)),
    "object": ("an object", lambda value: isinstance(value, dict)),
    "objects": (
        "a list of objects",
        lambda value: isinstance(value, list) and all(isinstance(each, dict) for each in value),
    ),
    "reason": (f"one of {', '.join(REASONS)}", lambda value: value in REASONS),
    "checkpoint": (
        'a path such as "checkpoints/epoch-0003"',
        lambda value: (
            isinstance(value, str)
            and value.startswith("checkpoints/")
            and checkpoint_place(value[12:]) is not None
        ),
    ),
}


def _table(text: str) -> dict[str, str]:
    """Kinds by name from "kind: names; kind?: names", where ? means that they may be missing."""
    parts = [part.partition(":") for part in text.split(";")]
    return {name: kind.strip() for kind, _, names in parts for name in names.split()}


COMMON = _table("whole: seq; time: time; text: type")
EVENTS = {
    "start": _table(
        "whole: epoch batch epochs batches samples; whole?: parameters threads process; text?: host"
    ),
    "batch": _table(
        "whole: epoch batch batches; whole?: samples; number or null: loss accuracy learning_rate"
    ),
    "epoch": _table(
        "whole: epoch epochs; whole or null?: dead_units; objects?: layers;"
        "number or null: training_loss training_accuracy validation_loss validation_accuracy;"
        "number or null: learning_rate seconds; number or null?: images_per_second gradient_norm"
    ),
    "checkpoint": _table("whole: epoch batch; checkpoint: path; truth: best; number or null?: seconds"),
    "learning_rate": _table("whole: epoch batch; rate: learning_rate"),
    "message": _table("text: level text"),
    "end": _table("reason: reason; whole: epoch batch; number or null?: seconds; text?: error"),
}
LAYER = _table(
    "number or null?: gradient_norm update_ratio dead_share weight_mean weight_deviation;"
    "number or null?: histogram_low histogram_high; wholes?: histogram"
)
_CONFIG = _table(
    "text: format created; whole: version; object: architecture optimizer training data; object?: run"
)


def require_object(where: str, value: object) -> None:
    if not isinstance(value, dict):
        msg = f"{where}no JSON object, expected one"
        raise FormatError(msg)


def require_members(where: str, members: dict[str, Any], kinds: dict[str, str]) -> None:
    for name, kind in kinds.items():
        words, fits = _KINDS[kind.rstrip("?")]
        if name not in members:
            if not kind.endswith("?"):
                msg = f'{where}"{name}" is missing, expected {words}'
                raise FormatError(msg)
        elif not fits(members[name]):
            found = ascii(members[name])  # on one line, whatever it is
            found = found if len(found) <= 60 else found[:57] + "..."
            msg = f'{where}"{name}" is {found}, expected {words}'
            raise FormatError(msg)


def read_config(path: Path) -> dict[str, Any]:
    where = f"Run: {shown(path)}: "
    try:
        with open_plain(path) as file:
            data = file.read(LONGEST_CONFIG + 1)
    except FileNotFoundError as error:
        raise io_error(path, error) from None
    if len(data) > LONGEST_CONFIG:
        msg = f"{where}longer than {LONGEST_CONFIG} bytes, expected the config of a run"
        raise FormatError(msg)
    config = parse_json(where, data)
    require_object(where, config)
    if config.get("format") != "digitnet-run":
        msg = f'{where}"format" is not "digitnet-run", expected the config of a run'
        raise FormatError(msg)
    if config.get("version") != 1:
        found = ascii(config.get("version"))[:20]
        msg = f"{where}format version {found}, expected 1; is the run from a newer digitnet?"
        raise FormatError(msg)
    require_members(where, config, _CONFIG)
    require_members(f'{where}"architecture": ', config["architecture"], _table("wholes: sizes"))
    require_members(f'{where}"optimizer": ', config["optimizer"], _table("text: name"))
    checked: dict[str, Any] = config
    return checked


def write_control(where: str, directory: Path, request: dict[str, Any]) -> None:
    """Ask something of a training: control.json, beside what was asked for and not yet taken.

    Raises:
        IoError: if it cannot be written.
    """
    path = directory / "control.json"
    waiting: Any = None
    with contextlib.suppress(FileNotFoundError, IoError, FormatError), open_plain(path) as file:
        waiting = parse_json("", file.read(LONGEST_CONTROL))
    # Never by write_whole, which follows links: whatever is there is replaced.
    aside = directory / f".control.json.{os.getpid()}-{secrets.token_hex(4)}.tmp"
    try:
        aside.write_text(json.dumps({**(waiting if isinstance(waiting, dict) else {}), **request}))
        aside.replace(path)
    except OSError as error:
        with contextlib.suppress(OSError):
            aside.unlink()
        msg = f"{where}: {shown(path)}: cannot be written: {error.strerror or error}"
        raise IoError(msg) from None
