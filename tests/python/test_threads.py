"""Many Python threads, Ctrl-C, and threads of our own: none that nobody asked for, and none left behind.

What would hang if it were broken runs in a process of its own, with a generous time limit.
"""

import os
import signal
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn

TIME_LIMIT = 120

DATA = """
import os, signal, sys, threading
import numpy as np
import digitnet as dn
random = np.random.default_rng(1)
data = dn.Dataset(random.random((300, 12), dtype=np.float32), random.integers(0, 4, 300), classes=4)
network = dn.Network([12, 8, 4], seed=1)
"""


def run_python(code, **environment):
    """Standard output of a program in a process of its own, where Ctrl-C is answered whatever it is here."""
    return subprocess.run(
        [sys.executable, "-c", code],
        env={**os.environ, **environment},
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        capture_output=True,
        text=True,
        timeout=TIME_LIMIT,
        check=True,
    ).stdout


def test_many_threads_may_ask_one_network(trained, mnist):
    expected = trained.predict_proba(mnist.test)

    def ask(part):
        first = part * 50
        return trained.predict_proba(mnist.test[first : first + 50]), trained.evaluate(mnist.test, 2).accuracy

    with ThreadPoolExecutor(8) as pool:
        answers = list(pool.map(ask, range(20)))
    np.testing.assert_allclose(
        np.concatenate([answer[0] for answer in answers]), expected, rtol=1e-4, atol=1e-6
    )
    assert {answer[1] for answer in answers} == {trained.evaluate(mnist.test).accuracy}


def test_other_python_threads_run_during_a_training():
    """The training would go on for years: only if another thread gets to run can it stop it."""
    code = """
stop, counted = dn.StopFlag(), []
def count():
    counted.extend(range(1000))
    stop.request()
threading.Thread(target=count).start()
from digitnet import _core
options = _core.TrainingOptions()
options.epochs, options.batch_size, options.threads = 10**9, 100, 1
history = _core.train(network, data, None, dn.Adam(), options, schedule=None, seed=1, on_batch=None,
                      on_epoch=None, stop=stop)
print(history.reason, len(counted))
"""
    assert run_python(DATA + code) == "stopped 1000\n"


def test_ctrl_c_from_outside_ends_a_training_and_keeps_the_network():
    code = """
try:
    threading.Thread(target=lambda: os.kill(os.getpid(), signal.SIGINT)).start()
    dn.train(network, data, epochs=10**9)
except KeyboardInterrupt:
    print("interrupted", network.predict(data).shape)
"""
    assert run_python(DATA + code) == "interrupted (300,)\n"


@pytest.fixture
def python_answers_ctrl_c():
    """A test run in the background of a shell may have been told to ignore it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("python_answers_ctrl_c")
@pytest.mark.parametrize("callback", ["on_batch", "on_epoch"])
def test_ctrl_c_during_a_callback(small_network, small_data, callback):
    calls = []

    def interrupt(report):
        calls.append(report)
        signal.raise_signal(signal.SIGINT)

    with pytest.raises(KeyboardInterrupt):
        dn.train(small_network, small_data, epochs=3, **{callback: interrupt})
    assert len(calls) == 1
    assert np.isfinite(small_network.logits(small_data)).all()
    assert dn.train(small_network, small_data, epochs=1).reason == "done"


def test_a_training_on_another_thread_works_and_can_be_stopped(small_network, small_data):
    stop, begun, result = dn.StopFlag(), threading.Event(), []

    def work():
        result.append(
            dn.train(
                small_network, small_data, epochs=10**6, on_epoch=lambda _: begun.set(), stop=stop
            ).reason
        )

    thread = threading.Thread(target=work)
    thread.start()
    assert begun.wait(TIME_LIMIT)
    stop.request()
    thread.join(TIME_LIMIT)
    assert result == ["stopped"]


@pytest.mark.skipif(not Path("/proc/self/status").exists(), reason="counts threads in /proc")
def test_no_thread_is_started_by_the_import_nor_left_behind_by_work():
    """OpenBLAS starts a pool of its own when it is loaded, unless told that one thread is enough."""
    code = """
def threads():
    return next(line.split()[1] for line in open("/proc/self/status") if line.startswith("Threads:"))
import digitnet
counts = [threads()]
"""
    code += DATA
    code += """
network.predict(data)
counts.append(threads())
dn.train(network, data, epochs=1, threads=3)
network.evaluate(data, threads=3)
counts.append(threads())
print(*counts)
"""
    assert run_python(code, OPENBLAS_NUM_THREADS="1", DIGITNET_NUM_THREADS="2") == "1 1 1\n"


def test_default_threads_follow_the_environment(monkeypatch):
    for name in ("DIGITNET_NUM_THREADS", "OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS"):
        monkeypatch.delenv(name, raising=False)
    assert dn.default_threads() >= 1
    monkeypatch.setenv("OPENBLAS_NUM_THREADS", "5")
    assert dn.default_threads() == 5
    monkeypatch.setenv("OMP_NUM_THREADS", "4")
    assert dn.default_threads() == 4
    monkeypatch.setenv("DIGITNET_NUM_THREADS", "3")
    assert dn.default_threads() == 3
    for wrong in ("0", "-1", "many", "257"):
        monkeypatch.setenv("DIGITNET_NUM_THREADS", wrong)
        with pytest.raises(dn.ArgumentError, match="DIGITNET_NUM_THREADS"):
            dn.default_threads()
