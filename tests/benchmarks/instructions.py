"""Counts the instructions of a few parts with callgrind: the same on a busy machine as on an idle one.

    instructions.py [PROGRAM] [--json FILE] [--compare FILE]

Valgrind knows AVX2 and nothing newer, so these are the counts of the AVX2 loops, with OpenBLAS's Haswell
kernels. They depend on the compiler: compare only what the same one built.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import machine

NOTABLE = 0.02  # a change of that share is worth a mark


def count(program: str, part: str) -> int:
    """Instructions executed within measured() of count_instructions.cpp."""
    with tempfile.TemporaryDirectory() as folder:
        command = ["valgrind", "--tool=callgrind", "--toggle-collect=*measured*"]
        command += [f"--callgrind-out-file={folder}/out", program, part]
        environment = dict(os.environ, OPENBLAS_CORETYPE="Haswell", OPENBLAS_NUM_THREADS="1")
        result = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
        found = re.search(r"Collected : (\d+)", result.stderr)
        if result.returncode != 0 or found is None:
            msg = f"valgrind failed on {part}: {result.stderr.strip()[-300:]}"
            raise RuntimeError(msg)
        return int(found[1])


def count_all(program: str) -> dict[str, int]:
    """Instructions of each part."""
    parts = subprocess.run([program, "--list"], capture_output=True, text=True, check=True).stdout.split()
    return {part: count(program, part) for part in parts}


def table(counts: dict[str, int], before: dict[str, int]) -> str:
    lines = []
    for part, instructions in counts.items():
        line = f"{part:32s} {instructions:16,d}"
        if before.get(part):
            change = instructions / before[part] - 1
            line += f"  {change:+7.1%}{'  <--' if abs(change) >= NOTABLE else ''}"
        lines.append(line)
    return "\n".join(lines)


def main() -> None:
    """Counts, prints, compares."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    default = machine.programs_folder() / "count_instructions"
    parser.add_argument("program", nargs="?", type=Path, default=default)
    parser.add_argument("--json", type=Path, help="write the counts to this file")
    parser.add_argument("--compare", type=Path, help="a file from --json, of here or of bench.py")
    options = parser.parse_args()
    if not machine.has("valgrind"):
        sys.exit("instructions.py: valgrind is not installed")
    counts = count_all(machine.require_program(options.program.parent, options.program.name))
    before = json.loads(options.compare.read_text()) if options.compare else {}
    print(table(counts, before.get("instructions", before)))
    if options.json:
        options.json.write_text(json.dumps({"instructions": counts}, indent=2) + "\n")


if __name__ == "__main__":
    main()
