"""Read the digits of pictures and pen strokes: one line for each, with the digit and its probability."""

from __future__ import annotations

import json
import os
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
    model = f"model file (default: the one that DIGITNET_MODEL names, else {DEFAULT_MODEL} in this folder, "
    model += "else the one that comes with digitnet)"
    parser.add_argument("--model", metavar="FILE", help=model)
    index = "which image of an IDX file or drawing of a stroke file, from 0 (default: 0; all drawings)"
    parser.add_argument("--index", type=whole(0), metavar="N", help=index)
    explain = "write a picture of why it was read so, a PNG file, and say it in words; for one drawing"
    parser.add_argument("--explain", metavar="OUT", help=explain)
    number = "read several digits side by side; ? stands for one that is unsure or none"
    parser.add_argument("--number", action="store_true", help=number)
    image = "with --json, tell also the 28 x 28 image that the network saw, 784 numbers of 0 to 255"
    parser.add_argument("--image", action="store_true", help=image)
    add_json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Read the digits on pictures; one that cannot be read does not keep us from the others."""
    if options.image and not options.json:
        raise CommandError(USAGE, "--image: only JSON has room for it, expected --json, too")
    _require_idx(options)
    model = _model(options)
    recognizer = dn.Recognizer(model)
    failed = False
    results: list[dict[str, Any]] = []
    all_read: list[dn.Recognition] = []
    for file in options.images:
        try:
            for name, sketch in _sketches(file, options.index):
                if options.number:
                    number = recognizer.recognize_number(sketch)
                    digits = [_result(read, with_image=options.image) for read in number.digits]
                    results.append({"file": name, "text": number.text, "digits": digits})
                    shown = number.text or "empty"
                    all_read += number.digits
                else:
                    # What is 28 x 28 in an IDX file is as MNIST's images are, whatever it looks like.
                    read = (
                        recognizer.recognize_images(sketch[None])[0]
                        if is_idx(file) and not is_strokes(file)
                        else recognizer.recognize(sketch)
                    )
                    results.append({"file": name, **_result(read, with_image=options.image)})
                    shown = _shown(read)
                    all_read.append(read)
                if not options.json:
                    print(f"{name}: {shown}")
        except (dn.FormatError, dn.IoError) as error:
            failed = True
            tell(str(error))
            results.append({"file": file, "error": str(error)})
    if options.json:
        print(json.dumps(results))
    if options.model is None and model == Path(DEFAULT_MODEL) and all_read:
        tell(f"recognize: by {model} of this folder; --model names another")
    if options.explain is not None and not failed:
        _explain(options, model, all_read)
    return BAD_INPUT if failed else 0


def _model(options: argparse.Namespace) -> Path:
    """What was named, or what `digitnet train` has left here, or the model that comes with digitnet."""
    if options.model is not None:
        return Path(options.model)
    is_here = not os.environ.get("DIGITNET_MODEL") and Path(DEFAULT_MODEL).is_file()
    return Path(DEFAULT_MODEL) if is_here else dn.shipped_model()


def _explain(options: argparse.Namespace, model: Path, all_read: list[dn.Recognition]) -> None:
    """Writes why the one drawing was read so; with near images of MNIST if it is at hand."""
    if len(all_read) != 1:
        found = f"{len(all_read)} drawings, expected one; --index chooses one of a file"
        raise CommandError(USAGE, f"--explain {options.explain}: {found}")
    if all_read[0].status == "empty":
        raise CommandError(BAD_INPUT, f"--explain {options.explain}: the drawing is empty, expected ink")
    network = dn.Network.load(model)
    data: dn.Dataset | None = None
    try:
        data = dn.load_mnist().train
    except dn.IoError:
        tell("recognize: no MNIST at hand, so no near images; `digitnet fetch` gets it")
    explanation = dn.explain(network, all_read[0].image, data=data)
    try:
        explanation.save(options.explain)
    except OSError as error:
        reason = error.strerror or error
        raise CommandError(FAILED, f"recognize: {options.explain}: cannot be written: {reason}") from error
    if not options.json:
        print(explanation.text())


def _result(read: dn.Recognition, *, with_image: bool) -> dict[str, Any]:
    result: dict[str, Any] = {
        "status": read.status,
        "digit": read.digit,
        "probability": None if read.digit is None else read.probability,
        "probabilities": None if read.probabilities is None else read.probabilities.tolist(),
        "score": read.score,
    }
    if with_image:
        result["image"] = read.image.ravel().tolist()
    return result


def _shown(read: dn.Recognition) -> str:
    if read.digit is None:
        return read.status.replace("_", " ")
    return f"{read.digit} {read.probability:.4f}{' unsure' * (read.status == 'unsure')}"


def _require_idx(options: argparse.Namespace) -> None:
    """Says that a picture has no images to choose from, before any file is read."""
    for file in options.images if options.index is not None else []:
        if Path(file).is_file() and not is_idx(file) and not is_strokes(file):
            expected = "is no IDX file and no file of strokes, expected one; leave --index out"
            raise CommandError(USAGE, f"--index {options.index}: {file} {expected}")


def _sketches(file: str, index: int | None) -> Iterator[tuple[str, Any]]:
    """What is in a file: a picture, one image of an IDX file, all drawings of a stroke file or one."""
    if is_strokes(file):
        drawings = dn.read_drawings(file)
        if index is not None:
            _require_below(index, len(drawings), file, "drawings")
        elif not drawings:
            msg = f"recognize: {file}: no drawing, expected at least one"
            raise dn.FormatError(msg)
        for i in range(len(drawings)) if index is None else [index]:
            yield f"{file}[{i}]", drawings[i]
    elif is_idx(file):
        images = dn.read_idx(file)
        if images.dtype != "uint8" or images.shape[1:] != (28, 28):
            found = f"{images.dtype} of shape {images.shape}"
            msg = f"recognize: {file}: {found}, expected uint8 images of 28 x 28"
            raise dn.FormatError(msg)
        index = index or 0
        _require_below(index, len(images), file, "images")
        yield f"{file}[{index}]", images[index]
    elif Path(file).is_file() and Path(file).stat().st_size == 0:
        msg = f"recognize: {file}: is empty, expected a picture, an IDX file or strokes"
        raise dn.FormatError(msg)
    else:
        yield file, dn.read_picture(file)


def _require_below(index: int, count: int, file: str, what: str) -> None:
    if index >= count:
        raise CommandError(USAGE, f"--index {index}: {file} has {count} {what}, expected a number below")
