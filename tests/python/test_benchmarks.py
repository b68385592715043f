"""The benchmark driver runs and writes what it promises. How fast anything is does not matter here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

BENCH = Path(__file__).parents[1] / "benchmarks/bench.py"


def run(*words):
    return subprocess.run([sys.executable, BENCH, *words], capture_output=True, text=True, check=False)


def test_quick_run_compares_with_numpy_and_writes_json(sample_folder, tmp_path):
    file = tmp_path / "bench.json"
    only = ["--only", "ancestor", "one image Python"]
    result = run("--quick", *only, "--with", "ancestor", "numpy", "--data", sample_folder, "--json", file)
    assert result.returncode == 0, result.stderr
    written = json.loads(file.read_text())
    rows = {(row["workload"], row["peer"]): row for row in written["rows"]}
    assert list(rows) == [
        ("ancestor 784-250-10", "ancestor"),
        ("one image Python", None),
        ("one image Python", "numpy"),
    ]
    compared = rows["ancestor 784-250-10", "ancestor"]
    assert compared["goal"] == ">= 60 x"
    assert compared["reached"] is (compared["ratio"] >= 60)
    assert compared["ratio"] == compared["digitnet"] / compared["peer_value"]  # of one repetition
    for row in rows.values():
        assert row["digitnet"] > 0
    assert written["machine"]["processor"]
    assert "ancestor 784-250-10" in result.stdout


def test_a_peer_that_is_not_installed_is_named_and_left_out(sample_folder, tmp_path):
    file = tmp_path / "bench.json"
    only = ["--only", "one image Python", "--with", "scikit-learn", "--peer-python", tmp_path / "nowhere"]
    result = run("--quick", *only, "--data", sample_folder, "--json", file)
    assert result.returncode == 0, result.stderr
    assert "scikit-learn: left out (" in result.stderr
    assert [row["peer"] for row in json.loads(file.read_text())["rows"]] == [None]


def test_list_names_all_workloads():
    names = run("--list").stdout.splitlines()
    assert len(names) == len(set(names)) > 20
    assert names[-2:] == ["parts", "instructions"]


def test_a_program_that_is_not_built_is_named(sample_folder, tmp_path):
    result = run("--quick", "--only", "load plain", "--data", sample_folder, "--programs", tmp_path)
    assert result.returncode != 0
    assert result.stderr.splitlines()[-1].endswith("load_speed is not built; ./dev bench does that")
