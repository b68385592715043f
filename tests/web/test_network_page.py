"""The pages Network, Parameters and Graph, and the API behind them, against the library's own numbers."""

import base64
import json
import re
import struct
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from playwright.sync_api import expect
from serving import PHONE, draw, fitted, require_accessible

import digitnet as dn
from digitnet import recipes

OVERFLOWING = "upload-overflowing"
TIMES = "\u00d7"
ORDER = "() => [...document.querySelectorAll('.layer .unit')].map((each) => each.dataset.unit)"


@pytest.fixture(scope="module")
def networks(server):
    """By the id of their model: networks of other shapes, and one that a run left."""
    folder = server.folder / "state" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    made = {
        "upload-flat": dn.Network([784, 10], seed=1),
        "upload-three": dn.Network([784, 40, 30, 20, 10], "tanh", seed=2),
        "upload-narrow": dn.Network([784, 8, 10], ["sigmoid"], seed=3),
        OVERFLOWING: dn.Network([784, 20, 20, 10], "softplus", seed=4),
    }
    made["upload-infinite"] = made[OVERFLOWING].copy()
    for name, factor in ((OVERFLOWING, 1e12), ("upload-infinite", 1e37)):
        for layer in made[name].layers:
            layer.weights = np.asarray(layer.weights) * np.float32(factor)
    for name, network in made.items():
        network.save(folder / f"{name.removeprefix('upload-')}.safetensors")
    mnist = dn.load_mnist(server.data)
    network = dn.Network([784, 32, 10], seed=5)
    run = dn.RunOptions(server.runs / "small", source={"name": "mnist"})
    dn.train(network, mnist.train, validation=0.2, epochs=3, batch_size=32, run=run)
    made["run-small"] = dn.Network.load(dn.Run(server.runs / "small").best.model)
    made["default"] = dn.Recognizer().network
    return made


@pytest.fixture(scope="module")
def drawings(digit_strokes):
    return [drawing for drawing in digit_strokes if drawing.label is not None][:8]


def body_of(drawing, **more):
    strokes = [[[400 * x, 400 * y] for x, y in stroke] for stroke in fitted(drawing)]
    return {"strokes": strokes, "width": 400, "height": 400, "brush": 26, **more}


def read(body, network=None, calibration=None):
    """What the library says of the same drawing."""
    recognizer = dn.Recognizer() if network is None else dn.Recognizer(network, calibration)
    return recognizer.recognize(dn.Drawing(body["strokes"], width=400.0, height=400.0, brush=26.0))


def scaled(network, changes):
    """A copy in which the next layer takes the activation of some units times a scale."""
    copy = network.copy()
    for layer, unit, scale in changes:
        copy.layers[layer + 1].weights[unit] *= np.float32(scale)
    return copy


def unpacked(picture):
    return np.frombuffer(base64.b64decode(picture["data"]), np.int8) * picture["scale"]


# ---------------------------------------------------------------- the API


@pytest.mark.parametrize("model", ["default", "upload-flat", "upload-three", "upload-narrow", "run-small"])
def test_activations_sums_and_lines_are_those_of_the_library(client, networks, drawings, model):
    network = networks[model]
    for drawing in drawings[:2]:
        last = len(network.layers) - 1
        wanted = [{"layer": layer, "unit": 3} for layer in range(min(last + 1, 4))]
        status, answer = client.ask("api/network/forward", body_of(drawing, model=model, units=wanted))
        assert status == 200
        image = np.asarray(answer["image"], np.uint8).reshape(1, 28, 28)
        activations = network.activations(image)
        for own, told in zip(activations, answer["activations"]):
            np.testing.assert_allclose(told, own[0], atol=1e-4)
        assert answer["output"] == int(np.argmax(activations[-1][0]))

        taken = [image.reshape(-1) / np.float64(255), *[each[0].astype(np.float64) for each in activations]]
        for sum_ in answer["units"]:
            layer, unit = network.layers[sum_["layer"]], sum_["unit"]
            products = taken[sum_["layer"]] * layer.weights[:, unit]
            assert sum_["z"] == pytest.approx(float(layer.bias[unit]) + products.sum(), abs=1e-4)
            assert sum_["z"] == pytest.approx(sum_["bias"] + sum_["sum"], abs=1e-9)
            told = sum(term["product"] for term in sum_["terms"])
            assert told + sum_["rest"]["sum"] == pytest.approx(sum_["sum"], abs=1e-9)
            assert len(sum_["terms"]) + sum_["rest"]["count"] == len(products)
            for term in sum_["terms"]:
                assert term["product"] == pytest.approx(term["value"] * term["weight"], abs=1e-9)
        np.testing.assert_allclose(answer["units"][-1]["z"], network.logits(image)[0, 3], atol=1e-3)

        shown = [*answer["shown"], list(range(10))]
        for layer, (paths, rests) in enumerate(zip(answer["paths"], answer["rests"])):
            weights = network.layers[layer].weights
            for start, end, value in paths:
                assert end in shown[layer]
                assert value == pytest.approx(taken[layer][start] * weights[start, end], abs=1e-4)
            if layer > 0:
                others = np.setdiff1d(np.arange(len(taken[layer])), shown[layer - 1])
                expected = taken[layer][others] @ weights[others][:, shown[layer]]
                np.testing.assert_allclose(rests, expected, atol=1e-3)


@pytest.mark.parametrize("model", ["default", "upload-flat", "upload-three", "upload-narrow"])
def test_pictures_are_gradients(client, networks, drawings, model):
    network = networks[model]
    _, answer = client.ask("api/network/forward", body_of(drawings[0], model=model))
    images = np.repeat(np.asarray(answer["image"], np.uint8).reshape(1, 784), 10, axis=0)
    gradients = dn.input_gradient(network, images, np.eye(10, dtype=np.float32))
    for picture, gradient in zip(answer["pictures"][-1], gradients):
        np.testing.assert_allclose(unpacked(picture), gradient, atol=0.51 * picture["scale"] + 1e-6)
    if len(network.layers) > 1:
        for unit, picture in zip(answer["shown"][0], answer["pictures"][0]):
            own = network.layers[0].weights[:, unit]
            np.testing.assert_allclose(unpacked(picture), own, atol=0.51 * picture["scale"])


@pytest.mark.parametrize("model", ["default", "upload-three"])
def test_effects_say_what_scaling_a_unit_does(client, networks, drawings, model):
    network = networks[model]
    _, answer = client.ask("api/network/forward", body_of(drawings[1], model=model, shown=4))
    image = np.asarray(answer["image"], np.uint8).reshape(1, 784)
    output, step = answer["output"], 0.05
    for layer, (units, effects) in enumerate(zip(answer["shown"], answer["effects"])):
        assert len(units) == 4
        for unit, effect in zip(units, effects):
            more, less = (
                float(scaled(network, [(layer, unit, scale)]).logits(image)[0, output])
                for scale in (1 + step, 1 - step)
            )
            assert effect == pytest.approx((more - less) / (2 * step), rel=0.05, abs=0.01)


def test_changed_units_change_the_reading_as_the_library_says(client, networks, drawings):
    network, calibration = networks["default"], dn.Recognizer().calibration
    for drawing in drawings[:3]:
        _, before = client.ask("api/network/forward", body_of(drawing))
        changes = [(0, unit, 0) for unit in before["shown"][0][:6]] + [(1, before["shown"][1][0], 0.5)]
        sent = [{"layer": layer, "unit": unit, "scale": scale} for layer, unit, scale in changes]
        body = body_of(drawing, changes=sent, units=[{"layer": 1, "unit": 5}])
        _, answer = client.ask("api/network/forward", body)
        expected = read(body, scaled(network, changes), calibration)
        assert (answer["status"], answer["digit"]) == (expected.status, expected.digit)
        np.testing.assert_allclose(answer["probabilities"], expected.probabilities, atol=1e-5)
        logits = scaled(network, changes).logits(expected.image[None])[0]
        np.testing.assert_allclose(answer["logits"], logits, atol=1e-4)
        unchanged = {name: before[name] for name in ("status", "digit", "probabilities", "logits")}
        assert answer["original"] == unchanged
        assert answer["probabilities"] != before["probabilities"]
        assert "original" not in before
        # In a sum the weights stay what they are; what is scaled is what comes from the unit.
        for term in answer["units"][0]["terms"]:
            weight = network.layers[1].weights[term["input"], 5]
            assert term["weight"] == pytest.approx(float(weight))
    _, again = client.ask("api/network/forward", body_of(drawings[2]))
    assert again["probabilities"] == before["probabilities"]  # nobody else's network was changed


def test_units_shown_are_those_that_matter_most_or_those_asked_for(client, networks, drawings):
    _, answer = client.ask("api/network/forward", body_of(drawings[0], shown=32))
    sizes = np.abs(answer["effects"][0])
    assert len(answer["shown"][0]) == 32
    assert (np.diff(sizes) <= 1e-4).all()
    _, answer = client.ask("api/network/forward", body_of(drawings[0], shown=[[7, 1023], []]))
    assert answer["shown"] == [[7, 1023], []]
    assert [len(each) for each in answer["pictures"]] == [2, 0, 10]


@pytest.mark.parametrize(
    ("more", "status", "field"),
    [
        ({"strokes": "7"}, 422, "strokes"),
        ({"model": "upload-nowhere"}, 404, None),
        ({"model": "../default"}, 404, None),
        ({"model": 7}, 422, "model"),
        ({"model": ["default"]}, 422, "model"),
        ({"changes": {}}, 422, "changes"),
        ({"changes": [7]}, 422, "changes"),
        ({"changes": [{"layer": 2, "unit": 0, "scale": 0}]}, 422, "changes"),  # the outputs
        ({"changes": [{"layer": 0, "unit": 1024, "scale": 0}]}, 422, "changes"),
        ({"changes": [{"layer": 0, "unit": -1, "scale": 0}]}, 422, "changes"),
        ({"changes": [{"layer": 0, "unit": 0, "scale": 2.5}]}, 422, "changes"),
        ({"changes": [{"layer": 0, "unit": 0, "scale": True}]}, 422, "changes"),
        ({"changes": [{"layer": 0, "unit": 0}]}, 422, "changes"),
        ({"changes": [{"layer": 0, "unit": 0, "scale": 0}], "model": "upload-flat"}, 422, "changes"),
        ({"changes": [{"layer": 0, "unit": unit, "scale": 0} for unit in range(65)]}, 422, "changes"),
        ({"shown": 0}, 422, "shown"),
        ({"shown": 33}, 422, "shown"),
        ({"shown": "all"}, 422, "shown"),
        ({"shown": [[0]]}, 422, "shown"),
        ({"shown": [[0], [400]]}, 422, "shown"),
        ({"shown": [[3, 3], []]}, 422, "shown"),
        ({"shown": [list(range(33)), []]}, 422, "shown"),
        ({"units": [{"layer": 3, "unit": 0}]}, 422, "units"),
        ({"units": [{"layer": 0.5, "unit": 0}]}, 422, "units"),
        ({"units": [{"layer": 0, "unit": 0}] * 5}, 422, "units"),
    ],
)
def test_what_is_wrong_is_refused_by_name(client, networks, drawings, more, status, field):
    found, answer = client.ask("api/network/forward", body_of(drawings[0]) | more)
    assert found == status, answer
    assert answer["error"].get("field") == field
    assert "\n" not in answer["error"]["message"]


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("api/network?model=upload-nowhere", 404),
        ("api/network/weights?layer=x", 422),
        ("api/network/weights?layer=3", 404),
        ("api/network/weights?layer=0&units=1024", 404),
        ("api/network/weights?layer=0&units=0-256", 422),
        ("api/network/weights?layer=0&units=9-3", 422),
        ("api/network/weights?layer=0&units=-1", 422),
        ("api/network/weights?layer=0&units=%D9%A3", 422),
        ("api/network/weights?layer=0&units=", 422),
        ("api/network/weights?units=" + "1," * 400 + "1", 422),
        ("api/network/units/3/0", 404),
        ("api/network/units/0/1024", 404),
        ("api/network/units/0/99999999999999999999", 404),
        ("api/network/units/0/1024/excites", 404),
        ("api/network/units/0/-1", 404),
        ("api/network/forward", 405),
        ("api/parameters?model=run-nowhere", 404),
        ("api/parameters/dead?model=upload-", 404),
        ("api/graph?model=..%2F..", 404),
    ],
)
def test_addresses_that_lead_nowhere(client, networks, path, status):
    assert client.ask(path)[0] == status


def test_numbers_that_overflow_are_told_as_large_ones(client, networks, drawings):
    status, answer = client.ask(
        "api/network/forward", body_of(drawings[0], model=OVERFLOWING, units=[{"layer": 1, "unit": 0}])
    )
    assert status == 200
    assert np.isfinite(np.asarray(answer["activations"][1])).all()
    assert abs(answer["units"][0]["z"]) <= 1e30
    for model in (OVERFLOWING, "upload-infinite"):
        for path in ("api/network/units/1/0", "api/network/units/1/0/excites", "api/parameters"):
            assert client.ask(f"{path}?model={model}")[0] == 200
    status, answer = client.ask("api/network/forward", body_of(drawings[0], model="upload-infinite"))
    assert status == 400
    assert "finite" in answer["error"]["message"]


def test_weights_as_bytes(client, networks):
    weights = networks["default"].layers[0].weights
    for units, expected in (("5", [5]), ("3,17,1023", [3, 17, 1023]), ("0-255", list(range(256)))):
        status, content = client.ask(f"api/network/weights?layer=0&units={units}")
        assert status == 200
        assert len(content) == len(expected) * (4 + 784)
        for row, unit in enumerate(expected):
            start = row * 788
            (scale,) = struct.unpack_from("<f", content, start)
            found = np.frombuffer(content, np.int8, 784, start + 4) * scale
            np.testing.assert_allclose(found, weights[:, unit], atol=0.51 * scale)


def test_a_unit_in_numbers_and_what_excites_it(client, server, networks):
    network, mnist = networks["default"], dn.load_mnist(server.data)
    _, unit = client.ask("api/network/units/1/37")
    weights = network.layers[1].weights[:, 37].astype(np.float64)
    assert unit["bias"] == pytest.approx(float(network.layers[1].bias[37]))
    assert unit["weights"]["norm"] == pytest.approx(float(np.linalg.norm(weights)))
    assert sum(unit["weights"]["histogram"]) == 1024
    strongest = np.argsort(-np.abs(weights), kind="stable")[:8]
    assert [place for place, _ in unit["strongest_in"]] == strongest.tolist()
    assert len(unit["strongest_out"]) == 8
    assert client.ask("api/network/units/2/7")[1]["strongest_out"] is None

    _, found = client.ask("api/network/units/1/37/excites")
    training = network.activations(mnist.train)[1][:, 37]
    test = network.activations(mnist.test)[1][:, 37]
    assert found["active_share"] == pytest.approx(float((test > 0).mean()), abs=1e-6)
    values = [image["activation"] for image in found["images"]]
    np.testing.assert_allclose(values, np.sort(training)[::-1][:12], atol=1e-4)
    for image in found["images"]:
        assert image["label"] == mnist.train.labels[image["index"]]
        assert image["activation"] == pytest.approx(float(training[image["index"]]), abs=1e-4)
        assert base64.b64decode(image["image"]) == mnist.train.images[image["index"]].tobytes()
    labels = np.asarray(mnist.test.labels)
    for label, mean in enumerate(found["mean_by_class"]):
        assert mean == pytest.approx(float(test[labels == label].mean()), abs=1e-4)

    _, dead = client.ask("api/parameters/dead")
    hidden = network.activations(mnist.test)[:-1]
    assert dead["layers"] == [
        {"units": each.shape[1], "dead": int((each <= 0).all(axis=0).sum())} for each in hidden
    ]


def test_many_models_asked_about_at_once(server, networks):
    """More than are kept: those that had to make room are looked through when they are asked for again."""

    def ask(model):
        client = server.client()
        for _ in range(100):
            status, answer = client.ask(f"api/network/units/0/1/excites?model={model}")
            if status != 202:
                return status, len(answer["images"])
            assert answer == {"is_pending": True}
        return None

    with ThreadPoolExecutor(len(networks)) as threads:
        assert list(threads.map(ask, networks)) == [(200, 12)] * len(networks)


def test_what_excites_without_data(server, networks, tmp_path):
    """On a machine without the images the page says so and does without them."""
    other = type(server)(tmp_path, environment={"DIGITNET_DATA_DIR": str(tmp_path / "none")})
    try:
        status, answer = other.client().ask("api/network/units/0/3/excites")
        assert (status, answer["error"]["code"]) == (409, "no_data")
        assert other.client().ask("api/network/units/0/3")[0] == 200
    finally:
        other.stop()


def test_parameters_and_graph_of_a_run(client, server, networks):
    run = dn.Run(server.runs / "small")
    _, found = client.ask("api/parameters?model=run-small")
    assert found["config"] == json.loads((server.runs / "small" / "config.json").read_text())
    assert found["parameters"] == networks["run-small"].parameter_count
    weights = networks["run-small"].layers[0].weights.astype(np.float64)
    assert found["layers"][0]["mean"] == pytest.approx(weights.mean())
    assert found["layers"][0]["deviation"] == pytest.approx(weights.std())
    assert found["file"]["precision"] == "full"
    _, graph = client.ask("api/graph?model=run-small")
    assert [epoch["validation_loss"] for epoch in graph["epochs"]] == [
        each["validation_loss"] for each in run.epochs
    ]
    assert graph["best_epoch"] == run.best.epoch

    _, found = client.ask("api/parameters")
    assert found["file"]["precision"] == "half"
    assert found["calibration"]["temperature"] == dn.Recognizer().calibration.temperature
    _, graph = client.ask("api/graph")
    assert graph["epochs"] == []
    assert [each["model"] for each in graph["runs"]] == ["run-small"]


# ---------------------------------------------------------------- the page Network


def tiles(page, layer):
    return page.get_by_test_id(f"activation-{layer}").locator(".unit")


def draw_digit(page, drawing, expected):
    page.get_by_test_id("clear").click()
    expect(page.get_by_test_id("status")).to_contain_text("Empty")
    draw(page, fitted(drawing))
    settled(page)
    expect(page.get_by_test_id("prediction")).to_have_text(expected)


def settled(page):
    """Waits until the drawing has rested, the last question was answered and what was answered is painted."""
    expect(page.get_by_test_id("network")).to_have_attribute("data-rested", "true")
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def percents(text):
    """The shares that a text tells in percent, from 0 to 1; they are rounded to a tenth of a percent."""
    return [float(found) / 100 for found in re.findall(r"([\d.]+) %", text)]


def as_shown(share):
    return pytest.approx(float(share), abs=0.000501)


def sent_by(page):
    """What the page would send for its drawing."""
    return {"strokes": json.loads(page.evaluate("localStorage.getItem('digitnet-drawing')"))["strokes"]}


def number(text):
    return float(text.replace("\u2212", "-").replace("+", ""))


def test_the_page_shows_what_the_network_does(visit, networks, drawings):
    network = networks["default"]
    page = visit.page("network/")
    draw_digit(page, drawings[0], str(drawings[0].label))
    expected = read(sent_by(page))
    image = expected.image
    activations = [each[0] for each in network.activations(image[None])]
    for layer in (0, 1):
        expect(tiles(page, layer)).to_have_count(10)
        for tile in tiles(page, layer).all():
            unit = int(tile.get_attribute("data-unit"))
            assert float(tile.get_attribute("data-value")) == pytest.approx(
                float(activations[layer][unit]), abs=1e-4
            )
        active = int((activations[layer] > 0).sum())
        expect(page.get_by_test_id(f"activation-{layer}")).to_contain_text(f"{active} active")
    for digit, tile in enumerate(tiles(page, 2).all()):
        assert float(tile.get_attribute("data-value")) == pytest.approx(
            float(activations[2][digit]), abs=1e-4
        )
        name, _, share = tile.get_attribute("aria-label").partition(": ")
        assert name == f"Output {digit}"
        assert percents(share) == [as_shown(expected.probabilities[digit])]
    expect(page.get_by_test_id("more-0")).to_have_text("+1\u202f014 more")
    expect(page.get_by_test_id("more-1")).to_have_text("+390 more")

    into_reading = page.locator(f".paths path[data-path^='2:'][data-path$=':{drawings[0].label}']").all()
    assert len(into_reading) >= 9
    for line in into_reading:
        _, start, end = line.get_attribute("data-path").split(":")
        if start != "-1":
            term = float(activations[1][int(start)] * network.layers[2].weights[int(start), int(end)])
            assert float(line.get_attribute("data-value")) == pytest.approx(term, abs=1e-4)

    tile = tiles(page, 1).nth(2)
    unit = int(tile.get_attribute("data-unit"))
    tile.hover()
    card = page.get_by_test_id("sum")
    expect(card).to_be_visible()
    expect(card).to_contain_text(f"Unit {unit} of the second layer")
    z = float(
        activations[0].astype(np.float64) @ network.layers[1].weights[:, unit] + network.layers[1].bias[unit]
    )
    assert number(card.locator("[data-part=z]").inner_text()) == pytest.approx(z, abs=6e-4)
    values = [number(cell.inner_text()) for cell in card.locator("tr:not(.total) td.number").all()]
    assert sum(values) == pytest.approx(
        z, abs=6e-4 * len(values)
    )  # terms, the others, bias: rounded as shown
    expect(card).to_contain_text("+1\u202f018 more")
    page.mouse.move(2, 2)
    expect(card).to_be_hidden()


def test_a_unit_is_pinned_and_muted_by_keyboard(visit, networks, drawings):
    network, calibration = networks["default"], dn.Recognizer().calibration
    page = visit.page("network/")
    draw_digit(page, drawings[0], str(drawings[0].label))
    before = read(sent_by(page))
    tiles(page, 1).first.focus()
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("ArrowRight")
    expect(tiles(page, 2).first).to_be_focused()
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_test_id("sum")).to_be_visible()
    tile = tiles(page, 1).first
    unit = int(tile.get_attribute("data-unit"))
    page.keyboard.press("Enter")
    expect(tile).to_have_attribute("aria-pressed", "true")
    inspector = page.get_by_test_id("unit")
    expect(inspector.get_by_role("heading", name=f"Unit {unit} of the second layer")).to_be_visible()
    expect(inspector.locator(".example")).to_have_count(12)
    expect(page.get_by_test_id("active-share")).to_contain_text("%")

    page.get_by_test_id("mute").focus()
    page.keyboard.press("Space")
    expect(page.get_by_test_id("changed")).to_have_text("1 unit changed")
    expect(inspector.get_by_role("columnheader", name="unchanged")).to_be_visible()
    settled(page)
    muted = read(sent_by(page), scaled(network, [(1, unit, 0)]), calibration)
    rows = inspector.locator(".effect-table tbody tr").all()
    assert len(rows) == 10
    for row, now, unchanged in zip(rows, muted.probabilities, before.probabilities):
        assert percents(row.inner_text()) == [as_shown(now), as_shown(unchanged)]
    digit, image = before.digit, before.image[None]
    sums = [net.logits(image)[0, digit] for net in (scaled(network, [(1, unit, 0)]), network)]
    note = page.get_by_test_id("sum-note").inner_text()
    assert [number(found) for found in re.findall(r"[+\u2212]\d+\.\d{3}", note)] == pytest.approx(
        sums, abs=6e-4
    )
    expect(page).to_have_url(re.compile(f"unit=1-{unit}&scale=1-{unit}(:|%3A)0$"))

    page.get_by_test_id("unit-scale").focus()
    page.keyboard.press("End")
    expect(inspector).to_contain_text(f"{TIMES} 2.00")
    page.reload()
    expect(page.get_by_test_id("changed")).to_have_text("1 unit changed")
    expect(inspector).to_contain_text(f"{TIMES} 2.00")
    page.get_by_test_id("reset").click()
    expect(page.get_by_test_id("changed")).to_be_hidden()
    expect(page.get_by_test_id("unit-scale")).to_have_value("1")
    page.get_by_test_id("unit-close").click()
    expect(inspector).to_be_hidden()
    expect(page).not_to_have_url(re.compile(r"\?"))


def test_many_units_muted_turn_the_reading(visit, networks, drawings):
    network, calibration = networks["default"], dn.Recognizer().calibration
    body = body_of(drawings[0])
    answer = dn.Recognizer().recognize(dn.Drawing(body["strokes"], width=400.0, height=400.0, brush=26.0))
    last = network.activations(answer.image[None])[1][0] * network.layers[2].weights[:, answer.digit]
    changes = [(1, int(unit), 0) for unit in np.argsort(-last)[:50]]
    expected = read(body, scaled(network, changes), calibration)
    assert (expected.status, expected.digit) != (answer.status, answer.digit)  # or it would show nothing
    page = visit.page()
    page.evaluate("drawing => localStorage.setItem('digitnet-drawing', JSON.stringify(drawing))", body)
    page.goto("network/?scale=" + ",".join(f"{layer}-{unit}:0" for layer, unit, _ in changes))
    expect(page.get_by_test_id("changed")).to_have_text("50 units changed")
    expect(page.get_by_test_id("prediction")).to_have_text(
        "" if expected.digit is None else str(expected.digit)
    )
    expect(page.get_by_test_id("status")).to_contain_text(f"Without changes: {answer.digit}")


def test_nothing_jumps_while_drawing_and_one_question_is_asked_at_a_time(visit, networks, drawings):
    page = visit.page("network/")
    draw_digit(page, drawings[0], str(drawings[0].label))
    rested_units = page.evaluate(ORDER)
    page.evaluate(
        """() => {
          window.most = 0; window.asked = 0; let now = 0;
          window.orders = new Set();
          const own = window.fetch;
          window.fetch = async (...words) => {
            window.most = Math.max(window.most, ++now); window.asked++;
            try { return await own(...words); } finally { now--; }
          };
          window.shifts = 0;
          new PerformanceObserver((list) => {
            for (const entry of list.getEntries()) window.shifts += entry.value;
          }).observe({ type: "layout-shift" });
        }"""
    )
    # However slow the machine is, the drawing does not rest before its line is at its end.
    page.evaluate(
        """() => {
          window.ownTimeout = window.setTimeout;
          window.setTimeout = (f, wait) => window.ownTimeout(f, wait > 400 ? 2 ** 30 : wait);
        }"""
    )
    box = page.get_by_test_id("canvas").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    for step in range(12):
        with page.expect_response("**/api/network/forward"):
            page.mouse.move(box["x"] + 40 + 10 * step, box["y"] + 46 + 9 * step)
        assert page.evaluate(ORDER) == rested_units
    page.evaluate("() => { window.setTimeout = window.ownTimeout; }")
    page.mouse.up()
    settled(page)
    assert len(rested_units) == 20
    assert len(set(page.evaluate(ORDER)[:10])) == 10
    assert page.evaluate("window.asked") >= 10
    assert page.evaluate("window.most") == 1
    assert page.evaluate("window.shifts") == 0


def test_units_that_stay_keep_their_places(visit, networks, drawings):
    page = visit.page("network/")
    draw_digit(page, drawings[0], str(drawings[0].label))
    before = page.evaluate(ORDER)[:10]
    draw(page, [[(0.2, 0.9), (0.8, 0.92)]])
    settled(page)
    after = page.evaluate(ORDER)[:10]
    assert after != before
    for slot, unit in enumerate(after):
        assert unit not in before or before[slot] == unit


def test_the_sample_is_nobodys_drawing_until_something_is_drawn(visit, networks):
    page = visit.page("network/")
    expect(page.get_by_test_id("prediction")).to_have_text("7")
    settled(page)
    expect(page.get_by_text("This 7 is a sample: draw your own.")).to_be_visible()
    expect(page.get_by_test_id("undo")).to_be_disabled()
    page.goto("")
    expect(page.get_by_test_id("status")).to_contain_text("Empty")
    draw(page, [[(0.5, 0.1), (0.5, 0.9)]])
    expect(page.get_by_test_id("prediction")).to_have_text("1")
    page.goto("network/")
    expect(page.get_by_test_id("prediction")).to_have_text("1")
    expect(page.get_by_text("with mouse, finger, pen or arrow keys")).to_be_visible()
    expect(page.get_by_test_id("undo")).to_be_disabled()
    page.goto("")
    page.get_by_test_id("clear").click()
    page.goto("network/")
    expect(page.get_by_test_id("prediction")).to_have_text("7")
    settled(page)
    assert sent_by(page)["strokes"] == []
    draw(page, [[(0.2, 0.9), (0.8, 0.92)]])
    expect(page.get_by_text("with mouse, finger, pen or arrow keys")).to_be_visible()
    assert len(sent_by(page)["strokes"]) == 2
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("undo")).to_be_disabled()
    assert len(sent_by(page)["strokes"]) == 1
    page.goto("models/")
    expect(page.get_by_test_id("compare-verdict")).to_have_text(re.compile("^They"))
    page.get_by_test_id("undo").click()
    expect(page.get_by_test_id("compare-verdict")).to_have_text(re.compile("^They"))
    assert len(sent_by(page)["strokes"]) == 1


def test_every_unit_by_keyboard_and_mouse(visit, networks):
    page = visit.page("network/")
    page.get_by_test_id("more-1").click()
    grid = page.get_by_test_id("every")
    expect(grid).to_be_focused()
    expect(page.get_by_test_id("every-1")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("End")
    expect(page.locator("#every-unit")).to_contain_text("Unit 399 of the second layer")
    page.keyboard.press("ArrowLeft")
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Unit 398 of the second layer")).to_be_visible()
    expect(tiles(page, 1).and_(page.locator("[data-unit='398']"))).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("every-0").click()
    page.get_by_test_id("order").select_option("activation")
    with page.expect_response("**/api/network/weights*") as found:
        page.get_by_test_id("weight-images").hover(position={"x": 20, "y": 20})
        page.get_by_test_id("every").evaluate("each => each.scrollTo(0, 1200)")
    assert found.value.ok
    page.get_by_test_id("every").evaluate("each => each.scrollTo(0, 0)")
    page.get_by_test_id("weight-images").click(position={"x": 30, "y": 25})
    expect(page.get_by_role("heading", name=re.compile("Unit .* of the first layer"))).to_be_visible()


@pytest.mark.parametrize(
    ("model", "columns", "more"),
    [
        ("upload-flat", ["Outputs"], []),
        ("upload-narrow", ["Hidden layer", "Outputs"], []),
        (
            "upload-three",
            ["First layer", "Second layer", "Third layer", "Outputs"],
            ["+30 more", "+20 more", "+10 more"],
        ),
        ("run-small", ["Hidden layer", "Outputs"], ["+22 more"]),
        (OVERFLOWING, ["First layer", "Second layer", "Outputs"], ["+10 more", "+10 more"]),
    ],
)
def test_networks_of_other_shapes(visit, networks, model, columns, more):
    page = visit.page(f"network/?model={model}")
    expect(page.locator(".column:not(.inputs) h2")).to_have_text(columns)
    expect(page.locator(".more:visible")).to_have_text(more)
    expect(page.locator(".paths path").first).to_be_attached()
    expect(page.get_by_test_id("model")).to_have_value(model)
    tiles(page, 0).first.click()
    expect(page.get_by_test_id("unit-sum")).to_contain_text("sum z")
    page.get_by_test_id("model").select_option("default")
    expect(page.get_by_test_id("more-0")).to_have_text("+1\u202f014 more")
    expect(page.get_by_test_id("unit")).to_be_hidden()


def test_a_model_that_is_not_there(visit, networks):
    visit.allow("404")
    page = visit.page("network/?model=upload-nowhere")
    expect(page.get_by_test_id("problem")).to_contain_text("upload-nowhere")
    page.get_by_test_id("model").select_option("upload-flat")
    expect(page.get_by_test_id("prediction")).not_to_be_empty()
    expect(page.get_by_test_id("problem")).to_be_hidden()
    for path in ("parameters/", "graph/"):
        page.goto(f"{path}?model=upload-nowhere")
        expect(page.get_by_test_id("problem")).to_contain_text("upload-nowhere")


def test_on_a_phone(visit, networks, drawings):
    page = visit.page("network/", viewport=PHONE, has_touch=True)
    expect(page.get_by_test_id("prediction")).to_have_text("7")
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    first, outputs = (page.get_by_test_id(f"activation-{layer}").bounding_box() for layer in (0, 2))
    assert first["y"] + first["height"] < outputs["y"]  # below each other
    note = page.get_by_text("What the network sees: 784 inputs")
    card = page.get_by_test_id("network").evaluate("each => getComputedStyle(each).backgroundColor")
    expect(note).to_have_css("background-color", card)  # no line runs through the words
    tiles(page, 0).first.tap()
    expect(page.get_by_test_id("unit-sum")).to_contain_text("sum z")
    expect(page.get_by_test_id("sum")).to_be_hidden()
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]
    for path in ("parameters/", "graph/", "graph/?model=run-small"):
        page.goto(path)
        expect(page.get_by_test_id("model").locator("option").nth(1)).to_be_attached()
        assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_the_page_is_light_work(visit, networks):
    """The processor time of the page for an answer of 784-1024-400-10, not the time on the clock."""
    page = visit.page("network/")
    expect(page.get_by_test_id("prediction")).to_have_text("7")
    settled(page)
    tool = page.context.new_cdp_session(page)
    tool.send("Performance.setTimeDomain", {"timeDomain": "threadTicks"})
    tool.send("Performance.enable")

    def worked():
        return {each["name"]: each["value"] for each in tool.send("Performance.getMetrics")["metrics"]}[
            "ScriptDuration"
        ]

    before = worked()
    box = page.get_by_test_id("canvas").bounding_box()
    page.mouse.move(box["x"] + 40, box["y"] + 40)
    page.mouse.down()
    for step in range(20):
        with page.expect_response("**/api/network/forward"):
            page.mouse.move(box["x"] + 40 + 6 * step, box["y"] + 46 + 5 * step)
    page.mouse.up()
    settled(page)
    assert (worked() - before) / 20 < 0.2


# ---------------------------------------------------------------- the pages Parameters and Graph


def test_the_page_parameters(visit, server, networks):
    page = visit.page("parameters/")
    expect(page.get_by_test_id("architecture")).to_contain_text("1\u202f217\u202f850 weights and biases")
    expect(page.get_by_test_id("calibration")).to_contain_text(
        f"{dn.Recognizer().calibration.temperature:.4f}"
    )
    for phase in recipes.load("recognizer")["phases"]:
        words = f"{phase['epochs']} epochs in batches of {phase['batch_size']}"
        expect(page.get_by_test_id("training")).to_contain_text(words)
    network, mnist = networks["default"], dn.load_mnist(server.data)
    for layer, activations in enumerate(network.activations(mnist.test)[:-1]):
        dead = int((activations <= 0).all(axis=0).sum())
        size = {1024: "1\u202f024", 400: "400"}[activations.shape[1]]
        expect(page.get_by_test_id(f"dead-{layer}")).to_have_text(f"{dead} of {size}")
    page.get_by_text("Everything, as it is stored").click()
    expect(page.locator("pre")).to_contain_text('"recipe"')
    page.get_by_test_id("model").select_option("run-small")
    expect(page.get_by_test_id("training")).to_contain_text("Batch size")
    expect(page.get_by_test_id("calibration")).to_contain_text("no calibration")
    assert page.url.endswith("?model=run-small")


def as_shown_loss(loss):
    return pytest.approx(loss, rel=0.0051, abs=0.0000501)


def test_the_page_graph(visit, server, networks):
    run = dn.Run(server.runs / "small")
    page = visit.page("graph/")
    expect(page.get_by_test_id("no-history")).to_be_visible()
    expect(page.get_by_test_id("loss-chart")).to_be_hidden()
    page.get_by_role("button", name="Show small").click()
    for name in ("loss-chart", "accuracy-chart", "rate-chart"):
        expect(page.get_by_test_id(name).locator("canvas")).to_be_visible()
    last = run.epochs[-1]
    label = page.get_by_test_id("loss-chart").get_attribute("aria-label")
    losses = re.search(r"training ([\d.e-]+), validation ([\d.e-]+)", label).groups()
    assert [float(loss) for loss in losses] == [
        as_shown_loss(last[f"{part}_loss"]) for part in ("training", "validation")
    ]
    rows = page.get_by_test_id("epochs-table").locator("tbody tr")
    expect(rows).to_have_count(3)
    for row, epoch in zip(rows.all(), run.epochs):
        cells = row.locator("td").all_inner_texts()
        numbers = [float(found) for cell in cells for found in re.findall(r"^[\d.e-]+", cell)]
        for loss in (epoch["training_loss"], epoch["validation_loss"]):
            assert as_shown_loss(loss) in numbers
        assert pytest.approx(100 * epoch["validation_accuracy"], abs=0.00501) in numbers
    page.get_by_test_id("logarithmic").click()
    expect(page.get_by_test_id("logarithmic")).to_have_attribute("aria-pressed", "true")
    page.get_by_test_id("model").select_option("default")
    expect(page.get_by_test_id("no-history")).to_be_visible()


def test_axe_finds_nothing(visit, networks):
    page = visit.page("network/", reduced_motion="reduce")
    settled(page)
    tiles(page, 0).first.click()
    expect(page.get_by_test_id("unit").locator(".example")).to_have_count(12)
    page.get_by_test_id("mute").click()
    expect(page.get_by_test_id("changed")).to_be_visible()
    settled(page)
    require_accessible(page)
    for path in ("parameters/", "parameters/?model=run-small", "graph/", "graph/?model=run-small"):
        page.goto(path)
        expect(page.get_by_test_id("model").locator("option").nth(1)).to_be_attached()
        require_accessible(page)
