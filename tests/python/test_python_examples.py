"""The example programs in Python, as a user runs them: results, --help, and what is said of bad input."""

import re
import runpy
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn

FOLDER = Path(__file__).resolve().parents[2] / "examples" / "python"
PROGRAMS = sorted(path.name for path in FOLDER.glob("*.py"))
TIME_LIMIT = 120


@pytest.fixture
def run(tmp_path, monkeypatch):
    """Runs a program in an empty folder, without data of its own; returns exit code, stdout, stderr."""
    for name in ("DIGITNET_DATA_DIR", "XDG_CACHE_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)

    def run_it(program, *words):
        command = [sys.executable, FOLDER / program, *map(str, words)]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=TIME_LIMIT)
        return done.returncode, done.stdout, done.stderr

    return run_it


@pytest.fixture
def model(tmp_path, trained):
    trained.save(tmp_path / "model.safetensors")
    return tmp_path / "model.safetensors"


@pytest.fixture
def broken(tmp_path):
    (tmp_path / "broken").write_text("neither a model nor a picture\n")
    return tmp_path / "broken"


@pytest.mark.parametrize("program", PROGRAMS)
def test_help(run, program):
    code, out, err = run(program, "--help")
    assert (code, err) == (0, "")
    assert out.startswith(f"usage: {program} [-h] ")
    assert len(out.splitlines()) > 6


@pytest.mark.parametrize(
    ("program", "words"),
    [
        ("first_layer.py", []),
        ("first_layer.py", ["model.safetensors"]),
        ("recognize_digit.py", []),
        ("recognize_digit.py", ["model.safetensors"]),
        ("train_mnist.py", ["data", "output", "more"]),
        ("train_mnist.py", ["--epochs"]),
    ],
)
def test_wrong_usage_is_exit_code_2(run, program, words):
    code, out, err = run(program, *words)
    assert (code, out) == (2, "")
    assert err.startswith(f"usage: {program} ")
    assert "Traceback" not in err


def check_one_line(result, exit_code, message):
    code, out, err = result
    assert (code, out) == (exit_code, "")
    assert re.fullmatch(rf"\w+\.py: [^\n]*{re.escape(message)}[^\n]*\n", err), err


def test_missing_and_broken_models(run, broken, pictures, tmp_path):
    for program, last in (("first_layer.py", "sheet.pgm"), ("recognize_digit.py", pictures[0])):
        check_one_line(run(program, "missing", last), 3, "load_network: missing: cannot be opened")
        check_one_line(run(program, broken, last), 3, f"load_network: {broken}: not a safetensors file")
    dn.Network([12, 10]).save(tmp_path / "small")
    check_one_line(run("first_layer.py", "small", "sheet.pgm"), 3, "small: 12 inputs, expected 784 (28 x 28)")
    check_one_line(
        run("recognize_digit.py", "small", pictures[0]), 3, "12 inputs and 10 outputs, expected 784"
    )
    assert not Path("sheet.pgm").exists()


def test_first_layer_draws_all_units(run, model, trained):
    code, out, err = run("first_layer.py", model, "sheet.pgm")
    assert (code, out, err) == (0, "128 units drawn to sheet.pgm\n", "")
    sheet = dn.read_picture("sheet.pgm")
    assert sheet.shape == (12 * 29 - 1, 12 * 29 - 1)
    weights = trained.layers[0].weights[:, 13].reshape(28, 28)
    expected = (128 + 127 * weights / np.abs(weights).max()).astype(np.uint8)
    np.testing.assert_allclose(sheet[29 : 29 + 28, 29 : 29 + 28].astype(int), expected, atol=1)
    check_one_line(run("first_layer.py", model, "nowhere/sheet.pgm"), 1, "nowhere/sheet.pgm")


def test_recognize_digit_reads_what_it_can(run, model, broken, pictures):
    code, out, err = run("recognize_digit.py", model, broken, pictures[3], "missing.png", pictures[4])
    assert code == 3
    assert re.fullmatch(rf"{pictures[3]}: 3 \([\d.]+%\)\n{pictures[4]}: 4 \([\d.]+%\)\n", out)
    assert [line.split(": ")[1] for line in err.splitlines()] == ["read_picture", "read_picture"]
    Path("white.pgm").write_bytes(b"P5 9 9 255 " + b"\xff" * 81)
    assert run("recognize_digit.py", model, "white.pgm") == (0, "white.pgm: empty\n", "")


def test_train_mnist_saves_a_network_that_reads_digits(run, sample_folder, mnist):
    code, out, err = run("train_mnist.py", sample_folder, "sample.safetensors")
    assert code == 0
    assert len(err.splitlines()) == 10  # a line for each epoch
    lines = dict(line.split(": ") for line in out.splitlines())
    assert list(lines) == ["validation accuracy", "test accuracy", "model"]
    accuracy = dn.Network.load("sample.safetensors").evaluate(mnist.test).accuracy
    assert lines["test accuracy"] == f"{accuracy:.4f}"
    assert accuracy > 0.9


def test_ctrl_c_ends_train_mnist_with_a_line(monkeypatch, tmp_path, sample_folder, capsys):
    def interrupted(*_arguments, **_options):
        raise KeyboardInterrupt

    monkeypatch.setattr(dn, "train", interrupted)
    monkeypatch.setattr(sys, "argv", ["train_mnist.py", str(sample_folder), str(tmp_path / "model")])
    with pytest.raises(SystemExit) as ended:
        runpy.run_path(str(FOLDER / "train_mnist.py"), run_name="__main__")
    assert ended.value.code == 130
    assert capsys.readouterr() == ("", "train_mnist.py: interrupted; no model is written\n")
    assert not (tmp_path / "model").exists()


def test_train_mnist_without_data_or_a_place_for_the_model(run, tmp_path, sample_folder):
    check_one_line(run("train_mnist.py", "nowhere"), 3, "load_mnist: no mnist found in nowhere")
    check_one_line(run("train_mnist.py"), 3, "`digitnet fetch mnist` gets them")
    (tmp_path / "data").mkdir()
    for file in sample_folder.iterdir():
        (tmp_path / "data" / file.name).symlink_to(file)
    labels = tmp_path / "data" / "train-labels-idx1-ubyte.gz"
    labels.unlink()
    labels.write_bytes(b"broken")
    check_one_line(run("train_mnist.py", "data"), 3, "train-labels-idx1-ubyte.gz: ")
    result = run("train_mnist.py", sample_folder, "nowhere/model.safetensors")
    check_one_line(result, 1, "nowhere/model.safetensors: there is no such folder")
