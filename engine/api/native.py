"""The native API: what the engine has, as it has it."""

from __future__ import annotations

import hashlib
import json
from http import HTTPStatus
from typing import Any, Final

from engine.access import Role, Scope, granted, scopes_named
from engine.api import (
    cloudevents,
    imports,
    native_addresses,
    native_deliveries,
    native_pauses,
    native_people,
    native_quarantine,
    native_types,
    spellings,
)
from engine.api import native_models as models
from engine.api.described import Described, Parameter
from engine.api.dialect import Answer, Call, Dialect, Refused, Route, not_found, scopes
from engine.api.native_items import BATCHED, ITEM, reference
from engine.api.native_paging import PAGING, limit
from engine.api.native_people import person_id
from engine.api.native_queries import TEXT, TIME_ZONE, closed
from engine.api.personal import person_asked, shown
from engine.api.spellings import Kind
from engine.clock import DAY, iso
from engine.errors import ConfigError, RefusedError
from engine.receipt import Accepted, Duplicate, Outcome, Receipt, Rejection
from engine.runtime import pages
from engine.runtime.engine import Item
from engine.runtime.once import Once
from engine.runtime.pages import Asked
from engine.store.keys import KeyRow
from engine.strict_json import kind
from engine.strict_json import shown as shown_text
from engine.timestamps import parse_timestamp

BATCH: Final = 1_000
"""Events a batch may hold."""

LASTS: Final = DAY
"""For how long an ``Idempotency-Key`` holds, microseconds."""

_IDEMPOTENCY: Final = "Idempotency-Key"


# ------------------------------------------------------------------------------------------------ events in


async def create_event(call: Call) -> Answer:
    """One event or change of traits; or a CloudEvent, binary or structured, or a batch of them."""
    content = cloudevents.media_type(call.headers)
    if content == cloudevents.BATCH:
        return _batch(await _cloud_batch(call))
    if cloudevents.is_binary(call.headers):
        item: Any = await call.work(_binary, call)
    elif content == cloudevents.STRUCTURED:
        item = await call.work(cloudevents.to_event, await call.object(), call.memory.parse)
    else:
        item = await call.object()
    outcome = (await _taken(call, [item])).outcomes[0]
    if isinstance(outcome, Rejection):
        raise Refused(422, outcome.code, outcome.reason, field=outcome.field)
    return Answer(200, _plain(outcome))


async def create_events(call: Call) -> Answer:
    """Up to 1,000 events or changes, or a batch of CloudEvents; what is wrong with one is its own outcome."""
    if cloudevents.media_type(call.headers) == cloudevents.BATCH:
        return _batch(await _cloud_batch(call))
    body = await call.object()
    unknown = next((name for name in body if name != "events"), None)
    if unknown is not None:
        advice = "a batch has 'events' alone, and each of them its own fields"
        reason = f"'{shown_text(unknown)}' is not a field; {advice}"
        raise Refused(422, "unknown_field", reason, field=shown_text(unknown))
    return _batch(await _taken(call, _listed(body.get("events")), keeps_refusals=True))


async def _cloud_batch(call: Call) -> Receipt:
    """A batch of CloudEvents. One that is none spoils only itself."""
    return await _taken(call, await call.work(_cloud_events, call, _listed(await call.json())), keeps_refusals=True)


def _binary(call: Call) -> Item:
    fields = cloudevents.of_headers(call.headers, call.raw, call.memory.parse)
    return cloudevents.to_event(fields, call.memory.parse)


def _cloud_events(call: Call, events: list[Any]) -> list[Item]:
    return [_cloud_event(one, call.memory.parse) for one in events]


def _cloud_event(fields: Any, parse: cloudevents.Parse) -> Item:
    try:
        if not isinstance(fields, dict):
            raise Refused(422, "not_a_cloud_event", f"this is {kind(fields)}; a CloudEvent is an object")
        return cloudevents.to_event(fields, parse)
    except Refused as refused:
        if refused.status == HTTPStatus.SERVICE_UNAVAILABLE:
            raise
        return Rejection(0, refused.code, refused.message, refused.field)


async def _taken(call: Call, items: list[Any], *, keeps_refusals: bool = False) -> Receipt:
    """What became of items; under an ``Idempotency-Key`` that was used, what became of them the first time."""
    receipt = await call.ingest(items, once=_once(call, keeps_refusals))
    if receipt.differs:
        raise Refused(422, "key_differs", f"this {_IDEMPOTENCY} was used with another body in the last 24 hours")
    return receipt


def _once(call: Call, keeps_refusals: bool) -> Once | None:
    key = call.headers.get(_IDEMPOTENCY, "")
    longest = call.engine.settings.limits.id_length
    if len(key) > longest:
        raise Refused(400, "malformed", f"{_IDEMPOTENCY} has {len(key)} characters; it has at most {longest}")
    if not key:
        return None
    digest = hashlib.blake2b(call.raw, digest_size=16)
    digest.update(repr(cloudevents.attributes(call.headers)).encode())
    return Once("native", key, LASTS, digest.digest(), keeps_refusals)


def _listed(items: Any) -> list[Any]:
    if not isinstance(items, list) or not 1 <= len(items) <= BATCH:
        raise Refused(400, "malformed", f"a batch holds 1 to {BATCH} events in a list", field="events")
    return items


def _batch(receipt: Receipt) -> Answer:
    counts = {
        "accepted": receipt.stored,
        "duplicates": len(receipt.duplicates),
        "rejected": len(receipt.rejected),
    }
    return Answer(200, {**counts, "outcomes": [_plain(one) for one in receipt.outcomes]})


def _plain(outcome: Outcome) -> dict[str, Any]:
    found: dict[str, Any] = {"index": outcome.index, "status": outcome.status}
    match outcome:
        case Accepted(id=id, withheld=withheld, historical=historical, before_live=before_live):
            told = {**found, "id": id, "conflict": False}
            told |= {"withheld": list(withheld)} if withheld else {}
            told |= {"historical": True} if historical else {}
            return told | ({"before_live": list(before_live)} if before_live else {})
        case Duplicate(id=id, conflict=conflict):
            return {**found, "id": id, "conflict": conflict}
        case Rejection(code=code, reason=reason, field=field):
            return {**found, "code": code, "reason": reason, "field": field}


# ------------------------------------------------------------------------------------------------ what there is


async def list_events(call: Call) -> Answer:
    """Events, newest first."""
    try:
        found = await call.read(
            call.engine.events,
            await person_asked(call),
            names=call.query.getlist("event") or None,
            since=_moment(call, "since"),
            until=_moment(call, "until"),
            limit=limit(call),
            after=call.query.get("after") or None,
        )
    except ConfigError as error:
        raise Refused(400, "malformed", str(error), field="after") from None
    plain = found.plain()
    hidden: dict[str, Any] = {} if Scope.EVENT_READ in call.key.scopes else {"properties": {}}
    return Answer(200, {**plain, "events": await shown(call, plain["events"], ("person",), hidden)})


async def count_events(call: Call) -> Answer:
    """How often each event came about, per hour, day or week."""
    per: Any = call.query.get("per", "day")
    try:
        found = await call.read(
            call.engine.event_counts,
            per,
            names=call.query.getlist("event") or None,
            since=_moment(call, "since"),
            until=_moment(call, "until"),
            zone=call.query.get("zone") or None,
        )
    except ConfigError as error:
        raise Refused(400, "malformed", str(error)) from None
    return Answer(200, {"counts": [one.plain() for one in found]})


async def get_person(call: Call) -> Answer:
    """A person by any of their ids: attributes, timeline, journeys."""
    found = await call.read(call.engine.person, await person_id(call, call.path["id"]))
    if found is None:
        raise not_found("person")
    return Answer(200, found.plain())


async def list_rules(call: Call) -> Answer:
    """The rules that are live, and what each has done."""
    found = await call.read(call.engine.counts_by_rule)
    return Answer(200, {"rules": [one.plain() for one in found]})


async def get_rule(call: Call) -> Answer:
    """A live rule, in words."""
    live = await call.read(lambda: call.engine.live)
    rule = live.by_id(call.path["id"])
    if rule is None:
        raise not_found("rule")
    return Answer(200, {"rule": rule.id, "title": rule.program.rule.title, "text": rule.program.text})


async def list_journeys(call: Call) -> Answer:
    """Journeys, newest first."""
    asked = Asked(
        person=await person_asked(call),
        rule=call.query.get("rule"),
        limit=limit(call),
        after=call.query.get("after") or None,
    )
    try:
        page = await call.read(pages.journeys, call.engine, asked)
    except ConfigError as error:
        raise Refused(400, "malformed", str(error), field="after") from None
    return Answer(200, {"journeys": await shown(call, page.items, ("person",)), "after": page.after})


def _moment(call: Call, name: str) -> int | None:
    text = call.query.get(name)
    if text is None:
        return None
    try:
        return parse_timestamp(text)
    except RefusedError as error:
        raise Refused(400, "malformed", error.reason, field=name) from None


# ------------------------------------------------------------------------------------------------ keys


async def list_keys(call: Call) -> Answer:
    """The workspace's keys, without their secrets."""
    found = await call.read(call.keyring.of_workspace, call.workspace.id)
    return Answer(200, {"keys": [_key(one) for one in found]})


async def create_key(call: Call) -> Answer:
    """A new key of the workspace. Its text is in this answer and nowhere else."""
    role, extra, name, expires_at = _key_asked(await call.object(), call.now)
    if not granted(role, extra) <= call.key.scopes:
        raise Refused(403, "forbidden", "a key can give no more than it has")
    row, text = await call.read(
        call.keyring.create,
        call.workspace.id,
        call.now,
        role=role,
        scopes=extra,
        name=name,
        expires_at=expires_at,
    )
    return Answer(201, {**_key(row), "key": text})


async def revoke_key(call: Call) -> Answer:
    """Take a key out of use, for good."""
    public_id = spellings.read(call.path["id"], Kind.KEY)
    if public_id is None or not await call.read(call.keyring.revoke, call.workspace.id, public_id, call.now):
        raise not_found("key")
    return Answer(204)


def _key_asked(body: dict[str, Any], now: int) -> tuple[Role | None, frozenset[Scope], str | None, int | None]:
    unknown = set(body) - set(models.NewKey.model_fields)
    if unknown:
        raise _wrong(min(unknown), "is not a field of a key")
    role, names, name, ends = (body.get(one) for one in ("role", "scopes", "name", "expires_at"))
    if role is not None and role not in list(Role):
        raise _wrong("role", f"is one of {', '.join(Role)}")
    if names is None:
        names = []
    if not isinstance(names, list) or not all(isinstance(one, str) for one in names):
        raise _wrong("scopes", "is a list of scopes")
    if name is not None and (not isinstance(name, str) or len(name) > 200):
        raise _wrong("name", "is text of at most 200 characters")
    try:
        extra = scopes_named(names)
        expires_at = None if ends is None else parse_timestamp(ends)
    except ConfigError as error:
        raise Refused(422, "invalid", str(error), field="scopes") from None
    except RefusedError as error:
        raise Refused(422, "invalid", error.reason, field="expires_at") from None
    if role is None and not extra:
        raise _wrong("role", "or 'scopes' must say what the key may do")
    if expires_at is not None and expires_at <= now:
        raise _wrong("expires_at", "is over already")
    return None if role is None else Role(role), extra, name, expires_at


def _wrong(field: str, what: str) -> Refused:
    return Refused(422, "invalid", f"'{field}' {what}", field=field)


def _key(row: KeyRow) -> dict[str, Any]:
    moments = ("created_at", "expires_at", "revoked_at", "last_used_at")
    return {
        "id": spellings.key(row.public_id),
        "name": row.name,
        "role": row.role,
        "scopes": json.loads(row.scopes),
        **{name: None if (at := getattr(row, name)) is None else iso(at) for name in moments},
    }


# ------------------------------------------------------------------------------------------------ the table


def refuse(refused: Refused, request_id: str) -> Answer:
    """``{"error": {"code", "message", "field"}, "request_id"}``; beside ``field`` may stand what shows the reason."""
    error = {"code": refused.code, "message": refused.message, "field": refused.field, **refused.more}
    return Answer(refused.status, {"error": error, "request_id": request_id})


_ONCE: Final = Parameter(
    _IDEMPOTENCY,
    "Of the calls of 24 hours under one key the first is carried out; the others get its answer.",
    reference("IdempotencyKey"),
)
_MOMENT: Final = {"type": "string", "format": "date-time"}
_PERSON: Final = Parameter("person", "Any id of a person: of a user, anonymous, a contact, public.", TEXT)
_RULE: Final = Parameter("rule", "A rule's id.", TEXT)
_EVENT: Final = Parameter("event", "An event's name; several times for several.", {"type": "array", "items": TEXT})
_SINCE: Final = Parameter("since", "From this moment on, itself included.", _MOMENT)
_UNTIL: Final = Parameter("until", "Up to this moment, itself not included.", _MOMENT)
_PER: Final = Parameter(
    "per", "How long a stretch is.", {"type": "string", "enum": ["hour", "day", "week"], "default": "day"}
)
_ZONE: Final = Parameter("zone", "The time zone in which days begin, such as Europe/Warsaw.", TIME_ZONE)

_BATCH: Final[dict[str, Any]] = {
    "type": "object",
    "description": "Events and changes of traits; each has its own outcome.",
    "properties": {"events": {"type": "array", "minItems": 1, "maxItems": BATCH, "items": BATCHED}},
    "required": ["events"],
    "additionalProperties": False,
}

_ROUTES: Final = (
    Route(
        "POST", "/v1/events", create_event, scopes(Scope.EVENT_CREATE),
        described=Described(
            "Take one event in", models.Stored, body=ITEM, refusals=(422,), headers=(_ONCE,)
        ),
    ),
    Route(
        "POST", "/v1/events/batch", create_events, scopes(Scope.EVENT_CREATE), events=BATCH,
        described=Described(
            "Take events in", models.BatchAnswer, body=_BATCH, refusals=(422,), headers=(_ONCE,)
        ),
    ),
    Route(
        "GET", "/v1/events", list_events, scopes(Scope.EVENT_LIST),
        described=Described(
            "Look at events", models.EventsShown, query=(_PERSON, _EVENT, _SINCE, _UNTIL, *PAGING)
        ),
    ),
    Route(
        "GET", "/v1/events/counts", count_events, scopes(Scope.EVENT_LIST),
        described=Described(
            "Count events", models.EventCountsShown, query=(_PER, _EVENT, _SINCE, _UNTIL, _ZONE)
        ),
    ),
    Route(
        "GET", "/v1/people/{id}", get_person, scopes(Scope.PERSON_READ),
        described=Described("Look at a person", models.PersonShown),
    ),
    Route(
        "GET", "/v1/rules", list_rules, scopes(Scope.RULE_READ),
        described=Described("Look at the live rules", models.RulesShown),
    ),
    Route(
        "GET", "/v1/rules/{id}", get_rule, scopes(Scope.RULE_READ),
        described=Described("Read a live rule", models.RuleText),
    ),
    Route(
        "GET", "/v1/journeys", list_journeys, scopes(Scope.JOURNEY_READ),
        described=Described("Look at journeys", models.JourneysShown, query=(_PERSON, _RULE, *PAGING)),
    ),
    Route(
        "GET", "/v1/keys", list_keys, scopes(Scope.KEY_LIST),
        described=Described("List keys", models.KeysShown),
    ),
    Route(
        "POST", "/v1/keys", create_key, scopes(Scope.KEY_CREATE),
        described=Described("Make a key", models.KeyMade, status=201, body=models.NewKey, refusals=(422,)),
    ),
    Route(
        "DELETE", "/v1/keys/{id}", revoke_key, scopes(Scope.KEY_REVOKE),
        described=Described("Revoke a key", None, status=204),
    ),
    *native_deliveries.ROUTES,
    *native_addresses.ROUTES,
    *native_pauses.ROUTES,
    *native_people.ROUTES,
    *native_types.ROUTES,
    *native_quarantine.ROUTES,
    *imports.ROUTES,
)  # fmt: skip

DIALECT: Final = Dialect("native", tuple(closed(route) for route in _ROUTES), refuse)
