"""POST /api/recognize and /api/personal, asked as a script would."""

import asyncio
import base64
import io
import json
import math
import os
import struct
import sys
import time
import urllib.request
import zipfile
import zlib
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn

IMAGES = Path(__file__).resolve().parents[1] / "data" / "images"
SEVEN = [[[20, 20], [80, 18], [45, 90]]]
BODY = {"strokes": SEVEN, "width": 100, "height": 100}


def data_url(content, kind="png"):
    return f"data:image/{kind};base64,{base64.b64encode(content).decode()}"


def png(width, height, rows=None):
    """A grey PNG; its rows may be left out, then only the head is true."""

    def chunk(kind, content):
        return (
            struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
        )

    head = struct.pack(">IIBBBBB", width, height, 8, 0, 0, 0, 0)
    body = zlib.compress(b"".join(b"\0" + bytes(row) for row in rows)) if rows is not None else b""
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunk(b"IDAT", body) + chunk(b"IEND", b"")


def refused(client, body, field=None, status=422):
    """The message of a refusal; the field it names is checked, too."""
    found, answer = client.ask("api/recognize", body)
    assert found == status, answer
    assert answer["error"].get("field") == field, answer
    assert answer["error"]["code"]
    assert "\n" not in answer["error"]["message"]
    return answer["error"]["message"]


# ---------------------------------------------------------------- what is read


def test_a_drawing_is_read_as_the_library_reads_it(client, digit_strokes):
    recognizer = dn.Recognizer(dn.shipped_model())
    for drawing in digit_strokes:
        strokes = [stroke.tolist() for stroke in drawing.strokes]
        status, answer = client.ask("api/recognize", {"strokes": strokes, "width": 300, "height": 400})
        read = recognizer.recognize(dn.Drawing(strokes, 300, 400))
        assert status == 200
        assert answer.keys() == {"status", "digit", "probabilities", "image"}
        assert (answer["status"], answer["digit"]) == ("digit", drawing.label)
        np.testing.assert_allclose(answer["probabilities"], read.probabilities, atol=1e-6)
        assert sum(answer["probabilities"]) == pytest.approx(1, abs=1e-5)
        assert answer["image"] == read.image.ravel().tolist()


def test_empty_and_not_a_digit_have_no_digit(client):
    for strokes in ([], [[]]):
        status, answer = client.ask("api/recognize", {"strokes": strokes})
        assert status == 200
        assert answer["status"] == "empty"
        assert answer["digit"] is None
        assert answer["probabilities"] is None
        assert answer["image"] == [0] * 784
    rng = np.random.default_rng(3)
    scribble = [rng.uniform(0, 100, (60, 2)).tolist()]
    _, answer = client.ask("api/recognize", {"strokes": scribble, "width": 100, "height": 100})
    assert answer["status"] == "not_a_digit"
    assert answer["digit"] is None
    assert len(answer["probabilities"]) == 10


@pytest.mark.parametrize("name", ["0-alpha-only.png", "1-pencil-on-grey-paper.jpg", "4-black-on-white.jpg"])
def test_png_and_jpeg_are_read(client, name):
    kind = "png" if name.endswith("png") else "jpeg"
    status, answer = client.ask("api/recognize", {"image": data_url((IMAGES / name).read_bytes(), kind)})
    assert (status, answer["digit"]) == (200, int(name[0]))


def test_what_a_file_is_is_told_by_its_content(client):
    content = (IMAGES / "4-black-on-white.jpg").read_bytes()
    assert client.ask("api/recognize", {"image": data_url(content, "png")})[1]["digit"] == 4


def test_activations_are_those_of_every_layer(client):
    _, answer = client.ask("api/recognize", {**BODY, "activations": True})
    network = dn.Recognizer(dn.shipped_model()).network
    exact = network.activations(np.array(answer["image"], dtype=np.uint8).reshape(1, 784))
    assert len(answer["activations"]) == len(network.layers)
    for shown, layer in zip(answer["activations"], exact, strict=True):
        np.testing.assert_allclose(shown, layer[0], atol=1e-5)


def test_several_digits_are_a_number(client, digit_strokes):
    strokes = []
    for place, label in enumerate((4, 0, 7)):
        drawing = next(each for each in digit_strokes if each.label == label)
        strokes += [np.add(stroke, [place * 400, 0]).tolist() for stroke in drawing.strokes]
    _, answer = client.ask(
        "api/recognize", {"strokes": strokes, "width": 1200, "height": 400, "number": True}
    )
    assert answer["number"]["text"] == "407"
    assert [each["digit"] for each in answer["number"]["digits"]] == [4, 0, 7]
    assert all(each["status"] == "digit" and each["probability"] > 0.5 for each in answer["number"]["digits"])
    many = {"strokes": [[[x, 0], [x, 9]] for x in range(300)], "number": True}
    assert client.ask("api/recognize", many)[1]["number"] is None  # more strokes than any number has


def test_an_explanation_says_what_spoke_and_what_would_change_it(client):
    _, answer = client.ask("api/recognize", {**BODY, "explain": True, "wanted": 2})
    told = answer["explanation"]
    network = dn.Recognizer(dn.shipped_model()).network
    image = np.array(answer["image"], dtype=np.uint8).reshape(28, 28)
    assert told["digit"] == answer["digit"] == told["top"][0]["digit"] == 7
    assert told["against"] == told["top"][1]["digit"]
    exact = dn.ink_contributions(network, image, 7, told["against"])
    np.testing.assert_allclose(told["ink"], exact.ink.ravel(), atol=1e-5)
    assert math.isclose(sum(told["ink"]) + told["rest"], told["margin"], abs_tol=0.01)
    top = sorted(answer["probabilities"], reverse=True)
    assert [each["probability"] for each in told["top"]] == top[:3]
    assert told["top"][0]["margin"] == pytest.approx(top[0] - top[1], abs=1e-5)
    assert told["top"][1]["margin"] == pytest.approx(top[1] - top[0], abs=1e-5)
    turned = told["turned"]
    assert turned["wanted"] == 2
    assert turned["succeeded"]
    changed = np.array(turned["image"], dtype=np.uint8).reshape(28, 28)
    assert dn.likeliest_digits(network, changed, 1)[0].digit == 2
    assert client.ask("api/recognize", {"strokes": [], "explain": True})[1]["explanation"] is None


# ---------------------------------------------------------------- what is refused


@pytest.mark.parametrize(
    "strokes",
    [
        None,
        7,
        "strokes",
        {"0": []},
        [1],
        [[1, 2]],
        [[[1]]],
        [[[1, 2, 3]]],
        [[["1", 2]]],
        [[[True, 2]]],
        [[[None, 2]]],
        [[[[1], 2]]],
        [[[2e9, 1]]],
        [[{"x": 1, "y": 2}]],
    ],
    ids=str,
)
def test_strokes_that_are_none(client, strokes):
    assert "expected" in refused(client, {"strokes": strokes}, "strokes")


def test_as_many_strokes_and_points_as_allowed_and_not_one_more(client):
    assert client.ask("api/recognize", {"strokes": [[[0, 0]]] * 1000})[0] == 200
    assert "1001 strokes" in refused(client, {"strokes": [[[0, 0]]] * 1001}, "strokes")
    line = [[x % 300, x % 7] for x in range(10_000)]
    assert client.ask("api/recognize", {"strokes": [line, line]})[0] == 200
    assert "20000" in refused(client, {"strokes": [line, line, [[0, 0]]]}, "strokes")


@pytest.mark.parametrize("name", ["width", "height", "brush"])
@pytest.mark.parametrize("value", [0, -1, "100", True, None, [1], 1e300])
def test_lengths_are_numbers_above_0(client, name, value):
    refused(client, {**BODY, name: value}, name)


def test_flags_digits_and_models_have_their_types(client):
    for name in ("activations", "number", "explain"):
        for value in (1, "true", None, []):
            refused(client, {**BODY, name: value}, name)
    for value in (-1, 10, 7.0, "7", True):
        refused(client, {**BODY, "explain": True, "wanted": value}, "wanted")
    refused(client, {**BODY, "model": 7}, "model")
    for model in (
        "no-such",
        "../../etc/passwd",
        "upload-nothing",
        "run-nothing",
        "",
        "upload-..",
        "a" * 5000,
    ):
        refused(client, {**BODY, "model": model}, status=404)


def test_one_drawing_no_more_no_less(client):
    assert "neither" in refused(client, {}, "strokes")
    assert "both" in refused(client, {**BODY, "image": data_url(png(1, 1, [[0]]))}, "strokes")


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"{",
        b"[]",
        b'"text"',
        b"null",
        b"\xff\xfe{}",
        b'{"strokes": [[[NaN, 1]]]}',
        b'{"strokes": [[[Infinity, 1]]]}',
        b'{"strokes": [[[1e999, 1]]]}',
        b'{"strokes": [], "strokes": []}',
        b'{"strokes": ' + b"[" * 100 + b"]" * 100 + b"}",
        b'{"strokes": ' + b"[" * 100_000,
        b'{"strokes": [[[' + b"9" * 5000 + b", 1]]]}",
        b'{"image": "\\ud800"}',
        b"strokes=1",
    ],
    ids=lambda raw: raw[:24].decode(errors="replace"),
)
def test_bodies_that_are_no_json_object(client, raw):
    status, answer = client.ask("api/recognize", raw=raw, method="POST")
    assert 400 <= status < 500, answer
    assert answer["error"]["message"]


@pytest.mark.parametrize(
    "image",
    [
        None,
        7,
        "",
        "data:",
        "https://example.org/7.png",
        "data:image/png;base64,",
        "data:image/png;base64,!!!!",
        "data:image/png;base64,iVBOR",
        "data:image/png,iVBORw0KGgo=",
        "data:image/gif;base64,R0lGODlhAQABAAAAACw=",
        "data:image/svg+xml;base64,PHN2Zy8+",
        data_url(b"<svg xmlns='http://www.w3.org/2000/svg'/>"),
        data_url(b"GIF89a\x01\x00\x01\x00\x00\x00\x00,"),
        data_url(b"P5 1 1 255 \0"),
        data_url(b"\x89PNG\r\n\x1a\n"),
        data_url(b"\xff\xd8\xff"),
        data_url(png(28, 28)),
        data_url(png(28, 28, [[0] * 28] * 20)),
    ],
    ids=lambda image: str(image)[:48],
)
def test_pictures_that_are_none(client, image):
    refused(client, {"image": image}, "image")


def test_sides_are_looked_at_before_pixels(client):
    large = png(4096, 4096, [bytes(4096)] * 4096)
    assert client.ask("api/recognize", {"image": data_url(large)})[1]["status"] == "empty"
    for width, height in ((4097, 1), (1, 4097), (2**31 - 1, 2**31 - 1)):
        assert "4096 x 4096" in refused(client, {"image": data_url(png(width, height))}, "image")
    refused(client, {"image": data_url(png(0, 0))}, "image")
    frame = b"\xff\xd8\xff\xe0\x00\x04\x00\x00\xff\xc0\x00\x11\x08" + struct.pack(">HH", 5000, 20) + bytes(20)
    assert "20 x 5000" in refused(client, {"image": data_url(frame, "jpeg")}, "image")


def test_other_methods_are_not_there(client):
    for method in ("GET", "PUT", "DELETE", "PATCH"):
        assert client.ask("api/recognize", method=method)[0] == 405


def test_it_needs_no_cookie_and_sends_the_headers_of_every_page(server):
    request = urllib.request.Request(server.url + "api/recognize", data=json.dumps(BODY).encode())
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
        assert answer.headers["X-Content-Type-Options"] == "nosniff"
        assert answer.headers["X-Frame-Options"] == "DENY"
        assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
        assert answer.headers["Set-Cookie"] is None
    elsewhere = urllib.request.Request(
        request.full_url, data=request.data, headers={"Host": "elsewhere.example"}
    )
    with pytest.raises(urllib.error.HTTPError, match="400") as refused:
        urllib.request.urlopen(elsewhere)
    refused.value.close()


# ---------------------------------------------------------------- many at once


def test_200_at_once_are_all_answered(server):
    async def ask():
        body = json.dumps({**BODY, "number": True}).encode()
        reader, writer = await asyncio.open_connection("127.0.0.1", server.port)
        head = f"POST /api/recognize HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: {len(body)}\r\n"
        writer.write(head.encode() + b"Connection: close\r\n\r\n" + body)
        answer = await reader.read()
        writer.close()
        return answer.split(b"\r\n")[0], json.loads(answer.split(b"\r\n\r\n", 1)[1])["digit"]

    async def all_of_them():
        return await asyncio.gather(*[ask() for _ in range(200)])

    assert set(asyncio.run(all_of_them())) == {(b"HTTP/1.1 200 OK", 7)}


def test_40_pictures_at_once_are_all_answered(client):
    body = {"image": data_url((IMAGES / "4-black-on-white.jpg").read_bytes(), "jpeg"), "explain": True}
    with ThreadPoolExecutor(40) as pool:
        answers = list(pool.map(lambda _: client.ask("api/recognize", body), range(40)))
    assert {(status, answer["digit"]) for status, answer in answers} == {(200, 4)}


def test_a_client_has_so_many_tokens_and_no_more(monkeypatch):
    monkeypatch.setenv("DJANGO_SETTINGS_MODULE", "digitnet.web.settings")
    from digitnet.web.limits import Limiter

    now = [100.0]
    limiter = Limiter(rate=2, burst=3, most_clients=2, clock=lambda: now[0])
    assert [limiter.take("a") for _ in range(3)] == [0, 0, 0]
    assert limiter.take("a") == pytest.approx(0.5)
    assert limiter.take("b") == 0  # another one has its own
    now[0] += 0.5
    assert limiter.take("a") == 0
    assert limiter.take("a") == pytest.approx(0.5)
    now[0] += 1000
    assert [limiter.take("a") > 0 for _ in range(4)] == [False, False, False, True]
    limiter.take("c")  # the third client: b, longest unused, is forgotten
    assert list(limiter._buckets) == ["a", "c"]


def test_too_many_in_a_burst_get_429(tmp_path):
    from serving import Server

    # One, and the next one after 1000 seconds: more than any machine takes for the second.
    slow = Server(tmp_path, environment={"DIGITNET_RECOGNITIONS_PER_SECOND": "0.001"})
    try:
        client = slow.client()
        answers = [client.ask("api/recognize", BODY) for _ in range(4)]
        request = urllib.request.Request(slow.url + "api/recognize", data=json.dumps(BODY).encode())
        with pytest.raises(urllib.error.HTTPError) as error:
            urllib.request.urlopen(request)
        assert int(error.value.headers["Retry-After"]) >= 1
        error.value.close()
    finally:
        slow.stop()
    assert [status for status, _ in answers] == [200, 429, 429, 429]
    assert all(answer["error"]["code"] == "too_many" for _, answer in answers[1:])


def test_another_process_chooses_the_model_and_this_one_follows(server, client, tmp_path):
    rng = np.random.default_rng(0)
    network = dn.Network([784, 10], seed=1)
    network.layers[0].weights = rng.normal(0, 1, (784, 10)).astype(np.float32)
    network.layers[0].bias = np.array([0, 0, 0, 500, 0, 0, 0, 0, 0, 0], dtype=np.float32)  # always a 3
    models = server.folder / "state" / "models"
    models.mkdir(exist_ok=True)
    network.save(models / "three.safetensors")
    assert client.ask("api/recognize", BODY)[1]["digit"] == 7
    assert client.ask("api/recognize", {**BODY, "model": "upload-three"})[1]["digit"] == 3
    program = """
import django; django.setup()
from digitnet.web.services import models
models.use({!r})
"""
    environment = {**server.environment, "DJANGO_SETTINGS_MODULE": "digitnet.web.settings"}
    for model, digit in (("upload-three", 3), ("default", 7)):
        run(program.format(model), environment)
        deadline = time.monotonic() + 60
        while client.ask("api/recognize", BODY)[1]["digit"] != digit:
            assert time.monotonic() < deadline, f"after a minute it is not {model}"
            time.sleep(0.05)


def run(program, environment):
    import subprocess

    subprocess.run([sys.executable, "-c", program], env=environment, check=True, timeout=60)


# ---------------------------------------------------------------- the personal set


@pytest.fixture
def empty_set(client):
    client.ask("api/personal", method="DELETE")
    return client


def test_what_it_was_is_kept_listed_and_removed(empty_set, digit_strokes):
    client = empty_set
    for drawing in digit_strokes:
        strokes = [stroke.tolist() for stroke in drawing.strokes]
        body = {"digit": drawing.label, "strokes": strokes, "width": 300, "height": 400}
        status, kept = client.ask("api/personal", body)
        assert status == 201
        assert kept["digit"] == drawing.label
        assert kept["image"] == dn.to_mnist_image(dn.Drawing(strokes, 300, 400)).ravel().tolist()
    photo = data_url((IMAGES / "4-black-on-white.jpg").read_bytes(), "jpeg")
    assert client.ask("api/personal", {"digit": 4, "image": photo})[0] == 201
    _, listed = client.ask("api/personal?limit=4")
    assert listed["counts"] == [1, 1, 1, 1, 2, 1, 1, 1, 1, 1]
    ids = [each["id"] for each in listed["digits"]]
    assert len(ids) == 4
    assert ids == sorted(ids, reverse=True)
    _, further = client.ask(f"api/personal?before={ids[-1]}")
    assert len(further["digits"]) == 7
    assert client.ask(f"api/personal/{ids[0]}", method="DELETE") == (
        200,
        {"count": 10, "counts": [1] * 10},
    )
    assert client.ask(f"api/personal/{ids[0]}", method="DELETE")[0] == 404


def test_the_set_is_read_by_load_mnist(empty_set, tmp_path):
    client = empty_set
    for number in range(24):
        strokes = [[[20, 20 + number], [80, 18], [45, 90]]]
        client.ask("api/personal", {"digit": number % 10, "strokes": strokes})
    images = tmp_path / "images"
    labels = tmp_path / "labels"
    images.write_bytes(client.ask("api/personal/images.idx")[1])
    labels.write_bytes(client.ask("api/personal/labels.idx")[1])
    data = dn.load_dataset(images, labels)
    assert data.labels.tolist() == [number % 10 for number in range(24)]
    assert data.images.shape == (24, 28, 28)
    with zipfile.ZipFile(io.BytesIO(client.ask("api/personal/personal.zip")[1])) as packed:
        packed.extractall(tmp_path)
    mnist = dn.load_mnist(tmp_path, "personal")
    assert (len(mnist.train), len(mnist.test)) == (20, 4)
    both = np.concatenate([mnist.train.images, mnist.test.images])
    assert sorted(map(bytes, both)) == sorted(map(bytes, data.images))


def test_what_is_no_digit_is_not_kept(empty_set):
    client = empty_set
    for digit in (None, -1, 10, "7", 7.0, True):
        status, answer = client.ask("api/personal", {**BODY, "digit": digit})
        assert (status, answer["error"]["field"]) == (422, "digit")
    assert client.ask("api/personal", {"digit": 7, "strokes": []})[1]["error"]["field"] == "strokes"
    assert client.ask("api/personal", {"digit": 7, "image": "x"})[1]["error"]["field"] == "image"
    for query in ("limit=0", "limit=201", "limit=x", "before=-1", "before=" + "9" * 30, "before=1.5"):
        assert client.ask(f"api/personal?{query}")[0] == 422
    for name in ("0", "9" * 19, "9" * 30, "x", "..", "-1"):
        assert client.ask(f"api/personal/{name}", method="DELETE")[0] == 404
    for name in ("images.idx", "labels.idx", "personal.zip"):
        assert client.ask(f"api/personal/{name}")[0] == 409
    assert client.ask("api/personal")[1]["counts"] == [0] * 10


def test_changes_need_the_page_s_own_token(server):
    request = urllib.request.Request(
        server.url + "api/personal", data=json.dumps({**BODY, "digit": 7}).encode()
    )
    with pytest.raises(urllib.error.HTTPError, match="403") as refused:
        urllib.request.urlopen(request)
    refused.value.close()


def test_a_full_set_takes_no_more(server, empty_set):
    program = """
import django; django.setup()
from digitnet.web.models import PersonalDigit
from digitnet.web.services import personal
PersonalDigit.objects.bulk_create(PersonalDigit(digit=1, image=bytes(784)) for _ in range(personal.MOST))
"""
    run(program, {**os.environ, **server.environment, "DJANGO_SETTINGS_MODULE": "digitnet.web.settings"})
    status, answer = empty_set.ask("api/personal", {**BODY, "digit": 7})
    assert (status, answer["error"]["code"]) == (409, "full")
    assert empty_set.ask("api/personal", method="DELETE")[1] == {"deleted": 20_000}
