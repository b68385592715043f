"""Make tests/data/models/v1-tiny.safetensors, a model file of format 1, from docs/file-format.md alone.

    python3 tests/support/make_model.py [<file to write>]

It takes nothing from digitnet, so that digitnet is held to the text: every later version must load this
file, and the version that wrote format 1 must write the same bytes. Needs nothing but Python.
"""

import hashlib
import json
import struct
import sys
from pathlib import Path

SIZES = [4, 3, 2]
METADATA = {
    "architecture": '{"activations":["relu","softmax"],"loss":"softmax_cross_entropy","sizes":[4,3,2]}',
    "format": "digitnet",
    "labels": '["ja","n\u00f6"]',
    "preprocessing": '{"input":"ink","range":[0,1]}',
    "version": "1",
}


def compact(value):
    """JSON without spaces, keys sorted, UTF-8 as it is."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=False)


def main():
    """Write the file."""
    default = Path(__file__).resolve().parent.parent / "data" / "models" / "v1-tiny.safetensors"
    target = Path(sys.argv[1]) if len(sys.argv) == 2 else default
    # Eighths, which a float holds exactly: the weights of each layer count up from -5/8, the biases from 1.
    tensors, data = {}, b""
    for layer, (inputs, outputs) in enumerate(zip(SIZES, SIZES[1:], strict=False)):
        for name, shape, first in (("weights", [inputs, outputs], -5), ("bias", [outputs], 8)):
            count = shape[0] * (shape[1] if len(shape) > 1 else 1)
            numbers = struct.pack(f"<{count}f", *((first + i) / 8 for i in range(count)))
            offsets = [len(data), len(data) + len(numbers)]
            tensors[f"layers.{layer}.{name}"] = {"dtype": "F32", "shape": shape, "data_offsets": offsets}
            data += numbers

    covered = b"".join(part.encode() + b"\0" for key in sorted(METADATA) for part in (key, METADATA[key]))
    for name, tensor in sorted(tensors.items()):
        for part in (name, tensor["dtype"], *map(str, tensor["shape"])):
            covered += part.encode() + b"\0"
        begin, end = tensor["data_offsets"]
        covered += data[begin:end]
    checksum = hashlib.sha256(covered).hexdigest()

    header = compact({**tensors, "__metadata__": {**METADATA, "checksum": f"sha256:{checksum}"}}).encode()
    header += b" " * (-len(header) % 8)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(struct.pack("<Q", len(header)) + header + data)
    print(f"{target}: {target.stat().st_size} bytes")


if __name__ == "__main__":
    main()
