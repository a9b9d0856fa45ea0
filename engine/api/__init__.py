"""The HTTP service: one app, a dialect a file.

How to write a dialect
======================

A dialect is one module, ``engine/api/NAME.py``, that offers one object ``DIALECT`` and is named in
:mod:`engine.api.dialects`. It translates requests into calls of the :class:`~engine.runtime.engine.Engine` and what
comes of them into answers. It decides nothing, and it does not see a request before it has been let in::

    from engine.access import Scope
    from engine.api import spellings
    from engine.api.dialect import Answer, Call, Dialect, Refused, Route, scopes

    async def track(call: Call) -> Answer:
        body = await call.object()                      # or call.json(), call.raw
        receipt = await call.ingest([{"event": body.get("event"), "user_id": body.get("external_id")}])
        if receipt.rejected:
            raise Refused(422, "validation_error", receipt.rejected[0].reason)
        return Answer(200, {"success": True, "event_id": spellings.event_hex(spellings.of_receipt(receipt.ids[0]))})

    def refuse(refused: Refused, request_id: str) -> Answer:
        body = {"success": False, "error": {"type": refused.code, "message": refused.message}}
        return Answer(refused.status, {**body, "request_id": request_id})

    DIALECT = Dialect(
        "flameup",
        (
            Route("POST", "/api/v1/track", track, scopes(Scope.EVENT_CREATE)),
            Route("POST", "/api/v1/track/batch", batch, scopes(Scope.EVENT_CREATE), events=100),
        ),
        refuse,
    )

What stands before a handler, in this order: the route (404, 405), the key (401) with its scopes (403) and its
workspace, the rate limit (429), the body's size, encoding and time (413, 415, 408). Whatever is refused, by the service
or by a handler that raises :class:`~engine.api.dialect.Refused`, goes through the dialect's ``refuse``; so does an
exception nobody expected, as a 500 without its text. :class:`~engine.api.dialect.Refused` lists the codes.

What a handler may rely on:

- ``call.engine`` is the engine of the key's workspace. Nothing in a path or body may choose another.
- ``await call.ingest(items)`` returns when everything accepted is on disk: only then may it answer. Items are what
  ``Engine.ingest`` takes; each gets its own outcome in ``receipt.outcomes``, in order. Its ``source`` is the dialect.
- ``await call.read(function, ...)`` runs what reads the store in a thread: the event loop must never wait for it.
- Ids: :mod:`engine.api.spellings`. ``read(text, Kind.EVENT)`` gives the 16 bytes of any spelling, or None: answer that,
  an unknown id and a foreign one alike with ``raise not_found("event")``.
- ``call.query``, ``call.whole("limit", 50, least=1, most=500)``, ``call.headers``, ``call.path["id"]``, ``call.now``.
- A route that takes a batch says how many events (``events=1000``); its body may then be that many times
  ``limits.event_bytes`` instead of ``api.body_bytes``. How many came is the handler's to check.
- A route that takes bodies of any size ``streams``: its handler reads ``call.chunks()``.
- A route with a rate limit of its own names it (``limit="flokit.batch", rate="100/minute"``): the service counts by
  workspace, sends ``X-RateLimit-*`` and ``Retry-After``, and the setting ``api.rates`` overrides it.
- ``Dialect(tracked=True)`` is for APIs that browsers call: CORS on every route, keys as Bearer, Basic or ``writeKey``.

Tests of a dialect use the fixture ``api`` of ``tests/api/conftest.py``, and every route needs a row in a module
``tests/api/rows_NAME.py``; a route without one fails the matrix of scopes and workspaces.
"""
