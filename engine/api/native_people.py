"""Taking a person's data out of the store: a copy of all of it, and its end."""

from __future__ import annotations

from typing import Any, Final

from pydantic import BaseModel, Field

from engine.access import Scope
from engine.api import spellings
from engine.api.described import Described
from engine.api.dialect import Answer, Call, Route, not_found, scopes


class Erased(BaseModel):
    """What is gone."""

    erased: dict[str, int] = Field(description="How much of each kind.")


async def person_id(call: Call, text: str) -> str:
    """What the engine knows a person by, from any of their ids in any spelling; the text itself where nobody has it."""
    found = await call.read(call.engine.find, text)
    return text if found is None else spellings.contact(found.id)


async def export_person(call: Call) -> Answer:
    """All that is stored of a person, by any of their ids."""
    found = await call.read(call.engine.export, await person_id(call, call.path["id"]))
    if found is None:
        raise not_found("person")
    return Answer(200, found)


async def erase_person(call: Call) -> Answer:
    """Remove all that is stored of a person, by any of their ids; what still comes for those is refused for a time."""
    gone = await call.read(call.engine.erase, await person_id(call, call.path["id"]))
    if gone is None:
        raise not_found("person")
    return Answer(200, {"erased": gone})


ROUTES: Final = (
    Route(
        "GET", "/v1/people/{id}/export", export_person, scopes(Scope.PERSON_READ),
        described=Described("Export a person", dict[str, Any]),
    ),
    Route(
        "DELETE", "/v1/people/{id}", erase_person, scopes(Scope.PERSON_ERASE),
        described=Described("Erase a person", Erased),
    ),
)  # fmt: skip
