"""Nothing a client sends is a 5xx: every call of the API with values that fit nowhere.

By hand for longer: python tests/web/test_garbage.py 20000
"""

import itertools
import random
import re
import sys
import tempfile
from collections import Counter
from pathlib import Path
from urllib.parse import quote

from serving import Server

import digitnet as dn

SEVEN = [[[10, 10], [60, 12], [25, 90]]]
VALUES = [
    *(None, True, False, -1, 0, 1, 7, 2**70, 0.5, 1e308, -1e-320, "", "0.001", "x" * 300, "\0", "é"),
    *("../../etc/passwd", "default", "run-small", "upload-x", "mnist", "personal", "128,64", "relu", "adam"),
    *("data:image/png;base64,AAAA", "data:image/png;base64,!!!", {}, {"a": {}}, [], [[]], ["a"], [128]),
    *([[0, 1], [2]], [[[1]]], [[[1, 2]]], [[["a", "b"]]], [[[1e300, 2]]], SEVEN),
    *([{"layer": 0, "unit": 0, "scale": 1}], [{"layer": 99, "unit": -1, "scale": "x"}]),
]
KEYS = [
    "strokes",
    "image",
    "width",
    "height",
    "brush",
    "model",
    "activations",
    "number",
    "explain",
    "wanted",
    "digit",
    "changes",
    "shown",
    "units",
    "layers",
    "dataset",
    "epochs",
    "learning_rate",
    "optimizer",
    "batch_size",
    "dropout",
    "augmentation",
    "validation",
    "seed",
    "name",
    "schedule",
    "activation",
    "checkpoint_every",
    "early_stopping",
    "plateau",
    "hidden",
    "augment",
    "data",
    "batch",
]
PARTS = {
    "run": ["small", "none", "..", "%2e%2e", "a" * 200, "other-0123456789abcdef", "small%00"],
    "model": ["default", "run-small", "upload-x", "run-..", "x", "default%0a"],
    "set": ["mnist", "fashion-mnist", "personal", "x"],
    "part": ["train", "test", "all", "x"],
    "n": ["0", "1", "2", "9", "127", "999", str(10**9), str(10**30)],
}
READ = [
    "api/recognize",
    "api/personal?limit={}&before={}",
    "api/personal/{n}",
    "api/personal/images.idx",
    "api/personal/labels.idx",
    "api/personal/personal.zip",
    "api/data",
    "api/data/{set}/{part}",
    "api/data/{set}/{part}/sprite/{n}?v={}",
    "api/data/{set}/{part}/averages",
    "api/data/{set}/{part}/predictions?model={model}",
    "api/data/{set}/{part}/{n}?model={model}",
    "api/data/{set}/{part}/{n}/augmented?name={}&rotation={}&seed={}&copies={}",
    "api/runs",
    "api/runs?choices",
    "api/runs/{run}",
    "api/runs/{run}/events?after={}",
    "api/runs/{run}/command?form={}",
    "api/runs/{run}/checkpoints",
    "api/runs/{run}/checkpoints/{n}/weights?layer={}&units={}&batch={}&form={}",
    "api/runs/{run}/checkpoints/{n}/confusion?batch={}",
    "api/network?model={model}",
    "api/network/weights?layer={}&units={}&model={model}",
    "api/network/units/{n}/{n}?model={model}",
    "api/network/units/{n}/{n}/excites?model={model}",
    "api/parameters?model={model}",
    "api/parameters/dead?model={model}",
    "api/graph?model={}",
    "api/models",
    "api/models/{model}",
    "api/models/{model}/file?format={}&precision={}",
    "training/{run}/",
    "network/?model={}",
    "graph/?model={}",
    "data/?set={}",
    "models/?order={}",
]
CHANGE = [
    "api/recognize",
    "api/personal",
    "api/runs",
    "api/runs/{run}/stop",
    "api/runs/{run}/pause",
    "api/runs/{run}/resume",
    "api/runs/{run}/learning-rate",
    "api/runs/{run}/readings",
    "api/network/forward",
    "api/models",
    "api/models/{model}/use",
    "api/models/{model}/evaluate",
]


def calls(seed):
    """Calls without an end: (path, body or None)."""
    rng = random.Random(seed)

    def filled(match):
        return rng.choice(PARTS[match[1]]) if match[1] else quote(str(rng.choice(VALUES)))[:200]

    while True:
        paths = rng.choice((READ, CHANGE))
        path = re.sub(r"\{(\w*)\}", filled, rng.choice(paths))
        body = None
        if paths is CHANGE:
            body = {rng.choice(KEYS): rng.choice(VALUES) for _ in range(rng.randint(0, 6))}
            if rng.random() < 0.3:
                body["strokes"] = SEVEN
            body.pop("epochs", None)  # what is started by chance is over soon
        yield path, body


def throw(server, count, seed):
    """Makes so many calls, and gives how often each status came and what was answered by a 5xx."""
    network = dn.Network([784, 16, 10], seed=1)
    samples = dn.load_mnist(server.data).train[:600]
    dn.train(network, samples, validation=0.1, epochs=2, run=server.runs / "small")
    client = server.client()
    statuses, failures = Counter(), []
    for path, body in itertools.islice(calls(seed), count):
        status, answer = client.ask(path, body)
        statuses[status] += 1
        if status >= 500 and not (status == 503 and answer["error"]["code"] != "failed"):
            failures.append((path, body, answer))
    return statuses, failures


def test_values_that_fit_nowhere_are_refused_and_never_a_mistake_of_the_server(server):
    statuses, failures = throw(server, 500, seed=1)
    assert not failures
    assert statuses[200] > 20  # not all of it was refused for the same reason
    assert statuses[422] > 50
    assert statuses[404] > 50


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        started = Server(Path(folder))
        print(*throw(started, int(sys.argv[1]), random.randrange(10**9)), sep="\n")
        started.stop()
