"""The command digitnet, in this process and in processes of its own: results, errors, exit codes, Ctrl-C."""

import contextlib
import gzip
import json
import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn
from digitnet.cli import COMMANDS, main
from digitnet.fetch import DATASETS

BY_THIS_FOLDER = "digitnet: recognize: by mnist.safetensors of this folder; --model names another\n"
SMALL = ["--hidden", "16", "--epochs", "2", "--quiet"]  # a training that takes no time
TIME_LIMIT = 120


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path, sample_folder):
    """Every test runs in an empty folder and finds the sample of MNIST as its data."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "data").mkdir()
    (tmp_path / "data" / "mnist").symlink_to(sample_folder)
    monkeypatch.setenv("DIGITNET_DATA_DIR", str(tmp_path / "data"))
    monkeypatch.setenv("DIGITNET_OFFLINE", "1")
    return tmp_path


@pytest.fixture(scope="session")
def model_bytes(trained):
    network = trained.copy()
    dn.set_calibration(network, dn.Calibration(unsure_threshold=0))  # every digit is read
    return network.to_bytes()


@pytest.fixture
def model(place, model_bytes):
    """The trained network, where recognize looks for one."""
    (place / "mnist.safetensors").write_bytes(model_bytes)
    return "mnist.safetensors"


@pytest.fixture
def run(capfd):
    """Runs a command in this process; returns exit code, stdout, stderr."""

    def run_it(*words):
        code = main([str(word) for word in words])
        return code, *capfd.readouterr()

    return run_it


def start(*words, **options):
    """Starts a command in a process of its own, where Ctrl-C is answered whatever it is here."""
    return subprocess.Popen(
        [sys.executable, "-m", "digitnet", *map(str, words)],
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        **{"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options},
    )


# ---------------------------------------------------------------- the command itself


def test_version_and_help(run):
    assert run("--version") == (0, f"digitnet {dn.__version__}\n", "")
    code, out, err = run("--help")
    assert (code, err) == (0, "")
    listed = re.findall(r"^    (\w+)", out, re.MULTILINE)
    assert listed == ["fetch", *COMMANDS]


@pytest.mark.parametrize("command", ["fetch", *COMMANDS])
def test_every_command_has_help(run, command):
    code, out, err = run(command, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: digitnet {command} ")


def test_without_a_command_it_helps_and_says_usage(run):
    code, out, err = run()
    assert (code, out) == (2, "")
    assert err.startswith("usage: digitnet ")


def test_a_process_does_the_same():
    with start("--version") as process:
        assert process.communicate(timeout=TIME_LIMIT) == (f"digitnet {dn.__version__}\n", "")
        assert process.returncode == 0
    with start("inspect", "nothing") as process:
        out, err = process.communicate(timeout=TIME_LIMIT)
        assert (out, process.returncode) == ("", 3)
        assert err == "digitnet: load_network: nothing: cannot be opened: No such file or directory\n"


@pytest.mark.parametrize(
    "words",
    [
        ["learn"],
        ["train", "--epochs", "0"],
        ["train", "--epochs", "1.5"],
        ["train", "--epochs", "9" * 5000],
        ["train", "--seed", "-1"],
        ["train", "--hidden", "128,x"],
        ["train", "--hidden", "0"],
        ["train", "--hidden", "9999999"],
        ["train", "--hidden", ",".join(["2"] * 300)],
        ["train", "--activation", "softmax"],
        ["train", "--optimizer", "best"],
        ["train", "--learning-rate", "-1"],
        ["train", "--learning-rate", "nan"],
        ["train", "--learning-rate", "inf"],
        ["train", "--learning-rate", "fast"],
        ["train", "--validation", "1"],
        ["train", "--threads", "257"],
        ["train", "--weight-decay", "-0.1"],
        ["train", "--weight-decay", "nan"],
        ["train", "--schedule", "line"],
        ["train", "--warmup", "1"],
        ["train", "--schedule", "one-cycle", "--warmup", "0"],
        ["train", "--epoch", "1"],  # nothing is guessed
        ["train", "mnist"],
        ["evaluate"],
        ["evaluate", "model", "--min-accuracy", "98"],
        ["recognize"],
        ["fetch"],
        ["fetch", "imagenet"],
        ["fetch", "mnist", "--folder", "x"],
        ["train", "--name", "imagenet"],
        ["train", "--name", "imagenet", "--data", "data/mnist"],  # where there are files of any name
        ["train", "--name", "", "--data", "data/mnist"],
        ["train", "--name", "../data/mnist"],
        ["evaluate", "model", "--name", "imagenet", "--data", "data/mnist"],
        ["train", "--dropout", "1"],
        ["train", "--dropout", "half"],
        ["train", "--input-dropout", "-0.1"],
        ["train", "--label-smoothing", "1"],
        ["train", "--batch-norm", "yes"],
        ["train", "--l1", "-1"],
        ["train", "--l2", "inf"],
        ["train", "--max-norm", "nan"],
        ["train", "--clip-norm", "-1"],
        ["train", "--clip-value", "x"],
        ["train", "--averaging", "mean"],
        ["train", "--ema-decay", "1", "--averaging", "ema"],
        ["train", "--ema-decay", "0.9"],
        ["train", "--ema-decay", "0.9", "--averaging", "swa"],
        ["train", "--swa-start", "0.5", "--averaging", "ema"],
        ["train", "--early-stopping", "0"],
        ["train", "--early-stopping", "2", "--validation", "0"],
        ["train", "--early-stopping", "2", "--early-stopping-metric", "loss"],
        ["train", "--early-stopping-metric", "training_loss"],
        ["train", "--plateau", "-1"],
        ["train", "--plateau", "2", "--validation", "0", "--plateau-metric", "validation_accuracy"],
        ["train", "--plateau", "2", "--plateau-factor", "0"],
        ["train", "--plateau", "2", "--plateau-factor", "1"],
        ["train", "--plateau-factor", "0.5"],
        ["train", "--plateau-metric", "training_loss"],
        ["train", "--validation", "0.99999"],  # nothing is left to learn from
        ["inspect"],
        ["inspect", "a", "b"],
    ],
)
def test_wrong_usage_is_one_line_and_exit_code_2(run, place, words):
    code, out, err = run(*words)
    assert (code, out) == (2, "")
    assert re.fullmatch(r"digitnet: .+\n", err)
    assert sorted(path.name for path in place.iterdir()) == ["data"]


@pytest.mark.parametrize("words", [[], ["--model", "none.safetensors"]])
def test_recognize_without_a_model_is_exit_code_3_whether_it_was_named_or_not(run, words):
    code, out, err = run("recognize", "picture.png", *words)
    assert (code, out) == (3, "")
    assert re.fullmatch(r"digitnet: .+\n", err)


def test_recognize_without_a_model_says_where_it_has_looked(run, monkeypatch):
    monkeypatch.setenv("DIGITNET_MODEL", "nowhere")
    assert "DIGITNET_MODEL is nowhere" in run("recognize", "picture.png")[2]
    assert "none.safetensors" in run("recognize", "picture.png", "--model", "none.safetensors")[2]


def test_the_fetch_of_what_is_not_there_names_what_is(run):
    code, out, err = run("fetch", "mnits")
    assert (code, out) == (2, "")
    names = ", ".join(DATASETS)
    assert err == f"digitnet: fetch: data set 'mnits', expected one of {names}; did you mean mnist?\n"


@pytest.mark.parametrize("words", [["train", *SMALL], ["evaluate", "mnist.safetensors"]])
@pytest.mark.usefixtures("model")
def test_an_unknown_data_set_names_those_there_are(run, words):
    """Not "digitnet fetch mnits", which does not exist; and no model says it is of such data."""
    before = Path("mnist.safetensors").read_bytes()
    for data in ([], ["--data", "data/mnist"]):
        code, out, err = run(*words, "--name", "mnits", *data)
        assert (code, out) == (2, "")
        assert re.fullmatch(
            rf"digitnet: --name 'mnits', expected one of {', '.join(DATASETS)}, or a folder in .*data.*; "
            r"did you mean mnist\?\n",
            err,
        )
    assert Path("mnist.safetensors").read_bytes() == before


def test_a_known_data_set_that_is_not_here_is_told_how_to_get(run):
    code, _, err = run("train", "--name", "kmnist")
    assert code == 3
    assert "`digitnet fetch kmnist` gets them" in err


def test_cpp_knows_the_data_sets_that_can_be_fetched(place):
    for name in DATASETS:
        with pytest.raises(dn.IoError, match=f"`digitnet fetch {name}` gets them"):
            dn.load_mnist(place, name)
    with pytest.raises(dn.IoError, match=f"is called {', '.join(DATASETS)}, "):
        dn.load_mnist(place, "foo")


def test_fetch_offline_is_exit_code_5(run, place):
    code, out, err = run("fetch", "mnist", "--data-dir", place / "empty")
    assert (code, out) == (5, "")
    assert "DIGITNET_OFFLINE" in err


# ---------------------------------------------------------------- train


def test_train_saves_and_says_what_it_made(run):
    code, out, err = run("train", *SMALL)
    assert (code, err) == (0, "")
    lines = dict(line.split(": ") for line in out.splitlines())
    assert list(lines) == ["training samples", "training time", "test accuracy", "model"]
    assert lines["training samples"] == "6000"
    assert lines["model"] == "mnist.safetensors"
    assert float(lines["test accuracy"]) == round(
        dn.Network.load("mnist.safetensors").evaluate(dn.load_mnist().test).accuracy, 4
    )


def test_train_talks_on_stderr_and_draws_no_bar_without_a_terminal(run):
    code, out, err = run("train", *SMALL[:-1], "--json")
    assert code == 0
    assert json.loads(out)["model"] == "mnist.safetensors"
    assert re.fullmatch(r"(epoch \d/2: loss [^\n\r\x1b]+\n){2}", err)


@pytest.mark.parametrize("no_color", [False, True])
def test_train_draws_a_bar_on_a_terminal(monkeypatch, no_color):
    monkeypatch.setenv("TERM", "xterm")
    monkeypatch.delenv("NO_COLOR", raising=False)
    if no_color:
        monkeypatch.setenv("NO_COLOR", "1")
    ours, theirs = os.openpty()
    with start("train", *SMALL[:-1], stderr=theirs) as process:
        os.close(theirs)
        drawn = b""
        with contextlib.suppress(OSError):  # the end of a terminal is an error
            while piece := os.read(ours, 65536):
                drawn += piece
        os.close(ours)
        assert process.wait(TIME_LIMIT) == 0
        assert "\x1b" not in process.stdout.read()
    assert b"epoch 2/2: loss" in drawn
    assert b"\x1b[2K" in drawn  # a line that is written over
    assert bool(re.search(rb"\x1b\[[0-9;]*3[0-9](;[0-9;]*)?m", drawn)) is not no_color


def test_train_keeps_where_the_model_comes_from(run, mnist):
    code, out, _ = run("train", *SMALL, "--seed", 7, "--validation", 0.2, "--json")
    assert code == 0
    result = json.loads(out)
    provenance = json.loads(dn.Network.load("mnist.safetensors").metadata["provenance"])
    assert provenance["digitnet"] == dn.__version__
    assert provenance["data"] == "mnist"
    assert provenance["data_sha256"] == mnist.train.fingerprint()
    assert provenance["seed"] == 7
    assert provenance["options"]["hidden"] == [16]
    assert provenance["options"]["epochs"] == 2
    assert provenance["options"]["validation"] == 0.2
    for key in ("validation_accuracy", "test_accuracy"):
        assert provenance[key] == result[key]
        assert 0.5 < result[key] <= 1
    assert result["training_samples"] == 6000
    assert result["parameters"] == 784 * 16 + 16 + 16 * 10 + 10
    assert [epoch["epoch"] for epoch in result["history"]] == [1, 2]
    assert result["history"][-1]["validation_accuracy"] == result["validation_accuracy"]


def test_the_same_seed_gives_the_same_file_for_any_number_of_threads(run):
    files = []
    for threads in (1, 2):
        assert run("train", *SMALL, "--threads", threads, "--output", f"{threads}.safetensors")[0] == 0
        files.append(Path(f"{threads}.safetensors").read_bytes())
    assert run("train", *SMALL, "--seed", 2, "--output", "other.safetensors")[0] == 0
    assert files[0] == files[1] != Path("other.safetensors").read_bytes()


@pytest.mark.parametrize("optimizer", dn.OPTIMIZERS)
@pytest.mark.parametrize("schedule", ["constant", "cosine"])
def test_every_optimizer_learns(run, optimizer, schedule):
    code, out, _ = run("train", *SMALL, "--optimizer", optimizer, "--schedule", schedule, "--json")
    assert code == 0
    result = json.loads(out)
    assert result["options"]["optimizer"] == optimizer
    assert result["options"]["learning_rate"] == dn.default_learning_rate(optimizer)
    # The steps of lion are small ones, and two epochs of the sample are few.
    assert result["test_accuracy"] > (0.4 if optimizer == "lion" else 0.7)


@pytest.mark.parametrize(
    ("schedule", "warmup", "rates"),
    [
        ("constant", None, [1, 1, 1, 1]),
        ("constant", 0.25, [0.5, 1, 1, 1]),
        ("step", None, [1, 1, 0.1, 0.01]),
        ("exponential", None, [0.01**share for share in (0.125, 0.375, 0.625, 0.875)]),
        ("cosine", 0, [0.5 + 0.5 * np.cos(np.pi * share) for share in (0.125, 0.375, 0.625, 0.875)]),
        ("cosine", None, [0.5 + 0.5 * np.cos(np.pi * (s - 0.1) / 0.9) for s in (0.125, 0.375, 0.625, 0.875)]),
        ("one-cycle", 0.375, [dn.one_cycle_schedule(0.375)(s) for s in (0.125, 0.375, 0.625, 0.875)]),
        ("one-cycle", None, [dn.one_cycle_schedule(0.3)(s) for s in (0.125, 0.375, 0.625, 0.875)]),
    ],
)
def test_the_schedule_is_the_one_asked_for(run, monkeypatch, schedule, warmup, rates):
    asked = []
    real_train = dn.train

    def spying(*arguments, schedule, **options):
        asked.append([schedule(share) for share in (0.125, 0.375, 0.625, 0.875)])
        return real_train(*arguments, schedule=schedule, **options)

    monkeypatch.setattr(dn, "train", spying)
    words = [] if warmup is None else ["--warmup", warmup]
    code, out, _ = run("train", *SMALL, "--schedule", schedule, *words, "--json")
    assert code == 0
    np.testing.assert_allclose(asked, [rates])
    options = json.loads(out)["options"]
    assert options["schedule"] == schedule
    default = {"cosine": 0.1, "one-cycle": 0.3}.get(schedule, 0)
    assert options.get("warmup", 0) == (default if warmup is None else warmup)


def test_weights_decay_with_any_optimizer(run):
    def weight_norm(*words):
        code, out, _ = run("train", *SMALL, "--optimizer", "momentum", *words, "--json")
        assert code == 0
        assert json.loads(out)["options"].get("weight_decay") == (float(words[1]) if words else None)
        return np.linalg.norm(dn.Network.load("mnist.safetensors").layers[0].weights)

    assert weight_norm("--weight-decay", "1") < 0.9 * weight_norm()


@pytest.mark.parametrize(
    ("words", "arguments"),
    [
        (["--augment", "light"], {"augmentation": "light"}),
        (["--dropout", "0.5"], {"dropout": 0.5}),
        (["--input-dropout", "0.2"], {"input_dropout": 0.2}),
        (["--batch-norm"], {"batch_norm": True}),
        (["--label-smoothing", "0.1"], {"label_smoothing": 0.1}),
        (["--l1", "1e-4"], {"l1": 1e-4}),
        (["--l2", "1e-3"], {"l2": 1e-3}),
        (["--max-norm", "2"], {"max_norm": 2}),
        (["--clip-norm", "1"], {"clip_norm": 1}),
        (["--clip-value", "0.1"], {"clip_value": 0.1}),
        (["--averaging", "ema"], {"averaging": "ema"}),
        (["--averaging", "ema", "--ema-decay", "0.9"], {"averaging": "ema", "ema_decay": 0.9}),
        (["--averaging", "swa", "--swa-start", "0"], {"averaging": "swa", "swa_start": 0}),
    ],
)
def test_a_training_tool_does_what_the_argument_of_train_does(run, mnist, words, arguments):
    plain = ["train", *SMALL, "--optimizer", "adam", "--schedule", "constant"]
    assert run(*plain, "--output", "without")[0] == 0
    code, out, _ = run(*plain, *words, "--output", "with", "--json")
    assert code == 0
    options = json.loads(out)["options"]
    assert {name: options[name] for name in arguments} == arguments
    twin = dn.Network([784, 16, 10], seed=1)
    dn.train(twin, mnist.train, validation=0.1, epochs=2, seed=1, optimizer="adam", **arguments)
    weights, unlike = (dn.Network.load(name).layers[0].weights for name in ("with", "without"))
    np.testing.assert_array_equal(weights, twin.layers[0].weights)
    assert not np.array_equal(weights, unlike)


def test_without_tools_their_names_are_not_kept(run):
    options = json.loads(run("train", *SMALL, "--json")[1])["options"]
    names = (
        "augmentation",
        "dropout",
        "l2",
        "averaging",
        "ema_decay",
        "early_stopping",
        "plateau",
        "plateau_metric",
    )
    assert not set(names) & set(options)


def test_early_stopping_keeps_the_best_network_and_measures_it(run, mnist):
    plain = ["train", "--hidden", "16", "--schedule", "constant", "--learning-rate", "0.03", "--epochs", 100]
    code, out, err = run(
        *plain, "--early-stopping", 2, "--early-stopping-metric", "validation_accuracy", "--json"
    )
    assert code == 0
    result = json.loads(out)
    history = result["history"]
    assert len(history) < 100
    best = max(history, key=lambda epoch: epoch["validation_accuracy"])  # the first of equals
    assert result["best_epoch"] == best["epoch"] == len(history) - 2
    assert result["validation_accuracy"] == best["validation_accuracy"]
    assert "interrupted_after_epoch" not in result
    assert result["options"]["early_stopping"] == 2
    assert result["options"]["early_stopping_metric"] == "validation_accuracy"
    network = dn.Network.load("mnist.safetensors")
    assert result["test_accuracy"] == network.evaluate(mnist.test).accuracy
    held_out, _ = mnist.train.split(600, seed=1)
    assert network.evaluate(held_out).accuracy == best["validation_accuracy"]
    ended = f"ended after epoch {len(history)} of 100; epoch {best['epoch']} is what is kept"
    assert err.splitlines()[-1] == f"digitnet: {ended}"


def test_early_stopping_that_keeps_the_last_epoch_is_not_worth_a_word(run):
    words = ["--epochs", 2, "--early-stopping", 5, "--early-stopping-metric", "training_loss"]
    code, out, err = run("train", "--hidden", "16", *words, "--json")
    assert (code, json.loads(out)["best_epoch"]) == (0, 2)
    assert re.fullmatch(r"(epoch \d/2: [^\n]+\n){2}", err)


def test_a_plateau_lowers_the_rate(run, monkeypatch):
    rates = []
    real_train = dn.train

    def spying(*arguments, **options):
        history = real_train(*arguments, **options)
        rates.extend(report.learning_rate for report in history.epochs)
        return history

    monkeypatch.setattr(dn, "train", spying)
    words = ["--schedule", "constant", "--optimizer", "sgd", "--learning-rate", "1e-12", "--plateau", "1"]
    words += ["--plateau-factor", "0.5", "--plateau-metric", "training_loss", "--validation", "0"]
    code, out, _ = run("train", *SMALL, "--epochs", "4", *words, "--json")
    assert code == 0
    chosen = json.loads(out)["options"]
    assert (chosen["plateau"], chosen["plateau_factor"], chosen["plateau_metric"]) == (
        1,
        0.5,
        "training_loss",
    )
    assert rates == [1e-12, 1e-12, 1e-12, 5e-13]  # no step is large enough to be progress


def test_networks_of_any_depth(run):
    assert run("train", *SMALL, "--hidden", "20,12", "--activation", "tanh", "--output", "deep")[0] == 0
    assert dn.Network.load("deep").sizes == [784, 20, 12, 10]
    assert dn.Network.load("deep").activation_names == ["tanh", "tanh", "softmax"]
    assert run("train", *SMALL, "--hidden", "none", "--validation", "0", "--output", "flat")[0] == 0
    assert dn.Network.load("flat").sizes == [784, 10]


def test_a_training_that_diverges_writes_no_model(run, place):
    code, out, err = run("train", *SMALL, "--optimizer", "sgd", "--learning-rate", "1e38")
    assert (code, out) == (1, "")
    assert re.fullmatch(r"digitnet: .*diverged.*--learning-rate.*\n", err)
    assert sorted(path.name for path in place.iterdir()) == ["data"]


@pytest.mark.parametrize("output", ["nowhere/model", "."])
def test_an_output_that_cannot_be_written_is_said_before_training(run, monkeypatch, output):
    monkeypatch.setattr(dn, "train", None)  # would be an error to call
    code, out, err = run("train", *SMALL, "--output", output)
    assert (code, out) == (1, "")
    assert re.fullmatch(r"digitnet: .*--output.*\n", err)


def test_ctrl_c_saves_what_was_learned():
    with start(
        "train", "--hidden", "16", "--epochs", 10**9, "--schedule", "constant", "--output", "part.safetensors"
    ) as process:
        for _ in range(2):  # with the second line the first epoch has been taken down
            assert process.stderr.readline().startswith("epoch")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIME_LIMIT)
    assert process.returncode == 130
    assert out == ""
    last = err.splitlines()[-1]
    after = int(
        re.fullmatch(r"digitnet: interrupted after epoch (\d+) of 1000000000; .*part\.safetensors.*", last)[1]
    )
    network = dn.Network.load("part.safetensors")
    provenance = json.loads(network.metadata["provenance"])
    assert provenance["interrupted_after_epoch"] == after >= 1
    assert "test_accuracy" not in provenance
    assert network.evaluate(dn.load_mnist().test).accuracy > 0.5


def test_ctrl_c_in_the_first_epoch_leaves_an_older_model_alone(run, monkeypatch, model, model_bytes):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(dn, "train", interrupted)
    code, out, err = run("train", *SMALL)
    assert (code, out) == (130, "")
    assert re.fullmatch(r"digitnet: interrupted in the first epoch.*\n", err)
    assert Path(model).read_bytes() == model_bytes


def test_defaults_are_those_of_the_example_in_cpp(run):
    examples = os.environ.get("DIGITNET_TEST_EXAMPLES")
    if not examples or not (Path(examples) / "train_mnist").exists():
        pytest.skip("the example programs are not built; CTest says where they are")
    theirs = subprocess.run(
        [Path(examples) / "train_mnist", "--help"], capture_output=True, text=True, check=True
    ).stdout
    ours = re.sub(r"\s+", " ", run("train", "--help")[1])

    def default_of(option):  # "--epochs UINT [10]", or "--epochs UINT=10" in other versions of CLI11
        return re.search(rf"{option} [A-Z]+(?:=| \[)([\d.e-]+)", theirs)[1]

    for option in ("--hidden", "--epochs", "--batch-size", "--seed", "--threads"):
        default = default_of(option)
        assert re.search(rf"{option} [A-Z\[\],.]+ [^()]*\(default: {default}\)", ours), option
    assert f"{float(default_of('--learning-rate')):g} for adamw" in ours


# ---------------------------------------------------------------- evaluate


def test_evaluate_measures_on_the_test_set(run, model, trained, mnist):
    code, out, err = run("evaluate", model, "--json")
    assert (code, err) == (0, "")
    result = json.loads(out)
    expected = trained.evaluate(mnist.test)
    assert set(result) == {
        "accuracy",
        "loss",
        "samples",
        "top_2_accuracy",
        "confusion",
        "precision",
        "recall",
        "f1",
        "macro_precision",
        "macro_recall",
        "macro_f1",
    }
    assert result["accuracy"] == expected.accuracy
    assert result["loss"] == expected.loss
    assert result["samples"] == 1000
    np.testing.assert_array_equal(result["confusion"], expected.confusion)
    for rate in ("precision", "recall", "f1"):
        np.testing.assert_array_equal(result[rate], getattr(expected, rate))
        assert result[f"macro_{rate}"] == getattr(expected, f"macro_{rate}")
    code, out, _ = run("evaluate", model)
    assert code == 0
    assert f"test accuracy: {expected.accuracy:.4f}\n" in out
    assert f"macro F1: {expected.macro_f1:.4f}\n" in out
    rates = f"{expected.recall[7]:.4f} +{expected.precision[7]:.4f} +{expected.f1[7]:.4f}"
    assert re.search(rf"^    7 .* {rates}$", out, re.MULTILINE)


def test_evaluate_with_a_threshold(run, model):
    assert run("evaluate", model, "--min-accuracy", "0.5")[0] == 0
    code, out, err = run("evaluate", model, "--min-accuracy", "0.999", "--json")
    assert code == 4
    assert json.loads(out)["accuracy"] < 0.999
    assert re.fullmatch(r"digitnet: the accuracy is 0\.\d+, expected at least 0\.999\n", err)


def test_data_may_be_named(run, model, place, sample_folder):
    (place / "other").mkdir()
    (place / "other" / "digits").symlink_to(sample_folder)
    assert run("evaluate", model, "--data", "other", "--name", "digits")[0] == 0
    code, _, err = run("evaluate", model, "--data", "other")
    assert code == 3
    assert "other" in err


def test_a_model_for_other_images_fails(run):
    dn.Network([12, 10]).save("small")
    code, out, err = run("evaluate", "small")
    assert (code, out) == (1, "")
    assert re.fullmatch(r"digitnet: .*784.*12.*\n", err)


def test_train_with_strokes_adds_their_drawings(run, test_data):
    file = test_data / "strokes" / "digits.jsonl"
    code, out, _ = run("train", *SMALL, "--strokes", file, file, "--json")
    assert code == 0
    result = json.loads(out)
    assert result["training_samples"] == 6020
    assert result["options"]["strokes"] == ["digits.jsonl", "digits.jsonl"]
    plain = json.loads(run("train", *SMALL, "--json")[1])
    assert plain["training_samples"] == 6000
    assert plain["data_sha256"] != result["data_sha256"]
    Path("unlabelled").write_text("[[[1, 2]]]")
    code, _, err = run("train", *SMALL, "--strokes", "unlabelled")
    assert code == 3
    assert 'unlabelled: line 1: a drawing without "label"' in err


# ---------------------------------------------------------------- recognize


@pytest.mark.usefixtures("model")
def test_recognize_reads_pictures_one_a_line(run, pictures):
    code, out, err = run("recognize", *pictures)
    assert (code, err) == (0, BY_THIS_FOLDER)
    lines = out.splitlines()
    assert len(lines) == 10
    for path, line in zip(pictures, lines):
        assert re.fullmatch(rf"{re.escape(str(path))}: \d [01]\.\d{{4}}", line)
    assert f"{pictures[3]}: 3 " in out


def test_recognize_as_json(run, model, pictures, trained):
    code, out, _ = run("recognize", "--model", model, pictures[3], pictures[4], "--json")
    assert code == 0
    results = json.loads(out)
    expected = dn.Classifier(trained).classify(dn.read_picture(pictures[3]))
    assert [result["digit"] for result in results] == [3, 4]
    assert results[0]["file"] == str(pictures[3])
    assert results[0]["probability"] == pytest.approx(expected.probability)
    assert results[0]["probabilities"] == pytest.approx(expected.probabilities.tolist())


@pytest.mark.usefixtures("model")
def test_recognize_images_of_an_idx_file(run, sample_folder, trained, mnist):
    file = sample_folder / "t10k-images-idx3-ubyte.gz"
    digits = trained.predict(mnist.test[:3])
    for index in range(3):
        assert run("recognize", file, "--index", index)[1].startswith(f"{file}[{index}]: {digits[index]} ")
    Path("plain").write_bytes(gzip.decompress(file.read_bytes()))
    assert run("recognize", "plain")[1].startswith(f"plain[0]: {digits[0]} ")
    code, _, err = run("recognize", file, "--index", 1000)
    assert code == 2
    assert "1000 images" in err


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize("index", [0, 3])
def test_an_index_into_a_picture_is_an_error(run, sample_folder, pictures, index):
    file = sample_folder / "t10k-images-idx3-ubyte.gz"
    code, out, err = run("recognize", file, pictures[3], "--index", index)
    assert (code, out) == (2, "")
    found = f"{pictures[3]} is no IDX file and no file of strokes"
    assert err == f"digitnet: --index {index}: {found}, expected one; leave --index out\n"
    assert run("recognize", "missing.png", "--index", index)[0] == 3


@pytest.mark.usefixtures("model")
def test_recognize_all_drawings_of_a_stroke_file_or_one(run, test_data, trained):
    file = test_data / "strokes" / "digits.jsonl"
    digits = trained.predict(dn.load_drawings(file))
    code, out, err = run("recognize", file)
    assert (code, err) == (0, BY_THIS_FOLDER)
    lines = out.splitlines()
    assert [line.rpartition(" ")[0] for line in lines] == [f"{file}[{i}]: {digits[i]}" for i in range(10)]
    assert (digits == range(10)).sum() >= 8  # the network is small, and saw other pens
    assert run("recognize", file, "--index", 7)[1] == lines[7] + "\n"
    Path("packed").write_bytes(gzip.compress(file.read_bytes()))
    assert run("recognize", "packed")[1].splitlines() == [line.replace(str(file), "packed") for line in lines]
    Path("one.json").write_text(json.dumps({"strokes": []}))
    assert run("recognize", "one.json")[1] == "one.json[0]: empty\n"
    assert run("recognize", file, "--index", 10)[0] == 2
    Path("bad.jsonl").write_text('{"strokes": [[[1]]]}')
    code, out, err = run("recognize", "bad.jsonl", "one.json")
    assert (code, out) == (3, "one.json[0]: empty\n")
    assert "line 1: stroke 0, point 0" in err


@pytest.mark.usefixtures("model")
def test_recognize_explains_one_drawing(run, place, pictures):
    code, out, err = run("recognize", pictures[4], "--explain", "why.png")
    assert (code, err) == (0, BY_THIS_FOLDER)
    lines = out.splitlines()
    assert lines[0].startswith(f"{pictures[4]}: 4 ")
    assert lines[1].startswith("read as 4: 4 ")
    assert lines[4].startswith("alike to the network: ")  # the sample of MNIST is at hand
    assert dn.read_picture(place / "why.png").shape[2] == 3

    code, out, _ = run("recognize", pictures[4], "--explain", "json.png", "--json")
    assert (code, json.loads(out)[0]["digit"]) == (0, 4)
    assert (place / "json.png").exists()


@pytest.mark.usefixtures("model")
def test_recognize_explains_without_mnist(run, pictures, monkeypatch, tmp_path):
    monkeypatch.setenv("DIGITNET_DATA_DIR", str(tmp_path / "nothing"))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "nothing"))
    code, out, err = run("recognize", pictures[4], "--explain", "why.png")
    assert (code, err) == (
        0,
        BY_THIS_FOLDER
        + "digitnet: recognize: no MNIST at hand, so no near images; `digitnet fetch` gets it\n",
    )
    assert "alike" not in out


@pytest.mark.usefixtures("model")
def test_recognize_says_what_it_cannot_explain(run, pictures, place):
    code, _, err = run("recognize", pictures[4], pictures[5], "--explain", "why.png")
    assert code == 2
    assert "--explain why.png: 2 drawings, expected one" in err
    (place / "white.pgm").write_bytes(b"P5 9 9 255\n" + b"\xff" * 81)
    code, _, err = run("recognize", "white.pgm", "--explain", "why.png")
    assert code == 3
    assert "the drawing is empty, expected ink" in err
    code, _, err = run("recognize", pictures[4], "--explain", "no/such/why.png")
    assert code == 1
    assert "recognize: no/such/why.png: cannot be written: " in err
    assert not (place / "why.png").exists()


@pytest.mark.usefixtures("model")
def test_recognize_an_empty_picture(run):
    Path("white.pgm").write_bytes(b"P5 9 9 255 " + b"\xff" * 81)
    assert run("recognize", "white.pgm") == (0, "white.pgm: empty\n", BY_THIS_FOLDER)
    result = json.loads(run("recognize", "white.pgm", "--json")[1])
    nothing = dict.fromkeys(("digit", "probability", "probabilities", "score"))
    assert result == [{"file": "white.pgm", "status": "empty", **nothing}]


def test_recognize_tells_statuses(run, trained):
    def read(calibration, *words):
        network = trained.copy()
        dn.set_calibration(network, calibration)
        network.save("mnist.safetensors")
        return run("recognize", "drawing.json", *words)

    seven = [[[10, 10], [60, 12], [25, 90]]]
    Path("drawing.json").write_text(json.dumps({"strokes": seven}))
    digit = dn.Recognizer(trained, dn.Calibration()).recognize(seven)
    shown = f"drawing.json[0]: {digit.top(1)[0][0]} {digit.probability:.4f}"
    assert read(dn.Calibration(unsure_threshold=0)) == (0, shown + "\n", BY_THIS_FOLDER)
    assert read(dn.Calibration(unsure_threshold=1)) == (0, shown + " unsure\n", BY_THIS_FOLDER)
    assert read(dn.Calibration(rejection_threshold=1000)) == (
        0,
        "drawing.json[0]: not a digit\n",
        BY_THIS_FOLDER,
    )
    result = json.loads(read(dn.Calibration(rejection_threshold=1000), "--json", "--image")[1])[0]
    assert (result["status"], result["digit"], result["probability"]) == ("not_a_digit", None, None)
    assert result["probabilities"] == pytest.approx(digit.probabilities.tolist())
    assert result["score"] == digit.score
    assert result["image"] == digit.image.ravel().tolist()

    moved = [[[x + 200, y] for x, y in seven[0]]]
    Path("drawing.json").write_text(json.dumps({"strokes": seven + moved}))
    shown = 2 * str(digit.top(1)[0][0])
    assert read(dn.Calibration(unsure_threshold=0), "--number")[1] == f"drawing.json[0]: {shown}\n"
    assert read(dn.Calibration(unsure_threshold=1), "--number")[1] == "drawing.json[0]: ??\n"
    result = json.loads(read(dn.Calibration(unsure_threshold=0), "--number", "--json")[1])[0]
    assert (result["text"], len(result["digits"])) == (shown, 2)

    code, out, err = run("recognize", "drawing.json", "--image")
    assert (code, out) == (2, "")
    assert err == "digitnet: --image: only JSON has room for it, expected --json, too\n"


def test_recognize_takes_the_model_that_comes_with_digitnet(run, trained, monkeypatch, tmp_path):
    """Which one that is DIGITNET_MODEL says here."""
    trained.save("other.safetensors")
    monkeypatch.setenv("DIGITNET_MODEL", str(tmp_path / "other.safetensors"))
    Path("dot.json").write_text('{"strokes": [[[1, 1]]]}')
    assert run("recognize", "dot.json") == (0, "dot.json[0]: not a digit\n", "")
    monkeypatch.setenv("DIGITNET_MODEL", "nowhere")
    code, out, err = run("recognize", "dot.json")
    assert (code, out) == (3, "")
    assert err == "digitnet: shipped_model: DIGITNET_MODEL is nowhere, and there is no such file\n"


@pytest.mark.usefixtures("model")
def test_a_picture_that_cannot_be_read_does_not_hide_the_others(run, pictures):
    Path("broken.png").write_text("no picture")
    code, out, err = run("recognize", "broken.png", pictures[3], "missing.png")
    assert code == 3
    assert out.startswith(f"{pictures[3]}: 3 ")
    assert err.endswith(BY_THIS_FOLDER)
    assert re.fullmatch(
        r"digitnet: .*broken\.png: .*\ndigitnet: .*missing\.png: .*\n", err.removesuffix(BY_THIS_FOLDER)
    )
    code, out, _ = run("recognize", "broken.png", pictures[3], "--json")
    assert code == 3
    assert [sorted(result)[0] for result in json.loads(out)] == ["digit", "digit"] or "error" in out


# ---------------------------------------------------------------- inspect


def test_inspect_a_model(run, model, model_bytes):
    code, out, err = run("inspect", model, "--json")
    assert (code, err) == (0, "")
    facts = json.loads(out)
    assert facts["kind"] == "model"
    assert facts["architecture"] == {
        "sizes": [784, 128, 10],
        "activations": ["relu", "softmax"],
        "loss": "softmax_cross_entropy",
    }
    assert facts["parameters"] == 784 * 128 + 128 + 128 * 10 + 10
    assert facts["checksum"].encode() in model_bytes
    assert facts["metadata"]["labels"] == list("0123456789")
    code, out, _ = run("inspect", model)
    assert code == 0
    assert "  sizes: 784, 128, 10\n" in out


def test_inspect_shows_where_a_model_comes_from(run):
    assert run("train", *SMALL)[0] == 0
    out = run("inspect", "mnist.safetensors")[1]
    assert "    seed: 1\n" in out
    assert "      epochs: 2\n" in out


def test_inspect_a_model_with_metadata_that_are_nested_too_deep(run):
    network = dn.Network([4, 3], seed=1)
    deep = "[" * 100_000 + "]" * 100_000
    network.metadata = {"provenance": deep, "mine": '{"a": 1, "a": 2}', "constant": "NaN"}
    network.save("deep.safetensors")
    code, out, err = run("inspect", "deep.safetensors", "--json")
    assert (code, err) == (0, "")
    assert json.loads(out)["metadata"] | network.metadata == json.loads(out)["metadata"]
    assert run("reproduce", "deep.safetensors")[0] == 3


def test_inspect_an_idx_file(run, sample_folder):
    file = sample_folder / "t10k-images-idx3-ubyte.gz"
    code, out, _ = run("inspect", file)
    assert (code, out) == (
        0,
        f"file: {file}\nkind: idx\ntype: uint8\nshape: 1000 x 28 x 28\nrange: 0 to 255\n",
    )
    dn.write_idx("numbers", np.array([[-1.5, 2]], np.float64))
    facts = json.loads(run("inspect", "numbers", "--json")[1])
    assert facts == {"file": "numbers", "kind": "idx", "type": "float64", "shape": [1, 2], "range": [-1.5, 2]}
    dn.write_idx("nothing", np.zeros((0, 3), np.uint8))
    assert json.loads(run("inspect", "nothing", "--json")[1])["range"] is None


def test_inspect_says_what_it_expects(run):
    Path("notes.txt").write_text("hello, this is a text")
    assert run("inspect", "notes.txt") == (
        3,
        "",
        "digitnet: inspect: notes.txt: begins with b'hello, th', expected a model file (safetensors) or an "
        "IDX file, plain or gzip\n",
    )
    Path("empty").touch()
    assert run("inspect", "empty")[2].startswith("digitnet: inspect: empty: is empty, expected a model file")
    assert run("inspect", ".")[2].startswith("digitnet: load_network: .: ")


# ---------------------------------------------------------------- broken inputs


@pytest.fixture
def broken(model_bytes, sample_folder):
    """Files that are not what their names promise."""
    files = {
        "missing": None,
        "empty": b"",
        "text": b"hello, this is a text and no model\n",
        "page.html": b"<!DOCTYPE html>\n<html><body>404</body></html>\n",
        "cut.safetensors": model_bytes[:-1000],
        "flipped.safetensors": model_bytes[:-9] + bytes([model_bytes[-9] ^ 1]) + model_bytes[-8:],
        "huge.safetensors": b"\xff" * 8 + model_bytes[8:],
        "cut.gz": (sample_folder / "t10k-images-idx3-ubyte.gz").read_bytes()[:5000],
        "magic": b"\0\0\x77\3" + b"\0\0\0\1" * 3 + b"x",
        "short": b"\0\0\x08\3" + b"\0\0\0\1" + b"\0\0\0\x1c" * 2 + b"x" * 783,
        "folder": "folder",
        "bad\udcff name\n.png": b"?",
    }
    for name, content in files.items():
        if content == "folder":
            Path(name).mkdir()
        elif content is not None:
            Path(name).write_bytes(content)
    return list(files)


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    "command", [["inspect"], ["evaluate"], ["recognize"], ["recognize", "3.png", "--model"]]
)
def test_broken_files_are_exit_code_3_and_one_line(run, broken, command):
    for name in broken:
        code, out, err = run(*command, name)
        assert (code, out) == (3, ""), name
        assert re.fullmatch(r"digitnet: [^\n]+\n", err), name
        assert name.split("\udcff")[0] in err


@pytest.mark.usefixtures("model")
@pytest.mark.parametrize(
    "command",
    [["inspect"], ["evaluate"], ["recognize"], ["recognize", "3.png", "--model"], ["train", "--recipe"]],
)
def test_pipes_and_devices_are_exit_code_3_and_not_waited_for(command):
    os.mkfifo("pipe.json")
    Path("device.json").symlink_to("/dev/zero")
    for name in ("pipe.json", "device.json"):
        with start(*command, name) as process:
            try:
                out, err = process.communicate(timeout=TIME_LIMIT)
            finally:
                process.kill()
            assert (out, process.returncode) == ("", 3), name
            assert re.fullmatch(rf"digitnet: \w+: {name}: [^\n]+, expected [^\n]+\n", err), err


def test_a_picture_from_a_file_on_stdin_is_read(model, sample_folder):
    images = dn.read_idx(sample_folder / "t10k-images-idx3-ubyte.gz")
    dn.write_idx("images", images[:1])
    with (
        Path("images").open("rb") as file,
        start("recognize", "/dev/stdin", "--model", model, stdin=file) as process,
    ):
        out, err = process.communicate(timeout=TIME_LIMIT)
        assert (process.returncode, err) == (0, "")
        assert out.startswith("/dev/stdin")


@pytest.mark.parametrize("name", ["train-images-idx3-ubyte", "train-labels-idx1-ubyte"])
@pytest.mark.parametrize("content", [b"", b"<html></html>", b"\0\0\x08\3" + b"\xff" * 12])
def test_broken_data_are_exit_code_3_and_one_line(run, place, sample_folder, name, content):
    (place / "broken" / "mnist").mkdir(parents=True)
    for file in sample_folder.glob("*.gz"):
        (place / "broken" / "mnist" / file.name).symlink_to(file)
    (place / "broken" / "mnist" / (name + ".gz")).unlink()
    (place / "broken" / "mnist" / name).write_bytes(content)
    code, out, err = run("train", *SMALL, "--data", "broken")
    assert (code, out) == (3, "")
    assert re.fullmatch(rf"digitnet: load_mnist: .*{name}: [^\n]+\n", err)
    assert not Path("mnist.safetensors").exists()


def test_missing_data_say_how_to_get_them(run):
    code, out, err = run("train", *SMALL, "--data", "nowhere")
    assert (code, out) == (3, "")
    assert "digitnet fetch mnist" in err


def test_a_reader_that_leaves_early_is_no_traceback(model):
    read, write = os.pipe()
    os.close(read)
    with start("inspect", model, stdout=write) as process:
        os.close(write)
        _, err = process.communicate(timeout=TIME_LIMIT)
    assert err == ""
    assert process.returncode == 1


# ---------------------------------------------------------------- what nobody means


@pytest.mark.parametrize("words", [["--run", ""], ["--output", ""]])
def test_an_empty_name_is_no_folder(run, place, words):
    code, _, err = run("train", *SMALL, *words)
    assert code == 2
    assert "'', expected the name of a file or folder" in err
    assert sorted(each.name for each in Path().iterdir()) == sorted(each.name for each in place.iterdir())


def test_an_output_that_is_no_file_is_told_before_the_training(run, place):
    code, _, err = run("train", *SMALL, "--output", "/dev/null")
    assert (code, err) == (
        1,
        "digitnet: train: --output /dev/null: is no plain file, expected the name of a file to write\n",
    )


def test_a_report_that_cannot_be_written_is_told_before_the_measurement(run, model):
    Path("taken").write_bytes(b"")
    code, out, err = run("evaluate", model, "--report", "taken")
    assert (code, out) == (1, "")
    assert err == "digitnet: evaluate: --report taken: cannot be written as a folder: File exists\n"


def test_files_without_a_drawing(run, model):
    Path("empty.jsonl").write_bytes(b"")
    code, _, err = run("train", *SMALL, "--strokes", "empty.jsonl")
    assert (code, err) == (3, "digitnet: strokes: empty.jsonl: no drawings, expected at least one\n")
    code, _, err = run("evaluate", model, "--drawings", "empty.jsonl")
    assert (code, err) == (3, "digitnet: evaluate: empty.jsonl: no samples, expected at least one\n")
    code, _, err = run("recognize", "--model", model, "empty.jsonl")
    assert code == 3
    assert err == "digitnet: recognize: empty.jsonl: is empty, expected a picture, an IDX file or strokes\n"


def test_a_share_that_leaves_no_samples(run, place):
    for share, which in (("1e-9", "none"), ("0.999999999", "all")):
        code, _, err = run("train", *SMALL, "--validation", share)
        assert code == 2
        assert f"samples, which is {which} of them, expected a share that leaves some on both sides" in err


def test_the_model_of_this_folder_is_named(run, model, place, monkeypatch):
    digit = place / "digit.json"
    digit.write_text("[[[10, 10], [10, 90]]]")
    assert run("recognize", digit)[2] == BY_THIS_FOLDER
    assert run("recognize", "--model", model, digit)[2] == ""
    monkeypatch.setenv("DIGITNET_MODEL", "nope")  # the environment beats the folder
    code, _, err = run("recognize", digit)
    assert code == 3
    assert "nope" in err


def test_a_folder_of_runs_is_no_run_but_has_some(run, place):
    assert run("train", *SMALL, "--run", "runs/all/part")[0] == 0
    code, _, err = run("watch", "runs/all")
    assert code == 3
    assert err == (
        "digitnet: Run: runs/all: no config.json in it, expected the folder of a run, such as runs/all/part\n"
    )


def test_a_number_that_is_too_large_is_told_the_largest(run, place):
    code, _, err = run("train", *SMALL, "--seed", 2**63)
    assert code == 2
    assert f"'{2**63}', expected a whole number from 0 to {2**63 - 1}" in err


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_result_that_cannot_be_written_is_told(model, pictures):
    with Path("/dev/full").open("w") as full:
        process = start("recognize", "--model", model, pictures[3], stdout=full)
        _, err = process.communicate()
    assert (process.returncode, err) == (1, "digitnet: standard output: No space left on device\n")
