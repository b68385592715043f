"""GET /api/data...: what the page Data shows."""

from __future__ import annotations

import asyncio
import gzip
from typing import TYPE_CHECKING, Any

from asgiref.sync import sync_to_async
from django.http import HttpResponse

from digitnet.web.errors import api
from digitnet.web.services import augmentation, data, models, predictions

if TYPE_CHECKING:
    from django.http import HttpRequest

    import digitnet as dn

FOREVER = "public, max-age=31536000, immutable"  # what is named by its fingerprint never changes


async def _part(name: str, part: str) -> data.Part:
    """The part of a set: from the database where that is, else from files, which takes a thread."""
    if name == data.PERSONAL:
        return await sync_to_async(data.part)(name, part)
    return await asyncio.to_thread(data.part, name, part)


@sync_to_async
def _model(request: HttpRequest) -> tuple[models.Model, dn.Recognizer]:
    """The model that ?model= names, else the one in use."""
    model = models.find(request.GET.get("model") or None)
    return model, models.recognizer(model.id)


def _zipped(request: HttpRequest, content: bytes, kind: str, cache: str = "no-store") -> HttpResponse:
    """What is kept compressed, as it is, or unpacked for those who do not take it so."""
    takes_it = "gzip" in request.headers.get("Accept-Encoding", "")
    response = HttpResponse(content if takes_it else gzip.decompress(content), content_type=kind)
    if takes_it:
        response["Content-Encoding"] = "gzip"
    response["Vary"] = "Accept-Encoding"
    response["Cache-Control"] = cache
    return response


@api("GET")
async def sets(request: HttpRequest) -> dict[str, Any]:
    """The data sets, those that are not there too, and the named augmentations."""
    await asyncio.to_thread(data.available)  # reads what was not read yet
    return {"sets": await sync_to_async(data.facts)(), "augmentations": augmentation.named()}


@api("GET")
async def part(request: HttpRequest, name: str, part: str) -> dict[str, Any]:
    """Labels and fingerprint of one part."""
    return data.describe(await _part(name, part))


@api("GET")
async def sprite(request: HttpRequest, name: str, part: str, number: int) -> HttpResponse:
    """A sprite sheet: up to 500 images of 784 bytes each, one after another.

    With ?v=<fingerprint> it may be kept for ever.
    """
    chosen = await _part(name, part)
    images = data.sheet(chosen, number)
    content = await asyncio.to_thread(gzip.compress, images.tobytes(), 4, mtime=0)
    cache = FOREVER if request.GET.get("v") == chosen.fingerprint else "no-store"
    return _zipped(request, content, "application/octet-stream", cache)


@api("GET")
async def averages(request: HttpRequest, name: str, part: str) -> dict[str, Any]:
    """The mean image of each class."""
    return await asyncio.to_thread(data.averages, await _part(name, part))


@api("GET")
async def predict(request: HttpRequest, name: str, part: str) -> HttpResponse:
    """What a model says of every image of a part."""
    chosen = await _part(name, part)
    model, recognizer = await _model(request)
    found = await predictions.predictions(model, recognizer, chosen)
    return _zipped(request, found.answer, "application/json")


@api("GET")
async def image(request: HttpRequest, name: str, part: str, index: int) -> dict[str, Any]:
    """One image, and what a model says of it."""
    chosen = await _part(name, part)
    pixels = chosen.image(index)
    model, recognizer = await _model(request)
    read = await asyncio.to_thread(predictions.of_one, recognizer, pixels)
    label = int(chosen.labels[index])
    return {"index": index, "label": label, "model": model.id, "image": pixels.ravel().tolist(), **read}


@api("GET")
async def augmented(request: HttpRequest, name: str, part: str, index: int) -> dict[str, Any]:
    """What one image becomes by an augmentation: ?name=, any of its knobs, ?seed=, ?copies=."""
    chosen = await _part(name, part)
    pixels = chosen.image(index)
    wanted = augmentation.chosen(request.GET)
    seed = augmentation.whole(request.GET, "seed", 1, 0, 2**31 - 1)
    copies = augmentation.whole(request.GET, "copies", 24, 1, augmentation.MOST_COPIES)
    _, recognizer = await _model(request)
    return await asyncio.to_thread(augmentation.preview, pixels, wanted, copies, seed, recognizer)
