"""POST /api/recognize."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.views.decorators.csrf import csrf_exempt

from digitnet.web.errors import api, json_body
from digitnet.web.services import recognition

if TYPE_CHECKING:
    from django.http import HttpRequest


@csrf_exempt  # it changes nothing
@api("POST")
def recognize(request: HttpRequest) -> dict[str, Any]:
    """What is read from a drawing."""
    return recognition.recognize(json_body(request))
