"""Draw tests/data/images: ten digits as people hand them in, for the tests of recognize_digit.

    python3 tests/support/make_digit_images.py <uji-digits.jsonl or .jsonl.gz> [<folder to write>]

The input has one digit a line, {"label": 7, "strokes": [[[x, y], ...], ...]}, y down: the digits of
UJI Pen Characters, version 2, in the order in which they stand in bridger/NumberPad (see
tests/data/images/README.md). Needs Pillow; another version of it may pack the pixels differently.

Each picture is drawn four times as large as wanted, with round pens, and then averaged down.
"""

import gzip
import json
import sys
from pathlib import Path

from PIL import Image, ImageDraw

FINE = 4  # drawn at this many times the final resolution

# name: (line of the input, (width, height), (left, top, side) of a box, pen), lengths in pixels.
# The box holds the digit, the longer side of which is as long as the box.
PICTURES = {
    "0-alpha-only.png": (30, (200, 200), (40, 40, 120), 12),
    "1-pencil-on-grey-paper.jpg": (41, (180, 240), (70, 60, 110), 8),
    "2-thin-black-on-white.png": (52, (280, 280), (70, 60, 160), 3),
    "3-thick-white-on-black.png": (63, (280, 280), (50, 50, 180), 26),
    "4-black-on-white.jpg": (84, (160, 200), (45, 50, 100), 10),
    "5-blue-on-white-low.png": (55, (280, 280), (90, 175, 90), 9),
    "6-black-on-white.pgm": (56, (96, 96), (20, 20, 56), 7),
    "7-black-on-white-corner.png": (27, (280, 280), (10, 8, 84), 9),
    "8-like-mnist.png": (48, (28, 28), (4, 4, 20), 2),
    "9-wide-canvas-right.png": (39, (400, 120), (300, 20, 80), 9),
}


def ink(strokes, size, box, pen):
    """The strokes as an image of ink, mode "L", 255 is full ink."""
    left, top, side = (FINE * value for value in box)
    points = [point for stroke in strokes for point in stroke]
    x0, y0 = (min(point[axis] for point in points) for axis in (0, 1))
    width, height = (max(point[axis] for point in points) - low for axis, low in ((0, x0), (1, y0)))
    scale = side / max(width, height, 1)
    # The shorter side is centred in the box.
    left += (side - scale * width) / 2
    top += (side - scale * height) / 2
    image = Image.new("L", (FINE * size[0], FINE * size[1]), 0)
    draw = ImageDraw.Draw(image)
    radius = FINE * pen / 2
    for stroke in strokes:
        path = [(left + scale * (x - x0), top + scale * (y - y0)) for x, y in stroke]
        if len(path) > 1:
            draw.line(path, fill=255, width=FINE * pen, joint="curve")
        for x, y in path:
            draw.ellipse((x - radius, y - radius, x + radius, y + radius), fill=255)
    return image.resize(size, Image.Resampling.BOX)


def coloured(mask, paper, pen):
    """Ink of one colour on paper of another, mode "RGB" (or "L" if both are grey levels)."""
    mode = "L" if isinstance(paper, int) else "RGB"
    return Image.composite(Image.new(mode, mask.size, pen), Image.new(mode, mask.size, paper), mask)


def picture(name, mask):
    """The image of this name, from its ink."""
    if name.startswith("0"):  # nothing but transparency tells ink from paper
        image = Image.new("RGBA", mask.size, (0, 0, 0, 0))
        image.putalpha(mask)
        return image
    if name.startswith(("3", "8")):
        return coloured(mask, 0, 255)
    if name.startswith("1"):
        return coloured(mask, (205, 203, 196), (70, 70, 74))
    if name.startswith("5"):
        return coloured(mask, (255, 255, 255), (20, 40, 160))
    return coloured(mask, 255, 0)


def main():
    """Draw them all."""
    if len(sys.argv) not in (2, 3):
        raise SystemExit(__doc__)
    source = Path(sys.argv[1])
    default = Path(__file__).resolve().parent.parent / "data" / "images"
    target = Path(sys.argv[2]) if len(sys.argv) == 3 else default
    target.mkdir(parents=True, exist_ok=True)
    text = gzip.decompress(source.read_bytes()) if source.suffix == ".gz" else source.read_bytes()
    digits = [json.loads(line) for line in text.splitlines()]
    for name, (line, size, box, pen) in PICTURES.items():
        digit = digits[line]
        if digit["label"] != int(name[0]):
            msg = f"{source}: line {line} is a {digit['label']}, expected a {name[0]}; another order?"
            raise SystemExit(msg)
        image = picture(name, ink(digit["strokes"], size, box, pen))
        options = {"quality": 85} if name.endswith(".jpg") else {}
        image.save(target / name, optimize=True, **options)
        print(f"{name}: {image.mode} {image.size[0]} x {image.size[1]}")


if __name__ == "__main__":
    main()
