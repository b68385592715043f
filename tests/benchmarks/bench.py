"""Measures digitnet beside its peers, by turns in one run, and says which goals are reached.

    bench.py [--only WORD ...] [--quick] [--json FILE]

Each figure is the median of several repetitions in which digitnet and the peers take turns; the ratio is the
median of the ratios of the repetitions, and says how many times as fast digitnet is. A peer that is not
installed is left out. What is measured and the goals are in workloads.py; docs/performance.md explains both.
"""

from __future__ import annotations

import argparse
import fcntl
import json
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import instructions
import machine
from measure import OPTIONAL_PEERS, Row, compare
from workloads import Bench, Workers


def say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)


def figure(value: float | None) -> str:
    if value is None:
        return ""
    if value >= 10000:
        return f"{value / 1000:.0f} k"
    return f"{value:.0f}" if value >= 1000 else f"{value:.3g}"


def table(rows: list[Row]) -> str:
    """Lines of text, columns aligned."""
    cells = [("workload", "unit", "digitnet", "peer", "its figure", "ratio", "goal", "")]
    for row in rows:
        ratio = "" if row.ratio is None else f"{row.ratio:.2f}"
        mark = {True: "reached", False: "NOT reached", None: ""}[row.reached]
        peer = row.peer or ""
        own, theirs = figure(row.digitnet), figure(row.peer_value)
        cells.append((row.workload, row.unit, own, peer, theirs, ratio, row.goal or "", mark))
    widths = [max(len(line[column]) for line in cells) for column in range(len(cells[0]))]
    right = {2, 4, 5}
    return "\n".join(
        "  ".join(
            text.rjust(width) if column in right else text.ljust(width)
            for column, (text, width) in enumerate(zip(line, widths))
        ).rstrip()
        for line in cells
    )


def progress(row: Row) -> str:
    """What is known already, in case the run is not finished."""
    text = f"digitnet {figure(row.digitnet)}"
    if row.peer:
        text += f", {row.peer} {figure(row.peer_value)}"
    if row.ratio is not None:
        text += f", ratio {row.ratio:.2f}"
    return text + (f" ({row.setting})" if row.setting else "")


@contextmanager
def alone(lock: Path | None) -> Iterator[None]:
    """Holds a lock that others who use this machine take as well, if there is one."""
    if lock is None:
        yield
        return
    with lock.open("w") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def run_parts(program: str, quick: bool) -> list[dict[str, object]]:
    """The parts one by one, by Google Benchmark, whose table goes to stderr."""
    seconds = "0.01" if quick else "0.3"
    with tempfile.NamedTemporaryFile(suffix=".json") as file:
        command = [program, f"--benchmark_min_time={seconds}", f"--benchmark_out={file.name}"]
        subprocess.run([*command, "--benchmark_out_format=json"], stdout=sys.stderr, check=True)
        return json.load(file)["benchmarks"]


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--json", type=Path, help="write the results to this file")
    parser.add_argument(
        "--only", nargs="+", help="workloads whose name contains one of these; also: parts, instructions"
    )
    parser.add_argument("--list", action="store_true", help="print the names of all workloads")
    parser.add_argument(
        "--quick", action="store_true", help="one short repetition, to see that everything works"
    )
    parser.add_argument("--seconds", type=float, help="of each repetition (default: 1.2)")
    parser.add_argument("--repetitions", type=int, help="default: 5")
    parser.add_argument(
        "--with", dest="peers", nargs="*", help=f"peers to run, of {', '.join(OPTIONAL_PEERS)} (default: all)"
    )
    parser.add_argument(
        "--peer-python", default="/usr/bin/python3", help="the Python that has PyTorch and scikit-learn"
    )
    parser.add_argument("--data", help="folder with the four MNIST files (default: see docs/data.md)")
    parser.add_argument(
        "--programs", type=Path, default=machine.programs_folder(), help="where the programs were built"
    )
    parser.add_argument(
        "--lock", type=Path, help="hold this file's lock while measuring, on a machine that others use"
    )
    return parser.parse_args()


def main() -> None:
    """Measures, prints the table, writes the JSON."""
    options = parse()
    seconds = options.seconds or (0.05 if options.quick else 1.2)
    repetitions = options.repetitions or (1 if options.quick else 5)
    core = machine.choose_openblas_core()
    if core is not None:
        say(f"OPENBLAS_CORETYPE={core} for everybody: OpenBLAS takes this processor for an older one")

    def wanted(name: str) -> bool:
        return options.only is None or any(word in name for word in options.only)

    rows: list[Row] = []
    remarks: list[str] = []
    results: dict[str, object] = {"machine": machine.describe()}
    with tempfile.TemporaryDirectory(prefix="digitnet-bench-") as folder:
        data = (
            (Path(), Path())
            if options.list
            else machine.prepare_data(machine.find_mnist(options.data), Path(folder))
        )
        workers = Workers(options.peer_python)
        workloads = Bench(workers, options.programs, *data, options.quick).all()
        if options.list:
            print("\n".join([*(workload.name for workload in workloads), "parts", "instructions"]))
            return
        try:
            for workload in workloads:
                if not wanted(workload.name):
                    continue
                say(workload.name)
                with alone(options.lock):
                    new = compare(workload, seconds, repetitions, say, options.peers)
                rows += new
                for row in new:
                    say(f"  {progress(row)}")
                if workload.remark is not None:
                    remarks.append(f"{workload.name}: {workload.remark()}")
        finally:
            workers.close()
        results["peers"] = workers.names
    if wanted("parts"):
        say("parts")
        with alone(options.lock):
            results["parts"] = run_parts(
                machine.require_program(options.programs, "bench_parts"), options.quick
            )
    if wanted("instructions"):
        say("instructions")
        if machine.has("valgrind"):
            with alone(options.lock):
                counts = instructions.count_all(
                    machine.require_program(options.programs, "count_instructions")
                )
            results["instructions"] = counts
        else:
            say("  left out: valgrind is not installed")
    results["rows"] = [row.as_json() for row in rows]
    if rows:
        print(table(rows))
        print("\n".join(remarks))
    if "instructions" in results:
        print(instructions.table(results["instructions"], {}))
    if options.json:
        options.json.write_text(json.dumps(results, indent=2) + "\n")


if __name__ == "__main__":
    main()
