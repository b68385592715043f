"""How fast POST /api/recognize answers: real drawings, one after another and many at once.

    python tests/web/recognize_speed.py data/uji-digits/uji-digits.jsonl.gz

Tells answers a second, their times, and the processor time of the server for each, which another load of the
machine changes least.
"""

import argparse
import asyncio
import json
import os
import tempfile
import time
from pathlib import Path

import numpy as np
from serving import Server

import digitnet as dn

WARM_UP = 50


def requests_for(path, port):
    """The bytes of a request for each of 200 drawings."""
    made = []
    for drawing in dn.read_drawings(path)[:200]:
        strokes = [stroke.tolist() for stroke in drawing.strokes]
        body = json.dumps({"strokes": strokes, "width": 2000, "height": 2000}).encode()
        head = (
            f"POST /api/recognize HTTP/1.1\r\nHost: 127.0.0.1:{port}\r\nContent-Length: {len(body)}\r\n\r\n"
        )
        made.append(head.encode() + body)
    return made


def processor_seconds(pid):
    fields = Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def ask(port, requests, count):
    """Times of `count` requests on one connection, in milliseconds."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    times = []
    for number in range(count):
        start = time.perf_counter()
        writer.write(requests[number % len(requests)])
        head = await reader.readuntil(b"\r\n\r\n")
        assert head.startswith(b"HTTP/1.1 200"), head
        length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length"))
        await reader.readexactly(int(length.split(b":")[1]))
        times.append(1000 * (time.perf_counter() - start))
    writer.close()
    return times


async def measure(server, requests, count, connections):
    await asyncio.gather(
        *[ask(server.port, requests, WARM_UP // connections + 1) for _ in range(connections)]
    )
    processor = processor_seconds(server.process.pid)
    start = time.perf_counter()
    parts = await asyncio.gather(
        *[ask(server.port, requests, count // connections) for _ in range(connections)]
    )
    seconds = time.perf_counter() - start
    times = np.concatenate(parts)
    own = 1000 * (processor_seconds(server.process.pid) - processor) / len(times)
    p50, p95 = np.percentile(times, [50, 95])
    print(
        f"{connections} at once: {len(times) / seconds:.0f} a second, "
        f"p50 {p50:.2f} ms, p95 {p95:.2f} ms, {own:.2f} ms of a processor each"
    )


def main():
    parser = argparse.ArgumentParser(description="measures POST /api/recognize")
    parser.add_argument("strokes", help="file of drawings, as dn.read_drawings takes it")
    parser.add_argument("--count", type=int, default=2000)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        server = Server(Path(folder), environment={"DIGITNET_RECOGNITIONS_PER_SECOND": "100000"})
        try:
            requests = requests_for(options.strokes, server.port)
            for connections in (1, 8, 200):
                asyncio.run(measure(server, requests, options.count, connections))
        finally:
            server.stop()


if __name__ == "__main__":
    main()
