"""Arguments of the wrong types: one line that names the argument, what was found and what was expected."""

import inspect
import subprocess
import sys

import numpy as np
import pytest

import digitnet as dn
from digitnet import _arguments, _core

WHOLE = "a whole number of at least 0"
SIZES = "a sequence of whole numbers of at least 0"


@pytest.fixture(scope="module")
def net():
    return dn.Network([12, 8, 4], seed=1)


@pytest.fixture(scope="module")
def data():
    return dn.Dataset(np.zeros((8, 12), np.float32), [0, 1, 2, 3] * 2, classes=4)


def told(function, *arguments, **named):
    """What the TypeError of a call says."""
    with pytest.raises(TypeError) as caught:
        function(*arguments, **named)
    assert type(caught.value) is TypeError
    return str(caught.value)


@pytest.mark.parametrize(
    ("call", "message"),
    [
        # Values that do not fit.
        (lambda: dn.Network([784, -1, 10]), f"Network: sizes[1] is -1, expected {WHOLE}"),
        (lambda: dn.Network([784.0, 10]), f"Network: sizes[0] is 784.0, expected {WHOLE}; did you mean 784?"),
        (lambda: dn.Network([784.5, 10]), f"Network: sizes[0] is 784.5, expected {WHOLE}"),
        (lambda: dn.Network(None), f"Network: sizes is None, expected {SIZES}"),
        (lambda: dn.Network("784"), f"Network: sizes is '784', expected {SIZES}"),
        (
            lambda: dn.Network([2, 2], seed=2**64),
            f"Network: seed is {2**64}, expected {WHOLE}; it must be below 2**64",
        ),
        (
            lambda: dn.Network([2, 2], None),
            "Network: activation is None, expected a str or a sequence of str",
        ),
        (lambda: dn.Network([2, 2], ["relu", 3]), "Network: activation[1] is 3, expected a str"),
        (lambda: dn.Network([2, 2], initializer=3), "Network: initializer is 3, expected a str or None"),
        (lambda: dn.Network.load(None), "Network.load: path is None, expected a path"),
        (lambda: dn.Network.from_bytes("x"), "Network.from_bytes: bytes is 'x', expected bytes"),
        (lambda: dn.load_mnist(3), "load_mnist: directory is 3, expected a path or None"),
        (lambda: dn.load_mnist(name=None), "load_mnist: name is None, expected a str"),
        (lambda: dn.Rng("x"), f"Rng: seed is 'x', expected {WHOLE}"),
        (lambda: dn.Rng(1).below(-1), f"Rng.below: limit is -1, expected {WHOLE}"),
        (lambda: dn.Adam("x"), "Adam: learning_rate is 'x', expected a number"),
        (lambda: dn.Adam(None), "Adam: learning_rate is None, expected a number"),
        (
            lambda: dn.Adam(np.ones(2)),
            "Adam: learning_rate is an array of dtype float64 and shape (2,), expected a number",
        ),
        (lambda: dn.Sgd(nesterov="yes"), "Sgd: nesterov is 'yes', expected True or False"),
        (
            lambda: dn.make_optimizer("adam", "x"),
            "make_optimizer: learning_rate is 'x', expected a number or None",
        ),
        (lambda: dn.step_schedule(0.5), "step_schedule: milestones is 0.5, expected a sequence of numbers"),
        (lambda: dn.step_schedule(["a"]), "step_schedule: milestones[0] is 'a', expected a number"),
        (lambda: dn.cosine_schedule(cycles=1.5), f"cosine_schedule: cycles is 1.5, expected {WHOLE}"),
        (lambda: dn.with_warmup("cosine", 0.1), "with_warmup: schedule is 'cosine', expected a function"),
        (
            lambda: dn.EarlyStopping(patience=2.0),
            f"EarlyStopping: patience is 2.0, expected {WHOLE}; did you mean 2?",
        ),
        (lambda: dn.ReduceOnPlateau().restore(3), "ReduceOnPlateau.restore: state is 3, expected a tuple"),
        (
            lambda: dn.Classifier(3),
            "Classifier: model is 3, expected a path or a Network; Network.load(path) loads one",
        ),
        (
            lambda: dn.balanced_class_weights([1]),
            "balanced_class_weights: data is [1], expected a Dataset; Dataset(images, labels) makes one",
        ),
        # Arguments that are missing, too many, or called something else.
        (lambda: dn.Rng(), f"Rng: seed is missing, expected {WHOLE}"),
        (lambda: dn.Dataset([[1.0]]), "Dataset: labels is missing, expected an array"),
        (lambda: dn.StopFlag(3), "StopFlag: 1 argument, expected none"),
        (lambda: dn.default_threads(1, 2), "default_threads: 2 arguments, expected none"),
        (
            lambda: dn.Sgd(1, 0.5, False, 0, 9),
            "Sgd: 5 arguments, expected at most 4 (learning_rate, momentum, nesterov, weight_decay)",
        ),
        (lambda: dn.Rng(1, seed=2), "Rng: seed is given twice, expected once"),
        (
            lambda: dn.Adam(lr=1),
            "Adam: no argument is called 'lr', expected learning_rate, beta1, beta2, epsilon or weight_decay",
        ),
        (
            lambda: dn.load_mnist(directry="x"),
            "load_mnist: no argument is called 'directry', expected directory or name; "
            "did you mean 'directory'?",
        ),
        # Arrays that are none.
        (lambda: dn.Dataset(None, [1]), "Dataset: found None, expected an array"),
        (lambda: dn.accuracy("x", [1]), "accuracy: found a str, expected an array"),
        (lambda: dn.loss("hinge", None, [0]), "loss: found None, expected an array"),
        (lambda: dn.top_k_accuracy("x", [1], 1), "top_k_accuracy: found a str, expected an array"),
    ],
)
def test_the_argument_is_named(call, message):
    assert told(call) == message


def test_methods_and_properties_say_where(net, data):
    assert told(net.predict, data, threads=-1) == f"Network.predict: threads is -1, expected {WHOLE}"
    assert told(net.predict, data, -1) == f"Network.predict: threads is -1, expected {WHOLE}"
    assert told(net.predict) == "Network.predict: images is missing, expected a Dataset or an array"
    assert told(net.predict, None) == "predict: found None, expected an array"
    assert told(net.evaluate, None).startswith("Network.evaluate: data is None, expected a Dataset; ")
    assert told(dn.Network.predict, 3, data).startswith("Network.predict: self is 3, expected a Network")
    assert told(data.subset, [-1]) == f"Dataset.subset: samples[0] is -1, expected {WHOLE}"
    assert told(lambda: data[3]) == "Dataset.__getitem__: range is 3, expected a slice"
    assert (
        told(setattr, dn.Adam(), "learning_rate", "x") == "Optimizer: learning_rate is 'x', expected a number"
    )
    assert told(setattr, net, "metadata", 3) == "Network: metadata is 3, expected a dict"
    assert told(setattr, dn.Rng(1), "state", [1, 2]) == (
        "Rng: state is [1, 2], expected a sequence of whole numbers of at least 0, 4 of them"
    )
    message = (
        "learning_rate_range_test: 4 arguments, expected at most 3 (network, data, optimizer) without a name"
    )
    assert told(dn.learning_rate_range_test, net, data, None, 1) == message


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        ({"epochs": -1}, f"epochs is -1, expected {WHOLE}"),
        ({"epochs": 3.0}, f"epochs is 3.0, expected {WHOLE}; did you mean 3?"),
        ({"batch_size": None}, f"batch_size is None, expected {WHOLE}"),
        ({"seed": -1}, f"seed is -1, expected {WHOLE}"),
        ({"dropout": "x"}, "dropout is 'x', expected a number"),
        ({"shuffle": "no"}, "shuffle is 'no', expected True or False"),
        ({"averaging": None}, "averaging is None, expected a str"),
        ({"plateau": 3}, "plateau is 3, expected a ReduceOnPlateau or None"),
        ({"early_stopping": True}, "early_stopping is True, expected an EarlyStopping or None"),
        ({"class_weights": 3}, "class_weights is 3, expected a sequence of numbers"),
        ({"sample_weights": ["a"]}, "sample_weights[0] is 'a', expected a number"),
        ({"schedule": 3}, "schedule is 3, expected a function, a str or None"),
        ({"stop": 3}, "stop is 3, expected a StopFlag or None"),
        ({"on_epoch": 3}, "on_epoch is 3, expected a function or None"),
        ({"on_batch": 3}, "on_batch is 3, expected a function or None"),
        (
            {"validation": "x"},
            "validation is 'x', expected a number, a Dataset or None; Dataset(images, labels) makes one",
        ),
        (
            {"optimizer": 3},
            "optimizer is 3, expected an Optimizer, a str or None; make_optimizer(name) makes one",
        ),
        (
            {"optimizer": dn.Adam},
            "optimizer is the class Adam, expected an Optimizer, a str or None; did you mean Adam()?",
        ),
    ],
)
def test_train_names_its_own_arguments(net, data, arguments, message):
    weights = net.layers[0].weights.copy()
    assert told(dn.train, net, data, **arguments) == f"train: {message}"
    np.testing.assert_array_equal(net.layers[0].weights, weights)


def test_train_wants_a_network_and_a_data_set(net, data, mnist, sample_folder):
    message = "train: data is a Mnist, expected a Dataset; did you mean its .train or its .test?"
    assert told(dn.train, net, dn.load_mnist(sample_folder), validation=0.1) == message
    message = (
        "train: data is an array of dtype float64 and shape (3, 12), expected a Dataset; "
        "Dataset(images, labels) makes one"
    )
    assert told(dn.train, net, np.zeros((3, 12))) == message
    message = "train: network is 'net', expected a Network; Network.load(path) loads one"
    assert told(dn.train, "net", data) == message


@pytest.mark.parametrize("schedule", [dn.cosine_schedule, lambda _: "fast", lambda _: None])
def test_a_schedule_that_returns_no_number(net, data, schedule):
    message = told(dn.train, net.copy(), data, schedule=schedule)
    assert message.startswith("train: schedule returned no number, expected a factor on the learning rate; ")
    assert "\n" not in message


def test_long_values_are_cut_and_lines_joined():
    message = told(dn.Adam, "x\n" * 10_000)
    assert "\n" not in message
    assert len(message) < 150
    assert "..." in message


def functions():
    """All of the module: functions, constructors, methods, and what is called when a property is set."""
    for place in (_core, *(item for item in vars(_core).values() if inspect.isclass(item))):
        if inspect.isclass(place) and issubclass(place, BaseException):
            continue  # Python makes those
        for name, item in vars(place).items():
            found = item.fset if isinstance(item, property) else getattr(place, name)
            if name == "__eq__":
                continue  # compares with anything
            if inspect.isroutine(found) and "pybind11" not in name:
                yield pytest.param(found, id=f"{place.__name__}.{name}")


@pytest.mark.parametrize("function", list(functions()))
def test_no_function_of_the_module_raises_more_than_a_line(function):
    class Odd:
        """Something that nothing takes."""

    for count in (0, 1, 2, 3, 12):
        try:
            function(*(Odd() for _ in range(count)))
        except (TypeError, ValueError, dn.IoError) as error:
            # ValueError where anything may be an array, IoError of load_mnist() where there is no MNIST
            message = str(error)
        else:
            message = ""  # it takes no arguments, or as few
        assert "\n" not in message
        assert "Invoked with" not in message
    assert message


def test_errors_of_callbacks_are_left_alone(net, data):
    def callback(_report):
        msg = "mine\nand only mine"
        raise TypeError(msg)

    assert told(dn.train, net.copy(), data, epochs=1, on_epoch=callback) == "mine\nand only mine"


def test_values_that_fail_when_they_are_looked_at_still_make_a_type_error():
    class Hostile:
        def __len__(self):
            raise ValueError

        def __iter__(self):
            raise ValueError

        def __repr__(self):
            raise ValueError

    assert "sizes" in told(dn.Network, Hostile())


def test_numbers_of_numpy_are_shown_as_numbers():
    assert told(dn.Rng, np.float64(2.5)) == f"Rng: seed is 2.5, expected {WHOLE}"
    assert told(dn.Rng, np.int8(-3)) == f"Rng: seed is -3, expected {WHOLE}"
    assert told(dn.Rng, np.zeros((2, 0))) == (
        f"Rng: seed is an array of dtype float64 and shape (2, 0), expected {WHOLE}"
    )


def test_numpy_is_not_imported_for_it():
    """It takes longer than the rest of digitnet, and digitnet --help needs none of it."""
    program = "import sys, digitnet.cli; sys.exit('numpy' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0


@pytest.mark.parametrize("rate", [1, np.float32(1), np.int64(1), np.array(1.0), True])
def test_what_pybind11_takes_as_a_number_is_taken(rate):
    assert dn.Adam(rate).learning_rate == 1


# ---------------------------------------------------------------- the reading of signatures

# As pybind11 2 writes types, which these tests may not run with.
OLD = """f(): incompatible function arguments. The following argument types are supported:
    1. (self: digitnet._core.Network, sizes: List[int], rate: float = 0.5, name: Optional[str] = None, path: Union[os.PathLike, str, bytes] = ', (') -> None

Invoked with: """  # noqa: E501


@pytest.mark.parametrize(
    ("named", "message"),
    [
        ({}, "sizes is missing, expected a sequence of whole numbers of at least 0"),
        ({"sizes": [1, "x"]}, f"sizes[1] is 'x', expected {WHOLE}"),
        ({"sizes": [1], "rate": "x"}, "rate is 'x', expected a number"),
        ({"sizes": [1], "name": 3}, "name is 3, expected a str or None"),
        ({"sizes": [1], "path": 3}, "path is 3, expected a path"),
    ],
)
def test_the_signatures_of_older_versions_of_pybind11(net, named, message):
    assert _arguments.explain("Network.f", OLD, (net,), named) == f"Network.f: {message}"


def test_a_call_in_which_nothing_is_to_blame_shows_what_was_given(net):
    line = _arguments.explain("Network.f", OLD, (net, [1]), {"rate": 1})
    assert line == "Network.f: arguments a Network, [1], rate=1, expected other types; see help()"
    line = _arguments.explain("f", "what?", (1,), {})
    assert line == "f: arguments 1, expected other types; see help()"
