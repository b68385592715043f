"""Numbers as an answer can hold them: finite, rounded, or quantized and packed."""

from __future__ import annotations

import base64
from typing import TYPE_CHECKING, Any, cast

import numpy as np

if TYPE_CHECKING:
    from numpy.typing import NDArray

LARGEST = 1e30  # what weights of a strange file can overflow to; JSON has no infinity


def finite(values: Any) -> NDArray[np.float64]:  # noqa: ANN401
    """Numbers that JSON can hold: between -LARGEST and LARGEST, 0 for NaN."""
    return np.clip(np.nan_to_num(np.asarray(values, np.float64)), -LARGEST, LARGEST)


def number(value: Any) -> float:  # noqa: ANN401
    """One of them."""
    return float(finite(value))


def numbers(values: Any, digits: int = 5) -> list[Any]:  # noqa: ANN401
    """An array of them, rounded."""
    return cast("list[Any]", np.round(finite(values), digits).tolist())


def quantized(rows: Any) -> tuple[NDArray[np.float32], NDArray[np.int8]]:  # noqa: ANN401
    """Rows as a scale each, the largest size / 127, and int8 multiples of it; a row of zeros has scale 0."""
    values = finite(rows)
    scale = np.abs(values).max(axis=1, keepdims=True) / 127
    return scale[:, 0].astype(np.float32), np.round(values / np.where(scale > 0, scale, 1)).astype(np.int8)


def packed(rows: Any) -> list[dict[str, Any]]:  # noqa: ANN401
    """The same for JSON, {"scale", "data"} for each row: base64 of int8."""
    scales, small = quantized(rows)
    return [
        {"scale": float(scale), "data": base64.b64encode(row.tobytes()).decode()}
        for scale, row in zip(scales, small)
    ]


def weight_numbers(weights: NDArray[np.float32], parts: int = 32) -> dict[str, Any]:
    """Weights in a few numbers, and how many lie in each of `parts` from the smallest to the largest."""
    values = weights.astype(np.float64).ravel()
    low, high = number(values.min()), number(values.max())
    counts, _ = np.histogram(values, bins=parts, range=(low, high if high > low else low + 1))
    return {
        "mean": number(values.mean()),
        "deviation": number(values.std()),
        "norm": number(np.linalg.norm(values)),
        "low": low,
        "high": high,
        "histogram": counts.tolist(),
    }
