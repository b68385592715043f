"""Django's settings for `digitnet serve`. What may differ between machines is read from the environment.

| variable | what it says |
|---|---|
| DIGITNET_STATE_DIR | where database, secret key and uploaded models are |
| DIGITNET_RUNS_DIR | where the trainings are (default: ./runs) |
| DIGITNET_ALLOWED_HOSTS | further names of this server, with commas between them |
| DIGITNET_WEB_TOKEN | what has to be shown before anything is changed; none: nothing has |
| DIGITNET_HTTPS | 1 behind a proxy that speaks HTTPS: cookies and redirects insist on it |
| DIGITNET_RECOGNITIONS_PER_SECOND | drawings that one client may have read in a second (default: 600) |
| DIGITNET_STARTS_PER_MINUTE | trainings that one client may start in a minute (default: 30) |
| DIGITNET_DEBUG | 1 shows Django's pages of errors; never where others can see them |
| DATABASE_URL | another database than SQLite: postgres://user:password@host/name |
"""

from __future__ import annotations

import os
from pathlib import Path

import dj_database_url

from digitnet import _core
from digitnet.web.state import positive_number, secret_key, state_directory

DIGITNET_STATE = STATE = state_directory()
HTTPS = os.environ.get("DIGITNET_HTTPS") == "1"

SECRET_KEY = secret_key(STATE)
DEBUG = os.environ.get("DIGITNET_DEBUG") == "1"
ALLOWED_HOSTS = ["127.0.0.1", "localhost", "[::1]"]
ALLOWED_HOSTS += [host for host in os.environ.get("DIGITNET_ALLOWED_HOSTS", "").split(",") if host]

INSTALLED_APPS = ["django.contrib.staticfiles", "digitnet.web"]
ROOT_URLCONF = "digitnet.web.project_urls"
ASGI_APPLICATION = "digitnet.web.asgi.application"
MIDDLEWARE = [
    "digitnet.web.middleware.security_headers",
    "digitnet.web.middleware.direct_recognition",
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.common.CommonMiddleware",
    "digitnet.web.middleware.access_token",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {"context_processors": ["django.template.context_processors.request"]},
    }
]

# SQLite in WAL mode: readers and a writer do not wait for each other.
DATABASES = {
    "default": dj_database_url.config(
        default=f"sqlite:///{STATE / 'digitnet.sqlite3'}", conn_max_age=60, conn_health_checks=True
    )
}
if DATABASES["default"]["ENGINE"] == "django.db.backends.sqlite3":
    DATABASES["default"]["OPTIONS"] = {
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL;",
        "transaction_mode": "IMMEDIATE",
        "timeout": 20,
    }

# What belongs to the app, and what was collected when the package was built (uPlot), beside its module.
STATIC_URL = "static/"
BUILT_STATIC = Path(_core.__file__).parent / "web" / "static"
OWN_STATIC = Path(__file__).parent / "static"
STATICFILES_DIRS = [BUILT_STATIC] if BUILT_STATIC.is_dir() and BUILT_STATIC != OWN_STATIC else []

DATA_UPLOAD_MAX_MEMORY_SIZE = 2_500_000  # bytes of a body; asgi.py refuses larger ones before they are read
DIGITNET_RECOGNITIONS_PER_SECOND = positive_number("DIGITNET_RECOGNITIONS_PER_SECOND", 600)
DIGITNET_STARTS_PER_MINUTE = positive_number("DIGITNET_STARTS_PER_MINUTE", 30)
DATA_UPLOAD_MAX_NUMBER_FIELDS = 100
MODEL_UPLOAD_MAX_SIZE = 64_000_000  # bytes of a model file, which alone may be larger
FILE_UPLOAD_MAX_MEMORY_SIZE = DATA_UPLOAD_MAX_MEMORY_SIZE

LANGUAGE_CODE = "en"
USE_I18N = False
USE_TZ = True
TIME_ZONE = "UTC"

CSRF_COOKIE_SAMESITE = "Strict"
CSRF_FAILURE_VIEW = "digitnet.web.errors.csrf_failure"
SECURE_REFERRER_POLICY = "same-origin"
X_FRAME_OPTIONS = "DENY"
if HTTPS:
    CSRF_COOKIE_SECURE = True
    SECURE_SSL_REDIRECT = True
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
    SECURE_HSTS_INCLUDE_SUBDOMAINS = True
    SECURE_HSTS_PRELOAD = True
else:
    # On one's own machine there is only plain HTTP, where HSTS, redirects and secure cookies mean nothing.
    SILENCED_SYSTEM_CHECKS = ["security.W004", "security.W008", "security.W016"]

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "digitnet: {levelname} {name}: {message}", "style": "{"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": "WARNING"},
    # A refused request is an answer, not an accident of the server.
    "loggers": {"django.request": {"level": "ERROR"}, "django.security": {"level": "CRITICAL"}},
}
