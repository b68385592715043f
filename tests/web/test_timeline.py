"""The timeline of a run: what is told of its checkpoints, and the page on which all of it moves together."""

import base64
import json
import os
import shutil
import threading
import time

import numpy as np
import pytest
from playwright.sync_api import expect
from serving import DESKTOP, PHONE, draw, fitted, require_accessible

import digitnet as dn

EPOCHS = 5
SIZES = [784, 40, 10]
SEVEN = {"strokes": [[[120, 110], [275, 104], [195, 310]]], "width": 400, "height": 400, "brush": 26}


def train(server, name, *, epochs=EPOCHS, sizes=SIZES, keep_last=0, source=True, **options):
    """A run in the server's folder, as a program in Python leaves it."""
    mnist = dn.load_mnist(server.data, "mnist")
    told = {"name": "mnist"} if source else None
    kept = dn.RunOptions(server.runs / name, keep_last=keep_last, source=told)
    network = dn.Network(sizes, seed=1)
    dn.train(network, mnist.train, validation=0.1, epochs=epochs, seed=1, run=kept, **options)
    return dn.Run(server.runs / name)


@pytest.fixture(scope="module")
def run(server):
    return train(server, "small")


@pytest.fixture
def spoiled(server, run):
    """A copy of the run, to be damaged."""
    folder = server.runs / "spoiled"
    shutil.copytree(run.directory, folder, symlinks=True)
    yield dn.Run(folder)
    shutil.rmtree(folder)


def networks(run):
    return [dn.Network.load(each.model) for each in run.checkpoints()]


# ---------------------------------------------------------------- what is told


def test_list_has_every_checkpoint_with_the_metrics_of_its_epoch(client, run):
    status, told = client.ask("api/runs/small/checkpoints")
    assert status == 200
    assert (told["state"], told["epoch"], told["epochs"], told["sizes"]) == ("done", EPOCHS, EPOCHS, SIZES)
    assert [each["name"] for each in told["checkpoints"]] == [each.name for each in run.checkpoints()]
    assert told["total"] == EPOCHS + 1
    assert [each["name"] for each in told["checkpoints"] if each["best"]] == [run.best.name]
    assert [each["name"] for each in told["checkpoints"] if each["latest"]] == [run.latest.name]
    assert all(each["broken"] is None and each["version"] for each in told["checkpoints"])
    first, *others = told["checkpoints"]
    assert first["validation_loss"] is None
    for each, epoch in zip(others, run.epochs, strict=True):
        for name in ("training_loss", "training_accuracy", "validation_loss", "validation_accuracy"):
            assert each[name] == epoch[name]


def test_weights_are_those_of_the_model_file(client, run):
    before = None
    for epoch, network in enumerate(networks(run)):
        status, told = client.ask(f"api/runs/small/checkpoints/{epoch}/weights")
        assert status == 200
        assert (told["epoch"], told["layer"], told["inputs"], told["units"]) == (epoch, 0, 784, 40)
        weights = network.layers[0].weights
        assert [image["unit"] for image in told["images"]] == list(range(40))
        for image in told["images"]:
            pixels = np.frombuffer(base64.b64decode(image["pixels"]), np.int8).astype(np.float64)
            error = np.abs(pixels * image["scale"] - weights[:, image["unit"]])
            assert error.max() <= image["scale"] * 0.5001
            assert np.abs(pixels).max() == 127
        assert told["limit"] == pytest.approx(np.quantile(np.abs(weights), 0.98), rel=1e-5)
        for layer, found in zip(network.layers, told["layers"], strict=True):
            histogram = found["weights"]
            counts, edges = np.histogram(layer.weights, bins=64)
            assert histogram["counts"] == counts.tolist()
            assert [histogram["low"], histogram["high"]] == [edges[0], edges[-1]]
            assert histogram["deviation"] == pytest.approx(layer.weights.std(dtype=np.float64))
        if before is None:
            assert told["since"] is None
            assert all(found["change"] is None for found in told["layers"])
        else:
            assert told["since"] == {"epoch": epoch - 1, "batch": 0}
            for now, then, found in zip(network.layers, before.layers, told["layers"], strict=True):
                change = now.weights.astype(np.float64) - then.weights
                assert found["change"]["counts"] == np.histogram(change, bins=64)[0].tolist()
                assert found["change"]["deviation"] == pytest.approx(change.std())
        before = network


def test_bytes_say_the_same_as_json(client, run):
    _, told = client.ask("api/runs/small/checkpoints/3/weights?units=7")
    status, content = client.ask("api/runs/small/checkpoints/3/weights?units=7&form=bytes")
    assert status == 200
    size = int.from_bytes(content[:4], "little")
    header = json.loads(content[4 : 4 + size])
    assert size % 4 == 0
    images = told.pop("images")
    assert header.pop("images") == len(images) == 7
    assert header == told
    scales = np.frombuffer(content, "<f4", 7, 4 + size)
    assert scales.tolist() == [image["scale"] for image in images]
    assert content[4 + size + 28 :] == b"".join(base64.b64decode(image["pixels"]) for image in images)


def test_a_layer_that_takes_no_pictures_has_histograms_alone(client, run):
    status, told = client.ask("api/runs/small/checkpoints/3/weights?layer=1")
    assert status == 200
    assert told["images"] is None
    assert told["limit"] is None
    assert (told["inputs"], told["units"]) == (40, 10)
    assert len(told["layers"]) == 2


def test_confusion_is_what_the_library_finds_on_the_samples_set_aside(client, server, run):
    training = dn.load_mnist(server.data, "mnist").train
    held_out, _ = training.split(round(0.1 * len(training)), 1)
    for epoch, network in enumerate(networks(run)):
        status, told = client.ask(f"api/runs/small/checkpoints/{epoch}/confusion")
        assert status == 200
        assert (told["of"], told["dataset"], told["samples"]) == ("validation", "mnist", len(held_out))
        expected = network.evaluate(held_out)
        assert told["matrix"] == expected.confusion.tolist()
        assert told["accuracy"] == expected.accuracy
        if epoch > 0:
            assert told["accuracy"] == pytest.approx(run.epochs[epoch - 1]["validation_accuracy"])


def test_confusion_of_a_run_on_other_data_is_that_of_the_test_set(client, server):
    mnist = dn.load_mnist(server.data, "mnist")
    network = dn.Network([784, 10], seed=1)
    some = mnist.train.subset(range(500))
    dn.train(
        network, some, validation=mnist.train.subset(range(500, 700)), epochs=1, run=server.runs / "other"
    )
    status, told = client.ask("api/runs/other/checkpoints/1/confusion")
    assert status == 200
    assert (told["of"], told["samples"]) == ("test", len(mnist.test))
    assert told["matrix"] == network.evaluate(mnist.test).confusion.tolist()


def test_every_checkpoint_reads_the_drawing_as_the_library_does(client, run):
    status, told = client.ask("api/runs/small/readings", SEVEN)
    assert status == 200
    drawing = dn.Drawing(**SEVEN)
    for each, found in zip(run.checkpoints(), told["readings"], strict=True):
        expected = dn.Recognizer(each.model).recognize(drawing)
        assert (found["name"], found["status"], found["digit"]) == (
            each.name,
            expected.status,
            expected.digit,
        )
        assert found["probabilities"] == pytest.approx(expected.probabilities.tolist(), abs=1e-6)
    _, told = client.ask("api/runs/small/readings", {"strokes": []})
    assert {each["status"] for each in told["readings"]} == {"empty"}
    assert {each["probabilities"] for each in told["readings"]} == {None}


@pytest.mark.parametrize(
    ("path", "body", "status", "code"),
    [
        ("nobody/checkpoints", None, 404, "not_found"),
        ("..%2fsmall/checkpoints", None, 404, "not_found"),
        ("%00/checkpoints", None, 404, "not_found"),
        ("small/checkpoints/99/weights", None, 404, "not_found"),
        (f"small/checkpoints/{'9' * 5000}/weights", None, 404, "not_found"),
        ("small/checkpoints/-1/weights", None, 404, "not_found"),
        ("small/checkpoints/1/weights?batch=3", None, 410, "gone"),
        ("small/checkpoints/1/weights?batch=x", None, 422, "invalid"),
        ("small/checkpoints/1/weights?layer=2", None, 422, "invalid"),
        ("small/checkpoints/1/weights?layer=-1", None, 422, "invalid"),
        ("small/checkpoints/1/weights?units=0", None, 422, "invalid"),
        ("small/checkpoints/1/weights?units=1025", None, 422, "invalid"),
        ("small/checkpoints/1/weights?form=png", None, 422, "invalid"),
        ("small/checkpoints/99/confusion", None, 404, "not_found"),
        ("small/readings", {}, 422, "invalid"),
        ("small/readings", {"strokes": [[["a", 1]]]}, 422, "invalid"),
        ("nobody/readings", SEVEN, 404, "not_found"),
        ("small/checkpoints", {}, 405, "method"),
    ],
)
def test_what_is_wrong_is_refused_in_one_line(client, run, path, body, status, code):
    found, told = client.ask(f"api/runs/{path}", body)
    assert (found, told["error"]["code"]) == (status, code)
    assert "\n" not in told["error"]["message"]


def test_broken_and_vanished_checkpoints_are_told(client, spoiled):
    places = [each.path for each in spoiled.checkpoints()]
    (places[1] / "model.safetensors").write_bytes((places[1] / "model.safetensors").read_bytes()[:1000])
    (places[2] / "model.safetensors").unlink()
    (places[3] / "model.safetensors").unlink()
    os.mkfifo(places[3] / "model.safetensors")
    shutil.rmtree(places[4])
    for what in ("weights", "confusion"):
        for epoch in (1, 2, 3):
            status, told = client.ask(f"api/runs/spoiled/checkpoints/{epoch}/{what}")
            assert (status, told["error"]["code"]) == (422, "broken_checkpoint")
            assert f"epoch-{epoch:04}" in told["error"]["message"]
        status, told = client.ask(f"api/runs/spoiled/checkpoints/4/{what}")
        assert (status, told["error"]["code"]) == (410, "gone")
        assert client.ask(f"api/runs/spoiled/checkpoints/5/{what}")[0] == 200
    _, told = client.ask("api/runs/spoiled/checkpoints/5/weights")
    assert told["since"] is None  # nothing that could be compared with
    status, told = client.ask("api/runs/spoiled/checkpoints")
    assert status == 200
    assert [each["broken"] is None for each in told["checkpoints"]] == [True, True, False, False, True]
    status, told = client.ask("api/runs/spoiled/readings", SEVEN)
    assert status == 200
    assert ["broken" in each for each in told["readings"]] == [False, True, True, True, False]


def test_a_model_file_too_large_is_not_read(client, spoiled):
    with (spoiled.checkpoints()[3].model).open("wb") as file:
        file.truncate(2**40)  # takes no place on the disk
    status, told = client.ask("api/runs/spoiled/checkpoints/3/weights")
    assert (status, told["error"]["code"]) == (422, "broken_checkpoint")
    status, told = client.ask("api/runs/spoiled/readings", SEVEN)
    assert status == 200
    assert ["broken" in each for each in told["readings"]] == [False, False, False, True, False, False]


@pytest.mark.parametrize(
    ("source", "status"),
    [
        ({"name": "\0"}, 409),
        ({"name": "../../etc", "directory": "/etc"}, 409),
        ({"name": "personal", "directory": "\0"}, 409),
        ({"name": "mnist", "validation": 1e-300}, 200),
        ({"name": "mnist", "validation": True}, 200),
        ({"name": ["mnist"], "directory": 5}, 200),
        ("mnist", 200),
    ],
)
def test_nothing_in_a_config_is_believed(client, spoiled, source, status):
    path = spoiled.directory / "config.json"
    config = json.loads(path.read_text())
    path.write_text(json.dumps({**config, "data": {**config["data"], "source": source}}))
    found, told = client.ask("api/runs/spoiled/checkpoints/1/confusion")
    assert found == status
    assert status == 409 or told["of"] == "test"


@pytest.fixture(scope="module")
def numbers(server):
    """A run of a network that takes 100 numbers and tells five classes."""
    numbers = np.random.default_rng(1).random((200, 100), dtype=np.float32)
    data = dn.Dataset(numbers, np.arange(200, dtype=np.uint8) % 5, 5)
    dn.train(dn.Network([100, 8, 5], seed=1), data, epochs=2, run=server.runs / "numbers")


def test_networks_that_read_no_digits(client, numbers):
    status, told = client.ask("api/runs/numbers/checkpoints/2/weights")
    assert (status, told["images"]) == (200, None)
    status, told = client.ask("api/runs/numbers/checkpoints/2/confusion")
    assert (status, told["error"]["code"]) == (422, "unsuitable")
    status, told = client.ask("api/runs/numbers/readings", SEVEN)
    assert (status, ["broken" in each for each in told["readings"]]) == (200, [True] * 3)


def test_a_version_that_is_named_may_be_kept(server, client, run):
    _, told = client.ask("api/runs/small/checkpoints")
    version = told["checkpoints"][2]["version"]
    path = "api/runs/small/checkpoints/2/weights?form=bytes"

    def kept(asked):
        import urllib.request

        with urllib.request.urlopen(server.url + asked, timeout=30) as answer:
            return answer.headers["Cache-Control"]

    assert "immutable" in kept(f"{path}&version={version}")
    assert "immutable" not in kept(path)
    assert "immutable" not in kept(f"{path}&version=another")


# ---------------------------------------------------------------- the page


def at_rest(page, epoch):
    """Waits until the page shows just this checkpoint, all of it, and has painted what was changed before."""
    expect(page.locator("#timeline")).to_have_attribute("data-shown", f"epoch-{epoch:04}")
    painted(page)


def painted(page):
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def colors(page):
    """The colours of signed numbers: ground, above 0, below 0."""
    names = ["canvas", "positive", "negative"]
    read = """names => {
      const style = getComputedStyle(document.documentElement);
      return names.map(name => style.getPropertyValue("--" + name).trim());
    }"""
    return [
        np.array([int(text[i : i + 2], 16) for i in (1, 3, 5)], float) for text in page.evaluate(read, names)
    ]


def canvas(page, testid):
    """The pixels of a canvas, (height, width, 4)."""
    read = """c => {
      const copy = Object.assign(document.createElement("canvas"), { width: c.width, height: c.height });
      const context = copy.getContext("2d", { willReadFrequently: true });
      context.drawImage(c, 0, 0);
      const { data } = context.getImageData(0, 0, c.width, c.height);
      let text = "";
      for (const byte of data) text += String.fromCharCode(byte);
      return [c.height, c.width, btoa(text)];
    }"""
    high, wide, text = page.get_by_test_id(testid).evaluate(read)
    return np.frombuffer(base64.b64decode(text), np.uint8).reshape(high, wide, 4)


def require_images(page, weights, limit, testid="weight-images", *, less=None):
    """Each image of the canvas is that of its unit (less other weights), in the colours of the theme."""
    stored = np.abs(weights).max(axis=0)  # a weight is stored in 254 steps from -this to this
    if less is not None:
        stored += np.abs(less).max(axis=0)
        weights = weights - less
    shown = canvas(page, testid)
    ground, above, below = colors(page)
    columns = (shown.shape[1] + 2) // 30
    for unit in range(weights.shape[1]):
        top, left = 30 * (unit // columns), 30 * (unit % columns)
        picture = shown[top : top + 28, left : left + 28]
        share = np.clip(weights[:, unit].reshape(28, 28, 1) / limit, -1, 1)
        expected = ground + np.where(share > 0, above - ground, below - ground) * np.abs(share)
        assert (picture[..., 3] == 255).all()
        assert np.abs(picture[..., :3] - expected).max() <= 2 + 255 * stored[unit] / 254 / limit


def common_limit(run):
    return max(float(np.quantile(np.abs(each.layers[0].weights), 0.98)) for each in networks(run))


def matrix(page, testid="confusion"):
    rows = page.get_by_test_id(testid).locator("tbody tr")
    read = "rows => rows.map(row => [...row.querySelectorAll('td')].map(cell => Number(cell.textContent)))"
    return rows.evaluate_all(read)


def drawn(page):
    """The drawing that the page shares with the others."""
    return json.loads(page.evaluate("localStorage.getItem('digitnet-drawing')"))


def require_reading(page, checkpoint, drawing):
    expected = dn.Recognizer(checkpoint.model).recognize(dn.Drawing(**drawing))
    for digit, share in enumerate(expected.probabilities):
        shown = float(page.get_by_test_id(f"reading-{digit}").inner_text().removesuffix(" %"))
        assert shown == pytest.approx(100 * share, abs=0.0501)
    text = page.get_by_test_id("timeline-reading").inner_text()
    assert text == (str(expected.digit) if expected.status in ("digit", "unsure") else "")


def require_all(page, client, run, epoch, drawing):
    """Everything on the page is that of one checkpoint."""
    expect(page.get_by_test_id("timeline-label")).to_have_text(f"epoch {epoch} of {EPOCHS}")
    expect(page.get_by_test_id("timeline")).to_have_value(str(epoch))
    expect(page.get_by_test_id("timeline")).to_have_attribute("aria-valuetext", f"epoch {epoch} of {EPOCHS}")
    _, told = client.ask(f"api/runs/small/checkpoints/{epoch}/confusion")
    assert matrix(page) == told["matrix"]
    expect(page.get_by_test_id("timeline-accuracy")).to_have_text(f"{100 * told['accuracy']:.2f} %")
    require_images(page, networks(run)[epoch].layers[0].weights, common_limit(run))
    require_reading(page, run.checkpoints()[epoch], drawing)


def everything_fetched(page):
    """Waits until all is known of all checkpoints, so that the common colours are those of all of them."""
    expect(page.locator("#timeline")).to_have_attribute("data-complete", str(EPOCHS + 1))
    painted(page)


def wait_for_reading(page, checkpoint, drawing):
    """Waits until the page shows what a checkpoint reads: a drawing that grows is read again and again."""
    expected = dn.Recognizer(checkpoint.model).recognize(dn.Drawing(**drawing))
    page.wait_for_function(
        """(expected) => expected.every((share, digit) => {
          const shown = document.querySelector(`[data-testid=reading-${digit}]`).textContent;
          return Math.abs(parseFloat(shown) - 100 * share) <= 0.0501;
        })""",
        arg=[float(share) for share in expected.probabilities],
    )


def test_all_moves_together_by_keyboard(visit, client, run, digit_strokes):
    page = visit.page("training/small/")
    at_rest(page, EPOCHS)
    expect(page.get_by_test_id("timeline")).to_be_enabled()
    page.get_by_test_id("timeline-canvas").scroll_into_view_if_needed()
    page.get_by_role("button", name="Clear").click()
    draw(page, fitted(digit_strokes[3]), testid="timeline-canvas")
    everything_fetched(page)
    drawing = drawn(page)
    wait_for_reading(page, run.checkpoints()[EPOCHS], drawing)
    require_all(page, client, run, EPOCHS, drawing)
    slider = page.get_by_test_id("timeline")
    slider.focus()
    for epoch in range(EPOCHS - 1, -1, -1):
        slider.press("ArrowLeft")
        at_rest(page, epoch)
        require_all(page, client, run, epoch, drawing)
    slider.press("End")
    at_rest(page, EPOCHS)
    require_all(page, client, run, EPOCHS, drawing)
    slider.press("Home")
    at_rest(page, 0)
    page.get_by_role("button", name="Clear").click()
    expect(page.get_by_test_id("timeline-status")).to_have_text("nothing is drawn")
    assert drawn(page)["strokes"] == []


def test_mouse_drags_the_slider_and_presses_the_strip(visit, client, run):
    page = visit.page("training/small/")
    at_rest(page, EPOCHS)
    everything_fetched(page)
    slider = page.get_by_test_id("timeline")
    slider.scroll_into_view_if_needed()
    box = slider.bounding_box()

    def x(epoch):
        return box["x"] + 10 + (box["width"] - 20) * epoch / EPOCHS

    middle = box["y"] + box["height"] / 2
    page.mouse.move(x(EPOCHS), middle)
    page.mouse.down()
    for epoch in (4, 3, 2):
        page.mouse.move(x(epoch), middle, steps=4)
        expect(page.get_by_test_id("timeline-label")).to_have_text(f"epoch {epoch} of {EPOCHS}")
    page.mouse.up()
    at_rest(page, 2)
    strip = page.get_by_test_id("timeline-strip").bounding_box()
    assert strip["x"] == pytest.approx(box["x"], abs=1)
    assert strip["width"] == pytest.approx(box["width"], abs=1)
    page.mouse.click(x(4), strip["y"] + 30)
    at_rest(page, 4)
    page.mouse.move(x(4), strip["y"] + 30)
    page.mouse.down()
    page.mouse.move(x(1), strip["y"] + 30, steps=5)
    page.mouse.up()
    at_rest(page, 1)
    expect(slider).to_have_value("1")


@pytest.mark.parametrize("motion", ["no-preference", "reduce"])
def test_play_goes_through_to_the_end(visit, client, run, motion):
    page = visit.page("training/small/", reduced_motion=motion)
    at_rest(page, EPOCHS)
    everything_fetched(page)
    # What is seen while it plays is noted in the page: a look from outside may come too late.
    page.evaluate(
        """() => {
          const find = (name) => document.querySelector(`[data-testid=${name}]`);
          const watch = (name, note) => {
            const parts = { childList: true, characterData: true, subtree: true };
            new MutationObserver(() => note(find(name).textContent)).observe(find(name), parts);
          };
          Object.assign(globalThis, { labels: [], words: [], pauseAt: null });
          watch("play", (text) => words.at(-1) !== text && words.push(text));
          watch("timeline-label", (text) => {
            if (labels.at(-1) !== text) labels.push(text);
            if (text !== pauseAt) return;
            pauseAt = null;
            const key = new KeyboardEvent("keydown", { key: " ", bubbles: true, cancelable: true });
            find("timeline").dispatchEvent(key);
          });
        }"""
    )
    page.get_by_test_id("play").click()
    page.wait_for_function("() => words.length === 2")
    at_rest(page, EPOCHS)
    assert page.evaluate("words") == ["❚❚Pause", "▶Play"]
    assert page.evaluate("labels") == [f"epoch {epoch} of {EPOCHS}" for epoch in range(EPOCHS + 1)]

    page.evaluate(f"pauseAt = 'epoch 2 of {EPOCHS}'")
    page.get_by_test_id("play").click()
    page.wait_for_function("() => words.length === 4")
    assert page.evaluate("words.slice(2)") == ["❚❚Pause", "▶Play"]
    at_rest(page, 2)  # wherever it was then: exactly on a checkpoint
    expect(page.get_by_test_id("timeline")).to_have_value("2")
    expect(page.get_by_test_id("timeline-label")).to_have_text(f"epoch 2 of {EPOCHS}")


def test_two_are_compared(visit, client, run):
    page = visit.page("training/small/")
    at_rest(page, EPOCHS)
    everything_fetched(page)
    expect(page.get_by_test_id("timeline-other")).to_be_hidden()
    page.get_by_test_id("compare").click()
    expect(page.get_by_test_id("compare")).to_have_attribute("aria-pressed", "true")
    other = page.get_by_test_id("timeline-other")
    expect(other).to_have_value("0")
    other.focus()
    other.press("ArrowRight")
    other.press("ArrowRight")
    expect(other).to_have_attribute("aria-valuetext", f"epoch 2 of {EPOCHS}")
    at_rest(page, EPOCHS)
    limit = common_limit(run)
    there = [network.layers[0].weights for network in networks(run)]
    require_images(page, there[EPOCHS], limit)
    require_images(page, there[2], limit, "weight-images-other")
    _, told = client.ask("api/runs/small/checkpoints/2/confusion")
    assert matrix(page, "confusion-other") == told["matrix"]
    page.get_by_test_id("difference").check()
    at_rest(page, EPOCHS)
    page.get_by_test_id("timeline").press("ArrowLeft")
    at_rest(page, EPOCHS - 1)
    require_images(page, there[2], limit, "weight-images-other", less=there[EPOCHS - 1])
    other.fill(str(EPOCHS - 1))
    expect(other).to_have_attribute("aria-valuetext", f"epoch {EPOCHS - 1} of {EPOCHS}")
    at_rest(page, EPOCHS - 1)
    require_images(page, np.zeros((784, 40)), limit, "weight-images-other")  # nothing changed
    page.get_by_test_id("compare").click()
    expect(other).to_be_hidden()


def test_the_address_keeps_the_place(visit, run):
    page = visit.page("training/small/")
    at_rest(page, EPOCHS)
    assert "#" not in page.url  # the newest is what everybody sees
    page.get_by_test_id("timeline").fill("2")
    at_rest(page, 2)
    page.reload()
    at_rest(page, 2)
    page.get_by_test_id("compare").click()
    page.get_by_test_id("timeline-other").fill("4")
    expect(page).to_have_url(f"{page.url.partition('#')[0]}#epoch-0002+epoch-0004")
    page.reload()
    at_rest(page, 2)
    expect(page.get_by_test_id("timeline-other")).to_have_value("4")
    page.get_by_test_id("compare").click()
    page.get_by_test_id("timeline").press("End")
    at_rest(page, EPOCHS)
    assert "#" not in page.url


def test_colours_of_a_checkpoint_alone(visit, run):
    page = visit.page("training/small/", color_scheme="dark")
    at_rest(page, EPOCHS)
    everything_fetched(page)
    page.get_by_test_id("timeline").fill("1")
    page.get_by_test_id("own-scale").check()
    at_rest(page, 1)
    weights = networks(run)[1].layers[0].weights
    require_images(page, weights, float(np.quantile(np.abs(weights), 0.98)))
    page.get_by_test_id("theme").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "light")
    painted(page)
    require_images(page, weights, float(np.quantile(np.abs(weights), 0.98)))


def test_a_unit_is_chosen_and_seen_through_time(visit, run):
    page = visit.page("training/small/")
    at_rest(page, EPOCHS)
    everything_fetched(page)
    images = page.get_by_test_id("weight-images")
    images.scroll_into_view_if_needed()
    zoom = images.evaluate("c => c.clientWidth / c.width")
    images.click(position={"x": (30 + 14) * zoom, "y": 14 * zoom})
    expect(page.get_by_test_id("unit")).to_have_value("1")
    unit = page.get_by_test_id("unit")
    for typed, shown in (("99", "39"), ("-3", "0"), ("1.5", "1")):
        unit.fill(typed)
        expect(unit).to_have_value(shown)
        expect(page.get_by_label(f"Weights of unit {shown} at")).to_be_visible()
    unit.fill("")
    unit.blur()
    expect(unit).to_have_value("1")
    unit.fill("5")
    film = canvas(page, "unit-life")
    shown = (film.shape[1] + 2) // 30
    assert shown == EPOCHS + 1
    ground, above, below = colors(page)
    for epoch, network in enumerate(networks(run)):
        weights = network.layers[0].weights[:, 5].reshape(28, 28, 1)
        share = np.clip(weights / common_limit(run), -1, 1)
        expected = ground + np.where(share > 0, above - ground, below - ground) * np.abs(share)
        picture = film[:, 30 * epoch : 30 * epoch + 28, :3]
        assert np.abs(picture - expected).max() <= 2 + np.abs(weights).max() / common_limit(run)
    box = page.get_by_test_id("unit-life").bounding_box()
    page.get_by_test_id("unit-life").click(position={"x": box["width"] * 2.5 / shown, "y": 20})
    at_rest(page, 2)
    here = page.get_by_test_id("unit-here").bounding_box()
    assert here["x"] == pytest.approx(box["x"] + 2 * 30 * box["width"] / film.shape[1], abs=1)


def test_a_growing_run_is_followed(visit, server):
    """It trains here, an epoch whenever the page has shown the one before."""
    steps = threading.Semaphore(1)
    ended = threading.Event()

    def work():
        try:
            train(server, "growing", epochs=4, on_epoch=lambda _: steps.acquire())
        finally:
            ended.set()

    thread = threading.Thread(target=work)
    thread.start()
    try:
        while not (server.runs / "growing" / "latest").exists():
            assert thread.is_alive()
            time.sleep(0.01)
        page = visit.page("training/growing/")
        label = page.get_by_test_id("timeline-label")
        for epoch in range(1, 4):
            expect(label).to_have_text(f"epoch {epoch} of 4")
            expect(page.locator("#timeline .tag.running")).to_be_visible()
            if epoch == 2:  # who looks at another one stays there
                page.get_by_test_id("timeline").fill("0")
                expect(label).to_have_text("epoch 0 of 4")
                steps.release()
                expect(page.get_by_test_id("timeline")).to_have_attribute("max", "3")
                expect(label).to_have_text("epoch 0 of 4")
                page.get_by_test_id("timeline").press("End")
                at_rest(page, 3)
            else:
                steps.release()
        expect(label).to_have_text("epoch 4 of 4")
        at_rest(page, 4)
        assert ended.wait(120)
        expect(page.locator("#timeline .tag.running")).to_be_hidden()
    finally:
        for _ in range(10):
            steps.release()
        thread.join()


def test_checkpoints_that_vanish_or_are_broken_while_one_looks(visit, spoiled):
    visit.allow("status of 4(04|10|22)")
    places = [each.path for each in spoiled.checkpoints()]
    (places[2] / "model.safetensors").write_bytes(b"no network")
    page = visit.page("training/spoiled/")
    at_rest(page, EPOCHS)
    page.get_by_test_id("timeline").fill("2")
    at_rest(page, 2)
    expect(page.locator("#timeline .timeline-weights .notice")).to_contain_text("epoch-0002")
    assert (canvas(page, "weight-images") == 0).all()
    page.get_by_test_id("timeline").fill("3")
    at_rest(page, 3)
    expect(page.locator("#timeline .timeline-weights .notice")).to_be_hidden()
    shutil.rmtree(places[3])
    shutil.rmtree(places[4])
    page.evaluate(
        "document.dispatchEvent(new CustomEvent('digitnet-run-events', {detail: [{type: 'checkpoint'}]}))"
    )
    expect(page.get_by_test_id("timeline")).to_have_attribute("max", "3")
    at_rest(page, EPOCHS)  # the next one that is still there
    expect(page.get_by_test_id("timeline")).to_have_value("3")


def test_a_run_without_checkpoints_says_so(visit, spoiled):
    shutil.rmtree(spoiled.directory / "checkpoints")
    page = visit.page("training/spoiled/")
    expect(page.locator("#timeline > .notice")).to_have_text("No checkpoint of this run is stored.")
    expect(page.get_by_test_id("timeline")).to_be_hidden()


def test_a_network_that_reads_no_digits_has_its_histograms(visit, numbers):
    visit.allow("status of 422")
    page = visit.page("training/numbers/")
    at_rest(page, 2)
    expect(page.locator("#timeline .timeline-weights .notice")).to_contain_text("28 x 28")
    expect(page.locator("#timeline .timeline-confusions")).to_contain_text("evaluate")
    expect(page.locator("#timeline .timeline-histogram")).to_have_count(4)
    page.get_by_test_id("timeline").press("Home")
    at_rest(page, 0)


@pytest.mark.parametrize("viewport", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_accessible_and_without_sideways_scrolling(visit, run, viewport):
    looks = {"has_touch": viewport is PHONE, "reduced_motion": "reduce"}
    page = visit.page("training/small/", viewport=viewport, **looks)
    at_rest(page, EPOCHS)
    is_narrow = "document.documentElement.scrollWidth <= innerWidth"
    assert page.evaluate(is_narrow)
    page.get_by_test_id("compare").click()  # then all there is is shown
    at_rest(page, EPOCHS)
    assert page.evaluate(is_narrow)
    require_accessible(page, "#timeline")
    if viewport is PHONE:
        strip = page.get_by_test_id("timeline-strip")
        strip.scroll_into_view_if_needed()
        box = strip.bounding_box()
        strip.tap(position={"x": 12, "y": box["height"] / 2})
        at_rest(page, 0)
