"""Runs of programs and workers, and how they are compared: by turns in one run, medians and ratios."""

from __future__ import annotations

import json
import os
import signal
import statistics
import subprocess
import tempfile
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

Run = Callable[[float, int], float]  # seconds to measure, number of the repetition -> the figure


class MissingError(Exception):
    """A peer that is not installed."""


class Worker:
    """A peer in a process of its own (see peers/worker.py).

    It is stopped whenever it is not its turn: threads that wait for work keep a processor busy.
    """

    def __init__(self, command: list[str], environment: dict[str, str]) -> None:
        self._talk = tempfile.TemporaryFile("w+")  # noqa: SIM115  not a pipe, which could fill up
        try:
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=self._talk,
                text=True,
                env=dict(os.environ, **environment),
            )
        except OSError as error:
            raise MissingError(str(error)) from error
        self.name = str(self._answer()["name"])

    def ask(self, **request: object) -> dict[str, float]:
        self._process.send_signal(signal.SIGCONT)
        assert self._process.stdin is not None
        with suppress(BrokenPipeError):  # then there is no answer either
            self._process.stdin.write(json.dumps(request) + "\n")
            self._process.stdin.flush()
        return self._answer()

    def _answer(self) -> dict:
        assert self._process.stdout is not None
        line = self._process.stdout.readline()
        if not line:
            self._process.wait()
            self._talk.seek(0)
            last = (self._talk.read().strip().splitlines() or ["it ended without a word"])[-1]
            raise MissingError(last)
        self._process.send_signal(signal.SIGSTOP)
        answer = json.loads(line)
        if "error" in answer:
            raise RuntimeError(answer["error"])
        return answer

    def close(self) -> None:
        self._process.kill()
        self._process.wait()
        self._talk.close()


def run_program(*command: object, environment: dict[str, str] | None = None) -> dict[str, float]:
    """Runs a benchmark program to its end and reads the line of JSON it prints."""
    words = [str(word) for word in command]
    result = subprocess.run(
        words, env=dict(os.environ, **(environment or {})), capture_output=True, text=True, check=False
    )
    if result.returncode != 0:
        msg = f"{Path(words[0]).name} failed: {result.stderr.strip()[-300:]}"
        raise RuntimeError(msg)
    return json.loads(result.stdout.splitlines()[-1])


@dataclass
class Candidate:
    """One way to run a peer: its best is looked for among several, before anything is compared."""

    label: str
    run: Run


@dataclass
class Workload:
    """One figure of digitnet, and what it is compared with.

    Attributes:
        name: for --only and the JSON.
        unit: of all its figures.
        digitnet: gives digitnet's figure.
        peers: for each peer, the ways to run it.
        at_least: by peer, how many times as fast digitnet has to be.
        limit: what digitnet's own figure has to keep to: at least, or, where less is better, at most.
        less_is_better: times and memory, not rates.
        repetitions: how often each is run, if not as often as all.
        remark: said below the table, after the runs.
    """

    name: str
    unit: str
    digitnet: Run
    peers: dict[str, list[Candidate]] = field(default_factory=dict)
    at_least: dict[str, float] = field(default_factory=dict)
    limit: float | None = None
    less_is_better: bool = False
    repetitions: int | None = None
    remark: Callable[[], str] | None = None


@dataclass
class Row:
    """One line of the table and of the JSON."""

    workload: str
    peer: str | None
    digitnet: float
    peer_value: float | None
    ratio: float | None
    unit: str
    goal: str | None
    reached: bool | None
    setting: str | None

    def as_json(self) -> dict[str, object]:
        return dict(vars(self))


def best_candidate(candidates: list[Candidate], seconds: float, less_is_better: bool) -> Candidate:
    """The quickest of several ways to run a peer; those that fail are left out.

    Raises:
        MissingError: if none works, with the reason of the last.
    """
    sign = -1 if less_is_better else 1
    figures: list[tuple[float, Candidate]] = []
    failure = "there is no way to run it"
    for candidate in candidates:
        try:
            figures.append((sign * candidate.run(seconds, 0), candidate))
        except (MissingError, RuntimeError) as error:
            failure = f"{candidate.label}: {error}"
    if not figures:
        raise MissingError(failure)
    if len(figures) > 2:  # the three best once more: one short run may have been unlucky
        figures.sort(key=lambda pair: -pair[0])
        figures = [(max(figure, sign * each.run(seconds, 0)), each) for figure, each in figures[:3]]
    return max(figures, key=lambda pair: pair[0])[1]


def compare(
    workload: Workload, seconds: float, repetitions: int, say: Callable[[str], None], peers: list[str] | None
) -> list[Row]:
    """Runs digitnet and the peers by turns.

    The ratio is the median of the ratios of single repetitions: what a busy machine does to both at the same
    time cancels out of it.
    """
    repetitions = workload.repetitions if workload.repetitions and repetitions > 1 else repetitions
    chosen: dict[str, Candidate] = {}
    for peer, candidates in workload.peers.items():
        if peers is not None and peer in OPTIONAL_PEERS and peer not in peers:
            continue
        try:
            trial = min(seconds, 0.4)
            chosen[peer] = (
                candidates[0]
                if len(candidates) == 1
                else best_candidate(candidates, trial, workload.less_is_better)
            )
        except MissingError as error:
            say(f"  {peer}: left out ({error})")
    if workload.repetitions is None:  # warm-up: files in the cache, processors at their speed
        workload.digitnet(min(seconds, 0.3), 0)
    mine: list[float] = []
    theirs: dict[str, list[float]] = {peer: [] for peer in chosen}
    for repetition in range(repetitions):
        mine.append(workload.digitnet(seconds, repetition))
        for peer, candidate in list(chosen.items()):
            try:
                theirs[peer].append(candidate.run(seconds, repetition))
            except (MissingError, RuntimeError) as error:
                say(f"  {peer}: left out ({error})")
                del chosen[peer]
    rows = []
    own = statistics.median(mine)
    if workload.limit is not None or not chosen:
        rows.append(limit_row(workload, own))
    for peer, candidate in chosen.items():
        pairs = zip(mine, theirs[peer])
        ratios = [b / a if workload.less_is_better else a / b for a, b in pairs]
        ratio = statistics.median(ratios)
        least = workload.at_least.get(peer)
        rows.append(
            Row(
                workload=workload.name,
                peer=peer,
                digitnet=own,
                peer_value=statistics.median(theirs[peer]),
                ratio=ratio,
                unit=workload.unit,
                goal=None if least is None else f">= {least:g} x",
                reached=None if least is None else ratio >= least,
                setting=candidate.label,
            )
        )
    return rows


def limit_row(workload: Workload, own: float) -> Row:
    """The row of a figure that stands for itself."""
    goal, reached = None, None
    if workload.limit is not None:
        sign = "<=" if workload.less_is_better else ">="
        goal = f"{sign} {workload.limit:g}"
        reached = own <= workload.limit if workload.less_is_better else own >= workload.limit
    return Row(workload.name, None, own, None, None, workload.unit, goal, reached, None)


# Peers that --peers can choose from; the others are digitnet's own other figures and always there.
OPTIONAL_PEERS = ("torch", "torch-manual", "torch-jit", "scikit-learn", "numpy", "ancestor", "onnxruntime")
