"""What a key without the scope ``person:read`` is shown of people.

Ids and addresses are shown as pseudonyms, always the same for the same person of a workspace, so that what belongs
together is seen; what people said or have is not shown. Nobody is asked for by name.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from engine.access import Scope
from engine.api.dialect import Call, Refused
from engine.api.native_people import person_id
from engine.pseudonyms import pseudonym, without_people

_TEXTS: Final = ("reason", "error")
"""Fields in which a receiver, or a refusal, may have quoted somebody."""


def sees_people(call: Call) -> bool:
    """Return whether the key may see who people are."""
    return Scope.PERSON_READ in call.key.scopes


async def person_asked(call: Call) -> str | None:
    """Return the id of whom the query names, if it names somebody. Raises Refused (403) where the key may not ask."""
    text = call.query.get("person")
    if text is None:
        return None
    if not sees_people(call):
        raise Refused(403, "forbidden", "to ask for a person the key needs the scope person:read", field="person")
    return await person_id(call, text)


async def shown(
    call: Call, entries: Iterable[Mapping[str, Any]], ids: Iterable[str], hidden: Mapping[str, Any] | None = None
) -> list[dict[str, Any]]:
    """Return entries as the key may see them: the fields ``ids`` as pseudonyms, ``hidden`` in the place of others."""
    found = [dict(one) for one in entries]
    if sees_people(call) or not found:
        return found
    key = await call.read(call.engine.pseudonym_key)
    return [_masked(one, tuple(ids), hidden or {}, key) for one in found]


def _masked(entry: dict[str, Any], ids: tuple[str, ...], hidden: Mapping[str, Any], key: bytes) -> dict[str, Any]:
    names = tuple(entry[name] for name in ids)
    stand_ins = {name: None if value is None else pseudonym(value, key) for name, value in zip(ids, names, strict=True)}
    texts = {name: without_people(entry[name], names, key) for name in _TEXTS if isinstance(entry.get(name), str)}
    return {**entry, **texts, **stand_ins, **hidden}
