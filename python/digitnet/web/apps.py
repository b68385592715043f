"""The app for INSTALLED_APPS."""

from __future__ import annotations

from django.apps import AppConfig


class WebConfig(AppConfig):
    """digitnet.web, under the label `digitnet`. Nothing is loaded or started before it is asked for."""

    name = "digitnet.web"
    label = "digitnet"
    verbose_name = "digitnet"
    default_auto_field = "django.db.models.BigAutoField"
