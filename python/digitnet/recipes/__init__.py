"""Recipes: all that is needed to make a model again, one JSON file for each.

A recipe says the data, the network, the training and the seed; `make` follows it. The recipe `recognizer`
makes the model that digitnet ships; `record` makes a larger network, for MNIST alone:

    digitnet train --recipe recognizer --output mnist.safetensors
    digitnet train --recipe record --run runs/record --output record.safetensors
"""

from __future__ import annotations

import json
import sys
from dataclasses import dataclass
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import digitnet as dn
from digitnet import not_digits
from digitnet._arguments import nearest
from digitnet._files import io_error, open_plain
from digitnet._strict_json import parse_json
from digitnet.recipes import thick, varied

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Sequence

    from numpy.typing import NDArray

DIGITS = 10
NOT_DIGITS_VALIDATION = 0.2  # share held out
_SEEDS_APART = 1000  # from the seed of one member to that of the next; a phase has the next after its former

# What a recipe may say, with what is taken where it does not. None: it must be said.
KEYS: dict[str, Any] = {"about": None, "seed": None, "hidden": None, "data": None, "phases": None}
KEYS |= {"activation": "relu", "calibration": {}, "precision": "half"}
KEYS |= {"members": 1, "together": []}  # networks learned apart in `phases`, then as one in `together`
DATA_KEYS = {"mnist_validation": 5000, "drawings": [], "drawings_validation": 0.1}
DATA_KEYS |= {"not_digits": {}, "not_digits_part": "all", "thick": {}, "varied": {}}
DRAWINGS_KEYS = {"file": None, "lines": [0, 2**40], "pens": [], "licence": None}


@dataclass(frozen=True)
class Parts:
    """The samples of a recipe. In `train` class 10 is "no digit", if the recipe has any such."""

    train: dn.Dataset
    validation: dn.Dataset  # digits alone
    not_digits: NDArray[np.uint8]  # for validation, (n, 28, 28); may be empty
    sources: list[dict[str, Any]]  # what was read: name, samples, SHA-256


def names() -> list[str]:
    """The recipes that come with digitnet."""
    files = resources.files(__name__).iterdir()
    return sorted(file.name[: -len(".json")] for file in files if file.name.endswith(".json"))


def load(name: str) -> dict[str, Any]:
    """A recipe by its name, or from a JSON file.

    Raises:
        ArgumentError: if there is no recipe of this name.
        IoError: if the file cannot be read.
        FormatError: if it is no JSON, or a key is unknown or missing.
    """
    if name.endswith(".json"):
        try:
            with open_plain(Path(name), "recipe") as file:
                words = file.read()
        except FileNotFoundError as error:
            raise io_error(Path(name), error, "recipe") from None
    elif name in names():
        words = (resources.files(__name__) / f"{name}.json").read_bytes()
    else:
        msg = (
            f"recipe '{name}', expected one of {', '.join(names())}, or a .json file{nearest(name, names())}"
        )
        raise dn.ArgumentError(msg)
    recipe = parse_json(f"recipe: {name}: ", words)
    recipe = _checked(f"recipe: {name}", recipe, KEYS)
    recipe["data"] = _checked(f"recipe: {name}: data", recipe["data"], DATA_KEYS)
    for key, module in (("thick", thick), ("varied", varied)):
        if recipe["data"][key]:
            where = f"recipe: {name}: {key}"
            recipe["data"][key] = _checked(where, recipe["data"][key], module.KEYS)
            module.require_valid(where, recipe["data"][key])
    recipe["data"]["drawings"] = [
        _checked(f"recipe: {name}: drawings", source, DRAWINGS_KEYS) for source in recipe["data"]["drawings"]
    ]
    return recipe


def _checked(where: str, given: object, keys: dict[str, Any]) -> dict[str, Any]:
    """The keys given over those that are taken otherwise."""
    if not isinstance(given, dict):
        msg = f"{where}: {type(given).__name__}, expected an object"
        raise dn.FormatError(msg)
    for key in given:
        if key not in keys:
            msg = f"{where}: key '{key}', expected one of {', '.join(keys)}{nearest(key, list(keys))}"
            raise dn.FormatError(msg)
    for key, default in keys.items():
        if default is None and key not in given:
            msg = f"{where}: no key '{key}', expected one"
            raise dn.FormatError(msg)
    return {**keys, **given}


def gather(recipe: dict[str, Any], directory: str | None = None, *, progress: bool = False) -> Parts:
    """Loads and draws the samples of a recipe.

    Args:
        recipe: what load gives.
        directory: data directory, as for load_mnist.
        progress: whether to say on stderr what is being drawn, which takes a minute or two in one thread.

    Raises:
        IoError: if a file is missing.
        FormatError: if one is damaged.
    """
    data, seed = recipe["data"], recipe["seed"]
    mnist = dn.load_mnist(directory).train
    aside, kept = mnist.split(data["mnist_validation"], seed)
    train, validation = [(kept.images, kept.labels)], [(aside.images, aside.labels)]
    sources = [{"name": "mnist", "samples": len(mnist), "sha256": mnist.fingerprint()}]
    bold, other_hands, rng = data["thick"], data["varied"], np.random.default_rng(seed)
    for source in data["drawings"]:
        if progress:
            print(f"drawing {source['file']}", file=sys.stderr)
        drawings = dn.read_drawings(_find(source["file"], directory))[slice(*source["lines"])]
        labels = np.array([drawing.label for drawing in drawings], np.uint8)
        is_held_out = held_out(len(drawings), data["drawings_validation"], seed)
        for pen in source["pens"]:
            images = np.stack([dn.to_mnist_image(drawing, pen_diameter=pen) for drawing in drawings])
            train.append((images[~is_held_out], labels[~is_held_out]))
        plain = dn.Dataset(np.stack([dn.to_mnist_image(drawing) for drawing in drawings]), labels)
        validation.append((plain.images[is_held_out], labels[is_held_out]))
        for _ in range(bold.get("drawings", 0)):
            images = thick.images([drawing.strokes for drawing in drawings], bold["brushes"], rng)
            train.append((images[~is_held_out], labels[~is_held_out]))
            validation.append((images[is_held_out], labels[is_held_out]))
        kept_drawings = [drawing for drawing, out in zip(drawings, is_held_out) if not out]
        for _ in range(other_hands.get("drawings", 0)):
            images = varied.images([drawing.strokes for drawing in kept_drawings], other_hands["pens"], rng)
            train.append((images, labels[~is_held_out]))
        sources.append({"name": source["file"], "samples": len(plain), "sha256": plain.fingerprint()})
    others = np.empty((0, 28, 28), np.uint8)
    for kind, count in data["not_digits"].items():
        if progress:
            print(f"drawing {count} {kind}, which are no digits", file=sys.stderr)
        drawn = not_digits.drawings(kind, count, seed, data["not_digits_part"])
        thick_ones = round(count * bold.get("not_digits", 0))
        pictures = [others, thick.images(drawn[:thick_ones], bold.get("brushes", []), rng)]
        pictures += [dn.to_mnist_image(strokes)[None] for strokes in drawn[thick_ones:]]
        others = np.concatenate(pictures)
    is_held_out = held_out(len(others), NOT_DIGITS_VALIDATION, seed)
    train.append((others[~is_held_out], np.full(int((~is_held_out).sum()), DIGITS, np.uint8)))
    classes = DIGITS + (len(others) > 0)
    return Parts(_joined(train, classes), _joined(validation, DIGITS), others[is_held_out], sources)


def held_out(count: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Which of `count` samples are held out: drawn with the seed, whatever order they are in."""
    chosen = np.zeros(count, bool)
    chosen[np.random.default_rng(seed).permutation(count)[: round(count * share)]] = True
    return chosen


def _joined(parts: list[tuple[NDArray[np.uint8], NDArray[np.uint8]]], classes: int) -> dn.Dataset:
    images, labels = zip(*parts)
    return dn.Dataset(np.concatenate(images), np.concatenate(labels), classes)


def _find(file: str, directory: str | None) -> Path:
    """A file in the first data directory that has it."""
    folders = dn.data_directories(directory)
    for folder in folders:
        if (folder / file).is_file():
            return folder / file
    msg = f"recipe: there is no {file} in {' or '.join(map(str, folders))}"
    raise dn.IoError(msg)


def make(
    recipe: dict[str, Any],
    directory: str | None = None,
    *,
    threads: int = 0,
    progress: bool = False,
    on_epoch: Callable[[dn.EpochReport], object] | None = None,
    stop: dn.StopFlag | None = None,
    run: str | os.PathLike[str] | None = None,
) -> dn.Network:
    """Follows a recipe: gathers the data, trains, calibrates.

    If the recipe has drawings that are no digits, the network is trained with an eleventh class for them,
    which is then folded away (see without_class). If it has members, each of them goes through `phases` from
    a seed of its own; then they become one network (see side_by_side), which goes through `together`. The
    same recipe and data give the same bits, for any number of threads.

    Args:
        recipe: what load gives.
        directory: data directory, as for load_mnist.
        threads: how many to use; 0 takes default_threads().
        progress: whether to write a line for each thing that is drawn, and each epoch, to stderr.
        on_epoch: called with an EpochReport after each epoch.
        stop: asks to stop, from any thread; what was learned by then is calibrated and returned.
        run: folder that keeps the training, as one run for each member and phase: followed again with it, a
            recipe goes on where it was interrupted, to the same bits. None keeps nothing.

    Returns:
        A network of ten outputs; its metadata say how it was made and how it is calibrated.

    Raises:
        IoError, FormatError: as gather.
        ArgumentError: if the recipe asks dn.train for what it does not take, or `run` is of another recipe.
    """
    parts = gather(recipe, directory, progress=progress)
    reports = {"threads": threads, "progress": progress, "on_epoch": on_epoch, "stop": stop}
    network = side_by_side(
        [train_member(recipe, parts, member, run=run, **reports) for member in range(recipe["members"])]
    )
    seed = recipe["seed"] + recipe["members"] * _SEEDS_APART
    network = _through(recipe, parts, network, recipe["together"], seed, "together", run, reports)
    if parts.train.classes > DIGITS:
        network = without_class(network, DIGITS)
    if recipe["precision"] == "half":  # what the file holds is what is calibrated and measured
        network = dn.Network.from_bytes(network.to_bytes(precision="half"))
    others = dn.Dataset(parts.not_digits, np.zeros(len(parts.not_digits), np.uint8))
    fitted_on = (
        f"{len(parts.validation)} digits and {len(others)} drawings that are none, held out of the training"
    )
    provenance = {
        "digitnet": dn.__version__,
        "recipe": recipe,
        "seed": recipe["seed"],
        "data": parts.sources,
        "data_sha256": parts.train.fingerprint(),
        "training_samples": len(parts.train),
        "validation_accuracy": network.evaluate(parts.validation, threads).accuracy,
    }
    network.metadata = {"provenance": json.dumps(provenance)}
    dn.set_calibration(
        network,
        dn.fit_calibration(
            network, parts.validation, others, threads=threads, fitted_on=fitted_on, **recipe["calibration"]
        ),
    )
    return network


def train_member(
    recipe: dict[str, Any],
    parts: Parts,
    member: int,
    *,
    run: str | os.PathLike[str] | None = None,
    **reports: Any,  # noqa: ANN401  passed on
) -> dn.Network:
    """One member of a recipe's network, from 0, through all of its `phases`.

    Members need nothing of each other. With `run`, several processes can train one each; `make` then finds
    them there.

    Args:
        recipe: what load gives.
        parts: what gather gives.
        member: which one; it gives the seed.
        run: as for make.
        reports: threads, progress, on_epoch, stop, as for dn.train.
    """
    seed = recipe["seed"] + member * _SEEDS_APART
    sizes = [parts.train.inputs, *recipe["hidden"], parts.train.classes]
    network = dn.Network(sizes, activation=recipe["activation"], seed=seed)
    name = f"member-{member + 1}"
    return _through(recipe, parts, network, recipe["phases"], seed, name, run, reports)


def _through(
    recipe: dict[str, Any],
    parts: Parts,
    network: dn.Network,
    phases: list[dict[str, Any]],
    seed: int,
    name: str,
    run: str | os.PathLike[str] | None,
    reports: dict[str, Any],
) -> dn.Network:
    """A network after some phases. With `run`, those that are done are read, one that was begun goes on."""
    for number, phase in enumerate(phases):
        arguments = {**_arguments(phase), **reports}
        source = {"recipe": recipe, "part": name, "phase": number + 1}
        folder = None if run is None else Path(run) / f"{name}-phase-{number + 1}"
        if folder is not None and (folder / "config.json").exists():
            made_by = (dn.Run(folder).config["data"]["source"] or {}).get("recipe")
            if _behind(made_by, name, number + 1) != _behind(recipe, name, number + 1):
                msg = f"recipe: {folder} is a run of another recipe, expected one of this or none"
                raise dn.ArgumentError(msg)
            network, _ = dn.resume(folder, parts.train, parts.validation, **reports)
            continue
        if folder is not None:
            arguments["run"] = dn.RunOptions(folder, checkpoint_every=5, keep_last=1, source=source)
        dn.train(network, parts.train, validation=parts.validation, seed=seed + number, **arguments)
    return network


def _behind(recipe: object, name: str, phases: int) -> dict[str, object]:
    """What of a recipe counts for a part of it after some phases.

    No phase that comes later, and for a member not how many others there are. The recipe may be whatever a
    file says.
    """
    said = recipe if isinstance(recipe, dict) else {}
    counts = {key: said.get(key) for key in ("seed", "hidden", "activation", "data", "phases")}
    last = "phases"
    if name == "together":
        last = "together"
        counts |= {key: said.get(key) for key in ("members", last)}
    gone_through = counts[last]
    if isinstance(gone_through, list):
        counts[last] = gone_through[:phases]
    return counts


def side_by_side(networks: Sequence[dn.Network]) -> dn.Network:
    """Networks of one shape as a single one, whose logits are the means of theirs.

    Each hidden layer has the units of all, in their order. Weights between units of different networks are 0,
    until a training changes them. One network alone is returned as it is.

    Raises:
        ArgumentError: if there are none, or they differ in their layers.
    """
    shapes = {(tuple(layer.outputs for layer in each.layers), *each.activation_names) for each in networks}
    if len(shapes) != 1:
        msg = f"side_by_side: {len(networks)} networks, expected at least one, all with the same layers"
        raise dn.ArgumentError(msg)
    first, count = networks[0], len(networks)
    if count == 1:
        return first
    *hidden, last = first.layers
    sizes = [first.layers[0].inputs, *(count * layer.outputs for layer in hidden), last.outputs]
    joined = dn.Network(sizes, activation=first.activation_names[0])
    for number, layer in enumerate(joined.layers):
        parts = [each.layers[number] for each in networks]
        weights = [part.weights for part in parts]
        if number == 0:
            layer.weights = np.concatenate(weights, axis=1)
        elif number == len(hidden):
            layer.weights = np.concatenate(weights) / count
        else:
            apart = np.zeros((layer.inputs, layer.outputs), np.float32)
            for place, each in enumerate(weights):
                rows, columns = each.shape
                apart[place * rows : (place + 1) * rows, place * columns : (place + 1) * columns] = each
            layer.weights = apart
        biases = [part.bias for part in parts]
        layer.bias = np.mean(biases, axis=0) if number == len(hidden) else np.concatenate(biases)
    return joined


def without_class(network: dn.Network, number: int) -> dn.Network:
    """The same network with one class folded into the others.

    The last layer's weights and bias of this class are subtracted from those of all others and then dropped.
    Softmax sees differences of logits alone, so the others keep their probabilities relative to each other,
    and log(sum(exp(logits))) of what is left is the log-odds of "one of these" against the class gone.

    Raises:
        ArgumentError: if there is no such class, or the last layer is no softmax.
    """
    *hidden, last = network.layers
    if not 0 <= number < last.outputs or last.outputs < 3 or network.activation_names[-1] != "softmax":
        what = f"class {number} of {last.outputs} ({network.activation_names[-1]})"
        msg = f"without_class: {what}, expected one of a softmax of at least 3"
        raise dn.ArgumentError(msg)
    sizes = [network.layers[0].inputs, *(layer.outputs for layer in hidden), last.outputs - 1]
    folded = dn.Network(sizes, activation=network.activation_names[0])
    for layer, source in zip(folded.layers, hidden):
        layer.weights, layer.bias = source.weights, source.bias
    folded.layers[-1].weights = np.delete(last.weights - last.weights[:, [number]], number, axis=1)
    folded.layers[-1].bias = np.delete(last.bias - last.bias[number], number)
    return folded


def _arguments(phase: dict[str, Any]) -> dict[str, Any]:
    """What a phase says, as arguments of dn.train."""
    arguments = dict(phase)
    optimizer = dict(arguments.pop("optimizer"))
    weight_decay = optimizer.pop("weight_decay", 0.0)
    arguments["optimizer"] = dn.make_optimizer(optimizer["name"], optimizer.get("learning_rate"))
    arguments["optimizer"].weight_decay = weight_decay
    if "warmup" in arguments:
        arguments["schedule"] = dn.make_schedule(arguments["schedule"], arguments.pop("warmup"))
    if isinstance(arguments.get("augmentation"), dict):
        arguments["augmentation"] = dn.Augmentation(**arguments["augmentation"])
    return arguments
