"""Errors: their types are digitnet's and Python's at once, their messages are one line."""

import os

import pytest

import digitnet as dn


@pytest.mark.parametrize("kind", [dn.ShapeError, dn.ArgumentError, dn.FormatError])
def test_what_is_wrong_with_a_value_is_a_value_error(kind):
    assert issubclass(kind, dn.Error)
    assert issubclass(kind, ValueError)
    assert not issubclass(kind, OSError)


def test_what_the_system_refuses_is_an_os_error():
    assert issubclass(dn.IoError, dn.Error)
    assert issubclass(dn.IoError, OSError)
    assert not issubclass(dn.IoError, ValueError)


def test_they_are_named_as_users_see_them():
    for kind in (dn.Error, dn.ShapeError, dn.ArgumentError, dn.FormatError, dn.IoError):
        assert kind.__module__ == "digitnet"
        assert getattr(dn, kind.__name__) is kind
        assert kind.__doc__


@pytest.mark.parametrize(
    ("cause", "kind"),
    [
        (lambda: dn.Network([12]), ValueError),
        (lambda: dn.Network([12, 10], loss="x" * 10000), ValueError),
        (lambda: dn.Network([12, 10]).predict([[0.0] * 11]), ValueError),
        (lambda: dn.Network.load("/nowhere/model"), OSError),
        (lambda: dn.Network.from_bytes(b"no model"), ValueError),
        (lambda: dn.read_idx("/nowhere/idx"), OSError),
        (lambda: dn.load_mnist("/nowhere"), OSError),
    ],
)
def test_messages_are_one_line_that_says_where(cause, kind):
    with pytest.raises(dn.Error) as caught:
        cause()
    assert isinstance(caught.value, kind)
    message = str(caught.value)
    assert "\n" not in message
    assert any(word in message for word in ("expected", "cannot", "not a", "NumPy"))
    assert len(message) < 500


def test_a_path_that_is_not_utf8_can_be_told():
    with pytest.raises(dn.IoError, match=r"/nowhere/\\xff"):
        dn.read_idx(os.fsdecode(b"/nowhere/\xff"))


def test_python_errors_stay_what_they_are():
    with pytest.raises(TypeError):
        dn.Network([12, 10], "relu", "softmax", "softmax_cross_entropy", 0, None, "one too many")
    with pytest.raises(TypeError):
        dn.Network([12, 10], seed="one")
