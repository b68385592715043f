"""POST /api/recognize."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

from django.views.decorators.csrf import csrf_exempt

from digitnet.web import limits
from digitnet.web.errors import api, json_body
from digitnet.web.services import models, recognition

if TYPE_CHECKING:
    from django.http import HttpRequest

LONG_BODY = 50_000  # bytes; what is longer is read in a thread, so that nobody else waits


@csrf_exempt  # it changes nothing
@api("POST")
async def recognize(request: HttpRequest) -> dict[str, Any]:
    """What is read from a drawing."""
    limits.recognitions().require(request, "drawings")
    if len(request.body) <= LONG_BODY:
        wish = recognition.wish(json_body(request))
        recognizer = await models.recognizer_soon(wish.model)
        if wish.is_quick:
            return recognition.answer(recognizer, wish)
        async with recognition.room():
            return await asyncio.to_thread(recognition.answer, recognizer, wish)
    async with recognition.room():
        wish = await asyncio.to_thread(lambda: recognition.wish(json_body(request)))
        recognizer = await models.recognizer_soon(wish.model)
        return await asyncio.to_thread(recognition.answer, recognizer, wish)
