"""The C++ example programs as users meet them: help, errors, exit codes, Ctrl-C, the network Python makes."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn

EXAMPLES = Path(os.environ.get("DIGITNET_TEST_EXAMPLES") or "not-built")
ROOT = Path(__file__).resolve().parents[2]
PROGRAMS = sorted(path.stem for path in (ROOT / "examples" / "cpp").glob("*.cpp"))
TIME_LIMIT = 120

if not (EXAMPLES / "train_mnist").exists():
    pytest.skip("the example programs are not built; CTest says where they are", allow_module_level=True)


@pytest.fixture(autouse=True)
def place(monkeypatch, tmp_path, sample_folder):
    """Every test runs in an empty folder and finds the sample of MNIST as its data."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("DIGITNET_DATA_DIR", str(sample_folder))
    return tmp_path


@pytest.fixture
def model(place, trained):
    trained.save(place / "model.safetensors")
    return "model.safetensors"


def start(program, *words):
    """Starts a program where Ctrl-C is answered whatever it is here."""
    return subprocess.Popen(
        [EXAMPLES / program, *map(str, words)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )


def run(program, *words):
    """Exit code, stdout, stderr."""
    with start(program, *words) as process:
        out, err = process.communicate(timeout=TIME_LIMIT)
    return process.returncode, out, err


def refused(code, complaint, program, *words):
    """Whether a call ends with a code and one line that says why, and leaves no file behind."""
    before = set(Path().iterdir())
    found, out, err = run(program, *words)
    assert (found, out) == (code, "")
    assert re.fullmatch(rf"{program}: [^\n]*{complaint}[^\n]*\n", err), err
    assert set(Path().iterdir()) == before


@pytest.mark.parametrize("program", PROGRAMS)
def test_every_program_has_help(program, place):
    code, out, err = run(program, "--help")
    assert (code, err) == (0, "")
    assert re.search(rf"[Uu]sage: .*{program}", out)
    code, out, err = run(program, "--nonsense")
    assert (code, out) == (2, "")
    assert re.fullmatch(r"[^\n]+\n", err)
    assert not list(place.iterdir())


@pytest.mark.parametrize(
    "words",
    [
        ["--hidden", "0"],
        ["--hidden", "1048577"],
        ["--epochs", "0"],
        ["--epochs", "1.5"],
        ["--epochs", "9" * 50],
        ["--batch-size", "0"],
        ["--seed", "-1"],
        ["--threads", "257"],
        ["--learning-rate", "-1"],
        ["--learning-rate", "nan"],
        ["--learning-rate", "fast"],
    ],
)
def test_bad_values_are_exit_code_2(words):
    refused(2, f'{words[0]}: "{re.escape(words[1])}", expected a ', "train_mnist", *words)


def test_an_index_that_does_not_fit_is_exit_code_2(model, sample_folder, pictures):
    images = sample_folder / "t10k-images-idx3-ubyte.gz"
    refused(2, "has 1000 images, expected", "recognize_digit", "--model", model, images, "--index", 1000)
    refused(2, "is no IDX file, expected one", "recognize_digit", "--model", model, pictures[3], "--index", 0)
    refused(2, "has 1000 items, expected", "show_idx", images, "--index", 1000)


def test_a_model_that_was_never_made_is_exit_code_3(monkeypatch):
    monkeypatch.setenv("DIGITNET_MODEL", "nowhere")
    refused(3, "DIGITNET_MODEL is nowhere, and there is no such file", "recognize_digit", "3.png")


@pytest.mark.parametrize("program", ["quick_start", "train_mnist"])
def test_missing_data_are_exit_code_3(monkeypatch, place, program):
    for name in ("DIGITNET_DATA_DIR", "XDG_CACHE_HOME"):
        monkeypatch.setenv(name, str(place / "nowhere"))
    refused(3, "load_mnist: no mnist found in .*`digitnet fetch mnist` gets them", program)


def test_bad_input_files_are_exit_code_3(model, sample_folder, pictures):
    Path("notes.txt").write_text("hello, this is a text\n")
    labels = sample_folder / "t10k-labels-idx1-ubyte.gz"
    no_model = "load_network: notes.txt: not a safetensors file: .*; it looks like a text"
    refused(3, no_model, "evaluate_model", "notes.txt")
    refused(3, no_model, "recognize_digit", "--model", "notes.txt", pictures[3])
    refused(3, no_model, "embed_in_app", "notes.txt", pictures[3])
    refused(3, "missing: cannot be opened", "evaluate_model", "missing")
    refused(3, "notes.txt: ", "embed_in_app", model, "notes.txt")
    refused(3, "labels", "recognize_digit", "--model", model, labels)
    refused(3, "notes.txt: byte 0", "show_idx", "notes.txt")


def test_one_bad_picture_does_not_keep_from_the_others(model, pictures):
    code, out, err = run("recognize_digit", "--model", model, "missing.png", pictures[3])
    assert code == 3
    assert out.startswith(f"{pictures[3]}: 3 ")
    assert re.fullmatch(r"recognize_digit: .*missing\.png: .*\n", err)


def test_an_output_that_cannot_be_written_is_said_before_training(place, sample_folder):
    Path("folder").mkdir()
    complaints = {
        "nowhere/model": "there is no folder nowhere",
        "folder": "is a folder or device",
        "folder/": "is a folder or device",
        "/dev/null": "is a folder or device",
        "": "is a folder or device",
    }
    if os.geteuid() != 0:  # root may write anywhere
        Path("locked").mkdir(mode=0o555)
        complaints["locked/model"] = "the folder locked cannot be written"
    for output, complaint in complaints.items():
        # Data that are missing would be said later.
        refused(1, f"output {output}: {complaint}", "train_mnist", "/nowhere", output)


def test_a_training_that_diverges_says_the_epoch_and_writes_no_model():
    refused(1, "diverged in epoch 1: .*--learning-rate below 1e.38", "train_mnist", "--learning-rate", "1e38")


def test_ctrl_c_saves_what_was_learned(sample_folder):
    with start(
        "train_mnist", sample_folder, "part.safetensors", "--hidden", 16, "--epochs", 10**9
    ) as process:
        for _ in range(2):
            assert process.stderr.readline().startswith("epoch")
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIME_LIMIT)
    assert (process.returncode, out) == (130, "")
    last = err.splitlines()[-1]
    said = re.fullmatch(
        r"train_mnist: interrupted after epoch (\d+) of 1000000000; saved as part.safetensors", last
    )
    network = dn.Network.load("part.safetensors")
    provenance = json.loads(network.metadata["provenance"])
    assert provenance["interrupted_after_epoch"] == int(said[1]) >= 2
    assert "test_accuracy" not in provenance


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="needs /proc to see a signal handler")
def test_ctrl_c_in_the_first_epoch_leaves_an_older_model_alone(sample_folder):
    output = Path("old.safetensors")
    output.write_bytes(b"old")
    slow = ["--hidden", 4096, "--batch-size", 1]
    with start("train_mnist", sample_folder, output, *slow) as process:
        status = Path(f"/proc/{process.pid}/status")
        end = time.monotonic() + TIME_LIMIT
        while time.monotonic() < end:  # until Ctrl-C is caught, which is when the training begins
            caught = int(re.search(r"SigCgt:\s*([0-9a-f]+)", status.read_text())[1], 16)
            if caught & 1 << (signal.SIGINT - 1):
                break
            time.sleep(0.01)
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=TIME_LIMIT)
    assert (process.returncode, out) == (130, "")
    assert err == "train_mnist: interrupted in the first epoch; no model is written\n"
    assert output.read_bytes() == b"old"


def assert_same_network(ours, theirs):
    """The same numbers, but for what a compiler's other roundings make of them in one short training."""
    for name in (ours, theirs):
        assert Path(name).exists()
    pairs = zip(dn.Network.load(ours).layers, dn.Network.load(theirs).layers, strict=True)
    for one, other in pairs:
        np.testing.assert_allclose(one.weights, other.weights, rtol=0, atol=1e-3)
        np.testing.assert_allclose(one.bias, other.bias, rtol=0, atol=1e-3)


def test_cpp_and_command_line_make_the_same_network(sample_folder):
    options = ["--hidden", "16", "--epochs", "1", "--seed", "7"]
    assert run("train_mnist", sample_folder, "cpp.safetensors", *options)[0] == 0
    words = ["train", "--data", str(sample_folder), "--output", "shell.safetensors", "--quiet", *options]
    subprocess.run([sys.executable, "-m", "digitnet", *words], check=True, capture_output=True)
    assert_same_network("cpp.safetensors", "shell.safetensors")


def test_cpp_and_python_of_the_readme_make_the_same_network():
    code, out, err = run("quick_start")
    assert (code, err) == (0, "")
    Path("mnist.safetensors").rename("cpp.safetensors")
    readme = (ROOT / "README.md").read_text()
    python = re.search(r"^```python\n(.*?)^```", readme, re.MULTILINE | re.DOTALL)[1]
    saving = python.index('net.save("mnist.safetensors")\n')
    printed = subprocess.run(
        [sys.executable, "-c", python[:saving] + 'net.save("mnist.safetensors")\n'],
        check=True,
        capture_output=True,
        text=True,
    ).stdout
    assert_same_network("cpp.safetensors", "mnist.safetensors")
    assert abs(float(out.removeprefix("test accuracy: ")) - float(printed.split()[-1])) < 0.005
