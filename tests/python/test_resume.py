"""Trainings kept in folders: train(run=...), resume, and the commands train --run, resume, reproduce."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn

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
    done("resume", tmp_path / "broken", "--output", broken, "--quiet", "--threads", 1)
    assert broken.read_bytes() == whole.read_bytes()


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
