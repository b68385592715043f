"""A server for the tests of the web app, clients of it, and pages in which no error goes unseen."""

import json
import math
import os
import re
import shutil
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

TESTS = Path(__file__).resolve().parents[1]


CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-sync",
    "--disable-background-networking",
    "--disable-component-update",
]


PATIENCE = 60_000  # milliseconds that a page is waited for: enough on a busy machine, too
DESKTOP, PHONE = {"width": 1440, "height": 900}, {"width": 390, "height": 844}


class Server:
    """`digitnet serve` in a process of its own, with folders of its own and the sample of MNIST."""

    def __init__(self, folder, *words, environment=None):
        self.folder = folder
        self.runs = folder / "runs"
        self.data = folder / "data"
        if not self.data.exists():
            self.data.mkdir(parents=True)
            for name in ("mnist", "fashion-mnist"):  # both the sample: what is tested is the app
                shutil.copytree(TESTS / "data" / "mnist-sample", self.data / name)
        self.words = words
        self.environment = {
            **os.environ,
            "DIGITNET_STATE_DIR": str(folder / "state"),
            "DIGITNET_RUNS_DIR": str(self.runs),
            "DIGITNET_DATA_DIR": str(self.data),
            "XDG_CACHE_HOME": str(folder / "cache"),  # what this machine has fetched does not count
            "DIGITNET_OFFLINE": "1",
            **(environment or {}),
        }
        self.environment.pop("DIGITNET_MODEL", None)
        self.process = None
        self.start()

    def start(self, port=0):
        self.log = (self.folder / "server.log").open("ab")
        command = [sys.executable, "-m", "digitnet", "serve", "--port", str(port), *self.words]
        self.process = subprocess.Popen(
            command, stdout=subprocess.PIPE, stderr=self.log, env=self.environment, text=True
        )
        line = self.process.stdout.readline()
        found = re.match(r"digitnet: (http://\S+:(\d+)/)(?:\?token=(\S+))?", line)
        assert found, f"the server said {line!r}; its log: {self.errors()}"
        self.port = int(found[2])
        self.url = f"http://127.0.0.1:{self.port}/"
        self.token = found[3]
        deadline = time.monotonic() + 60
        while True:  # it listens already; this waits until it answers
            try:
                urllib.request.urlopen(self.url + "healthz", timeout=10).close()
            except OSError:
                assert time.monotonic() < deadline, self.errors()
                time.sleep(0.05)
            else:
                break

    def stop(self):
        if self.process is None:
            return
        self.process.terminate()
        self.process.wait(30)
        self.process.stdout.close()
        self.log.close()
        self.process = None

    def restart(self):
        self.stop()
        self.start()

    def errors(self):
        return (self.folder / "server.log").read_text()

    def client(self):
        return Client(self.url)


class Client:
    """Asks the API as a script would: (status, answer)."""

    def __init__(self, url):
        self.url = url
        with urllib.request.urlopen(url, timeout=30) as page:
            self.cookie = page.headers["Set-Cookie"].split(";")[0]

    def ask(self, path, body=None, *, method=None, headers=None, raw=None):
        data = raw if raw is not None else None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.url + path, data=data, method=method)
        request.add_header("Accept", "application/json")
        if data is not None:
            request.add_header("Content-Type", "application/json")
        request.add_header("Cookie", self.cookie)
        request.add_header("X-CSRFToken", self.cookie.partition("=")[2])
        for name, value in (headers or {}).items():
            request.add_header(name, value)
        try:
            with urllib.request.urlopen(request, timeout=60) as answer:
                return answer.status, _decoded(answer)
        except urllib.error.HTTPError as error:
            with error:
                return error.code, _decoded(error)


def _decoded(answer):
    content = answer.read()
    return json.loads(content) if "json" in (answer.headers["Content-Type"] or "") else content


def chromium_path():
    for name in ("chromium", "chromium-browser", "google-chrome"):
        path = shutil.which(name)
        if path:
            return path
    return None


class Visit:
    """Contexts of the browser in which nothing may go wrong unseen."""

    def __init__(self, browser, server):
        self.browser, self.server = browser, server
        self.contexts, self.problems, self.allowed = [], [], []

    def page(self, path="", **options):
        options.setdefault("viewport", DESKTOP)
        context = self.browser.new_context(base_url=self.server.url, **options)
        self.contexts.append(context)
        context.set_default_timeout(PATIENCE)
        page = context.new_page()
        self.watch(page)
        page.goto(path)
        return page

    def watch(self, page):
        page.on(
            "console",
            lambda message: self._note("console", message.text, message.type in ("error", "warning")),
        )
        page.on("pageerror", lambda error: self._note("error", str(error), True))
        page.on("request", lambda request: self._note("request", request.url, self._is_foreign(request.url)))

    def allow(self, pattern):
        """A refusal that the test provokes; Chromium logs it as an error."""
        self.allowed.append(pattern)

    def _is_foreign(self, url):
        return not url.startswith((self.server.url.rstrip("/"), "data:", "blob:"))

    def _note(self, kind, text, is_problem):
        if is_problem and not any(re.search(pattern, text) for pattern in self.allowed):
            self.problems.append(f"{kind}: {text}")

    def close(self):
        for context in self.contexts:
            context.close()
        assert not self.problems, self.problems


def require_accessible(page, context=None):
    """No violation of any rule of axe in the light theme, nor of one about colours in the dark theme.

    The page should have been opened with reduced_motion="reduce", so that no colour is on its way to another.
    """
    from axe_playwright_python.sync_playwright import Axe

    colours = {"runOnly": {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}}
    for theme, options in (("light", None), ("dark", colours)):
        page.emulate_media(color_scheme=theme)
        page.locator(f"html[data-theme={theme}]").wait_for()
        report = Axe().run(page, context=context, options=options)
        assert report.violations_count == 0, f"{theme}: {report.generate_report()}"
    page.emulate_media(color_scheme="light")


def draw(page, strokes, *, box=None, testid="canvas"):
    """Draws strokes ([[x, y], ...] in [0, 1]) with the mouse onto the canvas, or a box of it."""
    place = page.get_by_test_id(testid).bounding_box()
    left, top, size = box or (0, 0, 1)

    def at(point):
        x, y = (left + point[0] * size), (top + point[1] * size)
        return place["x"] + x * place["width"], place["y"] + y * place["height"]

    for stroke in strokes:
        page.mouse.move(*at(stroke[0]))
        page.mouse.down()
        for point in stroke[1:]:
            page.mouse.move(*at(point))
        page.mouse.up()


def fitted(drawing, margin=0.15, apart=0.06):
    """The strokes of a Drawing in [0, 1], in the middle, the larger side 1 - 2 * margin.

    Points nearer than `apart` to the one before are left out, but for the last: each costs the page a frame.
    """
    points = [point for stroke in drawing.strokes for point in stroke.tolist()]
    xs, ys = [p[0] for p in points], [p[1] for p in points]
    size = max(max(xs) - min(xs), max(ys) - min(ys)) or 1
    scale = (1 - 2 * margin) / size
    left = 0.5 - scale * (min(xs) + max(xs)) / 2
    top = 0.5 - scale * (min(ys) + max(ys)) / 2
    strokes = []
    for stroke in drawing.strokes:
        places = [(left + scale * x, top + scale * y) for x, y in stroke.tolist()]
        kept = places[:1]
        for place in places[1:-1]:
            if math.dist(place, kept[-1]) >= apart:
                kept.append(place)
        strokes.append(kept + places[1:][-1:])
    return strokes


def spoil_other_epochs(run):
    """Has the events of a run say that each epoch but the one kept had an accuracy of 1; returns that one."""
    kept = run.best.epoch
    file = run.directory / "events.jsonl"
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    for line in lines:
        if line["type"] == "epoch" and line["epoch"] != kept:
            line["validation_accuracy"] = 1.0  # while its loss was the higher one
    file.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return kept
