"""The learning-rate range test from Python; what it computes is tested in C++."""

import threading

import numpy as np
import pytest

import digitnet as dn


def test_it_suggests_a_rate_that_learns(mnist):
    network = dn.Network([784, 32, 10], seed=1)
    before = network.to_bytes()
    optimizer = dn.Sgd(0.125)
    found = dn.learning_rate_range_test(
        network, mnist.train[:2000], optimizer, low=1e-4, high=100, steps=120, batch_size=50, seed=3
    )
    assert 0.01 < found.suggestion < 1
    rates = np.array([point.learning_rate for point in found.points])
    np.testing.assert_allclose(rates, 1e-4 * 1e6 ** (np.arange(len(found)) / 119))
    assert len(found) < 120  # no hope long before 100
    smoothed = np.array([point.smoothed_loss for point in found.points])
    assert smoothed[0] == pytest.approx(found.points[0].loss)
    assert (smoothed[:-1] <= 4 * np.minimum.accumulate(smoothed)[:-1]).all()
    assert "suggestion 0." in repr(found)
    assert "learning rate 0.0001" in repr(found.points[0])
    # Nothing is changed.
    assert network.to_bytes() == before
    assert (optimizer.learning_rate, optimizer.steps) == (0.125, 0)


def test_the_same_seed_gives_the_same_answer_for_any_number_of_threads(small_network, small_data):
    answers = [
        dn.learning_rate_range_test(small_network, small_data, batch_size=20, seed=5, threads=threads)
        for threads in (1, 2)
    ]
    assert answers[0].suggestion == answers[1].suggestion
    assert [p.loss for p in answers[0].points] == [p.loss for p in answers[1].points]


def test_without_an_optimizer_it_takes_adam(small_network, small_data):
    ours = dn.learning_rate_range_test(small_network, small_data, dn.Adam(), steps=30)
    default = dn.learning_rate_range_test(small_network, small_data, steps=30)
    assert [p.loss for p in ours.points] == [p.loss for p in default.points]


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"low": 0}, "learning_rate_range_test: low is 0, expected"),
        ({"low": float("nan")}, "learning_rate_range_test: low is nan, expected"),
        ({"low": 1, "high": 0.5}, "learning_rate_range_test: high is 0.5, expected"),
        ({"steps": 1}, "learning_rate_range_test: steps is 1, expected"),
        ({"batch_size": 0}, "batch_size is 0"),
    ],
)
def test_nonsense_is_named(small_network, small_data, options, message):
    with pytest.raises(dn.ArgumentError, match=message):
        dn.learning_rate_range_test(small_network, small_data, **options)


def test_data_must_fit(small_network, mnist):
    with pytest.raises(dn.ShapeError):
        dn.learning_rate_range_test(small_network, mnist.train[:10])


def test_other_threads_may_go_on(small_network, small_data):
    seen = []
    thread = threading.Thread(
        target=lambda: seen.append(dn.learning_rate_range_test(small_network, small_data, steps=50))
    )
    thread.start()
    thread.join()
    assert len(seen[0]) > 2
