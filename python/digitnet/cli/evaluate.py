"""Measure a model on the test set of a data set, or on drawings."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet._files import write_whole
from digitnet.cli.common import (
    BAD_INPUT,
    FAILED,
    THRESHOLD_MISSED,
    USAGE,
    CommandError,
    add_data_options,
    add_json_option,
    load_data,
    number,
    tell,
    unwritable,
    whole,
)

if TYPE_CHECKING:
    import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("model", metavar="MODEL", help="model file")
    add_data_options(parser)
    minimum = "exit with 4 if the accuracy is below"
    parser.add_argument("--min-accuracy", type=number(most=1), metavar="SHARE", help=minimum)
    drawings = "measure on the drawings of a file instead, JSON lines of strokes, each with its label"
    parser.add_argument("--drawings", metavar="FILE", help=drawings)
    report = (
        "tell also how sure it is and what it takes for digits that are none; with a folder, write "
        "report.json and report.png there"
    )
    parser.add_argument("--report", nargs="?", const="", metavar="DIR", help=report)
    worst = "with --report DIR, draw the N errors of which it was surest as DIR/worst.png (default: 50)"
    parser.add_argument("--worst", type=whole(1, 1000), metavar="N", help=worst)
    garbage = "with --report, how many samples of each kind that is no digit (default: 1000)"
    parser.add_argument("--garbage", type=whole(1, 100000), metavar="N", help=garbage)
    add_json_option(parser)


FASHION = Path("/usr/share/datasets/fashion-mnist")  # where Debian puts it


def _garbage(options: argparse.Namespace, recognizer: dn.Recognizer) -> dict[str, list[dn.Recognition]]:
    """What becomes of things that are no digits, by kind. Forms of the part train are left out."""
    from digitnet import not_digits

    count = options.garbage or 1000
    kinds = {
        kind: [recognizer.recognize(strokes) for strokes in not_digits.drawings(kind, count, 1, part="test")]
        for kind in not_digits.KINDS
    }
    for directory, name in ((options.data, "fashion-mnist"), (FASHION, FASHION.name)):
        try:
            garments = dn.load_mnist(directory, name).test
        except dn.Error:
            continue
        kinds["fashion-mnist"] = recognizer.recognize_images(garments.images[:count])
        break
    return kinds


def _report(options: argparse.Namespace, network: dn.Network, data: dn.Dataset | None) -> dict[str, Any]:
    """Measures, and writes what was asked for."""
    from digitnet import report

    recognizer = dn.Recognizer(network)
    if data is None:
        drawings = dn.read_drawings(options.drawings)
        labels: Any = [drawing.label for drawing in drawings]
        digits = [recognizer.recognize(drawing) for drawing in drawings]
    else:
        labels = data.labels
        digits = recognizer.recognize_images(data)
    numbers = report.measure(recognizer, digits, labels, _garbage(options, recognizer))
    if options.report:
        folder = Path(options.report)
        write_whole(folder / "report.json", json.dumps(numbers, indent=1) + "\n")
        try:
            report.plot(numbers, folder / "report.png")
        except ImportError:
            tell("no report.png: Matplotlib is not installed; pip install digitnet[plot] gets it")
        report.contact_sheet(digits, labels, options.worst or 50, folder / "worst.png")
    return numbers


def _make_folder(folder: Path) -> None:
    """Says before the measurement, not after it, that its result cannot be kept."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        reason = unwritable(folder)
    except OSError as error:
        reason = error.strerror or str(error)
    if reason:
        raise CommandError(FAILED, f"evaluate: --report {folder}: cannot be written as a folder: {reason}")


def run(options: argparse.Namespace) -> int:
    """Measure a model on the test set."""
    if options.worst is not None and not options.report:
        raise CommandError(USAGE, "--worst: no folder to write to, expected --report DIR")
    if options.garbage is not None and options.report is None:
        raise CommandError(USAGE, "--garbage: nothing to measure it for, expected --report")
    if options.report:
        _make_folder(Path(options.report))
    data = load_data(options).test if options.drawings is None else dn.load_drawings(options.drawings)
    if len(data) == 0:
        msg = f"evaluate: {options.drawings or options.name}: no samples, expected at least one"
        raise CommandError(BAD_INPUT, msg)
    network = dn.Network.load(options.model)
    result = network.evaluate(data)
    report = None
    if options.report is not None:
        report = _report(options, network, None if options.drawings else data)
    if options.json:
        numbers: dict[str, Any] = {
            "accuracy": result.accuracy,
            "loss": result.loss,
            "samples": result.samples,
            "top_2_accuracy": result.top_2_accuracy,
            "confusion": result.confusion.tolist(),
            "precision": result.precision.tolist(),
            "recall": result.recall.tolist(),
            "f1": result.f1.tolist(),
            "macro_precision": result.macro_precision,
            "macro_recall": result.macro_recall,
            "macro_f1": result.macro_f1,
        }
        if report is not None:
            numbers["report"] = report
        print(json.dumps(numbers))
    else:
        print(f"test samples: {result.samples}")
        print(f"test loss: {result.loss:.4f}")
        print(f"test accuracy: {result.accuracy:.4f}")
        print(f"among the two likeliest: {result.top_2_accuracy:.4f}")
        print(f"macro F1: {result.macro_f1:.4f}")
        digits = range(len(result.recall))
        print(
            "\nlabel "
            + "".join(f"{digit:6}" for digit in digits)
            + "   recall  precision      F1   (columns: read as)"
        )
        for label in digits:
            counts = "".join(f"{count:6}" for count in result.confusion[label].tolist())
            rates = f"{result.recall[label]:.4f}     {result.precision[label]:.4f}  {result.f1[label]:.4f}"
            print(f"{label:5} {counts}   {rates}")
        if report is not None:
            from digitnet.report import summary

            print("\n" + summary(report))
    if options.min_accuracy is not None and result.accuracy < options.min_accuracy:
        tell(f"the accuracy is {result.accuracy:.4f}, expected at least {options.min_accuracy:g}")
        return THRESHOLD_MISSED
    return 0
