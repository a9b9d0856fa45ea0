"""A receiver to be run as a process: ``python -m tests.proofs.recorder http FILE``, or ``smtp``. It prints its port.

Everything it takes is a line of JSON in FILE before it is answered: the ``id`` it carries, the digest of its body, when
it was there (seconds), the ``way`` it came (the path, or who sends), the body and the headers. As long as there is a
FILE.hold, it answers nobody.
"""

from __future__ import annotations

import asyncio
import hashlib
import json
import logging
import sys
import time
from email import message_from_bytes
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, Envelope, Session

ANSWER = b"HTTP/1.1 200 OK\r\ncontent-length: 0\r\n\r\n"


class Notes:
    """What was taken."""

    def __init__(self, file: Path) -> None:
        self._hold = file.with_name(file.name + ".hold")
        self._file = file.open("a")

    async def take(self, id: str, way: str, headers: dict[str, str], body: bytes) -> None:
        line = {
            "id": id,
            "digest": hashlib.sha256(body).hexdigest(),
            "at": time.time(),
            "way": way,
            "body": body.decode("latin-1"),
            "headers": headers,
        }
        self._file.write(json.dumps(line) + "\n")
        self._file.flush()
        while self._hold.exists():
            await asyncio.sleep(0.01)


async def http(notes: Notes) -> asyncio.Server:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                first, *lines = head.strip().split("\r\n")
                headers = {name.lower(): value for name, value in (line.split(": ", 1) for line in lines)}
                body = await reader.readexactly(int(headers["content-length"]))
                await notes.take(headers.get("webhook-id", ""), first.split()[1], headers, body)
                writer.write(ANSWER)
                await writer.drain()
        except (asyncio.IncompleteReadError, OSError):
            writer.close()  # whoever sent is gone

    return await asyncio.start_server(serve, "127.0.0.1", 0)


async def smtp(notes: Notes) -> asyncio.Server:
    class Taking:
        async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
            body = envelope.original_content or b""
            headers = {name.lower(): str(value) for name, value in message_from_bytes(body).items()}
            await notes.take(headers["message-id"], str(envelope.mail_from), headers, body)
            return "250 OK"

    def made() -> SMTP:
        return SMTP(Taking(), hostname="mail.test", loop=asyncio.get_running_loop())

    return await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0)


async def main(kind: str, file: str) -> None:
    notes = Notes(Path(file))
    starting: dict[str, Any] = {"http": http, "smtp": smtp}
    server = await starting[kind](notes)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(sys.argv[1], sys.argv[2]))
