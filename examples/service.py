"""A shop with Lapse inside: it tells the engine what people do, and the engine calls back.

    python examples/service.py

The rules stand in service.rules beside this file. Two carts are filled; one is bought in time, for the other a
reminder goes out two seconds later.
"""

from __future__ import annotations

import asyncio
import tempfile
from pathlib import Path

import engine
from engine.daemon import Daemon

RULES = Path(__file__).with_name("service.rules")


class Shop:
    """A web shop in miniature. In a real one these methods are its request handlers."""

    def __init__(self, lapse: engine.Engine) -> None:
        self._lapse = lapse

    async def register(self, user: str, email: str) -> None:
        # Lapse's calls return when the event is on disk. In async code they belong in a thread.
        await asyncio.to_thread(self._lapse.identify, user, {"email": email})

    async def fill_cart(self, user: str, cart: str) -> None:
        await self._tell("cart_updated", user, cart)

    async def buy(self, user: str, cart: str) -> None:
        await self._tell("purchase_completed", user, cart)

    async def _tell(self, name: str, user: str, cart: str) -> None:
        event = {"event": name, "user_id": user, "properties": {"cart_id": cart}}
        receipt = await asyncio.to_thread(self._lapse.ingest, event)
        for refused in receipt.rejected:
            print(f"not taken: {refused.reason}")


async def main(store: str) -> None:
    with engine.Engine.open(store, rules=RULES) as lapse:
        loop = asyncio.get_running_loop()
        reminded: asyncio.Queue[str] = asyncio.Queue()

        @lapse.action("send_email")
        def send_email(action: engine.Outgoing) -> None:
            """Called in a thread of the engine. Raising makes it try again later, with the same ``action.key``."""
            print(f"mail '{action.template}' to {action.to} about cart {action.arguments['cart']}")
            loop.call_soon_threadsafe(reminded.put_nowait, action.person)

        daemon = Daemon(lapse)
        daemon.start()
        try:
            shop = Shop(lapse)
            await shop.register("ann", "ann@example.com")
            await shop.register("bob", "bob@example.com")
            await shop.fill_cart("ann", "c1")
            await shop.fill_cart("bob", "c2")
            await shop.buy("ann", "c1")
            print("ann has bought; bob has not")
            print(f"{await asyncio.wait_for(reminded.get(), timeout=10)} was reminded")
        finally:
            daemon.stop()


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as folder:
        asyncio.run(main(f"sqlite:///{folder}/shop.db"))
