"""Receivers as a process of their own. Run: python -m benchmarks.receivers

It prints a line of JSON with their ports by name, the mail server among them; then, for each action that arrives at
``good``, the moment it says it was due and the moment it was there, in seconds.
"""

from __future__ import annotations

import asyncio
import datetime
import json
import logging
import sys
import time
from collections.abc import Awaitable, Callable

from aiosmtpd.smtp import SMTP, Envelope, Session

Answer = Callable[[asyncio.StreamWriter, bytes], Awaitable[bool]]
"""What is done once a request is there; whether the connection is used again."""

FLOOD = b"x" * 65_536


def says(status: str) -> Answer:
    words = f"HTTP/1.1 {status}\r\ncontent-length: 0\r\n\r\n".encode()

    async def answer(writer: asyncio.StreamWriter, _body: bytes) -> bool:
        writer.write(words)
        return True

    return answer


async def good(writer: asyncio.StreamWriter, body: bytes) -> bool:
    there = time.time()
    due = datetime.datetime.fromisoformat(json.loads(body)["at"]).timestamp()
    sys.stdout.write(f"{due} {there}\n")
    sys.stdout.flush()
    return await says("200 OK")(writer, body)


async def hanging(_writer: asyncio.StreamWriter, _body: bytes) -> bool:
    await asyncio.sleep(3_600)
    return False


async def cutting(_writer: asyncio.StreamWriter, _body: bytes) -> bool:
    return False


async def pouring(writer: asyncio.StreamWriter, _body: bytes) -> bool:
    """100 MB, as much of it as is taken."""
    writer.write(b"HTTP/1.1 200 OK\r\n\r\n")
    for _ in range(1_600):
        writer.write(FLOOD)
        await writer.drain()
    return False


async def dripping(writer: asyncio.StreamWriter, _body: bytes) -> bool:
    writer.write(b"HTTP/1.1 200 OK\r\nx: ")
    while not writer.is_closing():
        writer.write(b"a")
        await writer.drain()
        await asyncio.sleep(0.1)
    return False


BAD: dict[str, Answer] = {
    "hanging": hanging,
    "failing": says("500 Internal Server Error"),
    "busy": says("429 Too Many Requests\r\nretry-after: 60"),
    "gone": says("410 Gone"),
    "cutting": cutting,
    "pouring": pouring,
    "dripping": dripping,
}


async def http(answer: Answer) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            again = True
            while again:
                head = (await reader.readuntil(b"\r\n\r\n")).lower()
                length = head.partition(b"content-length: ")[2].partition(b"\r\n")[0]
                again = await answer(writer, await reader.readexactly(int(length)))
        except (asyncio.IncompleteReadError, OSError):
            pass  # the other side is gone
        finally:
            writer.close()

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def smtp() -> asyncio.Server:
    class Taking:
        async def handle_DATA(self, _server: SMTP, _session: Session, _envelope: Envelope) -> str:  # noqa: N802
            return "250 OK"

    def made() -> SMTP:
        return SMTP(Taking(), hostname="mail.test", loop=asyncio.get_running_loop())

    return await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)


async def main() -> None:
    servers = {name: await http(answer) for name, answer in {"good": good, "plain": says("200 OK"), **BAD}.items()}
    servers["mail"] = await smtp()
    print(json.dumps({name: one.sockets[0].getsockname()[1] for name, one in servers.items()}), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main())
