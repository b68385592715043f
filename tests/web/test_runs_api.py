"""Trainings by the API: what may be asked for, the queue, events as a stream, and what survives what."""

import concurrent.futures
import http.client
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import time

import pytest
from serving import TESTS, Server

import digitnet as dn
from digitnet.web import forms

# Far longer than any test needs, on any machine: small steps.
LONG = {"layers": "64", "epochs": 1000, "batch_size": 4, "validation": 0.1}


def wait(client, run_id, *states, seconds=90):
    """The run in the list's words, as soon as it is in one of the states."""
    deadline = time.monotonic() + seconds
    while True:
        status, shown = client.ask(f"api/runs/{run_id}?brief")
        if status == 200 and shown["state"] in states:
            return shown
        assert time.monotonic() < deadline, f"{run_id} is {shown}, expected {states}"
        time.sleep(0.05)


def until(question, seconds=60):
    """The first answer that is not empty."""
    deadline = time.monotonic() + seconds
    while not (answer := question()):
        assert time.monotonic() < deadline
        time.sleep(0.05)
    return answer


def start(client, **settings):
    status, answer = client.ask("api/runs", settings)
    assert status == 201, answer
    return answer["id"]


def call(client, run_id, what, *states):
    """Has a run stopped, paused or gone on with, and waits until it is, on a busy machine too."""
    status, answer = until(lambda: answered(client, f"api/runs/{run_id}/{what}"))
    assert status == 200, answer
    assert answer["id"] == run_id
    return answer if answer["state"] in states else wait(client, run_id, *states)


def answered(client, path):
    """The answer to a wish; None where there was no time for it."""
    status, answer = client.ask(path, {})
    return None if status == 503 and answer["error"]["code"] == "starting" else (status, answer)


def stop_all(server):
    """Ends what still trains or waits; what waits goes first, so that nothing begins meanwhile."""
    client = server.client()
    shown = [run for run in client.ask("api/runs")[1] if run["state"] in ("queued", "starting", "running")]
    for run in sorted(shown, key=lambda run: run["state"] != "queued"):
        until(lambda run=run: answered(client, f"api/runs/{run['id']}/stop"))


def events_of(server, run_id):
    """(id, event) of each event of a run to its end, by as many streams as that takes."""
    told = []
    while not told or told[-1][1]["type"] != "end":
        last = {"Last-Event-ID": str(told[-1][0])} if told else {}
        with Stream(server, f"api/runs/{run_id}/events", last) as stream:
            assert stream.status == 200
            assert stream.answer.headers["Content-Type"].startswith("text/event-stream")
            told += stream.events()
    return told


def worker_of(server, run_id):
    """The process that trains, by the lock that it holds."""
    run = dn.Run(server.runs / run_id)
    assert run.is_held()
    return int((run.directory / "lock").read_text())


class Stream:
    """Server-sent events, line by line."""

    def __init__(self, server, path, headers=None):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=70)
        self.connection.request("GET", f"/{path}", headers={"Accept": "text/event-stream", **(headers or {})})
        self.answer = self.connection.getresponse()
        self.status = self.answer.status

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.answer.close()
        self.connection.close()

    def events(self):
        """(id, event) of each message."""
        seq = None
        for line in self.answer:
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name == "id":
                seq = int(value)
            elif name == "data":
                yield seq, json.loads(value)


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    """A server that bears all the starts of this file, however fast they come."""
    started = Server(tmp_path_factory.mktemp("server"), environment={"DIGITNET_STARTS_PER_MINUTE": "100000"})
    yield started
    started.stop()
    assert "Traceback" not in started.errors(), started.errors()


@pytest.fixture(autouse=True)
def _nothing_stays(server):
    """Each test begins with an idle server, and without the runs and drawings of others."""
    yield
    stop_all(server)
    client = server.client()
    for run in client.ask("api/runs")[1]:
        wait(client, run["id"], *ENDS)
        assert client.ask(f"api/runs/{run['id']}", method="DELETE")[0] == 200
    client.ask("api/personal", method="DELETE")


ENDS = ("done", "early_stop", "loss_reached", "diverged", "stopped", "paused", "failed", "broken")
WRONG = {
    "name": ["../a", "a/b", ".a", "", " ", "a" * 49, "a..b", 7, "ü"],
    "dataset": ["cifar", 1, ["mnist"]],
    "layers": [
        "a",
        "128,",
        [0],
        [-1],
        [4097],
        [1] * 9,
        [1.5],
        "128;64",
        {"a": 1},
        [4096, 4096, 4096],
        [[1]],
        True,
    ],
    "activation": ["softmax", "step", 1],
    "optimizer": ["adamm", None, 1],
    "learning_rate": [0, -1, "fast", 11, 1e300, True, [], "0,001"],
    "schedule": ["linear", 3],
    "warmup": [1, -0.1, "a"],
    "batch_size": [0, -1, 4097, 1.5, "many", 10**15],
    "epochs": [0, -1, 1001, 2.5, "ten", True, 10**18],
    "validation": [1, -0.1, "a"],
    "seed": [-1, 2**53, 1.5, "a"],
    "augmentation": ["huge", 1],
    "dropout": [1, -0.1, "half"],
    "input_dropout": [0.95],
    "batch_norm": [1, "yes"],
    "label_smoothing": [1],
    "weight_decay": [-1, 1001],
    "l1": [-1],
    "l2": [-1],
    "max_norm": [-1],
    "clip_norm": [-1],
    "clip_value": [-1],
    "averaging": ["mean"],
    "early_stopping": [0, 1001, "a"],
    "plateau": [-1, 1001],
    "checkpoint_every": [0, 1001],
}


def test_each_wrong_field_is_told_beside_it(client):
    for name, values in WRONG.items():
        for value in values:
            if value is None or (isinstance(value, str) and not value.strip()):
                continue  # blank is the default
            status, answer = client.ask("api/runs", {name: value})
            assert status == 422, (name, value, answer)
            error = answer["error"]
            assert error["field"] == name, (name, value, error)
            assert error["fields"] == {name: error["message"]}
            assert "expected" in error["message"]
    every = {name: values[0] for name, values in WRONG.items()}
    status, answer = client.ask("api/runs", every)
    assert status == 422
    assert set(answer["error"]["fields"]) == set(WRONG)
    assert client.ask("api/runs")[1] == []


def test_fields_that_do_not_fit_together_or_are_unknown(client):
    for body, name in [
        ({"early_stopping": 2, "validation": 0}, "early_stopping"),
        ({"plateau": 2, "validation": 0}, "plateau"),
        ({"schedule": "one-cycle", "warmup": 0}, "warmup"),
        ({"learningrate": 0.1}, "learningrate"),
    ]:
        status, answer = client.ask("api/runs", body)
        assert (status, answer["error"]["field"]) == (422, name)
    assert "did you mean learning_rate?" in answer["error"]["message"]
    assert client.ask("api/runs", {f"x{i}": i for i in range(1000)})[0] == 400
    assert client.ask("api/runs", raw=b"[]")[0] == 400
    assert client.ask("api/runs", raw=b'{"epochs": NaN}')[0] == 400
    status, answer = client.ask("api/runs", {"dataset": "personal"})
    assert (status, answer["error"]["field"]) == (409, "dataset")  # nothing was drawn yet
    assert client.ask("api/runs", method="PUT")[0] == 405


def test_the_docs_name_every_setting_with_its_default():
    docs = (TESTS.parent / "docs" / "web.md").read_text()
    rows = re.findall(r"^\| `(\w+)` \| .* \| .* \| (.*) \|$", docs, re.MULTILINE)
    assert [name for name, _ in rows] == [*forms.FIELDS]
    for name, default in rows:
        expected = forms.FIELDS[name].default
        assert expected is None or json.loads(default.strip("`")) == expected, name


def test_one_after_the_other_in_their_order(client, server):
    names = [start(client, layers=[8], epochs=2, name=name) for name in ("one", "two", "three")]
    status, answer = client.ask("api/runs", {"name": "two"})
    assert (status, answer["error"]["field"]) == (422, "name")
    most = 0
    deadline = time.monotonic() + 90
    while True:
        shown = {run["id"]: run for run in client.ask("api/runs")[1]}
        most = max(most, sum(shown[name]["state"] in ("starting", "running") for name in names))
        waiting = [name for name in names if shown[name]["state"] == "queued"]
        assert [shown[name]["position"] for name in waiting] == list(range(1, len(waiting) + 1))
        if all(shown[name]["state"] == "done" for name in names):
            break
        assert time.monotonic() < deadline, shown
        time.sleep(0.02)
    assert most <= 1
    require_one_after_another(server, names)

    detail = client.ask("api/runs/one")[1]
    assert detail["epoch"] == detail["epochs"] == 2
    assert [epoch["epoch"] for epoch in detail["history"]] == [1, 2]
    run = dn.Run(server.runs / "one")
    assert detail["history"][1]["training_loss"] == run.epochs[1]["training_loss"]
    assert detail["best_validation_accuracy"] == max(epoch["validation_accuracy"] for epoch in run.epochs)
    assert [each["name"] for each in detail["checkpoints"]] == [each.name for each in run.checkpoints()]
    assert detail["parameters"] == 784 * 8 + 8 + 8 * 10 + 10
    assert detail["settings"]["layers"] == "8"
    assert detail["model"] == "run-one"
    assert detail["can"] == {
        "pause": False, "resume": False, "stop": False, "learning_rate": False, "remove": True
    }  # fmt: skip
    for call in ("stop", "pause", "resume"):
        assert client.ask(f"api/runs/one/{call}", {})[0] == 409
    assert client.ask("api/runs/one/learning-rate", {"learning_rate": 0.1})[0] == 409


def require_one_after_another(server, names):
    """Each began once, when the one before was over, by what they wrote themselves."""
    spans = []
    for name in names:
        events = list(dn.Run(server.runs / name).events())
        assert [event["type"] for event in events].count("start") == 1
        spans.append((events[0]["time"], events[-1]["time"]))
    assert all(end <= begin for (_, end), (begin, _) in zip(spans, spans[1:]))


def test_the_graph_tells_states_as_the_list_does(client):
    run_id = start(client, **LONG, name="held")
    until(lambda: client.ask(f"api/runs/{run_id}")[1]["model"])
    call(client, run_id, "pause", "paused")
    graph = client.ask(f"api/graph?model=run-{run_id}")[1]
    assert graph["run"] == {"id": run_id, "state": "paused"}
    assert [(run["name"], run["state"], run["model"]) for run in graph["runs"]] == [
        (run_id, "paused", f"run-{run_id}")
    ]


def test_a_run_is_copied_as_a_command_and_as_python(client, server, tmp_path):
    choices = {"activation": "tanh", "optimizer": "nesterov", "schedule": "step", "averaging": "ema"}
    numbers = {
        "learning_rate": 0.02,
        "warmup": 0.2,
        "dropout": 0.1,
        "label_smoothing": 0.05,
        "weight_decay": 1e-3,
    }
    others = {"augmentation": "light", "batch_size": 64, "seed": 5, "early_stopping": 3}
    run_id = start(client, layers="16, 8", epochs=3, **choices, **numbers, **others)
    wait(client, run_id, "done")
    expected = dn.Run(server.runs / run_id).epochs[0]["training_loss"]

    shell = client.ask(f"api/runs/{run_id}/command?form=shell")[1]["text"]
    python = client.ask(f"api/runs/{run_id}/command?form=python")[1]["text"]
    cpp = client.ask(f"api/runs/{run_id}/command?form=cpp")[1]["text"]
    assert "#" not in shell
    assert shell.startswith("digitnet train")
    python += "print('first', history.epochs[0].training_loss)\n"
    words = shell.replace("digitnet train", f"{sys.executable} -m digitnet train --quiet --json", 1)
    said = subprocess.run(
        ["sh", "-c", words], cwd=tmp_path, env=server.environment, check=True, capture_output=True, text=True
    ).stdout
    assert json.loads(said)["history"][0]["training_loss"] == expected
    said = subprocess.run(
        [sys.executable, "-c", python],
        cwd=tmp_path,
        env=server.environment,
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert float(said.rpartition("first ")[2]) == expected
    assert 'make_optimizer<float>("nesterov"' in cpp
    assert "options.epochs = 3;" in cpp
    status, answer = client.ask(f"api/runs/{run_id}/command?form=cobol")
    assert (status, answer["error"]["field"]) == (422, "form")


def test_events_as_a_stream_and_as_a_list(client, server):
    run_id = start(client, layers=[8], epochs=3, name="told")
    told = events_of(server, run_id)  # it may not have begun yet
    written = list(dn.Run(server.runs / run_id).events())
    assert [event for _, event in told] == written
    assert [seq for seq, _ in told] == [event["seq"] for event in written]
    assert written[-1]["type"] == "end"

    half = len(written) // 2
    with Stream(server, f"api/runs/{run_id}/events?after={half}") as stream:
        assert [seq for seq, _ in stream.events()] == list(range(half + 1, len(written) + 1))
    with Stream(server, f"api/runs/{run_id}/events?after=1", {"Last-Event-ID": str(half)}) as stream:
        assert [seq for seq, _ in stream.events()] == list(range(half + 1, len(written) + 1))
    assert client.ask(f"api/runs/{run_id}/events?after={half}") == (200, written[half:])
    assert client.ask(f"api/runs/{run_id}/events?after={10**9}") == (200, [])
    for wrong in ("-1", "a", "1" * 40, "1.5"):
        status, answer = client.ask(f"api/runs/{run_id}/events?after={wrong}")
        assert (status, answer["error"]["field"]) == (422, "after")
    assert client.ask("api/runs/nothing/events")[0] == 404


def test_streams_are_capped_and_given_back(client, server):
    run_id = start(client, **LONG, name="streamed")
    streams = [Stream(server, f"api/runs/{run_id}/events") for _ in range(16)]
    assert [stream.status for stream in streams] == [200] * 16
    with Stream(server, f"api/runs/{run_id}/events") as refused:
        assert refused.status == 503
        assert int(refused.answer.headers["Retry-After"]) >= 1
        assert json.loads(refused.answer.read())["error"]["code"] == "too_many_streams"
    assert client.ask(f"api/runs/{run_id}/events")[0] == 200  # the list is always there
    assert client.ask("healthz")[0] == 200
    for stream in streams:
        stream.__exit__()

    def is_free():
        with Stream(server, f"api/runs/{run_id}/events") as stream:
            return stream.status == 200

    until(is_free)


def test_paused_resumed_and_stopped(client, server):
    run_id = start(client, **LONG, name="held")
    wait(client, run_id, "running")
    until(lambda: dn.Run(server.runs / run_id).epochs)
    assert client.ask(f"api/runs/{run_id}", method="DELETE")[0] == 409  # at work
    call(client, run_id, "pause", "paused")
    assert dn.Run(server.runs / run_id).state() == "stopped"
    paused = client.ask(f"api/runs/{run_id}")[1]
    assert paused["can"]["resume"]
    assert client.ask(f"api/runs/{run_id}/pause", {})[0] == 409

    call(client, run_id, "resume", "queued", "starting", "running")
    wait(client, run_id, "running")
    until(lambda: client.ask(f"api/runs/{run_id}?brief")[1]["epoch"] > paused["epoch"])
    status, answer = client.ask(f"api/runs/{run_id}/learning-rate", {"learning_rate": "quick"})
    assert (status, answer["error"]["field"]) == (422, "learning_rate")
    assert client.ask(f"api/runs/{run_id}/learning-rate", {})[0] == 422
    assert client.ask(f"api/runs/{run_id}/learning-rate", {"learning_rate": 0.0123})[0] == 200
    (change,) = until(lambda: client.ask(f"api/runs/{run_id}")[1]["learning_rate_changes"])
    assert change["learning_rate"] == 0.0123
    again = client.ask(f"api/runs/{run_id}/command?form=shell")[1]["text"]
    assert f"--learning-rate-change {change['epoch']}:{change['batch']}:0.0123" in again
    call(client, run_id, "stop", "stopped")
    epochs = [event["epoch"] for event in dn.Run(server.runs / run_id).events() if event["type"] == "epoch"]
    assert epochs == list(range(1, len(epochs) + 1))  # nothing was lost, nothing was done again

    # A paused one that waits to be gone on with can be taken back, and stopped for good.
    other = start(client, **LONG, name="other")
    wait(client, other, "running", "starting")
    assert client.ask(f"api/runs/{run_id}/resume", {})[1]["state"] == "queued"
    assert client.ask(f"api/runs/{run_id}/stop", {})[1]["state"] == "stopped"
    third = start(client, layers=[8], epochs=1, name="third")
    assert client.ask(f"api/runs/{third}/stop", {})[1] == {"id": third, "state": "cancelled"}
    assert client.ask(f"api/runs/{third}")[0] == 404
    call(client, other, "pause", "paused")
    call(client, other, "stop", "stopped")
    assert client.ask(f"api/runs/{run_id}", method="DELETE")[0] == 200
    assert not (server.runs / run_id).exists()
    assert client.ask(f"api/runs/{run_id}")[0] == 404


def test_a_killed_training_is_failed_and_goes_on(client, server):
    run_id = start(client, **{**LONG, "checkpoint_every": 1}, name="killed")
    wait(client, run_id, "running")
    run = until(lambda: dn.Run(server.runs / run_id) if (server.runs / run_id / "latest").exists() else None)
    until(lambda: len(run.epochs) > 1)  # the log has some lines, and a checkpoint is there
    with Stream(server, f"api/runs/{run_id}/events") as stream:
        os.kill(worker_of(server, run_id), signal.SIGKILL)
        list(stream.events())  # it ends, too
    shown = wait(client, run_id, "failed")
    assert shown["reason"] == "died"
    detail = client.ask(f"api/runs/{run_id}")[1]
    assert "epoch" in detail["last_words"].splitlines()[-1]
    assert detail["can"]["resume"]
    call(client, run_id, "resume", "queued", "starting", "running")
    wait(client, run_id, "running")


def test_a_training_that_cannot_begin_says_why(client, server):
    start(client, dataset="fashion-mnist", layers=[8], epochs=1, name="clothes")
    wait(client, "clothes", "done")
    aside = server.data / "aside"
    (server.data / "fashion-mnist").rename(aside)
    try:
        start(client, dataset="fashion-mnist", layers=[8], epochs=1, name="lost")  # the server still has them
        shown = wait(client, "lost", "failed")
        assert "fashion-mnist" in shown["error"]
        assert "fashion-mnist" in client.ask("api/runs/lost")[1]["last_words"]
    finally:
        aside.rename(server.data / "fashion-mnist")
    assert client.ask("api/runs/lost/resume", {})[0] == 200  # tried again
    wait(client, "lost", "done")
    assert client.ask("api/runs/lost", method="DELETE")[0] == 200


def test_ones_own_drawings_are_trained_on(client, server):
    stroke = [[20, 20], [80, 18], [45, 90]]
    for i in range(12):
        drawing = {"strokes": [[[x + i, y] for x, y in stroke]], "width": 120, "height": 100}
        assert client.ask("api/personal", {**drawing, "digit": i % 2})[0] in (200, 201)
    run_id = start(client, dataset="personal", layers=[8], epochs=1, batch_size=4, name="mine")
    assert wait(client, run_id, "done")["dataset"] == "personal"
    detail = client.ask(f"api/runs/{run_id}")[1]
    assert detail["settings"]["samples"] < 12  # some are for the test, some for validation
    assert (server.folder / "state" / "data" / run_id).is_dir()
    assert client.ask(f"api/runs/{run_id}", method="DELETE")[0] == 200
    assert not (server.folder / "state" / "data" / run_id).exists()


def test_nothing_is_lost_when_the_server_goes_and_comes(client, server):
    first = start(client, **LONG, name="first")
    second = start(client, layers=[8], epochs=1, name="second")
    wait(client, first, "running")
    process = worker_of(server, first)
    server.restart()
    client = server.client()
    assert worker_of(server, first) == process
    shown = {run["id"]: run["state"] for run in client.ask("api/runs")[1]}
    assert (shown[first], shown[second]) == ("running", "queued")
    call(client, first, "stop", "stopped")
    until(lambda: (server.runs / second / "config.json").exists())  # nobody asks the server for it
    wait(client, second, "done")


def test_two_servers_start_one_training_at_a_time(client, server):
    other = Server(server.folder)
    try:
        clients = [client, other.client()]
        names = [start(clients[i % 2], layers=[8], epochs=1, name=f"both-{i}") for i in range(4)]
        for name in names:
            wait(clients[0], name, "done")
        for each in clients:
            shown = {run["id"]: run["state"] for run in each.ask("api/runs")[1]}
            assert [shown[name] for name in names] == ["done"] * 4
        require_one_after_another(server, names)
    finally:
        other.stop()


def test_ids_are_never_paths(client, server):
    outside = server.folder / "outside"
    training = dn.load_mnist(server.data).train[:500]
    dn.train(dn.Network([784, 8, 10], seed=1), training, epochs=1, seed=1, run=outside)
    for wrong in (
        "..",
        ".",
        "%2e%2e",
        "..%2foutside",
        "%2Ftmp",
        ".hidden",
        "a%00b",
        "~",
        "a%5Cb",
        "x" * 300,
        "a%20b",
    ):
        for call in ("", "/events", "/command?form=shell"):
            assert client.ask(f"api/runs/{wrong}{call}")[0] == 404, wrong
        assert client.ask(f"api/runs/{wrong}/stop", {})[0] == 404
        assert client.ask(f"api/runs/{wrong}", method="DELETE")[0] in (404, 405)
    assert client.ask("training/nothing/")[0] == 404

    # Folders of others may be called anything; they have an id that is safe, and are found by it.
    shutil.copytree(outside, server.runs / "über uns & co")
    (server.runs / "link").symlink_to(outside)
    (server.runs / "broken").mkdir()
    (server.runs / "broken" / "config.json").write_text("{")
    (server.runs / "torn").mkdir()
    shutil.copy(outside / "config.json", server.runs / "torn")
    (server.runs / "torn" / "events.jsonl").write_text('{"seq": 7}\n')
    listed = {run["name"]: run for run in client.ask("api/runs")[1]}
    other = listed["über uns & co"]
    assert other["id"].startswith("other-")
    assert other["state"] == "done"
    assert client.ask(f"api/runs/{other['id']}")[1]["history"]
    assert listed["broken"]["state"] == listed["torn"]["state"] == "broken"
    assert "config.json" in listed["broken"]["error"]
    assert "line 1" in listed["torn"]["error"]
    for name in ("broken", "torn"):
        status, detail = client.ask(f"api/runs/{name}")
        assert (status, detail["state"]) == (200, "broken")
        assert client.ask(f"api/runs/{name}/resume", {})[0] == 409
        assert client.ask(f"api/runs/{name}/command")[0] in (200, 409)
        assert client.ask(f"api/runs/{name}/events")[0] in (200, 409)
    for name in ("link", "broken", "torn", other["id"]):
        assert client.ask(f"api/runs/{name}", method="DELETE")[0] == 200
    assert (outside / "config.json").exists()
    assert not (server.runs / "link").is_symlink()
    assert not [each.name for each in server.runs.iterdir() if each.name.startswith(".removed")]


def test_a_burst_of_starts_is_answered(tmp_path):
    server = Server(tmp_path, environment={"DIGITNET_STARTS_PER_MINUTE": "10"})
    try:
        client = server.client()

        def ask(i):
            return client.ask("api/runs", {"layers": [8], "epochs": 1, "name": f"burst-{i}"})

        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(ask, range(60)))
        statuses = [status for status, _ in answers]
        assert set(statuses) <= {201, 429, 503}
        assert 201 in statuses
        assert 429 in statuses
        stop_all(server)
    finally:
        server.stop()
    assert "Traceback" not in server.errors()
