"""A training run on a terminal, as large as it is: what `digitnet watch` draws, with rich."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

from rich.console import Console
from rich.progress_bar import ProgressBar
from rich.table import Table
from rich.text import Text

from digitnet.cli import figures
from digitnet.runs import printable

if TYPE_CHECKING:
    from rich.console import ConsoleOptions, RenderableType, RenderResult

    from digitnet.events import Event, Progress

WIDE = 70  # columns from which on there is room for more
MESSAGES = 3  # the last ones
TRAINING, VALIDATION = "cyan", "magenta"


def state_style(state: str) -> str:
    """The colour of a state: red is bad."""
    if state in ("running", "stopped"):
        return {"running": "cyan", "stopped": "yellow"}[state]
    return "green" if state in ("done", "early_stop", "loss_reached") else "bold red"


def console() -> Console:
    """That of stdout. What its encoding lacks is shown as a question mark."""
    if hasattr(sys.stdout, "reconfigure"):
        sys.stdout.reconfigure(errors="replace")
    return Console(file=sys.stdout, highlight=False)


class Screen:
    """A renderable that shows how far a run is, whatever its progress is when it is drawn."""

    def __init__(self, name: str, config: dict[str, Any], progress: Progress) -> None:
        self._name = name
        self._config = config
        self._progress = progress
        self.state = "running"
        """One of STATES, to be set by whoever knows."""

    def __rich_console__(self, console: Console, options: ConsoleOptions) -> RenderResult:
        is_wide = options.max_width >= WIDE
        yield self._title()
        yield self._subtitle()
        yield Text()
        yield self._bars(is_wide=is_wide)
        yield Text()
        yield self._curves(options.max_width, ascii_only=options.ascii_only)
        yield Text()
        yield self._facts(is_wide=is_wide)
        for message in list(self._progress.messages)[-MESSAGES:]:
            yield _message(message)

    def _title(self) -> RenderableType:
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        grid.add_column(no_wrap=True)
        state = Text(self.state.replace("_", " "), state_style(self.state))
        grid.add_row(Text(printable(self._name), "bold"), state)
        return grid

    def _subtitle(self) -> Text:
        parts = [figures.network(self._config["architecture"]["sizes"]), self._config["optimizer"]["name"]]
        if self._progress.start is not None:
            parts.append(f"{figures.count(self._progress.start['samples'])} samples")
        return Text(printable(", ".join(parts)), "dim", no_wrap=True, overflow="ellipsis")

    def _bars(self, *, is_wide: bool) -> RenderableType:
        """The epoch in work, and the whole training."""
        progress = self._progress
        planned = progress.planned or 0
        has_ended = self.state != "running"
        epoch = progress.epoch if has_ended and progress.epoch_share == 0 else progress.epoch + 1
        epoch_share = (
            1.0 if has_ended and progress.epoch_share == 0 and progress.epoch > 0 else progress.epoch_share
        )
        batch = ""
        if progress.start is not None and progress.epoch_share > 0:
            done = (progress.end or progress.batch or progress.start)["batch"]
            batch = f"{'batch ' if is_wide else ''}{done}/{progress.start['batches']}"
        left = "" if progress.start is None else "..."
        if has_ended:
            left = f"took {figures.duration(progress.seconds)}"
        elif progress.seconds_left is not None:
            left = f"{figures.duration(progress.seconds_left)} left"
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(no_wrap=True)
        grid.add_column(ratio=1)
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        label = f"epoch {min(epoch, planned)}/{planned}" if planned else "waiting"
        for name, share, note in ((label, epoch_share, batch), ("training", progress.share, left)):
            bar = ProgressBar(total=1, completed=share, complete_style=TRAINING, finished_style="green")
            grid.add_row(name, bar, f"{share:.0%}", note)
        return grid

    def _curves(self, width: int, *, ascii_only: bool) -> RenderableType:
        progress = self._progress
        epochs = [progress.epochs[epoch] for epoch in sorted(progress.epochs) if epoch <= progress.epoch]
        batches = list(progress.batches)
        rows: list[tuple[str, str, list[float | None], Any]] = [
            ("batch loss", TRAINING, [batch["loss"] for batch in batches], figures.measure)
        ]
        for key in ("training_loss", "validation_loss", "training_accuracy", "validation_accuracy"):
            values = [epoch[key] for epoch in epochs]
            style = TRAINING if key.startswith("training") else VALIDATION
            if style == TRAINING or any(value is not None for value in values):
                write = figures.measure if key.endswith("loss") else figures.percent
                rows.append((key.replace("_", " "), style, values, write))
        grid = Table.grid(padding=(0, 1), expand=True)
        grid.add_column(no_wrap=True)
        grid.add_column(justify="right", no_wrap=True)
        grid.add_column(ratio=1, no_wrap=True, overflow="crop")
        room = width - 1 - max(len(row[0]) for row in rows)
        room -= 1 + max(len(write(values[-1]) if values else "-") for _, _, values, write in rows)
        for name, style, values, write in rows:
            is_loss = name.endswith("loss")  # these fall fast at first, then slowly
            line = figures.spark_line(values, room, logarithmic=is_loss, ascii_only=ascii_only)
            grid.add_row(name, write(values[-1]) if values else "-", Text(line, style))
        return grid

    def _facts(self, *, is_wide: bool) -> RenderableType:
        facts = list(self._each_fact())
        columns = 2 if is_wide else 1
        grid = Table.grid(padding=(0, 1), expand=True)
        for _ in range(columns):
            grid.add_column(no_wrap=True)
            grid.add_column(ratio=1, no_wrap=True, overflow="ellipsis")
        height = -(-len(facts) // columns)
        for i in range(height):
            row = [cell for name, value in facts[i::height] for cell in (Text(name, "dim"), Text(value))]
            grid.add_row(*row)
        return grid

    def _each_fact(self) -> list[tuple[str, str]]:
        progress = self._progress
        last = progress.last_epoch or {}
        latest = progress.batch or last
        dead = figures.count(last.get("dead_units"))
        if last.get("dead_units") is not None:
            dead += f" of {figures.count(sum(self._config['architecture']['sizes'][1:-1]))}"
        best = progress.best_epoch
        accuracy = (
            "-" if best is None else f"{figures.percent(best['validation_accuracy'])} (epoch {best['epoch']})"
        )
        rate = figures.measure(latest.get("learning_rate"))
        if progress.learning_rate_changes:
            change = progress.learning_rate_changes[-1]
            rate += f" (set to {change['learning_rate']:g} in epoch {change['epoch'] + 1})"
        return [
            ("learning rate", rate),
            ("images a second", figures.count(progress.images_per_second)),
            ("gradient norm", figures.measure(last.get("gradient_norm"))),
            ("dead units", dead),
            ("best accuracy", accuracy),
            ("last checkpoint", _checkpoint_name(progress.checkpoint)),
            ("best checkpoint", _checkpoint_name(progress.best_checkpoint)),
            ("time", figures.duration(progress.seconds)),
        ]


def _checkpoint_name(event: Event | None) -> str:
    return "-" if event is None else event["path"].rpartition("/")[2]


def _message(event: Event) -> Text:
    level = "" if event["level"] == "info" else f"{event['level']}: "
    return Text(
        printable(level + event["text"]), "yellow" if level else "dim", no_wrap=True, overflow="ellipsis"
    )
