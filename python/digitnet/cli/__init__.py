"""The command digitnet: finds the command, runs it, and turns what goes wrong into a line and an exit code.

Data goes to stdout, talk to stderr. Exit codes: 0 done, 1 failed, 2 usage, 3 bad input file,
4 a threshold was missed, 5 network or checksum, 130 interrupted.
"""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from digitnet import FormatError, IoError, __version__
from digitnet.cli import evaluate, inspect, recognize, reproduce, resume, runs, serve, stop, train, watch
from digitnet.cli.common import BAD_INPUT, FAILED, INTERRUPTED, USAGE, CommandError, Parser, tell

if TYPE_CHECKING:
    from collections.abc import Sequence

COMMANDS = {
    "train": (train, "train a network and save it, then measure it once on the test set"),
    "resume": (resume, "go on with a training that was interrupted"),
    "evaluate": (evaluate, "measure a model on the test set"),
    "recognize": (recognize, "read the digits of pictures and pen strokes"),
    "runs": (runs, "list the training runs of a folder"),
    "watch": (watch, "show a training while it runs"),
    "stop": (stop, "ask a training to stop, with a checkpoint"),
    "reproduce": (reproduce, "make a model again and compare the two"),
    "serve": (serve, "run the web app"),
    "inspect": (inspect, "say what is in a model file or an IDX file"),
}


def main(argv: Sequence[str] | None = None) -> int:
    """Run a command.

    Args:
        argv: the words behind the program's name; None takes those the program was called with.

    Returns:
        The exit code.
    """
    try:
        code = _run(list(sys.argv[1:] if argv is None else argv))
        sys.stdout.flush()
    except SystemExit as end:  # argparse, after --help or a usage error
        return end.code if isinstance(end.code, int) else 0
    except BrokenPipeError:  # whoever read our output has seen enough, such as head
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return FAILED
    except KeyboardInterrupt:
        tell("interrupted")
        return INTERRUPTED
    except CommandError as error:
        tell(error)
        return error.exit_code
    except (FormatError, IoError) as error:
        tell(error)
        return BAD_INPUT
    except OSError as error:
        if error.filename is None:  # of what is printed, which is not to be tried again at the end
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        tell(f"{error.filename or 'standard output'}: {error.strerror or error}")
        return FAILED
    except ValueError as error:  # among them what digitnet says of data that do not fit a network
        tell(error)
        return FAILED
    except MemoryError:
        tell("out of memory")
        return FAILED
    return code


def _run(words: list[str]) -> int:
    if words[:1] == ["fetch"]:
        from digitnet import fetch  # has a command line of its own, to work before anything is built

        return fetch.main(words[1:])
    parser = _parser()
    if not words:
        parser.print_help(sys.stderr)
        return USAGE
    options = parser.parse_args(words)
    code: int = COMMANDS[options.command][0].run(options)
    return code


def _parser() -> Parser:
    parser = Parser(
        prog="digitnet",
        description="Reads handwritten digits with dense networks.",
        epilog="Exit codes: 0 done, 1 failed, 2 usage, 3 bad input file, 4 a threshold was missed, "
        "5 network or checksum, 130 interrupted.",
        allow_abbrev=False,
    )
    parser.add_argument("--version", action="version", version=f"digitnet {__version__}")
    commands = parser.add_subparsers(dest="command", metavar="COMMAND", required=True)
    commands.add_parser("fetch", help="fetch a data set and check it")
    for name, (module, summary) in COMMANDS.items():
        description = module.__doc__ or summary
        module.add_options(
            commands.add_parser(name, help=summary, description=description, allow_abbrev=False)
        )
    return parser
