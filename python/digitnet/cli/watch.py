"""Show a training while it runs: how far it is, its losses and accuracies, its speed, its end.

On a terminal it draws them, else it writes a line for each epoch. It ends when the training does: with 0 if
that went well or was stopped, with 1 if it diverged, failed or died.
"""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

import digitnet as dn
from digitnet.cli import figures
from digitnet.cli.common import FAILED, tell
from digitnet.runs import printable

if TYPE_CHECKING:
    import argparse

    from digitnet.events import Event, Progress

POLL = 0.1  # seconds between two looks at the events
DRAW, REDRAW = 0.2, 0.5  # seconds between two drawings, when something is new and when nothing is
ENDED_WELL = ("done", "stopped", "loss_reached", "early_stop")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("run", metavar="DIR", help="folder of the run; with --wait it need not be there yet")
    parser.add_argument("--wait", action="store_true", help="wait for the run to begin, if there is none")
    parser.add_argument("--json", action="store_true", help="write the events as they come, one a line")


def run(options: argparse.Namespace) -> int:
    """Show a training while it runs."""
    run = _wait_for(options.run) if options.wait else dn.Run(options.run)
    if options.json:
        state = _pass_on(run)
    elif sys.stdout.isatty():
        state = _draw(run)
    else:
        state = _write_lines(run)
    return 0 if state in ENDED_WELL else FAILED


def _wait_for(directory: str) -> dn.Run:
    while True:
        try:
            return dn.Run(directory)
        except dn.IoError:
            time.sleep(POLL)


def _pass_on(run: dn.Run) -> str:
    for event in run.follow(POLL):
        print(json.dumps(event, separators=(",", ":")), flush=True)
    return _conclude(run)


def _write_lines(run: dn.Run) -> str:
    for event in run.follow(POLL):
        if event["type"] == "epoch":
            print(epoch_line(event), flush=True)
        elif event["type"] == "learning_rate":
            tell(f"learning rate {change_line(event)}")
        elif event["type"] == "message":
            tell(f"{event['level']}: {printable(event['text'])}")
    return _conclude(run)


def _draw(run: dn.Run) -> str:
    # rich takes a tenth of a second to import.
    from rich.live import Live

    from digitnet.cli.screen import Screen, console
    from digitnet.events import Progress

    terminal = console()
    if terminal.is_dumb_terminal:
        return _write_lines(run)
    progress = Progress()
    screen = Screen(run.name, run.config, progress)
    drawn = 0.0
    with Live(screen, console=terminal, auto_refresh=False, vertical_overflow="crop") as live:
        for events in run.updates(POLL):
            for event in events:
                progress.add(event)
            # While nothing is new, the terminal may still get another size.
            if time.monotonic() - drawn >= (DRAW if events else REDRAW):
                live.refresh()
                drawn = time.monotonic()
        screen.state = run.state()
        live.refresh()
    return _conclude(run)


def _conclude(run: dn.Run) -> str:
    """Says how it ended, if that is to be said, and returns the state."""
    state = run.state()
    progress = run.progress()
    end: Event = progress.end or {}
    if state in ENDED_WELL:
        if state != "done":
            tell(f"{printable(run.name)}: {state.replace('_', ' ')} {_place(progress)}")
        return state
    reason = f": {printable(end['error'])}" if "error" in end else ""
    if state == "died":
        reason = ": no end was written and no process is at work on it"
    tell(f"{printable(run.name)}: {state} {_place(progress)}{reason}")
    return state


def _place(progress: Progress) -> str:
    if progress.epoch_share == 0:
        return f"after epoch {progress.epoch} of {progress.planned or 0}"
    return f"in epoch {progress.epoch + 1} of {progress.planned or 0}"


def change_line(event: Event) -> str:
    """From where on the learning rate is another: "0.0005 from epoch 3, batch 14 on"."""
    batch = f", batch {event['batch'] + 1}" if event["batch"] else ""
    return f"{event['learning_rate']:g} from epoch {event['epoch'] + 1}{batch} on"


def epoch_line(event: Event) -> str:
    """One line, as `digitnet train` writes it: "epoch  3/10: loss 0.0512, accuracy 98.41% (1.2 s)"."""
    accuracy = figures.percent(event["training_accuracy"])
    line = f"epoch {event['epoch']:{len(str(event['epochs']))}}/{event['epochs']}: "
    line += f"loss {figures.measure(event['training_loss'])}, accuracy {accuracy}"
    if event["validation_loss"] is not None or event["validation_accuracy"] is not None:
        line += f", validation {figures.measure(event['validation_loss'])}"
        line += f", {figures.percent(event['validation_accuracy'])}"
    return line + f" ({figures.seconds(event['seconds'])})"
