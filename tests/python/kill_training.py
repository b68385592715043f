"""Kills trainings with SIGKILL at random moments, and checks what they leave and what becomes of them.

    python tests/python/kill_training.py --kills 200        (./dev soak kills 200)

A training of a few epochs on the sample of MNIST runs as `digitnet train --run DIR`. It is killed: at
any moment from its start on; while it trains; or just when a checkpoint is being written. What it has
left must be nothing, or whole checkpoints of finished epochs, the newest one not older than the epoch
before the last that the events tell of, and never older than what was there before. Then
`digitnet resume DIR` goes on, and may be killed as well. In the end the model file must have the bytes of
that of the unbroken training. A table says what the trainings were at.

The moments are drawn from --seed, but where a training is at that time is up to the machine: the verdict
does not depend on it. Exit codes: 0 all survived, 1 not.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import hashlib
import json
import os
import random
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import digitnet as dn

SAMPLE = Path(os.environ.get("DIGITNET_TEST_DATA") or Path(__file__).resolve().parents[1] / "data")
EPOCHS = 8
TRAINING = [
    *("--data", str(SAMPLE / "mnist-sample"), "--hidden", "64,32", "--seed", "3", "--quiet"),
    *("--epochs", str(EPOCHS), "--batch-size", "64", "--threads", "2", "--optimizer", "adamw"),
    *("--augment", "light", "--dropout", "0.1", "--averaging", "ema", "--plateau", "2"),
    *("--checkpoint-every", "1", "--keep-checkpoints", "2"),
]
LONGEST = 300.0  # seconds that a training may take before it counts as hanging
MOMENTS = ("any moment", "while it trains", "while a checkpoint is written")
CHECKPOINT = {"model.safetensors", "optimizer.safetensors", "state.json"}
WHOLE = re.compile(r"epoch-(\d{4,})")


class LostError(AssertionError):
    """A promise that was not kept."""


def begin(run: Path, output: Path) -> list[str]:
    return [sys.executable, "-m", "digitnet", "train", *TRAINING, "--run", str(run), "--output", str(output)]


def go_on(run: Path, output: Path) -> list[str]:
    common = ["--threads", "2", "--output", str(output), "--quiet"]
    return [sys.executable, "-m", "digitnet", "resume", str(run), *common]


def require(condition: object, what: str) -> None:
    if not condition:
        raise LostError(what)


def events_of(run: Path) -> list[dict[str, object]]:
    """All whole lines of the events, which must be numbered from 1 on."""
    path = run / "events.jsonl"
    if not path.exists():
        return []
    *lines, _torn = path.read_bytes().split(b"\n")
    events = [json.loads(line) for line in lines]
    numbers = [event["seq"] for event in events]
    require(numbers == list(range(1, len(events) + 1)), f"events are numbered {numbers}")
    return events


def checkpoints_of(run: Path) -> list[int]:
    """Epochs of the checkpoints that are there under their names, each looked at."""
    epochs = []
    folder = run / "checkpoints"
    for place in sorted(folder.iterdir()) if folder.exists() else []:
        if place.name.startswith("."):
            continue
        found = WHOLE.fullmatch(place.name)
        require(found, f"{place.name} in checkpoints, expected whole epochs")
        files = {each.name for each in place.iterdir()}
        require(
            files == {"model.safetensors", "optimizer.safetensors", "state.json"},
            f"{place.name} holds {files}",
        )
        dn.Network.load(place / "model.safetensors")
        state = json.loads((place / "state.json").read_bytes())
        epochs.append(int(found[1]))
        require(state["epoch"] == epochs[-1], f"{place.name} is of epoch {state['epoch']}")
    return epochs


def check(run: Path, before: int, behind: int = 1) -> int:
    """Checks what a training has left; gives the epoch of its newest checkpoint, -1 if there is none.

    Args:
        run: its directory.
        before: the epoch of the newest checkpoint that there was.
        behind: how many epochs, at most, the events may tell of that are in no checkpoint.
    """
    if not run.exists():
        require(before < 0, "the whole run is gone")
        return -1
    events = events_of(run)
    newest = max(checkpoints_of(run), default=-1)
    require(newest >= before, f"epoch {newest} is the newest checkpoint, there was one of epoch {before}")
    told = max((int(str(each["epoch"])) for each in events if each["type"] == "epoch"), default=0)
    require(newest >= told - behind, f"epoch {newest} is the newest checkpoint, expected {told - behind}")
    saved = max((int(str(each["epoch"])) for each in events if each["type"] == "checkpoint"), default=-1)
    require(newest >= saved, f"epoch {newest} is the newest checkpoint, the events tell of {saved}")
    for name in ("latest", "best"):
        link = run / name
        if link.is_symlink():
            dn.Network.load(link / "model.safetensors")
    with contextlib.suppress(FileNotFoundError), (run / "lock").open() as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)  # whoever held it is gone
    return newest


def names_in(folder: Path) -> list[str]:
    try:
        return [each.name for each in folder.iterdir()]
    except FileNotFoundError:
        return []


def is_writing(run: Path) -> bool:
    """Whether a checkpoint is there that has not got its name yet."""
    return any(name.startswith(".epoch-") for name in names_in(run / "checkpoints"))


def where_it_was(run: Path, events_before: int) -> str:
    """What a killed training was at, by what it has left."""
    if not (run / "config.json").exists():
        return "before config.json"
    if is_writing(run):
        return "writing a checkpoint"
    if any(name.startswith(".removed") for name in names_in(run / "checkpoints")):
        return "removing an old checkpoint"
    if any(name.startswith(".") for name in names_in(run)):
        return "replacing a link or file"
    events = events_of(run)[events_before:]
    if not events:
        return "before its first event"
    kind = str(events[-1]["type"])
    return "after its end, before the model" if kind == "end" else f"after an event: {kind}"


def run_and_kill(command: list[str], run: Path, moment: str, duration: float, dice: random.Random) -> bool:
    """Starts a command and kills it at a moment; whether it was killed and had not ended before."""
    log = run.parent / "log"
    log_start = (run / "events.jsonl").stat().st_size if (run / "events.jsonl").exists() else 0
    with log.open("wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out)
        deadline = time.monotonic() + LONGEST
        if moment != MOMENTS[0]:  # until it trains
            while process.poll() is None and time.monotonic() < deadline:
                with contextlib.suppress(FileNotFoundError):
                    if (run / "events.jsonl").stat().st_size != log_start:
                        break
                time.sleep(0.001)
        if moment == MOMENTS[2]:
            skipped = dice.randrange(EPOCHS)
            while process.poll() is None and time.monotonic() < deadline:
                if is_writing(run):
                    if skipped == 0:
                        break
                    skipped -= 1
                    while is_writing(run) and process.poll() is None:
                        pass
            pause = dice.uniform(0, 0.003)
        elif moment == MOMENTS[1]:
            pause = dice.uniform(0, duration)
        else:
            pause = dice.uniform(0, 2 * duration)
        with contextlib.suppress(subprocess.TimeoutExpired):
            process.wait(pause)
        process.send_signal(signal.SIGKILL)
        status = process.wait(LONGEST)
    require(
        status in (0, -signal.SIGKILL),
        f"{' '.join(command[3:5])} ended with {status}: {log.read_text()[-500:]}",
    )
    return status != 0


def finish(command: list[str]) -> None:
    done = subprocess.run(command, capture_output=True, text=True, timeout=LONGEST, check=False)
    require(
        done.returncode == 0, f"{' '.join(command[3:5])} ended with {done.returncode}: {done.stderr[-500:]}"
    )


def require_clean(run: Path) -> None:
    """A run that has come to its end: no stray file, and the files of an unbroken one."""
    stray = [str(each.relative_to(run)) for each in run.rglob("*") if each.name.startswith(".")]
    require(not stray, f"left behind: {', '.join(stray)}")
    names = {each.name for each in run.iterdir()}
    expected = {"config.json", "events.jsonl", "checkpoints", "best", "latest", "lock"}
    require(names == expected, f"the run holds {sorted(names)}")
    require(events_of(run)[-1]["type"] == "end", "the events do not tell of the end")


def kill_trainings(
    work: Path, kills: int, seed: int = 1, tell: object = None, moments: tuple[str, ...] = MOMENTS
) -> Counter[str]:
    """Kills trainings until there were as many kills; how often each was at what.

    Raises:
        LostError: if one promise was not kept once.
    """
    dice = random.Random(seed)
    say = tell if callable(tell) else lambda _line: None
    unbroken = work / "unbroken.safetensors"
    started = time.monotonic()
    finish(begin(work / "unbroken", unbroken))
    duration = time.monotonic() - started
    times = [float(str(each["time"])) for each in events_of(work / "unbroken")]
    training = times[-1] - times[0]
    say(f"unbroken: {duration:.1f} s, {training:.2f} s of them training")
    expected = unbroken.read_bytes()
    final = checkpoints_of(work / "unbroken")

    at: Counter[str] = Counter()
    done = runs = 0
    while done < kills:
        runs += 1
        run, output = work / f"run-{runs}", work / f"run-{runs}.safetensors"
        newest = -1
        for _ in range(dice.randint(1, 6)):
            if done == kills:
                break
            moment = moments[done % len(moments)]
            command = go_on(run, output) if newest >= 0 else begin(run, output)
            known = len(events_of(run)) if newest >= 0 else 0
            length = duration / 2 if moment == MOMENTS[0] else training * (1 - max(newest, 0) / EPOCHS)
            killed = run_and_kill(command, run, moment, length, dice)
            if not killed:
                newest = max(checkpoints_of(run))
                continue
            done += 1
            newest = check(run, newest)
            at[where_it_was(run, known)] += 1
            if done % 20 == 0:
                say(f"{done} kills, {runs} runs")
        finish(go_on(run, output) if newest >= 0 else begin(run, output))
        require_clean(run)
        require(checkpoints_of(run) == final, f"checkpoints {checkpoints_of(run)}, expected {final}")
        found = hashlib.sha256(output.read_bytes()).hexdigest()
        require(output.read_bytes() == expected, f"run {runs}: another model than unbroken, {found}")
    at["runs"] = runs
    return at


def main() -> int:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split("\n", maxsplit=1)[0])
    parser.add_argument("--kills", type=int, default=200, metavar="N", help="how many (default: %(default)s)")
    parser.add_argument(
        "--seed", type=int, default=1, metavar="N", help="of the moments (default: %(default)s)"
    )
    options = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="digitnet-kills-") as work:
        try:
            at = kill_trainings(Path(work), options.kills, options.seed, lambda line: print(line, flush=True))
        except LostError as lost:
            print(f"LOST: {lost}")
            return 1
    runs = at.pop("runs")
    print(f"{'killed':<40}{'times':>6}")
    for name, times in sorted(at.items(), key=lambda item: (-item[1], item[0])):
        print(f"{name:<40}{times:>6}")
    print(
        f"{options.kills} of {options.kills} kills survived; {runs} runs came to the bytes of the unbroken "
        "one"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
