"""Replays real pen strokes with the mouse onto the Draw page, at random places and sizes.

    python tests/web/replay_strokes.py data/uji-digits/uji-digits.jsonl.gz --count 200

Tells how many are read correctly, how many the library reads of the same drawings, and how long it takes from
the end of a stroke until the digit is on the screen.
"""

import argparse
import json
import tempfile
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from serving import DESKTOP, Server, chromium_path, draw, fitted

import digitnet as dn

# From pointerup until the frame with the answer was handed to the screen: a message posted in a frame comes
# after the frame was painted.
WATCH = """() => {
  window.latencies = [];
  let released = null;
  addEventListener("pointerup", () => (released = performance.now()), true);
  const painted = new MessageChannel();
  painted.port1.onmessage = () => {
    if (released !== null) window.latencies.push(performance.now() - released);
    released = null;
  };
  const reading = document.querySelector("[data-part=reading]");
  new MutationObserver(() => requestAnimationFrame(() => painted.port2.postMessage(0)))
    .observe(reading, { attributeFilter: ["data-answer"] });
}"""
ANSWERS = "Number(document.querySelector('[data-part=reading]').dataset.answer ?? 0)"


@dataclass
class Replayed:
    """What the page read (digits or None), what was drawn on it, and the milliseconds of each stroke."""

    read: list
    drawings: list
    latencies: list


def replay(page, drawings, seed):
    """Draws one after the other. One undo history, cleared before each."""
    rng = np.random.default_rng(seed)
    page.evaluate(WATCH)
    read, drawn = [], []
    for drawing in drawings:
        size = rng.uniform(0.25, 0.95)
        left, top = rng.uniform(0, 1 - size, 2)
        page.get_by_test_id("clear").click()
        before = page.evaluate(ANSWERS)
        strokes = fitted(drawing, margin=0.05, apart=0)
        for number, stroke in enumerate(strokes):
            draw(page, [stroke], box=(left, top, size))
            page.locator(f"[data-part=reading][data-answer='{before + number + 1}']").wait_for()
        text = page.get_by_test_id("prediction").text_content()
        read.append(int(text) if text else None)
        drawn.append(json.loads(page.evaluate("localStorage.getItem('digitnet-drawing')")))
    return Replayed(read, drawn, page.evaluate("window.latencies"))


def correct(read, drawings):
    return sum(digit == drawing.label for digit, drawing in zip(read, drawings, strict=True))


def main():
    parser = argparse.ArgumentParser(description="replays pen strokes with the mouse onto the Draw page")
    parser.add_argument("strokes", help="file of labelled drawings, as dn.read_drawings takes it")
    parser.add_argument("--count", type=int, default=200)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    from playwright.sync_api import sync_playwright

    drawings = dn.read_drawings(options.strokes)
    chosen = np.random.default_rng(options.seed).permutation(len(drawings))[: options.count]
    drawings = [drawings[index] for index in chosen]
    recognizer = dn.Recognizer()
    by_library = correct([recognizer.recognize(drawing).digit for drawing in drawings], drawings)
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        server = Server(Path(folder))
        try:
            flags = ["--no-sandbox", "--disable-gpu"]
            browser = playwright.chromium.launch(executable_path=chromium_path(), args=flags)
            page = browser.new_page(viewport=DESKTOP)
            page.goto(server.url)
            replayed = replay(page, drawings, options.seed)
            browser.close()
        finally:
            server.stop()
    latencies = replayed.latencies
    p50, p95, p99 = np.percentile(latencies, [50, 95, 99])
    by_page = correct(replayed.read, drawings)
    print(f"{len(drawings)} drawings, read correctly: {by_page} in the page, {by_library} by the library")
    times = f"p50 {p50:.1f}, p95 {p95:.1f}, p99 {p99:.1f} ms"
    print(f"{len(latencies)} strokes, from their end to the screen: {times}")


if __name__ == "__main__":
    main()
