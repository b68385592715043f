"""Read the digits of pictures and pen strokes: one line for each, with the digit and its probability."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.cli.common import (
    BAD_INPUT,
    DEFAULT_MODEL,
    FAILED,
    USAGE,
    CommandError,
    add_json_option,
    is_idx,
    is_strokes,
    tell,
    whole,
)

if TYPE_CHECKING:
    import argparse
    from collections.abc import Iterator


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    images = "PNG, JPEG or PGM picture, IDX file of 28 x 28 images, or JSON file of pen strokes"
    parser.add_argument("images", nargs="+", metavar="IMAGE", help=images)
    model = f"model file (default: {DEFAULT_MODEL} in the current folder)"
    parser.add_argument("--model", metavar="FILE", help=model)
    index = "which image of an IDX file or drawing of a stroke file, from 0 (default: 0; all drawings)"
    parser.add_argument("--index", type=whole(0), metavar="N", help=index)
    explain = "write a picture of why it was read so, a PNG file, and say it in words; for one drawing"
    parser.add_argument("--explain", metavar="OUT", help=explain)
    add_json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Read the digits on pictures; one that cannot be read does not keep us from the others."""
    if options.model is None and not Path(DEFAULT_MODEL).is_file():
        raise CommandError(
            BAD_INPUT,
            f"recognize: there is no {DEFAULT_MODEL} here, expected one, or --model FILE; "
            "`digitnet train` makes one",
        )
    _require_idx(options)
    classifier = dn.Classifier(Path(options.model or DEFAULT_MODEL))
    failed = False
    results: list[dict[str, Any]] = []
    predictions: list[dn.Prediction] = []
    for file in options.images:
        try:
            for name, prediction in _recognize(classifier, file, options.index):
                predictions.append(prediction)
                results.append(_result(name, prediction))
                if not options.json:
                    print(f"{name}: {_shown(prediction)}")
        except (dn.FormatError, dn.IoError) as error:
            failed = True
            tell(str(error))
            results.append({"file": file, "error": str(error)})
    if options.json:
        print(json.dumps(results))
    if options.explain is not None and not failed:
        _explain(options, predictions)
    return BAD_INPUT if failed else 0


def _explain(options: argparse.Namespace, predictions: list[dn.Prediction]) -> None:
    """Writes why the one drawing was read so; with near images of MNIST if it is at hand."""
    if len(predictions) != 1:
        found = f"{len(predictions)} drawings, expected one; --index chooses one of a file"
        raise CommandError(USAGE, f"--explain {options.explain}: {found}")
    if predictions[0].digit is None:
        raise CommandError(BAD_INPUT, f"--explain {options.explain}: the drawing is empty, expected ink")
    network = dn.Network.load(options.model or DEFAULT_MODEL)
    data: dn.Dataset | None = None
    try:
        data = dn.load_mnist().train
    except dn.IoError:
        tell("recognize: no MNIST at hand, so no near images; `digitnet fetch` gets it")
    explanation = dn.explain(network, predictions[0].image, data=data)
    try:
        explanation.save(options.explain)
    except OSError as error:
        reason = error.strerror or error
        raise CommandError(FAILED, f"recognize: {options.explain}: cannot be written: {reason}") from error
    if not options.json:
        print(explanation.text())


def _result(name: str, prediction: dn.Prediction) -> dict[str, Any]:
    probabilities = prediction.probabilities
    return {
        "file": name,
        "digit": prediction.digit,
        "probability": None if prediction.digit is None else prediction.probability,
        "probabilities": None if probabilities is None else probabilities.tolist(),
    }


def _shown(prediction: dn.Prediction) -> str:
    return "empty" if prediction.digit is None else f"{prediction.digit} {prediction.probability:.4f}"


def _require_idx(options: argparse.Namespace) -> None:
    """Says that a picture has no images to choose from, before any file is read."""
    for file in options.images if options.index is not None else []:
        if Path(file).is_file() and not is_idx(file) and not is_strokes(file):
            expected = "is no IDX file and no file of strokes, expected one; leave --index out"
            raise CommandError(USAGE, f"--index {options.index}: {file} {expected}")


def _recognize(
    classifier: dn.Classifier, file: str, index: int | None
) -> Iterator[tuple[str, dn.Prediction]]:
    """What is read from a file: a picture, an image of an IDX file, all drawings of a stroke file or one."""
    if is_strokes(file):
        drawings = dn.read_drawings(file)
        if index is not None:
            _require_below(index, len(drawings), file, "drawings")
        elif not drawings:
            msg = f"recognize: {file}: no drawing, expected at least one"
            raise dn.FormatError(msg)
        for i in range(len(drawings)) if index is None else [index]:
            yield f"{file}[{i}]", classifier.classify_image(dn.to_mnist_image(drawings[i]))
    elif is_idx(file):
        images = dn.read_idx(file)
        if images.dtype != "uint8" or images.shape[1:] != (28, 28):
            found = f"{images.dtype} of shape {images.shape}"
            msg = f"recognize: {file}: {found}, expected uint8 images of 28 x 28"
            raise dn.FormatError(msg)
        index = index or 0
        _require_below(index, len(images), file, "images")
        yield f"{file}[{index}]", classifier.classify_image(images[index])
    else:
        yield file, classifier.classify(dn.read_picture(file))


def _require_below(index: int, count: int, file: str, what: str) -> None:
    if index >= count:
        raise CommandError(USAGE, f"--index {index}: {file} has {count} {what}, expected a number below")
