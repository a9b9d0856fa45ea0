"""The page behind the link of a mail: it belongs to no dialect, and nobody needs a key for it.

Looking at it changes nothing, for programs look at links before people do. A POST says no: the one a mail program makes
by itself (RFC 8058) as well as the page's. It answers whatever comes with a page, for people read it.
"""

from __future__ import annotations

import base64
import hashlib
import os
import time
from collections.abc import Mapping
from html import escape
from typing import Final
from urllib.parse import parse_qs

from starlette.requests import ClientDisconnect, Request
from starlette.types import Receive, Scope, Send

from engine.api.bodies import BodyLimits, body_of, check_transfer
from engine.api.dialect import Refused
from engine.api.logs import fault, log
from engine.api.service import Service
from engine.durations import in_micros
from engine.errors import StoreError
from engine.receipt import Rejection
from engine.runtime import unsubscribing
from engine.runtime.engine import Engine
from engine.runtime.unsubscribing import PATH, Choice
from engine.store.workspaces import WorkspaceRow

NAME: Final = "unsubscribe"
"""What logs, metrics and the source of events call it."""

BODY_BYTES: Final = 16 * 1024
"""What a POST may say: a field, in a form or in several parts."""

_NO: Final[Choice] = "unsubscribed"
_METHODS: Final = ("GET", "HEAD", "POST")
_STYLE: Final = (
    "body{font:1.1rem/1.5 system-ui,sans-serif;margin:0;color:#1a1a1a;background:#fff}"
    "main{max-width:32rem;margin:15vh auto;padding:0 1.5rem}"
    "button{font:inherit;padding:.6rem 1.2rem;color:#fff;background:#1a1a1a;border:0;border-radius:.4rem}"
    "button:focus-visible{outline:3px solid #2b6cb0;outline-offset:2px}"
)
_DIGEST: Final = base64.b64encode(hashlib.sha256(_STYLE.encode()).digest()).decode()
_HEADERS: Final = {
    "Content-Type": "text/html; charset=utf-8",
    "Content-Security-Policy": f"default-src 'none'; style-src 'sha256-{_DIGEST}'; form-action 'self'; "
    "base-uri 'none'; frame-ancestors 'none'",
    "Cache-Control": "no-store",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Robots-Tag": "noindex",
}


def _page(title: str, text: str, button: str | None = None, choice: Choice | None = None) -> str:
    form = ""
    if button is not None:
        form = f'<form method="post"><button name="choice" value="{choice}">{escape(button)}</button></form>'
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{_STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1><p>{escape(text)}</p>{form}</main></body></html>"
    )


_ASKED: Final = _page(
    "Unsubscribe", "You will get no more messages like the one that led you here.", "Unsubscribe", "unsubscribed"
)
_DONE: Final[Mapping[Choice, str]] = {
    "unsubscribed": _page(
        "You are unsubscribed",
        "You will get no more messages like the one that led you here. What is on its way already may still arrive.",
        "Subscribe again",
        "resubscribed",
    ),
    "resubscribed": _page(
        "You are subscribed again", "You may get messages like these from now on.", "Unsubscribe", "unsubscribed"
    ),
}
_REFUSED: Final[Mapping[int, str]] = {
    404: _page(
        "This link leads nowhere",
        "Either it is not whole, or nothing is kept of whom it was sent to. Open the link of the message once more, or "
        "answer the message.",
    ),
    429: _page("Too many requests", "Try again in a minute."),
    503: _page("Not just now", "Your choice could not be kept just now. Try again in a minute."),
}
_FAILED: Final = _page("That did not work", "Your choice could not be kept. Try again, or answer the message.")


class Unsubscribe:
    """An ASGI app for the one path."""

    def __init__(self, service: Service) -> None:
        self._service = service
        self._seconds = in_micros(service.settings.api.body_seconds) / 1_000_000

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun, id = time.perf_counter(), f"req_{os.urandom(12).hex()}"
        request = Request(scope, receive)
        try:
            page, status, headers = await self._answer(request), 200, dict[str, str]()
        except ClientDisconnect:
            return
        except Refused as refused:
            page, status, headers = _REFUSED.get(refused.status, _FAILED), refused.status, refused.headers
        except StoreError as error:
            log.error("store", request_id=id, **fault(error))
            page, status, headers = _REFUSED[503], 503, {"Retry-After": "1"}
        except Exception as error:  # noqa: BLE001 - whatever it is, people get a page without it
            log.error("fault", request_id=id, **fault(error))
            page, status, headers = _FAILED, 500, {}
        await _send(send, page, status, {**headers, "X-Request-Id": id})
        self._note(request, id, status, time.perf_counter() - begun)

    async def _answer(self, request: Request) -> str:
        """The page of a request that can be carried out. Raises Refused."""
        if request.method not in _METHODS:
            raise Refused(405, "method_not_allowed", "", headers={"Allow": ", ".join(_METHODS)})
        check_transfer(request.headers)
        self._service.rates.count_keyless(self._service.callers.of(request))
        token = request.scope["path_params"]["token"]
        if request.method != "POST":
            await self._service.in_thread(self._found, token, _NO)
            return _ASKED
        choice = _choice(await self._body(request))
        await self._say(token, choice)
        return _DONE[choice]

    async def _body(self, request: Request) -> bytes:
        memory = self._service.request_memory()
        try:
            return await body_of(request, BodyLimits(BODY_BYTES, self._seconds, memory, self._service.threads))
        finally:
            memory.release()

    async def _say(self, token: str, choice: Choice) -> None:
        """Have it on disk, once. Raises Refused."""
        engine, item = await self._service.in_thread(self._found, token, choice)
        if item is None:
            return
        receipt = await self._service.waking.result(engine.submit([item], source=NAME))
        self._service.metrics.ingested(NAME, receipt)
        outcome = receipt.outcomes[0]
        if isinstance(outcome, Rejection):
            if outcome.code == "erased":
                raise Refused(404, "not_found", "")
            log.error("refused", route=PATH, code=outcome.code)
            raise Refused(500, "internal", "")

    def _found(self, token: str, choice: Choice) -> tuple[Engine, dict[str, object] | None]:
        """The engine of a token's workspace, and the event that a choice is. Raises Refused (404)."""
        workspaces = self._service.workspaces
        row = _named(workspaces.rows, token) or _named(workspaces.refresh(), token)
        if row is not None:
            with workspaces.store.read() as connection:
                subscription = unsubscribing.read(connection, row.id, token)
                who = subscription and unsubscribing.person(connection, row.id, subscription)
                if subscription is not None and who is not None:
                    now = self._service.now()
                    about = subscription.fields(self._service.settings.channels)
                    item = unsubscribing.item(connection, row.id, about, who, choice, now)
                    return workspaces.engine(row.id), item
        raise Refused(404, "not_found", "")

    def _note(self, request: Request, id: str, status: int, seconds: float) -> None:
        method = request.method if request.method in _METHODS else "other"
        self._service.metrics.requested(NAME, method, PATH, status, seconds)
        log.info(
            "request",
            request_id=id,
            dialect=NAME,
            method=method,
            route=PATH,
            status=status,
            milliseconds=round(seconds * 1000, 1),
            **self._service.caller_for_log(request),
        )


def _named(rows: list[WorkspaceRow], token: str) -> WorkspaceRow | None:
    return next((row for row in rows if unsubscribing.is_of(token, row.name)), None)


def _choice(body: bytes) -> Choice:
    """What a POST says: no, unless it plainly says otherwise."""
    try:
        said = parse_qs(body.decode("ascii", "replace"), max_num_fields=10).get("choice")
    except ValueError:
        said = None
    return "resubscribed" if said == ["resubscribed"] else _NO


async def _send(send: Send, page: str, status: int, headers: Mapping[str, str]) -> None:
    """Send a page; the server keeps it from those who asked for its head alone."""
    body = page.encode()
    sent = {**_HEADERS, **headers, "Content-Length": str(len(body))}
    raw = [(name.lower().encode("latin-1"), value.encode("latin-1")) for name, value in sent.items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
