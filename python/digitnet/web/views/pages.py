"""The pages. What is on them comes from the API; a page itself asks for nothing but its template."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.http import JsonResponse
from django.shortcuts import render
from django.views.decorators.csrf import ensure_csrf_cookie
from django.views.decorators.http import require_safe

from digitnet import __version__

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse


def _page(name: str) -> Callable[..., HttpResponse]:
    @ensure_csrf_cookie
    @require_safe
    def view(request: HttpRequest, **values: str) -> HttpResponse:
        return render(request, f"digitnet/{name}.html", {"page": name, **values})

    return view


draw = _page("draw")
network = _page("network")
training = _page("training")
run = _page("run")
data = _page("data")
models = _page("models")
parameters = _page("parameters")
graph = _page("graph")


def healthz(request: HttpRequest) -> HttpResponse:
    """Whether the server answers."""
    return JsonResponse({"status": "ok", "version": __version__})
