"""List the training runs of a folder, the newest last: how far each is, how good, what it trains."""

from __future__ import annotations

import json
import sys
from datetime import datetime, timezone
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet.cli import figures
from digitnet.cli.common import BAD_INPUT, add_json_option, tell
from digitnet.runs import printable, runs_directory

if TYPE_CHECKING:
    import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    where = "folder with runs in it, or one run (default: DIGITNET_RUNS_DIR, else runs)"
    parser.add_argument("directory", metavar="DIR", nargs="?", help=where)
    add_json_option(parser)


def run(options: argparse.Namespace) -> int:
    """List the training runs of a folder."""
    rows = []
    is_broken = False
    for each in dn.find_runs(options.directory):
        try:
            rows.append({**each.summary(), "path": str(each.directory)})
        except (dn.FormatError, dn.IoError) as error:
            rows.append(
                {"name": each.name, "path": str(each.directory), "state": "broken", "error": str(error)}
            )
            tell(error)
            is_broken = True
    if options.json:
        print(json.dumps(rows))
    elif rows:
        _print(rows)
    else:
        tell(f"no runs in {printable(str(runs_directory(options.directory)))}")
    return BAD_INPUT if is_broken else 0


HEADINGS = ("run", "state", "epoch", "accuracy", "loss", "network", "optimizer", "started", "time")
TO_THE_RIGHT = ("epoch", "accuracy", "loss", "time")
FEWEST = 3  # columns that stay, however narrow the terminal is


def _cells(row: dict[str, Any]) -> list[str]:
    """Texts by HEADINGS."""
    start = [printable(row["name"]), row["state"].replace("_", " ")]
    if row["state"] == "broken":
        return start + [""] * (len(HEADINGS) - len(start))
    return [
        *start,
        f"{row['epoch']}/{row['epochs'] if row['epochs'] is not None else '?'}",
        figures.percent(row["best_validation_accuracy"]),
        figures.measure(row["training_loss"]),
        figures.network(row["sizes"]),
        printable(row["optimizer"]),
        _local(row["created"]),
        figures.duration(row["seconds"]),
    ]


def _local(created: str) -> str:
    """A time as the clock on the wall showed it."""
    try:
        time = datetime.strptime(created, "%Y-%m-%dT%H:%M:%SZ").replace(tzinfo=timezone.utc)
        return time.astimezone().strftime("%Y-%m-%d %H:%M")
    except (ValueError, OverflowError, OSError):
        return printable(created[:16])


def _print(rows: list[dict[str, Any]]) -> None:
    table = [list(HEADINGS), *map(_cells, rows)]
    widths = [max(map(len, column)) for column in zip(*table)]
    if not sys.stdout.isatty():
        for cells in table:
            print(_line(cells, widths).rstrip())
        return
    from rich.text import Text  # takes a tenth of a second to import

    from digitnet.cli.screen import console, state_style

    terminal = console()
    while sum(widths) + 2 * (len(widths) - 1) > terminal.width and len(widths) > FEWEST:
        widths.pop()
    widths[0] = max(
        min(widths[0], terminal.width - sum(widths[1:]) - 2 * (len(widths) - 1)), len(HEADINGS[0])
    )
    for i, cells in enumerate(table):
        cells[0] = cells[0] if len(cells[0]) <= widths[0] else cells[0][: widths[0] - 1] + "~"
        line = Text(_line(cells, widths).rstrip(), "bold" if i == 0 else "")
        if i > 0:
            begin = widths[0] + 2
            line.stylize(state_style(rows[i - 1]["state"]), begin, begin + len(cells[1]))
        terminal.print(line, no_wrap=True, overflow="crop")


def _line(cells: list[str], widths: list[int]) -> str:
    aligned = [
        cell.rjust(width) if heading in TO_THE_RIGHT else cell.ljust(width)
        for heading, cell, width in zip(HEADINGS, cells, widths)
    ]
    return "  ".join(aligned)
