"""How answers go over the wire."""

from __future__ import annotations

import asyncio
import socket
from typing import Any

import uvicorn
from uvicorn.server import ServerState

from engine.api.server import GuardedProtocol, listening


def test_an_answer_s_body_does_not_wait_for_the_other_side_to_acknowledge_its_head() -> None:
    async def scenario() -> int:
        loop = asyncio.get_running_loop()
        protocols: list[GuardedProtocol] = []

        def protocol() -> GuardedProtocol:
            protocols.append(GuardedProtocol(config, ServerState(), {}, loop))
            return protocols[-1]

        async with await loop.create_server(protocol, sock=listening("127.0.0.1", 0)) as server:
            _, writer = await asyncio.open_connection(*server.sockets[0].getsockname())
            while not protocols or protocols[0].transport is None:
                await asyncio.sleep(0)
            accepted: socket.socket = protocols[0].transport.get_extra_info("socket")
            found = accepted.getsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY)
            writer.close()
            await writer.wait_closed()
        return found

    async def app(_scope: Any, _receive: Any, _send: Any) -> None:
        return

    config = uvicorn.Config(app, interface="asgi3", ws="none", log_config=None)
    config.load()
    assert asyncio.run(scenario())
