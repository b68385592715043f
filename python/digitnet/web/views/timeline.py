"""The checkpoints of a run: /api/runs/<id>/checkpoints and what is asked of each."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from digitnet.web import limits
from digitnet.web.errors import api, invalid, json_body
from digitnet.web.services import recognition, timeline
from digitnet.web.services.queue import in_thread

if TYPE_CHECKING:
    from django.http import HttpRequest


@api("GET")
async def checkpoints(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Those that are kept."""
    found: dict[str, Any] = await in_thread(timeline.checkpoints, run_id)
    return found


@api("GET")
async def weights(request: HttpRequest, run_id: str, epoch: int) -> HttpResponse:
    """Weight images and histograms: JSON, or with ?form=bytes what the page draws from."""
    place = run_id, epoch, _number(request, "batch", 0), _number(request, "layer", 0)
    units = _number(request, "units", timeline.UNITS)
    form = request.GET.get("form", "json")
    if form == "bytes":
        content, version = await in_thread(timeline.weights_bytes, *place, units)
        return _kept(request, HttpResponse(content, content_type="application/octet-stream"), version)
    if form != "json":
        raise invalid(f"form: '{form[:40]}', expected json or bytes", "form")
    told = await in_thread(timeline.weights, *place, units)
    return _kept(request, JsonResponse(told), told["version"])


@api("GET")
async def confusion(request: HttpRequest, run_id: str, epoch: int) -> HttpResponse:
    """What was read for what."""
    told = await in_thread(timeline.confusion, run_id, epoch, _number(request, "batch", 0))
    return _kept(request, JsonResponse(told), told["version"])


@csrf_exempt  # it changes nothing
@api("POST")
async def readings(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """What each checkpoint reads in a drawing."""
    limits.recognitions().require(request, "drawings")
    async with recognition.room():
        found: dict[str, Any] = await in_thread(lambda: timeline.readings(run_id, json_body(request)))
    return found


def _number(request: HttpRequest, name: str, default: int) -> int:
    text = request.GET.get(name, str(default))
    if not re.fullmatch(r"[0-9]{1,10}", text):
        raise invalid(f"{name}: '{text[:40]}', expected a whole number", name)
    return int(text)


def _kept(request: HttpRequest, response: HttpResponse, version: str) -> HttpResponse:
    """Who asks for a version by name may keep it: what it was will not change."""
    if request.GET.get("version") == version:
        response["Cache-Control"] = "private, max-age=86400, immutable"
    return response
