"""Loads MNIST, trains 784-256-10 by a fixed recipe, evaluates once: PyTorch's race to 98.0 %.

The same method as digitnet's (AdamW, one cosine after a warm-up, all in memory), with the epochs and rate
that need least time here, chosen with --validate. bench.py takes the time, import included.
"""

from __future__ import annotations

import argparse
import json
import math

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812  as everybody calls it
import torch_training
import worker

parser = argparse.ArgumentParser(description=__doc__)
parser.add_argument("--data", required=True)
parser.add_argument("--seed", type=int, default=1)
parser.add_argument("--epochs", type=int, default=5)
parser.add_argument("--batch", type=int, default=128)
parser.add_argument("--learning-rate", type=float, default=4e-3)
parser.add_argument("--weight-decay", type=float, default=0.05)
parser.add_argument("--warm-up", type=float, default=0.1)
parser.add_argument("--threads", type=int, default=2)
parser.add_argument("--validate", action="store_true", help="evaluate on training images held back")
options = parser.parse_args()

torch.set_num_threads(options.threads)
torch.set_flush_denormal(True)
torch.manual_seed(options.seed)
images, labels = worker.load(options.data, "train")
if options.validate:
    held, rest = worker.held_back(len(images))
    test_images, test_labels = images[held], labels[held]
    images, labels = images[rest], labels[rest]
else:
    test_images, test_labels = worker.load(options.data, "t10k")
x = torch.from_numpy(worker.as_floats(images))
y = torch.from_numpy(labels.astype(np.int64))

parameters = [each.requires_grad_() for each in torch_training.make_parameters([784, 256, 10])]
groups = [
    {"params": parameters[::2], "weight_decay": options.weight_decay},
    {"params": parameters[1::2], "weight_decay": 0.0},
]
quickest = {"fused": True} if torch_training.fused_adam_works() else {"foreach": True}
optimizer = torch.optim.AdamW(groups, lr=options.learning_rate, **quickest)
steps = options.epochs * math.ceil(len(x) / options.batch)
sample_batches = torch_training.batches(len(x), options.batch)
for step in range(steps):
    progress = (step + 0.5) / steps
    if progress < options.warm_up:
        factor = progress / options.warm_up
    else:
        factor = 0.5 * (1 + math.cos(math.pi * (progress - options.warm_up) / (1 - options.warm_up)))
    for group in optimizer.param_groups:
        group["lr"] = options.learning_rate * factor
    samples = next(sample_batches)
    loss = F.cross_entropy(
        torch_training.logits(parameters, x.index_select(0, samples)), y.index_select(0, samples)
    )
    optimizer.zero_grad(set_to_none=True)
    loss.backward()
    optimizer.step()

with torch.no_grad():
    predicted = torch_training.logits(parameters, torch.from_numpy(worker.as_floats(test_images))).argmax(1)
print(json.dumps({"accuracy": float((predicted.numpy() == test_labels).mean())}))
