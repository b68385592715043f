"""Numbers as people read them, in as little space as they need. None is a number that is not there: "-"."""

from __future__ import annotations

import math


def measure(value: float | None) -> str:
    """A loss, a norm: 0.0512, 1.20e-05."""
    if value is None:
        return "-"
    return f"{value:.4f}" if value == 0 or 1e-3 <= abs(value) < 1e4 else f"{value:.2e}"


def percent(share: float | None) -> str:
    """A share: 98.41%."""
    if share is None:
        return "-"
    return f"{share:.2%}" if abs(share) < 10 else f"{share:.2e}"


def count(value: float | None) -> str:
    """How many: 182,000."""
    if value is None:
        return "-"
    return f"{value:,.0f}" if abs(value) < 1e10 else f"{value:.2e}"


def duration(seconds: float | None) -> str:
    """0:12, 1:02:03, 3 d 4 h."""
    if seconds is None:
        return "-"
    whole = int(min(seconds, 1e9))
    if whole >= 100 * 3600:
        return f"{whole // 86400} d {whole % 86400 // 3600} h"
    hours, minutes = divmod(whole // 60, 60)
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def network(sizes: list[int]) -> str:
    """784-128-10; of a network with many layers only how many."""
    if len(sizes) > 6:
        return f"{sizes[0]}-...-{sizes[-1]}, {len(sizes) - 1} layers"
    return "-".join(map(str, sizes))


def spark_line(
    values: list[float | None], width: int, *, logarithmic: bool = False, ascii_only: bool = False
) -> str:
    """Numbers as a row of bars from the lowest to the highest; of more than fit, the means of neighbours.

    A number that is not there is a gap. With logarithmic, bars show logarithms where all numbers are above 0.
    """
    bars = "_.-~=+*#" if ascii_only else "▁▂▃▄▅▆▇█"
    points = [_mean(part) for part in _parts(values, max(width, 1))]
    if logarithmic and all(point is None or point > 0 for point in points):
        points = [None if point is None else math.log(point) for point in points]
    known = [point / 2 for point in points if point is not None]  # halves, so that no difference overflows
    low, span = (min(known), max(known) - min(known)) if known else (0.0, 0.0)

    def bar(point: float | None) -> str:
        if point is None:
            return " "
        return bars[round((point / 2 - low) / span * (len(bars) - 1)) if span > 0 else 0]

    return "".join(map(bar, points))


def _parts(values: list[float | None], most: int) -> list[list[float | None]]:
    if len(values) <= most:
        return [[value] for value in values]
    cuts = [i * len(values) // most for i in range(most + 1)]
    return [values[a:b] for a, b in zip(cuts, cuts[1:])]


def _mean(values: list[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return sum(value / len(known) for value in known) if known else None


def seconds(value: float | None) -> str:
    """1.2 s."""
    if value is None:
        return "-"
    return f"{value:.1f} s" if abs(value) < 1e7 else f"{value:.2e} s"
