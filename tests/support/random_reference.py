"""The random numbers of digitnet once more, with Python's whole numbers: prints what test_random.cpp expects.

Python's int does not wrap and its float is an IEEE 754 double that is rounded after each operation, so the
same steps must give the same bits.

    python3 tests/support/random_reference.py
"""

from __future__ import annotations

import math

WORD = 2**64 - 1


def splitmix64(state: int) -> tuple[int, int]:
    """The next state, and 64 bits made from it."""
    state = (state + 0x9E3779B97F4A7C15) & WORD
    z = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & WORD
    z = ((z ^ (z >> 27)) * 0x94D049BB133111EB) & WORD
    return state, z ^ (z >> 31)


def rotl(x: int, k: int) -> int:
    """Sixty-four bits, turned left."""
    return ((x << k) | (x >> (64 - k))) & WORD


def log(x: float) -> float:
    """Natural logarithm by the series of artanh."""
    m, e = math.frexp(x)
    if m < math.sqrt(0.5):
        m, e = 2 * m, e - 1
    t = (m - 1) / (m + 1)
    total = 0.0
    for k in range(21, 0, -2):
        total = total * (t * t) + 1 / k
    return e * math.log(2) + 2 * t * total


class Rng:
    """xoshiro256++, as its authors define it."""

    def __init__(self, seed: int) -> None:
        self.state: list[int] = []
        for _ in range(4):
            seed, word = splitmix64(seed)
            self.state.append(word)

    def next(self) -> int:
        """64 bits."""
        a, b, c, d = self.state
        result = (rotl((a + d) & WORD, 23) + a) & WORD
        c ^= a
        d ^= b
        self.state = [a ^ d, b ^ c, c ^ ((b << 17) & WORD), rotl(d, 45)]
        return result

    def uniform(self) -> float:
        """In [0, 1)."""
        return (self.next() >> 11) / 2**53

    def normal(self) -> float:
        """The polar method of Marsaglia and Bray, one number of each pair."""
        while True:
            x, y = 2 * self.uniform() - 1, 2 * self.uniform() - 1
            square = x * x + y * y
            if 0 < square < 1:
                return x * math.sqrt(-2 * log(square) / square)

    def below(self, limit: int) -> int:
        """Lemire: the upper word of a product, unless the lower one is in the part that would be uneven."""
        while True:
            product = self.next() * limit
            if product & WORD >= 2**64 % limit:
                return product >> 64

    def fork(self, number: int) -> Rng:
        """Seeded by the number and the state."""
        for word in self.state:
            number = splitmix64(number ^ word)[1]
        return Rng(number)

    def permutation(self, size: int) -> list[int]:
        """Durstenfeld's shuffle, from the end."""
        order = list(range(size))
        for left in range(size, 1, -1):
            other = self.below(left)
            order[left - 1], order[other] = order[other], order[left - 1]
        return order


def main() -> None:
    for seed in (0, 1, 1234567, WORD):
        rng = Rng(seed)
        print("seed", seed, [hex(word) for word in rng.state], [hex(rng.next()) for _ in range(5)])
    rng = Rng(1)
    print("the 1000th of seed 1:", hex([rng.next() for _ in range(1000)][-1]))
    rng = Rng(7)
    print("uniform:", [rng.uniform().hex() for _ in range(4)])
    rng = Rng(7)
    print("uniform in [-3, 1.7):", [(-3 + (1.7 - -3) * rng.uniform()).hex() for _ in range(3)])
    rng = Rng(7)
    print("normal:", [rng.normal().hex() for _ in range(8)])
    rng, total = Rng(7), 0.0
    for _ in range(100_000):
        total += rng.normal()
    print("sum of 100000 normals:", total.hex(), [hex(word) for word in rng.state])
    for limit in (1, 2, 10, 1000, 2**32, 3 * 2**62, 2**63 + 1, WORD):
        rng = Rng(11)
        print("below", limit, [rng.below(limit) for _ in range(6)], "then", hex(rng.next()))
    for number in (0, 1, 2, WORD):
        forked = Rng(5).fork(number)
        print("fork", number, [hex(forked.next()) for _ in range(2)])
    for size in (2, 10, 20):
        print("permutation", Rng(3).permutation(size))
    digest = 0
    for value in Rng(3).permutation(1000):
        digest = (digest * 31 + value) & WORD
    print("permutation of 1000, as a polynomial in 31:", hex(digest))


if __name__ == "__main__":
    main()
