"""Make golden_optimizers.hpp and golden_training.hpp: what digitnet's training must compute, by NumPy.

    python3 tests/support/make_golden.py        # writes both beside itself; needs NumPy

Everything is float64 and written from the formulas, with nothing taken from digitnet: the optimizers,
back-propagation, and the generator (xoshiro256++ seeded by splitmix64), so that weights, data and the order
of samples are the same as in the tests without being stored. Run it again after a change to this file;
the numbers may then differ in the last digits from machine to machine, which the tests allow for.
"""

import gzip
from pathlib import Path

import numpy as np

HERE = Path(__file__).resolve().parent
MASK = 2**64 - 1


class Rng:
    """The generator of src/random.cpp, in whole numbers. Blackman and Vigna (2021), Lemire (2019)."""

    def __init__(self, seed):
        self.state = []
        for _ in range(4):
            seed = (seed + 0x9E3779B97F4A7C15) & MASK
            z = ((seed ^ (seed >> 30)) * 0xBF58476D1CE4E5B9) & MASK
            z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & MASK
            self.state.append(z ^ (z >> 31))

    def next(self):
        def rotl(x, k):
            return ((x << k) | (x >> (64 - k))) & MASK

        s = self.state
        result = (rotl((s[0] + s[3]) & MASK, 23) + s[0]) & MASK
        shifted = (s[1] << 17) & MASK
        s[2] ^= s[0]
        s[3] ^= s[1]
        s[1] ^= s[2]
        s[0] ^= s[3]
        s[2] ^= shifted
        s[3] = rotl(s[3], 45)
        return result

    def uniform(self, low, high):
        return low + (high - low) * ((self.next() >> 11) * 2.0**-53)

    def below(self, limit):
        high, low = divmod(self.next() * limit, 2**64)
        while low < 2**64 % limit:
            high, low = divmod(self.next() * limit, 2**64)
        return high

    def shuffle(self, values):
        for left in range(len(values), 1, -1):
            other = self.below(left)
            values[left - 1], values[other] = values[other], values[left - 1]

    def uniforms(self, shape, low, high):
        return np.array([self.uniform(low, high) for _ in range(int(np.prod(shape)))]).reshape(shape)

    def wholes(self, shape, limit):
        return np.array([self.below(limit) for _ in range(int(np.prod(shape)))]).reshape(shape)


# Each rule as one function: parameters p and gradient g, what is remembered in `memory`, the step t from 1,
# whether the tensor is weights (decayed) and not a bias. The learning rate is r.


def sgd(p, g, memory, t, decayed, r):
    return p - r * g


def momentum(p, g, memory, t, decayed, r, m=0.9):
    memory["v"] = m * memory.get("v", 0) + g
    return p - r * memory["v"]


def nesterov(p, g, memory, t, decayed, r, m=0.9):
    memory["v"] = m * memory.get("v", 0) + g
    return p - r * (g + m * memory["v"])


def adam(p, g, memory, t, decayed, r, b1=0.9, b2=0.999, epsilon=1e-8):
    memory["m"] = b1 * memory.get("m", 0) + (1 - b1) * g
    memory["v"] = b2 * memory.get("v", 0) + (1 - b2) * g**2
    m_hat = memory["m"] / (1 - b1**t)
    v_hat = memory["v"] / (1 - b2**t)
    return p - r * m_hat / (np.sqrt(v_hat) + epsilon)


def adamw(p, g, memory, t, decayed, r, decay=0.1):
    shrunk = p - r * decay * p if decayed else p
    return adam(shrunk, g, memory, t, decayed, r)


def adagrad(p, g, memory, t, decayed, r, start=0.25, epsilon=1e-10):
    memory["v"] = memory.get("v", start) + g**2
    return p - r * g / (np.sqrt(memory["v"]) + epsilon)


def rmsprop(p, g, memory, t, decayed, r, rho=0.9, epsilon=1e-8, m=0, centered=False):
    memory["v"] = rho * memory.get("v", 0) + (1 - rho) * g**2
    memory["a"] = rho * memory.get("a", 0) + (1 - rho) * g
    variance = memory["v"] - memory["a"] ** 2 if centered else memory["v"]
    memory["u"] = m * memory.get("u", 0) + g / (np.sqrt(variance) + epsilon)
    return p - r * memory["u"]


def rmsprop_graves(p, g, memory, t, decayed, r):
    """With momentum, centered; epsilon keeps the first steps in bounds, where the variance is small."""
    return rmsprop(p, g, memory, t, decayed, r, rho=0.95, epsilon=1e-2, m=0.8, centered=True)


def nadam(p, g, memory, t, decayed, r, b1=0.9, b2=0.999, epsilon=1e-8, psi=4e-3):
    mu = [b1 * (1 - 0.5 * 0.96 ** (i * psi)) for i in range(1, t + 2)]
    memory["m"] = mu[t - 1] * memory.get("m", 0) + (1 - mu[t - 1]) * g
    memory["v"] = b2 * memory.get("v", 0) + (1 - b2) * g**2
    ahead = mu[t] * memory["m"] / (1 - np.prod(mu)) + (1 - mu[t - 1]) * g / (1 - np.prod(mu[:t]))
    return p - r * ahead / (np.sqrt(memory["v"] / (1 - b2**t)) + epsilon)


def lion(p, g, memory, t, decayed, r, b1=0.9, b2=0.99):
    m = memory.get("m", 0)
    memory["m"] = b2 * m + (1 - b2) * g
    return p - r * np.sign(b1 * m + (1 - b1) * g)


def lion_decayed(p, g, memory, t, decayed, r, decay=0.1):
    return lion(p * (1 - r * decay) if decayed else p, g, memory, t, decayed, r)


RULES = {"sgd": (sgd, 0.5), "momentum": (momentum, 0.1), "nesterov": (nesterov, 0.1), "adam": (adam, 0.01),
         "adamw": (adamw, 0.01), "adagrad": (adagrad, 0.1), "rmsprop": (rmsprop, 0.01),
         "rmsprop_graves": (rmsprop_graves, 0.01), "nadam": (nadam, 0.01), "lion": (lion, 0.01),
         "lion_decayed": (lion_decayed, 0.01)}  # fmt: skip
TRAINED = ["sgd", "momentum", "nesterov", "adam", "adamw"]


def rule_after_50_steps(rule, rate, factor):
    """Seven weights and three biases, moved by 50 random gradients; the rate falls by `factor` a step."""
    rng = Rng(1)
    tensors = [rng.uniforms(7, -1, 1), rng.uniforms(3, -1, 1)]
    memories = [{}, {}]
    for t in range(1, 51):
        for i in range(2):
            gradient = rng.uniforms(tensors[i].shape, -1, 1)
            tensors[i] = rule(tensors[i], gradient, memories[i], t, i == 0, rate * factor ** (t - 1))
    return np.concatenate(tensors)


def softmax(z):
    e = np.exp(z - z.max(axis=1, keepdims=True))
    return e / e.sum(axis=1, keepdims=True)


def losses_of_50_steps(rule, rate):
    """12-9-5, tanh and softmax with cross-entropy, 80 samples in batches of 16, shuffled, ten epochs."""
    rng = Rng(1)
    parameters = [rng.uniforms((12, 9), -0.5, 0.5), rng.uniforms(9, -0.5, 0.5)]
    parameters += [rng.uniforms((9, 5), -0.5, 0.5), rng.uniforms(5, -0.5, 0.5)]
    inputs = rng.wholes((80, 12), 256) * (1 / 255)
    labels = rng.wholes(80, 5)
    targets = np.eye(5)[labels]
    memories = [{}, {}, {}, {}]
    order_rng = Rng(2)
    order = list(range(80))
    losses = []
    for t in range(1, 51):
        if t % 5 == 1:
            order_rng.shuffle(order)
        batch = order[(t - 1) % 5 * 16 :][:16]
        w1, b1, w2, b2 = parameters
        x, target = inputs[batch], targets[batch]
        h = np.tanh(x @ w1 + b1)
        a = softmax(h @ w2 + b2)
        losses.append(-np.log((a * target).sum(axis=1)).mean())
        dz2 = (a - target) / 16
        dz1 = (dz2 @ w2.T) * (1 - h**2)
        gradients = [x.T @ dz1, dz1.sum(axis=0), h.T @ dz2, dz2.sum(axis=0)]
        parameters = [
            rule(p, g, memory, t, p.ndim == 2, rate)
            for p, g, memory in zip(parameters, gradients, memories, strict=True)
        ]
    return losses


def sigmoid(z):
    return 1 / (1 + np.exp(-z))


ANCESTOR_IMAGES = 300


def ancestor_errors():
    """The training of the ancestor system: one sample at a time, in the order of the data."""
    folder = HERE.parent / "data" / "mnist-sample"
    images = gzip.decompress((folder / "train-images-idx3-ubyte.gz").read_bytes())
    pixels = np.frombuffer(images, np.uint8, offset=16)
    labels = gzip.decompress((folder / "train-labels-idx1-ubyte.gz").read_bytes())
    labels = np.frombuffer(labels, np.uint8, offset=8)
    inputs = pixels.reshape(-1, 784)[:ANCESTOR_IMAGES] * (1 / 255)
    targets = np.eye(10)[labels[:ANCESTOR_IMAGES]]
    rng = Rng(7)
    w1, b1 = rng.uniforms((784, 250), -0.5, 0.5), rng.uniforms(250, -0.5, 0.5)
    w2, b2 = rng.uniforms((250, 10), -0.5, 0.5), rng.uniforms(10, -0.5, 0.5)
    rate, threshold = 0.1, 0.016
    errors = []
    while not errors or errors[-1] >= threshold:
        total = 0.0
        for x, target in zip(inputs, targets, strict=True):
            h = sigmoid(x @ w1 + b1)
            a = sigmoid(h @ w2 + b2)
            total += ((a - target) ** 2).sum() / 2
            d2 = (a - target) * a * (1 - a)
            d1 = (w2 @ d2) * h * (1 - h)
            w2 -= rate * np.outer(h, d2)
            b2 -= rate * d2
            w1 -= rate * np.outer(x, d1)
            b1 -= rate * d1
        errors.append(total / len(inputs))
    return errors


def array(name, numbers, comment):
    """A C++ array of double, five numbers a line, each with all its digits."""
    texts = [repr(float(number)) for number in numbers]
    lines = [", ".join(texts[i : i + 5]) for i in range(0, len(texts), 5)]
    body = ",\n    ".join(lines)
    return f"/// {comment}\ninline constexpr std::array<double, {len(texts)}> {name}{{\n    {body}}};\n"


def header(file, about, arrays):
    (HERE / file).write_text(
        f"// {file}: {about}\n"
        "// Made by make_golden.py (NumPy, float64); see there for what was computed. Not for editing:\n"
        "//     python3 tests/support/make_golden.py\n"
        "// clang-format off\n"
        "#pragma once\n\n#include <array>\n#include <cstddef>\n\nnamespace digitnet::test::golden {\n\n"
        + "\n".join(arrays)
        + "\n}  // namespace digitnet::test::golden\n"
    )


def main():
    """Write both headers."""
    header(
        "golden_optimizers.hpp",
        "seven weights and three biases after 50 steps of each optimizer.",
        [
            array(name + suffix, rule_after_50_steps(rule, rate, factor), comment)
            for name, (rule, rate) in RULES.items()
            for suffix, factor, comment in (
                ("_parameters", 1.0, f"{name}, rate {rate}"),
                ("_scheduled", 0.95, f"{name}, rate {rate}, times 0.95 after each step"),
            )
        ],
    )
    header(
        "golden_training.hpp",
        "losses of whole trainings.",
        [
            *(
                array(
                    f"{name}_losses",
                    losses_of_50_steps(*RULES[name]),
                    f"{name}, rate {RULES[name][1]}, a step each",
                )
                for name in TRAINED
            ),
            f"inline constexpr std::size_t ancestor_images = {ANCESTOR_IMAGES};\n",
            array("ancestor_errors", ancestor_errors(), "epoch by epoch, until below 0.016"),
        ],
    )


if __name__ == "__main__":
    main()
