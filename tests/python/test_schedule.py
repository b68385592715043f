"""Schedules: factors on the learning rate over a training."""

import pytest

import digitnet as dn


def test_cosine_schedule():
    schedule = dn.cosine_schedule(warmup=0.2)
    assert [schedule(p) for p in (0, 0.1, 0.2, 0.6, 1)] == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-12)
    for warmup in (-0.1, 1, float("nan")):
        with pytest.raises(dn.ArgumentError, match="warmup"):
            dn.cosine_schedule(warmup)
