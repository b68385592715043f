"""Measure a model on the test set of a data set."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import digitnet as dn
from digitnet.cli.common import (
    THRESHOLD_MISSED,
    add_data_options,
    add_json_option,
    load_data,
    number,
    tell,
)

if TYPE_CHECKING:
    import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("model", metavar="MODEL", help="model file")
    add_data_options(parser)
    minimum = "exit with 4 if the accuracy is below"
    parser.add_argument("--min-accuracy", type=number(most=1), metavar="SHARE", help=minimum)
    add_json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Measure a model on the test set."""
    data = load_data(options)
    result = dn.Network.load(options.model).evaluate(data.test)
    if options.json:
        numbers = {
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
    if options.min_accuracy is not None and result.accuracy < options.min_accuracy:
        tell(f"the accuracy is {result.accuracy:.4f}, expected at least {options.min_accuracy:g}")
        return THRESHOLD_MISSED
    return 0
