"""The app for INSTALLED_APPS."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """digitnet.web, under the label `digitnet`. Nothing is loaded or started before it is asked for."""

    name = "digitnet.web"
    label = "digitnet"
    verbose_name = "digitnet"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """The queue of trainings is looked after from the first request on."""
        from django.core.signals import request_started

        from digitnet.web.services import queue

        request_started.connect(queue.keep_going, dispatch_uid="digitnet-queue")
