"""Statuses, calibration, reports: what becomes of drawings, and that it is the same everywhere."""

import json
import subprocess
import sys
import threading
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn
from digitnet import not_digits, report
from digitnet.cli import main

SEVEN = [[[10, 10], [60, 12], [25, 90]]]
SURE = dn.Calibration(unsure_threshold=0)

# Of the release build, which ./dev setup makes beside the module: only it is compiled as the module is.
EXAMPLE = Path(__file__).parents[2] / "build" / "release" / "examples" / "recognize_digit"


@pytest.fixture(scope="module")
def recognizer(trained):
    return dn.Recognizer(trained, SURE)


@pytest.fixture(scope="module")
def calibrated(trained, mnist):
    """The network with its calibration in it."""
    network = trained.copy()
    calibration = dn.fit_calibration(
        network, mnist.test, not_digits.mixed(300, 1, part="train"), fitted_on="the sample"
    )
    dn.set_calibration(network, calibration)
    return network


# ---------------------------------------------------------------- recognize


def test_a_recognition_has_all_its_parts(recognizer, trained):
    read = recognizer.recognize(SEVEN)
    assert read.status == "digit"
    assert read.image.dtype == np.uint8
    assert read.image.shape == (28, 28)
    assert (read.image == dn.to_mnist_image(SEVEN)).all()
    assert read.probabilities.dtype == np.float32
    assert read.probabilities == pytest.approx(trained.predict_proba(read.image[None])[0], rel=1e-3, abs=1e-6)
    assert read.probabilities.argmax() == read.digit
    assert read.probability == pytest.approx(read.probabilities.max())
    logits = trained.logits(read.image[None])[0].astype(float)
    assert read.score == pytest.approx(np.log(np.exp(logits).sum()), rel=1e-5)
    best, second = read.top(2)
    assert best == (read.digit, read.probabilities.max())
    assert read.margin == pytest.approx(best[1] - second[1], abs=1e-6)
    assert repr(read).startswith(f"<digitnet.Recognition: digit {read.digit}, probability ")


def test_an_empty_drawing_has_no_digit_and_no_probabilities(recognizer):
    for nothing in ([], [[]], np.full((50, 60), 255, np.uint8), np.zeros((9, 9, 4), np.uint8)):
        read = recognizer.recognize(nothing)
        assert (read.status, read.digit, read.probabilities, read.score) == ("empty", None, None, None)
        assert read.probability == 0
        assert not read.image.any()
        assert read.top() == []


def test_a_dot_and_a_blot_are_no_digits(recognizer):
    y, x = np.mgrid[:200, :200]
    blot = np.where((x - 120) ** 2 + (y - 60) ** 2 < 900, 0, 255).astype(np.uint8)
    for drawing in ([[[5, 5]]], [[[5, 5], [5, 5]]], blot):
        read = recognizer.recognize(drawing)
        assert (read.status, read.digit) == ("not_a_digit", None)
        assert read.probabilities is not None


def test_strokes_come_in_any_form(recognizer):
    expected = recognizer.recognize(SEVEN)
    array = np.array(SEVEN, float)
    for strokes in (
        array,
        array.astype(np.float32),
        [array[0]],
        (tuple(map(tuple, SEVEN[0])),),
        dn.Drawing(SEVEN),
    ):
        read = recognizer.recognize(strokes)
        assert (read.image == expected.image).all()
        assert read.probabilities.tobytes() == expected.probabilities.tobytes()


def test_pictures_come_in_any_form(recognizer, pictures):
    for path in pictures:
        picture = dn.read_picture(path)
        read = recognizer.recognize(picture)
        assert (read.image == dn.to_mnist_image(picture)).all()
    grey = dn.read_picture(pictures[6])
    expected = recognizer.recognize(grey)
    for picture in (np.repeat(grey[:, :, None], 3, axis=2), 255 - grey):
        assert recognizer.recognize(picture).digit == expected.digit


def test_images_of_pillow(recognizer, pictures):
    image = pytest.importorskip("PIL.Image")
    for path in pictures:
        with image.open(path) as opened:
            read = recognizer.recognize(opened)
        assert read.digit == recognizer.recognize(dn.read_picture(path)).digit


def test_wrong_drawings_are_named_in_one_line(recognizer):
    with pytest.raises(
        dn.ArgumentError, match=r"^Recognizer.recognize: stroke 0, point 0 is 1, expected two"
    ):
        recognizer.recognize([[1, 2]])
    with pytest.raises(dn.ArgumentError, match=r"stroke 0, point 1"):
        recognizer.recognize([[[1, 2], [1, float("nan")]]])
    with pytest.raises(dn.ShapeError, match=r"^Recognizer.recognize: [^\n]*$"):
        recognizer.recognize(np.zeros((2, 2, 2, 2), np.uint8))
    with pytest.raises((TypeError, dn.Error), match=r"^Recognizer.recognize: [^\n]*$"):
        recognizer.recognize(None)


def test_many_images_are_read_as_one_by_one(recognizer, mnist):
    images = mnist.test.images[:50]
    many = recognizer.recognize_images(images, threads=2)
    assert len(many) == 50
    for image, read in zip(images, many):
        alone = recognizer.recognize_images(image[None])[0]
        assert read.probabilities.tobytes() == alone.probabilities.tobytes()
        assert (read.image == image).all()
    with pytest.raises(dn.ShapeError, match="expected bytes of 28 x 28"):
        recognizer.recognize_images(np.zeros((1, 784), np.float32))


def test_numbers(recognizer):
    row = [[[x + shift, y] for x, y in SEVEN[0]] for shift in (200, 0, 100)]
    digit = str(recognizer.recognize(SEVEN).digit)
    number = recognizer.recognize_number(row)
    assert number.text == 3 * digit
    assert [read.status for read in number.digits] == ["digit"] * 3
    assert recognizer.recognize_number([]).text == ""
    doubtful = dn.Recognizer(recognizer.network, dn.Calibration(rejection_threshold=1000))
    assert doubtful.recognize_number(row).text == "???"


def test_threads_may_share_a_recognizer(recognizer):
    expected = recognizer.recognize(SEVEN).probabilities.tobytes()
    wrong = []

    def ask():
        wrong.extend(i for i in range(200) if recognizer.recognize(SEVEN).probabilities.tobytes() != expected)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert wrong == []


# ---------------------------------------------------------------- the same everywhere


@pytest.mark.skipif(not EXAMPLE.exists(), reason="build/release is not there; ./dev setup makes it")
def test_the_same_drawing_gives_the_same_bytes_in_cpp_in_python_and_in_the_shell(
    calibrated, tmp_path, test_data, pictures, capfd
):
    model = tmp_path / "model.safetensors"
    calibrated.save(model)
    recognizer = dn.Recognizer(model)
    strokes = test_data / "strokes" / "digits.jsonl"
    cases = [(strokes, i, drawing) for i, drawing in enumerate(dn.read_drawings(strokes))]
    dot = tmp_path / "dot.json"
    dot.write_text('{"strokes": [[[1, 1]]]}')
    cases += [(dot, 0, [[[1, 1]]])]
    cases += [(picture, None, dn.read_picture(picture)) for picture in pictures]
    statuses = set()
    for file, index, drawing in cases:
        read = recognizer.recognize(drawing)
        statuses.add(read.status)
        words = [str(file), "--model", str(model), "--json"]
        words += [] if index is None else ["--index", str(index)]
        program = subprocess.run([EXAMPLE, *words], capture_output=True, text=True, check=True)
        assert main(["recognize", *words, "--image"]) == 0
        shell = json.loads(capfd.readouterr().out)[0]
        del shell["file"]
        for result in (json.loads(program.stdout), shell):
            assert bytes(result["image"]) == read.image.tobytes()
            assert np.float32(result["probabilities"]).tobytes() == read.probabilities.tobytes()
            assert (result["status"], result["digit"], result["score"]) == (
                read.status,
                read.digit,
                read.score,
            )
        assert json.loads(program.stdout) == shell
    assert {"digit", "not_a_digit"} <= statuses


# ---------------------------------------------------------------- the model


def test_the_model_in_a_file_brings_its_calibration(calibrated, tmp_path):
    calibrated.save(tmp_path / "model.safetensors", precision="half")
    calibration = dn.calibration_of(calibrated)
    assert dn.Recognizer(tmp_path / "model.safetensors").calibration == calibration
    assert dn.Recognizer(str(tmp_path / "model.safetensors"), SURE).calibration == SURE
    assert dn.Recognizer(calibrated).calibration == calibration
    assert calibration.fitted_on == "the sample"


def test_digitnet_model_in_the_environment(trained, tmp_path, monkeypatch):
    trained.save(tmp_path / "mine.safetensors")
    monkeypatch.setenv("DIGITNET_MODEL", str(tmp_path / "mine.safetensors"))
    assert dn.shipped_model() == tmp_path / "mine.safetensors"
    assert dn.Recognizer().recognize([]).status == "empty"
    monkeypatch.setenv("DIGITNET_MODEL", str(tmp_path / "none"))
    with pytest.raises(
        dn.IoError, match=r"^shipped_model: DIGITNET_MODEL is .*none, and there is no such file$"
    ):
        dn.Recognizer()


def test_the_model_lies_beside_the_package(trained, tmp_path, monkeypatch):
    (tmp_path / "models").mkdir()
    trained.save(tmp_path / "models" / "mnist.safetensors")
    monkeypatch.delenv("DIGITNET_MODEL", raising=False)
    monkeypatch.setattr(dn, "__path__", [str(tmp_path)])
    assert dn.shipped_model() == tmp_path / "models" / "mnist.safetensors"


def test_networks_for_something_else_are_refused(small_network):
    with pytest.raises(dn.ShapeError, match="Recognizer: a network of 12 inputs and 4 outputs, expected 784"):
        dn.Recognizer(small_network)
    with pytest.raises(dn.ArgumentError, match="expected softmax or sigmoid"):
        dn.Recognizer(dn.Network([784, 10], output_activation="tanh", loss="sum_of_squares"))


# ---------------------------------------------------------------- calibration


def test_fit_calibration(trained, mnist):
    garbage = not_digits.mixed(300, 1)
    calibration = dn.fit_calibration(
        trained, mnist.test, garbage, accepted=0.9, coverage=0.95, fitted_on="here"
    )
    logits = trained.logits(mnist.test).astype(float)
    scores = np.log(np.exp(logits).sum(axis=1))
    assert np.mean(scores >= calibration.rejection_threshold - 1e-5) == pytest.approx(0.9, abs=0.002)
    assert calibration.accepted == pytest.approx(0.9, abs=1e-9)
    assert calibration.coverage == pytest.approx(0.95, abs=1e-3)
    assert (calibration.digits, calibration.not_digits) == (1000, 300)

    def loss(temperature):
        z = logits / temperature
        return np.mean(np.log(np.exp(z).sum(axis=1)) - z[np.arange(len(z)), mnist.test.labels])

    best = min(np.geomspace(0.05, 20, 2000), key=loss)
    assert calibration.temperature == pytest.approx(best, rel=0.01)
    reads = dn.Recognizer(trained, calibration).recognize_images(garbage)
    by_score = np.mean(
        [read.score < calibration.rejection_threshold for read in reads if read.score is not None]
    )
    assert by_score == pytest.approx(calibration.rejected, abs=0.02)
    strict = dn.fit_calibration(trained, mnist.test, accuracy=0.995)
    assert strict.accuracy >= 0.995


def test_a_calibration_as_json(calibrated):
    calibration = dn.calibration_of(calibrated)
    assert dn.Calibration.from_json(calibration.to_json()) == calibration
    assert json.loads(calibration.to_json())["temperature"] == calibration.temperature
    assert json.loads(calibrated.metadata["calibration"]) == json.loads(calibration.to_json())
    assert dn.Calibration().rejection_threshold is None
    assert json.loads(dn.Calibration().to_json())["rejection_threshold"] is None
    with pytest.raises(
        dn.FormatError, match=r"^Calibration.from_json: temperature is 0, expected 0.05 to 20$"
    ):
        dn.Calibration.from_json('{"temperature": 0}')
    with pytest.raises(dn.ArgumentError, match="unsure_threshold is 2"):
        dn.Calibration(unsure_threshold=2)


def test_a_damaged_calibration_is_refused_and_another_helps(trained):
    network = trained.copy()
    network.metadata = {**network.metadata, "calibration": "[1, 2"}
    with pytest.raises(dn.FormatError, match=r'^calibration_of: the metadata "calibration": '):
        dn.Recognizer(network)
    assert dn.Recognizer(network, SURE).recognize(SEVEN).status == "digit"


# ---------------------------------------------------------------- metrics of confidence


def test_metrics_of_confidence():
    probabilities = np.array([[0.6, 0.4], [0.3, 0.7], [0.9, 0.1], [0, 1]])
    labels = [0, 0, 0, 1]
    assert dn.expected_calibration_error(probabilities, labels, bins=4) == pytest.approx(0.1)
    diagram = dn.reliability_diagram(probabilities, labels, bins=4)
    assert [each.samples for each in diagram] == [0, 0, 2, 2]
    assert (diagram[2].lower, diagram[2].upper, diagram[2].accuracy) == (0.5, 0.75, 0.5)
    assert diagram[2].confidence == pytest.approx(0.65)
    curve = dn.coverage_curve([0.2, 0.9, 0.5, 0.8], [1, 2, 3, 4], [1, 2, 0, 4])
    assert curve.accuracy == pytest.approx([1, 1, 2 / 3, 0.75])
    assert curve.area == pytest.approx(np.mean([1, 1, 2 / 3, 0.75]))
    assert curve.at(0.75) == pytest.approx(2 / 3)
    assert dn.auroc([1, 2, 3], [0, 2]) == pytest.approx(4.5 / 6)
    assert dn.acceptance_rate([1, 2, 3, 4], 3) == 0.5
    assert dn.threshold_accepting(0.75, [4, 1, 3, 2]) == 2
    with pytest.raises(dn.ShapeError, match="expected shape"):
        dn.expected_calibration_error([0.5], [0])


# ---------------------------------------------------------------- reports


@pytest.fixture(scope="module")
def measured(calibrated, mnist):
    recognizer = dn.Recognizer(calibrated)
    reads = recognizer.recognize_images(mnist.test)
    garbage = {
        kind: recognizer.recognize_images(not_digits.images(kind, 50, 1)) for kind in ("letters", "dots")
    }
    return reads, garbage, report.measure(recognizer, reads, mnist.test.labels, garbage)


def test_a_report_tells_what_can_be_counted(measured, mnist):
    reads, garbage, numbers = measured
    json.dumps(numbers, allow_nan=False)
    digits = np.array([read.top(1)[0][0] for read in reads])
    assert numbers["accuracy"] == np.mean(digits == mnist.test.labels)
    assert numbers["accuracy_at_coverage"]["1"] == pytest.approx(numbers["accuracy"])
    values = list(numbers["accuracy_at_coverage"].values())
    assert values[-1] > values[0]
    assert sum(numbers["statuses"].values()) == pytest.approx(1)
    assert 0.96 < 1 - numbers["statuses"]["not_a_digit"] < 0.99
    assert numbers["expected_calibration_error"] < 0.04
    for kind, found in numbers["garbage"].items():
        assert found["samples"] == 50
        accepted = np.mean([read.status == "digit" for read in garbage[kind]])
        assert found["false_accept_rate"] == accepted
        assert found["false_accept_rate"] <= found["false_accept_rate_at_98_percent"] + 0.1
    assert numbers["garbage"]["dots"]["auroc"] > 0.9
    text = report.summary(numbers)
    assert "accuracy at  98% coverage: " in text
    assert "letters" in text


def test_the_plot_and_the_contact_sheet_are_pictures(measured, mnist, tmp_path):
    reads, _, numbers = measured
    errors = sum(read.top(1)[0][0] != label for read, label in zip(reads, mnist.test.labels))
    assert report.contact_sheet(reads, mnist.test.labels, 1000, tmp_path / "all.png") == errors
    assert report.contact_sheet(reads, mnist.test.labels, 5, tmp_path / "worst.png") == 5
    sheet = dn.read_picture(tmp_path / "worst.png")
    assert sheet.shape == (72, 580)
    worst = max(
        (read for read, label in zip(reads, mnist.test.labels) if read.top(1)[0][0] != label),
        key=lambda read: read.probability,
    )
    assert (sheet[:56:2, :56:2] == worst.image).all()
    pytest.importorskip("matplotlib")
    report.plot(numbers, tmp_path / "report.png")
    assert dn.read_picture(tmp_path / "report.png").shape[1] > 1000


def test_a_report_of_nothing_is_refused(recognizer):
    with pytest.raises(dn.ArgumentError, match=r"^measure: 0 digits and 0 labels, expected as many"):
        report.measure(recognizer, [], [], {})


def test_evaluate_writes_a_report(calibrated, sample_folder, test_data, tmp_path, monkeypatch, capfd):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITNET_DATA_DIR", str(sample_folder))
    monkeypatch.setitem(sys.modules, "matplotlib", None)  # as if it were not installed
    calibrated.save("model.safetensors")
    command = ["evaluate", "model.safetensors", "--garbage", "20"]
    assert main([*command, "--report", "out", "--json"]) == 0
    out, err = capfd.readouterr()
    assert err == "digitnet: no report.png: Matplotlib is not installed; pip install digitnet[plot] gets it\n"
    written = json.loads(Path("out/report.json").read_text())
    assert json.loads(out)["report"] == written
    assert set(not_digits.KINDS) <= set(written["garbage"])
    assert written["calibration"]["fitted_on"] == "the sample"
    assert sorted(path.name for path in Path("out").iterdir()) == ["report.json", "worst.png"]

    strokes = str(test_data / "strokes" / "digits.jsonl")
    assert main([*command, "--report", "--drawings", strokes]) == 0
    out = capfd.readouterr().out
    assert "test samples: 10\n" in out
    assert "digits: 10\n" in out
    assert not Path("report.json").exists()

    assert main(["evaluate", "model.safetensors", "--worst", "5"]) == 2
    assert capfd.readouterr().err == "digitnet: --worst: no folder to write to, expected --report DIR\n"
    assert main([*command]) == 2
    assert capfd.readouterr().err == "digitnet: --garbage: nothing to measure it for, expected --report\n"
