"""/api/personal: the drawings whose digit somebody told."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.http import HttpResponse, JsonResponse

from digitnet.web.errors import api, invalid, json_body
from digitnet.web.services import personal

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


@api("GET", "POST", "DELETE")
def collection(request: HttpRequest) -> dict[str, Any] | HttpResponse:
    """The newest drawings; keep one; delete all."""
    if request.method == "POST":
        return JsonResponse(personal.add(json_body(request)), status=201)
    if request.method == "DELETE":
        return {"deleted": personal.remove_all()}
    limit = _whole(request, "limit", 1, personal.LARGEST_PAGE)
    return personal.listed(_whole(request, "before", 1, personal.LARGEST_ID), 60 if limit is None else limit)


@api("DELETE")
def item(request: HttpRequest, digit_id: int) -> dict[str, Any]:
    """Delete one."""
    personal.remove(digit_id)
    return personal.totals()


def _whole(request: HttpRequest, name: str, low: int, high: int) -> int | None:
    """A whole number of the query; None if it is not there."""
    text = request.GET.get(name)
    if text is None:
        return None
    value = int(text) if text.isascii() and text.isdigit() and len(text) < 20 else -1
    if not low <= value <= high:
        raise invalid(f"{name}: '{text[:40]}', expected a whole number from {low} to {high}", name)
    return value


def _download(make: Callable[[], bytes], name: str, kind: str) -> Callable[[HttpRequest], HttpResponse]:
    @api("GET")
    def view(request: HttpRequest) -> HttpResponse:
        headers = {"Content-Disposition": f'attachment; filename="{name}"'}
        return HttpResponse(make(), content_type=kind, headers=headers)

    return view


images = _download(lambda: personal.idx("images"), "personal-images-idx3-ubyte", "application/octet-stream")
labels = _download(lambda: personal.idx("labels"), "personal-labels-idx1-ubyte", "application/octet-stream")
archive = _download(personal.archive, "personal.zip", "application/zip")
