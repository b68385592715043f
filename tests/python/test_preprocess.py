"""A drawing is the same image however it was saved."""

import struct
import zlib

import numpy as np
import pytest

import digitnet as dn

SIDE = 280

# Digits as polylines in the unit square, y down.
STROKES = {
    2: [[(0.1, 0.25), (0.3, 0.03), (0.6, 0.03), (0.75, 0.25), (0.6, 0.5), (0.05, 1), (0.85, 1)]],
    4: [[(0.5, 0), (0.05, 0.6), (0.85, 0.6)], [(0.62, 0.3), (0.62, 1)]],
    5: [
        [(0.15, 0), (0.12, 0.45), (0.5, 0.4), (0.75, 0.65), (0.55, 0.97), (0.05, 0.95)],
        [(0.2, 0), (0.8, 0.02)],
    ],
    7: [[(0, 0.02), (0.8, 0), (0.35, 1)], [(0.2, 0.5), (0.75, 0.45)]],
}


def draw(digit=5, height=SIDE, width=SIDE, box=0.55, pen=0.06, left=0.25, top=0.2):
    """Ink in [0, 1] of a round pen; lengths as shares of the shorter side."""
    side = min(height, width)
    y, x = np.mgrid[:height, :width] + 0.5
    nearest = np.full((height, width), np.inf)
    for stroke in STROKES[digit]:
        points = np.array(stroke) * box * side + np.array([left * width, top * height])
        for a, b in zip(points[:-1], points[1:]):
            along = b - a
            t = np.clip(((x - a[0]) * along[0] + (y - a[1]) * along[1]) / (along @ along), 0, 1)
            nearest = np.minimum(nearest, np.hypot(x - a[0] - t * along[0], y - a[1] - t * along[1]))
    return np.clip(pen * side / 2 - nearest + 0.5, 0, 1)


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))


def png_file(width, height, bits, colour, body, *chunks, interlaced=0):
    """A PNG file; `body` is what is packed, `chunks` are put before it."""
    head = struct.pack(">IIBBBBB", width, height, bits, colour, 0, 0, interlaced)
    parts = [(b"IHDR", head), *chunks, (b"IDAT", zlib.compress(body)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def png(rows, bits, colour, *chunks):
    """A PNG file of rows that are packed already."""
    width = len(rows[0]) * 8 // bits // {0: 1, 2: 3, 3: 1, 4: 2, 6: 4}[colour]
    return png_file(width, len(rows), bits, colour, b"".join(b"\0" + row for row in rows), *chunks)


def png_of(picture):
    """A PNG of an array, as an ordinary program saves it."""
    array = np.atleast_3d(picture)
    colour = {1: 0, 2: 4, 3: 2, 4: 6}[array.shape[2]]
    rows = array.astype(array.dtype.newbyteorder(">")).reshape(len(array), -1)
    return png([row.tobytes() for row in rows], 8 * array.itemsize, colour)


def paint(ink, ground, pen):
    ground, pen = np.array(ground, float), np.array(pen, float)
    return (ground + ink[..., None] * (pen - ground)).round().astype(np.uint8)


def clear(ink, pen, behind=None):
    """Ink as transparency, of one colour; `behind` is the colour where nothing can be seen."""
    picture = np.empty((*ink.shape, 4), np.uint8)
    picture[..., :3] = pen
    if behind is not None:
        picture[ink == 0, :3] = behind
    picture[..., 3] = (255 * ink).round()
    return picture


def framed(picture, width, value):
    picture = picture.copy()
    for edge in (np.s_[:width], np.s_[-width:], np.s_[:, :width], np.s_[:, -width:]):
        picture[edge] = value
    return picture


def light(shape, kind):
    """How bright paper is, around 1."""
    y, x = np.mgrid[0 : 1 : shape[0] * 1j, 0 : 1 : shape[1] * 1j]
    if kind == "slope":
        return 0.55 + 0.25 * x + 0.2 * y
    if kind == "vignette":
        return 1 - 0.9 * ((x - 0.5) ** 2 + (y - 0.5) ** 2)
    return 1 - 0.35 / (1 + np.exp((x + y - 0.9) * 25))  # the shadow of a hand


def noise(shape, size, seed=1):
    return np.random.default_rng(seed).normal(0, size, shape)


def byte(values):
    return np.clip(values, 0, 255).round().astype(np.uint8)


def packed(ink, bits):
    """Black on white in few grey levels, packed as PNG wants it."""
    most = 2**bits - 1
    levels = (most * (1 - ink)).round().astype(np.uint8)
    grouped = levels.reshape(len(levels), -1, 8 // bits)
    weights = 1 << np.arange(8 - bits, -1, -bits)
    return [row.tobytes() for row in (grouped * weights).sum(2).astype(np.uint8)]


def adam7(array):
    """The rows of an interlaced grey PNG of 8 bits, each with its filter byte, as one stream."""
    passes = [
        (0, 0, 8, 8),
        (0, 4, 8, 8),
        (4, 0, 8, 4),
        (0, 2, 4, 4),
        (2, 0, 4, 2),
        (0, 1, 2, 2),
        (1, 0, 2, 1),
    ]
    return b"".join(b"\0" + row.tobytes() for y, x, dy, dx in passes for row in array[y::dy, x::dx])


def exif(orientation):
    return b"MM\0*" + struct.pack(">IHHHIHHI", 8, 1, 0x0112, 3, 1, orientation, 0, 0)


STORED = {  # how a picture has to be stored so that this orientation turns it upright
    1: lambda p: p,
    2: lambda p: p[:, ::-1],
    3: lambda p: p[::-1, ::-1],
    4: lambda p: p[::-1],
    5: lambda p: p.swapaxes(0, 1),
    6: lambda p: np.rot90(p),
    7: lambda p: p[::-1, ::-1].swapaxes(0, 1),
    8: lambda p: np.rot90(p, -1),
}


def ways():
    """Name: a picture, as an array or as the bytes of a file."""
    ink = draw()
    black = byte(255 - 255 * ink)
    wide = draw(height=SIDE, width=3 * SIDE, left=0.7)
    rgb = paint(ink, (255, 255, 255), (0, 0, 0))
    yield "black on white", black
    yield "white on black", 255 - black
    yield "RGB", rgb
    yield "RGBA, opaque", np.dstack([rgb, np.full(ink.shape, 255, np.uint8)])
    yield "grey and alpha, opaque", np.dstack([black, np.full(ink.shape, 255, np.uint8)])
    yield "file: grey", png_of(black)
    yield "file: RGB", png_of(rgb)
    yield "file: RGBA", png_of(np.dstack([rgb, np.full(ink.shape, 255, np.uint8)]))
    yield "file: 16 bits", png_of((65535 * (1 - ink)).astype(np.uint16))
    yield "file: 16 bits, hardly used", png_of((255 * (1 - ink)).astype(np.uint16))
    yield "file: 1 bit", png(packed(ink, 1), 1, 0)
    yield "file: 2 bits", png(packed(ink, 2), 2, 0)
    yield "file: 4 bits", png(packed(ink, 4), 4, 0)
    yield "file: interlaced", png_file(SIDE, SIDE, 8, 0, adam7(black), interlaced=1)
    shades = bytes(v for i in range(256) for v in (i, i, 255))
    yield "file: palette", png([row.tobytes() for row in black], 8, 3, (b"PLTE", shades))
    mask = [row.tobytes() for row in byte(255 * ink)]
    yield "file: palette, clear", png(mask, 8, 3, (b"PLTE", bytes(768)), (b"tRNS", bytes(range(256))))
    yield "PGM", b"P5\n%d %d\n255\n" % (SIDE, SIDE) + black.tobytes()
    yield "PPM", b"P6\n%d %d\n255\n" % (SIDE, SIDE) + rgb.tobytes()
    yield "alpha alone, black", clear(ink, (0, 0, 0))
    yield "alpha alone, white", clear(ink, (255, 255, 255))
    yield "alpha alone, black over clear white", clear(ink, (0, 0, 0), (255, 255, 255))
    yield "alpha alone, half transparent", np.dstack([np.zeros((*ink.shape, 3), np.uint8), byte(120 * ink)])
    yield "grey and alpha, drawn in alpha", np.dstack([np.zeros(ink.shape, np.uint8), byte(255 * ink)])
    yield "blue on white", paint(ink, (255, 255, 255), (20, 40, 160))
    yield "yellow on blue", paint(ink, (30, 40, 120), (255, 240, 0))
    yield "red on green of one brightness", paint(ink, (0, 128, 0), (219, 0, 55))
    yield "pencil", byte(235 - 45 * ink)
    yield "faint on black", byte(10 + 40 * ink)
    yield "grey canvas", byte(128 - 90 * ink)
    yield "light on grey canvas", byte(128 + 100 * ink)
    yield "wide canvas", byte(255 - 255 * wide)
    yield "high canvas", byte(255 - 255 * draw(height=3 * SIDE, width=SIDE, top=0.1))
    yield "in a corner", byte(255 - 255 * draw(left=0.04, top=0.04))
    small = draw(height=3 * SIDE, width=3 * SIDE, box=0.55 / 3, pen=0.02, left=0.1, top=0.7)
    yield "small on a large canvas", byte(255 - 255 * small)
    yield "large picture", byte(255 - 255 * draw(height=1200, width=1200))
    yield "small picture", byte(255 - 255 * draw(height=80, width=80))
    yield "frame", framed(black, 3, 0)
    yield "broad frame on black", framed(255 - black, 14, 200)
    yield "card on a white page", np.pad(255 - black, 40, constant_values=255)
    round_corners = np.dstack([rgb, np.full(ink.shape, 255, np.uint8)])
    y, x = np.mgrid[:SIDE, :SIDE]
    out = (
        np.hypot(
            np.maximum(0, np.maximum(30 - x, x - SIDE + 31)), np.maximum(0, np.maximum(30 - y, y - SIDE + 31))
        )
        > 30
    )
    round_corners[out] = 0
    yield "rounded corners", round_corners
    yield (
        "photograph, light from a side",
        byte(220 * light(ink.shape, "slope") * (1 - 0.7 * ink) + noise(ink.shape, 4)),
    )
    yield (
        "photograph, vignette",
        byte(220 * light(ink.shape, "vignette") * (1 - 0.7 * ink) + noise(ink.shape, 4)),
    )
    yield "photograph, shadow", byte(220 * light(ink.shape, "shadow") * (1 - 0.7 * ink) + noise(ink.shape, 4))
    specks = black.copy()
    for row, column in ((10, 10), (270, 20), (14, 200), (260, 262)):
        specks[row : row + 3, column : column + 3] = 0
    yield "specks", specks
    for orientation in range(2, 9):
        stored = np.ascontiguousarray(STORED[orientation](black))
        whole = png_of(stored)
        piece = chunk(b"eXIf", exif(orientation))
        yield f"file: EXIF orientation {orientation}", whole[:33] + piece + whole[33:]
    yield "bool", ink > 0.5
    yield "uint16", (65535 * ink).astype(np.uint16)
    yield "float", ink.astype(np.float32)
    yield "float, black on white", 1 - ink


WAYS = dict(ways())


def image_of(picture):
    return dn.to_mnist_image(dn.read_picture(picture) if isinstance(picture, bytes) else picture).astype(int)


@pytest.fixture(scope="module")
def usual():
    return image_of(WAYS["black on white"])


@pytest.mark.parametrize("way", list(WAYS))
def test_a_drawing_is_the_same_image_however_it_was_saved(way, usual):
    """As a share of the ink: 10 % is what moving the image by a sixth of a pixel makes."""
    assert np.abs(image_of(WAYS[way]) - usual).sum() < 0.1 * usual.sum()


@pytest.mark.parametrize("side", [100, 400, 1000])
@pytest.mark.parametrize("pen", [0.01, 0.03, 0.08])
def test_place_size_and_pen_hardly_matter(side, pen):
    """At 25 to 90 % of the canvas; a pen is a share of it, so in a small drawing it is broader."""
    for digit in STROKES:
        middle = image_of(byte(255 - 255 * draw(digit, side, side, 0.5, pen)))
        for left, top in ((0.1, 0.1), (0.42, 0.1), (0.25, 0.43)):
            moved = image_of(byte(255 - 255 * draw(digit, side, side, 0.5, pen, left, top)))
            assert np.abs(moved - middle).sum() < 0.06 * middle.sum()


def test_a_place_further_right_and_down_by_whole_pixels_gives_the_same_bytes():
    canvas = np.full((300, 320), 255, np.uint8)
    ink = byte(255 - 255 * draw(2, 160, 160))
    canvas[:160, :160] = ink
    expected = dn.to_mnist_image(canvas)
    for right, down in ((1, 0), (57, 101), (139, 77)):
        moved = np.full_like(canvas, 255)
        moved[down : down + 160, right : right + 160] = ink
        np.testing.assert_allclose(image_of(moved), expected, atol=1)


def test_strokes_are_as_wide_as_those_of_mnist():
    """Twice the ink over the sum of its gradient, as a rough measure of the width in pixels."""
    for pen in (0.0025, 0.01, 0.03, 0.1, 0.14):
        image = image_of(byte(255 - 255 * draw(7, 400, 400, 0.7, pen, 0.15, 0.15))) / 255
        assert image.max() > 0.8
        steps = np.hypot(*np.gradient(image)).sum()
        assert 1.5 < 2 * image.sum() / steps < 6


@pytest.mark.parametrize("channels", [1, 2, 3, 4])
def test_what_is_plain_or_noise_alone_has_no_ink(channels):
    for value in (0, 90, 255):
        plain = np.full((120, 200, channels), value, np.uint8)
        assert not image_of(plain).any()
        if channels in (1, 3):
            assert not image_of(byte(plain + noise(plain.shape, 6))).any()


def test_the_images_of_mnist_stay_as_they_are(mnist):
    for image in mnist.test.images[:200]:
        assert (dn.to_mnist_image(image) == image).all()
        assert (dn.to_mnist_image(255 - image) == image).all()


def test_a_picture_of_several_digits_is_taken_apart():
    row = np.concatenate([draw(d, 200, 150, 0.8, 0.05, 0.1, 0.2) for d in (5, 4, 7)], axis=1)
    page = np.concatenate([row, np.concatenate([np.zeros((200, 75)), draw(2, 200, 375, 0.7, 0.05)], axis=1)])
    segments = dn.segment_digits(byte(255 - 255 * page))
    assert len(segments) == 4
    assert [segment.left // 150 for segment in segments[:3]] == [0, 1, 2]
    assert segments[3].top > 200
    assert repr(segments[0]).startswith("<digitnet.PictureSegment of ")
    for segment, digit in zip(segments, (5, 4, 7, 2)):
        alone = image_of(byte(255 - 255 * draw(digit, 200, 150, 0.8, 0.05, 0.1, 0.2)))
        assert np.abs(image_of(segment.picture) - alone).sum() < 0.15 * alone.sum()


def test_a_picture_of_one_digit_is_one_segment_the_same():
    picture = byte(255 - 255 * draw(5))
    (segment,) = dn.segment_digits(picture)
    assert (segment.picture == picture).all()
    assert dn.segment_digits(np.zeros((50, 50), np.uint8)) == []


class Pillow:
    """What digitnet asks of an image of Pillow."""

    def __init__(self, mode, array, orientation=1):
        self.mode, self.array, self.orientation = mode, array, orientation

    def convert(self, mode):
        assert (self.mode, mode) in {("1", "L"), ("P", "RGBA"), ("CMYK", "RGB")}
        return Pillow(mode, self.array)

    def getexif(self):
        return {0x0112: self.orientation}

    def __array__(self, dtype=None, copy=None):
        return self.array


def test_images_of_pillow_are_taken(usual):
    black = WAYS["black on white"]
    for image in (
        Pillow("L", black),
        Pillow("L", np.ascontiguousarray(np.rot90(black)), 6),
        Pillow("1", black),
        Pillow("CMYK", WAYS["RGB"]),
        Pillow("P", WAYS["alpha alone, black"]),
        Pillow("I;16", black.astype(np.uint16) * 257),
        Pillow("I", black.astype(np.int32) * 257),
    ):
        assert np.abs(image_of(image) - usual).sum() < 0.05 * usual.sum()


def test_pictures_that_make_no_sense_are_told():
    picture = np.ones((5, 5))
    for wrong in (np.nan, -0.1, 1.5, np.inf):
        picture[2, 3] = wrong
        with pytest.raises(
            dn.ArgumentError, match=r"^to_mnist_image: .* expected 0 to 1; 0 to 255 is for uint8$"
        ):
            dn.to_mnist_image(picture)
    with pytest.raises(dn.ShapeError, match=r"int64 .*expected uint8, uint16, bool or float .*astype"):
        dn.to_mnist_image(np.zeros((5, 5), np.int64))
    with pytest.raises(dn.ShapeError, match=r"^segment_digits: a picture of dtype uint8 and shape \(5\)"):
        dn.segment_digits(np.zeros(5, np.uint8))


@pytest.mark.parametrize(
    ("content", "kind"),
    [
        (b"", "an empty file"),
        (b"GIF89a", "GIF"),
        (b"RIFF1234WEBPVP8 ", "WebP"),
        (b"BM1234", "BMP"),
        (b"<?xml version='1.0'?><svg/>", "SVG"),
        (b"<!DOCTYPE html><html>", "HTML"),
        (b"P2\n1 1\n255\n0\n", "PGM in text"),
        (b"\x89PNG\r\n\x1a\n", "a PNG that is cut short"),
        (b"\xff\xd8\xff\xe0", "a JPEG that is damaged or cut short"),
    ],
)
def test_other_files_are_told_by_what_they_seem_to_be(content, kind):
    with pytest.raises(
        dn.FormatError, match=rf"^read_picture: bytes: neither PNG, JPEG nor PGM.*seems to be .*{kind}"
    ):
        dn.read_picture(content)
