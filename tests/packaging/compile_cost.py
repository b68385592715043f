"""compile_cost.py COMPILER SOURCE FOLDER: what it costs to compile the smallest program that uses digitnet.

Compared with a file that holds the includes of xtensor and xtensor-blas in tensor.hpp and nothing else.
Best of three, taken in turn. The aim is 1.3 times the time and memory; time fails only above 1.5, since
machines are noisy, memory above 1.3.
"""

import os
import subprocess
import sys
from pathlib import Path

AIM, TIME_LIMIT, MEMORY_LIMIT, ROUNDS = 1.3, 1.5, 1.3, 3


def compile_once(compiler: str, source: Path, include: Path) -> tuple[float, float]:
    """Seconds of processor time and MiB at the most, for one `-std=c++20 -O2 -c`."""
    command = [compiler, "-std=c++20", "-O2", "-c", f"-I{include}", str(source), "-o", f"{source}.o"]
    process = subprocess.Popen(command)
    status, usage = os.wait4(process.pid, 0)[1:]
    if status != 0:
        sys.exit(f"compile_cost: failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def bare_includes(header: Path) -> str:
    """The preprocessor lines of tensor.hpp that choose and include xtensor and xtensor-blas."""
    lines = [line for line in header.read_text().splitlines() if line.startswith("#")]
    return "\n".join(line for line in lines if "xtensor" in line or line in ("#else", "#endif")) + "\n"


def main() -> None:
    """Measures, prints both, and fails above the limits."""
    compiler, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    files = {"includes": folder / "bare_includes.cpp", "program": folder / "program.cpp"}
    files["includes"].write_text(bare_includes(source / "include/digitnet/tensor.hpp"))
    files["program"].write_text((source / "tests/packaging/find_package/main.cpp").read_text())

    best = {name: (float("inf"), float("inf")) for name in files}
    for _ in range(ROUNDS):
        for name, file in files.items():
            seconds, memory = compile_once(compiler, file, source / "include")
            best[name] = (min(best[name][0], seconds), min(best[name][1], memory))

    for name, (seconds, memory) in best.items():
        print(f"{name:9s} {seconds:6.2f} s {memory:6.0f} MiB")
    time_ratio, memory_ratio = (best["program"][i] / best["includes"][i] for i in (0, 1))
    print(f"ratio     {time_ratio:6.2f}   {memory_ratio:6.2f}       (aim: at most {AIM} for both)")
    if time_ratio > TIME_LIMIT or memory_ratio > MEMORY_LIMIT:
        sys.exit(f"compile_cost: above the limit, {TIME_LIMIT} for time and {MEMORY_LIMIT} for memory")


if __name__ == "__main__":
    main()
