"""A killed training leaves whole checkpoints and goes on to the very bits: some kills of kill_training.py."""

from kill_training import kill_trainings


def test_killed_trainings_come_to_the_bytes_of_the_unbroken_one(tmp_path):
    at = kill_trainings(tmp_path, kills=5)
    assert at.pop("runs") >= 1
    assert sum(at.values()) == 5
