"""The page Data and what it asks: sets, sprite sheets, predictions, augmentation."""

import base64
import json
import re

import numpy as np
import pytest
from serving import PHONE, Server, require_accessible

import digitnet as dn


@pytest.fixture(scope="module")
def samples(server):
    """The sample of MNIST that the server has."""
    return dn.load_mnist(server.data)


@pytest.fixture(scope="module")
def weak(server):
    """The id of a run whose model makes many mistakes."""
    mnist = dn.load_mnist(server.data)
    network = dn.Network([784, 16, 10], seed=1)
    dn.train(network, mnist.train, validation=0.1, epochs=1, seed=1, run=server.runs / "weak")
    return "run-weak"


@pytest.fixture
def no_drawings(client):
    """The personal set is empty, before and after."""
    client.ask("api/personal", method="DELETE")
    yield
    client.ask("api/personal", method="DELETE")


def unpacked(text, kind=np.uint8):
    return np.frombuffer(base64.b64decode(text), kind)


# ---------------------------------------------------------------- the API


def test_sets_say_what_is_there_and_what_is_not(client, no_drawings):
    status, answer = client.ask("api/data")
    assert status == 200
    sets = {each["id"]: each for each in answer["sets"]}
    assert sets["mnist"]["parts"] == {"test": 1000, "train": 6000}
    assert sets["fashion-mnist"]["classes"][9] == "Ankle boot"
    assert sets["personal"]["parts"] == {}
    assert "Draw a digit" in sets["personal"]["missing"]
    assert set(answer["augmentations"]) == set(dn.AUGMENTATIONS)


def test_sheets_hold_the_images_and_the_facts_their_labels(client, samples):
    status, facts = client.ask("api/data/mnist/test")
    assert status == 200
    assert facts["samples"] == 1000
    assert facts["fingerprint"] == samples.test.fingerprint()
    assert (unpacked(facts["labels"]) == samples.test.labels).all()
    sheets = [client.ask(f"api/data/mnist/test/sprite/{number}")[1] for number in range(2)]
    images = np.frombuffer(b"".join(sheets), np.uint8).reshape(-1, 28, 28)
    assert (images == samples.test.images).all()


def test_sheets_are_kept_for_ever_only_under_their_fingerprint(server, client, samples):
    import urllib.request

    def cache(query):
        address = f"{server.url}api/data/mnist/test/sprite/1{query}"
        request = urllib.request.Request(address, headers={"Accept-Encoding": "gzip"})
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.headers["Cache-Control"], answer.headers["Content-Encoding"]

    assert cache(f"?v={samples.test.fingerprint()}") == ("public, max-age=31536000, immutable", "gzip")
    assert cache("?v=0000") == ("no-store", "gzip")
    assert cache("") == ("no-store", "gzip")


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("api/data/mnist/test/sprite/2", "sheet 2 of mnist/test, expected 0 to 1"),
        ("api/data/mnist/test/sprite/99999999999999999999", "sheet"),
        ("api/data/mnist/test/1000", "image 1000 of mnist/test, expected 0 to 999"),
        ("api/data/mnist/both", "expected one of mnist/test"),
        ("api/data/cifar/test", "'cifar/test', expected one of"),
        ("api/data/personal/test", "personal/all"),
        ("api/data/mnist/test/predictions?model=run-none", "There is no model 'run-none' any more"),
        ("api/data/mnist/test/predictions?model=../../etc", "There is no model '../../etc' any more"),
        ("api/data/mnist/test/0?model=upload-..", "There is no model 'upload-..' any more"),
    ],
)
def test_what_is_not_there_is_told(client, path, words):
    status, answer = client.ask(path)
    assert status == 404, answer
    assert answer["error"]["code"] == "not_found"
    assert words in answer["error"]["message"]


def test_data_are_only_read(client):
    for path in ("api/data", "api/data/mnist/test", "api/data/mnist/test/sprite/0"):
        assert client.ask(path, {})[0] == 405


@pytest.mark.parametrize("model", ["default", "run-weak"])
def test_predictions_are_those_of_the_library(client, server, samples, weak, model):
    status, answer = client.ask(f"api/data/mnist/test/predictions?model={model}")
    assert status == 200
    path = dn.shipped_model() if model == "default" else dn.Run(server.runs / "weak").best.model
    network, recognizer = dn.Network.load(path), dn.Recognizer(path)
    reads = recognizer.recognize_images(samples.test)
    predicted = np.array([read.probabilities.argmax() for read in reads])
    labels = samples.test.labels
    assert (unpacked(answer["predicted"]) == predicted).all()
    confidence = unpacked(answer["confidence"], "<u2") / 65535
    assert np.abs(confidence - [read.probability for read in reads]).max() < 1e-5
    statuses = ["digit", "unsure", "not_a_digit", "empty"]
    assert [statuses[number] for number in unpacked(answer["status"])] == [read.status for read in reads]
    evaluation = network.evaluate(samples.test)
    assert answer["accuracy"] == evaluation.accuracy
    assert answer["confusion"] == evaluation.confusion.tolist()
    curve = dn.coverage_curve([read.margin for read in reads], predicted, labels)
    shares = [(step + 1) / 1000 for step in range(1000)]
    assert answer["coverage"]["accuracy"] == pytest.approx([curve.at(share) for share in shares], abs=1e-6)
    probabilities = np.array([read.probabilities for read in reads])
    assert answer["expected_calibration_error"] == dn.expected_calibration_error(probabilities, labels)
    assert sum(each["samples"] for each in answer["reliability"]) == 1000


def test_one_image_is_told_with_its_reading(client, samples):
    status, answer = client.ask("api/data/mnist/test/7")
    assert status == 200
    assert answer["label"] == samples.test.labels[7]
    assert answer["image"] == samples.test.images[7].ravel().tolist()
    read = dn.Recognizer().recognize_images(samples.test.images[7:8])[0]
    assert answer["status"] == read.status
    assert answer["probabilities"] == pytest.approx(read.probabilities.tolist(), abs=1e-6)


def test_averages_are_means(client, samples):
    answer = client.ask("api/data/mnist/train/averages")[1]
    means = unpacked(answer["averages"]).reshape(10, 784)
    labels = samples.train.labels
    for digit in range(10):
        expected = samples.train.images[labels == digit].reshape(-1, 784).mean(axis=0)
        assert np.abs(means[digit] - expected).max() <= 0.5
    assert answer["class_counts"] == np.bincount(labels, minlength=10).tolist()


def test_augmentation_is_the_librarys_and_seeded(client, samples):
    path = "api/data/mnist/test/3/augmented"
    status, first = client.ask(f"{path}?name=strong&seed=5&copies=6")
    assert status == 200
    expected = dn.augment(
        np.repeat(samples.test.images[3:4], 6, axis=0), dn.Augmentation.named("strong"), seed=5
    )
    assert (unpacked(first["images"]) == expected.ravel()).all()
    assert len(first["predicted"]) == 6
    assert client.ask(f"{path}?name=strong&seed=5&copies=6")[1] == first
    assert client.ask(f"{path}?name=strong&seed=6&copies=6")[1]["images"] != first["images"]
    plain = client.ask(f"{path}?name=none&copies=1")[1]
    assert (unpacked(plain["images"]) == samples.test.images[3].ravel()).all()
    turned = client.ask(f"{path}?name=none&rotation=30&copies=1")[1]
    assert turned["images"] != plain["images"]


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("name=wild", "name"),
        ("rotation=181", "rotation"),
        ("rotation=nan", "rotation"),
        ("scale=-1", "scale"),
        ("elastic=1e400", "elastic"),
        ("thickness=many", "thickness"),
        ("seed=-1", "seed"),
        ("seed=99999999999", "seed"),
        ("seed=1.5", "seed"),
        ("copies=0", "copies"),
        ("copies=65", "copies"),
        ("copies=٣", "copies"),
    ],
)
def test_augmentation_out_of_range_names_the_field(client, query, field):
    from urllib.parse import quote

    status, answer = client.ask(f"api/data/mnist/test/0/augmented?{quote(query, safe='=&')}")
    assert status == 422
    assert answer["error"]["field"] == field


def test_personal_digits_are_a_set_of_their_own(client, no_drawings):
    assert client.ask("api/data/personal/all")[1]["error"]["code"] == "no_data"
    drawing = {"strokes": [[[20, 20], [80, 18], [45, 90]]], "width": 100, "height": 100}
    status, kept = client.ask("api/personal", {"digit": 7, **drawing})
    assert status in (200, 201), kept
    status, facts = client.ask("api/data/personal/all")
    assert status == 200
    assert facts["samples"] == 1
    assert unpacked(facts["labels"]).tolist() == [7]
    image = client.ask("api/data/personal/all/sprite/0")[1]
    assert image == dn.to_mnist_image(dn.Drawing(drawing["strokes"], width=100, height=100)).tobytes()
    assert client.ask("api/data/personal/all/predictions")[1]["samples"] == 1
    client.ask("api/personal", {"digit": 1, "strokes": [[[50, 10], [50, 90]]], "width": 100, "height": 100})
    assert client.ask("api/data/personal/all")[1]["samples"] == 2


# ---------------------------------------------------------------- the page


def ready(page):
    """Waits until the images were read by the model."""
    from playwright.sync_api import expect

    expect(page.get_by_test_id("accuracy")).to_have_text(re.compile(r"\d %$"))
    expect(page.get_by_test_id("images")).not_to_have_attribute("aria-busy", "true")


def here(page, testid="images"):
    """The image where the keyboard is, in words."""
    return page.get_by_test_id(testid).get_by_role("option").text_content()


def test_the_whole_set_is_walked_and_filtered(visit, client, samples, weak):
    from playwright.sync_api import expect

    page = visit.page(f"data/?model={weak}")
    ready(page)
    labels = samples.test.labels
    matches = page.get_by_test_id("matches")
    expect(matches).to_have_text(re.compile(r"^1.000 of 1.000 images$"))
    page.get_by_test_id("images").get_by_role("listbox").focus()
    assert here(page).startswith(f"Image 0: {labels[0]}, ")
    page.keyboard.press("End")
    assert here(page).startswith(f"Image 999: {labels[999]}, ")
    scroll = page.get_by_test_id("images").get_by_role("listbox")
    assert scroll.evaluate("(box) => box.scrollTop + box.clientHeight >= box.scrollHeight - 1")
    page.keyboard.press("Home")
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    assert here(page).startswith(f"Image 3: {labels[3]}, ")

    predictions = client.ask(f"api/data/mnist/test/predictions?model={weak}")[1]
    predicted = unpacked(predictions["predicted"])
    confidence = unpacked(predictions["confidence"], "<u2") / 65535
    page.get_by_test_id("filter-label").select_option("4")
    expect(matches).to_have_text(re.compile(rf"^{(labels == 4).sum()} of"))
    page.get_by_test_id("filter-result").select_option("wrong")
    wrong = np.flatnonzero((labels == 4) & (predicted != 4))
    assert len(wrong) > 2
    expect(matches).to_have_text(re.compile(rf"^{len(wrong)} of"))
    page.get_by_test_id("sort").select_option("unsure")
    scroll.focus()
    assert here(page).startswith(f"Image {wrong[np.argmin(confidence[wrong])]}: 4, read as ")
    page.get_by_test_id("filter-low").fill("60")
    between = wrong[confidence[wrong] >= 0.6]
    expect(matches).to_have_text(re.compile(rf"^{len(between)} of"))

    page = visit.page("data/" + page.evaluate("location.search"))  # the address says what was chosen
    ready(page)
    matches = page.get_by_test_id("matches")
    expect(page.get_by_test_id("filter-label")).to_have_value("4")
    expect(matches).to_have_text(re.compile(rf"^{len(between)} of"))
    expect(page.get_by_test_id("model")).to_have_value(weak)
    page.get_by_test_id("filter-high").fill("1")
    page.get_by_test_id("filter-low").fill("0")
    expect(page.get_by_text("No image is like that.").first).to_be_visible()
    page.get_by_test_id("reset").click()
    expect(matches).to_have_text(re.compile(r"^1.000 of"))


def test_images_are_painted_while_scrolling(visit, samples):
    """What is painted in the middle of a cell is the image it stands for, anywhere in 6,000."""
    page = visit.page("data/?part=train")
    ready(page)
    scroll = page.get_by_test_id("images").get_by_role("listbox")
    scroll.evaluate("(box) => { box.scrollTop = 84 * 200 }")
    columns = scroll.evaluate("(box) => Math.floor(box.clientWidth / 68)")
    index = 200 * columns
    expected = samples.train.images[index]
    row, column = np.unravel_index(expected.argmax(), expected.shape)
    is_ink = """([x, y]) => {
      const canvas = document.querySelector("[data-testid=images] .thumbs-canvas");
      const data = canvas.getContext("2d").getImageData(x, y, 1, 1).data;
      return data[0] < 60 && data[3] === 255;
    }"""
    width = scroll.evaluate("(box) => box.clientWidth / Math.floor(box.clientWidth / 68)")
    x, y = (width - 56) / 2 + 2 * column + 1, 4 + 2 * row + 1
    page.wait_for_function(is_ink, arg=[round(x), round(y)])


def test_a_cell_of_the_confusion_matrix_opens_its_images(visit, client, weak):
    from playwright.sync_api import expect

    page = visit.page(f"data/?model={weak}")
    ready(page)
    confusion = np.array(client.ask(f"api/data/mnist/test/predictions?model={weak}")[1]["confusion"])
    np.fill_diagonal(off := confusion.copy(), 0)
    label, read = np.unravel_index(off.argmax(), off.shape)
    cell = page.get_by_test_id("confusion").get_by_role("button", name=f"{label} read as {read}: ")
    expect(cell).to_have_text(str(off[label, read]))
    cell.click()
    expect(page.get_by_test_id("matches")).to_have_text(re.compile(rf"^{off[label, read]} of"))
    expect(page.get_by_test_id("filter-label")).to_have_value(str(label))
    expect(page.get_by_test_id("filter-read")).to_have_value(str(read))
    assert re.match(rf"Image \d+: {label}, read as {read}, ", here(page))
    assert f"label={label}" in page.url


def test_mistakes_are_ordered_and_opened_large(visit, client, weak):
    from playwright.sync_api import expect

    page = visit.page(f"data/?model={weak}")
    ready(page)
    answer = client.ask(f"api/data/mnist/test/predictions?model={weak}")[1]
    wrong = 1000 - np.trace(answer["confusion"])
    expect(page.get_by_text(f"{wrong} of 1", exact=False).first).to_be_visible()
    gallery = page.get_by_test_id("misclassified")
    gallery.get_by_role("listbox").focus()
    seen = []
    for _ in range(min(20, wrong)):
        words = here(page, "misclassified")
        label, read, sure = re.match(r"Image \d+: (\d), read as (\d), ([\d.]+) % sure", words).groups()
        assert label != read
        seen.append(float(sure))
        page.keyboard.press("ArrowRight")
    assert seen == sorted(seen, reverse=True)
    page.get_by_test_id("mistakes-sort").select_option("unsure")
    gallery.get_by_role("listbox").focus()
    least = float(re.search(r"([\d.]+) % sure", here(page, "misclassified"))[1])
    assert least <= min(seen)

    index, label = re.match(r"Image (\d+): (\d)", here(page, "misclassified")).groups()
    page.keyboard.press("Enter")
    detail = page.get_by_test_id("detail")
    expect(detail.get_by_role("heading")).to_have_text(f"Image {index}")
    expect(page.get_by_test_id("detail-label")).to_have_text(label)
    expect(page.get_by_test_id("detail-read")).to_have_text(re.compile(r"^\d, [\d.]+ % sure"))
    page.keyboard.press("ArrowRight")
    expect(detail.get_by_role("heading")).not_to_have_text(f"Image {index}")
    page.get_by_test_id("detail-previous").click()
    expect(detail.get_by_role("heading")).to_have_text(f"Image {index}")
    page.keyboard.press("Escape")
    expect(detail).not_to_be_visible()


def test_an_image_goes_on_as_a_drawing(visit, client, samples):
    """Strokes made of an image are nearly always read as it is; the other pages begin with them."""
    from playwright.sync_api import expect

    page = visit.page("data/")
    ready(page)
    page.get_by_test_id("images").get_by_role("listbox").focus()
    page.keyboard.press("Enter")
    expect(page.get_by_test_id("detail-read")).to_have_text(re.compile("sure"))
    strokes_of = """async (path) => {
      const { strokesOf } = await import(path);
      window.strokesOf = strokesOf;
    }"""
    page.evaluate(strokes_of, f"{server_static(page)}/data_trace.js")
    images = samples.test.images[:100]
    drawings = page.evaluate("(images) => images.map(strokesOf)", images.reshape(100, 784).tolist())
    recognizer = dn.Recognizer()
    same = 0
    for drawing, as_image in zip(drawings, recognizer.recognize_images(images), strict=True):
        size = {name: drawing[name] for name in ("width", "height", "brush")}
        same += recognizer.recognize(dn.Drawing(drawing["strokes"], **size)).digit == as_image.digit
    assert same >= 88, same  # a stroke has one width, so blots and hair lines are other than they were
    page.get_by_test_id("detail-draw").click()
    page.wait_for_url(lambda address: not address.endswith("data/"))
    kept = json.loads(page.evaluate("localStorage.getItem('digitnet-drawing')"))
    assert 10 < kept["brush"] < 80  # lines as a pen draws them, not the pixels one by one
    assert len(kept["strokes"]) < 10


def server_static(page):
    """The address of the modules of a page."""
    source = page.locator("script[type=module]").last.get_attribute("src")
    return source.rsplit("/", 1)[0]


def test_the_slider_says_what_the_coverage_curve_says(visit, samples, server, weak):
    from playwright.sync_api import expect

    page = visit.page(f"data/?model={weak}")
    ready(page)
    recognizer = dn.Recognizer(dn.Run(server.runs / "weak").best.model)
    reads = recognizer.recognize_images(samples.test)
    predicted = [read.probabilities.argmax() for read in reads]
    curve = dn.coverage_curve([read.margin for read in reads], predicted, samples.test.labels)
    slider, answer = page.get_by_test_id("coverage-slider"), page.get_by_test_id("coverage-answer")
    for share in (0.98, 0.5, 0.755, 1.0):
        slider.fill(str(round(1000 * share)))
        words = re.compile(rf"^Answer the surest {100 * share:.1f} %: ([\d.]+) % right$")
        expect(answer).to_have_text(words)
        right = float(words.match(answer.inner_text())[1])
        assert right == pytest.approx(100 * curve.at(share), abs=0.0051)  # it is rounded to 0.01
    slider.focus()
    page.keyboard.press("ArrowLeft")
    expect(answer).to_have_text(re.compile("^Answer the surest 99.9 %"))


def test_augmentation_is_previewed_and_comes_back_by_its_seed(visit):
    from playwright.sync_api import expect

    page = visit.page("data/")
    ready(page)
    place = page.get_by_test_id("augmented")
    reading = page.get_by_test_id("augment-reading")
    expect(reading).to_have_text(re.compile("of 24 are still read as"))

    def shown():
        return place.evaluate(
            "(place) => [...place.querySelectorAll('canvas')].map((each) => each.toDataURL())"
        )

    def until_other(before, act):
        """What is shown after an act, as soon as it is something else; and what the page asked for."""
        with page.expect_response(re.compile("augmented")) as answer:
            act()
        page.wait_for_function(
            """(before) => {
              const canvases = document.querySelectorAll("[data-testid=augmented] canvas");
              return [...canvases].some((each, index) => each.toDataURL() !== before[index]);
            }""",
            arg=before,
        )
        return shown(), answer.value.url

    start = shown()
    again, _ = until_other(start, page.get_by_test_id("augment-again").click)
    expect(page.get_by_test_id("augment-seed")).to_have_value("2")
    back, _ = until_other(again, lambda: page.get_by_test_id("augment-seed").fill("1"))
    assert back == start
    turned, address = until_other(back, lambda: page.get_by_test_id("knob-rotation").fill("40"))
    assert "rotation=40" in address
    expect(page.get_by_test_id("augment-name")).to_have_value("own")
    until_other(turned, lambda: page.get_by_test_id("augment-name").select_option("none"))
    expect(page.get_by_test_id("knob-rotation")).to_have_value("0")


def test_an_average_leads_to_its_class(visit, samples):
    from playwright.sync_api import expect

    page = visit.page("data/")
    ready(page)
    page.get_by_test_id("averages").get_by_role("button").nth(3).click()
    total = (samples.test.labels == 3).sum()
    expect(page.get_by_test_id("matches")).to_have_text(re.compile(rf"^{total} of"))


def test_other_sets_and_a_set_that_is_not_there(browser, tmp_path):
    from playwright.sync_api import expect
    from serving import Visit

    alone = Server(tmp_path, environment={"DIGITNET_DATA_DIR": str(tmp_path / "nothing")})
    visits = Visit(browser, alone)
    try:
        visits.allow("409")
        page = visits.page("data/")
        expect(page.get_by_test_id("no-data")).to_contain_text("digitnet fetch mnist")
        page.get_by_test_id("dataset").select_option("personal")
        expect(page.get_by_test_id("no-data").get_by_role("link", name="Draw a digit")).to_be_visible()
        assert alone.client().ask("api/data/mnist/test")[0] == 409
        visits.close()
    finally:
        alone.stop()


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_everyone_can_use_it(visit, size, weak):
    from playwright.sync_api import expect

    options = {"viewport": PHONE, "has_touch": True} if size == "phone" else {}
    page = visit.page(f"data/?model={weak}&set=fashion-mnist", reduced_motion="reduce", **options)
    ready(page)
    require_accessible(page)
    page.get_by_test_id("misclassified").click(position={"x": 30, "y": 30})
    expect(page.get_by_test_id("detail-read")).to_have_text(re.compile("sure"))
    require_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
