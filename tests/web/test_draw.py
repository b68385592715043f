"""The Draw page in a real browser: every way to draw, every tool, and what is shown of it."""

import base64
import json
import os
import re
from pathlib import Path

import numpy as np
import pytest
from playwright.sync_api import expect
from replay_strokes import correct, replay
from serving import PHONE, draw, fitted, require_accessible

import digitnet as dn

TESTS = Path(__file__).resolve().parents[1]
IMAGES = TESTS / "data" / "images"
SEVEN = [[(0.2, 0.2), (0.5, 0.2), (0.8, 0.2), (0.6, 0.5), (0.45, 0.9)]]
WAVES = [[(0.1 + 0.1 * x, 0.3 + 0.4 * (x % 2)) for x in range(9)]]


def prediction(page):
    return page.get_by_test_id("prediction")


def status(page):
    return page.get_by_test_id("status")


def kept_drawing(page):
    return json.loads(page.evaluate("localStorage.getItem('digitnet-drawing')"))


def ink(page, testid="canvas"):
    """How many pixels of a canvas are not see-through."""
    return sum(alpha > 0 for alpha in pixels(page, testid)[3::4])


def pixels(page, testid):
    """Red, green, blue and opacity of each pixel, from a copy: reading a canvas makes it slow."""
    text = page.get_by_test_id(testid).evaluate(
        """canvas => {
          const { width, height } = canvas;
          const copy = new OffscreenCanvas(width, height).getContext("2d", { willReadFrequently: true });
          copy.drawImage(canvas, 0, 0);
          const { data } = copy.getImageData(0, 0, width, height);
          let text = "";
          for (const value of data) text += String.fromCharCode(value);
          return btoa(text);
        }"""
    )
    return base64.b64decode(text)


def shares(page):
    return [float(page.get_by_test_id(f"bar-{digit}").get_attribute("aria-valuenow")) for digit in range(10)]


def strokes_on(page):
    return len(kept_drawing(page)["strokes"])


def answered(page, times):
    """Waits until so many finished drawings were read: of the last one only its explanation is to come."""
    expect(page.locator("[data-part=reading]")).to_have_attribute("data-answer", str(times))


def painted(page):
    """Waits until all that was changed is on the screen."""
    page.evaluate("() => new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(done)))")


def is_reading(request):
    """Whether it asks what is drawn, and not why it is read so."""
    return request.url.endswith("api/recognize") and "explain" not in request.post_data


# ---------------------------------------------------------------- drawing


def test_the_mouse_draws_and_the_page_reads_along(visit):
    page = visit.page()
    expect(prediction(page)).to_have_text("")
    expect(status(page)).to_contain_text("Empty")
    expect(page.get_by_test_id("undo")).to_be_disabled()
    box = page.get_by_test_id("canvas").bounding_box()
    places = [(box["x"] + x * box["width"], box["y"] + y * box["height"]) for x, y in SEVEN[0]]
    page.mouse.move(*places[0])
    page.mouse.down()
    for place in places[1:]:
        page.mouse.move(*place, steps=4)
    expect(prediction(page)).to_have_text("7")  # the button is still down
    page.mouse.up()
    answered(page, 1)
    expect(prediction(page)).to_have_text("7")
    expect(status(page)).to_contain_text("Digit 7, with")
    assert sum(shares(page)) == pytest.approx(100, abs=1e-9)
    shown = [page.get_by_test_id(f"bar-{digit}").inner_text() for digit in range(10)]
    assert [float(text.replace("%", "")) for text in shown] == shares(page)
    assert np.argmax(shares(page)) == 7


def test_the_seen_image_is_what_the_server_says(visit):
    page = visit.page()
    with page.expect_response("**/api/recognize") as response:
        page.get_by_test_id("sample-3").click()
    image = response.value.json()["image"]
    expect(prediction(page)).to_have_text("3")
    paper, black = 255, 22  # --canvas and --ink of the light theme
    expected = [paper + (black - paper) * value / 255 for value in image]
    np.testing.assert_allclose(list(pixels(page, "seen")[::4]), expected, atol=1)


def test_real_strokes_are_read_as_well_as_by_the_library(visit):
    folder = Path(os.environ.get("DIGITNET_DATA_DIR", "")) / "uji-digits" / "uji-digits.jsonl.gz"
    path = folder if folder.is_file() else TESTS / "data" / "strokes" / "digits.jsonl"
    drawings = dn.read_drawings(path)
    drawings = [drawings[index] for index in np.random.default_rng(5).permutation(len(drawings))[:8]]
    thinned = [dn.Drawing([s[::3].tolist() for s in d.strokes], label=d.label) for d in drawings]
    recognizer = dn.Recognizer(dn.shipped_model())
    replayed = replay(visit.page(), thinned, seed=7)
    by_library = [recognizer.recognize(dn.Drawing(**drawing)).digit for drawing in replayed.drawings]
    assert replayed.read == by_library
    assert correct(replayed.read, thinned) > len(thinned) / 2  # how many is told by replay_strokes.py
    assert len(replayed.latencies) >= len(thinned)


def test_a_finger_draws_on_a_phone_and_the_page_stays_where_it_is(visit):
    page = visit.page(viewport=PHONE, has_touch=True, is_mobile=True)
    box = page.get_by_test_id("canvas").bounding_box()
    session = page.context.new_cdp_session(page)

    def touch(kind, *points):
        at = [{"x": box["x"] + x * box["width"], "y": box["y"] + y * box["height"]} for x, y in points]
        session.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": at})

    touch("touchStart", SEVEN[0][0])
    for (x, y), (a, b) in zip(SEVEN[0], SEVEN[0][1:], strict=False):
        for part in range(1, 6):
            touch("touchMove", (x + (a - x) * part / 5, y + (b - y) * part / 5))
    touch("touchEnd")
    expect(prediction(page)).to_have_text("7")
    assert page.evaluate("scrollY") == 0
    assert strokes_on(page) == 1
    answer = prediction(page).bounding_box()
    assert answer["y"] + answer["height"] <= PHONE["height"]  # the digit is seen without scrolling
    assert page.evaluate("document.documentElement.scrollWidth") <= PHONE["width"]


def test_a_pen_draws_and_its_other_end_erases(visit):
    page = visit.page()

    def pen(strokes, button):
        page.get_by_test_id("canvas").evaluate(
            """(canvas, [stroke, button]) => {
              const box = canvas.getBoundingClientRect();
              canvas.setPointerCapture = () => {};
              stroke.forEach(([x, y], index) => {
                const at = { clientX: box.left + x * box.width, clientY: box.top + y * box.height };
                const last = index === stroke.length - 1 ? "pointerup" : "pointermove";
                const type = index === 0 ? "pointerdown" : last;
                const pen = { pointerType: "pen", pointerId: 9, button };
                canvas.dispatchEvent(new PointerEvent(type, { ...at, ...pen }));
              });
            }""",
            [strokes, button],
        )

    pen([*SEVEN[0], SEVEN[0][-1]], 0)
    expect(prediction(page)).to_have_text("7")
    pen([(0.5, 0.2), (0.5, 0.2), (0.5, 0.2)], 5)
    assert strokes_on(page) == 2


def test_the_keyboard_alone_draws(visit):
    page = visit.page()
    canvas = page.get_by_test_id("canvas")
    canvas.focus()
    for _ in range(4):
        page.keyboard.press("ArrowUp")
    page.keyboard.press("Space")
    for _ in range(26):
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Space")
    expect(prediction(page)).to_have_text("1")
    assert strokes_on(page) == 1
    page.keyboard.press("Control+z")
    expect(prediction(page)).to_have_text("")
    page.keyboard.press("Control+y")
    expect(prediction(page)).to_have_text("1")
    page.keyboard.press("Delete")
    expect(status(page)).to_contain_text("Empty")
    page.get_by_test_id("predict").focus()
    page.keyboard.press("Control+z")  # anywhere on the page
    expect(prediction(page)).to_have_text("1")
    page.keyboard.press("Control+Shift+Z")
    expect(prediction(page)).to_have_text("")


def test_undo_and_clear_in_the_middle_of_a_line_leave_the_others_as_they_are(visit):
    page = visit.page()
    draw(page, SEVEN)
    seven = kept_drawing(page)["strokes"]
    box = page.get_by_test_id("canvas").bounding_box()

    def begin_line():
        page.mouse.move(box["x"] + 60, box["y"] + 300)
        page.mouse.down()
        page.mouse.move(box["x"] + 90, box["y"] + 310)

    def go_on():
        page.mouse.move(box["x"] + 150, box["y"] + 330)
        page.mouse.up()

    begin_line()
    page.keyboard.press("Control+z")
    go_on()
    assert kept_drawing(page)["strokes"] == seven
    page.keyboard.press("Control+y")  # the line, as far as it was drawn
    assert strokes_on(page) == 2
    page.keyboard.press("Control+z")
    assert kept_drawing(page)["strokes"] == seven

    begin_line()
    page.keyboard.press("Delete")
    go_on()
    assert strokes_on(page) == 0
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert kept_drawing(page)["strokes"] == seven

    page.keyboard.press("Space")  # the same with the pen of the keyboard
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+z")
    page.keyboard.press("ArrowDown")
    assert kept_drawing(page)["strokes"] == seven
    page.keyboard.press("Space")
    page.keyboard.press("Delete")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("Control+z")
    page.keyboard.press("Control+z")
    assert kept_drawing(page)["strokes"] == seven
    begin_line()
    page.get_by_test_id("sample-1").evaluate("button => button.click()")
    go_on()
    assert strokes_on(page) == 1
    page.get_by_test_id("undo").click()
    page.get_by_test_id("undo").click()
    assert kept_drawing(page)["strokes"] == seven


# ---------------------------------------------------------------- tools


def test_undo_redo_and_clear(visit):
    page = visit.page()
    undo, redo, clear = (page.get_by_test_id(name) for name in ("undo", "redo", "clear"))
    draw(page, SEVEN)
    draw(page, [[(0.4, 0.55), (0.75, 0.55)]])
    expect(prediction(page)).to_have_text("7")
    undo.click()
    assert strokes_on(page) == 1
    redo.click()
    assert strokes_on(page) == 2
    clear.click()
    expect(status(page)).to_contain_text("Empty")
    expect(prediction(page)).to_have_text("")
    assert shares(page) == [0] * 10
    assert ink(page) == 0
    undo.click()
    assert strokes_on(page) == 2
    expect(prediction(page)).to_have_text("7")
    undo.click()
    undo.click()
    expect(undo).to_be_disabled()
    expect(status(page)).to_contain_text("Empty")


def test_the_eraser_cuts_a_line_in_two(visit):
    page = visit.page()
    draw(page, [[(0.5, 0.1), (0.5, 0.9)]])
    before = ink(page)
    page.get_by_test_id("erase").click()
    expect(page.get_by_test_id("erase")).to_have_attribute("aria-pressed", "true")
    draw(page, [[(0.3, 0.5), (0.7, 0.5)]])
    assert strokes_on(page) == 2
    assert 0 < ink(page) < before
    page.get_by_test_id("undo").click()
    assert strokes_on(page) == 1
    assert ink(page) == before
    page.get_by_test_id("erase").click()
    draw(page, [[(0.2, 0.2), (0.3, 0.2)]])
    assert strokes_on(page) == 2


def test_the_brush_changes_the_width_but_not_the_reading(visit):
    page = visit.page()
    draw(page, SEVEN)
    thin = ink(page)
    page.get_by_test_id("brush").fill("50")
    assert ink(page) > 1.4 * thin
    expect(prediction(page)).to_have_text("7")
    expect(page.get_by_test_id("brush")).to_have_value("50")
    assert kept_drawing(page)["brush"] == 50


def test_predict_asks_again(visit):
    page = visit.page()
    draw(page, SEVEN)
    expect(prediction(page)).to_have_text("7")
    with page.expect_response("**/api/recognize"):
        page.get_by_test_id("predict").click()
    page.get_by_test_id("clear").click()
    page.get_by_test_id("predict").click()
    expect(status(page)).to_contain_text("Empty")


def test_ink_outlives_every_resize_and_a_reload(visit):
    page = visit.page()
    draw(page, SEVEN)
    expect(prediction(page)).to_have_text("7")
    before = kept_drawing(page)
    share = ink(page) / page.get_by_test_id("canvas").evaluate("canvas => canvas.width * canvas.height")
    for size in (
        {"width": 390, "height": 844},
        {"width": 844, "height": 390},
        {"width": 1440, "height": 900},
    ):
        page.set_viewport_size(size)
        page.wait_for_function(
            """({ width, height }) => {
              const canvas = document.querySelector("[data-testid=canvas]");
              const isFitting = canvas.width === Math.round(canvas.clientWidth * devicePixelRatio);
              return innerWidth === width && innerHeight === height && isFitting;
            }""",
            arg=size,
        )
        painted(page)
        expect(prediction(page)).to_have_text("7")
        now = ink(page) / page.get_by_test_id("canvas").evaluate("canvas => canvas.width * canvas.height")
        assert now == pytest.approx(share, rel=0.1)
    page.reload()
    expect(prediction(page)).to_have_text("7")
    assert kept_drawing(page)["strokes"] == before["strokes"]
    expect(page.get_by_test_id("undo")).to_be_disabled()


# ---------------------------------------------------------------- what is shown


def test_the_states_in_words(visit, digit_strokes):
    page = visit.page()
    expect(status(page)).to_contain_text("Empty")
    note = page.get_by_text("All ten together are 100 %.")
    expect(note).to_have_count(0)
    page.get_by_test_id("sample-7").click()
    expect(note).to_be_visible()
    page.get_by_test_id("clear").click()
    expect(note).to_have_count(0)
    draw(page, [[(0.5, 0.5), (0.51, 0.5)]])
    expect(status(page)).to_contain_text("Not a digit")
    expect(prediction(page)).to_have_text("")
    expect(page.get_by_text("What it would be, if it were one.")).to_be_visible()
    page = visit.page(
        "parameters/"
    )  # a page that draws nothing, so it does not keep another drawing meanwhile
    unsure = unsure_strokes()
    page.evaluate("drawing => localStorage.setItem('digitnet-drawing', JSON.stringify(drawing))", unsure)
    page.goto("")
    expect(status(page)).to_contain_text(re.compile(r"Unsure: \d with [\d.]+ %, or \d with [\d.]+ %\."))
    expect(prediction(page)).to_have_text(re.compile(r"^\d$"))


def unsure_strokes():
    """A drawing between a 1 and a 7, found by making the bar of a 1 longer until it is neither."""
    recognizer = dn.Recognizer(dn.shipped_model())
    for bar in range(121):
        strokes = [[[200 - bar, 70], [200, 62], [190, 340]]]
        if recognizer.recognize(dn.Drawing(strokes, 400, 400)).status == "unsure":
            return {"strokes": strokes, "width": 400, "height": 400}
    return pytest.fail("no drawing between 1 and 7 is unsure")


def test_every_sample_is_read_as_what_it_is(visit):
    page = visit.page()
    for digit in range(10):
        page.get_by_test_id(f"sample-{digit}").click()
        expect(prediction(page)).to_have_text(str(digit))


def test_several_digits_are_read_as_a_number(visit, digit_strokes):
    page = visit.page()
    for place, label in enumerate((1, 0, 7)):
        drawing = next(each for each in digit_strokes if each.label == label)
        draw(page, fitted(drawing), box=(0.03 + 0.31 * place, 0.3, 0.3))
    expect(page.get_by_test_id("number")).to_have_text("107")
    expect(page.locator("[data-part=several-digits] canvas")).to_have_count(3)
    page.get_by_test_id("clear").click()
    expect(page.get_by_test_id("number")).to_have_text("")


def test_signs_in_two_rows_are_told_without_a_number(visit):
    page = visit.page()
    for row in (0.1, 0.5):
        for column in (0.1, 0.3, 0.5, 0.7):
            star = [[(0, 0), (0.5, 1), (1, 0), (0, 0.5)]]
            draw(page, star, box=(column, row, 0.15))
    answered(page, 8)
    expect(status(page)).to_have_text("Several signs, none readable as a digit.")
    expect(page.get_by_test_id("number")).to_have_text("")
    expect(page.get_by_text("Write digits in one row.")).to_be_visible()
    words, bar = (page.get_by_test_id(name).bounding_box() for name in ("status", "bar-0"))
    assert words["y"] + words["height"] <= bar["y"]
    page.get_by_test_id("clear").click()
    expect(page.get_by_text("Several digits become a number.")).to_be_visible()


def test_another_model_is_named(visit, server, client):
    page = visit.page()
    page.get_by_test_id("sample-7").click()
    expect(prediction(page)).to_have_text("7")
    page.wait_for_load_state("networkidle")
    expect(page.get_by_test_id("model")).to_be_hidden()
    folder = server.folder / "state" / "models"
    folder.mkdir(parents=True, exist_ok=True)
    network = dn.Network([784, 8, 10], seed=1)
    network.save(folder / "plain.safetensors")
    network.metadata = {"calibration": dn.Network.load(dn.shipped_model()).metadata["calibration"]}
    network.save(folder / "calibrated.safetensors")
    for name, words in (
        ("plain", "Read by plain, which is not calibrated: it cannot tell what is no digit."),
        ("calibrated", "Read by calibrated."),
    ):
        assert client.ask(f"api/models/upload-{name}/use", {})[0] == 200
        page.goto("")
        expect(page.get_by_test_id("model")).to_have_text(words)
    page.get_by_test_id("model").get_by_role("link").click()
    expect(page.locator("[data-id=upload-calibrated]")).to_contain_text("In use")
    assert client.ask("api/models/default/use", {})[0] == 200


def test_what_spoke_for_it_and_what_would_change_it(visit):
    page = visit.page()
    page.get_by_test_id("sample-7").click()
    rows = page.get_by_test_id("top-three").locator("tr")
    expect(rows.nth(0)).to_contain_text("7")
    expect(rows.nth(2)).to_contain_text(re.compile(r"%\s*\W\d"))
    legend = page.get_by_test_id("ink-legend")
    expect(legend).to_contain_text("spoke for 7")
    expect(page.get_by_test_id("ink")).to_be_visible()
    assert ink(page, "ink") > 20
    page.get_by_test_id("show-ink").uncheck()
    expect(page.get_by_test_id("ink")).to_be_hidden()
    words = page.get_by_test_id("turned-words")
    page.get_by_test_id("wanted").select_option("2")
    expect(words).to_contain_text("it would be read as a 2")
    page.get_by_test_id("wanted").select_option("7")
    expect(words).to_contain_text("7 already")
    page.get_by_test_id("clear").click()
    expect(rows.nth(0)).not_to_contain_text(re.compile(r"\d"))


# ---------------------------------------------------------------- pictures


@pytest.mark.parametrize("name", ["1-pencil-on-grey-paper.jpg", "0-alpha-only.png"])
def test_a_picture_is_opened(visit, name):
    page = visit.page()
    draw(page, [[(0.1, 0.1), (0.9, 0.9)]])
    page.get_by_test_id("file").set_input_files(IMAGES / name)
    expect(prediction(page)).to_have_text(name[0])
    expect(page.get_by_test_id("picture")).to_be_visible()
    page.get_by_test_id("brush").fill("40")  # a picture has no brush
    page.get_by_test_id("predict").click()
    expect(prediction(page)).to_have_text(name[0])
    expect(page.get_by_test_id("picture")).to_be_visible()
    draw(page, SEVEN)  # drawing takes its place
    expect(page.get_by_test_id("picture")).to_be_hidden()
    expect(prediction(page)).to_have_text("7")


def test_a_large_picture_is_made_small_before_it_is_sent(visit, tmp_path):
    from PIL import Image

    small = Image.open(IMAGES / "4-black-on-white.jpg").convert("L").resize((2400, 2400))
    noise = np.random.default_rng(2).integers(-12, 13, (2400, 2400))
    large = np.clip(np.asarray(small, dtype=np.int16) + noise, 0, 255).astype(np.uint8)
    Image.fromarray(large).save(tmp_path / "4.png")
    assert (tmp_path / "4.png").stat().st_size > 2_500_000
    page = visit.page()
    with page.expect_request("**/api/recognize") as request:
        page.get_by_test_id("file").set_input_files(tmp_path / "4.png")
    assert len(request.value.post_data) < 1_600_000
    expect(prediction(page)).to_have_text("4")


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_picture_is_dropped_or_pasted(visit, way):
    page = visit.page()
    content = base64.b64encode((IMAGES / "2-thin-black-on-white.png").read_bytes()).decode()
    page.evaluate(
        """([way, content]) => {
          const bytes = Uint8Array.from(atob(content), (c) => c.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], "2.png", { type: "image/png" }));
          const given = way === "drop" ? { dataTransfer: data } : { clipboardData: data };
          const Kind = way === "drop" ? DragEvent : ClipboardEvent;
          document.body.dispatchEvent(new Kind(way, { ...given, bubbles: true, cancelable: true }));
        }""",
        [way, content],
    )
    expect(prediction(page)).to_have_text("2")


def test_what_is_no_picture_is_said(visit, tmp_path):
    page = visit.page()
    (tmp_path / "text.png").write_text("no picture")
    page.get_by_test_id("file").set_input_files(tmp_path / "text.png")
    expect(page.get_by_test_id("toasts")).to_contain_text("no picture this browser can read")
    expect(status(page)).to_contain_text("Empty")


def test_a_phone_takes_a_photo_with_its_own_camera(visit):
    page = visit.page(viewport=PHONE, has_touch=True, is_mobile=True)
    expect(page.get_by_test_id("camera-file")).to_have_attribute("capture", "environment")
    page.get_by_test_id("camera-file").set_input_files(IMAGES / "4-black-on-white.jpg")
    expect(prediction(page)).to_have_text("4")


def test_a_picture_stays_when_the_page_is_left(visit):
    page = visit.page()
    draw(page, SEVEN)
    page.get_by_test_id("file").set_input_files(IMAGES / "4-black-on-white.jpg")
    expect(prediction(page)).to_have_text("4")
    page.goto("network/")
    expect(page.get_by_text("No pictures here: this 7 is a sample.")).to_be_visible()
    expect(prediction(page)).to_have_text("7")
    page.goto("")
    expect(prediction(page)).to_have_text("4")
    expect(page.get_by_test_id("picture")).to_be_visible()
    page.get_by_test_id("clear").click()
    page.reload()
    expect(page.get_by_test_id("picture")).to_be_hidden()
    expect(status(page)).to_contain_text("Empty")


# ---------------------------------------------------------------- that was a 7


def test_that_was_a_7(visit, client):
    client.ask("api/personal", method="DELETE")
    page = visit.page()
    expect(page.get_by_test_id("was-7")).to_be_disabled()
    for digit in (7, 2, 3):
        page.get_by_test_id(f"sample-{digit}").click()
        page.get_by_test_id(f"was-{digit}").click()
        expect(page.get_by_test_id("teach-words")).to_contain_text(f"Kept as a {digit}")
        expect(page.get_by_test_id(f"was-{digit}")).to_be_disabled()  # once for each drawing
    page.get_by_test_id("file").set_input_files(IMAGES / "4-black-on-white.jpg")
    expect(prediction(page)).to_have_text("4")
    page.get_by_test_id("was-4").click()
    expect(page.get_by_test_id("personal-count")).to_have_text("4")
    page.get_by_test_id("personal").click()
    kept = page.get_by_test_id("personal-list").locator(".kept-one")
    expect(kept).to_have_count(4)
    with page.expect_download() as download:
        page.get_by_test_id("download-labels").click()
    assert Path(download.value.path()).read_bytes()[8:] == bytes([7, 2, 3, 4])
    with page.expect_download() as download:
        page.get_by_test_id("download-images").click()
    assert len(Path(download.value.path()).read_bytes()) == 16 + 4 * 784
    page.get_by_role("button", name="Delete this 4").click()
    expect(kept).to_have_count(3)
    page.get_by_test_id("personal-delete-all").click()
    page.get_by_test_id("personal-delete-all").click()
    expect(kept).to_have_count(0)
    expect(page.get_by_test_id("download-images")).to_be_hidden()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("personal-count")).to_have_text("0")


def test_what_another_tab_kept_is_counted_when_one_comes_back(visit, client):
    client.ask("api/personal", method="DELETE")
    page = visit.page()
    expect(page.get_by_test_id("personal-count")).to_have_text("0")
    client.ask("api/personal", {"strokes": [[[10, 10], [60, 12], [25, 90]]], "digit": 7})
    page.evaluate("document.dispatchEvent(new Event('visibilitychange'))")
    expect(page.get_by_test_id("personal-count")).to_have_text("1")


def test_the_list_waits_for_a_digit_that_is_being_kept(visit, client):
    client.ask("api/personal", method="DELETE")
    page = visit.page()
    expect(page.get_by_test_id("personal-count")).to_have_text("0")
    held = []

    def hold(route):
        held.append(route) if route.request.method == "POST" else route.continue_()

    page.route(re.compile("api/personal"), hold)
    page.get_by_test_id("sample-7").click()
    with page.expect_request(lambda request: request.method == "POST" and "personal" in request.url):
        page.get_by_test_id("was-7").click()
    page.get_by_test_id("personal").click()
    expect(page.get_by_test_id("personal-dialog")).to_be_visible()
    held[0].continue_()
    kept = page.get_by_test_id("personal-list").locator(".kept-one")
    expect(kept).to_have_count(1)
    expect(page.get_by_test_id("personal-count")).to_have_text("1")
    expect(page.get_by_test_id("download-labels")).to_be_visible()
    page.get_by_role("button", name="Delete this 7").click()
    expect(kept).to_have_count(0)

    # One that cannot be kept is told, and the list is shown all the same.
    visit.allow("Failed to load resource")
    page.keyboard.press("Escape")
    page.get_by_test_id("sample-2").click()
    with page.expect_request(lambda request: request.method == "POST" and "personal" in request.url):
        page.get_by_test_id("was-2").click()
    page.get_by_test_id("personal").click()
    held[1].abort()
    expect(page.get_by_test_id("toasts")).to_contain_text("did not answer")
    expect(page.get_by_text("None yet. Draw one and say what it was.")).to_be_visible()
    page.keyboard.press("Escape")
    expect(page.get_by_test_id("was-2")).to_be_enabled()


# ---------------------------------------------------------------- calm, in order, for everyone


def test_an_old_answer_does_not_replace_a_newer_one(visit):
    page = visit.page()
    held = []

    def hold(route):
        if "explain" in route.request.post_data:
            route.continue_()
        else:
            held.append(route)

    page.route("**/api/recognize", hold)
    for name in ("sample-1", "sample-8", "predict"):
        with page.expect_request(is_reading):
            page.get_by_test_id(name).click()
    assert len(held) == 3
    for route in reversed(held):
        with page.expect_response(lambda response: is_reading(response.request)) as response:
            route.continue_()
        response.value.finished()
        painted(page)  # by then the page has done with it what it does
        expect(prediction(page)).to_have_text("8")


def test_a_server_that_is_too_busy_is_asked_again(visit):
    visit.allow("503")
    page = visit.page()
    refusals = []

    def refuse_once(route):
        if refusals or "explain" in route.request.post_data:
            return route.continue_()
        refusals.append(route)
        error = {"error": {"code": "busy", "message": "too many drawings at once"}}
        return route.fulfill(status=503, json=error)

    page.route("**/api/recognize", refuse_once)
    page.get_by_test_id("sample-6").click()
    expect(prediction(page)).to_have_text("6")
    assert len(refusals) == 1


def test_a_server_that_is_gone_is_told_in_words(visit):
    visit.allow("Failed to load resource")
    page = visit.page()
    page.route("**/api/recognize", lambda route: route.abort())
    page.get_by_test_id("sample-6").click()
    expect(status(page)).to_contain_text("did not answer")
    expect(prediction(page)).to_have_text("")
    expect(page.get_by_text("All ten together")).to_have_count(0)
    page.unroute("**/api/recognize")
    page.get_by_test_id("predict").click()
    expect(prediction(page)).to_have_text("6")


@pytest.mark.parametrize("viewport", [{"width": 1440, "height": 900}, PHONE], ids=["desktop", "phone"])
def test_nothing_moves_while_somebody_draws(visit, viewport, digit_strokes):
    page = visit.page(viewport=viewport)
    expect(page.get_by_test_id("sample-9")).to_be_visible()
    painted(page)
    page.evaluate(
        """() => {
          window.shifts = [];
          const note = (list) => window.shifts.push(...list.getEntries().map((entry) => entry.value));
          new PerformanceObserver(note).observe({ type: "layout-shift" });
        }"""
    )
    boxes = "() => [...document.querySelectorAll('.draw section')].map((each) => each.offsetHeight)"
    before = page.evaluate(boxes)
    for drawing in digit_strokes[:4]:
        draw(page, fitted(drawing))
        page.get_by_test_id("clear").click()
    draw(page, WAVES)
    expect(page.get_by_test_id("ink-legend")).to_contain_text(re.compile(r"spoke for \d"))
    painted(page)
    assert page.evaluate("window.shifts") == []
    assert page.evaluate(boxes) == before


def test_the_tools_fit_the_narrowest_phone(visit):
    page = visit.page(viewport={"width": 320, "height": 640})
    canvas = page.get_by_test_id("canvas").bounding_box()
    for name in ("undo", "redo", "erase", "clear", "predict"):
        box = page.get_by_test_id(name).bounding_box()
        assert box["width"] >= 40, name
        assert box["x"] + box["width"] <= canvas["x"] + canvas["width"] + 1, name


def test_without_scripts_the_page_says_so(visit):
    page = visit.page(java_script_enabled=False)
    expect(page.locator("noscript p")).to_be_visible()


def test_the_essentials_fit_a_desktop_without_scrolling(visit):
    page = visit.page()
    page.get_by_test_id("sample-2").click()
    expect(page.get_by_test_id("ink-legend")).to_contain_text("spoke for 2")
    for name in ("canvas", "predict", "prediction", "bar-9", "seen", "upload", "was-9", "top-three"):
        box = page.get_by_test_id(name).bounding_box()
        assert box["y"] + box["height"] <= 900, name


def test_pictures_follow_the_theme(visit):
    page = visit.page()
    page.get_by_test_id("sample-5").click()
    expect(prediction(page)).to_have_text("5")
    assert tuple(pixels(page, "seen")[:3]) == (255, 255, 255)
    page.get_by_test_id("theme").click()
    assert tuple(pixels(page, "seen")[:3]) == (12, 14, 17)
    page.get_by_test_id("theme").click()
    assert tuple(pixels(page, "seen")[:3]) == (255, 255, 255)


def test_axe_finds_nothing(visit):
    page = visit.page(reduced_motion="reduce")
    page.get_by_test_id("sample-5").click()
    expect(page.get_by_test_id("ink-legend")).to_contain_text("spoke for 5")
    require_accessible(page)
    page.get_by_test_id("was-5").click()
    expect(page.get_by_test_id("teach-words")).to_contain_text("Kept as a 5")
    page.get_by_test_id("personal").click()
    expect(page.get_by_test_id("personal-list").locator(".kept-one").first).to_be_visible()
    require_accessible(page)
