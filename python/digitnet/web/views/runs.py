"""Trainings: the page of one, and the API under api/runs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import Http404, JsonResponse, StreamingHttpResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from digitnet.web import forms, limits
from digitnet.web.errors import api, invalid, json_body
from digitnet.web.services import commands, control, queue, run_folders, runs, streams
from digitnet.web.services.queue import in_thread

if TYPE_CHECKING:
    from django.http import HttpRequest, HttpResponse


@ensure_csrf_cookie
@require_safe
def page(request: HttpRequest, run_id: str) -> HttpResponse:
    """The page of a run; 404 if there is none."""
    if not run_folders.exists(run_id):
        raise Http404
    return render(request, "digitnet/run.html", {"page": "run", "run_id": run_id})


@api("GET", "POST")
async def run_list(request: HttpRequest) -> Any:  # noqa: ANN401
    """GET: a list of all runs; with ?choices an object, with what may be asked for. POST: start one."""
    if request.method != "POST":
        found = await in_thread(runs.listed)
        return {"runs": found, "choices": forms.choices()} if "choices" in request.GET else found
    settings = forms.read_run(json_body(request))
    limits.starts().require(request, "trainings")
    run_id = await in_thread(queue.add, settings)
    shown = await in_thread(runs.summary, run_id)
    return JsonResponse({"id": run_id, "state": shown["state"]}, status=201)


@api("GET", "DELETE")
async def one(request: HttpRequest, run_id: str) -> Any:  # noqa: ANN401
    """GET: state and history, or with ?brief what the list has. DELETE: remove a run that is not at work."""
    if request.method == "DELETE":
        return await in_thread(control.remove, run_id)
    return await in_thread(runs.summary if "brief" in request.GET else runs.detail, run_id)


@api("GET")
async def events(request: HttpRequest, run_id: str) -> Any:  # noqa: ANN401
    """The events behind Last-Event-ID or ?after=N: as they come, or as a list for those who accept JSON."""
    after = _after(request)
    await in_thread(streams.check, run_id)
    if _wants_list(request):
        return await in_thread(streams.some, run_id, after)
    response = StreamingHttpResponse(
        streams.Stream(run_id, after, limits.client_of(request)), content_type="text/event-stream"
    )
    response["Cache-Control"] = "no-cache"
    response["X-Accel-Buffering"] = "no"  # proxies are not to collect it
    return response


def _wants_list(request: HttpRequest) -> bool:
    kinds = [kind.partition(";")[0].strip() for kind in request.headers.get("Accept", "").split(",")]
    return "application/json" in kinds and "text/event-stream" not in kinds


def _after(request: HttpRequest) -> int:
    name, value = "Last-Event-ID", request.headers.get("Last-Event-ID", "").strip()
    if not value:  # the header is what a browser has seen since it opened the address
        name, value = "after", request.GET.get("after", "0")
    if not (value.isascii() and value.isdigit() and len(value) <= 15):
        raise invalid(f"{name}: '{value[:40]}', expected the seq of an event", "after")
    return int(value)


@api("POST")
async def stop(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Stop a run; it leaves a checkpoint."""
    return await control.stop(run_id)


@api("POST")
async def pause(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Stop a run that is to go on later."""
    return await control.pause(run_id)


@api("POST")
async def resume(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Go on with a run from its newest checkpoint."""
    return await control.resume(run_id)


@api("POST")
async def learning_rate(request: HttpRequest, run_id: str) -> dict[str, Any]:
    """Another learning rate from the next batch on."""
    return await control.change_rate(run_id, forms.read_rate(json_body(request)))


@api("GET")
async def command(request: HttpRequest, run_id: str) -> Any:  # noqa: ANN401
    """How to do the same again: ?form=shell, python or cpp."""
    return await in_thread(commands.command, run_id, request.GET.get("form", "shell"))
