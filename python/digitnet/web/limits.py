"""How often one client may ask: a bucket of tokens for each, refilled at a steady rate. Kept in memory."""

from __future__ import annotations

import functools
import threading
import time
from typing import TYPE_CHECKING

from django.conf import settings

from digitnet.web.errors import ApiError

if TYPE_CHECKING:
    from collections.abc import Callable

    from django.http import HttpRequest

RECOGNITIONS_PER_SECOND = 600.0
STARTS_PER_MINUTE = 30.0


class Limiter:
    """Token buckets, one for each client.

    Args:
        rate: tokens that come back in a second, above 0.
        burst: tokens of a full bucket, at least 1.
        most_clients: buckets that are kept; beyond that the one longest unused is forgotten.
        clock: seconds, never going back.
    """

    def __init__(
        self,
        rate: float,
        burst: float,
        most_clients: int = 10_000,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.rate = rate
        self.burst = burst
        self.most_clients = most_clients
        self.clock = clock
        self._lock = threading.Lock()
        self._buckets: dict[
            str, tuple[float, float]
        ] = {}  # tokens and when they were counted, longest unused first

    def take(self, client: str) -> float:
        """Take a token. Returns 0, or, if there is none, the seconds until there will be one."""
        with self._lock:
            now = self.clock()
            tokens, then = self._buckets.pop(client, (self.burst, now))
            tokens = min(self.burst, tokens + (now - then) * self.rate)
            wait = 0.0 if tokens >= 1 else (1 - tokens) / self.rate
            self._buckets[client] = (tokens if wait else tokens - 1, now)
            while len(self._buckets) > self.most_clients:
                del self._buckets[next(iter(self._buckets))]
            return wait

    def require(self, request: HttpRequest, what: str) -> None:
        """Take a token of whoever sent the request.

        Raises:
            ApiError: 429 with Retry-After if there is none.
        """
        wait = self.take(client_of(request))
        if wait:
            found = f"{what}: more than {self.rate * 60:g} a minute from one client"
            message = f"{found}, expected at most that; try again in {wait:.2g} s"
            raise ApiError(429, "too_many", message, retry_after=wait)


def client_of(request: HttpRequest) -> str:
    """Who asks: the address, or for IPv6 its first half, which is what one household has."""
    address: str = request.META.get("REMOTE_ADDR") or ""
    return ":".join(address.split(":")[:4]) if address.count(":") > 4 else address


@functools.cache
def recognitions() -> Limiter:
    """What POST /api/recognize is held to."""
    rate = float(getattr(settings, "DIGITNET_RECOGNITIONS_PER_SECOND", RECOGNITIONS_PER_SECOND))
    return Limiter(rate, max(1.0, rate))


@functools.cache
def starts() -> Limiter:
    """What the start of a training is held to."""
    rate = float(getattr(settings, "DIGITNET_STARTS_PER_MINUTE", STARTS_PER_MINUTE))
    return Limiter(rate / 60, max(1.0, rate))
