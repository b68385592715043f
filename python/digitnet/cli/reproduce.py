"""Make a model again from what it says about itself, and compare the two."""

from __future__ import annotations

import contextlib
import io
import json
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet._strict_json import json_or_text
from digitnet.cli.common import (
    BAD_INPUT,
    FAILED,
    THRESHOLD_MISSED,
    USAGE,
    CommandError,
    Parser,
    add_json_option,
    place,
    whole,
)
from digitnet.samples import from_source

if TYPE_CHECKING:
    import argparse

TOLERANCE = 0.005  # of the validation accuracy, where another processor or compiler rounds in another way


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add("model", metavar="MODEL", help="model file that `digitnet train` wrote")
    add("--data", metavar="DIR", help="data directory (default: DIGITNET_DATA_DIR, else the user's cache)")
    add(
        "--strokes", nargs="+", metavar="FILE", help="stroke files, if it learned from any, in the same order"
    )
    threads = "0 takes all processors; the model is the same for any number (default: %(default)s)"
    add("--threads", type=whole(0, 256), default=0, metavar="N", help=threads)
    add("--output", type=place, metavar="FILE", help="where to keep what was made (default: nowhere)")
    add_json_option(parser)
    add("--quiet", action="store_true", help="show no progress")


def run(options: argparse.Namespace) -> int:
    """Train again, compare, report."""
    model = dn.Network.load(options.model)
    provenance = _provenance(options.model, model)
    with tempfile.TemporaryDirectory() as folder:
        again = _make(provenance, options, options.output or str(Path(folder) / "again.safetensors"))
    result = _compare(model, again)
    said, found = provenance.get("validation_accuracy"), _said(again).get("validation_accuracy")
    result |= {"validation_accuracy": said, "validation_accuracy_again": found}
    close = isinstance(said, float) and isinstance(found, float) and abs(said - found) <= TOLERANCE
    if options.json:
        print(json.dumps(result))
    elif result["same_bits"]:
        print(f"{options.model}: made again, the same bits")
    else:
        print(
            f"{options.model}: made again; weights differ by {result['largest_difference']:.3g} at the most"
        )
        print(f"validation accuracy: {said} then, {found} now")
        print(f"digitnet: {provenance.get('digitnet')} then, {dn.__version__} now")
    return 0 if result["same_bits"] or close else THRESHOLD_MISSED


def _provenance(file: str, model: dn.Network) -> dict[str, Any]:
    """What a model says of how it was made."""
    said = _said(model)
    if "recipe" not in said and not isinstance(said.get("options"), dict):
        msg = f"reproduce: {file}: does not say how it was made, expected a model of `digitnet train`"
        raise CommandError(BAD_INPUT, msg)
    if "interrupted_after_epoch" in said:
        msg = f"reproduce: {file}: its training was interrupted after epoch {said['interrupted_after_epoch']}"
        raise CommandError(FAILED, f"{msg}; where that was cannot be found again")
    return said


def _said(model: dn.Network) -> dict[str, Any]:
    said = json_or_text(model.metadata.get("provenance", ""))
    return said if isinstance(said, dict) else {}


def _make(provenance: dict[str, Any], options: argparse.Namespace, output: str) -> dn.Network:
    """The network made again, by the command that made it first."""
    from digitnet.cli import train

    parser = Parser(prog="digitnet train")
    train.add_options(parser)
    words = ["--output", output, *(["--quiet"] if options.quiet else []), "--threads", str(options.threads)]
    words += ["--data", options.data] if options.data is not None else []
    with tempfile.NamedTemporaryFile("w", suffix=".json", encoding="utf-8") as recipe:
        if "recipe" in provenance:
            if options.strokes:
                raise CommandError(
                    USAGE, "reproduce: --strokes with a model of a recipe, which names its own"
                )
            json.dump(provenance["recipe"], recipe)
            recipe.flush()
            words += ["--recipe", recipe.name]
        else:
            words += _words(provenance, options)
        train_options = parser.parse_args(words)
        train_options.command = "train"
        with contextlib.redirect_stdout(io.StringIO()):  # what it reports is not the result here
            code = train.run(train_options)
    if code != 0:
        raise CommandError(code, "reproduce: the training did not end as it did then")
    return dn.Network.load(output)


def _words(provenance: dict[str, Any], options: argparse.Namespace) -> list[str]:
    """The options of `digitnet train` that a model tells of."""
    chosen = dict(provenance["options"])
    words = ["--name", str(provenance["data"]), "--seed", str(provenance["seed"])]
    hidden = chosen.pop("hidden")
    words += ["--hidden", ",".join(map(str, hidden)) or "none"]
    chosen.pop("momentum", None)  # comes with the optimizer's name
    strokes = chosen.pop("strokes", [])
    if len(strokes) != len(options.strokes or []):
        msg = f"reproduce: it learned from {len(strokes)} stroke files ({', '.join(strokes) or 'none'})"
        raise CommandError(USAGE, f"{msg}, expected as many behind --strokes")
    words += ["--strokes", *options.strokes] if strokes else []
    source = {"name": provenance["data"], "directory": options.data, "strokes": options.strokes}
    if from_source(source, "reproduce").fingerprint() != provenance.get("data_sha256"):
        raise CommandError(
            BAD_INPUT, "reproduce: the data are other than those it learned from: their SHA-256 differs"
        )
    for name, value in chosen.items():
        flag = "--" + ("augment" if name == "augmentation" else str(name).replace("_", "-"))
        words += [flag] if value is True else [f"{flag}={value}"]
    try:
        for change in provenance.get("learning_rate_changes", []):
            place = f"{change['epoch']}:{change['batch']}"
            words.append(f"--learning-rate-change={place}:{change['learning_rate']}")
    except (KeyError, TypeError):
        msg = "reproduce: what it says of changes of the learning rate cannot be read"
        raise CommandError(BAD_INPUT, msg) from None
    return words


def _compare(model: dn.Network, again: dn.Network) -> dict[str, Any]:
    """Whether two networks are the same, and how far apart they are."""
    import numpy as np

    if [layer.weights.shape for layer in model.layers] != [layer.weights.shape for layer in again.layers]:
        return {"same_bits": False, "largest_difference": float("inf")}
    pairs = [
        (one, other)
        for layer, layer_again in zip(model.layers, again.layers)
        for one, other in ((layer.weights, layer_again.weights), (layer.bias, layer_again.bias))
    ]
    return {
        "same_bits": all(one.tobytes() == other.tobytes() for one, other in pairs),
        "largest_difference": max(float(np.max(np.abs(one - other))) for one, other in pairs),
    }
