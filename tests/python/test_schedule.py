"""Schedules: factors on the learning rate over a training."""

import numpy as np
import pytest

import digitnet as dn

NAN = float("nan")


def values(schedule, shares):
    return [schedule(share) for share in shares]


def test_constant_schedule():
    assert values(dn.constant_schedule(), (0.1, 0.9)) == [1, 1]


def test_step_schedule():
    schedule = dn.step_schedule([0.5, 0.75], factor=0.5)
    assert values(schedule, (0.1, 0.49, 0.5, 0.74, 0.75, 0.99)) == [1, 1, 0.5, 0.5, 0.25, 0.25]
    assert dn.step_schedule([0.5])(0.6) == pytest.approx(0.1)


def test_exponential_schedule():
    assert values(dn.exponential_schedule(1e-4), (0, 0.25, 0.5, 1)) == pytest.approx([1, 0.1, 0.01, 1e-4])


def test_cosine_schedule():
    schedule = dn.cosine_schedule(warmup=0.2)
    assert values(schedule, (0, 0.1, 0.2, 0.6, 1)) == pytest.approx([0, 0.5, 1, 0.5, 0], abs=1e-12)


def test_cosine_schedule_with_restarts():
    schedule = dn.cosine_schedule(final_factor=0.5, cycles=2, cycle_multiplier=3)
    shares = np.arange(0.005, 1, 0.01)
    where = np.where(shares < 0.25, shares / 0.25, (shares - 0.25) / 0.75)
    np.testing.assert_allclose(values(schedule, shares), 0.75 + 0.25 * np.cos(np.pi * where), rtol=1e-12)


def test_one_cycle_schedule():
    schedule = dn.one_cycle_schedule(peak=0.25, start_factor=0.2, final_factor=0)
    assert values(schedule, (0, 0.125, 0.25, 0.625, 1)) == pytest.approx([0.2, 0.6, 1, 0.5, 0], abs=1e-12)


def test_with_warmup_takes_any_function():
    schedule = dn.with_warmup(lambda share: 2 * share, 0.5)
    assert values(schedule, (0.125, 0.25, 0.5, 0.75)) == [0.0625, 0.25, 1, 1.5]
    assert values(dn.with_warmup(dn.constant_schedule(), 0.5), (0.25, 0.5, 0.75)) == [0.5, 1, 1]


@pytest.mark.parametrize(
    ("make", "message"),
    [
        *((lambda w=w: dn.cosine_schedule(w), "cosine_schedule: warmup is") for w in (-0.1, 1, NAN)),
        (lambda: dn.cosine_schedule(final_factor=2), "cosine_schedule: final_factor is 2"),
        (lambda: dn.cosine_schedule(cycles=0), "cosine_schedule: cycles is 0"),
        (lambda: dn.cosine_schedule(cycle_multiplier=0.5), "cosine_schedule: cycle_multiplier is 0.5"),
        (lambda: dn.step_schedule([0.5, 0.4]), "step_schedule: milestone 0.4 after 0.5"),
        (lambda: dn.step_schedule([NAN]), "step_schedule: a milestone is nan"),
        (lambda: dn.step_schedule([0.5], factor=-1), "step_schedule: factor is -1"),
        (lambda: dn.exponential_schedule(0), "exponential_schedule: final_factor is 0"),
        (lambda: dn.one_cycle_schedule(0), "one_cycle_schedule: peak is 0"),
        (lambda: dn.one_cycle_schedule(start_factor=NAN), "one_cycle_schedule: start_factor is nan"),
        (lambda: dn.with_warmup(dn.constant_schedule(), -0.5), "with_warmup: share is -0.5"),
        (lambda: dn.ReduceOnPlateau(factor=1), "ReduceOnPlateau: factor is 1"),
        (lambda: dn.ReduceOnPlateau(min_delta=NAN), "ReduceOnPlateau: min_delta is nan"),
        (lambda: dn.ReduceOnPlateau(min_factor=-1), "ReduceOnPlateau: min_factor is -1"),
    ],
)
def test_nonsense_is_named(make, message):
    with pytest.raises(dn.ArgumentError, match=message):
        make()


@pytest.mark.parametrize(
    "schedule",
    [
        dn.step_schedule([0.5], 0.5),
        dn.exponential_schedule(),
        dn.cosine_schedule(0.1, cycles=2),
        dn.one_cycle_schedule(),
        dn.with_warmup(dn.exponential_schedule(), 0.3),
    ],
)
def test_a_training_follows_it(small_network, small_data, schedule):
    rates = []
    dn.train(
        small_network,
        small_data,
        epochs=2,
        batch_size=30,
        optimizer=dn.Sgd(0.5),
        schedule=schedule,
        on_batch=lambda report: rates.append(report.learning_rate),
    )
    np.testing.assert_allclose(rates, [0.5 * schedule((step + 0.5) / 20) for step in range(20)])


def test_on_plateau():
    plateau = dn.ReduceOnPlateau(factor=0.5, patience=1, min_delta=0.1, cooldown=1, min_factor=0.2)
    assert (plateau.factor, plateau.patience, plateau.min_delta) == (0.5, 1, 0.1)
    assert (plateau.cooldown, plateau.min_factor) == (1, 0.2)
    losses = [3, 2, 1.95, 2, 2, 2, 2, 2, 2, 2]
    assert [plateau.observe(loss) for loss in losses] == [1, 1, 1, 0.5, 0.5, 0.5, 0.25, 0.25, 0.25, 0.2]
    assert plateau.observe(NAN) == 0.2


def test_a_restored_plateau_goes_on_where_the_other_stood():
    one = dn.ReduceOnPlateau(factor=0.5, patience=2)
    assert one.state == (1, None, 0, 0)
    for loss in (3, 2, 2, 2, 2, 2):
        one.observe(loss)
    assert one.state == (0.5, 2, 1, 0)
    other = dn.ReduceOnPlateau(factor=0.5, patience=2)
    other.restore(one.state)
    assert (
        [other.observe(2) for _ in range(5)]
        == [one.observe(2) for _ in range(5)]
        == [0.5] + 3 * [0.25] + [0.125]
    )
    with pytest.raises(dn.ArgumentError, match="the factor of the state is 0"):
        other.restore((0, None, 0, 0))
