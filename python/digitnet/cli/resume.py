"""Go on with a training that was interrupted, to the very bits it would have reached, and save the model."""

from __future__ import annotations

import shlex
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet._files import shown
from digitnet.cli.common import (
    DEFAULT_MODEL,
    FAILED,
    INTERRUPTED,
    CommandError,
    add_json_option,
    place,
    second_interrupt_leaves,
    whole,
)
from digitnet.cli.train import conclude, require_writable
from digitnet.samples import from_source

if TYPE_CHECKING:
    import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    add("run", metavar="DIR", help="folder of the run")
    data = "data directory, if the data are no longer where they were when the run began"
    add("--data", metavar="DIR", help=data)
    threads = "0 takes all processors; the file is the same for any number (default: %(default)s)"
    add("--threads", type=whole(0, 256), default=0, metavar="N", help=threads)
    output = "model file to write (default: the one that was to be written when the run began)"
    add("--output", type=place, metavar="FILE", help=output)
    add_json_option(parser)
    add("--quiet", action="store_true", help="show no progress")


def _output(source: dict[str, Any]) -> str:
    """Where the run was to write. A folder may be a stranger's: only a model is replaced on its word."""
    output = source.get("output")
    if not isinstance(output, str) or not output:
        return DEFAULT_MODEL
    if Path(output).is_file():
        try:
            dn.Network.load(output)
        except dn.Error:
            msg = f"resume: {shown(Path(output))}, where the run was to write, is there and is no model"
            raise CommandError(FAILED, f"{msg}; give the name of another file by --output") from None
    return output


def run(options: argparse.Namespace) -> int:
    """Go on, measure, save, report."""
    config = dn.Run(options.run).config
    source = dict(config["data"]["source"] or {})
    provenance = source.get("provenance")
    if not isinstance(provenance, dict):
        msg = f"{options.run} was not begun by options of `digitnet train`; go on with it by the program, "
        msg += "or the command with --recipe, that began it"
        raise CommandError(FAILED, f"resume: {msg}")
    if options.output is None:
        options.output = _output(source)
    require_writable("resume", options.output)
    if options.data is not None:
        source["directory"] = options.data
    training = from_source(source, f"resume: {options.run}")
    test = dn.load_mnist(source.get("directory"), source["name"]).test
    started = time.perf_counter()
    second_interrupt_leaves()
    try:
        network, history = dn.resume(
            options.run, training, threads=options.threads, progress=not options.quiet
        )
    except KeyboardInterrupt:
        msg = f"interrupted; go on with: digitnet resume {shlex.quote(options.run)}"
        raise CommandError(INTERRUPTED, msg) from None
    if history.reason == "stopped":  # by Run.request_stop
        raise CommandError(INTERRUPTED, f"stopped; go on with: digitnet resume {shlex.quote(options.run)}")
    if history.reason == "diverged":
        raise CommandError(FAILED, f"resume: diverged in epoch {len(history) + 1}: the loss is not finite")
    seconds = time.perf_counter() - started
    return conclude(network, test, history.epochs, history, len(training), seconds, provenance, options)
