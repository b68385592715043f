"""The addresses of the app: pages, and below api/ what they and scripts ask."""

from __future__ import annotations

from django.urls import path

from digitnet.web.views import data, models, network, pages, personal, recognize, runs, timeline

app_name = "digitnet"
urlpatterns = [
    path("", pages.draw, name="draw"),
    path("network/", pages.network, name="network"),
    path("training/", pages.training, name="training"),
    path("training/<str:run_id>/", runs.page, name="run"),
    path("data/", pages.data, name="data"),
    path("models/", pages.models, name="models"),
    path("parameters/", pages.parameters, name="parameters"),
    path("graph/", pages.graph, name="graph"),
    path("healthz", pages.healthz, name="healthz"),
    path("api/recognize", recognize.recognize, name="api-recognize"),
    path("api/personal", personal.collection, name="api-personal"),
    path("api/personal/<int:digit_id>", personal.item, name="api-personal-item"),
    path("api/personal/images.idx", personal.images, name="api-personal-images"),
    path("api/personal/labels.idx", personal.labels, name="api-personal-labels"),
    path("api/personal/personal.zip", personal.archive, name="api-personal-archive"),
    path("api/data", data.sets, name="api-data"),
    path("api/data/<slug:name>/<slug:part>", data.part, name="api-data-part"),
    path("api/data/<slug:name>/<slug:part>/sprite/<int:number>", data.sprite, name="api-data-sprite"),
    path("api/data/<slug:name>/<slug:part>/averages", data.averages, name="api-data-averages"),
    path("api/data/<slug:name>/<slug:part>/predictions", data.predict, name="api-data-predictions"),
    path("api/data/<slug:name>/<slug:part>/<int:index>", data.image, name="api-data-image"),
    path("api/data/<slug:name>/<slug:part>/<int:index>/augmented", data.augmented, name="api-data-augmented"),
    path("api/runs", runs.run_list, name="api-runs"),
    path("api/runs/<str:run_id>", runs.one, name="api-run"),
    path("api/runs/<str:run_id>/events", runs.events, name="api-run-events"),
    path("api/runs/<str:run_id>/stop", runs.stop, name="api-run-stop"),
    path("api/runs/<str:run_id>/pause", runs.pause, name="api-run-pause"),
    path("api/runs/<str:run_id>/resume", runs.resume, name="api-run-resume"),
    path("api/runs/<str:run_id>/learning-rate", runs.learning_rate, name="api-run-learning-rate"),
    path("api/runs/<str:run_id>/command", runs.command, name="api-run-command"),
    path("api/runs/<str:run_id>/checkpoints", timeline.checkpoints, name="api-checkpoints"),
    path(
        "api/runs/<str:run_id>/checkpoints/<int:epoch>/weights",
        timeline.weights,
        name="api-checkpoint-weights",
    ),
    path(
        "api/runs/<str:run_id>/checkpoints/<int:epoch>/confusion",
        timeline.confusion,
        name="api-checkpoint-confusion",
    ),
    path("api/runs/<str:run_id>/readings", timeline.readings, name="api-readings"),
    path("api/network", network.facts, name="api-network"),
    path("api/network/weights", network.weights, name="api-network-weights"),
    path("api/network/units/<int:layer>/<int:unit>", network.unit, name="api-network-unit"),
    path("api/network/units/<int:layer>/<int:unit>/excites", network.excites, name="api-network-excites"),
    path("api/network/forward", network.forward, name="api-network-forward"),
    path("api/parameters", network.parameters, name="api-parameters"),
    path("api/parameters/dead", network.dead, name="api-parameters-dead"),
    path("api/graph", network.graph, name="api-graph"),
    path("api/models", models.collection, name="api-models"),
    path("api/models/<str:model_id>", models.one, name="api-model"),
    path("api/models/<str:model_id>/file", models.file, name="api-model-file"),
    path("api/models/<str:model_id>/use", models.use, name="api-model-use"),
    path("api/models/<str:model_id>/evaluate", models.evaluate, name="api-model-evaluate"),
]
