"""Run the web app: draw a digit, see the network think, watch it learn."""

from __future__ import annotations

import ipaddress
import os
import secrets
import socket
from pathlib import Path
from typing import TYPE_CHECKING

from digitnet.cli.common import FAILED, CommandError, tell, whole

if TYPE_CHECKING:
    import argparse

HOST, PORT = "127.0.0.1", 8000


def add_options(parser: argparse.ArgumentParser) -> None:
    """Say what the command takes."""
    add = parser.add_argument
    host = "address to listen on; others than this machine's own need an access token (default: %(default)s)"
    add("--host", default=HOST, metavar="ADDRESS", help=host)
    add(
        "--port",
        type=whole(0, 65535),
        default=PORT,
        metavar="N",
        help="0 takes a free one (default: %(default)s)",
    )
    add("--runs", metavar="DIR", help="folder of the trainings (default: DIGITNET_RUNS_DIR, else ./runs)")
    model = "model file to begin with (default: DIGITNET_MODEL, else the model that comes with digitnet)"
    add("--model", metavar="FILE", help=model)


def run(options: argparse.Namespace) -> int:
    """Serve until Ctrl-C."""
    try:
        import django
        import uvicorn
    except ImportError as error:
        message = f'the web app needs {error.name}, expected it installed: pip install "digitnet[web]"'
        raise CommandError(FAILED, message) from None
    environment = os.environ
    environment["DJANGO_SETTINGS_MODULE"] = "digitnet.web.settings"
    if options.runs is not None:
        environment["DIGITNET_RUNS_DIR"] = str(Path(options.runs).absolute())
    if options.model is not None:
        import digitnet as dn

        dn.Recognizer(options.model)  # says what is wrong with it, now and not to the first visitor
        environment["DIGITNET_MODEL"] = str(Path(options.model).absolute())
    if not _is_loopback(options.host):
        environment.setdefault("DIGITNET_WEB_TOKEN", secrets.token_urlsafe(24))
        own_names = [options.host] if options.host not in ("0.0.0.0", "::") else _names_of_this_machine()
        given = environment.get("DIGITNET_ALLOWED_HOSTS", "")
        environment["DIGITNET_ALLOWED_HOSTS"] = ",".join(filter(None, [given, *own_names]))
    listener = _listener(options.host, options.port)
    django.setup()
    from django.core.management import call_command

    call_command("migrate", verbosity=0)
    port = listener.getsockname()[1]
    shown = f"[{options.host}]" if ":" in options.host else options.host
    token = environment.get("DIGITNET_WEB_TOKEN")
    print(f"digitnet: http://{shown}:{port}/" + (f"?token={token}" if token else ""), flush=True)
    tell("Ctrl-C ends it; trainings go on")
    server = uvicorn.Server(
        uvicorn.Config(
            "digitnet.web.asgi:application",
            log_level="warning",
            access_log=False,
            server_header=False,
            lifespan="off",
            timeout_graceful_shutdown=2,
        )
    )
    server.run(sockets=[listener])
    return 0


def _listener(host: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        hint = "; --port 0 takes a free one" if port else ""
        raise CommandError(
            FAILED, f"{host}:{port} cannot be listened on: {error.strerror or error}{hint}"
        ) from None
    listener.listen(1024)
    return listener


def _is_loopback(host: str) -> bool:
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _names_of_this_machine() -> list[str]:
    """The names and addresses under which others may come."""
    name = socket.gethostname()
    names = {name, socket.getfqdn()}
    try:
        names |= {str(found[4][0]) for found in socket.getaddrinfo(name, None)}
    except OSError:
        tell(f"the addresses of {name} cannot be found; name them in DIGITNET_ALLOWED_HOSTS")
    return sorted(f"[{each}]" if ":" in each else each for each in names)
