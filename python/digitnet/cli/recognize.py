"""Read the digits on pictures: one line for each, with the digit and its probability."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.cli.common import (
    BAD_INPUT,
    DEFAULT_MODEL,
    USAGE,
    CommandError,
    add_json_option,
    is_idx,
    tell,
    whole,
)

if TYPE_CHECKING:
    import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    images = "PNG, JPEG or PGM picture, or IDX file of 28 x 28 images"
    parser.add_argument("images", nargs="+", metavar="IMAGE", help=images)
    model = f"model file (default: {DEFAULT_MODEL} in the current folder)"
    parser.add_argument("--model", metavar="FILE", help=model)
    index = "which image of an IDX file, from 0 (default: 0)"
    parser.add_argument("--index", type=whole(0), metavar="N", help=index)
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
    for file in options.images:
        try:
            name, prediction = _recognize(classifier, file, options.index or 0)
        except (dn.FormatError, dn.IoError) as error:
            failed = True
            tell(str(error))
            results.append({"file": file, "error": str(error)})
            continue
        probabilities = prediction.probabilities
        results.append(
            {
                "file": name,
                "digit": prediction.digit,
                "probability": None if prediction.digit is None else prediction.probability,
                "probabilities": None if probabilities is None else probabilities.tolist(),
            }
        )
        if not options.json:
            what = "empty" if prediction.digit is None else f"{prediction.digit} {prediction.probability:.4f}"
            print(f"{name}: {what}")
    if options.json:
        print(json.dumps(results))
    return BAD_INPUT if failed else 0


def _require_idx(options: argparse.Namespace) -> None:
    """Says that a picture has no images to choose from, before any file is read."""
    for file in options.images if options.index is not None else []:
        if Path(file).is_file() and not is_idx(file):
            raise CommandError(
                USAGE, f"--index {options.index}: {file} is no IDX file, expected one; leave --index out"
            )


def _recognize(classifier: dn.Classifier, file: str, index: int) -> tuple[str, dn.Prediction]:
    if not is_idx(file):
        return file, classifier.classify(dn.read_picture(file))
    images = dn.read_idx(file)
    if images.dtype != "uint8" or images.shape[1:] != (28, 28):
        msg = f"recognize: {file}: {images.dtype} of shape {images.shape}, expected uint8 images of 28 x 28"
        raise dn.FormatError(msg)
    if index >= len(images):
        raise CommandError(
            USAGE, f"--index {index}: {file} has {len(images)} images, expected a number below"
        )
    return f"{file}[{index}]", classifier.classify_image(images[index])
