"""PyTorch: training, and predictions eager and compiled (torch.jit)."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import torch
import torch_training
import worker

torch.set_flush_denormal(True)  # before there are threads: numbers next to zero would slow it down


@lru_cache(maxsize=1)
def training_data(data: str, zeros: bool) -> tuple[torch.Tensor, torch.Tensor]:
    images, labels = worker.load(data, "train")
    return torch.from_numpy(worker.as_floats(images, zeros=zeros)), torch.from_numpy(labels.astype(np.int64))


def train(
    data: str,
    sizes: list[int],
    batch: int,
    optimizer: str,
    threads: int,
    variant: str,
    seconds: float,
    zeros: bool = True,
) -> dict[str, object]:
    """Samples a second; variant is "autograd", "foreach" (autograd with such an optimizer) or "manual"."""
    torch.set_num_threads(threads)
    torch.manual_seed(1)
    x, y = training_data(data, zeros)
    if variant == "manual":
        targets = torch.nn.functional.one_hot(y, sizes[-1]).float()
        step = torch_training.manual_step(x, targets, sizes, optimizer, batch)
    else:
        parameters = [each.requires_grad_() for each in torch_training.make_parameters(sizes)]
        rule = torch_training.make_optimizer(optimizer, parameters, foreach=variant == "foreach")
        step = torch_training.autograd_step(x, y, parameters, rule)
    clock = worker.Clock(seconds, min(0.3, seconds / 3))
    for samples in torch_training.batches(len(x), batch):
        with torch.set_grad_enabled(variant != "manual"):
            step(samples)
        if not clock.goes_on(len(samples)):
            return {"samples_per_second": clock.rate}
    raise AssertionError


class Model(torch.nn.Module):
    """From bytes to digits, the conversion included."""

    def __init__(self, sizes: list[int], inputs_are_bytes: bool) -> None:
        super().__init__()
        layers: list[torch.nn.Module] = []
        for inputs, outputs in zip(sizes, sizes[1:]):
            layers += [torch.nn.Linear(inputs, outputs), torch.nn.ReLU()]
        self.layers = torch.nn.Sequential(*layers[:-1])
        self.inputs_are_bytes = inputs_are_bytes

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        if self.inputs_are_bytes:
            x = x.to(torch.float32).mul(1 / 255)
        return self.layers(x).argmax(1)


def predict(
    data: str,
    sizes: list[int],
    threads: int,
    variant: str,
    seconds: float,
    batch: int = 0,
    zeros: bool = True,
) -> dict[str, object]:
    """Variant is "eager", "jit" (traced and frozen) or "jit-optimized" (for inference as well)."""
    torch.set_num_threads(threads)
    images = worker.load(data, "t10k")[0][: batch or 1000]
    if not zeros:
        images = worker.as_floats(images, zeros=False)
    with torch.inference_mode():
        model = Model(sizes, inputs_are_bytes=zeros).eval()
        if variant != "eager":
            model = torch.jit.freeze(torch.jit.trace(model, torch.from_numpy(images[: batch or 1])))
            if variant == "jit-optimized":
                model = torch.jit.optimize_for_inference(model)
        if batch:
            return worker.throughput(lambda x: model(torch.from_numpy(x)).numpy(), images, seconds)
        return worker.latency(lambda x: int(model(torch.from_numpy(x).unsqueeze(0))), images, seconds)


if __name__ == "__main__":
    worker.serve(f"torch {torch.__version__}", {"train": train, "predict": predict})
