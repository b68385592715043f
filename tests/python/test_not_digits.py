"""digitnet.not_digits: drawings that are no digits."""

import numpy as np
import pytest

import digitnet as dn
from digitnet import not_digits
from digitnet.not_digits import glyphs, hand, scribbles, styles
from digitnet.not_digits.words import side_by_side

EVERY_KIND_AND_PART = [(kind, part) for kind in not_digits.KINDS for part in ("train", "test")]


def _flat(drawings):
    return np.concatenate([stroke for drawing in drawings for stroke in drawing])


@pytest.mark.parametrize(("kind", "part"), EVERY_KIND_AND_PART)
def test_drawings_are_strokes_on_the_canvas(kind, part):
    drawings = not_digits.drawings(kind, 120, seed=1, part=part)
    assert len(drawings) == 120
    for drawing in drawings:
        assert len(drawing) >= 1
        for stroke in drawing:
            assert stroke.dtype == np.float64
            assert stroke.ndim == 2
            assert stroke.shape[0] >= 1
            assert stroke.shape[1] == 2
    points = _flat(drawings)
    assert np.isfinite(points).all()
    assert points.min() >= -1e-9
    assert points.max() <= not_digits.CANVAS + 1e-9


@pytest.mark.parametrize("kind", not_digits.KINDS)
def test_the_seed_makes_the_drawings(kind):
    first = not_digits.drawings(kind, 30, seed=5)
    again = not_digits.drawings(kind, 30, seed=5)
    assert all(np.array_equal(a, b) for one, other in zip(first, again) for a, b in zip(one, other))
    other = not_digits.drawings(kind, 30, seed=6)
    assert _flat(first).shape != _flat(other).shape or not np.array_equal(_flat(first), _flat(other))


def test_a_generator_goes_on_from_where_it_is():
    rng = np.random.default_rng(5)
    first = not_digits.drawings("letters", 10, rng)
    second = not_digits.drawings("letters", 10, rng)
    assert np.array_equal(_flat(first), _flat(not_digits.drawings("letters", 10, seed=5)))
    assert not np.array_equal(_flat(first)[:20], _flat(second)[:20])


@pytest.mark.parametrize("forms", [not_digits.LETTERS, not_digits.SYMBOLS, not_digits.SHAPES])
def test_no_form_is_in_both_parts(forms):
    train, test = ([text for ways in forms[part].values() for text in ways] for part in ("train", "test"))
    assert len(set(train)) == len(train)
    assert len(set(test)) == len(test)
    assert not set(train) & set(test)


def test_part_all_has_the_forms_of_both():
    count = 400
    rights = {}
    for part in ("train", "test", "all"):
        drawings = not_digits.drawings("dots", count, seed=1, part=part)
        rights[part] = {len(drawing) for drawing in drawings}
    assert max(rights["train"]) < 9 <= max(rights["test"])  # few dots in one part, many in the other
    assert max(rights["all"]) >= 9
    assert 1 in rights["all"]


def test_letters_that_are_digits_are_left_out():
    left_out = {name for names in not_digits.AMBIGUOUS for name in names.split() if len(name) == 1}
    assert set("GIOSZbgijloqsz") <= left_out
    for part in ("train", "test"):
        assert not left_out & set(not_digits.LETTERS[part])


def test_every_letter_is_drawn_or_said_to_be_ambiguous():
    drawn = {letter.upper() for part in ("train", "test") for letter in not_digits.LETTERS[part]}
    left_out = {name.upper() for names in not_digits.AMBIGUOUS for name in names.split() if len(name) == 1}
    assert set("ABCDEFGHIJKLMNOPQRSTUVWXYZ") <= drawn | left_out


def test_some_letters_are_in_the_test_part_alone():
    assert len(set(not_digits.LETTERS["test"]) - set(not_digits.LETTERS["train"])) >= 6


def test_a_straight_stroke_is_straight_and_a_curve_goes_through_its_points():
    form = hand.skeleton("00 80|~04 48 84")
    points = form.sharp @ form.written
    assert form.starts == (0, 9, 26)
    line = points[:9]
    assert np.all(line[:, 1] == 0)
    assert np.all(np.diff(line[:, 0]) > 0)
    assert line[-1, 0] == 8
    curve = points[9:]
    for place in ((0, 4), (4, 8), (8, 4)):
        assert np.min(np.hypot(*(curve - place).T)) < 1e-12
    at_the_middle = curve[9] - curve[7]  # a smooth point: along the line between its neighbours
    assert abs(at_the_middle[1] / at_the_middle[0]) < 1e-12


def test_a_corner_in_a_curve_is_a_corner():
    form = hand.skeleton("~04 48! 84")
    points = form.sharp @ form.written
    before, after = points[8] - points[7], points[9] - points[8]
    assert before[1] > 0 > after[1]


@pytest.mark.parametrize("text", ["00 8a", "~00 50 72 65 05", "~77 4a! 1a 08|45 52"])
def test_a_form_moves_with_its_points(text):
    form = hand.skeleton(text)
    for matrix in (form.sharp, form.rounded):
        assert np.allclose(matrix.sum(axis=1), 1, atol=1e-12)


def test_scribbles_of_one_line_are_tangled():
    """Short for its size, a random line is a 1, a 7 or a 2 now and then."""
    rng = np.random.default_rng(3)
    for walks in (scribbles._walks, scribbles._angular_walks, scribbles._tangles):
        for (path,) in scribbles._until_tangled(walks)(50, rng):
            box = np.ptp(path, axis=0).max()
            assert np.hypot(*np.diff(path, axis=0).T).sum() > 6 * box


def test_words_are_wider_than_tall():
    sizes = [np.ptp(np.concatenate(word), axis=0) for word in not_digits.drawings("words", 200, seed=2)]
    assert np.mean([width > height for width, height in sizes]) > 0.8


def test_letters_of_a_word_do_not_lie_on_each_other():
    letter = [np.array([[3.0, 0.0], [5.0, 9.0]])]
    word = side_by_side([letter, letter], 1.0, join=False)
    assert [stroke[:, 0].tolist() for stroke in word] == [[0, 2], [3, 5]]
    assert len(side_by_side([letter, letter], 1.0, join=True)) == 1


def test_images_are_the_drawings_as_the_network_sees_them():
    images = not_digits.images("shapes", 20, seed=4, part="test")
    assert images.shape == (20, 28, 28)
    assert images.dtype == np.uint8
    for image, drawing in zip(images, not_digits.drawings("shapes", 20, seed=4, part="test")):
        assert np.array_equal(image, dn.to_mnist_image(drawing))


# --- Letters of no alphabet.


@pytest.mark.parametrize("make", [*glyphs.GLYPHS, glyphs.COMPOUND])
def test_no_glyph_is_narrow_or_flat(make):
    """Narrow ones would be a 1."""
    rng = np.random.default_rng(2)
    for _ in range(60):
        width, height = np.ptp(np.concatenate(make(rng)), axis=0)
        assert min(width, height) > 0.5 * max(width, height)


def test_a_symmetric_glyph_is_its_own_mirror_image(monkeypatch):
    monkeypatch.setattr(glyphs, "by_hand", lambda form, *_: [[form.sharp @ form.written]])
    rng = np.random.default_rng(3)
    found = [drawing for drawing in (glyphs._symmetric(rng) for _ in range(50)) if drawing is not None]
    assert len(found) > 5
    for (points,) in found:
        assert abs(points[:, 0].min() + points[:, 0].max() - 24) <= 1  # places are rounded to whole ones


# --- Styles.

LETTER_L = [np.linspace([0.0, 0.0], [0.0, 10.0], 9), np.linspace([0.0, 10.0], [6.0, 10.0], 9)]


def test_serifs_cross_the_ends_at_right_angles():
    rng = np.random.default_rng(1)
    for _ in range(20):
        lines = styles.serifs(LETTER_L, rng)
        assert all(np.array_equal(a, b) for a, b in zip(LETTER_L, lines))
        assert len(lines) <= 6
        for bar in lines[2:]:
            along = bar[1] - bar[0]
            assert min(np.abs(along)) < 1e-9  # level or upright, as the strokes are
            middle = bar.mean(axis=0)
            assert any(np.allclose(middle, stroke[end]) for stroke in LETTER_L for end in (0, -1))


def test_joined_is_one_stroke_through_all_points():
    (line,) = styles.joined(LETTER_L, np.random.default_rng(1))
    assert np.array_equal(line, np.concatenate(LETTER_L))


def test_an_outline_goes_round_at_one_distance():
    lines = styles.outline(LETTER_L, np.random.default_rng(1))
    assert len(lines) == 2
    for line, upright in zip(lines, (True, False)):
        assert np.array_equal(line[0], line[-1])
        away = np.abs(line[:, 0] if upright else line[:, 1] - 10)
        assert np.allclose(away, away[0])
        assert away[0] > 0


def test_an_outline_of_a_dot_is_a_dot():
    lines = styles.outline([np.zeros((1, 2)), *LETTER_L], np.random.default_rng(1))
    assert np.array_equal(lines[0], np.zeros((1, 2)))


def test_a_nib_is_broad_in_one_direction():
    lines = styles.nib(LETTER_L, np.random.default_rng(1))
    assert len(lines) == 6
    moves = {tuple(np.round(lines[3 * k + 2][0] - lines[3 * k][0], 9)) for k in range(2)}
    assert len(moves) == 1
    assert np.allclose((lines[0] + lines[2]) / 2, LETTER_L[0])


def test_retraced_has_every_stroke_twice():
    lines = styles.retraced(LETTER_L, np.random.default_rng(1))
    assert len(lines) == 4
    assert np.array_equal(lines[0], LETTER_L[0])
    assert 0 < np.abs(lines[1] - lines[0]).max() < 2


def test_a_swash_makes_the_first_and_the_last_stroke_longer():
    rng = np.random.default_rng(1)
    drawn = [styles.swash(LETTER_L, rng) for _ in range(20)]
    assert max(len(first) for first, _ in drawn) > 9
    for first, last in drawn:
        assert np.array_equal(first[-9:], LETTER_L[0])
        assert np.array_equal(last[:9], LETTER_L[1])


def test_half_of_the_letters_are_plain():
    form = styles.styled(lambda count, rng: [LETTER_L] * count)
    drawn = form(1000, np.random.default_rng(1))
    plain = sum(drawing is LETTER_L for drawing in drawn)
    assert plain == pytest.approx(1000 * (1 - sum(styles.STYLES.values())), abs=50)


@pytest.mark.parametrize(("kind", "part"), EVERY_KIND_AND_PART)
def test_every_image_has_ink(kind, part):
    assert (not_digits.images(kind, 60, seed=1, part=part).max(axis=(1, 2)) > 100).all()


def test_mixed_is_seeded_and_of_every_kind():
    images = not_digits.mixed(600, seed=1, part="train")
    assert images.shape == (600, 28, 28)
    assert np.array_equal(images, not_digits.mixed(600, seed=1, part="train"))
    ink = images.reshape(600, -1).mean(axis=1)
    assert ink.min() < 20  # dots
    assert ink.max() > 70  # blots
    assert not_digits.mixed(0, seed=1).shape == (0, 28, 28)


def test_wrong_arguments_are_named():
    with pytest.raises(
        dn.ArgumentError, match=r"drawings: kind is 'letter', expected one of letters, glyphs, "
    ):
        not_digits.drawings("letter", 1, seed=0)
    with pytest.raises(dn.ArgumentError, match="drawings: part is 'validation', expected train, test or all"):
        not_digits.drawings("letters", 1, seed=0, part="validation")
    with pytest.raises(dn.ArgumentError, match="drawings: count is -1, expected at least 0"):
        not_digits.drawings("letters", -1, seed=0)
    with pytest.raises(dn.ArgumentError, match="drawings: count is -1, expected at least 0"):
        not_digits.images("letters", -1, seed=0)
    with pytest.raises(dn.ArgumentError, match="mixed: count is -1, expected at least 0"):
        not_digits.mixed(-1, seed=0)
    with pytest.raises(dn.ArgumentError, match="drawings: part is 'x'"):
        not_digits.mixed(10, seed=0, part="x")
