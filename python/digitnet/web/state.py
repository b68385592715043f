"""Where the web app keeps what is its own: database, secret key, uploaded models, logs of trainings."""

from __future__ import annotations

import os
import secrets
from pathlib import Path

from django.core.exceptions import ImproperlyConfigured

from digitnet._files import write_whole


def state_directory() -> Path:
    """DIGITNET_STATE_DIR, else $XDG_STATE_HOME/digitnet, else ~/.local/state/digitnet; made if missing."""
    given = os.environ.get("DIGITNET_STATE_DIR")
    base = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    path = Path(given) if given else Path(base) / "digitnet"
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    return path.absolute()


def state_folder() -> Path:
    """The folder, from whatever project the app is in: its setting DIGITNET_STATE, else state_directory()."""
    from django.conf import settings  # settings.py imports this module

    given = getattr(settings, "DIGITNET_STATE", None)
    return state_directory() if given is None else Path(given)


def secret_key(folder: Path) -> str:
    """The key that cookies are signed with: made on the first start, and readable by its owner alone."""
    path = folder / "secret-key"
    try:
        key = path.read_text().strip()
    except FileNotFoundError:
        key = ""
    if len(key) < 50:
        key = secrets.token_urlsafe(64)
        mask = os.umask(0o077)
        try:
            write_whole(path, key + "\n")
        finally:
            os.umask(mask)
    return key


def positive_number(name: str, default: float) -> float:
    """A number of the environment.

    Raises:
        ImproperlyConfigured: if it is none, or not above 0 and at most a million.
    """
    text = os.environ.get(name) or str(default)
    try:
        value = float(text)
    except ValueError:
        value = 0.0
    if not 0 < value <= 1e6:
        msg = f"{name}: '{text}', expected a number above 0, at most 1000000"
        raise ImproperlyConfigured(msg)
    return value
