"""A training looked at again: what its network was like at each checkpoint kept, and how it read then.

Checkpoints come and go while somebody looks, and a file among them may be broken; both are told, neither ends
anything.
"""

from __future__ import annotations

import base64
import contextlib
import functools
import json
import os
import struct
import threading
from collections import OrderedDict
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar

import numpy as np

import digitnet as dn
from digitnet._files import open_plain, printable
from digitnet.training import METRICS
from digitnet.web.errors import ApiError, invalid, missing
from digitnet.web.services import data, recognition, run_events, run_folders, runs

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

    from numpy.typing import NDArray

    from digitnet.runs import Checkpoint, Run

MOST_CHECKPOINTS = 300
"""In a list; of more, each second, fourth, eighth ... is told."""
MOST_UNITS = 1024
UNITS = 128
"""Weight images in an answer unless told otherwise: those of the first units, so each keeps its place."""
BINS = 64
MOST_BYTES = 2**28  # of a model file that is read
MOST_BYTES_OF_READINGS = 2**29  # of all model files of a run together; of more, some are left out
KEPT_BYTES = 96 * 2**20  # of networks kept in memory
WORK = 2e10  # multiplications that a confusion matrix may take

_Value = TypeVar("_Value")


class _Kept(Generic[_Value]):
    """Values that took long to make, the latest used up to a limit. Safe from many threads."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._size = 0
        self._values: OrderedDict[Hashable, tuple[_Value, int]] = OrderedDict()
        self._lock = threading.Lock()

    def get(self, key: Hashable, make: Callable[[], _Value], size: int = 1) -> _Value:
        """The value of a key; made if it is not there, by two threads at once if both ask."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key][0]
        made = make()
        with self._lock:
            if key not in self._values:
                self._values[key] = made, size
                self._size += size
            while self._size > self._limit and len(self._values) > 1:
                _, (_, freed) = self._values.popitem(last=False)
                self._size -= freed
        return made


_recognizers: _Kept[dn.Recognizer | str] = _Kept(KEPT_BYTES)
_matrices: _Kept[dict[str, Any]] = _Kept(1000)


# ---------------------------------------------------------------- runs and their checkpoints


def _stored(run: Run, epoch: int, batch: int) -> Checkpoint:
    """A checkpoint by its place in the training.

    Raises:
        ApiError: 410 if the training went past it and keeps it no longer, 404 if it never came so far.
    """
    for each in run.checkpoints():
        if (each.epoch, each.batch) == (epoch, batch):
            return each
    raise _lost(run, epoch, batch)


def _lost(run: Run, epoch: int, batch: int) -> ApiError:
    what = f"epoch {epoch}" + (f", batch {batch}" if batch else "")
    if epoch <= run_events.progress(run).epoch:
        return ApiError(410, "gone", f"checkpoint: that of {what} is kept no longer; ask for the list again")
    return missing(f"checkpoint: there is none of {what}, expected one of the list of checkpoints")


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def checkpoints(run_id: str) -> dict[str, Any]:
    """Answer GET /api/runs/<id>/checkpoints.

    Returns:
        `state` of the run, `epoch` and `epochs` (done and planned), `sizes`, `total` (how many are kept), and
        `checkpoints`, the earliest first and at most MOST_CHECKPOINTS: `epoch`, `batch`, `name`, `best`,
        `latest`, `version` (another one if the file was written again), `broken` (null or why there is no
        model file), and of its epoch `training_loss`, `training_accuracy`, `validation_loss`,
        `validation_accuracy` (null where not known).

    Raises:
        ApiError: 404 without such a run, 422 if its own files are broken.
    """
    shown = runs.summary(run_id)
    if shown["state"] == "broken":
        raise ApiError(422, "broken_run", shown["error"])
    told = {"state": shown["state"], "epoch": shown["epoch"], "epochs": shown["epochs"]}
    if not run_folders.has_begun(run_id):  # it waits for its turn
        return {**told, "sizes": [], "total": 0, "checkpoints": []}
    run = run_folders.find(run_id)
    epochs = dict(run_events.progress(run).epochs)
    kept, named = run.checkpoints(), _named(run)
    return {
        **told,
        "sizes": shown["sizes"],
        "total": len(kept),
        "checkpoints": [_told(each, named, epochs) for each in _thinned(kept, named)],
    }


def _named(run: Run) -> dict[str, Checkpoint | None]:
    """The best and the latest checkpoint."""
    found: dict[str, Checkpoint | None] = {}
    for name in ("best", "latest"):
        try:
            found[name] = getattr(run, name)
        except dn.Error:  # a link to elsewhere: no checkpoint of this run has that name
            found[name] = None
    return found


def _thinned(kept: list[Checkpoint], named: Mapping[str, Checkpoint | None]) -> list[Checkpoint]:
    """At most about MOST_CHECKPOINTS of them, the same ones while more come."""
    step = 1
    while len(kept) > MOST_CHECKPOINTS * step:
        step *= 2
    marked = {each.name for each in named.values() if each is not None}
    last = len(kept) - 1
    return [each for i, each in enumerate(kept) if i % step == 0 or i == last or each.name in marked]


def _told(
    each: Checkpoint, named: Mapping[str, Checkpoint | None], epochs: Mapping[int, dict[str, Any]]
) -> dict[str, Any]:
    broken, version = None, ""
    try:
        with open_plain(each.model) as file:
            version = _version(os.fstat(file.fileno()))
    except OSError:
        broken = f"{each.name}: there is no model.safetensors in it that can be read"
    except dn.Error:
        broken = f"{each.name}: model.safetensors is no plain file"
    measured = epochs.get(each.epoch, {}) if each.batch == 0 else {}
    return {
        "epoch": each.epoch,
        "batch": each.batch,
        "name": each.name,
        "best": named["best"] == each,
        "latest": named["latest"] == each,
        "version": version,
        "broken": broken,
        **{name: measured.get(name) for name in METRICS},
    }


@dataclass(frozen=True)
class _Model:
    """The model file of a checkpoint, as it was when it was opened."""

    key: tuple[str, str]  # path and version
    content: bytes

    def network(self) -> dn.Network:
        return dn.Network.from_bytes(self.content)


def _broken(each: Checkpoint, why: str) -> ApiError:
    why = why.replace(f"{each.path}/", "")  # where the server keeps its runs is nobody's business
    return ApiError(422, "broken_checkpoint", f"checkpoint: {each.name}: {why}")


def _read(run: Run, each: Checkpoint) -> _Model:
    """Read the model file of a checkpoint.

    Raises:
        ApiError: 410 if it was removed meanwhile, 422 broken_checkpoint if there is no file that can be one.
    """
    try:
        with open_plain(each.model) as file:
            status = os.fstat(file.fileno())
            if status.st_size > MOST_BYTES:
                raise _broken(
                    each, f"model.safetensors has {status.st_size} bytes, expected at most {MOST_BYTES}"
                )
            return _Model((str(each.model), _version(status)), file.read(MOST_BYTES))
    except FileNotFoundError:
        if not each.path.is_dir():
            raise _lost(run, each.epoch, each.batch) from None
        raise _broken(each, "there is no model.safetensors in it") from None
    except (OSError, dn.Error) as error:
        raise _broken(each, _last_words(error)) from None


def _network(run: Run, each: Checkpoint) -> tuple[dn.Network, str]:
    """The network of a checkpoint, and the version of its file.

    Raises:
        ApiError: as _read; 422 also if it is no network, or its weights are no numbers.
    """
    model = _read(run, each)
    try:
        network = model.network()
    except dn.Error as error:
        raise _broken(each, _last_words(error)) from None
    if not all(np.isfinite(layer.weights).all() for layer in network.layers):
        raise _broken(each, "a weight is not finite")
    return network, model.key[1]


def _last_words(error: Exception) -> str:
    return " ".join(str(error).split())[:300]


# ---------------------------------------------------------------- weights


def weights(run_id: str, epoch: int, batch: int = 0, layer: int = 0, units: int = UNITS) -> dict[str, Any]:
    """Answer GET /api/runs/<id>/checkpoints/<epoch>/weights.

    Returns:
        `epoch`, `batch`, `layer`, `inputs`, `units` (of the layer), `version`;
        `images`: one for each of the first units, {"unit", "scale", "pixels"}, where pixels are the weights
        as int8 in base64, row by row, and weight = pixel * scale; null if the layer does not take 28 x 28
        pixels;
        `limit`: 98 % of the weights of these units are smaller, a good end for colours; null likewise;
        `since`: {"epoch", "batch"} of the checkpoint before, null without;
        `layers`: for each layer `weights`, and `change` since the checkpoint before (null without): {"low",
        "high", "counts", "mean", "deviation"}, where counts are those of BINS parts of equal width from low
        to high.

    Raises:
        ApiError: 404 or 410 if it is not there, 422 if it is broken or there is no such layer.
    """
    found = _weights(run_id, epoch, batch, layer, units)
    images = None
    if found.pixels is not None and found.scales is not None:
        images = [
            {"unit": i, "scale": float(scale), "pixels": base64.b64encode(pixels.tobytes()).decode()}
            for i, (scale, pixels) in enumerate(zip(found.scales, found.pixels))
        ]
    return {**found.told, "images": images}


def weights_bytes(
    run_id: str, epoch: int, batch: int = 0, layer: int = 0, units: int = UNITS
) -> tuple[bytes, str]:
    """The same in few bytes, as the page asks for it, and its version.

    A uint32 with the size of the header; the header, which is the JSON of `weights` with `images` as their
    number, padded with spaces so that what follows begins at a multiple of 4; float32 for each image, its
    scale; int8, the images. All of it little-endian.
    """
    found = _weights(run_id, epoch, batch, layer, units)
    shown = 0 if found.pixels is None else len(found.pixels)
    header = json.dumps({**found.told, "images": shown}, allow_nan=False).encode()
    header += b" " * (-len(header) % 4)
    parts = [struct.pack("<I", len(header)), header]
    if found.pixels is not None and found.scales is not None:
        parts += [found.scales.astype("<f4").tobytes(), found.pixels.tobytes()]
    return b"".join(parts), found.told["version"]


@dataclass(frozen=True)
class _Weights:
    told: dict[str, Any]
    scales: NDArray[np.float32] | None  # (images,)
    pixels: NDArray[np.int8] | None  # (images, 784)


def _weights(run_id: str, epoch: int, batch: int, layer: int, units: int) -> _Weights:
    run = run_folders.find(run_id)
    here = _stored(run, epoch, batch)
    network, version = _network(run, here)
    layers = [each.weights for each in network.layers]
    if not 0 <= layer < len(layers):
        raise invalid(f"layer: {layer}, expected 0 to {len(layers) - 1}, the layers of the network", "layer")
    if not 1 <= units <= MOST_UNITS:
        raise invalid(f"units: {units}, expected 1 to {MOST_UNITS}", "units")
    before = _before(run, here)
    earlier = _layers_of(run, before, layers)
    told = {
        "epoch": epoch,
        "batch": batch,
        "layer": layer,
        "inputs": layers[layer].shape[0],
        "units": layers[layer].shape[1],
        "version": version,
        "since": None
        if before is None or earlier is None
        else {"epoch": before.epoch, "batch": before.batch},
        "limit": None,
        "layers": [
            {
                "weights": _histogram(now),
                "change": None if earlier is None else _histogram(now.astype(np.float64) - earlier[i]),
            }
            for i, now in enumerate(layers)
        ],
    }
    if layers[layer].shape[0] != 784:
        return _Weights(told, None, None)
    shown = np.ascontiguousarray(layers[layer][:, :units].T)
    sizes = np.abs(shown)
    told["limit"] = float(np.quantile(sizes, 0.98))
    scales = sizes.max(axis=1) / np.float32(127)
    with np.errstate(divide="ignore", invalid="ignore"):
        pixels = np.where(scales[:, None] > 0, np.rint(shown / scales[:, None]), 0)
    return _Weights(told, scales, np.clip(pixels, -127, 127).astype(np.int8))


def _before(run: Run, here: Checkpoint) -> Checkpoint | None:
    earlier = [each for each in run.checkpoints() if (each.epoch, each.batch) < (here.epoch, here.batch)]
    return earlier[-1] if earlier else None


def _layers_of(
    run: Run, each: Checkpoint | None, like: list[NDArray[np.float32]]
) -> list[NDArray[np.float32]] | None:
    """The weights of a checkpoint, if it is there, whole, and of the same shapes."""
    if each is None:
        return None
    try:
        network, _ = _network(run, each)
    except ApiError:
        return None
    layers = [layer.weights for layer in network.layers]
    return layers if [layer.shape for layer in layers] == [layer.shape for layer in like] else None


def _histogram(values: NDArray[Any]) -> dict[str, Any]:
    values = values.astype(np.float64)  # the largest float32 less the smallest is none
    counts, edges = np.histogram(values, bins=BINS)
    return {
        "low": float(edges[0]),
        "high": float(edges[-1]),
        "counts": counts.tolist(),
        "mean": float(values.mean()),
        "deviation": float(values.std()),
    }


# ---------------------------------------------------------------- confusion


@dataclass(frozen=True)
class _Samples:
    """What a training is examined with."""

    samples: dn.Dataset
    of: str  # validation or test
    dataset: str


def confusion(run_id: str, epoch: int, batch: int = 0) -> dict[str, Any]:
    """Answer GET /api/runs/<id>/checkpoints/<epoch>/confusion.

    The samples are those set aside for validation if they can be told from the run's config (their
    fingerprint is compared), else the test set of the run's data set, or of MNIST where the run does not say
    what it learned from. Of many, or with a large network, the first ones are taken.

    Returns:
        `epoch`, `batch`, `version`, `of` ("validation" or "test"), `dataset`, `samples` (how many), `matrix`
        (10 x 10, row the label, column what was read), `accuracy`, `loss`.

    Raises:
        ApiError: 404 or 410 if it is not there, 409 if there are no samples here, 422 if it is broken or does
            not take them.
    """
    run = run_folders.find(run_id)
    here = _stored(run, epoch, batch)
    model = _read(run, here)
    examined = _samples_of(run)

    def measure() -> dict[str, Any]:
        try:
            network = model.network()
        except dn.Error as error:
            raise _broken(here, _last_words(error)) from None
        most = max(100, int(min(10_000, WORK / max(1, network.parameter_count))))
        samples = examined.samples
        if len(samples) > most:
            samples = samples.subset(range(most))
        try:
            result = network.evaluate(samples)
        except dn.Error as error:
            raise ApiError(422, "unsuitable", f"confusion: {_last_words(error)}") from None
        return {
            "of": examined.of,
            "dataset": examined.dataset,
            "samples": len(samples),
            "matrix": result.confusion.tolist(),
            "accuracy": result.accuracy,
            "loss": result.loss if np.isfinite(result.loss) else None,
        }

    measured = _matrices.get((*model.key, examined.of, examined.dataset), measure)
    return {"epoch": epoch, "batch": batch, "version": model.key[1], **measured}


def _samples_of(run: Run) -> _Samples:
    config = run.config
    source = config["data"].get("source")
    source = source if isinstance(source, dict) else {}
    held_out = config["data"].get("validation")
    fingerprint = held_out.get("fingerprint") if isinstance(held_out, dict) else None
    name, directory, share = (source.get(key) for key in ("name", "directory", "validation"))
    seed = config.get("seed")
    return _examined(
        name if isinstance(name, str) else "",
        directory if isinstance(directory, str) else None,
        fingerprint if isinstance(fingerprint, str) else "",
        float(share) if isinstance(share, (int, float)) and 0 < share < 1 else 0.0,
        seed if isinstance(seed, int) and 0 <= seed < 2**63 else 0,
    )


@functools.lru_cache(maxsize=8)
def _examined(name: str, directory: str | None, fingerprint: str, share: float, seed: int) -> _Samples:
    there: dict[str, dn.Mnist] = {}
    for each in [name] if name else data.NAMES:
        with contextlib.suppress(ApiError, dn.Error, TypeError):  # TypeError: a text that cannot be a path
            there[each] = data.load(each) if each in data.NAMES else dn.load_mnist(directory, each)
    if not there:
        found = f"'{printable(name)[:40]}'" if name else "MNIST"
        raise ApiError(409, "no_data", f"confusion: the images of {found} are not on this machine")
    for each, halves in there.items() if fingerprint else ():
        size = round(len(halves.train) * share)
        held_out = halves.train.split(size, seed)[0] if share else halves.test
        if len(held_out) > 0 and held_out.fingerprint() == fingerprint:
            return _Samples(held_out, "validation", each)
    chosen = next(iter(there))
    return _Samples(there[chosen].test, "test", chosen)


# ---------------------------------------------------------------- readings


def readings(run_id: str, body: dict[str, Any]) -> dict[str, Any]:
    """Answer POST /api/runs/<id>/readings: what each checkpoint kept reads in a drawing.

    Args:
        run_id: of the run.
        body: the drawing, as for POST /api/recognize.

    Returns:
        `readings`, in the order of the list of checkpoints: `epoch`, `batch`, `name`, and either `status`,
        `digit` and `probabilities` (null for an empty drawing) as POST /api/recognize tells them, or
        `broken`, why it cannot be read. Of a run with very large checkpoints some are left out.

    Raises:
        ApiError: 404 without such a run, 400 or 422 if what was sent is no drawing.
    """
    run = run_folders.find(run_id)
    drawing = recognition.drawing_of(body)
    kept = _thinned(run.checkpoints(), _named(run))
    return {"readings": [_reading(run, each, drawing) for each in _small_enough(kept)]}


def _small_enough(kept: list[Checkpoint]) -> list[Checkpoint]:
    """So many of them, the last among them, that reading their files does not take for ever."""
    step = 1
    while len(kept) > 1 and sum(map(_size, kept[::-step])) > MOST_BYTES_OF_READINGS and step < len(kept):
        step *= 2
    return kept[::-step][::-1]


def _size(each: Checkpoint) -> int:
    try:
        size = each.model.stat().st_size
    except OSError:
        return 0
    return size if size <= MOST_BYTES else 0  # it is not read at all


def _reading(run: Run, each: Checkpoint, drawing: dn.Drawing | NDArray[np.uint8]) -> dict[str, Any]:
    told: dict[str, Any] = {"epoch": each.epoch, "batch": each.batch, "name": each.name}
    try:
        recognizer = _recognizer(run, each)
    except ApiError as error:
        return {**told, "broken": error.message}
    if isinstance(recognizer, str):
        return {**told, "broken": f"checkpoint: {each.name}: {recognizer}"}
    read = recognizer.recognize(drawing)
    if read.probabilities is not None and not np.isfinite(read.probabilities).all():
        return {**told, "broken": f"checkpoint: {each.name}: what it answers is not finite"}
    shares = None if read.probabilities is None else [round(float(p), 6) for p in read.probabilities]
    return {**told, "status": read.status, "digit": read.digit, "probabilities": shares}


def _recognizer(run: Run, each: Checkpoint) -> dn.Recognizer | str:
    """Who reads with a checkpoint, or why nobody can. Kept in memory by what the file was."""
    try:
        status = each.model.stat()
    except OSError:
        _read(run, each)  # says what is the matter
        status = each.model.stat()

    def load() -> dn.Recognizer | str:
        model = _read(run, each)
        try:
            return dn.Recognizer(model.network())
        except dn.Error as error:
            return _last_words(error)

    return _recognizers.get((str(each.model), _version(status)), load, size=status.st_size + 1000)
