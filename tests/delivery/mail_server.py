"""A mail server to be run as a process: ``python mail_server.py '{"mails": "FILE", ...}'``. It prints its port.

Every mail it takes is a line of JSON in FILE before it is answered. What else it can be told: ``tls`` (none, starttls,
tls), ``pem`` (its key and certificate), ``login`` ([name, password]), ``size``, and ``faults``: a list of
``{"at": POINT, "do": WHAT, "to": RECIPIENT, "times": N}``. Points are the greeting, each command by its verb,
``content`` (while the mail is coming) and ``end`` (its last line has come). What it does there is ``drop`` the
connection, ``hang``, ``drip``, ``flood``, read in sips (``sip``), or answer what is given.
"""

from __future__ import annotations

import asyncio
import itertools
import json
import logging
import ssl
import sys
from pathlib import Path
from typing import Any

from aiosmtpd.smtp import SMTP, AuthResult, Envelope, Session

VERBS = ("EHLO", "STARTTLS", "AUTH", "MAIL", "RCPT", "DATA", "RSET", "NOOP", "QUIT")
CONNECTIONS = itertools.count(1)


class Faulty(SMTP):
    """Goes wrong where it is told to."""

    faults: list[dict[str, Any]]
    point = "greeting"
    recipient = ""

    def connection_made(self, transport: Any) -> None:
        self.number = getattr(self, "number", None) or next(CONNECTIONS)  # TLS makes it a second time
        super().connection_made(transport)

    async def push(self, status: Any) -> None:
        text = status.decode() if isinstance(status, bytes) else status
        begins = self.point == "DATA" and text.startswith("354")
        await self.answer(text)
        if begins:
            self.point = "content"
            await self.answer(None)
            self.point = "end"

    async def answer(self, text: str | None) -> None:
        match fault := self.fault():
            case None:
                if text is not None:
                    await super().push(text)
            case "drop":
                self.transport.abort()
                await asyncio.sleep(60)
            case "hang":
                await asyncio.sleep(60)
            case "sip":
                while await self._reader.read(65_536):
                    await asyncio.sleep(0.01)
            case "drip" | "flood":
                for byte in itertools.cycle(b"250-a\r\n"):
                    self._writer.write(bytes([byte]) if fault == "drip" else b"250-" + b"a" * 2000 + b"\r\n")
                    await self._writer.drain()
                    await asyncio.sleep(0.02 if fault == "drip" else 0)
            case _:
                await super().push(fault)

    def fault(self, *, coming: bool = False) -> str | None:
        """What to do at this point instead; one that is only ``coming`` stays."""
        point = "end" if coming else self.point
        for one in self.faults:
            left = one.setdefault("times", 1_000_000)
            if left and one["at"] == point and one.get("to", self.recipient) == self.recipient:
                one["times"] = left if coming else left - 1
                return str(one["do"])
        return None


def noting(verb: str) -> Any:
    real = getattr(SMTP, f"smtp_{verb}")

    async def command(self: Faulty, arg: str) -> None:
        self.point = verb
        if verb == "RCPT":
            self.recipient = arg.partition("<")[2].partition(">")[0]
        await real(self, arg)

    command.__dict__.update(real.__dict__)
    return command


for _verb in VERBS:
    setattr(Faulty, f"smtp_{_verb}", noting(_verb))


class Taking:
    """Writes down what comes."""

    def __init__(self, mails: Path) -> None:
        self.mails = mails

    async def handle_DATA(self, server: Faulty, session: Session, envelope: Envelope) -> str:  # noqa: N802
        if (server.fault(coming=True) or "")[:1] not in ("4", "5"):
            mail = {
                "from": envelope.mail_from,
                "to": envelope.rcpt_tos,
                "body": (envelope.original_content or b"").decode("latin-1"),
                "login": session.auth_data.login.decode() if session.auth_data else None,
                "connection": server.number,
                "private": server.transport.get_extra_info("ssl_object") is not None,
            }
            with self.mails.open("a") as file:
                file.write(json.dumps(mail) + "\n")
        return "250 OK"


async def main(told: dict[str, Any]) -> None:
    tls, login = told.get("tls", "none"), told.get("login")
    context = None
    if tls != "none":
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(told["pem"])

    def authenticated(_server: Any, _session: Any, _envelope: Any, _mechanism: str, given: Any) -> AuthResult:
        good = [given.login.decode(), given.password.decode()] == login
        return AuthResult(success=good, handled=False, auth_data=given)

    def made() -> Faulty:
        server = Faulty(
            Taking(Path(told["mails"])),
            data_size_limit=told.get("size"),
            hostname="mail.test",
            tls_context=context if tls == "starttls" else None,
            require_starttls=tls == "starttls",
            authenticator=authenticated if login else None,
            auth_required=login is not None,
            auth_require_tls=login is None or tls == "starttls",
            loop=asyncio.get_running_loop(),
        )
        server.faults = faults
        return server

    faults = told.get("faults", [])
    server = await asyncio.get_running_loop().create_server(made, "127.0.0.1", 0, ssl=context if tls == "tls" else None)
    sys.stdout.write(f"{server.sockets[0].getsockname()[1]}\n")
    sys.stdout.flush()
    await server.serve_forever()


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(main(json.loads(sys.argv[1])))
