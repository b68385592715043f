"""Trainings kept in folders: train(run=...), resume, and the commands train --run, resume, reproduce."""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pytest

import digitnet as dn

if TYPE_CHECKING:
    from collections.abc import Callable

SAMPLE = Path(__file__).parent.parent / "data" / "mnist-sample"


@pytest.fixture
def data() -> dn.Dataset:
    rng = np.random.default_rng(1)
    return dn.Dataset(rng.integers(0, 256, (300, 28, 28), np.uint8), rng.integers(0, 10, 300, np.uint8))


def network() -> dn.Network:
    return dn.Network([784, 12, 10], seed=1)


def test_a_run_broken_and_resumed_ends_in_the_same_bits(data: dn.Dataset, tmp_path: Path) -> None:
    options = {
        "validation": 0.2,
        "epochs": 4,
        "batch_size": 32,
        "seed": 3,
        "schedule": "cosine",
        "dropout": 0.2,
    }
    whole = network()
    history = dn.train(whole, data, **options, run=tmp_path / "whole")

    stop = dn.StopFlag()
    batches: list[int] = []

    def count(report: dn.BatchReport) -> None:
        batches.append(report.batch)
        if len(batches) == 11:
            stop.request()

    broken = dn.train(network(), data, **options, run=tmp_path / "broken", on_batch=count, stop=stop)
    assert broken.reason == "stopped"
    assert (tmp_path / "broken" / "latest").resolve().name == "epoch-0001-batch-0003"
    resumed, resumed_history = dn.resume(tmp_path / "broken", data, threads=1)
    assert resumed.to_bytes() == whole.to_bytes()
    assert [epoch.validation_loss for epoch in resumed_history.epochs] == [
        epoch.validation_loss for epoch in history.epochs
    ]
    run = dn.Run(tmp_path / "broken")
    assert run.state() == "done"
    assert [event["epoch"] for event in run.epochs] == [1, 2, 3, 4]


def test_what_a_callback_raises_leaves_a_checkpoint(data: dn.Dataset, tmp_path: Path) -> None:
    def fail(report: dn.EpochReport) -> None:
        if report.epoch == 2:
            msg = "enough"
            raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match="enough"):
        dn.train(network(), data, epochs=3, run=tmp_path / "run", on_epoch=fail)
    assert (tmp_path / "run" / "latest").resolve().name == "epoch-0002"
    assert dn.Run(tmp_path / "run").state() == "failed"
    _, history = dn.resume(tmp_path / "run", data)
    assert len(history) == 3


def test_run_options(data: dn.Dataset, tmp_path: Path) -> None:
    run = dn.RunOptions(tmp_path / "run", checkpoint_every=2, keep_last=1, best_metric="training_loss")
    dn.train(network(), data, epochs=5, run=run)
    names = sorted(path.name for path in (tmp_path / "run" / "checkpoints").iterdir())
    assert names[0] == "epoch-0000"
    assert names[-1] == "epoch-0005"
    assert dn.Run(tmp_path / "run").config["run"]["best_metric"] == "training_loss"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"schedule": lambda progress: 1 - progress}, "a schedule of one's own"),
        ({"run": dn.RunOptions("unused", checkpoint_every=0)}, "checkpoint_every is 0"),
        ({"run": dn.RunOptions("unused", best_metric="beauty")}, "metric"),
    ],
)
def test_what_cannot_be_kept_is_said(
    data: dn.Dataset, tmp_path: Path, arguments: dict[str, object], message: str
) -> None:
    with pytest.raises(dn.ArgumentError, match=message):
        dn.train(network(), data, **{"run": tmp_path / "run", **arguments})
    assert not (tmp_path / "run").exists()


def test_resume_without_data_says_what_it_needs(data: dn.Dataset, tmp_path: Path) -> None:
    dn.train(network(), data, epochs=1, run=tmp_path / "run")
    with pytest.raises(dn.ArgumentError, match="does not say where the samples come from"):
        dn.resume(tmp_path / "run")
    with pytest.raises(dn.ArgumentError, match=r"300 that the run began with"):
        dn.resume(tmp_path / "run", data.split(100, 1)[0])
    with pytest.raises(dn.IoError):
        dn.resume(tmp_path / "none", data)


def digitnet(*words: object, **options: object) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "digitnet", *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        **options,
    )


def done(*words: object) -> str:
    process = digitnet(*words)
    out, error = process.communicate()
    assert process.returncode == 0, error
    return out


def ask(run: Path, report: dn.BatchReport, at: dict[tuple[int, int], Callable[[dn.Run], None]]) -> None:
    """Asks the run something behind some batches, and sees to it that the next batch looks for that."""
    if (report.epoch, report.batch) in at:
        at[report.epoch, report.batch](dn.Run(run))
        time.sleep(0.12)  # longer than from one look to the next


def changes_of(history: dn.History) -> list[tuple[int, int, float]]:
    return [(each.epoch, each.batch, each.learning_rate) for each in history.learning_rate_changes]


def test_the_learning_rate_is_changed_from_outside_and_kept(data: dn.Dataset, tmp_path: Path) -> None:
    options = {
        "validation": 0.2,
        "epochs": 5,
        "batch_size": 32,
        "seed": 3,
        "schedule": "cosine",
        "dropout": 0.2,
    }
    run = tmp_path / "run"
    at = {
        (2, 1): lambda each: each.set_learning_rate(0.02),
        (3, 6): lambda each: each.set_learning_rate(1e-4),
    }
    rates: list[float] = []

    def on_batch(report: dn.BatchReport) -> None:
        rates.append(report.learning_rate)
        ask(run, report, at)

    changed = network()
    kept = dn.RunOptions(run, keep_last=0)
    history = dn.train(changed, data, **options, run=kept, on_batch=on_batch)
    expected = [(1, 2, 0.02), (2, 7, 1e-4)]
    assert changes_of(history) == expected
    assert history.reason == "done"
    events = list(dn.Run(run).events())
    told = [event for event in events if event["type"] == "learning_rate"]
    assert [(event["epoch"], event["batch"], event["learning_rate"]) for event in told] == expected
    assert dn.Run(run).progress().learning_rate_changes == told

    # Only what is behind a change is another; the schedule goes on multiplying.
    plain: list[float] = []
    dn.train(network(), data, **options, on_batch=lambda report: plain.append(report.learning_rate))
    batches = 8  # of 240 samples
    for i, (rate, without) in enumerate(zip(rates, plain)):
        base = 1e-3 if i < batches + 2 else 0.02 if i < 2 * batches + 7 else 1e-4
        assert rate == pytest.approx(without / 1e-3 * base, rel=1e-12)

    # Gone on with from every checkpoint, also those before the changes: the same bits.
    for epoch in (4, 3, 2, 1, 0):
        for path in (run / "checkpoints").iterdir():
            if int(path.name[6:10]) > epoch:
                shutil.rmtree(path)
        resumed, resumed_history = dn.resume(run, data, threads=1)
        assert resumed.to_bytes() == changed.to_bytes()
        assert changes_of(resumed_history) == expected

    # Planned, and without a run.
    again = network()
    dn.train(again, data, **options, learning_rate_changes=history.learning_rate_changes)
    assert again.to_bytes() == changed.to_bytes()


def test_a_training_is_stopped_from_outside(data: dn.Dataset, tmp_path: Path) -> None:
    options = {"epochs": 4, "batch_size": 32, "seed": 3}
    whole = network()
    dn.train(whole, data, **options, run=tmp_path / "whole", learning_rate_changes=[change(1, 4, 0.01)])
    run = tmp_path / "run"

    def both(each: dn.Run) -> None:  # the second does not undo the first
        each.set_learning_rate(0.01)
        each.request_stop()

    history = dn.train(
        network(), data, **options, run=run, on_batch=lambda report: ask(run, report, {(2, 3): both})
    )
    assert history.reason == "stopped"
    assert changes_of(history) == [(1, 4, 0.01)]
    assert dn.Run(run).state() == "stopped"
    assert (run / "latest").resolve().name == "epoch-0001-batch-0004"
    assert not (run / "control.json").exists()
    resumed, _ = dn.resume(run, data)
    assert resumed.to_bytes() == whole.to_bytes()


def change(epoch: int, batch: int, rate: float) -> dn.LearningRateChange:
    return dn.LearningRateChange(epoch, batch, rate)


def test_changes_of_the_learning_rate_as_values() -> None:
    one = change(2, 13, 5e-4)
    assert (one.epoch, one.batch, one.learning_rate) == (2, 13, 5e-4)
    assert one == change(2, 13, 5e-4)
    assert hash(one) == hash(change(2, 13, 5e-4))
    assert one != change(2, 13, 5e-3)
    assert one != (2, 13, 5e-4)
    assert repr(one) == "LearningRateChange(epoch=2, batch=13, learning_rate=0.0005)"


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        (
            [change(0, 1, 0.0)],
            r"learning_rate_changes\[0\]: learning_rate is 0, expected a finite number above 0",
        ),
        ([change(0, 1, float("inf"))], "learning_rate is inf"),
        ([change(0, 3, 0.1)], r"learning_rate_changes\[0\]: batch is 3, expected less than 3"),
        ([change(1, 1, 0.1), change(1, 1, 0.2)], r"\[1\]: epoch 1, batch 1 is not behind the one before"),
        ([change(1, 1, 0.1), change(0, 2, 0.2)], "is not behind the one before"),
    ],
)
def test_changes_that_cannot_be_planned(
    data: dn.Dataset, changes: list[dn.LearningRateChange], message: str
) -> None:
    with pytest.raises(dn.ArgumentError, match=message):
        dn.train(network(), data, learning_rate_changes=changes)


TRAINING = ("--data", SAMPLE, "--hidden", "16", "--seed", "4", "--quiet")


def test_ctrl_c_and_resume_on_the_command_line(tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    done("train", *TRAINING, "--epochs", 60, "--run", tmp_path / "whole", "--output", whole)
    process = digitnet("train", *TRAINING, "--epochs", 60, "--run", tmp_path / "broken", "--output", broken)
    for events in dn.Run(tmp_path / "broken").updates() if wait_for(tmp_path / "broken") else []:
        if any(event["type"] == "epoch" for event in events):
            break
    process.send_signal(signal.SIGINT)
    _, error = process.communicate()
    if process.returncode == 130:  # else it had come to its end before the signal
        assert (
            error.splitlines()[-1]
            == f"digitnet: interrupted; go on with: digitnet resume {tmp_path / 'broken'}"
        )
        assert not broken.exists()
        assert dn.Run(tmp_path / "broken").state() == "stopped"
    done("resume", tmp_path / "broken", "--quiet", "--threads", 1)  # the run knows the name of the model
    assert broken.read_bytes() == whole.read_bytes()


def test_a_run_of_a_stranger_replaces_nothing_but_a_model(tmp_path: Path) -> None:
    run, theirs = tmp_path / "run", tmp_path / "notes.txt"
    done("train", *TRAINING, "--epochs", 2, "--run", run, "--output", tmp_path / "model.safetensors")
    theirs.write_text("mine")
    config = json.loads((run / "config.json").read_text())
    config["data"]["source"]["output"] = str(theirs)
    (run / "config.json").write_text(json.dumps(config))
    process = digitnet("resume", run, "--quiet")
    _, error = process.communicate()
    assert process.returncode == 1
    assert error == (
        f"digitnet: resume: {theirs}, where the run was to write, is there and is no model; "
        "give the name of another file by --output\n"
    )
    assert theirs.read_text() == "mine"


def wait_for(run: Path) -> bool:
    """Until the folder of a run is there: an end of the waiting is the test's own time limit."""
    while not (run / "config.json").exists():
        pass
    return True


def test_a_model_is_made_again(tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    done("train", *TRAINING, "--epochs", 2, "--augment", "light", "--averaging", "ema", "--output", model)
    again = tmp_path / "again.safetensors"
    out = done("reproduce", model, "--data", SAMPLE, "--quiet", "--json", "--output", again)
    assert json.loads(out)["same_bits"] is True
    assert again.read_bytes() == model.read_bytes()
    # Nothing is told of a file that is gone when it is read.
    process = digitnet("reproduce", model, "--data", SAMPLE, "--quiet")
    out, error = process.communicate()
    assert (out, error) == (f"{model}: made again, the same bits\n", "")


def test_strokes_are_refused_for_a_model_of_a_recipe(tmp_path: Path) -> None:
    process = digitnet("reproduce", dn.shipped_model(), "--strokes", tmp_path / "none")
    _, error = process.communicate()
    assert process.returncode == 2
    assert error == "digitnet: reproduce: --strokes with a model of a recipe, which names its own\n"


def test_a_model_whose_learning_rate_was_changed_is_made_again(tmp_path: Path) -> None:
    model, run = tmp_path / "model.safetensors", tmp_path / "run"
    process = digitnet("train", *TRAINING, "--epochs", 200, "--run", run, "--output", model)
    assert wait_for(run)
    for events in dn.Run(run).updates():
        if any(event["type"] == "epoch" for event in events):
            break
    dn.Run(run).set_learning_rate(0.0123)
    for events in dn.Run(run).updates():
        if any(event["type"] == "learning_rate" for event in events):
            break
    done("stop", run)
    _, error = process.communicate()
    assert process.returncode == 130
    assert error.splitlines()[-1] == f"digitnet: stopped; go on with: digitnet resume {run}"
    assert not model.exists()
    assert dn.Run(run).state() == "stopped"
    process = digitnet("stop", run)
    _, error = process.communicate()
    assert process.returncode == 1
    assert (
        error
        == f"digitnet: Run.request_stop: {run}: the run is not running (stopped), expected one at work\n"
    )

    out = json.loads(done("resume", run, "--output", model, "--quiet", "--json"))
    (made,) = out["learning_rate_changes"]
    assert made["learning_rate"] == 0.0123
    provenance = json.loads(dn.Network.load(model).metadata["provenance"])
    assert provenance["learning_rate_changes"] == [made]
    assert provenance["options"]["learning_rate"] != 0.0123
    again = tmp_path / "again.safetensors"
    out = json.loads(done("reproduce", model, "--data", SAMPLE, "--quiet", "--json", "--output", again))
    assert out["same_bits"] is True
    assert again.read_bytes() == model.read_bytes()


def test_changes_of_the_learning_rate_on_the_command_line(tmp_path: Path) -> None:
    model = tmp_path / "model.safetensors"
    few = ("train", *TRAINING, "--epochs", 2, "--output", model)
    done(*few, "--learning-rate-change", "0:5:0.01", "--learning-rate-change", "1:0:1e-4")
    provenance = json.loads(dn.Network.load(model).metadata["provenance"])
    assert provenance["learning_rate_changes"] == [
        {"epoch": 0, "batch": 5, "learning_rate": 0.01},
        {"epoch": 1, "batch": 0, "learning_rate": 1e-4},
    ]
    for wrong in ("1:2", "a:1:0.1", "1:1:-1", "0:0:0", "0:9999:0.1"):
        process = digitnet(*few, "--learning-rate-change", wrong)
        _, error = process.communicate()
        assert process.returncode == 2, wrong
        assert len(error.splitlines()) == 1

    network = dn.Network.load(model)
    network.metadata = {"provenance": json.dumps({**provenance, "learning_rate_changes": [3]})}
    network.save(model)
    process = digitnet("reproduce", model, "--data", SAMPLE)
    _, error = process.communicate()
    assert process.returncode == 3
    assert "what it says of changes of the learning rate cannot be read" in error


def test_a_model_that_does_not_say_how_it_was_made(tmp_path: Path) -> None:
    network().save(tmp_path / "model.safetensors")
    process = digitnet("reproduce", tmp_path / "model.safetensors")
    _, error = process.communicate()
    assert process.returncode == 3
    assert "does not say how it was made" in error
    assert len(error.splitlines()) == 1


def test_a_second_training_in_one_folder_is_refused(tmp_path: Path) -> None:
    done("train", *TRAINING, "--epochs", 1, "--run", tmp_path / "run", "--output", tmp_path / "a.safetensors")
    process = digitnet("train", *TRAINING, "--run", tmp_path / "run", "--output", tmp_path / "b.safetensors")
    _, error = process.communicate()
    assert process.returncode == 2
    assert "there is a run in it already" in error
    assert not (tmp_path / "b.safetensors").exists()
    assert os.listdir(tmp_path / "run" / "checkpoints")  # noqa: PTH208
