"""What a dialect is made of: routes, the calls they get, the answers they give, and how refusals look."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar

from starlette.datastructures import Headers, QueryParams

from engine.access import INGEST, Key, Scope
from engine.api.waking import Waking
from engine.receipt import Receipt
from engine.runtime.engine import Engine, Item
from engine.runtime.keyring import Keyring
from engine.runtime.once import Once
from engine.store.workspaces import WorkspaceRow

if TYPE_CHECKING:
    from engine.api.described import Described
    from engine.api.memory import RequestMemory

P = ParamSpec("P")
T = TypeVar("T")

LARGE_BYTES: Final = 32_768
"""Bodies beyond this are read and checked in another thread, so that nobody else waits for it."""


@dataclass(frozen=True, slots=True)
class Answer:
    """What goes back. ``body`` is anything that JSON has; None sends none at all."""

    status: int
    body: Any = None
    headers: Mapping[str, str] = field(default_factory=dict)


class Refused(Exception):  # noqa: N818
    """A request that is not carried out. Raise it anywhere in a handler; the dialect's ``refuse`` gives it its shape.

    The service itself refuses with these codes; a dialect may use others of its own:

    ===================== ====== ==================================================================
    malformed             400    the body is not the JSON, or the query not the values, that it should be
    unauthorized          401    no key, or one that is not good
    forbidden             403    the key lacks a scope, or is used in a browser and can do more than ingest
    not_found             404    no such route, or an id that is unknown, malformed or another workspace's
    method_not_allowed    405    with the header ``Allow``
    timeout               408    the body did not come in time
    too_large             413    the body is larger than the route takes
    unsupported_encoding  415    a ``Content-Encoding`` other than gzip and deflate
    rate_limited          429    with the header ``Retry-After``
    not_implemented       501    a ``Transfer-Encoding`` other than chunked
    internal              500    a fault of ours; the log has it under the request's id
    unavailable           503    the store cannot be used just now: its disk is full, say; nothing is stored
    busy                  503    the bodies of the requests under way take all the memory they may; with ``Retry-After``
    ===================== ====== ==================================================================
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        field: str | None = None,
        headers: Mapping[str, str] | None = None,
        more: Mapping[str, Any] | None = None,
    ) -> None:
        """``more`` is what else a dialect may show of the reason, such as an ``example``."""
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.field = field
        self.headers = dict(headers or {})
        self.more = dict(more or {})


def not_found(what: str) -> Refused:
    """The refusal of an id that is unknown, malformed or another workspace's: the three look the same."""
    return Refused(404, "not_found", f"there is no such {what}")


@dataclass(slots=True)
class Call:
    """A request that was let in: its key is good, has the route's scopes, and its body is read."""

    engine: Engine
    """The engine of the key's workspace."""
    workspace: WorkspaceRow
    key: Key
    request_id: str
    dialect: str
    path: Mapping[str, str]
    """The path's parameters, as text."""
    query: QueryParams
    headers: Headers
    raw: bytes
    """The body, inflated; empty on a route that streams."""
    chunks: Callable[[], AsyncIterator[bytes]]
    """The body as it comes, on a route that streams."""
    now: int
    """When the request came in, by the engine's clock: microseconds UTC."""
    keyring: Keyring
    threads: ThreadPoolExecutor
    waking: Waking
    counted: Callable[[Receipt], None]
    """Told what became of events, for the metrics."""
    memory: RequestMemory
    """What it takes of the memory that all requests share; ``memory.parse(raw)`` is how JSON in a body is read."""
    parsed: list[Any] = field(default_factory=list)
    """The body as JSON, once it has been read."""

    @property
    def is_page(self) -> bool:
        """Whether the key may stand in a web page, and is not trusted like a server's."""
        return self.key.scopes == INGEST and self.engine.settings.api.page_keys == "limited"

    async def json(self) -> Any:
        """The body as JSON. Raises Refused (400, ``malformed``)."""
        if not self.parsed:
            self.parsed.append(await self.work(self.memory.parse, self.raw))
        return self.parsed[0]

    async def work(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run what takes its time for a large body, in another thread then."""
        return await self.read(function, *args, **kwargs) if len(self.raw) > LARGE_BYTES else function(*args, **kwargs)

    async def object(self) -> dict[str, Any]:
        """The body as a JSON object. Raises Refused (400, ``malformed``)."""
        found = await self.json()
        if not isinstance(found, dict):
            raise Refused(400, "malformed", "the body must be a JSON object")
        return found

    async def ingest(
        self,
        items: Sequence[Item],
        *,
        historical: bool = False,
        dated: bool = False,
        once: Once | None = None,
        quarantine: bool = False,
    ) -> Receipt:
        """:meth:`Engine.submit <engine.runtime.engine.Engine.submit>`: done when everything accepted is on disk."""
        submit = partial(
            self.engine.submit, items, historical=historical, source=self.dialect, dated=dated, once=once,
            quarantine=quarantine, page=self.is_page,
        )  # fmt: skip
        receipt = await self.waking.result(await self.work(submit))
        if not receipt.repeated:
            self.counted(receipt)
        return receipt

    async def read(self, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
        """Run a function that reads the store (or works for long) in another thread."""
        return await asyncio.get_running_loop().run_in_executor(self.threads, partial(function, *args, **kwargs))

    def whole(self, name: str, default: int, *, least: int = 0, most: int | None = None) -> int:
        """A whole number of the query; above ``most`` it is ``most``. Raises Refused (400, ``malformed``)."""
        text = self.query.get(name)
        if text is None or text == "":
            return default
        if not (text.isascii() and text.isdecimal() and len(text) <= 18) or int(text) < least:
            raise Refused(400, "malformed", f"{name} must be a whole number from {least}", field=name)
        return int(text) if most is None else min(int(text), most)


Handler = Callable[[Call], Awaitable[Answer]]
Refuse = Callable[[Refused, str], Answer]
"""Gives a refusal the dialect's own shape, from it and the request's id."""


@dataclass(frozen=True, eq=False)
class Route:
    """One method on one path. A key needs all of ``scopes``."""

    method: str
    path: str
    """Without the dialect's prefix, parameters in braces: ``/v1/contacts/{contact_id}/events``."""
    handler: Handler
    scopes: frozenset[Scope]
    events: int | None = None
    """How many events a request may carry, for routes that take batches: it sets the size of their bodies."""
    streams: bool = False
    """Whether the handler reads the body itself, as it comes: of any size, with ``call.chunks()``."""
    limit: str | None = None
    """The name of a rate limit of its own, beside the dialect's: ``flokit.batch``."""
    rate: str | None = None
    """The rate of that limit unless the settings say otherwise: ``100/minute``."""
    described: Described | None = None
    """What OpenAPI says of it: the native dialect's routes have one."""


@dataclass(frozen=True)
class Dialect:
    """A vendor's API: what it answers, and how its refusals look."""

    name: str
    routes: tuple[Route, ...]
    refuse: Refuse
    tracked: bool = False
    """Called by browsers and trackers: CORS, and the key may also come as Basic or as ``writeKey`` in the body."""


def scopes(*names: Scope) -> frozenset[Scope]:
    """The scopes of a route."""
    return frozenset(names)
