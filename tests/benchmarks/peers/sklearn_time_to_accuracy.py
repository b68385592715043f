"""Loads MNIST, trains 784-256-10 by a fixed recipe, evaluates once: scikit-learn's race to 98.0 %.

MLPClassifier's own Adam, whose rate is constant, with the epochs, batch and rate that need least time here,
chosen with --validate. bench.py takes the time, import included.
"""

from __future__ import annotations

import argparse
import json
import warnings

import worker
from sklearn.neural_network import MLPClassifier

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", required=True)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--epochs", type=int, default=9)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--learning-rate", type=float, default=1e-3)
parser.add_argument("--alpha", type=float, default=1e-4)
parser.add_argument("--validate", action="store_true", help="evaluate on training images held back")
options = parser.parse_args()

warnings.filterwarnings("ignore")  # that training ended before it converged is what was asked for
images, labels = worker.load(options.data, "train")
if options.validate:
    held, rest = worker.held_back(len(images))
    test_images, test_labels = images[held], labels[held]
    images, labels = images[rest], labels[rest]
else:
    test_images, test_labels = worker.load(options.data, "t10k")
model = MLPClassifier(
    (256,),
    batch_size=options.batch,
    learning_rate_init=options.learning_rate,
    alpha=options.alpha,
    max_iter=options.epochs,
    n_iter_no_change=options.epochs + 1,
    random_state=options.seed,
)
model.fit(worker.as_floats(images), labels)
print(json.dumps({"accuracy": float((model.predict(worker.as_floats(test_images)) == test_labels).mean())}))
