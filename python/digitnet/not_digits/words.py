"""Words and numbers: letters or digits side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from digitnet.not_digits.hand import by_hand, skeleton

if TYPE_CHECKING:
    from collections.abc import Sequence

    from digitnet.not_digits.hand import Drawing, Form


def words(texts: Sequence[str], *, fewest: int, most: int, signs: Sequence[str] = ()) -> Form:
    """Rows of fewest to most of the texts; with signs, every second is one of these."""
    glyphs = [skeleton(text) for text in (*texts, *signs)]

    def form(count: int, rng: np.random.Generator) -> list[Drawing]:
        lengths = rng.integers(fewest, most + 1, count)
        chosen = rng.integers(0, len(texts), int(lengths.sum()))
        if signs:
            place = np.concatenate([np.arange(length) for length in lengths])
            odd = place % 2 == 1
            chosen[odd] = len(texts) + rng.integers(0, len(signs), int(odd.sum()))
        pools = [
            iter(by_hand(glyph, int((chosen == k).sum()), rng, lean=0.05, stretch=0.1))
            for k, glyph in enumerate(glyphs)
        ]
        gaps = rng.uniform(-0.5, 3.0, count)
        joined = rng.random(count) < 0.25
        words = []
        first = 0
        for length, gap, join in zip(lengths, gaps, joined):
            letters = [next(pools[k]) for k in chosen[first : first + length]]
            first += length
            words.append(side_by_side(letters, gap, join=bool(join) and not signs))
        return words

    return form


def side_by_side(letters: list[Drawing], gap: float, *, join: bool) -> Drawing:
    """Drawings in a row with a gap between their boxes; joined ones without lifting the pen in between."""
    word: Drawing = []
    right = 0.0
    for letter in letters:
        left = min(float(stroke[:, 0].min()) for stroke in letter)
        moved = [stroke + np.array([right - left, 0.0]) for stroke in letter]
        right = max(float(stroke[:, 0].max()) for stroke in moved) + gap
        if join and word:
            word[-1] = np.concatenate((word[-1], moved.pop(0)))
        word += moved
    return word
