"""Addresses in the native API: those that take no mail any more, and how one is let go."""

from __future__ import annotations

from typing import Final

from pydantic import BaseModel, ConfigDict, Field

from engine.access import Scope
from engine.api.described import Described
from engine.api.dialect import Answer, Call, Refused, Route, not_found, scopes
from engine.api.native_paging import PAGING, limit
from engine.api.personal import shown
from engine.errors import ConfigError


class AddressShown(BaseModel):
    """An address that bounced for good."""

    address: str | None = Field(
        description="A pseudonym without the scope person:read; null once nobody's timeline tells of its bounce."
    )
    channel_type: str = Field(description="The type of the channels that send nothing there.")
    since: str
    reason: str


class AddressesShown(BaseModel):
    addresses: list[AddressShown] = Field(description="The latest bounce first.")
    after: str | None = Field(description="What to ask the next page with; null where there is none.")


class Forget(BaseModel):
    model_config = ConfigDict(extra="forbid")

    address: str = Field(description="In full; capitals do not count.")


async def list_addresses(call: Call) -> Answer:
    """Addresses that take no mail any more, the latest bounce first."""
    try:
        found = await call.read(call.engine.unreachable, limit(call), call.query.get("after") or None)
    except ConfigError as error:
        raise Refused(400, "malformed", str(error), field="after") from None
    entries = [one.plain() for one in found.items]
    return Answer(200, {"addresses": await shown(call, entries, ("address",)), "after": found.after})


async def forget_address(call: Call) -> Answer:
    """Let mail go to an address again. It is named in the body: paths are written into logs on the way."""
    body = await call.object()
    address = body.get("address")
    if set(body) != {"address"} or not isinstance(address, str):
        raise Refused(422, "invalid", "the body has 'address', a text, and nothing else", field="address")
    if not await call.read(call.engine.forget_unreachable, address):
        raise not_found("address")
    return Answer(204)


ROUTES: Final = (
    Route(
        "GET", "/v1/addresses", list_addresses, scopes(Scope.DELIVERY_READ),
        described=Described("Look at addresses that bounced", AddressesShown, query=PAGING),
    ),
    Route(
        "POST", "/v1/addresses/forget", forget_address, scopes(Scope.DELIVERY_REDRIVE),
        described=Described("Let mail go to an address again", None, status=204, body=Forget, refusals=(404, 422)),
    ),
)  # fmt: skip
