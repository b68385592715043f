"""The quickest ways known here to train a dense ReLU network on MNIST in memory with PyTorch.

Both keep the samples as one float tensor and pick each batch by a slice of a permutation that is drawn anew
for each epoch; no DataLoader. `autograd` is the loop that people write. `manual` has its gradients written
out, works in place and does not even compute the loss: nobody would write it, but nothing in PyTorch is
quicker.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

import torch
import torch.nn.functional as F  # noqa: N812  as everybody calls it


def make_parameters(sizes: list[int]) -> list[torch.Tensor]:
    """Weights (outputs, inputs) as torch.nn.Linear has them, and biases, by turns."""
    parameters = []
    for inputs, outputs in zip(sizes, sizes[1:]):
        weight = torch.empty(outputs, inputs)
        torch.nn.init.kaiming_uniform_(weight, nonlinearity="relu")
        parameters += [weight, torch.zeros(outputs)]
    return parameters


def logits(parameters: list[torch.Tensor], x: torch.Tensor) -> torch.Tensor:
    for weight, bias in zip(parameters[:-2:2], parameters[1:-2:2]):
        x = F.relu(F.linear(x, weight, bias))
    return F.linear(x, parameters[-2], parameters[-1])


def batches(count: int, batch: int) -> Iterator[torch.Tensor]:
    """Numbers of the samples of each batch, of one epoch after the other."""
    while True:
        yield from torch.randperm(count).split(batch)


def make_optimizer(name: str, parameters: list[torch.Tensor], foreach: bool) -> torch.optim.Optimizer:
    if name == "sgd":
        return torch.optim.SGD(parameters, lr=0.01, foreach=foreach)
    if name == "momentum":
        return torch.optim.SGD(parameters, lr=0.01, momentum=0.9, foreach=foreach)
    if foreach and fused_adam_works():  # since PyTorch 2.4 on processors; quicker than foreach
        return torch.optim.Adam(parameters, lr=1e-3, fused=True)
    return torch.optim.Adam(parameters, lr=1e-3, foreach=foreach)


def fused_adam_works() -> bool:
    parameter = torch.zeros(1, requires_grad=True)
    try:
        optimizer = torch.optim.Adam([parameter], fused=True)
        parameter.grad = torch.zeros(1)
        optimizer.step()
    except Exception:  # each release refuses in its own way
        return False
    return True


def autograd_step(
    x: torch.Tensor,
    y: torch.Tensor,
    parameters: list[torch.Tensor],
    optimizer: torch.optim.Optimizer,
) -> Callable[[torch.Tensor], None]:
    def step(samples: torch.Tensor) -> None:
        loss = F.cross_entropy(logits(parameters, x.index_select(0, samples)), y.index_select(0, samples))
        optimizer.zero_grad(set_to_none=True)
        loss.backward()
        optimizer.step()

    return step


@torch.no_grad()
def manual_step(
    x: torch.Tensor, targets: torch.Tensor, sizes: list[int], optimizer: str, batch: int
) -> Callable[[torch.Tensor], None]:
    """A step for batches of exactly `batch` samples; smaller ones are left out.

    Args:
        x: samples (n, inputs).
        targets: (n, classes), one-hot.
        sizes: inputs, units, classes.
        optimizer: "momentum" or "adam".
        batch: samples a step.
    """
    layers = len(sizes) - 1
    weights = [parameter.t().contiguous() for parameter in make_parameters(sizes)[::2]]  # (inputs, outputs)
    biases = [torch.zeros(units) for units in sizes[1:]]
    transposed = [weight.t() for weight in weights]
    a = [torch.empty(batch, units) for units in sizes]
    dz = [torch.empty(batch, units) for units in sizes[1:]]
    target = torch.empty(batch, sizes[-1])
    a_transposed = [each.t() for each in a]
    parameters = weights + biases
    first = [torch.zeros_like(each) for each in parameters]
    second = [torch.zeros_like(each) for each in parameters]
    gradients = [torch.empty_like(each) for each in parameters]
    steps = 0

    def backward(samples: torch.Tensor) -> None:
        torch.index_select(x, 0, samples, out=a[0])
        torch.index_select(targets, 0, samples, out=target)
        for i in range(layers):
            torch.addmm(biases[i], a[i], weights[i], out=a[i + 1])
            if i < layers - 1:
                a[i + 1].clamp_min_(0)
        torch.softmax(a[layers], 1, out=dz[-1])
        dz[-1].sub_(target).mul_(1 / batch)
        for i in range(layers - 1, 0, -1):
            torch.mm(dz[i], transposed[i], out=dz[i - 1])
            torch.ops.aten.threshold_backward.grad_input(dz[i - 1], a[i], 0, grad_input=dz[i - 1])

    def momentum_step(samples: torch.Tensor) -> None:
        if len(samples) < batch:
            return
        backward(samples)
        for i in range(layers):  # v = 0.9 v + a^T dz within the product
            first[i].addmm_(a_transposed[i], dz[i], beta=0.9)
            first[layers + i].mul_(0.9).add_(dz[i].sum(0))
        torch._foreach_add_(parameters, first, alpha=-0.01)

    def adam_step(samples: torch.Tensor) -> None:
        nonlocal steps
        if len(samples) < batch:
            return
        backward(samples)
        steps += 1
        for i in range(layers):
            torch.mm(a_transposed[i], dz[i], out=gradients[i])
            torch.sum(dz[i], 0, out=gradients[layers + i])
        torch._foreach_mul_(first, 0.9)
        torch._foreach_add_(first, gradients, alpha=0.1)
        torch._foreach_mul_(second, 0.999)
        torch._foreach_addcmul_(second, gradients, gradients, 0.001)
        denominators = torch._foreach_sqrt(second)
        correction = (1 - 0.999**steps) ** 0.5
        torch._foreach_add_(denominators, 1e-8 * correction)
        torch._foreach_addcdiv_(parameters, first, denominators, -1e-3 * correction / (1 - 0.9**steps))

    return momentum_step if optimizer == "momentum" else adam_step
