"""The addresses of the app: pages, and below api/ what they and scripts ask."""

from __future__ import annotations

from django.urls import path

from digitnet.web.views import pages, recognize

app_name = "digitnet"
urlpatterns = [
    path("", pages.draw, name="draw"),
    path("network/", pages.network, name="network"),
    path("training/", pages.training, name="training"),
    path("training/<slug:run_id>/", pages.run, name="run"),
    path("data/", pages.data, name="data"),
    path("models/", pages.models, name="models"),
    path("parameters/", pages.parameters, name="parameters"),
    path("graph/", pages.graph, name="graph"),
    path("healthz", pages.healthz, name="healthz"),
    path("api/recognize", recognize.recognize, name="api-recognize"),
]
