"""How a model reads what people draw: the tables of docs/recognition.md.

    recognition.py MODEL                        MNIST, pen strokes, things that are no digits
    recognition.py --without uji-digits         trains the recipe without a stroke set, then reads that set
    recognition.py MODEL --hershey FOLDER       also letters of Hershey's fonts (Debian: hershey-fonts-data)
    recognition.py MODEL --held-out             only the drawings its recipe held out, made with thick brushes
    recognition.py --half                       trains with lines 0 to 599 of uji-digits, reads the other 600

Strokes are read as strokes, and drawn on a canvas (tests/support/canvas.py) of 400 x 400 pixels in many
places, sizes and brushes and read as pictures. The last two train for some minutes, by the recipe's seed.
"""

from __future__ import annotations

import argparse
import copy
import string
import sys
from pathlib import Path

import numpy as np

import digitnet as dn
from digitnet import not_digits, recipes

sys.path.insert(0, str(Path(__file__).parents[1] / "support"))
from canvas import canvas_of

SIDE = 400
SIZES = (0.25, 0.4, 0.6, 0.9)
BRUSHES = (0.01, 0.03, 0.06, 0.12)
PLACES = {
    "upper left": (0, 0),
    "upper right": (1, 0),
    "middle": (0.5, 0.5),
    "lower left": (0, 1),
    "lower right": (1, 1),
}
STROKE_SETS = ("uji-digits", "numberpad-touch")
THICK = ((0.4, 0.04), (0.6, 0.12), (0.4, 0.12), (0.25, 0.06), (0.25, 0.12))  # size and brush
GARBAGE = 2000  # images of each kind
HERSHEY_FONTS = ("futural", "rowmans", "scripts", "cursive", "timesr", "timesi", "gothgbt")
LOOK_LIKE_DIGITS = "BDGIOQSYZbgijloqsyz"


def read_set(name: str, lines: slice) -> list[dn.Drawing]:
    """Drawings of a set of strokes in the data directory."""
    folder = next(folder for folder in dn.data_directories() if (folder / name).is_dir())
    return dn.read_drawings(folder / name / f"{name}.jsonl.gz")[lines]


def right(
    recognizer: dn.Recognizer, drawings: list[dn.Drawing], pictures: list[np.ndarray] | None = None
) -> float:
    """Share of drawings whose likeliest digit is the right one, whatever the status."""
    shown = drawings if pictures is None else pictures
    return share_right([recognizer.recognize(picture) for picture in shown], drawings)


def share_right(found: list[dn.Recognition], drawings: list[dn.Drawing]) -> float:
    """The same of what was read already."""
    guesses = [one.top(1) for one in found]
    is_right = [bool(top) and top[0][0] == drawing.label for top, drawing in zip(guesses, drawings)]
    return float(np.mean(is_right))


def canvases(drawings: list[dn.Drawing], size: float, brush: float, places: np.ndarray) -> list[np.ndarray]:
    """Black on white, one for each drawing."""
    return [
        255 - canvas_of(drawing.strokes, side=SIDE, size=size, brush=brush, place=tuple(place))
        for drawing, place in zip(drawings, places)
    ]


def report_drawings(recognizer: dn.Recognizer, name: str, drawings: list[dn.Drawing]) -> None:
    """Print how a set is read as strokes and as pictures."""
    found = [recognizer.recognize(drawing) for drawing in drawings]
    labels = np.array([drawing.label for drawing in drawings])
    probabilities = np.stack([one.probabilities for one in found])
    error = dn.expected_calibration_error(probabilities, labels)
    print(f"\n{name}, {len(drawings)} drawings")
    accuracy = right(recognizer, drawings)
    print(f"as strokes: {accuracy:.4f}, expected calibration error {error:.4f}, {shares(found)}")
    places = np.random.default_rng(1).random((len(drawings), 2))
    print("as pictures, anywhere; size of the canvas (down) and width of the brush (across):")
    print("      " + "".join(f"{brush:8.0%}" for brush in BRUSHES))
    for size in SIZES:
        cells = [right(recognizer, drawings, canvases(drawings, size, brush, places)) for brush in BRUSHES]
        print(f"{size:6.0%}" + "".join(f"{cell:8.4f}" for cell in cells), flush=True)
    print("as pictures, 40 % of the canvas, brush of 4 %:")
    for place, at in PLACES.items():
        everywhere = np.tile(at, (len(drawings), 1))
        pictures = canvases(drawings, 0.4, 0.04, everywhere)
        print(f"  {place:12} {right(recognizer, drawings, pictures):.4f}", flush=True)


def report_held_out(recognizer: dn.Recognizer) -> None:
    """Print how drawings that the recipe held out are read as pictures, each at two places."""
    recipe = recipes.load("recognizer")
    share, seed = recipe["data"]["drawings_validation"], recipe["seed"]
    drawings = []
    for name in STROKE_SETS:
        every = read_set(name, slice(None))
        chosen = recipes.held_out(len(every), share, seed)
        drawings += [drawing for drawing, is_held_out in zip(every, chosen) if is_held_out]
    drawings *= 2
    rng = np.random.default_rng(5)
    print(f"{len(drawings)} pictures of drawings held out: size, brush, wrong, not plainly a digit")
    for size, brush in THICK:
        pictures = canvases(drawings, size, brush, rng.random((len(drawings), 2)))
        found = [recognizer.recognize(picture) for picture in pictures]
        wrong, doubtful = 1 - share_right(found, drawings), np.mean([one.status != "digit" for one in found])
        print(f"  {size:4.0%} {brush:4.0%} {wrong:7.4f} {doubtful:7.4f}", flush=True)


def shares(found: list[dn.Recognition]) -> str:
    """How often each status was given."""
    names = ("digit", "unsure", "not_a_digit", "empty")
    return ", ".join(f"{name} {np.mean([one.status == name for one in found]):.4f}" for name in names)


def report_mnist(recognizer: dn.Recognizer) -> None:
    """Print how MNIST's test set is read."""
    test = dn.load_mnist().test
    found = [recognizer.recognize(image) for image in test.images]
    probabilities = np.stack([one.probabilities for one in found])
    accuracy = float((probabilities.argmax(axis=1) == test.labels).mean())
    error = dn.expected_calibration_error(probabilities, test.labels)
    print(f"MNIST test: {accuracy:.4f}, expected calibration error {error:.4f}, {shares(found)}")


def report_garbage(recognizer: dn.Recognizer) -> None:
    """Print how often things that are no digits are taken for one."""
    print("\nnot digits: share with the status digit or unsure")
    kinds = {kind: not_digits.images(kind, GARBAGE, 99, "test") for kind in not_digits.KINDS}
    for folder in (*dn.data_directories(), Path("/usr/share/datasets")):
        if (folder / "fashion-mnist").is_dir():
            kinds["Fashion-MNIST"] = dn.load_mnist(folder, "fashion-mnist").test.images
            break
    for kind, images in kinds.items():
        found = [recognizer.recognize(image).status for image in images]
        print(f"  {kind:14} {np.mean([status in ('digit', 'unsure') for status in found]):.4f}", flush=True)


def read_hershey(file: Path) -> list[list[np.ndarray]]:
    """The strokes of each glyph of a .jhf file.

    A glyph is five columns of number, three with its count of pairs, then pairs of characters, x and y, R for
    0. The first pair are its margins, " R" lifts the pen. It may go on in the next line.
    """
    glyphs = []
    lines = iter(file.read_text().replace("\r", "").splitlines())
    for line in lines:
        if not line.strip():
            continue
        count, pairs = int(line[5:8]), line[8:]
        while len(pairs) < 2 * count:
            pairs += next(lines)
        glyphs.append(
            [
                np.array([ord(character) - ord("R") for character in stroke], float).reshape(-1, 2)
                for stroke in _lifted(pairs[2 : 2 * count])
            ]
        )
    return glyphs


def _lifted(pairs: str) -> list[str]:
    """The pairs between two lifts of the pen."""
    strokes = [""]
    for first in range(0, len(pairs), 2):
        pair = pairs[first : first + 2]
        strokes = [*strokes, ""] if pair == " R" else [*strokes[:-1], strokes[-1] + pair]
    return [stroke for stroke in strokes if stroke]


def report_hershey(recognizer: dn.Recognizer, folder: Path) -> None:
    """Print how often letters of stroke fonts, each turned and slanted 8 times, are taken for digits."""
    print("\nHershey's letters: share with the status digit or unsure, and of those that look like a digit")
    rng = np.random.default_rng(11)
    for font in HERSHEY_FONTS:
        glyphs = read_hershey(folder / f"{font}.jhf")
        taken: dict[bool, list[bool]] = {False: [], True: []}
        for letter in string.ascii_letters:
            for _ in range(8):
                turn, slant, wide = rng.normal(0, 0.08), rng.normal(-0.04, 0.12), np.exp(rng.normal(0, 0.12))
                cos, sin = np.cos(turn), np.sin(turn)
                change = np.array([[cos, -sin], [sin, cos]]) @ np.array([[wide, slant], [0, 1 / wide]])
                strokes = [6 * stroke @ change.T for stroke in glyphs[ord(letter) - ord(" ")]]
                status = recognizer.recognize(dn.Drawing(strokes)).status
                taken[letter in LOOK_LIKE_DIGITS].append(status in ("digit", "unsure"))
        print(f"  {font:14} {np.mean(taken[False]):.4f} {np.mean(taken[True]):.4f}", flush=True)


def main() -> int:
    """Run."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("model", nargs="?")
    parser.add_argument("--without", choices=STROKE_SETS)
    parser.add_argument("--half", action="store_true")
    parser.add_argument("--part", default=None, help="not_digits that the recipe is trained on: train, all")
    parser.add_argument("--held-out", action="store_true")
    parser.add_argument("--hershey", type=Path, help="folder with Hershey's fonts as .jhf files")
    parser.add_argument("--output")
    options = parser.parse_args()
    recipe = copy.deepcopy(recipes.load("recognizer"))
    sources = recipe["data"]["drawings"]
    if options.part:
        recipe["data"]["not_digits_part"] = options.part
    if options.without:
        recipe["data"]["drawings"] = [source for source in sources if options.without not in source["file"]]
    if options.half:
        sources[0]["lines"] = [0, 600]
    if options.model:
        recognizer = dn.Recognizer(options.model)
        if options.held_out:
            report_held_out(recognizer)
            return 0
    else:
        network = recipes.make(recipe, progress=True)
        if options.output:
            network.save(options.output, precision="half")
        recognizer = dn.Recognizer(network)
    report_mnist(recognizer)
    for name in [options.without] if options.without else STROKE_SETS:
        lines = slice(600, 1200) if name == "uji-digits" else slice(None)
        report_drawings(recognizer, name, read_set(name, lines))
    report_garbage(recognizer)
    if options.hershey:
        report_hershey(recognizer, options.hershey)
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
