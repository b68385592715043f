"""Trainings in the browser: started from the form, watched live, held, changed, compared, copied, removed."""

import json
import os
import re
import shutil
import signal
import time

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from serving import DESKTOP, PHONE, Server, spoil_other_epochs

import digitnet as dn

# A training that no test waits for: small steps, so that its end is minutes away on any machine.
LONG = {"layers": [64], "epochs": 1000, "batch_size": 4}


def state(page, words, timeout=60_000):
    expect(page.get_by_test_id("state")).to_have_text(words, timeout=timeout)


def number(page, name):
    """The number that an element of the page shows."""
    return float(page.get_by_test_id(name).inner_text().split()[0])


def epochs_done(page):
    """How many epochs the page knows of: the points of its accuracy chart, as its label tells them."""
    label = page.get_by_test_id("accuracy-chart").get_attribute("aria-label")
    found = re.search(r"After epoch (\d+)", label)
    return int(found[1]) if found else 0


def more_epochs(page, than):
    """Waits until the page has got epochs beyond these, without a reload."""
    page.wait_for_function(
        "least => Number((/After epoch (\\d+)/.exec(document.querySelector('[data-testid=accuracy-chart]')"
        ".ariaLabel) ?? [0, 0])[1]) > least",
        arg=than,
        timeout=60_000,
    )
    return epochs_done(page)


def trained(server, name, **settings):
    """A small training that is over."""
    client = server.client()
    status, answer = client.ask("api/runs", {"layers": [16], "epochs": 2, "name": name, **settings})
    assert status == 201, answer
    deadline = time.monotonic() + 60
    while client.ask(f"api/runs/{name}")[1]["state"] != "done":
        assert time.monotonic() < deadline, client.ask(f"api/runs/{name}")[1]
        time.sleep(0.05)


def no_sideways(page):
    return page.evaluate("document.documentElement.scrollWidth <= innerWidth")


def accessible(page):
    report = Axe().run(page)
    assert report.violations_count == 0, report.generate_report()


@pytest.fixture
def server(tmp_path):
    """A server for each test, so that none counts on the runs of another."""
    started = Server(tmp_path)
    yield started
    client = started.client()
    for run in client.ask("api/runs")[1]:
        if run["state"] in ("queued", "starting", "running"):
            client.ask(f"api/runs/{run['id']}/stop", {})
    started.stop()
    assert "Traceback" not in started.errors(), started.errors()


def test_what_is_wrong_is_told_beside_the_field(visit):
    visit.allow("422")
    page = visit.page("training/")
    expect(page.get_by_test_id("no-runs")).to_be_visible()
    expect(page.get_by_test_id("optimizer")).to_have_value("adamw")
    page.get_by_test_id("layers").fill("256, 64")
    expect(page.get_by_text("218\u202f058 weights and biases to learn.")).to_be_visible()
    page.get_by_test_id("layers").fill("128, many")
    page.get_by_test_id("epochs").fill("ten")
    page.get_by_test_id("learning-rate").fill("0,001")
    page.get_by_test_id("start").click()
    expect(page.get_by_test_id("reason-layers")).to_have_text(
        "layer 2: 'many', expected a whole number from 1 to 4096"
    )
    expect(page.get_by_test_id("reason-epochs")).to_have_text("'ten', expected a whole number from 1 to 1000")
    expect(page.get_by_test_id("reason-learning-rate")).to_have_text("'0,001', expected a number")
    expect(page.get_by_test_id("layers")).to_be_focused()
    expect(page.get_by_test_id("layers")).to_have_attribute("aria-invalid", "true")
    accessible(page)
    page.get_by_test_id("layers").fill("128")
    expect(page.get_by_test_id("reason-layers")).to_have_count(0)
    page.reload()
    expect(page.get_by_test_id("epochs")).to_have_value("ten")  # what was typed stays
    page.get_by_test_id("dataset").select_option("personal")
    page.get_by_test_id("epochs").fill("2")
    page.get_by_test_id("learning-rate").fill("")
    visit.allow("409")
    page.get_by_test_id("start").click()
    expect(page.get_by_test_id("reason-dataset")).to_be_visible()


def test_a_training_is_watched_held_and_changed(visit, server):
    visit.allow("status of 410")  # a checkpoint that made room for newer ones while the timeline asked for it
    page = visit.page("training/")
    page.get_by_test_id("layers").fill("64")
    page.get_by_test_id("epochs").fill("1000")
    page.get_by_test_id("batch-size").fill("4")
    page.get_by_test_id("more").click()
    page.get_by_test_id("name").fill("watched")
    page.get_by_test_id("start").click()
    page.wait_for_url("**/training/watched/")
    state(page, "running")
    seen = more_epochs(page, 0)
    assert 0 < number(page, "train-loss") < 2.4
    assert 10 < number(page, "validation-accuracy") <= 100
    expect(page.get_by_test_id("rate")).to_have_text(re.compile(r"\d"))
    expect(page.get_by_test_id("speed")).to_have_text(re.compile(r"\d"))
    expect(page.get_by_test_id("time-left")).to_contain_text("left")
    expect(page.get_by_test_id("layer-table").locator("tbody tr")).to_have_count(2)
    expect(page.get_by_test_id("dead-units")).to_contain_text("of 64")
    seen = more_epochs(page, seen)
    assert float(page.get_by_test_id("progress").evaluate("bar => bar.value")) > 0

    # A second viewer, a reload, and a tab that was closed: all of them see the same, live.
    other = page.context.new_page()
    visit.watch(other)
    other.goto("training/watched/")
    more_epochs(other, seen)
    page.close()
    other.reload()
    seen = more_epochs(other, seen)
    page = other
    run = dn.Run(server.runs / "watched")

    page.get_by_test_id("pause").click()
    state(page, "paused")
    expect(page.get_by_test_id("resume")).to_be_visible()
    done = epochs_done(page)
    assert run.epochs[-1]["epoch"] == done
    assert number(page, "train-loss") == pytest.approx(run.epochs[-1]["training_loss"], rel=0.01)
    page.get_by_test_id("resume").click()
    state(page, "running")
    more_epochs(page, done)

    visit.allow("422")
    page.get_by_test_id("learning-rate").fill("quick")
    page.get_by_test_id("set-learning-rate").click()
    expect(page.get_by_text("'quick', expected a number")).to_be_visible()
    page.get_by_test_id("learning-rate").fill("0.00123")
    page.get_by_test_id("set-learning-rate").click()
    expect(page.get_by_test_id("messages")).to_contain_text("Learning rate 0.00123")
    expect(page.get_by_test_id("learning-rate")).to_have_value("")
    more_epochs(page, epochs_done(page))

    page.get_by_test_id("logarithmic").click()
    expect(page.get_by_test_id("logarithmic")).to_have_attribute("aria-pressed", "true")
    more_epochs(page, epochs_done(page))
    page.get_by_test_id("stop").click()
    state(page, "stopped")
    epochs = [event["epoch"] for event in run.events() if event["type"] == "epoch"]
    assert epochs == list(range(1, len(epochs) + 1))
    accessible(page)
    expect(page.get_by_test_id("timeline")).to_be_visible()


def test_the_page_waits_quietly_for_the_server(visit, server):
    """The training goes on meanwhile, and the page has all of it when the server is there again."""
    visit.allow("ERR_CONNECTION_REFUSED|ERR_INCOMPLETE_CHUNKED|ERR_CONNECTION_RESET|ERR_EMPTY_RESPONSE")
    client = server.client()
    assert client.ask("api/runs", {**LONG, "name": "outlives"})[0] == 201
    page = visit.page("training/outlives/")
    seen = more_epochs(page, 0)
    port = server.port
    server.stop()
    expect(page.get_by_text("The server does not answer.", exact=False)).to_be_visible()
    server.start(port)
    more_epochs(page, seen)
    expect(page.get_by_text("The server does not answer.", exact=False)).to_have_count(0)
    known = epochs_done(page)
    assert [epoch["epoch"] for epoch in dn.Run(server.runs / "outlives").epochs[:known]] == list(
        range(1, known + 1)
    )

    # It is killed: the page says so by itself, with its last words, and can go on.
    os.kill(int((server.runs / "outlives" / "lock").read_text()), signal.SIGKILL)
    state(page, "failed")
    expect(page.get_by_test_id("failure")).to_be_visible()
    expect(page.get_by_test_id("last-words")).to_contain_text("epoch")
    accessible(page)
    page.get_by_test_id("resume").click()
    state(page, "running")
    more_epochs(page, known)
    page.get_by_test_id("stop").click()
    state(page, "stopped")


def test_the_list_is_live_and_runs_are_compared(visit, server):
    trained(server, "first")
    page = visit.page("training/")
    expect(page.get_by_test_id("state-first")).to_have_text("done")
    page.get_by_test_id("layers").fill("16")
    page.get_by_test_id("epochs").fill("3")
    page.get_by_test_id("queue").click()
    page.get_by_test_id("layers").fill("none")
    page.get_by_test_id("dropout").fill("0.1")
    page.get_by_test_id("queue").click()
    expect(page.get_by_test_id("state-mnist-16-1")).to_have_text("done", timeout=60_000)
    expect(page.get_by_test_id("state-mnist-linear-1")).to_have_text("done", timeout=60_000)
    assert page.url.endswith("/training/")
    expect(page.get_by_test_id("estimate")).to_contain_text("on this machine")

    for name in ("first", "mnist-16-1", "mnist-linear-1"):
        page.get_by_test_id(f"choose-{name}").check()
    table = page.get_by_test_id("differences")
    expect(table.locator("thead th")).to_have_count(3)
    expect(table.locator("tr", has_text=re.compile("^layers"))).to_contain_text("16")
    assert table.locator("tr", has_text=re.compile("^optimizer")).count() == 0  # the same in all
    expect(page.get_by_test_id("compare-chart").locator("canvas")).to_be_visible()
    page.get_by_role("button", name="Validation accuracy").click()
    accessible(page)
    page.reload()
    expect(page.get_by_test_id("choose-first")).to_be_checked()  # by the address
    page.get_by_test_id("choose-first").uncheck()
    expect(table.locator("thead th")).to_have_count(2)

    # What somebody else trains shows up by itself.
    shutil.copytree(server.runs / "mnist-16-1", server.runs / "theirs")
    expect(page.get_by_test_id("run-theirs")).to_be_visible()
    page.get_by_test_id("remove-theirs").click()
    page.get_by_test_id("remove-confirm").click()
    expect(page.get_by_test_id("run-theirs")).to_have_count(0)
    assert not (server.runs / "theirs").exists()


def estimated(page):
    """Seconds that the form says; None where it says nothing."""
    words = page.get_by_test_id("estimate").inner_text().split()
    return int(words[1]) * {"s": 1, "min": 60, "h": 3600}[words[2]] if words else None


def test_the_form_estimates_what_it_will_take(visit, server):
    shutil.rmtree(server.data / "fashion-mnist")
    trained(server, "before", layers=[128])
    page = visit.page("training/")
    page.get_by_test_id("epochs").fill("1000")
    expect(page.get_by_test_id("estimate")).to_contain_text("on this machine")
    wide = estimated(page)
    page.get_by_test_id("layers").fill("1")
    assert wide / 5 < estimated(page) < wide  # an image has its price, however small the network is
    page.get_by_test_id("batch-size").fill("1")
    assert estimated(page) > 2 * wide
    page.get_by_test_id("batch-size").fill("128")
    for name, value, good in (
        ("epochs", "1001", "1"),
        ("epochs", "1.5", "1"),
        ("epochs", "1e3", "1"),
        ("layers", "99999", "8"),
        ("layers", "4096, 4096, 4096", "8"),
        ("batch-size", "0", ""),
        ("validation", "0.95", "0"),
    ):
        if name == "validation":
            page.get_by_test_id("more").click()
        page.get_by_test_id(name).fill(value)
        assert estimated(page) is None, (name, value)
        page.get_by_test_id(name).fill(good)
        assert estimated(page) >= 1
    page.get_by_test_id("augmentation").select_option("light")  # nothing like it was trained yet
    assert estimated(page) is None

    visit.allow("409")
    assert page.get_by_test_id("dataset").locator("option").all_inner_texts()[1:] == [
        "Fashion-MNIST (not here yet)",
        "Your own digits (empty)",
    ]
    page.get_by_test_id("dataset").select_option("fashion-mnist")
    page.get_by_test_id("start").click()
    expect(page.get_by_test_id("reason-dataset")).to_have_text(
        "Fashion-MNIST is not on this machine; get it with: digitnet fetch fashion-mnist"
    )


def test_the_best_checkpoint_is_the_one_that_is_used(visit, server):
    trained(server, "source")
    run = dn.Run(shutil.copytree(server.runs / "source", server.runs / "kept", symlinks=True))
    kept = spoil_other_epochs(run)
    page = visit.page("training/kept/")
    state(page, "done")
    expect(page.get_by_test_id("best-epoch")).to_have_text(f"Best checkpoint, epoch {kept}")
    accuracy = run.epochs[kept - 1]["validation_accuracy"]
    expect(page.get_by_test_id("best")).to_have_text(f"{100 * accuracy:.2f} %")


def test_a_run_that_waited_shows_all_its_settings_once_it_runs(visit, server):
    client = server.client()
    for name in ("first", "second"):
        assert client.ask("api/runs", {**LONG, "name": name})[0] == 201
    page = visit.page("training/second/")
    state(page, "waiting")
    expect(page.get_by_test_id("settings")).to_contain_text("optimizer")
    assert client.ask("api/runs/first/stop", {})[0] == 200
    state(page, "running")
    more_epochs(page, 0)
    expect(page.get_by_test_id("best-epoch")).to_have_text(re.compile(r"epoch \d"))  # as they come
    shown = page.get_by_test_id("settings").locator("dt").all_inner_texts()
    page.reload()
    expect(page.get_by_test_id("settings").locator("dt")).to_have_text(shown)
    assert "samples" in shown


def test_a_run_that_somebody_else_removed(visit, server):
    visit.allow("404")
    trained(server, "gone")
    page = visit.page("training/gone/")
    state(page, "done")
    assert server.client().ask("api/runs/gone", method="DELETE")[0] == 200
    state(page, "removed")
    expect(page.locator("[data-part=away]")).to_have_text("There is no training 'gone' any more.")


def test_a_run_is_copied_used_and_removed(visit, server):
    trained(server, "kept")
    trained(server, "copied")
    page = visit.page("training/copied/")
    state(page, "done")
    for name, words in (("python", "dn.train("), ("cpp", "#include <digitnet"), ("shell", "digitnet train")):
        page.get_by_test_id(f"copy-{name}").click()
        expect(page.get_by_test_id("code")).to_contain_text(words)
        page.get_by_test_id("copy").click()
        expect(page.get_by_test_id("toasts")).to_contain_text("opied" if name == "python" else "")
        page.keyboard.press("Escape")
        expect(page.get_by_test_id("code")).to_be_hidden()
    page.get_by_test_id("use-model").click()
    expect(page.get_by_test_id("toasts")).to_contain_text("reads your drawings now")
    page.get_by_test_id("remove").click()
    accessible(page)
    page.get_by_test_id("remove-confirm").click()
    page.wait_for_url("**/training/")
    expect(page.get_by_test_id("run-kept")).to_be_visible()
    expect(page.get_by_test_id("run-copied")).to_have_count(0)
    assert not (server.runs / "copied").exists()


def test_many_events_leave_the_page_small(visit, server):
    """A long run of somebody else: the events of an hour, and the page takes a thinned curve of them."""
    trained(server, "source")
    source = dn.Run(server.runs / "source")
    run = server.runs / "hour"
    run.mkdir()
    shutil.copy(source.directory / "config.json", run)
    first = next(iter(source.events()))
    batches, epochs, time = 360, 100, first["time"]
    with (run / "events.jsonl").open("w") as file:
        lines = [{**first, "epochs": epochs, "batches": batches}]
        for epoch in range(1, epochs + 1):
            for batch in range(1, batches + 1):
                time += 0.1
                place = {"epoch": epoch, "batch": batch, "batches": batches, "samples": 128}
                values = {"loss": 2.3 / epoch, "accuracy": 0.5, "learning_rate": 0.1}
                lines.append({"time": time, "type": "batch", **place, **values})
            lines.append({**source.epochs[0], "epoch": epoch, "epochs": epochs, "time": time})
        lines.append(
            {"time": time, "type": "end", "reason": "done", "epoch": epochs, "batch": 0, "best_epoch": 1}
        )
        for seq, line in enumerate(lines, 1):
            file.write(json.dumps({**line, "seq": seq}) + "\n")
    page = visit.page("training/hour/")
    state(page, "done")
    assert epochs_done(page) == epochs
    detail = server.client().ask("api/runs/hour")[1]
    assert len(detail["batches"]["at"]) <= 1000
    assert len(detail["history"]) == epochs
    assert detail["seconds"] == pytest.approx(3600, rel=0.1)


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_on_a_phone_and_in_the_dark(visit, server, scheme):
    trained(server, "one")
    trained(server, "other", dropout=0.1)
    page = visit.page("training/?compare=one,other", viewport=PHONE, has_touch=True, color_scheme=scheme)
    expect(page.get_by_test_id("compare-chart").locator("canvas")).to_be_visible()
    assert no_sideways(page)
    accessible(page)
    page.get_by_test_id("run-one").tap()
    state(page, "done")
    expect(page.get_by_test_id("loss-chart").locator("canvas")).to_be_visible()
    assert no_sideways(page)
    accessible(page)


def test_all_of_it_by_the_keyboard(visit):
    page = visit.page("training/", viewport=DESKTOP)
    page.get_by_test_id("layers").focus()
    page.keyboard.press("Control+A")
    page.keyboard.type("8")
    page.keyboard.press("Tab")
    page.keyboard.press("Control+A")
    page.keyboard.type("1")
    page.keyboard.press("Enter")  # starts, from any field
    page.wait_for_url("**/training/mnist-8-1/")
    state(page, "done")
    page.get_by_test_id("logarithmic").focus()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("logarithmic")).to_have_attribute("aria-pressed", "true")
