"""compile_cost.py COMPILER SOURCE FOLDER: what it costs to compile the smallest program that uses digitnet.

Compared with two files that hold includes and nothing else: xtensor and xtensor-blas as people include them
(xtensor.hpp, xlinalg.hpp), and the fewer headers of theirs that tensor.hpp needs. Best of three, in turn.
The aim is at most 1.3 times the first, in processor time and memory. Both are printed; only memory, which is
the same every time, can fail.
"""

import os
import subprocess
import sys
from pathlib import Path

AIM, ROUNDS = 1.3, 3


def compile_once(compiler: str, source: Path, include: Path) -> tuple[float, float]:
    """Seconds of processor time and MiB at the most, for one `-std=c++20 -O2 -c`."""
    command = [compiler, "-std=c++20", "-O2", "-c", f"-I{include}", str(source), "-o", f"{source}.o"]
    process = subprocess.Popen(command)
    status, usage = os.wait4(process.pid, 0)[1:]
    if status != 0:
        sys.exit(f"compile_cost: failed: {' '.join(command)}")
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024


def needed_includes(header: Path) -> str:
    """The preprocessor lines of tensor.hpp that choose and include xtensor and xtensor-blas."""
    lines = [line for line in header.read_text().splitlines() if line.startswith("#")]
    return "\n".join(line for line in lines if "xtensor" in line or line in ("#else", "#endif")) + "\n"


def main() -> None:
    """Measures, prints both, and fails if the memory is above the aim."""
    compiler, source, folder = sys.argv[1], Path(sys.argv[2]), Path(sys.argv[3])
    folder.mkdir(parents=True, exist_ok=True)
    needed = needed_includes(source / "include/digitnet/tensor.hpp")
    texts = {
        "xtensor": needed + "#include <xtensor-blas/xlinalg.hpp>\n",
        "needed": needed,
        "program": (source / "tests/packaging/find_package/main.cpp").read_text(),
    }
    best = {name: (float("inf"), float("inf")) for name in texts}
    for name, text in texts.items():
        (folder / f"{name}.cpp").write_text(text)
    for _ in range(ROUNDS):
        for name in texts:
            seconds, memory = compile_once(compiler, folder / f"{name}.cpp", source / "include")
            best[name] = (min(best[name][0], seconds), min(best[name][1], memory))

    seconds, memory = best["program"]
    print(f"program           {seconds:6.2f} s {memory:6.0f} MiB")
    for name, text in (("xtensor", "xtensor, xlinalg"), ("needed", "the needed alone")):
        ratios = f"program / this: {seconds / best[name][0]:.2f} time, {memory / best[name][1]:.2f} memory"
        print(f"{text:17s} {best[name][0]:6.2f} s {best[name][1]:6.0f} MiB   {ratios}")
    if memory > AIM * best["xtensor"][1]:
        sys.exit(f"compile_cost: more than {AIM} times the memory of xtensor.hpp and xlinalg.hpp")


if __name__ == "__main__":
    main()
