"""Say what is in a model file or an IDX file, after checking all of it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet._strict_json import json_or_text
from digitnet.cli.common import add_json_option, beginning, is_idx

if TYPE_CHECKING:
    import argparse


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    parser.add_argument("file", metavar="FILE", help="model file, or IDX file, plain or gzip")
    add_json_option(parser)


def run(options: argparse.Namespace) -> int:
    """Say what is in a model file or an IDX file."""
    facts = {"file": options.file}
    _require_known(options.file)
    facts |= _idx_facts(options.file) if is_idx(options.file) else _model_facts(options.file)
    if options.json:
        print(json.dumps(facts))
    else:
        _print(facts)
    return 0


def _require_known(file: str) -> None:
    """Says what is expected, if a file begins neither as a model nor as IDX; the readers say the rest."""
    start = beginning(file, 9)  # of a model: the length of its header, 8 bytes, then JSON
    if start is not None and start[8:] != b"{" and not is_idx(file):
        found = f"begins with {start!r}" if start else "is empty"
        msg = f"inspect: {file}: {found}, expected a model file (safetensors) or an IDX file, plain or gzip"
        raise dn.FormatError(msg)


SEPARATORS = {"shape": " x ", "range": " to "}


def _print(facts: dict[str, Any], indent: str = "") -> None:
    """Facts as people read them: one line for each, what belongs to another below it and indented."""
    for name, value in facts.items():
        shown = value
        if isinstance(value, dict):
            shown = ""
        elif isinstance(value, list):
            shown = SEPARATORS.get(name, ", ").join(str(entry) for entry in value)
        print(f"{indent}{name.replace('_', ' ')}: {shown}".rstrip())
        if isinstance(value, dict):
            _print(value, indent + "  ")


def _idx_facts(file: str) -> dict[str, Any]:
    array = dn.read_idx(file)
    return {
        "kind": "idx",
        "type": str(array.dtype),
        "shape": list(array.shape),
        "range": [array.min().item(), array.max().item()] if array.size else None,
    }


def _model_facts(file: str) -> dict[str, Any]:
    network = dn.Network.load(file)  # checks everything, the checksum too
    with Path(file).open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))["__metadata__"]
    return {
        "kind": "model",
        "format_version": int(header["version"]),
        "architecture": {
            "sizes": network.sizes,
            "activations": network.activation_names,
            "loss": network.loss,
        },
        "parameters": network.parameter_count,
        "checksum": header["checksum"],
        "metadata": {key: json_or_text(text) for key, text in sorted(network.metadata.items())},
    }
