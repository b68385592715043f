"""Recipes make the same model again, and the model that ships was made by its recipe."""

import json
from pathlib import Path

import numpy as np
import pytest

import digitnet as dn
from digitnet import not_digits, recipes
from digitnet.cli import main
from digitnet.recipes import thick, varied

DATA = Path(__file__).parents[1] / "data"
SAMPLE = DATA / "mnist-sample"


@pytest.fixture
def recipe_file(tmp_path):
    """A recipe of seconds: the sample of MNIST, twenty drawings of a 1, some scribbles."""
    folder = tmp_path / "data"
    folder.mkdir()
    for file in SAMPLE.iterdir():
        (folder / file.name).symlink_to(file)
    rng = np.random.default_rng(1)
    lines = [dn.Drawing([rng.normal([[5, 0], [5, 9]], 0.4)], label=1) for _ in range(20)]
    dn.write_drawings(folder / "ones.jsonl", lines)
    recipe = {
        "about": "a test",
        "seed": 3,
        "hidden": [12],
        "data": {
            "mnist_validation": 500,
            "drawings": [{"file": "ones.jsonl", "pens": [2.0, 3.0], "licence": "none"}],
            "not_digits": {"scribbles": 40, "dots": 10},
        },
        "phases": [
            {"epochs": 1, "batch_size": 64, "optimizer": {"name": "adam"}, "augmentation": {"rotation": 5}},
            {"epochs": 1, "batch_size": 64, "optimizer": {"name": "adam", "learning_rate": 0.001}},
        ],
    }
    file = tmp_path / "small.json"
    file.write_text(json.dumps(recipe))
    return file, folder


def test_the_samples_are_those_the_recipe_names(recipe_file):
    file, folder = recipe_file
    parts = recipes.gather(recipes.load(str(file)), folder)
    mnist = len(dn.load_mnist(SAMPLE).train)
    assert parts.train.classes == 11
    assert len(parts.train) == mnist - 500 + 2 * 18 + 40  # of 20 drawings 2 are held out, of 50 others 10
    assert len(parts.validation) == 502
    assert parts.validation.labels.max() <= 9
    assert parts.not_digits.shape == (10, 28, 28)
    assert [source["name"] for source in parts.sources] == ["mnist", "ones.jsonl"]


def test_what_is_drawn_is_told(recipe_file, capsys):
    file, folder = recipe_file
    recipes.gather(recipes.load(str(file)), folder)
    assert capsys.readouterr().err == ""
    recipes.gather(recipes.load(str(file)), folder, progress=True)
    assert capsys.readouterr().err.splitlines() == [
        "drawing ones.jsonl",
        "drawing 40 scribbles, which are no digits",
        "drawing 10 dots, which are no digits",
    ]


def test_drawings_are_met_with_thick_pens_too(recipe_file):
    file, folder = recipe_file
    recipe = recipes.load(str(file))
    plain = recipes.gather(recipe, folder)
    recipe["data"]["thick"] = {"brushes": [0.2, 0.3], "drawings": 2, "not_digits": 0.5}
    parts, again = recipes.gather(recipe, folder), recipes.gather(recipe, folder)
    assert parts.train.fingerprint() == again.train.fingerprint()
    assert len(parts.train) == len(plain.train) + 2 * 18
    assert len(parts.validation) == len(plain.validation) + 2 * 2
    assert parts.train.labels[len(plain.train) - 40 : -40].tolist() == [1] * 36  # before what is no digit
    changed = (parts.train.images[-40:] != plain.train.images[-40:]).any(axis=(1, 2))
    changed_too = (parts.not_digits != plain.not_digits).any(axis=(1, 2))
    assert changed.sum() + changed_too.sum() == 25


def test_a_thick_pen_draws_a_band_in_the_middle():
    ink = thick.picture([[[0, 0], [10, 0]], [[0, 10], [10, 10]]], 0.3) / 255
    assert ink.shape == (thick.SIDE, thick.SIDE)
    unit = 60 / 13  # pixels: 10 units and the pen fill 60
    assert ink[:, thick.SIDE // 2].sum() == pytest.approx(2 * 3 * unit, abs=0.5)  # across both bands
    middle = (np.arange(thick.SIDE) + 0.5) @ ink.sum(axis=1) / ink.sum()
    assert middle == pytest.approx(thick.SIDE / 2, abs=0.1)
    np.testing.assert_allclose(ink, ink[::-1, ::-1], atol=0.01)
    dot = thick.picture([[[3, 3]]], 0.5) / 255
    assert dot.sum() == pytest.approx(np.pi * 10**2, rel=0.02)


def test_drawings_are_met_as_other_hands_draw_them(recipe_file):
    file, folder = recipe_file
    recipe = recipes.load(str(file))
    plain = recipes.gather(recipe, folder)
    recipe["data"]["varied"] = {"drawings": 3, "pens": [1.6, 3.2]}
    parts, again = recipes.gather(recipe, folder), recipes.gather(recipe, folder)
    assert parts.train.fingerprint() == again.train.fingerprint()
    assert len(parts.train) == len(plain.train) + 3 * 18
    made = parts.train.images[len(plain.train) - 40 : -40]
    assert parts.train.labels[len(plain.train) - 40 : -40].tolist() == [1] * 54
    assert len(np.unique(made, axis=0)) == 54
    assert (
        parts.validation.fingerprint() == plain.validation.fingerprint()
    )  # drawings held out are not varied


FIVE = [
    np.array([[10.0, 0.0], [0.0, 0.0], [0.0, 10.0], [8.0, 11.0], [8.0, 19.0], [0.0, 20.0]]),
    np.array([[0.0, 0.0], [12.0, -1.0]]),
    np.array([[30.0, 5.0]]),
]


def test_varied_strokes_move_apart_from_each_other():
    before = [stroke.copy() for stroke in FIVE]
    many = [varied.varied(FIVE, np.random.default_rng(seed)) for seed in range(400)]
    for was, stroke in zip(before, FIVE):
        np.testing.assert_array_equal(stroke, was)
    side = 30  # from 0 to 30 across
    for number, was in enumerate(FIVE):
        starts = np.array([drawing[number][0] for drawing in many])
        assert len(np.unique(starts, axis=0)) == 400
        assert np.abs(starts.mean(axis=0) - was[0]).max() < 0.05 * side  # most are near to what was drawn
        assert 0.03 * side < starts.std() < 0.6 * side
    moved = np.array([[drawing[k].mean(axis=0) - FIVE[k].mean(axis=0) for k in (0, 2)] for drawing in many])
    assert abs(np.corrcoef(moved[:, 0, 0], moved[:, 1, 0])[0, 1]) < 0.2
    lengths = [np.linalg.norm(drawing[1][-1] - drawing[1][0]) for drawing in many]
    assert min(lengths) < 9 < 15 < max(lengths)
    assert all(len(drawing[2]) == 1 for drawing in many)


def test_varied_strokes_have_no_unit():
    large = [1000 * stroke + 7 for stroke in FIVE]
    one, other = (varied.varied(each, np.random.default_rng(4)) for each in (FIVE, large))
    for stroke, as_large in zip(one, other):
        np.testing.assert_allclose(1000 * stroke + 7, as_large, rtol=1e-9)
    dots = varied.varied([[[3, 3]], [[3, 3], [3, 3]]], np.random.default_rng(1))  # neither length nor size
    np.testing.assert_array_equal(np.concatenate(dots), np.full((3, 2), 3))


def test_the_ends_of_a_stroke_are_cut_or_go_on_straight():
    line = np.array([[0.0, 0.0], [4.0, 0.0], [4.0, 4.0]])
    np.testing.assert_allclose(varied._end_moved(line, 2, 4)[0], [-2, 0])
    assert len(varied._end_moved(line, 2, 4)) == 4
    np.testing.assert_allclose(varied._end_moved(line, -1, 4), [[1, 0], [4, 0], [4, 4]])
    np.testing.assert_allclose(
        varied._end_moved(line, -99, 4), [[2, 0], [4, 0], [4, 4]]
    )  # a quarter at the most
    loop = np.array([[0.0, 0.0], [1.0, 0.0], [0.0, 0.0]])
    np.testing.assert_array_equal(varied._end_moved(loop, 1, 100), loop)  # an end without a direction


def test_what_is_held_out_does_not_depend_on_the_order_of_a_file():
    """Of a file whose labels go 0 to 9 again and again, each tenth would be of one label."""
    chosen = np.flatnonzero(recipes.held_out(820, 0.1, 1))
    assert len(chosen) == 82
    assert set(chosen % 10) == set(range(10))
    assert not recipes.held_out(820, 0, 1).any()


def test_the_same_recipe_gives_the_same_file_for_any_number_of_threads(recipe_file, tmp_path):
    file, folder = recipe_file
    for threads in ("1", "2"):
        output = str(tmp_path / f"{threads}.safetensors")
        words = ["train", "--recipe", str(file), "--data", str(folder), "--output", output, "--quiet"]
        assert main([*words, "--threads", threads]) == 0
    made = [(tmp_path / f"{threads}.safetensors").read_bytes() for threads in ("1", "2")]
    assert made[0] == made[1]
    network = dn.Network.load(tmp_path / "1.safetensors")
    assert [layer.outputs for layer in network.layers] == [12, 10]
    assert dn.calibration_of(network).digits == 502
    provenance = json.loads(network.metadata["provenance"])
    assert provenance["recipe"]["hidden"] == [12]
    assert provenance["test_accuracy"] > 0.5


def test_networks_side_by_side_have_the_mean_of_their_logits():
    networks = [dn.Network([784, 7, 5, 10], seed=seed) for seed in (1, 2, 3)]
    for network in networks:
        network.layers[1].bias = np.full(5, 0.1, np.float32)
    joined = recipes.side_by_side(networks)
    assert [layer.outputs for layer in joined.layers] == [21, 15, 10]
    images = not_digits.images("letters", 20, 1)
    mean = np.mean([network.logits(images) for network in networks], axis=0)
    np.testing.assert_allclose(joined.logits(images), mean, atol=1e-5)
    assert recipes.side_by_side(networks[:1]) is networks[0]
    for wrong in ([], [networks[0], dn.Network([784, 7, 10])]):
        with pytest.raises(dn.ArgumentError, match="all with the same layers"):
            recipes.side_by_side(wrong)


@pytest.fixture
def members_file(recipe_file):
    """The recipe with two members that learn apart and then together, on MNIST alone."""
    file, folder = recipe_file
    recipe = json.loads(file.read_text())
    recipe["data"] = {"mnist_validation": 500}
    recipe["members"] = 2
    recipe["phases"][1]["epochs"] = 2
    recipe["together"] = [{"epochs": 1, "optimizer": {"name": "adam", "learning_rate": 0.0005}}]
    file.write_text(json.dumps(recipe))
    return file, folder


def test_a_recipe_goes_on_where_its_runs_end(members_file, tmp_path):
    file, folder = members_file
    recipe = recipes.load(str(file))
    whole = recipes.make(recipe, folder)
    assert [layer.outputs for layer in whole.layers] == [24, 10]
    run = tmp_path / "run"
    recipes.train_member(recipe, recipes.gather(recipe, folder), 1, run=run)  # as another process may

    def fall(report):
        if (run / "member-1-phase-2").exists():
            raise KeyError(report.epoch)

    with pytest.raises(KeyError):  # after the first epoch of the second phase
        recipes.make(recipe, folder, run=run, on_epoch=fall)
    made = recipes.make(recipe, folder, run=run)
    assert made.to_bytes() == whole.to_bytes()
    parts = [f"member-{member}-phase-{phase}" for member in (1, 2) for phase in (1, 2)]
    assert sorted(path.name for path in run.iterdir()) == [*parts, "together-phase-1"]
    assert all(each.state() == "done" for each in dn.find_runs(run))
    more = {**recipe, "members": 3}  # to members it is all the same how many others there are
    recipes.train_member(more, recipes.gather(more, folder), 1, run=run, on_epoch=fall)
    fewer = {**recipe, "phases": recipe["phases"][:1]}  # and to a phase, what comes later
    recipes.train_member(fewer, recipes.gather(fewer, folder), 1, run=run, on_epoch=fall)
    with pytest.raises(dn.ArgumentError, match="together-phase-1 is a run of another recipe"):
        recipes.make(more, folder, run=run)


def test_a_run_of_another_recipe_is_refused(members_file, tmp_path, capsys):
    file, folder = members_file
    words = ["train", "--recipe", str(file), "--data", str(folder), "--quiet"]
    words += ["--run", str(tmp_path / "run"), "--output", str(tmp_path / "model.safetensors")]
    assert main(words) == 0
    recipe = json.loads(file.read_text())
    recipe["seed"] += 1
    file.write_text(json.dumps(recipe))
    assert main(words) == 2
    assert "is a run of another recipe" in capsys.readouterr().err


def test_the_record_is_made_of_what_the_library_takes():
    """It takes hours, so here it is followed with few samples, small layers and few epochs."""
    recipe = recipes.load("record")
    recipe["hidden"] = [32 for _ in recipe["hidden"]]
    recipe["data"]["mnist_validation"] = 1000
    for phase in recipe["phases"]:
        phase["epochs"] = 4
    network = recipes.make(recipe, SAMPLE)
    assert [layer.outputs for layer in network.layers] == [32] * len(recipe["hidden"]) + [10]
    assert network.evaluate(dn.load_mnist(SAMPLE).test).accuracy > 0.8


def test_a_class_is_folded_into_the_others():
    network = dn.Network([784, 7, 11], seed=1)
    images = not_digits.images("letters", 20, 1)
    folded = recipes.without_class(network, 10)
    logits, rest = network.logits(images), folded.logits(images)
    np.testing.assert_allclose(rest, logits[:, :10] - logits[:, 10:], atol=1e-5)
    odds = np.log(network.predict_proba(images)[:, :10].sum(axis=1) / network.predict_proba(images)[:, 10])
    np.testing.assert_allclose(np.log(np.exp(rest).sum(axis=1)), odds, atol=1e-4)


def test_a_class_that_is_not_there_cannot_be_folded():
    with pytest.raises(dn.ArgumentError, match="class 10 of 10"):
        recipes.without_class(dn.Network([4, 10]), 10)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda recipe: recipe.pop("seed"), "no key 'seed'"),
        (lambda recipe: recipe.update(sede=1), "key 'sede'.*did you mean 'seed'|key 'sede'"),
        (lambda recipe: recipe["data"].update(mnits=1), "key 'mnits'"),
        (lambda recipe: recipe["data"].update(drawings=["x"]), "str, expected an object"),
        (lambda recipe: recipe["data"].update(thick={"drawings": 1}), "thick: no key 'brushes'"),
        (
            lambda recipe: recipe["data"].update(thick={"brushes": [0, 1]}),
            r"thick: brushes \[0, 1\], expected",
        ),
        (lambda recipe: recipe["data"].update(thick={"brushes": 0.2}), r"brushes 0.2, expected"),
        (lambda recipe: recipe["data"].update(thick={"brushes": [0.1, 0.2], "drawings": "x"}), "drawings x"),
        (
            lambda recipe: recipe["data"].update(thick={"brushes": [0.1, 0.2], "not_digits": 2}),
            "not_digits 2",
        ),
        (lambda recipe: recipe["data"].update(varied={"drawings": 2}), "varied: no key 'pens'"),
        (lambda recipe: recipe["data"].update(varied={"pens": [2, 1]}), r"varied: pens \[2, 1\], expected"),
        (lambda recipe: recipe["data"].update(varied={"pens": [1, 2], "drawings": 0.5}), "drawings 0.5"),
        (lambda recipe: recipe["data"].update(varied={"pens": [1, 2], "drawing": 1}), "key 'drawing'"),
    ],
)
def test_a_wrong_recipe_is_told(recipe_file, change, message):
    file, _ = recipe_file
    recipe = json.loads(file.read_text())
    change(recipe)
    file.write_text(json.dumps(recipe))
    with pytest.raises(dn.FormatError, match=message):
        recipes.load(str(file))


def test_a_recipe_that_is_not_there_is_told(tmp_path):
    with pytest.raises(dn.ArgumentError, match="recipe 'recogniser', expected one of recognizer"):
        recipes.load("recogniser")
    with pytest.raises(dn.IoError, match=r"none\.json"):
        recipes.load(str(tmp_path / "none.json"))
    bad = tmp_path / "bad.json"
    for content, message in (
        (b"{", "byte 1 is not as JSON should be"),
        (b"\xff", "byte 0 is not UTF-8"),
        (b"[" * 100_000, "nested deeper than 64 levels"),
        (b'{"seed": 1, "seed": 2}', 'the key "seed" stands twice in one object'),
    ):
        bad.write_bytes(content)
        with pytest.raises(dn.FormatError, match=rf"^recipe: .*bad\.json: {message}$"):
            recipes.load(str(bad))


def test_options_of_the_recipe_are_refused_beside_it(capsys):
    assert main(["train", "--recipe", "recognizer", "--hidden", "12"]) == 2
    assert "--hidden with --recipe" in capsys.readouterr().err


def test_a_missing_set_of_strokes_is_told_before_the_training(recipe_file, capsys, tmp_path):
    file, folder = recipe_file
    (folder / "ones.jsonl").unlink()
    output = tmp_path / "none.safetensors"
    assert main(["train", "--recipe", str(file), "--data", str(folder), "--output", str(output)]) == 3
    assert "there is no ones.jsonl in" in capsys.readouterr().err
    assert not output.exists()


def test_the_shipped_model_was_made_by_the_recipe_of_this_version():
    model = dn.shipped_model()
    assert Path(model).stat().st_size <= 2_500_000
    provenance = json.loads(dn.Network.load(model).metadata["provenance"])
    defaults = {key: default for key, default in recipes.KEYS.items() if default is not None}
    assert {**defaults, **provenance["recipe"]} == recipes.load("recognizer")


def test_the_shipped_model_reads_mnist_and_refuses_the_rest():
    recognizer = dn.Recognizer()
    test = dn.load_mnist(SAMPLE).test
    read = [recognizer.recognize(image) for image in test.images]
    right = [one.top(1)[0][0] == label for one, label in zip(read, test.labels)]
    assert np.mean(right) >= 0.985
    taken = [recognizer.recognize(image).digit is not None for image in not_digits.images("letters", 300, 5)]
    assert np.mean(taken) <= 0.05
    assert recognizer.recognize(np.full((100, 100), 255, np.uint8)).status == "empty"
    assert recognizer.recognize(np.zeros((100, 100), np.uint8)).digit is None
    assert recognizer.recognize([[[50, 50]]]).digit is None
