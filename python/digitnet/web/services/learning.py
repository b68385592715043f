"""How a model came to be: its learning parameters, and what each epoch of its training was like."""

from __future__ import annotations

import json
from typing import Any

import digitnet as dn
from digitnet._strict_json import json_or_text
from digitnet.web.errors import ApiError
from digitnet.web.services import models, runs
from digitnet.web.services.anatomy import open_model
from digitnet.web.services.json_numbers import number, weight_numbers

EPOCH_KEYS = (
    "epoch",
    "training_loss",
    "training_accuracy",
    "validation_loss",
    "validation_accuracy",
    "learning_rate",
    "seconds",
)


def run_of(model: models.Model) -> dn.Run | None:
    """The run that a model comes from, if its folder is here."""
    if model.kind != "run":
        return None
    try:
        return dn.Run(dn.runs.runs_directory() / model.id.partition("-")[2])
    except dn.Error:
        return None


def parameters(model_id: str) -> dict[str, Any]:
    """Answer GET /api/parameters.

    Raises:
        ApiError: 404 if there is no such model, 422 if it is none for digits.
    """
    model = models.find(model_id)
    anatomy = open_model(model.id)
    network = anatomy.network
    metadata = {key: json_or_text(text) for key, text in network.metadata.items()}
    run = run_of(model)
    config = None
    if run is not None:
        try:
            config = run.config
        except dn.Error:
            config = None
    calibration = anatomy.recognizer.calibration
    return {
        "model": model.id,
        "file": {"name": model.path.name, "bytes": model.path.stat().st_size, "precision": _precision(model)},
        "sizes": anatomy.sizes,
        "activations": anatomy.names,
        "loss": network.loss,
        "parameters": network.parameter_count,
        "preprocessing": metadata.get("preprocessing"),
        "labels": metadata.get("labels"),
        "provenance": metadata.get("provenance"),
        "config": config,
        "calibration": {
            "is_fitted": "calibration" in metadata,
            "temperature": calibration.temperature,
            "unsure_threshold": calibration.unsure_threshold,
            "rejection_threshold": calibration.rejection_threshold,
            "fitted_on": calibration.fitted_on,
            "accepted": calibration.accepted,
            "coverage": calibration.coverage,
            "accuracy": calibration.accuracy,
        },
        "layers": [
            {
                "inputs": weights.shape[0],
                "outputs": weights.shape[1],
                "function": name,
                **weight_numbers(weights),
                "zeros": int((weights == 0).sum()),
                "bias_mean": number(bias.mean()),
                "bias_deviation": number(bias.std()),
            }
            for weights, bias, name in zip(anatomy.weights, anatomy.biases, anatomy.names)
        ],
    }


def _precision(model: models.Model) -> str:
    """Of the numbers in the file: full (float32) or half (float16)."""
    with model.path.open("rb") as stream:
        header = json.loads(stream.read(int.from_bytes(stream.read(8), "little")))
    return "half" if header["layers.0.weights"]["dtype"] == "F16" else "full"


def graph(model_id: str) -> dict[str, Any]:
    """Answer GET /api/graph.

    Returns:
        model; run, the one it comes from, or null; epochs of that run, empty without one; best_epoch; runs,
        those that have begun, in the order of GET /api/runs.

    Raises:
        ApiError: 404 if there is no such model.
    """
    model = models.find(model_id)
    run = run_of(model)
    epochs: list[dict[str, Any]] = []
    state = None
    best = None
    if run is not None:
        try:
            epochs = [{key: each.get(key) for key in EPOCH_KEYS} for each in run.epochs]
            state = runs.summary(run.name)["state"]
            best = None if run.best is None else run.best.epoch
        except dn.Error:
            epochs = []
    return {
        "model": model.id,
        "run": None if run is None else {"id": run.name, "state": state},
        "epochs": epochs,
        "best_epoch": best,
        "runs": _runs(),
    }


def _runs(most: int = 50) -> list[dict[str, Any]]:
    keys = ("name", "state", "epoch", "epochs", "best_validation_accuracy", "sizes", "optimizer", "created")
    begun = [run for run in runs.listed() if "sizes" in run]  # the others wait, or are broken
    return [{key: run[key] for key in keys} | {"model": _model_of(run["id"])} for run in begun[:most]]


def _model_of(run_id: str) -> str | None:
    try:
        return models.find(f"run-{run_id}").id
    except ApiError:
        return None
