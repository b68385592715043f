"""What is known of each model: its size, how well it reads, how it was made. A file is read once."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import threading
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import digitnet as dn
from digitnet._run_files import checkpoint_place
from digitnet._strict_json import parse_json
from digitnet.web.errors import ApiError
from digitnet.web.models import Setting
from digitnet.web.services import models
from digitnet.web.services.data import NAMES

if TYPE_CHECKING:
    from digitnet.web.services.models import Model

_KEPT = 1024  # models that facts are kept of
_LONGEST = 200_000  # bytes of a provenance that is told
_MEASURED = "accuracy-"  # names of the settings that keep what was measured


@dataclass(frozen=True)
class Facts:
    """What is in a model file, and for the best of a run what its config says."""

    bytes: int
    sha256: str = ""
    """Of the file."""
    sizes: list[int] = field(default_factory=list)
    activations: list[str] = field(default_factory=list)
    parameters: int = 0
    precision: str | None = None
    """full or half, as it is stored."""
    calibrated: bool = False
    provenance: dict[str, Any] = field(default_factory=dict)
    problem: str | None = None
    """Why it cannot be used, in one line; None if it can."""

    @property
    def learned_from(self) -> list[str]:
        """The names of the data it learned from, as far as it says."""
        said = self.provenance.get("data")
        if isinstance(said, str):
            return [said[:80]]
        sets = said if isinstance(said, list) else []
        return [str(each["name"])[:80] for each in sets[:10] if isinstance(each, dict) and "name" in each]

    @property
    def home(self) -> str:
        """The data set whose test set it is measured on."""
        return next((name for name in self.learned_from if name in NAMES), "mnist")

    def share(self, name: str) -> float | None:
        """A share that the provenance tells, such as test_accuracy, if it is one."""
        said = self.provenance.get(name)
        return float(said) if isinstance(said, (int, float)) and 0 <= said <= 1 else None


_lock = threading.Lock()
_facts: OrderedDict[tuple[str, int, int], Facts] = OrderedDict()


def facts(model: Model) -> Facts:
    """What is in the file of a model; read again only when it has changed.

    Raises:
        ApiError: 404 if it is gone.
    """
    try:
        status = model.path.stat()
        key = (str(model.path), status.st_mtime_ns, status.st_size)
        with _lock:
            if key in _facts:
                _facts.move_to_end(key)
                return _facts[key]
        content = model.path.read_bytes()
    except OSError:
        raise models.gone(model.id) from None
    made = _read(model, content)
    with _lock:
        _facts[key] = made
        while len(_facts) > _KEPT:
            _facts.popitem(last=False)
    return made


def _read(model: Model, content: bytes) -> Facts:
    digest = hashlib.sha256(content).hexdigest()
    try:
        network = dn.Network.from_bytes(content)
    except dn.Error as error:
        return Facts(len(content), digest, problem=str(error))
    problem = None
    try:
        dn.Recognizer(network)
    except dn.Error as error:
        problem = str(error)
    return Facts(
        bytes=len(content),
        sha256=digest,
        sizes=list(network.sizes),
        activations=list(network.activation_names),
        parameters=network.parameter_count,
        precision=_precision(content),
        calibrated="calibration" in network.metadata,
        provenance=_of_run(model) if model.kind == "run" else _said(network),
        problem=problem,
    )


def _precision(content: bytes) -> str:
    header = json.loads(content[8 : 8 + int.from_bytes(content[:8], "little")])
    return "half" if header["layers.0.weights"]["dtype"] == "F16" else "full"


def _said(network: dn.Network) -> dict[str, Any]:
    text = network.metadata.get("provenance", "{}")
    if len(text) > _LONGEST:
        return {}
    try:
        said = parse_json("provenance: ", text.encode())
    except dn.Error:
        return {}
    return said if isinstance(said, dict) else {}


def _of_run(model: Model) -> dict[str, Any]:
    """What the config of a run says, in the words of a model's own provenance."""
    try:
        run = dn.Run(model.path.parents[2])
        epoch, _ = checkpoint_place(model.path.parent.name) or (0, 0)
        config, reached = run.config, run.progress().epochs.get(epoch, {})
    except dn.Error:
        return {}
    data = config.get("data", {})
    source = data.get("source")
    told = source.get("provenance") if isinstance(source, dict) else None
    said = dict(told) if isinstance(told, dict) else {"seed": config.get("seed")}
    said.setdefault("digitnet", config.get("digitnet"))
    said["training_samples"] = data.get("training", {}).get("samples")
    said["validation_accuracy"] = reached.get("validation_accuracy")
    said["best_epoch"] = epoch
    return said


def collect() -> list[tuple[Model, Facts]]:
    """All models: the default one, the uploaded ones by name, the best of each run, the newest first."""
    ids = [models.DEFAULT]
    ids += [f"upload-{path.stem}" for path in sorted(models.uploads().glob("*.safetensors"))]
    with contextlib.suppress(dn.Error):  # the folder of runs cannot be read: the others are still there
        ids += [f"run-{run.name}" for run in reversed(dn.runs.find_runs())]
    found = []
    for model_id in ids:
        try:
            model = models.find(model_id)
            found.append((model, facts(model)))
        except (ApiError, dn.Error):
            continue  # a run without a checkpoint, a name that is no id, a file that went away
    return found


def describe(found: list[tuple[Model, Facts]]) -> list[dict[str, Any]]:
    """What GET /api/models tells. Asks the database for the model in use and for what was measured."""
    active = models.active_id()
    measured = _measured([known.sha256 for _, known in found])
    return [_entry(model, known, measured.get(known.sha256, {}), active) for model, known in found]


def _entry(model: Model, known: Facts, measured: dict[str, float], active: str) -> dict[str, Any]:
    name = model.id.partition("-")[2]
    ships = model.kind == "default" and not os.environ.get("DIGITNET_MODEL")
    if model.kind == "default":  # the one that ships, or the one that the server was started with
        name = "Comes with digitnet" if ships else model.path.stem
    accuracy, on, is_measured = _accuracy(known, measured)
    return {
        "id": model.id,
        "name": name,
        "kind": model.kind,
        "ships": ships,
        "active": model.id == active,
        "accuracy": accuracy,
        "accuracy_on": on,
        "measured": is_measured,
        "dataset": known.home,
        "bytes": known.bytes,
        "precision": known.precision,
        "parameters": known.parameters,
        "sizes": known.sizes,
        "activations": known.activations,
        "calibrated": known.calibrated,
        "learned_from": known.learned_from,
        "training_samples": _whole(known.provenance.get("training_samples")),
        "seed": _whole(known.provenance.get("seed")),
        "digitnet": _short(known.provenance.get("digitnet")),
        "can_be_reproduced": model.kind != "run" and bool({"recipe", "options"} & known.provenance.keys()),
        "can_be_removed": model.kind == "upload",
        "provenance": known.provenance,
        "sha256": known.sha256,
        "problem": known.problem,
    }


def _accuracy(known: Facts, measured: dict[str, float]) -> tuple[float | None, str | None, bool]:
    """The best known accuracy, on what, and whether it was measured here."""
    if known.home in measured:
        return measured[known.home], "test", True
    for name, on in (("test_accuracy", "test"), ("validation_accuracy", "validation")):
        share = known.share(name)
        if share is not None:
            return share, on, False
    return None, None, False


def _whole(value: object) -> int | None:
    is_whole = isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**63
    return int(value) if is_whole else None  # type: ignore[call-overload]


def _short(value: object) -> str | None:
    return value[:40] if isinstance(value, str) else None


# ---------------------------------------------------------------- what was measured here


def keep_accuracy(known: Facts, dataset: str, accuracy: float) -> None:
    """Keep what was measured, for this content of a file, whatever it is called."""
    name = f"{_MEASURED}{known.sha256[:40]}"
    kept = Setting.read(name, {})
    Setting.write(name, {**(kept if isinstance(kept, dict) else {}), dataset: accuracy})


def _measured(digests: list[str]) -> dict[str, dict[str, float]]:
    names = {f"{_MEASURED}{digest[:40]}": digest for digest in digests if digest}
    return {names[each.name]: each.value for each in Setting.objects.filter(name__in=list(names))}
