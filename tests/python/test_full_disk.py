"""Trainings on full and read-only disks: full_disk.py, where a disk of its own can be mounted."""

import subprocess
import sys
from pathlib import Path

import pytest


def test_trainings_survive_full_and_read_only_disks():
    script = Path(__file__).with_name("full_disk.py")
    done = subprocess.run([sys.executable, script], capture_output=True, text=True, check=False)
    if done.returncode == 77:
        pytest.skip(done.stdout.strip().removeprefix("skipped: "))
    assert done.returncode == 0, done.stdout + done.stderr
