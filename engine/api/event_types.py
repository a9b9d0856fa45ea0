"""Event types for the APIs that manage them: calls of the engine, and its errors as refusals."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final, ParamSpec, TypeVar

from engine.api import spellings
from engine.api.dialect import Call, Refused, not_found
from engine.api.personal import sees_people
from engine.api.spellings import Kind
from engine.errors import (
    BadSchema,
    EventTypeError,
    Incompatible,
    NotForObjects,
    Predefined,
    RefusedError,
    TypeExists,
    TypeInUse,
    UnknownType,
)

P = ParamSpec("P")
T = TypeVar("T")

_CODES: Final[Mapping[type[EventTypeError], str]] = {
    TypeExists: "name_taken",
    TypeInUse: "type_in_use",
    Predefined: "predefined",
    Incompatible: "incompatible_schema",
}


def type_id(text: str) -> str:
    """The id of an event type as the engine has it, from any spelling. Raises Refused (404)."""
    public_id = spellings.read(text, Kind.EVENT_TYPE)
    if public_id is None:
        raise not_found("event type")
    return spellings.event_type(public_id)


async def asked(call: Call, function: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """A call of :attr:`Engine.types <engine.runtime.engine.Engine.types>`, in another thread.

    Raises Refused: 404 for an unknown type, 409 for what would break something (``name_taken``, ``type_in_use``,
    ``predefined``, ``incompatible_schema``), 422 for a name, description or schema that cannot be one,
    400 for a schema of anything but objects.
    """
    try:
        return await call.read(function, *args, **kwargs)
    except UnknownType:
        raise not_found("event type") from None
    except NotForObjects as error:
        raise Refused(400, "invalid_schema", str(error), field="schema") from None
    except BadSchema as error:
        raise Refused(422, "invalid_schema", str(error), field="schema") from None
    except EventTypeError as error:
        raise Refused(409, _CODES[type(error)], str(error), more=_more(error, sees_people(call))) from None
    except RefusedError as error:
        raise _unfit(error) from None


def _unfit(error: RefusedError) -> Refused:
    """A name or description that cannot be one. A type's name is what its events have in ``event``."""
    if error.field != "event":
        return Refused(422, error.code, error.reason, field=error.field)
    return Refused(422, error.code, f"name{error.reason.removeprefix('event')}", field="name")


def _more(error: EventTypeError, people: bool) -> dict[str, Any]:
    """What shows the reason: the rules that name a type, or properties that would break, if ``people`` may be seen."""
    match error:
        case TypeInUse(rules=rules) if rules:
            return {"rules": list(rules)}
        case Incompatible(example=example, event=event):
            shown = {"example": example if people or event is None else None, "event_id": event}
            return {name: value for name, value in shown.items() if value is not None}
        case _:
            return {}
