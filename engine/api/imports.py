"""Uploads of whole files in the native API: of any size, as they come, and taken up again wherever they were cut."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterable
from enum import StrEnum
from functools import partial
from typing import Any, Final, Literal

from pydantic import BaseModel
from starlette.requests import ClientDisconnect

from engine.access import Scope
from engine.api import spellings
from engine.api.described import Described, Parameter
from engine.api.dialect import Answer, Call, Refused, Route, not_found, scopes
from engine.api.native_queries import TEXT, TIME_ZONE
from engine.api.personal import shown
from engine.api.spellings import Kind
from engine.clock import iso
from engine.errors import ImportMoved, InputFileError
from engine.files.reading import ALL_FIELDS, BODIES, MAPPABLE, Reading, TimeUnit, Unknown, build_reading, preset_names
from engine.files.reading import Kind as FileKind
from engine.runtime import importing
from engine.store.imports import ImportRow

BLOCK: Final = 1 << 20
"""Bytes of an upload that are worked through at a time."""

MEMORY: Final = 16 * BLOCK
"""Bytes of memory that an upload counts as while a part of it comes in."""

KINDS: Final[dict[str, FileKind]] = {
    "text/csv": "csv",
    "text/tab-separated-values": "csv",
    "application/x-ndjson": "jsonl",
    "application/ndjson": "jsonl",
    "application/jsonl": "jsonl",
    "application/json": "jsonl",
}
"""What a file holds, by its Content-Type."""


class RejectionShown(BaseModel):
    line: int
    code: str
    reason: str
    field: str | None


class ImportShown(BaseModel):
    """How far an upload has come, and what became of its lines."""

    id: str
    kind: Literal["csv", "jsonl"]
    historical: bool
    complete: bool
    offset: int
    stored: int
    duplicates: int
    conflicts: int
    rejected: int
    rejections: list[RejectionShown]
    created_at: str
    updated_at: str
    completed_at: str | None


async def create_import(call: Call) -> Answer:
    """Begin an upload, with as much of the file as the body holds."""
    kind = KINDS.get(call.headers.get("content-type", "").partition(";")[0].strip().lower())
    if kind is None:
        named = ", ".join(sorted(KINDS))
        raise Refused(415, "unsupported_type", f"Content-Type must say what the file holds: {named}")
    last = _is_last(call)
    begin = partial(importing.begin, call.engine, kind, _reading(call), historical=_flag(call, "historical"))
    row = await call.read(begin)
    location = {"Location": f"/native/v1/imports/{spellings.upload(row.public_id)}"}
    try:
        row = await _taken(call, row, last)
    except InputFileError as error:
        await call.read(importing.drop, call.engine, row)
        raise _unreadable(error) from None
    except ImportMoved as error:
        raise _conflict("offset_differs", str(error), await _again(call, row.public_id), location) from None
    return _answer(row, 201, location)


async def continue_import(call: Call) -> Answer:
    """The next part of the file; ``Upload-Offset`` says where it begins."""
    row = await _found(call)
    offset = call.headers.get("upload-offset", "")
    if not (offset.isascii() and offset.isdecimal() and len(offset) <= 18):
        raise Refused(400, "malformed", "the header Upload-Offset must say where in the file the body begins")
    last = _is_last(call)
    if row.completed_at is not None:
        raise _conflict("complete", "the file is complete", row)
    if int(offset) != row.received:
        raise _conflict("offset_differs", f"the file goes on at {row.received}, not at {offset}", row)
    try:
        return _answer(await _taken(call, row, last), 200)
    except InputFileError as error:
        raise _unreadable(error) from None
    except ImportMoved as error:
        raise _conflict("offset_differs", str(error), await _found(call)) from None


async def get_import(call: Call) -> Answer:
    """How far an upload has come."""
    answer = _answer(await _found(call), 200)
    rejections = await shown(call, answer.body["rejections"], ())
    return Answer(answer.status, {**answer.body, "rejections": rejections}, answer.headers)


async def _found(call: Call) -> ImportRow:
    public_id = spellings.read(call.path["id"], Kind.IMPORT)
    return await _again(call, public_id)


async def _again(call: Call, public_id: bytes | None) -> ImportRow:
    """The upload as it is now."""
    row = None if public_id is None else await call.read(importing.find, call.engine, public_id)
    if row is None:
        raise not_found("import")
    return row


def _is_last(call: Call) -> bool:
    """Return whether the body is the file's last part. Raises Refused (400, ``malformed``)."""
    value = call.headers.get("upload-complete", "?0").strip()
    if value not in ("?0", "?1"):
        raise Refused(400, "malformed", "the header Upload-Complete must be ?1 with the last part, else ?0")
    return value == "?1"


async def _taken(call: Call, row: ImportRow, last: bool) -> ImportRow:
    """Take the body in as it comes. Whatever has come of it is kept when it is cut."""
    call.memory.hold(MEMORY)
    async for block in _blocks(call):
        row = await call.read(partial(importing.add, call.engine, row, block, counted=call.counted))
    if last:
        row = await call.read(partial(importing.add, call.engine, row, b"", last=True, counted=call.counted))
    return row


async def _blocks(call: Call) -> AsyncIterator[bytes]:
    held = bytearray()
    cut: Exception | None = None
    try:
        async for chunk in call.chunks():
            held += chunk
            if len(held) >= BLOCK:
                yield bytes(held)
                held.clear()
    except (ClientDisconnect, Refused) as error:
        cut = error
    if held:
        yield bytes(held)
    if cut is not None:
        raise cut


def _reading(call: Call) -> Reading:
    """Return how the query says the file is read. A preset is one of those that come with Lapse."""
    preset = call.query.get("from")
    if preset is not None and preset not in preset_names():
        raise Refused(400, "malformed", f"unknown preset '{preset}'; use {', '.join(preset_names())}", field="from")
    try:
        return build_reading(
            preset,
            map=_pairs(call, "map"),
            constants=_pairs(call, "constant"),
            unknown=_word(call, "unknown", Unknown),
            time_unit=_word(call, "time_unit", TimeUnit),
            zone=call.query.get("zone"),
            text=tuple(call.query.getlist("text")),
            number=tuple(call.query.getlist("number")),
            decimal_comma=_flag(call, "decimal_comma"),
        )
    except InputFileError as error:
        raise Refused(400, "malformed", str(error), field=str(error).partition(":")[0]) from None


def _pairs(call: Call, name: str) -> dict[str, str]:
    """Return ``map=FIELD=COLUMN`` and the like, given any number of times."""
    pairs: dict[str, str] = {}
    for text in call.query.getlist(name):
        field, equals, value = text.partition("=")
        if not equals or not field or not value:
            raise Refused(400, "malformed", f"{name} must be FIELD=VALUE, such as timestamp=Date", field=name)
        pairs[field] = value
    return pairs


def _word(call: Call, name: str, words: type[StrEnum]) -> str | None:
    value = call.query.get(name)
    if value is not None and value not in set(words):
        raise Refused(400, "malformed", f"{name} must be {', '.join(words)}", field=name)
    return value


def _flag(call: Call, name: str) -> bool:
    value = call.query.get(name, "false")
    if value not in ("true", "false"):
        raise Refused(400, "malformed", f"{name} must be true or false", field=name)
    return value == "true"


def _answer(row: ImportRow, status: int, headers: dict[str, str] | None = None) -> Answer:
    return Answer(status, _shown(row), {"Upload-Offset": str(row.received), **(headers or {})})


def _shown(row: ImportRow) -> dict[str, Any]:
    return {
        "id": spellings.upload(row.public_id),
        "kind": row.kind,
        "historical": bool(row.historical),
        "complete": row.completed_at is not None,
        "offset": row.received,
        "stored": row.stored,
        "duplicates": row.duplicates,
        "conflicts": row.conflicts,
        "rejected": row.rejected,
        "rejections": json.loads(row.rejections),
        "created_at": iso(row.created_at),
        "updated_at": iso(row.updated_at),
        "completed_at": None if row.completed_at is None else iso(row.completed_at),
    }


def _conflict(code: str, message: str, row: ImportRow, headers: dict[str, str] | None = None) -> Refused:
    return Refused(409, code, message, headers={"Upload-Offset": str(row.received), **(headers or {})})


def _unreadable(error: InputFileError) -> Refused:
    return Refused(422, "unreadable_file", str(error))


_REFUSALS: Final = (408, 415, 422)
_OFFSET: Final = Parameter(
    "Upload-Offset",
    "Where in the file the body begins: the `offset` of the last answer.",
    {"type": "integer", "minimum": 0, "maximum": 10**18 - 1},
    True,
)
_COMPLETE: Final = Parameter(
    "Upload-Complete", "`?1` with the file's last part.", {"type": "string", "enum": ["?0", "?1"]}
)
_KEY: Final = scopes(Scope.IMPORT_CREATE)


def _several(name: str, description: str, items: dict[str, Any] = TEXT) -> Parameter:
    return Parameter(name, f"{description} May be given several times.", {"type": "array", "items": items})


def _pair(names: Iterable[str]) -> dict[str, Any]:
    """Return the schema of FIELD=VALUE for some fields."""
    return {"type": "string", "pattern": rf"^({'|'.join(names)})=[\s\S]+$"}


_MAPS: Final = _pair((*MAPPABLE, *(rf"{body}\.[^=]+" for body in BODIES)))


def _words(words: type[StrEnum]) -> dict[str, Any]:
    return {"type": "string", "enum": [word.value for word in words]}


ROUTES: Final = (
    Route(
        "POST", "/v1/imports", create_import, _KEY, streams=True,
        described=Described(
            "Begin an upload of a file", ImportShown, status=201, refusals=(*_REFUSALS, 409),
            media=tuple(KINDS), needs_media=True, headers=(_COMPLETE,),
            query=(
                Parameter("historical", "Take the events as history: they start nothing.", {"type": "boolean"}),
                Parameter("from", "A vendor's export.", {"type": "string", "enum": preset_names()}),
                _several("map", "The file's own name or path of a field, as in `timestamp=Date`.", _MAPS),
                _several(
                    "constant", "A field that is the same in every line that has none, as in `event=order_paid`.",
                    _pair(ALL_FIELDS),
                ),
                Parameter("unknown", "What becomes of keys and columns that are no field.", _words(Unknown)),
                Parameter("time_unit", "What a timestamp that is a number counts since 1970 UTC.", _words(TimeUnit)),
                Parameter("zone", "Whose clock a timestamp without an offset is by.", TIME_ZONE),
                _several("text", "A column of CSV that stays text."),
                _several("number", "A column of CSV that holds numbers."),
                Parameter("decimal_comma", "In CSV, a cell such as `12,50` is a number.", {"type": "boolean"}),
            ),
        ),
    ),
    Route(
        "PATCH", "/v1/imports/{id}", continue_import, _KEY, streams=True,
        described=Described(
            "Send the next part of the file", ImportShown, refusals=(*_REFUSALS, 409),
            media=("application/octet-stream",), headers=(_OFFSET, _COMPLETE),
        ),
    ),
    Route(
        "GET", "/v1/imports/{id}", get_import, scopes(Scope.IMPORT_READ),
        described=Described("See how far an upload has come", ImportShown),
    ),
)  # fmt: skip
