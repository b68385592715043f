"""The network, looked into; its parameters; how it came to be."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, JsonResponse
from django.views.decorators.csrf import csrf_exempt

from digitnet.web import limits
from digitnet.web.errors import api, invalid, json_body
from digitnet.web.services import anatomy, excitation, learning, models, recognition
from digitnet.web.services import network as service
from digitnet.web.services.queue import in_thread

if TYPE_CHECKING:
    from django.http import HttpRequest

PATIENCE = 10.0  # seconds that an answer waits for what excites the units; the page asks again


async def _model(chosen: Any) -> str:  # noqa: ANN401
    """The id of the model asked about; the database is asked which one is in use, so not in any thread."""
    found = await sync_to_async(models.find)(chosen)
    return found.id


@api("GET")
async def facts(request: HttpRequest) -> dict[str, Any]:
    """Sizes, activations, loss and number of parameters."""
    return await sync_to_async(service.facts)(request.GET.get("model"))


@csrf_exempt  # it changes nothing
@api("POST")
async def forward(request: HttpRequest) -> dict[str, Any]:
    """What each unit does with a drawing, and the lines between them."""
    limits.recognitions().require(request, "drawings")
    async with recognition.room():
        body = await asyncio.to_thread(json_body, request)
        model = body.get("model")
        if model is not None and not isinstance(model, str):
            raise invalid("model: expected a text, an id of GET /api/models", "model")
        recognizer = await models.recognizer_soon(model)
        return await asyncio.to_thread(service.forward, body, recognizer)


@api("GET")
async def weights(request: HttpRequest) -> HttpResponse:
    """Weights into units as bytes."""
    layer = request.GET.get("layer", "0")
    if not (layer.isascii() and layer.isdigit() and len(layer) < 4):
        raise invalid(f"layer: '{layer[:20]}', expected a whole number from 0", "layer")
    model = await _model(request.GET.get("model"))
    found = await asyncio.to_thread(service.weight_bytes, model, int(layer), request.GET.get("units", "0"))
    return HttpResponse(found, content_type="application/octet-stream")


@api("GET")
async def unit(request: HttpRequest, layer: int, unit: int) -> dict[str, Any]:
    """A unit: its weights in numbers."""
    model = await _model(request.GET.get("model"))
    return await asyncio.to_thread(service.unit, model, layer, unit)


@api("GET")
async def excites(request: HttpRequest, layer: int, unit: int) -> JsonResponse:
    """What excites a unit: images of the data. 202 as long as they are being looked through."""
    model = await _model(request.GET.get("model"))
    await asyncio.to_thread(anatomy.open_unit, model, layer, unit)
    found = await _excitation(model)
    if found is None:
        return _pending()
    return JsonResponse(await asyncio.to_thread(found.of, layer, unit))


async def _excitation(model: str) -> excitation.Excitation | None:
    """What excites the units of a model; None if that takes longer than a page should wait for it."""
    future = await asyncio.to_thread(excitation.ask, model)
    try:
        return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(future)), PATIENCE)
    except asyncio.TimeoutError:
        return None
    except asyncio.CancelledError:
        if future.cancelled():  # too many models were asked about after it
            return None
        raise


def _pending() -> JsonResponse:
    return JsonResponse({"is_pending": True}, status=202)


@api("GET")
async def parameters(request: HttpRequest) -> dict[str, Any]:
    """The learning parameters: the model, how it was trained, its weights in numbers."""
    model = await _model(request.GET.get("model"))
    return await asyncio.to_thread(learning.parameters, model)


@api("GET")
async def dead(request: HttpRequest) -> JsonResponse:
    """How many hidden units no test image activates. 202 as long as they are being looked through."""
    found = await _excitation(await _model(request.GET.get("model")))
    if found is None:
        return _pending()
    return JsonResponse({"dataset": found.dataset, "layers": found.dead()})


@api("GET")
async def graph(request: HttpRequest) -> Any:  # noqa: ANN401
    """The error graph: what each epoch was like."""
    model = await _model(request.GET.get("model"))
    return await in_thread(learning.graph, model)
