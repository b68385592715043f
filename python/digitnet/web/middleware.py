"""What holds for every request: the headers that keep a page to itself, and who may change something."""

from __future__ import annotations

import hmac
import inspect
import os
from typing import TYPE_CHECKING, Any

from django.conf import settings
from django.urls import resolve
from django.utils.decorators import sync_and_async_middleware

from digitnet.web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest, HttpResponse

# Nothing but what this server serves itself; no code and no style within a page.
CONTENT_SECURITY_POLICY = "; ".join(
    [
        "default-src 'none'",
        "script-src 'self'",
        "style-src 'self'",
        "img-src 'self' data: blob:",
        "font-src 'self'",
        "connect-src 'self'",
        "manifest-src 'self'",
        "form-action 'self'",
        "base-uri 'none'",
        "frame-ancestors 'none'",
    ]
)
TOKEN_COOKIE = "digitnet-token"
SAFE_METHODS = ("GET", "HEAD", "OPTIONS")


@sync_and_async_middleware
def security_headers(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Content-Security-Policy and Permissions-Policy; Django's own middleware adds the others."""

    def add(response: HttpResponse) -> HttpResponse:
        response.setdefault("Content-Security-Policy", CONTENT_SECURITY_POLICY)
        response.setdefault("Permissions-Policy", "camera=(self), microphone=(), geolocation=()")
        response.setdefault("Cross-Origin-Resource-Policy", "same-origin")
        if not response.has_header("Cache-Control"):
            response["Cache-Control"] = "no-store"
        return response

    return _around(get_response, before=None, after=add)


@sync_and_async_middleware
def direct_recognition(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Recognition, past the middleware that follows.

    An asynchronous server calls each of Django's own in a thread, which costs more than to read the drawing.
    This changes nothing, sets no cookie and needs no token: what is left is to check the host, and headers.
    """
    if not inspect.iscoroutinefunction(get_response):
        return get_response
    headers = {
        "X-Content-Type-Options": "nosniff",
        "X-Frame-Options": "DENY",
        "Referrer-Policy": "same-origin",
    }
    headers["Cross-Origin-Opener-Policy"] = "same-origin"

    async def call(request: HttpRequest) -> HttpResponse:
        if request.method != "POST" or not _is_open(request) or settings.SECURE_SSL_REDIRECT:
            return await get_response(request)  # type: ignore[no-any-return]
        request.get_host()
        match = resolve(request.path_info)
        response: HttpResponse = await match.func(request, *match.args, **match.kwargs)
        for name, value in headers.items():
            response[name] = value
        response["Content-Length"] = str(len(response.content))
        return response

    return call


@sync_and_async_middleware
def access_token(get_response: Callable[[HttpRequest], Any]) -> Callable[[HttpRequest], Any]:
    """Where DIGITNET_WEB_TOKEN is set, what changes something needs it. Reading a drawing changes nothing.

    It is shown as a cookie, got by opening a page with ?token=..., or as `Authorization: Bearer ...`.
    """
    token = os.environ.get("DIGITNET_WEB_TOKEN", "")

    def is_right(shown: str) -> bool:
        return hmac.compare_digest(shown.encode(), token.encode())

    def check(request: HttpRequest) -> HttpResponse | None:
        bearer = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if not token or request.method in SAFE_METHODS or _is_open(request):
            return None
        if is_right(bearer):  # no browser adds this header by itself, so it cannot be another site's wish
            request._dont_enforce_csrf_checks = True  # type: ignore[attr-defined]
            return None
        if is_right(request.COOKIES.get(TOKEN_COOKIE, "")):
            return None
        message = "no access token, expected that of the address which the server told when it started"
        return ApiError(401, "token", message).response()

    def keep(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        shown = request.GET.get("token", "") if token and request.method == "GET" else ""
        if shown and is_right(shown):
            response.set_cookie(
                TOKEN_COOKIE,
                token,
                httponly=True,
                samesite="Strict",
                secure=request.is_secure(),
                max_age=30 * 86400,
            )
        return response

    return _around(get_response, before=check, after=None, after_request=keep)


def _is_open(request: HttpRequest) -> bool:
    return request.path.endswith(("/api/recognize", "/api/network/forward", "/readings"))


def _around(
    get_response: Callable[[HttpRequest], Any],
    before: Callable[[HttpRequest], HttpResponse | None] | None = None,
    after: Callable[[HttpResponse], HttpResponse] | None = None,
    after_request: Callable[[HttpRequest, HttpResponse], HttpResponse] | None = None,
) -> Callable[[HttpRequest], Any]:
    """A middleware for both kinds of servers, without a thread between."""

    def finish(request: HttpRequest, response: HttpResponse) -> HttpResponse:
        if after is not None:
            response = after(response)
        return after_request(request, response) if after_request is not None else response

    if inspect.iscoroutinefunction(get_response):

        async def call(request: HttpRequest) -> HttpResponse:
            refused = before(request) if before is not None else None
            return finish(request, refused or await get_response(request))

        return call

    def call_now(request: HttpRequest) -> HttpResponse:
        refused = before(request) if before is not None else None
        return finish(request, refused or get_response(request))

    return call_now
