"""How fast the timeline moves, measured in the page: python tests/web/timeline_speed.py URL [--frames N]

Takes the address of a run's page. Drags the slider through all checkpoints and back, one step a frame, by
requestAnimationFrame, with every card of the timeline on the page. Prints the time from one frame to the
next, what the scripts of a frame took, and the processor time of the main thread (with style, layout and
paint), in milliseconds. Chromium is headless, without a GPU.
"""

import argparse
import json
import shutil

from playwright.sync_api import sync_playwright

DRAG = """async (frames) => {
  const { frameLog } = await import(document.querySelector('script[src*="timeline.js"]').src);
  const slider = document.querySelector("[data-testid=timeline]");
  const last = Number(slider.max);
  const passed = new Float64Array(frames);
  frameLog.count = 0;
  let then = null;
  let step = 0;
  await new Promise((done) => {
    const tick = (now) => {
      if (then !== null) passed[step - 1] = now - then;
      then = now;
      if (step === frames) return done();
      const at = step % (2 * last);
      slider.value = at <= last ? at : 2 * last - at;
      slider.dispatchEvent(new Event("input"));
      step += 1;
      requestAnimationFrame(tick);
    };
    requestAnimationFrame(tick);
  });
  const work = [...frameLog.work.subarray(0, Math.min(frameLog.count, frameLog.work.length))];
  return { passed: [...passed], work };
}"""


def quantile(values, share):
    """The value that a share of them is at most."""
    return sorted(values)[min(len(values) - 1, int(share * len(values)))]


def measure(page, frames):
    """Drags for so many frames; numbers by name."""
    devtools = page.context.new_cdp_session(page)
    devtools.send(
        "Performance.enable", {"timeDomain": "threadTicks"}
    )  # processor time: others work here, too

    def metrics():
        return {each["name"]: each["value"] for each in devtools.send("Performance.getMetrics")["metrics"]}

    before = metrics()
    told = page.evaluate(DRAG, frames)
    after = metrics()

    def each_frame(name):
        return round(1000 * (after[name] - before[name]) / frames, 2)

    passed, work = told["passed"], told["work"]
    return {
        "frames": frames,
        "frames a second": round(1000 * len(passed) / sum(passed), 1),
        "frame to frame, median": round(quantile(passed, 0.5), 2),
        "frame to frame, p95": round(quantile(passed, 0.95), 2),
        "script of a frame, median": round(quantile(work, 0.5), 2),
        "script of a frame, p95": round(quantile(work, 0.95), 2),
        "main thread a frame, processor time": each_frame("TaskDuration"),
        "of it style and layout": round(each_frame("RecalcStyleDuration") + each_frame("LayoutDuration"), 2),
        "heap grown, kB": round((after["JSHeapUsedSize"] - before["JSHeapUsedSize"]) / 1000),
    }


def main():
    """Opens the page, waits until all is fetched, drags plainly and while two are compared."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("url")
    parser.add_argument("--frames", type=int, default=600)
    options = parser.parse_args()
    path = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=path, args=["--no-sandbox", "--disable-gpu"])
        page = browser.new_page(viewport={"width": 1440, "height": 900})
        page.goto(options.url)
        page.wait_for_selector('#timeline[data-shown^="epoch"]')
        page.wait_for_load_state("networkidle")
        page.get_by_test_id("timeline").scroll_into_view_if_needed()
        units = page.get_by_test_id("weight-images").get_attribute("aria-label")
        steps = int(page.get_by_test_id("timeline").get_attribute("max")) + 1
        print(json.dumps({"checkpoints": steps, "shown": units}))
        measure(page, 60)
        print(json.dumps({"one": measure(page, options.frames)}, indent=1))
        page.get_by_test_id("compare").click()
        measure(page, 60)
        print(json.dumps({"two compared": measure(page, options.frames)}, indent=1))
        browser.close()


if __name__ == "__main__":
    main()
