"""Makes python/digitnet/_core.pyi, the types of the compiled module, from the module itself.

    .venv/bin/python tests/support/make_stubs.py           # after a change in bindings/
    .venv/bin/python tests/support/make_stubs.py --check   # only says whether it would change

pybind11-stubgen reads the signatures; what it cannot know is corrected here; ruff lays it out.
"""

import inspect
import re
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
STUB = ROOT / "python" / "digitnet" / "_core.pyi"

# What pybind11 writes, and what says the same in fewer words, or what is meant.
CORRECTIONS = [
    (r"typing\.SupportsInt \| typing\.SupportsIndex", "typing.SupportsIndex"),
    (r"typing\.SupportsFloat \| typing\.SupportsIndex", "typing.SupportsFloat"),
    (r"os\.PathLike \| str \| bytes", "str | os.PathLike[str]"),
    (r"typing\.Annotated\[numpy\.typing\.ArrayLike, numpy\.\w+\]", "numpy.typing.ArrayLike"),
    (r'typing\.Annotated\[((?:[\w.]+)\[.*?\]), "FixedSize\(\d+\)"\]', r"\1"),
    (r"-> numpy\.ndarray\b", "-> numpy.typing.NDArray[typing.Any]"),
    (r": numpy\.ndarray\b", ": numpy.typing.ArrayLike"),
    (
        r"(collections\.abc\.Callable\[\[\w+\], )None\]",
        r"\1object]",
    ),  # what a callback returns is not looked at
    (r"def __eq__\(self, (\w+): \w+\)", r"def __eq__(self, \1: object)"),
    (
        r"__hash__: typing\.ClassVar\[None\] = None",
        "__hash__: typing.ClassVar[None]  # type: ignore[assignment]",
    ),
    (r"def strokes\(self\) -> list:", "def strokes(self) -> list[numpy.typing.NDArray[numpy.float64]]:"),
    (r"^([A-Z]+): tuple = .*$", r"\1: tuple[str, ...]"),
    (r"^__version__: str = .*$", "__version__: str"),
    (r"^from digitnet import \w+\n", ""),
    (r"\b(?:digitnet\.)?_core\.", ""),
]


def error_classes() -> str:
    """The exceptions: they are said to be of digitnet, where users see them, but are made in _core."""
    from digitnet import _core

    errors = [
        item for item in vars(_core).values() if inspect.isclass(item) and issubclass(item, BaseException)
    ]
    lines = []
    for error in sorted(errors, key=lambda item: len(item.__mro__)):  # bases first
        bases = ", ".join(base.__name__ for base in error.__bases__)
        lines.append(f'class {error.__name__}({bases}):\n    """{error.__doc__}"""\n')
    return "\n".join(lines)


def make_stub() -> str:
    """The text of _core.pyi."""
    with tempfile.TemporaryDirectory() as folder:
        command = [sys.executable, "-m", "pybind11_stubgen", "digitnet._core", "--exit-code", "-o", folder]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        if done.returncode != 0:
            sys.exit(f"make_stubs: {' '.join(command)} failed:\n{done.stderr}")
        text = (Path(folder) / "digitnet" / "_core.pyi").read_text()
    for found, meant in CORRECTIONS:
        text = re.sub(found, meant, text, flags=re.MULTILINE)
    text = re.sub(r"^(__all__.*)$", lambda match: f"{match[1]}\n{error_classes()}", text, flags=re.MULTILINE)
    for ruff in (["check", "--fix-only", "--quiet"], ["format", "--quiet"]):
        command = [sys.executable, "-m", "ruff", *ruff, "--stdin-filename", str(STUB), "-"]
        text = subprocess.run(
            command, input=text, capture_output=True, text=True, check=True, cwd=ROOT
        ).stdout
    return text


def main(arguments: list[str]) -> int:
    """Writes the stub, or with --check compares it; returns 1 if it differs."""
    made = make_stub()
    if arguments == ["--check"]:
        if STUB.is_file() and STUB.read_text() == made:
            return 0
        print("make_stubs: python/digitnet/_core.pyi is not what the module says; make it anew")
        return 1
    STUB.write_text(made)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
