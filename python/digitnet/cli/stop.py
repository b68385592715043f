"""Ask a training to stop: after the batch in work, with a checkpoint from which `digitnet resume` goes on."""

from __future__ import annotations

from typing import TYPE_CHECKING

import digitnet as dn
from digitnet.cli.common import FAILED, CommandError

if TYPE_CHECKING:
    import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("run", metavar="DIR", help="folder of the run")


def run(options: argparse.Namespace) -> int:
    """Ask, and do not wait."""
    try:
        dn.Run(options.run).request_stop()
    except dn.ArgumentError as error:  # there is nothing to stop
        raise CommandError(FAILED, str(error)) from None
    return 0
