"""Segment's tracking API, for clients that are told nothing but another address and another key.

Whatever a request holds, it is answered with success as long as it can be read: what is wrong with a message is that
message's own affair, and a client told otherwise would send the whole batch again, or drop it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from engine.access import Scope
from engine.api.dialect import Answer, Call, Dialect, Handler, Refused, Route, scopes
from engine.clock import iso
from engine.durations import in_micros
from engine.errors import RefusedError
from engine.timestamps import parse_timestamp

BATCH: Final = 1_000
"""Messages a batch may hold."""

Message = Mapping[str, Any]
Item = dict[str, Any]


# ------------------------------------------------------------------------------------------------ messages


def _track(message: Message) -> Iterator[Item]:
    yield {"event": message.get("event"), "properties": message.get("properties")}


def _identify(message: Message) -> Iterator[Item]:
    yield {"type": "identify", "traits": message.get("traits") or _traits_of_context(message)}


def _traits_of_context(message: Message) -> Any:
    context = message.get("context")
    return context.get("traits") if isinstance(context, dict) else None


def _page(message: Message) -> Iterator[Item]:
    yield {"event": "page", "properties": _with(message.get("properties"), _named(message))}


def _screen(message: Message) -> Iterator[Item]:
    yield {"event": "screen", "properties": _with(message.get("properties"), _named(message))}


def _named(message: Message) -> Item:
    return {key: message[key] for key in ("name", "category") if message.get(key) is not None}


def _group(message: Message) -> Iterator[Item]:
    yield {"event": "group", "properties": _with(message.get("traits"), {"group_id": message.get("groupId")})}


def _with(properties: Any, more: Item) -> Any:
    """Properties and more; what is no object is left as it is, to be refused."""
    return {**properties, **more} if isinstance(properties, dict) else more if properties is None else properties


def _alias(message: Message) -> Iterator[Item]:
    """Who the person was before, as a user or to a browser."""
    yield {"type": "identify", "previous_id": message.get("previousId")}


_KINDS: Final[Mapping[str, Callable[[Message], Iterator[Item]]]] = {
    "track": _track,
    "identify": _identify,
    "page": _page,
    "screen": _screen,
    "group": _group,
    "alias": _alias,
}


class Reader:
    """Turns the messages of one request into what the engine takes."""

    def __init__(self, sent_at: object, now: int, tolerance: int) -> None:
        """``sent_at`` is the sender's clock when the request left; ``tolerance`` in microseconds."""
        self._sent_at = sent_at
        self._now = now
        self._tolerance = tolerance

    def items(self, message: object, sort: object) -> Iterator[Any]:
        """What a message of a sort is to the engine; what is no message is handed on, to be refused."""
        if not isinstance(message, dict):
            yield message
            return
        said = {
            "user_id": message.get("userId"),
            "anonymous_id": message.get("anonymousId"),
            "timestamp": self._time(message),
            "message_id": message.get("messageId"),
        }
        kind = _KINDS.get(sort) if isinstance(sort, str) else None
        if kind is None:
            yield {"type": sort, "event": message.get("event"), **said}
            return
        for item in kind(message):
            yield {**said, **item}

    def _time(self, message: Message) -> Any:
        """When it happened by our clock, if the sender's is wrong; else as it was said."""
        given = message.get("timestamp")
        if given is None:
            given = message.get("originalTimestamp")
        ahead = self._ahead(message.get("sentAt") or self._sent_at)
        if given is None or abs(ahead) <= self._tolerance:
            return given
        try:
            return iso(parse_timestamp(given) - ahead)
        except (RefusedError, OverflowError):
            return given

    def _ahead(self, sent_at: object) -> int:
        """How far the sender's clock is ahead of ours, the way of the request included; 0 where it does not say."""
        if sent_at is None:
            return 0
        try:
            return parse_timestamp(sent_at) - self._now
        except RefusedError:
            return 0


# ------------------------------------------------------------------------------------------------ requests


def _reader(call: Call, body: Message) -> Reader:
    return Reader(body.get("sentAt"), call.now, in_micros(call.engine.settings.api.sent_at_tolerance))


async def batch(call: Call) -> Answer:
    """Messages of any sorts, each of which says its own."""
    body = await call.object()
    messages = body.get("batch")
    if not isinstance(messages, list) or len(messages) > BATCH:
        raise Refused(400, "malformed", f"batch must be a list of at most {BATCH} messages", field="batch")
    reader = _reader(call, body)
    return await _taken(call, [item for message in messages for item in reader.items(message, _sort(message))])


def _sort(message: object) -> object:
    """What a message of a batch says it is; where it says nothing, a track."""
    said = message.get("type") if isinstance(message, dict) else None
    return "track" if said is None else said


def _single(sort: str) -> Handler:
    async def handler(call: Call) -> Answer:
        body = await call.object()
        return await _taken(call, list(_reader(call, body).items(body, sort)))

    return handler


async def _taken(call: Call, items: list[Any]) -> Answer:
    """Trackers send again whatever is not answered with exactly this."""
    await call.ingest(items, quarantine=True)
    return Answer(200, {"success": True})


# ------------------------------------------------------------------------------------------------ the table


def refuse(refused: Refused, _request_id: str) -> Answer:
    """``{"success", "code", "message"}``: without both of the last, trackers take it for no answer and try again."""
    return Answer(refused.status, {"success": False, "code": refused.code, "message": refused.message})


def _routes() -> Iterator[Route]:
    """Each under its name, and under the letter that browsers use."""
    for path in ("batch", "b"):
        yield Route("POST", f"/v1/{path}", batch, scopes(Scope.EVENT_CREATE), events=BATCH)
    for sort in _KINDS:
        for path in (sort, sort[0]):
            yield Route("POST", f"/v1/{path}", _single(sort), scopes(Scope.EVENT_CREATE))


DIALECT: Final = Dialect("segment", tuple(_routes()), refuse, tracked=True)
