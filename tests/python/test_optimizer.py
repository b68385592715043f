"""Optimizers: settings are kept, named and checked; what they compute is in test_numpy_reference.py."""

import pytest

import digitnet as dn


def test_settings_are_kept():
    adamw = dn.AdamW(learning_rate=0.5, weight_decay=0.25, beta1=0.75, beta2=0.5, epsilon=0.125)
    assert (adamw.learning_rate, adamw.weight_decay) == (0.5, 0.25)
    assert (adamw.beta1, adamw.beta2, adamw.epsilon) == (0.75, 0.5, 0.125)
    sgd = dn.Sgd(0.5, momentum=0.75, nesterov=True)
    assert (sgd.learning_rate, sgd.momentum, sgd.nesterov) == (0.5, 0.75, True)


def test_names():
    made = [dn.Sgd(), dn.Sgd(momentum=0.9), dn.Sgd(momentum=0.9, nesterov=True), dn.Adam(), dn.AdamW()]
    assert [optimizer.name for optimizer in made] == ["sgd", "momentum", "nesterov", "adam", "adamw"]
    assert all(isinstance(optimizer, dn.Optimizer) for optimizer in made)


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


def test_a_step_is_a_batch_however_many_tensors_there_are(small_network, small_data):
    optimizer = dn.Adam()
    dn.train(small_network, small_data, epochs=2, batch_size=100, optimizer=optimizer)
    assert optimizer.steps == 6


def test_the_base_class_cannot_be_made():
    with pytest.raises(TypeError):
        dn.Optimizer()
