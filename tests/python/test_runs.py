"""Runs on disk as they are read, followed, listed and watched. The runs are written here, by docs/runs.md."""

import contextlib
import io
import json
import os
import random
import re
import select
import signal
import struct
import subprocess
import sys
import termios
import threading
import time
import tracemalloc
from fcntl import ioctl
from pathlib import Path

import pytest
from rich.console import Console

import digitnet as dn
from digitnet import runs as runs_module
from digitnet._run_files import LONGEST_CONFIG
from digitnet.cli import figures, main
from digitnet.cli.screen import Screen
from digitnet.events import LONGEST_LINE, Progress

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from run_files import BEGIN, RunWriter

REASONS = ["done", "stopped", "loss_reached", "early_stop", "diverged", "failed"]
TIME_LIMIT = 120


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path):
    """Every test runs in an empty folder, and no run is waited for that will never begin."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("DIGITNET_RUNS_DIR", raising=False)
    monkeypatch.setattr(runs_module, "_GRACE", 0.0)
    monkeypatch.setattr(runs_module, "_LOCK_PAUSE", 0.0)
    return tmp_path


@pytest.fixture
def writer():
    return RunWriter(Path("runs/a"))


@pytest.fixture
def run(capfd):
    """Runs a command in this process; returns exit code, stdout, stderr."""

    def run_it(*words):
        code = main([str(word) for word in words])
        return code, *capfd.readouterr()

    return run_it


def seqs(events):
    return [event["seq"] for event in events]


def follow(directory, **options):
    return dn.Run(directory).follow(0.001, **options)


# ---------------------------------------------------------------- a run that went well


def test_a_whole_run(writer):
    writer.whole()
    found = dn.Run("runs/a")
    assert found.name == "a"
    assert found.config == writer.config
    assert found.state() == "done"
    assert seqs(found.events()) == list(range(1, 12))
    assert [event["epoch"] for event in found.epochs] == [1, 2, 3]
    assert found.epochs[1]["training_loss"] == 1.0
    assert [each.name for each in found.checkpoints()] == ["epoch-0001", "epoch-0002", "epoch-0003"]
    assert found.best == found.latest == found.checkpoints()[-1]
    assert found.best.model == Path("runs/a/checkpoints/epoch-0003/model.safetensors")
    assert found.best.model.is_file()
    assert found.summary() == {
        "name": "a",
        "state": "done",
        "epoch": 3,
        "epochs": 3,
        "training_loss": 2 / 3,
        "validation_loss": 2.2 / 3,
        "best_validation_accuracy": 1 - 0.5 / 3,
        "best_epoch": 3,
        "sizes": [784, 128, 10],
        "optimizer": "adamw",
        "created": "2026-09-21T13:33:20Z",
        "seconds": 10.0,  # from the first event to the last
        "seconds_left": None,
    }


@pytest.mark.parametrize("reason", REASONS)
def test_the_state_of_an_ended_run_is_the_reason_whoever_holds_the_lock(writer, reason):
    writer.hold()
    writer.start()
    writer.end(reason, 0)
    assert dn.Run("runs/a").state() == reason
    writer.let_go()
    assert dn.Run("runs/a").state() == reason


def test_a_run_is_at_work_while_its_lock_is_held_and_dead_after(writer):
    found = dn.Run("runs/a")
    assert found.state() == "died"  # nobody has begun
    writer.hold()
    assert found.state() == "running"
    writer.start()
    assert found.state() == "running"
    assert found.is_held()
    writer.let_go()
    assert (writer.directory / "lock").exists()
    assert found.state() == "died"


def test_the_lock_of_another_process_counts_until_it_is_killed(writer):
    writer.start()
    code = "import fcntl; f = open('runs/a/lock', 'w'); fcntl.flock(f, 2); print(flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as child:
        assert child.stdout.readline() == b"\n"
        assert dn.Run("runs/a").state() == "running"
        child.kill()
        child.wait()
        assert dn.Run("runs/a").state() == "died"


def test_looking_at_the_lock_does_not_take_it(writer):
    writer.hold()
    writer.let_go()
    found = dn.Run("runs/a")
    assert not found.is_held()
    writer.hold()  # would raise
    assert found.is_held()


def test_a_run_before_its_first_event(writer):
    found = dn.Run("runs/a")
    assert list(found.events()) == found.epochs == found.checkpoints() == []
    assert found.best is found.latest is None
    summary = found.summary()
    assert (summary["epoch"], summary["epochs"], summary["seconds"]) == (0, None, 0.0)
    assert summary["best_validation_accuracy"] is summary["training_loss"] is None


def test_types_and_members_of_later_versions_are_let_through(writer):
    writer.start(color="green")
    writer.event("pause", why=None)
    assert [event["type"] for event in dn.Run("runs/a").events()] == ["start", "pause"]


def test_numbers_that_are_not_finite_are_none(writer):
    writer.start()
    writer.batch(1, 1, loss=None)
    writer.epoch(1, training_loss=None, validation_loss=None, validation_accuracy=None, gradient_norm=None)
    writer.end("diverged", 1)
    found = dn.Run("runs/a")
    assert found.epochs[0]["training_loss"] is None
    assert found.summary()["best_epoch"] is None


# ---------------------------------------------------------------- a run that is being written


def test_a_line_without_its_end_is_not_there_yet(writer):
    writer.start()
    found = dn.Run("runs/a")
    line = writer.line("message", level="info", text="half \N{LATIN SMALL LETTER E WITH ACUTE} a line")
    for size in range(len(line)):
        writer.raw(line[size : size + 1])
        assert seqs(found.events()) == ([1, 2] if size == len(line) - 1 else [1])
    assert len(found.progress().messages) == 1


def test_what_was_torn_may_be_written_anew(writer):
    writer.start()
    size = writer.events.stat().st_size
    reader = dn.Run("runs/a").reader()
    writer.raw(b'{"seq":2,"time":1790000002.0,"type":"batch","epo')
    assert seqs(reader.new()) == [1]
    os.truncate(writer.events, size)
    assert seqs(reader.new()) == []
    writer.message("anew")
    assert [event["type"] for event in reader.new()] == ["message"]


def test_updates_come_as_they_are_written(writer):
    writer.hold()
    updates = dn.Run("runs/a").updates(0.001)
    assert next(updates) == []  # there is no file yet
    writer.start()
    assert seqs(next(updates)) == [1]
    assert next(updates) == []
    writer.raw(b'{"seq":2')
    assert next(updates) == []
    writer.raw(b',"time":1790000002,"type":"message","level":"info","text":"x"}\n')
    writer.seq = 2
    writer.batch(1, 1)
    assert seqs(next(updates)) == [2, 3]
    writer.end("stopped", 0, 1)
    assert seqs(next(updates)) == [4]
    assert list(updates) == []


def test_many_events_come_in_lists_that_fit_into_memory(writer):
    writer.start()
    writer.raw(b"".join(writer.line("message", level="info", text="x") for _ in range(2500)))
    writer.end()
    assert [len(events) for events in dn.Run("runs/a").updates(0.001)] == [1000, 1000, 502]


def test_a_follower_sees_all_that_another_thread_writes(writer):
    writer.hold()

    def write():
        for piece in re.findall(rb".{1,7}", source, re.DOTALL):
            writer.raw(piece)

    twin = RunWriter(Path("twin")).whole()
    source = twin.events.read_bytes()
    thread = threading.Thread(target=write)
    thread.start()
    assert list(follow("runs/a")) == list(dn.Run("twin").events())
    thread.join()


def test_following_ends_where_the_run_died(writer):
    writer.start()
    writer.raw(b'{"seq":2,"ti')
    assert seqs(follow("runs/a")) == [1]
    assert dn.Run("runs/a").state() == "died"


def test_following_a_run_that_never_began_ends(writer):
    assert list(follow("runs/a")) == []


def test_following_waits_for_a_run_that_has_just_been_made(writer, monkeypatch):
    monkeypatch.setattr(runs_module, "_GRACE", 1e9)
    updates = dn.Run("runs/a").updates(0.001)
    assert [next(updates) for _ in range(5)] == [[]] * 5
    writer.start()
    writer.end()
    assert [len(events) for events in updates] == [2]


def test_following_ends_when_asked(writer):
    writer.hold()
    writer.start()
    stop = threading.Event()
    events = dn.Run("runs/a").follow(1e6, stop=stop)  # would sleep for days
    assert next(events)["type"] == "start"
    threading.Timer(0.05, stop.set).start()
    assert list(events) == []


def test_events_after_one(writer):
    writer.whole()
    found = dn.Run("runs/a")
    for after in (0, 1, 10, 11, 12, 1000):
        assert seqs(found.events(after)) == list(range(after + 1, 12))
        assert seqs(follow("runs/a", after=after)) == list(range(after + 1, 12))
    with pytest.raises(dn.ArgumentError, match=r"^Run.reader: after is -1, expected at least 0$"):
        found.events(-1)
    with pytest.raises(dn.ArgumentError, match=r"^Run.updates: poll is 0, expected more than 0 seconds$"):
        found.follow(0)


def test_a_resumed_run_is_one_run(writer):
    writer.start()
    writer.epoch(1)
    writer.checkpoint(1)
    writer.epoch(2)  # done but not saved
    writer.batch(3, 4)
    writer.end("stopped", 2, 4)
    found = dn.Run("runs/a")
    assert found.state() == "stopped"
    writer.time += 1e6  # the night
    writer.hold()
    writer.start(epoch=1)
    assert found.state() == "running"
    assert found.progress().epoch == 1
    assert found.summary()["training_loss"] == 2.0  # of epoch 1: the second is to come again
    writer.epoch(2, seconds=0.75)
    writer.epoch(3)
    writer.end()
    assert found.state() == "done"
    assert [(event["epoch"], event["seconds"]) for event in found.epochs] == [(1, 0.5), (2, 0.75), (3, 0.5)]
    assert found.progress().seconds == 5 + 3  # not the night
    assert len(list(follow("runs/a"))) == 10  # the first end was not the end


def test_progress_share_and_time_left(writer):
    progress = Progress()
    assert (progress.share, progress.seconds, progress.seconds_left, progress.planned) == (0, 0, None, None)
    found = dn.Run("runs/a")
    writer.start()
    progress = found.progress()
    assert (progress.share, progress.seconds_left, progress.planned) == (0, None, 3)
    writer.batch(1, 5)
    writer.batch(1, 10)
    progress = found.progress()
    assert (progress.epoch, progress.epoch_share) == (0, 1.0)  # but for its validation
    assert progress.share == pytest.approx(1 / 3)
    assert progress.seconds == 2
    assert progress.seconds_left == pytest.approx(4)
    assert progress.images_per_second == pytest.approx(500)  # 5 batches of 100 in a second
    writer.epoch(1)
    progress = found.progress()
    assert (progress.epoch, progress.epoch_share, progress.batch) == (1, 0, None)
    assert progress.images_per_second == 182000
    writer.start(epoch=1, batch=5)
    progress = found.progress()
    assert progress.share == pytest.approx(0.5)
    assert progress.seconds_left is None  # this part has just begun
    writer.epoch(2)
    assert found.progress().seconds_left == pytest.approx(2)  # half an epoch took a second


def test_progress_keeps_what_is_last(writer):
    writer.start()
    for epoch, best in ((1, True), (2, False)):
        writer.checkpoint(epoch, best=best)
    for i in range(1000):
        writer.message(str(i))
        writer.batch(1, i % 10)
    progress = dn.Run("runs/a").progress()
    assert progress.checkpoint["path"] == "checkpoints/epoch-0002"
    assert progress.best_checkpoint["path"] == "checkpoints/epoch-0001"
    assert len(progress.messages) == 100
    assert progress.messages[-1]["text"] == "999"
    assert len(progress.batches) == 500


# ---------------------------------------------------------------- runs of the library itself


def test_a_run_of_the_library(small_data, small_network):
    states = []
    found = []

    def look(report):
        found[:] = dn.find_runs()
        states.append((found[0].state(), found[0].progress().epoch))

    history = dn.train(
        small_network, small_data, validation=0.2, epochs=4, run="runs/first", on_epoch=look, batch_size=50
    )
    assert states == [("running", epoch) for epoch in (1, 2, 3, 4)]
    (run,) = found
    assert (run.name, run.state()) == ("first", "done")
    assert [each["training_loss"] for each in run.epochs] == [each.training_loss for each in history.epochs]
    assert [each["validation_accuracy"] for each in run.epochs] == [
        each.validation_accuracy for each in history.epochs
    ]
    assert run.latest.name == "epoch-0004"
    assert run.checkpoints()[-1] == run.latest
    assert run.progress().checkpoint["path"] == "checkpoints/epoch-0004"
    assert run.best.epoch == run.progress().best_checkpoint["epoch"]
    assert dn.Network.load(run.latest.model).to_bytes() == small_network.to_bytes()
    assert list(run.follow(0.001)) == list(run.events())
    kinds = {event["type"] for event in run.events()}
    assert kinds == {"start", "batch", "epoch", "checkpoint", "end"}
    summary = run.summary()
    assert (summary["sizes"], summary["optimizer"], summary["epochs"]) == ([12, 8, 4], "adam", 4)


def test_a_run_of_the_library_that_failed(small_data, small_network):
    def refuse(report):
        msg = "no more"
        raise RuntimeError(msg)

    with pytest.raises(RuntimeError, match=r"^no more$"):
        dn.train(small_network, small_data, run="runs/first", on_epoch=refuse)
    run = dn.Run("runs/first")
    assert run.state() == "failed"
    assert "no more" in run.progress().end["error"]
    assert len(run.epochs) == 1


# ---------------------------------------------------------------- checkpoints


def test_changes_of_the_learning_rate_are_folded(writer):
    writer.start()
    writer.change(0, 5, 0.01)
    writer.change(1, 5, 0.02)
    writer.change(2, 0, 0.03)
    writer.start(1)  # all but the first again
    writer.change(1, 5, 0.02)

    def known():
        changes = dn.Run(writer.directory).progress().learning_rate_changes
        return [(each["epoch"], each["batch"], each["learning_rate"]) for each in changes]

    assert known() == [(0, 5, 0.01), (1, 5, 0.02), (2, 0, 0.03)]
    writer.change(1, 7, 0.04)  # asked for anew: what was behind it is void
    assert known() == [(0, 5, 0.01), (1, 5, 0.02), (1, 7, 0.04)]
    writer.change(1, 7, 0.05)
    assert known() == [(0, 5, 0.01), (1, 5, 0.02), (1, 7, 0.05)]


@pytest.fixture
def at_work(writer):
    writer.start()
    writer.hold()
    return dn.Run(writer.directory)


def asked(run):
    return json.loads((run.directory / "control.json").read_text())


def test_what_is_asked_of_a_run(at_work):
    at_work.set_learning_rate(0.5)
    assert asked(at_work) == {"learning_rate": 0.5}
    at_work.set_learning_rate(1)
    assert asked(at_work) == {"learning_rate": 1.0}
    at_work.request_stop()
    assert asked(at_work) == {"learning_rate": 1.0, "stop": True}
    assert sorted(path.name for path in at_work.directory.iterdir() if "control" in path.name) == [
        "control.json"
    ]


@pytest.mark.parametrize("rate", [0, -1, 0.0, float("inf"), float("nan")])
def test_rates_that_cannot_be_asked_for(at_work, rate):
    message = re.escape(f"Run.set_learning_rate: rate is {rate}, expected a finite number above 0")
    with pytest.raises(dn.ArgumentError, match=message):
        at_work.set_learning_rate(rate)
    assert not (at_work.directory / "control.json").exists()


def test_a_rate_is_a_number(at_work):
    with pytest.raises(TypeError, match=r"Run.set_learning_rate: rate is '0.1', expected a number"):
        at_work.set_learning_rate("0.1")


def test_nothing_is_asked_of_a_run_that_is_not_at_work(writer):
    run = dn.Run(writer.directory)

    def refusal():
        with pytest.raises(dn.ArgumentError) as caught:
            run.request_stop()
        with pytest.raises(dn.ArgumentError):
            run.set_learning_rate(0.1)
        assert not (run.directory / "control.json").exists()
        return str(caught.value)

    where = "Run.request_stop: runs/a: the run "
    assert refusal() == where + "is not running (died), expected one at work"
    writer.hold()
    assert refusal() == where + "has not begun, expected one at work"
    writer.start()
    run.request_stop()
    (run.directory / "control.json").unlink()
    writer.end("stopped", 0)
    assert refusal() == where + "is not running (stopped), expected one at work"


def test_what_lies_in_place_of_a_control_file_is_replaced_or_told(at_work, place):
    control = at_work.directory / "control.json"
    outside = place / "outside"
    outside.write_text("mine")
    control.symlink_to(outside)
    at_work.request_stop()
    assert asked(at_work) == {"stop": True}
    assert not control.is_symlink()
    assert outside.read_text() == "mine"
    for content in (b"", b"[1]", b"\xff" * 9000, b'{"stop": ' * 2000):
        control.write_bytes(content)
        at_work.request_stop()
        assert asked(at_work) == {"stop": True}
    control.unlink()
    os.mkfifo(control)
    at_work.request_stop()
    assert asked(at_work) == {"stop": True}
    control.unlink()
    control.mkdir()
    (control / "mine").touch()
    with pytest.raises(dn.IoError, match=r"^Run.request_stop: runs/a/control.json: cannot be written: "):
        at_work.request_stop()
    assert sorted(path.name for path in at_work.directory.iterdir() if "control" in path.name) == [
        "control.json"
    ]


def test_a_folder_that_cannot_be_written_is_told(at_work, monkeypatch):
    def refuse(self, target):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "replace", refuse)
    message = r"^Run.set_learning_rate: runs/a/control.json: cannot be written: Permission denied$"
    with pytest.raises(dn.IoError, match=message):
        at_work.set_learning_rate(0.1)
    assert not [path for path in at_work.directory.iterdir() if "control" in path.name]


def test_checkpoints_are_in_the_order_of_the_training(writer):
    folder = writer.directory / "checkpoints"
    names = ["epoch-0000", "epoch-0002", "epoch-0002-batch-0009", "epoch-0002-batch-0127", "epoch-0003"]
    names += ["epoch-9999-batch-12345", "epoch-10000"]
    others = [
        ".epoch-0004",
        "epoch-4",
        "epoch-00004",
        "epoch-0004~",
        "epoch-0004-batch-1",
        "notes",
        "epoch-0004\n",
    ]
    for name in reversed(names + others):
        (folder / name).mkdir(parents=True)
    (folder / "epoch-0005").touch()  # no folder
    (folder / "epoch-0006").symlink_to("nowhere")
    found = dn.Run("runs/a").checkpoints()
    assert [each.name for each in found] == names
    assert [(each.epoch, each.batch) for each in found[:3]] == [(0, 0), (2, 0), (2, 9)]


def test_links_that_lead_nowhere_are_none(writer):
    writer.link("best", "checkpoints/epoch-0001")
    writer.link("latest", "checkpoints/epoch-0002-batch-0001")
    found = dn.Run("runs/a")
    assert found.best is found.latest is None
    writer.checkpoint(1)
    assert found.best.epoch == 1


@pytest.mark.parametrize(
    "target",
    [
        "/etc",
        "..",
        "best",
        "checkpoints",
        "checkpoints/../../b",
        "checkpoints/x",
        "../a/checkpoints/epoch-0001",
    ],
)
def test_links_that_lead_elsewhere_are_refused(writer, target):
    writer.checkpoint(1)
    writer.link("best", target)
    expected = f"Run: runs/a/best: leads to {target}, expected one of the run's checkpoints"
    with pytest.raises(dn.FormatError, match=f"^{re.escape(expected)}$"):
        _ = dn.Run("runs/a").best


def test_a_folder_in_place_of_a_link_is_refused(writer):
    (writer.directory / "latest").mkdir()
    with pytest.raises(dn.FormatError, match=r"^Run: runs/a/latest: no link, expected one to a checkpoint$"):
        _ = dn.Run("runs/a").latest


# ---------------------------------------------------------------- events nobody should have written

GOOD = '"seq":2,"time":1790000002.5'
EPOCH = (
    '"epoch":1,"epochs":3,"training_loss":1,"training_accuracy":1,"validation_loss":null,'
    '"validation_accuracy":null,"learning_rate":1,"seconds":1'
)
HOSTILE = {
    "empty": (b"", "byte 1 is not as JSON should be"),
    "spaces": (b"   ", "byte 4 is not as JSON should be"),
    "not JSON": (b"epoch 3: loss 0.1", "byte 0 is not as JSON should be"),
    "cut": (b'{"seq":2,"ti', "byte 12 is not as JSON should be"),
    "two objects": (b'{"seq":2} {"seq":3}', "byte 10 is not as JSON should be"),
    "a comma too many": (b'{"seq":2,}', "byte 9 is not as JSON should be"),
    "no object": (b"[1, 2]", "no JSON object, expected one"),
    "a number": (b"2", "no JSON object, expected one"),
    "zero bytes": (b"\0" * 100, "byte 0 is not as JSON should be"),
    "a zero byte in a text": (b'{"seq":2,"type":"mess\0age"}', "byte 21 is not as JSON should be"),
    "not UTF-8": (b'{"type":"\xff"}', "byte 9 is not UTF-8"),
    "UTF-16": ('{"seq":2}'.encode("utf-16"), "byte 0 is not UTF-8"),
    "BOM": ('{"seq":2}'.encode("utf-8-sig"), "byte 0 is not as JSON should be"),
    "half a pair": (b'{"seq":2,"time":1,"type":"\\ud800"}', "half a surrogate pair in a text"),
    "a key twice": (b'{"seq":2,"time":1,"seq":2}', 'the key "seq" stands twice in one object'),
    "a key twice, deeper": (b'{"a":[{"x\\n":1,"x\\n":1}]}', 'the key "x\\n" stands twice in one object'),
    "NaN": (b'{"seq":2,"time":NaN}', "NaN is not JSON"),
    "Infinity": (b'{"seq":2,"time":-Infinity}', "-Infinity is not JSON"),
    "too large": (b'{"seq":2,"time":1e400}', "a number out of range"),
    "many digits": (b'{"seq":' + b"9" * 500_000 + b"}", "a number out of range"),
    "nested arrays": (b'{"a":' + b"[" * 64 + b"]" * 64 + b"}", "nested deeper than 64 levels"),
    "nested objects": (b'{"a":' * 100_000, "nested deeper than 64 levels"),
    "open quotes": (b"[" * 65 + b'"\\"' * 300_000, "nested deeper than 64 levels"),
    "brackets in an open text": (b'"' + b"[" * 65 + b'\\"' * 300_000, "byte 600066 is not as JSON should be"),
    "seq left out": (b'{"seq":3,"time":1,"type":"x"}', '"seq" is 3, expected 2, one more each line'),
    "seq again": (b'{"seq":1,"time":1,"type":"x"}', '"seq" is 1, expected 2, one more each line'),
    "seq missing": (b'{"time":1,"type":"x"}', '"seq" is missing, expected a whole number of at least 0'),
    "seq a text": (b'{"seq":"2"}', "\"seq\" is '2', expected a whole number of at least 0"),
    "seq true": (b'{"seq":true}', '"seq" is True, expected a whole number of at least 0'),
    "seq a float": (b'{"seq":2.0}', '"seq" is 2.0, expected a whole number of at least 0'),
    "time missing": (b'{"seq":2,"type":"x"}', '"time" is missing, expected seconds since 1970'),
    "time of no year": (b'{"seq":2,"time":1e300}', '"time" is 1e+300, expected seconds since 1970'),
    "time below 0": (b'{"seq":2,"time":-1}', '"time" is -1, expected seconds since 1970'),
    "type missing": (b'{"seq":2,"time":1}', '"type" is missing, expected a text'),
    "type a list": (b'{"seq":2,"time":1,"type":["x"]}', "\"type\" is ['x'], expected a text"),
    "epoch below 0": (
        f'{{{GOOD},"type":"batch","epoch":-1}}',
        '"epoch" is -1, expected a whole number of at least 0',
    ),
    "loss a text": (
        f'{{{GOOD},"type":"batch","epoch":1,"batch":1,"batches":2,"loss":"low"}}',
        "\"loss\" is 'low', expected a number or null",
    ),
    "a start without epochs": (
        f'{{{GOOD},"type":"start","epoch":0,"batch":0}}',
        '"epochs" is missing, expected a whole number of at least 0',
    ),
    "dead units": (
        f'{{{GOOD},"type":"epoch",{EPOCH},"dead_units":0.5}}',
        '"dead_units" is 0.5, expected a whole number of at least 0 or null',
    ),
    "layers": (
        f'{{{GOOD},"type":"epoch",{EPOCH},"layers":{{}}}}',
        '"layers" is {}, expected a list of objects',
    ),
    "a histogram": (
        f'{{{GOOD},"type":"epoch",{EPOCH},"layers":[{{}},{{"histogram":[1,-1]}}]}}',
        '"layers"[1]: "histogram" is [1, -1], expected a list of whole numbers',
    ),
    "a path outside": (
        f'{{{GOOD},"type":"checkpoint","epoch":1,"batch":0,"path":"../../etc/passwd","best":true}}',
        '"path" is \'../../etc/passwd\', expected a path such as "checkpoints/epoch-0003"',
    ),
    "a path in two lines": (
        f'{{{GOOD},"type":"checkpoint","epoch":1,"batch":0,"path":"checkpoints/epoch-0001\\n","best":true}}',
        '"path" is \'checkpoints/epoch-0001\\n\', expected a path such as "checkpoints/epoch-0003"',
    ),
    "a reason of its own": (
        f'{{{GOOD},"type":"end","reason":"\\u001b[2J{"x" * 100}"}}',
        f'"reason" is \'\\x1b[2J{"x" * 49}..., expected one of {", ".join(REASONS)}',
    ),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_broken_line_is_told_with_file_and_line(writer, name):
    line, problem = HOSTILE[name]
    writer.start()
    writer.raw((line.encode() if isinstance(line, str) else line) + b"\n")
    found = dn.Run("runs/a")
    events = found.events()
    assert next(events)["seq"] == 1  # what is good comes first
    message = f"Run: runs/a/events.jsonl: line 2: {problem}"
    with pytest.raises(dn.FormatError) as caught:
        next(events)
    assert str(caught.value) == message
    for ask in (
        found.state,
        found.state,
        found.summary,
        lambda: found.epochs,
        lambda: list(found.follow(0.001)),
    ):
        with pytest.raises(dn.FormatError) as caught:
            ask()
        assert str(caught.value) == message  # however often it is asked


def test_nesting_of_64_is_read(writer):
    writer.raw(
        b'{"seq":1,"time":1,"type":"x","a":' + b"[" * 63 + b"]" * 63 + b',"b":"' + b"[" * 999 + b'"}\n'
    )
    assert [event["type"] for event in dn.Run("runs/a").events()] == ["x"]


def test_large_whole_numbers_are_floats_as_in_cpp(writer):
    writer.raw(b'{"seq":1,"time":1,"type":"x","a":1000000000000000000000,"b":18446744073709551}\n')
    (event,) = dn.Run("runs/a").events()
    assert (event["a"], event["b"]) == (1e21, 18446744073709551)
    assert isinstance(event["a"], float)


@pytest.mark.parametrize("ending", [b"", b"\n"])
def test_a_line_of_100_megabytes_is_refused_and_not_read(writer, ending):
    writer.start()
    with writer.events.open("ab") as file:
        file.truncate(100_000_000)  # zero bytes that take no space
        file.seek(0, os.SEEK_END)
        file.write(ending)
    tracemalloc.start()
    try:
        with pytest.raises(dn.FormatError) as caught:
            list(dn.Run("runs/a").events())
        assert tracemalloc.get_traced_memory()[1] < 8 * LONGEST_LINE
    finally:
        tracemalloc.stop()
    assert str(caught.value) == (
        "Run: runs/a/events.jsonl: line 2: longer than 1048576 bytes, expected a JSON object"
    )


def test_the_longest_line_is_read_and_one_byte_more_is_not(writer):
    empty = writer.line("message", level="info", text="")
    writer.seq = 0
    room = LONGEST_LINE - len(empty)
    writer.message("x" * room)
    assert [len(event["text"]) for event in dn.Run("runs/a").events()] == [room]
    writer.message("x" * (room + 1))
    with pytest.raises(dn.FormatError, match=r"line 2: longer than 1048576 bytes"):
        list(dn.Run("runs/a").events())


def test_events_that_become_fewer_are_refused(writer):
    writer.hold()
    writer.start()
    size = writer.events.stat().st_size
    events = follow("runs/a")
    assert next(events)["seq"] == 1
    os.truncate(writer.events, size - 1)
    expected = f"Run: runs/a/events.jsonl: {size - 1} bytes, expected at least the {size} read before"
    with pytest.raises(dn.FormatError, match=f"^{expected}; was the file replaced\\?$"):
        next(events)


def test_events_that_are_gone_are_an_error(writer):
    writer.hold()
    writer.start()
    events = follow("runs/a")
    assert next(events)["seq"] == 1
    writer.events.unlink()
    with pytest.raises(
        dn.IoError, match=r"^Run: runs/a/events.jsonl: cannot be read: No such file or directory$"
    ):
        next(events)


@pytest.mark.parametrize("make", [os.mkfifo, os.mkdir, lambda path: path.symlink_to("/dev/zero")])
@pytest.mark.parametrize("name", ["events.jsonl", "lock", "config.json"])
def test_what_is_no_plain_file_is_refused_at_once(writer, make, name):
    path = writer.directory / name
    path.unlink(missing_ok=True)
    make(path)
    with pytest.raises(dn.FormatError, match=rf"^Run: runs/a/{name}: no plain file, expected one$"):
        dn.Run("runs/a").summary()


def test_links_in_circles_are_an_error(writer):
    writer.link("events.jsonl", "events.jsonl")
    with pytest.raises(dn.IoError, match=r"^Run: runs/a/events.jsonl: cannot be read: .*symbolic links$"):
        dn.Run("runs/a").state()


@pytest.mark.parametrize("name", ["events.jsonl", "config.json"])
def test_random_changes_of_a_file_are_read_or_one_line(writer, name):
    random.seed(1)
    writer.whole()
    path = writer.directory / name
    whole = path.read_bytes()
    refused = read = 0
    for _ in range(500):
        data = bytearray(whole)
        for _ in range(random.choice([1, 1, 1, 5])):
            data[random.randrange(len(data))] = random.choice([*b'{}[]",:0\n\\e-', random.randrange(256)])
        path.write_bytes(data)
        found = dn.Run("runs/a")
        try:
            summary = found.summary()
            _ = found.config
        except dn.FormatError as error:
            refused += "\n" not in str(error)
        else:
            json.dumps(summary, allow_nan=False)
            Console(file=io.StringIO(), width=40).print(Screen("a", found.config, found.progress()))
            read += 1
    assert refused + read == 500
    assert refused > 100


@pytest.mark.parametrize(("target", "name"), [("events", "events.jsonl"), ("run_config", "config.json")])
def test_what_the_fuzzers_begin_with_is_read_or_one_line(writer, target, name):
    corpus = sorted((Path(__file__).parents[1] / "fuzz/corpus" / target).iterdir())
    assert len(corpus) > 10
    refused = read = 0
    for path in corpus:
        (writer.directory / name).write_bytes(path.read_bytes())
        found = dn.Run("runs/a")
        try:
            _ = found.config
            list(found.events())
        except dn.FormatError as error:
            refused += "\n" not in str(error)
        else:
            read += 1
    assert refused + read == len(corpus)
    assert refused >= 5
    assert read > 0


# ---------------------------------------------------------------- config.json


@pytest.mark.parametrize(
    ("changes", "problem"),
    [
        ({"format": "digitnet"}, '"format" is not "digitnet-run", expected the config of a run'),
        ({"version": 2}, "format version 2, expected 1; is the run from a newer digitnet?"),
        ({"version": "1"}, "format version '1', expected 1; is the run from a newer digitnet?"),
        ({"optimizer": "adam"}, "\"optimizer\" is 'adam', expected an object"),
        ({"optimizer": {}}, '"optimizer": "name" is missing, expected a text'),
        (
            {"architecture": {"sizes": [784, "x"]}},
            '"architecture": "sizes" is [784, \'x\'], expected a list of whole numbers',
        ),
        ({"created": 5}, '"created" is 5, expected a text'),
    ],
)
def test_a_config_of_another_kind_is_refused(changes, problem):
    RunWriter(Path("runs/b"), **changes)
    with pytest.raises(dn.FormatError) as caught:
        _ = dn.Run("runs/b").config
    assert str(caught.value) == f"Run: runs/b/config.json: {problem}"


@pytest.mark.parametrize(
    "data", [b"", b"{", b"[]", b'{"a":1,"a":1}', b"\xff", b"[" * 100_000, b" " * (2**24 + 1)]
)
def test_a_broken_config_is_one_line(writer, data):
    (writer.directory / "config.json").write_bytes(data)
    with pytest.raises(dn.FormatError, match=r"^Run: runs/a/config.json: .+$"):
        _ = dn.Run("runs/a").config


def test_a_config_of_16_mib_is_read_and_one_byte_more_is_not(writer):
    path = writer.directory / "config.json"
    whole = path.read_bytes()
    path.write_bytes(whole + b" " * (LONGEST_CONFIG - len(whole)))
    assert dn.Run("runs/a").config == writer.config
    path.write_bytes(whole + b" " * (LONGEST_CONFIG + 1 - len(whole)))
    with pytest.raises(dn.FormatError, match=r"^Run: runs/a/config.json: longer than 16777216 bytes, "):
        _ = dn.Run("runs/a").config


def test_a_folder_that_is_no_run_is_told(place):
    with pytest.raises(dn.IoError, match=r"^Run: nothing: cannot be read: No such file or directory$"):
        dn.Run("nothing")
    (place / "folder").mkdir()
    with pytest.raises(
        dn.IoError, match=r"^Run: folder: no config.json in it, expected the folder of a run$"
    ):
        dn.Run("folder")
    (place / "file").touch()
    with pytest.raises(dn.IoError, match=r"^Run: file: cannot be read: Not a directory$"):
        dn.Run("file")


# ---------------------------------------------------------------- finding runs


def test_runs_are_found_the_oldest_first(monkeypatch, place):
    for name, created in (
        ("a", "2026-03-01T00:00:00Z"),
        ("b", "2026-01-01T00:00:00Z"),
        ("c", "2026-02-01T00:00:00Z"),
    ):
        RunWriter(place / "runs" / name, created=created)
    (place / "runs/notes").mkdir()
    (place / "runs/file").touch()
    (place / "runs/nowhere").symlink_to("nothing")
    (place / "runs/linked").symlink_to(
        RunWriter(place / "elsewhere", created="2025-01-01T00:00:00Z").directory
    )
    RunWriter(place / "runs/.hidden")
    names = ["linked", "b", "c", "a"]
    assert [found.name for found in dn.find_runs()] == names
    assert [found.name for found in dn.find_runs("runs")] == names
    assert [found.name for found in dn.find_runs("runs/b")] == ["b"]  # itself
    monkeypatch.setenv("DIGITNET_RUNS_DIR", str(place / "runs"))
    monkeypatch.chdir("/")
    assert [found.name for found in dn.find_runs()] == names
    assert dn.find_runs(place) != dn.find_runs()  # the argument beats the environment


def test_a_broken_run_does_not_hide_the_others(place):
    RunWriter(place / "runs/a")
    (RunWriter(place / "runs/b").directory / "config.json").write_text("{")
    assert [found.name for found in dn.find_runs()] == ["b", "a"]


def test_no_runs(monkeypatch, place):
    assert dn.find_runs() == []
    with pytest.raises(dn.IoError, match=r"^find_runs: runs: cannot be read: No such file or directory$"):
        dn.find_runs("runs")
    monkeypatch.setenv("DIGITNET_RUNS_DIR", str(place))
    assert dn.find_runs() == []


# ---------------------------------------------------------------- numbers for people


def test_figures_are_short():
    assert [figures.measure(x) for x in (None, 0, 0.05123, -1.5, 1e-7, 1e300)] == [
        "-", "0.0000", "0.0512", "-1.5000", "1.00e-07", "1.00e+300",
    ]  # fmt: skip
    assert [figures.percent(x) for x in (None, 0.98414, 1e99)] == ["-", "98.41%", "1.00e+99"]
    assert [figures.count(x) for x in (None, 182000.4, 1e99)] == ["-", "182,000", "1.00e+99"]
    assert [figures.duration(x) for x in (None, 12.9, 3723, 5 * 86400 + 3600, 1e300)] == [
        "-", "0:12", "1:02:03", "5 d 1 h", "11574 d 1 h",
    ]  # fmt: skip
    assert [figures.seconds(x) for x in (None, 1.23, 1e99)] == ["-", "1.2 s", "1.00e+99 s"]
    assert figures.network([784, 10]) == "784-10"
    assert figures.network([784, *[9] * 255, 10]) == "784-...-10, 256 layers"


def test_spark_lines():
    assert figures.spark_line([0, 1, 2, 3, 4, 5, 6, 7], 10) == "▁▂▃▄▅▆▇█"
    assert figures.spark_line([7.0, None, 0.0], 10) == "█ ▁"
    assert figures.spark_line([1, 1, 3, 3, 5, 5], 3) == "▁▅█"  # means of neighbours
    assert figures.spark_line([None, 2], 1) == "▁"
    assert figures.spark_line([5, 5], 9) == "▁▁"
    assert figures.spark_line([], 9) == figures.spark_line([], 0) == ""
    assert figures.spark_line([1e308, -1e308], 9) == "█▁"
    assert figures.spark_line([5e-324, 0.0], 9) == "▁▁"
    assert figures.spark_line([1, 8], 9, ascii_only=True) == "_#"
    assert figures.spark_line([128, 64, None, 2, 1], 9, logarithmic=True) == "█▇ ▂▁"
    assert figures.spark_line([7, 1, 0], 9, logarithmic=True) == "█▂▁"  # no logarithm of 0
    assert len(figures.spark_line(list(range(1000)), 17)) == 17


# ---------------------------------------------------------------- digitnet runs


def test_runs_lists_them(run, monkeypatch):
    monkeypatch.setenv("TZ", "UTC")
    time.tzset()
    RunWriter(Path("runs/a")).whole()
    second = RunWriter(Path("runs/b"), created="2026-09-22T00:00:00Z")
    second.hold()
    second.start()
    RunWriter(Path("runs/c"), created="2026-09-23T00:00:00Z")
    code, out, err = run("runs")
    assert (code, err) == (0, "")
    assert out == (
        "run  state    epoch  accuracy    loss  network     optimizer  started           time\n"
        "a    done       3/3    83.33%  0.6667  784-128-10  adamw      2026-09-21 13:33  0:10\n"
        "b    running    0/3         -       -  784-128-10  adamw      2026-09-22 00:00  0:00\n"
        "c    died       0/?         -       -  784-128-10  adamw      2026-09-23 00:00  0:00\n"
    )
    assert (
        run("runs", "runs/a")[1]
        == "\n".join(out.splitlines()[:2]).replace("state    ", "state  ").replace("done     ", "done   ")
        + "\n"
    )


def test_runs_as_json(run):
    RunWriter(Path("there/a")).whole()
    code, out, err = run("runs", "there", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out) == [{**dn.Run("there/a").summary(), "path": "there/a"}]


def test_runs_tells_of_broken_ones_and_lists_the_others(run):
    RunWriter(Path("runs/a")).whole()
    RunWriter(Path("runs/b"), created="2026-09-22T00:00:00Z").raw(b"x\n")
    code, out, err = run("runs")
    assert code == 3
    assert [line.split()[:2] for line in out.splitlines()[1:]] == [["a", "done"], ["b", "broken"]]
    message = "Run: runs/b/events.jsonl: line 1: byte 0 is not as JSON should be"
    assert err == f"digitnet: {message}\n"
    code, out, _ = run("runs", "--json")
    assert code == 3
    assert json.loads(out)[1] == {"name": "b", "path": "runs/b", "state": "broken", "error": message}


def test_runs_where_there_are_none(run):
    assert run("runs") == (0, "", "digitnet: no runs in runs\n")
    assert run("runs", "--json") == (0, "[]\n", "")
    assert run("runs", "x") == (3, "", "digitnet: find_runs: x: cannot be read: No such file or directory\n")


# ---------------------------------------------------------------- digitnet watch


@pytest.mark.parametrize("reason", REASONS)
def test_watch_ends_as_the_run_did(run, writer, reason):
    writer.start()
    writer.epoch(1)
    error = {"error": "no space\nleft on it"} if reason == "failed" else {}
    writer.end(reason, 1, 4 if reason == "diverged" else 0, **error)
    code, out, err = run("watch", "runs/a")
    assert code == (1 if reason in ("diverged", "failed") else 0)
    assert out == "epoch 1/3: loss 2.0000, accuracy 60.00%, validation 2.2000, 50.00% (0.5 s)\n"
    assert (
        err
        == {
            "done": "",
            "stopped": "digitnet: a: stopped after epoch 1 of 3\n",
            "loss_reached": "digitnet: a: loss reached after epoch 1 of 3\n",
            "early_stop": "digitnet: a: early stop after epoch 1 of 3\n",
            "diverged": "digitnet: a: diverged in epoch 2 of 3\n",
            "failed": "digitnet: a: failed after epoch 1 of 3: no space left on it\n",
        }[reason]
    )


def test_watch_tells_of_a_run_that_died(run, writer):
    writer.start()
    writer.batch(1, 3)
    code, out, err = run("watch", "runs/a")
    assert (code, out) == (1, "")
    assert err == "digitnet: a: died in epoch 1 of 3: no end was written and no process is at work on it\n"


def test_watch_writes_a_line_for_each_epoch_and_message(run, writer):
    writer.start()
    writer.message("12 images are alike")
    writer.epoch(1, validation_loss=None, validation_accuracy=None)
    writer.epoch(2, training_loss=None, seconds=None)
    writer.end(epoch=2)
    code, out, err = run("watch", "runs/a")
    assert code == 0
    assert out == (
        "epoch 1/3: loss 2.0000, accuracy 60.00% (0.5 s)\n"
        "epoch 2/3: loss -, accuracy 80.00%, validation 1.1000, 75.00% (-)\n"
    )
    assert err == "digitnet: info: 12 images are alike\n"


def test_watch_tells_of_a_changed_learning_rate(run, writer):
    writer.start()
    writer.change(0, 5, 0.0005)
    writer.epoch(1)
    writer.change(1, 0, 0.25)
    writer.end("stopped", 1)
    _, _, err = run("watch", "runs/a")
    assert err.splitlines()[:2] == [
        "digitnet: learning rate 0.0005 from epoch 1, batch 6 on",
        "digitnet: learning rate 0.25 from epoch 2 on",
    ]
    screen = Screen("a", writer.config, dn.Run("runs/a").progress())
    console = Console(file=io.StringIO(), width=100, height=40)
    console.print(screen)
    assert "(set to 0.25 in epoch 2)" in console.file.getvalue()


def test_watch_passes_events_on(run, writer):
    writer.whole("stopped")
    code, out, err = run("watch", "runs/a", "--json")
    assert code == 0
    assert out.encode() == writer.events.read_bytes()
    assert err == "digitnet: a: stopped after epoch 3 of 3\n"


def test_watch_without_a_run_is_exit_code_3(run, writer):
    assert run("watch", "x") == (3, "", "digitnet: Run: x: cannot be read: No such file or directory\n")
    code, out, err = run("watch", "runs")
    assert (code, out) == (3, "")
    assert err == (
        "digitnet: Run: runs: no config.json in it, expected the folder of a run, such as runs/a\n"
    )
    writer.raw(b"?\n")
    code, _, err = run("watch", "runs/a")
    assert (code, err) == (3, "digitnet: Run: runs/a/events.jsonl: line 1: byte 0 is not as JSON should be\n")
    assert run("watch")[0] == 2


def start(*words, **options):
    """Starts a command in a process of its own, where Ctrl-C is answered whatever it is here."""
    return subprocess.Popen(
        [sys.executable, "-m", "digitnet", *map(str, words)],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options},
    )


def test_watch_waits_for_a_run_that_is_to_come(place):
    with start("watch", "--wait", "later/a", "--json") as process:
        writer = RunWriter(place / "later/a", epochs=1)
        writer.hold()
        for event in (writer.start, lambda: writer.epoch(1), writer.end):
            event()
            assert json.loads(process.stdout.readline())["seq"] == writer.seq  # at once, not at the end
        assert process.wait(TIME_LIMIT) == 0


@contextlib.contextmanager
def terminal(*words, columns=80, **environment):
    """A command on a terminal: the process, and a function that reads what it draws up to a text."""
    ours, theirs = os.openpty()
    ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 40, columns, 0, 0))
    variables = {**os.environ, "TERM": "xterm-256color", "PYTHONIOENCODING": "utf-8", **environment}
    for name in ("NO_COLOR", "COLUMNS", "LINES", "FORCE_COLOR", "TTY_COMPATIBLE", "TTY_INTERACTIVE"):
        if name not in environment:
            variables.pop(name, None)
    drawn = b""

    def read_to(wanted=None):
        nonlocal drawn
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while wanted is None or wanted.encode() not in drawn:
                assert select.select([ours], [], [], TIME_LIMIT)[0], f"nothing is drawn, expected {wanted}"
                drawn += os.read(ours, 65536)
        return drawn.decode()

    with start(*words, stdout=theirs, env=variables) as process:
        os.close(theirs)
        try:
            yield process, read_to
        finally:
            process.kill()
            os.close(ours)


@pytest.mark.parametrize("no_color", [False, True])
def test_watch_draws_on_a_terminal(writer, no_color):
    writer.hold()
    writer.start()
    environment = {"NO_COLOR": "1"} if no_color else {}
    with terminal("watch", "runs/a", **environment) as (process, read_to):
        read_to("epoch 1/3")
        writer.batch(1, 5)
        read_to("batch 5/10")
        for epoch in (1, 2):
            writer.epoch(epoch)
            writer.checkpoint(epoch)
        read_to("epoch-0002")
        writer.epoch(3)
        writer.message("almost \x1b]0;there\x07", "warning")
        writer.end()
        drawn = read_to()
        assert process.wait(TIME_LIMIT) == 0
        assert process.stderr.read() == ""
    last = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn[drawn.rindex("adamw") :])
    for text in (
        "epoch 3/3",
        "100%",
        "training loss       0.6667 █",
        "3 of 128",
        "83.33% (epoch 3)",
        "epoch-0002",
    ):
        assert text in last
    assert "warning: almost \N{REPLACEMENT CHARACTER}]0;there\N{REPLACEMENT CHARACTER}" in last
    assert "\x1b[1A" in drawn  # drawn over, not below
    assert drawn.count("\x1b[?25l") == drawn.count("\x1b[?25h") == 1  # the cursor is back
    assert bool(re.search(r"\x1b\[[0-9;]*3[0-9](;[0-9;]*)?m", drawn)) is not no_color


def test_watch_is_interrupted_by_ctrl_c(writer):
    writer.hold()
    writer.start()
    with terminal("watch", "runs/a") as (process, read_to):
        read_to("epoch 1/3")
        process.send_signal(signal.SIGINT)
        drawn = read_to()
        assert process.wait(TIME_LIMIT) == 130
        assert process.stderr.read() == "digitnet: interrupted\n"
        assert drawn.endswith("\x1b[?25h") or "\x1b[?25h" in drawn  # the cursor is back


def test_watch_writes_lines_on_a_terminal_that_cannot_draw(writer):
    writer.whole()
    with terminal("watch", "runs/a", TERM="dumb") as (process, read_to):
        drawn = read_to()
        assert process.wait(TIME_LIMIT) == 0
    assert "\x1b" not in drawn
    assert drawn.count("epoch") == 3


def test_a_terminal_that_lacks_characters_gets_others(writer):
    writer.whole()
    writer.link("x", "x")
    with terminal("watch", "runs/a", PYTHONIOENCODING="ascii") as (process, read_to):
        drawn = read_to()
        assert process.wait(TIME_LIMIT) == 0
    assert drawn.isascii()
    assert "training loss       0.6667 #" in re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", drawn)


@pytest.mark.parametrize(
    ("columns", "last"),
    [(100, "time"), (90, "started"), (80, "optimizer"), (60, "network"), (40, "accuracy"), (20, None)],
)
def test_runs_leaves_out_what_a_narrow_terminal_has_no_room_for(columns, last):
    RunWriter(Path("runs/mnist-adam")).whole()
    RunWriter(Path("runs/\x1b[31mred")).whole("early_stop")
    with terminal("runs", columns=columns) as (process, read_to):
        drawn = read_to()
        assert process.wait(TIME_LIMIT) == 0
    plain = re.sub(r"\x1b\[[0-9;]*m", "", drawn)
    lines = plain.split("\r\n")
    assert last is None or lines[0].split()[-1] == last
    assert all(len(line) <= columns for line in lines)
    assert len(lines) == 4  # nothing is wrapped
    assert "\x1b[31mred" not in drawn


def test_runs_gives_long_names_the_room_there_is():
    RunWriter(Path("runs") / ("name" * 20)).whole()
    with terminal("runs", columns=40) as (process, read_to):
        line = re.sub(r"\x1b\[[0-9;]*m", "", read_to()).split("\r\n")[1]
        assert process.wait(TIME_LIMIT) == 0
    assert re.fullmatch(r"(name)+\w*~  done     3/3", line)
    assert len(line) == 40


@pytest.mark.parametrize("width", [1, 20, 40, 60, 80, 200])
@pytest.mark.parametrize("is_done", [False, True])
def test_the_screen_fits(writer, width, is_done):
    writer.start(samples=10**18)
    for epoch in range(1, 4):
        for batch in range(1, 11):
            writer.batch(epoch, batch)
        writer.epoch(epoch, validation_loss=1e300, gradient_norm=1e-300, images_per_second=None)
        writer.checkpoint(epoch, 10**9 if epoch == 3 else 0)
    writer.message("long " * 100, "warning")
    found = dn.Run("runs/a")
    screen = Screen("name" * 100, found.config, found.progress())
    if is_done:
        screen.state = "loss_reached"
    console = Console(file=io.StringIO(), width=width)
    console.print(screen)
    lines = console.file.getvalue().splitlines()
    assert all(len(line) <= width for line in lines)
    if width >= 40:
        text = "\n".join(lines)
        assert re.search(r"validation accuracy +83.33% ▁", text)
        assert "best accuracy   83.33% (epoch 3)" in text
        assert len(lines) == (21 if width < 70 else 17)


def test_the_screen_of_a_run_without_validation_has_no_rows_for_it(writer):
    writer.start()
    writer.epoch(1, validation_loss=None, validation_accuracy=None, dead_units=None)
    found = dn.Run("runs/a")
    console = Console(file=io.StringIO(), width=80)
    console.print(Screen("a", found.config, found.progress()))
    text = console.file.getvalue()
    assert "validation" not in text
    assert re.search(r"dead units +-", text)


def test_times_of_events_are_those_of_the_writer(writer):
    writer.start()
    assert next(dn.Run("runs/a").events())["time"] == BEGIN + 1
