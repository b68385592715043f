"""Pictures to digits: what the network is to see of a picture, and what it reads."""

import threading

import numpy as np
import pytest

import digitnet as dn


@pytest.fixture(scope="module")
def classifier(trained):
    return dn.Classifier(trained)


def digits_read(classifier, pictures):
    return {path.name: classifier.classify(dn.read_picture(path)).digit for path in pictures}


def test_the_sample_is_enough_to_read_all_pictures_but_a_slanted_1(classifier, pictures):
    read = digits_read(classifier, pictures)
    del read["1-pencil-on-grey-paper.jpg"]
    assert read == {name: int(name[0]) for name in read}


def test_two_epochs_of_all_of_mnist_are_enough_to_read_all_pictures(pictures):
    try:
        training = dn.load_mnist().train
    except dn.IoError:
        pytest.skip("MNIST is not here; digitnet fetch mnist, or set DIGITNET_DATA_DIR")
    network = dn.Network([784, 128, 10], seed=1)
    schedule = dn.cosine_schedule()
    dn.train(network, training, epochs=2, batch_size=64, optimizer=dn.AdamW(2e-3), schedule=schedule, seed=1)
    read = digits_read(dn.Classifier(network), pictures)
    assert read == {name: int(name[0]) for name in read}


def test_a_prediction_has_all_its_parts(classifier, mnist):
    image = mnist.test.images[0]
    prediction = classifier.classify_image(image)
    assert prediction.probabilities.shape == (10,)
    assert prediction.probabilities.dtype == np.float32
    assert prediction.digit == prediction.probabilities.argmax()
    assert prediction.probability == prediction.probabilities.max()
    np.testing.assert_array_equal(prediction.image, image)
    assert f"{prediction.digit}, probability" in repr(prediction)


def test_images_of_mnist_are_read_as_the_network_does(classifier, trained, mnist):
    read = [classifier.classify_image(image).digit for image in mnist.test.images[:100]]
    np.testing.assert_array_equal(read, trained.predict(mnist.test[:100]))


@pytest.mark.parametrize("shape", [(50, 40), (50, 40, 3), (50, 40, 4), (1, 1)])
def test_an_empty_picture_has_no_digit(classifier, shape):
    prediction = classifier.classify(np.full(shape, 255, np.uint8))
    assert prediction.digit is None
    assert prediction.probabilities is None
    assert not prediction.image.any()
    assert "no ink" in repr(prediction)


@pytest.mark.parametrize("dtype", [np.uint8, np.float64])
@pytest.mark.parametrize("shape", [(0, 0), (5, 0), (0, 5), (0, 5, 3), (5, 5, 0), (0,)])
def test_a_picture_without_pixels_is_said_to_be_empty(classifier, shape, dtype):
    for ask in (classifier.classify, dn.to_mnist_image):
        with pytest.raises(dn.ShapeError, match=r": an empty picture, of .*, expected at least one pixel$"):
            ask(np.zeros(shape, dtype))


def test_a_digit_is_the_same_wherever_however_large_and_in_which_colours(classifier, mnist):
    image = mnist.test.images[0].repeat(4, axis=0).repeat(4, axis=1)
    canvas = np.zeros((300, 400), np.uint8)
    canvas[150:262, 30:142] = image
    expected = classifier.classify(image)
    for picture in (canvas, 255 - canvas, np.stack([255 - canvas] * 3, axis=2), canvas[:, ::-1][:, ::-1]):
        prediction = classifier.classify(picture)
        assert prediction.digit == expected.digit
        np.testing.assert_allclose(prediction.image.astype(int), expected.image, atol=1)


def test_to_mnist_image_fits_the_ink_into_the_box_and_centres_it():
    picture = np.zeros((200, 300), np.uint8)
    picture[20:120, 40:70] = 255
    image = dn.to_mnist_image(picture)
    assert image.shape == (28, 28)
    assert image.dtype == np.uint8
    rows, columns = np.flatnonzero(image.any(axis=1)), np.flatnonzero(image.any(axis=0))
    assert 20 <= rows[-1] - rows[0] + 1 <= 22  # to half ink, and a soft edge
    assert 5 <= columns[-1] - columns[0] + 1 <= 8
    ink = image.astype(np.float64)
    assert (ink.sum(axis=0) @ np.arange(28)) / ink.sum() == pytest.approx(14, abs=0.02)
    assert (ink.sum(axis=1) @ np.arange(28)) / ink.sum() == pytest.approx(14, abs=0.02)


def test_read_picture_keeps_the_channels(test_data):
    folder = test_data / "images"
    assert dn.read_picture(folder / "0-alpha-only.png").shape == (200, 200, 4)
    assert dn.read_picture(folder / "5-blue-on-white-low.png").shape == (280, 280, 3)
    assert dn.read_picture(folder / "6-black-on-white.pgm").shape == (96, 96)


def test_pictures_of_other_types_are_refused(classifier):
    for picture in (
        np.zeros((5, 5), np.int64),
        np.zeros(5, np.uint8),
        np.zeros((5, 5, 5), np.uint8),
    ):
        with pytest.raises(dn.ShapeError, match="expected uint8"):
            classifier.classify(picture)
        with pytest.raises(dn.ShapeError, match="expected uint8"):
            dn.to_mnist_image(picture)
    for image in (
        np.zeros((27, 28), np.uint8),
        np.zeros((28, 28)),
        np.zeros(784, np.uint8),
        [[1, 2], [3, 4]],
    ):
        with pytest.raises(
            dn.ShapeError, match=r"an image of .*\(28, 28\); classify takes pictures of any size"
        ):
            classifier.classify_image(image)
    for ask in (classifier.classify, classifier.classify_image, dn.to_mnist_image):
        for nothing, name in ((None, "None"), ("3.png", "a str")):
            with pytest.raises(TypeError, match=rf"^[\w.]+: found {name}, expected an array$"):
                ask(nothing)


def test_files_that_are_no_pictures(tmp_path, test_data):
    (tmp_path / "text.png").write_text("no picture")
    whole = (test_data / "images" / "3-thick-white-on-black.png").read_bytes()
    (tmp_path / "cut.png").write_bytes(whole[: len(whole) // 2])
    (tmp_path / "empty.png").write_bytes(b"")
    for name in ("text.png", "cut.png", "empty.png"):
        with pytest.raises(dn.FormatError, match=rf"read_picture: .*{name}"):
            dn.read_picture(tmp_path / name)
    with pytest.raises(dn.IoError, match=r"read_picture: .*none\.png"):
        dn.read_picture(tmp_path / "none.png")


def test_a_classifier_can_be_made_of_a_file(trained, tmp_path, mnist):
    trained.save(tmp_path / "model.safetensors")
    for path in (tmp_path / "model.safetensors", str(tmp_path / "model.safetensors")):
        assert (
            dn.Classifier(path).classify_image(mnist.test.images[0]).digit
            == trained.predict(mnist.test[:1])[0]
        )
    with pytest.raises(dn.IoError):
        dn.Classifier(tmp_path / "none")


def test_networks_for_something_else_are_refused():
    with pytest.raises(dn.ShapeError, match="12 inputs, expected 784"):
        dn.Classifier(dn.Network([12, 10]))
    with pytest.raises(dn.ArgumentError, match="softmax"):
        dn.Classifier(dn.Network([784, 10], output_activation="identity", loss="sum_of_squares"))


@pytest.fixture(scope="module")
def predictor(trained):
    return dn.Predictor(trained)


def test_a_predictor_reads_what_the_network_reads(predictor, trained, mnist):
    images = mnist.test.images[:200]
    floats = images.astype(np.float32) / 255
    expected = trained.predict_proba(images)
    assert [predictor.predict(image) for image in images] == trained.predict(images).tolist()
    assert isinstance(predictor.predict(images[0]), int)
    for image, as_float, probabilities in zip(images, floats, expected):
        for same in (image, image.ravel(), np.asfortranarray(image), as_float, as_float.ravel()):
            answer = predictor.predict_proba(same)
            assert answer.shape == (10,)
            assert answer.dtype == np.float32
            np.testing.assert_allclose(answer, probabilities, rtol=1e-4, atol=1e-7)
            np.testing.assert_array_equal(predictor.forward(same), answer)


def test_answers_of_a_predictor_stay_what_they_are(predictor, mnist):
    first = predictor.predict_proba(mnist.test.images[0])
    kept = first.copy()
    predictor.predict_proba(mnist.test.images[1])
    np.testing.assert_array_equal(first, kept)


def test_a_predictor_keeps_a_copy_of_the_network(trained, mnist):
    network = trained.copy()
    predictor = dn.Predictor(network)
    expected = predictor.forward(mnist.test.images[0])
    network.layers[0].weights[:] = 0
    del network
    np.testing.assert_array_equal(predictor.forward(mnist.test.images[0]), expected)


def test_a_predictor_takes_images_as_they_lie(predictor, trained, mnist):
    canvas = np.zeros((60, 70), np.uint8)
    canvas[11:39, 21:49] = mnist.test.images[5]
    assert predictor.predict(canvas[11:39, 21:49]) == trained.predict(mnist.test.images[5:6])[0]
    backwards = np.ascontiguousarray(mnist.test.images[5][:, ::-1])[:, ::-1]
    np.testing.assert_array_equal(predictor.forward(backwards), predictor.forward(mnist.test.images[5]))


def test_a_predictor_shared_by_threads_gives_no_wrong_answer(predictor, trained, mnist):
    images = mnist.test.images
    expected = trained.predict(images).tolist()
    answers = [[] for _ in range(4)]

    def ask(answer):
        answer.extend(predictor.predict(image) for image in images)

    threads = [threading.Thread(target=ask, args=(answer,)) for answer in answers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == [expected] * 4


@pytest.mark.parametrize("method", ["predict", "predict_proba", "forward"])
def test_other_things_than_images_are_refused(predictor, method):
    ask = getattr(predictor, method)
    wanted = r"expected an array of uint8 or float32, shape \(28, 28\) or \(784,\)"
    for shape in [(783,), (27, 28), (1, 28, 28), (0,), ()]:
        for dtype in (np.uint8, np.float32):
            with pytest.raises(
                dn.ShapeError, match=rf"^Predictor\.{method}: dtype \w+ and shape .*, {wanted}$"
            ):
                ask(np.zeros(shape, dtype))
    for dtype in (np.float64, np.int8, np.int64, bool, ">f4", object):
        with pytest.raises(
            TypeError, match=rf"^Predictor\.{method}: dtype .* and shape \(28, 28\), {wanted}$"
        ):
            ask(np.zeros((28, 28), dtype))
    for thing in (None, 3, [[0] * 28] * 28, "image", b"0" * 784):
        with pytest.raises(TypeError, match=rf"^Predictor\.{method}: an object of type \w+, {wanted}$"):
            ask(thing)


def test_a_predictor_of_other_networks():
    network = dn.Network([6, 3], output_activation="identity", loss="sum_of_squares", seed=2)
    predictor = dn.Predictor(network)
    x = np.arange(6, dtype=np.float32)
    np.testing.assert_allclose(predictor.forward(x), network.forward(x[None])[0], rtol=1e-5)
    np.testing.assert_array_equal(predictor.forward(x.reshape(2, 3)), predictor.forward(x))
    assert repr(predictor) == "<digitnet.Predictor: 6 inputs, 3 outputs>"
    with pytest.raises(
        dn.ArgumentError, match=r"^predict_proba: the last layer is identity, expected softmax"
    ):
        predictor.predict_proba(x)
    with pytest.raises(dn.ShapeError, match=r"shape \(6,\) or \(rows, columns\) of as many$"):
        predictor.predict(x[:5])
    with pytest.raises(TypeError):
        dn.Predictor("network")


def test_weights_of_a_byte_read_the_sample_as_well(trained, mnist):
    predictor = dn.QuantizedPredictor(trained)
    images, labels = mnist.test.images, mnist.test.labels
    read = np.array([predictor.predict(image) for image in images])
    accuracy = trained.evaluate(mnist.test).accuracy
    assert np.mean(read == labels) == pytest.approx(accuracy, abs=0.003)
    expected = trained.predict_proba(images[:100])
    for image, probabilities in zip(images, expected):
        for same in (image, image.astype(np.float32).ravel() / 255):
            answer = predictor.predict_proba(same)
            assert answer.dtype == np.float32
            np.testing.assert_allclose(answer, probabilities, atol=0.1)
            np.testing.assert_allclose(predictor.forward(same), answer)
    assert (predictor.inputs, predictor.outputs) == (784, 10)
    assert predictor.parameter_bytes < 0.3 * 4 * trained.parameter_count
    assert repr(predictor) == "<digitnet.QuantizedPredictor: 784 inputs, 10 outputs>"


def test_weights_of_a_byte_refuse_what_a_predictor_refuses(trained):
    predictor = dn.QuantizedPredictor(trained)
    with pytest.raises(
        dn.ShapeError, match=r"^QuantizedPredictor.predict: dtype uint8 and shape \(783\), expected"
    ):
        predictor.predict(np.zeros(783, np.uint8))
    with pytest.raises(TypeError, match=r"^QuantizedPredictor.forward: dtype float64"):
        predictor.forward(np.zeros(784))
    diverged = trained.copy()
    diverged.layers[0].weights[3, 4] = np.nan
    with pytest.raises(dn.ArgumentError, match="layer 0 has a parameter that is not finite"):
        dn.QuantizedPredictor(diverged)
