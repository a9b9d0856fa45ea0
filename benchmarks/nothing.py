"""The service's own server with an app that reads every body and answers 200. Run: python -m benchmarks.nothing"""

from __future__ import annotations

import sys

from starlette.requests import Request
from starlette.types import Receive, Scope, Send

from engine.api.server import listening, server
from engine.config import Api

ANSWER = b'{"index":0,"status":"accepted","id":"evt_01KDVT7Q00XXXXXXXXXXXXXXXX","conflict":false}'
HEADERS = [(b"content-type", b"application/json"), (b"content-length", str(len(ANSWER)).encode())]


async def app(scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "lifespan":
        await _live(receive, send)
        return
    await Request(scope, receive).body()
    await send({"type": "http.response.start", "status": 200, "headers": HEADERS})
    await send({"type": "http.response.body", "body": ANSWER})


async def _live(receive: Receive, send: Send) -> None:
    for stage in ("startup", "shutdown"):
        await receive()
        await send({"type": f"lifespan.{stage}.complete"})


if __name__ == "__main__":
    with listening("127.0.0.1", 0) as socket:
        print(f"http://127.0.0.1:{socket.getsockname()[1]}", file=sys.stderr, flush=True)
        server(app, Api()).run(sockets=[socket])
