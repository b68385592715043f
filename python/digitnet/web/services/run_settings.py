"""The settings of a run as names and plain values, so that runs can be shown and compared by them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.runs import printable
from digitnet.web import forms

if TYPE_CHECKING:
    from collections.abc import Mapping

    Config = Mapping[str, Any]

# Of config.json's "training": what is told elsewhere, or is nothing to compare.
_APART = ("epochs", "batch_size", "schedule", "augmentation", "early_stopping", "plateau")
_LONGEST = 80  # characters of a value


def of(config: Config) -> dict[str, Any]:
    """The settings in a config.json: those everybody asks for, and others where they are no defaults."""
    training, optimizer, architecture = config["training"], config["optimizer"], config["architecture"]
    source = _object(config["data"].get("source"))
    sizes = architecture["sizes"]
    activations = architecture.get("activations")
    hidden = list(dict.fromkeys(map(str, activations[:-1]))) if isinstance(activations, list) else []
    settings: dict[str, Any] = {
        "dataset": _plain(source.get("name")) or "its own",
        "layers": ", ".join(map(str, sizes[1:-1][:20])) or "none",
        "activation": _plain(", ".join(hidden)) or "none",
        "optimizer": _plain(optimizer["name"]),
        "learning_rate": _plain(optimizer.get("learning_rate")),
        "schedule": schedule(training.get("schedule")),
        "batch_size": _plain(training.get("batch_size")),
        "epochs": _plain(training.get("epochs")),
        "validation": _plain(source.get("validation")),
        "seed": _plain(config.get("seed")),
        "samples": _plain(_object(config["data"].get("training")).get("samples")),
    }
    settings |= {
        name: _plain(value)
        for name, value in list(optimizer.items())[:40]
        if name not in ("name", "learning_rate") and value
    }
    if training.get("augmentation"):
        settings["augmentation"] = _plain(_object(training["augmentation"]).get("name")) or _augmentation(
            _object(training["augmentation"])
        )
    for name in ("early_stopping", "plateau"):
        if isinstance(training.get(name), dict):
            settings[name] = _plain(
                f"{training[name].get('patience')} epochs of {training[name].get('metric')}"
            )
    averaging = training.get("averaging")
    skipped = {"ema_decay"} if averaging != "ema" else set()
    skipped |= {"swa_start"} if averaging != "swa" else set()
    for name, value in list(training.items())[:60]:
        is_default = value in (0, False, None, "none", []) or (name == "shuffle" and value is True)
        if name not in _APART and name not in skipped and not is_default:
            settings[str(name)[:40]] = _plain(value)
    return settings


def schedule(value: object) -> str:
    """A schedule in words: "cosine, warmup 0.1"."""
    found = _object(value)
    if found.get("name") == "warmup":
        share = found.get("share")
        return schedule(found.get("schedule")) + (
            f", warmup {share:g}" if isinstance(share, (int, float)) and share else ""
        )
    name = _plain(found.get("name")) or "constant"
    warmup = found.get("warmup", found.get("peak"))
    return f"{name}, warmup {warmup:g}" if isinstance(warmup, (int, float)) and warmup else str(name)


def _augmentation(value: dict[str, Any]) -> str:
    """Its name, if it is one that has a name."""
    for name in dn.AUGMENTATIONS:
        known = dn.Augmentation.named(name)
        if name != "none" and all(getattr(known, key, None) == number for key, number in value.items()):
            return name
    return "its own"


def of_form(settings: Config) -> dict[str, Any]:
    """The settings of a run that has not begun, as they were asked for."""
    default = forms.read_run({})
    chosen = {**default, **{name: value for name, value in settings.items() if name in forms.FIELDS}}
    shown = {"layers": ", ".join(map(str, chosen["layers"])) or "none"}
    always = (
        "dataset",
        "activation",
        "optimizer",
        "learning_rate",
        "schedule",
        "batch_size",
        "epochs",
        "validation",
        "seed",
    )
    shown |= {name: chosen[name] for name in always}
    if shown["learning_rate"] is None:
        shown["learning_rate"] = dn.default_learning_rate(chosen["optimizer"])
    return shown | {
        name: value
        for name, value in chosen.items()
        if name not in (*shown, "name") and value != default[name]
    }


def form_parameters(settings: Config) -> int:
    """How many weights and biases a run that has not begun will have."""
    return forms.parameters(settings.get("layers", [128]))


def parameters(config: Config) -> int:
    """How many weights and biases the network of a run has."""
    sizes: list[int] = config["architecture"]["sizes"]
    return sum((inputs + 1) * outputs for inputs, outputs in zip(sizes, sizes[1:]))


def is_resumable(config: Config) -> bool:
    """Whether `digitnet resume` can go on with it: begun by `digitnet train`, on data that have a name."""
    source = _object(config["data"].get("source"))
    return isinstance(source.get("provenance"), dict) and isinstance(source.get("name"), str)


def _object(value: object) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}


def _plain(value: object) -> Any:  # noqa: ANN401 (a number, a truth or a text)
    if value is None or isinstance(value, (bool, int, float)):
        return value
    if isinstance(value, list):
        value = (
            f"{len(value)} values" if len(value) > 8 else ", ".join(str(each)[:_LONGEST] for each in value)
        )
    if isinstance(value, dict):
        value = ", ".join(f"{name} {str(each)[:_LONGEST]}" for name, each in list(value.items())[:12])
    text = printable(str(value)[: _LONGEST + 1])
    return text if len(text) <= _LONGEST else text[: _LONGEST - 3] + "..."
