"""/api/models: which there are, and what can be done with them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse, JsonResponse

from digitnet.web.errors import api, invalid, json_body
from digitnet.web.services import data, exports, model_list, models, predictions, uploads

if TYPE_CHECKING:
    from django.http import HttpRequest


@api("GET", "POST")
async def collection(request: HttpRequest) -> list[dict[str, Any]] | JsonResponse:
    """GET: the models, a list. POST: a new one, as the field `file` of a multipart body."""
    if request.method == "POST":
        return await _upload(request)
    found = await asyncio.to_thread(model_list.collect)
    return await sync_to_async(model_list.describe)(found)


async def _upload(request: HttpRequest) -> JsonResponse:
    file = await sync_to_async(lambda: request.FILES.get("file"))()
    if file is None:
        raise invalid("file: none was sent, expected a model as the field 'file' of a multipart body", "file")
    model = await asyncio.to_thread(uploads.add, file)
    return JsonResponse(await _told(model), status=201)


async def _told(model: models.Model) -> dict[str, Any]:
    known = await asyncio.to_thread(model_list.facts, model)
    return (await sync_to_async(model_list.describe)([(model, known)]))[0]


@api("GET", "DELETE")
async def one(request: HttpRequest, model_id: str) -> dict[str, Any] | HttpResponse:
    """GET: what is known of a model. DELETE: remove one that was uploaded."""
    if request.method == "DELETE":
        await sync_to_async(uploads.remove)(model_id)
        return HttpResponse(status=204)
    return await _told(await sync_to_async(models.find)(model_id))


@api("GET")
async def file(request: HttpRequest, model_id: str) -> HttpResponse:
    """A model as a file: ?format=safetensors (default) or npz, ?precision=full or half."""
    model = await sync_to_async(models.find)(model_id)
    form, precision = request.GET.get("format", "safetensors"), request.GET.get("precision")
    export = await asyncio.to_thread(exports.export, model, form, precision)
    response = HttpResponse(export.content, content_type="application/octet-stream")
    response["Content-Disposition"] = f'attachment; filename="{export.name}"'
    return response


@api("POST")
async def use(request: HttpRequest, model_id: str) -> dict[str, Any]:
    """Make a model the one in use."""
    return await _told(await sync_to_async(models.use)(model_id))


@api("POST")
async def evaluate(request: HttpRequest, model_id: str) -> dict[str, Any]:
    """Measure a model on the test set of {"dataset"}, by default of what it learned from; keep the result."""
    model = await sync_to_async(models.find)(model_id)
    known = await asyncio.to_thread(model_list.facts, model)
    dataset = json_body(request).get("dataset", known.home)
    if not isinstance(dataset, str) or dataset not in data.NAMES:
        names = ", ".join(data.NAMES)
        raise invalid(f"dataset: '{str(dataset)[:40]}', expected one of {names}", "dataset")
    recognizer = await sync_to_async(models.recognizer)(model.id)
    part = await asyncio.to_thread(data.part, dataset, "test")
    found = await predictions.predictions(model, recognizer, part)
    await sync_to_async(model_list.keep_accuracy)(known, dataset, found.accuracy)
    return await _told(model)
