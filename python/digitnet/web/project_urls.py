"""The addresses of `digitnet serve`: the app at the root."""

from __future__ import annotations

from django.urls import include, path

urlpatterns = [path("", include("digitnet.web.urls"))]
handler400 = "digitnet.web.errors.bad_request"
handler403 = "digitnet.web.errors.forbidden"
handler404 = "digitnet.web.errors.not_found"
handler500 = "digitnet.web.errors.server_error"
