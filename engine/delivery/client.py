"""One POST over HTTP/1.1, bounded in time and memory whatever the receiver does.

It follows no redirect, asks no proxy, keeps no cookie, reads no netrc and inflates nothing. A connection is used again
when its answer was read to the end.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from contextlib import closing, suppress

import httpcore2

from engine.delivery.answers import Answer
from engine.delivery.channels import SendError
from engine.delivery.endpoint import Endpoint, address_of, read_endpoint
from engine.delivery.guard import Guard
from engine.delivery.network import GuardedNetwork, Resolve, TimedStream, look_up
from engine.delivery.trust import trusted
from engine.delivery_settings import HttpSettings
from engine.errors import ConfigError

KEPT = 4.0
"""Seconds an idle connection is kept: less than the five after which many servers close theirs."""

_NOT_CONNECTED = (httpcore2.ConnectError, httpcore2.ConnectTimeout, httpcore2.PoolTimeout)
_BROKEN = (httpcore2.NetworkError, httpcore2.ProtocolError)


def client_of(
    settings: HttpSettings, *, resolve: Resolve = look_up, network: httpcore2.NetworkBackend | None = None
) -> HttpClient:
    """The client of a channel. Raises ConfigError for a URL that can never be posted to, and for certificates to trust
    that cannot be read.

    ``resolve`` and ``network`` stand for the system's.
    """
    endpoint, guard = read_endpoint(settings.address()), Guard(settings.allow)
    objection = None if address_of(endpoint.host) is None else guard.objection(endpoint.host, [endpoint.host])
    if objection is not None:
        raise ConfigError(objection)
    return HttpClient(
        endpoint,
        GuardedNetwork(guard, settings.connect_timeout.total_seconds(), resolve=resolve, network=network),
        timeout=settings.timeout.total_seconds(),
        answer_bytes=settings.answer_bytes,
        connections=settings.concurrency,
    )


class HttpClient:
    """Posts to one endpoint, from several threads at once.

    ``timeout``, in seconds, is for all of a POST; ``answer_bytes`` of an answer's body are read at most; at most
    ``connections`` are open.
    """

    def __init__(
        self, endpoint: Endpoint, network: GuardedNetwork, *, timeout: float, answer_bytes: int, connections: int
    ) -> None:
        self._host = endpoint.authority
        self._url = httpcore2.URL(
            scheme=endpoint.scheme, host=endpoint.host, port=endpoint.port, target=endpoint.target
        )
        self._timeout = timeout
        self._answer_bytes = answer_bytes
        self._pool = httpcore2.ConnectionPool(
            ssl_context=trusted(httpcore2.default_ssl_context) if endpoint.scheme == "https" else None,
            max_connections=connections,
            keepalive_expiry=KEPT,
            network_backend=network,
        )

    def post(self, headers: Mapping[str, str], body: bytes) -> Answer:
        """What the receiver answered. Raises SendError where no answer came; it says whether the request may have.

        The answer is known by its headers. A body that hangs, drips or is too long costs the connection and changes
        nothing.
        """
        response = self._respond(headers, body)
        with suppress(httpcore2.TimeoutException, *_BROKEN), closing(response):
            self._read(response)
        named = {name.lower().decode("latin-1"): value.decode("latin-1") for name, value in response.headers}
        return Answer(response.status, named)

    def _respond(self, headers: Mapping[str, str], body: bytes) -> httpcore2.Response:
        try:
            response = self._pool.handle_request(self._request(headers, body))
        except _NOT_CONNECTED as error:
            raise SendError(f"no connection to {self._host}: {_words(error)}") from error
        except httpcore2.TimeoutException as error:
            raise SendError(f"{self._host} did not answer within {self._timeout:g} seconds", unknown=True) from error
        except _BROKEN as error:
            raise SendError(f"{self._host} broke off before it answered: {_words(error)}", unknown=True) from error
        self._own(response)
        return response

    def _own(self, response: httpcore2.Response) -> None:
        """Refuses an answer that stood behind the one before: it came before the request it would answer."""
        stream: TimedStream = response.extensions["network_stream"]
        if not stream.heard:
            response.close()  # unread, so it takes the connection along
            raise SendError(f"{self._host} answered before it was asked", unknown=True)

    def _request(self, headers: Mapping[str, str], body: bytes) -> httpcore2.Request:
        deadline = time.monotonic() + self._timeout
        ours = {
            "host": self._host,
            "user-agent": "Lapse",
            "accept": "*/*",
            "accept-encoding": "identity",
            "content-length": str(len(body)),
        }
        timeouts = {"pool": self._timeout, "connect": deadline, "read": deadline, "write": deadline}
        return httpcore2.Request(
            "POST", self._url, headers=[*ours.items(), *headers.items()], content=body, extensions={"timeout": timeouts}
        )

    def _read(self, response: httpcore2.Response) -> None:
        read = 0
        for chunk in response.iter_stream():
            read += len(chunk)
            if read > self._answer_bytes:
                return

    def close(self) -> None:
        self._pool.close()


def _words(error: Exception) -> str:
    return str(error) or type(error).__name__
