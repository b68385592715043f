"""The application for an ASGI server: Django, static files beside it, and a limit on bodies before it."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "digitnet.web.settings")

from asgiref.sync import SyncToAsync, ThreadSensitiveContext
from django.conf import settings
from django.core.asgi import get_asgi_application
from servestatic import ServeStaticASGI

from digitnet.web.errors import error_body

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping

    Application = Callable[[Any, Any, Any], Awaitable[None]]


def limited(
    application: Application, usual: int, larger: Mapping[tuple[str, str], int] | None = None
) -> Application:
    """The application, but a body of more than `usual` bytes is refused with 413 and not kept anywhere.

    `larger` has other limits, by method and end of the path.

    Django alone would write it to a file before it looks at its length.
    """

    async def refuse(send: Any, most: int) -> None:  # noqa: ANN401
        body = error_body("too_large", f"a body of more than {most} bytes, expected at most that")
        headers = [(b"content-type", b"application/json"), (b"connection", b"close")]
        await send({"type": "http.response.start", "status": 413, "headers": headers})
        await send({"type": "http.response.body", "body": body})

    async def call(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        if scope["type"] != "http":
            await application(scope, receive, send)
            return
        most = usual
        for (method, ending), size in (larger or {}).items():
            if scope["method"] == method and scope["path"].endswith(ending):
                most = size
        lengths = [value for name, value in scope["headers"] if name == b"content-length"]
        if lengths and not (lengths[0].isdigit() and int(lengths[0][:12]) <= most):
            await refuse(send, most)
            return
        seen = 0
        refused = False

        async def counted() -> Any:  # noqa: ANN401
            nonlocal seen, refused
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > most:
                refused = True
                return {"type": "http.disconnect"}
            return message

        async def answer(message: Any) -> None:  # noqa: ANN401
            if not refused:
                await send(message)

        await application(scope, counted, answer)
        if refused:
            await refuse(send, most)

    return call


def with_one_thread(application: Application, path_end: str) -> Application:
    """The application, but the requests of a path share one thread for what Django does in a thread.

    Else it starts one for each of them, only to tell its signals that there is a request.
    """
    shared = ThreadSensitiveContext()  # never left, so its thread stays

    async def call(scope: Any, receive: Any, send: Any) -> None:  # noqa: ANN401
        if scope["type"] == "http" and scope["path"].endswith(path_end):
            SyncToAsync.thread_sensitive_context.set(shared)  # Django makes its own only where there is none
        await application(scope, receive, send)

    return call


def with_static_files(application: Application) -> Application:
    """The application, and the static files of the app under STATIC_URL; browsers ask if they are new."""
    served = ServeStaticASGI(application, autorefresh=settings.DEBUG, max_age=0, charset="utf-8")
    for folder in (*settings.STATICFILES_DIRS, settings.OWN_STATIC):
        served.add_files(str(folder), prefix=settings.STATIC_URL)
    return served  # type: ignore[no-any-return]


application = limited(
    with_static_files(with_one_thread(get_asgi_application(), "/api/recognize")),
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE,
    {("POST", "/api/models"): settings.MODEL_UPLOAD_MAX_SIZE + 10_000},  # and the form around the file
)
