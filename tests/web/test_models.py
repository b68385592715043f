"""The page Models and /api/models: what is listed, brought, used, compared, taken along and removed."""

import http.client
import io
import json
import re
import threading
import zipfile

import numpy as np
import pytest
from safetensors.numpy import load as load_safetensors
from serving import PHONE, draw, fitted, require_accessible, spoil_other_epochs

import digitnet as dn

BOUNDARY = "a-line-that-no-model-has"


def model_bytes(sizes=(784, 12, 10), seed=1):
    return dn.Network(list(sizes), seed=seed).to_bytes()


def upload(client, name, content, field="file"):
    """POST /api/models as a browser does it."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{field}"; filename="{name}"\r\n'
    raw = (
        f"{head}Content-Type: application/octet-stream\r\n\r\n".encode()
        + content
        + f"\r\n--{BOUNDARY}--\r\n".encode()
    )
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    return client.ask("api/models", raw=raw, headers=kind)


def kept(server):
    """The files in the folder of uploads."""
    folder = server.folder / "state" / "models"
    return sorted(path.name for path in folder.iterdir()) if folder.exists() else []


def listed(client):
    status, models = client.ask("api/models")
    assert status == 200
    return {model["id"]: model for model in models}


@pytest.fixture(autouse=True)
def _nothing_stays(server):
    """Each test begins with the default model alone in use, and no uploads."""
    yield
    client = server.client()
    for model_id in listed(client):
        if model_id.startswith("upload-"):
            assert client.ask(f"api/models/{model_id}", method="DELETE")[0] == 204
    assert client.ask("api/models/default/use", {})[0] == 200
    assert kept(server) == []


@pytest.fixture(scope="module")
def trained(server):
    """A small model that reads digits quite well, with its provenance, as bytes."""
    mnist = dn.load_mnist(server.data)
    network = dn.Network([784, 32, 10], seed=1)
    dn.train(network, mnist.train, validation=0.1, epochs=3, seed=1, run=server.runs / "good run.2")
    dn.train(
        dn.Network([784, 32, 10], seed=1),
        mnist.train,
        validation=0.1,
        epochs=1,
        seed=1,
        run=server.runs / "one",
    )
    network.metadata = {
        "provenance": json.dumps({"data": "mnist", "test_accuracy": 0.5, "options": {"hidden": [32]}})
    }
    return network.to_bytes()


# ---------------------------------------------------------------- the list


def test_the_list_tells_what_each_model_is(client, trained):
    models = listed(client)
    default, run = models["default"], models["run-one"]
    network = dn.Network.load(dn.shipped_model())
    assert default["active"]
    assert default["sizes"] == network.sizes
    assert default["parameters"] == network.parameter_count
    assert default["bytes"] == dn.shipped_model().stat().st_size
    assert default["calibrated"]
    assert default["learned_from"][0] == "mnist"
    assert default["accuracy"] == json.loads(network.metadata["provenance"])["test_accuracy"]
    assert (default["accuracy_on"], default["measured"]) == ("test", False)
    assert (run["kind"], run["active"], run["calibrated"]) == ("run", False, False)
    assert run["accuracy_on"] == "validation"
    assert 0.5 < run["accuracy"] < 1
    assert "run-good run.2" not in models  # a name that cannot be an id


def test_the_accuracy_of_a_run_is_that_of_the_checkpoint_it_keeps(server, client):
    mnist = dn.load_mnist(server.data)
    network = dn.Network([784, 8, 10], seed=1)
    dn.train(network, mnist.train, validation=0.1, epochs=2, seed=1, run=server.runs / "kept")
    run = dn.Run(server.runs / "kept")
    kept = spoil_other_epochs(run)
    model = listed(client)["run-kept"]
    assert model["accuracy"] == run.epochs[kept - 1]["validation_accuracy"] < 1
    assert model["provenance"]["best_epoch"] == kept


def test_measuring_gives_the_accuracy_of_the_library_and_keeps_it(server, client, trained):
    upload(client, "mine.safetensors", trained)
    before = listed(client)["upload-mine"]
    assert (before["accuracy"], before["measured"]) == (0.5, False)
    status, measured = client.ask("api/models/upload-mine/evaluate", {})
    assert status == 200
    expected = dn.Network.from_bytes(trained).evaluate(dn.load_mnist(server.data).test).accuracy
    assert (measured["accuracy"], measured["measured"]) == (expected, True)
    assert listed(client)["upload-mine"]["accuracy"] == expected
    status, answer = client.ask("api/models/upload-mine/evaluate", {"dataset": "cifar"})
    assert (status, answer["error"]["field"]) == (422, "dataset")


# ---------------------------------------------------------------- bringing one


def flipped(content):
    """One bit of the last weight is another."""
    return content[:-2] + bytes([content[-2] ^ 1]) + content[-1:]


BROKEN = {
    "empty": (b"", "expected"),
    "cut": (model_bytes()[:-7], "cut short"),
    "flipped": (flipped(model_bytes()), "checksum"),
    "text": (b"this is no model, but a longer text about one", "not a safetensors file"),
    "picture": (b"\x89PNG\r\n\x1a\n" + bytes(100), "not a safetensors file"),
    "zip": (b"PK\x03\x04" + bytes(100), "not a safetensors file"),
    "twelve": (model_bytes((12, 4, 10)), "12 inputs"),
    "eleven": (model_bytes((784, 4, 11)), "11 outputs"),
    "foreign": (
        b'\x3b\0\0\0\0\0\0\0{"a":{"dtype":"F32","shape":[1],"data_offsets":[0,4]}}     \0\0\0\0',
        "safetensors",
    ),
}


@pytest.mark.parametrize("name", BROKEN)
def test_what_is_no_model_is_refused_in_one_line_and_leaves_nothing(server, client, name):
    content, words = BROKEN[name]
    status, answer = upload(client, f"{name}.safetensors", content)
    assert status == 422, answer
    assert answer["error"]["field"] == "file"
    assert words in answer["error"]["message"]
    assert "\n" not in answer["error"]["message"]
    assert str(server.folder) not in answer["error"]["message"]
    assert kept(server) == []


def test_metadata_that_are_nested_too_deep_are_shown_as_text(client):
    network = dn.Network([784, 12, 10], seed=1)
    network.metadata = {"provenance": "[" * 100_000, "labels": '{"a": 1, "a": 2}'}
    assert upload(client, "deep.safetensors", network.to_bytes())[0] == 201
    status, found = client.ask("api/parameters?model=upload-deep")
    assert (status, found["labels"]) == (200, network.metadata["labels"])


def test_names_become_safe_and_stay_apart(server, client):
    content = model_bytes()
    wanted = {
        "../../etc/passwd.safetensors": "upload-passwd",
        "..\\windows\\my model.safetensors": "upload-my-model",
        "....safetensors": "upload-model",
        ".hidden.safetensors": "upload-hidden",
        "zw\u00f6lf \u2603 \u0664.safetensors": "upload-zwolf",
        "a..b.SAFETENSORS": "upload-a.b",
        "x" * 300 + ".safetensors": "upload-" + "x" * 48,
        "plain": "upload-plain",
    }
    for given, expected in wanted.items():
        status, model = upload(client, given, content)
        assert (status, model.get("id")) == (201, expected), model
    assert upload(client, "plain.safetensors", content)[1]["id"] == "upload-plain-2"
    assert upload(client, "plain.safetensors", content)[1]["id"] == "upload-plain-3"
    assert len(kept(server)) == len(wanted) + 2
    assert all(re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9_.-]*\.safetensors", name) for name in kept(server))


def test_the_same_name_at_once_is_kept_twice(server, client):
    answers = []

    def send(seed):
        answer = upload(server.client(), "same.safetensors", model_bytes(seed=seed))
        while answer[0] == 503:  # two are checked at a time
            answer = upload(server.client(), "same.safetensors", model_bytes(seed=seed))
        answers.append(answer)

    threads = [threading.Thread(target=send, args=(seed,)) for seed in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [status for status, _ in answers] == [201] * 6
    assert len({model["id"] for _, model in answers}) == 6
    assert len({model["sha256"] for _, model in answers}) == 6


def announced(server, client, path, length):
    """What is answered to the head of a request alone: a body that is too large is never waited for."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    connection.putrequest("POST", f"/{path}")
    headers = {"Content-Length": str(length), "Content-Type": "multipart/form-data", "Cookie": client.cookie}
    for name, value in {**headers, "X-CSRFToken": client.cookie.partition("=")[2]}.items():
        connection.putheader(name, value)
    connection.endheaders()
    with connection.getresponse() as answer:
        status, code = answer.status, json.loads(answer.read())["error"]["code"]
    connection.close()
    return status, code


def test_large_models_are_taken_and_larger_ones_refused_unread(server, client):
    large = model_bytes((784, 2000, 1000, 10))
    assert len(large) > 10_000_000
    assert upload(client, "large.safetensors", large)[0] == 201
    assert announced(server, client, "api/models", 65_000_000) == (413, "too_large")
    assert announced(server, client, "api/models/default/evaluate", 2_600_000) == (413, "too_large")
    assert kept(server) == ["large.safetensors"]


def test_a_form_without_a_file_is_refused(server, client):
    assert upload(client, "x.safetensors", model_bytes(), field="model")[1]["error"]["field"] == "file"
    assert client.ask("api/models", {"file": "x"})[0] == 422
    kind = {"Content-Type": "multipart/form-data"}
    assert client.ask("api/models", raw=b"nothing", headers=kind)[0] in (400, 422)
    kind = {"Content-Type": f"multipart/form-data; boundary={BOUNDARY}"}
    cut = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="file"; filename="a"\r\n\r\nabc'.encode()
    assert client.ask("api/models", raw=cut, headers=kind)[0] in (400, 422)
    assert kept(server) == []


def test_changes_need_the_csrf_token(server, client):
    upload(client, "mine.safetensors", model_bytes())
    for path, method in (
        ("api/models", "POST"),
        ("api/models/upload-mine", "DELETE"),
        ("api/models/upload-mine/use", "POST"),
        ("api/models/upload-mine/evaluate", "POST"),
    ):
        status, answer = client.ask(path, raw=b"{}", method=method, headers={"X-CSRFToken": "wrong"})
        assert (status, answer["error"]["code"]) == (403, "csrf"), path
    assert kept(server) == ["mine.safetensors"]


# ---------------------------------------------------------------- using, taking along, removing


def test_the_one_in_use_reads_and_falls_back_when_removed(client, trained):
    upload(client, "mine.safetensors", trained)
    status, model = client.ask("api/models/upload-mine/use", {})
    assert (status, model["active"]) == (200, True)
    assert [each for each, model in listed(client).items() if model["active"]] == ["upload-mine"]
    drawing = {"strokes": [[[20, 20], [80, 18], [45, 90]]], "width": 100, "height": 100}
    read = client.ask("api/recognize", drawing)[1]
    expected = dn.Recognizer(dn.Network.from_bytes(trained)).recognize(
        dn.Drawing(drawing["strokes"], width=100, height=100)
    )
    assert read["probabilities"] == pytest.approx(expected.probabilities.tolist(), abs=1e-5)
    assert client.ask("api/models/upload-mine", method="DELETE")[0] == 204
    assert listed(client)["default"]["active"]
    assert client.ask("api/recognize", drawing)[0] == 200
    assert client.ask("api/models/upload-mine", method="DELETE")[0] == 404
    assert client.ask("api/models/upload-mine/use", {})[0] == 404


def test_another_model_of_the_same_name_is_read_by_at_once(client):
    drawing = {
        "strokes": [[[20, 20], [80, 18], [45, 90]]],
        "width": 100,
        "height": 100,
        "model": "upload-mine",
    }
    for seed in (1, 2):
        content = model_bytes(seed=seed)
        assert upload(client, "mine.safetensors", content)[1]["id"] == "upload-mine"
        read = client.ask("api/recognize", drawing)[1]
        expected = dn.Recognizer(dn.Network.from_bytes(content)).recognize(
            dn.Drawing(drawing["strokes"], width=100, height=100)
        )
        assert read["probabilities"] == pytest.approx(expected.probabilities.tolist(), abs=1e-5)
        assert client.ask("api/models/upload-mine", method="DELETE")[0] == 204
        assert client.ask("api/recognize", drawing)[0] == 404


def test_only_what_was_uploaded_can_be_removed(client, trained):
    for model_id in ("default", "run-one"):
        status, answer = client.ask(f"api/models/{model_id}", method="DELETE")
        assert (status, answer["error"]["code"]) == (409, "not_uploaded")
    for model_id in ("upload-none", "upload-..", "..%2f..%2fetc", "x", "run-" + "y" * 200, "upload-%00"):
        for path in (f"api/models/{model_id}", f"api/models/{model_id}/file"):
            assert client.ask(path)[0] == 404, path


def test_files_open_in_python_in_every_form(server, client, trained, tmp_path):
    upload(client, "mine.safetensors", trained)
    path = "api/models/upload-mine/file"
    assert client.ask(path)[1] == trained
    original = dn.Network.from_bytes(trained)
    full = client.ask(f"{path}?precision=full")[1]
    half = client.ask(f"{path}?precision=half")[1]
    assert len(half) < 0.6 * len(full)
    images = dn.load_mnist(server.data).test.images[:50]
    expected = original.predict_proba(images)
    for content, tolerance in ((full, 0), (half, 5e-3)):
        (tmp_path / "again.safetensors").write_bytes(content)
        again = dn.Network.load(tmp_path / "again.safetensors")
        assert np.abs(again.predict_proba(images) - expected).max() <= tolerance
        assert again.metadata["provenance"] == original.metadata["provenance"]
        assert load_safetensors(content)["layers.0.weights"].shape == (784, 32)
    arrays = np.load(io.BytesIO(client.ask(f"{path}?format=npz")[1]), allow_pickle=False)
    assert (arrays["layers.0.weights"] == original.layers[0].weights).all()
    assert (arrays["layers.1.bias"] == original.layers[1].bias).all()
    assert arrays["activations"].tolist() == ["relu", "softmax"]
    assert zipfile.ZipFile(io.BytesIO(client.ask(f"{path}?format=npz&precision=half")[1])).testzip() is None
    for query in ("precision=quarter", "format=pickle"):
        status, answer = client.ask(f"{path}?{query}")
        assert (status, answer["error"]["field"]) == (422, query.split("=")[0])


def test_a_file_that_went_bad_on_the_disk_is_listed_with_its_problem(server, client):
    upload(client, "mine.safetensors", model_bytes())
    path = server.folder / "state" / "models" / "mine.safetensors"
    path.write_bytes(path.read_bytes()[:-5])
    assert "cut short" in listed(client)["upload-mine"]["problem"]
    assert client.ask("api/models/upload-mine/use", {})[0] == 422
    assert listed(client)["default"]["active"]


# ---------------------------------------------------------------- the page


def test_a_broken_model_then_a_good_one_that_is_used_compared_and_removed(
    visit, server, trained, digit_strokes
):
    from playwright.sync_api import expect

    visit.allow("422")
    network = dn.Network.from_bytes(trained)
    network.metadata = {"provenance": json.dumps({"data": "mnist", "test_accuracy": 0.25, "options": {}})}
    content = network.to_bytes()  # that no other test has measured
    page = visit.page("models/")
    models = page.get_by_test_id("model-list").get_by_role("listitem")
    card = page.locator("[data-id=upload-mine]")
    expect(page.locator("[data-id=default]")).to_contain_text("In use")
    file = page.get_by_test_id("upload-file")
    file.set_input_files({"name": "mine.safetensors", "mimeType": "", "buffer": content[:-9]})
    error = page.get_by_test_id("upload-error")
    expect(error).to_contain_text("mine.safetensors: ")
    expect(error).to_contain_text("cut short")
    file.set_input_files({"name": "mine.safetensors", "mimeType": "", "buffer": content})
    expect(card).to_contain_text("25.00 %")
    expect(error).not_to_be_visible()
    assert kept(server) == ["mine.safetensors"]

    card.get_by_role("button", name="Measure").click()
    expect(card).to_contain_text("measured here")
    accuracy = network.evaluate(dn.load_mnist(server.data).test).accuracy
    expect(card.get_by_test_id("accuracy")).to_have_text(f"{100 * accuracy:.2f} %")
    page.get_by_test_id("order").select_option("bytes")
    sizes = [models.nth(i).get_attribute("data-id") for i in range(models.count())]
    assert sizes.index("upload-mine") < sizes.index("default")

    card.get_by_role("button", name="Use this one").click()
    expect(card).to_have_class(re.compile("active"))
    card.get_by_role("button", name="How it was made").click()
    expect(page.get_by_test_id("reproduce")).to_have_text("digitnet reproduce mine.safetensors")
    page.keyboard.press("Escape")
    card.get_by_text("Download").click()
    with page.expect_download() as download:
        card.get_by_role("link", name="As it is").click()
    assert download.value.suggested_filename == "mine.safetensors"
    assert dn.Network.load(download.value.path()).sizes == [784, 32, 10]

    seven = next(drawing for drawing in digit_strokes if drawing.label == 7)
    page.get_by_test_id("clear").click()
    page.get_by_test_id("compare-first").select_option("default")
    card.get_by_role("button", name="Compare").click()
    expect(page.get_by_test_id("compare-first")).to_have_value("default")
    expect(page.get_by_test_id("compare-second")).to_have_value("upload-mine")
    expect(page.get_by_test_id("compare-verdict")).to_have_text("Draw something.")
    page.get_by_test_id("canvas").scroll_into_view_if_needed()
    draw(page, fitted(seven))
    expect(page.get_by_test_id("digit-first")).to_have_text("7")
    expect(page.get_by_test_id("compare-verdict")).to_have_text(re.compile("^They (agree|differ)"))
    page.get_by_test_id("compare-all").click()
    test = dn.load_mnist(server.data).test
    apart = (dn.Network.load(dn.shipped_model()).predict(test) != network.predict(test)).sum()
    expect(page.get_by_test_id("compare-counts")).to_have_text(
        re.compile(rf"^They differ on {apart} of 1.000 images")
    )
    expect(page.get_by_test_id("differences")).to_be_visible()

    page.goto("")  # the page Draw is answered by it: what it says of the same strokes is what this model says
    with page.expect_response(re.compile("api/recognize")) as answer:
        draw(page, fitted(seven))
    body = answer.value.request.post_data_json
    size = {name: body[name] for name in ("width", "height", "brush") if name in body}
    drawing = dn.Drawing(body["strokes"], **size)
    expected = dn.Recognizer(network).recognize(drawing)
    assert answer.value.json()["probabilities"] == pytest.approx(expected.probabilities.tolist(), abs=1e-4)

    page.goto("models/")
    card.get_by_role("button", name="Remove").click()
    page.get_by_role("button", name="Keep it").click()
    expect(card).to_be_visible()
    card.get_by_role("button", name="Remove").click()
    expect(page.get_by_test_id("confirm")).to_contain_text("It is in use")
    page.get_by_test_id("confirm-remove").click()
    expect(card).to_have_count(0)
    expect(page.locator("[data-id=default]")).to_contain_text("In use")
    assert kept(server) == []


def test_a_file_that_is_too_large_is_not_even_sent(visit, tmp_path):
    from playwright.sync_api import expect

    page = visit.page("models/")
    expect(page.locator("[data-id=default]")).to_be_visible()
    with (tmp_path / "huge.safetensors").open("wb") as stream:
        stream.truncate(65_000_000)
    page.get_by_test_id("upload-file").set_input_files(tmp_path / "huge.safetensors")
    expect(page.get_by_test_id("upload-error")).to_have_text(
        "huge.safetensors: 65.0 MB, expected at most 64.0 MB"
    )


@pytest.mark.parametrize("path", ["network/", "parameters/", "graph/"])
def test_a_model_that_is_gone_is_told_with_a_way_to_others(visit, path):
    from playwright.sync_api import expect

    visit.allow("404")
    page = visit.page(f"{path}?model=nope", reduced_motion="reduce")
    expect(page.get_by_test_id("problem")).to_contain_text(
        "There is no model 'nope' any more; choose another."
    )
    require_accessible(page)
    page.get_by_test_id("problem").get_by_role("link").click()
    page.wait_for_url("**/models/")


@pytest.mark.parametrize("size", ["desktop", "phone"])
def test_everyone_can_use_it(visit, trained, size):
    from playwright.sync_api import expect

    options = {"viewport": PHONE, "has_touch": True} if size == "phone" else {}
    page = visit.page("models/", reduced_motion="reduce", **options)
    expect(page.get_by_test_id("compare-verdict")).to_have_text(re.compile("^They"))
    require_accessible(page)
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")
    page.locator("[data-id=default]").get_by_text("Download").click()
    expect(page.locator("[data-id=default]").get_by_role("link", name="As it is")).to_be_visible()
    page.keyboard.press("Escape")
    page.locator("[data-id=default]").get_by_role("button", name="How it was made").click()
    page.get_by_text("All that it says of itself").click()
    require_accessible(page)
