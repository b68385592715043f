"""Ten minutes of use: 20 readings a second, one training after another, ten event streams.

soak.py [--seconds 600]: prints the server's memory every half minute. Exit code 0 if at the end it is within
5 % of what it was after a fifth of the time, and every call was answered.
"""

import argparse
import http.client
import itertools
import json
import statistics
import sys
import tempfile
import threading
import time
from pathlib import Path

from serving import TESTS, Server

import digitnet as dn

READINGS, STREAMS = 20, 10  # a second; at once
RUN = {"layers": [64], "epochs": 3, "learning_rate": 0.003, "dataset": "mnist"}


def memory(process):
    """Resident bytes of a process, by /proc."""
    line = next(
        line for line in Path(f"/proc/{process}/status").read_text().splitlines() if line.startswith("VmRSS")
    )
    return int(line.split()[1]) * 1024


class Use:
    """What the threads share: counts, what went wrong, and whether it is over."""

    def __init__(self, server):
        self.server = server
        self.over = threading.Event()
        self.counts = {"readings": 0, "runs": 0, "events": 0}
        self.problems = []
        self.seconds = []
        self.run_id = None

    def guard(self, work, *words):
        def call():
            try:
                work(*words)
            except Exception as error:  # told at the end
                self.problems.append(f"{work.__name__}: {error!r}")

        thread = threading.Thread(target=call, daemon=True)
        thread.start()
        return thread

    def read(self, drawings):
        connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=30)
        due = time.monotonic()
        for drawing in itertools.cycle(drawings):
            due += 1 / READINGS
            if self.over.wait(max(0, due - time.monotonic())):
                return
            begin = time.perf_counter()
            connection.request("POST", "/api/recognize", drawing, {"Content-Type": "application/json"})
            answer = connection.getresponse()
            content = answer.read()
            self.seconds.append(time.perf_counter() - begin)
            if answer.status != 200:
                self.problems.append(f"reading: {answer.status} {content[:200]!r}")
            self.counts["readings"] += 1

    def train(self):
        client = self.server.client()
        for seed in itertools.count(1):
            status, answer = client.ask("api/runs", {**RUN, "seed": seed})
            if status == 429:
                if self.over.wait(2):
                    return
                continue
            if status != 201:
                self.problems.append(f"start: {status} {answer}")
                return
            self.run_id = answer["id"]
            while True:
                if self.over.wait(0.5):
                    return
                state = client.ask(f"api/runs/{self.run_id}")[1]["state"]
                if state not in ("queued", "starting", "running"):
                    break
            if state != "done":
                self.problems.append(f"run {self.run_id}: {state}")
            self.counts["runs"] += 1

    def follow(self):
        while not self.over.is_set():
            run_id = self.run_id
            if run_id is None:
                time.sleep(0.2)
                continue
            connection = http.client.HTTPConnection("127.0.0.1", self.server.port, timeout=90)
            connection.request("GET", f"/api/runs/{run_id}/events", headers={"Accept": "text/event-stream"})
            answer = connection.getresponse()
            if answer.status == 503:  # as many as it serves at once
                time.sleep(1)
            elif answer.status != 200:
                self.problems.append(f"stream: {answer.status} {answer.read()[:200]!r}")
            else:
                for line in answer:
                    if line.startswith(b"data:"):
                        self.counts["events"] += 1
                    if self.over.is_set() or self.run_id != run_id:
                        break
            connection.close()


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    parser.add_argument("--seconds", type=int, default=600)
    seconds = parser.parse_args().seconds
    drawings = [
        json.dumps(
            {"strokes": [stroke.tolist() for stroke in each.strokes], "width": 400, "height": 400}
        ).encode()
        for each in dn.read_drawings(TESTS / "data" / "strokes" / "digits.jsonl")
    ]
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder))
        use = Use(server)
        threads = [use.guard(use.read, drawings), use.guard(use.train)]
        threads += [use.guard(use.follow) for _ in range(STREAMS)]
        begin = time.monotonic()
        kept = []
        while (now := time.monotonic() - begin) < seconds and not use.problems:
            kept.append((now, memory(server.process.pid)))
            if len(kept) % 30 == 1:
                print(f"{now:5.0f} s  {kept[-1][1] / 2**20:6.1f} MiB  {use.counts}", flush=True)
            time.sleep(1)
        use.over.set()
        for thread in threads:
            thread.join(10)
        server.stop()
        if "Traceback" in server.errors():
            use.problems.append(server.errors())
    early = statistics.median(size for now, size in kept if 0.18 * seconds <= now <= 0.22 * seconds)
    late = statistics.median(size for now, size in kept if now >= 0.96 * seconds)
    times = sorted(use.seconds)
    middle, slowest = (times[len(times) * share // 100] * 1e3 for share in (50, 99))
    print(f"readings {len(times)}: p50 {middle:.1f} ms, p99 {slowest:.1f} ms")
    print(
        f"memory after a fifth of the time {early / 2**20:.1f} MiB, at the end {late / 2**20:.1f} MiB", end=""
    )
    print(f": {late / early - 1:+.1%}")
    for problem in use.problems[:20]:
        print(f"soak web: {problem}", file=sys.stderr)
    return 0 if not use.problems and late <= 1.05 * early else 1


if __name__ == "__main__":
    raise SystemExit(main())
