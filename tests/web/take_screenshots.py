"""Takes the pictures of docs/images: every page as it is after a training on MNIST.

take_screenshots.py [FOLDER]: with data from DIGITNET_DATA_DIR, else the sample. --all takes each page at both
sizes, light and dark, as whole pages, to be looked at.
"""

import argparse
import io
import os
import tempfile
from pathlib import Path

from PIL import Image
from playwright.sync_api import sync_playwright
from serving import CHROMIUM_FLAGS, DESKTOP, PHONE, TESTS, Server, chromium_path, draw, fitted

import digitnet as dn

PAGES = {
    "draw": "",
    "network": "network/",
    "training": "training/",
    "timeline": "training/first/",
    "data": "data/",
    "models": "models/",
    "parameters": "parameters/",
    "graph": "graph/?model=run-first",
}
KEPT = [
    ("draw", "light"),
    ("network", "light"),
    ("timeline", "dark"),
    ("training", "light"),
    ("data", "light"),
]
COLOURS = 128  # of a picture that is kept, so that it stays small


def train(runs, data):
    """Three trainings to look at."""
    for name, hidden, optimizer in (("first", 128, "adamw"), ("wide", 400, "adamw"), ("plain", 64, "sgd")):
        network = dn.Network([784, hidden, 10], seed=1)
        run = dn.RunOptions(runs / name, keep_last=0, source={"name": "mnist", "directory": str(data)})
        dn.train(
            network,
            dn.load_mnist(data).train,
            validation=0.1,
            epochs=12 if name == "first" else 8,
            optimizer=optimizer,
            schedule="cosine",
            seed=1,
            run=run,
        )


def ready(page, name, strokes):
    """Brings a page to where it shows what it can do."""
    if name == "draw":
        draw(page, strokes)
        page.get_by_test_id("prediction").filter(has_text="5").wait_for()
    if name == "timeline":
        page.get_by_test_id("timeline").press("Home")
        for _ in range(6):
            page.get_by_test_id("timeline").press("ArrowRight")
    if name not in ("training", "timeline"):  # these have a stream that stays open
        page.wait_for_load_state("networkidle")
    page.wait_for_timeout(1500)
    page.mouse.move(0, 0)
    if name == "timeline":
        page.locator("#timeline").scroll_into_view_if_needed()
        page.evaluate("scrollBy(0, document.querySelector('#timeline').getBoundingClientRect().top - 16)")
        page.wait_for_timeout(500)


def shoot(page, path, **options):
    picture = Image.open(io.BytesIO(page.screenshot(**options))).convert("RGB")
    picture.quantize(COLOURS, dither=Image.Dither.NONE).save(path, optimize=True)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("folder", nargs="?", type=Path, default=TESTS.parent / "docs" / "images")
    parser.add_argument("--all", action="store_true")
    options = parser.parse_args()
    options.folder.mkdir(parents=True, exist_ok=True)
    drawings = dn.read_drawings(TESTS / "data" / "strokes" / "digits.jsonl")
    strokes = fitted(next(each for each in drawings if each.label == 5), margin=0.2, apart=0)
    given = os.environ.get("DIGITNET_DATA_DIR")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        environment = {"DIGITNET_DATA_DIR": given} if given else {}
        server = Server(Path(folder), environment=environment)
        train(server.runs, Path(given) if given else server.data)
        browser = playwright.chromium.launch(executable_path=chromium_path(), args=CHROMIUM_FLAGS)
        for scheme in ("light", "dark"):
            for size, viewport in (("desktop", DESKTOP), ("phone", PHONE)):
                context = browser.new_context(base_url=server.url, viewport=viewport, color_scheme=scheme)
                page = context.new_page()
                for name, address in PAGES.items():
                    is_kept = (name, scheme) in KEPT and size == "desktop"
                    if not options.all and not is_kept and name != "draw":  # the drawing is for all pages
                        continue
                    page.goto(address)
                    ready(page, name, strokes)
                    if options.all:
                        shoot(page, options.folder / f"{name}-{size}-{scheme}.png", full_page=True)
                    elif is_kept:
                        shoot(page, options.folder / f"{name}.png")
                context.close()
        browser.close()
        server.stop()


if __name__ == "__main__":
    main()
