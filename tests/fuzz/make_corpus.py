"""Write tests/fuzz/corpus: for each fuzz target a few small files to begin with, right and wrong ones.

    python3 tests/fuzz/make_corpus.py

Needs Pillow for the JPEG files; another version of it may pack them differently. What a fuzzer has found is
kept beside them, named finding-*, and left as it is.
"""

import gzip
import hashlib
import io
import json
import struct
import zlib
from pathlib import Path

from PIL import Image

FOLDER = Path(__file__).resolve().parent
CORPUS = FOLDER / "corpus"
DATA = FOLDER.parent / "data"


def idx_file(kind, shape, body):
    return struct.pack(">HBB", 0, kind, len(shape)) + b"".join(struct.pack(">I", n) for n in shape) + body


def idx_files():
    return {
        "images": idx_file(0x08, (2, 2, 3), bytes(range(12))),
        "labels": idx_file(0x08, (5,), bytes([3, 1, 4, 1, 5])),
        "signed-bytes": idx_file(0x09, (3,), b"\x80\xff\x7f"),
        "shorts": idx_file(0x0B, (2, 2), struct.pack(">4h", -32768, -1, 0, 32767)),
        "ints": idx_file(0x0C, (1, 2, 1, 1), struct.pack(">2i", -(2**31), 7)),
        "floats": idx_file(0x0D, (3,), struct.pack(">3f", 1.5, float("nan"), float("-inf"))),
        "doubles": idx_file(0x0E, (2,), struct.pack(">2d", 1e300, -0.0)),
        "empty-array": idx_file(0x08, (0, 28, 28), b""),
        "cut-short": idx_file(0x08, (2, 2, 3), bytes(11)),
        "too-long": idx_file(0x08, (2, 2, 3), bytes(13)),
        "sizes-overflow": idx_file(0x0E, (65536, 65536, 65536, 65536), b""),
        "claims-4-gb": idx_file(0x08, (65536, 256, 256), b"\x01"),
        "unknown-type": idx_file(0x0A, (1,), b"\x01"),
        "five-dimensions": struct.pack(">HBB5I", 0, 8, 5, 1, 1, 1, 1, 1) + b"\x01",
        "nothing": b"",
    }


def deflated(data):
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    return packer.compress(data) + packer.flush()


def gzip_idx_files():
    images = idx_files()["images"]
    whole = gzip.compress(images, mtime=0)
    files = {f"packed-{name}": b"\x00" + data for name, data in idx_files().items()}
    files |= {
        "one-member": whole,
        "two-members": gzip.compress(images[:7], mtime=0) + gzip.compress(images[7:], mtime=0),
        "with-a-name": whole[:3] + b"\x08" + whole[4:10] + b"name\x00" + whole[10:],
        "wrong-checksum": whole[:-8] + bytes([whole[-8] ^ 1]) + whole[-7:],
        "garbage-behind": whole + b"garbage",
        "cut": whole[:-5],
        "cut-into-members": b"\x56" + images,
        "stream": b"\xff" + deflated(images),
        "stream-of-zeros": b"\xff" + deflated(idx_file(0x08, (20000,), bytes(20000))),
        "small-bomb": b"\xff" + deflated(idx_file(0x08, (10,), bytes(50000))),
        "large-claim": b"\xff" + deflated(idx_file(0x08, (2**31 - 1,), bytes(100))),
        "two-bytes": b"\x1f\x8b",
    }
    return files


def architecture(sizes, activations, loss="softmax_cross_entropy"):
    return json.dumps({"activations": activations, "loss": loss, "sizes": sizes}, separators=(",", ":"))


def model_file(tensors, description, extra=None):
    """A model file put together from docs/file-format.md; tensors: name -> (dtype, shape, bytes)."""
    metadata = {"format": "digitnet", "version": "1", "architecture": description} | (extra or {})
    header, data, begin = {}, b"", 0
    covered = b"".join(f"{key}\0{metadata[key]}\0".encode() for key in sorted(metadata))
    for name in sorted(tensors):
        dtype, shape, content = tensors[name]
        header[name] = {"dtype": dtype, "shape": shape, "data_offsets": [begin, begin + len(content)]}
        begin += len(content)
        data += content
        covered += f"{name}\0{dtype}\0".encode() + b"".join(f"{n}\0".encode() for n in shape) + content
    checksum = "sha256:" + hashlib.sha256(covered).hexdigest()
    text = json.dumps(
        {"__metadata__": metadata | {"checksum": checksum}} | header, separators=(",", ":")
    ).encode()
    return struct.pack("<Q", len(text)) + text + data


def layer_of(dtype, code, inputs, outputs):
    def numbers(count):
        if dtype == "BF16":  # the upper half of a float
            return b"".join(struct.pack("<f", 0.5 * i)[2:] for i in range(count))
        return struct.pack(f"<{count}{code}", *(0.5 * i for i in range(count)))

    return {
        "layers.0.weights": (dtype, [inputs, outputs], numbers(inputs * outputs)),
        "layers.0.bias": (dtype, [outputs], numbers(outputs)),
    }


def safetensors_files():
    one_layer = architecture([2, 2], ["softmax"])
    files = {
        f"{dtype.lower()}": model_file(layer_of(dtype, code, 2, 2), one_layer)
        for dtype, code in (("F16", "e"), ("BF16", ""), ("F32", "f"), ("F64", "d"))
    }
    small = files["f32"]
    length = struct.unpack("<Q", small[:8])[0]
    header, data = small[8 : 8 + length], small[8 + length :]
    tensors = layer_of("F32", "f", 2, 2)
    weights = tensors["layers.0.weights"]
    files |= {
        "v1-tiny": (DATA / "models" / "v1-tiny.safetensors").read_bytes(),
        "metadata": model_file(tensors, one_layer, {"labels": '["a","b"]', "mine": "\u00e9\n"}),
        "not-a-number": model_file(
            tensors | {"layers.0.weights": (*weights[:2], struct.pack("<4f", 1, float("nan"), 1, 1))},
            one_layer,
        ),
        "other-shape": model_file(tensors | {"layers.0.weights": ("F32", [4, 1], weights[2])}, one_layer),
        "a-tensor-too-many": model_file(tensors | {"x": ("F32", [0], b"")}, one_layer),
        "cut": small[:-3],
        "long-header": struct.pack("<Q", 2**63) + small[8:],
        "twice": struct.pack("<Q", length + 8) + header[:-1] + b',"a":1,"a":1}'[:8] + data,
        "deep": struct.pack("<Q", 200) + b"[" * 200,
        "no-metadata": struct.pack("<Q", 2) + b"{}",
    }
    return files


def model_description_files():
    files = {
        "one-layer": architecture([2, 3], ["softmax"]),
        "two-layers": architecture([3, 4, 2], ["relu", "softmax"]),
        "sigmoid": architecture([2, 2], ["sigmoid"], "binary_cross_entropy"),
        "identity": architecture([2, 2], ["identity"], "sum_of_squares"),
        "hinge": architecture([2, 3], ["identity"], "hinge"),
        "huber": architecture([1, 1], ["tanh"], "huber"),
        "names": architecture(
            [1] * 7, ["leaky_relu", "elu", "gelu", "silu", "softplus", "identity"], "huber"
        ),
        "softmax-first": architecture([2, 2, 2], ["softmax", "softmax"]),
        "no-sizes": '{"activations":[],"loss":"huber","sizes":[]}',
        "zero": architecture([2, 0], ["softmax"]),
        "huge": architecture([2**63, 2**20], ["softmax"]),
        "negative": architecture([-1, 2], ["softmax"]),
        "fraction": architecture([2.5, 2], ["softmax"]),
        "unknown-name": architecture([2, 2], ["__import__('os')"]),
        "twice": '{"sizes":[2,2],"sizes":[2,2],"activations":["softmax"],"loss":"huber"}',
        "too-many-members": architecture([2, 2], ["softmax"])[:-1] + ',"x":1}',
        "deep": "[" * 65 + "]" * 65,
        "not-an-object": "[1]",
        "cut": architecture([2, 2], ["softmax"])[:-1],
    }
    return {name: text.encode() for name, text in files.items()} | {"no-utf-8": b'{"sizes":["\xff"]}'}


def strokes_files():
    line = '{"label":7,"strokes":[[[1,2],[3.5,-4e2]],[[0,0]]],"width":400,"height":300.5,"brush":12}\n'
    files = {
        "line": line,
        "lines": line + "\n" + '[[[0.1,1e-300]]]\n{"strokes":[]}\n',
        "bare": "[[[1,2],[3,4]],[],[[-0.0,5]]]",
        "document": '[\n{"strokes": [[[1,2]]], "label": null},\n'
        '{"strokes": [], "other": {"a": [1, {"b": null}]}}\n]',
        "pretty": '{\n "strokes": [\n  [[1, 2], [3, 4]]\n ]\n}\n',
        "mark": "\ufeff[[[1,2]]]",
        "empty-list": "[]\n[]\n[[]]",
        "label-300": '{"label":300,"strokes":[]}',
        "huge-number": "[[[1e300,0]]]",
        "no-number": "[[[1e999,0]]]",
        "three-numbers": "[[[1,2,3]]]",
        "twice": '{"strokes":[],"strokes":[]}',
        "deep": '{"other":' + "[" * 70 + "]" * 70 + ',"strokes":[]}',
        "no-strokes": '{"label":1}',
        "cut": line[:-5],
        "text": '{"strokes":"x","\\u00e9":1}',
        "nothing": "",
    }
    encoded = {name: text.encode() for name, text in files.items()}
    return encoded | {
        "packed": gzip.compress(encoded["lines"], mtime=0),
        "no-utf-8": b'{"\xff":1,"strokes":[]}',
    }


def png_file(width, height, depth, colour, lines, interlace=0, between=()):
    def chunk(name, content):
        return (
            struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))
        )

    header = struct.pack(">2I5B", width, height, depth, colour, 0, 0, interlace)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + b"".join(chunk(*each) for each in between)
        + chunk(b"IDAT", zlib.compress(lines, 9))
        + chunk(b"IEND", b"")
    )


def jpeg_file(mode, size, **options):
    image = Image.new(mode, size)
    image.putdata([(37 * i % 256) if mode == "L" else (37 * i % 256, i, 9) for i in range(size[0] * size[1])])
    file = io.BytesIO()
    image.save(file, "JPEG", optimize=True, quality=50, **options)
    return file.getvalue()


def picture_files():
    palette = (b"PLTE", bytes([255, 0, 0, 0, 255, 0]))
    exif = b"MM\x00*\x00\x00\x00\x08\x00\x01\x01\x12\x00\x03\x00\x00\x00\x01\x00\x06\x00\x00\x00\x00\x00\x00"
    return {
        "grey.png": png_file(3, 2, 8, 0, bytes([0, 1, 2, 3, 1, 4, 5, 6])),
        "rgb.png": png_file(1, 2, 8, 2, bytes([0, 1, 2, 3, 2, 4, 5, 6])),
        "rgba.png": png_file(1, 2, 8, 6, bytes([3, 1, 2, 3, 255, 4, 4, 5, 6, 0])),
        "grey-alpha.png": png_file(2, 1, 8, 4, bytes([0, 1, 255, 2, 0])),
        "palette.png": png_file(4, 1, 1, 3, bytes([0, 0xA0]), between=[palette]),
        "palette-alpha.png": png_file(2, 1, 8, 3, bytes([0, 1, 0]), between=[palette, (b"tRNS", b"\x80")]),
        "one-bit.png": png_file(9, 1, 1, 0, bytes([0, 0xA5, 0x80])),
        "four-bits.png": png_file(2, 1, 4, 0, bytes([0, 0x5F])),
        "sixteen-bits.png": png_file(1, 2, 16, 0, bytes([0, 1, 2, 0, 3, 4])),
        "sixteen-bits-rgba.png": png_file(1, 1, 16, 6, bytes([0, *range(8)])),
        "interlaced.png": png_file(
            3, 3, 8, 0, bytes([0, 1, 0, 2, 0, 3, 4, 0, 5, 0, 6, 0, 7, 8, 9]), interlace=1
        ),
        "turned.png": png_file(2, 1, 8, 0, bytes([0, 1, 2]), between=[(b"eXIf", exif)]),
        "huge.png": png_file(8000, 8000, 8, 6, bytes(100)),
        "grey.jpg": jpeg_file("L", (9, 8)),
        "colour.jpg": jpeg_file("RGB", (8, 9)),
        "colour-full.jpg": jpeg_file("RGB", (8, 9), subsampling=0),
        "progressive.jpg": jpeg_file("RGB", (16, 16), progressive=True),
        "turned.jpg": jpeg_file("L", (3, 2), exif=b"Exif\0\0" + exif),
        "restart.jpg": jpeg_file("L", (24, 8), restart_marker_blocks=1),
        "grey.pgm": b"P5 # comment\n3 2\n255\n" + bytes(range(6)),
        "grey-16.pgm": b"P5\n2 1\n1000\n" + struct.pack(">2H", 500, 1001),
        "colour.ppm": b"P6\n2 1\n15\n" + bytes(range(6)),
        "cut.pgm": b"P5\n3 2\n255\n" + bytes(5),
        "huge.pgm": b"P5\n4294967295 4294967295\n255\n",
        "drawing.svg": b'<svg xmlns="http://www.w3.org/2000/svg"/>',
    }


def run_config(**changes):
    pixels = bytes([0, 64, 128, 255, 255, 0, 0, 128, 192, 32, 255, 0, 0, 0, 255, 255])
    labels = bytes([0, 1, 0, 1])  # those of tiny_training.hpp
    training = {
        "epochs": 2,
        "batch_size": 2,
        "shuffle": True,
        "schedule": None,
        "stop_below_loss": 0.0,
        "label_smoothing": 0.0,
        "l1": 0.0,
        "l2": 0.0,
        "max_norm": 0.0,
        "input_dropout": 0.0,
        "dropout": 0.0,
        "clip_norm": 0.0,
        "clip_value": 0.0,
        "ema_decay": 0.999,
        "swa_start": 0.75,
        "batch_norm": False,
        "averaging": "none",
        "class_weights": [],
        "sample_weights": [],
        "augmentation": None,
        "plateau": None,
        "early_stopping": None,
    }
    config = {
        "format": "digitnet-run",
        "version": 1,
        "digitnet": "1.0.0",
        "created": "2026-01-31T12:00:00Z",
        "precision": "float32",
        "seed": 1,
        "architecture": {"activations": ["relu", "softmax"], "loss": "cross_entropy", "sizes": [4, 3, 2]},
        "optimizer": {"name": "sgd", "learning_rate": 0.1, "weight_decay": 0.0},
        "training": training | changes.pop("training", {}),
        "data": {
            "training": {"samples": 4, "fingerprint": hashlib.sha256(pixels + labels).hexdigest()},
            "validation": None,
            "source": None,
        },
        "run": {"checkpoint_every": 1, "keep_last": 5, "best_metric": "training_loss"},
    }
    return json.dumps(config | changes, separators=(",", ":"))


def run_config_files():
    augmentation = {
        "probability": 1.0,
        "thickness": 0.0,
        "rotation": 10.0,
        "scale": 0.1,
        "aspect": 0.0,
        "shear": 0.0,
        "shift": 1.0,
        "elastic": 0.0,
        "elastic_sigma": 4.0,
        "erase": 0.0,
        "erase_radius": 2.0,
        "noise": 0.0,
        "specks": 0.0,
        "ground": 0.0,
    }
    early = {"metric": "training_loss", "patience": 3, "min_delta": 0.0, "restore_best": True}
    plateau = {
        "metric": "training_accuracy",
        "factor": 0.5,
        "patience": 2,
        "min_delta": 0.0,
        "cooldown": 1,
        "min_factor": 0.01,
    }
    cosine = {"name": "cosine", "warmup": 0.1, "final_factor": 0.0, "cycles": 2, "cycle_multiplier": 1.5}
    adam = {"name": "adam", "learning_rate": 0.001}
    files = {
        "plain": run_config(),
        "augmented": run_config(training={"augmentation": augmentation, "dropout": 0.5}),
        "early-stopping": run_config(training={"early_stopping": early, "plateau": plateau}),
        "weights": run_config(training={"class_weights": [1, 2.5], "sample_weights": [1, 0, 2, 1e-3]}),
        "averaged": run_config(training={"averaging": "swa", "batch_norm": True}),
        "cosine": run_config(training={"schedule": cosine}),
        "warm-up": run_config(
            training={"schedule": {"name": "warmup", "share": 0.1, "schedule": {"name": "constant"}}}
        ),
        "step": run_config(training={"schedule": {"name": "step", "milestones": [0.5, 0.75], "factor": 0.1}}),
        "adam": run_config(optimizer=adam),
        "no-batches": run_config(training={"batch_size": 0}),
        "large-batches": run_config(training={"batch_size": 2**64 - 1}),
        "no-epochs": run_config(training={"epochs": 0}),
        "no-checkpoints": run_config(
            run={"checkpoint_every": 0, "keep_last": 0, "best_metric": "training_loss"}
        ),
        "other-data": run_config(
            data={"training": {"samples": 4, "fingerprint": "0"}, "validation": None, "source": None}
        ),
        "other-precision": run_config(precision="float64"),
        "other-version": run_config(version=2),
        "unknown-optimizer": run_config(optimizer={"name": "__import__('os')"}),
        "unknown-member": run_config(more=1),
        "no-object": "[]",
        "nothing": "",
        "deep": '{"a":' + "[" * 65 + "]" * 65 + "}",
        "cut": run_config()[:-9],
    }
    return {name: text.encode() for name, text in files.items()}


def run_control_files():
    files = {
        "stop": '{"stop": true}',
        "go-on": '{"stop": false}',
        "rate": '{"learning_rate": 0.0005}',
        "both": '{"stop": true, "learning_rate": 1e-3}',
        "neither": "{}",
        "least-rate": '{"learning_rate": 5e-324}',
        "largest-rate": '{"learning_rate": 1.7976931348623157e308}',
        "whole-rate": '{"learning_rate": 18446744073709551615}',
        "rate-of-nothing": '{"learning_rate": 0}',
        "negative-rate": '{"learning_rate": -0.1}',
        "rate-out-of-range": '{"learning_rate": 1e999}',
        "rate-that-rounds-to-nothing": '{"learning_rate": 1e-400}',
        "not-a-number": '{"learning_rate": NaN}',
        "rate-as-text": '{"learning_rate": "0.1"}',
        "stop-as-number": '{"stop": 1}',
        "twice": '{"stop": true, "stop": false}',
        "unknown-member": '{"stop": true, "pause": true}',
        "no-object": "[]",
        "nothing": "",
        "deep": '{"stop":' + "[" * 65 + "]" * 65 + "}",
        "cut": '{"stop": tr',
        "most": '{"stop": true' + " " * (4096 - 14) + "}",
        "too-long": '{"stop": true' + " " * (4096 - 13) + "}",
    }
    return {name: text.encode() for name, text in files.items()} | {"no-utf-8": b'{"\xff": true}'}


def state(**changes):
    layer = {
        "gradient_norm": 0.5,
        "update_ratio": 0.01,
        "dead_share": 0.0,
        "weight_mean": 0.1,
        "weight_deviation": 1.0,
        "histogram_low": -1.0,
        "histogram_high": 1.0,
        "histogram": [0] * 31 + [6],
    }
    epoch = {
        "training_loss": 0.7,
        "training_accuracy": 0.5,
        "learning_rate": 0.001,
        "seconds": 0.01,
        "validation_loss": None,
        "validation_accuracy": None,
        "gradient_norm": 0.5,
        "layers": [layer],
    }
    value = {
        "format": "digitnet-state",
        "version": 1,
        "epoch": 1,
        "batch": 1,
        "ended": None,
        "steps": 3,
        "averaged": 3,
        "rng": [1, 2, 3, 5],
        "augmentation": [4, 3, 2, 1],
        "plateau": {"factor": 1.0, "best": 0.7, "bad_epochs": 0, "cooldown_left": 0},
        "best_epoch": 1,
        "best_value": 0.7,
        "arrays": {"optimizer": 8, "batch_norm": 0, "alive": 1, "working": True, "best": True},
        "sums": {
            "loss": 1.4,
            "weight": 2.0,
            "correct": 1,
            "seconds": 0.001,
            "gradient_norm": 0.5,
            "layer_gradient_norms": [0.25, 0.25],
        },
        "history": [epoch],
    }
    return json.dumps(value | changes, separators=(",", ":"))


def checkpoint_files():
    arrays = {"optimizer": 8, "batch_norm": 0, "alive": 1, "working": True, "best": False}
    files = {
        "within-an-epoch": state(),
        "of-an-epoch": state(batch=0),
        "ended": state(batch=0, ended="done"),
        "at-first": state(
            epoch=0, batch=0, steps=0, averaged=0, best_epoch=0, best_value="inf", history=[], arrays=arrays
        ),
        "not-finite": state(
            best_value="nan", plateau={"factor": 1, "best": "-inf", "bad_epochs": 0, "cooldown_left": 0}
        ),
        "no-history": state(history=[]),
        "beyond-the-end": state(epoch=3),
        "batch-too-far": state(batch=2**64 - 1),
        "many-steps": state(steps=2**64 - 1, averaged=2**64 - 1),
        "best-to-come": state(best_epoch=2**63),
        "many-arrays": state(arrays=arrays | {"optimizer": 4096}),
        "too-many-arrays": state(arrays=arrays | {"optimizer": 4097}),
        "short-rng": state(rng=[1, 2, 3]),
        "no-rng": state(rng=[0, 0, 0, 0]),
        "unknown-end": state(ended="bored"),
        "unknown-member": state(more=1),
        "no-object": "[]",
        "nothing": "",
        "deep": '{"a":' + "[" * 65 + "]" * 65 + "}",
        "cut": state()[:-9],
    }
    return {name: text.encode() for name, text in files.items()}


def event_files():
    start = '{"seq":1,"time":1790000000.5,"type":"start","epoch":0,"batch":0}\n'
    end = '{"seq":2,"time":1790000001.0,"type":"end","reason":"done"}\n'
    files = {
        "start": start,
        "ended": start + end,
        "half-a-line": start + end[:20],
        "half-the-first-line": start[:20],
        "nothing": "",
        "empty-line": start + "\n",
        "no-object": start + "[]\n",
        "no-number": '{"type":"start"}\n',
        "negative": '{"seq":-1,"type":"start"}\n',
        "largest": '{"seq":9007199254740991,"type":"start"}\n',
        "past-the-largest": '{"seq":18446744073709551615,"type":"start"}\n',
        "type-of-another-kind": '{"seq":1,"type":7}\n',
        "twice": '{"seq":1,"seq":2}\n',
        "deep": '{"seq":1,"a":' + "[" * 65 + "]" * 65 + "}\n",
        "carriage-return": start.replace("\n", "\r\n"),
    }
    return {name: text.encode() for name, text in files.items()} | {
        "long-line": b'{"seq":1,"a":"' + b"x" * 5000 + b'"}\n',
        "no-utf-8": b'{"seq":1,"a":"\xff"}\n',
    }


def main():
    targets = {
        "idx": idx_files(),
        "gzip_idx": gzip_idx_files(),
        "safetensors": safetensors_files(),
        "model_description": model_description_files(),
        "strokes": strokes_files(),
        "picture": picture_files(),
        "run_config": run_config_files(),
        "run_control": run_control_files(),
        "checkpoint": checkpoint_files(),
        "events": event_files(),
    }
    for target, files in targets.items():
        folder = CORPUS / target
        folder.mkdir(parents=True, exist_ok=True)
        for old in folder.iterdir():
            if not old.name.startswith("finding-"):
                old.unlink()
        for name, data in files.items():
            (folder / name).write_bytes(data)
        print(f"{target}: {len(files)} files, {sum(map(len, files.values()))} bytes")


if __name__ == "__main__":
    main()
