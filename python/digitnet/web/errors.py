"""What goes wrong, and how it is told: as JSON to scripts, as a page to people.

Nothing that a client sends is a 5xx.
"""

from __future__ import annotations

import functools
import inspect
import json
import math
from typing import TYPE_CHECKING, Any

from django.core.exceptions import RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpResponse, JsonResponse, UnreadablePostError
from django.shortcuts import render

from digitnet import Error
from digitnet._strict_json import parse_json

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest


class ApiError(Exception):
    """Ends a call with a 4xx status (or 503) and {"error": {"code", "message", "field"?}}.

    Args:
        status: 400 what was sent is wrong, 404 no such thing, 409 not now, 413 too large, 422 a field is
            wrong, 429 and 503 too much at once.
        code: one word for programs: "invalid", "not_found", "busy", ...
        message: one line for people: what was found, what was expected.
        field: which of the values sent it is about.
        retry_after: seconds after which it may be tried again.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.retry_after = retry_after

    def response(self) -> JsonResponse:
        """What is sent."""
        response = JsonResponse(_error(self.code, self.message, self.field), status=self.status)
        if self.retry_after is not None:
            response["Retry-After"] = str(max(1, math.ceil(self.retry_after)))
        return response


def _error(code: str, message: str, field: str | None = None) -> dict[str, Any]:
    error = {"code": code, "message": " ".join(message.split())}
    return {"error": error if field is None else {**error, "field": field}}


def error_body(code: str, message: str) -> bytes:
    """The JSON of an error, for answers that are made before Django is asked."""
    return json.dumps(_error(code, message)).encode()


def invalid(message: str, field: str | None = None) -> ApiError:
    """A value that was sent is wrong."""
    return ApiError(422 if field else 400, "invalid", message, field=field)


def missing(what: str) -> ApiError:
    """There is no such thing."""
    return ApiError(404, "not_found", what)


def api(*methods: str) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a view one of the API: other methods get 405, errors become JSON, results are sent as JSON.

    The view may be a coroutine. What the library says of bad input (digitnet.Error) is a 400.
    """

    def wrap(view: Callable[..., Any]) -> Callable[..., Any]:
        def refused(request: HttpRequest) -> HttpResponse | None:
            if request.method in methods or (request.method == "HEAD" and "GET" in methods):
                return None
            expected = ", ".join(methods)
            response = ApiError(405, "method", f"{request.method}, expected {expected}").response()
            response["Allow"] = expected
            return response

        if inspect.iscoroutinefunction(view):

            @functools.wraps(view)
            async def call(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:  # noqa: ANN401
                try:
                    return refused(request) or _answer(await view(request, *args, **values))
                except Exception as error:  # those it does not know are raised again
                    return _told(error)

            return call

        @functools.wraps(view)
        def call_now(request: HttpRequest, *args: Any, **values: Any) -> HttpResponse:  # noqa: ANN401
            try:
                return refused(request) or _answer(view(request, *args, **values))
            except Exception as error:
                return _told(error)

        return call_now

    return wrap


def _answer(result: Any) -> HttpResponse:  # noqa: ANN401
    return (
        result
        if isinstance(result, HttpResponse) or hasattr(result, "streaming")
        else JsonResponse(result, safe=False, json_dumps_params={"allow_nan": False})
    )


def _told(error: Exception) -> HttpResponse:
    if isinstance(error, ApiError):
        return error.response()
    if isinstance(error, Http404):
        return missing(str(error) or "no such thing").response()
    if isinstance(error, RequestDataTooBig):
        return ApiError(413, "too_large", str(error)).response()
    if isinstance(error, (SuspiciousOperation, UnreadablePostError)):
        return invalid(str(error) or "the body could not be read").response()
    if isinstance(error, Error):
        return ApiError(400, "invalid", str(error)).response()
    raise error


def json_body(request: HttpRequest) -> dict[str, Any]:
    """The object in the body of a request: no key twice, no nesting deeper than 64, no number out of range.

    Raises:
        ApiError: if it is none.
    """
    try:
        body = parse_json("body: ", request.body or b"{}")
    except Error as error:
        raise invalid(str(error)) from None
    if not isinstance(body, dict):
        raise invalid(f"body: a JSON {type(body).__name__}, expected an object")
    return body


# ---------------------------------------------------------------- pages


def wants_json(request: HttpRequest) -> bool:
    """Whether an error is told to a program: it asked the API, or for JSON."""
    return "/api/" in request.path or not request.accepts("text/html")


def _page(request: HttpRequest, status: int, code: str, title: str, message: str) -> HttpResponse:
    if wants_json(request):
        return ApiError(status, code, message).response()
    return render(request, "digitnet/error.html", {"title": title, "message": message}, status=status)


def bad_request(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Page or JSON for 400."""
    return _page(request, 400, "invalid", "That could not be read", "The request could not be read.")


def forbidden(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Page or JSON for 403."""
    return _page(request, 403, "forbidden", "Not allowed", str(exception or "That is not allowed."))


def csrf_failure(request: HttpRequest, reason: str = "") -> HttpResponse:
    """Page or JSON where a change was not asked for by one of our own pages."""
    message = f"{reason} Send the cookie csrftoken of a page also as the header X-CSRFToken."
    return _page(request, 403, "csrf", "Not allowed", message)


def not_found(request: HttpRequest, exception: Exception | None = None) -> HttpResponse:
    """Page or JSON for 404."""
    return _page(
        request, 404, "not_found", "There is no such page", f"There is nothing at {request.path[:100]}."
    )


def server_error(request: HttpRequest) -> HttpResponse:
    """Page or JSON for 500: a mistake of ours."""
    return _page(
        request,
        500,
        "failed",
        "Something went wrong",
        "That is our mistake; the server has written down why.",
    )
