"""python/digitnet/_core.pyi is what the compiled module says."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

MAKE_STUBS = Path(__file__).resolve().parents[1] / "support" / "make_stubs.py"


@pytest.mark.skipif(
    not all(importlib.util.find_spec(name) for name in ("pybind11_stubgen", "ruff")),
    reason="pybind11-stubgen and ruff come from the Python package index",
)
def test_the_types_checked_in_are_those_of_the_module():
    done = subprocess.run(
        [sys.executable, MAKE_STUBS, "--check"], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
