"""How well a Recognizer knows what it knows: the numbers, plots and pictures of `digitnet evaluate --report`.

report = measure(recognizer, digits, labels, garbage)
plot(report, "report.png")
contact_sheet(digits, labels, 50, "worst.png")
"""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

import digitnet as dn
from digitnet._files import write_whole
from digitnet._png import write_png

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from numpy.typing import ArrayLike, NDArray

COVERAGES = (1.0, 0.99, 0.98, 0.95, 0.9)
STATUSES = ("digit", "unsure", "not_a_digit", "empty")  # all that a Recognition can have
ACCEPTED = 0.98  # share of the digits at which false accepts of different models can be compared

NEVER = -1e30  # score of what is ruled out before the network is asked


def measure(
    recognizer: dn.Recognizer,
    digits: Sequence[dn.Recognition],
    labels: ArrayLike,
    garbage: Mapping[str, Sequence[dn.Recognition]],
) -> dict[str, Any]:
    """What a recognizer says of digits and of what is none, as numbers that JSON can hold.

    Args:
        recognizer: that has read them; its calibration is told.
        digits: what became of drawings of digits.
        labels: which digits they are.
        garbage: what became of other things, by kind.

    Returns:
        A dict, see docs/recognition.md.

    Raises:
        ArgumentError: if there are no digits, or other numbers of them and of labels.
    """
    truth = np.asarray(labels)
    if not len(digits) or len(truth) != len(digits):
        msg = f"measure: {len(digits)} digits and {len(truth)} labels, expected as many, and at least one"
        raise dn.ArgumentError(msg)
    threshold = recognizer.calibration.rejection_threshold
    probabilities = probabilities_of(digits)
    predicted = probabilities.argmax(axis=1)
    curve = dn.coverage_curve([read.margin for read in digits], predicted, truth)
    scores = _scores(digits, threshold)
    at_least = dn.threshold_accepting(ACCEPTED, scores)
    right = predicted == truth
    read_as_digit = np.array([read.status == "digit" for read in digits])
    grid = np.unique(np.linspace(0, len(digits) - 1, 200).astype(int))
    report: dict[str, Any] = {
        "samples": len(digits),
        "accuracy": float(right.mean()),
        "expected_calibration_error": dn.expected_calibration_error(probabilities, truth),
        "accuracy_at_coverage": {f"{share:g}": curve.at(share) for share in COVERAGES},
        "area_under_coverage_curve": curve.area,
        "statuses": _shares(digits),
        "accuracy_of_status_digit": float(right[read_as_digit].mean()) if read_as_digit.any() else None,
        "calibration": {
            "temperature": recognizer.calibration.temperature,
            "rejection_threshold": threshold,
            "unsure_threshold": recognizer.calibration.unsure_threshold,
            "fitted_on": recognizer.calibration.fitted_on,
        },
        "threshold_at_98_percent": at_least,
        "garbage": {
            kind: _measure_garbage(reads, scores, at_least, threshold) for kind, reads in garbage.items()
        },
        "reliability": reliability(probabilities, truth),
        "coverage_curve": [[(k + 1) / len(digits), curve.accuracy[k].item()] for k in grid.tolist()],
    }
    edges = _histogram_edges([scores, *(_scores(reads, threshold) for reads in garbage.values())])
    report["score_histogram"] = {
        "edges": edges.tolist(),
        "digits": _histogram(scores, edges),
        **{kind: _histogram(_scores(reads, threshold), edges) for kind, reads in garbage.items()},
    }
    return report


def _measure_garbage(
    reads: Sequence[dn.Recognition], scores: list[float], at_least: float, threshold: float | None
) -> dict[str, Any]:
    own = _scores(reads, threshold)
    return {
        "samples": len(reads),
        "statuses": _shares(reads),
        "false_accept_rate": sum(read.status == "digit" for read in reads) / len(reads),
        "false_accept_rate_at_98_percent": dn.acceptance_rate(own, at_least),
        "auroc": dn.auroc(scores, own),
    }


def probabilities_of(reads: Sequence[dn.Recognition]) -> NDArray[np.float32]:
    """Probabilities of each reading, (reads, 10); where nothing was drawn each digit is as likely."""
    return np.array(
        [np.full(10, 0.1, np.float32) if read.probabilities is None else read.probabilities for read in reads]
    )


def reliability(probabilities: ArrayLike, labels: ArrayLike) -> list[dict[str, Any]]:
    """The bins of dn.reliability_diagram, as JSON can hold them."""
    return [
        {
            "lower": each.lower,
            "upper": each.upper,
            "samples": each.samples,
            "confidence": each.confidence,
            "accuracy": each.accuracy,
        }
        for each in dn.reliability_diagram(probabilities, labels)
    ]


def _scores(reads: Sequence[dn.Recognition], threshold: float | None) -> list[float]:
    """The scores; of what is rejected although its score is high enough, the least there is."""
    scores = []
    for read in reads:
        ruled_out = read.status == "not_a_digit" and (threshold is None or (read.score or 0) >= threshold)
        scores.append(NEVER if read.score is None or ruled_out else read.score)
    return scores


def _shares(reads: Sequence[dn.Recognition]) -> dict[str, float]:
    return {status: sum(read.status == status for read in reads) / len(reads) for status in STATUSES}


def _histogram_edges(scores: Sequence[Sequence[float]]) -> NDArray[np.float64]:
    values = np.concatenate([np.asarray(each) for each in scores])
    values = values[values > NEVER]
    low, high = np.quantile(values, (0.001, 0.999)) if values.size else (0, 1)
    return np.linspace(float(low), float(high), 61)


def _histogram(scores: Sequence[float], edges: NDArray[np.float64]) -> list[int]:
    counts: list[int] = np.histogram(np.clip(scores, edges[0], edges[-1]), edges)[0].tolist()
    return counts


def summary(report: Mapping[str, Any]) -> str:
    """A report as people read it."""
    lines = [
        f"digits: {report['samples']}",
        f"accuracy: {report['accuracy']:.4f}",
        f"expected calibration error: {report['expected_calibration_error']:.4f}",
    ]
    for share, value in report["accuracy_at_coverage"].items():
        lines.append(f"accuracy at {float(share):4.0%} coverage: {value:.4f}")
    statuses = ", ".join(f"{name} {share:.2%}" for name, share in report["statuses"].items())
    lines.append(f"statuses: {statuses}")
    if report["accuracy_of_status_digit"] is not None:
        lines.append(f"accuracy of what is read as a digit: {report['accuracy_of_status_digit']:.4f}")
    if report["garbage"]:
        lines.append("")
        lines.append(f"{'no digits':<16}{'samples':>8}{'digit':>8}{'unsure':>8}{'at 98 %':>9}{'AUROC':>8}")
        for kind, numbers in report["garbage"].items():
            lines.append(
                f"{kind:<16}{numbers['samples']:>8}{numbers['statuses']['digit']:>8.1%}"
                f"{numbers['statuses']['unsure']:>8.1%}{numbers['false_accept_rate_at_98_percent']:>9.1%}"
                f"{numbers['auroc']:>8.4f}"
            )
        lines.append("(digit, unsure: what it was taken for; at 98 %: accepted where 98 % of the digits are)")
    return "\n".join(lines)


def plot(report: Mapping[str, Any], path: str | Path) -> None:
    """Draw a reliability diagram, accuracy against coverage and a histogram of scores as one PNG.

    Args:
        report: as measure returns it.
        path: of the file to write.

    Raises:
        ImportError: if Matplotlib is not installed; `pip install digitnet[plot]` gets it.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    figure = Figure(figsize=(15, 4.6), layout="constrained")
    FigureCanvasAgg(figure)
    reliability, coverage, histogram = figure.subplots(1, 3)

    bins = [each for each in report["reliability"] if each["samples"]]
    reliability.plot([0, 1], [0, 1], color="0.7", linestyle="--", label="as it should be")
    reliability.plot(
        [each["confidence"] for each in bins], [each["accuracy"] for each in bins], "o-", label="measured"
    )
    for each in bins:
        place = (each["confidence"], each["accuracy"])
        offset = {"textcoords": "offset points", "xytext": (0, -13), "ha": "center", "fontsize": 7}
        reliability.annotate(str(each["samples"]), place, **offset)
    error = report["expected_calibration_error"]
    reliability.set(xlabel="confidence", ylabel="accuracy", title=f"Reliability (ECE {error:.2%})")
    reliability.legend(loc="lower right")

    shares, accuracies = zip(*report["coverage_curve"])
    coverage.plot(shares, accuracies)
    coverage.set(xlabel="share that is answered", ylabel="accuracy", title="Accuracy against coverage")
    coverage.grid(visible=True, alpha=0.3)

    edges = np.asarray(report["score_histogram"]["edges"])
    for kind, counts in report["score_histogram"].items():
        if kind != "edges":
            heights = np.asarray(counts) / max(sum(counts), 1)
            histogram.stairs(
                heights, edges, label=kind, fill=kind == "digits", alpha=0.4 if kind == "digits" else 1
            )
    threshold = report["calibration"]["rejection_threshold"]
    if threshold is not None:
        histogram.axvline(threshold, color="black", linestyle="--", label="threshold")
    histogram.set(xlabel="score", ylabel="share", title="How much like a digit")
    histogram.legend(fontsize=8)
    picture = io.BytesIO()
    figure.savefig(picture, format="png", dpi=110)
    write_whole(path, picture.getvalue())


# ---------------------------------------------------------------- the worst errors, as one picture

GLYPHS = {  # 3 x 5 pixels each, a row is a digit of 0 to 7
    "0": "75557",
    "1": "26227",
    "2": "71747",
    "3": "71717",
    "4": "55711",
    "5": "74717",
    "6": "74757",
    "7": "71222",
    "8": "75757",
    "9": "75717",
    ">": "42124",
    "?": "71302",
    "%": "51245",
    " ": "00000",
}
SCALE = 2  # of images and letters
ACROSS = 10  # images in a row


def contact_sheet(reads: Sequence[dn.Recognition], labels: ArrayLike, count: int, path: str | Path) -> int:
    """Draw the errors the recognizer was surest of, with "label > digit" and the probability below each.

    Args:
        reads: what became of drawings of digits.
        labels: which digits they are.
        count: how many errors at most.
        path: of the PNG file to write.

    Returns:
        How many there are on it.
    """
    truth = np.asarray(labels)
    wrong = [
        i for i, read in enumerate(reads) if read.status != "empty" and read.top(1)[0][0] != int(truth[i])
    ]
    wrong = sorted(wrong, key=lambda i: -reads[i].probability)[:count]
    side, below = 28 * SCALE, 8 * SCALE
    rows = max(1, -(-len(wrong) // ACROSS))
    sheet = np.full((rows * (side + below), ACROSS * (side + SCALE)), 40, np.uint8)
    for place, i in enumerate(wrong):
        y, x = place // ACROSS * (side + below), place % ACROSS * (side + SCALE)
        sheet[y : y + side, x : x + side] = np.kron(reads[i].image, np.ones((SCALE, SCALE), np.uint8))
        percent = f"{min(99, int(100 * reads[i].probability))}%"
        text = _text(f"{int(truth[i])}>{reads[i].top(1)[0][0]} {percent}")[:, : side + SCALE]
        sheet[y + side + SCALE : y + side + SCALE + len(text), x : x + text.shape[1]] = text
    write_png(path, sheet)
    return len(wrong)


def _text(characters: str) -> NDArray[np.uint8]:
    columns = []
    for character in characters:
        rows = [[int(row) >> shift & 1 for shift in (2, 1, 0)] + [0] for row in GLYPHS[character]]
        columns.append(np.array(rows, np.uint8))
    return np.kron(40 + 215 * np.concatenate(columns, axis=1), np.ones((SCALE, SCALE), np.uint8))
