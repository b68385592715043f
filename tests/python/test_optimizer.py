"""Optimizers: settings are kept, named and checked; what they compute is in test_numpy_reference.py."""

import numpy as np
import pytest

import digitnet as dn


def test_settings_are_kept():
    adamw = dn.AdamW(learning_rate=0.5, weight_decay=0.25, beta1=0.75, beta2=0.5, epsilon=0.125)
    assert (adamw.learning_rate, adamw.weight_decay) == (0.5, 0.25)
    assert (adamw.beta1, adamw.beta2, adamw.epsilon) == (0.75, 0.5, 0.125)
    sgd = dn.Sgd(0.5, momentum=0.75, nesterov=True)
    assert (sgd.learning_rate, sgd.momentum, sgd.nesterov) == (0.5, 0.75, True)
    adagrad = dn.AdaGrad(0.5, initial_accumulator=0.25, epsilon=0.125, weight_decay=0.75)
    assert (adagrad.learning_rate, adagrad.initial_accumulator, adagrad.epsilon) == (0.5, 0.25, 0.125)
    assert adagrad.weight_decay == 0.75
    rmsprop = dn.RmsProp(0.5, rho=0.75, epsilon=0.125, momentum=0.25, centered=True, weight_decay=0.375)
    assert (rmsprop.rho, rmsprop.epsilon, rmsprop.momentum, rmsprop.centered) == (0.75, 0.125, 0.25, True)
    assert rmsprop.weight_decay == 0.375
    nadam = dn.NAdam(0.5, beta1=0.75, beta2=0.25, epsilon=0.125, momentum_decay=0.5, weight_decay=0.375)
    assert (nadam.beta1, nadam.beta2, nadam.epsilon, nadam.momentum_decay) == (0.75, 0.25, 0.125, 0.5)
    assert nadam.weight_decay == 0.375
    lion = dn.Lion(0.5, beta1=0.75, beta2=0.25, weight_decay=0.375)
    assert (lion.learning_rate, lion.beta1, lion.beta2, lion.weight_decay) == (0.5, 0.75, 0.25, 0.375)
    assert dn.Sgd(weight_decay=0.5).weight_decay == dn.Adam(weight_decay=0.5).weight_decay == 0.5


def test_names():
    made = [dn.Sgd(), dn.Sgd(momentum=0.9), dn.Sgd(momentum=0.9, nesterov=True), dn.Adam(), dn.AdamW()]
    assert [optimizer.name for optimizer in made] == ["sgd", "momentum", "nesterov", "adam", "adamw"]
    assert all(isinstance(optimizer, dn.Optimizer) for optimizer in made)


def test_every_name_makes_an_optimizer():
    classes = {
        "sgd": dn.Sgd,
        "momentum": dn.Sgd,
        "nesterov": dn.Sgd,
        "adagrad": dn.AdaGrad,
        "rmsprop": dn.RmsProp,
    }
    classes |= {"adam": dn.Adam, "adamw": dn.AdamW, "nadam": dn.NAdam, "lion": dn.Lion}
    assert set(dn.OPTIMIZERS) == set(classes)
    for name in dn.OPTIMIZERS:
        optimizer = dn.make_optimizer(name)
        assert type(optimizer) is classes[name]
        assert optimizer.name == name
        assert optimizer.learning_rate == dn.default_learning_rate(name) > 0
        assert dn.make_optimizer(name, 0.25).learning_rate == 0.25
    for ask in (dn.make_optimizer, dn.default_learning_rate):
        with pytest.raises(dn.ArgumentError, match='optimizer "best", expected one of sgd, '):
            ask("best")


@pytest.mark.parametrize(
    ("make", "setting"),
    [
        (lambda: dn.Sgd(-1), "learning_rate"),
        (lambda: dn.Sgd(float("nan")), "learning_rate"),
        (lambda: dn.Adam(float("inf")), "learning_rate"),
        (lambda: dn.Sgd(momentum=1), "momentum"),
        (lambda: dn.Sgd(nesterov=True), "nesterov"),
        (lambda: dn.Adam(beta1=1), "beta1"),
        (lambda: dn.Adam(beta2=-0.1), "beta2"),
        (lambda: dn.Adam(epsilon=-1), "epsilon"),
        (lambda: dn.AdamW(weight_decay=-1), "weight_decay"),
        (lambda: dn.Sgd(weight_decay=float("nan")), "weight_decay"),
        (lambda: dn.Adam(weight_decay=-1), "weight_decay"),
        (lambda: dn.AdaGrad(float("nan")), "learning_rate"),
        (lambda: dn.AdaGrad(initial_accumulator=-1), "initial_accumulator"),
        (lambda: dn.RmsProp(-1), "learning_rate"),
        (lambda: dn.RmsProp(rho=1), "rho"),
        (lambda: dn.RmsProp(momentum=-0.5), "momentum"),
        (lambda: dn.NAdam(float("inf")), "learning_rate"),
        (lambda: dn.NAdam(momentum_decay=-1), "momentum_decay"),
        (lambda: dn.Lion(float("nan")), "learning_rate"),
        (lambda: dn.Lion(beta2=1), "beta2"),
        (lambda: dn.make_optimizer("lion", -1), "learning_rate"),
    ],
)
def test_a_setting_out_of_range_is_named(make, setting):
    with pytest.raises(dn.ArgumentError, match=setting):
        make()


def test_the_learning_rate_can_be_changed_but_not_to_nonsense():
    optimizer = dn.Adam()
    optimizer.learning_rate = 0.25
    assert optimizer.learning_rate == 0.25
    with pytest.raises(dn.ArgumentError, match="learning_rate"):
        optimizer.learning_rate = -1
    assert optimizer.learning_rate == 0.25
    optimizer.weight_decay = 0.125
    assert optimizer.weight_decay == 0.125
    with pytest.raises(dn.ArgumentError, match="weight_decay"):
        optimizer.weight_decay = float("nan")
    assert optimizer.weight_decay == 0.125


def test_a_step_is_a_batch_however_many_tensors_there_are(small_network, small_data):
    optimizer = dn.Adam()
    dn.train(small_network, small_data, epochs=2, batch_size=100, optimizer=optimizer)
    assert optimizer.steps == 6


def test_the_state_is_what_a_training_left(small_network, small_data):
    optimizer = dn.Adam(beta2=0.75)
    assert optimizer.state == []
    dn.train(small_network, small_data, epochs=1, batch_size=100, optimizer=optimizer)
    state = optimizer.state
    assert [array.shape for array in state] == 2 * [(96,), (8,), (32,), (4,)]
    assert all(array.dtype == np.float32 for array in state)
    assert all((array >= 0).all() for array in state[4:])  # second moments
    copy = optimizer.copy()
    assert type(copy) is dn.Adam
    assert (copy.steps, copy.beta2) == (3, 0.75)
    dn.train(small_network, small_data, epochs=2, batch_size=100, optimizer=optimizer)
    assert (optimizer.steps, copy.steps) == (6, 3)
    for kept, first, now in zip(copy.state, state, optimizer.state):
        np.testing.assert_array_equal(kept, first)
        assert (first != now).any()


def test_the_base_class_cannot_be_made():
    with pytest.raises(TypeError):
        dn.Optimizer()
